"""What a script moves in a page, and links to views of it.

Where there are no scripts, and on paper, a sentence leads to the figures that show the same.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Callable
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import ReferenceRole
from sphinx.writers.html5 import HTML5Translator

from actlib.explorer import script


class view(nodes.Inline, nodes.TextElement):
    """A link to a view of an instrument."""


class View(ReferenceRole):
    """A link to the page with the label `page`, whose address holds a view.

    What `checked` makes of a view stands in the address; it raises an error for what is none.
    """

    def __init__(self, page: str, checked: Callable[[str], str]) -> None:
        super().__init__()
        self.page, self.checked = page, checked

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        try:
            state = self.checked(self.target)
        except (KeyError, TypeError, ValueError) as fault:
            report = self.inliner.reporter.error(f"no view {self.target!r}: {fault}")
            return [], [report]
        return [view(self.rawtext, self.title, page=self.page, state=state)], []


def address(self: HTML5Translator, label: str) -> str:
    """The address of the page with a label, as seen from the one that is written."""
    labels = self.builder.env.domaindata["std"]["anonlabels"]
    if label not in labels:
        return ""
    here, there = self.builder.current_docname, labels[label][0]
    if here == there:
        return posixpath.basename(self.builder.get_target_uri(there))
    return str(self.builder.get_relative_uri(here, there))


def _is_web(self: HTML5Translator) -> bool:
    return bool(self.builder.name == "html")


def _visit_view(self: HTML5Translator, node: view) -> None:
    if _is_web(self):
        href = f"{address(self, node['page'])}#{node['state']}"
        self.body.append(self.starttag(node, "a", "", href=href))


def _depart_view(self: HTML5Translator, node: view) -> None:
    if _is_web(self):
        self.body.append("</a>")


def add(
    app: Sphinx,
    node: type[nodes.Element],
    source: Path,
    markup: Callable[[HTML5Translator, Any], str],
) -> None:
    """Have pages show a node by its markup, and load the script that moves it where there is one.

    The node's children are what is shown in its place.
    """
    text = script(source.read_text("utf-8"))
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]

    def visit(self: HTML5Translator, shown: nodes.Element) -> None:
        if _is_web(self):
            html = markup(self, shown)
            self.body.append(f'<div class="pst-js-only">{html}</div>\n<noscript>')

    def depart(self: HTML5Translator, shown: nodes.Element) -> None:
        if _is_web(self):
            self.body.append("</noscript>\n")

    def load(app: Sphinx, page: str, template: str, context: Any, doctree: Any) -> None:
        if app.builder.name == "html" and doctree is not None and any(doctree.findall(node)):
            context.setdefault("own_scripts", []).append(f"_static/{source.name}?v={digest}")

    def write(app: Sphinx, error: Exception | None) -> None:
        if error is None and app.builder.name == "html":
            Path(app.outdir, "_static", source.name).write_text(text, "utf-8")

    app.add_node(node, html=(visit, depart))
    app.connect("html-page-context", load)
    app.connect("build-finished", write, priority=900)


def setup(app: Sphinx) -> None:
    app.add_node(view, html=(_visit_view, _depart_view))
