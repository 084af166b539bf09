"""Other libraries' functions, and the gradients that they derive, as functions of NumPy arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Pair = tuple[Callable[..., np.ndarray], Callable[..., np.ndarray]]


def _named(fn: Any, f: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    f.__name__ = getattr(fn, "__name__", type(fn).__name__)
    return f


def from_tensorflow(fn: Callable[..., Any]) -> Pair:
    """Make NumPy functions of a TensorFlow or Keras function and of its gradient.

    Parameters
    ----------
    fn : callable
        Takes a tensor and keywords, returns a tensor of the same shape, elementwise.

    Returns
    -------
    f, grad : callable
        The function, and its gradient by ``tf.GradientTape``.

    Examples
    --------
    >>> import numpy as np
    >>> import tensorflow as tf
    >>> from actlib.check import from_tensorflow
    >>> f, grad = from_tensorflow(tf.nn.sigmoid)
    >>> bool(grad(np.float32([20.0]))[0] == 0)
    True
    """

    def f(z: np.ndarray, **params: float) -> np.ndarray:
        import tensorflow as tf

        return np.asarray(fn(tf.constant(z), **params))

    def grad(z: np.ndarray, **params: float) -> np.ndarray:
        import tensorflow as tf

        x = tf.constant(z)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = fn(x, **params)
        unconnected = tf.UnconnectedGradients.ZERO
        return np.asarray(tape.gradient(y, x, unconnected_gradients=unconnected))

    return _named(fn, f), grad


def from_torch(fn: Callable[..., Any]) -> Pair:
    """Make NumPy functions of a PyTorch function and of its gradient.

    Parameters
    ----------
    fn : callable
        Takes a tensor and keywords, returns a tensor of the same shape, elementwise. A module will
        do.

    Returns
    -------
    f, grad : callable
        The function, and its gradient by ``torch.autograd``.
    """

    def tensor(z: np.ndarray) -> Any:
        import torch

        if z.dtype.name == "bfloat16":
            return torch.from_numpy(z.astype(np.float32)).bfloat16()
        return torch.from_numpy(np.array(z))  # a copy, also of what is read-only

    def numpy(x: Any, dtype: np.dtype) -> np.ndarray:
        half = str(x.dtype) == "torch.bfloat16"
        return x.detach().float().numpy().astype(dtype) if half else np.asarray(x.detach())

    def f(z: np.ndarray, **params: float) -> np.ndarray:
        return numpy(fn(tensor(z), **params), z.dtype)

    def grad(z: np.ndarray, **params: float) -> np.ndarray:
        x = tensor(z).requires_grad_()
        fn(x, **params).sum().backward()
        return numpy(x.grad, z.dtype)

    return _named(fn, f), grad


def from_jax(fn: Callable[..., Any]) -> Pair:
    """Make NumPy functions of a JAX function and of its gradient, compiled, in any precision.

    Parameters
    ----------
    fn : callable
        Takes an array and keywords, returns an array of the same shape, elementwise.

    Returns
    -------
    f, grad : callable
        The function, and its gradient by ``jax.grad``.

    Examples
    --------
    >>> import jax
    >>> import numpy as np
    >>> from actlib.check import from_jax
    >>> f, grad = from_jax(jax.nn.relu)
    >>> grad(np.array([-1.0, 0.0, 1.0]))
    array([0., 0., 1.])
    """

    def f(z: np.ndarray, **params: float) -> np.ndarray:
        import jax

        with jax.enable_x64(True):
            return np.asarray(jax.jit(lambda x: fn(x, **params))(z))

    def grad(z: np.ndarray, **params: float) -> np.ndarray:
        import jax

        with jax.enable_x64(True):
            return np.asarray(jax.jit(jax.grad(lambda x: fn(x, **params).sum()))(z))

    return _named(fn, f), grad
