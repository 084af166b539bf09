"""The book's own search: for sections, functions and terms, by what prose, formulas and code say.

Sphinx's finds whole pages, and quotes from lists of contents and from code. Here the script of the
search page, search.js, loads the text of all parts of the book, once it is asked for something.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder

from website import maths
from website.quiz import quiz_reason

SCRIPT = Path(__file__).parent / "static/search.js"
INDEX = "search-index.js"

_LEFT_OUT = (nodes.raw, nodes.comment, quiz_reason)
_NOT_PROSE = (nodes.literal_block, nodes.doctest_block, nodes.table)


@dataclass
class Part:
    """A page without its sections, a section, a function or a term."""

    anchor: str
    title: str
    prose: list[str] = field(default_factory=list)  # which is quoted
    other: list[str] = field(default_factory=list)  # code and tables


def parts(doctree: nodes.document) -> list[Part]:
    """What can be found in a page, first the page itself."""
    found: list[Part] = []
    _read(doctree.children, Part("", ""), found)
    found[0].anchor = ""
    return found


def _read(siblings: list[nodes.Node], part: Part, found: list[Part]) -> None:
    """Add to a part what nodes say, and to what is found the parts that begin with one of them."""
    for node in siblings:
        if isinstance(node, _NOT_PROSE):
            part.other += [] if "output" in node["classes"] else [_text(node)]
        elif isinstance(node, nodes.TextElement):
            part.prose.append(_text(node))
        elif isinstance(node, nodes.Element) and not isinstance(node, _LEFT_OUT):
            if begun := _begun(node):
                found.append(begun)
                _read([child for child in node if not _is_name(child)], begun, found)
            else:
                _read(node.children, part, found)


def _begun(node: nodes.Element) -> Part | None:
    """The part that begins with a node, if it has a name, and can be led to."""
    names = [child for child in node.children if _is_name(child)]
    anchors = [*node["ids"], *(anchor for name in names for anchor in name["ids"])]
    if not names or not anchors:
        return None
    if isinstance(node, addnodes.desc):
        return Part(anchors[0], anchors[0])
    return Part(anchors[0], ", ".join(map(_text, names)))


def _is_name(node: nodes.Node) -> bool:
    if isinstance(node, nodes.title):
        return isinstance(node.parent, nodes.section)
    return isinstance(node, nodes.term | addnodes.desc_signature) and bool(node["ids"])


def _text(node: nodes.Node) -> str:
    """What a node says, on one line."""
    if isinstance(node, nodes.math | nodes.math_block):
        return maths.plain(node.astext())
    if isinstance(node, nodes.Text):
        return " ".join(f".{node}.".split())[1:-1]
    between = "" if isinstance(node, nodes.TextElement) else " "
    return between.join(map(_text, node.children))


class Index:
    """The parts of all pages, noted while they are written."""

    def __init__(self) -> None:
        self.pages: dict[str, list[Part]] = {}

    def begin(self, app: Sphinx) -> None:
        if isinstance(app.builder, StandaloneHTMLBuilder):
            app.builder.search = False  # so that Sphinx makes no index

    def note(self, app: Sphinx, page: str, template: str, context: Any, doctree: Any) -> None:
        if app.builder.name != "html":
            return
        if page == "search":
            context["own_scripts"] = [f"_static/{SCRIPT.name}"]
        elif doctree is not None:
            self.pages[app.builder.get_target_uri(page)] = parts(doctree)

    def write(self, app: Sphinx, error: Exception | None) -> None:
        if error is not None or app.builder.name != "html":
            return
        pages = {
            address: [(p.anchor, p.title, " ".join(p.prose), " ".join(p.other)) for p in found]
            for address, found in self.pages.items()
        }
        text = json.dumps(pages, ensure_ascii=False, separators=(",", ":"))
        folder = Path(app.outdir, "_static")
        (folder / INDEX).write_text(f"const BOOK = {text};\n", "utf-8")
        (folder / SCRIPT.name).write_text(SCRIPT.read_text("utf-8"), "utf-8")


def setup(app: Sphinx) -> None:
    index = Index()
    app.connect("builder-inited", index.begin)
    app.connect("html-page-context", index.note)
    app.connect("build-finished", index.write, priority=900)
