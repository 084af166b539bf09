"""The range of an activation, cut at its kinks, and where in it the activation is flat."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from actlib._core.registry import (
    Activation,
    AxisFunction,
    Derivative,
    GatedUnit,
    refuse_vectors,
)

_POINTS = 2001  # of a piece between two kinks; odd, so that its middle is among them
_BEYOND = np.geomspace(1e-3, 1e3, 500)  # how far outside of a range, in its widths, slopes are seen


def flat_intervals(
    activation: Activation[...],
    *,
    lo: float = -6.0,
    hi: float = 6.0,
    share: float = 0.05,
    **params: float,
) -> list[tuple[float, float]]:
    """Where in a range an activation is flat.

    Parameters
    ----------
    activation : Activation
        An entry of ``actlib.REGISTRY.elementwise``.
    lo, hi : float
        The range of pre-activations.
    share : float
        Flat is where the absolute derivative is at most this share, from 0 to 1, of its largest
        value in the range; with 0, where the derivative is exactly zero.
    **params : float
        Parameters of the activation, such as ``alpha=0.1``.

    Returns
    -------
    list of tuple of float
        Start and end of each interval, from left to right; one that is narrower than a thousandth
        of the range can be missed.

    Raises
    ------
    ValueError
        If the range is empty or infinite, or the share is not between 0 and 1.

    Examples
    --------
    >>> from actlib import relu
    >>> from actlib.plots import flat_intervals
    >>> flat_intervals(relu)
    [(-6.0, 0.0)]
    """
    found, _ = _flat(activation, lo, hi, share, params)
    return found


def saturated_intervals(
    activation: Activation[...],
    *,
    lo: float = -6.0,
    hi: float = 6.0,
    share: float = 0.05,
    **params: float,
) -> list[tuple[float, float]]:
    """Where a unit is saturated: the activation is flat from there on, however far z goes.

    The bottom of GELU's dip is flat, too, but on either side of it GELU is not.

    Parameters
    ----------
    activation : Activation
        An entry of ``actlib.REGISTRY.elementwise``.
    lo, hi : float
        The range of pre-activations.
    share : float
        What counts as flat, see `flat_intervals`.
    **params : float
        Parameters of the activation, such as ``alpha=0.1``.

    Returns
    -------
    list of tuple of float
        Those of the `flat_intervals` that go on beyond an end of the range.

    Examples
    --------
    >>> from actlib import hard_tanh
    >>> from actlib.plots import saturated_intervals
    >>> saturated_intervals(hard_tanh)
    [(-6.0, -1.0), (1.0, 6.0)]
    """
    flat, limit = _flat(activation, lo, hi, share, params)

    def goes_on(end: float, direction: int) -> bool:
        beyond = end + direction * (hi - lo) * _BEYOND
        return bool(np.all(np.abs(activation.grad(beyond, **params)) <= limit))

    return [
        (start, end)
        for start, end in flat
        if (start == lo and goes_on(lo, -1)) or (end == hi and goes_on(hi, 1))
    ]


def _flat(
    activation: Activation[...], lo: float, hi: float, share: float, params: dict[str, float]
) -> tuple[list[tuple[float, float]], float]:
    """Where in a range an activation is flat, and up to which absolute derivative it is."""
    if not -np.inf < lo < hi < np.inf:
        raise ValueError(f"lo must be below hi and both finite, but lo={lo} and hi={hi}")
    if not 0 <= share <= 1:
        raise ValueError(f"share must lie between 0 and 1, but is {share}")
    parts = pieces(activation, lo, hi, params)
    slopes = [np.abs(activation.grad(inside, **params)) for _, inside in parts]
    limit = share * float(max(slope.max() for slope in slopes))
    found: list[tuple[float, float]] = []
    for (z, _), slope in zip(parts, slopes, strict=True):
        flat = slope <= limit
        edges = [
            _edge(activation.grad, limit, z[i], z[i + 1], params)
            for i in np.flatnonzero(flat[1:] != flat[:-1])
        ]
        spans = list(pairwise([float(z[0]), *edges, float(z[-1])]))
        for start, end in spans[0 if flat[0] else 1 :: 2]:
            if found and found[-1][1] == start:  # it goes on beyond a kink
                start, _ = found.pop()
            found.append((start, end))
    return found, limit


def _edge(
    grad: Derivative[...], limit: float, left: float, right: float, params: dict[str, float]
) -> float:
    """Where between two points the absolute derivative crosses a limit, by bisection."""
    flat_left = abs(grad(left, **params)) <= limit
    for _ in range(60):
        middle = (left + right) / 2
        if (abs(grad(middle, **params)) <= limit) == flat_left:
            left = middle
        else:
            right = middle
    return float(left)


def pieces(
    activation: Activation[...], lo: float, hi: float, params: dict[str, float]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """The range, cut at the kinks: points to draw at, and the same with their ends moved inside.

    A function of the latter gives, at a kink, what is approached from this side.
    """
    refuse_vectors(activation)
    inside = (kink for kink in activation.spec.kinks_at(**params) if lo < kink < hi)
    return between([lo, *inside, hi])


def between(ends: list[float]) -> list[tuple[np.ndarray, np.ndarray]]:
    """The pieces with these ends."""
    parts = []
    for start, end in pairwise(ends):
        z = np.linspace(start, end, _POINTS)
        inside = z.copy()
        inside[[0, -1]] += np.array([1e-9, -1e-9]) * (end - start)
        parts.append((z, inside))
    return parts


def along_one(
    function: AxisFunction | GatedUnit,
) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """The first result of a function of vectors as one number varies, and its derivative.

    For a function along an axis the vector is ``[z, 0, 0]``, for a gated unit it is ``[1, z]``.
    """
    along = "axis" in inspect.signature(function).parameters
    varied, rest = (0, [0.0, 0.0]) if along else (1, [1.0])
    upstream = [1.0, 0.0, 0.0] if along else [1.0]

    def vectors(z: Any) -> np.ndarray:
        return np.insert(np.tile(rest, (*np.shape(z), 1)), varied, z, axis=-1)

    def value(z: Any) -> Any:
        return function(vectors(z))[..., 0]

    def slope(z: Any) -> Any:
        return function.vjp(vectors(z), upstream)[..., varied]

    return value, slope
