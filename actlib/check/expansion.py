"""A function of vectors near a point, to 30 digits: its values and its derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, TypeAlias

import mpmath
import numpy as np

from actlib.check.exact import erfc, exp, settled

Formula: TypeAlias = Callable[[list[Any]], Sequence[Any]]  # of mpmath numbers

_MATHS = SimpleNamespace(exp=exp, erfc=erfc, log=mpmath.log, sqrt=mpmath.sqrt, max=max)


def formula_of(function: Any) -> Formula:
    """The exact formula of an entry of the registry; a gated unit's takes its halves in a row."""
    exact = function.spec.exact
    if not hasattr(function, "gate"):
        return lambda z: exact(_MATHS, z)

    def of_halves(z: list[Any]) -> list[Any]:
        half = len(z) // 2
        return [exact(_MATHS, *pair) for pair in zip(z[:half], z[half:], strict=True)]

    return of_halves


@dataclass(frozen=True)
class Expansion:
    """The values of a function of n numbers at a point z, and its derivatives there.

    Parameters
    ----------
    z : ndarray of mpf
        The point.
    values : ndarray of mpf
        The m values, to 30 digits.
    jacobian : ndarray of mpf, shape (m, n)
        Their derivatives, to 30 digits.
    hessian : ndarray of mpf, shape (m, n, n)
        Their second derivatives, roughly.
    """

    z: np.ndarray
    values: np.ndarray
    jacobian: np.ndarray
    hessian: np.ndarray

    def value(self) -> tuple[np.ndarray, np.ndarray]:
        """The values, and what relative changes of all z may do to each."""
        return self.values, abs(self.jacobian) @ abs(self.z)

    def vjp(self, upstream: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The product with the Jacobian, and what relative changes of all numbers may do to it."""
        u = _numbers(upstream.astype(float).tolist())
        by_z = np.tensordot(u, self.hessian, 1)
        return u @ self.jacobian, abs(u) @ abs(self.jacobian) + abs(by_z) @ abs(self.z)


def expand(formula: Formula, z: Sequence[float]) -> Expansion:
    """Double the precision until values and first derivatives stand, or are negligible."""
    digits, previous = 40, None
    while True:
        with mpmath.workdps(digits):
            found = expand_once(formula, z)
            if previous is not None and _settled(previous, found, digits):
                return found
        previous, digits = found, 2 * digits


def expand_once(formula: Formula, numbers: Sequence[Any]) -> Expansion:
    """Differences that get as good as the working precision allows."""
    z, n, small = _numbers(numbers), len(numbers), mpmath.mpf(10) ** (-mpmath.mp.dps // 3)
    steps = np.diag([(abs(x) or 1) * small for x in z])

    def f(x: np.ndarray) -> np.ndarray:
        return _numbers(formula(x.tolist()))

    here, up, down = f(z), [f(z + h) for h in steps], [f(z - h) for h in steps]
    jacobian = np.array([(up[j] - down[j]) / (2 * steps[j, j]) for j in range(n)], object).T
    hessian = np.empty((here.size, n, n), object)
    for j in range(n):
        for i in range(j):
            bend = f(z + steps[i] + steps[j]) - up[i] - up[j] + here
            hessian[:, i, j] = hessian[:, j, i] = bend / (steps[i, i] * steps[j, j])
        hessian[:, j, j] = (up[j] - 2 * here + down[j]) / steps[j, j] ** 2
    return Expansion(z, here, jacobian, hessian)


def _numbers(values: Sequence[Any]) -> np.ndarray:
    return np.array([mpmath.mpf(x) for x in values], object)


def _settled(previous: Expansion, found: Expansion, digits: int) -> bool:
    """Whether it and one of half the precision prove all values and first derivatives."""
    pairs = (found.values, previous.values), (found.jacobian, previous.jacobian)
    return all(
        settled(*pair, digits)
        for new, old in pairs
        for pair in zip(new.flat, old.flat, strict=True)
    )
