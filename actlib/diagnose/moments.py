"""Mean and variance of what passes, in memory that does not grow with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf


class Moments:
    """The mean and the variance of each column, of all rows that were added."""

    def __init__(self) -> None:
        self.n = 0
        self.mean = self.squares = np.zeros(())

    def add(self, values: Any) -> None:
        """Add the rows of a tensor, of shape (rows, columns)."""
        n, values = values.shape[0], tf.cast(values, tf.float64)
        if not n:
            return
        mean, variance = (part.numpy() for part in tf.nn.moments(values, axes=[0]))
        with np.errstate(invalid="ignore", over="ignore"):  # what is not finite stays so
            change = mean - self.mean
            self.squares = self.squares + n * variance + change**2 * n * self.n / (n + self.n)
            self.mean = self.mean + change * n / (n + self.n)
        self.n += n

    @property
    def variance(self) -> np.ndarray:
        """The variance of each column."""
        return self.squares / self.n

    def pooled(self) -> tuple[float, float]:
        """The mean and the standard deviation of all columns together."""
        with np.errstate(invalid="ignore", over="ignore"):
            variance = np.mean(self.squares) / self.n + np.var(self.mean)
            return float(np.mean(self.mean)), float(np.sqrt(variance))
