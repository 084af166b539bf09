"""What every instrument of the book is to a page: a directive, a script, and links to its views.

Where there are no scripts, and on paper, a sentence and a picture stand in its place.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from docutils import nodes
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sphinx.application import Sphinx
from sphinx.util.docutils import ReferenceRole, SphinxDirective
from sphinx.writers.html5 import HTML5Translator

from actlib.explorer import script
from actlib.plots import STYLE
from website.figures import inline

HERE = Path(__file__).parent
SHEETS = sorted(HERE.glob("*.css"))


@dataclass(frozen=True)
class Instrument:
    """One kind of instrument: what pages need to show it.

    `markup` turns what `options` of the directive have become by `start` into HTML; it is also
    given the translator that writes the page. `instead` is what is read where there are no scripts,
    in Markdown, and `still` draws what is seen there: an SVG and what it shows in words. `page` is
    the label of the place whose address keeps a view, if `checked` makes one of it, or raises an
    error. `scripts` are the files that are served, by their names; pages load the first.
    """

    name: str
    markup: Callable[[HTML5Translator, Any], str]
    scripts: Callable[[], Mapping[str, str]]
    instead: str
    page: str
    checked: Callable[[str], str]
    role: str
    still: Callable[[], tuple[str, str]] | None = None
    options: Mapping[str, Callable[[str], Any]] = field(default_factory=dict)
    start: Callable[..., Any] = dict
    data: tuple[Path, ...] = ()

    def add(self, app: Sphinx) -> None:
        """Have pages show this by its directive, and link to views of it by its role."""
        scripts = self.scripts()
        first, text = next(iter(scripts.items()))
        address = f"_static/{first}?v={hashlib.sha256(text.encode()).hexdigest()[:8]}"

        def load(app: Sphinx, page: str, template: str, context: Any, doctree: Any) -> None:
            if app.builder.name == "html" and doctree is not None and self.name in _names(doctree):
                context.setdefault("own_scripts", []).append(address)

        def write(app: Sphinx, error: Exception | None) -> None:
            if error is None and app.builder.name == "html":
                for name, text in scripts.items():
                    Path(app.outdir, "_static", name).write_text(text, "utf-8")

        _KNOWN[self.name] = self
        options = {"instrument": self, "option_spec": dict(self.options)}
        app.add_directive(self.name, type(self.name, (_Directive,), options))
        app.add_role(self.role, _View(self.page, self.checked))
        app.connect("html-page-context", load)
        app.connect("build-finished", write, priority=900)


_KNOWN: dict[str, Instrument] = {}


def own_script(name: str, *shared: str, before: str = "") -> str:
    """A script next to this file, behind those it needs and what is written, as pages load it."""
    return script(before + "\n".join((HERE / part).read_text("utf-8") for part in (*shared, name)))


@contextmanager
def still_figure(height: float = 2.6) -> Iterator[tuple[Figure, Axes]]:
    """A figure in the book's style for a picture that stands in an instrument's place."""
    with plt.rc_context(STYLE):
        figure, ax = plt.subplots(figsize=(6.4, height), layout="constrained")
        try:
            yield figure, ax
        finally:
            plt.close(figure)


class instrument(nodes.General, nodes.Element):
    """An instrument by its name; its children are what is shown in its place."""


class _Directive(SphinxDirective):
    instrument: Instrument

    def run(self) -> list[nodes.Node]:
        kind = self.instrument
        try:
            start = kind.start(**self.options)
        except ValueError as fault:
            raise self.error(str(fault)) from fault
        for file in kind.data:
            self.env.note_dependency(str(file))
        instead: list[nodes.Node] = list(self.parse_text_to_nodes(kind.instead))
        if kind.still:
            number = self.env.new_serialno(kind.name)
            name = nodes.make_id(f"{self.env.docname}-{kind.name}-{number}")
            instead.append(inline(*kind.still(), name))
        return [instrument("", *instead, name=kind.name, start=start)]


class view(nodes.Inline, nodes.TextElement):
    """A link to a view of an instrument."""


class _View(ReferenceRole):
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


def _names(doctree: nodes.document) -> set[str]:
    return {node["name"] for node in doctree.findall(instrument)}


def _is_web(self: HTML5Translator) -> bool:
    return bool(self.builder.name == "html")


def _visit(self: HTML5Translator, node: instrument) -> None:
    if _is_web(self):
        html = _KNOWN[node["name"]].markup(self, node["start"])
        self.body.append(f'<div class="pst-js-only">{html}</div>\n<noscript>')


def _depart(self: HTML5Translator, node: instrument) -> None:
    if _is_web(self):
        self.body.append("</noscript>\n")


def _visit_view(self: HTML5Translator, node: view) -> None:
    if _is_web(self):
        href = f"{address(self, node['page'])}#{node['state']}"
        self.body.append(self.starttag(node, "a", "", href=href))


def _depart_view(self: HTML5Translator, node: view) -> None:
    if _is_web(self):
        self.body.append("</a>")


def setup(app: Sphinx) -> None:
    app.add_node(view, html=(_visit_view, _depart_view))
    app.add_node(instrument, html=(_visit, _depart))
