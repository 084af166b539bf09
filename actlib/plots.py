"""Figures of activations: the only module that imports matplotlib, and not one of ``actlib``'s own.

`STYLE` makes figures that can be read on a white page, on a nearly black one, and on a phone.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from actlib._core.registry import Activation, AxisFunction, GatedUnit
from actlib._core.spec import LIBRARIES
from actlib.pieces import between, flat_intervals, pieces

if TYPE_CHECKING:
    import pandas as pd

    from actlib.check import Report
    from actlib.diagnose import Finding

__all__ = [
    "STYLE",
    "curves",
    "errors",
    "flat_intervals",
    "intervals",
    "profiles",
    "section",
    "unit_shares",
]

_GREY, _BLUE, _ORANGE = "#767676", "#2478c4", "#e85d12"
_DASHES: list[Any] = ["-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (1, 3))]

STYLE: Any = {
    "axes.edgecolor": _GREY,
    "axes.facecolor": "none",
    "axes.labelcolor": _GREY,
    "axes.labelsize": 14,
    "axes.prop_cycle": cycler(
        color=[_BLUE, _ORANGE, "#0aa36a", "#d936e0", "#6b7785", "#5a96c3"], linestyle=_DASHES
    ),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 14,
    "figure.dpi": 120,
    "figure.facecolor": "none",
    "figure.figsize": (6.4, 3.6),
    "figure.labelsize": 14,
    "font.size": 13.5,
    "grid.color": _GREY,
    "hatch.color": _GREY,
    "legend.frameon": False,
    "lines.linewidth": 2,
    "lines.markeredgewidth": 1.5,
    "lines.markersize": 7,
    "savefig.transparent": True,
    "text.color": _GREY,  # titles and legends too
    "xtick.color": _GREY,
    "ytick.color": _GREY,
}
"""matplotlib's settings for the figures of the book, for ``plt.rcParams.update(STYLE)``.

The ground is transparent. Words are grey, with a contrast of at least 4.5 to 1 on white and 4.1 to
1 on #121212; no grey has 4.5 on both, so a dark page may brighten its figures a little. The six
colours of the cycle have at least 3 to 1 on white and on everything from #121212 to #222832. No
two of them are told apart by colour alone, since each comes with its own dashes. At 6.4 inches,
words of 12.6 points and more have at least 9 pixels on a phone.

:meta hide-value:
"""


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
        An entry of ``actlib.REGISTRY``.
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
    with plt.rc_context(STYLE):
        if ax is None:
            _, ax = plt.subplots(layout="constrained")
        for start, end in shaded:
            ax.axvspan(start, end, facecolor=_GREY, alpha=0.25, linewidth=0)
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
    along = "axis" in inspect.signature(function).parameters
    varied, rest = (0, [0.0, 0.0]) if along else (1, [1.0])
    upstream = [1.0, 0.0, 0.0] if along else [1.0]

    def vectors(z: Any) -> np.ndarray:
        return np.insert(np.tile(rest, (*np.shape(z), 1)), varied, z, axis=-1)

    def value(z: Any) -> Any:
        return function(vectors(z))[..., 0]

    def slope(z: Any) -> Any:
        return function.vjp(vectors(z), upstream)[..., varied]

    with plt.rc_context(STYLE):
        if ax is None:
            _, ax = plt.subplots(layout="constrained")
        _draw_both(ax, value, slope, between([lo, 0.0, hi]), {})
    return ax


def errors(report: Report, *, ax: Axes | None = None) -> Axes:
    """Draw the errors E that a check has found against z, on logarithmic axes.

    Parameters
    ----------
    report : Report
        What `actlib.check.check_activation` has returned.
    ax : matplotlib.axes.Axes, optional
        Where to draw; without it, a figure is made.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Examples
    --------
    >>> from actlib import sigmoid
    >>> from actlib.check import check_activation
    >>> from actlib.plots import errors
    >>> ax = errors(check_activation(sigmoid, dtypes=["float32"]))
    >>> ax.get_ylabel()
    '$E$'
    """
    with plt.rc_context(STYLE):
        if ax is None:
            _, ax = plt.subplots(layout="constrained")
        ax.patch.set_alpha(0)
        for (of, dtype), accuracy in report.accuracy.items():
            z, e = accuracy.z.astype(float), accuracy.errors
            e = np.where(np.isfinite(e), np.maximum(e, 0.01), np.nan)
            ax.plot(z[abs(z) < 1e30], e[abs(z) < 1e30], label=f"{of}, {dtype}")
        ax.axhline(8, color=_GREY, linewidth=0.8)
        ax.set(xlabel="$z$", ylabel="$E$", yscale="log")
        ax.set_xscale("symlog", linthresh=1)
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return ax


def profiles(
    of: str, dtype: str, libraries: Sequence[str] = ("actlib", "tensorflow", "torch", "jax")
) -> Figure:
    """Draw where each function of each library loses digits, as recorded.

    Parameters
    ----------
    of : str
        ``"value"`` or ``"gradient"``.
    dtype : str
        ``"float32"`` or ``"float64"``; also half precision.
    libraries : sequence of str
        As in the recorded table: one panel each. Functions that none but the first has are left
        out.

    Returns
    -------
    matplotlib.figure.Figure
        A row for every function, from far below zero to far above; the darker, the more digits are
        lost. Where a number is lost altogether it is orange.

    Examples
    --------
    >>> from actlib.plots import profiles
    >>> figure = profiles("gradient", "float32", ["actlib", "jax"])
    >>> [ax.get_title() for ax in figure.axes[:2]]
    ['actlib', 'JAX']
    """
    from actlib.book.tables import recorded
    from actlib.check.peers import EDGES, LOST, NOTHING

    found = {
        (row["library"], row["function"]): row["profile"]
        for row in recorded("accuracy")
        if row["of"] == of and row["format"] == dtype
    }
    names = sorted({name for library, name in found if library in libraries[1:]})
    digits = 16 if dtype == "float64" else 8
    code = {f"{i:x}": float(i) for i in range(16)} | {LOST: digits + 1.0, NOTHING: np.nan}
    bins = 2 * (len(EDGES) - 1)
    ticks = [-20, 0, 20]
    at = [bins / 2 + np.sign(z) * EDGES.index(abs(z)) - 0.5 for z in ticks]
    blues = LinearSegmentedColormap.from_list("digits", ["#c5ddf2", "#123a63"])
    shades = blues.with_extremes(over=_ORANGE)
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            1,
            len(libraries),
            sharey=True,
            squeeze=False,
            figsize=(6.4, 1.2 + 0.24 * len(names)),
            layout="constrained",
        )
        for ax, library in zip(axes[0], libraries, strict=True):
            rows = [found.get((library, name), NOTHING * bins) for name in names]
            image = ax.imshow(
                [[code[x] for x in row] for row in rows],
                aspect="auto",
                interpolation="none",
                cmap=shades,
                vmin=0,
                vmax=digits,
            )
            ax.set_title(LIBRARIES.get(library, library))
            ax.set_xticks(at, [f"{z}" for z in ticks], fontsize=10)
            ax.set_xlabel("$z$")
        axes[0, 0].set_yticks(range(len(names)), names, fontsize=10)
        bar = figure.colorbar(image, ax=axes, location="bottom", extend="max", aspect=40)
        bar.set_label("decimal digits lost")
    return figure


def unit_shares(findings: Sequence[Finding], *, ax: Axes | None = None) -> Axes:
    """Draw which share of the units of each activation is dead, saturated or lost.

    Parameters
    ----------
    findings : sequence of actlib.diagnose.Finding
        Those of an `actlib.diagnose.Diagnosis`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; without it, a figure is made.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on: a group of three bars for every activation, the first on top.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from actlib.plots import unit_shares
    >>> hidden = SimpleNamespace(layer="hidden", units=4, dead=2, saturated=0, lost=0)
    >>> ax = unit_shares([hidden])
    """
    with plt.rc_context(STYLE):
        if ax is None:
            height = 1.5 + 0.5 * len(findings)
            _, ax = plt.subplots(figsize=(6.4, height), layout="constrained")
        ax.patch.set_alpha(0)
        rows = np.arange(len(findings))
        hatches = ["", "////", "...."]
        for number, kind in enumerate(["dead", "saturated", "lost"]):
            shares = [100 * getattr(finding, kind) / finding.units for finding in findings]
            ax.barh(rows + 0.26 * (number - 1), shares, 0.24, label=kind, hatch=hatches[number])
        ax.set(xlabel="units (%)", xlim=(0, 100))
        ax.set_yticks(rows, [finding.layer for finding in findings])
        ax.invert_yaxis()
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
    return ax


def intervals(
    summary: pd.DataFrame, metric: str = "mean", *, x: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw means and their intervals, as `actlib.study.Results.summary` gives them.

    Parameters
    ----------
    summary : pandas.DataFrame
        With the columns ``activation``, ``mean``, ``low`` and ``high``, and others that vary.
    metric : str, optional
        What the means are of.
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
    >>> from actlib.plots import intervals
    >>> row = {"activation": "relu", "mean": 0.9, "low": 0.88, "high": 0.92}
    >>> ax = intervals(pd.DataFrame([row]), "accuracy")
    """
    if x is not None and (x not in summary or summary[x].dtype.kind not in "biuf"):
        raise ValueError(f"x must be a column of numbers of the summary, got {x!r}")
    with plt.rc_context(STYLE):
        if ax is None:
            _, ax = plt.subplots(layout="constrained")
        errors = np.abs(summary[["low", "high"]].to_numpy() - summary[["mean"]].to_numpy()).T
        ax.patch.set_alpha(0)
        if x is None:
            _draw_rows(ax, summary, errors)
            ax.set_xlabel(metric)
            return ax
        for number, name in enumerate(dict.fromkeys(summary["activation"])):
            rows = (summary["activation"] == name).to_numpy()
            style = _MARKERS[number % len(_MARKERS)]
            points = summary[rows]
            ax.errorbar(
                points[x], points["mean"], errors[:, rows], fmt=style, label=name, capsize=3
            )
        ax.set(xlabel=x, ylabel=metric)
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
    return ax


_MARKERS = ("o-", "s--", "^:", "D-.", "v-", "P--", "X:", "*-.")


def _draw_rows(ax: Axes, summary: pd.DataFrame, errors: np.ndarray) -> None:
    own = {"activation", "n", "mean", "std", "low", "high", "diverged", "failed", "dead"}
    others = [name for name in summary if name not in own]
    names = [
        ", ".join([row["activation"], *(f"{name} {row[name]}" for name in others)])
        for _, row in summary.iterrows()
    ]
    ax.errorbar(summary["mean"], range(len(names)), xerr=errors, fmt="o", capsize=3)
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()


def _draw_both(
    ax: Axes,
    function: Callable[..., Any],
    slope: Callable[..., Any],
    parts: list[tuple[np.ndarray, np.ndarray]],
    params: dict[str, float],
) -> None:
    """Draw a function and its derivative, with the axes and a legend."""
    ax.patch.set_alpha(0)
    ax.axhline(0, color=_GREY, linewidth=0.8)
    ax.axvline(0, color=_GREY, linewidth=0.8)
    _draw(ax, function, parts, params, label="$f(z)$", color=_BLUE, linestyle="-")
    _draw(ax, slope, parts, params, label="$f'(z)$", color=_ORANGE, linestyle="--")
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
