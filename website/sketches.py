"""Curves as SVG in the page itself, which has the page's colours, in the light and in the dark."""

from __future__ import annotations

from html import escape
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from actlib.palette import GREY

Numbers = npt.NDArray[np.floating]


class Frame(NamedTuple):
    """A part of the plane, and the size of the picture in which it is shown."""

    left: float
    right: float
    low: float
    high: float
    width: int
    height: int
    margin: tuple[int, int, int, int] = (0, 0, 0, 0)  # above, right, below, left

    def x(self, z: float) -> float:
        _, right, _, left = self.margin
        return left + (z - self.left) / (self.right - self.left) * (self.width - left - right)

    def y(self, value: float) -> float:
        above, _, below, _ = self.margin
        share = (self.high - value) / (self.high - self.low)
        return above + share * (self.height - above - below)

    def path(self, z: Numbers, values: Numbers) -> str:
        """A line through points; what lies outside of the frame is cut off by the browser."""
        places = [f"{self.x(a):.1f} {self.y(b):.1f}" for a, b in zip(z, values, strict=True)]
        return "M" + "L".join(places)


def picture(frame: Frame, content: str, alt: str, ink: str, other: str = GREY) -> str:
    """An SVG element with some content, and with a name for those who do not see it.

    The first curve is drawn in `ink`, the dashed one in another colour.
    """
    return (
        f'<svg class="curves" role="img" aria-label="{escape(alt)}" '
        f'style="--ink: {ink}; --other: {other}" '
        f'viewBox="0 0 {frame.width} {frame.height}">{content}</svg>'
    )


def line(path: str, kind: str) -> str:
    return f'<path class="{kind}" d="{path}"/>'


def label(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'
