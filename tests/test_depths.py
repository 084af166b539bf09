"""The instrument of the page about depth: its numbers are the networks' and the theory's."""

from __future__ import annotations

import csv
import gzip
import json
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from markup import checked_data
from matplotlib.colors import to_hex
from sklearn.datasets import load_digits

from actlib import REGISTRY
from actlib.book import mean_field
from actlib.network import Network
from actlib.plots import STYLE
from actlib.study import interval
from website.instruments import depths

RNG = random.Random(5)
FOUND = depths.table()
SETTINGS = [
    (name, gain, width, depth)
    for name in FOUND["functions"]
    for gain in FOUND["gain"]
    for width in FOUND["width"]
    for depth in FOUND["depth"]
]
HE = 1.4142  # which is shown as 1.41


def decoded(coded: list[int]) -> np.ndarray:
    return np.cumsum(np.cumsum(coded)) / 1000


def read(found: Any, name: str, gain: float, width: int, depth: int) -> dict[str, np.ndarray]:
    """What the instrument shows of a setting."""
    variances, passed, expected, widths = found["functions"][name][found["gain"].index(gain)]
    measured, gradients, factors = widths[found["width"].index(width)]
    place = found["depth"].index(depth)
    before = decoded(passed)[:depth]
    return {
        "variance": decoded(measured)[:depth],
        "gradient": decoded(gradients[place]),
        "factor": np.array(factors[place]) / 1000,
        "variance by theory": decoded(variances)[:depth],
        "gradient by theory": before[-1] - before,
        "factor by theory": np.array(expected[place]) / 1000,
    }


def networks(name: str, gain: float, width: int, depth: int) -> dict[str, np.ndarray]:
    """The same from networks and quadrature, with nothing of what the page or the build does."""
    images, labels = load_digits(return_X_y=True)
    x = images[:64] / np.sqrt(np.mean(images[:64] ** 2, axis=1, keepdims=True))
    f, gain = REGISTRY[name], HE if gain == 1.41 else gain
    norms, variances = [], []
    for seed in range(20):
        network = Network([64, *[width] * depth, 10], f, gain=gain, seed=seed)
        norms.append([np.sqrt(np.sum(d**2)) for d in network.deltas(x, labels[:64])[:-1]])
        variances.append([np.mean(z**2) for z in network.forward(x)[1][:-1]])
    each = np.array(norms)
    q = mean_field.variances(f, 1.0, gain, depth)
    steps = [0.5 * np.log10(mean_field.chi(f, variance, gain)) for variance in q[:-1]]
    return {
        "variance": np.log10(variances).mean(axis=0),
        "gradient": np.log10(each / each[:, -1:]).mean(axis=0),
        "factor": np.array(interval((each[:, 0] / each[:, -1]) ** (1 / (depth - 1)))),
        "variance by theory": np.log10(q),
        "gradient by theory": np.array([sum(steps[layer:]) for layer in range(depth)]),
        "factor by theory": 10 ** np.mean(steps),
    }


def off(found: Any, setting: tuple[str, float, int, int]) -> dict[str, float]:
    """How far each part of what is shown is from what it should be."""
    shown, right = read(found, *setting), networks(*setting)
    return {part: float(np.abs(shown[part] - right[part]).max()) for part in right}


@pytest.mark.parametrize("setting", RNG.sample([s for s in SETTINGS if s[2] < 256], 12), ids=str)
def test_the_numbers_are_those_of_networks_and_theory(
    setting: tuple[str, float, int, int],
) -> None:
    for part, error in off(FOUND, setting).items():
        assert error <= 0.0011, part


@pytest.mark.parametrize(
    ("row", "part"), [("gradient", "gradient"), ("gradient", "factor"), ("variance", "variance")]
)
def test_a_number_that_is_off_is_seen(row: str, part: str, tmp_path: Path) -> None:
    with depths.DATA.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    setting = {"activation": "silu", "gain": "2.0", "width": "16", "depth": "20", "row": row}
    (wrong,) = [line for line in rows if setting.items() <= line.items()]
    column = "factor" if part == "factor" else "7"
    wrong[column] = str(float(wrong[column]) + 0.002)
    with (tmp_path / "wrong.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    errors = off(depths.table(tmp_path / "wrong.csv"), ("silu", 2.0, 16, 20))
    assert {name for name, error in errors.items() if error > 0.0011} == {part}


def test_a_theory_that_is_off_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    right = mean_field.chi
    monkeypatch.setattr(depths.mean_field, "chi", lambda *args: 1.01 * right(*args))
    found = depths.table()
    monkeypatch.undo()
    errors = off(found, ("tanh", 1.0, 16, 5))
    assert {name for name, error in errors.items() if error > 0.0011} == {
        "gradient by theory",
        "factor by theory",
    }


def test_the_whole_file_is_in_the_page() -> None:
    with depths.DATA.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(SETTINGS) + len(SETTINGS) // len(FOUND["depth"])
    for row in rows:
        gain = round(float(row["gain"]), 2)
        shown = read(FOUND, row["activation"], gain, int(row["width"]), int(row["depth"]))
        layers = [float(value) for key, value in row.items() if key.isdigit() and value]
        assert np.isfinite(layers).all()
        np.testing.assert_allclose(shown[row["row"]], layers, rtol=0, atol=1e-9)
        if row["row"] == "gradient":
            bounds = [float(row[key]) for key in ("factor", "low", "high")]
            np.testing.assert_allclose(shown["factor"], bounds, rtol=0, atol=0.00051)


def test_sizes() -> None:
    assert len(json.dumps(FOUND, separators=(",", ":")).encode()) < 40_000
    assert len(gzip.compress(source().encode())) < 8_000


def source() -> str:
    return depths.INSTRUMENT.scripts()["depths.js"]


def test_markup_is_whole_and_loads_nothing() -> None:
    text = f"{depths.markup()}<script>{source()}</script>"
    assert checked_data(text) == FOUND


def test_the_colours_are_those_of_the_figures() -> None:
    cycle = [to_hex(colour) for colour in STYLE["axes.prop_cycle"].by_key()["color"]]
    css = (depths.HERE / "depths.css").read_text("utf-8")
    assert re.findall(r"--ink: (#\w+)", css) == cycle[:2]


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("f=geluu", "f must be one of sigmoid, tanh, relu, selu, gelu, silu, but is geluu"),
        ("gain=1.5", "gain must be one of 0.5, 1, 1.41, 2, 4, 10, but is 1.5"),
        ("depth=5&layer=6", "layer must be one of 1, 2, 3, 4, 5, but is 6"),
    ],
)
def test_a_link_to_no_view_is_refused(state: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        depths.checked(state)
    assert depths.checked("f=relu&depth=5") == "f=relu&gain=1&width=64&depth=5&layer=1"
