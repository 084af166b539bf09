"""A chapter's notebook to download, in a file that runs where it is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from tools.hosted import download


def _offer(app: Sphinx, page: str, template: str, context: Any, doctree: Any) -> None:
    source = Path(app.env.doc2path(page)) if doctree else Path()
    if source.suffix != ".ipynb" or app.builder.name != "html":
        return
    address = app.config.html_theme_options.get("repository_url", "")
    name, content = download(source, address)
    folder = Path(app.outdir, "_downloads")
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    context["header_buttons"].append(
        {
            "type": "link",
            "url": f"{context['pathto']('_downloads', resource=True)}/{name}",
            "tooltip": "Download this page as a notebook",
            "text": "Download this page as a notebook",  # for those who do not see the icon
            "icon": "fas fa-download",
            "label": "download-notebook",
        }
    )


def setup(app: Sphinx) -> None:
    app.connect("html-page-context", _offer, priority=901)
