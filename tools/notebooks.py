"""Run notebooks of the book and store what they print: notebooks.py [NAME...], default all."""

import sys
from pathlib import Path

import nbformat
import yaml
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat.v4 import new_code_cell

from actlib._core.extras import PUBLISHED
from tools.environment import our_own

CHAPTERS = Path(__file__).resolve().parent.parent / "chapters"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    # Without the version, so that a rerun under another Python changes nothing.
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}

INSTALL = """\
import importlib.util

if importlib.util.find_spec("actlib") is None:  # on a hosted machine
    %pip install --quiet "{requirement}"
"""


def address() -> str:
    """The public address of the repository, empty as long as there is none."""
    config = yaml.safe_load((CHAPTERS.parent / "_config.yml").read_text("utf-8"))
    return str(config["repository"]["url"])


def requirement(address: str) -> str:
    """What a hosted notebook installs: from the address as long as the package is not published."""
    return f"{PUBLISHED or 'actlib'}[check,plot,study]" + ("" if PUBLISHED else f" @ git+{address}")


def make_hosted(notebook: nbformat.NotebookNode, address: str) -> None:
    """Have a notebook install actlib where it is opened without it, once that has an address."""
    notebook.cells = [cell for cell in notebook.cells if cell.id != "install"]
    if address:
        source = INSTALL.format(requirement=requirement(address)).strip()
        cell = new_code_cell(source, id="install")
        cell.metadata.tags = ["remove-cell"]
        notebook.cells.insert(1, cell)  # after the title


def run(path: Path) -> str | None:
    """Execute the notebook in place; on failure leave the file alone and say what failed."""
    notebook = nbformat.read(path, as_version=4)
    make_hosted(notebook, address())
    if failure := execute(notebook):
        return f"{path.name}, {failure}"
    kept = {key: notebook.metadata[key] for key in ("builds_on",) if key in notebook.metadata}
    notebook.metadata = METADATA | kept
    nbformat.write(notebook, path)
    return None


def execute(notebook: nbformat.NotebookNode) -> str | None:
    """Run its cells, where the book's notebooks are, and say what failed."""
    started = 0

    def count(cell: nbformat.NotebookNode, cell_index: int) -> None:
        nonlocal started
        started = cell_index + 1

    client = NotebookClient(
        notebook,
        kernel_name="python3",
        on_cell_start=count,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(CHAPTERS)}},
        timeout=4 * 3600,  # a study that has no results yet takes its time
        extra_arguments=["--log-level=ERROR"],
    )
    try:
        with our_own():
            client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        return f"cell {started}: {error}"
    return None


def main(names: list[str]) -> int:
    """Run the named notebooks, or all; return the number that failed."""
    paths = [CHAPTERS / Path(name).with_suffix(".ipynb").name for name in names]
    failures = 0
    for path in paths or sorted(CHAPTERS.glob("*.ipynb")):
        print(path.name, end=" ", flush=True)
        failure = run(path) if path.exists() else f"{path} does not exist"
        print("failed" if failure else "done", flush=True)
        if failure:
            print(failure, file=sys.stderr, flush=True)
            failures += 1
    return failures


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) > 0)
