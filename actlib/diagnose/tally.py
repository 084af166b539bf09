"""What is counted at one place while data pass through, in memory that does not grow with them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from actlib.diagnose.calling import rows
from actlib.diagnose.derivatives import Estimated, Exact
from actlib.diagnose.gain import squared_weights
from actlib.diagnose.moments import Moments
from actlib.diagnose.places import Place, at_end

SLICE = 2**20  # elements examined at a time
SAMPLE = 10_000  # activations kept for a histogram
FLOAT16_MAX = float(np.finfo(np.float16).max)


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
        self._weights = squared_weights(place)
        self._flat = flat * exact.largest()
        self.zero = self.flat = self.lost = self.at_kink = np.zeros((), int)
        self.slope_squares = self.sizes = np.zeros(())
        self.before, self.after = Moments(), Moments()
        self.largest = 0.0
        self.sample = np.zeros(0, np.float32)

    def add(self, z: Any, mask: Any = None) -> None:
        """Count a batch of pre-activations, all of them or those at which a mask is true."""
        if self.place.unit_axis == 1:
            mask = None  # Keras masks steps, of which there are none where channels come first
        for part in _slices(z.shape.as_list()):
            self._add(tf.stop_gradient(z[part]), None if mask is None else mask[part])

    def _add(self, z: Any, mask: Any) -> None:
        with tf.GradientTape() as tape:
            tape.watch(z)
            y = self._function(z)
        gradient = tape.gradient(y, z, unconnected_gradients="zero")
        slope = self.exact.derivative(z)
        z, y, gradient, slope = (
            rows(at_end(values, self.place.unit_axis), mask) for values in (z, y, gradient, slope)
        )
        if not z.shape[0]:
            return
        size = tf.abs(slope)
        self.zero = self.zero + _count(size == 0)
        self.flat = self.flat + _count(size < self._flat)
        bend = tf.zeros_like(size, tf.bool)  # where the derivative is a convention
        for kink in self.exact.kinks:
            bend |= z == kink
        self.at_kink = self.at_kink + _count(bend)
        smooth_and_steep = ~bend & (size > self._floor(slope.dtype))
        self.lost = self.lost + _count(smooth_and_steep & (gradient == 0))
        squares = tf.square(tf.cast(size, tf.float32))
        self.slope_squares = self.slope_squares + tf.reduce_sum(squares, 0).numpy()
        self.before.add(z)
        self.after.add(y)
        self.sizes = self.sizes + tf.reduce_sum(tf.cast(tf.abs(y), tf.float64), 0).numpy()
        for values in (z, y):
            self.largest = np.fmax(self.largest, float(tf.reduce_max(tf.abs(values))))
        if not self.sample.size:
            step = -(-int(tf.size(y)) // SAMPLE)
            self.sample = tf.cast(tf.reshape(y, [-1])[::step], tf.float32).numpy()

    def _floor(self, dtype: Any) -> float:
        """Below which size a derivative need not be more than zero."""
        import ml_dtypes  # which comes with TensorFlow

        known = ml_dtypes.finfo(dtype.as_numpy_dtype)  # type: ignore[no-untyped-call]
        return self.exact.noise or float(known.tiny)

    def gain(self) -> float:
        """By what factor the gradient's norm is multiplied on the way back, typically.

        NaN where it is not known which weights make the pre-activation.
        """
        return float(np.sqrt(np.mean(self._weights * self.slope_squares / self.before.n)))


def _slices(shape: list[int]) -> Iterator[slice]:
    """Parts of a batch along its first axis, each with few elements."""
    rows = max(1, SLICE * shape[0] // max(math.prod(shape), 1))
    for start in range(0, shape[0], rows):
        yield slice(start, start + rows)


def _count(where: Any) -> np.ndarray:
    return np.asarray(tf.reduce_sum(tf.cast(where, tf.int32), 0), np.int64)
