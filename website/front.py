"""The picture on the first page: the sigmoid's slope in float32, computed in two ways."""

from __future__ import annotations

import numpy as np
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from actlib import palette, sigmoid
from website.sketches import Frame, label, line, picture

_FRAME = Frame(0, 26, -12.4, 0, 640, 205, margin=(12, 16, 34, 60))


class LostSlope(SphinxDirective):
    """The picture, drawn from what actlib and NumPy compute when the book is built."""

    def run(self) -> list[nodes.Node]:
        return [nodes.raw("", lost_slope(), format="html")]


def lost_slope() -> str:
    z = np.linspace(0, 26, 1041, dtype=np.float32)
    s = sigmoid(z)
    usual, kept = s * (1 - s), sigmoid.grad(z)
    zero = int(np.flatnonzero(usual == 0)[0])
    first = f"{z[zero]:.1f}"
    axis = _FRAME.y(_FRAME.low)
    # The usual way has few values far to the right, and stays on each for a while.
    steps = line(_FRAME.path(z[:zero], np.log10(usual[:zero])), "usual")
    fall = line(
        f"M{_FRAME.x(z[zero]):.1f} {_FRAME.y(np.log10(usual[zero - 1])):.1f}V{axis}H624", "usual"
    )
    content = (
        _axes(axis)
        + line(_FRAME.path(z, np.log10(kept)), "exact")
        + steps
        + fall
        + label(624, _FRAME.y(-4.6), "actlib: small, and right", "exact", "end")
        + label(
            _FRAME.x(float(first)) - 10,
            axis - 12,
            f"s(1 − s): 0 from z = {first} on",
            "usual",
            "end",
        )
    )
    alt = (
        "The slope of the sigmoid in float32 against z from 0 to 26, on a logarithmic scale. "
        f"As actlib computes it, it falls along a straight line to {kept[-1]:.0e}. As s(1 - s) it "
        f"follows that line, goes down in steps, and from z = {first} on is exactly 0."
    )
    return picture(_FRAME, content, alt, palette.line("sigmoid").color, palette.INKS[0][1])


def _axes(axis: float) -> str:
    """Powers of ten at the left, z below."""
    found = line(f"M60 {axis}H624", "axis")
    for power, text in [(0, "1"), (-4, "10⁻⁴"), (-8, "10⁻⁸"), (-12, "10⁻¹²")]:
        found += line(f"M60 {_FRAME.y(power):.1f}H624", "grid")
        found += label(52, _FRAME.y(power) + 4, text, anchor="end")
    for z in (0, 5, 10, 15, 20):
        found += label(_FRAME.x(z), axis + 18, f"{z}", anchor="middle")
    return found + label(624, axis + 18, "z", anchor="end")


def setup(app: Sphinx) -> None:
    app.add_directive("lost-slope", LostSlope)
