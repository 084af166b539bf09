"""The entries of the catalogue: a section for each activation, with a small picture of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from actlib import REGISTRY, AxisFunction, palette
from actlib.book.catalogue import entry, families
from actlib.pieces import along_one, between, pieces
from website.reading import LOOKED_UP
from website.sketches import Frame, line, picture

_FRAME = Frame(-4, 4, -1.5, 3.5, 160, 100)
_STEP = 25  # of the points of a piece, every so many are enough for a small picture


class Entries(SphinxDirective):
    """All activations, by family."""

    def run(self) -> list[nodes.Node]:
        lines = []
        for family, members in families().items():
            title, _, rest = family.partition(": ")
            lines += [f"{{.{LOOKED_UP}}}", f"### {title}", ""]
            lines += [f"{rest[:1].upper()}{rest[1:]}." if rest else "", ""]
            for name in members:
                lines += [_with_thumbnail(name), ""]
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


def _with_thumbnail(name: str) -> str:
    target, heading, *rest = entry(name).splitlines()
    return "\n".join([target, heading, "", f"```{{thumbnail}} {name}\n```", *rest])


class Thumbnail(SphinxDirective):
    """A small picture of an activation and of its derivative, all on the same scale."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        return [nodes.raw("", thumbnail(self.arguments[0]), format="html")]


def thumbnail(name: str) -> str:
    both: tuple[Callable[[Any], Any], Callable[[Any], Any]]
    if name in REGISTRY.elementwise:
        function = REGISTRY.elementwise[name]
        both = function, function.grad
        parts = pieces(function, _FRAME.left, _FRAME.right, {})
    else:
        both = along_one(cast(AxisFunction, REGISTRY[name]))
        parts = between([_FRAME.left, 0.0, _FRAME.right])
    value, slope = both
    axes = f"M0 {_FRAME.y(0):.1f}H{_FRAME.width}M{_FRAME.x(0):.1f} 0V{_FRAME.height}"
    content = line(axes, "axis") + line(_path(slope, parts), "slope")
    content += line(_path(value, parts), "value")
    alt = f"{name}, solid, and its derivative, dashed, from -4 to 4"
    return picture(_FRAME, content, alt, palette.line(name).color)


def _path(function: Callable[[Any], Any], parts: list[tuple[np.ndarray, np.ndarray]]) -> str:
    return "".join(
        _FRAME.path(z[::_STEP], np.asarray(function(inside[::_STEP]))) for z, inside in parts
    )


def setup(app: Sphinx) -> None:
    app.add_directive("catalogue-entries", Entries)
    app.add_directive("thumbnail", Thumbnail)
