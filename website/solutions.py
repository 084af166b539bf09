"""Solutions of exercises, folded: HTML's own ``details``, which need no script to open.

A solution whose class is ``dropdown`` opens by a click anywhere on its title, or by a key. What
belongs to it, such as a cell behind it that is hidden, is inside and opens with it.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from myst_nb.sphinx_ import HideInputCells
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx_exercise.nodes import solution_node


class folded(nodes.General, nodes.Element):
    """What is seen once it is opened, below its title."""


class folded_title(nodes.General, nodes.TextElement):
    """What opens it."""


def _is_hidden(node: nodes.Node) -> bool:
    return isinstance(node, nodes.container) and node.get("hide_mode") == "all"


class TakeIn(SphinxTransform):
    """Move hidden cells that follow a solution into it; there, one fold is enough."""

    default_priority = 20  # what stands between a solution's start and its end is in it by then

    def apply(self, **options: Any) -> None:
        for solution in list(self.document.findall(solution_node)):
            siblings = solution.parent
            after = siblings.index(solution) + 1
            while after < len(siblings) and _is_hidden(siblings[after]):
                solution += siblings.pop(after)
            for cell in solution.findall(_is_hidden):
                del cell["hide_mode"]


class Fold(SphinxPostTransform):
    """Have a browser fold solutions. Their titles lead nowhere: the exercise stands above."""

    default_priority = HideInputCells.default_priority + 1
    formats = ("html",)

    def run(self, **options: Any) -> None:
        for solution in list(self.document.findall(solution_node)):
            if "dropdown" in solution["classes"]:
                title, *rest = solution.children
                made = folded("", folded_title("", title.astext()), *rest)
                made.update_all_atts(solution)
                solution.replace_self(made)


def _begin(self: Any, node: nodes.Element) -> None:
    self.body.append(self.starttag(node, "details", CLASS="admonition"))


def _begin_title(self: Any, node: nodes.Element) -> None:
    self.body.append('<summary class="admonition-title">')


def _end(tag: str) -> Any:
    return lambda self, node: self.body.append(f"</{tag}>\n")


def setup(app: Sphinx) -> None:
    app.add_node(folded, html=(_begin, _end("details")))
    app.add_node(folded_title, html=(_begin_title, _end("summary")))
    app.add_transform(TakeIn)
    app.add_post_transform(Fold)
