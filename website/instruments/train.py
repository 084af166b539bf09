"""An instrument that trains two small networks on points in the plane, side by side.

What can be chosen, and which claims of the book can be put to the test, is said here once: the
page, links to its views, the script and the tests read it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from string import Template
from typing import Any
from urllib.parse import parse_qsl, urlencode

import numpy as np
from docutils.parsers.rst import directives
from scipy import stats
from sphinx.writers.html5 import HTML5Translator

from actlib import REGISTRY
from website import javascript
from website.instruments import train_picture
from website.instruments.instrument import HERE, Instrument, address, own_script

PAGE = "train"  # the label of the page whose address keeps the view
STEPS = 2000  # of a run
MOST = 20  # seeds
SCRIPTS = ("simulation.js", "train-data.js", "train-run.js")  # what needs no page
VIEWS = ("train-draw.js", "train-inside.js", "train-seeds.js")

NAMES = (
    *("sigmoid", "tanh", "relu", "leaky_relu", "prelu"),
    *("elu", "silu", "gelu", "softplus", "linear"),
)
#: What can be chosen for both networks together, and how it reads.
SHARED: dict[str, dict[str, str]] = {
    "data": {"spirals": "two spirals", "rings": "a ring", "xor": "XOR", "own": "your own"},
    "batch": {size: size for size in ("1", "5", "10", "20", "40", "120")},
    "seed": {f"{seed}": f"{seed}" for seed in range(1, MOST + 1)},
}
#: The same for each of them.
SETTING: dict[str, dict[str, str]] = {
    "f": {name: REGISTRY[name].spec.title for name in NAMES},
    "alpha": {alpha: alpha for alpha in ("0.01", "0.1", "0.25", "0.5", "1")},
    "layers": {f"{layers}": f"{layers}" for layers in range(1, 7)},
    "units": {f"{units}": f"{units}" for units in range(2, 17)},
    "start": {
        "he": "He: gain √2",
        "glorot": "Glorot",
        "gain1": "gain 1",
        "gain2": "gain 2",
        "gain4": "gain 4",
        "small": "too small: gain 0.1",
        "below": "He, biases −3",
    },
    "passes": {"plain": "f(z)", "half": "f(z) − ½", "centred": "2 f(z) − 1"},
    "optimiser": {"descent": "descent", "momentum": "momentum 0.9", "adam": "Adam"},
    "rate": {rate: rate for rate in ("0.003", "0.01", "0.02", "0.05", "0.1", "0.3", "1")},
}
#: What the choices mean, for the script.
STARTS: dict[str, dict[str, float | str]] = {
    "he": {"gain": 2**0.5},
    "glorot": {"gain": "glorot"},
    "gain1": {"gain": 1},
    "gain2": {"gain": 2},
    "gain4": {"gain": 4},
    "small": {"gain": 0.1},
    "below": {"gain": 2**0.5, "bias": -3},
}
PASSES = {
    "plain": {"scale": 1, "offset": 0},
    "half": {"scale": 1, "offset": -0.5},
    "centred": {"scale": 2, "offset": -1},
}
#: The parameters that `alpha` sets; softplus keeps its own.
LEAKS = {"leaky_relu": "slope", "prelu": "alpha", "elu": "alpha"}
#: Those that are trained.
LEARNED = ("prelu",)
WIDE = np.unique(np.concatenate([np.linspace(-10, 10, 20001), [-100, 100]]))


def _setting(**chosen: str) -> dict[str, str]:
    usual = {"f": "relu", "alpha": "0.1", "layers": "6", "units": "8", "start": "gain1"}
    return usual | {"passes": "plain", "optimiser": "descent", "rate": "0.1"} | chosen


def _state(a: Mapping[str, str], b: Mapping[str, str], **shared: str) -> dict[str, str]:
    sides = {f"{side}.{key}": value for side, s in (("a", a), ("b", b)) for key, value in s.items()}
    return {"data": "rings", "batch": "10", "seed": "1", "points": ""} | shared | sides


@dataclass(frozen=True)
class Claim:
    """A claim of the book that two networks put to the test.

    `said` is the claim, told in the section with the label `where`. `question` is asked before the
    run, with `choices` of which the one at `right` comes out; `answer` explains it.
    """

    title: str
    said: str
    where: str
    question: str
    choices: tuple[str, ...]
    right: int
    answer: str
    state: Mapping[str, str]


_SIGMOID = _setting(f="sigmoid")
_BORN = {"start": "below", "layers": "3", "units": "16", "optimiser": "momentum", "rate": "0.05"}
GUESSES = ("about 50%, as guessing does", "about 75%", "more than 90%")

CLAIMS = {
    "chance": Claim(
        "Six sigmoid layers",
        "A sigmoid network with six hidden layers stays at chance.",
        "background-saturation",
        "How many of the test points will A get right, with six layers of sigmoids?",
        GUESSES,
        0,
        "Six layers stay at chance. B has the same sigmoids in one layer, and learns: it isn’t the "
        "sigmoid that can’t learn, it’s what six of them in a row leave of the points.",
        _state(_SIGMOID, _SIGMOID | {"layers": "1"}),
    ),
    "centre": Claim(
        "Centre it",
        "Centre the sigmoid, with a gain to match, and six layers learn.",
        "rescue-ladder",
        "B passes on 2σ(z) − 1 and starts from weights twice as large. How many will it get right?",
        GUESSES,
        2,
        "The curve is the same, moved and stretched. Centring alone isn’t enough here: give B the "
        "gain 1 and it falls far behind.",
        _state(_SIGMOID, _SIGMOID | {"start": "gain2", "passes": "centred"}),
    ),
    "dead": Claim(
        "Born dead",
        "ReLU with biases of −3 is born dead; a leak of 0.1 brings the network back.",
        "dying-cures",
        "What will become of A’s dead units in 2,000 steps?",
        ("they all stay dead", "about half come back", "they all come back"),
        0,
        "A whole layer is dead, and no gradient passes it: all that still moves are the output’s "
        "biases. B’s leak lets a tenth through in each layer, and that is enough.",
        _state(_setting(**_BORN), _setting(f="leaky_relu", **_BORN), data="xor"),
    ),
    "leak": Claim(
        "A small leak",
        "A leak of 0.1 brings a dead start back; one of 0.01 hardly does.",
        "dying-cures",
        "A leaks 0.1 and B 0.01. Which of them learns in 2,000 steps?",
        ("both do", "A does, B hardly", "neither does"),
        1,
        "Through three layers B lets 0.01³ of a gradient pass, a millionth. It isn’t dead, only "
        "very slow.",
        _state(
            _setting(f="leaky_relu", **_BORN),
            _setting(f="leaky_relu", **_BORN | {"alpha": "0.01"}),
            data="xor",
        ),
    ),
    "line": Claim(
        "No activation",
        "Without an activation a network draws a straight line, whatever its depth.",
        "background-why",
        "A has six layers and no activation. Can it separate the disc from the ring?",
        ("yes, with six layers", "in part, with a bent line", "no: a straight line at most"),
        2,
        "Six affine layers are one affine layer: A’s border is straight at every step. B has ReLU "
        "between the layers, and bends.",
        _state(_setting(f="linear", rate="0.02"), _setting(start="he", rate="0.05")),
    ),
}


def checked(state: str) -> str:
    """A view as an address holds it; ``claim=leak`` stands for all that the claim starts from.

    With anything else chosen beside it, the claim is no longer that of the view.
    """
    given = dict(parse_qsl(state, strict_parsing=True))
    claim = given.get("claim", "")
    if claim and claim not in CLAIMS:
        raise ValueError(f"claim must be one of {', '.join(CLAIMS)}, but is {claim}")
    start = CLAIMS[claim or next(iter(CLAIMS))].state
    for key, value in given.items():
        choices = SHARED.get(key) or SETTING.get(key[2:] if key[:2] in ("a.", "b.") else "")
        if choices and value not in choices:
            raise ValueError(f"{key} must be one of {', '.join(choices)}, but is {value}")
        if key == "points" and not re.fullmatch(r"([\w-]{2}[01])*", value, re.ASCII):
            raise ValueError(f"points are places in two letters and a class each, not {value!r}")
        if not choices and key not in ("claim", "points"):
            raise ValueError(f"a view has no {key}; it has claim, {', '.join(start)}")
    view = dict(start) | {key: value for key, value in given.items() if key != "claim"}
    return urlencode({"claim": claim if view == start else ""} | view)


def constants() -> str:
    """What the script has from here: formulas, the largest slopes, and what the choices mean."""
    steepest = {name: _steepest(name) for name in NAMES}
    quantiles = [round(float(stats.t.ppf(0.975, n)), 4) for n in range(1, MOST)]
    values = {
        "STEEPEST": steepest,
        "STARTS": STARTS,
        "PASSES": PASSES,
        "LEAKS": LEAKS,
        "LEARNED": LEARNED,
    }
    values |= {"QUANTILES": quantiles, "STEPS": STEPS, "MOST": MOST}
    lines = [f"const {name} = {json.dumps(value)};\n" for name, value in values.items()]
    return javascript.activations(NAMES, learned=LEARNED) + "".join(lines)


def runs() -> str:
    """The part of the script that needs no page: networks that learn points."""
    return constants() + "".join((HERE / part).read_text("utf-8") for part in SCRIPTS)


def _steepest(name: str) -> list[float]:
    """Where the slope is largest; with a parameter, for some values of it on either side of 0."""
    f = REGISTRY.elementwise[name]
    samples = [{LEAKS[name]: value} for value in (0.1, 2.0)] if name in LEAKS else [{}]
    found = {round(WIDE[np.abs(f.grad(WIDE, **given)).argmax()], 3) for given in samples}
    return [float(z) for z in sorted(found)]


def source() -> str:
    """The script of the instrument; a worker runs it, too."""
    return own_script("train.js", *SCRIPTS, *VIEWS, before=constants())


def settings(state: Mapping[str, str]) -> list[dict[str, Any]]:
    """The two settings of a view, as the script takes them."""
    return [{key: _number(state[f"{side}.{key}"]) for key in SETTING} for side in ("a", "b")]


def shared(state: Mapping[str, str]) -> dict[str, Any]:
    """What both have in common."""
    return {key: _number(state[key]) for key in SHARED}


def _number(text: str) -> float | int | str:
    try:
        return json.loads(text)  # type: ignore[no-any-return]
    except ValueError:
        return text


@cache
def still() -> tuple[str, str]:
    """The end of the run of "Centre it", and what is seen there in words."""
    state = CLAIMS["centre"].state
    names = ["six layers of sigmoids", "the same, centred"]
    return train_picture.drawn(runs(), shared(state), settings(state), names)


def _options(choices: Mapping[str, str]) -> str:
    return "".join(
        f'<option value="{key}">{escape(text)}</option>' for key, text in choices.items()
    )


def _claim(self: HTML5Translator, key: str, claim: Claim) -> str:
    where = f"{address(self, claim.where)}#{claim.where}"
    choices = "".join(
        f'<label><input type="radio" name="guess-{key}" value="{i}">{escape(text)}</label>'
        for i, text in enumerate(claim.choices)
    )
    return (
        f'<div data-claim="{key}"><p>{escape(claim.said)} '
        f'<a href="{escape(where)}">Where the book says so</a></p>'
        f"<fieldset><legend>{escape(claim.question)}</legend>{choices}</fieldset>"
        f'<p class="answer" data-right="{claim.right}"><span></span> '
        f"{escape(claim.answer)}</p></div>"
    )


def begin(claim: str = "chance", **brief: None) -> tuple[str, bool]:
    """What the directive asks for: the view of a claim, and whether only the run is unfolded."""
    return checked(f"claim={claim}"), bool(brief)


def table() -> dict[str, str]:
    """What ``train.js`` reads, to be written as JSON: the view that each claim starts from."""
    return {key: checked(f"claim={key}") for key in CLAIMS}


def markup(self: HTML5Translator, start: tuple[str, bool]) -> str:
    """The instrument as HTML, without its style and its script."""
    state, brief = start
    lists = {key: _options(choices) for key, choices in (SHARED | SETTING).items()}
    return Template((HERE / "train.html").read_text("utf-8")).substitute(
        lists,
        state=escape(state),
        open="" if brief else "open",
        table=json.dumps(table(), separators=(",", ":")),
        buttons="".join(
            f'<button type="button" value="{key}" aria-pressed="false">{escape(c.title)}</button>'
            for key, c in CLAIMS.items()
        ),
        claims="".join(_claim(self, key, claim) for key, claim in CLAIMS.items()),
        page=escape(address(self, PAGE)),
        steps=f"{STEPS:,}",
        most=MOST,
    )


INSTRUMENT = Instrument(
    name="train",
    markup=markup,
    scripts=lambda: {"train.js": source()},
    instead="Here an instrument needs JavaScript: it trains two small networks side by side. The "
    "picture shows the end of such a run. {ref}`rescue-ladder` and {ref}`dying-cures` have others, "
    "on handwritten digits.",
    page=PAGE,
    checked=checked,
    still=still,
    role="train-view",  # {train-view}`a small leak <claim=leak>`
    options={"claim": str, "brief": directives.flag},
    start=begin,
)
