"""The figure of a diagnosis: shares of units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from actlib.diagnose.finding import Finding
from actlib.plots import styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["unit_shares"]


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
    >>> from actlib.diagnose.figure import unit_shares
    >>> hidden = SimpleNamespace(layer="hidden", units=4, dead=2, saturated=0, lost=0)
    >>> ax = unit_shares([hidden])
    """
    with styled(ax, figsize=(6.4, 1.5 + 0.5 * len(findings))) as ax:
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
