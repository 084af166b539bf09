"""What is counted at one place while data pass through, in memory that does not grow with them."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from actlib.diagnose.derivatives import Estimated, Exact
from actlib.diagnose.places import Place

SLICE = 2**20  # elements examined at a time
SAMPLE = 10_000  # activations kept for a histogram
FLOAT16_MAX = float(np.finfo(np.float16).max)


class Moments:
    """The mean and the variance of each column, of all rows that were added."""

    def __init__(self) -> None:
        self.n = 0
        self.mean = self.squares = np.zeros(())

    def add(self, values: Any) -> None:
        """Add the rows of a tensor, of shape (rows, columns)."""
        n, values = values.shape[0], tf.cast(values, tf.float64)
        mean, variance = (part.numpy() for part in tf.nn.moments(values, axes=[0]))
        with np.errstate(invalid="ignore", over="ignore"):  # what is not finite stays so
            change = mean - self.mean
            self.squares = self.squares + n * variance + change**2 * n * self.n / (n + self.n)
            self.mean = self.mean + change * n / (n + self.n)
        self.n += n

    def pooled(self) -> tuple[float, float]:
        """The mean and the standard deviation of all columns together."""
        with np.errstate(invalid="ignore", over="ignore"):
            variance = np.mean(self.squares) / self.n + np.var(self.mean)
            return float(np.mean(self.mean)), float(np.sqrt(variance))


class Tally:
    """Counts at one place, by unit.

    Parameters
    ----------
    place : Place
        Where the pre-activations come from.
    exact : Exact or Estimated
        How the derivative is known.
    flat : float
        Below which share of its largest value a derivative counts as flat.
    """

    def __init__(self, place: Place, exact: Exact | Estimated, flat: float) -> None:
        self.place, self.exact = place, exact
        self._function = place.function
        self._flat = flat * exact.largest()
        self.zero = self.flat = self.lost = self.at_kink = np.zeros((), int)
        self.slope_squares = np.zeros(())
        self.before, self.after = Moments(), Moments()
        self.largest = 0.0
        self.sample = np.zeros(0, np.float32)
        self.started = math.inf

    def add(self, z: Any) -> None:
        """Count a batch of pre-activations."""
        for part in _slices(tf.stop_gradient(z)):
            self._add(part)

    def _add(self, z: Any) -> None:
        with tf.GradientTape() as tape:
            tape.watch(z)
            y = self._function(z)
        gradient = tape.gradient(y, z, unconnected_gradients="zero")
        slope = self.exact.derivative(z)
        rows = self._rows
        size = rows(tf.abs(slope))
        self.zero = self.zero + _count(size == 0)
        self.flat = self.flat + _count(size < self._flat)
        bend = tf.zeros_like(size, tf.bool)  # where the derivative is a convention
        for kink in self.exact.kinks:
            bend |= rows(z) == kink
        self.at_kink = self.at_kink + _count(bend)
        smooth_and_steep = ~bend & (size > self._floor(slope.dtype))
        self.lost = self.lost + _count(smooth_and_steep & (rows(gradient) == 0))
        squares = tf.square(tf.cast(size, tf.float32))
        self.slope_squares = self.slope_squares + tf.reduce_sum(squares, 0).numpy()
        self.before.add(rows(z))
        self.after.add(rows(y))
        for values in (z, y):
            self.largest = np.fmax(self.largest, float(tf.reduce_max(tf.abs(values))))
        if not self.sample.size:
            self.started = time.monotonic()
            step = -(-int(tf.size(y)) // SAMPLE)
            self.sample = tf.cast(tf.reshape(y, [-1])[::step], tf.float32).numpy()

    def _floor(self, dtype: Any) -> float:
        """Below which size a derivative need not be more than zero."""
        return self.exact.noise or float(tf.experimental.numpy.finfo(dtype.as_numpy_dtype).tiny)

    def _rows(self, values: Any) -> Any:
        """One row for each time that a unit was evaluated, one column for each unit."""
        if self.place.unit_axis == 1:
            values = tf.experimental.numpy.moveaxis(values, 1, -1)
        return tf.reshape(values, [-1, values.shape[-1]])

    def gain(self) -> float:
        """By what factor the gradient's norm is multiplied on the way back, typically."""
        slopes = self.slope_squares / self.before.n
        kernel = self.place.kernel
        weights = 1.0
        if kernel is not None:
            square = tf.square(tf.cast(kernel, tf.float32))
            weights = tf.reduce_sum(square, list(range(len(kernel.shape) - 1))).numpy()
        return float(np.sqrt(np.mean(slopes * weights)))


def _slices(z: Any) -> Iterator[Any]:
    """A batch in parts along its first axis, each with few elements."""
    size = int(tf.size(z))
    if not z.shape.rank or size <= SLICE:
        yield z
        return
    rows = max(1, SLICE * z.shape[0] // size)
    for start in range(0, z.shape[0], rows):
        yield z[start : start + rows]


def _count(where: Any) -> np.ndarray:
    return np.asarray(tf.reduce_sum(tf.cast(where, tf.int32), 0), np.int64)
