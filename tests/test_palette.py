"""Each function has a colour and dashes of its own, for every eye and on both grounds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import pytest
from colours import apart, contrast, difference

from actlib import REGISTRY
from actlib.palette import DRAWN_TOGETHER, GREY, INKS, Line, line

GROUNDS = ("#ffffff", "#121212", "#14181e", "#222832")


def problems(lines: Sequence[Line]) -> Iterator[str]:
    """What is wrong with lines that are drawn together."""
    for one in lines:
        if min(contrast(one.color, ground) for ground in GROUNDS) < 3:
            yield f"{one.color} is too near to the ground"
    for one, other in combinations(lines, 2):
        least = 18 if one.dashes == other.dashes else 9
        if apart(one.color, other.color) < least:
            yield f"{one.color} and {other.color} look alike"


def test_functions_that_are_drawn_together_look_different() -> None:
    lines = [line(name) for name in DRAWN_TOGETHER]
    assert list(problems([*lines, Line(GREY, (1, 9))])) == []
    assert {drawn.color for drawn in lines} == {ink for pair in INKS for ink in pair}


@pytest.mark.parametrize(
    ("planted", "problem"),
    [
        (Line("#0a2a6b", (1, 9)), "#0a2a6b is too near to the ground"),
        (Line("#f0e442", (1, 9)), "#f0e442 is too near to the ground"),
        (Line("#8a45e0", (1, 9)), "#2478c4 and #8a45e0 look alike"),  # without red cones
        (Line("#2a8a40", (1, 9)), "look alike"),
        (Line("#e07098", line("sigmoid").dashes), "#e85d12 and #e07098 look alike"),
    ],
)
def test_a_bad_colour_is_found(planted: Line, problem: str) -> None:
    lines = [line(name) for name in DRAWN_TOGETHER]
    assert any(problem in found for found in problems([*lines, planted]))


def test_every_function_has_a_line_of_its_own() -> None:
    lines = [line(name) for name in REGISTRY]
    assert len({*lines}) == len(lines)


def test_a_new_function_gets_the_next_line(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {name: line(name) for name in REGISTRY}
    monkeypatch.setitem(REGISTRY, "planted", REGISTRY["relu"])
    assert line("planted") not in before.values()
    assert {name: line(name) for name in before} == before


def test_a_function_that_is_not_there() -> None:
    with pytest.raises(KeyError, match="rleu"):
        line("rleu")


def test_as_css() -> None:
    assert line("relu").css() == "--ink: #e85d12; --dashes: none"
    assert line("tanh").css(2).endswith("--dashes: 8.0 3.2")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [  # of the table that Sharma, Wu and Dalal published to test programs with
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, -1.0, 2.0), (50, 0, 0), 2.3669),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_differences_are_those_that_were_published(one, other, expected) -> None:
    assert difference(np.array(one), np.array(other)) == pytest.approx(expected, abs=1e-4)
