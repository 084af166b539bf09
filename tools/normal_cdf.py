"""Compute the coefficients that actlib/_core/special.py has for the normal distribution function.

For a from 0 up, Phi(-a) * exp(a * a / 2) falls slowly from 1/2, in the end as 0.4 / a. A ratio of
two polynomials can do the same. The one that meets it at given points is the solution of linear
equations; between points that are spaced like Chebyshev's, in 1 / (a + bend), it stays near.
"""

import mpmath

#: By dtype: the numerator's degree, up to which a the points go, and the bend.
CHOICES = {"float32": (4, 14, 3), "float64": (9, 39, 4)}


def coefficients(dtype: str) -> tuple[list[float], list[float]]:
    """Numerator and denominator, the latter a degree higher, from the highest power down."""
    degree, last, bend = CHOICES[dtype]
    with mpmath.workdps(60):
        rows, values = [], []
        for a in points(2 * degree + 2, last, bend):
            values.append(mills(a))
            above, below = [a**i for i in range(degree + 1)], [a**i for i in range(1, degree + 2)]
            rows.append([*above, *(-values[-1] * power for power in below)])
        found = [float(c) for c in mpmath.lu_solve(mpmath.matrix(rows), mpmath.matrix(values))]
    return found[degree::-1], [*found[:degree:-1], 1.0]


def points(count: int, last: int, bend: int) -> list[mpmath.mpf]:
    """The first is 0, where the ratio then is 1/2 to the last bit."""
    cosines = [mpmath.cospi(i / (mpmath.mpf(count) - 0.5)) for i in range(count)]
    high, low = 1 / mpmath.mpf(bend), 1 / mpmath.mpf(bend + last)
    return [2 / (high + low + c * (high - low)) - bend for c in cosines]


def mills(a: mpmath.mpf) -> mpmath.mpf:
    """Mills' ratio, but for a constant factor."""
    return mpmath.erfc(a / mpmath.sqrt(2)) * mpmath.exp(a * a / 2) / 2


if __name__ == "__main__":
    print({dtype: coefficients(dtype) for dtype in CHOICES})
