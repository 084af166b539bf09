"""The functions log1p and atan for compiled kernels: a quotient, and a polynomial of its square."""

from __future__ import annotations

from typing import Any

import numpy as np

from actlib.compiled.coefficients import LN_2, QUARTER_PI
from actlib.compiled.constants import Constants, Function, jitted
from actlib.compiled.intrinsics import (
    bits_minus,
    bits_plus,
    copysign,
    fabs,
    fma,
    from_exponent,
    into_exponent,
    select,
)


def log1p_of(c: Constants) -> Function:
    """log(1 + x) = k * ln(2) + log(1 + f), with 1 + f from 3/4 to 3/2, by fdlibm [1]_.

    With s = f / (2 + f), log(1 + f) is 2 * artanh(s), or f - f**2 / 2 + s * (f**2 / 2 + ...), where
    the errors of s hardly count. Near 0, k is 0 and f is x. What is lost of f = x / 2**k + (1/2**k
    - 1) counts little, as it is exact up to x = 2. The error is at most 0.9 ulp.

    References
    ----------
    .. [1] Sun Microsystems, *fdlibm*, s_log1p.c, 1993. https://www.netlib.org/fdlibm/s_log1p.c
    """
    first, second = c.numbers(*LN_2[c.dtype])
    eighth, half, one, two, infinity, nan = c.numbers(0.125, 0.5, 1, 2, np.inf, np.nan)
    rounder, turned = c.numbers(c.rounder + c.bias - 1, 2 * (c.rounder + c.bias + 1))
    stored, border = c.numbers(c.rounder - 1, 0.75)
    rest = c.polynomial("log")

    @jitted
    def log1p(x: Any) -> Any:
        t = bits_plus(from_exponent(bits_plus(one + x, bits_minus(one, border))), stored)
        k = t - rounder
        scale = eighth * into_exponent(turned - t)  # 2**-k, which may be subnormal
        f = fma(scale, x, scale - one)
        s = f / (two + f)
        z, half_f = s * s, half * f
        series = fma(-half_f, f, s * fma(z, rest(z), half_f * f))
        high = fma(k, first, f)
        lost = fma(k, first, -high) + f
        y = copysign(high + (fma(k, second, series) + lost), x)
        y = select(x > -one, y, select(x == -one, -infinity, nan))
        return select(x < infinity, y, x)

    return log1p


def atan_of(c: Constants) -> Function:
    """atan(a) = j * pi / 4 + atan(t), with t = a up to 1/2, (a - 1) / (1 + a) up to 2, then -1 / a.

    The quotient is corrected by its residual. The error is at most 0.75 ulp.
    """
    zero, half, one, two = c.numbers(0, 0.5, 1, 2)
    end = c.number({"float32": 2.0**30, "float64": 2.0**60}[c.dtype])  # as good as infinity
    first, second = c.numbers(*QUARTER_PI[c.dtype])
    rest = c.polynomial("atan")

    @jitted
    def atan(x: Any) -> Any:
        a = fabs(x)
        a = select(a > end, end, a)
        middle, far = a > half, a > two
        j = select(middle, one, zero)
        above = select(far, -one, a - j)
        one_or_none, a_or_none = select(far, zero, one), select(middle, a, zero)
        below = one_or_none + a_or_none
        below_lost = (one_or_none - below) + a_or_none
        inverse = one / below
        t = above * inverse
        residual = fma(-t, below_lost, fma(-t, below, above))
        z = t * t
        series = fma(t * z, rest(z), residual * inverse)
        j = select(far, two, j)
        high = fma(j, first, t)
        lost = fma(j, first, -high) + t
        return copysign(high + (fma(j, second, series) + lost), x)

    return atan
