"""Run notebooks of the book and store what they print: notebooks.py [NAME...], default all."""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from tools.environment import our_own
from tools.hosted import CHAPTERS, address, make_hosted

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
