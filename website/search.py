"""Search that finds Chinese terms too: English has no rule for where a Chinese word ends."""

from __future__ import annotations

import re
from itertools import pairwise

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


def setup(app: Sphinx) -> None:
    app.add_search_language(EnglishAndChinese)
