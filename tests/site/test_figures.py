"""Figures in a page: in the page itself, numbered, described, and before the code that draws."""

from __future__ import annotations

import io
import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from actlib.palette import GREY

ALT = "A line rises from 0 to 1, and is <flat> there."
SVG = f"""<svg xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 462 231" width="462pt">
<defs><path id="i0" d="M0 0" style="stroke: {GREY}"/><clipPath id="i1"/></defs>
<use xlink:href="#i0" clip-path="url(#i1)"/><text style="fill: {GREY}">one</text>
</svg>"""


def cell(number: int, caption: str = "What it shows.", tags: tuple[str, ...] = ("hide-input",)):
    figure = new_output("display_data", data={"image/svg+xml": SVG, "text/plain": "<Figure>"})
    made = new_code_cell("draw()", execution_count=number, outputs=[figure], id=f"cell{number}")
    made.metadata["tags"] = [*tags]
    made.metadata["mystnb"] = {"image": {"alt": ALT}}
    if caption:
        made.metadata.mystnb["figure"] = {"caption": caption, "name": f"figure-{number}"}
    return made


def built(folder: Path, *cells, builder: str = "html") -> tuple[str, str]:
    """A page of these cells, and what the build said."""
    title = new_markdown_cell("# Page\n\nAs {numref}`figure-1` shows.")
    notebook = new_notebook(cells=[title, *cells])
    notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    nbformat.write(notebook, folder / "page.ipynb")
    said = io.StringIO()
    settings = {
        "extensions": ["myst_nb", "website.figures", "website.drawing_directive"],
        "nb_execution_mode": "off",
        "root_doc": "page",
        "html_theme": "basic",
    }
    out = folder / "out"
    with docutils_namespace():
        app = Sphinx(folder, None, out, out, builder, settings, status=None, warning=said)
        app.build()
    return (out / "page.html").read_text("utf-8"), said.getvalue()


def test_a_figure_stands_in_the_page_numbered_and_described(tmp_path):
    page, said = built(tmp_path, cell(1), cell(2))
    assert said == ""
    assert "<img" not in page
    assert [*(tmp_path / "out").rglob("*.svg")] == [], "no copy that nobody asks for"
    first, second = re.findall(r"<figure.*?</figure>", page, re.DOTALL)
    assert 'role="img"' in first
    assert 'aria-label="A line rises from 0 to 1, and is &lt;flat&gt; there."' in first
    assert re.search(r'<svg[^>]* height="370" [^>]*width="739"', first)
    assert re.search(r'id="figure-1".*Figure 1 .*What it shows\.', first, re.DOTALL)
    assert "Figure 2 " in second
    assert ">Figure 1</span>" in page, "the reference"


@pytest.mark.parametrize("builder", ["html", "singlehtml"])
def test_names_are_those_of_no_other_figure_and_colours_follow_the_page(tmp_path, builder):
    page, _ = built(tmp_path, cell(1), cell(2), builder=builder)
    names = re.findall(r'\sid="([^"]+)"', page)
    assert len(names) == len({*names})
    referred = {*re.findall(r'(?:url\(|xlink:href=")#([^)"]+)', page)}
    assert len(referred) == 4
    assert referred <= {*names}
    assert GREY not in page
    assert "fill: currentColor" in page


def test_folded_code_follows_the_figure_that_it_draws(tmp_path):
    page, _ = built(tmp_path, cell(1), cell(2, tags=()))
    first, second = re.findall(
        r'<div class="cell .*?(?=<div class="cell |<footer|\Z)', page, re.DOTALL
    )
    assert first.index("</figure>") < first.index("<details") < first.index("draw")
    assert "Show code" in first
    assert second.index("draw") < second.index("<figure")


def test_folded_code_that_draws_nothing_stays_above_its_output(tmp_path):
    told = new_output("stream", name="stdout", text="told")
    said = new_code_cell(
        "tell()", execution_count=1, outputs=[told], metadata={"tags": ["hide-input"]}
    )
    page, _ = built(tmp_path, said)
    assert page.index("tell") < page.index("told")


def test_a_figure_without_words_is_refused(tmp_path):
    silent = cell(1)
    del silent.metadata.mystnb["image"]
    assert "figure without alt text" in built(tmp_path, silent)[1]


def drawing(text: str):
    return new_markdown_cell(f"```{{drawing}} {text}\n```")


def test_a_drawing_is_a_figure_too(tmp_path):
    text = "network gelu\n:name: figure-1\n\nA network, with $f$ in it."
    page, said = built(tmp_path, drawing(text))
    assert said == ""
    assert 'aria-label="A network with three inputs' in page
    assert re.search(r'<figure[^>]*id="figure-1".*Figure 1 .*A network, with', page, re.DOTALL)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("wires\n\nA caption.", "no drawing 'wires': there are unit, gate, layer, network"),
        ("network", "Content block expected"),
        ("network\n\nA caption.\n\nAnother.", "a drawing has a caption of one paragraph"),
    ],
)
def test_a_wrong_drawing_is_refused(tmp_path, text, fault):
    assert fault in built(tmp_path, drawing(text))[1]
