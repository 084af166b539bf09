"""How far computed numbers are from exact ones, and the points at which to look."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from actlib._core.names import listed
from actlib._core.spec import Spec
from actlib.check.exact import reference


@dataclass(frozen=True)
class Accuracy:
    """How far computed numbers are from exact ones.

    Parameters
    ----------
    z : ndarray
        The points.
    got : ndarray
        What was computed there.
    exact : ndarray of float64
        What is right there.
    errors : ndarray of float
        E at each point: the error, in units of what one ulp of the result or of z may change.
    lost : ndarray of bool
        Where the exact number is an ordinary one, but zero or the wrong sign was computed.
    """

    z: np.ndarray
    got: np.ndarray
    exact: np.ndarray
    errors: np.ndarray
    lost: np.ndarray

    def worst(self, count: int = 5) -> str:
        """The points with the largest errors, one a line."""
        order = np.argsort(-self.errors, kind="stable")[:count]
        lines = [
            f"  z = {self.z[i]!s}: got {self.got[i]!s}, exact {self.exact[i]:.9g}, "
            f"E = {self.errors[i]:.3g}" + (", lost" if self.lost[i] else "")
            for i in order
        ]
        return "\n".join(lines)


def measure(
    function: Callable[..., Any],
    spec: Spec,
    wrt: str | Sequence[str],
    z: np.ndarray,
    params: Sequence[float] = (),
    allowed: float = 4.0,
) -> Accuracy:
    """Measure the error of a function against the exact formula, at each point.

    The measure is a mixed forward-backward error,
    ``E = abs(got - f) / (eps * (abs(f) + abs(z * f')) + tiny)``: what perturbing z by an ulp
    would change is forgiven, nothing else.

    Parameters
    ----------
    function : callable
        ``function(z, *params)``, on NumPy arrays.
    spec : Spec
        Holds the exact formula.
    wrt : str or sequence of str
        What derivative of it the function computes: ``()`` for the value, ``"z"``, ``"alpha"``,
        ``("z", "z")``.
    z : ndarray of float32 or float64
        The points, one-dimensional.
    params : sequence of float
        The parameters; they count as rounded to the dtype of `z`.
    allowed : float
        The E that is allowed; a number is lost only where the conditioning, times this, leaves
        its sign no choice.

    Returns
    -------
    Accuracy
        Error at each point.

    References
    ----------
    N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 1.5,
    https://doi.org/10.1137/1.9780898718027
    """
    params = [float(z.dtype.type(param)) for param in params]
    wrt = listed(wrt)
    exact, slope = reference(spec, *wrt), reference(spec, *wrt, "z")
    return compare(
        z,
        np.asarray(function(z, *params)),
        [exact(x, *params) for x in z.tolist()],
        [slope(x, *params) for x in z.tolist()],
        allowed,
    )


def compare(
    z: np.ndarray,
    got: np.ndarray,
    exact: Sequence[Any],
    slope: Sequence[Any],
    allowed: float,
    uncertain: Sequence[float] | None = None,
) -> Accuracy:
    """Compare with exact numbers and their slopes, which may be uncertain by a known amount."""
    with np.errstate(all="ignore"):
        sensitivity = np.where(z == 0, 0, z.astype(float) * np.array(slope, float))
    return weigh(z, got, exact, sensitivity, allowed, uncertain)


def weigh(
    z: np.ndarray,
    got: np.ndarray,
    exact: Sequence[Any],
    sensitivity: np.ndarray,
    allowed: float,
    uncertain: Sequence[float] | None = None,
    underflow: Any = 1.0,
) -> Accuracy:
    """Compare with exact numbers, of which it is known how they move with what is given.

    Nothing is known where one is infinitely uncertain. The smallest normal number counts
    `underflow` times.
    """
    info = float_info(z.dtype)
    numbers = got.astype(float)
    away = [float(y - f) if math.isfinite(y) else y for y, f in zip(numbers, exact, strict=True)]
    right, unsure = np.array(exact, float), np.array(uncertain or 0.0)
    tiny = float(info.smallest_normal) * underflow
    with np.errstate(all="ignore"):
        scale, at_least = unit(right, sensitivity, z.dtype, underflow), abs(right) - unsure
        conditioned = at_least > allowed * float(info.eps) * abs(sensitivity)
        certain = (at_least >= tiny) & (conditioned | np.isinf(right))
        lost = certain & ~(numbers * np.sign(right) > 0)
        errors = np.maximum(abs(np.array(away, float)) - unsure, 0) / scale
        overflows = np.isinf(numbers) & ~lost & (abs(right) + unsure > float(info.max))
    errors = np.where(np.isfinite(numbers) & np.isfinite(right), errors, np.inf)
    return Accuracy(z, got, right, np.where(overflows | np.isinf(unsure), 0.0, errors), lost)


def unit(exact: Any, sensitivity: Any, dtype: np.dtype, underflow: Any = 1.0) -> Any:
    """What counts as an error of 1: what an ulp of the result or of z may change."""
    info = float_info(dtype)
    tiny = float(info.smallest_normal) * underflow
    return float(info.eps) * (abs(exact) + abs(sensitivity)) + tiny


def float_info(dtype: Any) -> Any:
    """What ``np.finfo`` says, also of bfloat16."""
    if np.dtype(dtype).name != "bfloat16":
        return np.finfo(dtype)
    import ml_dtypes

    return ml_dtypes.finfo(dtype)  # type: ignore[no-untyped-call]


@np.errstate(all="ignore")
def grid(dtype: Any, around: Iterable[float] = (), points: int = 400) -> np.ndarray:
    """Points that cover the normal numbers of a dtype, both signs.

    Parameters
    ----------
    dtype : dtype
        float32, float64, float16 or bfloat16. Of the last two, every so many numbers are taken.
    around : iterable of float
        Kinks and roots: their nearest neighbours are included, they themselves are not.
    points : int
        How many to take evenly from [-20, 20], as many again from the range where exponentials
        overflow and underflow, and as many again log-spaced over all magnitudes.

    Returns
    -------
    ndarray
        Sorted, without duplicates.
    """
    dtype = np.dtype(dtype)
    info, centres = float_info(dtype), np.array(list(around), dtype)
    if dtype.itemsize == 2:
        z = np.arange(2**16, dtype=np.uint16).view(dtype)
        z = np.setdiff1d(z[np.isfinite(z) & (abs(z) >= info.smallest_normal)], centres)
        return z[:: max(1, z.size // (4 * points))]
    low, high = math.log(info.tiny), math.log(info.max)
    inner = np.linspace(-20, 20, points)
    outer = np.linspace(low - 40, high + 40, points)
    sizes = np.exp(np.linspace(low, high, points // 2))
    z = np.concatenate([inner, outer, sizes, -sizes]).astype(dtype)
    z = np.append(np.clip(z, info.min, info.max), _neighbours(centres))
    return np.setdiff1d(z[np.isfinite(z)], centres)


def _neighbours(centres: np.ndarray) -> np.ndarray:
    """Two numbers to either side of each; of zero, those that are normal numbers."""
    down, up = (np.array(end, centres.dtype) for end in (-np.inf, np.inf))
    below, above = np.nextafter(centres, down), np.nextafter(centres, up)
    near = np.stack([np.nextafter(below, down), below, above, np.nextafter(above, up)])
    tiny = np.finfo(centres.dtype).tiny
    return np.where(abs(near) < tiny, np.sign(near) * tiny, near).ravel()


def ends_of_runs(where: np.ndarray) -> list[tuple[int, int]]:
    """First and last index of each run of neighbours that are true."""
    edges = np.diff(where.astype(int), prepend=0, append=0)
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return list(zip(starts.tolist(), (stops - 1).tolist(), strict=True))
