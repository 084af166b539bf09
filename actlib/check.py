"""Is this value, is this derivative, right? Measured against a high-precision reference.

Needs mpmath and SymPy (``pip install "actlib[check]"``).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import sympy

from actlib._declare import Spec

__all__ = ["Accuracy", "grid", "measure", "reference"]


class _Symbolic:
    """The mathematical functions that an exact formula may use, as SymPy expressions."""

    pi = sympy.pi
    exp = sympy.exp
    log = sympy.log
    sqrt = sympy.sqrt
    tanh = sympy.tanh
    atan = sympy.atan
    erfc = functools.partial(sympy.erfc, evaluate=False)  # else erfc(-z) becomes 2 - erfc(z)

    @staticmethod
    def abs(z: Any) -> Any:  # the slope of SymPy's own has a Dirac delta for its derivative
        return sympy.Piecewise((z, z >= 0), (-z, True))

    @staticmethod
    def clip(z: Any, low: Any, high: Any) -> Any:
        return sympy.Piecewise((low, z < low), (high, z > high), (z, True))

    @staticmethod
    def where(condition: Any, yes: Any, no: Any) -> Any:
        return sympy.Piecewise((yes, condition), (no, True))

    @staticmethod
    def max(first: Any, second: Any) -> Any:
        return sympy.Piecewise((second, second > first), (first, True))


def reference(spec: Spec, *wrt: str) -> Callable[..., mpmath.mpf]:
    """Differentiate the exact formula symbolically and evaluate it to 30 digits.

    Parameters
    ----------
    spec : Spec
        The specification that holds the formula.
    *wrt : str
        What to differentiate by, in turn: ``"z"`` or parameters. None for the value itself.

    Returns
    -------
    callable
        Takes z and the parameters as numbers, returns an `mpmath.mpf`. A result below 1e-500,
        far under the smallest double, is only known to be that small.

    Examples
    --------
    >>> from actlib import sigmoid
    >>> from actlib.check import reference
    >>> slope = reference(sigmoid.spec, "z")
    >>> print(mpmath.nstr(slope(50.0), 10))
    1.928749848e-22
    """
    return functools.partial(_converged, _derived(spec.exact, ("z", *spec.params), wrt))


@functools.cache
def _derived(
    exact: Callable[..., Any], names: tuple[str, ...], wrt: tuple[str, ...]
) -> Callable[..., Any]:
    """The derivative of an exact formula, as a function of numbers of any precision."""
    symbols = dict(zip(names, sympy.symbols(names, real=True), strict=True))
    expression = sympy.sympify(exact(_Symbolic, *symbols.values()))
    for name in wrt:
        expression = sympy.diff(expression, symbols[name])
    formula: Callable[..., Any] = sympy.lambdify(
        list(symbols.values()), expression, [{"erfc": _erfc, "exp": _exp}, "mpmath"]
    )
    return formula


def _exp(x: mpmath.mpf) -> mpmath.mpf:
    """The same as mpmath's, which takes very long for whole numbers: it multiplies e by itself."""
    if abs(x) < 1e4 or not mpmath.isint(x):
        return mpmath.exp(x)
    with mpmath.extraprec(mpmath.mag(x)):
        third = mpmath.mpf(1) / 3
        result = mpmath.exp(x + third) / mpmath.exp(third)
    return +result


def _erfc(x: mpmath.mpf) -> mpmath.mpf:
    """Where mpmath's own fails, beyond 1e300, the first term of the asymptotic series will do."""
    return mpmath.erfc(x) if x < 1e100 else mpmath.exp(-x * x) / (x * mpmath.sqrt(mpmath.pi))


def _converged(formula: Callable[..., Any], *arguments: Any) -> mpmath.mpf:
    """Double the precision until two evaluations agree to 30 digits, or are both negligible.

    A difference of nearly equal terms is zero at any fixed precision: zero proves nothing until
    the precision is far beyond the smallest number of interest. Nor does agreement, where a term
    is lost at both precisions, as exp(z) is in ``1 + exp(z)``; so the first one has to show it.
    """
    if not all(mpmath.isfinite(x) for x in arguments):
        raise ValueError(f"the reference takes finite numbers, got {arguments}")
    previous, digits = mpmath.nan, 40 + _digits_to_show(*map(abs, arguments))
    while True:
        with mpmath.workdps(digits):
            value = mpmath.mpf(formula(*(mpmath.mpf(x) for x in arguments)))
            if value != 0 and abs(value - previous) <= abs(value) * mpmath.mpf(10) ** -30:
                return value
            if digits > 1000 and max(abs(value), abs(previous)) < mpmath.mpf(10) ** -500:
                return value
        previous, digits = value, 2 * digits


def _digits_to_show(z: Any, *params: Any) -> int:
    """How far below 1 the square of z is, and the cube of an exponential of z, in decimal digits.

    Parameters may multiply or divide z. An exponential below 1e-500 is negligible.
    """
    if z == 0:
        return 0
    z = mpmath.mpf(z)
    exponents = [z, *(z * p for p in params), *(z / p for p in params if p)]
    decay = max((x for x in exponents if x < 500 * math.log(10)), default=0)
    return int(2 * abs(mpmath.log10(z)) + 3 * decay / math.log(10))


@dataclass(frozen=True)
class Accuracy:
    """How far computed numbers are from exact ones.

    Parameters
    ----------
    z : ndarray
        The points.
    got : ndarray
        What was computed there.
    errors : ndarray of float
        E at each point: the error, in units of what one ulp of the result or of z may change.
    lost : ndarray of bool
        Where the exact number is an ordinary one, but zero or the wrong sign was computed.
    """

    z: np.ndarray
    got: np.ndarray
    errors: np.ndarray
    lost: np.ndarray

    def worst(self, count: int = 5) -> str:
        """The points with the largest errors, one a line."""
        order = np.argsort(-self.errors, kind="stable")[:count]
        lines = [
            f"  z = {self.z[i]!r}: got {self.got[i]!r}, E = {self.errors[i]:.3g}"
            + (", lost" if self.lost[i] else "")
            for i in order
        ]
        return "\n".join(lines)


def measure(
    function: Callable[..., Any],
    spec: Spec,
    wrt: Sequence[str],
    z: np.ndarray,
    params: Sequence[float] = (),
    allowed: float = 4.0,
) -> Accuracy:
    """Measure the error of a function against the exact formula, at each point.

    The measure is a mixed forward-backward error,
    ``E = abs(got - f) / (eps * (abs(f) + abs(z * f')) + tiny)``: what perturbing z by an ulp
    would change is forgiven, nothing else.

    Parameters
    ----------
    function : callable
        ``function(z, *params)``, on NumPy arrays.
    spec : Spec
        Holds the exact formula.
    wrt : sequence of str
        What derivative of it the function computes: ``()`` for the value, ``("z",)``,
        ``("alpha",)``.
    z : ndarray of float32 or float64
        The points, one-dimensional.
    params : sequence of float
        The parameters; they count as rounded to the dtype of `z`.
    allowed : float
        The E that is allowed; a number is lost only where the conditioning, times this, leaves
        its sign no choice.

    Returns
    -------
    Accuracy
        Error at each point.

    References
    ----------
    N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 1.5,
    https://doi.org/10.1137/1.9780898718027
    """
    params = [float(z.dtype.type(param)) for param in params]
    got = np.asarray(function(z, *params))
    exact, slope = reference(spec, *wrt), reference(spec, *wrt, "z")
    pairs = [
        _error(float(g), exact(x, *params), float(x) * slope(x, *params), z.dtype, allowed)
        for g, x in zip(got, map(float, z), strict=True)
    ]
    errors, lost = zip(*pairs, strict=True)
    return Accuracy(z, got, np.array(errors, float), np.array(lost, bool))


def _error(
    got: float, exact: mpmath.mpf, sensitivity: mpmath.mpf, dtype: np.dtype, allowed: float
) -> tuple[float, bool]:
    """E at one point, and whether the number is lost there."""
    info = np.finfo(dtype)
    eps, tiny, largest = float(info.eps), float(info.tiny), float(info.max)
    certain = abs(exact) >= tiny and abs(exact) > allowed * eps * abs(sensitivity)
    lost = bool(certain and not got * mpmath.sign(exact) > 0)
    if math.isinf(got) and not lost and abs(exact) > largest:
        return 0.0, False
    if not math.isfinite(got):
        return math.inf, lost
    scale = eps * (abs(exact) + abs(sensitivity)) + tiny
    return float(abs(got - exact) / scale), lost


def grid(dtype: Any, around: Iterable[float] = (), points: int = 400) -> np.ndarray:
    """Points that cover the normal numbers of a dtype, both signs.

    Parameters
    ----------
    dtype : dtype
        float32 or float64.
    around : iterable of float
        Kinks and roots: their nearest neighbours are included, they themselves are not.
    points : int
        How many to take evenly from [-20, 20], as many again from the range where exponentials
        overflow and underflow, and as many again log-spaced over all magnitudes.

    Returns
    -------
    ndarray
        Sorted, without duplicates.
    """
    info = np.finfo(dtype)
    low, high = math.log(info.tiny), math.log(info.max)
    inner = np.linspace(-20, 20, points)
    outer = np.linspace(low - 40, high + 40, points)
    sizes = np.exp(np.linspace(low, high, points // 2))
    z = np.concatenate([inner, outer, sizes, -sizes]).astype(dtype)
    z = np.clip(z, info.min, info.max)
    centres = np.array(list(around), dtype)
    for centre in centres:
        below, above = (np.nextafter(centre, dtype(end)) for end in (-np.inf, np.inf))
        near = [
            np.nextafter(below, dtype(-np.inf)),
            below,
            above,
            np.nextafter(above, dtype(np.inf)),
        ]
        if centre == 0:  # its neighbours that are normal numbers
            near = [-info.tiny, info.tiny]
        z = np.append(z, np.array(near, dtype))
    return np.setdiff1d(z[np.isfinite(z)], centres)
