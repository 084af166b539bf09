"""What the book's pages need beyond Jupyter Book: a Sphinx extension, one module for each need."""

from __future__ import annotations

import os
from typing import Any

from sphinx.application import Sphinx

from website import (
    api,
    assets,
    catalogue_page,
    cells,
    cheat_sheet,
    citations,
    downloads,
    drawing_directive,
    edition,
    figures,
    front,
    glossary,
    headlines,
    hover,
    instruments,
    maths,
    pages,
    quiz,
    reading,
    redirects,
    search,
    solutions,
    toc,
)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_config_value(
        "comments_config", {}, ""
    )  # Jupyter Book sets it for an extension left out
    if os.environ.get("BOOK_PDF"):  # a PDF of the book will lie next to it
        app.tags.add("pdf")
    parts = [
        api,
        catalogue_page,
        cells,
        cheat_sheet,
        citations,
        downloads,
        drawing_directive,
        edition,
        figures,
        front,
        glossary,
        headlines,
        hover,
        instruments,
        maths,
        pages,
        quiz,
        reading,
        redirects,
        search,
        solutions,
        toc,
    ]
    for part in (*parts, assets):
        part.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
