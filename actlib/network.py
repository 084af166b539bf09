"""A small network in NumPy that learns by actlib's derivatives, to be read in one sitting.

Layers of weights and biases, one activation between them, softmax with cross-entropy at the end (or
a squared error, to predict a number), gradient descent on mini-batches. Every array is float64.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from actlib._core.arrays import Array
from actlib._core.names import listed
from actlib._core.registry import Activation, refuse_vectors
from actlib.functions.softmax import log_softmax
from actlib.optimisers import Descent, Optimiser

__all__ = ["Network", "accuracy", "cross_entropy", "mini_batches", "squared_error"]


class Network:
    """A fully connected network, a classifier unless another loss is given.

    Parameters
    ----------
    sizes : sequence of int
        The number of inputs, of units in each hidden layer, and of classes: ``[64, 32, 10]``.
    activation : Activation
        What the hidden layers apply, for example ``actlib.relu``.
    learned : str or sequence of str
        The activation's parameters that are trained, one number for each hidden layer:
        ``"alpha"`` for PReLU.
    params : mapping of str to float, optional
        Values of the activation's parameters other than their defaults: ``{"slope": 0.2}``. Those
        that are trained start there.
    gain : float
        Weights are drawn from a normal distribution of standard deviation
        ``gain / sqrt(inputs of the layer)``; the default is He's gain for ReLU.
    bias : float
        Where the biases of the hidden layers start; the last layer's start at zero.
    scale, offset : float
        A hidden layer passes on ``scale * f(z) + offset``. With the sigmoid, 2 and -1 make
        2 sigmoid(z) - 1, whose mean is near 0.
    seed : int
        Seed of the weights.
    loss : callable, optional
        Takes the outputs and the labels, and returns the loss and its gradient with respect to the
        outputs; by default `cross_entropy`.

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
        learned: str | Sequence[str] = (),
        params: Mapping[str, float] | None = None,
        gain: float = math.sqrt(2),
        bias: float = 0.0,
        scale: float = 1.0,
        offset: float = 0.0,
        seed: int = 0,
        loss: Callable[[Array, Array], tuple[float, Array]] | None = None,
    ) -> None:
        if len(sizes) < 2 or min(map(operator.index, sizes)) < 1:
            raise ValueError(f"sizes must be two or more positive integers, got {sizes!r}")
        refuse_vectors(activation)
        params, learned = dict(params or {}), listed(learned)
        activation(0.0, **params)  # which names the parameter that is wrong, if one is
        rng = np.random.default_rng(seed)
        self.activation, self.loss = activation, loss or cross_entropy
        self.scale, self.offset = scale, offset
        self.partials = {name: activation.partials[name] for name in learned}
        self.fixed = {name: value for name, value in params.items() if name not in learned}
        self.layers: list[dict[str, Array]] = []
        for inputs, units in pairwise(sizes):
            weight = rng.normal(0, gain / math.sqrt(inputs), (inputs, units))
            self.layers.append({"weight": weight, "bias": np.zeros(units)})
        for layer in self.layers[:-1]:
            layer["bias"] += bias
            for name in learned:
                layer[name] = np.full(1, params.get(name, activation.spec.params[name].default))

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
                inputs.append(self.scale * self.activation(z, **self._params(layer)) + self.offset)
        return inputs, zs

    def gradients(self, x: Array, labels: Array) -> tuple[float, list[Array]]:
        """Compute the loss and its gradient with respect to each of `weights`.

        Parameters
        ----------
        x : array_like
            Examples, of shape (examples, inputs).
        labels : array_like of int
            The class of each example, of shape (examples,), or what the loss takes instead.

        Returns
        -------
        loss : float
            Mean over the examples.
        gradients : list of array
            In the order, and of the shapes, of `weights`.
        """
        inputs, zs = self.forward(x)
        loss, arriving, deltas = self._backward(zs, labels)
        gradients: list[Array] = []
        passed = zip(self.layers, inputs, zs, arriving, deltas, strict=True)
        for layer, entered, z, upstream, delta in passed:
            gradients += [entered.T @ delta, delta.sum(axis=0)]
            if layer is not self.layers[-1]:
                params, vjp = self._params(layer), self.activation.vjp
                gradients += [vjp(z, upstream, **params, wrt=name) for name in self.partials]
        return loss, gradients

    def deltas(self, x: Array, labels: Array) -> list[Array]:
        """Compute the gradient of the loss with respect to the pre-activations of each layer.

        Parameters
        ----------
        x, labels : array_like
            As for `gradients`.

        Returns
        -------
        list of array
            For each layer, of shape (examples, units). Their sums over the examples are the
            gradients of the biases.
        """
        _, zs = self.forward(x)
        _, _, deltas = self._backward(zs, labels)
        return deltas

    def fit(
        self,
        x: Array,
        labels: Array,
        batches: Iterable[Array],
        *,
        rate: float | None = None,
        decay: Mapping[str, float] | None = None,
        optimiser: Optimiser | None = None,
    ) -> Array:
        """Train by stochastic gradient descent, one step for each batch.

        Parameters
        ----------
        x, labels : array_like
            As for `gradients`.
        batches : iterable of array of int
            The rows of `x` that each step uses, for example from `mini_batches`.
        rate : float, optional
            Learning rate of plain gradient descent.
        decay : mapping of str to float, optional
            Weight decay of arrays by their names in `layers`: with ``{"weight": 0.01}``, each step
            adds 0.01 times the weight to its gradient.
        optimiser : Optimiser, optional
            What takes the steps in its place, with a rate of its own, for example
            ``actlib.optimisers.Adam(0.01)``. It keeps its averages from one call to the next.

        Returns
        -------
        array
            The loss of each batch before its step.

        Raises
        ------
        TypeError
            If there is not just one of a rate and an optimiser.
        ValueError
            If `decay` names no array of a layer, or examples and labels do not match.

        Examples
        --------
        >>> import actlib, numpy as np
        >>> from actlib.network import Network, mini_batches
        >>> from actlib.optimisers import Descent
        >>> x, labels = np.array([[0.0], [1.0], [2.0], [3.0]]), [0, 0, 1, 1]
        >>> network = Network([1, 4, 2], actlib.tanh)
        >>> batches = mini_batches(4, 4, epochs=50)
        >>> losses = network.fit(x, labels, batches, optimiser=Descent(0.1, momentum=0.9))
        >>> network.accuracy(x, labels)
        1.0
        """
        if rate is not None and optimiser is None:
            optimiser = Descent(rate)
        elif rate is not None or optimiser is None:
            raise TypeError("fit needs a rate, or an optimiser with a rate of its own, not both")
        x, labels = matched(x, labels)
        names = [name for layer in self.layers for name in layer]
        decay = dict(decay or {})
        if unknown := sorted(set(decay) - set(names)):
            raise ValueError(f"decay names no array of a layer: {', '.join(unknown)}")
        losses = []
        for rows in batches:
            loss, gradients = self.gradients(x[rows], labels[rows])
            for name, weight, gradient in zip(names, self.weights, gradients, strict=True):
                if name in decay:
                    gradient += decay[name] * weight
            optimiser.step(self.weights, gradients)
            losses.append(loss)
        return np.array(losses)

    def accuracy(self, x: Array, labels: Array) -> float:
        """Compute the fraction of examples whose largest logit is that of their class."""
        _, zs = self.forward(x)
        return accuracy(zs[-1], labels)

    def slopes(self, x: Array) -> list[Array]:
        """Compute the slope of the activation at every pre-activation of the hidden layers.

        Parameters
        ----------
        x : array_like
            Examples, of shape (examples, inputs).

        Returns
        -------
        list of array
            For each hidden layer, of shape (examples, units). A unit with slope 0 on every
            example is dead: no example changes its weights.
        """
        _, zs = self.forward(x)
        hidden = zip(self.layers[:-1], zs[:-1], strict=True)
        return [self.activation.grad(z, **self._params(layer)) for layer, z in hidden]

    def _backward(self, zs: list[Array], labels: Array) -> tuple[float, list[Array], list[Array]]:
        """The loss, and its gradients with respect to each f(z) and z, layer by layer."""
        loss, upstream = self.loss(zs[-1], labels)
        if np.shape(upstream) != zs[-1].shape:
            raise ValueError(
                f"the gradient of the loss must have the shape of the outputs, {zs[-1].shape}, "
                f"got {np.shape(upstream)}"
            )
        arriving, deltas = [upstream], [upstream]
        for layer, after, z in zip(
            self.layers[-2::-1], self.layers[:0:-1], zs[-2::-1], strict=True
        ):
            upstream = self.scale * (deltas[-1] @ after["weight"].T)
            arriving.append(upstream)
            deltas.append(self.activation.vjp(z, upstream, **self._params(layer)))
        return loss, arriving[::-1], deltas[::-1]

    def _params(self, layer: dict[str, Array]) -> dict[str, Array]:
        """The activation's parameters in this layer, learned and fixed, but for the defaults."""
        return {**self.fixed, **{name: layer[name] for name in self.partials}}


def accuracy(logits: Array, labels: Array) -> float:
    """Compute the fraction of examples whose largest logit is that of their class.

    Parameters
    ----------
    logits : array
        Of shape (examples, classes).
    labels : array_like of int
        The class of each example, of shape (examples,).

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        If the labels have another shape, or are no classes.

    Examples
    --------
    >>> import numpy as np
    >>> from actlib.network import accuracy
    >>> accuracy(np.array([[2.0, 1.0], [0.5, 3.0]]), [0, 0])
    0.5
    """
    return float(np.mean(logits.argmax(axis=1) == _checked(labels, logits)))


def cross_entropy(logits: Array, labels: Array) -> tuple[float, Array]:
    """Compute the cross-entropy of softmax probabilities, and its gradient.

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
    own = np.arange(len(logits)), _checked(labels, logits)
    log_p = log_softmax(logits)
    gradient = np.exp(log_p)
    gradient[own] = 0
    gradient[own] = -gradient.sum(axis=1)  # p - 1, not cancelled
    return float(-log_p[own].mean()), gradient / len(logits)


def squared_error(outputs: Array, targets: Array) -> tuple[float, Array]:
    """Compute the mean squared error of predicted numbers, and its gradient.

    Parameters
    ----------
    outputs : array
        Of shape (examples, 1).
    targets : array_like
        The number to predict for each example, of shape (examples,).

    Returns
    -------
    loss : float
        Mean over the examples of the squared difference.
    gradient : array
        Of the loss with respect to `outputs`.
    """
    targets = np.asarray(targets)
    if targets.shape != outputs.shape[:1] or not targets.size or outputs.shape[1] != 1:
        raise ValueError(
            "squared_error needs one output and one target for each of at least one example; "
            f"outputs have shape {outputs.shape}, targets {targets.shape}"
        )
    difference = outputs - targets[:, None]
    return float(np.mean(difference**2)), 2 * difference / len(targets)


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


def matched(x: Array, labels: Array) -> tuple[Array, Array]:
    """Examples and labels as arrays, if there are as many of one as of the other."""
    x, labels = np.asarray(x), np.asarray(labels)
    if x.shape[:1] != labels.shape[:1]:
        raise ValueError(
            "x and labels must be of the same examples; "
            f"x has shape {x.shape}, labels have shape {labels.shape}"
        )
    return x, labels
