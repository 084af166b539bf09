"""The product of an upstream gradient with a derivative: what training needs of it."""

from __future__ import annotations

import inspect
import pickle
from typing import Any

import numpy as np
import pytest

import actlib

ELEMENTWISE = actlib.REGISTRY.elementwise
BY = [(name, wrt) for name, f in ELEMENTWISE.items() for wrt in ("z", *f.partials)]
each = pytest.mark.parametrize(("name", "wrt"), BY)
RNG = np.random.default_rng(3)
Z = RNG.normal(size=(4, 3)) * 3
UPSTREAM = RNG.normal(size=(4, 3))


def slope(name: str, wrt: str) -> Any:
    f = ELEMENTWISE[name]
    return f.grad if wrt == "z" else f.partials[wrt]


def spread(name: str, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Parameters that differ from element to element, inside their domains."""
    params = ELEMENTWISE[name].spec.params
    size = int(np.prod(shape))
    steps = np.linspace(1, 2, size).reshape(shape)
    return {key: param.default * steps for key, param in params.items()}


@each
def test_each_gradient_has_the_shape_of_what_it_is_for(name: str, wrt: str) -> None:
    vjp = ELEMENTWISE[name].vjp
    for shape in ((3,), (4, 1), (4, 3), (1, 1), (2, 4, 3)):
        params = spread(name, shape)
        whole = UPSTREAM * slope(name, wrt)(Z, **params)
        given = np.shape(params.get(wrt, Z))
        got = vjp(Z, np.broadcast_to(UPSTREAM, whole.shape), **params, wrt=wrt)
        assert got.shape == given
        np.testing.assert_allclose(got, summed(whole, given), rtol=1e-13, atol=1e-13)


def summed(whole: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    whole = whole.sum(axis=tuple(range(whole.ndim - len(shape))))
    axes = tuple(i for i, n in enumerate(shape) if n == 1)
    return whole.sum(axis=axes, keepdims=True)


@each
def test_numbers(name: str, wrt: str) -> None:
    """A number that all share gets one number, of z's dtype."""
    f, z, upstream = ELEMENTWISE[name], Z.astype(np.float32), UPSTREAM.astype(np.float32)
    params = {key: param.default for key, param in f.spec.params.items()}
    whole = slope(name, wrt)(z, **params).astype(float) * upstream
    for given in ({}, params):
        got = f.vjp(z, upstream, **given, wrt=wrt)
        assert got.dtype == np.float32
        if wrt == "z":
            np.testing.assert_allclose(got, whole, rtol=1e-6)
        else:
            assert isinstance(got, np.float32)
            np.testing.assert_allclose(got, whole.sum(), rtol=1e-5, atol=1e-6)
    assert isinstance(f.vjp(0.5, 2.0, wrt=wrt), np.float64)
    assert f.vjp(0.5, 2.0, wrt=wrt) == 2 * slope(name, wrt)(0.5)


def test_upstream_gradients_of_all_kinds() -> None:
    right = actlib.tanh.grad(Z) * [1.0, 2.0, 3.0]
    for upstream in ([1, 2, 3], (1.0, 2.0, 3.0), np.array([[1, 2, 3]], np.int8)):
        np.testing.assert_array_equal(actlib.tanh.vjp(Z, upstream), right)
    np.testing.assert_array_equal(actlib.tanh.vjp(Z.tolist(), True), actlib.tanh.grad(Z))


def test_half_precision_is_rounded_once() -> None:
    z = np.linspace(-4, 4, 1000, dtype=np.float16)
    upstream = np.float16(1 / 3)
    right = actlib.prelu.partials["alpha"](z.astype(np.float32), 0.25) * np.float32(upstream)
    got = actlib.prelu.vjp(z, upstream, 0.25, wrt="alpha")
    assert got == np.float16(right.sum(dtype=np.float64))
    assert isinstance(got, np.float16)


def test_sums_of_many_lose_no_digits() -> None:
    """Added up one by one in float32, they would be off by thousands of ulp."""
    z = np.full((10**6, 2), -0.1, np.float32)
    got = actlib.prelu.vjp(z, np.float32(1), np.full(2, 0.25), wrt="alpha")
    np.testing.assert_allclose(got, np.float32(-0.1).astype(float) * 10**6, rtol=6e-8)


def test_large_arrays_and_views_stay_as_they_are() -> None:
    z = RNG.normal(size=(300, 1000))[::2, ::-1]
    before = z.copy()
    np.testing.assert_array_equal(actlib.gelu.vjp(z, z), z * actlib.gelu.grad(z))
    np.testing.assert_array_equal(z, before)
    assert actlib.gelu.vjp(np.empty((0, 3)), 1.0).shape == (0, 3)


def test_special_numbers_make_no_warnings() -> None:
    with np.errstate(all="raise"):
        got = actlib.sigmoid.vjp([np.nan, np.inf, 0.0, 0.0], [1.0, np.inf, np.nan, 1e308])
    np.testing.assert_array_equal(got, [np.nan, np.nan, np.nan, 0.25e308])


def test_errors() -> None:
    vjp = actlib.prelu.vjp
    with pytest.raises(ValueError, match=r"^prelu.vjp: wrt must be one of z, alpha, got 'beta'"):
        vjp(Z, 1.0, wrt="beta")
    with pytest.raises(ValueError, match=r"^prelu.vjp: upstream has shape \(5,\); it must broad"):
        vjp(Z, np.ones(5))
    with pytest.raises(ValueError, match=r"upstream has shape \(2, 4, 3\); it must broadcast"):
        vjp(Z, np.ones((2, 4, 3)))
    with pytest.raises(TypeError, match=r"^prelu.vjp: upstream has dtype complex128"):
        vjp(Z, 1j)
    with pytest.raises(TypeError, match=r"^prelu.vjp: z has dtype complex128"):
        vjp([1j], 1.0)
    with pytest.raises(TypeError, match=r"^prelu.vjp: .*it takes \(z, upstream, alpha=0.25"):
        vjp(Z, 1.0, beta=2)
    with pytest.raises(TypeError, match=r"^prelu.vjp: .*it takes \(z, upstream, alpha=0.25"):
        vjp(Z, 1.0, 0.1, alpha=2)
    with pytest.raises(ValueError, match=r"alpha must be a finite number"):
        vjp(Z, 1.0, alpha=np.nan)


def test_it_is_a_function_like_any_other() -> None:
    vjp = actlib.prelu.vjp
    assert pickle.loads(pickle.dumps(vjp)) is vjp
    assert str(inspect.signature(vjp)) == "(z, upstream, alpha=0.25, *, wrt='z')"
    assert "`upstream` broadcasts" in vjp.__doc__
