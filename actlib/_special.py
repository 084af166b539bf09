"""Special functions that the array standard lacks, from the library that an array belongs to."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable

import numpy as np

from actlib._evaluate import Array, Namespace

# Where a library keeps its special functions, by the last part of its namespace's name.
_MODULES = {
    "numpy": "scipy.special",
    "torch": "torch.special",
    "cupy": "cupyx.scipy.special",
    "jax.numpy": "jax.scipy.special",
    "tensorflow": "tensorflow.math",
}


def erfc(xp: Namespace, x: Array) -> Array:
    """Complementary error function, elementwise.

    Parameters
    ----------
    xp : namespace
        The array library.
    x : array
        Of this library.

    Returns
    -------
    array
        Of the same library, shape and dtype. A library without special functions of its own is
        served by SciPy, through NumPy.
    """
    return _erfc(xp)(x)


@functools.cache
def _erfc(xp: Namespace) -> Callable[[Array], Array]:
    """The function itself; its module is imported when it is first needed, which takes long."""
    name = xp.__name__.removeprefix("array_api_compat.")
    found: Callable[[Array], Array] = importlib.import_module(
        _MODULES.get(name, "scipy.special")
    ).erfc
    return found if name in _MODULES else lambda x: xp.asarray(found(np.asarray(x)))
