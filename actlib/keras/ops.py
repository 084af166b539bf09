"""The kernels on TensorFlow: its operations by the array standard's names, and exact gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from actlib._declare import Activation


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


def apply(activation: Activation[...], z: Any, params: Sequence[Any]) -> Any:
    """Evaluate an activation on a tensor, with its own derivatives as gradients.

    Parameters
    ----------
    activation : Activation
        An entry of the registry.
    z : tf.Tensor
        Pre-activation, of a real floating dtype. Half precision is computed in float32.
    params : sequence of tf.Tensor
        The parameters, in their declared order; they broadcast against `z`, not the other way.

    Returns
    -------
    tf.Tensor
        Of the shape and dtype of `z`.
    """
    working = tf.float64 if z.dtype == tf.float64 else tf.float32
    result = _differentiable(activation)(
        tf.cast(z, working), *(tf.cast(param, working) for param in params)
    )
    return tf.cast(result, z.dtype)


def _differentiable(activation: Activation[...]) -> Any:
    @tf.custom_gradient
    def evaluate(z: Any, *params: Any) -> Any:
        def gradients(upstream: Any) -> Any:
            dz = upstream * _gradient(activation, z, params)
            partials = [activation.partials[key] for key in activation.spec.params]
            dparams = [
                _summed(upstream * _evaluated(partial, z, params), param)
                for partial, param in zip(partials, params, strict=True)
            ]
            return dz, *dparams

        return _evaluated(activation, z, params), gradients

    return evaluate


def _gradient(activation: Activation[...], z: Any, params: Sequence[Any]) -> Any:
    """The derivative; by which rule it is differentiated again, the activation may say itself."""
    second = activation.grad.grad
    if second is None:
        return _evaluated(activation.grad, z, params)

    @tf.custom_gradient
    def evaluate(z: Any, *params: Any) -> Any:
        def gradients(upstream: Any) -> Any:
            dz = upstream * _evaluated(second, z, params)
            if not params:
                return dz
            with tf.GradientTape() as tape:
                tape.watch(params)
                first = _evaluated(activation.grad, z, params)
            return dz, *tape.gradient(first, params, upstream)

        return _evaluated(activation.grad, z, params), gradients

    return evaluate(z, *params)


def _evaluated(function: Any, z: Any, params: Sequence[Any]) -> Any:
    return function.formula.on(NAMESPACE, z, params)


def _summed(gradient: Any, param: Any) -> Any:
    """Add up what all elements that share a parameter contribute."""
    shape = tf.shape(param)
    axes = tf.raw_ops.BroadcastGradientArgs(s0=shape, s1=tf.shape(gradient)).r0
    return tf.reshape(tf.reduce_sum(gradient, axes), shape)
