"""TensorFlow's GradientTape as a second witness, and the places where it is wrong."""

from collections.abc import Callable
from typing import Any

import contract
import numpy as np
import pytest
import tensorflow as tf
from contract import each_dtype

import actlib

WITNESSES: dict[str, Callable[..., Any]] = {
    "sigmoid": tf.nn.sigmoid,
    "log_sigmoid": tf.math.log_sigmoid,
    "tanh": tf.nn.tanh,
    "relu": tf.nn.relu,
    "leaky_relu": lambda z, slope: tf.nn.leaky_relu(z, float(slope)),
    "prelu": lambda z, alpha: tf.maximum(z, 0) + alpha * tf.minimum(z, 0),
}


def taped(function: Callable[..., Any], z: np.ndarray, *params: float) -> tuple[Any, ...]:
    """The value, and the gradients of its sum by z and each parameter (None: off the tape)."""
    sources = [tf.constant(z), *(tf.constant(p, z.dtype) for p in params)]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        value = function(*sources)
    gradients = tape.gradient(value, sources)
    return value.numpy(), *(None if g is None else g.numpy() for g in gradients)


@each_dtype
@pytest.mark.parametrize("name", WITNESSES)
def test_tensorflow_agrees(name: str, dtype: Any) -> None:
    """Up to rounding in units of 1: relative to a small slope, TensorFlow is far off."""
    activation, eps = actlib.REGISTRY[name], np.finfo(dtype).eps
    z = np.linspace(-12, 12, 400, dtype=dtype)  # an even number: 0 is not among them
    for params in contract.Case(activation, ()).samples():
        p = contract.rounded(params, np.float32)  # tf.nn.leaky_relu keeps its slope in float32
        value, slope, *partials = taped(WITNESSES[name], z, *p)
        np.testing.assert_allclose(value, activation(z, *p), rtol=8 * eps, atol=8 * eps)
        np.testing.assert_allclose(slope, activation.grad(z, *p), rtol=8 * eps, atol=8 * eps)
        for partial, ours in zip(partials, activation.partials.values(), strict=True):
            if name != "leaky_relu":  # its slope is a fixed number to TensorFlow
                np.testing.assert_allclose(partial, ours(z, *p).sum(), rtol=1000 * eps)


@pytest.mark.parametrize(("dtype", "lost"), [(np.float32, 17.0), (np.float64, 37.0)])
@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_tensorflow_loses_the_gradient_in_the_tail(name: str, dtype: Any, lost: float) -> None:
    """Pinned: when one of these fails, TensorFlow is mended and the book has news to tell.

    TensorFlow computes the slope from the output, which has rounded to 1.
    """
    z = np.array([lost], dtype)
    _, slope = taped(WITNESSES[name], z)
    assert slope == [0.0]
    assert actlib.REGISTRY[name].grad(z) > np.finfo(dtype).tiny


def test_tensorflow_keeps_the_gradient_in_the_other_tail() -> None:
    _, slope = taped(tf.nn.sigmoid, np.array([-17.0], np.float32))
    np.testing.assert_allclose(slope, actlib.sigmoid.grad(np.float32(-17)), rtol=1e-5)


def test_tensorflow_leaky_relu_rounds_its_slope_to_float32() -> None:
    """Pinned, like the lost gradients: in float64 the slope 0.1 is not the double 0.1."""
    value, _ = taped(lambda z: tf.nn.leaky_relu(z, 0.1), np.array([-1.0]))
    assert value == [-float(np.float32(0.1))]
    assert actlib.leaky_relu(-1.0, 0.1) == -0.1


def test_conventions_at_the_kink() -> None:
    """The slope at 0 is a convention; TensorFlow's functions share this one ..."""
    zero = np.array([0.0], np.float32)
    assert taped(tf.nn.relu, zero)[1] == actlib.relu.grad(zero) == 0
    assert taped(tf.nn.leaky_relu, zero)[1] == np.float32(0.2)
    # ... but not its maximum, whose slope depends on the order of the arguments
    assert taped(lambda z: tf.maximum(z, 0), zero)[1] == 1
    assert taped(lambda z: tf.maximum(0.0, z), zero)[1] == 0


def test_nan_has_a_gradient_in_tensorflow() -> None:
    _, slope = taped(tf.nn.relu, np.array([np.nan], np.float32))
    assert slope == [0.0]
    assert np.isnan(actlib.relu.grad(np.float32(np.nan)))
