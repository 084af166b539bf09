"""The table of what the experiments found: made from what their own cells print."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

#: A cell whose id ends so prints a question, the answer, and the size of the effect, a line each.
SUFFIX = "-headline"


def pages(toc: Any) -> Iterator[str]:
    """The pages that a table of contents lists, in its order."""
    for entry in toc.get("chapters", toc.get("sections", [])):
        yield entry["file"]
        yield from pages(entry)


def headline(notebook: Path) -> list[str] | None:
    """The lines that the headline's cell of a notebook has printed, if there is one."""
    for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
        if cell["id"].endswith(SUFFIX) and cell["cell_type"] == "code":
            printed = ["".join(output["text"]) for output in cell["outputs"]]
            lines = "".join(printed).splitlines()
            if len(lines) != 3:
                raise ValueError(f"{notebook}: a headline has three lines, got {lines}")
            return lines
    return None


def _plain(text: str) -> str:
    """Text that Markdown leaves alone."""
    return re.sub(r"([\\`*_{}\[\]<>|$#])", r"\\\1", text)


class Headlines(SphinxDirective):
    """A table with a row for each page that has a headline."""

    def run(self) -> list[nodes.Node]:
        root = Path(self.env.srcdir)
        rows = ["| Question | What came out |", "| --- | --- |"]
        for page in pages(yaml.safe_load((root / "_toc.yml").read_text("utf-8"))):
            notebook = root / f"{page}.ipynb"
            try:
                lines = headline(notebook) if notebook.exists() else None
            except ValueError as fault:
                raise self.error(str(fault)) from fault
            if lines:
                self.env.note_dependency(str(notebook))
                question, answer, effect = map(_plain, lines)
                rows.append(f"| {{doc}}`{question} </{page}>` | {answer} *{effect}* |")
        return self.parse_text_to_nodes("\n".join(rows))


def setup(app: Sphinx) -> None:
    app.add_directive("headlines", Headlines)
