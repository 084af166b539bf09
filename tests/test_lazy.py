"""Libraries that compute later: Dask builds a graph, JAX traces."""

from typing import Any

import contract
import dask
import dask.array as da
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from contract import CASES, Case, each_case, result

import actlib
from actlib.check import from_jax

Z = np.array([[-np.inf, -2.0, -0.0], [0.5, np.nan, np.inf]], np.float32)


def refuse(*args: Any, **kwargs: Any) -> Any:
    raise AssertionError("something was computed")


@each_case
def test_dask_stays_lazy(case: Case) -> None:
    """Nothing is computed by the call, not even a block; then chunk by chunk, ragged or not."""
    z = da.from_delayed(dask.delayed(refuse)(), shape=(4, 5), dtype=np.float32).rechunk((3, 2))
    with dask.config.set(scheduler=refuse):
        lazy = case.function(z)
    assert lazy.chunks == z.chunks
    for chunks in [(1, 3), ((1, 1), (2, 1)), -1]:
        got = case.function(da.from_array(Z, chunks=chunks))
        np.testing.assert_allclose(got.compute(), case.function(Z), rtol=1e-6)


@each_case
def test_dask_with_unknown_chunks(case: Case) -> None:
    z = da.from_array(Z.ravel(), chunks=2)
    some = z[z < 1]
    np.testing.assert_allclose(
        case.function(some).compute(), case.function(some.compute()), rtol=1e-6
    )


@pytest.fixture(scope="module")
def compiled() -> dict[str, Any]:
    """What JAX gives for every case, which it has compiled, and row by row."""
    calls = {str(case): case.function for case in CASES}
    calls |= {f"{case} by row": jax.vmap(case.function) for case in CASES}
    return contract.compiled_attempts(jax.jit, calls, jnp.asarray(Z))


@each_case
def test_jax_under_jit_and_vmap(compiled: dict[str, Any], case: Case) -> None:
    for key in (str(case), f"{case} by row"):
        np.testing.assert_allclose(result(compiled, key), case.function(Z), rtol=1e-5)


def test_jax_traces_parameters_too() -> None:
    """A traced parameter cannot be refused; outside its domain it gives NaN."""
    prelu = jax.jit(actlib.prelu)
    assert prelu(jnp.asarray([-2.0]), 0.5).tolist() == [-1.0]
    assert jnp.isnan(prelu(jnp.asarray([-2.0, 1.0]), jnp.nan)).all()


@pytest.mark.parametrize("name", ["prelu", "prelu.grad", "prelu.partials.alpha"])
@pytest.mark.parametrize("chunks", [(1, 4), (2, 3), (3, 2), (4, 1)])
def test_dask_aligns_chunks_of_parameters(name: str, chunks: tuple[int, int]) -> None:
    function = {str(case): case.function for case in contract.cases(actlib.prelu)}[name]
    z, alpha = np.array([-1.0, -2.0, -3.0, 4.0]), np.array([0.1, 0.2, 0.3, 0.4])
    expected = function(z, alpha)
    for given in (alpha, da.from_array(alpha, chunks=chunks[1]), alpha.tolist()):
        lazy = function(da.from_array(z, chunks=chunks[0]), given)
        got = lazy.compute()
        assert lazy.shape == got.shape
        np.testing.assert_allclose(got, expected)
    wide = function(da.from_array(z, chunks=2), da.from_array(alpha[:, None], chunks=3))
    np.testing.assert_allclose(wide.compute(), function(z, alpha[:, None]))
    rows = da.from_array(np.stack([z, z], axis=1), chunks=2)
    some = function(rows[rows[:, 0] < 0], alpha[:2])
    np.testing.assert_allclose(some.compute(), function(np.stack([z, z], 1)[:3], alpha[:2]))


@pytest.mark.parametrize("name", ["leaky_relu", "prelu"])
def test_jax_differentiates_by_parameters(name: str) -> None:
    function = actlib.REGISTRY[name]
    for z, slope in ((-2.0, -2.0), (3.0, 0.0)):
        assert jax.grad(lambda a, z=z: function(jnp.float32(z), a))(0.25) == slope


def test_the_default_float_of_jax_may_change() -> None:
    whole = jnp.arange(3, dtype=jnp.int32)
    assert actlib.relu(whole).dtype == jnp.float32
    with jax.enable_x64(True):
        assert actlib.relu(whole).dtype == jnp.float64
    assert actlib.relu(whole).dtype == jnp.float32


def test_from_jax_compiles_once_for_the_same_keywords() -> None:
    traced: list[float] = []

    def scaled(z: Any, by: float = 2.0) -> Any:
        traced.append(by)
        return by * jnp.square(z)

    f, grad = from_jax(scaled)
    z = np.array([-1.0, np.nan, 3.0])
    for by in (2.0, 3.0):
        for _ in range(2):
            np.testing.assert_array_equal(f(z, by=by), by * z**2)
            np.testing.assert_array_equal(grad(z, by=by), 2 * by * z)
    assert traced == [2.0, 2.0, 3.0, 3.0]  # once for the value, once for the gradient
    for half in contract.HALVES:
        assert f(z.astype(half)).dtype == grad(z.astype(half)).dtype == half
