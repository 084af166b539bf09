"""Pages that only lead on: from the site's first address, and from where a page used to be."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from pathlib import Path

from sphinx.application import Sphinx

#: Where a page was, and where it is now.
MOVED = {"chapters/claims.html": "myths.html"}

_SCRIPT = "location.replace(document.links[0].href + location.hash)"  # to the same place in it
_PAGE = """\
<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta http-equiv="refresh" content="1; url={target}">
<title>{title}</title>
<a href="{target}">{title}</a>
<script>{script}</script>
"""


def _write(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.name != "html":
        return
    first = app.builder.get_target_uri(app.config.root_doc)
    digest = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
    for page, target in {"index.html": first, **MOVED}.items():
        if not Path(app.outdir, page).parent.joinpath(target).exists():
            continue  # a book of other pages
        Path(app.outdir, page).write_text(
            _PAGE.format(
                language=app.config.language,
                policy=f"default-src 'none'; script-src 'sha256-{digest}'",
                target=target,
                title=escape(app.config.html_title),
                script=_SCRIPT,
            ),
            "utf-8",
        )


def setup(app: Sphinx) -> None:
    app.connect("build-finished", _write, priority=960)  # when the other pages are packed
