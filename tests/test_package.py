"""What a user installs: its size, its cost at import, its public names."""

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from packaging.requirements import Requirement

import actlib
from tools.release import problems, unmeasured

ROOT = Path(__file__).parent.parent
HEAVY = {"scipy", "array_api_compat", "tensorflow", "matplotlib", "sympy", "mpmath", "numpy.ma"}


def run(*command: object, **options: object) -> str:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_public_names() -> None:
    """The registry, what is in it, two aliases, the types: nothing else, nothing forgotten."""
    aliases = {"parametric_relu", "hard_swish"}
    types = {"Activation", "AxisFunction", "GatedUnit", "Param", "Peer", "Spec"}
    assert set(actlib.__all__) == {"REGISTRY", *aliases, *types, *actlib.REGISTRY}
    assert len(set(actlib.__all__)) == len(actlib.__all__)
    assert all(hasattr(actlib, name) for name in actlib.__all__)
    assert actlib.parametric_relu is actlib.prelu
    assert actlib.hard_swish is actlib.hard_silu
    assert actlib.__version__ == importlib.metadata.version("actlib")


def test_a_release_needs_version_citation_and_changelog_to_agree(tmp_path: Path) -> None:
    assert problems(ROOT) == []
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text()
    (tmp_path / "actlib").mkdir()
    (tmp_path / "actlib/__init__.py").write_text('__version__ = "1.2.0"\n')
    (tmp_path / "CITATION.cff").write_text("version: 1.2.0\n")
    (tmp_path / "CHANGELOG.md").write_text("## [Unreleased]\n\n## [1.2.0] - 2027-01-31\n")
    assert problems(tmp_path, "v1.2.0") == []
    assert problems(tmp_path, "v1.3.0") == ["the tag is v1.3.0, but the version is 1.2.0"]
    (tmp_path / "CHANGELOG.md").write_text("## [Unreleased]\n\n## [1.2.0]\n")
    (tmp_path / "CITATION.cff").write_text("version: 1.1.0\n")
    assert [found.split()[0] for found in problems(tmp_path, "v1.2.0")] == [
        "CITATION.cff",
        "CHANGELOG.md",
    ]


def test_a_release_needs_every_function_to_be_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [name for name in unmeasured() if "relu is" in name] == []
    monkeypatch.setitem(actlib.REGISTRY, "planted_for_test", actlib.relu)
    assert unmeasured() == [
        "planted_for_test is not measured: make peers",
        "planted_for_test is not measured: make bench STORE=yes",
    ]


def test_import_loads_nothing_heavy() -> None:
    code = """
import sys, numpy
before = set(sys.modules)
import actlib
actlib.relu(numpy.ones(3)); actlib.prelu([1.0], [0.5]); actlib.gelu(1.0)
print(*sorted(set(sys.modules) - before))
"""
    loaded = set(run(sys.executable, "-c", code).split())
    assert "actlib" in loaded
    assert not loaded & HEAVY, loaded & HEAVY


def test_pandas_and_other_arrays() -> None:
    got = actlib.relu(pd.Series([1.0, -2.0]))
    assert type(got) is np.ndarray
    assert got.tolist() == [1.0, 0.0]
    assert type(actlib.relu(np.ones(2).view(np.recarray))) is np.ndarray
    with pytest.raises(TypeError, match="relu: z has dtype object"):
        actlib.relu(pd.Series([1.0, None], dtype=object))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT)
    return out


@pytest.mark.deep
def test_wheel_holds_the_package_alone(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert tops == {"actlib", f"actlib-{actlib.__version__}.dist-info"}
    assert "actlib/py.typed" in names
    ours = [name for name in names if name.startswith("actlib/")]
    assert {Path(name).suffix for name in ours} == {".py", ".typed", ".csv", ".html", ".css", ".js"}
    assert {"actlib/book/accuracy.csv", "actlib/book/conventions.csv"} <= set(ours)


@pytest.mark.deep
def test_sdist_holds_what_is_needed_and_no_debris(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    assert {
        "pyproject.toml",
        "LICENSE",
        "README.md",
        "Makefile",
        "tests/contract.py",
        "website/maths.py",
    } <= {*names}
    debris = re.compile(r"(__pycache__|_build/|\.venv|node_modules|\.ipynb_checkpoints|\.coverage)")
    assert not [name for name in names if debris.search(name)]


def requirements(distribution: str) -> set[str]:
    """The distributions that this one needs when it runs, and those that they need."""
    found: set[str] = set()
    todo = [distribution]
    while todo:
        for requirement in map(Requirement, importlib.metadata.requires(todo.pop()) or []):
            wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if wanted and requirement.name not in found:
                found.add(requirement.name)
                todo.append(requirement.name)
    return found


@pytest.mark.deep
@pytest.mark.parametrize("pattern", ["*.whl", "*.tar.gz"])
def test_installs_with_the_runtime_dependencies_alone(
    built: Path, pattern: str, tmp_path: Path
) -> None:
    """In an environment that has those and, for the sdist, what builds it."""
    run(sys.executable, "-m", "venv", tmp_path)
    python = tmp_path / "bin" / "python"
    site = Path(run(python, "-c", "import site; print(site.getsitepackages()[0])").strip())
    needed = requirements("actlib")
    assert needed == {"numpy", "array-api-compat"}
    if pattern == "*.tar.gz":
        needed |= {"hatchling", *requirements("hatchling")}
    for name in needed:
        distribution = importlib.metadata.distribution(name)
        for top in {file.parts[0] for file in distribution.files or [] if ".." not in file.parts}:
            if not (site / top).exists():
                (site / top).symlink_to(Path(distribution.locate_file(top)))
    (package,) = built.glob(pattern)
    offline = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PYTHONPATH": ""}
    run(python, "-m", "pip", "install", "--no-build-isolation", package, env=offline)
    run(python, "-m", "pip", "check", env=offline)
    code = """
import json, sys, actlib
from pathlib import Path
assert Path(actlib.__file__).is_relative_to(sys.prefix)
print(json.dumps({n: float(f.grad(0.5)) for n, f in actlib.REGISTRY.elementwise.items()}))
"""
    slopes = json.loads(run(python, "-c", code, cwd=tmp_path))
    assert slopes == {name: float(f.grad(0.5)) for name, f in actlib.REGISTRY.elementwise.items()}
