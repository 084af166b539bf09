"""The figure of a comparison: means with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actlib.plots import label_curves, line
from actlib.plots.style import styled

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["intervals"]


def intervals(
    summary: pd.DataFrame, metric: str = "mean", *, x: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw means and their intervals, as `actlib.study.Results.summary` gives them.

    Parameters
    ----------
    summary : pandas.DataFrame
        With the columns ``activation``, ``mean``, ``low`` and ``high``, and others that vary.
    metric : str, optional
        What the means are of. The axis also says that each interval is at 95% by itself.
    x : str, optional
        The column for the horizontal axis: each activation is then a line. Without it, each row is
        a point with its interval, the first on top.
    ax : matplotlib.axes.Axes, optional
        Where to draw; without it, a figure is made.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Raises
    ------
    ValueError
        If there is no column `x`, or it is no number.

    Examples
    --------
    >>> import pandas as pd
    >>> from actlib.study.figure import intervals
    >>> row = {"activation": "relu", "mean": 0.9, "low": 0.88, "high": 0.92}
    >>> ax = intervals(pd.DataFrame([row]), "accuracy")
    """
    if x is not None and (x not in summary or summary[x].dtype.kind not in "biuf"):
        raise ValueError(f"x must be a column of numbers of the summary, got {x!r}")
    label = f"{metric} (each interval: 95%)"
    with styled(ax) as ax:
        errors = np.abs(summary[["low", "high"]].to_numpy() - summary[["mean"]].to_numpy()).T
        if x is None:
            _draw_rows(ax, summary, errors)
            ax.set_xlabel(label)
            return ax
        for number, name in enumerate(dict.fromkeys(summary["activation"])):
            rows = (summary["activation"] == name).to_numpy()
            at, means = summary[rows][x], summary[rows]["mean"]
            look, marker = _look(name), _MARKERS[number % len(_MARKERS)]
            ax.plot(at, means, marker=marker, label=name, **look)
            ax.errorbar(at, means, errors[:, rows], fmt="none", ecolor=look["color"], capsize=3)
        ax.set(xlabel=x, ylabel=label)
        label_curves(ax)
    return ax


_MARKERS = "os^DvPX*"


def _look(name: str) -> dict[str, Any]:
    """How an activation is drawn, whatever its parameters are."""
    return line(name.partition("(")[0])


def _draw_rows(ax: Axes, summary: pd.DataFrame, errors: np.ndarray) -> None:
    own = {"activation", "n", "mean", "std", "low", "high", "diverged", "failed", "dead"}
    others = [name for name in summary if name not in own]
    names = []
    for number, row in enumerate(summary.to_dict("records")):
        names.append(", ".join([row["activation"], *(f"{name} {row[name]}" for name in others)]))
        color = _look(row["activation"])["color"]
        interval = errors[:, [number]]
        ax.errorbar(row["mean"], number, xerr=interval, fmt="o", color=color, capsize=3)
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
