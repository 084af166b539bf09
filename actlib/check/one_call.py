"""One call of a function that may do anything: raise, exit, write where it should not."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np


class Unusable(ValueError):
    """What a function does with an array, in words: it raises, or returns what it should not."""


class Answer(NamedTuple):
    """What a call gives, and what it does beside."""

    got: np.ndarray
    changed: bool  # an argument is not what it was
    aliased: bool  # the result lies in the memory of an argument


def call(
    function: Callable[..., Any], given: Sequence[np.ndarray], shape: tuple[int, ...]
) -> Answer:
    """Call a function of arrays, which must return real numbers in an array of a known shape.

    Raises
    ------
    Unusable
        If it does not, or raises whatever it may: it may even exit.
    """
    before = [array.tobytes() for array in given]
    try:
        result = function(*given)
        got = np.asarray(result)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise Unusable(f"raises {type(error).__name__}: {error}".rstrip(": ")) from error
    if got.dtype.kind not in "fbiu" and got.dtype.name != "bfloat16":
        raise Unusable(f"is no array of real numbers: {_kind(result)} of dtype {got.dtype}")
    if isinstance(result, tuple | np.ma.MaskedArray):
        raise Unusable(f"is no plain array, but {_kind(result)}")
    if got.shape != shape:
        raise Unusable(f"has the shape {got.shape} instead of {shape}")
    changed = [array.tobytes() for array in given] != before
    return Answer(got, changed, any(np.may_share_memory(got, array) for array in given))


def _kind(result: Any) -> str:
    return f"{type(result).__module__}.{type(result).__qualname__}".removeprefix("builtins.")


def quiet() -> ExitStack:
    """Within it, nothing is warned of."""
    stack = ExitStack()
    stack.enter_context(np.errstate(all="ignore"))
    stack.enter_context(warnings.catch_warnings())
    warnings.simplefilter("ignore")
    return stack
