"""Imports go down only: the drawing in ARCHITECTURE.md, held against the imports themselves."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "actlib"
Graph = dict[str, set[str]]


def floors() -> list[list[str]]:
    """The rooms by floor, the lowest first, as they are drawn."""
    drawing = re.search(r"```text\n(.*?)```", (ROOT / "ARCHITECTURE.md").read_text(), re.DOTALL)
    assert drawing
    return [re.split(r" {3,}", line)[0].split() for line in reversed(drawing[1].splitlines())]


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports() -> Graph:
    """What each module imports of the package: anywhere in it, also late or for types alone."""
    known = modules()
    graph: Graph = {}
    for name, path in known.items():
        graph[name] = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                asked = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                assert node.level == 0, f"{name} has a relative import"
                asked = [
                    inner if (inner := f"{node.module}.{alias.name}") in known else node.module
                    for alias in node.names
                ]
            else:
                continue
            graph[name] |= {module for module in asked if module in known and module != name}
    return graph


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else module


def problems(graph: Graph, drawn: list[list[str]]) -> Iterable[str]:
    """Circles, arrows upwards, and arrows from a room to its neighbour."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield f"circle: {' -> '.join(error.args[1])}"
    height = {name: number for number, floor in enumerate(drawn) for name in floor}
    for module, used in sorted(graph.items()):
        for other in sorted(used):
            ours, theirs = room(module), room(other)
            if ours != theirs and height[theirs] >= height[ours]:
                yield f"up or sideways: {module} -> {other}"


def test_imports_go_down() -> None:
    assert list(problems(imports(), floors())) == []


def test_every_room_is_drawn() -> None:
    assert sorted(name for floor in floors() for name in floor) == sorted(
        {room(module) for module in modules()}
    )


def test_no_tool_imports_the_figure_of_another() -> None:
    for module, used in imports().items():
        for other in used:
            if other.endswith(".figure"):
                assert room(module) == room(other), f"{module} imports {other}"


def test_no_two_files_have_one_name() -> None:
    """Unless they do the same for two tools."""
    folders = ("actlib", "website", "benchmarks", "tools", "tests")
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    counts = Counter(path.name for path in paths if "node_modules" not in path.parts)
    assert {name for name, count in counts.items() if count > 1} == {
        "__init__.py",
        "conftest.py",
        "figure.py",
        "report.py",
    }


def test_the_checks_find_a_circle_and_an_arrow_upwards() -> None:
    drawn = [["low"], ["high", "beside"]]
    assert not list(problems({"a.high": {"a.low"}, "a.low": set()}, drawn))
    assert list(problems({"a.low": {"a.high"}, "a.high": set()}, drawn))
    assert list(problems({"a.high": {"a.beside"}, "a.beside": set()}, drawn))
    found = list(problems({"a.low.x": {"a.low.y"}, "a.low.y": {"a.low.x"}}, drawn))
    assert found
    assert found[0].startswith("circle: ")
