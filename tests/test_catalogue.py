"""The catalogue, page by page: an activation is declared, and nothing else is needed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import contract
import nbformat
import pytest

import actlib
from actlib import REGISTRY
from actlib._core.declare import activation, derivative
from actlib._core.spec import Peer
from actlib.book.catalogue import entry, families, index
from actlib.book.tables import recorded

CHAPTERS = Path(__file__).parent.parent / "chapters"


@pytest.fixture
def planted() -> Iterator[Any]:
    """An activation that is declared on the fly."""

    @activation(
        formula=r"\frac{|z| + z}{2}",
        exact=lambda m, z: m.max(z, 0),
        cite="bliss1934method",
        year=1934,
        family="Planted",
        limits=(0, float("inf")),
        range=(0, float("inf")),
        kinks=(0.0,),
        peers={
            "tensorflow": Peer("tf.nn.planted"),
            "jax": Peer("jax.nn.planted", {"least": 0}, note="its default is 1"),
        },
    )
    def planted_for_test(xp: Any, z: Any) -> Any:
        """Planted."""
        return xp.maximum(z, 0)

    derivative(planted_for_test, limits=(0, 1))(lambda xp, z: xp.astype(z > 0, z.dtype))
    yield planted_for_test
    del REGISTRY["planted_for_test"]


def test_a_declaration_is_all_it_takes(planted: Any) -> None:
    name = "planted_for_test"
    assert REGISTRY[name] is planted
    assert [str(case) for case in contract.cases(planted)] == [name, f"{name}.grad"]
    assert families()["Planted"] == [name]
    assert (
        rf"| [`{name}`](#catalogue-planted_for_test) | $\frac{{\vert z\vert  + z}}{{2}}$ | 0 and ∞"
        " |  |  | 1934 | {cite:p}`bliss1934method` |"
    ) in index().splitlines()
    lines = entry(name).splitlines()
    assert r"\frac{|z| + z}{2}" in lines
    assert "- Kinks: at 0." in lines
    assert "- Monotonic: yes." in lines
    assert "- Limits at −∞ and ∞: 0 and ∞." in lines
    described = f"Description: {{py:obj}}`actlib.{name}`."
    assert f"- Source: {{cite:t}}`bliss1934method`. {described}" in lines
    assert f"| actlib | `{name}(z)` | |" in lines
    assert "| TensorFlow | `tf.nn.planted` |  |" in lines
    assert "| PyTorch | none |  |" in lines
    assert "| JAX | `jax.nn.planted` | needs least=0, its default is 1 |" in lines


def test_the_largest_error_is_the_recorded_one(planted: Any) -> None:
    """Over the four dtypes, on NumPy; of what was never measured, nothing is said."""
    for name in REGISTRY.elementwise:
        worst = {}
        for of in ("value", "gradient"):
            errors = [
                (float(row["E"]), f"{float(row['E']):.2g}")
                for row in recorded("accuracy")
                if (row["library"], row["function"], row["of"]) == ("actlib", name, of)
            ]
            worst |= {of: max(errors)} if errors else {}
        said = re.search(r"- Largest error: .* is (\S+) in the value and (\S+) in", entry(name))
        assert (said.groups() if said else ()) == tuple(text for _, text in worst.values())
        [row] = [row for row in index().splitlines() if row.startswith(f"| [`{name}`]")]
        assert row.split(" | ")[-4].strip() == max(worst.values(), default=(0, ""))[1]


def test_the_time_is_the_recorded_one(planted: Any) -> None:
    """For ten million numbers in float32, in units of what the simplest function took."""
    for name, function in REGISTRY.items():
        found = []
        for of in ("value", "derivative" if function.spec.elementwise else "vjp"):
            took = {
                row["contender"]: float(row["ns"])
                for row in recorded("speed")
                if (row["function"], row["of"], row["dtype"], row["n"])
                == (name, of, "float32", "10000000")
            }
            found += [f"{took['actlib'] / took['np.maximum']:.1f}"] if took else []
        said = re.search(r"- Time: (\S+) times .* value and (\S+) times", entry(name))
        assert list(said.groups() if said else ()) == found
        assert len(found) == 0 if name == "planted_for_test" else len(found) in (0, 2)
        [row] = [row for row in index().splitlines() if row.startswith(f"| [`{name}`]")]
        assert row.split(" | ")[-3].strip() == (found[0] if found else "")


def test_a_root_and_parameters_are_told() -> None:
    assert "- Monotonic: no; its derivative changes its sign at -1.27846." in entry("silu")
    assert "| actlib | `prelu(z, alpha=0.25)` | |" in entry("prelu")
    assert "- Kinks: none, it is smooth." in entry("tanh")
    assert "| actlib | `softmax(z, axis=-1)` | |" in entry("softmax")
    assert "Kinks" not in entry("reglu")


@pytest.mark.parametrize("name", REGISTRY)
def test_the_index_shows_every_activation(name: str) -> None:
    """As it is stored: who declares an activation runs the page again."""
    notebook = nbformat.read(CHAPTERS / "catalogue.ipynb", as_version=4)
    shown = [
        output.data["text/markdown"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "text/markdown" in output.get("data", {})
    ]
    assert index() in shown, "run: make notebooks NAMES=catalogue"
    assert [name in names for names in families().values()].count(True) == 1


def test_the_api_pages_name_no_private_module() -> None:
    for page in (CHAPTERS / "api").iterdir():
        assert not re.search(r"actlib\._|\._core", page.read_text()), page.name


def test_the_api_page_shows_what_is_declared_and_public(tmp_path: Path) -> None:
    """Its block on activations, built with one more in a family and in that family's `__all__`."""
    block = re.search(
        r"\.\. automodule:: actlib\n +:members:\n", (CHAPTERS / "api/actlib.md").read_text()
    )
    assert block
    (tmp_path / "index.rst").write_text(f"Page\n====\n\n{block[0]}")
    (tmp_path / "conf.py").write_text(
        dedent(
            """
            import actlib
            from actlib._core.declare import activation

            def planted_for_test(xp, z):
                "Planted: what the page is to show."
                return z

            planted_for_test.__module__ = "actlib.functions.smooth"
            actlib.planted_for_test = activation(
                formula="z",
                exact=None,
                family="Planted",
                cite="bliss1934method",
                year=1934,
                limits=(0, 1),
                range=(0, 1),
            )(planted_for_test)
            actlib.__all__.append("planted_for_test")
            extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon"]
            """
        )
    )
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-b", "text", tmp_path, tmp_path / "out"],
        capture_output=True,
        text=True,
        cwd=CHAPTERS.parent,
        env={**os.environ, "PYTHONPATH": str(CHAPTERS.parent)},
    )
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "out" / "index.txt").read_text()
    for name in (*actlib.REGISTRY, "planted_for_test"):
        assert re.search(rf"^actlib\.{name}\(", page, re.MULTILINE), name
    assert "Planted: what the page is to show." in page
