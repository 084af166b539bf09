"""The measure itself: known errors get the E that they should, and the grid reaches everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from actlib import celu, ndtr, prelu, relu, sigmoid, softplus, tanh
from actlib.check import Accuracy, exact, grid, measure, reference

each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def off_by(exact: Callable[..., Any], relative: float) -> Callable[[np.ndarray], np.ndarray]:
    """A function whose relative error is known, in the input's dtype."""
    with mpmath.workdps(50):
        return lambda z: np.array([exact(float(x)) * (1 + mpmath.mpf(relative)) for x in z], float)


# --- the reference


@pytest.mark.parametrize("z", [-700.0, -50.0, -0.3, 0.0, 1e-20, 2.0, 88.0, 700.0])
def test_reference_against_other_formulas(z: float) -> None:
    """Formulas without cancellation, at 60 digits; textbook tanh' at 88 is 0 at that precision."""
    with mpmath.workdps(60):
        e = mpmath.exp(-abs(mpmath.mpf(z)))
        sigmoid_slope = e / (1 + e) ** 2
        tanh_slope = 4 * e**2 / (1 + e**2) ** 2
        sigmoid_second = -mpmath.sign(z) * sigmoid_slope * (1 - e) / (1 + e)
        for got, right in [
            (reference(sigmoid.spec, "z")(z), sigmoid_slope),
            (reference(tanh.spec, "z")(z), tanh_slope),
            (reference(sigmoid.spec, "z", "z")(z), sigmoid_second),
        ]:
            assert abs(got - right) <= abs(right) * mpmath.mpf(10) ** -28


def test_reference_of_partials_and_of_what_is_negligible() -> None:
    assert reference(prelu.spec, "alpha")(-3.0, 0.25) == -3
    assert reference(prelu.spec, "alpha")(3.0, 0.25) == 0
    assert reference(prelu.spec, "z", "alpha")(-3.0, 0.25) == 1
    assert abs(reference(tanh.spec, "z")(1e300)) < mpmath.mpf(10) ** -500
    assert reference(relu.spec)(-1e300) == 0


@pytest.mark.parametrize("alpha", [1e-3, 1.0, 1e4])
@pytest.mark.parametrize("u", [-1e-84, -1e-20, -0.5, -190.0, -500.0])
def test_reference_where_a_term_vanishes_beside_another(u: float, alpha: float) -> None:
    """At 40 and 80 digits exp(u) is 1 or 1 + exp(u) is; what is left agrees, and is wrong."""
    with mpmath.workdps(700):
        z, a = mpmath.mpf(u * alpha), mpmath.mpf(alpha)
        v = z / a
        slope = mpmath.expm1(v) - v * mpmath.exp(v)
        entropy = mpmath.log1p(mpmath.exp(v)) - v * mpmath.exp(v) / (1 + mpmath.exp(v))
        got = reference(celu.spec, "alpha")(z, a), reference(softplus.spec, "beta")(z, 1 / a)
        for result, right in zip(got, (slope, -entropy * a * a), strict=True):
            assert abs(result - right) <= abs(right) * mpmath.mpf(10) ** -28


@pytest.mark.parametrize("z", [12345, -12345, 2**80, -(2**80), 12345.5])
@pytest.mark.parametrize("digits", [40, 300])
def test_reference_of_exp(z: float, digits: int) -> None:
    """Of whole numbers it takes another way than mpmath: to the same result."""
    with mpmath.workdps(digits):
        got, right = exact.exp(mpmath.mpf(z)), mpmath.exp(mpmath.mpf(z))
        assert abs(got - right) <= right * mpmath.mpf(10) ** (3 - digits)


@pytest.mark.parametrize("z", [-1e200, -1e308, -40.0, 5.0, 1e308])
def test_reference_of_erfc(z: float) -> None:
    """mpmath's own fails where its argument's square has an exponent of more than 64 bits."""
    slope = reference(ndtr.spec, "z")(z)
    with mpmath.workdps(700):
        density = mpmath.exp(-(mpmath.mpf(z) ** 2) / 2) / mpmath.sqrt(2 * mpmath.pi)
        assert abs(slope - density) <= density * mpmath.mpf(10) ** -28 + mpmath.mpf(10) ** -500
    assert 0 <= reference(ndtr.spec)(z) <= 1


@pytest.mark.parametrize("z", [np.nan, np.inf, -np.inf])
def test_reference_refuses_what_is_not_finite(z: float) -> None:
    with pytest.raises(ValueError, match="takes finite numbers"):
        reference(sigmoid.spec)(z)


# --- E


@each_dtype
@pytest.mark.parametrize("z", [-30.0, -2.0, 0.5, 5.0])
def test_an_error_of_an_ulp_of_the_result_counts_as_it_should(z: float, dtype: Any) -> None:
    eps = float(np.finfo(dtype).eps)
    point = np.array([z], dtype)
    sensitivity = abs(
        z * float(reference(sigmoid.spec, "z")(z)) / float(reference(sigmoid.spec)(z))
    )
    for ulps in (3, 30, 300):
        wrong = off_by(reference(sigmoid.spec), ulps * eps)
        (error,) = measure(wrong, sigmoid.spec, (), point).errors
        rounding = 2.0**-53 / eps  # of the wrong function's result
        assert error == pytest.approx(ulps / (1 + sensitivity), rel=0.01, abs=2 * rounding)


@each_dtype
def test_what_an_ulp_of_the_input_changes_is_forgiven(dtype: Any) -> None:
    """Far out, the sigmoid's slope changes by a factor when z moves by a little."""
    z = np.array([-50.0, -20.0, 20.0, 50.0], dtype)
    moved = measure(lambda z: sigmoid.grad(np.nextafter(z, dtype(0))), sigmoid.spec, ("z",), z)
    assert moved.errors.max() < 3
    eps = np.finfo(dtype).eps
    wrong = measure(lambda z: sigmoid.grad(z * (1 + 40 * eps)), sigmoid.spec, ("z",), z)
    assert wrong.errors.min() > 20


@each_dtype
def test_below_the_smallest_normal_number_results_may_flush(dtype: Any) -> None:
    tiny = float(np.finfo(dtype).tiny)
    z = np.array([np.log(tiny) - 3], dtype)
    flushed = measure(np.zeros_like, sigmoid.spec, (), z)
    assert flushed.errors.max() < 1
    assert not flushed.lost.any()
    large = measure(lambda z: np.full_like(z, 50 * tiny), sigmoid.spec, (), z)
    assert large.errors.max() > 20


@each_dtype
def test_lost_means_zero_or_the_wrong_sign_where_the_number_is_an_ordinary_one(dtype: Any) -> None:
    z = np.array([-60.0, 0.5, 60.0], dtype)
    for wrong in (np.zeros_like, lambda z: -sigmoid.grad(z), lambda z: np.full_like(z, np.nan)):
        assert measure(wrong, sigmoid.spec, ("z",), z).lost.all()
    assert not measure(lambda z: 1e-3 * sigmoid.grad(z), sigmoid.spec, ("z",), z).lost.any()
    # within what the conditioning forgives, the sign is not known: tanh of 1e300 times an ulp
    edge = np.array([np.log(np.finfo(dtype).tiny) + 2], dtype)
    assert measure(np.zeros_like, sigmoid.spec, (), edge, allowed=4.0).lost.all()
    eps = float(np.finfo(dtype).eps)
    assert not measure(np.zeros_like, sigmoid.spec, (), edge, allowed=2 / (80 * eps)).lost.any()


@each_dtype
def test_infinity_is_right_only_beyond_the_largest_number(dtype: Any) -> None:
    largest = np.finfo(dtype).max
    z = np.array([-largest], dtype)
    assert measure(prelu, prelu.spec, (), z, [1.5]).errors == [0.0]
    infinite = lambda z, alpha: np.full_like(z, -np.inf)  # noqa: E731
    assert measure(infinite, prelu.spec, (), z, [0.5]).errors == [np.inf]
    wrong = measure(lambda z, alpha: np.full_like(z, np.inf), prelu.spec, (), z, [1.5])
    assert wrong.lost.all()
    assert wrong.errors == [np.inf]
    assert measure(lambda z: z * np.nan, sigmoid.spec, (), np.ones(1, dtype)).errors == [np.inf]


def test_parameters_count_as_rounded() -> None:
    """0.1 is not a float32; the slope is the float32 next to it, exactly."""
    z = np.array([-1.0], np.float32)
    assert measure(prelu.grad, prelu.spec, ("z",), z, [0.1]).errors == [0.0]
    assert measure(prelu.partials.alpha, prelu.spec, "alpha", z, [0.1]).errors == [0.0]


def test_the_worst_points_come_first() -> None:
    accuracy = Accuracy(
        z=np.array([1.0, 2.0, 3.0]),
        got=np.zeros(3),
        exact=np.ones(3),
        errors=np.array([1.0, np.inf, 5.0]),
        lost=np.array([False, True, False]),
    )
    first, second = accuracy.worst(2).splitlines()
    assert "2.0" in first
    assert "lost" in first
    assert "3.0" in second
    assert "lost" not in second


# --- the grid


@each_dtype
def test_grid_covers_the_normal_numbers(dtype: Any) -> None:
    info, z = np.finfo(dtype), grid(dtype, points=200)
    assert z.dtype == dtype
    assert np.isfinite(z).all()
    assert (np.diff(z) > 0).all()
    for side in (z[z > 0], -z[z < 0]):
        sizes = np.log(side[side >= info.tiny].astype(np.float64))
        spacing = (np.log(float(info.max)) - np.log(float(info.tiny))) / 99
        assert sizes.min() < np.log(float(info.tiny)) + spacing
        assert sizes.max() > np.log(float(info.max)) - spacing
        assert np.diff(np.sort(sizes)).max() < 1.01 * spacing
    assert np.diff(z[abs(z) <= 20]).max() < 0.21
    lowest, highest = np.log(float(info.tiny)), np.log(float(info.max))
    ends = z[(z > lowest - 40) & (z < highest + 40)]
    assert np.diff(ends).max() < 1.01 * (highest - lowest + 80) / 199
    assert ends.min() < lowest - 30
    assert ends.max() > highest + 30


@each_dtype
def test_grid_has_the_neighbours_of_kinks_and_not_the_kinks(dtype: Any) -> None:
    z = set(grid(dtype, around=[0.0, 6.0, -3.0], points=41).tolist())
    tiny = float(np.finfo(dtype).tiny)
    assert {-tiny, tiny} <= z
    for kink in (6.0, -3.0):
        up = np.nextafter(dtype(kink), dtype(np.inf))
        down = np.nextafter(dtype(kink), dtype(-np.inf))
        assert {float(up), float(down)} <= z
        assert float(np.nextafter(up, dtype(np.inf))) in z
    assert not z & {0.0, 6.0, -3.0}
    assert {0.0, 6.0, -3.0} <= set(grid(dtype, points=41).tolist())
