"""The network that learns in a page takes the steps of actlib.network."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from actlib import REGISTRY
from actlib.network import Network, mini_batches
from actlib.optimisers import Adam, Descent
from website import javascript
from website.instruments import train
from website.instruments.instrument import HERE
from website.javascript import run

NAMES = list(REGISTRY.elementwise)
SIZES = [2, 7, 5, 6, 2]
OPTIMISERS = {
    "descent": (lambda: Descent(0.05), "new Descent(0.05)"),
    "momentum": (lambda: Descent(0.02, momentum=0.9), "new Descent(0.02, 0.9)"),
    "adam": (lambda: Adam(0.01), "new Adam(0.01)"),
}
SHIFTED = {"scale": 2.0, "offset": -1.0}
# The instrument's own, with one optimiser in turn; and all, with each of them.
QUICK = {name: [list(OPTIMISERS)[i % 3]] for i, name in enumerate(train.NAMES)}
ALL = {name: list(OPTIMISERS) for name in NAMES}


def source(names: list[str]) -> str:
    simulation = (HERE / "simulation.js").read_text("utf-8")
    return f"{javascript.activations(names)}{simulation}"


def task(name: str, how: dict[str, float]) -> tuple[Network, np.ndarray, np.ndarray, np.ndarray]:
    """A network at its start, examples with labels, and the rows of 100 batches."""
    learned = list(REGISTRY.elementwise[name].spec.params)
    rng = np.random.default_rng(4)
    network = Network(SIZES, REGISTRY.elementwise[name], learned=learned, bias=0.1, **how)
    x = rng.normal(size=(60, 2))
    return network, x, (x[:, 0] * x[:, 1] > 0).astype(int), mini_batches(60, 12, 20)


def told(name: str, how: dict[str, float]) -> dict[str, Any]:
    """The task as JSON."""
    network, x, labels, batches = task(name, how)
    layers = [{key: array.ravel().tolist() for key, array in a.items()} for a in network.layers]
    return {
        "layers": layers,
        "x": x.tolist(),
        "labels": labels.tolist(),
        "batches": batches.tolist(),
        "how": how | {"learned": bool(network.partials)},
    }


@pytest.fixture(
    scope="module", params=[QUICK, pytest.param(ALL, marks=pytest.mark.deep)], ids=["ten", "all"]
)
def learned(request: pytest.FixtureRequest) -> Any:
    """What each network is after 1 and after 100 steps, and its losses, by optimiser."""
    tasks = {name: told(name, SHIFTED if name == "sigmoid" else {}) for name in request.param}
    makers = ", ".join(f"{key}: () => {text}" for key, (_, text) in OPTIMISERS.items())
    return run(f"""{source(NAMES)}
        const tasks = {json.dumps(tasks)};
        const chosen = {json.dumps(request.param)};
        const makers = {{ {makers} }};
        const sizes = {SIZES};
        const trained = (name, {{ layers, x, labels, batches, how }}, optimiser) => {{
          const made = layers.map((layer, i) => ({{
            inputs: sizes[i], units: sizes[i + 1],
            ...Object.fromEntries(Object.entries(layer).map(([k, v]) => [k, Float64Array.from(v)])),
          }}));
          const network = new Network(made, name, how);
          const at = [];
          const losses = batches.map((rows, step) => {{
            const found = network.backward(
              Float64Array.from(rows.flatMap((row) => x[row])), rows.map((row) => labels[row]));
            optimiser.step(network.weights, found.gradients);
            if (step === 0 || step === 99) at.push(network.weights.map((w) => [...w]));
            return found.loss;
          }});
          const judged = network.judged(Float64Array.from(x.flat()), labels);
          return {{ at, losses, judged }};
        }};
        const all = (name) => Object.fromEntries(
          chosen[name].map((key) => [key, trained(name, tasks[name], makers[key]())]));
        console.log(JSON.stringify(Object.fromEntries(Object.keys(tasks).map((n) => [n, all(n)]))));
    """)


def test_a_step_and_a_hundred_are_those_of_the_network(learned):
    for name, ends in learned.items():
        for optimiser, found in ends.items():
            compare(name, optimiser, found)


def compare(name: str, optimiser: str, found: Any) -> None:
    network, x, labels, batches = task(name, SHIFTED if name == "sigmoid" else {})
    steps = OPTIMISERS[optimiser][0]()
    losses = []
    for rows, expected in zip((batches[:1], batches[1:]), found["at"], strict=True):
        losses += network.fit(x, labels, rows, optimiser=steps).tolist()
        for weight, other in zip(network.weights, expected, strict=True):
            np.testing.assert_allclose(other, weight.ravel(), rtol=1e-9, atol=1e-9, err_msg=name)
    np.testing.assert_allclose(found["losses"], losses, rtol=1e-9, atol=1e-9, err_msg=name)
    assert found["judged"]["accuracy"] == network.accuracy(x, labels), name


def test_numbers_from_a_seed():
    drawn = np.array(
        run(f"""{source(["relu"])} const u = randomly(7);
            const many = Array.from({{ length: 20000 }}, () => [u(), u.normal()]);
            console.log(JSON.stringify(many));""")
    )
    uniform, normal = drawn.T
    assert uniform.min() >= 0
    assert uniform.max() < 1
    assert abs(uniform.mean() - 0.5) < 4 * 0.29 / 20000**0.5
    assert abs(normal.mean()) < 4 / 20000**0.5
    assert abs(normal.std() - 1) < 4 / 40000**0.5
    assert abs(np.corrcoef(uniform, normal)[0, 1]) < 4 / 20000**0.5


def test_layers_are_drawn_with_the_gain_and_the_bias():
    layers = run(f"""{source(["prelu"])}
        const start = {{ sizes: [50, 400, 3], gain: 2, bias: -3 }};
        const how = {{ ...start, params: {{ alpha: 0.1 }}, learned: true }};
        const made = drawn(how, randomly(1));
        console.log(JSON.stringify(made.map(({{ weight, bias, alpha }}) =>
          [[...weight], [...bias], alpha && [...alpha]])));""")
    (weight, bias, alpha), (last, last_bias, last_alpha) = layers
    assert np.std(weight) == pytest.approx(2 / 50**0.5, rel=0.03)
    assert np.std(last) == pytest.approx(2 / 400**0.5, rel=0.1)
    assert set(bias) == {-3}
    assert set(last_bias) == {0}
    assert (alpha, last_alpha) == ([0.1], None)


def test_an_order_is_a_shuffle():
    orders = run(f"""{source(["relu"])} const u = randomly(3);
        console.log(JSON.stringify(Array.from({{ length: 2000 }}, () => shuffled(5, u))));""")
    assert {tuple(sorted(order)) for order in orders} == {(0, 1, 2, 3, 4)}
    places = np.array(orders)
    for number in range(5):  # each number is at each place about as often
        counts = (places == number).sum(axis=0)
        assert abs(counts - 400).max() < 4 * (2000 * 0.2 * 0.8) ** 0.5
