"""Which edition of the book a page belongs to, and how it is cited."""

from __future__ import annotations

import os
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from sphinx.application import Sphinx

ROOT = Path(__file__).parents[1]


def _date() -> str:
    """The day of the commit, or of SOURCE_DATE_EPOCH: the same in each build of an edition."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH") or _commit_time()
    return datetime.fromtimestamp(int(seconds), UTC).date().isoformat() if seconds else ""


def _commit_time() -> str:
    """Empty where there is no history, as in an archive of the sources."""
    command = ["git", "log", "-1", "--format=%ct"]
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()
    except FileNotFoundError:
        return ""


def bibtex(work: dict[str, Any], page: str, title: str, date: str, address: str) -> str:
    """How to cite a page of what CITATION.cff describes."""
    authors = " and ".join(f"{{{author['name']}}}" for author in work["authors"])
    fields = {
        "author": f"{{{authors}}}",
        "title": f"{{{title}}}",
        "booktitle": f"{{{work['title']}}}",
        "year": date[:4],
        "note": f"{{Version {work['version']}{', ' + date if date else ''}}}",
        "url": f"{{{address}}}" if address else "",
    }
    lines = [f"  {name} = {value}," for name, value in fields.items() if value]
    return "\n".join([f"@incollection{{actlib-{page.split('/')[-1]},", *lines, "}"])


def _tell(app: Sphinx, page: str, template: str, context: Any, doctree: Any) -> None:
    work = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    date = app.config.html_context["edition_date"]
    context["edition"] = f"Version {work['version']}" + (f", {date}" if date else "")
    if doctree:
        title = re.sub("<.*?>", "", context["title"])
        context["cite"] = bibtex(work, page, title, date, context.get("pageurl") or "")


def _note_date(app: Sphinx) -> None:
    app.config.html_context["edition_date"] = _date()


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", _note_date)
    app.connect("html-page-context", _tell)
