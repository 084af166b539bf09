"""Of a function that can only be evaluated: what is right passes, what is wrong is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import mpmath
import numpy as np
import pytest
import scipy.special as sp
from contract import in_turn

import actlib
from actlib.check import check_activation, grid
from actlib.check.differences import differentiate
from actlib.check.exact import from_formula, limit

Function = Callable[[Any], Any]
DTYPES = ["float32", "float64"]


class Pair(NamedTuple):
    """A function that mpmath cannot look into, and its slope."""

    f: Function
    slope: Function
    kinks: tuple[float, ...] = ()


def opaque(f: Function) -> Function:
    """The same, but nobody sees of what it is made."""
    return lambda z: np.asarray(f(np.asarray(z)))


def own(name: str) -> Pair:
    """An entry of the registry that has lost its name."""
    function = actlib.REGISTRY.elementwise[name]
    return Pair(opaque(function), opaque(function.grad), function.spec.kinks_at())


def like(z: Any, number: Any) -> Any:
    return np.asarray(number, z.dtype)


def softplus(z: Any) -> Any:
    return np.logaddexp(z, 0 * z)


def sinc_slope(z: Any) -> Any:
    x = np.pi * z.astype(float)  # else it is the slope at another number
    return np.pi * sp.spherical_jn(0, x, derivative=True)


def root_slope(z: Any) -> Any:
    """Of ``(z + sqrt(z * z + 4)) / 2``, without the difference of nearly equal numbers."""
    root = np.hypot(z, like(z, 2))
    return np.where(z < 0, 2 / root / (root + abs(z)), (1 + z / root) / 2)


def between(z: Any, low: float, high: float) -> Any:
    return np.where(np.isnan(z), z, (z > low) & (z < high))


def normal(z: Any) -> Any:
    return np.exp(-z * z / 2) / np.sqrt(2 * np.pi)


RIGHT = {
    "erf": Pair(sp.erf, lambda z: 2 / np.sqrt(np.pi) * np.exp(-z * z)),
    "erfc": Pair(sp.erfc, lambda z: -2 / np.sqrt(np.pi) * np.exp(-z * z)),
    "expit": Pair(sp.expit, lambda z: sp.expit(z) * sp.expit(-z)),
    "log_expit": Pair(sp.log_expit, lambda z: sp.expit(-z)),
    "softplus": Pair(softplus, sp.expit),
    "log cosh": Pair(lambda z: np.logaddexp(z, -z) - np.log(2).astype(z.dtype), np.tanh),
    "softplus, badly": Pair(opaque(lambda z: np.log(1 + np.exp(z)) + 0 * sp.erf(z)), sp.expit),
    "ndtr": Pair(sp.ndtr, normal),
    "gelu": Pair(lambda z: z * sp.ndtr(z), lambda z: sp.ndtr(z) + z * normal(z)),
    "log_ndtr": Pair(
        sp.log_ndtr, lambda z: np.sqrt(2 / np.pi) / sp.erfcx(-z / np.sqrt(2).astype(z.dtype))
    ),
    "cbrt": Pair(np.cbrt, lambda z: 1 / (3 * np.cbrt(z) ** 2), (0.0,)),
    "square": Pair(opaque(np.square), lambda z: 2 * z),
    "signed square": Pair(lambda z: np.copysign(z * z, z), lambda z: 2 * abs(z)),
    "cube": Pair(opaque(lambda z: z**3), lambda z: 3 * z * z),
    "polynomial": Pair(lambda z: np.polyval([1.0, -3, 2, 5], z), lambda z: (3 * z - 6) * z + 2),
    "softsign": Pair(lambda z: z / (1 + np.hypot(z, 0)), lambda z: 1 / (1 + abs(z)) ** 2),
    "hypot": Pair(lambda z: np.hypot(z, like(z, 1)), lambda z: z / np.hypot(z, like(z, 1))),
    "narrow": Pair(lambda z: np.hypot(z, 1e-3), lambda z: z / np.hypot(z, 1e-3)),
    "squareplus": Pair(lambda z: (z + np.hypot(z, like(z, 2))) / 2, root_slope),
    "arcsinh": Pair(opaque(np.arcsinh), lambda z: 1 / np.hypot(like(z, 1), z)),
    "sinc": Pair(np.sinc, sinc_slope),
    "j0": Pair(sp.j0, lambda z: -sp.j1(z)),
    "sine": Pair(opaque(lambda z: np.sin(50 * z)), lambda z: 50 * np.cos(50 * z)),
    "steep": Pair(opaque(lambda z: np.tanh(50 * z)), lambda z: 50 / np.cosh(50 * z) ** 2),
    "gudermann": Pair(opaque(lambda z: 2 * np.arctan(np.tanh(z / 2))), lambda z: 1 / np.cosh(z)),
    "gauss": Pair(
        opaque(lambda z: np.exp(-z * z)),
        lambda z: -2 * np.clip(z, -99, 99) * np.exp(-(np.clip(z, -99, 99) ** 2)),
    ),
    "log": Pair(lambda z: sp.log1p(abs(z)), lambda z: np.sign(z) / (1 + abs(z)), (0.0,)),
    "entropy": Pair(
        lambda z: sp.entr(abs(z)), lambda z: -np.sign(z) * (1 + np.log(abs(z))), (0.0,)
    ),
    "pseudo_huber": Pair(lambda z: sp.pseudo_huber(1, z), lambda z: z / np.hypot(like(z, 1), z)),
    "huber": Pair(lambda z: sp.huber(1, z), lambda z: np.clip(z, -1, 1)),
    "relu": Pair(lambda z: np.fmax(z, 0), lambda z: between(z, 0, np.inf), (0.0,)),
    "relu, kink untold": Pair(lambda z: np.fmax(z, 0), lambda z: between(z, 0, np.inf)),
    "relu6": Pair(lambda z: np.fmin(np.fmax(z, 0), 6), lambda z: between(z, 0, 6), (0.0, 6.0)),
    "elu": Pair(
        lambda z: np.where(z > 0, z, sp.expm1(np.fmin(z, 0))), lambda z: np.exp(np.fmin(z, 0))
    ),
    "piecewise": Pair(
        lambda z: np.piecewise(z, [z < -1, z > 1], [-1, 1, lambda x: (3 * x - x**3) / 2]),
        lambda z: np.where(abs(z) < 1, 1.5 * (1 - z * z), 0 * z),
    ),
    "smoothstep": Pair(
        lambda z: np.fmin(np.fmax(z, 0), 1) ** 2 * (3 - 2 * np.fmin(np.fmax(z, 0), 1)),
        lambda z: 6 * np.clip(z, 0, 1) * (1 - np.clip(z, 0, 1)),
    ),
    "gelu, badly": Pair(lambda z: z / 2 * (1 + sp.erf(z / 2**0.5)), actlib.gelu.grad),
    "swish, badly": Pair(lambda z: z * (1 - sp.expit(-z)), actlib.swish.grad),
    "swish by tanh": Pair(
        opaque(lambda z: z * (1 + np.tanh(z))), lambda z: 2 * actlib.swish.grad(2 * z)
    ),
    "thousand gelu": Pair(
        lambda z: 500 * z * (1 + sp.erf(z / 2**0.5)), lambda z: 1000 * actlib.gelu.grad(z)
    ),
    "float32 inside": Pair(
        lambda z: sp.erf(z.astype(np.float32)), lambda z: 2 / np.sqrt(np.pi) * np.exp(-z * z)
    ),
    **{
        name: own(name)
        for name in ("hard_silu", "soft_shrink", "hard_sigmoid", "relu_squared", "tanh_shrink")
    },
}


def failures(f: Function, slope: Function, kinks: Any, dtype: str, points: int = 300) -> Any:
    """The faults of the numbers in a gradient, which comes in the dtype of its input."""
    typed = [lambda z, of=of: np.asarray(of(z)).astype(z.dtype) for of in (f, slope)]
    report = check_activation(*typed, kinks=kinks, dtypes=[dtype], points=points)
    assert "polynomials" in report.reference
    found = {finding.aspect for finding in report.failed if finding.of == "gradient"}
    return found & {"accuracy", "nothing lost", "infinities"}, report


@pytest.mark.parametrize(("name", "dtype"), [*in_turn(RIGHT, DTYPES)])
def test_what_is_right_passes(name: str, dtype: str, deep: bool) -> None:
    for points in (37, 300, 3001) if deep else (60,):
        found, report = failures(*RIGHT[name], dtype, points)
        assert not found, str(report)


def scaled(factor: float, low: float = -np.inf, high: float = np.inf) -> Callable[..., Any]:
    """A slope that is wrong by a factor, on an interval."""
    return lambda z, y: np.where((z > low) & (z < high), factor * y, y)


WRONG = [
    ("erf", scaled(1.001)),
    ("erf", scaled(0.5)),
    ("erf", lambda z, y: 2 / np.sqrt(np.pi) * np.exp(-z)),
    ("ndtr", lambda z, y: normal(np.sqrt(2) * z)),
    ("expit", scaled(-1)),
    ("expit", scaled(1.01, 1, 3)),
    ("expit", scaled(0, -np.inf, -20)),
    ("softplus", scaled(0.99, -7, -5)),
    ("softplus", lambda z, y: 1 - 1 / (1 + np.exp(np.minimum(z, 80)))),
    ("gelu", lambda z, y: sp.ndtr(z)),
    ("gelu", scaled(0, -np.inf, -5)),
    ("log cosh", lambda z, y: 1 / np.cosh(z)),
    ("log_ndtr", scaled(1.01, -np.inf, -1e3)),
    ("log_ndtr", scaled(0, 6, np.inf)),
    ("cbrt", lambda z, y: np.sign(z) * y),
    ("square", lambda z, y: abs(y)),
    ("signed square", lambda z, y: 2 * z),
    ("cube", lambda z, y: 3 * z),
    ("polynomial", lambda z, y: y + 0.01),
    ("softsign", lambda z, y: 1 / (1 + abs(z))),
    ("softsign", scaled(0, 1e4, np.inf)),
    ("hypot", scaled(0.99, 1e4, np.inf)),
    ("arcsinh", scaled(1.01, 1e10, np.inf)),
    ("sinc", scaled(1.01)),
    ("sine", scaled(1 / 50)),
    ("steep", lambda z, y: 1 / np.cosh(50 * z) ** 2),
    ("gauss", scaled(0, 4, np.inf)),
    ("entropy", lambda z, y: -np.sign(z) * np.log(abs(z))),
    ("pseudo_huber", scaled(1.01, -1e-3, 1e-3)),
    ("huber", lambda z, y: np.clip(z, -0.99, 1)),
    ("relu", lambda z, y: y + 1e-5 * (z < 0)),
    ("relu", lambda z, y: y + 1e-5 * ((z < -2) & (z > -4))),
    ("relu, kink untold", scaled(1.01, 1, 3)),
    ("relu6", lambda z, y: between(z, 0, np.inf)),
    ("hard_sigmoid", scaled(1.2)),
    ("elu", lambda z, y: np.ones_like(z)),
    ("smoothstep", lambda z, y: 6 * np.clip(z, 0, 1)),
    ("tanh_shrink", lambda z, y: 1 - y),
    ("tanh_shrink", scaled(0.99, -1e-3, 1e-3)),
    ("float32 inside", scaled(1.01, -1, 1)),
]


@pytest.mark.parametrize(
    ("number", "dtype"), [*in_turn(range(len(WRONG)), DTYPES, quick=lambda number: number % 2)]
)
def test_what_is_wrong_fails(number: int, dtype: str) -> None:
    name, wrong = WRONG[number]
    f, slope, kinks = RIGHT[name]
    found, report = failures(f, lambda z: wrong(z, slope(z)), kinks, dtype, 60)
    assert "accuracy" in found, f"{name}: {report}"


def test_a_lost_tail_is_found_as_far_as_the_values_tell() -> None:
    """The sigmoid's slope as ``s * (1 - s)``: float64 knows more than float32."""
    lost, report = failures(sp.expit, lambda z: sp.expit(z) * (1 - sp.expit(z)), (), "float32")
    assert lost == {"accuracy", "nothing lost"}
    ((low, high),) = report.find("gradient", "nothing lost").intervals
    assert low == pytest.approx(16.6355, abs=0.1)
    assert 25 < high < 37


def test_the_report_says_where_it_is_not_certain() -> None:
    f, slope, _ = RIGHT["sine"]
    report = check_activation(f, slope, dtypes=["float64"])
    finding = report.find("gradient", "certainty")
    assert finding.ok
    unsure, of = map(int, finding.detail.partition(" numbers")[0].split()[-3::2])
    assert 0 < unsure < of / 4
    assert "e+30" in finding.detail
    f, slope, _ = RIGHT["erf"]
    certain = check_activation(f, slope, dtypes=["float32"], points=40)
    assert "at 0 of" in certain.find("gradient", "certainty").detail


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_bound_holds(dtype: str) -> None:
    """Slopes to 30 digits lie within it, and it is narrow at ordinary numbers."""
    z = grid(dtype, {0.0}, 200).astype(float)
    for f, exact in {
        sp.erf: lambda x: 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-x * x),
        softplus: lambda x: 1 / (1 + mpmath.exp(-x)),
        opaque(np.arcsinh): lambda x: 1 / mpmath.sqrt(1 + x * x),
    }.items():
        found = differentiate(f, z)
        with mpmath.workdps(700):
            right = [exact(mpmath.mpf(x)) for x in z]
            errors = [abs(x - y) for x, y in zip(found.slope, right, strict=True)]
            beyond = [e > b for e, b in zip(errors, found.error, strict=True)]
        assert not any(beyond)
        assert found.error[abs(z) < 3].max() < 3e-12


# --- limits


@pytest.mark.parametrize(
    ("f", "limits"),
    [
        (mpmath.tanh, (-1, 1, 0, 0)),
        (lambda z: z**3, (-np.inf, np.inf, np.inf, np.inf)),
        (lambda z: mpmath.log(1 + mpmath.exp(z)), (0, np.inf, 0, 1)),
        (lambda z: mpmath.sin(z) / z, (0, 0, 0, 0)),
        (lambda z: z + mpmath.sin(z) ** 2, (-np.inf, np.inf, None, None)),
        (mpmath.sin, (None,) * 4),
        (lambda z: mpmath.sin(mpmath.pi * z), (None,) * 4),
        (lambda z: z - mpmath.floor(z), (None, None, 1, 1)),
        (lambda z: z * mpmath.cos(z), (None,) * 4),
        (lambda z: z * mpmath.sin(z) ** 2, (None,) * 4),
        (lambda z: z * mpmath.cos(2 * mpmath.pi * z), (None,) * 4),
        (lambda z: z * mpmath.sin(mpmath.log(1 + z * z)), (None,) * 4),
    ],
    ids=map(str, range(12)),
)
def test_limits_are_proven_or_unknown(f: Function, limits: tuple[Any, ...]) -> None:
    orders = from_formula(f, {})
    found = [limit(orders[n], orders[n + 1], sign) for n in (0, 1) for sign in (-1, 1)]
    for got, right in zip(found, limits, strict=True):
        assert (got is None) == (right is None), found
        assert right is None or got == pytest.approx(right, abs=1e-200)


def test_where_there_is_no_limit_anything_will_do() -> None:
    check_activation(np.sin, np.cos, dtypes=["float32"]).raise_if_failed()
    wave: Any = (lambda z: z * np.cos(z), lambda z: np.cos(z) - z * np.sin(z))
    check_activation(*wave, dtypes=["float64"], points=60).raise_if_failed()
    exact: Any = {"exact": mpmath.sin, "dtypes": ["float32"], "points": 60}
    check_activation(np.sin, np.cos, **exact).raise_if_failed()
    zero = check_activation(lambda z: np.where(np.isinf(z), z - z, np.tanh(z)), exact="tanh")
    assert "right is -1 and 1" in zero.find("value", "infinities").detail


# --- formulas of NumPy, which mpmath looks into


FORMULAS = {
    "cube": Pair(lambda z: z**3, lambda z: 3 * z**2),
    "root": Pair(lambda z: np.sign(z) * np.sqrt(abs(z)), lambda z: 0.5 / np.sqrt(abs(z)), (0.0,)),
    "reciprocal": Pair(lambda z: 1 / z, lambda z: -1 / (z * z), (0.0,)),
    "power": Pair(lambda z: abs(z) ** 1.5, lambda z: 1.5 * np.sign(z) * np.sqrt(abs(z))),
    "exp": Pair(np.exp, np.exp),
    "sinh": Pair(np.sinh, np.cosh),
    "arctan": Pair(np.arctan, lambda z: 1 / (1 + z * z)),
    "arcsinh": Pair(np.arcsinh, lambda z: 1 / np.hypot(like(z, 1), z)),
    "abs": Pair(abs, np.sign),
    "hard_tanh": Pair(lambda z: np.clip(z, -1, 1), lambda z: between(z, -1, 1), (-1.0, 1.0)),
}


@pytest.mark.parametrize(("name", "dtype"), [*in_turn(FORMULAS, DTYPES)])
def test_formulas_that_overflow_or_grow_without_bound_pass(name: str, dtype: str) -> None:
    """Warnings of a result that is truly infinite, and infinite slopes, are nobody's fault."""
    f, slope, kinks = FORMULAS[name]
    typed: Any = [f, lambda z: np.asarray(slope(z)).astype(z.dtype)]
    check_activation(*typed, kinks=kinks, dtypes=[dtype], points=30).raise_if_failed()
