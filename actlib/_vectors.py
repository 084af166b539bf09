"""How a function of whole vectors is declared: a kernel, its vector-Jacobian product, its source.

Such a function mixes the numbers along an axis, so its derivative is a matrix. What training needs
of it is the product of an upstream gradient with that matrix, ``vjp(z, upstream)``.
"""

from __future__ import annotations

import functools
import inspect
import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np

from actlib._evaluate import (
    Array,
    ArrayLike,
    Kernel,
    Namespace,
    _as_ndarray,
    _namespace,
    _real_dtypes,
)


@dataclass(frozen=True)
class VectorSpec:
    """What is known of a function of vectors besides how to compute it.

    Parameters
    ----------
    name : str
        The public name.
    formula : str
        The definition in LaTeX.
    exact : callable
        The textbook formula over a namespace ``m`` of mathematical functions:
        ``exact(m, z)`` takes a list of numbers and returns one; for a gated unit,
        ``exact(m, value, gate)`` takes two numbers.
    cite : str
        The key of its source in the book's bibliography.
    """

    name: str
    formula: str
    exact: Callable[..., Any]
    cite: str


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
    spec: VectorSpec
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
    spec: VectorSpec
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
        xp = _namespace(z)
        if xp is np:
            z = _as_ndarray(self.name, z)
        working, result = _real_dtypes(self.name, xp, z.dtype)
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
            return xp.astype(xp.moveaxis(self._over_last(xp, *arrays), -1, axis), result)

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
        theirs = _namespace(given)
        if theirs not in (np, xp):
            raise TypeError(
                f"{self.name}: z belongs to {xp.__name__} but upstream to {theirs.__name__}; "
                "convert one of them"
            )
        if theirs is np:
            given = _as_ndarray(self.name, given, "upstream")
        _real_dtypes(self.name, theirs, given.dtype, "upstream")
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


def along_axis(
    *, formula: str, exact: Callable[..., Any], cite: str
) -> Callable[[Kernel], AxisFunction]:
    """Declare a function of vectors: make ``kernel(xp, z)``, over the last axis, public.

    The arguments are the fields of `VectorSpec`.

    Returns
    -------
    callable
        A decorator whose result takes ``(z, axis=-1)`` and is entered in ``VECTORS``.
    """

    def declare(kernel: Kernel) -> AxisFunction:
        evaluate = Along(kernel.__name__, kernel, halves=False)

        def public(z: Any, axis: int = -1) -> Any:
            return evaluate(z, axis=axis)

        spec = VectorSpec(kernel.__name__, formula, exact, cite)
        return cast("AxisFunction", _enter(public, kernel, spec))

    return declare


def gated_unit(
    *, formula: str, exact: Callable[..., Any], cite: str
) -> Callable[[Kernel], GatedUnit]:
    """Declare a gated unit: make ``kernel(xp, value, gate)`` a function of their common array.

    The arguments are the fields of `VectorSpec`.

    Returns
    -------
    callable
        A decorator whose result takes ``(z)`` and is entered in ``VECTORS``.
    """

    def declare(kernel: Kernel) -> GatedUnit:
        evaluate = Along(kernel.__name__, kernel, halves=True)

        def public(z: Any) -> Any:
            return evaluate(z)

        spec = VectorSpec(kernel.__name__, formula, exact, cite)
        return cast("GatedUnit", _enter(public, kernel, spec))

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


def _enter(public: Callable[..., Any], kernel: Kernel, spec: VectorSpec) -> Any:
    declared = VECTORS.get(spec.name)
    if declared is not None and declared.__module__ != kernel.__module__:
        raise ValueError(f"a function {spec.name!r} is already declared in {declared.__module__}")
    function = cast("Any", _public(public, kernel, spec.name, kernel.__module__))
    summary, _, rest = inspect.cleandoc(kernel.__doc__ or "").partition("\n\n")
    rest = re.sub(
        r"^(?=(Notes|References|Examples)\n-)", _RAISES, rest, count=1, flags=re.MULTILINE
    )
    function.__doc__ = f"{summary}\n\n.. math:: {spec.formula}\n\n{rest}\n"
    function.spec = spec
    VECTORS[spec.name] = function
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


def total(xp: Namespace, x: Array) -> Array:
    """Sum along the last axis, to the last bit or two however long that is.

    Halves are added to each other until one number is left; what each addition rounds away is
    found (Knuth's TwoSum) and added in the end.
    """
    lost = 0.0
    while (n := x.shape[-1]) > 1:
        a, b = x[..., : n // 2], x[..., n // 2 : n // 2 * 2]
        s = a + b
        t = s - a
        lost = lost + xp.sum((a - (s - t)) + (b - t), axis=-1, keepdims=True)
        x = s if n % 2 == 0 else xp.concat([s, x[..., -1:]], axis=-1)
    return x + lost


def power_above(n: int) -> float:
    """Return the least power of two that is not below ``n``."""
    return 2.0 ** math.ceil(math.log2(n))
