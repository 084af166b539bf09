"""A pulse through the layers: a gradient that swells or fades, as measured and by theory.

The measurements are the page's own table; deeper networks are made in the page, one at a time. The
theory is computed when the book is built.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from html import escape
from itertools import product
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import parse_qsl, urlencode

import numpy as np
import numpy.typing as npt

from actlib import REGISTRY, plots
from actlib.book import mean_field
from actlib.explorer import option
from actlib.palette import line
from website import javascript
from website.instruments.instrument import HERE, Instrument, own_script, still_figure

DATA = HERE.parents[1] / "chapters/data/depths.csv"
PAGE = "depth-instrument"  # the label of the place that has it
UNIT = 1000  # logarithms to base 10 and factors are stored as whole thousandths
DEEPER = (30, 40, 50)  # what the table doesn't have
WIDEST = 64  # a page is too slow to make wider networks as deep as that
KEPT = 3  # curves to compare with
STILL = (("sigmoid", 1.0, 64), ("relu", 1.0, 64), ("tanh", 10.0, 16))
START = {"f": "sigmoid", "gain": "1", "width": "64", "depth": "20", "layer": "1"}


def table(data: Path = DATA) -> dict[str, Any]:
    """What ``depths.js`` reads, to be written as JSON.

    The choices come in the order of the file. For an activation and a gain there are the theory,
    to the deepest networks, and, for each width, the measured variances, layer by layer, and for
    each measured depth the gradients and the factor with its bounds.
    """
    found = _rows(data)
    names, gains, widths, deep = _choices(found)

    def measured(*setting: str) -> list[Any]:
        gradients = [found[*setting, depth, "gradient"] for depth in deep]
        return [
            _layers(found[*setting, deep[-1], "variance"]),
            [_layers(row) for row in gradients],
            [_factors(row) for row in gradients],
        ]

    def both(name: str, gain: str) -> list[Any]:
        expected = theory(name, float(gain), [*map(int, deep), *DEEPER])
        return [*expected, [measured(name, gain, width) for width in widths]]

    return {
        "unit": UNIT,
        "gain": [_rounded(gain) for gain in gains],
        "exact": [float(gain) for gain in gains],
        "width": [int(width) for width in widths],
        "depth": [int(depth) for depth in deep],
        "deeper": list(DEEPER),
        "widest": WIDEST,
        "kept": KEPT,
        "functions": {name: [both(name, gain) for gain in gains] for name in names},
    }


def _rows(data: Path = DATA) -> dict[tuple[str, ...], dict[str, str]]:
    """The rows of the file, by activation, gain, width, depth, and what was measured."""
    keys = ("activation", "gain", "width", "depth", "row")
    with data.open(encoding="utf-8", newline="") as file:
        return {tuple(row[key] for key in keys): row for row in csv.DictReader(file)}


def _choices(rows: Iterable[tuple[str, ...]]) -> list[list[str]]:
    """The activations, gains, widths and depths, in the order of the file."""
    return [list(dict.fromkeys(values)) for values in zip(*rows, strict=True)][:4]


def _rounded(gain: str) -> float:
    return round(float(gain), 2)


def theory(name: str, gain: float, deep: list[int]) -> list[list[int]]:
    """The variance in each layer, the factors of all layers before it, and those of each depth."""
    f = REGISTRY.elementwise[name]
    variances = mean_field.variances(f, 1.0, gain, max(deep))
    factors = np.sqrt([mean_field.chi(f, q, gain) for q in variances[:-1]])
    passed = np.cumprod([1.0, *factors])
    per_layer = [round(UNIT * float(passed[depth - 1] ** (1 / (depth - 1)))) for depth in deep]
    return [_coded(np.log10(variances)), _coded(np.log10(passed)), per_layer]


def _factors(row: dict[str, str]) -> list[int]:
    return [round(UNIT * float(row[key])) for key in ("factor", "low", "high")]


def _layers(row: dict[str, str]) -> list[int]:
    return _coded(np.array([float(value) for key, value in row.items() if key.isdigit() and value]))


def _coded(logs: npt.NDArray[np.float64]) -> list[int]:
    """Whole thousandths, of which the differences of the differences are stored: most are small."""
    whole = np.rint(UNIT * logs).astype(int)
    return [int(step) for step in np.diff(whole, n=2, prepend=[0, 0])]


def _decoded(coded: list[int]) -> npt.NDArray[np.float64]:
    """What `_coded` has stored, as logarithms."""
    return np.cumsum(np.cumsum(coded)) / UNIT


def checked(state: str) -> str:
    """A view as an address holds it, if the table has it."""
    given = parse_qsl(state, strict_parsing=True)
    view = START | {key: value for key, value in given if key != "kept"}
    names, gains, widths, deep = _choices(_rows())
    gains = [f"{_rounded(gain):g}" for gain in gains]
    choices = {
        "f": names,
        "gain": gains,
        "width": widths,
        "depth": [*deep, *map(str, DEEPER)],
        "layer": [f"{layer}" for layer in range(1, int(view["depth"]) + 1)],
        "kept": ["-".join(parts) for parts in product(names, gains, widths)],
    }
    pinned = [(key, value) for key, value in given if key == "kept"]
    for key, value in [*view.items(), *pinned]:
        if value not in choices[key]:
            raise ValueError(f"{key} must be one of {', '.join(choices[key])}, but is {value}")
    return urlencode([*view.items(), *pinned])


def markup() -> str:
    """The instrument as HTML, without its style and its script."""
    found = table()
    last = {key: len(found[key]) - 1 for key in ("gain", "width")}
    return Template((HERE / "depths.html").read_text("utf-8")).substitute(
        last,
        depth=len(found["depth"]) + len(DEEPER) - 1,
        state=escape(urlencode(START)),
        table=json.dumps(found, separators=(",", ":")),
        options="".join(option(REGISTRY[name].spec) for name in found["functions"]),
        deepest=DEEPER[-1],
        measured=found["depth"][-1],
        widest=WIDEST,
        page=PAGE,
    )


def still() -> tuple[str, str]:
    """Three gradients on their way back, measured and by theory, and what that is in words."""
    found = table()
    layers = np.arange(1, found["depth"][-1] + 1)
    words = ["A gradient goes back through 20 layers; in the last it is 1."]
    with still_figure(3.2) as (figure, ax):
        for name, gain, width in STILL:
            _, passed, _, widths = found["functions"][name][found["gain"].index(gain)]
            _, gradients, factors = widths[found["width"].index(width)]
            measured, before = _decoded(gradients[-1]), _decoded(passed)[: len(layers)]
            title, ink = f"{REGISTRY[name].spec.title}, gain {gain:g}", line(name).color
            ax.plot(layers, measured, "o", ms=4, color=ink, label=title)
            ax.plot(layers, before[-1] - before, "--", color=ink)
            ax.annotate(title, (1, measured[0]), (0, -22), textcoords="offset points", color=ink)
            words.append(
                f"{title}, width {width}: {factors[-1][0] / UNIT:.2f} of it passes each layer on "
                f"average, and 10 to the power {measured[0]:.1f} is left in layer 1."
            )
        ax.set(xlabel="layer", ylabel="gradient, as a power of 10", xticks=[1, 5, 10, 15, 20])
        ax.margins(0.03, 0.22)
        return plots.svg(figure), " ".join(words).replace("-", "−")


def source() -> str:
    """The script: activations, a network of them, and the instrument."""
    activations = javascript.activations(_choices(_rows())[0])
    return own_script("depths.js", "simulation.js", "depths-network.js", before=activations)


INSTRUMENT = Instrument(
    name="depths",
    markup=lambda self, start: markup(),
    scripts=lambda: {"depths.js": source()},
    instead="Here an instrument needs JavaScript. The figure shows three gradients on their way "
    "back through twenty layers, measured (dots) and by theory (dashed); those of "
    "{ref}`experiments-depth` and {ref}`depth-theory` have more activations and gains.",
    page=PAGE,
    checked=checked,
    role="depths-view",  # {depths-view}`tanh <f=tanh&gain=10&width=16&depth=20&layer=1>`
    still=still,
    data=(DATA,),
)
