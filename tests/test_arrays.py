"""The same declarations on every array library: same kind, same dtype, same numbers, still lazy."""

from __future__ import annotations

import importlib
from typing import Any

import contract
import numpy as np
import pytest
from contract import Case, each_case, each_dtype

import actlib
from actlib import VECTORS

LIBRARIES = ("array_api_strict", "dask", "jax")  # those of the main environment
VALUES = [-np.inf, -100.0, -20.0, -3.0, -0.5, -0.0, 0.0, 0.5, 3.0, 20.0, 100.0, np.inf, np.nan]
# Away from NumPy nothing is lost; how many ulp its exponentials err is the library's own affair.
TOLERANCE = {np.float32: 1e-5, np.float64: 1e-13}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "library" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("library") or LIBRARIES
        metafunc.parametrize("library", chosen, indirect=True)


class Library:
    """An array library, with what the tests need of it."""

    def __init__(self, name: str) -> None:
        modules = {"dask": "dask.array", "jax": "jax.numpy"}
        self.name = name
        self.xp = importlib.import_module(modules.get(name, name))

    def array(self, values: Any, dtype: Any = None) -> Any:
        values = np.asarray(values, dtype)
        if self.name == "dask":
            return self.xp.from_array(values, chunks=tuple(min(n, 3) for n in values.shape) or ())
        return self.xp.asarray(values)

    def numpy(self, array: Any) -> np.ndarray:
        if self.name == "torch" and array.dtype == self.xp.bfloat16:
            array = array.float()
        return np.asarray(array)


@pytest.fixture
def library(request: pytest.FixtureRequest) -> Any:
    if request.param != "jax":
        yield Library(request.param)
        return
    import jax

    with jax.enable_x64(True):
        yield Library(request.param)


@each_dtype
@each_case
def test_same_kind_and_numbers(library: Library, case: Case, dtype: Any) -> None:
    z = library.array(VALUES, dtype)
    for params in case.samples():
        got = case.function(z, *params)
        assert type(got) is type(z)
        assert got.dtype == z.dtype
        np.testing.assert_allclose(
            library.numpy(got),
            case.function(np.array(VALUES, dtype), *params),
            rtol=TOLERANCE[dtype],
            atol=2**10 * float(np.finfo(dtype).tiny),
        )


@pytest.mark.parametrize("name", actlib.REGISTRY)
def test_value_and_derivative_together(library: Library, name: str) -> None:
    z, f = library.array(VALUES), actlib.REGISTRY[name]
    for got, expected in zip(f.value_and_grad(z), (f(z), f.grad(z)), strict=True):
        assert type(got) is type(z)
        np.testing.assert_array_equal(library.numpy(got), library.numpy(expected))


def test_out_is_for_numpy(library: Library) -> None:
    z = library.array(VALUES)
    for f in (actlib.relu, actlib.relu.grad, actlib.relu.value_and_grad):
        with pytest.raises(TypeError, match=r"^relu.*: out is for NumPy arrays, but"):
            f(z, out=np.ones(len(VALUES)))


@each_case
def test_shapes_and_scalars(library: Library, case: Case) -> None:
    for shape in [(), (0,), (1,), (2, 3), (3, 1, 2)]:
        assert case.function(library.array(np.ones(shape))).shape == shape


@each_case
def test_dtypes(library: Library, case: Case) -> None:
    """Whole numbers become the library's default float; what is not real is refused."""
    default = library.array(np.ones(1)).dtype if library.name != "torch" else library.xp.float32
    assert case.function(library.array([0, 1])).dtype == default
    assert case.function(library.array([True, False])).dtype == default
    with pytest.raises(TypeError, match=rf"^{case}: z has dtype .*complex"):
        case.function(library.array([1j, 2.0]))


@each_case
def test_half_precision(library: Library, case: Case) -> None:
    if library.name == "array_api_strict":  # the standard has no half precision
        z = library.array(np.ones(2, np.float32))
        assert case.function(z).dtype == z.dtype
        return
    z = np.linspace(-20, 20, 101, dtype=np.float16)
    halves = [library.array(z)]
    if library.name != "dask":
        halves.append(library.xp.asarray(halves[0], dtype=library.xp.bfloat16))
    for half in halves:
        got = case.function(half)
        assert got.dtype == half.dtype
        expected = case.function(library.numpy(half).astype(np.float32))
        ulp = 2.0**-8 if "bfloat16" in str(half.dtype) else 2.0**-10
        np.testing.assert_allclose(
            library.numpy(got).astype(np.float32), expected, rtol=ulp, atol=2.0**-24
        )


@pytest.mark.parametrize("case", contract.cases(actlib.prelu), ids=str)
def test_parameters(library: Library, case: Case) -> None:
    """One alpha a channel: of the library, of NumPy, or a list; NaN where it is no number."""
    z = np.linspace(-2, 2, 6).reshape(2, 3)
    alpha = [0.0, 0.5, 1.5]
    expected = case.function(z, alpha)
    for given in (library.array(alpha), np.array(alpha), alpha):
        got = case.function(library.array(z), given)
        np.testing.assert_allclose(library.numpy(got), expected)
    whole = case.function(library.array([[-2, 0, 3]]), library.array(alpha, z.dtype))
    np.testing.assert_allclose(
        library.numpy(whole), case.function(np.array([[-2.0, 0.0, 3.0]]), alpha)
    )
    narrow = case.function(library.array(z, np.float32), library.array(alpha, np.float64))
    assert narrow.dtype == library.array(z, np.float32).dtype
    bad = case.function(library.array(z), library.array([0.0, np.nan, np.inf]))
    assert np.isnan(library.numpy(bad)).tolist() == [[False, True, True]] * 2
    with pytest.raises(ValueError, match=f"^{case}: alpha must be a finite number, got nan"):
        case.function(library.array(z), np.nan)
    with pytest.raises(ValueError, match=f"^{case}: shapes do not broadcast"):
        case.function(library.array(z), library.array([1.0, 2.0]))
    with pytest.raises(TypeError, match=f"^{case}: alpha must be a real number, got"):
        case.function(library.array(z), library.array([1j, 1.0, 2.0]))
    with pytest.raises(TypeError, match=f"^{case}: z belongs to numpy but alpha to .*convert one"):
        case.function(z, library.array(alpha))


@each_dtype
@pytest.mark.parametrize("name", VECTORS)
def test_functions_of_vectors(library: Library, name: str, dtype: Any) -> None:
    """The same kind of array, dtype and numbers."""
    z = np.random.default_rng(8).normal(size=(7, 6)).astype(dtype) * 10
    z[0, 0], z[1, 1], z[2] = np.inf, np.nan, -np.inf
    g = np.random.default_rng(9).normal(size=VECTORS[name](z).shape).astype(dtype)
    function: Any = VECTORS[name]
    for upstream in (g, library.array(g)):
        given = library.array(z)
        for got, expected in [
            (function(given), function(z)),
            (function.vjp(given, upstream), function.vjp(z, g)),
        ]:
            assert type(got) is type(given)
            assert got.dtype == given.dtype
            assert got.shape == expected.shape
            np.testing.assert_allclose(
                library.numpy(got), expected, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype] * 1e-2
            )
    with pytest.raises(TypeError, match=rf"^{name}: z has dtype .*complex"):
        function(library.array([1j, 2.0]))
    whole = library.array([[0, 1]])
    assert function(whole).dtype == actlib.relu(whole).dtype
    with pytest.raises(ValueError, match="it must broadcast"):
        function.vjp(given, np.ones(50))
