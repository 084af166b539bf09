"""Record the trainings that an instrument shows: recording.py [NAME...], default what lacks.

A network of `actlib.network` learns. Before the first epoch and after each, `actlib.diagnose`
judges its units and writes the report, for which it needs the same network in Keras.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from actlib import REGISTRY, diagnose, study
from actlib.health import turnover
from actlib.keras import activation
from actlib.network import Network, mini_batches
from tools.hosted import CHAPTERS

EPOCHS, BATCH, SEED = 40, 32, 1
SIZES = [64, 32, 32, 32, 10]
HE = 2**0.5
EDGES = np.arange(-12, 13)  # of the histograms' bars; one more bar on each side has what is beyond
STATES = "alive", "saturated", "dead"  # written as 0, 1 and 2
RECORDINGS: dict[str, dict[str, Any]] = {
    "fast": {"activation": "relu", "rate": 0.8},
    "gentle": {"activation": "relu", "rate": 0.2},
    "low": {"activation": "relu", "rate": 0.4, "bias": -1.5},
    "low_leak": {"activation": "leaky_relu", "params": {"slope": 0.1}, "rate": 0.4, "bias": -1.5},
}


def path(name: str) -> Path:
    """Where a recording is stored."""
    return CHAPTERS / f"data/units_{name}.json"


def trained(setting: dict[str, Any], epochs: int) -> Iterator[tuple[Network, study.Split]]:
    """A network before it learns, and after each epoch, with the data that it learns from."""
    start = {key: value for key, value in setting.items() if key not in ("activation", "rate")}
    network = Network(SIZES, REGISTRY.elementwise[setting["activation"]], seed=SEED, **start)
    data = study.load("digits").split("test")
    yield network, data
    batches = mini_batches(len(data.x), BATCH, EPOCHS, SEED).reshape(EPOCHS, -1, BATCH)
    for rows in batches[:epochs]:
        network.fit(data.x, data.y, rows, rate=setting["rate"])
        yield network, data


class Twin:
    """The same network in Keras, in float64, which `actlib.diagnose` can judge."""

    def __init__(self, setting: dict[str, Any]) -> None:
        function = activation(setting["activation"], **setting.get("params", {}))
        layers = [
            keras.layers.Dense(units, function, name=f"hidden_{number}", dtype="float64")
            for number, units in enumerate(SIZES[1:-1], start=1)
        ]
        last = keras.layers.Dense(SIZES[-1], name="logits", dtype="float64")
        self.model = keras.Sequential([keras.Input([SIZES[0]], dtype="float64"), *layers, last])

    def inspected(self, network: Network, x: np.ndarray) -> diagnose.Diagnosis:
        self.model.set_weights(network.weights)
        return diagnose.inspect(self.model, x, per_unit=True)


def epoch(network: Network, twin: Twin, data: study.Split) -> dict[str, Any]:
    """What is stored of one epoch: whole numbers, the units' states, and the report's lines."""
    report = twin.inspected(network, data.x)
    _, zs = network.forward(data.x)
    return {
        "right": round(network.accuracy(data.x_new, data.y_new) * len(data.y_new)),
        "states": [
            "".join(map(str, unit["saturated"] + 2 * unit["dead"])) for unit in report.units
        ],
        "bars": [histogram(z) for z in zs[:-1]],
        "report": report.remarks(),
    }


def histogram(z: np.ndarray) -> list[int]:
    """How many pre-activations each bar has, of which the upper end belongs to it."""
    return np.bincount(np.searchsorted(EDGES, z.ravel()), minlength=len(EDGES) + 1).tolist()


def record(setting: dict[str, Any], epochs: int = EPOCHS) -> dict[str, Any]:
    """Train, and put together what the instrument shows."""
    twin = Twin(setting)
    found = []
    for network, data in trained(setting, epochs):
        found.append(epoch(network, twin, data))
    states = [[one["states"][layer] for one in found] for layer in range(len(SIZES) - 2)]
    pieces = [[line.split(". ") for line in one["report"]] for one in found]
    known = list(dict.fromkeys(piece for report in pieces for line in report for piece in line))
    return {
        "setting": {"gain": HE, "bias": 0.0, "params": {}} | setting,
        "images": len(data.y),
        "tested": len(data.y_new),
        "right": [one["right"] for one in found],
        "edges": EDGES.tolist(),
        "layers": [
            {"states": layer, "bars": [one["bars"][number] for one in found]} | turned(layer)
            for number, layer in enumerate(states)
        ],
        # Most of what the report says is said in many epochs: the pieces, and the lines of them.
        "pieces": known,
        "reports": [
            [[known.index(piece) for piece in line] for line in report] for report in pieces
        ],
    }


def turned(states: list[str]) -> dict[str, list[int]]:
    """How many units died and came back from each epoch to the next."""
    dead = [[state == "2" for state in epoch] for epoch in states]
    died, back = turnover(dead)
    return {"died": died.tolist(), "back": back.tolist()}


def main(names: list[str]) -> None:
    for name in names or [name for name in RECORDINGS if not path(name).exists()]:
        text = json.dumps(record(RECORDINGS[name]), separators=(",", ":"))
        path(name).write_text(text.replace(',"', ',\n"') + "\n", "utf-8")
        print(name, path(name).stat().st_size, "bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
