"""The rows of items that are given again: as they were examined, and mixed with special ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from actlib.check.again import Again, Row
from actlib.check.arrangements import ARRANGEMENTS


def examine_again(found: Again, row: Row, specials: Sequence[Row]) -> None:
    """Give items in all arrangements, and special ones alone and among them.

    Parameters
    ----------
    found : Again
        Takes note of what goes wrong.
    row : Row
        A multiple of six ordinary items.
    specials : sequence of Row
        One item each, and its own matter.
    """
    found.arranged(row)
    for special in specials:
        matter = str(special.matter[0])
        six = special.taken(np.zeros(6, int))
        for words, arrange in ARRANGEMENTS["shape"].items():
            found.tried(matter, words, six, arrange)
        among = _mixed(row, [special], every=3)
        among.matter[:] = matter
        found.tried(matter, "among others", among, np.copy)
    said = ["shape", *(str(special.matter[0]) for special in specials)]
    if not any(found.problems.get(matter) for matter in said):
        found.arranged(_mixed(row, specials, every=2))


def _mixed(row: Row, specials: Sequence[Row], every: int) -> Row:
    """The same row, in which every so many items are special ones in turn."""
    mixed = row.taken(np.arange(len(row.right)))
    places = np.arange(every - 1, len(row.right), every)
    for turn, special in enumerate(specials):
        mine = places[turn :: len(specials)]
        for ours, theirs in zip(mixed.arrays, special.arrays, strict=True):
            ours[mine] = theirs[0]
    return mixed


def ordinary_first(z: np.ndarray) -> np.ndarray:
    """Places of numbers at random, six times as many; those between -4 and 4 come first and last.

    There most functions differ; some arrangements take the first few alone.
    """
    order = np.random.default_rng(0).permutation(z.size)
    ordinary = order[abs(z[order]) < 4][:7]
    order = np.concatenate([ordinary, order, ordinary])
    return np.resize(order, 6 * max(4, -(-order.size // 6)))
