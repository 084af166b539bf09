"""What nbval does not see: that the stored notebooks are whole, clean and readable by all."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from cell_rules import broken, is_figure, tags
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "chapters").glob("*.ipynb"))

SHOWN = {
    "hide-input",
    "hide-output",
    "hide-cell",
    "remove-input",
    "remove-cell",
    "raises-exception",
    "sortable",  # its tables can be, see website/static/tables.js
}
# Cells whose output nbval does not compare, and why; a hidden check behind each says what holds.
TRAINED = "trained live, which differs by processor"
ROUNDED = "a difference of the size of rounding, which differs by processor"
TIMED = "timed live, which differs by machine"
IGNORED = {
    "background:background-solution-gain-run": TRAINED,
    "accuracy:accuracy-measure-figure": ROUNDED,
    "accuracy:accuracy-root": ROUNDED,
    "accuracy:accuracy-experiment-run": TRAINED,
    "checking:checking-slip": ROUNDED,
    "checking:checking-formula-plot": ROUNDED,
    "checking:checking-formula-numbers": ROUNDED,
    "checking:checking-levels-lost": ROUNDED,
    "code:code-check-run": ROUNDED,
    "code:code-accuracy-numbers": TRAINED,
    "code:code-slower": TRAINED,
    "code:code-agree": ROUNDED,
    "code:code-keras-train": TRAINED,
    "code:code-solution-float32": ROUNDED,
    "code:code-solution-rate": TRAINED,
    "code:code-solution-which": TRAINED,
    "code:code-solution-wrong": TRAINED,
    "depth:depth-train": TRAINED,
    "depth:depth-gain-10": TRAINED,
    "depth:depth-exercise-train-run": TRAINED,
    "diagnosing:diagnosing-report-train": TRAINED,
    "diagnosing:diagnosing-dead": TRAINED,
    "diagnosing:diagnosing-dead-figure": TRAINED,
    "diagnosing:diagnosing-dead-leak": TRAINED,
    "diagnosing:diagnosing-saturated-train": TRAINED,
    "diagnosing:diagnosing-stale": TRAINED,
    "diagnosing:diagnosing-stale-cures": TRAINED,
    "diagnosing:diagnosing-monitor": TRAINED,
    "diagnosing:diagnosing-monitor-log": TRAINED,
    "diagnosing:diagnosing-monitor-figure": TRAINED,
    "diagnosing:diagnosing-ex-leak": TRAINED,
    "dying:dying-revive": TRAINED,
    "dying:dying-depth-live": TRAINED,
    "dying:dying-rate-layers": TRAINED,
    "dying:dying-rate-steps": TRAINED,
    "dying:dying-forever": TRAINED,
    "dying:dying-forever-depth": TRAINED,
    "dying:dying-headline": TRAINED,
    "dying:dying-ex-decay-code": TRAINED,
    "math_smooth:math-smooth-bounds": ROUNDED,
    "math_smooth:math-solution-step": ROUNDED,
    "rescue:rescue-identity": ROUNDED,
    "rescue:rescue-descend": TRAINED,
    "rescue:rescue-to-tanh": TRAINED,
    "rescue:rescue-exercise-rates-run": TRAINED,
    "rescue:rescue-exercise-plain-run": TRAINED,
    "gating:gating-hand-run": ROUNDED,
    "gating:gating-three-solution": TRAINED,
    "outputs:outputs-ends-solution": TRAINED,
    "frameworks:frameworks-faults-check": ROUNDED,
    "lost_gradient:normal-why-code": TRAINED,
    "lost_gradient:saturated-descent-code": TRAINED,
    "lost_gradient:adam-check-code": ROUNDED,
    "lost_gradient:output-results": TRAINED,
    "lost_gradient:live-code": TRAINED,
    "lost_gradient:ex-side": ROUNDED,
    "lost_gradient:ex-half": TRAINED,
    "lost_gradient:ex-remedy": TRAINED,
    "speed:speed-cache-run": TIMED,
    "speed:speed-simd-run": TIMED,
    "speed:speed-training-run": TIMED,
    "speed:speed-solution-own-pages": TIMED,
    "errata:errata-solution-tanh": ROUNDED,
    "faq:faq-rate-run": TRAINED,
    "not_learning:not-learning-figure": TRAINED,
    "not_learning:not-learning-after": TRAINED,
    "not_learning:not-learning-ten-run": TRAINED,
    "not_learning:not-learning-data-run": TRAINED,
    "not_learning:not-learning-exercise-sixth-code": TRAINED,
    "studies:studies-rerun": TRAINED,
    "studies:studies-data": TRAINED,
}
LARGEST = 1_500_000
MACHINE = re.compile(r"(?<![\w.:/])/(home|root|tmp|work|usr|opt|Users|mnt|var)/\w|[A-Z]:\\\\")
SECTIONS = ["What you will learn", "Summary", "Exercises", "Further reading"]


def problems(name: str, notebook: Any) -> Iterator[str]:
    """Everything that is wrong with a stored notebook."""
    if notebook.metadata.get("kernelspec", {}).get("name") != "python3":
        yield "the kernel is not python3"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        yield "the cells were not executed once each, from top to bottom"
    if MACHINE.search(nbformat.writes(notebook)):
        yield f"a path of one machine: {MACHINE.search(nbformat.writes(notebook)).group()}"  # type: ignore[union-attr]
    for cell in notebook.cells:
        yield from (f"{cell.id}: {problem}" for problem in cell_problems(name, cell))


def cell_problems(name: str, cell: Any) -> Iterator[str]:
    for tag in cell.metadata.get("tags", []):
        ignored = tag == "nbval-ignore-output" and f"{name}:{cell.id}" in IGNORED
        if tag not in SHOWN and not ignored:
            yield f"tag {tag!r} is unknown, or hides a result from comparison without a reason"
    if cell.cell_type == "markdown" and re.search(r"!\[\s*\]\(", cell.source):
        yield "an image without alt text"
    shown_as = cell.metadata.get("mystnb", {})
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            yield f"a stored error: {output.ename}"
        if output.get("name") == "stderr":
            yield f"stored stderr: {output.text[:80]!r}"
        if "text/markdown" in output.get("data", {}) and "markdown_format" not in shown_as:
            yield "Markdown that the book shows as it is written: no markdown_format: myst"
        if is_figure(output) and "remove-cell" not in tags(cell):
            alt = shown_as.get("image", {}).get("alt", "")
            if len(alt.split()) < 5:
                yield f"a figure whose alt text says nothing: {alt!r}"
            for part in ("caption", "name"):
                if not shown_as.get("figure", {}).get(part):
                    yield f"a figure without a {part}, so that it has no number (mystnb.figure)"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_clean(path: Path) -> None:
    assert list(problems(path.stem, nbformat.read(path, as_version=4))) == []
    assert path.stat().st_size <= LARGEST


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_are_shown_as_the_rules_say(path: Path) -> None:
    """See cell_rules.py."""
    assert broken(nbformat.read(path, as_version=4).cells) == {}


def test_what_is_ignored_are_cells_that_there_are() -> None:
    names = {
        f"{path.stem}:{cell.id}"
        for path in NOTEBOOKS
        for cell in nbformat.read(path, as_version=4).cells
    }
    assert set(IGNORED) <= names


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_has_the_shape_of_a_chapter(path: Path) -> None:
    """A title, what you will learn, the body, summary, exercises, further reading."""
    text = "\n".join(
        c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type != "code"
    )
    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert [heading for heading in headings if heading in SECTIONS] == SECTIONS
    assert headings[0] == SECTIONS[0]
    assert headings[-3:] == SECTIONS[1:]


def test_every_chapter_is_in_the_table_of_contents_and_there_is_no_other() -> None:
    toc = (ROOT / "_toc.yml").read_text()
    listed = re.findall(r"(?:root|file): (\S+)", toc)
    pages = [p.relative_to(ROOT) for p in (ROOT / "chapters").rglob("*")]
    written = [str(p.with_suffix("")) for p in pages if p.suffix in {".md", ".ipynb"}]
    assert sorted(listed) == sorted(written)
    assert yaml.safe_load(toc)["root"] == "chapters/intro"


def test_the_first_page_has_a_map_of_all_parts() -> None:
    """Each leads to its chapters; see website/toc.py."""
    parts = [part["caption"] for part in yaml.safe_load((ROOT / "_toc.yml").read_text())["parts"]]
    intro = (ROOT / "chapters/intro.md").read_text("utf-8")
    assert re.findall(r"```\{part\} (.+)", intro) == parts


WHERE = """\
import os, matplotlib.pyplot as plt
print("inline" in plt.get_backend(), os.environ["JAX_PLATFORMS"], os.environ["KERAS_BACKEND"])
"""


def test_notebooks_run_whatever_the_environment_is(tmp_path: Path) -> None:
    """A backend that does not exist, and a home where nothing can be written."""
    shutil.copy(ROOT / "chapters/conftest.py", tmp_path)
    (tmp_path / "data").mkdir()
    printed = new_output("stream", name="stdout", text="True cpu tensorflow\n")
    cell = new_code_cell(WHERE, execution_count=1, outputs=[printed])
    nbformat.write(new_notebook(cells=[cell]), tmp_path / "where.ipynb")
    hostile = {"MPLBACKEND": "nonsense", "KERAS_BACKEND": "jax", "HOME": os.devnull}
    command = [sys.executable, "-m", "pytest", tmp_path, "--nbval", "--nbval-current-env"]
    result = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **hostile}, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout


# --- each of these faults must be found


def clean() -> Any:
    """A notebook with nothing wrong."""
    figure = new_output("display_data", data={"image/png": "iVBORw0KGgo="})
    cell = new_code_cell("f()", execution_count=1, outputs=[figure], id="figure")
    cell.metadata["mystnb"] = {
        "image": {"alt": "The sigmoid rises from 0 to 1."},
        "figure": {"caption": "The sigmoid.", "name": "sigmoid-fig"},
    }
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return new_notebook(cells=[new_markdown_cell("# T"), cell], metadata={"kernelspec": kernel})


def stderr(notebook: Any) -> None:
    notebook.cells[1].outputs.append(new_output("stream", name="stderr", text="warning"))


def error(notebook: Any) -> None:
    notebook.cells[1].outputs.append(
        new_output("error", ename="ValueError", evalue="", traceback=[])
    )


def alt(notebook: Any) -> None:
    notebook.cells[1].metadata["mystnb"]["image"]["alt"] = "plot"


def no_alt(notebook: Any) -> None:
    del notebook.cells[1].metadata["mystnb"]["image"]


def no_caption(notebook: Any) -> None:
    del notebook.cells[1].metadata["mystnb"]["figure"]["caption"]


def no_number(notebook: Any) -> None:
    del notebook.cells[1].metadata["mystnb"]["figure"]["name"]


def markdown_alt(notebook: Any) -> None:
    notebook.cells[0].source = "![](picture.png)"


def markdown_output(notebook: Any) -> None:
    table = {"text/markdown": "| a |\n|---|"}
    notebook.cells[1].outputs.append(new_output("display_data", data=table))


def order(notebook: Any) -> None:
    notebook.cells[1].execution_count = 3


def not_run(notebook: Any) -> None:
    notebook.cells[1].execution_count = None


def tag(notebook: Any) -> None:
    notebook.cells[1].metadata["tags"] = ["nbval-skip"]


def kernel(notebook: Any) -> None:
    notebook.metadata.kernelspec["name"] = "my-env"


def path_of_a_machine(notebook: Any) -> None:
    notebook.cells[1].outputs.append(
        new_output("stream", name="stdout", text="saved in /home/me/x.png")
    )


def test_a_clean_notebook_has_no_problems() -> None:
    notebook = clean()
    assert list(problems("clean", notebook)) == []
    notebook.cells[1].metadata = {"tags": ["remove-cell"]}  # nobody sees this figure
    assert list(problems("clean", notebook)) == []
    assert broken(well_shown()) == {}


def code(source: str, *tags: str, printed: str = "", picture: bool = False) -> Any:
    cell = new_code_cell(source)
    cell.metadata["tags"] = list(tags)
    if printed:
        cell.outputs.append(new_output("stream", name="stdout", text=printed))
    if picture:
        cell.outputs.append(new_output("display_data", data={"image/png": "iVBORw0KGgo="}))
    return cell


def well_shown() -> list[Any]:
    """Cells that keep every rule."""
    return [
        new_markdown_cell("# T"),
        code("import numpy as np", "hide-cell"),
        new_markdown_cell("**Predict,\nthen run.** How many?"),
        code("n = count()"),
        code('print(f"{n:.2f}")', "hide-output", "nbval-ignore-output", printed="17.00"),
        code("assert n > 16", "remove-cell"),
        code("plot(n)", "hide-input", picture=True),
    ]


@pytest.mark.parametrize(
    ("place", "cell", "rule"),
    [
        (1, code("import numpy as np"), "setup"),
        (3, code("from actlib import relu"), "setup"),
        (6, code("plot(n)", picture=True), "plots"),
        (3, code("assert n > 16"), "checks"),
        (5, code("n > 16", "remove-cell"), "checks ignored"),
        (3, code("n > 16", printed="more than 16: True"), "truths predictions"),
        (4, code("print(n)", printed="17"), "predictions"),
        (5, code("n = 0"), "ignored"),
        (3, code("n = " + 19 * "1 + " + "1"), "width"),
        (3, code('print(f"{n:>8}")'), "tables"),
        (3, code('print(f"{n:{digits}.2f}")'), "tables"),
        (3, code("%time n = count()"), ""),
        (3, code('print(f"{n:,} and {n!r} and {n:.2%}")'), ""),
    ],
)
def test_a_broken_rule_is_found(place: int, cell: Any, rule: str) -> None:
    cells = well_shown()
    cells[place] = cell
    assert list(broken(cells)) == rule.split()


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (stderr, "stored stderr"),
        (error, "stored error: ValueError"),
        (alt, "alt text says nothing: 'plot'"),
        (no_alt, "alt text says nothing"),
        (no_caption, "figure without a caption"),
        (no_number, "figure without a name"),
        (markdown_alt, "image without alt text"),
        (markdown_output, "no markdown_format: myst"),
        (order, "not executed once each"),
        (not_run, "not executed once each"),
        (tag, "tag 'nbval-skip'"),
        (kernel, "not python3"),
        (path_of_a_machine, "path of one machine"),
    ],
)
def test_a_fault_is_found(fault: Callable[[Any], None], message: str) -> None:
    notebook = clean()
    fault(notebook)
    (problem,) = problems("faulty", notebook)
    assert message in problem
