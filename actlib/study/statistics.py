"""Means with intervals, and tests of paired differences that promise no more than they keep."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.special import chdtri, nctdtrinc, stdtrit

from actlib._core.arrays import Array

#: With fewer pairs there is no verdict: of n, flips of signs give no p value below 2 ** (1 - n).
LEAST = 6
_FLIPS = 2**14  # all that 15 signs allow, up to the overall one; of more, as many at random
_BLOCK = 2**9


class Interval(NamedTuple):
    """A mean, and between which bounds it is."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        """With three digits, such as ``0.912 [0.905, 0.919]``."""
        return f"{self.mean:.3g} [{self.low:.3g}, {self.high:.3g}]"


class Difference(NamedTuple):
    """A mean difference, and what may be said of it; see `paired`."""

    mean: float
    low: float
    high: float
    p: float
    detectable: Interval


def interval(values: Array, level: float = 0.95) -> Interval:
    """The mean of a few values, and Student's t interval for it.

    It describes a sample and proves no difference: for that, there is `paired`.

    Parameters
    ----------
    values : array_like
        Independent values, for example of different seeds.
    level : float
        How often such an interval holds the true mean, if the values are normal. Each interval is
        by itself: of several, all hold theirs less often.

    Returns
    -------
    Interval
        With bounds that are infinite for a single value, and for fewer than six that are all
        equal: scores come in steps, and so few equal ones say nothing of how much others differ.

    Raises
    ------
    ValueError
        If there is no value, one is not finite, or `level` is no share.

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
    values = _checked(values)
    _check_level(level)
    if not len(values):
        raise ValueError("a mean needs a value, got none")
    mean, n = float(values.mean()), len(values)
    if n == 1 or (n < LEAST and np.ptp(values) == 0):
        return Interval(mean, -np.inf, np.inf)
    half = stdtrit(n - 1, (1 + level) / 2) * values.std(ddof=1) / np.sqrt(n)
    return Interval(mean, mean - float(half), mean + float(half))


def p_value(differences: Array) -> float:
    """How often a mean difference is so large if the two that are compared are exchangeable.

    Then each difference is as likely as its opposite, whatever its distribution, and its signs can
    be flipped: the p value is the share of all ways to do so that make the mean as large as it is.
    It is never below ``2 ** (1 - n)`` for n differences, so fewer than six show nothing at 5%.

    Parameters
    ----------
    differences : array_like
        For example of the accuracies of two activations, seed by seed.

    Returns
    -------
    float
        Of the two-sided test, exact for up to 15 differences; of more, 16384 ways are drawn, the
        same every time.

    Raises
    ------
    ValueError
        If the differences are not finite numbers in one row.

    References
    ----------
    J. Hemerik, J. Goeman, Exact Testing with Random Permutations, TEST 27, 2018,
    https://doi.org/10.1007/s11749-017-0571-1

    Examples
    --------
    >>> from actlib.study import p_value
    >>> p_value([0.02, 0.01, 0.03, 0.02])
    0.125
    >>> p_value([0.02, 0.01, 0.03, 0.02, 0.01, 0.02])
    0.03125
    """
    differences = _checked(differences)
    return paired([differences])[0].p if len(differences) else 1.0


def paired(by_seed: Any, by_example: Any = None, level: float = 0.95) -> list[Difference]:
    """Test several paired differences together, so that any false claim is rare.

    The claim is about new seeds: the same data to train on, the same test examples. All
    differences of a seed are flipped at once, and the largest of the standardised means is
    compared with the largest after each flip, then the second largest, and so on. So the
    probability of *any* false claim is at most ``1 - level``, if the differences that are none in
    truth are together as likely as their opposites. This counts how much the comparisons depend on
    each other, as Bonferroni's and Holm's corrections do not, and it can show something with six
    seeds, where Holm's needs eleven for the 28 pairs of eight activations.

    Parameters
    ----------
    by_seed : array_like
        Differences, of shape (comparisons, seeds), in each column those of one seed; NaN where a
        pair is missing.
    by_example : array_like, optional
        With it, the claim is also about new test examples: the mean difference on each, of shape
        (comparisons, examples), NaN where a comparison does not use it. Signs of examples are then
        flipped besides those of seeds, a wild bootstrap over both. Chance that belongs to a seed
        and an example counts twice, so the test is on the careful side.
    level : float
        One minus the probability of any false claim that is accepted; also the level of each
        interval, by itself.

    Returns
    -------
    list of Difference
        For each comparison the ``mean``; ``low`` and ``high``, which leave out 0 where that
        comparison alone would show a difference (infinite where no data could); ``p``, which
        counts them all: there is a difference where it is at most ``1 - level``; and which
        difference would be ``detectable``, that is, shown in 80% of such studies, with bounds at
        `level`, both for normal differences of this standard deviation, and NaN where there is
        none.

    Raises
    ------
    ValueError
        If a comparison has no difference, one is infinite, shapes do not match, or `level` is no
        share.

    References
    ----------
    T. E. Nichols, A. P. Holmes, Nonparametric Permutation Tests for Functional Neuroimaging, Human
    Brain Mapping 15, 2002, https://doi.org/10.1002/hbm.1058 (the largest of many flipped means)

    J. A. Hartigan, Using Subsample Values as Typical Values, Journal of the American Statistical
    Association 64, 1969 (the interval, from the means of all subsets)

    J. G. MacKinnon, M. Ø. Nielsen, M. D. Webb, Wild Bootstrap and Asymptotic Inference With
    Multiway Clustering, Journal of Business & Economic Statistics 39, 2021,
    https://doi.org/10.1080/07350015.2019.1677473 (flips of signs where two things vary)

    Examples
    --------
    >>> from actlib.study import paired
    >>> first, second = paired([[3, 1, 2, 4, 2, 3, 1], [1, -2, 0, 3, -1, 2, -2]])
    >>> first.mean > 0, first.p <= 0.05, second.p <= 0.05
    (True, True, False)
    """
    _check_level(level)
    groups = [_rows(by_seed), *([] if by_example is None else [_rows(by_example)])]
    means = np.nanmean(groups[0], axis=1)
    counts = np.array([np.sum(~np.isnan(group), axis=1) for group in groups])
    parts = np.hstack([np.nan_to_num(g) / n[:, None] for g, n in zip(groups, counts, strict=True)])
    size = np.linalg.norm(parts, axis=1)
    scale = np.where(size > 0, size, 1)
    flipped = np.vstack([np.abs(signs @ parts.T / scale) for signs in _signs(parts.shape[1])])
    p = _stepped_down(np.abs(means) / scale, flipped)
    share = np.sum(1 / counts, axis=0)
    squares = size**2 - share * means**2
    spread = np.sqrt(np.where(squares > 1e-12 * size**2, squares, 0))  # about the mean
    detectable = _detectable(spread, counts[0], share, flipped.max(axis=1, initial=0), level)
    if by_example is None:
        low, high = _typical(groups[0], 1 - level)
    else:
        half = spread * _studentised(_critical(flipped, 1 - level), share)
        low, high = means - half, means + half
    margin = 1e-9 * size  # by which sums of the same numbers may differ
    low, high = low - margin, high + margin
    columns = (column.tolist() for column in (means, low, high, p))
    return [Difference(*row) for row in zip(*columns, detectable, strict=True)]


def holm(p_values: Sequence[float], level: float = 0.95) -> list[tuple[float, float]]:
    """Correct p values for their number, as Holm does.

    For tests that share no seeds; of differences seed by seed, `paired` shows more.

    Parameters
    ----------
    p_values : sequence of float
        Of all that is tested.
    level : float
        One minus the probability of any false claim that is accepted.

    Returns
    -------
    list of tuple of float
        For each its adjusted p value, and the level at which its own interval leaves out 0 where,
        and only where, the adjusted p value is below ``1 - level``. With all claims of a
        difference taken together, one is false with a probability of at most ``1 - level``. That
        is all: such intervals do not hold all the true differences at once.

    Raises
    ------
    ValueError
        If a p value or `level` is no share.

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
    _check_level(level)
    if wrong := [p for p in p_values if not 0 <= p <= 1]:
        raise ValueError(f"p values must be from 0 to 1, got {wrong[0]}")
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


def _signs(count: int) -> Iterator[Array]:
    """Blocks of flips: all up to the overall sign, but for the one that flips nothing, or many."""
    if 2 ** (count - 1) <= _FLIPS:
        numbers = np.arange(1, 2 ** (count - 1))
        yield 1.0 - 2 * (numbers[:, None] >> np.arange(count) & 1)
        return
    rng = np.random.default_rng(0)
    for _ in range(0, _FLIPS, _BLOCK):
        yield 1.0 - 2 * rng.integers(0, 2, (_BLOCK, count), dtype=np.int8)


def _stepped_down(statistics: Array, flipped: Array) -> Array:
    """Adjusted p values: the largest against all, the second largest against all the others, ..."""
    order = np.argsort(statistics)
    largest = np.maximum.accumulate(flipped[:, order], axis=1)
    reached = np.sum(largest >= statistics[order] - 1e-9, axis=0)  # ties, but for rounding
    shares = (1 + reached) / (1 + len(flipped))
    p = np.empty_like(statistics)
    p[order] = np.maximum.accumulate(shares[::-1])[::-1]
    return p


def _rank(flips: int, risk: float) -> int:
    """How many of the flips may be as extreme as the data, which count as one themselves."""
    return int(risk * (1 + flips) + 1e-9)


def _critical(flipped: Array, risk: float) -> Array:
    """What a statistic must exceed for its p value to be as small as the risk."""
    rank = _rank(len(flipped), risk)
    return np.sort(flipped, axis=0)[-rank] if rank else np.full(flipped.shape[1:], np.inf)


def _typical(values: Array, risk: float) -> tuple[Array, Array]:
    """Between which means the flips of signs leave room, for each row of values."""
    flips = np.vstack([signs < 0 for signs in _signs(values.shape[1])])
    rank = _rank(len(flips), risk)
    if not rank:
        return np.full(len(values), -np.inf), np.full(len(values), np.inf)
    known, given = ~np.isnan(values).T, np.nan_to_num(values).T
    with np.errstate(invalid="ignore"):  # a part may be empty: then nothing was flipped
        parts = [(part @ given) / (part @ (1.0 * known)) for part in (flips, ~flips)]
    lows = np.nan_to_num(np.minimum(*parts), nan=-np.inf)
    highs = np.nan_to_num(np.maximum(*parts), nan=np.inf)
    return np.sort(lows, axis=0)[rank - 1], np.sort(highs, axis=0)[-rank]


def _studentised(statistic: Array, share: Array) -> Array:
    """How many deviations about the mean belong to a statistic, which is measured about 0."""
    room = 1 - share * statistic**2
    return np.where(room > 1e-9, statistic / np.sqrt(np.maximum(room, 1e-9)), np.inf)


def _detectable(
    spread: Array, n: Array, share: Array, largest: Array, level: float
) -> list[Interval]:
    """Which mean exceeds the critical value in 80% of studies, if differences are normal."""
    free = np.maximum(n - 1, 1)
    error = np.where((n > 1) & (spread > 0), spread * np.sqrt(n / free), np.nan)
    t = _studentised(_critical(largest, 1 - level), share) * np.sqrt(free / n)
    reached = t < 100  # beyond, SciPy does not come to an end
    needed = error * np.where(reached, nctdtrinc(free, 0.2, np.where(reached, t, 1)), np.inf)
    ends = [np.sqrt(free / chdtri(free, end)) for end in ((1 - level) / 2, (1 + level) / 2)]
    columns = (needed, *(needed * end for end in ends))
    return [Interval(*row) for row in np.transpose(columns).tolist()]


def _rows(values: Any) -> Array:
    values = np.asarray(values, float)
    if values.ndim != 2 or np.isinf(values).any() or np.isnan(values).all(axis=1).any():
        raise ValueError(
            "it takes differences of shape (comparisons, seeds), finite or NaN, and one at least "
            f"in each row, got {values}"
        )
    return values


def _checked(values: Any) -> Array:
    try:
        row = np.asarray(values, float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{error}; it takes numbers in one row") from error
    if row.ndim != 1:
        raise ValueError(f"it takes numbers in one row, got shape {row.shape}")
    bad = np.flatnonzero(~np.isfinite(row))
    if bad.size:
        raise ValueError(f"number {bad[0]} is {row[bad[0]]}; leave out what is missing or infinite")
    return row


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, such as 0.95, got {level}")
