"""Vectors, and upstream gradients, at which functions of vectors go wrong."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from actlib.check.accuracy import float_info, grid


def vectors(dtype: Any, lengths: Sequence[int] = (1, 2, 3, 10, 65)) -> Iterator[np.ndarray]:
    """Make vectors of every scale and length: random ones, peaks, ties, and the farthest apart.

    Parameters
    ----------
    dtype : dtype
        Of the vectors.
    lengths : sequence of int
        How long they are; the first is that of no peak.

    Yields
    ------
    ndarray
        One-dimensional.
    """
    rng, dtype = np.random.default_rng(1990), np.dtype(dtype)
    big = float(float_info(dtype).max)
    for scale, n in itertools.product((1e-30, 1e-3, 1.0, 10.0, 100.0, 1e4), lengths):
        yield (rng.normal(size=n) * scale).astype(dtype)
        yield (rng.normal(size=n) * scale + 1000).astype(dtype)
    for gap in (0.0, 1e-5, 0.6, 1.0, 5.0, 17.0, 36.0, 80.0, 95.0, 200.0, 700.0, 744.0):
        for n in lengths[1:]:
            peak = rng.normal(size=n)
            peak[n // 2] = peak.max() + gap
            yield peak.astype(dtype)
            yield np.array([gap] + [0.0] * (n - 1), dtype)
            yield np.array([0.0] + [gap] * (n - 1), dtype)
    yield np.array([big, -big, 0.0], dtype)
    yield np.array([-big, -big], dtype)


def pairs(dtype: Any) -> Iterator[np.ndarray]:
    """Make a value and a gate: values of moderate size, and gates all over the range.

    Parameters
    ----------
    dtype : dtype
        Of the pairs.

    Yields
    ------
    ndarray
        Of two numbers.
    """
    gates = grid(dtype, {0.0}, 30)
    values = np.random.default_rng(3).normal(size=gates.size) * 3
    yield from np.stack([values.astype(gates.dtype), gates], axis=-1)


def long_vectors(lengths: Sequence[int]) -> Iterator[np.ndarray]:
    """Make longer vectors, with a tie or a peak; half precision holds their numbers.

    Parameters
    ----------
    lengths : sequence of int
        How long they are.

    Yields
    ------
    ndarray of float64
        One-dimensional.
    """
    rng = np.random.default_rng(2003)
    for n in lengths:
        numbers = rng.integers(-24, 25, n) / 8
        numbers[n // 3] = 12 if n > 26 else numbers[-1]
        yield numbers


def upstreams(like: np.ndarray) -> Iterator[np.ndarray]:
    """Make upstream gradients for a result: even, wide apart, of one number alone.

    Parameters
    ----------
    like : ndarray
        The result, or another array of its shape and dtype.

    Yields
    ------
    ndarray
        Of the same shape and dtype.
    """
    n, dtype, rng = like.size, like.dtype, np.random.default_rng(like.size)
    most = float(float_info(dtype).max) / 16
    yield np.ones(n, dtype)
    yield rng.normal(size=n).astype(dtype)
    yield (like == like.max()).astype(dtype)
    yield (min(1e6, most) * (np.arange(n) == 0)).astype(dtype)
    wide = 10.0 ** rng.uniform(-9, 9, n) * rng.choice([-1, 1], n)
    yield np.clip(wide, -most, most).astype(dtype)
