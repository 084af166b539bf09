"""Cards that a link to a term or a source shows: what stands in the glossary or bibliography.

Each page holds the texts for its own links, so that nothing is asked for when one is shown; see
static/hover.js.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from sphinx.application import Sphinx

_TERM = re.compile(r"((?:<dt [^>]*>.*?</dt>\s*)+)<dd>(.*?)</dd>", re.DOTALL)
_SOURCE = re.compile(
    r'<div class="citation" (id="[^"]*")[^>]*>\s*<span class="label">.*?</span>\s*(<p>.*?)</div>',
    re.DOTALL,
)
_KINDS = {"glossary": _TERM, "bibliography": _SOURCE}


def _texts(page: str, entries: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """The place of each entry of a page, and what it says."""
    for heads, text in entries.findall(page):
        for place in re.findall(r'\bid="([^"]*)"', heads):
            yield place, re.sub(r' id="[^"]*"', "", text).strip()


def _write_cards(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.name != "html":
        return
    folder = Path(app.outdir, "chapters")
    cards = {
        f"{kind}.html#{place}": text
        for kind, entries in _KINDS.items()
        if (folder / f"{kind}.html").exists()
        for place, text in _texts((folder / f"{kind}.html").read_text("utf-8"), entries)
    }
    for path in sorted(folder.glob("*.html")):
        page = path.read_text("utf-8")
        linked = sorted(set(re.findall(r'href="([^"]*)"', page)) & set(cards))
        held = [f'<template data-card="{link}">{cards[link]}</template>\n' for link in linked]
        path.write_text(page.replace("</article>", "".join(held) + "</article>", 1), "utf-8")


def setup(app: Sphinx) -> None:
    app.connect("build-finished", _write_cards, priority=910)  # before the pages are packed
