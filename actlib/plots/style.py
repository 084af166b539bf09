"""matplotlib's settings for the figures of the book, and the look of a function in them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

from actlib import palette
from actlib._core.extras import extra
from actlib.palette import DASHES, GREY, INKS

with extra("plot"):
    import matplotlib.pyplot as plt
    from cycler import cycler
    from matplotlib.axes import Axes

__all__ = ["BLUE", "ORANGE", "STYLE", "line", "styled"]

(BLUE, ORANGE), *_ = INKS


def _linestyle(dashes: tuple[float, ...]) -> Any:
    return (0, dashes) if dashes else "-"


STYLE: Any = {
    "axes.edgecolor": GREY,
    "axes.facecolor": "none",
    "axes.labelcolor": GREY,
    "axes.labelsize": 14,
    "axes.prop_cycle": cycler(
        color=list(chain(*INKS))[: len(DASHES)],
        linestyle=[_linestyle(dashes) for dashes in DASHES],
    ),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 14,
    "figure.dpi": 120,
    "figure.facecolor": "none",
    "figure.figsize": (6.4, 3.6),
    "figure.labelsize": 14,
    "font.size": 13.5,
    "grid.color": GREY,
    "hatch.color": GREY,
    "legend.frameon": False,
    "lines.linewidth": 2,
    "lines.markeredgewidth": 1.5,
    "lines.markersize": 7,
    "savefig.transparent": True,
    "text.color": GREY,  # titles and legends too
    "xtick.color": GREY,
    "ytick.color": GREY,
}
"""matplotlib's settings for the figures of the book, for ``plt.rcParams.update(STYLE)``.

The ground is transparent. Words are grey, with a contrast of at least 4.5 to 1 on white and 4.1 to
1 on #121212; the book writes them in the colour of its text where a figure is SVG. The colours of
the cycle have at least 3 to 1 on white and on everything from #121212 to #222832. No two of them
are distinguished by colour alone, since each comes with its own dashes. At 6.4 inches, words of
12.6 points and more have at least 9 pixels on a phone.

:meta hide-value:
"""


def line(name: str) -> dict[str, Any]:
    """Say how a function is drawn, for ``ax.plot(z, gelu(z), **line("gelu"))``.

    Parameters
    ----------
    name : str
        A name in ``actlib.REGISTRY``.

    Returns
    -------
    dict
        ``color`` and ``linestyle``, the same in the whole book and in the explorer.

    Examples
    --------
    >>> from actlib.plots import line
    >>> line("relu")
    {'color': '#e85d12', 'linestyle': '-'}
    """
    color, dashes = palette.line(name)
    return {"color": color, "linestyle": _linestyle(dashes)}


@contextmanager
def styled(ax: Axes | None, **size: Any) -> Iterator[Axes]:
    """Axes to draw on in `STYLE`, on a transparent ground: the given ones, or a new figure's."""
    with plt.rc_context(STYLE):
        if ax is None:
            _, ax = plt.subplots(layout="constrained", **size)
        ax.patch.set_alpha(0)
        yield ax
