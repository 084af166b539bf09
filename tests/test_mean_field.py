"""The mean-field theory: against closed forms, other quadratures, samples and wide networks."""

import math
import subprocess
import sys
from itertools import pairwise

import mpmath
import numpy as np
import pytest
from scipy.integrate import quad

import actlib
from actlib.book import mean_field
from actlib.book.mean_field import chi, critical_gain, fixed_points, next_variance, variances
from actlib.network import Network

QS = [1e-20, 1e-3, 0.3, 1.0, 30.0, 1e4, 1e12]
EXACT = 1e-12
MARGIN = 4  # standard errors


@mpmath.workdps(40)  # for large q, what is added up cancels
def hard_tanh_signal(q):
    q = mpmath.mpf(q)
    inside = mpmath.erf(1 / mpmath.sqrt(2 * q))
    density = mpmath.exp(-1 / (2 * q)) / mpmath.sqrt(2 * mpmath.pi)
    return float(q * inside - 2 * mpmath.sqrt(q) * density + 1 - inside)


CLOSED = {  # activation: E f(√q x)² and E f'(√q x)²
    "linear": (lambda q: q, lambda q: 1),
    "relu": (lambda q: q / 2, lambda q: 1 / 2),
    "leaky_relu": (lambda q: q * (1 + 0.01**2) / 2, lambda q: (1 + 0.01**2) / 2),
    "hard_tanh": (hard_tanh_signal, lambda q: math.erf(1 / math.sqrt(2 * q))),
    "ndtr": (
        lambda q: (
            1 / 4 + math.atan2(q, math.sqrt(1 + 2 * q)) / (2 * math.pi)
        ),  # arcsin(q / (1 + q))
        lambda q: 1 / (2 * math.pi * math.sqrt(1 + 2 * q)),
    ),
}


@pytest.fixture(params=[1.01, 0.99])
def fault(request, monkeypatch):
    """Means that are wrong by 1%."""
    right = mean_field._mean
    monkeypatch.setattr(mean_field, "_mean", lambda *a: request.param * right(*a))


def error_against_closed_forms(name, q):
    f, (signal, slope) = actlib.REGISTRY[name], CLOSED[name]
    got = next_variance(f, q, 1.3), chi(f, q, 1.3)
    expected = 1.3**2 * signal(q), 1.3**2 * slope(q)
    return max(abs(g / e - 1) for g, e in zip(got, expected, strict=True))


@pytest.mark.parametrize("q", [q for q in QS if q > 1e-4])
@pytest.mark.parametrize("name", CLOSED)
def test_means_are_those_of_closed_forms(name, q):
    assert error_against_closed_forms(name, q) < EXACT


@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.usefixtures("fault")
def test_a_wrong_mean_is_noticed(name):
    assert error_against_closed_forms(name, 1.0) > EXACT


def integral(function, q, kinks):
    """The mean by adaptive quadrature, between all places where something happens."""
    scale = math.sqrt(q)
    bends = [(k + s * d) / scale for k in (0, *kinks) for s in (-1, 1) for d in (0, 1, 10, 100)]
    ends = sorted({-12.0, 12.0, *np.linspace(-10, 10, 9), *(b for b in bends if abs(b) < 12)})

    def density(x):
        return float(function(scale * x)) ** 2 * math.exp(-x * x / 2) / math.sqrt(2 * math.pi)

    parts = [
        quad(density, a, b, epsabs=0, epsrel=1e-11)[0]
        for a, b in pairwise(ends)
        if b - a > 1e-12 and any(density(x) for x in np.linspace(a, b, 9)[1:-1])
    ]
    return math.fsum(parts)


@pytest.mark.filterwarnings("ignore::scipy.integrate.IntegrationWarning")
@pytest.mark.parametrize("q", [1e-3, 0.3, 30.0, 1e4])
@pytest.mark.parametrize("name", sorted(actlib.REGISTRY.elementwise))
def test_means_agree_with_adaptive_quadrature(name, q):
    f = actlib.REGISTRY[name]
    kinks = f.spec.kinks_at()
    assert next_variance(f, q, 1.0) == pytest.approx(integral(f, q, kinks), rel=1e-8)
    assert chi(f, q, 1.0) == pytest.approx(integral(f.grad, q, kinks), rel=1e-8)


@pytest.mark.parametrize("name", ["sigmoid", "gelu"])
def test_means_agree_with_samples(name):
    f, z = actlib.REGISTRY[name], 1.5 * np.random.default_rng(0).standard_normal(1_000_000)
    for got, values in [
        (next_variance(f, 2.25, 1.0), f(z) ** 2),
        (chi(f, 2.25, 1.0), f.grad(z) ** 2),
    ]:
        assert abs(got - values.mean()) < MARGIN * values.std() / 1e3


def test_parameters_are_used():
    assert next_variance(actlib.leaky_relu, 2.0, 1.0, slope=0.5) == pytest.approx(1.25, rel=EXACT)
    assert chi(actlib.leaky_relu, 2.0, 1.0, slope=0.5) == pytest.approx(0.625, rel=EXACT)
    assert next_variance(actlib.linear, 2.0, 3.0, bias=0.5) == pytest.approx(18.25, rel=EXACT)
    shrunk = integral(lambda z: actlib.soft_shrink(z, 2.0), 9.0, (-2, 2))
    assert next_variance(actlib.soft_shrink, 9.0, 1.0, lambd=2.0) == pytest.approx(shrunk, 1e-9)


def test_no_variance_is_the_value_at_zero():
    assert next_variance(actlib.sigmoid, 0.0, 2.0) == 1.0
    assert chi(actlib.sigmoid, 0.0, 2.0) == 0.25


def test_variances_begin_with_those_of_the_first_layer():
    got = variances(actlib.relu, 0.5, 2.0, 3, bias=1.0)
    np.testing.assert_allclose(got, [3.0, 7.0, 15.0], rtol=EXACT)


def test_variances_that_overflow_are_infinite():
    got = variances(actlib.linear, 1.0, 1e60, 5)
    assert np.isfinite(got[0])
    assert np.isinf(got[-2:]).all()


def test_a_stable_fixed_point_is_where_variances_go_to():
    zero, point = fixed_points(actlib.tanh, 1.5)
    assert zero.variance == 0
    assert (zero.stable, point.stable) == (False, True)
    for start in (1e-3, 50.0):
        end = variances(actlib.tanh, start, 1.5, 200)[-1]
        assert end == pytest.approx(point.variance, rel=1e-10)
    near = next_variance(actlib.tanh, 1.001 * point.variance, 1.5) / point.variance - 1
    assert near / 1e-3 == pytest.approx(point.slope, abs=1e-3)


def test_an_unstable_fixed_point_is_where_variances_flee():
    zero, point = fixed_points(actlib.gelu, 1.7)
    assert (zero.stable, point.stable) == (True, False)
    assert variances(actlib.gelu, 0.99 * point.variance / 1.7**2, 1.7, 300)[-1] < 1e-10
    assert variances(actlib.gelu, 1.01 * point.variance / 1.7**2, 1.7, 300)[-1] > 1e10


def test_fixed_points_of_a_function_that_is_not_zero_at_zero():
    (point,) = fixed_points(actlib.sigmoid, 1.0)
    assert point.stable
    assert next_variance(actlib.sigmoid, point.variance, 1.0) == pytest.approx(point.variance)
    assert fixed_points(actlib.softplus, 2.0) == []


def test_where_every_variance_is_fixed_only_zero_is_listed():
    (point,) = fixed_points(actlib.relu, math.sqrt(2))
    assert point.variance == 0
    assert point.slope == pytest.approx(1, rel=EXACT)


KNOWN = {
    "linear": 1,
    "relu": math.sqrt(2),
    "leaky_relu": math.sqrt(2 / (1 + 0.01**2)),
    "prelu": math.sqrt(2 / (1 + 0.25**2)),
    "tanh": 1,
    "hard_tanh": 1,
    "softsign": 1,
}


def error_of_critical_gains():
    return max(abs(critical_gain(actlib.REGISTRY[name]) / g - 1) for name, g in KNOWN.items())


def test_critical_gains_that_are_known():
    assert error_of_critical_gains() < 1e-10
    for slope in (0.1, 0.5, 2.0):
        expected = math.sqrt(2 / (1 + slope**2))
        assert critical_gain(actlib.leaky_relu, slope=slope) == pytest.approx(expected, rel=1e-12)


def test_a_wrong_critical_gain_is_noticed(monkeypatch):
    right = mean_field.next_variance
    monkeypatch.setattr(
        mean_field, "next_variance", lambda f, q, gain, *a, **p: 1.01 * right(f, q, gain, *a, **p)
    )
    with pytest.raises(ValueError, match="no critical gain"):
        error_of_critical_gains()


@pytest.mark.parametrize(("name", "bias"), [("sigmoid", 0.0), ("tanh", 0.3), ("gelu", 1.0)])
def test_at_the_critical_gain_a_stable_variance_passes_gradients_on_as_they_are(name, bias):
    f = actlib.REGISTRY[name]
    gain = critical_gain(f, bias)
    point = next(point for point in fixed_points(f, gain, bias) if point.stable)
    assert chi(f, point.variance, gain) == pytest.approx(1, abs=1e-9)
    end = variances(f, 0.9 * point.variance / gain**2, gain, 2000, bias)[-1]
    assert end == pytest.approx(point.variance, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("gelu", "at the fixed point 0 for gain 2, but it is not stable"),
        ("softplus", "at no fixed point"),
        ("relu_squared", "at no fixed point"),
        ("hard_shrink", "at no fixed point"),
    ],
)
def test_where_there_is_no_critical_gain_the_reason_is_said(name, why):
    with pytest.raises(ValueError, match=why):
        critical_gain(actlib.REGISTRY[name])


def disagreement_with_networks(name, gain):
    """By how many standard errors variances and norms are off, in networks of 300 units."""
    f, depth, width, found = actlib.REGISTRY[name], 5, 300, []
    rng = np.random.default_rng(0)
    x, labels = rng.choice([-1.0, 1.0], (20, 40)), rng.integers(10, size=20)
    for seed in range(20):
        net = Network([40, *depth * [width], 10], f, gain=gain, seed=seed)
        variance = [np.mean(z**2) for z in net.forward(x)[1][:-1]]
        norms = [np.sum(delta**2) for delta in net.deltas(x, labels)[:-1]]
        found.append(np.log([*variance, *np.divide(norms[:-1], norms[1:])]))
    qs = variances(f, 1.0, gain, depth)
    expected = np.log([*qs, *(chi(f, q, gain) for q in qs[:-1])])
    error = np.std(found, axis=0, ddof=1) / math.sqrt(len(found))
    return max(abs(np.mean(found, axis=0) - expected) / (error + 2e-3))


@pytest.mark.parametrize(
    ("name", "gain"), [("sigmoid", 1.0), ("tanh", 1.5), ("relu", math.sqrt(2)), ("gelu", 1.5)]
)
def test_wide_networks_do_what_the_theory_says(name, gain):
    assert disagreement_with_networks(name, gain) < MARGIN


def test_networks_notice_a_theory_that_is_wrong_by_five_percent(monkeypatch):
    right = mean_field._mean
    monkeypatch.setattr(mean_field, "_mean", lambda *a: 1.05 * right(*a))
    assert disagreement_with_networks("relu", math.sqrt(2)) > MARGIN


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: next_variance(actlib.tanh, -1.0, 1.0), "q must be .* got -1"),
        (lambda: next_variance(actlib.tanh, 1.0, math.nan), "gain must be .* got nan"),
        (lambda: next_variance(actlib.tanh, 1.0, 1.0, bias=-1.0), "bias must be .* got -1"),
        (lambda: chi(actlib.tanh, math.inf, 1.0), "q must be .* got inf"),
        (lambda: variances(actlib.tanh, 1.0, 1.0, 0), "depth must be"),
        (lambda: fixed_points(actlib.tanh, math.inf), "gain must be .* got inf"),
        (lambda: critical_gain(actlib.tanh, bias=-0.1), "bias must be .* got -0.1"),
    ],
)
def test_numbers_that_mean_nothing_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_it_is_not_imported_with_actlib():
    code = "import sys, actlib; sys.exit('actlib.book.mean_field' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
