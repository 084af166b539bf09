"""The figure of a check: errors against z."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from actlib.check.accuracy import Accuracy
from actlib.plots import GREY, label_curves
from actlib.plots.style import styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["errors"]


def errors(accuracy: Mapping[tuple[str, str], Accuracy], *, ax: Axes | None = None) -> Axes:
    """Draw the errors E that a check has found against z, on logarithmic axes.

    Parameters
    ----------
    accuracy : mapping of pair of str to Accuracy
        What `actlib.check.Report` holds.
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
    >>> from actlib.check.figure import errors
    >>> ax = errors(check_activation(sigmoid, dtypes=["float32"]).accuracy)
    >>> ax.get_ylabel()
    '$E$'
    """
    with styled(ax) as ax:
        for (of, dtype), measured in accuracy.items():
            z, e = measured.z.astype(float), measured.errors
            e = np.where(np.isfinite(e), np.maximum(e, 0.01), np.nan)
            ax.plot(z[abs(z) < 1e30], e[abs(z) < 1e30], label=f"{of}, {dtype}")
        ax.axhline(8, color=GREY, linewidth=0.8)
        ax.set(xlabel="$z$", ylabel="$E$", yscale="log")
        ax.set_xscale("symlog", linthresh=1)
        label_curves(ax)
    return ax
