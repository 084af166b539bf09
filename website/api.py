"""The API's pages, and the list of all that they describe.

They are read as if Keras, TensorFlow and some others were not there, even where they are.

Sphinx lets empty objects stand for them (``autodoc_mock_imports``), so the book needs none of them,
and the page is the same wherever it is built. What is asked of Keras while actlib is imported needs
better answers: which backend it has, to decorate classes, and a base that leaves signatures alone.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from functools import reduce
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.domains.python import ObjectEntry
from sphinx.ext.autodoc.mock import mock
from sphinx.util.docutils import SphinxDirective


def _undecorated(package: str) -> Any:
    return lambda decorated: decorated


_ANSWERS = {
    "backend": SimpleNamespace(backend=lambda: "tensorflow"),
    "callbacks": SimpleNamespace(Callback=object),
    "saving": SimpleNamespace(register_keras_serializable=_undecorated),
}


def _import_what_needs_keras(app: Sphinx) -> None:
    with mock(app.config.autodoc_mock_imports):
        vars(import_module("keras")).update(_ANSWERS)
        import_module("actlib.keras")
        import_module("actlib.diagnose")


class names(nodes.General, nodes.Element):
    """Stands for a list of what a page describes until all pages are read."""


class Names(SphinxDirective):
    """A list of what a page of the API describes.

    Each entry has the anchor that its description has there, so that a link to the one also leads
    to the other.
    """

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        _, page = self.env.relfn2path(self.arguments[0])
        return [names("", page=self.env.path2doc(page + ".md"))]


def _list_names(app: Sphinx, doctree: nodes.document, page: str) -> None:
    objects = app.env.get_domain("py").objects  # type: ignore[attr-defined]
    for listed in list(doctree.findall(names)):
        there = {
            name: found
            for name, found in objects.items()
            if found.docname == listed["page"] and not found.aliased
        }
        items = nodes.bullet_list(classes=["names"])
        for name, found in sorted(there.items()):
            if found.objtype in ("module", "method", "attribute", "property"):
                continue
            anchors = [other for other in there if other.startswith(f"{name}.")]
            with mock(app.config.autodoc_mock_imports):
                items += _item(app, page, name, found, anchors)
        modules = [found.node_id for found in there.values() if found.objtype == "module"]
        shown = nodes.container("", *(nodes.target(ids=[anchor]) for anchor in modules), items)
        if app.builder.name == "singlehtml":  # the descriptions are on the same page
            for element in shown.findall(nodes.Element):
                element["ids"] = []
        listed.replace_self(shown)


def _item(
    app: Sphinx, page: str, name: str, found: ObjectEntry, anchors: list[str]
) -> nodes.list_item:
    address = app.builder.get_relative_uri(page, found.docname) + f"#{found.node_id}"
    code = nodes.literal("", name)
    line = nodes.paragraph("", "", nodes.reference("", "", code, internal=True, refuri=address))
    line += [nodes.Text(": "), *_first_sentence(name)]
    line += [nodes.target(ids=[anchor]) for anchor in anchors]
    return nodes.list_item("", line, ids=[found.node_id])


def _first_sentence(name: str) -> Iterator[nodes.Node]:
    """How the docstring of an object begins."""
    text = inspect.cleandoc(_named(name).__doc__ or "").split("\n\n")[0]
    for number, piece in enumerate(re.split(r"`+([^`]+)`+", " ".join(text.split()))):
        yield nodes.literal("", piece) if number % 2 else nodes.Text(piece)


def _named(name: str) -> Any:
    """The object that has a dotted name."""
    module, path = name, list[str]()
    while True:
        try:
            return reduce(getattr, path, import_module(module))
        except ModuleNotFoundError:
            module, _, last = module.rpartition(".")
            path.insert(0, last)


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", _import_what_needs_keras)
    app.add_node(names)
    app.add_directive("names", Names)
    app.connect("doctree-resolved", _list_names)
