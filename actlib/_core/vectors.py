"""How a function of whole vectors is declared: a kernel, its vector-Jacobian product, its source.

Such a function mixes the numbers along an axis, so its derivative is a matrix. What training needs
of it is the product of an upstream gradient with that matrix, ``vjp(z, upstream)``.
"""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from actlib._core import autodiff, blocks, document
from actlib._core.arrays import Array, Kernel, Namespace, as_dtype, is_known, prepared, ranked
from actlib._core.products import upstream_of
from actlib._core.publish import published
from actlib._core.registry import REGISTRY, Activation, AxisFunction, GatedUnit
from actlib._core.spec import Spec


@dataclass(frozen=True)
class Along:
    """A kernel over the last axis, made a function of any array and axis.

    The kernel takes float32 or float64, ``kernel(xp, z)`` or ``kernel(xp, z, upstream)``. One that
    takes halves gets them apart, ``kernel(xp, value, gate)``, and its product with ``upstream``
    returns them as a pair. `products` are those with its Jacobian, ``"vjp"`` and ``"jvp"``.
    """

    name: str
    kernel: Kernel
    halves: bool
    products: dict[str, Along] = field(default_factory=dict, hash=False)

    def __call__(self, z: Any, *upstream: Any, axis: int = -1) -> Array:
        """Evaluate along ``axis``; ``upstream`` is there where a product is asked for."""
        if autodiff.followed(z):
            from actlib._core import in_torch

            return in_torch.one_step(self.name, z, *upstream, axis=axis)
        xp, z, working, result = prepared(self.name, z)
        axis = self._checked_axis(z, axis)
        shape = list(z.shape)
        if self.halves:
            shape[axis] //= 2
        given = [self._upstream(xp, z, g, working, tuple(shape)) for g in upstream]
        if upstream:
            shape = list(z.shape)
        if xp is not np and hasattr(xp, "blockwise"):
            return self._on_dask(xp, z, given, axis, shape[axis], result)
        if shape[axis] == 0:
            return xp.astype(z, result, copy=True)

        def evaluated() -> Array:
            arrays = [as_dtype(xp, a, working) for a in (z, *given)]
            inside = axis < z.ndim - 1
            if inside:
                arrays = [xp.moveaxis(a, axis, -1) for a in arrays]
            out = self._along_last(xp, arrays, shape[axis])
            return as_dtype(xp, xp.moveaxis(out, -1, axis) if inside else out, result)

        return blocks.silently(xp, evaluated)

    def _along_last(self, xp: Namespace, arrays: list[Array], size: int) -> Array:
        """Evaluate as the library is best served: in blocks, or with the declared derivatives."""
        evaluate = functools.partial(self.over_last, xp)
        if xp is np:
            return blocks.by_rows(evaluate, arrays, size)
        bridge = autodiff.bridge(xp) if self.products else None
        return (bridge.of_vectors(self) if bridge else evaluate)(*arrays)

    def over_last(self, xp: Namespace, z: Array, *upstream: Array) -> Array:
        """Evaluate arrays of one library and of the dtype computed in along their last axis."""
        if not self.halves:
            return self.kernel(xp, z, *upstream)
        half = z.shape[-1] // 2
        out = self.kernel(xp, z[..., :half], z[..., half:], *upstream)
        return xp.concat(out, axis=-1) if upstream else out

    def _checked_axis(self, z: Array, axis: int) -> int:
        """The axis counted from the first, if there is one and its length will do."""
        if ranked(self.name, z).ndim == 0:
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
        if size != size or (size is None and self.halves):
            raise ValueError(
                f"{self.name}: z has an unknown size along its axis {given}; of a Dask array, call "
                "compute_chunk_sizes() first, and give a TensorFlow tensor its shape (.set_shape)"
            )
        if self.halves and size % 2:
            raise ValueError(
                f"{self.name}: the last axis of z must have an even size, to be cut in halves; "
                f"z has shape {tuple(z.shape)}"
            )
        return given % int(z.ndim)

    def _upstream(
        self, xp: Namespace, z: Array, given: Any, working: Any, shape: tuple[int, ...]
    ) -> Array:
        given = blocks.silently(xp, lambda: upstream_of(self.name, xp, z, given, working, shape))
        if tuple(given.shape) == shape:
            return given
        if all(map(is_known, shape)):
            return xp.broadcast_to(given, shape)
        return given * xp.ones_like(z[..., : shape[-1]])

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


def along_axis(**facts: Any) -> Callable[[Kernel], AxisFunction]:
    """Declare a function of vectors: make ``kernel(xp, z)``, over the last axis, public.

    Parameters
    ----------
    **facts
        Fields of `Spec`.

    Returns
    -------
    callable
        A decorator whose result takes ``(z, axis=-1)`` and is entered in ``REGISTRY``.
    """

    def declare(kernel: Kernel) -> AxisFunction:
        evaluate = Along(kernel.__name__, kernel, halves=False)
        return cast("AxisFunction", _enter(evaluate, facts, document.of_axis_function))

    return declare


def gated_unit(gate: Activation[...], **facts: Any) -> Callable[[Kernel], GatedUnit]:
    """Declare a gated unit: make ``kernel(xp, value, gate)`` a function of their common array.

    Parameters
    ----------
    gate : Activation
        What opens it.
    **facts
        Fields of `Spec`.

    Returns
    -------
    callable
        A decorator whose result takes ``(z)`` and is entered in ``REGISTRY``.
    """

    def declare(kernel: Kernel) -> GatedUnit:
        evaluate = Along(kernel.__name__, kernel, halves=True)
        known = {"kinks": gate.spec.kinks_at(), **facts}
        unit = cast("GatedUnit", _enter(evaluate, known, document.of_gated_unit))
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
        evaluate = autodiff.EVALUATIONS[name] = Along(name, kernel, halves=not has_axis)
        cast("Any", function).along.products["vjp"] = evaluate
        doc = document.of_product(kernel.__doc__, function.spec.name)
        public = called(evaluate, product=True)
        function.vjp = cast("Any", published(public, kernel, name, function.__module__, doc))
        return kernel

    return declare


def jvp(function: AxisFunction) -> Callable[[Kernel], Kernel]:
    """Declare the product of the Jacobian with a direction, for differentiation by libraries.

    It is a linear program, ``kernel(xp, z, direction)``, since JAX transposes it for the product
    with an upstream gradient. A gated unit needs none: its Jacobian is two diagonals.

    Parameters
    ----------
    function : AxisFunction
        What is differentiated.

    Returns
    -------
    callable
        A decorator that leaves the kernel as it is.
    """

    def declare(kernel: Kernel) -> Kernel:
        along = Along(f"{function.spec.name}.jvp", kernel, halves=False)
        cast("Any", function).along.products["jvp"] = along
        return kernel

    return declare


def called(evaluate: Along, product: bool) -> Callable[..., Any]:
    """What is called: with an upstream gradient for a product, with an axis unless it is halved."""

    def along(z: Any, axis: int = -1) -> Any:
        return evaluate(z, axis=axis)

    def product_along(z: Any, upstream: Any, axis: int = -1) -> Any:
        return evaluate(z, upstream, axis=axis)

    def of_halves(z: Any) -> Any:
        return evaluate(z)

    def product_of_halves(z: Any, upstream: Any) -> Any:
        return evaluate(z, upstream)

    if product:
        return product_of_halves if evaluate.halves else product_along
    return of_halves if evaluate.halves else along


def _enter(
    evaluate: Along,
    facts: dict[str, Any],
    document_of: Callable[[str | None, Spec], str],
) -> Any:
    kernel = evaluate.kernel
    spec = Spec(name=kernel.__name__, elementwise=False, **facts)
    doc = document_of(kernel.__doc__, spec)
    public = called(evaluate, product=False)
    function = cast("Any", published(public, kernel, spec.name, kernel.__module__, doc))
    function.spec = spec
    function.along = autodiff.EVALUATIONS[spec.name] = evaluate
    REGISTRY.enter(function)
    return function
