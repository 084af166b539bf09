"""An instrument for the page about depth: what is measured, layer by layer, and what theory says.

The measurements are the page's own table; the theory is computed when the book is built.
"""

from __future__ import annotations

import csv
import json
from html import escape
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import parse_qsl, urlencode

import numpy as np
import numpy.typing as npt

from actlib import REGISTRY
from actlib.book import mean_field
from actlib.explorer import option
from website.instruments.instrument import HERE, Instrument, own_script

DATA = HERE.parents[1] / "chapters/data/depths.csv"
PAGE = "depth-instrument"  # the label of the place that has it
UNIT = 1000  # logarithms to base 10 and factors are stored as whole thousandths
START = {"f": "sigmoid", "gain": "1", "width": "64", "depth": "20", "layer": "1"}


def table(data: Path = DATA) -> dict[str, Any]:
    """What ``depths.js`` reads, to be written as JSON.

    The choices come in the order of the file. For an activation and a gain there are the theory
    and, for each width, the measured variances, layer by layer, and for each depth the gradients
    and the factor with its bounds.
    """
    with data.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    keys = ("activation", "gain", "width", "depth", "row")
    found = {tuple(row[key] for key in keys): row for row in rows}
    names, gains, widths, deep = (list(dict.fromkeys(row[key] for row in rows)) for key in keys[:4])

    def measured(*setting: str) -> list[Any]:
        gradients = [found[*setting, depth, "gradient"] for depth in deep]
        return [
            _layers(found[*setting, deep[-1], "variance"]),
            [_layers(row) for row in gradients],
            [_factors(row) for row in gradients],
        ]

    def both(name: str, gain: str) -> list[Any]:
        expected = theory(name, float(gain), [int(depth) for depth in deep])
        return [*expected, [measured(name, gain, width) for width in widths]]

    return {
        "unit": UNIT,
        "gain": [round(float(gain), 2) for gain in gains],
        "width": [int(width) for width in widths],
        "depth": [int(depth) for depth in deep],
        "functions": {name: [both(name, gain) for gain in gains] for name in names},
    }


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


def checked(state: str) -> str:
    """A view as an address holds it, if the table has it."""
    view, found = START | dict(parse_qsl(state, strict_parsing=True)), table()
    choices = {key: [f"{value:g}" for value in found[key]] for key in ("gain", "width", "depth")}
    choices |= {"f": list(found["functions"])}
    choices |= {"layer": [f"{layer}" for layer in range(1, int(view["depth"]) + 1)]}
    for key, value in view.items():
        if value not in choices[key]:
            raise ValueError(f"{key} must be one of {', '.join(choices[key])}, but is {value}")
    return urlencode(view)


def markup() -> str:
    """The instrument as HTML, without its style and its script."""
    found = table()
    last = {key: len(found[key]) - 1 for key in ("gain", "width", "depth")}
    return Template((HERE / "depths.html").read_text("utf-8")).substitute(
        last,
        state=escape(urlencode(START)),
        table=json.dumps(found, separators=(",", ":")),
        options="".join(option(REGISTRY[name].spec) for name in found["functions"]),
        deepest=found["depth"][-1],
        page=PAGE,
    )


INSTRUMENT = Instrument(
    name="depths",
    markup=lambda self, start: markup(),
    scripts=lambda: {"depths.js": own_script("depths.js")},
    instead="Here an instrument needs JavaScript. The figures of {ref}`experiments-depth` and "
    "{ref}`depth-theory` show the gradient layer by layer, measured and by theory, for four "
    "activations and up to three gains.",
    page=PAGE,
    checked=checked,
    role="depths-view",  # {depths-view}`tanh <f=tanh&gain=10&width=16&depth=20&layer=1>`
    data=(DATA,),
)
