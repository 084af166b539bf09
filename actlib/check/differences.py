"""The derivative of a function that can only be evaluated, and how far it is certain."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev

DEGREE, SIZE = 10, 21  # of the polynomials, and how many values each is fitted to
STEPS = 8  # how many lengths are tried, each a quarter of the one before
FIT = 1e-5  # how much of the values' spread a polynomial may leave over
ULPS = 4  # the error, in units of the last place, that is granted to the function itself
SMALL = 1e-8  # so much smaller than values nearby, a value may be what is left of 1 - tanh(x)


@dataclass(frozen=True)
class Slopes:
    """The derivative at each point, a bound of its error, and one of the second derivative.

    A bound is infinite where nothing is known.
    """

    slope: np.ndarray
    error: np.ndarray
    curvature: np.ndarray


def differentiate(
    f: Callable[[np.ndarray], np.ndarray],
    z: np.ndarray,
    kinks: Iterable[float] = (),
    domain: tuple[float, float] | None = None,
) -> Slopes:
    """Differentiate polynomials that are fitted to values of f around, left and right of z.

    What a polynomial leaves over is the truncation, and the rounding of f as it is evaluated: it
    bounds the error of the derivatives. Fits of many lengths are made, and one counts if it
    explains the values. The best is believed if none of the others contradicts it.
    """
    with np.errstate(all="ignore"):
        values = _Values(f, z, np.array(sorted(kinks), float), domain or (-np.inf, np.inf))
        fits = [fit for side in (-1, 0, 1) for fit in values.fits(side)]
        slopes, errors, curvatures, uncertain = np.array(fits).swapaxes(0, 1)
        best = errors.argmin(axis=0), np.arange(z.size)
        slope, error = slopes[best], errors[best]
        agree = (abs(slopes - slope) <= errors + error).all(axis=0)
        curvature = (abs(curvatures) + uncertain).min(axis=0)
        return Slopes(slope, np.where(agree, error, np.inf), curvature)


class _Values:
    """What f gives around z: to which precision, and how large it is nearby.

    A small value that is left of a difference is a multiple of something coarse: between two steps
    it may follow a straight line, and only larger values nearby tell how wrong that may be.
    """

    def __init__(
        self,
        f: Callable[[np.ndarray], np.ndarray],
        z: np.ndarray,
        kinks: np.ndarray,
        domain: tuple[float, float],
    ) -> None:
        self._f, self._z, self._kinks, self._domain = f, z, kinks, domain
        self._reach = 1 + abs(z)
        y = self._at(z[:, None] + self._reach[:, None] * _stencil(0).nodes)
        self._largest = np.maximum(np.max(abs(y), axis=1), self._reach)
        wide = self._at(z[:, None] + 2 * self._reach[:, None] * _stencil(0).nodes)
        usual = np.fmax(1, np.max(abs(self._at(_stencil(0).nodes))))
        self._nearby = np.fmin(np.max(abs(wide), axis=1), self._reach * usual)
        narrow = (y.astype(np.float32) == y) | np.isnan(y)
        precision = np.finfo(np.float32 if narrow.all() else float)
        self._ulp, self._tiny = float(precision.eps), float(precision.tiny)

    def _at(self, x: np.ndarray) -> np.ndarray:
        inside = np.clip(x, *self._domain)
        y: np.ndarray = np.asarray(self._f(inside.ravel()), float).reshape(x.shape)
        return y

    def fits(self, side: int) -> list[np.ndarray]:
        """Of each length, the first and second derivative, each with a bound of its error."""
        found, flat = [], np.ones(self._z.shape, bool)
        for start in (self._reach / 2, abs(self._z) / 4):
            for k in range(STEPS):
                fit, flat = self._fit(_stencil(side), start * 0.25**k, flat)
                found.append(fit)
        return found

    def _fit(
        self, stencil: _Stencil, length: np.ndarray, flat: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The derivatives, and whether all values are equal to this length.

        Equal values over a short length say little: nobody knows to what they were rounded. And a
        fit to one side does not know of what may be just behind its end.
        """
        x = self._z[:, None] + length[:, None] * stencil.nodes
        y = self._at(x)
        size, spread = np.max(abs(y), axis=1), np.ptp(y, axis=1)
        left_over = np.max(abs(y @ stencil.rest), axis=1)
        usable = np.isfinite(size) & ~self._crossed(x)
        flat = flat & ((spread == 0) | ~usable)
        explained = left_over <= np.maximum(FIT * spread, 2 * ULPS * self._ulp * size)
        explained = np.where(spread == 0, flat, explained) & usable
        rounded = np.where(size < SMALL * self._nearby, self._nearby, size)
        noise = 6 * left_over + ULPS * self._ulp * np.where(flat, self._largest, rounded)
        noise += stencil.blind * self._ulp**0.5 * spread + self._tiny
        found = []
        for order, weights in enumerate((stencil.first, stencil.second), 1):
            number = y @ weights / length**order
            error = noise * abs(weights).sum() / length**order
            known = explained & np.isfinite(number) & np.isfinite(error)
            found += [np.where(known, number, 0), np.where(known, error, np.inf)]
        return np.array(found), flat

    def _crossed(self, x: np.ndarray) -> np.ndarray:
        low, high = x.min(axis=1)[:, None], x.max(axis=1)[:, None]
        outside = (low[:, 0] < self._domain[0]) | (self._domain[1] < high[:, 0])
        crossed: np.ndarray = outside | ((low <= self._kinks) & (self._kinks <= high)).any(axis=1)
        return crossed


@dataclass(frozen=True)
class _Stencil:
    """Chebyshev nodes, the weights of both derivatives at 0, and what a polynomial leaves over."""

    blind: bool
    nodes: np.ndarray
    first: np.ndarray
    second: np.ndarray
    rest: np.ndarray


@functools.cache
def _stencil(side: int) -> _Stencil:
    """Nodes from -1 to 1, or from -2 to 0 on the left side and from 0 to 2 on the right."""
    nodes = np.cos(np.pi * np.arange(SIZE) / (SIZE - 1))
    basis = chebyshev.chebvander(nodes, DEGREE)
    fit = np.linalg.pinv(basis)
    first, second = (
        chebyshev.chebval(-side, chebyshev.chebder(np.eye(DEGREE + 1), n)) @ fit for n in (1, 2)
    )
    return _Stencil(side != 0, nodes + side, first, second, np.eye(SIZE) - (basis @ fit).T)
