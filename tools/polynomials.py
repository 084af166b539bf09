"""Compute the polynomials that actlib/compiled/coefficients.py has for exp, tanh, log1p and atan.

What is left of each function once its argument is reduced is smooth, and a polynomial follows it.
Remez's exchange finds the one whose largest error is smallest, where the error counts by what it
makes of the whole function.
"""

from collections.abc import Callable

import mpmath
import numpy as np

Number = mpmath.mpf
Real = Callable[[Number], Number]


def _exp(r: Number) -> Number:
    return (mpmath.expm1(r) - r) / r**2 if r else Number(1) / 2


def _tanh(z: Number) -> Number:
    a = mpmath.sqrt(z)
    return (mpmath.tanh(a) - a) / a**3 if z else -Number(1) / 3


def _log(z: Number) -> Number:
    s = mpmath.sqrt(z)
    return 2 * (mpmath.atanh(s) - s) / s**3 if z else Number(2) / 3


def _atan(z: Number) -> Number:
    t = mpmath.sqrt(z)
    return (mpmath.atan(t) - t) / t**3 if z else -Number(1) / 3


#: The function in question, its weight, from where to where, and the number of coefficients.
#: exp(r) is 1 + r + r**2 * P(r); 2 * artanh(s) is 2 * s + s**3 * P(s**2), and the like for
#: tanh and atan.
CHOICES: dict[str, tuple[Real, Real, tuple[float, float], dict[str, int]]] = {
    "exp": (
        _exp,
        lambda r: abs(r**2 / mpmath.expm1(r)),
        (-0.3466, 0.3466),
        {"float32": 6, "float64": 11},
    ),
    "tanh": (
        _tanh,
        lambda z: z * mpmath.sqrt(z) / mpmath.tanh(mpmath.sqrt(z)) if z else z,
        (0.0, 0.9025),
        {"float32": 7, "float64": 15},
    ),
    "log": (_log, lambda z: z / 2, (0.0, 0.0401), {"float32": 3, "float64": 8}),
    "atan": (_atan, lambda z: z, (0.0, 0.25), {"float32": 6, "float64": 13}),
}


def coefficients(name: str, dtype: str) -> tuple[float, ...]:
    """From the highest power down, rounded to the dtype."""
    count = CHOICES[name][3][dtype]
    with mpmath.workdps(60):
        grid = _grid(name, 40 * count)
        chosen = [grid[i * (len(grid) - 1) // count] for i in range(count + 1)]
        for _ in range(30):
            found = _level(chosen)
            if (peaks := _peaks(grid, found, count + 1)) == chosen:
                break
            chosen = peaks
    return tuple(float(np.dtype(dtype).type(float(c))) for c in found)


Point = tuple[Number, Number, Number]


def _grid(name: str, count: int) -> list[Point]:
    """Chebyshev's points, the function and its weight there, from the lowest up."""
    function, weight, (low, high), _ = CHOICES[name]
    cosines = [mpmath.cospi(1 - Number(2 * i + 1) / (2 * count)) for i in range(count)]
    points = [(low + high + (high - low) * c) / 2 for c in cosines]
    return [(x, function(x), weight(x)) for x in points]


def _level(chosen: list[Point]) -> list[Number]:
    """The polynomial whose weighted error is the same in these points, with alternating signs."""
    count = len(chosen) - 1
    rows = [
        [*(x**i for i in reversed(range(count))), (-1) ** j / weight]
        for j, (x, _, weight) in enumerate(chosen)
    ]
    values = [value for _, value, _ in chosen]
    return list(mpmath.lu_solve(mpmath.matrix(rows), mpmath.matrix(values)))[:-1]


def _peaks(grid: list[Point], polynomial: list[Number], count: int) -> list[Point]:
    """Where the weighted error is largest between its changes of sign."""
    errors = [weight * (mpmath.polyval(polynomial, x) - value) for x, value, weight in grid]
    peaks = [0]
    for i, error in enumerate(errors):
        if error * errors[peaks[-1]] < 0:
            peaks.append(i)
        elif abs(error) > abs(errors[peaks[-1]]):
            peaks[-1] = i
    assert len(peaks) == count, f"{len(peaks)} peaks for {count}"
    return [grid[i] for i in peaks]


def largest_error(name: str, polynomial: tuple[float, ...], count: int = 1000) -> float:
    """What a polynomial makes of the whole function, as a relative error of that."""
    with mpmath.workdps(60):
        points = _grid(name, count)
        return float(max(w * abs(mpmath.polyval(polynomial, x) - f) for x, f, w in points))


if __name__ == "__main__":
    for name in CHOICES:
        for dtype in ("float32", "float64"):
            found = coefficients(name, dtype)
            share = largest_error(name, found) / float(np.finfo(dtype).eps)
            print(f'"{name}", "{dtype}": {found}, off by {share:.3f} eps')
