"""Shapes, layouts and sizes of arrays in which the same items can be given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np

Arrangement: TypeAlias = Callable[[np.ndarray], np.ndarray]  # of a row of 6n items


def _shaped(row: np.ndarray, *shape: int) -> np.ndarray:
    return row.reshape(*shape, *row.shape[1:])


def _read_only(row: np.ndarray) -> np.ndarray:
    row.flags.writeable = False
    return row


def _repeated(row: np.ndarray) -> np.ndarray:
    return np.concatenate([row] * (200_000 // len(row) + 1))


def _same_memory(row: np.ndarray) -> np.ndarray:
    """Its first items in many lines, all of which lie in the same place."""
    few = row[:24]
    return np.lib.stride_tricks.as_strided(few, (7, *few.shape), (0, *few.strides))


#: What is tried for each aspect.
ARRANGEMENTS: Mapping[str, Mapping[str, Arrangement]] = {
    "shape": {
        "alone": lambda row: row[0, ...],
        "nothing": lambda row: row[:0],
        "a column": lambda row: _shaped(row, -1, 1),
        "a line": lambda row: _shaped(row, 1, -1),
        "a table": lambda row: _shaped(row, 3, -1),
        "three axes": lambda row: _shaped(row, 2, 3, -1),
        "four axes": lambda row: _shaped(row, 1, 2, 3, -1),
    },
    "layout": {
        "every other one": lambda row: np.repeat(row, 2, axis=0)[::2],
        "every other number": lambda row: np.repeat(row, 2, axis=-1)[..., ::2],
        "numbers read backwards": lambda row: row[..., ::-1].copy()[..., ::-1],
        "a reversed view": lambda row: row[::-1].copy()[::-1],
        "a table read backwards": lambda row: _shaped(row, 3, -1)[::-1, ::-1].copy()[::-1, ::-1],
        "a transposed view": lambda row: _shaped(row, 3, -1).copy().swapaxes(0, 1),
        "permuted axes": lambda row: _shaped(row, 2, 3, -1).copy().swapaxes(0, 1),
        "Fortran order": lambda row: np.asfortranarray(_shaped(row, 2, 3, -1)),
        "a column of a table": lambda row: np.stack([row, row, row], axis=1)[:, 1],
        "lines in the same memory": _same_memory,
        "a read-only array": _read_only,
    },
    "size": {
        "one": lambda row: row[:1],
        "a few": lambda row: row[:7],
        "a hundred": lambda row: row[:100],
        "hundreds of thousands": lambda row: _repeated(row)[:-1],
        "a large table": lambda row: _shaped(_repeated(row), 6, -1),
    },
}
