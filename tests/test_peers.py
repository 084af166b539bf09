"""What is recorded of other libraries is what they do: the day that one is mended, a test fails."""

from __future__ import annotations

import importlib.util
import json
import os
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from contract import REPRESENTATIVE, deep_unless

from actlib import REGISTRY
from actlib.book.profiles import EDGES, profile
from actlib.book.tables import recorded, side_by_side
from actlib.check import answers, check_activation, conventions

ASKED, MEASURED = recorded("conventions"), recorded("accuracy")
LIBRARIES = ["tensorflow", "keras", "torch", "jax", "scipy"]
ARRAYS = ["dask", "jax", "tensorflow", "torch", "array_api_strict"]
THROUGH = ["jax", "tensorflow", "torch"]
FACTS = ["library", "version", "date", "processor", "function", "path"]


def key(row: dict[str, str]) -> str:
    return f"{row['library']}-{row['function']}"


#: What is measured: who declares an activation need not do it, who releases it must.
OURS = {row["function"] for row in MEASURED if row["library"] == "actlib"}
HERE = [row for row in ASKED if importlib.util.find_spec(row["library"])]


def is_quick(row: dict[str, str]) -> bool:
    """A representative, or of PyTorch, whose environment has no run at full size."""
    return row["function"] in REPRESENTATIVE or row["library"] == "torch"


@pytest.mark.parametrize("row", deep_unless(is_quick, HERE), ids=key)
def test_a_library_answers_as_recorded(row: dict[str, str]) -> None:
    answers = conventions(row["function"], row["library"])
    assert differ(answers, row) == {}
    assert set(row) == {*FACTS, *answers}


def differ(answers: dict[str, str], row: dict[str, str]) -> dict[str, str]:
    """The answers that are none of those recorded."""
    return {q: answer for q, answer in answers.items() if answer not in row[q].split(" or ")}


if importlib.util.find_spec("torch"):  # in the environment of `make test-peers`

    def test_processors_without_avx512_answer_as_recorded() -> None:
        """PyTorch has oneDNN compute GELU; this chooses its code for older processors."""
        rows = [row for row in HERE if row["function"] in {"gelu", "gelu_tanh"}]
        older = ("ONEDNN_MAX_CPU_ISA", "AVX2")
        with ProcessPoolExecutor(1, get_context("spawn"), os.putenv, older) as pool:
            for row in rows:
                said = pool.submit(conventions, row["function"], row["library"]).result()
                assert differ(said, row) == {}


def test_only_two_functions_depend_on_the_processor_or_on_where_an_array_lies() -> None:
    both = {(key(row), q) for row in ASKED for q in row if " or " in row[q]}
    assert both == {
        ("torch-gelu", "f(inf)"),
        ("torch-gelu", "f(-0.0)"),
        ("keras-celu", "f(-0.0)"),
    }


def test_what_is_recorded_is_declared() -> None:
    assert len(OURS) > 30
    assert set(REGISTRY.elementwise) >= OURS


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_function_is_recorded(library: str) -> None:
    named = {name for name in OURS - {"prelu"} if library in REGISTRY[name].spec.peers}
    asked = [row for row in ASKED if row["library"] == library]
    assert [row["function"] for row in asked] == sorted(named)
    for dtype in ("float32", "float64"):
        rows = [r for r in MEASURED if (r["library"], r["format"]) == (library, dtype)]
        for of in ("value", "gradient") if library != "scipy" else ("value",):
            assert [row["function"] for row in rows if row["of"] == of] == sorted(named)
    assert all(row["version"] and row["date"] and row["processor"] for row in asked)


@pytest.mark.parametrize(
    "library",
    [
        "actlib",
        *(f"actlib-on-{name}" for name in ARRAYS),
        *(f"actlib-through-{name}" for name in THROUGH),
    ],
)
def test_ours_are_recorded_and_lose_nothing(library: str) -> None:
    """On other arrays E is measured, not bound; some flush what is below 2**10 * tiny to zero."""
    rows = [row for row in MEASURED if row["library"] == library]
    assert {row["function"] for row in rows} == OURS
    assert not [row for row in rows if row["error"]]
    if library == "actlib":
        assert all(float(r["E"]) <= (4 if r["of"] == "value" else 8) for r in rows)
    for row in rows:
        f = REGISTRY[row["function"]]
        ends = np.array(row["lost"].replace("..", " ").split(), float)
        assert library.endswith(("jax", "tensorflow")) or not ends.size
        flushed = 2**10 * np.finfo(row["format"]).tiny if ends.size else 0
        assert (abs((f if row["of"] == "value" else f.grad)(ends)) < 1.1 * flushed).all()


@pytest.mark.parametrize("library", ["tensorflow-cpu", "keras", "torch", "jax", "scipy"])
def test_the_versions_are_those_that_are_tested(library: str) -> None:
    name = library.removesuffix("-cpu")
    if importlib.util.find_spec(name):
        tables = [row["version"] for row in ASKED + MEASURED if row["library"] == name]
        recorded_for = {number.partition("+")[0] for number in tables}
        assert recorded_for == {version(library).partition("+")[0]}, "measure anew: make peers"


@pytest.mark.parametrize("row", ASKED, ids=key)
def test_the_two_tables_agree(row: dict[str, str]) -> None:
    """What is lost at 20, 30 and 40 lies in an interval that is lost, and the other way round."""
    for question, dtype, points in [
        ("lost", "float32", (-30, -20, 20, 30)),
        ("lost in float64", "float64", (-40, 40)),
    ]:
        for words, of in (("f", "value"), ("f'", "gradient")):
            intervals = [
                [float(end) for end in pair.split("..")]
                for measured in MEASURED
                if key(measured) == key(row) and (measured["format"], measured["of"]) == (dtype, of)
                for pair in measured["lost"].split()
            ]
            inside = {z for z in points if any(low <= z <= high for low, high in intervals)}
            assert {f"{words}({z})" for z in inside} == {
                word for word in row[question].split() if word.startswith(f"{words}(")
            }


def test_a_mended_function_would_be_noticed(monkeypatch: Any) -> None:
    recorded_answer = next(r for r in ASKED if key(r) == "jax-sigmoid")["lost"]
    assert recorded_answer == "f'(20) f'(30)"
    f = REGISTRY["sigmoid"]
    monkeypatch.setattr(answers, "from_library", lambda name, library: (f, f.grad))
    assert conventions("sigmoid", "scipy")["lost"] == ""


def test_profile() -> None:
    off = lambda z: (np.tanh(z) * (1 + 1e-4 * (z > 2.5))).astype(z.dtype)  # noqa: E731
    lost = lambda z: np.where(z < -5, 0, off(z)).astype(z.dtype)  # noqa: E731
    report = check_activation(lost, exact="tanh", dtypes=["float32"])
    digits = profile(report.accuracy["value", "float32"])
    middle = len(EDGES) - 1
    assert len(digits) == 2 * middle
    two, five = (EDGES.index(z) for z in (2.0, 5.0))
    assert set(digits[middle + two : -1]) <= {"3", "4", "-"}
    assert set(digits[: middle - five]) <= {"x", "-"}
    assert set(digits[middle - five + 1 : middle + two]) <= {"0", "1", "-"}


def test_side_by_side() -> None:
    rows = [
        {"function": "b", "library": "jax", "x": "1"},
        {"function": "a", "library": "scipy", "x": "2"},
    ]
    assert side_by_side(rows, "x").splitlines() == [
        "| function | JAX | SciPy |",
        "| --- | --- | --- |",
        "| a |  | 2 |",
        "| b | 1 |  |",
    ]


def test_scipy_is_named_for_functions_of_vectors_as_well() -> None:
    assert REGISTRY["softmax"].spec.peers["scipy"].path == "scipy.special.softmax"


# --- the code that the book shows in tabs, by library, and does not run itself

CHAPTERS = Path(__file__).parent.parent / "chapters"
TABS = {"NumPy": "numpy", "TensorFlow": "tensorflow", "PyTorch": "torch", "JAX": "jax"}
SAYS = re.compile(r"^print\(.*\)  # ([^\s,]+)", re.MULTILINE)
SLOW = {"TensorFlow": pytest.mark.deep}  # to import and to compile


def in_tabs() -> Iterator[Any]:
    """Every piece of code in a tab: it stands alone, and a comment says what each print prints."""
    for path in sorted(CHAPTERS.glob("*.ipynb")):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
        found = re.findall(r"^:::\{tab-item\} (.*)\n```python\n((?s:.*?))^```$", text, re.MULTILINE)
        assert len(found) == text.count("{tab-item}"), f"{path.stem}: a tab with other content"
        yield from (
            pytest.param(code, id=f"{path.stem}-{label}", marks=SLOW.get(label, ()))
            for label, code in found
            if importlib.util.find_spec(TABS[label])
        )


@pytest.mark.parametrize("code", list(in_tabs()))
def test_code_in_a_tab_prints_what_it_says(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(code, "tab", "exec"), {})
    assert_said(capsys.readouterr().out, code)


def assert_said(printed: str, code: str) -> None:
    """A share in percent may be off by a point, where training went another way; others may not."""
    lines, said = printed.split(), SAYS.findall(code)
    assert len(lines) == len(said) > 0
    for got, words in zip(lines, said, strict=True):
        room = {"abs": 1} if words.endswith("%") else {"rel": 0.05}
        assert got.endswith("%") == words.endswith("%")
        assert float(got.strip("%")) == pytest.approx(float(words.strip("%")), **room)


@pytest.mark.parametrize("printed", ["95.4%\n", "0.969\n", "", "96.9%\n96.9%\n"])
def test_code_that_prints_something_else_is_noticed(printed: str) -> None:
    with pytest.raises(AssertionError):
        assert_said(printed, 'print(f"{right.mean():.1%}")  # 96.9%')
