"""Special functions that the array standard lacks, made of those that it has."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Sequence
from math import pi, sqrt
from typing import Any

import numpy as np

from actlib._core.arrays import Array, Namespace, dtype_name

# Where libraries have an erfc of their own: one operation is quicker than the fifty below. Not
# TensorFlow's, which TensorFlow Lite lacks.
_ERFC = {
    "torch": "torch.special",
    "cupy": "cupyx.scipy.special",
    "jax.numpy": "jax.scipy.special",
}

# Two polynomials, from the highest power down: tools/normal_cdf.py computes and explains them. All
# numbers are positive, so nothing cancels.
_MILLS = {
    "float32": (
        (
            0.003782217332675797,
            0.03845901919147568,
            0.1769129005763646,
            0.42996941169880526,
            0.5,
        ),
        (
            0.009480446536268105,
            0.09641098240389569,
            0.4527473774425831,
            1.1765763963353841,
            1.65782343311133,
            1.0,
        ),
    ),
    "float64": (
        (
            1.2991961714043813e-06,
            3.53746689906289e-05,
            0.00047025323723209173,
            0.0039529234191568235,
            0.022992712293567006,
            0.0956746967522974,
            0.2848973005528242,
            0.587939957413934,
            0.7707377401360701,
            0.5,
        ),
        (
            3.2566018575464118e-06,
            8.867114549516806e-05,
            0.0011820066627692403,
            0.009997180742587986,
            0.05880642008763616,
            0.24955205409407133,
            0.7694411516439537,
            1.694633106667984,
            2.542419173760808,
            2.339360041075005,
            1.0,
        ),
    ),
}

# The series of artanh(s) / s in s * s, as far as float32 needs it where s is at most 1/3.
_ARTANH = tuple(1 / k for k in (13, 11, 9, 7, 5, 3, 1))


def normal_cdf(xp: Namespace, z: Array) -> Array:
    """Distribution function of the standard normal distribution, elementwise.

    Parameters
    ----------
    xp : namespace
        The array library.
    z : array
        Of this library, float32 or float64.

    Returns
    -------
    array
        Of the same library, shape, dtype and device.
    """
    if erfc := _erfc(xp):
        return 0.5 * erfc(-sqrt(0.5) * z)
    a = xp.minimum(xp.abs(z), 39)  # as good as infinity, whose powers have no ratio
    above, below = _mills(xp, z.dtype)
    tail = xp.exp(-0.5 * (a * a)) * (_polynomial(above, a) / _polynomial(below, a))
    return xp.abs(xp.astype(z > 0, z.dtype) - tail)


def normal_density(xp: Namespace, z: Array) -> Array:
    """Density of the standard normal distribution, elementwise."""
    return 1 / sqrt(2 * pi) * xp.exp(-0.5 * (z * z))


def expm1_below(xp: Namespace, z: Array) -> Array:
    """exp(z) - 1 for z up to 0; PyTorch's own is 0 near 0 once compiled for a processor."""
    if xp.__name__ != "array_api_compat.torch" and not _without_its_own(xp, z):
        return xp.expm1(z)
    t = xp.tanh(0.5 * z)
    return 2 * t / (1 - t)


def log1p_inside(xp: Namespace, q: Array) -> Array:
    """log(1 + q) for q from 0 to 1."""
    if not _without_its_own(xp, q):
        return xp.log1p(q)
    if xp is np:
        u = 1 + q
        return np.log(u) + (q - (u - 1))  # the last is what u has lost by rounding
    s = q / (2 + q)  # up to 1/3; and log(1 + q) is 2 * artanh(s)
    return 2 * s * _polynomial(_ARTANH, s * s)


def _without_its_own(xp: Namespace, x: Array) -> bool:
    """Whether to do without a library's expm1 and log1p, which is in float32.

    NumPy's are slow without AVX-512. TensorFlow's become exp(x) - 1 and log(1 + x) in TensorFlow
    Lite, which lose what is small.
    """
    return dtype_name(xp, x.dtype) == "float32" and xp.__name__ in ("numpy", "tensorflow")


@functools.cache
def _erfc(xp: Namespace) -> Callable[[Array], Array] | None:
    """The library's own function, if it has one; its module is imported when first needed."""
    place = _ERFC.get(xp.__name__.removeprefix("array_api_compat."))
    return importlib.import_module(place).erfc if place else None


@functools.cache
def _mills(xp: Namespace, dtype: Any) -> tuple[Sequence[Any], ...]:
    """The polynomials of Phi(-a) * exp(a * a / 2), as the library takes numbers."""
    numbers = _MILLS[dtype_name(xp, dtype)]
    if xp is not np:
        return numbers
    return tuple([np.array(c, dtype) for c in polynomial] for polynomial in numbers)  # quicker


def _polynomial(coefficients: Sequence[Any], x: Array) -> Array:
    first, *others, last = coefficients
    total = first * x
    for coefficient in others:
        total += coefficient
        total *= x
    total += last
    return total
