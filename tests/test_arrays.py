"""The same declarations on every array library: same kind, same dtype, same numbers, still lazy."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import contract
import numpy as np
import pytest
from contract import (
    CASES,
    FLOATS,
    VECTORS,
    Case,
    each_case,
    each_representative,
    is_representative,
    result,
)

import actlib

LIBRARIES = ("array_api_strict", "dask", "jax", "tensorflow")  # those of the main environment
VALUES = [-np.inf, -100.0, -20.0, -3.0, -0.5, -0.0, 0.0, 0.5, 3.0, 20.0, 100.0, np.inf, np.nan]
# Away from NumPy nothing is lost; how many ulp its exponentials err is the library's own affair.
TOLERANCE = {np.float32: 1e-5, np.float64: 1e-13}

# The array standard has no half precision.
BOTH = ("float16", "bfloat16")
HALVES = {"dask": ("float16",), "jax": BOTH, "tensorflow": BOTH, "torch": BOTH}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "library" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("library") or LIBRARIES
        if "half" in metafunc.fixturenames:
            pairs = [(name, half) for name in chosen for half in HALVES.get(name, ())]
            metafunc.parametrize(("library", "half"), pairs, indirect=True, scope="module")
        else:
            metafunc.parametrize("library", chosen, indirect=True)


each_dtype = pytest.mark.parametrize("dtype", FLOATS, scope="module")


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
        return self.xp.constant(values) if self.name == "tensorflow" else self.xp.asarray(values)

    @property
    def default(self) -> Any:
        """The dtype that whole numbers become."""
        narrow = self.name in ("tensorflow", "torch")
        return self.xp.float32 if narrow else self.array(np.ones(1)).dtype

    def half(self, z: Any, dtype: str) -> Any:
        """Numbers, which float16 holds, in half precision."""
        if self.name == "tensorflow":
            return self.xp.cast(z, dtype)
        return z if dtype == "float16" else self.xp.asarray(z, dtype=self.xp.bfloat16)

    def numpy(self, array: Any) -> np.ndarray:
        if self.name == "torch" and array.dtype == self.xp.bfloat16:
            array = array.float()
        return np.asarray(array)

    def attempts(self, calls: Mapping[str, Callable[..., Any]], *arrays: Any) -> dict[str, Any]:
        """What each call gives, or the error it raises."""
        if self.name != "jax":
            return contract.attempts(calls, *arrays)
        return contract.compiled_attempts(importlib.import_module("jax").jit, calls, *arrays)

    def outline(self, function: Callable[[Any], Any], z: Any) -> Any:
        """What has the shape and the dtype of the result; JAX need not compute it."""
        if self.name != "jax":
            return function(z)
        return importlib.import_module("jax").eval_shape(function, z)


@pytest.fixture(scope="module")
def library(request: pytest.FixtureRequest) -> Iterator[Library]:
    if request.param != "jax":
        yield Library(request.param)
        return
    import jax

    with jax.enable_x64(True):
        yield Library(request.param)


SAMPLED = [case for case in CASES if case.activation.spec.params]


def sampled(case: Case) -> list[np.ndarray]:
    """The sampled parameters, as arrays that lie along an axis of their own."""
    return [np.array(values) for values in zip(*case.samples(), strict=True)]


def at_samples(case: Case, z: Any) -> Any:
    return case.function(z[:, None], *sampled(case))


@pytest.fixture(scope="module")
def found(library: Library, dtype: Any) -> dict[str, Any]:
    """What every case gives, by itself, at all samples, and in a call for value and derivative."""
    calls = {str(case): case.function for case in CASES}
    calls |= {f"{case}, samples": functools.partial(at_samples, case) for case in SAMPLED}
    calls |= {f"{name}, both": f.value_and_grad for name, f in actlib.REGISTRY.elementwise.items()}
    return library.attempts(calls, library.array(VALUES, dtype))


def same_numbers(got: np.ndarray, expected: np.ndarray, dtype: Any) -> None:
    tiny = 2**10 * float(np.finfo(dtype).tiny)
    np.testing.assert_allclose(got, expected, rtol=TOLERANCE[dtype], atol=tiny)


@each_dtype
@each_case
def test_same_kind_and_numbers(
    library: Library, found: dict[str, Any], case: Case, dtype: Any
) -> None:
    z = np.array(VALUES, dtype)
    same_numbers(library.numpy(result(found, str(case))), case.function(z), dtype)
    if case in SAMPLED:
        got = library.numpy(result(found, f"{case}, samples"))
        same_numbers(got, at_samples(case, z), dtype)


@pytest.mark.parametrize("dtype", [np.float32, pytest.param(np.float64, marks=pytest.mark.deep)])
@each_representative
def test_same_kind_and_numbers_by_itself(library: Library, case: Case, dtype: Any) -> None:
    """Not compiled, where the library has a compiler, and each sample a number."""
    z = library.array(VALUES, dtype)
    for params in case.samples():
        got = case.function(z, *params)
        assert type(got) is type(z)
        assert got.dtype == z.dtype
        same_numbers(library.numpy(got), case.function(np.array(VALUES, dtype), *params), dtype)


@each_dtype
@pytest.mark.parametrize("name", actlib.REGISTRY.elementwise)
def test_value_and_derivative_together(
    library: Library, found: dict[str, Any], name: str, dtype: Any
) -> None:
    for got, function in zip(result(found, f"{name}, both"), (name, f"{name}.grad"), strict=True):
        expected = library.numpy(result(found, function))
        np.testing.assert_array_equal(library.numpy(got), expected)


def test_out_is_for_numpy(library: Library) -> None:
    z = library.array(VALUES)
    for f in (actlib.relu, actlib.relu.grad, actlib.relu.value_and_grad):
        with pytest.raises(TypeError, match=r"^relu.*: out is for NumPy arrays, but"):
            f(z, out=np.ones(len(VALUES)))


SHAPES = [(), (0,), (1,), (2, 3), (3, 1, 2)]


@each_case
def test_shapes_and_scalars(library: Library, case: Case) -> None:
    for shape in SHAPES:
        assert library.outline(case.function, library.array(np.ones(shape))).shape == shape


@pytest.mark.deep
@each_case
def test_shapes_and_scalars_of_numbers(library: Library, case: Case) -> None:
    for shape in SHAPES:
        assert case.function(library.array(np.ones(shape))).shape == shape


@each_case
def test_dtypes(library: Library, case: Case) -> None:
    """Whole numbers become the library's default float; what is not real is refused."""
    for whole in ([0, 1], [True, False]):
        assert library.outline(case.function, library.array(whole)).dtype == library.default
    with pytest.raises(TypeError, match=rf"^{case}: z has dtype .*complex"):
        case.function(library.array([1j, 2.0]))


@pytest.mark.deep
@each_case
def test_dtypes_of_numbers(library: Library, case: Case) -> None:
    for whole in ([0, 1], [True, False]):
        assert case.function(library.array(whole)).dtype == library.default


@pytest.fixture(scope="module")
def half(library: Library, request: pytest.FixtureRequest) -> Any:
    """Numbers in half precision."""
    z = library.array(np.linspace(-20, 20, 101, dtype=np.float16))
    return library.half(z, request.param)


@each_case
def test_dtypes_of_half_precision(library: Library, half: Any, case: Case) -> None:
    assert library.outline(case.function, half).dtype == half.dtype


@pytest.fixture(scope="module")
def of_half(library: Library, half: Any, deep: bool) -> dict[str, Any]:
    cases = [case for case in CASES if deep or is_representative(case)]
    return library.attempts({str(case): case.function for case in cases}, half)


@each_representative
def test_half_precision(library: Library, half: Any, of_half: dict[str, Any], case: Case) -> None:
    expected = case.function(library.numpy(half).astype(np.float32))
    ulp = 2.0**-8 if "bfloat16" in str(half.dtype) else 2.0**-10
    got = library.numpy(result(of_half, str(case))).astype(np.float32)
    np.testing.assert_allclose(got, expected, rtol=ulp, atol=2.0**-24)


@pytest.mark.parametrize("case", contract.cases(actlib.prelu), ids=str)
def test_parameters(library: Library, case: Case) -> None:
    """One alpha a channel: of the library, of NumPy, or a list; NaN where it is no number."""
    z = np.linspace(-2, 2, 6).reshape(2, 3)
    alpha = [0.0, 0.5, 1.5]
    expected = case.function(z, alpha)
    for given in (library.array(alpha), np.array(alpha), alpha):
        got = case.function(library.array(z), given)
        np.testing.assert_allclose(library.numpy(got), expected)
    beside_whole = case.function(-2.5, library.array([1, 2]))
    np.testing.assert_allclose(library.numpy(beside_whole), case.function(-2.5, [1.0, 2.0]))
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


@pytest.fixture(scope="module")
def vectors(dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    """Arguments of functions of vectors, with all that is special in them, and upstreams."""
    z = np.random.default_rng(8).normal(size=(7, 6)).astype(dtype) * 10
    z[0, 0], z[1, 1], z[2] = np.inf, np.nan, -np.inf
    return z, np.random.default_rng(9).normal(size=(7, 6)).astype(dtype)


def with_product(function: Any, z: Any, upstream: Any) -> tuple[Any, Any]:
    """The value, and the product with as many columns of an upstream as it has."""
    value = function(z)
    return value, function.vjp(z, upstream[:, : value.shape[1]])


@pytest.fixture(scope="module")
def of_vectors(library: Library, vectors: tuple[np.ndarray, np.ndarray]) -> dict[str, Any]:
    calls = {name: functools.partial(with_product, f) for name, f in VECTORS.items()}
    return library.attempts(calls, *map(library.array, vectors))


@each_dtype
@pytest.mark.parametrize("name", VECTORS)
def test_functions_of_vectors(
    library: Library, vectors: Any, of_vectors: dict[str, Any], name: str, dtype: Any
) -> None:
    """The same kind of array, dtype and numbers."""
    same_pairs(library, result(of_vectors, name), name, vectors, dtype)


def same_pairs(library: Library, pair: Any, name: str, vectors: Any, dtype: Any) -> None:
    for got, expected in zip(pair, with_product(VECTORS[name], *vectors), strict=True):
        assert got.shape == expected.shape
        np.testing.assert_allclose(
            library.numpy(got), expected, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype] * 1e-2
        )


@pytest.mark.deep
@each_dtype
@pytest.mark.parametrize("name", VECTORS)
def test_functions_of_vectors_by_themselves(
    library: Library, vectors: Any, name: str, dtype: Any
) -> None:
    """Not compiled, where the library has a compiler, and with an upstream of NumPy as well."""
    z = library.array(vectors[0])
    for upstream in (vectors[1], library.array(vectors[1])):
        pair = with_product(VECTORS[name], z, upstream)
        for got in pair:
            assert type(got) is type(z)
            assert got.dtype == z.dtype
        same_pairs(library, pair, name, vectors, dtype)


@pytest.mark.parametrize("name", VECTORS)
def test_arguments_of_functions_of_vectors(library: Library, name: str) -> None:
    function: Any = VECTORS[name]
    with pytest.raises(TypeError, match=rf"^{name}: z has dtype .*complex"):
        function(library.array([1j, 2.0]))
    whole, z = library.array([[0, 1]]), library.array(np.ones((7, 6)))
    assert library.outline(function, whole).dtype == library.outline(actlib.relu, whole).dtype
    product = library.outline(lambda z: function.vjp(z, np.ones(1)), z)
    assert product.shape == z.shape
    assert product.dtype == z.dtype
    with pytest.raises(ValueError, match="it must broadcast"):
        function.vjp(z, np.ones(50))
