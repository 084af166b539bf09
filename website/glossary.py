"""The glossary from A to Z: a section for each letter, links to them, and a field to filter by."""

from __future__ import annotations

from itertools import groupby

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

_FILTER = """\
<p class="glossary-filter pst-js-only"><label>Filter, in English or Chinese
<input type="search" autocomplete="off" spellcheck="false"></label> <span role="status"></span></p>
"""


def _letter(item: nodes.Node) -> str:
    return str(next(item.findall(nodes.term)).astext()[0]).upper()


def _by_letter(app: Sphinx, doctree: nodes.document) -> None:
    for glossary in list(doctree.findall(addnodes.glossary)):
        entries = next(glossary.findall(nodes.definition_list))
        letters = nodes.paragraph(classes=["letters"])
        sections = []
        for letter, items in groupby(entries.children, key=_letter):
            anchor = f"letter-{letter.lower()}"
            link = nodes.reference("", letter, refid=anchor, internal=True)
            letters += [link, nodes.Text(" ")]
            listed = nodes.definition_list("", *items, classes=entries["classes"])
            kept = addnodes.glossary("", listed)
            sections.append(nodes.section("", nodes.title("", letter), kept, ids=[anchor]))
        glossary.replace_self([nodes.raw("", _FILTER, format="html"), letters, *sections])


def setup(app: Sphinx) -> None:
    app.connect("doctree-read", _by_letter, priority=400)  # before headings are collected
