"""What the explorer draws: values and derivatives of every activation at a few nodes.

A curve is a row of nodes (z, f, f', f''). Between two of them f is the cubic that has their values
and their slopes f', and f' is the cubic that has their values f' and their slopes f''. At a kink
there are two nodes, one for each side; what the activation takes there by convention stands apart.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise, product
from typing import Any, NamedTuple

import numpy as np

from actlib import palette
from actlib._core.registry import REGISTRY, Activation
from actlib._core.spec import Param
from actlib.pieces import pieces, saturated_intervals

LO, HI, STEP = -6.0, 6.0, 0.05
TOLERANCE = 1e-4  # of the interpolation in f and f', where the table may choose its nodes
ERROR = 2e-4  # which the explorer states: the tolerance and what rounding adds
UNITS = (1000, 10_000, 10_000, 10_000)  # by which z, f, f' and f'' are stored as whole numbers

_ROUND = (-1.0, -0.5, 0.0, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 5.0, 10.0)
_TIMES = np.arange(1, 16) / 16  # where between two nodes the interpolation is checked
_STEPS = np.array([1e-9, 1e-4, 2e-4])  # from a node inwards, to see what is approached there


class Node(NamedTuple):
    """A point of a curve, with the slopes of f and of f'."""

    z: float
    value: float
    slope: float
    bend: float


def table(given: Mapping[str, Mapping[str, float]] | None = None) -> dict[str, Any]:
    """Tabulate every activation of the registry.

    Parameters
    ----------
    given : mapping of str to mapping of str to float, optional
        Values of parameters, by activation, to be among those that are tabulated.

    Returns
    -------
    dict
        What ``explorer.js`` reads, to be written as JSON.
    """
    more = given or {}
    functions: Mapping[str, Any] = REGISTRY.elementwise
    return {
        "lo": LO,
        "hi": HI,
        "step": STEP,
        "error": ERROR,
        "units": UNITS,
        "functions": {
            name: {
                "colour": palette.line(name).color,
                **_entry(activation, tuple(more.get(name, {}).items())),
            }
            for name, activation in sorted(functions.items())
        },
    }


@functools.cache
def _entry(activation: Any, given: tuple[tuple[str, float], ...]) -> dict[str, Any]:
    """The choices of each parameter, which of them to begin with, and a curve for all of them."""
    params = activation.spec.params
    start = {key: dict(given).get(key, param.default) for key, param in params.items()}
    values = {key: choices(param, start[key]) for key, param in params.items()}
    if len(values) > 1:  # all combinations would be too many
        values = {
            key: sorted({some[0], params[key].default, start[key], some[-1]})
            for key, some in values.items()
        }
    return {
        "params": values,
        "start": [some.index(start[key]) for key, some in values.items()],
        "curves": [
            _curve(activation, dict(zip(values, chosen, strict=True)))
            for chosen in product(*values.values())
        ],
    }


def choices(param: Param, *given: float) -> list[float]:
    """Values to choose from: the default and the round numbers that the samples span.

    Where there are none, the samples themselves.
    """
    least, largest = min(param.samples), max(param.samples)
    some = {param.default, *(value for value in _ROUND if least <= value <= largest)}
    return sorted({*(some if len(some) > 2 else param.samples), *given})


def _curve(activation: Activation[...], params: dict[str, float]) -> list[list[int]]:
    """Nodes, kinks (z, f, f') and where it is saturated, each in one row of whole numbers."""
    rows: tuple[list[Any], ...] = (
        [
            node
            for z, _ in pieces(activation, LO, HI, params)
            for node in _nodes(activation, z, params)
        ],
        list(_jumps(activation, params)),
        saturated_intervals(activation, lo=LO, hi=HI, **params),
    )
    units = (UNITS, UNITS[:3], (UNITS[0], UNITS[0]))
    return [_whole(row, unit) for row, unit in zip(rows, units, strict=True)]


def _whole(rows: list[Any], units: tuple[int, ...]) -> list[int]:
    """Round to whole units; a slope that is not zero stays so: flat is not nearly flat."""
    numbers = []
    for row in rows:
        for i, (number, unit) in enumerate(zip(row, units, strict=True)):
            rounded = round(number * unit)
            numbers.append(rounded or (int(np.sign(number)) if i == 2 else 0))
    return numbers


def _nodes(activation: Activation[...], z: np.ndarray, params: dict[str, float]) -> list[Node]:
    """Enough nodes on a piece between two kinks; f' may have a bend at 0, where formulas change."""
    ends = [z[0], *([0.0] if z[0] < 0 < z[-1] else []), z[-1]]
    nodes: list[Node] = []
    for pair in pairwise(ends):
        for left, right in _fit(activation, *pair, params):
            if not nodes or not np.allclose(nodes[-1], left, atol=2 / UNITS[-1]):
                nodes.append(left)
            nodes.append(right)
    return nodes


def _fit(
    activation: Activation[...], start: float, end: float, params: dict[str, float]
) -> Iterator[tuple[Node, Node]]:
    """Halve an interval until cubics fit in each part."""
    left = _seen(activation, start, 1, params)
    right = _seen(activation, end, -1, params)
    z = start + _TIMES * (end - start)
    off = [
        np.abs(_cubic(left, right, order, z) - function(z, **params)).max()
        for order, function in ((1, activation), (2, activation.grad))
    ]
    if max(off) <= TOLERANCE or end - start < 4 / UNITS[0]:
        yield left, right
    else:
        middle = round((start + end) / 2 * UNITS[0]) / UNITS[0]
        yield from _fit(activation, start, middle, params)
        yield from _fit(activation, middle, end, params)


def _seen(activation: Activation[...], z: float, side: int, params: dict[str, float]) -> Node:
    """What is approached at `z` from the right (1) or from the left (-1)."""
    near = z + side * _STEPS
    slopes = activation.grad(near, **params)
    bend = side * (slopes @ [-1.5, 2.0, -0.5]) / _STEPS[1]
    there = float(activation.grad(z, **params))
    slope = there if abs(there - slopes[0]) < 1e-6 else float(slopes[0])
    return Node(z, float(activation(near[0], **params)), slope, float(bend))


def _cubic(left: Node, right: Node, order: int, z: np.ndarray) -> np.ndarray:
    """The cubic between two nodes that stands for f (1) or for f' (2)."""
    h = right.z - left.z
    t = (z - left.z) / h
    a, b, c, d = left[order], right[order], h * left[order + 1], h * right[order + 1]
    return np.asarray(a + t * (c + t * (3 * (b - a) - 2 * c - d + t * (2 * (a - b) + c + d))))


def _jumps(
    activation: Activation[...], params: dict[str, float]
) -> Iterator[tuple[float, float, float]]:
    """The kinks in the range where something does jump, with the value and the slope there."""
    functions: tuple[Callable[..., Any], ...] = (activation, activation.grad)
    for kink in activation.spec.kinks_at(**params):
        around = kink + np.array([-_STEPS[0], 0.0, _STEPS[0]])
        values, slopes = (function(around, **params) for function in functions)
        if LO <= kink <= HI and max(np.ptp(values), np.ptp(slopes)) > 1e-6:
            yield kink, float(values[1]), float(slopes[1])
