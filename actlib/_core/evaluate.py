"""How formulas are evaluated: by which array library, in which dtype, block by block."""

from __future__ import annotations

import contextvars
import functools
import reprlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from actlib._core.arrays import Array, Namespace, as_ndarray, namespace, real_dtypes
from actlib._core.formula import MEMO, Formula

WHOLE = 2**18  # bytes of z up to which it is evaluated at once; blocks would cost more
BLOCK = 2**17  # bytes of z evaluated at a time beyond that, so that temporaries stay in the cache

# Until a large array has been freed, glibc returns temporaries of a block's size to the system.
np.empty(2**23, np.uint8)

_QUIET = contextvars.Context()  # where NumPy's warnings are off; entering a copy of it is quick
_QUIET.run(np.seterr, all="ignore")


def evaluate(
    formulas: tuple[Formula, ...],
    z: Any,
    params: Sequence[Any] = (),
    outs: tuple[np.ndarray, ...] | None = None,
) -> Sequence[Array]:
    """Evaluate formulas side by side.

    Parameters
    ----------
    formulas : tuple of Formula
        They have the same parameters.
    z : array_like
        Where to evaluate them.
    params : sequence
        All the parameters, in their declared order, or none: then the defaults.
    outs : tuple of ndarray, optional
        Where to put the results of each.
    """
    first = formulas[0]
    xp = namespace(z)
    if xp is np:
        z = as_ndarray(first.name, z)
    working, result = real_dtypes(first.name, xp, z.dtype)
    if xp is np:
        return _QUIET.copy().run(_on_numpy, formulas, z, params, working, result, outs)
    if outs is not None:
        raise TypeError(f"{first.name}: out is for NumPy arrays, but z belongs to {xp.__name__}")
    params = params or first.defaults
    if hasattr(xp, "blockwise"):
        return [_on_dask(formula, xp, z, params, working, result) for formula in formulas]
    quiet = contextvars.copy_context()
    quiet.run(np.seterr, all="ignore")
    return quiet.run(_elsewhere, formulas, xp, z, params, working, result)


def _on_numpy(
    formulas: tuple[Formula, ...],
    z: np.ndarray,
    params: Sequence[Any],
    working: type,
    result: type | np.dtype,
    outs: tuple[np.ndarray, ...] | None,
) -> Sequence[Array]:
    first = formulas[0]
    if params:
        z, params = first.arguments(np, z, params, working)
    else:
        params = first.defaults_in(working)
    if outs is not None:
        _check_outs(first.name, outs, len(formulas), z.shape, result)
    if outs is None and len(formulas) == 1 and first.goes_bare(z, working):
        return (first.kernel(np, z, *params),)
    if z.nbytes > WHOLE:
        return _in_blocks(formulas, z, params, working, result, outs)
    given: np.ndarray = z.astype(working, copy=False)
    found = _side_by_side(formulas, given if z.ndim else given.reshape(1), params)
    if outs:
        for out, values in zip(outs, found, strict=True):
            out[...] = values.reshape(z.shape)
        return outs
    found = [values.astype(result, copy=False) for values in found]
    return found if z.ndim else [values[0] for values in found]


def _side_by_side(
    formulas: tuple[Formula, ...], z: np.ndarray, params: Sequence[Array]
) -> list[np.ndarray]:
    """Evaluate on what fits into the cache."""
    if len(formulas) > 1:
        MEMO.set({})
    return [formula.guarded(z, *params) for formula in formulas]


def _on_dask(
    formula: Formula,
    xp: Namespace,
    z: Array,
    params: Sequence[Any],
    working: type,
    result: type | np.dtype,
) -> Array:
    """Evaluate later: each chunk will be an array of its own."""
    arrays = [z, *formula.cast_all(xp, params, working)]
    formula.broadcast_shape(z, arrays[1:])
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
    return evaluate((formula,), z, params)[0]


def _elsewhere(
    formulas: tuple[Formula, ...],
    xp: Namespace,
    z: Array,
    params: Sequence[Any],
    working: Any,
    result: Any,
) -> Sequence[Array]:
    """Evaluate by another library than NumPy."""
    z, values = formulas[0].arguments(xp, xp.astype(z, working), params, working)
    if len(formulas) > 1:
        MEMO.set({})
    return [xp.astype(formula.on(xp, z, values), result) for formula in formulas]


def _in_blocks(
    formulas: tuple[Formula, ...],
    z: np.ndarray,
    params: Sequence[Array],
    working: type,
    result: type | np.dtype,
    outs: tuple[np.ndarray, ...] | None,
) -> Sequence[np.ndarray]:
    """Evaluate block by block into an output for each formula, whatever the layout of the input."""
    inputs = [z, *params]
    outs = outs or tuple(np.empty_like(z, dtype=result) for _ in formulas)
    operands = [*inputs, *outs]
    access: list[Any] = ["readonly" for _ in inputs] + ["writeonly" for _ in outs]
    blocks = np.nditer(
        operands,
        flags=["external_loop", "buffered", "copy_if_overlap"],
        op_flags=[[mode, "overlap_assume_elementwise"] for mode in access],
        op_dtypes=[working for _ in operands],
        casting="unsafe",
        buffersize=BLOCK // np.dtype(working).itemsize,
    )
    with blocks:
        for block in blocks:
            given, targets = block[: len(inputs)], block[len(inputs) :]
            found = _side_by_side(formulas, given[0], given[1:])
            for target, values in zip(targets, found, strict=True):
                target[...] = values
    return outs


def _check_outs(name: str, outs: Any, count: int, shape: tuple[int, ...], dtype: Any) -> None:
    if not (isinstance(outs, tuple) and len(outs) == count):
        raise TypeError(f"{name}: out must be a tuple of {count} arrays, got {reprlib.repr(outs)}")
    needed = f"{name}: out must be a writeable array of shape {shape} and dtype {dtype}"
    for out in outs:
        if type(out) is not np.ndarray:
            raise TypeError(f"{needed}, got {reprlib.repr(out)}")
        if out.shape != shape or out.dtype != dtype or not out.flags.writeable:
            kind = "one" if out.flags.writeable else "a read-only one"
            raise ValueError(f"{needed}, got {kind} of shape {out.shape} and dtype {out.dtype}")
