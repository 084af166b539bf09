"""Exact values and derivatives, to 30 digits: from a symbolic formula, or from any computation."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import mpmath
import numpy as np
import sympy

from actlib._core.registry import refuse_vectors
from actlib._core.spec import Spec

Domain: TypeAlias = tuple[float, float] | None  # everywhere, if none
Exact: TypeAlias = Callable[..., Any]  # takes a number, and a domain if need be; returns an mpf

_PLACES = 500  # what is below ten to the minus this is negligible
_CLOSE = mpmath.mpf(10) ** -30


_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19)


class _Symbolic:
    """The mathematical functions that an exact formula may use, as SymPy expressions."""

    pi = sympy.pi
    exp = sympy.exp
    log = sympy.log
    sqrt = sympy.sqrt
    tanh = sympy.tanh
    atan = sympy.atan

    class erfc(sympy.Function):  # type: ignore[misc]
        """SymPy's own turns erfc(-z) into 2 - erfc(z), in which a small result is lost."""

        def fdiff(self, argindex: int = 1) -> Any:
            return -2 * sympy.exp(-(self.args[0] ** 2)) / sympy.sqrt(sympy.pi)

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


def reference(spec: Spec, *wrt: str) -> Reference:
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
    refuse_vectors(spec)
    return Reference(spec.exact, ("z", *spec.params), wrt)


@dataclass(frozen=True)
class Reference:
    """A derivative of an exact formula, as a function of numbers, to 30 digits."""

    exact: Callable[..., Any]
    names: tuple[str, ...]
    wrt: tuple[str, ...]

    def __call__(self, z: Any, *params: Any) -> mpmath.mpf:
        """Evaluate it at numbers, not at arrays."""
        return evaluate(self.exact, self.names, (self.wrt,), (z, *params))[0]


@functools.lru_cache(2**14)
def evaluate(
    exact: Callable[..., Any],
    names: tuple[str, ...],
    derivatives: tuple[tuple[str, ...], ...],
    arguments: tuple[Any, ...],
) -> tuple[mpmath.mpf, ...]:
    """Derivatives of an exact formula at numbers, to 30 digits; together they cost hardly more.

    They are kept: who corrects a function checks it again, at the same numbers.
    """
    return tuple(_converged(_derived(exact, names, derivatives), *arguments))


@functools.cache
def _derived(
    exact: Callable[..., Any], names: tuple[str, ...], derivatives: tuple[tuple[str, ...], ...]
) -> Callable[..., list[Any]]:
    """Derivatives of an exact formula, as a function of numbers of any precision."""
    expression, symbols = symbolic(exact, names)
    derived = [
        functools.reduce(lambda found, name: sympy.diff(found, symbols[name]), wrt, expression)
        for wrt in derivatives
    ]
    formula: Callable[..., list[Any]] = sympy.lambdify(
        list(symbols.values()), derived, [{"erfc": erfc, "exp": exp}, "mpmath"], cse=True
    )
    return formula


def symbolic(
    exact: Callable[..., Any], names: tuple[str, ...]
) -> tuple[sympy.Expr, dict[str, sympy.Symbol]]:
    """An exact formula as a SymPy expression, and the symbols of its arguments."""
    symbols = dict(zip(names, sympy.symbols(names, real=True), strict=True))
    return sympy.sympify(exact(_Symbolic, *symbols.values())), symbols


def exp(x: mpmath.mpf) -> mpmath.mpf:
    """The same as mpmath's, which takes very long for whole numbers: it multiplies e by itself."""
    if mpmath.mag(x) < 14 or not mpmath.isint(x):
        return mpmath.exp(x)
    with mpmath.extraprec(mpmath.mag(x)):
        third = mpmath.mpf(1) / 3
        result = mpmath.exp(x + third) / mpmath.exp(third)
    return +result


def erfc(x: mpmath.mpf) -> mpmath.mpf:
    """Far out, where mpmath's own takes very long or fails, the first term of its series will do.

    It is below 1e-400000 there.
    """
    return mpmath.erfc(x) if x < 1000 else exp(-x * x) / (x * mpmath.sqrt(mpmath.pi))


def _converged(formula: Callable[..., list[Any]], *arguments: Any) -> list[mpmath.mpf]:
    """Double the precision until two evaluations agree to 30 digits, or are both negligible.

    A difference of nearly equal terms is zero at any fixed precision: zero proves nothing until
    the precision is far beyond the smallest number of interest. Nor does agreement, where a term
    is lost at both precisions, as exp(z) is in ``1 + exp(z)``; so the first one has to show it.
    """
    if not all(mpmath.isfinite(x) for x in arguments):
        raise ValueError(f"the reference takes finite numbers, got {arguments}")
    previous: list[Any] | None = None
    digits = 40 + _digits_to_show(abs(arguments[0]), map(abs, arguments[1:]))
    while True:
        with mpmath.workdps(digits):
            values = formula(*(mpmath.mpf(x) for x in arguments))
            if previous and all(
                settled(*pair, digits) for pair in zip(values, previous, strict=True)
            ):
                return [mpmath.mpf(value) for value in values]
        previous, digits = values, _more(digits, values)


def settled(
    value: Any, previous: Any, digits: int, close: Any = _CLOSE, places: int = _PLACES
) -> bool:
    """Whether an evaluation with so many digits, and one with fewer, prove the value.

    A Python integer stands in the formula itself. To prove a zero takes twice the places.
    """
    if isinstance(value, int):
        return True
    if value != 0 and abs(value - previous) <= abs(value) * close:
        return True
    return digits > 2 * places and max(abs(value), abs(previous)) < mpmath.mpf(10) ** -places


def _more(digits: int, values: list[Any], places: int = _PLACES) -> int:
    """The next precision to try: twice as many digits, or what it takes to prove a zero."""
    doubtful = any(value == 0 and not isinstance(value, int) for value in values)
    return max(2 * digits, 2 * places + 1 if doubtful else 0)


def _digits_to_show(z: Any, params: Iterable[Any] = ()) -> int:
    """How far below 1 the square of z is, and the cube of an exponential of z, in decimal digits.

    Parameters may multiply or divide z. An exponential below 1e-500 is negligible.
    """
    if z == 0:
        return 0
    size, z = abs(mpmath.mag(z)), float(mpmath.mpf(z))
    params = [float(p) for p in params]
    exponents = [z, *(z * p for p in params), *(z / p for p in params if p)]
    decay = max((x for x in exponents if x < 500 * math.log(10)), default=0)
    return int(2 * math.log10(2) * size + 3 * decay / math.log(10))


def limit(f: Exact, slope: Exact | None, sign: int) -> float | None:
    """The limit at an infinity, if numbers very far out leave no doubt of it.

    They differ in size and in all their digits, of which there are more than stand before the
    point: no oscillating function agrees with itself at all of them by chance. One that becomes
    infinite does not turn round on its way, as its slope tells if that is given.
    """
    with mpmath.workdps(500):
        far = [sign * mpmath.sqrt(p) * mpmath.mpf(10) ** (300 + 2 * p) for p in _PRIMES]
        try:
            values = [f(z) for z in far]
            if all(abs(y) > 1e300 for y in values):
                signs = (
                    {*map(mpmath.sign, row)} for row in (values, map(slope, far) if slope else [1])
                )
                steady = all(len(found) == 1 for found in signs)
                return float(mpmath.sign(values[0])) * math.inf if steady else None
        except Exception:  # whatever a formula may raise that gives up so far out
            return None
        if all(abs(y - values[0]) <= 1e-20 * abs(values[0]) for y in values):
            return float(values[0])
        return 0.0 if all(abs(y) < 1e-20 for y in values) else None


def from_formula(
    formula: Callable[..., Any], params: dict[str, float], places: int = _PLACES
) -> list[Exact]:
    """Return a function of mpmath numbers and its derivative, and roughly the second one.

    Each takes a number, and the domain outside of which the formula must not be asked. What is
    below ten to the minus `places` is only known to be that small.
    """
    found = functools.cache(functools.partial(_differences, formula, params, places))
    return [functools.partial(_order, found, n) for n in range(3)]


def _order(
    found: Callable[..., Sequence[mpmath.mpf]], order: int, z: Any, domain: Domain = None
) -> mpmath.mpf:
    return found(z, domain)[order]


def from_spec(spec: Spec, params: list[float]) -> list[Exact]:
    """Return the exact formula of a specification, its derivative and the second one."""
    derivatives = (), ("z",), ("z", "z")

    @functools.cache
    def found(z: Any, domain: Domain) -> tuple[mpmath.mpf, ...]:
        return evaluate(spec.exact, ("z", *spec.params), derivatives, (z, *params))

    return [functools.partial(_order, found, n) for n in range(3)]


def _differences(
    formula: Callable[..., Any], params: dict[str, float], places: int, z: Any, domain: Domain
) -> list[mpmath.mpf]:
    """The value, the derivative and roughly the second one, of which one may be infinite or NaN.

    At an end of the domain, and where a function jumps, one side alone has a derivative.
    """
    lowest, highest = domain or (-mpmath.inf, mpmath.inf)

    def at(x: mpmath.mpf) -> mpmath.mpf:
        return _evaluated(formula, params, x) if lowest <= x <= highest else mpmath.nan

    unsettled = []
    for side in (0, 1, -1):
        found, settled = _on_side(at, z, side, places)
        if settled or mpmath.isnan(found[0]):
            return found
        if not mpmath.isnan(found[1]):
            unsettled.append(found)
    if not unsettled:
        return found
    value, slope, _ = unsettled[0]
    return [value, mpmath.sign(slope) * mpmath.inf, mpmath.inf]


def _on_side(
    at: Callable[[mpmath.mpf], mpmath.mpf], z: Any, side: int, places: int
) -> tuple[list[mpmath.mpf], bool]:
    """The same from three evaluations around z (0) or on one side of it, and whether it is proven.

    Differences get as good as the working precision allows, of which the step takes a third. The
    second derivative only tells how sensitive the first one is: beside that, it may be negligible.
    """
    previous, digits = [mpmath.nan] * 3, 60 + _digits_to_show(abs(z)) * 3 // 2
    enough = 4 * digits + 10 * places
    while True:
        with mpmath.workdps(digits):
            x = mpmath.mpf(z)
            h = (abs(x) or 1) * mpmath.mpf(10) ** (-digits // 3)
            values = [at(x + n * h) for n in (side - 1, side, side + 1)]
            curvature = (values[2] - 2 * values[1] + values[0]) / h**2
            slope = (values[2] - values[0]) / (2 * h) - side * h * curvature
            found = [values[1 - side], slope, curvature if x else mpmath.mpf(0)]  # no effect at 0
            if any(map(mpmath.isnan, found)):
                return found, False
            stand = [
                settled(*pair, digits, places=places)
                for pair in zip(found[:2], previous, strict=False)
            ]
            small = max(abs(slope) / 10**6, mpmath.mpf(10) ** -places)
            negligible = min(abs(slope), abs(x * curvature)) <= small
            if all(stand) and (negligible or settled(curvature, previous[2], digits, 1e-4, places)):
                return found, True
        if digits > enough:
            return found, False
        if digits > 2 * places:  # more of them are costly, and doubt is small
            previous, digits = found, digits * 5 // 4
        else:
            previous, digits = found, _more(digits, [found[0], slope], places)


def _evaluated(formula: Callable[..., Any], params: dict[str, float], z: mpmath.mpf) -> mpmath.mpf:
    """Evaluate it at a number; where it is complex, it is not defined."""
    try:
        return real(formula(z, **params))
    except Exception as error:
        error.add_note(f"while computing the exact value at z = {mpmath.nstr(z, 17)}")
        raise


def real(number: Any) -> mpmath.mpf:
    """The number itself; where it is complex, nothing is defined."""
    return mpmath.nan if isinstance(number, complex | mpmath.mpc) else mpmath.mpf(number)


class Precise(np.lib.mixins.NDArrayOperatorsMixin):
    """A number that NumPy takes for an array of its own kind, and that mpmath computes with."""

    dtype, shape, ndim, size = np.dtype(float), (1,), 1, 1

    def __init__(self, value: Any) -> None:
        self.value = value if isinstance(value, mpmath.mpf) else real(value)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """Compute ``np.exp`` of such a number, or its sum with another, by mpmath."""
        function = _UFUNCS.get(ufunc.__name__)
        if function is None or method != "__call__" or set(options) - {"dtype"}:
            return NotImplemented
        return _wrapped(function(*map(_number, inputs)))

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """Choose as ``np.where`` does, or return numbers in the shape of this one."""
        function = _FUNCTIONS.get(func.__name__)
        if function is None or kwargs:
            return NotImplemented
        return _wrapped(function(*map(_number, args)))

    def astype(self, dtype: Any, copy: bool = True) -> Precise:
        """Return the same number: what is asked for is the formula, not its rounding."""
        return self

    def copy(self) -> Precise:
        """Return the same number, which cannot be changed."""
        return self


def _far_out(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """An exponential, or what is made of such: beyond 2^200 it has its limit, and takes no time."""

    def bounded(x: Any) -> Any:
        far = mpmath.isfinite(x) and mpmath.mag(x) > 200
        return function(mpmath.sign(x) * mpmath.inf if far else x)

    return bounded


_SAME = ("log", "log1p", "sqrt", "sin", "cos", "tan")
_EXPONENTIAL = ("expm1", "sinh", "cosh", "tanh")
_INVERSE = ("sin", "cos", "tan", "sinh", "cosh", "tanh")
_OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": lambda x, y: x / y if y else mpmath.nan,  # of the branch not taken, mostly
    "power": operator.pow,
    "negative": operator.neg,
    "positive": operator.pos,
    "absolute": abs,
    "fabs": abs,
    "maximum": max,
    "minimum": min,
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "equal": operator.eq,
    "not_equal": operator.ne,
}
_UFUNCS: dict[str, Callable[..., Any]] = {
    **{name: getattr(mpmath, name) for name in _SAME},
    "exp": _far_out(exp),
    **{name: _far_out(getattr(mpmath, name)) for name in _EXPONENTIAL},
    **{f"arc{name}": getattr(mpmath, f"a{name}") for name in _INVERSE},
    **_OPERATORS,
    "sign": mpmath.sign,
    "square": lambda x: x * x,
    "reciprocal": lambda x: 1 / x if x else mpmath.nan,
    "isnan": mpmath.isnan,
    "isinf": mpmath.isinf,
    "isfinite": mpmath.isfinite,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "where": lambda condition, yes, no: yes if condition else no,
    "clip": lambda x, low, high: min(max(x, low), high),
    "zeros_like": lambda x: mpmath.mpf(0),
    "ones_like": lambda x: mpmath.mpf(1),
    "full_like": lambda x, value: value,
}


def _number(x: Any) -> Any:
    if isinstance(x, Precise):
        return x.value
    return x if isinstance(x, bool | int | float) else np.asarray(x).item()


def _wrapped(result: Any) -> Any:
    return np.bool_(result) if isinstance(result, bool) else Precise(result)


def in_high_precision(f: Callable[..., Any]) -> Callable[..., Any]:
    """A NumPy function of arrays as one of mpmath numbers, if it is made of what `Precise` has."""

    def formula(z: mpmath.mpf, **params: float) -> mpmath.mpf:
        return mpmath.mpf(_number(f(Precise(z), **params)))

    return formula
