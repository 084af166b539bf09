"""That the notebooks find what they need where others host them: on Colab and on Binder."""

import re
import subprocess
import sys
import tomllib
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import packages_distributions
from pathlib import Path
from threading import Thread

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from packaging.requirements import Requirement

from tools.notebooks import INSTALL, address, make_hosted, requirement

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


def test_install_cell_installs_from_the_address(served, tmp_path):
    (asked,) = re.findall(
        r"%pip install .*\"(.*)\"", INSTALL.format(requirement=requirement(served))
    )
    assert Requirement(asked).url == f"git+{served}", "a bare name would be somebody else's package"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    command += ["--no-build-isolation", "--target", str(tmp_path / "target"), asked]
    subprocess.run(command, check=True)
    assert (tmp_path / "target/actlib/__init__.py").exists()


BINDER = ROOT / ".binder"
GIVEN = {"actlib", "IPython", "keras"}  # IPython comes with the server, keras with TensorFlow
PROVIDERS = packages_distributions()


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
        assert installed & {name.replace("_", "-") for name in PROVIDERS[module]}, module
