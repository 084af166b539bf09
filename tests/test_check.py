"""The checker is checked: it finds what is wrong, passes what is right, and says why."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import jax
import mpmath
import numpy as np
import pytest
import scipy.special
import tensorflow as tf
from matplotlib import pyplot as plt

import actlib
from actlib.check import CheckFailed, check_activation, from_jax, from_tensorflow, grid
from actlib.check.accuracy import ends_of_runs
from actlib.check.exact import in_high_precision

each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


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
    check_activation(scipy.special.expit, exact="sigmoid", dtypes=[dtype]).raise_if_failed()

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


@pytest.mark.parametrize(("dtype", "start"), [("float32", 16.6355), ("float64", 36.7368)])
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
    assert failed(report) == {("gradient", "kink"), ("gradient", "NaN")}
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
    assert "sigmoid: 4 of 32 properties FAILED" in words
    assert "E is the error" in words
    assert "lost for z in [16." in words
    assert words.count(": got ") == 6
    assert re.search(r"got 0\.0, exact \d\.\d+e-08, E = [34]\.\d+e\+05, lost", words)
    page = report._repr_html_()
    assert page.count("<tr>") == 33
    assert page.count("<strong>failed</strong>") == 4
    ax = report.plot()
    for line, accuracy in zip(ax.lines, report.accuracy.values(), strict=False):
        near = abs(accuracy.z) < 1e30
        np.testing.assert_array_equal(line.get_xdata(), accuracy.z[near])
        assert np.nanmax(line.get_ydata()) == accuracy.errors[near].max()
    assert "gradient, float64" in [text.get_text() for text in ax.get_legend().get_texts()]
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
        (lambda: check_activation(lambda z: z * 1j, exact="tanh"), TypeError, "complex"),
        (
            lambda: check_activation(np.tanh, exact="tanh", params={"a": 1}),
            TypeError,
            "has no par",
        ),
        (lambda: check_activation(np.tanh, domain=(1, 0)), ValueError, "domain"),
    ],
)
def test_wrong_calls(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


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


def test_an_error_in_the_exact_formula_says_where() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        check_activation(np.tanh, exact=lambda z: 1 / (z - z))
    assert any("computing the exact value at z = " in note for note in caught.value.__notes__)
