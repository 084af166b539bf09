"""An instrument that shows the bits of the sigmoid's slope, and how s(1 - s) loses them.

The script has its exponentials from here. They are products of two short lists in float64, which
every browser multiplies alike, and how far NumPy's are from these, in steps of the dtype; whatever
is computed from them follows the same rules in NumPy and in a browser.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from html import escape
from string import Template
from typing import Any
from urllib.parse import parse_qsl, urlencode

import mpmath
import numpy as np
import numpy.typing as npt
from docutils.parsers.rst import directives
from sphinx.writers.html5 import HTML5Translator

from actlib import sigmoid
from actlib.palette import INKS
from website.instruments.instrument import HERE, Instrument, address, own_script

PAGE = "accuracy-bits"  # the label of the place that has it in full
LOW, HIGH, STEPS = -12, 20, 64  # z in steps of 1/64, which are numbers of float16, too
DTYPES: dict[str, Any] = {"float32": np.float32, "float16": np.float16}
WAYS = ("stepped", "once")  # s as 1/(1 + exp(-z)), step by step, or right but for one rounding
START = {"z": "10", "dtype": "float32", "s": "stepped"}
COMPACT = START | {"z": "14"}
_A = ord("A")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

Float64 = npt.NDArray[np.float64]


def table() -> dict[str, Any]:
    """What ``bits.js`` reads, to be written as JSON."""
    return {
        "steps": STEPS,
        "wholes": _exponentials(HIGH, 1),
        "parts": _exponentials(STEPS - 1, STEPS),
        "dtypes": {name: _format(dtype) for name, dtype in DTYPES.items()},
    }


def places() -> Float64:
    """Every z that the slider has."""
    return np.arange(LOW * STEPS, HIGH * STEPS + 1) / STEPS


def zero_from(dtype: Any, way: str) -> Any:
    """The first z of a dtype from which on 1 - s is 0."""
    steps: Any = sigmoid

    def stepped(z: Any) -> Any:
        return steps.formula.on(np, np.asarray([z]), ())[0]  # each rounded to the dtype

    def once(z: Any) -> Any:
        exact = sigmoid.spec.exact(mpmath, mpmath.mpf(float(z)))
        return dtype(float(exact))  # just below 1, float64 has digits enough for one rounding

    lost: Callable[[Any], Any] = {"stepped": stepped, "once": once}[way]
    z, zero = dtype(1), dtype(HIGH)
    while np.nextafter(z, zero) < zero:
        middle = dtype((float(z) + float(zero)) / 2)
        z, zero = (z, middle) if lost(middle) == 1 else (middle, zero)
    return zero


def _exponentials(last: int, parts: int) -> list[float]:
    return [math.exp(-number / parts) for number in range(last + 1)]


def _format(dtype: Any) -> dict[str, Any]:
    """A dtype: its bits, the digits that tell its numbers apart, its exponentials, and 1 - s."""
    has = np.finfo(dtype)
    zero = [zero_from(dtype, way) for way in WAYS]
    return {
        "exponent": has.nexp,
        "fraction": has.nmant,
        "lowest": int(has.minexp),
        "digits": math.ceil(1 + (has.nmant + 1) * math.log10(2)),
        "exp": _steps(dtype),
        "zero": {
            way: [f"{float(z):.2f}", math.ceil(float(z) * STEPS) / STEPS]
            for way, z in zip(WAYS, zero, strict=True)
        },
    }


def _steps(dtype: Any) -> str:
    """By how many of its steps exp(-z) is off in NumPy, for each z: a letter, and M is 0."""
    z = places()
    whole, part = np.divmod(np.rint(np.abs(z) * STEPS).astype(int), STEPS)
    q = np.array(_exponentials(HIGH, 1))[whole] * np.array(_exponentials(STEPS - 1, STEPS))[part]
    with np.errstate(over="ignore"):
        near = np.where(z < 0, 1 / q, q).astype(dtype)
        found = np.exp(-z.astype(dtype))
    whole_number = f"i{near.itemsize}"
    off = found.view(whole_number).astype(int) - near.view(whole_number)
    if np.abs(off).max() > 12:
        raise ValueError("NumPy's exponentials are off by more than 12 steps")
    return "".join(chr(_A + 12 + step) for step in off)


def checked(state: str) -> str:
    """A view as an address holds it, if the instrument has it."""
    view = START | dict(parse_qsl(state, strict_parsing=True))
    choices = {"dtype": list(DTYPES), "s": list(WAYS)}
    z = float(view["z"])
    if z not in places():
        raise ValueError(
            f"z must be a multiple of 1/{STEPS} from {LOW} to {HIGH}, but is {view['z']}"
        )
    for key, value in view.items():
        if key != "z" and value not in choices[key]:
            raise ValueError(f"{key} must be one of {', '.join(choices[key])}, but is {value}")
    return urlencode(view | {"z": f"{z:.10g}"})


def still(z: float = 16.0) -> tuple[str, str]:
    """The numbers at one z in float32, with their bits, and the same in words."""
    at = np.array([z], np.float32)
    s = sigmoid(at)
    exact = float(sigmoid.grad(z))
    numbers = {
        "s": (s, float(sigmoid(z))),
        "1 − s": (1 - s, float(sigmoid(-z))),
        "s(1 − s)": (s * (1 - s), exact),
        "q/(1 + q)²": (sigmoid.grad(at), exact),
    }
    rows, words = [], []
    for place, (name, (number, right)) in enumerate(numbers.items()):
        digits = f"{number.view(np.uint32)[0]:032b}"
        fields = digits[:1], digits[1:9], digits[9:]
        value, off = _written(number[0]), _lost(number[0], right)
        rows.append(_row(54 * place, name, value, fields, off))
        lost = f", off: the last {off}" if off else ""
        words.append(f"{name} is {value}, its bits {' '.join(fields)}{lost}.")
    height = 54 * len(rows) + 20
    last, here = f"slope, exact: {_written(exact)}", f"z = {z:g}; underlined: off"
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 460 {height}" '
        'font-family="sans-serif" font-size="14" fill="currentColor">'
        f"{''.join(rows)}{_text(0, height - 6, last)}{_text(460, height - 6, here, 'end')}</svg>"
    )
    return svg, f"At z = {z:g} in float32: {' '.join(words)} q is exp(−|z|); {last}."


def _lost(number: np.float32, exact: float) -> int:
    """How many of the last bits of a number are off by one or more."""
    off = abs(float(number) - exact) / float(np.spacing(number))
    return math.floor(math.log2(off)) + 1 if off >= 1 else 0


def _written(number: float) -> str:
    mantissa, exponent = f"{number:.8e}".split("e")
    return f"{mantissa} × 10{str(int(exponent)).translate(_RAISED)}"


def _row(y: int, name: str, value: str, fields: tuple[str, ...], off: int) -> str:
    """A number: its name, its value, and below them the bits in three boxes, underlined if off."""
    found, x = _text(0, y + 14, name) + _text(460, y + 14, value, "end"), 1
    for digits, color in zip(fields, (INKS[0][1], INKS[1][0], INKS[0][0]), strict=True):
        width = 14 * len(digits)
        found += (
            f'<rect x="{x}" y="{y + 21}" width="{width}" height="21" rx="3" fill="none" '
            f'stroke="{color}"/>'
        )
        for number, digit in enumerate(digits):
            found += _text(x + 7 + 14 * number, y + 37, digit, "middle")
        x += width + 4
    if off:
        path = f"M{x - 4 - 14 * off} {y + 44}H{x - 4}"
        found += f'<path d="{path}" stroke="{INKS[0][1]}" stroke-width="3"/>'
    return found


def _text(x: int, y: int, words: str, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{words}</text>'


def markup(compact: bool = False, there: str = "") -> str:
    """The instrument as HTML, without its style and its script; `there` is the page in full."""
    name, state = ("bits_compact.html", COMPACT) if compact else ("bits.html", START)
    return Template((HERE / name).read_text("utf-8")).substitute(
        state=escape(urlencode(state)),
        table=json.dumps(table(), separators=(",", ":")),
        low=LOW,
        high=HIGH,
        step=1 / STEPS,
        page=PAGE,
        there=there,
    )


def _markup(self: HTML5Translator, start: dict[str, bool]) -> str:
    return markup(start["compact"], address(self, PAGE))


def _start(compact: bool = False) -> dict[str, bool]:
    return {"compact": compact}


INSTRUMENT = Instrument(
    name="bits",
    markup=_markup,
    scripts=lambda: {"bits.js": own_script("bits.js")},
    instead="Where JavaScript runs, you can drag $z$ here. The picture shows a single view.",
    page=PAGE,
    checked=checked,
    role="bits-view",  # {bits-view}`the last bit <z=16&dtype=float32>`
    options={"compact": lambda text: directives.flag(text) is None},
    start=_start,
    still=still,
)
