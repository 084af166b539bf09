"""Large arrays piece by piece, so that what is made on the way stays in the processor's cache."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

#: Bytes of z at a time. A temporary array of this size is below the 128 kB from which glibc asks
#: the system for fresh memory each time.
BLOCK = 2**16
#: Bytes of z up to which it is evaluated at once; blocks would cost more.
WHOLE = 2**17

#: Arithmetic without warnings: every finite input has a result, and it is the right one.
quiet = functools.partial(np.errstate, all="ignore")


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
    rows = [np.ascontiguousarray(a.reshape(-1, a.shape[-1])) for a in arrays]
    out = np.empty((rows[0].shape[0], size), first.dtype)
    step = -(-BLOCK // (first.shape[-1] * first.itemsize))
    for i in range(0, len(out), step):
        out[i : i + step] = evaluate(*(a[i : i + step] for a in rows))
    return out.reshape(*first.shape[:-1], size)
