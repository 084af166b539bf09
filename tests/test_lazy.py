"""Libraries that compute later: Dask builds a graph, JAX traces."""

from typing import Any

import contract
import dask
import dask.array as da
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from contract import Case

import actlib

each_case = pytest.mark.parametrize(
    "case", [case for f in actlib.REGISTRY.values() for case in contract.cases(f)], ids=str
)
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


@each_case
def test_jax_under_jit_and_vmap(case: Case) -> None:
    expected = case.function(Z)
    for transform in (jax.jit, jax.vmap):
        got = transform(case.function)(jnp.asarray(Z))
        assert got.dtype == jnp.float32
        np.testing.assert_allclose(np.asarray(got), expected, rtol=1e-5)


def test_jax_traces_parameters_too() -> None:
    """A traced parameter cannot be refused; outside its domain it gives NaN."""
    prelu = jax.jit(actlib.prelu)
    assert prelu(jnp.asarray([-2.0]), 0.5).tolist() == [-1.0]
    assert jnp.isnan(prelu(jnp.asarray([-2.0, 1.0]), jnp.nan)).all()
