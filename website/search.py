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

from website import maths
from website.quiz import quiz_reason

SCRIPT = Path(__file__).parent / "static/search.js"
INDEX = "search-index.js"

_LEFT_OUT = (nodes.raw, nodes.comment, quiz_reason)
_CODE = (nodes.literal_block, nodes.doctest_block)


@dataclass
class Part:
    """A page without its sections, a section, a function or a term."""

    anchor: str
    title: str
    prose: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)


def parts(doctree: nodes.document) -> list[Part]:
    """What can be found in a page, first the page itself."""
    found: list[Part] = []
    _read(doctree.children, Part("", ""), found)
    found[0].anchor = ""
    return found


def _read(siblings: list[nodes.Node], part: Part, found: list[Part]) -> None:
    """Add to a part what nodes say, and to what is found the parts that begin with one of them."""
    for node in siblings:
        if isinstance(node, _CODE):
            part.code += [] if "output" in node["classes"] else [node.astext()]
        elif isinstance(node, nodes.TextElement):
            part.prose.append(_text(node))
        elif isinstance(node, nodes.Element) and not isinstance(node, _LEFT_OUT):
            if begun := _begun(node):
                found.append(begun)
                _read(node.children[1:], begun, found)
            else:
                _read(node.children, part, found)


def _begun(node: nodes.Element) -> Part | None:
    """The part that begins with a node, whose first child names it."""
    if isinstance(node, nodes.section) and isinstance(node[0], nodes.title):
        return Part(node["ids"][0], _text(node[0]))
    if isinstance(node, addnodes.desc | nodes.definition_list_item) and node[0]["ids"]:
        anchor = node[0]["ids"][0]
        return Part(anchor, anchor if isinstance(node, addnodes.desc) else _text(node[0]))
    return None


def _text(node: nodes.Node) -> str:
    if isinstance(node, nodes.math | nodes.math_block):
        return maths.plain(node.astext())
    if isinstance(node, nodes.Text):
        return str(node).replace("\n", " ")
    return "".join(map(_text, node.children))


class Index:
    """The parts of all pages, noted while they are written."""

    def __init__(self) -> None:
        self.pages: dict[str, list[Part]] = {}

    def begin(self, app: Sphinx) -> None:
        app.builder.search = False  # so that Sphinx makes none

    def note(self, app: Sphinx, page: str, template: str, context: Any, doctree: Any) -> None:
        if page == "search":
            context["own_scripts"] = [f"_static/{SCRIPT.name}"]
        elif doctree is not None:
            self.pages[app.builder.get_target_uri(page)] = parts(doctree)

    def write(self, app: Sphinx, error: Exception | None) -> None:
        if error is not None or app.builder.name != "html":
            return
        pages = {
            address: [(p.anchor, p.title, "\n".join(p.prose), "\n".join(p.code)) for p in found]
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
