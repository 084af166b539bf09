"""What the experiments found, made from what their own cells print: a table, or a few as cards."""

from __future__ import annotations

import json
import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from website.toc import contents, pages

#: A cell whose id ends so prints a question, the answer, and the size of the effect, a line each.
SUFFIX = "-headline"


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
    """A table with a row for each page that has a headline, or cards for the pages it names.

    Cards are for newcomers: the question and the answer, without the size of the effect.
    """

    option_spec = {"cards": str.split}  # noqa: RUF012 - as in docutils

    def run(self) -> list[nodes.Node]:
        found = self._found()
        if "cards" not in self.options:
            return self.parse_text_to_nodes("\n".join(_table(found)))
        missing = [page for page in self.options["cards"] if f"chapters/{page}" not in found]
        if missing:
            raise self.error(f"no headline in {', '.join(missing)}; these have one: {[*found]}")
        cards = nodes.container(classes=["cards"])
        for page in self.options["cards"]:
            card = nodes.container(classes=["card-finding"])
            question, answer, _ = map(_plain, found[f"chapters/{page}"])
            text = f"{{doc}}`{question} </chapters/{page}>`\n\n{answer}"
            card += self.parse_text_to_nodes(text)
            cards += card
        return [cards]

    def _found(self) -> dict[str, list[str]]:
        """The headlines by page, in the order of the book."""
        root, found = Path(self.env.srcdir), {}
        for page in pages(contents(root)):
            notebook = root / f"{page}.ipynb"
            try:
                lines = headline(notebook) if notebook.exists() else None
            except ValueError as fault:
                raise self.error(str(fault)) from fault
            if lines:
                self.env.note_dependency(str(notebook))
                found[page] = lines
        return found


def _table(found: dict[str, list[str]]) -> list[str]:
    rows = ["| Question | What came out |", "| --- | --- |"]
    for page, lines in found.items():
        question, answer, effect = map(_plain, lines)
        rows.append(f"| {{doc}}`{question} </{page}>` | {answer} *{effect}* |")
    return rows


def setup(app: Sphinx) -> None:
    app.add_directive("headlines", Headlines)
