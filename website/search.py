"""Search that finds Chinese terms too, and whose excerpts do not answer the book's questions.

English has no rule for where a Chinese word ends.
"""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish

_CHINESE = re.compile(r"[\u3400-\u9fff]+")


class EnglishAndChinese(SearchEnglish):
    """Index a run of Chinese as itself, its characters and its pairs of neighbours.

    The page's script matches a query of one or two characters only whole, a longer one anywhere.
    """

    def split(self, input: str) -> list[str]:  # noqa: A002 - the name in Sphinx
        words: list[str] = super().split(input)
        for run in _CHINESE.findall(input):
            words += [run, *run, *map("".join, pairwise(run))]
        return words


_LEFT_OUT = '".headerlink", "script", "style"'  # of excerpts


def _leave_out_reasons(app: Sphinx, error: Exception | None) -> None:
    file = Path(app.outdir, "_static/searchtools.js")
    if error is not None or app.builder.name != "html":
        return
    script = file.read_text("utf-8")
    if _LEFT_OUT not in script:
        raise RuntimeError("Sphinx has changed: what does it leave out of a search's excerpts?")
    file.write_text(script.replace(_LEFT_OUT, f'{_LEFT_OUT}, ".quiz-reason"'), "utf-8")


def setup(app: Sphinx) -> None:
    app.add_search_language(EnglishAndChinese)
    app.connect("build-finished", _leave_out_reasons)
