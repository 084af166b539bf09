"""The explorer of activations in a page, and links to views of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

import actlib.explorer
from actlib.explorer import Explorer, explore
from website import instruments, maths

SCRIPT = Path(actlib.explorer.__file__).with_name("explorer.js")
PAGE = "explorer"  # the label of the page whose address keeps the view

_INSTEAD = """\
Here an explorer of activations needs JavaScript. The figures of the {ref}`catalogue` show the same
curves.
"""


class explorer(nodes.General, nodes.Element):
    """An explorer; its children are what is shown in its place."""


class ExplorerDirective(SphinxDirective):
    """An explorer that begins with the activations, and at the place, that its options name."""

    option_spec = {"activation": str, "compare": str, "z": float}  # noqa: RUF012 - as in docutils

    def run(self) -> list[nodes.Node]:
        try:
            shown = explore(**self.options)
        except ValueError as fault:
            raise self.error(str(fault)) from fault
        return [explorer("", *self.parse_text_to_nodes(_INSTEAD), shown=shown)]


def from_state(state: str) -> Explorer:
    """The explorer that shows a view, as `Explorer.state` writes it."""
    given = dict(parse_qsl(state, strict_parsing=True))
    names = given.pop("a"), given.pop("b", None)
    z, depth = float(given.pop("z", 1)), int(given.pop("depth", 10))
    params: dict[str, Any] = {k.rpartition(".")[2]: float(value) for k, value in given.items()}
    return explore(*names, z=z, depth=depth, **params)


def _markup(self: HTML5Translator, node: explorer) -> str:
    shown: Explorer = node["shown"]
    return shown.markup(
        lambda tex: maths.render(tex, display=True),
        instruments.address(self, PAGE),
    )


def setup(app: Sphinx) -> None:
    instruments.add(app, explorer, SCRIPT, _markup)
    app.add_directive("explorer", ExplorerDirective)
    # A link such as {view}`GELU, falling <a=gelu&z=-1.5>`.
    app.add_role("view", instruments.View(PAGE, lambda text: from_state(text).state))
