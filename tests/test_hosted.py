"""That the notebooks find what they need where others host them: on Colab and on Binder."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import packages_distributions
from pathlib import Path
from threading import Thread

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from packaging.requirements import Requirement

from tools.hosted import INSTALL, address, data, download, extras, make_hosted, requirement

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "chapters").glob("*.ipynb"))
ADDRESS = "https://github.com/someone/somewhere"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_installs_from_the_address_that_there_is(path):
    stored = nbformat.read(path, as_version=4)
    sources = [cell.source for cell in stored.cells]
    make_hosted(stored, address())
    assert [cell.source for cell in stored.cells] == sources, "run: make notebooks"


def test_install_cell_comes_and_goes_with_the_address():
    notebook = new_notebook(cells=[new_markdown_cell("# Title"), new_code_cell("1 + 1")])
    before = [cell.source for cell in notebook.cells]
    make_hosted(notebook, ADDRESS)
    make_hosted(notebook, ADDRESS)
    assert len(notebook.cells) == 3
    assert ADDRESS in notebook.cells[1].source
    nbformat.validate(notebook)
    make_hosted(notebook, "")
    assert [cell.source for cell in notebook.cells] == before


@pytest.fixture
def served(tmp_path):
    """This very repository, at an address of the web."""
    bare = tmp_path / "actlib.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", ROOT, bare], check=True)
    subprocess.run(["git", "update-server-info"], cwd=bare, check=True)
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/actlib.git"
        server.shutdown()


@pytest.mark.deep
def test_install_cell_installs_from_the_address(served, tmp_path):
    (asked,) = re.findall(
        r"%pip install .*\"(.*)\"", INSTALL.format(requirement=requirement(served, "plot"))
    )
    assert Requirement(asked).url == f"git+{served}", "a bare name would be somebody else's package"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    command += ["--no-build-isolation", "--target", str(tmp_path / "target"), asked]
    subprocess.run(command, check=True)
    assert (tmp_path / "target/actlib/__init__.py").exists()


def dependencies(extra: str) -> set[str]:
    """All that an extra brings, and NumPy."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [Requirement(line) for line in project["optional-dependencies"].get(extra, [])]
    others = (dependencies(e) for r in needed if r.name == "actlib" for e in r.extras)
    return {"numpy"}.union((r.name for r in needed), *others)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_first_cell_of_a_download_installs_what_the_notebook_imports(path):
    chosen = extras(nbformat.read(path, as_version=4)).split(",")
    installed = set().union(*map(dependencies, chosen))
    for module in imported(path):
        assert installed & {name.replace("_", "-") for name in providers()[module]}, module


def unpacked(stem: str, folder: Path) -> Path:
    """The notebook that a reader has who downloads a chapter into an empty folder."""
    name, content = download(ROOT / f"chapters/{stem}.ipynb", "")
    (folder / name).write_bytes(content)
    if name.endswith(".zip"):
        shutil.unpack_archive(folder / name, folder)
    return folder / f"{stem}.ipynb"


@pytest.mark.parametrize(
    ("stem", "files"),
    [
        ("primer", set()),
        ("dying", {"data/dying.jsonl", "data/dying_rate.jsonl"}),  # by name
        ("depth", {"data/depths.csv"}),  # by Path("data", ...)
        ("learned_slope", {f"data/learned_slope_{d}.jsonl" for d in ("digits", "mnist1d")}),
        ("history", {"references.bib"}),
    ],
)
def test_download_has_the_data_with_it(stem, files, tmp_path):
    path = unpacked(stem, tmp_path)
    there = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    assert there - {f"{stem}.zip"} == {f"{stem}.ipynb", *files}
    assert download(ROOT / f"chapters/{stem}.ipynb", "") == download(
        ROOT / f"chapters/{stem}.ipynb", ""
    )
    first = nbformat.read(path, as_version=4).cells[0]
    assert re.fullmatch(r'# In a copy .*: pip install "\.\[[\w,]+\]"', first.source)


def test_hosted_notebook_fetches_its_data():
    notebook = nbformat.read(ROOT / "chapters/depth.ipynb", as_version=4)
    names = data(notebook)
    make_hosted(notebook, ADDRESS)
    assert f"for name in {json.dumps(names)}:" in notebook.cells[1].source
    assert f"{ADDRESS}/raw/main/chapters/{{name}}" in notebook.cells[1].source


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT]
    subprocess.run(command, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.mark.deep
@pytest.mark.parametrize("stem", ["primer", "dying", "math"])
def test_download_runs_in_an_empty_folder_of_a_new_environment(stem, wheel, tmp_path):
    """What its first cell names is installed, and nothing else of ours."""
    path = unpacked(stem, tmp_path)
    (wanted,) = re.findall(r"\[.*\]", nbformat.read(path, as_version=4).cells[0].source)
    uv = [Path(sys.executable).with_name("uv"), "--quiet"]
    python = tmp_path / "venv/bin/python"
    subprocess.run([*uv, "venv", "--python", sys.executable, tmp_path / "venv"], check=True)
    given = [f"actlib{wanted} @ {wheel.as_uri()}", "ipykernel", "nbclient"]
    subprocess.run([*uv, "pip", "install", "--python", python, *given], check=True)
    code = f"import nbformat, nbclient; nb = nbformat.read('{path.name}', 4); "
    code += "nbclient.NotebookClient(nb, kernel_name='python3').execute()"
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    subprocess.run([python, "-I", "-c", code], cwd=tmp_path, env=clean, check=True)


BINDER = ROOT / ".binder"
GIVEN = {"actlib", "IPython", "keras"}  # IPython comes with the server, keras with TensorFlow
providers = cache(packages_distributions)  # which reads the files of every package


def imported(path: Path) -> set[str]:
    """The modules that a notebook imports, Python's own and those given apart."""
    code = [c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    names = re.findall(r"^\s*(?:import|from) (\w+)", "\n".join(code), re.MULTILINE)
    return set(names) - sys.stdlib_module_names - GIVEN


def test_binder_has_a_python_that_the_locks_know():
    version = re.fullmatch(r"python-3\.(\d+)", (BINDER / "runtime.txt").read_text().strip())
    assert 11 <= int(version[1]) <= 13


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_binder_installs_what_a_notebook_imports(path):
    this, *others = (BINDER / "requirements.txt").read_text().splitlines()
    assert this == ".[all]"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    ours = sum(project["optional-dependencies"].values(), project["dependencies"])
    installed = {Requirement(line).name for line in [*ours, *others]}
    for module in imported(path):
        assert installed & {name.replace("_", "-") for name in providers()[module]}, module
