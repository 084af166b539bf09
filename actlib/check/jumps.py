"""Jumps of a function of which nothing is known: between neighbours that differ too much."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from actlib.check.accuracy import float_info

FAR = 100.0  # beyond it, neighbouring numbers lie far apart
NEXT = 32  # so many numbers on either side tell how fast the function changes there


def find_jumps(
    f: Callable[[np.ndarray], np.ndarray], z: np.ndarray, kinks: Iterable[float]
) -> np.ndarray:
    """Find the numbers at which a function jumps.

    Each gap between points is halved until its ends are neighbours, each time keeping the half
    in which the function changes otherwise than beside the gap. It jumps if it changes more there
    than over the next numbers, on one side at least: on the other it may jump back.

    Parameters
    ----------
    f : callable
        Of an array.
    z : ndarray
        Points, sorted; those above 100 are left alone.
    kinks : iterable of float
        Where it may jump.

    Returns
    -------
    ndarray of float
        The number on the right of each jump, in order.
    """
    z = np.unique(z[abs(z) <= FAR])
    if z.size < 4:
        return np.empty(0)
    slope = _slopes_beside(z.astype(float), f(z).astype(float))
    left, right = _narrowed(f, z[:-1], z[1:], slope)
    return np.unique(right[_jumping(f, left, right, kinks)].astype(float))


def _slopes_beside(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """For each gap between points, the mean slope in the gaps next to it."""
    with np.errstate(all="ignore"):
        slopes = np.pad(np.diff(y) / np.diff(z), 1, mode="edge")
    return (slopes[:-2] + slopes[2:]) / 2


def _narrowed(
    f: Callable[[np.ndarray], np.ndarray], left: np.ndarray, right: np.ndarray, slope: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Halve each gap, towards where the function does not follow the slope."""
    at_left, at_right = (f(x).astype(float) for x in (left, right))
    for _ in range(90):
        middle = (left / 2 + right / 2).astype(left.dtype)
        y = f(middle).astype(float)
        with np.errstate(all="ignore"):
            first = abs(y - at_left - slope * (middle - left).astype(float))
            second = abs(at_right - y - slope * (right - middle).astype(float))
        inside = (left < middle) & (middle < right)
        shrink_right = inside & ~(second > first)
        shrink_left = inside & (second > first)
        right, at_right = np.where(shrink_right, middle, right), np.where(shrink_right, y, at_right)
        left, at_left = np.where(shrink_left, middle, left), np.where(shrink_left, y, at_left)
    return left, right


def _jumping(
    f: Callable[[np.ndarray], np.ndarray],
    left: np.ndarray,
    right: np.ndarray,
    kinks: Iterable[float],
) -> np.ndarray:
    """Whether two numbers are neighbours between which the function jumps."""
    lowest, highest = left[0], right[-1]
    up = np.array(np.inf, left.dtype)
    step = abs(f(right).astype(float) - f(left).astype(float))
    size = np.maximum(1, abs(f(left).astype(float)))
    jumping: np.ndarray = (np.nextafter(left, up) == right) & (step > 64 * _eps(left) * size)
    for kink in kinks:
        jumping &= ~((left <= kink) & (kink <= right))
    found = np.flatnonzero(jumping)
    beside = np.minimum(
        _change(f, left[found], -up, (lowest, highest)),
        _change(f, right[found], up, (lowest, highest)),
    )
    jumping[found] = step[found] > 3 * beside
    return jumping


def _eps(z: np.ndarray) -> float:
    return float(float_info(z.dtype).eps)


def _change(
    f: Callable[[np.ndarray], np.ndarray], z: np.ndarray, to: np.ndarray, ends: tuple[Any, Any]
) -> np.ndarray:
    """How much a function changes over the next numbers in a direction; infinite beyond the ends.

    Single steps tell little: where 30 z is rounded, neighbours share one result or differ by two.
    """
    around = [z]
    for _ in range(NEXT):
        around.append(np.nextafter(around[-1], to))
    x = np.array(around)
    inside = ((ends[0] <= x) & (x <= ends[1])).all(axis=0)
    y = f(np.clip(x, *ends).ravel()).astype(float).reshape(x.shape)
    change: np.ndarray = np.where(inside, np.ptp(y, axis=0), np.inf)
    return change
