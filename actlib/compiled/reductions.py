"""Sums and maxima of rows, on as many numbers at a time as the processor has room for."""

from __future__ import annotations

from typing import Any

from actlib._core.extras import extra
from actlib.compiled.intrinsics import of_rank, rank, wide

with extra("fast"):
    from numba import njit

#: So many numbers are added up in whatever order is quick; such sums are added up exactly enough.
_BLOCK = 2048


@njit(inline="always")
def sum_of(row: Any) -> Any:
    """The sum of contiguous numbers; the error does not grow with how many they are."""
    total, lost = 0.0, 0.0
    for start in range(0, row.size, _BLOCK):
        part = _sum_of_block(row[start : start + _BLOCK])
        larger = total + part
        lost += (total - larger) + part if abs(total) > abs(part) else (part - larger) + total
        total = larger
    return row.dtype.type(total if lost != lost else total + lost)


@njit(fastmath={"reassoc"})
def _sum_of_block(block: Any) -> Any:
    """Added up in any order, which is all that this lets LLVM do."""
    wide()
    total = 0.0
    for i in range(block.size):
        total += block[i]
    return total


@njit
def max_of(row: Any) -> Any:
    """The largest of contiguous numbers; NaN if one of them is.

    Processors compare integers on the way to a maximum, but of floats only those without NaN.
    """
    wide()
    largest = rank(row[0])
    for i in range(row.size):
        largest = max(largest, rank(row[i]))
    return of_rank(largest)
