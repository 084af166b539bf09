"""Drawings of the book by name, as numbered figures: ``{drawing} network``, then the caption."""

from __future__ import annotations

import re
from html import unescape

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from actlib.book.drawings import DRAWINGS
from website.figures import inline


class Drawing(SphinxDirective):
    """A drawing with what it is of, such as ``bits 0.1``; its alt text is its own description."""

    required_arguments = 1
    optional_arguments = 1
    has_content = True
    option_spec = {"alt": directives.unchanged, "name": directives.unchanged}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        self.assert_has_content()
        name, *of = self.arguments
        if name not in DRAWINGS:
            raise self.error(f"no drawing {name!r}: there are {', '.join(DRAWINGS)}")
        svg = DRAWINGS[name](*(float(text) if name == "bits" else text for text in of))
        alt = self.options.get("alt") or _description(svg)
        page = self.env.docname
        number = self.env.new_serialno("drawing")
        figure = nodes.figure("", inline(svg, alt, nodes.make_id(f"{page}-drawing-{number}")))
        self.set_source_info(figure)
        caption = self.parse_content_to_nodes()
        if len(caption) != 1 or not isinstance(caption[0], nodes.paragraph):
            raise self.error("a drawing has a caption of one paragraph")
        figure += nodes.caption("", "", *caption[0].children)
        self.add_name(figure)
        return [figure]


def _description(svg: str) -> str:
    found = re.search("<desc>(.*?)</desc>", svg)
    assert found, "each drawing has one"
    return unescape(found[1])


def setup(app: Sphinx) -> None:
    app.add_directive("drawing", Drawing)
