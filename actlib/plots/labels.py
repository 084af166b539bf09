"""Names at the ends of curves, in the place of a legend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actlib._core.extras import extra

with extra("plot"):
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D
    from matplotlib.text import Annotation

__all__ = ["label_curves"]

_LEADING = 1.15  # from one line of words to the next, as a multiple of their size


def label_curves(ax: Axes, *, fontsize: float = 13.0) -> None:
    """Write the label of every line next to its right end, in its colour, none over another.

    Call it last: it looks at where the lines end once everything else is in its place.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where the lines are; those without a ``label``, or out of sight, get none.
    fontsize : float
        The size of the words, in points.

    Examples
    --------
    >>> from matplotlib import pyplot as plt
    >>> from actlib.plots import label_curves
    >>> _, ax = plt.subplots(layout="constrained")
    >>> _ = ax.plot([0, 1], [0, 1], label="linear")
    >>> label_curves(ax)
    >>> [text.get_text() for text in ax.texts]
    ['linear']
    """
    named = [drawn for drawn in ax.get_lines() if not str(drawn.get_label()).startswith("_")]
    ends = [(drawn, end) for drawn in named for end in _end(ax, drawn)]
    labels = [_label(ax, drawn, end, fontsize) for drawn, end in ends]
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]  # with room for the labels
    points = 72 / ax.figure.dpi
    at = np.array([points * ax.transData.transform(end)[1] for _, end in ends])
    for label, move in zip(labels, spread(at, _LEADING * fontsize) - at, strict=True):
        label.xyann = (6.0, float(move))


def _label(ax: Axes, drawn: Line2D, end: tuple[float, float], fontsize: float) -> Annotation:
    return ax.annotate(
        str(drawn.get_label()),
        end,
        xytext=(6, 0),
        textcoords="offset points",
        color=drawn.get_color(),
        fontsize=fontsize,
        fontweight="bold",  # in colour, thin letters are hard to read
        va="center",
        annotation_clip=False,
    )


def _end(ax: Axes, drawn: Line2D) -> Iterator[tuple[float, float]]:
    """The last point of a line that is in sight, if one is."""
    x, y = (np.asarray(values, dtype=float) for values in drawn.get_data())
    (left, right), (bottom, top) = sorted(ax.get_xlim()), sorted(ax.get_ylim())
    seen = np.flatnonzero((left <= x) & (x <= right) & (bottom <= y) & (y <= top))
    for last in seen[-1:]:
        yield float(x[last]), float(y[last])


def spread(at: Sequence[float] | NDArray[Any], gap: float) -> NDArray[np.float64]:
    """Move places apart, to a distance of at least `gap`, and as little as possible."""
    order = np.argsort(at, kind="stable")
    steps = gap * np.arange(len(order))
    groups: list[NDArray[np.float64]] = []
    for place in np.asarray(at, dtype=float)[order] - steps:
        groups.append(np.array([place]))
        while len(groups) > 1 and groups[-2].mean() >= groups[-1].mean():
            groups[-2:] = [np.concatenate(groups[-2:])]
    moved = np.empty(len(order))
    moved[order] = steps + [mean for group in groups for mean in [group.mean()] * len(group)]
    return moved
