"""A sigmoid network that is trained in float32 or float16, with a slope of the caller's choice.

It emulates what frameworks do in mixed precision. Weights are kept in float32; each pass rounds
them to the dtype. Matrix products and sums are accumulated in float32 and rounded to the dtype
once; everything elementwise is rounded after each operation. The logits are turned into float32
for the loss, whose gradient is multiplied by the loss scale before it is rounded, and gradients of
weights are divided by it in float32. A step whose gradient is not finite is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from actlib._core.arrays import Array
from actlib.functions.sigmoids import sigmoid
from actlib.network import Network, accuracy, cross_entropy, matched
from actlib.optimisers import Optimiser

__all__ = ["RoundedNetwork", "exact_slope", "slope_from_output"]


def exact_slope(z: Array, s: Array) -> Array:
    """Compute the sigmoid's derivative from its pre-activation `z`, right to the last digits."""
    return sigmoid.grad(z)


def slope_from_output(z: Array, s: Array) -> Array:
    """Compute the sigmoid's derivative from its rounded output `s`, as frameworks do."""
    return s * (1 - s)


class RoundedNetwork:
    """A fully connected classifier with sigmoid hidden layers, in float32 or float16.

    Parameters
    ----------
    sizes : sequence of int
        The number of inputs, of units in each hidden layer, and of classes: ``[64, 32, 10]``.
    slope : callable
        The sigmoid's derivative from its pre-activation and its output: `exact_slope` or
        `slope_from_output`.
    dtype : dtype
        ``numpy.float32`` or ``numpy.float16``.
    loss_scale : float
        By which the gradient is multiplied on its way back.
    start : dict
        Keyword arguments of `actlib.network.Network`, which draws the initial weights: ``gain``,
        ``bias``, ``seed``.

    Attributes
    ----------
    weights : list of array
        Weights and biases of each layer in turn, in float32.
    skipped : int
        How many steps were left out because a gradient was not finite.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        slope: Callable[[Array, Array], Array],
        dtype: Any = np.float32,
        *,
        loss_scale: float = 1.0,
        **start: Any,
    ) -> None:
        self.dtype = np.dtype(dtype)
        if self.dtype not in (np.float32, np.float16):
            raise ValueError(f"dtype must be float32 or float16, got {self.dtype}")
        self.slope, self.loss_scale, self.skipped = slope, np.float32(loss_scale), 0
        self.weights = [np.float32(w) for w in Network(sizes, sigmoid, **start).weights]

    def forward(self, x: Array) -> tuple[list[Array], list[Array]]:
        """Compute what enters each layer and each layer's pre-activation, as `Network` does."""
        inputs, zs = [np.asarray(x, self.dtype)], []
        for layer in range(0, len(self.weights), 2):
            weight, bias = self.weights[layer : layer + 2]
            zs.append(self._product(inputs[-1], weight) + bias.astype(self.dtype))
            if layer < len(self.weights) - 2:
                inputs.append(sigmoid(zs[-1]))
        return inputs, zs

    def gradients(self, x: Array, labels: Array) -> tuple[float, list[Array]]:
        """Compute the loss and its gradient with respect to each of `weights`, in float32."""
        inputs, zs = self.forward(x)
        loss, upstream = cross_entropy(np.float32(zs[-1]), labels)
        upstream = (upstream * self.loss_scale).astype(self.dtype)
        gradients: list[Array] = []
        for layer in reversed(range(len(inputs))):
            if gradients:  # a hidden layer: go back through its sigmoid
                upstream = upstream * self.slope(zs[layer], inputs[layer + 1])
            bias = upstream.sum(axis=0, dtype=np.float32).astype(self.dtype)
            gradients = [self._product(inputs[layer].T, upstream), bias, *gradients]
            upstream = self._product(upstream, self.weights[2 * layer].T)
        return loss, [np.float32(gradient) / self.loss_scale for gradient in gradients]

    def fit(self, x: Array, labels: Array, batches: Iterable[Array], optimiser: Optimiser) -> None:
        """Train by one step of the optimiser for each batch of rows."""
        x, labels = matched(x, labels)
        for rows in batches:
            with np.errstate(over="ignore", invalid="ignore"):
                _, gradients = self.gradients(x[rows], labels[rows])
            if all(np.isfinite(gradient).all() for gradient in gradients):
                optimiser.step(self.weights, gradients)
            else:
                self.skipped += 1

    def accuracy(self, x: Array, labels: Array) -> float:
        """Compute the fraction of examples whose largest logit is that of their class."""
        return accuracy(self.forward(x)[1][-1], labels)

    def _product(self, a: Array, b: Array) -> Array:
        """A matrix product of rounded numbers, accumulated in float32 and rounded once."""
        a, b = (np.asarray(m, self.dtype).astype(np.float32) for m in (a, b))
        return (a @ b).astype(self.dtype)
