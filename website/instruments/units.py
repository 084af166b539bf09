"""Units that die and come back: recorded trainings, epoch by epoch.

What is shown is recorded by ``tools/recording.py``, which needs Keras for the report's sentences.
"""

from __future__ import annotations

import json
from functools import cache
from html import escape
from string import Template
from typing import Any
from urllib.parse import parse_qsl, urlencode

from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from actlib import REGISTRY, plots
from actlib.palette import GREY, line
from website.instruments.instrument import HERE, Instrument, own_script, still_figure

DATA = HERE.parents[1] / "chapters/data"
FILES = tuple(sorted(DATA.glob("units_*.json")))
PAGE = "units-instrument"  # the label of the place that has it
START = {"run": "fast", "epoch": "14"}
STILL = (1, 14, 40)  # epochs
MARKS = ("alive", "saturated", "dead")  # which are 0, 1 and 2 in the recordings
COLUMNS = 8  # of a layer's units


@cache
def table() -> dict[str, Any]:
    """What ``units.js`` reads: the recordings by name, each with a title."""
    runs = {path.stem.removeprefix("units_"): json.loads(path.read_text("utf-8")) for path in FILES}
    return {name: {"title": title(run.pop("setting"))} | run for name, run in runs.items()}


def title(setting: dict[str, Any]) -> str:
    """What distinguishes a recording from the others."""
    words = REGISTRY[setting["activation"]].spec.title
    words += "".join(f" {value:g}" for value in setting["params"].values())
    words += f", rate {setting['rate']:g}"
    bias = f"{setting['bias']:g}".replace("-", "−")
    return words + (f", biases {bias}" if setting["bias"] else "")


def report(run: dict[str, Any], epoch: int) -> list[str]:
    """The lines that the report has at an epoch."""
    return [". ".join(run["pieces"][piece] for piece in line) for line in run["reports"][epoch]]


def markup() -> str:
    """The instrument as HTML, without its style and its script."""
    runs = table()
    reports = [report(run, epoch) for run in runs.values() for epoch in range(len(run["reports"]))]
    layers = range(1, len(next(iter(runs.values()))["layers"]) + 1)
    layer = Template((HERE / "units_layer.html").read_text("utf-8"))
    return Template((HERE / "units.html").read_text("utf-8")).substitute(
        state=escape(urlencode(START)),
        # An address in it would be made a link, as in the cells' outputs.
        table=json.dumps(runs, separators=(",", ":")).replace("#", r"\u0023"),
        runs="".join(
            f'<option value="{name}">{run["title"]}</option>' for name, run in runs.items()
        ),
        last=len(runs[START["run"]]["right"]) - 1,
        layers="".join(layer.substitute(number=number) for number in layers),
        longest="".join(f"<li>{escape(line)}</li>" for line in max(reports, key=_size)),
        page=PAGE,
    )


def _size(lines: list[str]) -> int:
    return sum(map(len, lines))


def checked(state: str) -> str:
    """A view as an address holds it, if there is one."""
    view, runs = START | dict(parse_qsl(state, strict_parsing=True)), table()
    choices = {
        "run": list(runs),
        "epoch": [f"{epoch}" for epoch in range(len(runs[START["run"]]["right"]))],
    }
    for key, value in view.items():
        if value not in choices[key]:
            raise ValueError(f"{key} must be one of {', '.join(choices[key])}, but is {value}")
    return urlencode(view)


def still() -> tuple[str, str]:
    """Three epochs of the first recording side by side, and what they show in words."""
    run = table()[START["run"]]
    words = []
    with still_figure(3.6) as (figure, ax):
        for column, epoch in enumerate(STILL):
            left, right = column * (COLUMNS + 3), f"{run['right'][epoch] / run['tested']:.0%}"
            ax.text(left, -2.2, f"epoch {epoch}, {right} right")
            dead = []
            for row, layer in enumerate(run["layers"]):
                states = layer["states"][epoch]
                dead.append(states.count("2"))
                down = row * (len(states) // COLUMNS + 2)
                ax.text(left, down - 0.5, f"layer {row + 1}: {dead[-1]} dead")
                _tiles(ax, states, left, down)
            counts = ", ".join(f"{count} in layer {row}" for row, count in enumerate(dead, 1))
            words.append(f"After epoch {epoch}: {right} of the test images right, dead {counts}.")
        ax.set(xlim=(-0.2, 3 * COLUMNS + 6), ylim=(16, -3.2), aspect="equal")
        ax.axis("off")
        return plots.svg(figure), " ".join(words)


def _tiles(ax: Axes, states: str, left: int, down: int) -> None:
    """A tile for each unit: full if it is alive, half if it is saturated, crossed if it is dead."""
    frames, full, crosses = [], [], []
    for number, state in enumerate(states):
        x, y = left + number % COLUMNS, down + number // COLUMNS
        kind = MARKS[int(state)]
        frames.append(_box(x, y, 0.8))
        if kind == "dead":
            crosses += [Path([(x, y), (x + 0.8, y + 0.8)]), Path([(x, y + 0.8), (x + 0.8, y)])]
        else:
            height = 0.8 if kind == "alive" else 0.4
            full.append(_box(x, y + 0.8 - height, height))
    if full:
        _drawn(ax, full, facecolor=line("sigmoid").color, lw=0)
    _drawn(ax, frames + crosses, edgecolor=GREY, fill=False, lw=0.8)


def _box(x: float, y: float, height: float) -> Path:
    return Path([(x, y), (x + 0.8, y), (x + 0.8, y + height), (x, y + height), (x, y)], closed=True)


def _drawn(ax: Axes, paths: list[Path], **look: Any) -> None:
    ax.add_patch(PathPatch(Path.make_compound_path(*paths), **look))


INSTRUMENT = Instrument(
    name="units",
    markup=lambda self, start: markup(),
    scripts=lambda: {"units.js": own_script("units.js")},
    instead="Here an instrument needs JavaScript. The figure has three epochs of the first of its "
    "recordings, ReLU at a rate of 0.8. A tile is a unit: full where it is alive, half full where "
    "it is saturated, crossed where it is dead.",
    page=PAGE,
    checked=checked,
    role="units-view",  # {units-view}`when it collapses <run=fast&epoch=24>`
    still=still,
    data=FILES,
)
