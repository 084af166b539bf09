"""How formulas are evaluated: by which array library, in which dtype, block by block."""

from __future__ import annotations

import functools
import reprlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from actlib._core import autodiff, blocks
from actlib._core.arrays import (
    Array,
    Kernel,
    Namespace,
    among,
    as_array,
    as_dtype,
    as_ndarray,
    namespace,
    real_dtypes,
)
from actlib._core.formula import Formula

Outs = tuple[np.ndarray, ...] | None


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The evaluation of formulas side by side, at any array.

    Parameters
    ----------
    name : str
        What is evaluated.
    formulas : tuple of Formula
        They have the same parameters.
    both : callable, optional
        A kernel that returns what all of them return, and computes once what they share.
    """

    name: str
    formulas: tuple[Formula, ...]
    both: Kernel | None = None

    def __call__(self, z: Any, params: Sequence[Any] = (), outs: Outs = None) -> Sequence[Array]:
        """Evaluate at z.

        Parameters
        ----------
        z : array_like
            Where.
        params : sequence
            All the parameters, in their declared order, or none: then the defaults.
        outs : tuple of ndarray, optional
            Where to put the results of each formula.
        """
        first = self.formulas[0]
        if type(z) is not np.ndarray:
            if outs is None and autodiff.followed(z, *params):
                from actlib._core import in_torch

                in_one: Sequence[Array] = in_torch.one_step(self.name, z, params)
                return in_one
            if params and isinstance(z, (int, float, np.number)):
                z = among(z, params)
        xp = namespace(z)
        if xp is np:
            return blocks.quietly(self._on_numpy, as_ndarray(first.name, z), params, outs)
        if outs is not None:
            raise TypeError(
                f"{first.name}: out is for NumPy arrays, but z belongs to {xp.__name__}"
            )
        return self._elsewhere(xp, as_array(first.name, xp, z), params or first.defaults)

    def _elsewhere(self, xp: Namespace, z: Array, params: Sequence[Any]) -> Sequence[Array]:
        """Evaluate at an array of another library than NumPy."""
        first = self.formulas[0]
        working, result = real_dtypes(first.name, xp, z.dtype)
        if bridge := autodiff.bridge(xp):
            values = first.cast_all(xp, z, params, working)
            first.shape_in_common(z, values)
            z = xp.astype(z, working, copy=False)
            found = [bridge.of_formula(f)(z, *values) for f in self.formulas]
            return [xp.astype(values, result, copy=False) for values in found]
        with np.errstate(all="ignore"):  # for libraries that compute by NumPy
            if hasattr(xp, "blockwise"):
                return [_on_dask(f, xp, z, params, working, result) for f in self.formulas]
            z, values = first.arguments(xp, xp.astype(z, working), params, working)
            return self.at_once(xp, z, values, result)

    def _on_numpy(self, z: np.ndarray, params: Sequence[Any], outs: Outs) -> Sequence[Array]:
        """Evaluate at an array of NumPy's: a small one goes straight to the kernels."""
        first = self.formulas[0]
        working, result = real_dtypes(first.name, np, z.dtype)
        z, params = first.arguments(np, z, params, working)
        if outs is not None:
            check_outs(first.name, outs, len(self.formulas), z.shape, result)
            self._fill(outs, z, params, working)
            return outs
        if z.ndim and z.nbytes <= blocks.WHOLE:
            return self.at_once(np, z.astype(working, copy=False), params, result)
        if len(self.formulas) == 1 and first.goes_bare(z, working):
            return [first.kernel(np, z)]
        outs = tuple([np.empty_like(z, dtype=result) for _ in self.formulas])
        self._fill(outs, z, params, working)
        return outs if z.ndim else [out[()] for out in outs]

    def _fill(
        self, outs: Sequence[np.ndarray], z: np.ndarray, params: Sequence[Array], working: Any
    ) -> None:
        """Put the results into arrays: those of a small z at once, of a large one in blocks."""
        if z.nbytes > blocks.WHOLE:
            evaluate = functools.partial(self._on_block, working)
            blocks.elementwise(evaluate, [z, *params], outs, working)
            return
        given = z.astype(working, copy=False)
        found = self.at_once(np, given if z.ndim else given.reshape(1), params, working)
        for out, values in zip(outs, found, strict=True):
            out[...] = values.reshape(z.shape)

    def _on_block(self, working: Any, z: np.ndarray, *params: Array) -> list[Array]:
        return self.at_once(np, z, params, working)

    def at_once(self, xp: Namespace, z: Array, params: Sequence[Array], result: Any) -> list[Array]:
        """Evaluate on arrays of the dtype computed in; results of that to return."""
        both = self.both and self.both(xp, z, *params)
        found = []
        for i, formula in enumerate(self.formulas):
            values = both[i] if both else formula.kernel(xp, z, *params)
            found.append(as_dtype(xp, formula.mended(xp, z, values, params), result))
        return found


def _on_dask(
    formula: Formula, xp: Namespace, z: Array, params: Sequence[Any], working: Any, result: Any
) -> Array:
    """Evaluate later: each chunk will be an array of its own."""
    arrays = [z, *formula.cast_all(xp, z, params, working)]
    formula.shape_in_common(z, arrays[1:])
    axes = [tuple(range(array.ndim))[::-1] for array in arrays]
    pairs = [part for pair in zip(arrays, axes, strict=True) for part in pair]
    longest = max(axes, key=len)
    return xp.blockwise(
        functools.partial(_on_chunk, formula),
        longest,
        *pairs,
        meta=np.empty((0,) * len(longest), dtype=result),
        token=f"actlib-{formula.name}",
    )


def _on_chunk(formula: Formula, z: np.ndarray, *params: Array) -> Array:
    return Evaluation(formula.name, (formula,))(z, params)[0]


def check_outs(name: str, outs: Any, count: int, shape: tuple[int, ...], dtype: Any) -> None:
    if not (isinstance(outs, tuple) and len(outs) == count):
        raise TypeError(f"{name}: out must be a tuple of {count} arrays, got {reprlib.repr(outs)}")
    needed = f"{name}: out must be a writeable array of shape {shape} and dtype {np.dtype(dtype)}"
    for out in outs:
        if not isinstance(out, np.ndarray):
            raise TypeError(f"{needed}, got {reprlib.repr(out)}")
        if type(out) is not np.ndarray and isinstance(out, np.ma.MaskedArray):
            raise TypeError(
                f"{needed}, got a masked one, whose mask would stay as it is; give its .data"
            )
        if out.shape != shape or out.dtype != dtype or not out.flags.writeable:
            kind = "one" if out.flags.writeable else "a read-only one"
            raise ValueError(f"{needed}, got {kind} of shape {out.shape} and dtype {out.dtype}")
    if any(np.shares_memory(one, other) for one, other in combinations(outs, 2)):
        raise ValueError(f"{name}: the arrays of out must not overlap, but they share memory")
