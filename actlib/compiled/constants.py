"""What an elementary function needs to know of a dtype, and how it is compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from actlib._core.extras import extra
from actlib.compiled.coefficients import COEFFICIENTS
from actlib.compiled.intrinsics import polynomial

with extra("fast"):
    from numba import njit

Function = Callable[..., Any]


class Constants(NamedTuple):
    """What is different in the two dtypes. Numbers are of the dtype, for others would widen it."""

    dtype: str
    number: type[np.floating[Any]]
    #: What the exponent of 1 is stored as.
    bias: int
    #: So large that what is added to it is rounded to an integer, and its last bits are that.
    rounder: int

    @classmethod
    def of(cls, dtype: str) -> Constants:
        """The constants of float32 or float64."""
        info = np.finfo(dtype)
        bias, rounder = 1 - int(info.minexp), 3 << int(info.nmant) - 1
        return cls(dtype, np.dtype(dtype).type, bias, rounder)

    def numbers(self, *values: float) -> Any:
        """The same numbers in the dtype."""
        return tuple(self.number(value) for value in values)

    def polynomial(self, name: str) -> Any:
        """The polynomial of that name."""
        return polynomial(COEFFICIENTS[name][self.dtype])


def jitted(function: Function) -> Function:
    """Compiled for use in compiled code: inlined everywhere, as no loop with a call is quick."""
    compiled: Function = njit(forceinline=True, error_model="numpy")(function)
    return compiled
