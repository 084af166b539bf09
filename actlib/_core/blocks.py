"""Large arrays piece by piece, so that what is made on the way stays in the processor's cache."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")

BLOCK = 2**17  # bytes of z at a time, so that what is made on the way stays in the cache
WHOLE = 2**18  # bytes of z up to which it is evaluated at once; blocks would cost more

# Until a process has freed a large array, glibc gives freed memory of a block's size back to the
# system and asks for it anew, with which mish takes 2 and softplus 3 times as long (measured).
np.empty(2**23, np.uint8)

_QUIET = contextvars.Context()
_QUIET.run(np.seterr, all="ignore")


def quietly(function: Callable[..., T], *args: Any) -> T:
    """Call a function in a context of its own, in which NumPy's arithmetic gives no warnings.

    The caller's context, with its settings, is never touched. Entering a copy of an empty context
    takes 0.05 microseconds; ``np.errstate`` takes 0.7, a quarter of a call on a small array.
    """
    return _QUIET.copy().run(function, *args)


def silently(xp: Any, function: Callable[[], T]) -> T:
    """Call a function of arrays of any library; some compute by NumPy, which shall not warn."""
    if xp is np:
        return quietly(function)
    with np.errstate(all="ignore"):
        return function()


def elementwise(
    evaluate: Callable[..., Sequence[np.ndarray]],
    inputs: Sequence[Any],
    outs: Sequence[np.ndarray],
    working: Any,
) -> None:
    """Evaluate block by block into the outputs, whatever the layout of the inputs."""
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
            found = evaluate(*block[: len(inputs)])
            for target, values in zip(block[len(inputs) :], found, strict=True):
                target[...] = values


def by_rows(
    evaluate: Callable[..., np.ndarray], arrays: Sequence[np.ndarray], size: int
) -> np.ndarray:
    """Evaluate some of the vectors along the last axis at a time; each result has this size."""
    first = arrays[0]
    if first.nbytes <= WHOLE:
        return evaluate(*map(np.ascontiguousarray, arrays))
    rows = [np.ascontiguousarray(a.reshape(-1, a.shape[-1])) for a in arrays]
    out = np.empty((rows[0].shape[0], size), first.dtype)
    step = -(-BLOCK // (first.shape[-1] * first.itemsize))
    for i in range(0, len(out), step):
        out[i : i + step] = evaluate(*(a[i : i + step] for a in rows))
    return out.reshape(*first.shape[:-1], size)
