"""Citations, without looking up what is installed for each of them anew.

For each, sphinxcontrib-bibtex asks pybtex for the same few plugins, and pybtex reads the metadata
of every installed package to find one: a tenth of the time that the book took.
"""

from __future__ import annotations

from functools import cache

import pybtex.plugin
from sphinx.application import Sphinx


def setup(app: Sphinx) -> None:
    pybtex.plugin.find_plugin = cache(pybtex.plugin.find_plugin)
