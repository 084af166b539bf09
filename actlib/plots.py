"""Figures of activations, and what all figures have in common.

`STYLE` makes figures that can be read on a white page, on a nearly black one, and on a phone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from actlib._core.extras import extra
from actlib._core.registry import Activation, AxisFunction, GatedUnit
from actlib.pieces import along_one, between, flat_intervals, pieces

with extra("plot"):
    import matplotlib.pyplot as plt
    from cycler import cycler
    from matplotlib.axes import Axes

__all__ = [
    "STYLE",
    "curves",
    "flat_intervals",
    "section",
]

GREY, BLUE, ORANGE = "#767676", "#2478c4", "#e85d12"
_DASHES: list[Any] = ["-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (1, 3))]

STYLE: Any = {
    "axes.edgecolor": GREY,
    "axes.facecolor": "none",
    "axes.labelcolor": GREY,
    "axes.labelsize": 14,
    "axes.prop_cycle": cycler(
        color=[BLUE, ORANGE, "#0aa36a", "#d936e0", "#6b7785", "#5a96c3"], linestyle=_DASHES
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
1 on #121212; no grey has 4.5 on both, so a dark page may brighten its figures a little. The six
colours of the cycle have at least 3 to 1 on white and on everything from #121212 to #222832. No
two of them are told apart by colour alone, since each comes with its own dashes. At 6.4 inches,
words of 12.6 points and more have at least 9 pixels on a phone.

:meta hide-value:
"""


@contextmanager
def styled(ax: Axes | None, **size: Any) -> Iterator[Axes]:
    """Axes to draw on in `STYLE`, on a transparent ground: the given ones, or a new figure's."""
    with plt.rc_context(STYLE):
        if ax is None:
            _, ax = plt.subplots(layout="constrained", **size)
        ax.patch.set_alpha(0)
        yield ax


def curves(
    activation: Activation[...],
    *,
    lo: float = -6.0,
    hi: float = 6.0,
    share: float = 0.05,
    ax: Axes | None = None,
    **params: float,
) -> Axes:
    """Draw an activation (solid) and its derivative (dashed), and shade where it is flat.

    Where the derivative jumps its line is broken: a filled marker shows the value that it takes
    there by convention, an open one a value that it only approaches.

    Parameters
    ----------
    activation : Activation
        An entry of ``actlib.REGISTRY.elementwise``.
    lo, hi : float
        The range of pre-activations.
    share : float
        What counts as flat, see `flat_intervals`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; without it, a figure is made.
    **params : float
        Parameters of the activation, such as ``alpha=0.1``.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Raises
    ------
    ValueError
        If the range or the share makes no sense.

    Examples
    --------
    >>> from actlib import relu
    >>> from actlib.plots import curves
    >>> ax = curves(relu, lo=-3, hi=3)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['$f(z)$', "$f'(z)$"]
    """
    shaded = flat_intervals(activation, lo=lo, hi=hi, share=share, **params)
    parts = pieces(activation, lo, hi, params)
    with styled(ax) as ax:
        for start, end in shaded:
            ax.axvspan(start, end, facecolor=GREY, alpha=0.25, linewidth=0)
        _draw_both(ax, activation, activation.grad, parts, params)
    return ax


def section(
    function: AxisFunction | GatedUnit,
    *,
    lo: float = -6.0,
    hi: float = 6.0,
    ax: Axes | None = None,
) -> Axes:
    """Draw a function of vectors as one number varies: its first result, and the derivative.

    For a function along an axis the vector is ``[z, 0, 0]``, for a gated unit it is ``[1, z]``.

    Parameters
    ----------
    function : AxisFunction or GatedUnit
        An entry of ``actlib.REGISTRY``.
    lo, hi : float
        The range of z.
    ax : matplotlib.axes.Axes, optional
        Where to draw; without it, a figure is made.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Examples
    --------
    >>> from actlib import softmax
    >>> from actlib.plots import section
    >>> ax = section(softmax, lo=-3, hi=3)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['$f(z)$', "$f'(z)$"]
    """
    value, slope = along_one(function)
    with styled(ax) as ax:
        _draw_both(ax, value, slope, between([lo, 0.0, hi]), {})
    return ax


def _draw_both(
    ax: Axes,
    function: Callable[..., Any],
    slope: Callable[..., Any],
    parts: list[tuple[np.ndarray, np.ndarray]],
    params: dict[str, float],
) -> None:
    """Draw a function and its derivative, with the axes and a legend."""
    ax.axhline(0, color=GREY, linewidth=0.8)
    ax.axvline(0, color=GREY, linewidth=0.8)
    _draw(ax, function, parts, params, label="$f(z)$", color=BLUE, linestyle="-")
    _draw(ax, slope, parts, params, label="$f'(z)$", color=ORANGE, linestyle="--")
    ax.set(xlabel="$z$", xlim=(parts[0][0][0], parts[-1][0][-1]))
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)  # off the shaded ground


def _draw(
    ax: Axes,
    function: Callable[..., Any],
    parts: list[tuple[np.ndarray, np.ndarray]],
    params: dict[str, float],
    **style: Any,
) -> None:
    """Draw a function as one line that is interrupted, and marked, where the function jumps."""
    x, y = parts[0][0], function(parts[0][1], **params)
    for z, inside in parts[1:]:
        value = function(inside, **params)
        if np.isclose(y[-1], value[0], atol=1e-6):
            x, y = np.append(x, z), np.append(y, value)
            continue
        taken = function(z[0], **params)
        for side in (y[-1], value[0]):
            face = style["color"] if np.isclose(side, taken, atol=1e-6) else "none"
            ax.plot(z[0], side, "o", color=style["color"], markerfacecolor=face, zorder=3)
        x, y = np.concatenate([x, [np.nan], z]), np.concatenate([y, [np.nan], value])
    ax.plot(x, y, **style)
