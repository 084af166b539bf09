"""Exact formulas that a caller gives: they must be what they are taken for."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np

from actlib._core.spec import Spec
from actlib.check.exact import Domain


def refuse_imprecise(exact: Any, at: Callable[[Any], Any], domain: Domain = None) -> None:
    """Refuse what is no function of mpmath numbers, or computes in double precision.

    Parameters
    ----------
    exact : object
        What was given.
    at : callable
        What it makes of one mpmath number.
    domain : pair of float, optional
        Where it may be asked.
    """
    ask = "exact must be the name of an entry, or a function of mpmath numbers that returns such"
    if isinstance(getattr(exact, "spec", None), Spec):
        raise TypeError(f"{ask}; for this activation say exact={exact.spec.name!r}")
    if isinstance(exact, np.ufunc):
        raise TypeError(f"{ask}; got NumPy's {exact.__name__}: use mpmath's functions")
    if not callable(exact):
        raise TypeError(f"{ask}, got {exact!r}")
    moves, kept, failed = 0, 0, []
    with mpmath.workdps(50):
        for x in probes(domain):
            try:
                here, near, next_to = (at(x + mpmath.mpf(h)) for h in (0, "1e-30", "1e-3"))
            except Exception as error:  # whatever it may raise where it is not defined
                failed.append(error)
                continue
            if not isinstance(here, int | float | complex | mpmath.mpf | mpmath.mpc):
                raise TypeError(f"{ask}; at {mpmath.nstr(x, 9)} it returned {here!r}")
            moves += here != next_to
            kept += here != next_to and here == near
    if len(failed) == len(probes(domain)):
        words = f"{type(failed[0]).__name__}: {failed[0]}"
        raise ValueError(f"{ask}; wherever it was asked it raised {words}") from failed[0]
    if moves > 1 and kept == moves:
        raise ValueError(
            "exact must compute with mpmath numbers to their precision, and does so in double "
            "precision: use mpmath's functions, mpmath.tanh and not math.tanh"
        )


def probes(domain: Domain) -> list[mpmath.mpf]:
    """A few numbers in the domain, in the middle of the range if there is none."""
    low, high = domain or (-math.inf, math.inf)
    if math.isinf(low):
        low = -4 if math.isinf(high) else high - 8
    high = min(high, low + 8)
    return [low + (high - low) * mpmath.mpf(n) / 7 for n in range(1, 7)]
