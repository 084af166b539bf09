"""The same numbers again: in arrays of other shapes, sizes and layouts, and in another call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

Arrangement: TypeAlias = Callable[[np.ndarray], np.ndarray]  # of a row of 6n numbers


def _read_only(row: np.ndarray) -> np.ndarray:
    row.flags.writeable = False
    return row


def _repeated(row: np.ndarray) -> np.ndarray:
    return np.tile(row, 200_000 // row.size + 1)


#: What is tried for each aspect.
ARRANGEMENTS: Mapping[str, Mapping[str, Arrangement]] = {
    "shape": {
        "a single number": lambda row: row[:1].reshape(()),
        "nothing": lambda row: row[:0],
        "a column": lambda row: row.reshape(-1, 1),
        "a table": lambda row: row.reshape(3, -1),
        "three dimensions": lambda row: row.reshape(2, 3, -1),
    },
    "layout": {
        "every other number": lambda row: np.repeat(row, 2)[::2],
        "a reversed view": lambda row: row[::-1].copy()[::-1],
        "a transposed view": lambda row: row.reshape(3, -1).copy().T,
        "permuted axes": lambda row: row.reshape(2, 3, -1).copy().transpose(1, 0, 2),
        "Fortran order": lambda row: np.asfortranarray(row.reshape(2, 3, -1)),
        "a column of a table": lambda row: np.stack([row, row, row], axis=1)[:, 1],
        "a read-only array": _read_only,
    },
    "size": {
        "one number": lambda row: row[:1],
        "a few numbers": lambda row: row[:7],
        "a hundred numbers": lambda row: row[:100],
        "hundreds of thousands of numbers": lambda row: _repeated(row)[:-1],
        "a large table": lambda row: _repeated(row).reshape(6, -1),
    },
}


def rearranged(
    function: Callable[[np.ndarray], Any], z: np.ndarray, got: np.ndarray, tolerance: np.ndarray
) -> dict[str, list[str]]:
    """What goes wrong when a function gets the same numbers otherwise, by aspect.

    Parameters
    ----------
    function : callable
        Of an array.
    z, got : ndarray
        A row of numbers, and what the function gave for it.
    tolerance : ndarray
        How far it may be from that, at each of them: loops may round differently.

    Returns
    -------
    dict of str to list of str
        For each aspect the problems in words, none if all is well.
    """
    found = _Found(function)
    order = np.random.default_rng(0).permutation(z.size)
    ordinary = order[abs(z[order]) < 4][:7]  # where most functions differ: at the ends, and alone
    order = np.concatenate([ordinary, order, ordinary])
    order = np.resize(order, 6 * max(4, -(-order.size // 6)))
    row, right, near = (x[order] for x in (z, got, tolerance))
    for aspect, arrangements in ARRANGEMENTS.items():
        for words, arrange in arrangements.items():
            array = arrange(row.copy())
            if found.problems["shape"] and aspect != "shape" and array.ndim > 1:
                continue  # that such arrays come out wrong has been said
            where = aspect if array.flags.writeable else "input"  # it writes into its argument
            found.call(where, f"{words}: ", array, arrange(right.copy()), arrange(near.copy()))
    array = z.copy()
    found.call("repeat", "the same call ", array, got, np.zeros_like(tolerance))
    array[:] = z[::-1]
    found.call("repeat", "with other numbers in that array, ", array, got[::-1], tolerance[::-1])
    return found.problems


class _Found:
    """The problems of a function so far."""

    def __init__(self, function: Callable[[np.ndarray], Any]) -> None:
        self.function = function
        self.problems: dict[str, list[str]] = {
            aspect: [] for aspect in ("input", *ARRANGEMENTS, "repeat", "alias")
        }
        self._last, self._before = np.empty(0), b""

    def call(
        self, aspect: str, words: str, array: np.ndarray, right: np.ndarray, near: np.ndarray
    ) -> None:
        """Note whether it gives the right numbers, and whether it leaves other arrays alone."""
        before = array.tobytes()
        try:
            got = np.asarray(self.function(array))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # whatever the function may raise; it may even exit
            self.problems[aspect].append(f"{words}raises {type(error).__name__}: {error}")
            return
        problem = (
            difference(array, got, right, near)
            if got.shape == array.shape
            else f"{array.shape} becomes {got.shape}"
        )
        if problem:
            self.problems[aspect].append(words + problem)
        if array.tobytes() != before:
            self.problems["input"].append(f"is changed, of shape {array.shape}")
        if np.may_share_memory(got, array):
            self.problems["alias"].append(f"lies in the memory of z, of shape {array.shape}")
        if self._last.tobytes() != self._before:
            self.problems["alias"].append("is overwritten by the next call")
        self._last, self._before = got, got.tobytes()


def difference(z: np.ndarray, got: np.ndarray, right: np.ndarray, near: np.ndarray) -> str | None:
    """Say which number is the first that is too far from the right one, if any is."""
    z, got, right = (x.astype(float).ravel() for x in (z, got, right))
    with np.errstate(all="ignore"):
        close = (got == right) | (abs(got - right) <= near.ravel())
    wrong = np.flatnonzero(~close & ~(np.isnan(got) & np.isnan(right)))
    if not wrong.size:
        return None
    i = wrong[0]
    return f"gives {got[i]:.9g} at {z[i]:.9g}, where it gave {right[i]:.9g}"
