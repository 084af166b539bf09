"""The points at which a function is examined: everywhere, where activations live, and round."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from actlib.check.accuracy import float_info, grid

WINDOW = 8.0  # most pre-activations lie between this and its negative


def _round_numbers() -> np.ndarray:
    """Where people branch: whole numbers, halves, quarters, tenths, powers of two and of ten."""
    tenths, quarters, halves = np.arange(101) / 10, np.arange(41) / 4, np.arange(65) / 2
    whole, twos, tens = np.arange(101), 2.0 ** np.arange(-30, 31), 10.0 ** np.arange(-12, 13)
    positive = np.concatenate([tenths, quarters, halves, whole, twos, tens])
    return np.concatenate([-positive, positive])


def _window(points: int) -> np.ndarray:
    """Four times as many from -8 to 8: at random, but no gap is wider than ``4.5 / points``."""
    places = np.arange(2 * points) + np.random.default_rng(0).uniform(0, 0.125, 2 * points)
    positive = WINDOW * places / (2 * points)
    return np.concatenate([-positive, positive])


def _evenly(domain: tuple[float, float], end: float, points: int) -> np.ndarray:
    """Between the ends of a domain, or as far out as is asked for."""
    low, high = np.clip(domain, -end, end).tolist()
    return 2 * np.linspace(low / 2, high / 2, points)  # their difference may be too large


@np.errstate(all="ignore")
def examined(
    dtype: np.dtype, kinks: Iterable[float], domain: tuple[float, float] | None, points: int
) -> np.ndarray:
    """Where to compare with exact numbers; both zeros are among them, kinks are not.

    Parameters
    ----------
    dtype : dtype
        float32, float64, float16 or bfloat16.
    kinks : iterable of float
        Their neighbours are included, they themselves are not.
    domain : pair of float, optional
        Only what lies there, with more points in it.
    points : int
        As of `grid`, whose points are included. Between -8 and 8 no gap is wider than
        ``4.5 / points``, but for the dtype's own.

    Returns
    -------
    ndarray
        Sorted.

    Raises
    ------
    ValueError
        If there are none.
    """
    kinks = np.array(list(kinks), dtype)
    parts = [grid(dtype, {0.0, *kinks.tolist()}, points), _round_numbers(), _window(points)]
    if domain is not None:
        parts += [_evenly(domain, end, points) for end in (1e4, float(float_info(dtype).max))]
    z = np.concatenate([part.astype(dtype) for part in parts])
    normal = np.isfinite(z) & ((z == 0) | (abs(z) >= float_info(dtype).smallest_normal))
    z = np.setdiff1d(z[normal], kinks)
    if domain is not None:
        z = z[(z >= domain[0]) & (z <= domain[1])]
    if not z.size:
        raise ValueError(f"no normal {dtype} number lies in the domain {domain}, but for kinks")
    zero = np.flatnonzero(z == 0)
    z[zero] = 0.0
    begins = domain is not None and domain[0] == 0  # then -0.0 is not in it
    return z if begins else np.insert(z, zero, -0.0)
