"""Figures in a page: inline as SVG, so that they follow the theme, and above the code that draws.

Words and axes, which notebooks store in grey, take the colour of the text around the figure.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

from actlib.palette import GREY

SCALE = 1.6  # pixels for a point, so that a figure of 6.4 inches is as wide as the text

_log = logging.getLogger(__name__)


class picture(nodes.General, nodes.Element):
    """An SVG that stands in the page itself, with what it shows in words (``alt``)."""


def inline(svg: str, alt: str, name: str) -> picture:
    """A picture whose names are those of no other in the book, as `name` is its own."""
    svg = re.sub(r'(\sid="|url\(#|href="#)', rf"\g<1>{name}-", svg)
    return picture("", svg=svg.replace(GREY, "currentColor"), alt=alt)


def _inline_all(app: Sphinx, doctree: nodes.document) -> None:
    """Take SVG files into the page, before Sphinx collects pictures to be copied."""
    images = [image for image in doctree.findall(nodes.image) if image["uri"].endswith(".svg")]
    for number, image in enumerate(images):
        svg = Path(app.env.relfn2path(image["uri"])[1]).read_text("utf-8")
        if not image.get("alt"):
            _log.warning("figure without alt text", location=image, type="alt")
        name = nodes.make_id(f"{app.env.docname}-{number}")
        image.replace_self(inline(svg, image.get("alt", ""), name))


def _visit(self: HTML5Translator, node: picture) -> None:
    size = re.search(r'viewBox="\S+ \S+ (\S+) (\S+)"', node["svg"])
    if size is None:
        raise ValueError(f"an SVG needs a viewBox: {node['svg'][:80]!r}")
    width, height = (round(SCALE * float(side)) for side in size.groups())
    attributes = {"role": "img", "aria-label": node["alt"], "width": width, "height": height}
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", node["svg"], count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    self.body.append(self.starttag(node, "svg", "", CLASS="picture", **attributes)[:-1])
    self.body.append(svg.removeprefix("<svg") + "\n")
    raise nodes.SkipNode


class FigureFirst(SphinxPostTransform):
    """Put folded code below the figure that it draws; MyST-NB folds it above."""

    default_priority = 210  # after it is folded
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        cells = self.document.findall(nodes.container)
        for cell in [cell for cell in cells if cell.get("hide_mode") == "input"]:
            if any(any(cell.findall(kind)) for kind in (picture, nodes.image)):
                code = cell.pop(0)
                code["classes"].append("below-figure")
                code["prompt_show"], code["prompt_hide"] = "Show code", "Hide code"
                cell.append(code)


def _number(app: Sphinx, config: Config) -> None:
    config.numfig = True
    config.numfig_format = {"figure": "Figure %s", **config.numfig_format}


def setup(app: Sphinx) -> None:
    app.connect("config-inited", _number, priority=400)
    app.add_node(picture, html=(_visit, None))
    app.add_post_transform(FigureFirst)
    app.connect("doctree-read", _inline_all, priority=400)
