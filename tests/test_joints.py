"""The instrument of units that add up to a curve: its fits are those of NumPy."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from actlib import REGISTRY
from website.instruments import joints
from website.javascript import run

RNG = np.random.default_rng(2)
KINDS = [*joints.UNITS, "powers"]
EVEN = [(np.arange(units) / units).tolist() for units in (1, 2, 5, 16)]
MOVED = [RNG.uniform(size=7).round(3).tolist(), [0.25, 0.25, 0.7], [0.0, 1.0]]


def source() -> str:
    return joints.INSTRUMENT.scripts()["joints.js"]


@pytest.fixture(scope="module")
def fits() -> Any:
    """The fits of all kinds to all curves with all joints, by the page's own functions."""
    script = source().rpartition("startAll(")[0]
    return run(f"""{script}
        const {{ curves }} = {json.dumps(joints.table())};
        const x = curves.wave.map((_, i, all) => i / (all.length - 1));
        const all = {json.dumps(EVEN + MOVED)}.map((places) => Object.fromEntries(
          Object.entries(curves).map(([curve, target]) => [curve, Object.fromEntries(
            {json.dumps(KINDS)}.map((kind) => [kind, fitted(kind, places, x, target)]))])));
        console.log(JSON.stringify(all)); }}""")


def columns(kind: str, places: list[float]) -> np.ndarray:
    if kind == "powers":
        return np.polynomial.legendre.legvander(2 * joints.X - 1, len(places))
    z = len(places) * (joints.X[:, None] - np.array(places))
    return np.column_stack([np.ones_like(joints.X), REGISTRY[kind](z)])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("curve", joints.TARGETS)
def test_the_sum_is_the_best_one(kind: str, curve: str, fits: Any) -> None:
    target = np.array(joints.table()["curves"][curve])
    for places, found in zip(EVEN + MOVED, fits, strict=True):
        shown = found[curve][kind]
        matrix = columns(kind, places)
        best = matrix @ np.linalg.lstsq(matrix, target)[0]
        np.testing.assert_allclose(shown["sum"], best, rtol=0, atol=1e-7)
        rest = target - best
        assert shown["typical"] == pytest.approx(np.sqrt(np.mean(rest**2)), abs=1e-8)
        assert shown["most"] == pytest.approx(np.abs(rest).max(), abs=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_units_and_a_constant_are_the_sum(kind: str, fits: Any) -> None:
    for found in fits:
        shown = found["bump"][kind]
        constant = np.array(shown["sum"]) - np.sum(shown["units"], axis=0)
        assert np.ptp(constant) < 1e-6 * max(1, np.abs(shown["units"]).max())


def test_each_joint_is_where_its_unit_bends(fits: Any) -> None:
    places, found = MOVED[0], fits[len(EVEN)]["wave"]["relu"]
    for place, values in zip(places, found["units"], strict=True):
        assert not np.array(values)[place > joints.X].any()


def test_the_still_picture_says_how_far_off_it_is(fits: Any) -> None:
    drawing, words = joints.still()
    assert drawing.startswith("<svg")
    typical = fits[2]["wave"]["relu"]["typical"]
    assert f"by {typical:.2g}" in words
