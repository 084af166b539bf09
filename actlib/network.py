"""A small classifier in NumPy that learns by actlib's derivatives, to be read in one sitting.

Layers of weights and biases, one activation between them, softmax with cross-entropy at the end,
gradient descent on mini-batches. Every array is float64.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from actlib._declare import Activation
from actlib._evaluate import Array

__all__ = ["Network", "cross_entropy", "mini_batches"]


class Network:
    """A fully connected classifier.

    Parameters
    ----------
    sizes : sequence of int
        The number of inputs, of units in each hidden layer, and of classes: ``[64, 32, 10]``.
    activation : Activation
        What the hidden layers apply, for example ``actlib.relu``.
    learned : sequence of str
        The activation's parameters that are trained, one number for each hidden layer:
        ``["alpha"]`` for PReLU. Other parameters keep their defaults.
    gain : float
        Weights are drawn from a normal distribution of standard deviation
        ``gain / sqrt(inputs of the layer)``; the default is He's gain for ReLU. Biases are zero.
    seed : int
        Seed of the weights.

    Attributes
    ----------
    layers : list of dict
        The arrays of each layer: ``weight`` of shape (inputs, units), ``bias`` (units,), and in
        hidden layers the learned parameters, of shape (1,).
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: Activation[...],
        *,
        learned: Sequence[str] = (),
        gain: float = math.sqrt(2),
        seed: int = 0,
    ) -> None:
        if len(sizes) < 2 or min(map(operator.index, sizes)) < 1:
            raise ValueError(f"sizes must be two or more positive integers, got {sizes!r}")
        rng = np.random.default_rng(seed)
        self.activation = activation
        self.partials = {name: activation.partials[name] for name in learned}
        self.layers: list[dict[str, Array]] = []
        for inputs, units in pairwise(sizes):
            weight = rng.normal(0, gain / math.sqrt(inputs), (inputs, units))
            self.layers.append({"weight": weight, "bias": np.zeros(units)})
        for layer in self.layers[:-1]:
            layer |= {name: np.full(1, activation.spec.params[name].default) for name in learned}

    @property
    def weights(self) -> list[Array]:
        """All the arrays that are trained, layer by layer (not copies)."""
        return [array for layer in self.layers for array in layer.values()]

    def forward(self, x: Array) -> tuple[list[Array], list[Array]]:
        """Compute what enters each layer, and each layer's pre-activation.

        Parameters
        ----------
        x : array_like
            Examples, of shape (examples, inputs).

        Returns
        -------
        inputs, zs : list of array
            An array of shape (examples, inputs of the layer) for each layer, and one of shape
            (examples, units); the last pre-activation holds the logits, one for each class.
        """
        x, columns = np.asarray(x, dtype=np.float64), len(self.layers[0]["weight"])
        if x.ndim != 2 or x.shape[1] != columns:
            raise ValueError(f"x must have shape (examples, {columns}), got {x.shape}")
        inputs, zs = [x], []
        for layer in self.layers:
            z = inputs[-1] @ layer["weight"] + layer["bias"]
            zs.append(z)
            if layer is not self.layers[-1]:
                inputs.append(self.activation(z, **self._params(layer)))
        return inputs, zs

    def gradients(self, x: Array, labels: Array) -> tuple[float, list[Array]]:
        """Compute the loss and its gradient with respect to each of `weights`.

        Parameters
        ----------
        x : array_like
            Examples, of shape (examples, inputs).
        labels : array_like of int
            The class of each example, of shape (examples,).

        Returns
        -------
        loss : float
            Mean cross-entropy over the examples.
        gradients : list of array
            In the order, and of the shapes, of `weights`.
        """
        inputs, zs = self.forward(x)
        loss, upstream = cross_entropy(zs[-1], labels)
        gradients: list[Array] = []
        passed = list(zip(self.layers, inputs, zs, strict=True))
        for layer, a, z in reversed(passed):
            learned: list[Array] = []
            if gradients:  # a hidden layer: go back through its activation
                params, partials = self._params(layer), self.partials.values()
                terms = [upstream * partial(z, **params) for partial in partials]
                learned = [term.sum().reshape(1) for term in terms]
                upstream = upstream * self.activation.grad(z, **params)
            bias = upstream.sum(axis=0)
            gradients = [a.T @ upstream, bias, *learned, *gradients]
            upstream = upstream @ layer["weight"].T
        return loss, gradients

    def fit(self, x: Array, labels: Array, batches: Iterable[Array], *, rate: float) -> Array:
        """Train by stochastic gradient descent, one step for each batch.

        Parameters
        ----------
        x, labels : array_like
            As for `gradients`.
        batches : iterable of array of int
            The rows of `x` that each step uses, for example from `mini_batches`.
        rate : float
            Learning rate.

        Returns
        -------
        array
            The loss of each batch before its step.
        """
        x, labels = np.asarray(x), np.asarray(labels)
        losses = []
        for rows in batches:
            loss, gradients = self.gradients(x[rows], labels[rows])
            for weight, gradient in zip(self.weights, gradients, strict=True):
                weight -= rate * gradient
            losses.append(loss)
        return np.array(losses)

    def accuracy(self, x: Array, labels: Array) -> float:
        """Compute the fraction of examples whose largest logit is that of their class."""
        _, zs = self.forward(x)
        return float(np.mean(zs[-1].argmax(axis=1) == _checked(labels, zs[-1])))

    def _params(self, layer: dict[str, Array]) -> dict[str, Array]:
        """The learned parameters of the activation in this layer."""
        return {name: layer[name] for name in self.partials}


def cross_entropy(logits: Array, labels: Array) -> tuple[float, Array]:
    """Compute the cross-entropy of softmax probabilities, and its gradient.

    The largest logit is subtracted before exponentials are taken, so nothing
    overflows. Sums leave its 1 out: it would swallow what is small beside it.

    Parameters
    ----------
    logits : array
        Of shape (examples, classes).
    labels : array_like of int
        The class of each example, of shape (examples,).

    Returns
    -------
    loss : float
        Mean over the examples of minus the log-probability of the label.
    gradient : array
        Of the loss with respect to `logits`.
    """
    labels = _checked(labels, logits)
    rows, top = np.arange(len(logits)), logits.argmax(axis=1)
    shifted = logits - logits[rows, top, None]
    others = np.exp(shifted)
    others[rows, top] = 0
    log_p = shifted - np.log1p(others.sum(axis=1, keepdims=True))
    gradient = np.exp(log_p)
    gradient[rows, labels] = 0
    gradient[rows, labels] = -gradient.sum(axis=1)  # p - 1, not cancelled
    return float(-log_p[rows, labels].mean()), gradient / len(rows)


def mini_batches(examples: int, size: int, epochs: int, seed: int = 0) -> Array:
    """Shuffle the examples anew for each epoch and cut them into batches.

    Parameters
    ----------
    examples, size, epochs : int
        How many examples there are, are in a batch, and how often each is used; of each
        shuffle, the last few that fill no batch are left out.
    seed : int
        Seed of the shuffles.

    Returns
    -------
    array of int
        Row numbers, of shape (steps, size).
    """
    if not 1 <= size <= examples:
        raise ValueError(f"size must be from 1 to {examples} (examples), got {size}")
    rng = np.random.default_rng(seed)
    used = examples - examples % size
    shuffles = [rng.permutation(examples)[:used] for _ in range(epochs)]
    return np.reshape(shuffles, (-1, size)).astype(np.intp)


def _checked(labels: Array, logits: Array) -> Array:
    """The labels as an array, if they are what the logits ask for."""
    labels, (examples, classes) = np.asarray(labels), logits.shape
    if not examples or labels.shape != (examples,) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"labels must be integers, one for each of at least one example; x has {examples} "
            f"examples, labels have shape {labels.shape} and dtype {labels.dtype}"
        )
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(
            f"labels must be from 0 to {classes - 1}, got {labels.min()} to {labels.max()}"
        )
    return labels
