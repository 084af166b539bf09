"""The explorer of activations in a page, and links to views of it.

Where there are no scripts, and on paper, a sentence leads to the figures that show the same.
"""

from __future__ import annotations

import hashlib
import posixpath
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import ReferenceRole, SphinxDirective
from sphinx.writers.html5 import HTML5Translator

from actlib.explorer import Explorer, explore, read
from website import maths

SCRIPT = "explorer.js"
PAGE = "explorer"  # the label of the page whose address keeps the view

_INSTEAD = """\
Here an explorer of activations needs JavaScript. The figures of the {ref}`catalogue` show the same
curves.
"""


class explorer(nodes.General, nodes.Element):
    """An explorer; its children are what is shown in its place."""


class view(nodes.Inline, nodes.TextElement):
    """A link to a view of the explorer."""


class ExplorerDirective(SphinxDirective):
    """An explorer that begins with the activations, and at the place, that its options name."""

    option_spec = {"activation": str, "compare": str, "z": float}  # noqa: RUF012 - as in docutils

    def run(self) -> list[nodes.Node]:
        try:
            shown = explore(**self.options)
        except ValueError as fault:
            raise self.error(str(fault)) from fault
        return [explorer("", *self.parse_text_to_nodes(_INSTEAD), shown=shown)]


class View(ReferenceRole):
    """A link such as ``{view}`GELU, falling <a=gelu&z=-1.5>```."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        try:
            shown = from_state(self.target)
        except (KeyError, TypeError, ValueError) as fault:
            report = self.inliner.reporter.error(f"no view {self.target!r}: {fault}")
            return [], [report]
        return [view(self.rawtext, self.title, shown=shown)], []


def from_state(state: str) -> Explorer:
    """The explorer that shows a view, as `Explorer.state` writes it."""
    given = dict(parse_qsl(state, strict_parsing=True))
    names = given.pop("a"), given.pop("b", None)
    z, depth = float(given.pop("z", 1)), int(given.pop("depth", 10))
    params: dict[str, Any] = {k.rpartition(".")[2]: float(value) for k, value in given.items()}
    return explore(*names, z=z, depth=depth, **params)


def _page(self: HTML5Translator) -> str:
    """The address of the page that keeps views, as seen from the one that is written."""
    labels = self.builder.env.domaindata["std"]["anonlabels"]
    if PAGE not in labels:
        return ""
    here, there = self.builder.current_docname, labels[PAGE][0]
    if here == there:
        return posixpath.basename(self.builder.get_target_uri(there))
    return str(self.builder.get_relative_uri(here, there))


def _is_web(self: HTML5Translator) -> bool:
    return bool(self.builder.name == "html")


def _visit_explorer(self: HTML5Translator, node: explorer) -> None:
    if _is_web(self):
        markup = node["shown"].markup(
            lambda tex: maths.render(tex, display=True, output="mathml"), _page(self)
        )
        self.body.append(f'<div class="pst-js-only">{markup}</div>\n<noscript>')


def _depart_explorer(self: HTML5Translator, node: explorer) -> None:
    if _is_web(self):
        self.body.append("</noscript>\n")


def _visit_view(self: HTML5Translator, node: view) -> None:
    if _is_web(self):
        self.body.append(self.starttag(node, "a", "", href=f"{_page(self)}#{node['shown'].state}"))


def _depart_view(self: HTML5Translator, node: view) -> None:
    if _is_web(self):
        self.body.append("</a>")


def _load(app: Sphinx, page: str, template: str, context: Any, doctree: Any) -> None:
    """Have a page load the script if it has an explorer."""
    if app.builder.name == "html" and doctree is not None and any(doctree.findall(explorer)):
        digest = hashlib.sha256(read(SCRIPT).encode()).hexdigest()[:8]
        context["own_script"] = f"_static/{SCRIPT}?v={digest}"


def _write(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.name == "html":
        Path(app.outdir, "_static", SCRIPT).write_text(read(SCRIPT), "utf-8")


def setup(app: Sphinx) -> None:
    app.add_node(explorer, html=(_visit_explorer, _depart_explorer))
    app.add_node(view, html=(_visit_view, _depart_view))
    app.add_directive("explorer", ExplorerDirective)
    app.add_role("view", View())
    app.connect("html-page-context", _load)
    app.connect("build-finished", _write, priority=900)
