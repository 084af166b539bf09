"""Drawings of what words explain badly: units, a layer, a network, a path, and a float's bits.

Each function returns an SVG whose words and lines have the colour of the text around it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from itertools import pairwise, product

import numpy as np

from actlib._core.registry import REGISTRY
from actlib.palette import INKS, line

__all__ = ["DRAWINGS", "bits", "gate", "layer", "network", "path", "unit"]

WIDTH = 460  # as wide as the figures, so that their words have one size
_BLUE, _ORANGE, _GREEN = *INKS[0], INKS[1][0]
_Point = tuple[float, float]


def unit(activation: str = "relu") -> str:
    """Draw one unit: inputs, weights, the sum z, and the activation.

    Parameters
    ----------
    activation : str
        A name in ``actlib.REGISTRY.elementwise``.

    Returns
    -------
    str
        An SVG.

    Examples
    --------
    >>> from actlib.book.drawings import unit
    >>> unit()[:4]
    '<svg'
    """
    inputs = _column(60, 3, spacing=54, middle=86)
    total, output = (205.0, 86.0), (424.0, 86.0)
    parts = []
    for number, place in zip("₁₂₃", inputs, strict=True):
        parts += [_circle(place, 17), _words(place, f"x{number}", italic=True)]
        parts.append(_arrow(_towards(place, total, 17), _towards(total, place, 22)))
        x, y = _between(place, total, 0.42)
        parts.append(_words((x, y - 10), f"w{number}", italic=True, color=_BLUE))
    parts += [_circle(total, 22), _words(total, "Σ")]
    parts += [_arrow((205, 146), (205, 109)), _words((205, 158), "b", italic=True, color=_BLUE)]
    parts += [_arrow((228, 86), (279, 86)), _words((253, 75), "z", italic=True)]
    parts += [_box((280, 52), 68, 68), _curve(activation, (314, 86), 27)]
    parts += [_words((314, 40), "f", italic=True, color=line(activation).color)]
    parts += [_arrow((348, 86), (388, 86)), _words(output, "a = f(z)", italic=True)]
    parts.append(_words((230, 192), "z = w₁x₁ + w₂x₂ + w₃x₃ + b", italic=True))
    return _svg(
        "A unit",
        "Three inputs, x₁ to x₃, are multiplied by the weights w₁ to w₃ and added up with the bias "
        f"b to the pre-activation z. The activation f, here {activation}, turns z into the output "
        "a = f(z).",
        204,
        parts,
    )


def layer(activation: str = "relu") -> str:
    """Draw a layer: every unit sees all inputs.

    Parameters
    ----------
    activation : str
        A name in ``actlib.REGISTRY.elementwise``.

    Returns
    -------
    str
        An SVG.
    """
    inputs, units = _column(70, 3, 54, 96), _column(240, 4, 46, 96)
    parts = [_threads(inputs, units, 15, 17)]
    for number, place in zip("₁₂₃", inputs, strict=True):
        parts += [_circle(place, 15), _words(place, f"x{number}", italic=True)]
    for number, place in zip("₁₂₃₄", units, strict=True):
        end = (place[0] + 85, place[1])
        parts += [_circle(place, 17), _curve(activation, place, 10)]
        parts += [_arrow(_towards(place, end, 17), end)]
        parts.append(_words((end[0] + 18, end[1]), f"a{number}", italic=True))
    parts += [_words((155, 192), "W, b", italic=True, color=_BLUE), _words((70, 192), "inputs")]
    parts += [_words((240, 192), "units"), _words((343, 192), "outputs")]
    parts.append(_words((230, 216), "a = f(xW + b)", italic=True))
    return _svg(
        "A layer",
        "A layer of four units. Each unit is connected with all three inputs, x₁ to x₃, and gives "
        f"one output, a₁ to a₄. In each, the activation, here {activation}, is applied to a "
        "weighted sum: a = f(xW + b).",
        228,
        parts,
    )


def gate(activation: str = "sigmoid") -> str:
    """Draw a gated unit: two sums of the same inputs, and the product of one with f of the other.

    Parameters
    ----------
    activation : str
        A name in ``actlib.REGISTRY.elementwise``.

    Returns
    -------
    str
        An SVG.
    """
    inputs = _column(40, 3, spacing=52, middle=98)
    value, opening, product = (160.0, 52.0), (160.0, 144.0), (350.0, 52.0)
    parts = [_threads(inputs, [value, opening], 17, 20)]
    for number, at in zip("₁₂₃", inputs, strict=True):
        parts += [_circle(at, 17), _words(at, f"x{number}", italic=True)]
    for at, name, below in ((value, "value", 20), (opening, "gate", 180)):
        parts += [_circle(at, 20), _words(at, "Σ"), _words((at[0], below), name, color=_BLUE)]
    parts += [_arrow((181, 52), (331, 52)), _words((256, 40), "v", italic=True)]
    parts += [_arrow((181, 144), (229, 144)), _words((204, 132), "u", italic=True)]
    parts += [_box((230, 110), 68, 68), _curve(activation, (264, 144), 27)]
    parts.append(_words((310, 164), "f", italic=True, color=line(activation).color))
    parts.append(_arrow((299, 130), _towards(product, (299, 130), 19)))
    parts += [_circle(product, 18), _words(product, "×"), _arrow((369, 52), (405, 52))]
    parts += [_words((417, 52), "a", italic=True), _words((230, 208), "a = v · f(u)", italic=True)]
    return _svg(
        "A gated unit",
        "Three inputs, x₁ to x₃, go into two weighted sums. The upper one is the value v. The "
        f"lower, u, goes through the activation f, here {activation}, and is the gate. The output "
        "is the product of both: a = v · f(u).",
        220,
        parts,
    )


def network(activation: str = "relu") -> str:
    """Draw a network of two hidden layers, with the activation in each of their units.

    Parameters
    ----------
    activation : str
        A name in ``actlib.REGISTRY.elementwise``.

    Returns
    -------
    str
        An SVG.
    """
    columns = [
        _column(x, count, 46, 100)
        for x, count in zip((50, 170, 290, 410), (3, 4, 4, 2), strict=True)
    ]
    parts = [_threads(one, other, 17, 17) for one, other in pairwise(columns)]
    for number, places in enumerate(columns):
        hidden = 0 < number < 3
        parts += [_circle(place, 17) for place in places]
        parts += [_curve(activation, place, 10) for place in places if hidden]
    for (x, _y), words in zip(
        (column[0] for column in columns), ("inputs", "layer 1", "layer 2", "outputs"), strict=True
    ):
        parts.append(_words((x, 202), words))
    parts.append(
        _words(
            (230, 226),
            f"in every unit of a layer, its activation: {activation}",
            color=line(activation).color,
        )
    )
    return _svg(
        "A network",
        "A network with three inputs, two hidden layers of four units each, and two outputs. Every "
        "unit is connected with all of the layer before. In each hidden unit stands the curve of "
        f"its activation, {activation}.",
        238,
        parts,
    )


def path() -> str:
    """Draw the chain rule: forward, number by number, and backward, factor by factor.

    Returns
    -------
    str
        An SVG.
    """
    stations = list(zip(("x", "z₁", "a₁", "z₂", "a₂", "L"), range(30, 460, 80), strict=True))
    forward = ("· w₁", "f", "· w₂", "f", "loss")
    backward = ("x", "f ′(z₁)", "w₂", "f ′(z₂)", "L′(a₂)")
    parts = [_words((230, 14), "forward: what each step computes", color=_BLUE)]
    for name, x in stations:
        parts += [_circle((x, 76), 19), _words((x, 76), name, italic=True)]
    for number, ((_, left), (_, right)) in enumerate(pairwise(stations)):
        middle = (left + right) / 2
        parts += [_arrow((left + 17, 66), (right - 17, 66), _BLUE)]
        parts += [_words((middle, 46), forward[number], italic=True, color=_BLUE)]
        if number:
            parts += [_arrow((right - 17, 86), (left + 17, 86), _ORANGE)]
        parts += [_words((middle, 108), backward[number], italic=True, color=_ORANGE)]
    parts.append(_words((230, 142), "backward: the slope of each step", color=_ORANGE))
    parts.append(_words((230, 170), "∂L/∂w₁ = x · f ′(z₁) · w₂ · f ′(z₂) · L′(a₂)", italic=True))
    return _svg(
        "A computation path",
        "Six numbers in a row: the input x, then z₁ = w₁x, a₁ = f(z₁), z₂ = w₂a₁, a₂ = f(z₂) and "
        "the loss L. Arrows lead forward from one to the next; arrows back carry the slope of each "
        "step. The derivative of L by w₁ is the product of all of them.",
        184,
        parts,
    )


def bits(value: float = 0.1) -> str:
    """Draw the 32 bits of a number in float32: sign, exponent and fraction.

    Parameters
    ----------
    value : float
        A finite number; the nearest one that float32 has is drawn.

    Returns
    -------
    str
        An SVG.

    Raises
    ------
    ValueError
        If float32 has no finite number for the value.

    Examples
    --------
    >>> from actlib.book.drawings import bits
    >>> "sign" in bits(-2.5)
    True
    """
    with np.errstate(over="ignore"):
        stored = np.float32(value)
    if not math.isfinite(stored):
        raise ValueError(f"value must be finite in float32, but is {value}")
    digits = f"{stored.view(np.uint32):032b}"
    exponent = int(digits[1:9], 2)
    power = max(exponent, 1) - 127
    significand = abs(float(stored)) / 2.0**power
    fields = [
        ("sign", digits[:1], _ORANGE, (0, 0)),
        ("exponent", digits[1:9], _GREEN, (60, 0)),
        ("fraction", digits[9:], _BLUE, (0, 74)),
    ]
    parts = []
    for name, field, color, (x, y) in fields:
        parts.append(_words((x, y + 12), name, color=color, anchor="start"))
        for number, digit in enumerate(field):
            corner = (x + 20.0 * number + 1, y + 24.0)
            parts.append(_box(corner, 18, 26, color))
            parts.append(_words((corner[0] + 9, corner[1] + 13), digit))
    sign = "−" if digits[0] == "1" else "+"
    read = (
        f"{exponent} − 127 = {_signed(power)}" if exponent else f"0, which means {_signed(power)}"
    )
    parts.append(_words((235, 37), read, color=_GREEN, anchor="start"))
    written = f"{sign}{significand:.9g} × 2{_raised(power)}"
    parts.append(
        _words((0, 152), f"{written} = {_signed(float(f'{stored:.10g}'))}", anchor="start")
    )
    return _svg(
        "A float's bits",
        f"The 32 bits of {value:g} in float32: a sign bit, {digits[0]}; eight bits of the "
        f"exponent, {digits[1:9]}, {read}; and 23 bits of the fraction, {digits[9:]}. "
        f"Together they say {significand:.9g} times 2 to the power {power}.",
        166,
        parts,
    )


#: All of them, by name.
DRAWINGS: dict[str, Callable[..., str]] = {
    drawing.__name__: drawing for drawing in (unit, gate, layer, network, path, bits)
}


def _svg(title: str, description: str, height: int, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}pt" height="{height}pt" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="14" '
        'fill="none" stroke-linecap="round">\n'
        f"<title>{escape(title)}</title>\n<desc>{escape(description)}</desc>\n"
        + "\n".join(parts)
        + "\n</svg>"
    )


def _column(x: float, count: int, spacing: float, middle: float) -> list[_Point]:
    """Places one below the other."""
    return [(x, middle + spacing * (number - (count - 1) / 2)) for number in range(count)]


def _between(start: _Point, end: _Point, share: float) -> _Point:
    (x, y), (to_x, to_y) = start, end
    return x + share * (to_x - x), y + share * (to_y - y)


def _towards(start: _Point, end: _Point, distance: float) -> _Point:
    """The place at a distance from the start, on the way to the end."""
    return _between(start, end, distance / math.dist(start, end))


def _circle(middle: _Point, radius: float) -> str:
    x, y = middle
    return f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" stroke="currentColor"/>'


def _box(corner: _Point, width: float, height: float, color: str = "currentColor") -> str:
    x, y = corner
    size = f'width="{width:g}" height="{height:g}"'
    return f'<rect x="{x:g}" y="{y:g}" {size} rx="3" stroke="{color}"/>'


def _words(
    middle: _Point,
    words: str,
    *,
    italic: bool = False,
    color: str = "currentColor",
    anchor: str = "middle",
) -> str:
    x, y = middle
    style = ' font-style="italic"' if italic else ""
    return (
        f'<text x="{x:g}" y="{y + 5:g}" text-anchor="{anchor}" fill="{color}"{style}>'
        f"{escape(words)}</text>"
    )


def _arrow(start: _Point, end: _Point, color: str = "currentColor") -> str:
    (x, y), (to_x, to_y) = start, end
    turn = math.degrees(math.atan2(to_y - y, to_x - x))
    return (
        f'<path d="M{x:.1f} {y:.1f}L{to_x:.1f} {to_y:.1f}" stroke="{color}"/>'
        f'<path d="M0 0l-8 -3.5v7z" fill="{color}" '
        f'transform="translate({to_x:.1f} {to_y:.1f}) rotate({turn:.1f})"/>'
    )


def _threads(
    one: Sequence[_Point], other: Sequence[_Point], radius: float, other_radius: float
) -> str:
    """Thin lines from all circles of a column to all of the next."""
    ends = [
        (*_towards(start, end, radius), *_towards(end, start, other_radius))
        for start, end in product(one, other)
    ]
    lines = "".join(f"M{x:.1f} {y:.1f}L{to_x:.1f} {to_y:.1f}" for x, y, to_x, to_y in ends)
    return f'<path d="{lines}" stroke="currentColor" stroke-opacity="0.45"/>'


def _curve(activation: str, middle: _Point, half: float) -> str:
    """The curve of an activation, over axes through its origin."""
    x, y = middle
    z = np.linspace(-3, 3, 41)
    values = REGISTRY.elementwise[activation](z)
    values = values / np.abs(values).max()
    points = " ".join(
        f"{x + half * along / 3:.1f},{y - half * up:.1f}"
        for along, up in zip(z, values, strict=True)
    )
    return (
        f'<path d="M{x - half:g} {y:g}h{2 * half:g}M{x:g} {y - half:g}v{2 * half:g}" '
        'stroke="currentColor" stroke-opacity="0.35"/>'
        f'<polyline points="{points}" stroke="{line(activation).color}" stroke-width="2.2"/>'
    )


def _signed(number: float) -> str:
    return f"{number:.10g}".replace("-", "−")


def _raised(number: int) -> str:
    return str(number).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
