"""Cells of notebooks as readers see them: what is folded says what it holds.

A cell's tags say how it is shown (see CONTRIBUTING.md).
"""

from __future__ import annotations

import posixpath
import re
from typing import Any

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode, HideInputCells
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

from website.figures import picture

_NAMED_INDEX = re.compile(
    r"<th></th>(?P<titles>(\s*<th>[^<]*</th>)+)\s*</tr>"
    r"\s*<tr>\s*<th>(?P<name>[^<]+)</th>(\s*<th></th>)+\s*</tr>"
)


_WITH_POWER = re.compile(r"<td>(?=-?[\d.]+e[-+]?\d+</td>)")  # a browser breaks it at its minus


class NameFolds(SphinxPostTransform):
    """Name what hides a cell or a part of it; the first of a page is its setup."""

    default_priority = HideInputCells.default_priority + 1
    formats = ("html",)

    def run(self, **options: Any) -> None:
        cells = [node for node in self.document.findall(nodes.container) if _is(node, "cell_code")]
        for cell in cells:
            for fold in cell.findall(HideCodeCellNode):
                what = _what(fold)
                fold["prompt_show"], fold["prompt_hide"] = f"Show {what}", f"Hide {what}"
        for fold in cells[0].children if cells and cells[0].get("hide_mode") == "all" else []:
            fold["prompt_show"] = fold["prompt_hide"] = "Setup"


class TidyTables(SphinxPostTransform):
    """Give a table of pandas one row of titles, and keep each of its numbers in one piece."""

    default_priority = HideInputCells.default_priority + 1
    formats = ("html",)

    def run(self, **options: Any) -> None:
        for raw in list(self.document.findall(nodes.raw)):
            html = _NAMED_INDEX.sub(r"<th>\g<name></th>\g<titles></tr>", raw.astext())
            raw.children = [nodes.Text(_WITH_POWER.sub('<td class="number">', html))]


def _is(node: nodes.Element, kind: str) -> bool:
    return bool(node.get("nb_element") == kind)


def _what(fold: nodes.Element) -> str:
    if not _is(fold[0], "cell_code_output"):
        return "the code"
    figures = (kind for kind in (nodes.image, picture) if any(fold.findall(kind)))
    return "the figure" if any(figures) else "the output"


_PAGE = re.compile(r'(?<![\w"/=])(\w+)\.html#[\w-]+')


def _link(app: Sphinx, page: str, template: str, context: Any, doctree: Any) -> None:
    """Lead to the pages of the book that a cell's text names, as a report does."""

    def link(named: re.Match[str]) -> str:
        known = posixpath.join(posixpath.dirname(page), named[1]) in app.env.found_docs
        return (
            f'<a class="reference internal" href="{named[0]}">{named[0]}</a>' if known else named[0]
        )

    if doctree:
        context["body"] = _PAGE.sub(link, context["body"])


def setup(app: Sphinx) -> None:
    app.add_post_transform(NameFolds)
    app.add_post_transform(TidyTables)
    app.connect("html-page-context", _link)
