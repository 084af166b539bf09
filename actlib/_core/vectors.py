"""How a function of whole vectors is declared: a kernel, its vector-Jacobian product, its source.

Such a function mixes the numbers along an axis, so its derivative is a matrix. What training needs
of it is the product of an upstream gradient with that matrix, ``vjp(z, upstream)``.
"""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NotRequired, Protocol, TypedDict, Unpack, cast

import numpy as np

from actlib._core.arrays import (
    Array,
    ArrayLike,
    Kernel,
    Namespace,
    as_ndarray,
    namespace,
    real_dtypes,
)
from actlib._core.declare import Activation, Facts, by_library, with_formula
from actlib._core.evaluate import BLOCK


class AxisVJP(Protocol):
    """The vector-Jacobian product of a function along an axis."""

    __name__: str
    __qualname__: str

    def __call__(self, z: ArrayLike, upstream: ArrayLike, axis: int = -1) -> Any:
        """Multiply ``upstream`` by the Jacobian at ``z``."""


class AxisFunction(Protocol):
    """A function of the vectors along an axis, each result as long as its vector."""

    __name__: str
    __qualname__: str
    spec: Facts
    vjp: AxisVJP

    def __call__(self, z: ArrayLike, axis: int = -1) -> Any:
        """Evaluate at ``z``, vector by vector."""


class UnitVJP(Protocol):
    """The vector-Jacobian product of a gated unit."""

    __name__: str
    __qualname__: str

    def __call__(self, z: ArrayLike, upstream: ArrayLike) -> Any:
        """Multiply ``upstream`` by the Jacobian at ``z``."""


class GatedUnit(Protocol):
    """A function of the two halves of the last axis, half as long as that."""

    __name__: str
    __qualname__: str
    spec: Facts
    gate: Activation[...]
    vjp: UnitVJP

    def __call__(self, z: ArrayLike) -> Any:
        """Evaluate at ``z``, vector by vector."""


VECTORS: dict[str, AxisFunction | GatedUnit] = {}


@dataclass(frozen=True)
class Along:
    """A kernel over the last axis, made a function of any array and axis.

    The kernel takes float32 or float64, ``kernel(xp, z)`` or ``kernel(xp, z, upstream)``. One that
    takes halves gets them apart, ``kernel(xp, value, gate)``, and its product with ``upstream``
    returns them as a pair.
    """

    name: str
    kernel: Kernel
    halves: bool

    def __call__(self, z: Any, *upstream: Any, axis: int = -1) -> Array:
        """Evaluate along ``axis``; ``upstream`` is there where a product is asked for."""
        xp = namespace(z)
        if xp is np:
            z = as_ndarray(self.name, z)
        working, result = real_dtypes(self.name, xp, z.dtype)
        axis = self._checked_axis(z, axis)
        shape = list(z.shape)
        if self.halves:
            shape[axis] //= 2
        given = [self._upstream(xp, g, working, tuple(shape)) for g in upstream]
        if upstream:
            shape = list(z.shape)
        if hasattr(xp, "blockwise"):
            return self._on_dask(xp, z, given, axis, shape[axis], result)
        if shape[axis] == 0:
            return xp.astype(z, result, copy=True)
        with np.errstate(all="ignore"):
            arrays = [xp.moveaxis(xp.astype(a, working, copy=False), axis, -1) for a in (z, *given)]
            out = (self._on_numpy if xp is np else functools.partial(self._over_last, xp))(*arrays)
            return xp.astype(xp.moveaxis(out, -1, axis), result, copy=False)

    def _on_numpy(self, *arrays: np.ndarray) -> np.ndarray:
        """Evaluate some vectors at a time, so that temporaries stay in the cache."""
        z = arrays[0]
        rows = [np.ascontiguousarray(a.reshape(-1, a.shape[-1])) for a in arrays]
        size = z.shape[-1] // 2 if self.halves and len(arrays) == 1 else z.shape[-1]
        out = np.empty((rows[0].shape[0], size), z.dtype)
        step = -(-BLOCK // (z.shape[-1] * z.itemsize))
        for i in range(0, len(out), step):
            out[i : i + step] = self._over_last(np, *(a[i : i + step] for a in rows))
        return out.reshape(*z.shape[:-1], size)

    def _over_last(self, xp: Namespace, z: Array, *upstream: Array) -> Array:
        if not self.halves:
            return self.kernel(xp, z, *upstream)
        half = z.shape[-1] // 2
        out = self.kernel(xp, z[..., :half], z[..., half:], *upstream)
        return xp.concat(out, axis=-1) if upstream else out

    def _checked_axis(self, z: Array, axis: int) -> int:
        """The axis counted from the first, if there is one and its length will do."""
        if z.ndim == 0:
            raise ValueError(f"{self.name}: z is a single number; it takes vectors along an axis")
        try:
            given = operator.index(axis)
        except TypeError:
            raise TypeError(f"{self.name}: axis must be a whole number, got {axis!r}") from None
        if not -z.ndim <= given < z.ndim:
            raise np.exceptions.AxisError(
                f"{self.name}: axis {given} is out of range for z of shape {tuple(z.shape)}"
            )
        size = z.shape[given]
        if size != size:
            raise ValueError(
                f"{self.name}: z has an unknown size along its axis {given}; "
                "call compute_chunk_sizes() first"
            )
        if self.halves and size % 2:
            raise ValueError(
                f"{self.name}: the last axis of z must have an even size, to be cut in halves; "
                f"z has shape {tuple(z.shape)}"
            )
        return given % int(z.ndim)

    def _upstream(self, xp: Namespace, given: Any, working: Any, shape: tuple[int, ...]) -> Array:
        """The upstream gradient in the dtype computed in, broadcast to the function's shape."""
        theirs = namespace(given)
        if theirs not in (np, xp):
            raise TypeError(
                f"{self.name}: z belongs to {xp.__name__} but upstream to {theirs.__name__}; "
                "convert one of them"
            )
        if theirs is np:
            given = as_ndarray(self.name, given, "upstream")
        real_dtypes(self.name, theirs, given.dtype, "upstream")
        if theirs is not xp:
            given = xp.asarray(given)
        with np.errstate(all="ignore"):
            given = xp.astype(given, working)
        try:
            return given if tuple(given.shape) == shape else xp.broadcast_to(given, shape)
        except (ValueError, RuntimeError) as error:
            raise ValueError(
                f"{self.name}: upstream has shape {tuple(given.shape)}; it must broadcast to "
                f"that of the result, {shape}"
            ) from error

    def _on_dask(
        self, xp: Namespace, z: Array, upstream: list[Array], axis: int, size: int, result: Any
    ) -> Array:
        """Evaluate later: each chunk will be an array of its own, with the whole of the axis."""
        axes = list(range(z.ndim))
        pairs: list[Any] = []
        for i, array in enumerate((z, *upstream)):  # the axis has its own name in each of them
            pairs += [array, [*axes[:axis], z.ndim + 1 + i, *axes[axis + 1 :]]]
        meta = np.empty((0,) * z.ndim, dtype=result)
        options: dict[str, Any] = {"axis": axis} if not self.halves else {}
        return xp.blockwise(
            self,
            axes,
            *pairs,
            new_axes={axis: size},
            concatenate=True,
            meta=meta,
            token=f"actlib-{self.name}",
            **options,
        )


class _Given(TypedDict):
    """The arguments of a declaration: the fields of `Facts`, its ``names`` in one string."""

    formula: str
    exact: Callable[..., Any]
    cite: str
    range: tuple[float, float]
    names: NotRequired[str]
    differs: NotRequired[Mapping[str, str]]


def along_axis(**given: Unpack[_Given]) -> Callable[[Kernel], AxisFunction]:
    """Declare a function of vectors: make ``kernel(xp, z)``, over the last axis, public.

    Returns
    -------
    callable
        A decorator whose result takes ``(z, axis=-1)`` and is entered in ``VECTORS``.
    """

    def declare(kernel: Kernel) -> AxisFunction:
        evaluate = Along(kernel.__name__, kernel, halves=False)

        def public(z: Any, axis: int = -1) -> Any:
            return evaluate(z, axis=axis)

        return cast("AxisFunction", _enter(public, kernel, given))

    return declare


def gated_unit(gate: Activation[...], **given: Unpack[_Given]) -> Callable[[Kernel], GatedUnit]:
    """Declare a gated unit: make ``kernel(xp, value, gate)`` a function of their common array.

    Parameters
    ----------
    gate : Activation
        What opens it.
    **given
        The fields of `Facts`, its ``names`` in one string.

    Returns
    -------
    callable
        A decorator whose result takes ``(z)`` and is entered in ``VECTORS``.
    """

    def declare(kernel: Kernel) -> GatedUnit:
        evaluate = Along(kernel.__name__, kernel, halves=True)

        def public(z: Any) -> Any:
            return evaluate(z)

        unit = cast("GatedUnit", _enter(public, kernel, given))
        unit.gate = gate
        return unit

    return declare


def vjp(function: AxisFunction | GatedUnit) -> Callable[[Kernel], Kernel]:
    """Declare the vector-Jacobian product of a function of vectors; it becomes ``function.vjp``.

    Parameters
    ----------
    function : AxisFunction or GatedUnit
        What is differentiated.

    Returns
    -------
    callable
        A decorator that leaves the kernel as it is.
    """

    def declare(kernel: Kernel) -> Kernel:
        has_axis = "axis" in inspect.signature(function).parameters
        name = f"{function.spec.name}.vjp"
        evaluate = Along(name, kernel, halves=not has_axis)

        def along(z: Any, upstream: Any, axis: int = -1) -> Any:
            return evaluate(z, upstream, axis=axis)

        def of_halves(z: Any, upstream: Any) -> Any:
            return evaluate(z, upstream)

        doc = (
            f"Vector-Jacobian product of `{function.spec.name}`: the gradient by `z` of a loss "
            f"whose gradient\nby the result of `{function.spec.name}` is `upstream`.\n\n"
            f"`upstream` broadcasts to the shape of that result.\n\n"
        )
        public = along if has_axis else of_halves
        result = _public(public, kernel, name, function.__module__)
        result.__doc__ = doc + inspect.cleandoc(kernel.__doc__ or "")
        function.vjp = cast("Any", result)
        return kernel

    return declare


_RAISES = """\
Raises
------
TypeError
    If `z` is no array of real numbers.
ValueError
    If `z` has no such axis, or its length does not fit.

"""


def _enter(public: Callable[..., Any], kernel: Kernel, given: _Given) -> Any:
    name, module = kernel.__name__, kernel.__module__
    if name in VECTORS and VECTORS[name].__module__ != module:
        raise ValueError(f"a function {name!r} is already declared in {VECTORS[name].__module__}")
    function = cast("Any", _public(public, kernel, name, module))
    function.__doc__ = with_formula(kernel.__doc__, given["formula"], _RAISES)
    facts: dict[str, Any] = {**given, "names": by_library(given.get("names", ""))}
    function.spec = Facts(name=name, **facts)
    VECTORS[name] = function
    return function


def _public(
    public: Callable[..., Any], kernel: Kernel, path: str, module: str
) -> Callable[..., Any]:
    """The function as the caller sees it: with a name, and a signature without annotations."""
    signature = inspect.signature(public)
    params = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    functools.update_wrapper(public, kernel)
    public.__module__ = module
    public.__qualname__ = path
    public.__name__ = path.rpartition(".")[2]
    public.__signature__ = inspect.Signature(params)  # type: ignore[attr-defined]
    public.__annotations__ = {}
    return public
