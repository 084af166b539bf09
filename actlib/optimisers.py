"""What turns gradients into steps of the weights: gradient descent with momentum, and Adam.

They compute in the dtype of the weights.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from actlib._core.arrays import Array

__all__ = ["Adam", "Descent", "Optimiser"]


class Optimiser(Protocol):
    """What turns gradients into changes of the weights."""

    def step(self, weights: Sequence[Array], gradients: Sequence[Array]) -> None:
        """Change the weights in place."""


class Descent:
    """Gradient descent, with momentum if that is asked for.

    A weight moves against a running sum of its gradients, of which each step keeps a share. At a
    steady gradient, momentum 0.9 so comes to move ten times as far in a step.

    Parameters
    ----------
    rate : float
        Learning rate.
    momentum : float
        The share of the running sum that is kept, from 0 up to 1; with 0, each step follows the
        gradient alone.

    Raises
    ------
    ValueError
        If the momentum is out of its range.

    References
    ----------
    B. T. Polyak, Some methods of speeding up the convergence of iteration methods, 1964,
    https://doi.org/10.1016/0041-5553(64)90137-5

    Examples
    --------
    >>> import numpy as np
    >>> from actlib.optimisers import Descent
    >>> weight, optimiser = np.array([1.0]), Descent(0.1, momentum=0.5)
    >>> for _ in range(2):
    ...     optimiser.step([weight], [np.array([2.0])])
    >>> weight
    array([0.5])
    """

    def __init__(self, rate: float, momentum: float = 0.0) -> None:
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum must be from 0 up to 1, got {momentum}")
        self.rate, self.momentum = rate, momentum
        self.sums: Sequence[Array] = ()

    def step(self, weights: Sequence[Array], gradients: Sequence[Array]) -> None:
        """Change the weights in place, against the running sums of their gradients."""
        if self.momentum:
            before = self.sums or [0 * weight for weight in weights]
            pairs = zip(before, gradients, strict=True)
            gradients = self.sums = [self.momentum * kept + gradient for kept, gradient in pairs]
        for weight, gradient in zip(weights, gradients, strict=True):
            weight -= self.rate * gradient


class Adam:
    """Adam, which divides an average of the gradients by the root of an average of their squares.

    Parameters
    ----------
    rate : float
        Learning rate: about how far a weight moves in one step.
    epsilon : float
        Is added to the root. Gradients that are much smaller move a weight less.
    keras : bool
        Whether epsilon is added before the root is corrected for the start of the averages at 0,
        as in Keras, or after, as in PyTorch. In the first step, Keras's counts 32-fold.
    betas : tuple of float
        How much of each average is kept in a step.

    References
    ----------
    D. P. Kingma and J. Ba, Adam: A Method for Stochastic Optimization, 2015,
    https://arxiv.org/abs/1412.6980

    Examples
    --------
    >>> import numpy as np
    >>> from actlib.optimisers import Adam
    >>> weight, optimiser = np.array([1.0]), Adam(0.1)
    >>> optimiser.step([weight], [np.array([1e-3])])
    >>> weight.round(3)  # a small gradient moves it as far as a large one
    array([0.9])
    """

    def __init__(
        self,
        rate: float = 1e-3,
        epsilon: float = 1e-7,
        *,
        keras: bool = True,
        betas: tuple[float, float] = (0.9, 0.999),
    ) -> None:
        self.rate, self.epsilon, self.keras, self.betas = rate, epsilon, keras, betas
        self.steps = 0
        self.averages: list[tuple[Array, Array]] = []

    def step(self, weights: Sequence[Array], gradients: Sequence[Array]) -> None:
        """Change the weights in place, against the averages of their gradients."""
        self.averages = self.averages or [(0 * w, 0 * w) for w in weights]
        self.steps += 1
        first, second = (1 - beta**self.steps for beta in self.betas)
        epsilon = self.epsilon * (1 if self.keras else math.sqrt(second))
        rate = self.rate * math.sqrt(second) / first
        for weight, gradient, (mean, square) in zip(weights, gradients, self.averages, strict=True):
            number = weight.dtype.type
            keep, keep_squares = map(number, self.betas)
            mean += (1 - keep) * (gradient - mean)
            square += (1 - keep_squares) * (gradient * gradient - square)
            weight -= number(rate) * mean / (np.sqrt(square) + number(epsilon))
