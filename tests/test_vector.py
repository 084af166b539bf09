"""Functions of vectors: softmax, log_softmax and the gated units, with their products."""

from __future__ import annotations

import functools
import inspect
import itertools
import math
import pickle
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import contract
import dask
import dask.array as da
import jax
import jax.numpy as jnp
import ml_dtypes
import mpmath
import numpy as np
import pytest
from contract import FLOATS, HALVES, VECTORS, WHOLE

import actlib
from actlib import log_softmax, softmax
from actlib._core.vectors import along_axis
from actlib.check import grid, samples
from actlib.check.samples import vectors

AXIS = {"softmax": softmax, "log_softmax": log_softmax}
UNITS = {name: function for name, function in VECTORS.items() if name not in AXIS}
GATES = {
    "glu": actlib.sigmoid,
    "reglu": actlib.relu,
    "geglu": actlib.gelu,
    "swiglu": actlib.silu,
    "bilinear": actlib.linear,
}
each_name = pytest.mark.parametrize("name", VECTORS)
each_axis_name = pytest.mark.parametrize("name", AXIS)
each_unit = pytest.mark.parametrize("name", UNITS)
each_dtype = pytest.mark.parametrize("dtype", FLOATS)

mpf = mpmath.mpf


def calls(name: str) -> list[Callable[..., Any]]:
    """The function, and its product with an upstream gradient of ones, as functions of z."""
    function: Any = VECTORS[name]
    return [function, lambda z: function.vjp(z, 1.0)]


# --- accuracy: E is the error over eps times what an ulp of every input may do to the result


@functools.cache
def exact_axis(name: str, z: tuple[float, ...]) -> tuple[list[Any], list[Any]]:
    """The values, and what enters the measure beside them, from the definition."""
    x = [mpf(v) for v in z]
    m = max(x)
    e = [mpmath.exp(v - m) for v in x]
    s = mpmath.fsum(e)
    p = [v / s for v in e]
    weighted = mpmath.fsum(abs(v - m) * q for v, q in zip(x, p, strict=True))
    spread = [abs(v - m) * (1 - 2 * q) + weighted for v, q in zip(x, p, strict=True)]
    if name == "softmax":
        return p, [q * d for q, d in zip(p, spread, strict=True)]
    return [v - m - mpmath.log(s) for v in x], spread


@functools.cache
def exact_axis_vjp(
    name: str, z: tuple[float, ...], g: tuple[float, ...]
) -> tuple[list[Any], list[Any]]:
    """The product by the full Jacobian, and its sensitivity to every z_j and every upstream_j."""
    p, _ = exact_axis("softmax", z)
    x, u = [mpf(v) for v in z], [mpf(v) for v in g]
    m, n, sums = max(x), range(len(x)), mpmath.fsum(u)
    if name == "softmax":
        mean = mpmath.fsum(q * v for q, v in zip(p, u, strict=True))
        v = [p[i] * (u[i] - mean) for i in n]
        by_x = lambda i, j: v[i] * ((i == j) - p[j]) - p[i] * v[j]  # noqa: E731
        by_u = lambda i, j: p[i] * ((i == j) - p[j])  # noqa: E731
    else:
        v = [u[i] - p[i] * sums for i in n]
        by_x = lambda i, j: -p[i] * ((i == j) - p[j]) * sums  # noqa: E731
        by_u = lambda i, j: (i == j) - p[i]  # noqa: E731
    terms = [
        mpmath.fsum(abs((x[j] - m) * by_x(i, j)) + abs(u[j] * by_u(i, j)) for j in n) for i in n
    ]
    return v, terms


def errors(got: np.ndarray, exact: list[Any], terms: list[Any]) -> float:
    """The largest E; a result may be infinite only where the exact one is too large."""
    info = np.finfo(got.dtype)
    eps, tiny = mpf(float(info.eps)), mpf(float(info.tiny))
    largest = float(info.max)
    exact = [f if abs(f) <= largest else mpmath.sign(f) * mpmath.inf for f in exact]
    return max(
        0.0 if mpf(float(y)) == f else float(abs(mpf(float(y)) - f) / (eps * (abs(f) + t) + tiny))
        for y, f, t in zip(got, exact, terms, strict=True)
        if not mpmath.isnan(y) or pytest.fail(f"NaN instead of {f}")
    )


def upstreams(z: np.ndarray) -> Iterator[np.ndarray]:
    """Those of the checker, and the largest that leave room for rounding."""
    yield from samples.upstreams(z)
    signs = np.random.default_rng(z.size).choice([-1.0, 1.0], z.size)
    yield signs.astype(z.dtype) * (np.finfo(z.dtype).max / 4)


def worst_value(function: Callable[..., Any], name: str, dtype: Any) -> float:
    with mpmath.workdps(400):
        return max(
            errors(function(z), *exact_axis(name, tuple(z.tolist()))) for z in vectors(dtype)
        )


def worst_vjp(function: Callable[..., Any], name: str, dtype: Any) -> float:
    worst = 0.0
    with mpmath.workdps(700):  # the largest upstream gradient makes 1e-616 an ordinary number
        for z in vectors(dtype, (1, 2, 3, 10)):
            for g in upstreams(z):
                exact = exact_axis_vjp(name, tuple(z.tolist()), tuple(g.tolist()))
                worst = max(worst, errors(function(z, g), *exact))
    return worst


@each_dtype
@each_axis_name
def test_values_along_an_axis(name: str, dtype: Any, record_property: Any) -> None:
    worst = worst_value(AXIS[name], name, dtype)
    record_property("E", f"{name} {np.dtype(dtype)} {worst:.2f}")
    assert worst <= 4


@each_dtype
@each_axis_name
def test_products_along_an_axis(name: str, dtype: Any, record_property: Any) -> None:
    worst = worst_vjp(AXIS[name].vjp, name, dtype)
    record_property("E", f"{name}.vjp {np.dtype(dtype)} {worst:.2f}")
    assert worst <= 8


@each_dtype
@pytest.mark.parametrize("axis", [0, 1])
def test_long_vectors(dtype: Any, axis: int) -> None:
    """Errors do not grow with the length, along whichever axis."""
    z = np.random.default_rng(7).normal(size=300_000).astype(dtype) * 3
    z[1:1000] = z[1]
    wide = z.astype(np.float64) - z.max()
    s = math.fsum(np.exp(wide).tolist())
    both = np.stack([z, z[::-1]], axis=1 - axis)
    eps = np.finfo(dtype).eps
    got = log_softmax(both, axis=axis)
    assert (
        abs(np.moveaxis(got, axis, -1)[0] - (wide - np.log(s))) < 2 * eps * abs(got).max()
    ).all()
    p = softmax(both, axis=axis)
    expected = np.exp(wide) / s
    error = abs(np.moveaxis(p, axis, -1)[0] - expected) / (eps * expected * (1 + abs(wide)))
    assert error.max() < 4


def naive_softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z)
    return e / e.sum()


def naive_log_softmax(z: np.ndarray) -> np.ndarray:
    shifted = z - z.max()
    return shifted - np.log(np.exp(shifted).sum())


def naive_vjp(z: np.ndarray, g: np.ndarray) -> np.ndarray:
    p = softmax(z)
    return p * (g - (p * g).sum())


def naive_log_vjp(z: np.ndarray, g: np.ndarray) -> np.ndarray:
    return g - softmax(z) * g.sum()


@each_dtype
def test_textbook_code_is_told_apart(dtype: Any) -> None:
    """The measure sees what is lost at a peak, and in a sum that overflows."""
    with np.errstate(all="ignore"):
        with pytest.raises(pytest.fail.Exception, match="NaN"):
            worst_value(naive_softmax, "softmax", dtype)
        assert worst_value(naive_log_softmax, "log_softmax", dtype) > 1e3
        tame = lambda f: lambda z, g: np.nan_to_num(f(z, np.clip(g, -1e9, 1e9)))  # noqa: E731
        assert worst_vjp(tame(naive_vjp), "softmax", dtype) > 1e3
        assert worst_vjp(tame(naive_log_vjp), "log_softmax", dtype) > 1e3
        slightly = lambda z: softmax(z) * dtype(1 + 12 * np.finfo(dtype).eps)  # noqa: E731
        assert worst_value(slightly, "softmax", dtype) > 4


def unit_points(dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    """Values of moderate size, and gates all over the range."""
    gates = grid(dtype, {0.0}, 60)
    values = np.random.default_rng(3).normal(size=gates.size).astype(dtype) * 3
    return np.concatenate([values, values]), np.concatenate([gates, -gates])


@functools.cache
def gate_at(name: str, wrt: tuple[str, ...], gate: float) -> Any:
    """The reference of the gate or a derivative; nearly every gate is there twice."""
    return actlib.check.reference(GATES[name].spec, *wrt)(gate)


def unit_exact(name: str, wrt: tuple[str, ...], value: float, gate: float) -> tuple[Any, Any]:
    """Value times the gate's reference (or its slope), and what ulps of both may do to it."""
    act, slope = gate_at(name, wrt, gate), gate_at(name, (*wrt, "z"), gate)
    return value * act, abs(value * act) + abs(mpf(value) * gate * slope)


@each_dtype
@each_unit
def test_units(name: str, dtype: Any, record_property: Any) -> None:
    """Value and both halves of the product; where the gate underflows, what is lost is tiny."""
    values, gates = unit_points(dtype)
    z = np.stack([values, gates], axis=-1)
    back = UNITS[name].vjp(z, values[:, None])
    worst = {}
    with mpmath.workdps(40):
        for part, got, wrt, factor in [
            ("", UNITS[name](z)[:, 0], (), values),
            (".vjp by the value", back[:, 0], (), values),
            (".vjp by the gate", back[:, 1], ("z",), values * values),
        ]:
            worst[part] = 0.0
            for y, x, b in zip(got, factor, gates, strict=True):
                f, term = unit_exact(name, wrt, float(x), float(b))
                info = np.finfo(dtype)
                floor = mpf(float(info.tiny)) * max(1.0, abs(float(x)))
                if abs(f) > float(info.max):
                    assert np.isinf(y)
                    continue
                e = abs(mpf(float(y)) - f) / (mpf(float(info.eps)) * (abs(f) + term) + floor)
                worst[part] = max(worst[part], float(e))
    for part, e in worst.items():
        record_property("E", f"{name}{part} {np.dtype(dtype)} {e:.2f}")
        assert e <= (8 if part.endswith("gate") else 4)


# --- NaN and the infinities: the limit where there is one, NaN elsewhere, never a warning

INF, NAN = np.inf, np.nan


@each_dtype
@pytest.mark.parametrize(
    ("z", "p"),
    [
        ([1.0, INF, 2.0], [0, 1, 0]),
        ([-INF, INF, 2.0], [0, 1, 0]),
        ([-INF, 0.0, 0.0], [0, 0.5, 0.5]),
        ([INF, INF, 2.0], [NAN, NAN, 0]),
        ([INF, -INF, INF], [NAN, 0, NAN]),
        ([-INF, -INF], [NAN, NAN]),
        ([-INF], [1]),
        ([INF], [1]),
        ([NAN, 1.0, INF], [NAN, NAN, NAN]),
    ],
)
def test_infinities_along_an_axis(z: list[float], p: list[float], dtype: Any) -> None:
    z = np.array([z, [0.0] * len(z)], dtype)
    even = np.full(z.shape[1], 1 / z.shape[1], dtype)
    np.testing.assert_allclose(softmax(z), [p, even], rtol=1e-6)
    np.testing.assert_allclose(softmax(z.T, axis=0), np.array([p, even]).T, rtol=1e-6)
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(log_softmax(z), np.log([p, even]), rtol=1e-6)
    g = np.arange(1.0, z.shape[1] + 1)
    p = np.array(p)
    decided = np.where(np.isnan(p) & ~np.isnan(z[0]).any(), 0, p)
    expected = np.where(np.isnan(p), NAN, p * (g - decided @ g))
    np.testing.assert_allclose(softmax.vjp(z, g)[0], expected, atol=1e-6)
    expected = np.where(np.isnan(p), NAN, g - np.where(p == 0, 0, p) * g.sum())
    np.testing.assert_allclose(log_softmax.vjp(z, g)[0], expected, atol=1e-6)


@each_dtype
def test_infinities_of_units(dtype: Any) -> None:
    far = -1000.0  # where the gate underflows, but is not zero
    table: dict[str, list[tuple[float, float, float]]] = {
        "glu": [(2, -INF, 0), (2, INF, 2), (-INF, far, -INF), (INF, -INF, NAN), (INF, INF, INF)],
        "reglu": [(2, -INF, 0), (-2, INF, -INF), (INF, -1, 0), (-INF, -INF, 0), (INF, 0, NAN)],
        "geglu": [(2, -INF, 0), (-2, INF, -INF), (INF, far, -INF), (INF, 0, NAN), (0, INF, NAN)],
        "swiglu": [(2, -INF, 0), (-2, INF, -INF), (INF, far, -INF), (INF, 0, NAN), (0, INF, NAN)],
        "bilinear": [(2, -INF, -INF), (INF, 0, NAN), (INF, far, -INF), (0, 5, 0)],
    }
    for name, rows in table.items():
        value, gate, expected = np.array(rows, dtype).T
        z = np.stack([value, gate], axis=-1)
        np.testing.assert_array_equal(UNITS[name](z)[:, 0], expected, err_msg=name)
        UNITS[name].vjp(z, 1.0)  # warns of nothing
    for name in UNITS:
        got = UNITS[name](np.array([NAN, 1.0, -1.0, 1.0, NAN, -1.0], dtype))
        assert np.isnan(got).tolist() == [True, True, False], name
        by_value, by_gate = UNITS[name].vjp(np.array([NAN, -1.0], dtype), 1.0)
        assert np.isnan([by_value, by_gate]).tolist() == [False, True], name
        assert np.isnan(UNITS[name].vjp(np.array([2.0, NAN], dtype), 1.0)[0]), name
    assert actlib.glu.vjp(np.array([INF, far], dtype), 1.0).tolist() == [0.0, INF]
    assert actlib.swiglu.vjp(np.array([INF, far], dtype), 1.0)[1] == -INF
    assert actlib.reglu.vjp(np.array([INF, -1.0], dtype), 1.0).tolist() == [0.0, 0.0]


# --- types, shapes, axes


@each_name
def test_dtypes(name: str) -> None:
    z = np.array([[0, 1, 1, 0], [1, 1, 0, 0]])
    for call in calls(name):
        for given in (*FLOATS, *HALVES):
            assert call(z.astype(given)).dtype == given
        for given in (*WHOLE, np.dtype(">f4").type):
            assert call(z.astype(given)).dtype in (np.float64, np.float32)
        assert call(z).dtype == np.float64
        assert call(z.astype(">f4")).dtype == np.float32
        assert call(z.tolist()).dtype == np.float64
    wide = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32) * 5
    for half, call in itertools.product(HALVES, calls(name)):
        given = wide.astype(half)
        expected = call(given.astype(np.float32)).astype(half)
        np.testing.assert_array_equal(call(given), expected)
    function: Any = VECTORS[name]
    assert function.vjp(wide, np.ones(1, np.float64)).dtype == np.float32


def test_half_precision_overflows_without_a_warning() -> None:
    z = np.full(4, 300, np.float16)
    with np.errstate(all="raise"):
        assert np.isinf(actlib.swiglu(z)).all()
        assert np.isinf(actlib.swiglu.vjp(z, z[:2])).all()


@each_name
def test_what_is_no_array_of_numbers_is_refused(name: str) -> None:
    function: Any = VECTORS[name]
    refused = [
        np.ones(2, np.complex64),
        np.ones(2, np.longdouble),
        np.ones(2, ml_dtypes.float8_e4m3fn),
        np.array([None, 1.0]),
        "a",
        np.ma.masked_equal([1.0, 2.0], 2.0),
        np.array(["2026-01-01"], "M8[D]"),
        [[1.0], [1.0, 2.0]],
    ]
    for bad in refused:
        with pytest.raises(TypeError, match=rf"^{name}: z "):
            function(bad)
        with pytest.raises(TypeError, match=rf"^{name}\.vjp: z "):
            function.vjp(bad, 1.0)
        with pytest.raises(TypeError, match=rf"^{name}\.vjp: upstream "):
            function.vjp([1.0, 2.0], bad)
    with pytest.raises(TypeError, match=r"z has dtype complex64"):
        function(refused[0])
    with pytest.raises(TypeError, match=r"z belongs to numpy but upstream to .*jax"):
        function.vjp(np.ones(2), jnp.ones(2))
    with pytest.raises(ValueError, match=r"upstream has shape \(3,\); it must broadcast to"):
        function.vjp(np.ones(2), np.ones(3))
    for call in (function, lambda z: function.vjp(z, 1.0)):
        for number in (1.0, 3, np.float32(1), np.array(2.0)):
            with pytest.raises(ValueError, match=rf"^{name}.*: z is a single number"):
                call(number)


@each_axis_name
def test_axes(name: str) -> None:
    function = AXIS[name]
    z = np.random.default_rng(5).normal(size=(3, 4, 5))
    g = np.random.default_rng(6).normal(size=(3, 4, 5))
    for axis in (-3, -2, -1, 0, 1, 2):
        last = np.moveaxis(z, axis, -1)
        np.testing.assert_array_equal(np.moveaxis(function(z, axis), axis, -1), function(last))
        got = function.vjp(z, g, axis=axis)
        expected = function.vjp(last, np.moveaxis(g, axis, -1))
        np.testing.assert_array_equal(np.moveaxis(got, axis, -1), expected)
    for axis in (3, -4):
        for error in (ValueError, IndexError):  # as NumPy's own
            with pytest.raises(
                error, match=rf"^{name}: axis {axis} is out of range for z of shape"
            ):
                function(z, axis)
    for axis in (None, 1.0, (0, 1)):
        with pytest.raises(TypeError, match=rf"^{name}.vjp: axis must be a whole number, got"):
            function.vjp(z, g, axis)  # type: ignore[arg-type]


@each_unit
def test_odd_sizes_are_refused(name: str) -> None:
    for shape in [(3,), (2, 1)]:
        with pytest.raises(
            ValueError, match=rf"^{name}: the last axis of z must have an even size"
        ):
            UNITS[name](np.ones(shape))
    with pytest.raises(ValueError, match=rf"^{name}\.vjp: the last axis of z must have"):
        UNITS[name].vjp(np.ones(3), 1.0)


@each_name
def test_shapes(name: str) -> None:
    """Empty arrays give empty ones; any layout the same numbers; the input is not touched."""
    share = 2 if name in UNITS else 1
    for shape in [(0,), (0, 4), (3, 0), (2, 0, 4), (2, 3, 6)]:
        value, product = (call(np.ones(shape, np.float32)) for call in calls(name))
        assert value.shape == (*shape[:-1], shape[-1] // share)
        assert product.shape == shape
        assert value.dtype == product.dtype == np.float32
    z = np.linspace(-9, 9, 60).reshape(6, 10)
    for layout, view in contract._layouts().items():
        if layout in ("every third", "negative strides"):
            given = np.repeat(view(z), 2, axis=1)[:, ::-1]
        else:
            given = view(z)
        before = given.copy()
        for call in calls(name):
            got = call(given)
            np.testing.assert_array_equal(got, call(np.ascontiguousarray(before, np.float64)))
            np.testing.assert_array_equal(given, before)
            assert not np.shares_memory(got, given)


# --- other libraries, lazy ones too


@each_name
def test_dask_stays_lazy(name: str) -> None:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("something was computed")

    lazy = da.from_delayed(dask.delayed(refuse)(), shape=(4, 6), dtype=np.float32).rechunk((3, 2))
    with dask.config.set(scheduler=refuse):
        for call in calls(name):
            assert call(lazy).dtype == np.float32
    z = np.random.default_rng(1).normal(size=(4, 6)).astype(np.float32)
    for call in calls(name):
        for chunks in [(1, 3), (3, 2), -1]:
            got = call(da.from_array(z, chunks=chunks))
            np.testing.assert_array_equal(got.compute(), call(z))
            assert got.shape == got.compute().shape
    if name in AXIS:
        got = AXIS[name](da.from_array(z, chunks=(3, 2)), axis=0)
        np.testing.assert_array_equal(got.compute(), AXIS[name](z, axis=0))
    wide = da.from_array(z, chunks=(2, 6))
    some = wide[wide[:, 0] > 0]  # a number of rows that is not known yet
    function: Any = VECTORS[name]
    np.testing.assert_array_equal(function(some).compute(), function(z[z[:, 0] > 0]))
    with pytest.raises(ValueError, match=rf"^{name}: z has an unknown size along its axis"):
        function(wide[0][wide[0] > 0])


ROWS = np.random.default_rng(2).normal(size=(4, 6)).astype(np.float32)


@pytest.fixture(scope="module")
def compiled() -> dict[str, Any]:
    """What JAX gives for every function and product, which it has compiled, and row by row."""
    both = {name: lambda z, name=name: tuple(f(z) for f in calls(name)) for name in VECTORS}
    by_row = {f"{name} by row": jax.vmap(call) for name, call in both.items()}
    return contract.compiled_attempts(jax.jit, {**both, **by_row}, jnp.asarray(ROWS))


@each_name
def test_jax_under_jit_and_vmap(compiled: dict[str, Any], name: str) -> None:
    for key in (name, f"{name} by row"):
        for got, call in zip(contract.result(compiled, key), calls(name), strict=True):
            np.testing.assert_allclose(got, call(ROWS), rtol=1e-5, atol=1e-6)


# --- what a function carries


@each_name
def test_functions_are_ordinary(name: str) -> None:
    function: Any = VECTORS[name]
    assert getattr(actlib, name) is function
    axis = "axis=-1" if name in AXIS else ""
    assert str(inspect.signature(function)) == f"({', '.join(filter(None, ['z', axis]))})"
    both = ", ".join(filter(None, ["z", "upstream", axis]))
    assert str(inspect.signature(function.vjp)) == f"({both})"
    for one in (function, function.vjp):
        assert pickle.loads(pickle.dumps(one)) is one
        assert "upstream" in one.__doc__
    assert function.spec.formula in function.__doc__
    bibliography = (Path(__file__).parent.parent / "chapters" / "references.bib").read_text()
    assert f"{{{function.spec.cite}," in bibliography
    assert re.search(r"https://\S+", function.__doc__)


@each_name
def test_the_exact_formula_is_the_function(name: str) -> None:
    z = [0.5, -1.0, 2.0, 0.25]
    exact = VECTORS[name].spec.exact
    if name in AXIS:
        expected = [float(x) for x in exact(mpmath, z)]
    else:
        maths = actlib.check.exact._Symbolic
        expected = [float(exact(maths, a, b)) for a, b in zip(z[:2], z[2:], strict=True)]
    np.testing.assert_allclose(VECTORS[name](z), expected, rtol=1e-14)


def test_a_name_is_declared_once() -> None:
    def kernel(xp: Any, z: Any) -> Any:
        """Take the name of another."""

    kernel.__name__ = "softmax"
    facts = {"formula": "", "exact": lambda m, z: z, "range": (0, 1), "family": "Planted"}
    with pytest.raises(ValueError, match=r"'softmax' is already declared in actlib.*softmax"):
        along_axis(**facts, cite="", year=2000)(kernel)
