"""Where the first number is made that is not finite."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


class Origin:
    """Where the first number is made that is not finite.

    Attributes
    ----------
    found : str or None
        The place, in words; None as long as all numbers are finite.
    """

    def __init__(self) -> None:
        self.found: str | None = None

    def check(self, values: Any, where: str) -> None:
        """Look at some values, unless such a number was found before."""
        if self.found is None and (kind := _not_finite(values)):
            self.found = f"{where} ({kind})"

    def returned(self, layer: Any, path: str, result: Any) -> None:
        """Look at what a layer returns, and if that is not finite, at its weights."""
        if self.found is None and _not_finite(result):
            self.check(getattr(layer, "weights", ()), f"weights of {path}")
            self.check(result, f"result of {path}")


def _not_finite(values: Any) -> str | None:
    for value in tf.nest.flatten(values, expand_composites=True):  # such as ragged tensors
        if getattr(value, "dtype", None) is not None:
            value = tf.convert_to_tensor(value)
            if value.dtype.is_floating and not tf.reduce_all(tf.math.is_finite(value)):
                return "NaN" if tf.reduce_any(tf.math.is_nan(value)) else "infinity"
    return None
