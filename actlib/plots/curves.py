"""Functions and their derivatives, drawn: of a number, and of vectors as one number varies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from actlib._core.extras import extra
from actlib._core.registry import Activation, AxisFunction, GatedUnit
from actlib.palette import GREY
from actlib.pieces import along_one, between, pieces, saturated_intervals
from actlib.plots.labels import label_curves
from actlib.plots.style import STYLE, line, styled

with extra("plot"):
    import matplotlib.pyplot as plt
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["curves", "panels", "section"]


def curves(
    activation: Activation[...],
    *,
    lo: float = -6.0,
    hi: float = 6.0,
    share: float = 0.05,
    ax: Axes | None = None,
    **params: float,
) -> Axes:
    """Draw an activation in its colour and its derivative dashed, and shade where it saturates.

    Where the derivative jumps its line is broken: a filled marker shows the value that it takes
    there by convention, an open one a value that it only approaches.

    Parameters
    ----------
    activation : Activation
        An entry of ``actlib.REGISTRY.elementwise``.
    lo, hi : float
        The range of pre-activations.
    share : float
        What counts as flat, see `saturated_intervals`.
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
    >>> [text.get_text() for text in ax.texts]
    ['$f(z)$', '$f$′$(z)$']
    """
    shaded = saturated_intervals(activation, lo=lo, hi=hi, share=share, **params)
    parts = pieces(activation, lo, hi, params)
    with styled(ax) as ax:
        _shade(ax, shaded)
        _draw_both(ax, activation, activation.grad, parts, params, activation.spec.name)
    return ax


def panels(
    *activations: Activation[...], lo: float = -6.0, hi: float = 6.0, **params: float
) -> Figure:
    """Draw activations on the left and their derivatives on the right, each in its colour.

    A single activation is shaded where it saturates; several are named at the ends of their
    derivatives.

    Parameters
    ----------
    *activations : Activation
        Entries of ``actlib.REGISTRY.elementwise``.
    lo, hi : float
        The range of pre-activations.
    **params : float
        Parameters, such as ``alpha=0.1``, for those of the activations that have them.

    Returns
    -------
    matplotlib.figure.Figure
        A figure with two axes.

    Raises
    ------
    ValueError
        If there is no activation, or the range makes no sense.

    Examples
    --------
    >>> from actlib import elu, relu
    >>> from actlib.plots import panels
    >>> figure = panels(relu, elu, lo=-3, hi=3, alpha=0.5)
    >>> [axes.get_title() for axes in figure.axes]
    ['$f(z)$', '$f$′$(z)$']
    """
    if not activations:
        raise ValueError("panels needs one activation or more, got none")
    with plt.rc_context(STYLE):
        figure, (values, slopes) = plt.subplots(1, 2, figsize=(6.4, 2.7), layout="constrained")
        for ax, title in ((values, "$f(z)$"), (slopes, "$f$\N{PRIME}$(z)$")):
            ax.set(title=title, xlabel="$z$", xlim=(lo, hi))
            _cross(ax)
        for activation in activations:
            own = {key: params[key] for key in activation.spec.params if key in params}
            parts, style = pieces(activation, lo, hi, own), line(activation.spec.name)
            _draw(values, activation, parts, own, **style)
            _draw(slopes, activation.grad, parts, own, label=activation.spec.title, **style)
            if len(activations) == 1:
                shaded = saturated_intervals(activation, lo=lo, hi=hi, **own)
                for ax in (values, slopes):
                    _shade(ax, shaded)
        if len(activations) > 1:
            label_curves(slopes)
    return figure


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
    >>> [text.get_text() for text in ax.texts]
    ['$f(z)$', '$f$′$(z)$']
    """
    value, slope = along_one(function)
    with styled(ax) as ax:
        _draw_both(ax, value, slope, between([lo, 0.0, hi]), {}, function.spec.name)
    return ax


def _cross(ax: Axes) -> None:
    """The two axes through 0."""
    ax.axhline(0, color=GREY, linewidth=0.8)
    ax.axvline(0, color=GREY, linewidth=0.8)


def _shade(ax: Axes, intervals: list[tuple[float, float]]) -> None:
    for start, end in intervals:
        ax.axvspan(start, end, facecolor=GREY, alpha=0.25, linewidth=0)


def _draw_both(
    ax: Axes,
    function: Callable[..., Any],
    slope: Callable[..., Any],
    parts: list[tuple[np.ndarray, np.ndarray]],
    params: dict[str, float],
    name: str,
) -> None:
    """Draw a function and its derivative, with the axes and labels."""
    _cross(ax)
    _draw(ax, function, parts, params, label="$f(z)$", color=line(name)["color"])
    _draw(ax, slope, parts, params, label="$f$\N{PRIME}$(z)$", color=GREY, linestyle="--")
    ax.set(xlabel="$z$", xlim=(parts[0][0][0], parts[-1][0][-1]))
    label_curves(ax)


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
    ax.plot(x, y, **{"linestyle": "-"} | style)
