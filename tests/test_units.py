"""The instrument of recorded trainings: what it shows is what the package counts and says."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest

from actlib.health import turnover
from tools import recording
from website.instruments import units
from website.javascript import run

STORED = {name: json.loads(recording.path(name).read_text()) for name in recording.RECORDINGS}


def source() -> str:
    return units.INSTRUMENT.scripts()["units.js"]


@pytest.fixture(scope="module")
def seen() -> Any:
    """What the page's own functions make of each epoch of each recording."""
    return run(f"""{source().rpartition("startAll(")[0]}
        const found = Object.entries({json.dumps(units.table())}).map(([name, run]) =>
          [name, run.right.map((_, epoch) => seen(run, epoch))]);
        console.log(JSON.stringify(Object.fromEntries(found))); }}""")


@pytest.mark.parametrize(
    "name",
    ["low", *(pytest.param(n, marks=pytest.mark.deep) for n in ("fast", "gentle", "low_leak"))],
)
def test_the_first_epochs_are_recorded_anew(name: str) -> None:
    """To the last count: rounding errors have not grown enough by then to move a number."""
    anew, stored = recording.record(recording.RECORDINGS[name], epochs=2), STORED[name]
    assert anew["right"] == stored["right"][:3]
    for fresh, layer in zip(anew["layers"], stored["layers"], strict=True):
        for key in ("states", "bars", "died", "back"):
            assert fresh[key] == layer[key][:3], key
    for epoch in range(3):
        assert units.report(anew, epoch) == units.report(stored, epoch)
    assert {
        key: anew[key] for key in ("images", "tested", "setting", "edges")
    }.items() <= stored.items()


@pytest.mark.parametrize("name", recording.RECORDINGS)
def test_numbers_are_those_of_the_states(name: str, seen: Any) -> None:
    stored = STORED[name]
    assert len(seen[name]) == len(stored["right"]) == recording.EPOCHS + 1
    for number, layer in enumerate(stored["layers"]):
        dead = np.array([list(states) for states in layer["states"]]) == "2"
        died, back = turnover(dead)
        died[0] = 0  # those were dead from the start
        for epoch, now in enumerate(seen[name]):
            shown = now["layers"][number]
            assert (shown["died"], shown["back"]) == (died[epoch], back[epoch])
            assert shown["dead"] == dead[epoch].sum()
            assert sum(shown[mark] for mark in units.MARKS) == 32
            assert sum(shown["bars"]) == 32 * stored["images"]
    for epoch, now in enumerate(seen[name]):
        assert now["right"] == stored["right"][epoch] / stored["tested"]
        assert now["dead"] == sum(layer["dead"] for layer in now["layers"])
        assert now["report"] == units.report(stored, epoch)


@pytest.mark.parametrize("name", recording.RECORDINGS)
def test_the_report_counts_what_the_tiles_show(name: str, seen: Any) -> None:
    for now in seen[name]:
        for mark in ("dead", "saturated"):
            counts = {
                f"hidden_{number}": layer[mark]
                for number, layer in enumerate(now["layers"], start=1)
                if layer[mark]
            }
            line = "".join(
                line for line in now["report"] if line.startswith(f"{mark.title()} units")
            )
            told = {
                layer: int(count) for layer, count in re.findall(r"(\w+) \((\d+) of 32\)", line)
            }
            assert told == counts


def test_units_die_and_come_back_as_the_page_says(seen: Any) -> None:
    fast, gentle, low, leak = (seen[name] for name in ("fast", "gentle", "low", "low_leak"))
    assert (fast[12]["dead"], round(100 * fast[12]["right"])) == (19, 95)
    assert (fast[40]["dead"], round(100 * fast[40]["right"])) == (54, 20)
    for runs in (gentle, low, leak):
        assert runs[40]["right"] > 0.95
    died, back = (
        sum(layer[key] for now in fast for layer in now["layers"]) for key in ("died", "back")
    )
    assert died - back == 54
    assert back > 50
    assert max(now["dead"] for now in low) == low[2]["dead"] == 17
    assert not any(now["dead"] for now in gentle + leak)
    assert not any(now["layers"][0]["dead"] for runs in seen.values() for now in runs)


def test_bars_end_at_whole_numbers() -> None:
    bars = recording.histogram(np.array([-12.5, -12.0, -11.9, -0.5, 0.0, 0.1, 12.0, 12.1, 99.0]))
    assert len(bars) == len(recording.EDGES) + 1
    assert {i: count for i, count in enumerate(bars) if count} == {
        0: 2,
        1: 1,
        12: 2,
        13: 1,
        24: 1,
        25: 2,
    }


def test_recordings_are_small() -> None:
    for name in STORED:
        assert recording.path(name).stat().st_size < 30_000
    assert [path.stem for path in units.FILES] == [f"units_{name}" for name in sorted(STORED)]


def test_the_still_picture_has_the_counts(seen: Any) -> None:
    drawing, words = units.still()
    assert drawing.startswith("<svg")
    assert len(drawing) < 60_000
    for epoch in units.STILL:
        now = seen["fast"][epoch]
        counts = ", ".join(
            f"{layer['dead']} in layer {i}" for i, layer in enumerate(now["layers"], 1)
        )
        assert (
            f"epoch {epoch}: {now['right']:.0%} of the test images right, dead {counts}." in words
        )
