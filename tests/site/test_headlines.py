"""The table of what the experiments found says what their cells print, page by page."""

import html
import re

import nbformat
import pytest
from built import ROOT
from nbformat.v4 import new_code_cell, new_notebook, new_output

from website.headlines import headline
from website.toc import contents, entries, pages

TOC = contents(ROOT)
FOUND = {
    page: lines
    for page in pages(TOC)
    if (ROOT / f"{page}.ipynb").exists() and (lines := headline(ROOT / f"{page}.ipynb"))
}


def notebook(path, text, cell="page-headline"):
    output = new_output("stream", name="stdout", text=text)
    cells = [new_code_cell("print()", id=cell, outputs=[output])]
    nbformat.write(new_notebook(cells=cells), path)
    return path


def test_pages_come_in_the_order_of_the_book():
    first = [{"file": "a", "sections": [{"file": "b"}, {"file": "c"}]}, {"file": "d"}]
    assert pages({"chapters": first}) == ["a", "b", "c", "d"]
    assert pages({"parts": [{"chapters": first}, {"chapters": [{"file": "e"}]}]}) == [*"abcde"]


def test_a_headline_is_what_its_cell_has_printed(tmp_path):
    path = tmp_path / "page.ipynb"
    assert headline(notebook(path, "Q?\nA.\nE\n")) == ["Q?", "A.", "E"]
    assert headline(notebook(path, "Q?\nA.\nE\n", cell="page-other")) is None
    with pytest.raises(ValueError, match="a headline has three lines, got"):
        headline(notebook(path, "Q?\nA.\n"))


def test_each_experiment_has_one():
    [chapter] = [entry for entry in entries(TOC) if entry["file"] == "chapters/experiments"]
    experiments = [section["file"] for section in chapter["sections"]]
    assert list(FOUND) == [*experiments, "chapters/lost_gradient"]
    for question, answer, effect in FOUND.values():
        assert question.endswith("?")
        assert answer.endswith(".")
        assert re.search(r"\d", effect), "the size of the effect is a number"


def words(markup):
    """What is said, whatever its quotation marks and spaces."""
    text = html.unescape(re.sub("<.*?>", "", markup)).translate(str.maketrans("’“”", '\'""'))
    return re.sub(r"\s+", "", text)


def test_the_table_holds_them_to_the_letter(site):
    text = (site / "chapters/about.html").read_text("utf-8")
    shown = [words(row) for row in re.findall(r"<tr.*?</tr>", text, re.DOTALL)]
    for lines in FOUND.values():
        assert words("".join(lines)) in shown


def test_three_stand_on_the_first_page_without_the_size_of_the_effect(site):
    text = (site / "chapters/intro.html").read_text("utf-8")
    cards = text.split('class="card-finding')[1:]
    assert len(cards) == 3
    for card in cards:
        page = re.search(r'href="(\w+)\.html"', card)[1]
        question, answer, effect = FOUND[f"chapters/{page}"]
        assert words(question + answer) in words(card)
        assert words(effect) not in words(text)
