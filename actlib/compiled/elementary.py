"""Elementary functions for compiled kernels, each written once for float32 and float64.

Numba's wheels bring no vector mathematics. So these are without branches, as in SLEEF [1]_: a loop
around them runs on as many numbers at a time as the processor has room for. Their errors stay below
1 ulp, NaN stays NaN, the infinities have their limits, results below the normal numbers are
subnormal, and -0.0 is kept where the function is 0 there.

Sums of which the last bit counts are kept in two parts, the larger term first: (a - (a + b)) + b
is what a + b has lost by rounding. Products lose nothing inside a fused operation.

References
----------
.. [1] N. Shibata, F. Petrogalli, "SLEEF: A portable vectorized library of C standard mathematical
   functions", *IEEE Transactions on Parallel and Distributed Systems* 31 (6), 2020.
   https://arxiv.org/abs/2001.09258
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np

from actlib.compiled.constants import Constants, Function, jitted
from actlib.compiled.exponentials import exp_of, expm1_of, tanh_of
from actlib.compiled.intrinsics import fabs, select, sqrt
from actlib.compiled.inverses import atan_of, log1p_of


def functions(number: type[np.floating[Any]]) -> Mapping[str, Function]:
    """The elementary functions of a dtype, to be called in compiled code.

    Parameters
    ----------
    number : type
        ``np.float32`` or ``np.float64``.

    Returns
    -------
    mapping
        From the name of a function to a function jitted by Numba, of one number or two of this
        dtype.
    """
    return _functions(np.dtype(number).name)


@cache
def _functions(dtype: str) -> Mapping[str, Function]:
    c = Constants.of(dtype)
    return MappingProxyType(
        {
            "abs": jitted(lambda x: fabs(x)),
            "sqrt": jitted(lambda x: sqrt(x)),
            "exp": exp_of(c),
            "expm1": expm1_of(c),
            "log1p": log1p_of(c),
            "tanh": tanh_of(c),
            "atan": atan_of(c),
            "maximum": jitted(_maximum),
            "minimum": jitted(_minimum),
        }
    )


def _maximum(a: Any, b: Any) -> Any:
    """NaN if one of them is; the sign of a zero is open."""
    larger = select(a < b, b, a)
    return select(b == b, larger, b)


def _minimum(a: Any, b: Any) -> Any:
    """NaN if one of them is; the sign of a zero is open."""
    smaller = select(a > b, b, a)
    return select(b == b, smaller, b)
