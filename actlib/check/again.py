"""The same items again: in other arrays, and in another call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from actlib.check.arrangements import ARRANGEMENTS, Arrangement
from actlib.check.one_call import Unusable, call

#: What may go wrong, and what is said if it does not.
HELD = {
    "dtype": "kept",
    "input": "left as it was",
    "shape": "kept",
    "layout": "does not matter",
    "size": "does not matter",
    "repeat": "gives the same again",
    "alias": "has memory of its own",
}


@dataclass(frozen=True)
class Row:
    """6n items in a row, and what is right for each.

    Parameters
    ----------
    given : tuple of ndarray
        The arguments of the function, all with the items along the first axis.
    right : ndarray
        What is right for each item.
    near : ndarray
        Of the same shape: how far from that a number may be.
    matter : ndarray of str
        For each item, the aspect in which the function has failed if it is wrong there; empty for
        that which the arrangement is about.
    signed : ndarray of bool
        The items for which the sign of zero counts.
    """

    given: tuple[np.ndarray, ...]
    right: np.ndarray
    near: np.ndarray
    matter: np.ndarray
    signed: np.ndarray

    @classmethod
    def of(cls, given: tuple[np.ndarray, ...], right: np.ndarray, near: Any, matter: str) -> Row:
        """Items that are all of one matter, and of which no zero has a sign that counts."""
        n = len(right)
        near = np.broadcast_to(near, right.shape)
        return cls(given, right, near, np.full(n, matter, object), np.zeros(n, bool))

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """All that it holds of each item."""
        return (*self.given, self.right, self.near, self.matter, self.signed)

    def taken(self, places: np.ndarray) -> Row:
        """The items at some places."""
        taken = [array[places] for array in self.arrays]
        return Row(tuple(taken[:-4]), *taken[-4:])


class Again:
    """What goes wrong when a function gets the same items otherwise, by aspect.

    Parameters
    ----------
    function : callable
        Of as many arrays as a row gives.
    dtype : dtype
        That of what it gives for ordinary arrays.
    """

    def __init__(self, function: Callable[..., Any], dtype: np.dtype) -> None:
        self.function, self.dtype = function, dtype
        self.problems: dict[str, list[str]] = {aspect: [] for aspect in HELD}
        self._last, self._before = np.empty(0), b""

    def arranged(self, row: Row) -> None:
        """Try all arrangements of a row."""
        for aspect, arrangements in ARRANGEMENTS.items():
            for words, arrange in arrangements.items():
                self.tried(aspect, words, row, arrange)

    def tried(self, aspect: str, words: str, row: Row, arrange: Arrangement) -> None:
        """Try one arrangement of a row, unless it has been said that such shapes come out wrong."""
        places = arrange(np.arange(len(row.right)))
        if self.problems["shape"] and aspect != "shape" and places.ndim > 1:
            return
        given = [arrange(array.copy()) for array in row.given]
        writeable = all(array.flags.writeable for array in given)
        where = aspect if writeable else "input"  # if it raises, it writes into its argument
        self.call(where, f"{words}: ", given, row, places)
        if aspect == "layout" and len(given) > 1:
            mixed = [np.ascontiguousarray(given[0]), *given[1:]]
            self.call(where, f"an upstream gradient as {words}: ", mixed, row, places)

    def repeated(self, row: Row) -> None:
        """Call it again with the arrays of which it has given the numbers, then with others."""
        given, places = [array.copy() for array in row.given], np.arange(len(row.right))
        exactly = replace(row, near=np.zeros(row.right.shape))
        self.call("repeat", "the same call ", given, exactly, places)
        for array, other in zip(given, row.given, strict=True):
            array[:] = other[::-1]
        self.call("repeat", "with other numbers in that array, ", given, row, places[::-1])

    def call(
        self, aspect: str, words: str, given: list[np.ndarray], row: Row, places: np.ndarray
    ) -> None:
        """Note whether it gives what is right, and whether it leaves other arrays alone."""
        right = row.right[places]
        try:
            answer = call(self.function, given, right.shape)
        except Unusable as error:
            self._note(aspect, words + str(error))
            return
        for matter, problem in differences(given[0], answer.got, row, places).items():
            self._note(matter or aspect, words + problem)
        shape = f"of shape {given[0].shape}"
        if answer.got.dtype != self.dtype:
            self._note("dtype", f"{words}returns {answer.got.dtype} instead of {self.dtype}")
        if answer.changed:
            self._note("input", f"is changed, {shape}")
        if answer.aliased:
            self._note("alias", f"lies in the memory of what was given, {shape}")
        if self._last.tobytes() != self._before:
            self._note("alias", "is overwritten by the next call")
        self._last, self._before = answer.got, answer.got.tobytes()

    def _note(self, aspect: str, words: str) -> None:
        self.problems.setdefault(aspect, []).append(words)


def differences(z: np.ndarray, got: np.ndarray, row: Row, places: np.ndarray) -> dict[str, str]:
    """For each matter, say which number is the first that is too far from the right one."""
    flat, per_item = places.ravel(), row.right[0].size
    found = got.astype(float).reshape(-1, per_item)
    right, near = (x[flat].astype(float).reshape(-1, per_item) for x in (row.right, row.near))
    with np.errstate(all="ignore"):
        close = (found == right) | (abs(found - right) <= near) | np.isinf(near)
    close |= np.isnan(found) & np.isnan(right)
    turned = (found == 0) & (right == 0) & (np.signbit(found) != np.signbit(right))
    wrong = ~close | (turned & row.signed[flat, np.newaxis])
    items = np.flatnonzero(wrong.any(axis=1))
    matters, firsts = np.unique(row.matter[flat[items]], return_index=True)
    problems = {}
    for matter, i in zip(matters.tolist(), items[firsts].tolist(), strict=True):
        j, numbers = int(np.argmax(wrong[i])), z.astype(float).reshape(len(flat), -1)[i]
        at = f"{numbers[0]:.9g}" if numbers.size == 1 else listing(numbers, ".9g")
        words = f"gives {found[i, j]:.9g} at {at}, where it gave {right[i, j]:.9g}"
        problems[matter] = words
    return problems


def listing(numbers: np.ndarray, form: str = "") -> str:
    """The numbers of a vector in words, in some format; of a long one, the first."""
    words = [format(number, form) for number in numbers[:8].astype(float).tolist()]
    words += ["..."] if numbers.size > 8 else []
    return f"[{', '.join(words)}]"
