"""What stands below a page's title: how long it takes to read, and what it builds on.

A notebook names the pages that it builds on in its metadata, as ``builds_on``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx_exercise.nodes import exercise_enumerable_node, exercise_node, solution_node

from website.figures import picture
from website.quiz import quiz
from website.toc import titles

WORDS_A_MINUTE = 200
LINE, FIGURE = 5, 30  # words that a line of code and a figure count as
LOOKED_UP = "looked-up"  # a class of what nobody reads from end to end, and that takes no time

_COUNTED: dict[type[nodes.Node], Callable[[Any], int]] = {
    nodes.Text: lambda text: len(text.split()),
    nodes.math: lambda formula: 1,
    nodes.math_block: lambda formula: LINE,
    nodes.literal_block: lambda code: LINE * sum(map(bool, code.astext().split("\n"))),
    nodes.image: lambda image: FIGURE,
    picture: lambda drawn: FIGURE,
    nodes.raw: lambda html: FIGURE * html.astext().count("<svg"),
}
_SKIPPED = (quiz, exercise_node, exercise_enumerable_node, solution_node, nodes.comment)
_FOLDED = {"tag_hide-cell", "tag_hide-input", "tag_remove-cell", "tag_remove-input"}

_log = logging.getLogger(__name__)


def builds_on(chapters: Path) -> dict[str, list[str]]:
    """The pages that each notebook in a folder builds on."""
    return {
        path.stem: json.loads(path.read_text("utf-8"))["metadata"].get("builds_on", [])
        for path in sorted(chapters.glob("*.ipynb"))
    }


def faults(graph: dict[str, list[str]]) -> Iterator[str]:
    """What is wrong with what pages build on."""
    for page, named in graph.items():
        yield from (f"{page} builds on {n}, which is no notebook" for n in named if n not in graph)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        yield f"pages that build on each other: {', '.join(circle.args[1])}"


def minutes(page: nodes.Node) -> int:
    """How long a page takes to read, without its quizzes and exercises."""
    return max(1, math.ceil(words(page) / WORDS_A_MINUTE))


def words(node: nodes.Node) -> int:
    """The words of prose in a part of a page, and what its code and figures count as."""
    for kind, count in _COUNTED.items():
        if isinstance(node, kind):
            return count(node)
    if isinstance(node, _SKIPPED) or not isinstance(node, nodes.Element):
        return 0
    if LOOKED_UP in node.get("classes", []):
        return 0
    kind = node.get("nb_element")
    if kind == "cell_code_output":
        return sum(map(words, node.findall(_is_figure)))
    if kind == "cell_code_source" and _FOLDED & set(node.parent["classes"]):
        return 0
    return sum(map(words, node.children))


def _is_figure(node: nodes.Node) -> bool:
    return isinstance(node, (nodes.image, nodes.raw, picture))


def _check(app: Sphinx) -> None:
    for fault in faults(builds_on(Path(app.srcdir, "chapters"))):
        _log.warning(fault, type="builds_on")


def _say(app: Sphinx, doctree: nodes.document) -> None:
    """Put both below the title of a notebook."""
    page, title = app.env.docname, next(doctree.findall(nodes.title), None)
    source = Path(app.env.doc2path(page))
    if title is None or source.suffix != ".ipynb":
        return
    time = minutes(doctree)
    unit = "minute" if time == 1 else "minutes"
    said = nodes.container(classes=["page-facts"])
    said += nodes.inline("", f"{time} {unit} to read", classes=["reading-time"])
    named = builds_on(source.parent)[source.stem]
    if named:
        said += nodes.inline(
            "", "", nodes.Text("Builds on "), *_links(app, named), classes=["builds-on"]
        )
    title.parent.insert(1, said)


def _links(app: Sphinx, named: list[str]) -> Iterator[nodes.Node]:
    short = titles(Path(app.srcdir))
    for number, name in enumerate(named):
        if number:
            yield nodes.Text(", ")
        text = short.get(f"chapters/{name}")
        yield addnodes.pending_xref(
            "",
            nodes.inline("", text or name),
            refdomain="std",
            reftype="doc",
            reftarget=f"/chapters/{name}",
            refexplicit=text is not None,
            refdoc=app.env.docname,
            refwarn=True,
        )


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", _check)
    app.connect("doctree-read", _say)
