"""A function of vectors near a point, to 30 digits: its values and slopes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, TypeAlias

import mpmath
import numpy as np

from actlib.check import formulas
from actlib.check.exact import erfc, exp, real, settled

Formula: TypeAlias = Callable[[list[Any]], Sequence[Any]]  # of mpmath numbers

ORDINARY = (0.5, 1.25, 0.75, 2.0)  # no gate is closed, no score far from the others
_SHORT = 4  # numbers; of so long a vector all derivatives are taken
_ENOUGH = 1900  # digits, after which it is left undecided


@functools.lru_cache(2**15)
def _known(function: Callable[[Any], Any], x: Any, precision: int) -> Any:
    """What a function gives with so many bits: of a vector, most numbers stay as they are."""
    return function(x)


def _remembered(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: _known(function, x, mpmath.mp.prec)


_MATHS = SimpleNamespace(
    exp=_remembered(exp), erfc=_remembered(erfc), log=mpmath.log, sqrt=mpmath.sqrt, max=max
)


@functools.cache
def formula_of(function: Any) -> Formula:
    """The exact formula of an entry of the registry; a gated unit's takes its halves in a row."""
    exact = function.spec.exact
    if not hasattr(function, "gate"):
        return lambda z: exact(_MATHS, z)

    def of_halves(z: list[Any]) -> list[Any]:
        half = len(z) // 2
        return [exact(_MATHS, *pair) for pair in zip(z[:half], z[half:], strict=True)]

    return of_halves


def refuse_imprecise(exact: Any) -> None:
    """Refuse a formula that is none of mpmath numbers, or computes in double precision."""
    numbers = [mpmath.mpf(x) for x in ORDINARY]
    formulas.refuse_imprecise(exact, lambda x: (exact([x, *numbers[1:]]) or [None])[0])
    ask = "exact must take a list of mpmath numbers and return one"
    try:
        found = exact(numbers)
    except Exception as error:
        raise ValueError(f"{ask}; it raises {type(error).__name__}: {error}") from error
    if not isinstance(found, list | tuple):
        raise TypeError(f"{ask}, got {found!r}")


@functools.lru_cache(maxsize=16)
def takes_halves(formula: Formula) -> bool:
    """Whether a function is that of a gated unit: half as long as its vector."""
    length = len(formula([mpmath.mpf(x) for x in ORDINARY]))
    if length not in (2, 4):
        raise ValueError(
            f"exact gives {length} numbers for a list of 4; it must give as many, or half as many"
        )
    return length == 2


@dataclass(frozen=True)
class Expansion:
    """A function of n numbers near a point z: its m values, and their derivatives.

    Of a long vector they are taken by a few of its numbers alone.

    Parameters
    ----------
    z : ndarray of mpf
        The point.
    columns : ndarray of int, shape (k,)
        By which numbers it is derived.
    values : ndarray of mpf, shape (m,)
        To 30 digits, as the slopes; NaN where they are not known.
    jacobian : ndarray of mpf, shape (m, k)
        The slopes of each value.
    moves : ndarray of mpf, shape (r, m)
        What r relative changes of z do to the values, roughly.
    bends : ndarray of mpf, shape (r, m, k)
        The same of the slopes.
    """

    z: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    jacobian: np.ndarray
    moves: np.ndarray
    bends: np.ndarray

    def value(self) -> tuple[np.ndarray, np.ndarray]:
        """The values, and what relative changes of z may do to each."""
        return self.values, abs(self.moves).sum(axis=0)

    def vjp(self, upstream: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The product with the Jacobian, and what relative changes of all numbers may do to it."""
        u = _numbers(upstream.astype(float).tolist())
        by_z = np.array([u @ bend for bend in self.bends])
        return u @ self.jacobian, abs(u) @ abs(self.jacobian) + abs(by_z).sum(axis=0)


@functools.lru_cache(2**10)
def expand(formula: Formula, z: tuple[float, ...]) -> Expansion:
    """Double the precision until values and slopes stand, or are negligible, or not defined."""
    point = _numbers(z)
    columns, directions = _chosen(point)
    digits, previous = 40 if len(z) <= _SHORT else 60, None
    while True:
        with mpmath.workdps(digits):
            found = slopes(formula, point, columns)
            if previous is not None:
                values, jacobian = (_proven(*x, digits) for x in zip(found, previous, strict=True))
                if _unknown(values, jacobian) == _unknown(*found) or digits > _ENOUGH:
                    break
        previous, digits = found, 2 * digits
    with mpmath.workdps(digits):
        moves, bends = _changes(formula, point, columns, directions, found)
    return Expansion(point, np.array(columns), values, jacobian, moves, bends)


def slopes(
    formula: Formula, numbers: Iterable[Any], columns: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """The values, and their derivatives by some numbers, as good as the working precision allows.

    A number that is not real is NaN, and so is the slope at a kink.
    """
    z, small = _numbers(numbers), mpmath.mpf(10) ** (-mpmath.mp.dps // 3)
    here = _evaluated(formula, z)
    rows = []
    for j in columns:
        step = (abs(z[j]) or 1) * small
        up, down = (_evaluated(formula, _moved(z, j, h)) for h in (step, -step))
        left, right = (here - down) / step, (up - here) / step
        rows.append([_slope(*sides) for sides in zip(left, right, strict=True)])
    return here, np.array(rows, object).reshape(len(columns), len(here)).T


def _slope(left: Any, right: Any) -> Any:
    """The mean of the slopes on either side; NaN at a kink, where they are far apart."""
    apart = mpmath.mpf(10) ** (-mpmath.mp.dps // 6) * max(1, abs(left), abs(right))
    return (left + right) / 2 if abs(left - right) <= apart else mpmath.nan


def _changes(
    formula: Formula,
    z: np.ndarray,
    columns: Sequence[int],
    directions: np.ndarray,
    here: Sequence[np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """What relative changes of z do to the values and to the slopes that are here."""
    small = mpmath.mpf(10) ** (-mpmath.mp.dps // 3)
    nearby = [slopes(formula, z + small * way, columns) for way in directions]
    moves, bends = (
        [(new - old) / small for new in part]
        for old, part in zip(here, zip(*nearby, strict=True), strict=True)
    )
    return np.array(moves), np.array(bends)


def _chosen(z: np.ndarray) -> tuple[list[int], np.ndarray]:
    """The numbers by which to derive, and relative changes of z: one by one, or signs at random."""
    n = len(z)
    if n <= _SHORT:
        return [*range(n)], np.diag(z)
    few = max(2, 40 // n)
    signs = np.random.default_rng(n).choice([-1, 1], (few, n))
    return sorted({n // 3, n - 1, 0, n // 2} if few > 2 else {n // 3, n - 1}), z * signs


def _moved(z: np.ndarray, j: int, by: Any) -> np.ndarray:
    moved = z.copy()
    moved[j] += by
    return moved


def _evaluated(formula: Formula, z: np.ndarray) -> np.ndarray:
    """Its numbers, or NaN where it divides by 0 or is not defined."""
    length = len(z) // 2 if takes_halves(formula) else len(z)
    try:
        found = _numbers(formula(z.tolist()))
    except (ZeroDivisionError, ValueError):
        return np.full(length, mpmath.nan)
    except Exception as error:
        words = f"of {len(z)} numbers it raises {type(error).__name__}: {error}"
        raise ValueError(f"exact must take lists of any length; {words}") from error
    if len(found) != length:
        raise ValueError(
            f"exact must give {length} numbers for a list of {len(z)}, not {len(found)}"
        )
    return found


def _numbers(values: Iterable[Any]) -> np.ndarray:
    return np.array([real(x) for x in values], object)


def _proven(numbers: np.ndarray, previous: np.ndarray, digits: int) -> np.ndarray:
    """The numbers that are proven by those of half the precision; NaN for the others."""
    pairs = zip(numbers.flat, previous.flat, strict=True)
    proven = [new if settled(new, old, digits) else mpmath.nan for new, old in pairs]
    return np.array(proven, object).reshape(numbers.shape)


def _unknown(*parts: np.ndarray) -> int:
    return sum(mpmath.isnan(x) for part in parts for x in part.flat)
