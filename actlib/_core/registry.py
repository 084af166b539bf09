"""The one list of all functions, and the types of what is in it."""

from __future__ import annotations

import copyreg
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NoReturn, ParamSpec, Protocol, TypeAlias, TypeVar, cast, overload

import numpy as np

from actlib._core.arrays import ArrayLike, Tensor
from actlib._core.names import hint
from actlib._core.spec import Spec

P = ParamSpec("P")
T = TypeVar("T", bound=Tensor)


class Derivative(Protocol[P]):
    """A derivative of an activation: the same arguments, an array of the same shape."""

    __name__: str
    __qualname__: str

    @overload
    def __call__(self, z: ArrayLike, *args: Any, out: np.ndarray, **kwargs: Any) -> np.ndarray: ...
    @overload  # of compiled functions, for the types cannot be listed twice
    def __call__(self, z: np.ndarray, *args: Any, threads: int, **kwargs: Any) -> np.ndarray: ...
    @overload
    def __call__(self, z: np.ndarray, *args: P.args, **kwargs: P.kwargs) -> np.ndarray: ...
    @overload
    def __call__(self, z: np.generic, *args: P.args, **kwargs: P.kwargs) -> Any: ...
    @overload
    def __call__(self, z: T, *args: P.args, **kwargs: P.kwargs) -> T: ...
    @overload
    def __call__(self, z: ArrayLike, *args: P.args, **kwargs: P.kwargs) -> Any: ...
    def __call__(self, z: ArrayLike, *args: Any, **kwargs: Any) -> Any:
        """Evaluate at ``z``, elementwise, into ``out`` if that is given."""


class Gradient(Derivative[P], Protocol[P]):
    """The derivative with respect to z, which has a derivative of its own, ``grad.grad``."""

    grad: Derivative[P]


class ValueAndGrad(Protocol[P]):
    """The value and the derivative with respect to z, by one call."""

    __name__: str
    __qualname__: str

    @overload
    def __call__(
        self, z: ArrayLike, *args: Any, out: tuple[np.ndarray, np.ndarray], **kwargs: Any
    ) -> tuple[np.ndarray, np.ndarray]: ...
    @overload
    def __call__(
        self, z: np.ndarray, *args: Any, threads: int, **kwargs: Any
    ) -> tuple[np.ndarray, np.ndarray]: ...
    @overload
    def __call__(
        self, z: np.ndarray, *args: P.args, **kwargs: P.kwargs
    ) -> tuple[np.ndarray, np.ndarray]: ...
    @overload
    def __call__(self, z: np.generic, *args: P.args, **kwargs: P.kwargs) -> tuple[Any, Any]: ...
    @overload
    def __call__(self, z: T, *args: P.args, **kwargs: P.kwargs) -> tuple[T, T]: ...
    @overload
    def __call__(self, z: ArrayLike, *args: P.args, **kwargs: P.kwargs) -> tuple[Any, Any]: ...
    def __call__(self, z: ArrayLike, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        """Evaluate both at ``z``, elementwise, into the arrays of ``out`` if that is given."""


class Product(Protocol[P]):
    """The product of an upstream gradient with a derivative, in the shape of what it is for."""

    __name__: str
    __qualname__: str

    @overload
    def __call__(
        self, z: np.ndarray, upstream: ArrayLike, *args: P.args, **kwargs: P.kwargs
    ) -> np.ndarray: ...
    @overload
    def __call__(
        self, z: np.generic, upstream: ArrayLike, *args: P.args, **kwargs: P.kwargs
    ) -> Any: ...
    @overload
    def __call__(self, z: T, upstream: ArrayLike, *args: P.args, **kwargs: P.kwargs) -> T: ...
    @overload
    def __call__(
        self, z: ArrayLike, upstream: ArrayLike, *args: P.args, **kwargs: P.kwargs
    ) -> Any: ...
    @overload
    def __call__(
        self, z: ArrayLike, upstream: ArrayLike, *args: Any, wrt: str, **kwargs: Any
    ) -> Any: ...
    @overload
    def __call__(
        self, z: np.ndarray, upstream: ArrayLike, *args: Any, threads: int, **kwargs: Any
    ) -> np.ndarray: ...
    def __call__(self, z: ArrayLike, upstream: ArrayLike, *args: Any, **kwargs: Any) -> Any:
        """Multiply ``upstream`` by the derivative at ``z``, and add up over what shares it."""


class Activation(Derivative[P], Protocol[P]):
    """An activation: a function with its derivatives and its specification."""

    spec: Spec
    grad: Gradient[P]
    value_and_grad: ValueAndGrad[P]
    partials: Partials[P]
    vjp: Product[P]


class Partials(dict[str, Derivative[P]]):
    """The partial derivatives of an activation by parameter: ``partials["alpha"]``."""

    def __init__(self, activation: str) -> None:
        super().__init__()
        self._activation = activation

    def __missing__(self, key: str) -> NoReturn:
        raise KeyError(f"{self._activation} has no partial {key!r}{hint(key, self)}")

    def __getattr__(self, key: str) -> Derivative[P]:  # pickle finds a partial by its dotted name
        if key.startswith("_"):
            raise AttributeError(key)
        try:
            return self[key]
        except KeyError as error:
            raise AttributeError(*error.args) from None


class AxisVJP(Protocol):
    """The vector-Jacobian product of a function along an axis."""

    __name__: str
    __qualname__: str

    @overload
    def __call__(self, z: np.ndarray, upstream: ArrayLike, axis: int = -1) -> np.ndarray: ...
    @overload
    def __call__(self, z: T, upstream: ArrayLike, axis: int = -1) -> T: ...
    @overload
    def __call__(self, z: ArrayLike, upstream: ArrayLike, axis: int = -1) -> Any: ...
    def __call__(self, z: ArrayLike, upstream: ArrayLike, axis: int = -1) -> Any:
        """Multiply ``upstream`` by the Jacobian at ``z``."""


class AxisFunction(Protocol):
    """A function of the vectors along an axis, each result as long as its vector."""

    __name__: str
    __qualname__: str
    spec: Spec
    vjp: AxisVJP

    @overload
    def __call__(self, z: np.ndarray, axis: int = -1) -> np.ndarray: ...
    @overload
    def __call__(self, z: T, axis: int = -1) -> T: ...
    @overload
    def __call__(self, z: ArrayLike, axis: int = -1) -> Any: ...
    def __call__(self, z: ArrayLike, axis: int = -1) -> Any:
        """Evaluate at ``z``, vector by vector."""


class UnitVJP(Protocol):
    """The vector-Jacobian product of a gated unit."""

    __name__: str
    __qualname__: str

    @overload
    def __call__(self, z: np.ndarray, upstream: ArrayLike) -> np.ndarray: ...
    @overload
    def __call__(self, z: T, upstream: ArrayLike) -> T: ...
    @overload
    def __call__(self, z: ArrayLike, upstream: ArrayLike) -> Any: ...
    def __call__(self, z: ArrayLike, upstream: ArrayLike) -> Any:
        """Multiply ``upstream`` by the Jacobian at ``z``."""


class GatedUnit(Protocol):
    """A function of the two halves of the last axis, half as long as that."""

    __name__: str
    __qualname__: str
    spec: Spec
    gate: Activation[...]
    vjp: UnitVJP

    @overload
    def __call__(self, z: np.ndarray) -> np.ndarray: ...
    @overload
    def __call__(self, z: T) -> T: ...
    @overload
    def __call__(self, z: ArrayLike) -> Any: ...
    def __call__(self, z: ArrayLike) -> Any:
        """Evaluate at ``z``, vector by vector."""


Function: TypeAlias = Activation[...] | AxisFunction | GatedUnit
F = TypeVar("F", bound=Function)


class UnknownName(KeyError, ValueError):
    """No function has this name; the message offers those that come near."""

    def __str__(self) -> str:
        return str(self.args[0])


def refuse_vectors(given: object) -> None:
    """Raise an error if a function of vectors is given where an elementwise one is needed.

    Parameters
    ----------
    given : object
        A function, its specification or its name.

    Raises
    ------
    UnknownName
        Which says what to do.
    """
    named = REGISTRY.get(given) if isinstance(given, str) else given
    spec = getattr(named, "spec", named)
    if isinstance(spec, Spec) and not spec.elementwise:
        raise UnknownName(
            f"{spec.name} acts on vectors, not elementwise: it has .vjp, but no .grad, "
            "and actlib.check.check_vjp examines it"
        )


class Named(dict[str, F]):
    """Functions by name; the error for an unknown name offers the nearest ones."""

    def __missing__(self, name: str) -> NoReturn:
        refuse_vectors(name)
        raise UnknownName(f"the registry has no function {name!r}{hint(name, self)}")


class Registry(Named[Function]):
    """All functions that were declared, by name."""

    @property
    def elementwise(self) -> Mapping[str, Activation[...]]:
        """Those that act on every number by itself, and so have ``.grad``."""
        found = {name: cast("Any", f) for name, f in self.items() if f.spec.elementwise}
        return MappingProxyType(Named(found))

    def enter(self, function: Any) -> None:
        """Add a function, unless another module has declared one of its name."""
        name = function.spec.name
        if name in self and self[name].__module__ != function.__module__:
            raise ValueError(f"a function {name!r} is already declared in {self[name].__module__}")
        self[name] = function


REGISTRY = Registry()


def _reduced(spec: Spec) -> Any:
    """How a specification is pickled and copied: a function's own is found again by that function.

    The formulas in it are mostly lambdas, of which pickle can make nothing.
    """
    function = REGISTRY.get(spec.name)
    own = function is not None and function.spec is spec
    return (getattr, (function, "spec")) if own else spec.__reduce_ex__(2)


copyreg.pickle(Spec, _reduced)
