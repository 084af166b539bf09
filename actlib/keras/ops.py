"""The kernels on TensorFlow: its operations by the array standard's names, and exact gradients."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from actlib._core.formula import Formula
from actlib._core.registry import Activation


def _where(condition: Any, x: Any, y: Any) -> Any:
    """``tf.where``, which in a graph takes a Python number for a float32."""
    dtype = x.dtype if tf.is_tensor(x) else y.dtype
    return tf.where(condition, tf.convert_to_tensor(x, dtype), tf.convert_to_tensor(y, dtype))


_OPERATIONS = {
    "abs": tf.abs,
    "astype": tf.cast,
    "atan": tf.math.atan,
    "clip": tf.clip_by_value,
    "exp": tf.exp,
    "expm1": tf.math.expm1,
    "isnan": tf.math.is_nan,
    "log1p": tf.math.log1p,
    "maximum": tf.maximum,
    "minimum": tf.minimum,
    "ones_like": tf.ones_like,
    "sign": tf.sign,
    "sqrt": tf.sqrt,
    "tanh": tf.tanh,
    "where": _where,
    "zeros_like": tf.zeros_like,
}
#: What the kernels use of an array library.
NAMESPACE = type("tensorflow", (), {key: staticmethod(op) for key, op in _OPERATIONS.items()})


def apply(activation: Activation[...], z: Any, params: Mapping[str, Any]) -> Any:
    """Evaluate an activation on a tensor, with its own derivatives as gradients.

    Parameters
    ----------
    activation : Activation
        An entry of the registry.
    z : tf.Tensor
        Pre-activation, of a real floating dtype. Half precision is computed in float32.
    params : mapping of str to float or tf.Tensor
        All its parameters, in their declared order. A number is fixed; a tensor has a gradient, and
        broadcasts against `z`, not the other way.

    Returns
    -------
    tf.Tensor
        Of the shape and dtype of `z`.
    """
    working = _working(z)
    learned = {key: tf.cast(param, working) for key, param in params.items() if tf.is_tensor(param)}

    def at(values: Sequence[Any]) -> list[Any]:
        return list({**params, **dict(zip(learned, values, strict=True))}.values())

    @tf.custom_gradient
    def evaluate(z: Any, *values: Any) -> Any:
        def gradients(upstream: Any) -> Any:
            dz = upstream * _derivative(activation, at, z, values)
            dparams = [
                _summed(upstream * _evaluated(activation.partials[key], z, at(values)), value)
                for key, value in zip(learned, values, strict=True)
            ]
            return dz, *dparams

        return _evaluated(activation, z, at(values)), gradients

    return tf.cast(evaluate(tf.cast(z, working), *learned.values()), z.dtype)


def derivative(activation: Activation[...], z: Any, params: Mapping[str, Any]) -> Any:
    """Evaluate the derivative of an activation on a tensor; as `apply`, without a gradient.

    Parameters
    ----------
    activation : Activation
        An entry of the registry.
    z : tf.Tensor
        Pre-activation, of a real floating dtype.
    params : mapping of str to float or tf.Tensor
        All its parameters, in their declared order.

    Returns
    -------
    tf.Tensor
        Of the shape and dtype of `z`.
    """
    working = _working(z)
    values = [tf.cast(p, working) if tf.is_tensor(p) else p for p in params.values()]
    return tf.cast(_evaluated(activation.grad, tf.cast(z, working), values), z.dtype)


def _working(z: Any) -> tf.DType:
    return tf.float64 if z.dtype == tf.float64 else tf.float32


def _derivative(activation: Activation[...], at: Any, z: Any, values: Sequence[Any]) -> Any:
    """The derivative; by which rule it is differentiated again, the activation may say itself."""
    second = activation.grad.grad
    if second is None:
        return _evaluated(activation.grad, z, at(values))

    @tf.custom_gradient
    def evaluate(z: Any, *values: Any) -> Any:
        def gradients(upstream: Any) -> Any:
            dz = upstream * _evaluated(second, z, at(values))
            if not values:
                return dz
            with tf.GradientTape() as tape:
                tape.watch(values)
                first = _evaluated(activation.grad, z, at(values))
            return dz, *tape.gradient(first, values, upstream)

        return _evaluated(activation.grad, z, at(values)), gradients

    return evaluate(z, *values)


def _evaluated(function: Any, z: Any, params: Sequence[Any]) -> Any:
    """Evaluate the kernel, put right only where these parameters need it."""
    fixed = not any(tf.is_tensor(param) for param in params)
    faults = _faults(function.formula, *params) if fixed else None
    values = [tf.convert_to_tensor(param, z.dtype) for param in params]
    return function.formula.on(NAMESPACE, z, values, faults)


@functools.cache
def _faults(formula: Formula, *params: float) -> frozenset[float]:
    return formula.faults_at([float(np.float32(param)) for param in params])  # a tiny one is 0


def _summed(gradient: Any, param: Any) -> Any:
    """Add up what all elements that share a parameter contribute."""
    shape = tf.shape(param)
    axes = tf.raw_ops.BroadcastGradientArgs(s0=shape, s1=tf.shape(gradient)).r0
    return tf.reshape(tf.reduce_sum(gradient, axes), shape)
