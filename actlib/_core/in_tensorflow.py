"""Functions that TensorFlow differentiates as declared: eagerly, in graphs, and by XLA."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, cast

import tensorflow as tf

from actlib._core import autodiff
from actlib._core.arrays import Array
from actlib._core.autodiff import Function, Product
from actlib._core.formula import Formula
from actlib._core.tensorflow_namespace import NAMESPACE as xp


@functools.cache
def of_formula(formula: Formula) -> Function:
    """The formula as a function of tensors, whose gradients are the declared derivatives."""
    plain, slopes = autodiff.plain(formula, xp), autodiff.slopes(formula)

    def pulled(given: Sequence[Array], place: int, upstream: Array) -> Array:
        """The gradient by one argument, in its shape."""
        if slope := slopes[place]:
            return summed(upstream * of_formula(slope)(*given), given[place])
        with tf.GradientTape() as tape:
            tape.watch(given[place])
            value = plain(*given)
        return tape.gradient(value, given[place], upstream, tf.UnconnectedGradients.ZERO)

    return _made(plain, pulled)


@functools.cache
def of_vectors(along: Any) -> Function:
    """A function of vectors over the last axis, as `of_formula`."""
    plain = functools.partial(along.over_last, xp)
    return _made(plain, autodiff.pulled_along(along, xp))


def constant(x: Array) -> Array:
    """The same numbers, which count as constant."""
    return tf.stop_gradient(x)


def _made(plain: Function, pulled: Product) -> Function:
    """A function that a tape asks for its gradients."""

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def function(*given: Any) -> Any:
        def gradients(upstream: Any) -> Any:
            return [pulled(given, place, upstream) for place in range(len(given))]

        return plain(*given), gradients

    return cast("Function", function)


def summed(gradient: Any, given: Any) -> Any:
    """Add up what all elements contribute that share a number."""
    if gradient.shape.is_fully_defined() and gradient.shape == given.shape:
        return gradient
    shape = tf.shape(given)
    axes = tf.raw_ops.BroadcastGradientArgs(s0=shape, s1=tf.shape(gradient)).r0
    return tf.reshape(tf.reduce_sum(gradient, axes), shape)
