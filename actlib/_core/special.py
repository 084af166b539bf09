"""Special functions that the array standard lacks, from the library that an array belongs to."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from math import pi, sqrt
from typing import Any

import numpy as np

from actlib._core.arrays import Array, Namespace

# Where a library keeps its special functions, by the last part of its namespace's name.
_MODULES = {
    "numpy": "scipy.special",
    "torch": "torch.special",
    "cupy": "cupyx.scipy.special",
    "jax.numpy": "jax.scipy.special",
    "tensorflow": "tensorflow.math",
}


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
        Of the same library, shape and dtype. A library without special functions of its own is
        served by SciPy, through NumPy.
    """
    if xp is not np:  # TensorFlow has no such function
        return 0.5 * _function(xp, "erfc")(-sqrt(0.5) * z)
    return _normal_cdf_float32(z) if z.dtype == np.float32 else _function(np, "ndtr")(z)


def normal_density(xp: Namespace, z: Array) -> Array:
    """Density of the standard normal distribution, elementwise."""
    return 1 / sqrt(2 * pi) * xp.exp(-0.5 * (z * z))


def expm1_below(xp: Namespace, z: Array) -> Array:
    """exp(z) - 1 for z up to 0: in float32 not NumPy's own, slow without AVX-512."""
    if xp is not np or z.dtype != np.float32:
        return xp.expm1(z)
    t = np.tanh(0.5 * z)
    return 2 * t / (1 - t)


def log1p_inside(xp: Namespace, q: Array) -> Array:
    """log(1 + q) for q from 0 to 1: in float32 not NumPy's own, slow without AVX-512."""
    if xp is not np or q.dtype != np.float32:
        return xp.log1p(q)
    u = 1 + q
    return np.log(u) + (q - (u - 1))  # the last is what u has lost by rounding


@functools.cache
def _function(xp: Namespace, name: str) -> Callable[[Array], Array]:
    """A function by its name; its module is imported when it is first needed, which takes long."""
    library = xp.__name__.removeprefix("array_api_compat.")
    module = importlib.import_module(_MODULES.get(library, "scipy.special"))
    found: Callable[[Array], Array] = getattr(module, name)
    return found if library in _MODULES else lambda x: xp.asarray(found(np.asarray(x)))


def _normal_cdf_float32(z: Array) -> Array:
    """Phi(-a) is exp(-a * a / 2) times a polynomial in s: SciPy's takes three times as long."""
    a = np.minimum(np.abs(z), 20)  # as good as infinity
    s = 1 - a / (0.5 * a + 0.5 * _MIDDLE)
    tail, *lower = _mills_polynomial()
    for coefficient in lower:
        tail = tail * s
        tail += coefficient
    tail *= np.exp(-0.5 * (a * a))
    above = (z > 0).astype(z.dtype)
    return np.abs(above - tail)


_MIDDLE = 3.3  # the a for which s = (_MIDDLE - a) / (_MIDDLE + a) is 0


@functools.cache
def _mills_polynomial() -> list[Array]:
    """The polynomial in s for Phi(-a) * exp(a * a / 2), Mills' ratio but for a factor."""
    from numpy.polynomial import chebyshev
    from scipy.special import erfcx

    def ratio(s: Array) -> Any:
        a = _MIDDLE * (1 - s) / (1 + s)
        return 0.5 * erfcx(sqrt(0.5) * a)

    power = chebyshev.cheb2poly(chebyshev.chebinterpolate(ratio, 8))
    return [
        np.array(c, np.float32) for c in power[::-1]
    ]  # NumPy is quicker with these than with floats
