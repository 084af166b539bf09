"""Figures of activations, and what all figures of the book have in common.

`use` is called once in a notebook. `STYLE` makes figures that can be read on a white page, on a
nearly black one, and on a phone; `line` gives every function its colour and its dashes.
"""

from actlib.palette import GREY
from actlib.pieces import flat_intervals, saturated_intervals
from actlib.plots.curves import curves, panels, section
from actlib.plots.labels import label_curves
from actlib.plots.passed_on import passed_on
from actlib.plots.style import BLUE, ORANGE, STYLE, line
from actlib.plots.vector import svg, use

__all__ = [
    "BLUE",
    "GREY",
    "ORANGE",
    "STYLE",
    "curves",
    "flat_intervals",
    "label_curves",
    "line",
    "panels",
    "passed_on",
    "saturated_intervals",
    "section",
    "svg",
    "use",
]
