"""Notebooks where others open them: what they install first, and what they have with them."""

from __future__ import annotations

import ast
import io
import json
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import nbformat
import yaml
from nbformat.v4 import new_code_cell

from actlib._core.extras import PUBLISHED, install_command

CHAPTERS = Path(__file__).resolve().parent.parent / "chapters"
DATA = {".bib", ".csv", ".jsonl"}

# What the import of a module needs beyond NumPy.
EXTRAS = {
    "check": {"actlib.check", "mpmath", "sympy"},
    "diagnose": {"actlib.diagnose", "actlib.diagnose.figure"},
    "fast": {"actlib.compiled", "numba"},
    "keras": {"actlib.keras", "keras", "tensorflow"},
    "plot": {"actlib.plots", "actlib.book.figure", "matplotlib"},
    "study": {"actlib.study", "pandas", "scipy", "sklearn"},
}

INSTALL = """\
import importlib.util

if importlib.util.find_spec("actlib") is None:  # on a hosted machine
    %pip install --quiet "{requirement}"
"""

FETCH = """
from pathlib import Path
from urllib.request import urlretrieve

for name in {names}:
    Path(name).parent.mkdir(exist_ok=True)
    if not Path(name).exists():
        urlretrieve(f"{address}/raw/{branch}/chapters/{{name}}", name)
"""


def repository() -> dict[str, str]:
    """The public address of the repository, empty as long as there is none, and the branch."""
    config = yaml.safe_load((CHAPTERS.parent / "_config.yml").read_text("utf-8"))
    return dict(config["repository"])


def address() -> str:
    return repository()["url"]


def requirement(address: str, extras: str) -> str:
    """What a hosted notebook installs: from the address as long as the package is not published."""
    name = (PUBLISHED or "actlib") + (f"[{extras}]" if extras else "")
    return name if PUBLISHED else f"{name} @ git+{address}"


def _nodes(notebook: nbformat.NotebookNode) -> Iterator[ast.AST]:
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.id != "install":
            lines = (line for line in cell.source.splitlines() if not line.startswith("%"))
            yield from ast.walk(ast.parse("\n".join(lines)))


def modules(notebook: nbformat.NotebookNode) -> set[str]:
    """The modules that a notebook imports, those of actlib by their full names."""
    names: set[str] = set()
    for node in _nodes(notebook):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names | {name.partition(".")[0] for name in names}


def extras(notebook: nbformat.NotebookNode) -> str:
    """What of actlib a notebook needs."""
    return ",".join(extra for extra, needing in EXTRAS.items() if modules(notebook) & needing)


def data(notebook: nbformat.NotebookNode) -> list[str]:
    """The files beside it that a notebook names; what stands in braces may be anything."""
    patterns = {_pattern(node) for node in _nodes(notebook)}
    patterns = {pattern for pattern in patterns if Path(pattern).suffix in DATA}
    files = (path for path in CHAPTERS.glob("**/*") if path.suffix in DATA)
    names = sorted(path.relative_to(CHAPTERS).as_posix() for path in files)
    return [
        name
        for name in names
        if any(fnmatch(name, pattern) or fnmatch(name, f"data/{pattern}") for pattern in patterns)
    ]


def _pattern(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_pattern(part) or "*" for part in node.values)
    return ""


def install_cell(notebook: nbformat.NotebookNode, address: str) -> nbformat.NotebookNode:
    """A first cell that has a notebook run where it is opened, or says what that takes."""
    needed = extras(notebook)
    if not address:
        source = (
            f"# In a copy of the repository, install what this needs: {install_command(needed)}"
        )
    else:
        source = INSTALL.format(requirement=requirement(address, needed))
        if names := data(notebook):
            branch = repository()["branch"]
            source += FETCH.format(names=json.dumps(names), address=address, branch=branch)
    return new_code_cell(source.strip(), id="install", metadata={"tags": ["remove-cell"]})


def make_hosted(notebook: nbformat.NotebookNode, address: str) -> None:
    """Have a notebook install actlib where it is opened without it, once that has an address."""
    notebook.cells = [cell for cell in notebook.cells if cell.id != "install"]
    if address:
        notebook.cells.insert(1, install_cell(notebook, address))  # after the title


def download(path: Path, address: str) -> tuple[str, bytes]:
    """The name and the content of what readers download: a notebook, zipped if it reads data."""
    notebook = nbformat.read(path, as_version=4)
    make_hosted(notebook, "")
    notebook.cells.insert(0, install_cell(notebook, address))
    text = nbformat.writes(notebook).encode()
    names = data(notebook)
    if not names:
        return path.name, text
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_entry(path.name), text)
        for name in names:
            archive.writestr(_entry(name), (CHAPTERS / name).read_bytes())
    return f"{path.stem}.zip", packed.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    """A file without a date, so that the same files make the same archive."""
    entry = zipfile.ZipInfo(name)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry
