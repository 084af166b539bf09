"""The figure of a diagnosis: shares of units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from actlib.diagnose.finding import Finding
from actlib.palette import GREY, INKS
from actlib.plots import BLUE, ORANGE
from actlib.plots.style import styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["turnover_bars", "unit_shares"]


def unit_shares(findings: Sequence[Finding], *, ax: Axes | None = None) -> Axes:
    """Draw which share of the units of each activation is dead, saturated or lost.

    What no unit is anywhere has no bars.

    Parameters
    ----------
    findings : sequence of actlib.diagnose.Finding
        Those of an `actlib.diagnose.Diagnosis`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; without it, a figure is made.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on: a group of up to three bars for every activation, the first on top.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from actlib.diagnose.figure import unit_shares
    >>> hidden = SimpleNamespace(layer="hidden", mode="both", units=4, dead=2, saturated=0, lost=0)
    >>> ax = unit_shares([hidden])
    """
    with styled(ax, figsize=(6.4, 1.5 + 0.5 * len(findings))) as ax:
        rows = np.arange(len(findings))
        shares = {
            kind: [100 * getattr(finding, kind) / finding.units for finding in findings]
            for kind in _KINDS
        }
        shown = [kind for kind in _KINDS if any(shares[kind])] or ["dead"]
        for number, kind in enumerate(shown):
            places = rows + 0.26 * (number - (len(shown) - 1) / 2)
            ax.barh(places, shares[kind], 0.24, label=kind, **_KINDS[kind])
        ax.set(xlabel="units (%)", xlim=(0, 100))
        ax.set_yticks(rows, [_label(finding) for finding in findings])
        ax.invert_yaxis()
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
    return ax


def turnover_bars(rows: Sequence[Mapping[str, Any]], *, ax: Axes | None = None) -> Axes:
    """Draw how many units have died and come back from inspection to inspection.

    Parameters
    ----------
    rows : sequence of mapping
        With ``epoch``, counted from 0, ``dead``, ``deaths`` and ``revivals`` of each activation, as
        `actlib.diagnose.UnitMonitor` keeps them.
    ax : matplotlib.axes.Axes, optional
        Where to draw; without it, a figure is made.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on: for each epoch a bar upwards for deaths and one downwards for revivals,
        of all activations together, and a line for the units that are dead.

    Examples
    --------
    >>> from actlib.diagnose.figure import turnover_bars
    >>> ax = turnover_bars([{"epoch": 0, "dead": 2, "deaths": 2, "revivals": 0}])
    """
    epochs = sorted({row["epoch"] for row in rows})
    totals = {
        kind: np.array([sum(row[kind] for row in rows if row["epoch"] == e) for e in epochs])
        for kind in ("dead", "deaths", "revivals")
    }
    numbers = np.array(epochs) + 1
    with styled(ax, figsize=(6.4, 3.4)) as ax:
        ax.bar(numbers, totals["deaths"], 0.6, label="deaths")
        ax.bar(numbers, -totals["revivals"], 0.6, label="revivals", hatch="////")
        ax.plot(numbers, totals["dead"], color=GREY, marker="o", label="dead")
        ax.set(xlabel="epoch", ylabel="units")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
    return ax


_KINDS: dict[str, dict[str, Any]] = {
    "dead": {"color": BLUE, "hatch": ""},
    "saturated": {"color": ORANGE, "hatch": "////"},
    "lost": {"color": INKS[2][0], "hatch": "...."},
}


def _label(finding: Finding) -> str:
    return finding.layer if finding.mode == "both" else f"{finding.layer}, {finding.mode}"
