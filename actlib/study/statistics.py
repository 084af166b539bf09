"""Means with intervals, and differences between pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

from actlib._core.arrays import Array


class Interval(NamedTuple):
    """A mean, and between which bounds it is."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        """With three digits, such as ``0.912 [0.905, 0.919]``."""
        return f"{self.mean:.3g} [{self.low:.3g}, {self.high:.3g}]"


def interval(values: Array, level: float = 0.95) -> Interval:
    """The mean of a few values, and Student's t interval for it.

    Parameters
    ----------
    values : array_like
        Independent values, for example of different seeds.
    level : float
        How often such an interval holds the true mean, if the values are normal.

    Returns
    -------
    Interval
        With bounds that are infinite for a single value.

    Raises
    ------
    ValueError
        If there is no value, or one is not finite.

    References
    ----------
    Student, The Probable Error of a Mean, Biometrika 6, 1908,
    https://doi.org/10.1093/biomet/6.1.1

    Examples
    --------
    >>> from actlib.study import interval
    >>> print(interval([0.9, 0.92, 0.91, 0.93, 0.89]))
    0.91 [0.89, 0.93]
    """
    values = _checked(values, least=1)
    mean, n = float(values.mean()), len(values)
    if n == 1:
        return Interval(mean, -np.inf, np.inf)
    half = stdtrit(n - 1, (1 + level) / 2) * values.std(ddof=1) / np.sqrt(n)
    return Interval(mean, mean - float(half), mean + float(half))


def p_value(differences: Array) -> float:
    """How unlikely such differences are if their true mean is 0, by Student's t test.

    Parameters
    ----------
    differences : array_like
        For example of the accuracies of two activations, seed by seed.

    Returns
    -------
    float
        Of the two-sided test; 1 where there is nothing to test, that is, for fewer than two
        differences or where all are 0.

    Raises
    ------
    ValueError
        If the differences are not finite numbers in one row.

    Examples
    --------
    >>> from actlib.study import p_value
    >>> round(p_value([0.02, 0.01, 0.03, 0.02]), 4)
    0.0163
    """
    differences = _checked(differences, least=0)
    n = len(differences)
    if n < 2 or not np.any(differences):
        return 1.0
    if np.ptp(differences) == 0:
        return 0.0
    t = np.mean(differences) / np.std(differences, ddof=1) * np.sqrt(n)
    return float(2 * stdtr(n - 1, -abs(t)))


def holm(p_values: Sequence[float], level: float = 0.95) -> list[tuple[float, float]]:
    """Correct p values for their number, as Holm does.

    Parameters
    ----------
    p_values : sequence of float
        Of all that is tested.
    level : float
        One minus the probability of any false claim that is accepted.

    Returns
    -------
    list of tuple of float
        For each its adjusted p value, and the level at which its own interval is to be drawn: it
        leaves out 0 where, and only where, the adjusted p value is below ``1 - level``.

    References
    ----------
    S. Holm, A Simple Sequentially Rejective Multiple Test Procedure, Scandinavian Journal of
    Statistics 6, 1979, https://doi.org/10.2307/4615733

    Examples
    --------
    >>> from actlib.study import holm
    >>> [round(p, 3) for p, level in holm([0.04, 0.01])]
    [0.04, 0.02]
    """
    results = [(1.0, level)] * len(p_values)
    adjusted, share, rejecting = 0.0, 1 - level, True
    for step, index in enumerate(np.argsort(p_values, kind="stable")):
        remaining = len(p_values) - step
        adjusted = max(adjusted, min(1.0, remaining * p_values[index]))
        if rejecting:
            share = (1 - level) / remaining
            rejecting = p_values[index] < share
        results[index] = (adjusted, 1 - share)
    return results


def _checked(values: Array, least: int) -> Array:
    values = np.asarray(values, float)
    if values.ndim != 1 or values.size < least or not np.isfinite(values).all():
        raise ValueError(f"it takes {least} or more finite numbers in one row, got {values}")
    return values
