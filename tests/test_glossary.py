"""The glossary: every term has a Chinese name and a page that uses it, and every link finds one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prose import markdown

CHAPTERS = Path(__file__).parent.parent / "chapters"


PAGES = {p.stem: markdown(p) for p in sorted(CHAPTERS.iterdir()) if p.suffix in {".md", ".ipynb"}}
GLOSSARY = PAGES["glossary"]


def entries(glossary: str) -> Iterator[tuple[list[str], str]]:
    """The names of each entry, and its text."""
    (body,) = re.findall(r"```\{glossary\}\n:sorted:\n\n(.*?)\n```", glossary, re.DOTALL)
    for entry in body.split("\n\n"):
        lines = entry.split("\n")
        names = [line for line in lines if not line.startswith(" ")]
        yield names, "\n".join(lines[len(names) :])


def pages(text: str) -> Iterator[str]:
    """What the pages say that a text links to."""
    for kind, title, target in re.findall(r"\{(doc|ref)\}`([^`<]*)(?:<([^>]*)>)?`", text):
        label = target or title
        for name, page in PAGES.items():
            if name == label if kind == "doc" else f"({label})=\n" in page:
                yield page


def problems(glossary: str) -> Iterator[str]:
    known = [name for names, _ in entries(glossary) for name in names]
    yield from (f"{name}: more than once" for name in known if known.count(name) > 1)
    for names, text in entries(glossary):
        if not re.match(r"  \*\*中文：.*[一-鿿（）].*。\*\* ", text):
            yield f"{names[0]}: no Chinese name"
        words = "|".join(re.escape(name).replace(r"\ ", r"[\s_-]+") for name in names)
        if not any(re.search(words, page, re.IGNORECASE) for page in pages(text)):
            yield f"{names[0]}: no link to a page that uses the word"


def test_every_entry_is_in_both_languages_and_leads_to_a_page_that_uses_it() -> None:
    assert list(problems(GLOSSARY)) == []


def test_every_linked_term_is_in_the_glossary() -> None:
    known = {name.lower() for names, _ in entries(GLOSSARY) for name in names}
    links = [
        (name, target or title)
        for name, page in PAGES.items()
        for title, target in re.findall(r"\{term\}`([^`<]*)(?:<([^>]*)>)?`", page)
    ]
    assert [link for link in links if link[1].lower() not in known] == []
    assert len(links) > 100


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("**中文：偏置。**", "**Bias.**", "bias: no Chinese name"),
        ("\nbias\n", "\nweight\n", "weight: more than once"),
        (
            "{ref}`primer-chain-rule`",
            "above",
            "chain rule: no link",
        ),
        ("`math-relu`", "`catalogue`", "rectifier: no link"),
    ],
)
def test_a_fault_is_found(right: str, wrong: str, message: str) -> None:
    assert right in GLOSSARY
    assert any(message in found for found in problems(GLOSSARY.replace(right, wrong)))
