"""The checker is checked: it finds what is wrong, passes what is right, and says why."""

from __future__ import annotations

import contextlib
import itertools
import math
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import jax
import ml_dtypes
import mpmath
import numpy as np
import pytest
import scipy.special
import tensorflow as tf
from contract import deep_unless, in_turn
from matplotlib import pyplot as plt

import actlib
from actlib.check import CheckFailed, check_activation, from_jax, from_tensorflow, grid
from actlib.check.accuracy import ends_of_runs, float_info
from actlib.check.exact import in_high_precision
from actlib.check.points import examined
from actlib.check.report import ASPECTS

each_dtype = pytest.mark.parametrize("dtype", deep_unless("float32".__eq__, ["float32", "float64"]))


def sigmoid(z: Any) -> Any:
    return np.exp(np.minimum(z, 0)) / (1 + np.exp(-abs(z)))


def sigmoid_slope(z: Any) -> Any:
    e = np.exp(-abs(z))
    return e / (1 + e) ** 2


@pytest.fixture
def points(deep: bool) -> int:
    """Of a formula without a name each exact number takes a millisecond and more."""
    return 300 if deep else 30


def failed(report: Any) -> set[tuple[str, str]]:
    return {(finding.of, finding.aspect) for finding in report.failed}


LOST = {("gradient", "accuracy"), ("gradient", "nothing lost")}


# --- what is right passes


@each_dtype
def test_right_functions_pass(dtype: str, points: int) -> None:
    check_activation(sigmoid, sigmoid_slope, exact="sigmoid", dtypes=[dtype]).raise_if_failed()
    for exact in (lambda z: 1 / (1 + mpmath.exp(-z)), None):
        given: dict[str, Any] = {"exact": exact, "dtypes": [dtype], "points": points}
        report = check_activation(sigmoid, sigmoid_slope, **given)
        report.raise_if_failed()
    check_activation(scipy.special.expit, exact="sigmoid", dtypes=dtype).raise_if_failed()

    def softsign(z: Any) -> Any:
        return np.where(abs(z) > 1, np.sign(z) / (1 + 1 / np.maximum(abs(z), 1)), z / (1 + abs(z)))

    def slope(z: Any) -> Any:
        return (1 / (1 + abs(z))) ** 2

    for reference in ("softsign", None):
        given: dict[str, Any] = {"exact": reference, "dtypes": [dtype], "points": points}
        report = check_activation(softsign, slope, **given)
        report.raise_if_failed()
        assert report.ok


@each_dtype
@pytest.mark.parametrize("kinks", [[-1.0, 2.0], {-1.0: 0.5, 2.0: 3.0}])
def test_a_piecewise_function_passes_with_its_kinks(kinks: Any, dtype: str, points: int) -> None:
    def f(z: Any) -> Any:
        return np.where(z > 2, 3 * z - 4, np.where(z < -1, 0.5 * z - 0.5, z)).astype(z.dtype)

    def slope(z: Any) -> Any:
        step = np.where(z >= 2, 3, np.where(z <= -1, 0.5, 1))
        return np.where(np.isnan(z), z, step).astype(z.dtype)

    report = check_activation(f, slope, kinks=kinks, dtypes=[dtype], points=points)
    report.raise_if_failed()


def test_an_activation_of_actlib_knows_what_it_should_be() -> None:
    report = check_activation(actlib.prelu, params={"alpha": 0.1}, dtypes=["float16", "bfloat16"])
    report.raise_if_failed()
    assert report.reference.startswith("Compared with prelu")
    assert {dtype for _, dtype in report.accuracy} == {"float16", "bfloat16"}


@pytest.mark.parametrize(
    ("f", "right"),
    [
        (lambda z: np.where((z > 1) & ~(z > 2), z**2, np.zeros_like(z)), [0, 2.25, 0]),
        (lambda z: np.clip(z.astype(z.dtype), -0.25, 2) * np.float32(0.5), [-0.125, 0.75, 1]),
        (
            lambda z: np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))),
            np.logaddexp([-0.5, 1.5, 3], 0),
        ),
        (lambda z: np.sign(z) * np.sqrt(np.fabs(z)), [-(0.5**0.5), 1.5**0.5, 3**0.5]),
        (lambda z: 2 / np.pi * np.arctan(-z), -2 / np.pi * np.arctan([-0.5, 1.5, 3])),
    ],
)
def test_functions_in_high_precision(f: Callable[..., Any], right: Any) -> None:
    precise = in_high_precision(f)
    with mpmath.workdps(50):
        got = [precise(mpmath.mpf(z)) for z in (-0.5, 1.5, 3.0)]
    np.testing.assert_allclose([float(y) for y in got], right, rtol=1e-15)


def test_high_precision_is_kept() -> None:
    with mpmath.workdps(50):
        third = in_high_precision(lambda z: np.exp(-z.copy()) / 3)(mpmath.mpf(1))
        assert abs(third - mpmath.exp(-1) / 3) < mpmath.mpf(10) ** -49
    for unknown in (lambda z: np.cumsum(z), lambda z: z[z > 0], lambda z: np.logaddexp(z, 0)):
        with pytest.raises(TypeError):
            in_high_precision(unknown)(mpmath.mpf(1))


# --- what is wrong is found


def ends(report: Any) -> list[tuple[float, float]]:
    return list(report.find("gradient", "nothing lost").intervals)


def step_at(dtype: str, z: float, points: int) -> float:
    """How far apart the points of the grid are around z."""
    taken = grid(np.dtype(dtype), points=points).astype(float)
    i = np.searchsorted(taken, z)
    return float(taken[i + 1] - taken[i - 1])


@pytest.mark.parametrize(
    ("dtype", "start"),
    [("float32", 16.6355), pytest.param("float64", 36.7368, marks=pytest.mark.deep)],
)
def test_the_lost_gradient_of_the_sigmoid(dtype: str, start: float) -> None:
    """It is zero from where 1 - s rounds to 0 on, to where the slope is no normal number."""
    stop = -np.log(float(np.finfo(dtype).tiny))
    output = lambda z: sigmoid(z) * (1 - sigmoid(z))  # noqa: E731
    tensorflow = from_tensorflow(tf.nn.sigmoid)
    for f, slope in [(sigmoid, output), tensorflow]:
        for exact, points in [("sigmoid", 300), (lambda z: 1 / (1 + mpmath.exp(-z)), 50)]:
            report = check_activation(f, slope, exact=exact, dtypes=[dtype], points=points)
            assert failed(report) == LOST
            low, high = ends(report)[0][0], ends(report)[-1][1]
            assert low == pytest.approx(start, abs=step_at(dtype, start, points))
            assert high == pytest.approx(stop, abs=step_at(dtype, stop, points))
    low, _ = ends(check_activation(sigmoid, output, dtypes=[dtype], points=50))[0]
    assert low == pytest.approx(start, abs=2e-4)


@each_dtype
def test_the_lost_gradient_of_tanh(dtype: str) -> None:
    report = check_activation(np.tanh, lambda z: 1 - np.tanh(z) ** 2, exact="tanh", dtypes=[dtype])
    assert failed(report) == LOST
    (left, right) = ends(report)
    assert left == pytest.approx([-x for x in right[::-1]])
    assert 1 - np.tanh(np.dtype(dtype).type(right[0])) == 0


def test_the_end_of_what_is_lost_is_found_up_to_the_largest_number() -> None:
    """Halfway between two numbers their sum may be too large."""
    breaks_off = lambda z: np.where(abs(z) < 1e306, z, 0)  # noqa: E731
    report = check_activation(breaks_off, exact="linear", dtypes=["float64"], points=20)
    (low, high) = report.find("value", "nothing lost").intervals[-1]
    assert low == pytest.approx(1e306, rel=1e-9)
    assert high == pytest.approx(np.finfo(float).max)


def nan_to_zero(z: Any) -> Any:
    return np.nan_to_num(sigmoid(z))


def leaks(z: Any) -> Any:
    return sigmoid(z) * np.float64(1)


def hidden_offset(z: Any) -> Any:
    return (sigmoid(z) + np.where(z < -15, 1e-6, 0)).astype(z.dtype)


def in_place(z: Any) -> Any:
    y = sigmoid(z)
    z *= 1.5
    return y


def warns(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def flattens(z: Any) -> Any:
    return sigmoid(z) if z.ndim < 2 else sigmoid(z)[::-1]


def no_limits(z: Any) -> Any:
    return np.where(np.isinf(z), np.nan, sigmoid(z)).astype(z.dtype)


@each_dtype
@pytest.mark.parametrize(
    ("f", "aspects"),
    [
        (nan_to_zero, {"NaN"}),
        (leaks, {"dtype"}),
        (hidden_offset, {"accuracy", "infinities"}),
        (in_place, {"input"}),
        (warns, {"warnings"}),
        (flattens, {"shape"}),
        (no_limits, {"infinities"}),
    ],
)
def test_faults_of_a_value(f: Callable[..., Any], aspects: set[str], dtype: str) -> None:
    if f is leaks and dtype == "float64":
        aspects = set()
    report = check_activation(f, exact="sigmoid", dtypes=[dtype])
    assert failed(report) == {("value", aspect) for aspect in aspects}


def planted(f: Callable[..., Any], where: Callable[[Any], Any], to: Callable[[Any], Any]) -> Any:
    """The function, with other values in some places."""

    def faulty(z: Any) -> Any:
        y = np.array(f(z))
        return np.where(where(z), to(y), y).astype(y.dtype)

    return faulty


def right(z: Any) -> Any:
    """A sigmoid of which nothing is known, in memory of its own."""
    return np.array(actlib.sigmoid(z))


def if_(where: Callable[[Any], Any], to: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Right, but for some arrays."""
    return lambda z: to(right(z)) if where(z) else right(z)


def writing(where: Callable[[Any], Any], into: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Right, and writes into its argument."""

    def faulty(z: Any) -> Any:
        y = right(z)
        if where(z):
            into(z)
        return y

    return faulty


def spoilt(y: Any, place: int = -1, factor: float = 2.0) -> Any:
    """In the last place, or in some from another place on."""
    y.reshape(-1)[place:][:20] *= factor
    return y


def remembering(key: Callable[[Any], Any]) -> Callable[[Any], Any]:
    known: dict[Any, Any] = {}
    return lambda z: known.setdefault(key(z), right(z)).copy()


def counting(to: Callable[[Any, int], Any]) -> Callable[[Any], Any]:
    calls = itertools.count()
    return lambda z: to(right(z), next(calls))


def one_buffer() -> Callable[[Any], Any]:
    known: dict[Any, Any] = {}

    def faulty(z: Any) -> Any:
        buffer = known.setdefault(z.shape, np.empty_like(z))
        buffer[...] = right(z)
        return buffer

    return faulty


def raising(where: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda z: right(z) if not where(z).any() else 1 / 0


def c_ordered(z: Any) -> Any:
    return z.flags.c_contiguous


def beyond(size: int, ndim: int) -> Callable[[Any], Any]:
    return lambda z: z.size > size and z.ndim == ndim


BY_ARRAY: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "any view": ("layout", if_(lambda z: not c_ordered(z), lambda y: y[::-1])),
    "a strided row": ("layout", if_(lambda z: z.ndim == 1 and not c_ordered(z), lambda y: y[::-1])),
    "a reversed row": (
        "layout",
        if_(lambda z: z.ndim == 1 and z.strides[0] < 0, lambda y: y[::-1]),
    ),
    "Fortran order": ("layout", if_(lambda z: z.ndim > 1 and z.flags.fnc, lambda y: y * 1.001)),
    "permuted axes": ("layout", if_(lambda z: not z.flags.forc, lambda y: y * 1.001)),
    "a transposed table": (
        "layout",
        if_(lambda z: z.ndim == 2 and z.flags.fnc, lambda y: y * 1.001),
    ),
    "no dimension": ("shape", if_(lambda z: z.ndim == 0, lambda y: y * 1.001)),
    "two dimensions": ("shape", if_(lambda z: z.ndim == 2, lambda y: y[::-1])),
    "three dimensions": ("shape", if_(lambda z: z.ndim == 3, lambda y: y.swapaxes(0, 1))),
    "nothing": ("shape", if_(lambda z: z.size == 0, lambda y: y.reshape(0, 1))),
    "one number": ("size", if_(lambda z: z.shape == (1,), lambda y: y * 1.001)),
    "few numbers": ("size", if_(lambda z: 1 < z.size < 8, spoilt)),
    "above 4096": ("size", if_(beyond(4096, 1), spoilt)),
    "a second block": ("size", if_(beyond(2**15, 1), lambda y: spoilt(y, 2**15))),
    "above 1e5, slightly": ("size", if_(beyond(10**5, 1), lambda y: spoilt(y, 10**5, 1 + 1e-5))),
    "a large table": ("size", if_(beyond(10**5, 2), lambda y: spoilt(y, 0))),
    "1-D in place": ("input", writing(lambda z: z.ndim == 1, lambda z: np.negative(z, out=z))),
    "2-D in place": ("input", writing(lambda z: z.ndim == 2, lambda z: np.negative(z, out=z))),
    "3-D in place": ("input", writing(lambda z: z.ndim == 3, lambda z: np.negative(z, out=z))),
    "large in place": ("input", writing(lambda z: z.size > 10**5, lambda z: np.negative(z, out=z))),
    "the same in place": ("input", writing(lambda z: z.ndim, lambda z: np.add(z, 0, out=z))),
    "NaN in place": (
        "input",
        writing(lambda z: np.isnan(z).any(), lambda z: np.nan_to_num(z, copy=False)),
    ),
    "far out in place": (
        "input",
        writing(lambda z: z.size > 7, lambda z: np.maximum(z, -1e38, out=z)),
    ),
    "every second call": ("repeat", counting(lambda y, n: y * (1 + 1e-6 * (n % 2)))),
    "after a dozen calls": ("repeat", counting(lambda y, n: y * (1 + 1e-6 * (n > 12)))),
    "memory by shape": ("repeat", remembering(lambda z: z.shape)),
    "memory by array": ("repeat", remembering(lambda z: (id(z), z.shape))),
    "one buffer": ("alias", one_buffer()),
    "NaN in larger arrays": ("NaN", if_(lambda z: z.size > 100, np.nan_to_num)),
    "raises at NaN": ("NaN", raising(np.isnan)),
    "infinity in larger arrays": (
        "infinities",
        planted(right, lambda z: np.isinf(z) & (z.size > 100), np.zeros_like),
    ),
    "raises at infinity": ("infinities", raising(np.isinf)),
    "warns at 3": ("warnings", writing(lambda z: (z == 3).any(), lambda z: np.log(0 * z))),
}


@pytest.mark.parametrize(("aspect", "f"), BY_ARRAY.values(), ids=BY_ARRAY)
def test_faults_that_depend_on_the_array(aspect: str, f: Callable[[Any], Any]) -> None:
    report = check_activation(f, exact="sigmoid", dtypes=["float32"], points=20)
    assert ("value", aspect) in failed(report)


SOME_ARRAYS: dict[str, Callable[[Any], Any]] = {
    "no axis": lambda z: z.ndim == 0,
    "two axes": lambda z: z.ndim == 2,
    "four axes": lambda z: z.ndim == 4,
    "a line": lambda z: z.ndim == 2 and z.shape[0] == 1 < z.shape[1],
    "large": lambda z: z.size > 10**4,
    "Fortran order": lambda z: z.ndim > 1 and z.flags.fnc,
    "the same memory": lambda z: 0 in z.strides and z.size > 1,
    "backwards": lambda z: z.ndim == 2 and min(z.strides) < 0,
}
SPECIAL: dict[str, tuple[str, Callable[[Any], Any], float]] = {
    "NaN": ("NaN", np.isnan, 0.0),
    "inf": ("infinities", np.isposinf, 1.0),
    "-inf": ("infinities", np.isneginf, -1.0),
    "-0.0": ("-0.0", lambda z: (z == 0) & np.signbit(z), 0.0),
}


@pytest.mark.parametrize(
    "where",
    [
        pytest.param(
            where, id=name, marks=[] if name in ("two axes", "large") else pytest.mark.deep
        )
        for name, where in SOME_ARRAYS.items()
    ],
)
def test_special_numbers_in_some_arrays(where: Callable[[Any], Any]) -> None:
    """Each is asked for in arrays of every shape, layout and size; the dtype and kinks too."""
    only: Any = {"dtypes": "float32", "points": 20}
    silu = lambda z: np.array(actlib.silu(z))  # noqa: E731
    for aspect, numbers, to in SPECIAL.values():
        f = planted(silu, lambda z: numbers(z) & where(z), lambda y: 0 * y + to)  # noqa: B023
        f = planted(f, lambda z: numbers(z) & where(z) & (to == 0), np.zeros_like)  # noqa: B023
        report = check_activation(f, exact="silu", **only)
        assert ("value", aspect) in failed(report), aspect
    f = lambda z: silu(z).astype(np.float64 if where(z) else z.dtype)  # noqa: E731
    assert failed(check_activation(f, exact="silu", **only)) == {("value", "dtype")}
    f = lambda z: np.ma.array(silu(z)) if where(z) else silu(z)  # noqa: E731
    assert failed(check_activation(f, exact="silu", **only))
    slope = planted(actlib.relu.grad, lambda z: (z == 0) & where(z), lambda y: y + 7)
    assert ("gradient", "kink") in failed(check_activation(actlib.relu, slope, **only))


def number(place: float) -> Callable[[Any], Any]:
    return lambda z: z == z.dtype.type(place)


def window(low: float, high: float) -> Callable[[Any], Any]:
    return lambda z: (low < z) & (z < high)


def jumping(z: Any, place: float = 1.2345) -> Any:
    return np.where(z > place, np.tanh(z) + 1e-3, np.tanh(z)).astype(z.dtype)


def opaque_relu(slope: float) -> dict[str, Any]:
    """A ReLU with another slope at its kink."""
    grad = planted(actlib.relu.grad, number(0.0), lambda y: 0 * y + slope)
    return {"f": opaque(relu), "grad": grad, "kinks": [0.0]}


def opaque(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The same, but mpmath cannot look into it."""
    return lambda z: np.array(f(np.asarray(z)))


def plus_0_in_rows(z: Any) -> Any:
    return np.tanh(z) + (0.0 if z.size > 9 else -0.0)


def relu(z: Any) -> Any:
    return np.maximum(z, 0)


one_at_0 = planted(relu, number(0.0), np.ones_like)
one_in_rows = planted(actlib.relu.grad, lambda z: (z == 0) & (z.size > 9), np.ones_like)
nan_slope = planted(actlib.softplus.grad, number(0.0), lambda y: y * np.nan)
slightly_at_6 = planted(actlib.relu6, number(6.0), lambda y: y * 1.01)
zero_at_2 = planted(np.tanh, number(2.0), np.zeros_like)
BY_PLACE: dict[str, tuple[str, str, dict[str, Any]]] = {
    "slope NaN at 0": ("gradient", "accuracy", {"f": actlib.softplus, "grad": nan_slope}),
    "relu(0) = 1": ("value", "kink", {"f": one_at_0, "exact": "relu"}),
    "a kink that is given": ("value", "kink", {"f": one_at_0, "kinks": [0.0]}),
    "relu6(6) = 6.06": ("value", "kink", {"f": slightly_at_6, "exact": "relu6"}),
    "slope NaN at an opaque kink": ("gradient", "kink", opaque_relu(np.nan)),
    "slope 7 at an opaque kink": ("gradient", "kink", opaque_relu(7)),
    "a jump at a double": (
        "value",
        "jumps",
        {"f": lambda z: jumping(z, 1.7), "dtypes": ["float64"]},
    ),
    "a lone jump": ("value", "jumps", {"f": lambda z: np.where(z == 1.5, 0 * z, np.tanh(z))}),
    "a gradient in larger arrays": (
        "gradient",
        "size",
        {
            "f": scipy.special.expit,
            "grad": lambda z: sigmoid_slope(z) * (1 + 1e-6 * (z.size > 1e4)),
            "dtypes": ["float64"],
        },
    ),
    "an opaque value in tables": (
        "value",
        "shape",
        {"f": opaque(lambda z: np.tanh(z) + 1e-9 * (z.ndim == 2)), "dtypes": ["float64"]},
    ),
    "a kink in larger arrays": ("gradient", "kink", {"f": actlib.relu, "grad": one_in_rows}),
    "z itself": ("value", "alias", {"f": lambda z: z, "exact": "linear"}),
    "a view": ("value", "alias", {"f": lambda z: z.T if z.ndim == 0 else z * 1, "exact": "linear"}),
    "z overwritten": ("value", "alias", {"f": lambda z: np.fmax(z, 0, out=z), "exact": "relu"}),
    "a jump": ("value", "jumps", {"f": jumping}),
    "an opaque jump": ("value", "jumps", {"f": lambda z: jumping(np.asarray(z))}),
    "a lone value": ("value", "jumps", {"f": zero_at_2}),
    "a step": ("value", "jumps", {"f": lambda z: np.heaviside(z, z.dtype.type(1))}),
    "NaN at 0": ("value", "jumps", {"f": lambda z: z / np.tanh(z)}),
    "-0.0 in larger arrays": ("value", "-0.0", {"f": plus_0_in_rows, "exact": "tanh"}),
    "overflow downwards": ("value", "accuracy", {"f": lambda z: -(z**2), "exact": lambda z: z**2}),
}


@pytest.mark.parametrize(("of", "aspect", "given"), BY_PLACE.values(), ids=BY_PLACE)
def test_faults_in_some_place(of: str, aspect: str, given: dict[str, Any]) -> None:
    given = {"dtypes": ["float32"], "points": 20, **given}
    assert (of, aspect) in failed(check_activation(**given))


@contextlib.contextmanager
def warnings_as_errors() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def within_4(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function of z / 4 that raises outside its domain."""

    def strict(z: Any) -> Any:
        assert not (abs(z) > 4).any()
        return f(z / 4)

    return strict


RIGHT: dict[str, dict[str, Any]] = {
    "a fast sine": {"f": lambda z: np.sin(30 * z), "domain": (-8, 8)},
    "a fast cosine": {"f": opaque(lambda z: np.cos(51 * z)), "domain": (-8, 8)},
    "log": {"f": np.log, "grad": lambda z: 1 / z, "exact": mpmath.log, "domain": (0.5, 100)},
    "loggamma": {"f": scipy.special.gammaln, "exact": mpmath.loggamma, "domain": (1, 10)},
    "acosh": {"f": np.arccosh, "exact": mpmath.acosh, "domain": (1, 10)},
    "a root": {"f": lambda z: np.sqrt(z + 3), "domain": (-3, 100)},
    "an exact root": {"f": np.sqrt, "exact": mpmath.sqrt, "domain": (0, 9)},
    "arcsin": {"f": lambda z: np.arcsin(z / 4), "domain": (-4, 4)},
    "arcsin, opaque": {"f": opaque(within_4(np.arcsin)), "domain": (-4, 4)},
    "an opaque kink": {**opaque_relu(0.5)},
    "even": {
        "f": lambda z: np.exp(-z * z),
        "grad": lambda z: -2 * (z * np.exp(-z * z)),
        "domain": (-1e100, 1e100),
    },
    "even, cosine": {"f": np.cos, "grad": lambda z: -np.sin(z)},
    "log from 0 on": {"f": np.log, "grad": lambda z: 1 / z, "domain": (0, np.inf)},
    "square root from 0 on": {"f": np.sqrt, "domain": (0, 10)},
    "square root": {"f": np.sqrt, "exact": mpmath.sqrt},
    "TanhExp": {"f": lambda z: z * np.tanh(np.exp(z)), "domain": (-np.inf, 80)},
    "Gompertz": {
        "f": lambda z: np.exp(-np.exp(-z)),
        "skip": {"warnings": "an exponential overflows"},
    },
    "a vertical tangent": {"f": lambda z: np.sqrt(abs(z)), "kinks": [0.0]},
    "a slope that ends": {
        "f": opaque(within_4(lambda x: x * x)),
        "grad": lambda z: z / 8,
        "domain": (-4, 4),
    },
}


@each_dtype
@pytest.mark.parametrize("given", RIGHT.values(), ids=RIGHT)
def test_no_fault_is_found_where_there_is_none(given: dict[str, Any], dtype: str) -> None:
    check_activation(**given, dtypes=[dtype], points=60).raise_if_failed()


@pytest.mark.parametrize("mode", ["raise", "warn"])
def test_the_caller_may_ask_numpy_to_raise_or_to_warn(mode: Any) -> None:
    """What is examined is warned of as ever, and the checker's own arithmetic is silent."""
    with np.errstate(all=mode), warnings_as_errors():
        for f, given in ((actlib.gelu, {}), (opaque(np.tanh), {"kinks": [0.0]})):
            check_activation(f, points=20, **given).raise_if_failed()
        report = check_activation(warns, sigmoid_slope, exact="sigmoid", points=20)
    assert {aspect for _, aspect in failed(report)} == {"warnings"}


def test_a_derived_gradient_may_give_any_number_at_nan() -> None:
    """Even one for short arrays and another for long ones; it must leave the neighbours alone."""
    for other in (1.0, np.nan):

        def grad(z: Any, other: float = other) -> Any:
            return np.where(np.isnan(z), 1.0 if z.size < 9 else other, np.exp(np.minimum(z, 0)))

        grad.derived = True  # type: ignore[attr-defined]
        check_activation(
            actlib.elu, grad, exact="elu", dtypes=["float64"], points=20
        ).raise_if_failed()
        spoils = planted(grad, lambda z: np.roll(np.isnan(z), 1) & (z.size > 9), lambda y: y + 1)
        spoils.derived = True
        report = check_activation(actlib.elu, spoils, exact="elu", dtypes=["float64"], points=20)
        assert failed(report) == {("gradient", "NaN")}


ROUND = [0.0, 1.0, -1.0, 2.0, 3.0, 0.5, -0.25, 0.1, 20.0, -100.0, 2**-9]


@pytest.mark.parametrize(
    ("place", "dtype"), [*in_turn(ROUND, ["float32", "float64", "float16", "bfloat16"])]
)
def test_a_wrong_value_at_a_round_number(place: float, dtype: str) -> None:
    f = planted(actlib.linear, number(place), lambda y: y * 1.5 + 0.25)
    report = check_activation(f, exact="linear", dtypes=[dtype], points=20)
    assert failed(report) >= {("value", "accuracy")}


@pytest.mark.parametrize(
    "dtype", deep_unless("float32".__eq__, ["float32", "float64", "float16", "bfloat16"])
)
def test_no_window_of_a_fiftieth_is_left_out(dtype: str) -> None:
    every = dtype if dtype != "bfloat16" else ml_dtypes.bfloat16
    z = examined(np.dtype(every), [], None, 300).astype(float)
    gaps = np.diff(z[abs(z) <= 8])
    spacing = 8 * float(float_info(every).eps)  # below 8, half of it
    assert gaps.max() < max(0.02, spacing)
    for low in (0.5, -3.11, 7.97):
        f = planted(right, window(low, low + max(0.02, spacing)), lambda y: y * 1.3)
        report = check_activation(f, exact="sigmoid", dtypes=[dtype])
        assert ("value", "accuracy") in failed(report)


@each_dtype
def test_an_overflow_of_the_result_is_no_fault(dtype: str) -> None:
    """The cube of a number is beyond the largest one where the number itself is far from it."""

    def slope(z: Any) -> Any:
        return 3 * np.maximum(z, 0) ** 2

    def cube(z: Any) -> Any:
        return np.maximum(z, 0) ** 3

    for exact in (None, lambda z: max(z, 0) ** 3):
        check_activation(cube, slope, exact=exact, dtypes=[dtype], points=20).raise_if_failed()
    check_activation(np.square, lambda z: 2 * z, dtypes=["float16"]).raise_if_failed()


@each_dtype
def test_faults_of_a_gradient(dtype: str) -> None:
    for factor in (1.0005, 0.9995):
        slightly_off = lambda z: (sigmoid_slope(z) * factor).astype(z.dtype)  # noqa: B023, E731
        for exact in ("sigmoid", None):
            report = check_activation(sigmoid, slightly_off, exact=exact, dtypes=[dtype], points=50)
            assert failed(report) == {("gradient", "accuracy")}
        report = check_activation(scipy.special.expit, slightly_off, dtypes=[dtype], points=50)
        assert ("gradient", "accuracy") in failed(report)
        assert "polynomials" in report.reference
    minus_zero = check_activation(
        lambda z: abs(z) * np.sign(z) + 0.0, exact="linear", dtypes=[dtype]
    )
    assert failed(minus_zero) == {("value", "-0.0")}


@each_dtype
def test_conventions_at_kinks(dtype: str, points: int) -> None:
    def relu(z: Any) -> Any:
        return np.maximum(z, 0)

    def one_at_zero(z: Any) -> Any:
        return np.where(np.isnan(z), z, z >= 0).astype(z.dtype)

    size: dict[str, Any] = {"dtypes": [dtype], "points": points}
    assert failed(check_activation(relu, one_at_zero, exact="relu", **size)) == {
        ("gradient", "kink")
    }
    for kinks in ([0.0], {0.0: 1.0}):
        check_activation(relu, one_at_zero, kinks=kinks, **size).raise_if_failed()
    wrong = check_activation(relu, one_at_zero, kinks={0.0: 0.5}, **size)
    assert "it is 1 at 0; right is 0.5" in wrong.find("gradient", "kink").detail
    beyond = check_activation(relu, lambda z: one_at_zero(z) + 2.0 * (z == 0), kinks=[0.0], **size)
    assert "right is between 0 and 1" in beyond.find("gradient", "kink").detail


def test_frameworks() -> None:
    f, slope = from_jax(jax.nn.leaky_relu)
    report = check_activation(f, slope, exact="leaky_relu", params={}, dtypes=["float32"])
    assert failed(report) == {("gradient", "kink")}
    assert report.find("gradient", "NaN").detail == "gives 0.00999999978, as its library has it"
    mine = check_activation(f, lambda z, **p: slope(z, **p), exact="leaky_relu", dtypes=["float32"])
    assert failed(mine) == {("gradient", "kink"), ("gradient", "NaN")}
    f, slope = from_jax(jax.numpy.tanh)
    assert failed(check_activation(f, slope, exact="tanh", dtypes=["float64"])) == LOST
    f, grad = from_tensorflow(tf.nn.leaky_relu)
    right = check_activation(
        lambda z, slope: f(z, alpha=slope),
        lambda z, slope: grad(z, alpha=slope),
        exact="leaky_relu",
        params={"slope": 0.25},
        dtypes=["float32"],
    )
    assert failed(right) == {("gradient", "NaN")}
    assert from_tensorflow(tf.nn.relu)[0].__name__ == "relu"


def test_a_domain_narrows_the_check() -> None:
    wrong_far_out = lambda z: np.where(abs(z) > 5, z, np.tanh(z)).astype(z.dtype)  # noqa: E731
    assert not check_activation(wrong_far_out, exact="tanh").ok
    assert check_activation(wrong_far_out, exact="tanh", domain=(-5, 5)).ok
    for dtype in ("float32", "float64", "float16"):
        narrow = check_activation(lambda z: 0 * z, exact="tanh", domain=(1, 1.001), dtypes=[dtype])
        assert failed(narrow) == {("value", "accuracy"), ("value", "nothing lost")}
        assert narrow.accuracy["value", dtype].z.min() >= 1
    right_half = check_activation(
        lambda z: np.maximum(z, 0),
        np.ones_like,
        kinks={0.0: 0.0},
        domain=(1, 9),
        dtypes=["float32"],
    )
    assert failed(right_half) == {("gradient", "NaN")}
    half = check_activation(np.log, lambda z: 1 / z, domain=(1e-3, np.inf), dtypes=["float64"])
    half.raise_if_failed()


def test_the_formula_is_asked_within_the_domain_alone() -> None:
    def strict(z: Any) -> Any:
        assert 2 <= z <= 3
        return mpmath.log(z)

    for domain in ((2, 3), (2.5, 2.5001)):
        check_activation(
            np.log, exact=strict, domain=domain, dtypes=np.float64, points=20
        ).raise_if_failed()
    far = check_activation(np.sqrt, domain=(2e4, 3e30), dtypes="float32", points=20)
    far.raise_if_failed()
    assert far.accuracy["value", "float32"].z.max() > 2e30
    one = check_activation(np.exp, domain=(1, 1 + 1e-9), dtypes=["float32"], points=1)
    one.raise_if_failed()
    assert one.accuracy["value", "float32"].z.tolist() == [1]


def test_a_kink_beyond_the_largest_number_is_left_out() -> None:
    report = check_activation(np.tanh, kinks=[1e39], points=20)
    report.raise_if_failed()


def test_without_exact_numbers_only_the_gradient_is_compared() -> None:
    """By the function's values, as far as these are certain."""
    report = check_activation(scipy.special.expit, sigmoid_slope)
    report.raise_if_failed()
    assert set(report.accuracy) == {("gradient", "float32"), ("gradient", "float64")}
    off = lambda z: 2 / np.sqrt(np.pi) * np.exp(-z * z) * (1 + 1e-12)  # noqa: E731
    report = check_activation(scipy.special.erf, off, domain=(-4.0, 4.0), dtypes=["float64"])
    assert failed(report) == {("gradient", "accuracy")}


# --- the report


def test_the_report_explains_itself() -> None:
    report = check_activation(sigmoid, lambda z: sigmoid(z) * (1 - sigmoid(z)), exact="sigmoid")
    with pytest.raises(CheckFailed) as caught:
        report.raise_if_failed()
    words = str(caught.value)
    assert words == str(report)
    assert "sigmoid: 4 of 48 properties FAILED" in words
    assert "E is the error" in words
    assert "lost for z in [16." in words
    assert words.count(": got ") == 6
    assert re.search(r"got 0\.0, exact \d\.\d+e-08, E = [34]\.\d+e\+05, lost", words)
    page = report._repr_html_()
    assert page.count("<tr>") == 49
    assert page.count("<strong>failed</strong>") == 4
    ax = report.plot()
    for line, accuracy in zip(ax.lines, report.accuracy.values(), strict=False):
        near = abs(accuracy.z) < 1e30
        np.testing.assert_array_equal(line.get_xdata(), accuracy.z[near])
        assert np.nanmax(line.get_ydata()) == accuracy.errors[near].max()
    assert "gradient, float64" in [text.get_text() for text in ax.texts]
    plt.close("all")
    with pytest.raises(KeyError, match="no finding on value, kink; there are"):
        report.find("value", "kink")


def test_words_of_the_function_are_escaped() -> None:
    def f(z: Any) -> Any:
        return np.tanh(z)

    f.__name__ = "<script>"
    assert "<script>" not in check_activation(f, dtypes=["float32"])._repr_html_()


def test_runs() -> None:
    assert ends_of_runs(np.array([True, True, False, True])) == [(0, 1), (3, 3)]
    assert ends_of_runs(np.array([False])) == []


def test_what_is_waived_is_neither_ok_nor_failed() -> None:
    given: dict[str, Any] = {"exact": "sigmoid", "dtypes": ["float32"], "points": 20}
    plain = check_activation(nan_to_zero, **given)
    assert failed(plain) == {("value", "NaN")}
    waived = check_activation(nan_to_zero, skip={"NaN": "ours are <finite>"}, **given)
    assert waived.ok
    assert not waived.failed
    waived.raise_if_failed()
    assert str(waived).startswith("nan_to_zero: all is well, 1 waived\n")
    finding = waived.find("value", "NaN")
    assert not finding.ok
    assert str(finding).startswith(
        "waived value    NaN            ours are <finite>; found: NaN, 1"
    )
    assert "<td>waived</td>" in waived._repr_html_()
    assert "ours are &lt;finite&gt;; found" in waived._repr_html_()
    other = check_activation(nan_to_zero, skip={"shape": "for rows alone"}, **given)
    assert failed(other) == {("value", "NaN")}
    assert str(other).startswith("nan_to_zero: 1 of 12 properties FAILED, 1 waived\n")


def test_all_aspects_are_known() -> None:
    pairs: list[Any] = [(actlib.relu,), (np.tanh,), (scipy.special.expit, sigmoid_slope)]
    reports = [check_activation(*pair, dtypes=["float32"], points=20) for pair in pairs]
    assert {x.aspect for report in reports for x in report.findings} == set(ASPECTS)


# --- wrong calls


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: check_activation(1), TypeError, "f must be a function of a NumPy array, got 1"),
        (lambda: check_activation(np.tanh, "x"), TypeError, "grad must be a function"),
        (lambda: check_activation(np.tanh, exact="tahn"), ValueError, "did you mean tanh"),
        (
            lambda: check_activation(np.tanh, exact="#"),
            ValueError,
            "has no function '#'; it has: ",
        ),
        (
            lambda: check_activation(np.tanh, dtypes=["float8"]),
            ValueError,
            "unknown dtype 'float8'",
        ),
        (lambda: check_activation(np.tanh, dtypes=[]), ValueError, "no dtype"),
        (lambda: check_activation(np.sum, exact="tanh"), ValueError, r"has the shape \(\)"),
        (lambda: check_activation(lambda z: z * 1j, exact="tanh"), ValueError, "complex"),
        (
            lambda: check_activation(np.tanh, exact="tanh", params={"a": 1}),
            TypeError,
            "has no par",
        ),
        (lambda: check_activation(np.tanh, domain=(1, 0)), ValueError, "domain"),
        (lambda: check_activation(math.tanh, exact="tanh"), ValueError, "must take a NumPy array"),
        (lambda: check_activation(lambda z: z @ z.T, exact="tanh"), ValueError, r"shape \(\)"),
        (lambda: check_activation(lambda z: z[:, :1]), ValueError, r"raises IndexError: .*array"),
        (lambda: check_activation(np.tanh, skip={"Nan": "x"}), ValueError, "no aspect 'Nan'.* NaN"),
        (lambda: check_activation(np.tanh, skip={"NaN": ""}), ValueError, "give the reason"),
        (lambda: check_activation(np.tanh, skip={"NaN": 5}), ValueError, "give the reason.*got 5"),
        (lambda: check_activation(np.tanh, skip=["NaN"]), TypeError, "skip must be a mapping"),
        (lambda: check_activation(np.tanh, skip="NaN"), TypeError, "mapping such as .*got 'NaN'"),
        (lambda: check_activation(np.tanh, 0), TypeError, "grad must be a function.*got 0"),
        (lambda: check_activation(np.tanh, kinks=0), TypeError, "kinks must be numbers in a list"),
        (lambda: check_activation(np.tanh, kinks="0"), TypeError, "kinks must be numbers"),
        (lambda: check_activation(np.tanh, kinks=["0"]), TypeError, "a mapping of them, got .'0'"),
        (lambda: check_activation(np.tanh, kinks=[np.nan]), ValueError, "kink is a finite number"),
        (lambda: check_activation(np.tanh, kinks=[-np.inf]), ValueError, "finite number, got -inf"),
        (lambda: check_activation(np.tanh, kinks={0: np.nan}), ValueError, "slope at a kink is"),
        (lambda: check_activation(np.tanh, domain=3), TypeError, "two numbers.*got 3"),
        (lambda: check_activation(np.tanh, domain="ab"), TypeError, "two numbers.*got 'ab'"),
        (lambda: check_activation(np.tanh, domain=(1, 2, 3)), ValueError, "two numbers"),
        (lambda: check_activation(np.tanh, domain=(np.nan, 1)), ValueError, "low below high"),
        (
            lambda: check_activation(np.tanh, domain=(7e4, 8e4), dtypes="float16"),
            ValueError,
            r"no normal float16 number lies in the domain \(70000.0, 80000.0\)",
        ),
        (lambda: check_activation(np.tanh, points=0), ValueError, "points must be from 1 to"),
        (lambda: check_activation(np.tanh, points=10**9), ValueError, "got 1000000000"),
        (lambda: check_activation(np.tanh, dtypes=None), ValueError, "no dtype to check;"),
        (lambda: check_activation(np.tanh, kinks=np.array(0.0)), TypeError, "kinks.*array"),
        (lambda: check_activation(np.tanh, kinks=[[0.0]]), TypeError, r"kinks.*\[\[0.0\]\]"),
        (lambda: check_activation(lambda z: sys.exit(3)), ValueError, "raises SystemExit: 3"),
        (lambda: check_activation(np.tanh, points=2.5), TypeError, "whole number, got 2.5"),
        (lambda: check_activation(np.tanh, dtypes=int), ValueError, "unknown dtype"),
        (lambda: check_activation(np.tanh, params={"a": "x"}), TypeError, "numbers, got a='x'"),
        (lambda: check_activation(np.tanh, params=[1]), TypeError, "params must be a mapping"),
        (
            lambda: check_activation(lambda z: None),
            ValueError,
            "no array of real numbers: NoneType",
        ),
        (lambda: check_activation(lambda z: (z,)), ValueError, "no plain array, but tuple"),
    ],
)
def test_wrong_calls(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize(
    ("exact", "error", "message"),
    [
        (math.tanh, ValueError, "to their precision.*use mpmath's functions"),
        (lambda z: mpmath.mpf(math.atan(z)), ValueError, "double precision"),
        (math.log, ValueError, "use mpmath's"),
        (lambda z: None, TypeError, "exact must be .* it returned None"),
        (str, TypeError, "exact must be .* it returned '"),
        (5, TypeError, "exact must be .*, got 5"),
        (np.tanh, TypeError, "got NumPy's tanh: use mpmath's functions"),
        (lambda z: 1 / (1 + np.exp(-z)), ValueError, "wherever it was asked it raised TypeError"),
        (actlib.tanh, TypeError, "say exact='tanh'"),
    ],
    ids=map(str, range(9)),
)
def test_what_is_no_exact_formula(exact: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        check_activation(np.tanh, exact=exact)


def test_an_exact_formula_may_give_up_far_out() -> None:
    """Then the limit is unknown, and anything will do."""

    def formula(z: Any) -> Any:
        if abs(z) > mpmath.mpf(10) ** 300:
            raise OverflowError
        return mpmath.tanh(z)

    only: Any = {"exact": formula, "dtypes": ["float32"], "points": 20}
    for odd in np.float32([7, np.nan]):

        def f(z: Any, odd: Any = odd) -> Any:
            return np.where(np.isinf(z), odd, np.tanh(z))

        check_activation(f, **only).raise_if_failed()


def test_a_formula_that_is_undefined_at_0() -> None:
    """It is compared everywhere else; a function that is NaN there has a fault, if it is asked."""

    def sinc(z: Any) -> Any:
        return np.where(z == 0, 1, np.sin(z) / np.where(z == 0, 1, z)).astype(z.dtype)

    given: dict[str, Any] = {"domain": (-4, 4), "dtypes": ["float64"], "points": 20}
    check_activation(sinc, exact=lambda z: mpmath.sin(z) / z, **given).raise_if_failed()
    own = check_activation(lambda z: np.where(z == 0, 1, np.sin(z) / z).astype(z.dtype), **given)
    assert own.reference.startswith("Compared with the function's own formula")
    assert failed(own) == {("value", "warnings")}
    bare = check_activation(lambda z: np.sin(z) / z, **given)
    assert failed(bare) >= {("value", "jumps")}


def test_an_error_in_the_exact_formula_says_where() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        check_activation(np.tanh, exact=lambda z: 1 / (z - z) if z > 100 else mpmath.tanh(z))
    assert any("computing the exact value at z = " in note for note in caught.value.__notes__)
