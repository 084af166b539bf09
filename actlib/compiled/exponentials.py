"""The functions exp, expm1 and tanh for compiled kernels: exponentials of a reduced argument."""

from __future__ import annotations

from math import log
from typing import Any

from actlib.compiled.coefficients import LN_2
from actlib.compiled.constants import Constants, Function, jitted
from actlib.compiled.intrinsics import (
    bits_halved,
    bits_minus,
    copysign,
    fabs,
    fma,
    into_exponent,
    select,
)


def remainder_of(c: Constants) -> Function:
    """The sum k + expm1(r), where r is x - n * ln(2) and n an integer, by Cody and Waite [1]_.

    Its three terms fall in size; the last, what rounding r has done to the second, matters only
    where the first two almost cancel. As ln(2) is in two parts and operations are fused, the
    subtraction of the first is exact.

    References
    ----------
    .. [1] W. J. Cody, W. Waite, *Software Manual for the Elementary Functions*, 1980.
    """
    first, second = c.numbers(*LN_2[c.dtype])
    rest = c.polynomial("exp")

    @jitted
    def remainder(x: Any, n: Any, k: Any) -> Any:
        near = fma(n, -first, x)
        r = fma(n, -second, near)
        r_lost = fma(n, -second, near - r)
        high = k + near
        lost = (k - high) + near
        return high, fma(r * r, rest(r), fma(n, -second, lost)), r * r_lost

    return remainder


def exp_of(c: Constants) -> Function:
    """exp(x) = 2**n * exp(r). Scaling in two steps reaches all of the range and rounds once.

    The error is at most 0.9 ulp.
    """
    low, high = c.numbers(*({"float32": (-104, 89), "float64": (-746, 710)}[c.dtype]))
    per_ln_2, rounder, zero, one = c.numbers(1 / log(2), c.rounder + 2 * c.bias, 0, 1)
    first, second = c.numbers(*LN_2[c.dtype])
    rest = c.polynomial("exp")

    @jitted
    def exp(x: Any) -> Any:
        reduced = select(low > x, low, x)
        reduced = select(high < reduced, high, reduced)
        t = fma(reduced, per_ln_2, rounder)
        n = t - rounder
        r = fma(n, -second, fma(n, -first, reduced))
        y = fma(fma(rest(r), r, one), r, one)
        half = bits_halved(t)
        last = into_exponent(bits_minus(t, half))
        last = select(x < low, zero, last)  # results that are rounded to 0 would take long
        return y * into_exponent(half) * last

    return exp


def expm1_of(c: Constants) -> Function:
    """expm1(x) = (1 - 2**-n + expm1(r)) * 2**n; as 2**n may be too large, that is in two steps.

    What rounding 1 - 2**-n has lost counts too. Where n is 0 the first term is x. The error is at
    most 0.9 ulp.
    """
    low, high = c.numbers(*({"float32": (-20, 89), "float64": (-40, 710)}[c.dtype]))
    per_ln_2, half, one, two = c.numbers(1 / log(2), 0.5, 1, 2)
    rounder, turned = c.numbers(c.rounder + c.bias - 1, 2 * (c.rounder + c.bias))
    remainder = remainder_of(c)

    @jitted
    def expm1(x: Any) -> Any:
        reduced = select(low > x, low, x)
        reduced = select(high < reduced, high, reduced)
        t = fma(reduced, per_ln_2, rounder)
        inverse = into_exponent(turned - t)  # 2**(1 - n)
        k = fma(-half, inverse, one)
        y, rest, last = remainder(reduced, t - rounder, k)
        lost = fma(-half, inverse, one - k)
        return copysign((y + (rest + (last + lost))) * two * into_exponent(t), x)

    return expm1


def tanh_of(c: Constants) -> Function:
    """tanh(a) = 1 - 2 / (1 + exp(2 * a)), near 0 a polynomial, as that difference loses there.

    The sum is rounded once, as 1 + 2**n is exact. The error is at most 1 ulp.
    """
    end = c.number({"float32": 10, "float64": 20}[c.dtype])
    one, two, near = c.numbers(1, 2, 0.95)
    per_half_ln_2, rounder = c.numbers(2 / log(2), c.rounder + c.bias)
    first, second = c.numbers(*LN_2[c.dtype])
    rest, rest_near = c.polynomial("exp"), c.polynomial("tanh")

    @jitted
    def tanh(x: Any) -> Any:
        a = fabs(x)
        z = a * a
        small = fma(a * z, rest_near(z), a)
        a = select(end < a, end, a)
        t = fma(a, per_half_ln_2, rounder)
        n = t - rounder
        r = fma(n, -second, fma(n, -first, two * a))
        scale = into_exponent(t)
        below = fma(scale * r, fma(rest(r), r, one), one + scale)
        return copysign(select(a < near, small, one - two / below), x)

    return tanh
