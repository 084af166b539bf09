"""What other libraries choose where definitions leave a choice: they are asked."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from actlib._core.registry import REGISTRY
from actlib.check.frameworks import WRAPPERS, Shipped, from_library, shipped


def conventions(name: str, library: str) -> dict[str, str]:
    """Ask a library's function what it gives where definitions leave a choice, and far out.

    All answers are for arrays of 64 equal numbers, in float32 where nothing else is said, with the
    keywords that make the function the same as ours.

    Parameters
    ----------
    name : str
        A key of ``actlib.REGISTRY.elementwise``.
    library : str
        ``"tensorflow"``, ``"keras"``, ``"torch"``, ``"jax"`` or ``"scipy"``; it must be installed.

    Returns
    -------
    dict of str to str
        Numbers to four digits; ``refused`` for an error. ``lost`` names the results among those at
        -30, -20, 20 and 30 (in float64 at -40 and 40) that are zero or of the wrong sign, although
        the right one is an ordinary number.

    Examples
    --------
    >>> from actlib.check import conventions
    >>> conventions("sigmoid", "jax")["lost"]
    "f'(20) f'(30)"
    """
    f, grad = from_library(name, library)
    default, _ = WRAPPERS[library](shipped(name, library)[0])
    spec = REGISTRY.elementwise[name].spec
    answers = {"default f(-1)": _number(default, -1.0)}
    for z in ("-0.0", "-inf", "inf", "nan"):
        answers[f"f({z})"] = _number(f, float(z))
    for z in ("-inf", "inf", "nan"):
        answers[f"f'({z})"] = _number(grad, float(z))
    points = sorted({0.0, *spec.kinks_at()})
    answers["f' at 0 and kinks"] = "; ".join(f"{z:g}: {_number(grad, z)}" for z in points if grad)
    answers["integers"] = _dtype(f, np.int32)
    answers["float16"] = _dtype(f, np.float16)
    answers["lost"] = _lost(name, (f, grad), np.float32, (-30, -20, 20, 30))
    answers["lost in float64"] = _lost(name, (f, grad), np.float64, (-40, 40))
    return answers


def _ask(function: Callable[..., Any] | None, z: float, dtype: Any) -> Any:
    """The answer, a NumPy scalar; None if it is an error or there is nothing to ask."""
    if function is None:
        return None
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return function(np.full(64, z, dtype))[0]
        except Exception:  # whatever a library may raise for a dtype that it does not take
            return None


def _number(function: Callable[..., Any] | None, z: float) -> str:
    answer = _ask(function, z, np.float32)
    return "" if answer is None else f"{float(answer):.4g}"


def _dtype(f: Callable[..., Any], dtype: Any) -> str:
    answer = _ask(f, 2, dtype)
    return "refused" if answer is None else str(answer.dtype)


def _lost(name: str, pair: Shipped, dtype: Any, points: Iterable[float]) -> str:
    f = REGISTRY.elementwise[name]
    ours = f, f.grad
    lost = []
    for words, function, right in zip(("f", "f'"), pair, ours, strict=True):
        for z in points:
            answer, exact = _ask(function, z, dtype), right(dtype(z))
            if answer is not None and abs(exact) > np.finfo(dtype).tiny and not answer * exact > 0:
                lost.append(f"{words}({z})")
    return " ".join(lost)
