"""What the layers of a network pass on: a few examples, unit by unit, and how often each value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from actlib._core.extras import extra
from actlib.plots.style import STYLE, line

with extra("plot"):
    import matplotlib.pyplot as plt
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["passed_on"]

_BINS = 30
_RARE = 0.001  # the share of values at either end that the histograms leave out


def passed_on(
    outputs: Sequence[npt.ArrayLike], examples: Sequence[int], *, name: str = "sigmoid"
) -> Figure:
    """Draw what each layer of a network passes on to the next.

    Above, for each layer, a stripe for each chosen example, in which every unit is a bar: the
    brighter, the larger its output. Where all stripes look the same, nothing of the examples is
    left. Below, a histogram of the outputs of all units for all examples, but for the rarest. All
    layers share one scale.

    Parameters
    ----------
    outputs : sequence of array_like
        For each layer, of shape (examples, units).
    examples : sequence of int
        The rows that are shown above.
    name : str
        The activation, a name in ``actlib.REGISTRY``, for the colour of the histograms.

    Returns
    -------
    matplotlib.figure.Figure
        A figure with two axes for each layer.

    Raises
    ------
    ValueError
        If there is no layer.

    Examples
    --------
    >>> import numpy as np
    >>> from actlib.network import Network
    >>> from actlib import tanh
    >>> from actlib.plots import passed_on
    >>> x = np.random.default_rng(0).normal(size=(50, 4))
    >>> inputs, _ = Network([4, 8, 8, 2], tanh).forward(x)
    >>> figure = passed_on(inputs[1:], range(10), name="tanh")
    >>> [axes.get_title() for axes in figure.axes[:2]]
    ['layer 1', '2']
    """
    layers = [np.asarray(values, dtype=np.float64) for values in outputs]
    if not layers:
        raise ValueError("outputs must hold the outputs of one layer or more, got none")
    low, high = np.quantile(np.concatenate([a.ravel() for a in layers]), [_RARE, 1 - _RARE])
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            2, len(layers), squeeze=False, figsize=(6.4, 3.0), layout="constrained",
            height_ratios=[5, 2], sharey="row",
        )  # fmt: skip
        for number, values in enumerate(layers):
            stripes, histogram = axes[:, number]
            stripes.set_title(f"{number + 1}" if number else "layer 1", fontsize=13)
            _stripes(stripes, values[list(examples)], low, high)
            _histogram(histogram, values, low, high, line(name)["color"])
        axes[0, 0].set_ylabel("examples", fontsize=13)
        axes[1, 0].set_ylabel("all", fontsize=13)
    return figure


def _stripes(axes: Axes, values: npt.NDArray[Any], low: float, high: float) -> None:
    axes.imshow(values, "gray", vmin=low, vmax=high, aspect="auto", interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def _histogram(axes: Axes, values: npt.NDArray[Any], low: float, high: float, color: str) -> None:
    edges = np.linspace(low, high, _BINS + 1)
    shares = np.histogram(values, edges)[0]
    axes.stairs(shares / shares.max(), edges, fill=True, color=color)
    axes.set(yticks=[], ylim=(0, 1.05), xlim=(low, high))
    axes.set_xticks(
        [low, high],
        [f"{end:z.1f}".replace("-", "\N{MINUS SIGN}") for end in (low, high)],
        fontsize=12,
    )
    axes.spines.left.set_visible(False)
