"""How the cells of the book's notebooks are shown: the rules, and what breaks them.

Each rule takes the cells of a notebook and tells what is wrong, cell by cell.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Any

WIDTH = 76  # characters that fit into a page of the book on a desktop
_BLANK = "%"  # IPython's own commands, which Python cannot read
_PADDED = re.compile(r"[<>^=]|^[+\- ]?z?#?0?\d")  # a format with a width


def tags(cell: Any) -> set[str]:
    return set(cell.metadata.get("tags", []))


def shown(cells: list[Any]) -> list[Any]:
    """The code cells that readers can see, open or folded."""
    return [c for c in cells if c.cell_type == "code" and "remove-cell" not in tags(c)]


def open_cells(cells: list[Any]) -> list[Any]:
    """The cells whose code is read: not the setup, and not how a figure is drawn."""
    return [c for c in shown(cells)[1:] if not tags(c) & {"hide-input", "remove-input"}]


def texts(cell: Any) -> Iterator[str]:
    """What a cell shows as text."""
    if "remove-output" in tags(cell):
        return
    for output in cell.outputs:
        if output.output_type == "stream":
            yield output.text
        elif "text/html" in output.get("data", {}):
            yield re.sub("<.*?>", " ", output.data["text/html"])
        elif not is_figure(output):
            data = output.get("data", {})
            yield data.get("text/markdown") or data.get("text/plain", "")


def is_figure(output: Any) -> bool:
    return any(kind.startswith("image/") for kind in output.get("data", {}))


def _parsed(cell: Any) -> ast.Module:
    lines = cell.source.splitlines()
    return ast.parse("\n".join(line for line in lines if not line.lstrip().startswith(_BLANK)))


def _asserts(cell: Any) -> bool:
    return any(isinstance(node, ast.Assert) for node in ast.walk(_parsed(cell)))


def setup(cells: list[Any]) -> Iterator[str]:
    """Imports and settings stand in the first cell, which is folded."""
    first, *_ = shown(cells)
    if "hide-cell" not in tags(first):
        yield f"{first.id}: the first cell is not folded as the setup (hide-cell)"
    for cell in open_cells(cells):
        lines = _parsed(cell).body
        if lines and all(isinstance(line, ast.Import | ast.ImportFrom) for line in lines):
            yield f"{cell.id}: imports that belong into the setup"


def plots(cells: list[Any]) -> Iterator[str]:
    """The code that draws a figure is folded below it."""
    for cell in open_cells(cells):
        if any(map(is_figure, cell.outputs)):
            yield f"{cell.id}: the code of a figure is not folded (hide-input)"


def checks(cells: list[Any]) -> Iterator[str]:
    """What only checks is removed from the page, and what is removed checks something."""
    for cell in cells:
        if cell.cell_type != "code" or cell.id == "install":  # see tools/hosted.py
            continue
        if _asserts(cell) and "remove-cell" not in tags(cell):
            yield f"{cell.id}: an assert that readers see (remove-cell)"
        if "remove-cell" in tags(cell) and not _asserts(cell):
            yield f"{cell.id}: removed from the page, and asserts nothing"


def truths(cells: list[Any]) -> Iterator[str]:
    """A result is a number, a picture or a table, never True or False."""
    for cell in shown(cells):
        for line in "\n".join(texts(cell)).splitlines():
            if re.search(r"(?<!=)\b(True|False)\b", line):  # an argument is no result
                yield f"{cell.id}: shows {line.strip()!r}"


def predictions(cells: list[Any]) -> Iterator[str]:
    """What a reader is asked to predict is hidden until it is asked for."""
    asked = False
    for cell in cells:
        if cell.cell_type == "markdown":
            asked |= bool(re.search(r"\*\*Predict,\s+then\s+run", cell.source))
        elif asked and cell in shown(cells) and cell.outputs:
            asked = False
            if "hide-output" not in tags(cell):
                yield f"{cell.id}: tells what is to be predicted (hide-output)"


def ignored(cells: list[Any]) -> Iterator[str]:
    """What may differ between two runs is checked by a hidden cell right behind it."""
    code = [cell for cell in cells if cell.cell_type == "code"]
    for cell, following in zip(code, [*code[1:], None], strict=True):
        if "nbval-ignore-output" in tags(cell) and not _is_check(following):
            yield f"{cell.id}: not compared, and no hidden check follows (remove-cell)"


def _is_check(cell: Any) -> bool:
    return cell is not None and "remove-cell" in tags(cell) and _asserts(cell)


def width(cells: list[Any]) -> Iterator[str]:
    """Code that is read fits on the page."""
    for cell in open_cells(cells):
        for line in cell.source.splitlines():
            if len(line) > WIDTH:
                yield f"{cell.id}: {len(line)} characters, at most {WIDTH}: {line.strip()!r}"


def tables(cells: list[Any]) -> Iterator[str]:
    """A table is one, and not columns that ``print`` pads."""
    for cell in open_cells(cells):
        for node in ast.walk(_parsed(cell)):
            if isinstance(node, ast.FormattedValue) and node.format_spec:
                spec = "".join(
                    str(part.value) if isinstance(part, ast.Constant) else "0"
                    for part in node.format_spec.values  # type: ignore[attr-defined]
                )
                if _PADDED.search(spec):
                    yield f"{cell.id}: pads what it prints, {ast.unparse(node)!r}"


RULES: dict[str, Callable[[list[Any]], Iterator[str]]] = {
    rule.__name__: rule
    for rule in (setup, plots, checks, truths, predictions, ignored, width, tables)
}


def broken(cells: list[Any]) -> dict[str, list[str]]:
    """The rules that cells break, each with what breaks it."""
    found = {name: list(rule(cells)) for name, rule in RULES.items()}
    return {name: faults for name, faults in found.items() if faults}
