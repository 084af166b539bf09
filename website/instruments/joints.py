"""Joints: units that add up to a curve, with joints to be dragged, and how far off they are."""

from __future__ import annotations

import json
from functools import cache
from html import escape
from string import Template
from typing import Any
from urllib.parse import parse_qsl, urlencode

import numpy as np
import numpy.typing as npt

from actlib import REGISTRY, plots
from actlib.explorer import option
from actlib.palette import GREY, line
from website import javascript
from website.instruments.instrument import HERE, Instrument, own_script, still_figure

PAGE = "joints-instrument"  # the label of the place that has it
UNITS = ("relu", "tanh")
MOST = 16
X = np.linspace(0, 1, 241)
TARGETS: dict[str, npt.NDArray[np.float64]] = {
    "wave": np.sin(6 * X),
    "bump": np.exp(-80 * (X - 0.4) ** 2),
    "corner": 2 * np.abs(X - 0.4) - 0.4,
    "jump": np.where(X > 0.6, 1.0, -0.5),
}
START = {"kind": "relu", "curve": "wave", "units": "5"}


@cache
def table() -> dict[str, Any]:
    """What ``joints.js`` reads: the curves at evenly spaced places from 0 to 1, and the colours."""
    return {
        "curves": {name: values.round(6).tolist() for name, values in TARGETS.items()},
        "inks": {name: line(name).color for name in UNITS} | {"powers": GREY},
    }


def markup() -> str:
    """The instrument as HTML, without its style and its script."""
    return Template((HERE / "joints.html").read_text("utf-8")).substitute(
        state=escape(urlencode(START)),
        table=json.dumps(table(), separators=(",", ":")),
        kinds="".join(option(REGISTRY[name].spec) for name in UNITS),
        curves="".join(f'<option value="{name}">{name}</option>' for name in TARGETS),
        most=MOST,
        page=PAGE,
    )


def checked(state: str) -> str:
    """A view as an address holds it, if there is one."""
    view = START | dict(parse_qsl(state, strict_parsing=True))
    choices = {
        "kind": [*UNITS, "powers"],
        "curve": list(TARGETS),
        "units": [f"{units}" for units in range(1, MOST + 1)],
    }
    for key, value in view.items():
        if key == "at":
            places = [float(place) for place in value.split(",")]
            if len(places) != int(view["units"]) or not all(0 <= place <= 1 for place in places):
                raise ValueError(f"at must be a place from 0 to 1 for each unit, but is {value}")
        elif value not in choices[key]:
            raise ValueError(f"{key} must be one of {', '.join(choices[key])}, but is {value}")
    return urlencode(view)


def still() -> tuple[str, str]:
    """What the instrument shows at its start, and what that is in words."""
    units, wanted = int(START["units"]), TARGETS[START["curve"]]
    joints = np.arange(units) / units
    columns = np.column_stack([np.ones_like(X), REGISTRY["relu"](units * (X[:, None] - joints))])
    parts = columns * np.linalg.lstsq(columns, wanted)[0]
    total = parts.sum(axis=1)
    with still_figure() as (figure, ax):
        ax.plot(X, parts[:, 1:], color=line("relu").color, lw=0.8, alpha=0.6)
        ax.plot(X, wanted, color=GREY, ls="--", lw=1.2)
        ax.plot(X, total, color=line("relu").color, lw=2.4)
        for joint in joints:
            ax.axvline(joint, color=GREY, ls=":", lw=0.8)
        ax.set(xlabel="$x$", ylim=(-2, 2))
        off = np.sqrt(np.mean((total - wanted) ** 2))
        words = (
            f"{units} ReLU units, thin, add up to a thick line with a corner at each of their "
            f"joints; typically it misses the {START['curve']}, dashed, by {off:.2g}."
        )
        return plots.svg(figure), words


INSTRUMENT = Instrument(
    name="joints",
    markup=lambda self, start: markup(),
    scripts=lambda: {
        "joints.js": own_script("joints.js", before=javascript.activations(UNITS)),
    },
    instead="Here an instrument needs JavaScript. The figure has what it shows at its start: five "
    "ReLU units (thin), whose joints are the dotted lines, and their sum (thick) beside the wave "
    "that it is fitted to.",
    page=PAGE,
    checked=checked,
    role="joints-view",  # {joints-view}`a jump <curve=jump&units=3>`
    still=still,
)
