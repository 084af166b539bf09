"""What a check is asked: its arguments, judged before anything is examined."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping
from numbers import Real
from typing import Any, TypeAlias

import numpy as np

from actlib._core.names import listed
from actlib.check.report import ASPECTS

DTYPES = ("float32", "float64", "float16", "bfloat16")
MOST = 100_000  # points, in each part of the range
Dtypes: TypeAlias = Any  # a name, NumPy's own word for it, or several


def functions(**given: Callable[..., Any] | None) -> None:
    """Refuse what cannot be called; None is for what need not be given."""
    for role, function in given.items():
        if function is not None and not callable(function):
            raise TypeError(f"{role} must be a function of a NumPy array, got {function!r}")


def dtypes_named(given: Dtypes) -> list[np.dtype]:
    """The dtypes in which to examine, at least one."""
    if given is None:
        raise ValueError(f"no dtype to check; give some of {', '.join(DTYPES)}")
    several = listed(given) if isinstance(given, str | list | tuple) else (given,)
    if not several:
        raise ValueError(f"no dtype to check; give some of {', '.join(DTYPES)}")
    return [_dtype_named(dtype) for dtype in several]


def _dtype_named(given: Any) -> np.dtype:
    try:
        name = given if isinstance(given, str) else np.dtype(given).name
    except TypeError:
        name = ""
    if name not in DTYPES:
        raise ValueError(f"unknown dtype {given!r}; it is one of {', '.join(DTYPES)}")
    if name == "bfloat16":
        import ml_dtypes

        name = ml_dtypes.bfloat16
    dtype: np.dtype = np.dtype(name)
    return dtype


def parameters(given: Mapping[str, float] | None) -> dict[str, float]:
    """Numbers by name."""
    params = _mapping("params", given, "{'alpha': 0.1}")
    for name, value in params.items():
        if not _is_number(value):
            raise TypeError(f"params must be numbers, got {name}={value!r}")
    return params


def kinks_declared(given: Any) -> dict[float, float | None]:
    """Where the slope jumps, and the slope that is declared there, or None."""
    wrong = f"kinks must be numbers in a list, or a mapping of them, got {given!r}"
    try:
        several = [] if isinstance(given, str) else list(given)
    except TypeError as error:
        raise TypeError(wrong) from error
    if isinstance(given, str) or not all(map(_is_number, several)):
        raise TypeError(wrong)
    slopes = dict(given) if isinstance(given, Mapping) else dict.fromkeys(several)
    for kink, slope in slopes.items():
        if not math.isfinite(kink):
            raise ValueError(f"a kink is a finite number, got {kink}")
        if slope is not None and not (_is_number(slope) and not math.isnan(slope)):
            raise ValueError(f"the slope at a kink is a number, got {slope!r} at {kink}")
    return {float(kink): slope for kink, slope in slopes.items()}


def domain_of(given: Any) -> tuple[float, float] | None:
    """The pair of numbers between which to examine."""
    if given is None:
        return None
    wrong = f"the domain must be (low, high), two numbers with low below high, got {given!r}"
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise TypeError(wrong)
    ends = tuple(given)
    if len(ends) != 2 or not all(map(_is_number, ends)) or not ends[0] < ends[1]:
        raise ValueError(wrong)
    return float(ends[0]), float(ends[1])


def count(given: int) -> int:
    """A whole number of points."""
    try:
        points = operator.index(given)
    except TypeError as error:
        raise TypeError(f"points must be a whole number, got {given!r}") from error
    if not 1 <= points <= MOST:
        raise ValueError(f"points must be from 1 to {MOST}, got {given}")
    return points


def waivers(given: Mapping[str, str] | None) -> dict[str, str]:
    """Aspects that do not count, each with the reason."""
    waived = _mapping("skip", given, "{'NaN': 'never gets there'}")
    for aspect, reason in waived.items():
        if aspect not in ASPECTS:
            raise ValueError(f"no aspect {aspect!r} to skip; there are: {', '.join(ASPECTS)}")
        if not isinstance(reason, str) or not reason.strip():
            raise ValueError(f"give the reason for which {aspect!r} is skipped, got {reason!r}")
    return waived


def _mapping(role: str, given: Any, example: str) -> dict[str, Any]:
    if not isinstance(given, Mapping | None):
        raise TypeError(f"{role} must be a mapping such as {example}, got {given!r}")
    return dict(given or {})


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
