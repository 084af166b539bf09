"""What the pages of the book say, without their code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat


def markdown(path: Path) -> str:
    """The Markdown of a page, of a notebook that of its cells."""
    if path.suffix == ".md":
        return path.read_text("utf-8")
    return "\n\n".join(cell.source for cell in _cells(path) if cell.cell_type == "markdown")


def alt_texts(path: Path) -> str:
    """What a notebook says of its figures to those who do not see them."""
    images = (cell.metadata.get("mystnb", {}).get("image", {}) for cell in _cells(path))
    return "\n\n".join(image["alt"] for image in images if "alt" in image)


def _cells(path: Path) -> list[Any]:
    if path.suffix != ".ipynb":
        return []
    return list(nbformat.read(path, as_version=4).cells)
