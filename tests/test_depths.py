"""The instrument of the page about depth: its numbers are the networks' and the theory's."""

from __future__ import annotations

import csv
import json
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex
from sklearn.datasets import load_digits

from actlib import REGISTRY
from actlib.book import mean_field
from actlib.network import Network
from actlib.plots import STYLE
from actlib.study import interval
from website.instruments import depths
from website.javascript import run

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


def source() -> str:
    return depths.INSTRUMENT.scripts()["depths.js"]


def by_page(expression: str) -> Any:
    """What the page's own functions make of an expression in JavaScript."""
    functions = source().rpartition("startAll(")[0]
    return run(f"{functions} console.log(JSON.stringify({expression})); }}")


# With larger gains rounding errors grow as the gradients do, so fewer layers agree to 1e-9.
@pytest.mark.parametrize(("gain", "depth"), [(0.5, 50), (1.4142, 50), (4.0, 8), (10.0, 8)])
def test_a_network_in_the_page_is_one_of_the_package(gain: float, depth: int) -> None:
    """From the weights that the page draws, its gradients and variances are `actlib.network`'s."""
    names, width = list(FOUND["functions"]), 16
    drawn = by_page(f"""{json.dumps(names)}.map((name) => {{
        const uniform = randomly(5);
        const x = [...randomInputs(uniform)];
        const sizes = [INPUTS, ...new Array({depth}).fill({width}), CLASSES];
        const layers = drawn({{ sizes, gain: {gain} }}, uniform);
        const weights = layers.map(({{ weight }}) => [...weight]);
        const sized = {{ gain: {gain}, width: {width}, depth: {depth} }};
        return {{ x, weights, ...oneNetwork(name, sized, 5) }};
    }})""")
    for name, found in zip(names, drawn, strict=True):
        x = np.reshape(found["x"], (8, 64))
        np.testing.assert_allclose(np.mean(x**2, axis=1), 1)
        network = Network([64, *[width] * depth, 10], REGISTRY[name])
        for layer, weight in zip(network.layers, found["weights"], strict=True):
            layer["weight"] = np.reshape(weight, layer["weight"].shape)
        norms = np.array([np.sqrt(np.sum(d**2)) for d in network.deltas(x, np.arange(8))[:-1]])
        variances = [np.mean(z**2) for z in network.forward(x)[1][:-1]]
        for key, right in {"gradients": norms / norms[-1], "variances": variances}.items():
            np.testing.assert_allclose(10.0 ** np.array(found[key]), right, rtol=1e-9)


def test_a_seed_gives_the_same_numbers_at_any_depth() -> None:
    short, long = by_page(
        "[30, 50].map((depth) => oneNetwork('tanh', { gain: 1, width: 16, depth }, 3).variances)"
    )
    np.testing.assert_allclose(short, long[:30])


def test_networks_of_a_seed_and_a_width_draw_their_numbers_once() -> None:
    """A page must not be busy for long when the gain or the depth is changed."""
    deepest, others, more = by_page("""(() => {
        const counts = [];
        let count = 0;
        const plain = randomly;
        randomly = (seed) => {
            const uniform = plain(seed);
            const { normal } = uniform;
            uniform.normal = () => { count += 1; return normal(); };
            return uniform;
        };
        oneNetwork("tanh", { gain: 1, width: 16, depth: 50 }, 7);
        counts.push(count);
        oneNetwork("relu", { gain: 2, width: 16, depth: 50 }, 7);
        oneNetwork("tanh", { gain: 1, width: 16, depth: 30 }, 7);
        counts.push(count);
        oneNetwork("tanh", { gain: 1, width: 16, depth: 30 }, 8);
        return [...counts, count];
    })()""")
    assert deepest == others < more


@pytest.mark.deep
def test_narrow_networks_stray_further_from_the_theory() -> None:
    """What the page says of ReLU with He's gain and fifty layers."""
    first = by_page("""[16, 64].map((width) => Array.from({ length: 20 }, (_, seed) =>
        oneNetwork("relu", { gain: Math.SQRT2, width, depth: 50 }, seed + 1).gradients[0]))""")
    narrow, wide = (np.sqrt(np.mean(np.square(logs))) for logs in first)
    assert narrow > 1.3 * wide > 0.1


def test_the_theory_reaches_the_deepest_networks() -> None:
    for name, gain in [("gelu", 1.41), ("sigmoid", 0.5), ("tanh", 10.0)]:
        variances, passed, expected, _ = FOUND["functions"][name][FOUND["gain"].index(gain)]
        exact = HE if gain == 1.41 else gain
        q = mean_field.variances(REGISTRY[name], 1.0, exact, 50)
        steps = [0.5 * np.log10(mean_field.chi(REGISTRY[name], v, exact)) for v in q[:-1]]
        np.testing.assert_allclose(decoded(variances), np.log10(q), atol=0.0011)
        np.testing.assert_allclose(decoded(passed), np.cumsum([0, *steps]), atol=0.0011)
        for depth, factor in zip((*FOUND["depth"], *depths.DEEPER), expected, strict=True):
            assert factor / 1000 == pytest.approx(10 ** np.mean(steps[: depth - 1]), abs=0.0011)


def test_names_do_not_lie_on_each_other() -> None:
    heights = [100.0, 98, 30, 101, 100]
    places = np.array(by_page(f"apart({heights})"))
    assert (places <= heights).all()
    assert places[2] == 30
    assert np.diff(np.sort(places)).min() >= 16


def test_the_colours_are_those_of_the_figures() -> None:
    cycle = [to_hex(colour) for colour in STYLE["axes.prop_cycle"].by_key()["color"]]
    css = (depths.HERE / "depths.css").read_text("utf-8")
    assert re.findall(r"--ink: (#\w+)", css) == cycle[:2]


def test_the_still_picture_says_what_is_left() -> None:
    drawing, words = depths.still()
    assert drawing.startswith("<svg")
    for name, gain, width in depths.STILL:
        shown = read(FOUND, name, gain, width, 20)
        assert f"gain {gain:g}, width {width}: {shown['factor'][0]:.2f} of it" in words
        assert f"10 to the power {shown['gradient'][0]:.1f} is left".replace("-", "−") in words
