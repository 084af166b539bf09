"""The checker of functions of vectors is checked: it finds planted faults, and passes our own."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import jax
import mpmath
import numpy as np
import pytest
import scipy.special
import tensorflow as tf
from contract import VECTORS, deep_unless

import actlib
from actlib import log_softmax, softmax, swiglu
from actlib.book.mean_field import critical_gain, next_variance
from actlib.check import (
    check_activation,
    check_vjp,
    from_jax,
    from_library,
    from_tensorflow,
    reference,
)
from actlib.check.expansion import expand
from actlib.explorer import explore
from actlib.network import Network
from actlib.plots import curves, flat_intervals
from actlib.study import Trial

Function = Callable[..., Any]
each_dtype = pytest.mark.parametrize("dtype", deep_unless("float32".__eq__, ["float32", "float64"]))


def failed(report: Any) -> set[tuple[str, str]]:
    return {(finding.of, finding.aspect) for finding in report.failed}


LOST = {("vjp", "accuracy"), ("vjp", "nothing lost")}


def total(x: Any) -> Any:
    return x.sum(axis=-1, keepdims=True)


# --- what is right passes


@each_dtype
@pytest.mark.parametrize("name", deep_unless({"softmax", "swiglu"}.__contains__, VECTORS))
def test_our_own_pass(name: str, dtype: str) -> None:
    function: Any = VECTORS[name]
    report = check_vjp(function, dtypes=[dtype])
    report.raise_if_failed()
    assert report.reference == f"Compared with {name}, to 30 digits."
    assert {finding.of for finding in report.findings} == {"value", "vjp"}
    assert min(accuracy.z.size for accuracy in report.accuracy.values()) > 50


@pytest.mark.deep
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_passes(dtype: str) -> None:
    for function in (softmax, swiglu):
        check_vjp(function, dtypes=[dtype]).raise_if_failed()


def hidden(function: Any) -> list[Function]:
    """Function and product without a name."""
    return [lambda z: np.asarray(function(z)), lambda z, u: np.asarray(function.vjp(z, u))]


def test_the_reference_may_be_a_name_or_a_formula() -> None:
    only: Any = {"dtypes": ["float32"]}
    check_vjp(*hidden(swiglu), exact="swiglu", **only).raise_if_failed()

    def formula(z: list[Any]) -> list[Any]:
        value, gate = z[: len(z) // 2], z[len(z) // 2 :]
        return [a * b / (1 + mpmath.exp(-b)) for a, b in zip(value, gate, strict=True)]

    report = check_vjp(*hidden(swiglu), exact=formula, **only)
    report.raise_if_failed()
    assert "formula given" in report.reference

    def centred(z: Any) -> Any:
        return z - total(z) / z.dtype.type(z.shape[-1])

    exact = lambda z: [x - sum(z) / len(z) for x in z]  # noqa: E731
    report = check_vjp(centred, lambda z, u: centred(u), exact=exact, **only)
    assert {of for of, aspect in failed(report) if aspect in ("accuracy", "shape")} <= {"value"}


def test_derivatives_of_any_precision() -> None:
    found = expand(
        lambda z: [mpmath.exp(x) / mpmath.fsum(map(mpmath.exp, z)) for x in z], (700.0, 0)
    )
    with mpmath.workdps(400):
        p = 1 / (1 + mpmath.exp(-700))
        for got, right in [
            (found.values[0], p),
            (found.jacobian[0, 0], p * (1 - p)),
            (found.jacobian[0, 1], -p * (1 - p)),
        ]:
            assert abs(got - right) < abs(right) * mpmath.mpf(10) ** -28
        assert abs(found.bends[0, 0, 1] / (700 * p * (1 - p) * (2 * p - 1)) - 1) < 1e-6


# --- what is wrong is found


def naive(z: Any, u: Any) -> Any:
    p = softmax(z)
    return p * (u - total(p * u))


def unshifted(z: Any) -> Any:
    e = np.exp(z)
    return e / total(e)


def over_all(z: Any) -> Any:
    e = np.exp(z - z.max(initial=-np.inf))
    return e / e.sum()


def first_axis(z: Any, u: Any) -> Any:
    p = softmax(z)
    return p * (u - (p * u).sum(axis=0, keepdims=True))


def in_place(z: Any) -> Any:
    z -= z.max(axis=-1, keepdims=True)
    return softmax(z)


def turned(function: Function) -> Function:
    """With another order of the pieces of the last axis."""
    return lambda *given: np.asarray(function(*given))[..., ::-1]


WRONG_PRODUCTS: dict[str, tuple[Function, set[tuple[str, str]]]] = {
    "cancelling": (naive, LOST),
    "no mean": (lambda z, u: softmax(z) * u, LOST),
    "diagonal": (lambda z, u: softmax(z) * (1 - softmax(z)) * u, LOST),
    "slightly off": (
        lambda z, u: softmax.vjp(z, u) * z.dtype.type(1.001),
        {("vjp", "accuracy")},
    ),
    "sign": (lambda z, u: -softmax.vjp(z, u), LOST),
    "another function": (lambda z, u: np.asarray(log_softmax.vjp(z, u)), LOST),
    "turned": (turned(softmax.vjp), {*LOST, ("vjp", "shape"), ("vjp", "infinities")}),
    "axis": (first_axis, {*LOST, ("vjp", "shape"), ("vjp", "NaN")}),
    "dtype": (lambda z, u: softmax.vjp(z, u).astype(np.float64), {("vjp", "dtype")}),
    "NaN": (lambda z, u: np.nan_to_num(softmax.vjp(z, u)), {("vjp", "NaN")}),
    "tails": (lambda z, u: np.where(softmax(z) < 1e-9, 0, softmax.vjp(z, u)), LOST),
    "ties": (
        lambda z, u: softmax.vjp(z, u) / np.maximum(1, total(z == z.max(-1, keepdims=True))),
        LOST,
    ),
}
GROSS = {"no mean", "diagonal", "sign", "another function", "turned"}


@pytest.mark.parametrize("name", deep_unless(lambda name: name not in GROSS, WRONG_PRODUCTS))
def test_wrong_products(name: str) -> None:
    vjp, aspects = WRONG_PRODUCTS[name]
    found = failed(check_vjp(softmax, vjp, exact="softmax", dtypes=["float32"]))
    assert aspects & {("vjp", "accuracy"), ("vjp", "dtype"), ("vjp", "NaN")} <= found
    assert found
    assert {of for of, _ in found} == {"vjp"}


@pytest.mark.parametrize("name", ["softmax", "swiglu"])
def test_nan_of_an_upstream_gradient_is_kept_in_its_vector(name: str) -> None:
    function: Any = VECTORS[name]
    only: Any = {"exact": name, "dtypes": ["float32"]}
    report = check_vjp(function, lambda z, u: function.vjp(z, np.nan_to_num(u)), **only)
    assert failed(report) == {("vjp", "NaN")}
    assert "number 0 of an upstream gradient" in str(report)
    assert "of a vector" not in str(report)
    report = check_vjp(function, lambda z, u: function.vjp(z, u) + 0 * u.sum(), **only)
    assert failed(report) == {("vjp", "NaN")}


@pytest.mark.parametrize(
    ("f", "aspects"),
    [
        (unshifted, {("value", "accuracy"), ("value", "infinities")}),
        (over_all, {("value", "accuracy"), ("value", "shape"), ("value", "NaN")}),
        (lambda z: softmax(z) * z.dtype.type(1.001), {("value", "accuracy")}),
        (lambda z: np.nan_to_num(softmax(z)), {("value", "NaN")}),
        (in_place, {("value", "input")}),
        (
            lambda z: np.where(np.isinf(z).any(-1, keepdims=True), np.nan, softmax(z)),
            {("value", "infinities")},
        ),
    ],
    ids=["no shift", "all axes", "slightly off", "NaN", "in place", "infinities"],
)
def test_wrong_values(f: Function, aspects: set[tuple[str, str]]) -> None:
    assert aspects <= failed(check_vjp(f, exact="softmax", dtypes=["float32"]))


@pytest.mark.parametrize(
    "vjp",
    [
        lambda z, u: np.concatenate([swiglu.vjp(z, u)[..., 1:], swiglu.vjp(z, u)[..., :1]], -1),
        lambda z, u: np.concatenate([u, u], -1) * 0,
        lambda z, u: np.asarray(actlib.geglu.vjp(z, u)),
    ],
    ids=["halves swapped", "zero", "another gate"],
)
def test_wrong_products_of_a_gated_unit(vjp: Function) -> None:
    assert failed(check_vjp(swiglu, vjp, exact="swiglu", dtypes=["float32"])) >= LOST


def strided(z: Any) -> bool:
    return z.ndim > 0 and z.size > 0 and z.strides[-1] != z.itemsize


BY_ARRAY: dict[str, tuple[str, Function]] = {
    **{f"of {n} or more": ("accuracy", lambda z, n=n: z.shape[-1] >= n) for n in (5, 9, 25, 100)},
    "of four": ("accuracy", lambda z: z.shape[-1] == 4),
    "of whole blocks": ("accuracy", lambda z: z.shape[-1] % 8 == 0),
    "of odd length": ("accuracy", lambda z: z.shape[-1] > 4 and z.shape[-1] % 2),
    "alone": ("shape", lambda z: z.ndim == 1),
    "three axes": ("shape", lambda z: z.ndim == 3),
    "four axes": ("shape", lambda z: z.ndim == 4),
    "many": ("size", lambda z: z.size > 1e5),
    "Fortran order": ("layout", lambda z: z.ndim > 1 and z.flags.fnc),
    "with gaps": ("layout", strided),
    "from the last one on": ("layout", lambda z: strided(z) and z.strides[-1] < 0),
    "masked": ("infinities", lambda z: (np.isneginf(z).sum(axis=-1) > 1).any()),
}


FEW = ("of 9 or more", "of whole blocks", "three axes", "many", "with gaps", "masked")


@pytest.mark.parametrize(
    ("aspect", "where"),
    [
        pytest.param(*given, id=name, marks=[] if name in FEW else pytest.mark.deep)
        for name, given in BY_ARRAY.items()
    ],
)
def test_faults_that_depend_on_the_array(aspect: str, where: Function) -> None:
    """An error of a thousandth in some arrays alone, in the value and in the product."""

    def f(z: Any) -> Any:
        return np.array(softmax(z)) * z.dtype.type(1.001 if where(z) else 1)

    def vjp(z: Any, u: Any) -> Any:
        return np.array(softmax.vjp(z, u)) * z.dtype.type(1.001 if where(z) else 1)

    found = failed(check_vjp(f, vjp, exact="softmax", dtypes="float32"))
    assert {("value", aspect), ("vjp", aspect)} <= found


def other_layout(z: Any, u: Any) -> Any:
    """Wrong where the upstream gradient lies in memory otherwise than the vectors."""
    other = u.size > 1 and u.flags.c_contiguous != z.flags.c_contiguous
    return np.asarray(softmax.vjp(z, u)) * z.dtype.type(1.5 if other else 1)


def sorted_vjp(z: Any, u: Any) -> Any:
    product = np.zeros_like(u)
    np.put_along_axis(product, np.argsort(z, axis=-1, kind="stable"), u, axis=-1)
    return product


def one_buffer() -> Function:
    known: dict[Any, Any] = {}

    def f(z: Any) -> Any:
        buffer = known.setdefault(z.shape, np.empty_like(z))
        buffer[...] = softmax(z)
        return buffer

    return f


def every_other() -> Function:
    calls = itertools.count()
    return lambda z: softmax(z) * z.dtype.type(1 + 1e-5 * (next(calls) % 2))


def writing(z: Any, u: Any) -> Any:
    product = np.array(softmax.vjp(z, u))
    u *= 2
    return product


@pytest.mark.parametrize(
    ("of", "aspect", "given"),
    [
        ("value", "alias", {"f": one_buffer(), "exact": "softmax"}),
        ("value", "alias", {"f": lambda z: z, "exact": list}),
        ("vjp", "alias", {"f": np.copy, "vjp": lambda z, u: u, "exact": list}),
        ("value", "repeat", {"f": every_other(), "exact": "softmax"}),
        ("vjp", "input", {"f": softmax, "vjp": writing}),
        ("vjp", "layout", {"f": softmax, "vjp": other_layout}),
        (
            "value",
            "dtype",
            {"f": lambda z: softmax(z) if z.size else z.astype(float), "exact": "softmax"},
        ),
    ],
    ids=[
        "one buffer",
        "z itself",
        "upstream itself",
        "every other call",
        "writes",
        "layouts",
        "empty",
    ],
)
def test_faults_of_calls(of: str, aspect: str, given: dict[str, Any]) -> None:
    assert (of, aspect) in failed(check_vjp(**given, dtypes="float32"))


def larger_half(z: Any) -> Any:
    return np.maximum(*np.split(z, 2, axis=-1))


def exact_larger_half(z: list[Any]) -> list[Any]:
    half = len(z) // 2
    return [max(pair) for pair in zip(z[:half], z[half:], strict=True)]


def direction(z: Any) -> Any:
    """Of a vector; where it is 0 there is none."""
    size = abs(z).max(axis=-1, keepdims=True)
    z = z / np.where(size == 0, 1, size)
    return z / np.sqrt((z * z).sum(axis=-1, keepdims=True))


OTHERS: dict[str, dict[str, Any]] = {
    "the larger half": {"f": larger_half, "exact": exact_larger_half},
    "sorted": {
        "f": lambda z: np.sort(z, axis=-1),
        "vjp": sorted_vjp,
        "exact": sorted,
        "skip": {"NaN": "the last ones", "infinities": "where they are, slopes are not known"},
    },
    "ReLU of vectors": {
        "f": lambda z: np.maximum(z, 0),
        "vjp": lambda z, u: u * (z > 0),
        "exact": lambda z: [max(x, mpmath.mpf(0)) for x in z],
        "skip": {"NaN": "a library's own", "infinities": "no slope is known there"},
    },
    "direction": {
        "f": direction,
        "exact": lambda z: [x / mpmath.sqrt(mpmath.fsum(y * y for y in z)) for x in z],
        "skip": {"infinities": "a direction has no infinite numbers"},
    },
    "sums": {
        "f": lambda z: np.cumsum(z, axis=-1),
        "vjp": lambda z, u: np.flip(np.cumsum(np.flip(u, -1), axis=-1), -1),
        "exact": lambda z: [mpmath.fsum(z[: i + 1]) for i in range(len(z))],
    },
    "logarithms": {"f": np.log, "exact": lambda z: [mpmath.log(x) for x in z]},
}


@pytest.mark.parametrize("name", deep_unless(lambda name: name != "logarithms", OTHERS))
def test_right_functions_of_others_pass(name: str) -> None:
    """NaN may go elsewhere in its vector, and where the formula is not defined anything may be."""
    report = check_vjp(**OTHERS[name], dtypes=["float32"])
    report.raise_if_failed()
    assert report.find("value", "accuracy").detail.startswith("E is at most")


def test_what_raises_at_nan_is_a_finding() -> None:
    def careful(z: Any) -> Any:
        assert not np.isnan(z).any()
        return softmax(z)

    report = check_vjp(careful, exact="softmax", dtypes="float32")
    assert failed(report) == {("value", "NaN")}
    assert "raises AssertionError" in report.find("value", "NaN").detail
    waived = check_vjp(careful, exact="softmax", dtypes="float32", skip={"NaN": "no data has it"})
    assert waived.ok
    assert waived.find("value", "NaN").verdict == "waived"


def test_the_axis_is_examined_if_it_has_a_name() -> None:
    def wrong(z: Any, axis: int = -1) -> Any:
        return softmax(z, axis=0 if axis == 1 else axis)

    only: Any = {"exact": "softmax", "dtypes": ["float32"]}
    assert check_vjp(wrong, **only).ok
    report = check_vjp(wrong, axis="axis", **only)
    assert failed(report) == {("value", "shape")}
    assert "axis 1" in report.find("value", "shape").detail
    assert failed(check_vjp(scipy.special.softmax, axis="axis", **only)) == {
        ("value", "infinities")
    }


@pytest.mark.deep
def test_other_libraries() -> None:
    """They lose the gradient at a peak."""
    only: Any = {"exact": "softmax", "dtypes": ["float32"]}
    for pair in (from_jax(jax.nn.softmax), from_tensorflow(tf.nn.softmax)):
        assert ("vjp", "accuracy") in failed(check_vjp(*pair, **only))
    assert failed(check_vjp(*from_library("glu", "jax"), exact="glu", dtypes=["float32"])) >= LOST


def test_the_worst_vectors_are_named() -> None:
    report = check_vjp(softmax, naive, dtypes=["float32"])
    words = report.find("vjp", "nothing lost").detail
    assert "z = [17.0, 0.0, 0.0], upstream = [1.0, 0.0, 0.0]: number 0 is 0.0, exact 8.2" in str(
        report
    )
    assert words.startswith("lost at ")


# --- wrong calls


@pytest.mark.parametrize(
    "call",
    [
        lambda: actlib.REGISTRY.elementwise["softmax"],
        lambda: check_activation(softmax),
        lambda: check_activation(np.tanh, exact="softmax"),
        lambda: reference(softmax.spec),
        lambda: curves(softmax),
        lambda: flat_intervals(softmax),
        lambda: explore("softmax"),
        lambda: explore(softmax),
        lambda: critical_gain(softmax),
        lambda: next_variance(softmax, 1.0, 1.0),
        lambda: Network([8, 4], softmax),
        lambda: Trial(activation="softmax"),
    ],
    ids=map(str, range(12)),
)
def test_what_acts_on_vectors_is_refused_in_one_sentence(call: Function) -> None:
    with pytest.raises(ValueError, match=r"^softmax acts on vectors, not elementwise: .*check_vjp"):
        call()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: check_vjp(1), TypeError, "f must be a function of a NumPy array, got 1"),
        (lambda: check_vjp(softmax, 1), TypeError, "vjp must be a function of a NumPy array"),
        (lambda: check_vjp(np.tanh), ValueError, "give exact, the name .* softmax"),
        (lambda: check_vjp(np.tanh, exact="sofmax"), ValueError, "did you mean softmax"),
        (lambda: check_vjp(np.tanh, exact="tanh"), ValueError, "elementwise: check_activation"),
        (lambda: check_vjp(actlib.relu), ValueError, "relu acts elementwise"),
        (lambda: check_vjp(np.sum, exact="softmax"), ValueError, r"has the shape \(\)"),
        (lambda: check_vjp(softmax, exact=lambda z: z[:1]), ValueError, "gives 1 numbers"),
        (lambda: check_vjp(softmax, dtypes=["float8"]), ValueError, "unknown dtype 'float8'"),
        (lambda: check_vjp(softmax, dtypes=[]), ValueError, "no dtype"),
        (lambda: check_vjp(softmax, axis=-1), TypeError, "axis must be the name of a keyword"),
        (
            lambda: check_vjp(hidden(softmax)[0], axis="dim", exact="softmax"),
            ValueError,
            "along dim",
        ),
        (lambda: check_vjp(softmax, skip={"nan": "x"}), ValueError, "no aspect 'nan'"),
        (lambda: check_vjp(softmax, lambda z: z), ValueError, "must take an array and an upstream"),
        (lambda: check_vjp(softmax, lambda z, u: None), ValueError, "no array of real numbers"),
        (lambda: check_vjp(softmax, lambda z, u: (u,)), ValueError, "no plain array, but tuple"),
        (lambda: check_vjp(np.exp, exact=5), TypeError, "exact must be .*, got 5"),
        (lambda: check_vjp(np.exp, exact=lambda z: None), TypeError, "it returned None"),
        (lambda: check_vjp(np.exp, exact=scipy.special.softmax), ValueError, "it raised TypeError"),
        (
            lambda: check_vjp(np.exp, exact=lambda z: [1 / (x - x) for x in z]),
            ValueError,
            "ZeroDiv",
        ),
        (
            lambda: check_vjp(np.copy, exact=lambda z: [z[0], z[1], z[2], z[3]]),
            ValueError,
            "lists of any length; of 1 numbers it raises IndexError",
        ),
        (
            lambda: check_vjp(np.copy, exact=lambda z: (z * 4)[:4]),
            ValueError,
            "exact must give 1 numbers for a list of 1, not 4",
        ),
        (
            lambda: check_vjp(np.exp, exact=lambda z: [math.exp(x) for x in z]),
            ValueError,
            "double precision",
        ),
    ],
)
def test_wrong_calls(call: Function, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
