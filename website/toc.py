"""The table of contents, as ``_toc.yml`` has it: parts, and the pages in each of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

FILE = "_toc.yml"


def contents(root: Path) -> Any:
    """What the file in that folder holds."""
    return yaml.safe_load((root / FILE).read_text("utf-8"))


def entries(toc: Any) -> Iterator[dict[str, Any]]:
    """What a table of contents lists, in its order."""
    for part in toc.get("parts", []):
        yield from entries(part)
    for entry in toc.get("chapters", toc.get("sections", [])):
        yield entry
        yield from entries(entry)


def pages(toc: Any) -> list[str]:
    """The pages of the book but the first, in its order."""
    return [entry["file"] for entry in entries(toc)]


def titles(root: Path) -> dict[str, str]:
    """The short titles of pages that have one."""
    return {e["file"]: e["title"] for e in entries(contents(root)) if "title" in e}


class Part(SphinxDirective):
    """A part of the book on a map: its name, what it is for, and links to its chapters."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self) -> list[nodes.Node]:
        root = Path(self.env.srcdir)
        self.env.note_dependency(str(root / FILE))
        parts = {part["caption"]: part for part in contents(root)["parts"]}
        if self.arguments[0] not in parts:
            raise self.error(
                f"the book has no part {self.arguments[0]!r}, but {', '.join(map(repr, parts))}"
            )
        found = nodes.container(classes=["part"])
        found += nodes.paragraph("", "", nodes.strong("", self.arguments[0]))
        found += self.parse_content_to_nodes()
        links = [_link(chapter) for chapter in parts[self.arguments[0]]["chapters"]]
        found += self.parse_text_to_nodes("\n".join(f"- {link}" for link in links))
        return [found]


def _link(chapter: dict[str, Any]) -> str:
    title = chapter.get("title")
    return f"{{doc}}`{title} </{chapter['file']}>`" if title else f"{{doc}}`/{chapter['file']}`"


def setup(app: Sphinx) -> None:
    app.add_directive("part", Part)
