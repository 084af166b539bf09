"""The table of what the experiments found says what their cells print, page by page."""

import html
import re

import nbformat
import pytest
import yaml
from built import ROOT
from nbformat.v4 import new_code_cell, new_notebook, new_output

from website.headlines import headline, pages

TOC = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
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
    toc = {"chapters": [{"file": "a", "sections": [{"file": "b"}, {"file": "c"}]}, {"file": "d"}]}
    assert list(pages(toc)) == ["a", "b", "c", "d"]


def test_a_headline_is_what_its_cell_has_printed(tmp_path):
    path = tmp_path / "page.ipynb"
    assert headline(notebook(path, "Q?\nA.\nE\n")) == ["Q?", "A.", "E"]
    assert headline(notebook(path, "Q?\nA.\nE\n", cell="page-other")) is None
    with pytest.raises(ValueError, match="a headline has three lines, got"):
        headline(notebook(path, "Q?\nA.\n"))


def test_each_experiment_has_one():
    [part] = [entry for entry in TOC["chapters"] if entry["file"] == "chapters/experiments"]
    assert list(FOUND) == [section["file"] for section in part["sections"]]
    for question, answer, effect in FOUND.values():
        assert question.endswith("?")
        assert answer.endswith(".")
        assert re.search(r"\d", effect), "the size of the effect is a number"


@pytest.mark.parametrize("page", ["intro", "experiments"])
def test_the_table_holds_them_to_the_letter(page, site):
    text = (site / f"chapters/{page}.html").read_text("utf-8")
    text = text.translate(str.maketrans("’“”", '\'""'))
    rows = re.findall(r"<tr.*?</tr>", text, re.DOTALL)
    shown = [" ".join(html.unescape(re.sub("<.*?>", " ", row)).split()) for row in rows]
    for lines in FOUND.values():
        assert " ".join(" ".join(lines).split()) in shown
