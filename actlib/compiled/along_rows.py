"""Functions of vectors, and their products with upstream gradients, in compiled code."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np

from actlib._core import autodiff
from actlib._core.arrays import Array, Namespace
from actlib._core.publish import published
from actlib._core.registry import AxisFunction, GatedUnit
from actlib._core.vectors import Along, called
from actlib.compiled import cache, source
from actlib.compiled.elementwise import on_numpy
from actlib.compiled.loops import is_ready

Vectors = TypeVar("Vectors", bound=AxisFunction | GatedUnit)


def compiled(function: Vectors, module: str) -> Vectors:
    """The same function, of the same interface, evaluated by compiled code."""
    result = _public(function, module, product=False)
    result.spec, result.vjp = function.spec, _public(function.vjp, module, product=True)
    if hasattr(function, "gate"):
        result.gate = function.gate
    return cast("Vectors", result)


def _public(function: Any, module: str, product: bool) -> Any:
    name = function.__qualname__
    along = cast("Along", autodiff.EVALUATIONS[name])
    public = called(CompiledAlong(along.name, along.kernel, along.halves), product)
    return published(public, function.__wrapped__, name, module, function.__doc__)


class CompiledAlong(Along):
    """A kernel over the last axis, in as few passes over each row as its sums allow."""

    def __call__(self, z: Any, *upstream: Any, axis: int = -1) -> Array:
        """Evaluate along ``axis``; with least ado what a loop takes as it is."""
        if type(axis) is int and axis == -1 and is_ready(z) and self._fit(z, upstream):
            size = z.shape[-1] if upstream or not self.halves else z.shape[-1] // 2
            return self._along_last(np, [z, *upstream], size)
        return super().__call__(on_numpy(self.name, z)[0], *upstream, axis=axis)

    def _fit(self, z: np.ndarray, upstream: tuple[Any, ...]) -> bool:
        """Whether z has numbers, and in halves if need be, and the upstream gradient is like it."""
        size = z.shape[-1]
        if not z.size or (self.halves and size % 2):
            return False
        shape = (*z.shape[:-1], size // 2) if self.halves else z.shape
        return all(is_ready(u) and u.dtype == z.dtype and u.shape == shape for u in upstream)

    def _along_last(self, xp: Namespace, arrays: list[Array], size: int) -> Array:
        """Evaluate NumPy arrays of the dtype computed in along their last axis."""
        rows = [np.ascontiguousarray(a).reshape(-1, a.shape[-1]) for a in arrays]
        out = np.empty((len(rows[0]), size), rows[0].dtype)
        _loop(self, len(arrays), out.dtype)(*rows, out)
        return out.reshape(*arrays[0].shape[:-1], size)


@functools.cache
def _loop(along: Along, arrays: int, dtype: Any) -> Callable[..., None]:
    names = ["z", "upstream"][:arrays]
    text = source.of_rows(along.name, along.kernel, names, along.halves, dtype.name)
    return cast("Callable[..., None]", cache.module(along.name, text).loop)
