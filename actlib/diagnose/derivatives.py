"""What the derivative at a place really is, whatever the framework makes of it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from actlib._core.registry import REGISTRY
from actlib._core.registry import Activation as Declared
from actlib.diagnose.places import Place
from actlib.keras import Activation, ActivationFunction

#: Where two functions are compared; a function with a bend beyond is not told apart.
POINTS = np.concatenate([-np.geomspace(30, 1e-3, 39), [0], np.geomspace(1e-3, 30, 39), [60]])
_COMMON = (0.01, 0.1, 0.2, 0.25, 0.3, 1.0)  # values that libraries have as defaults


@dataclass(frozen=True, eq=False)
class Exact:
    """The derivative of an activation as the registry has it.

    Parameters
    ----------
    activation : Activation
        An entry of the registry.
    params : mapping of str to float or tf.Tensor
        Its parameters, in their declared order.
    """

    activation: Declared[...]
    params: Mapping[str, Any] = field(default_factory=dict)
    method = "registry"
    noise = 0.0  # below which a derivative may be none

    @property
    def name(self) -> str:
        """The activation's name, with the parameters that are fixed and not the default."""
        known = self.activation.spec.params
        given = [
            f"{key}={value:g}"
            for key, value in self.params.items()
            if isinstance(value, float) and value != known[key].default
        ]
        return self.activation.__name__ + (f"({', '.join(given)})" if given else "")

    @property
    def straight(self) -> bool:
        """Whether it is the identity."""
        return self.activation.__name__ == "linear"

    def at(self, z: float) -> np.ndarray:
        """The value at a number, for all of its parameters."""
        return np.asarray(self.activation(np.float64(z), *map(np.asarray, self.params.values())))

    @property
    def kinks(self) -> list[float]:
        """Where it has no derivative, for parameters that are fixed."""
        spec = self.activation.spec
        fixed = {key: value for key, value in self.params.items() if isinstance(value, float)}
        if callable(spec.kinks) and len(fixed) < len(self.params):
            return []
        return list(spec.kinks_at(**fixed))

    def derivative(self, z: Any) -> Any:
        """The derivative at a tensor."""
        return self.activation.grad(z, **self.params)

    def largest(self) -> float:
        """The largest size of the derivative, for the least and the greatest of its parameters."""
        ends = [{float(np.min(value)), float(np.max(value))} for value in self.params.values()]
        return max(
            float(np.abs(self.activation.grad(POINTS, *chosen)).max())
            for chosen in itertools.product(*ends)
        )


@dataclass(frozen=True, eq=False)
class Estimated:
    """The derivative of an elementwise function that the registry does not have.

    Parameters
    ----------
    function : callable
        Takes a tensor and returns one of the same shape.
    name : str
        What it is called.
    """

    function: Callable[[Any], Any]
    name: str
    method = "finite differences"
    kinks = ()
    noise = 1e-2

    @property
    def straight(self) -> bool:
        """Whether its graph is a straight line."""
        y = _evaluated(self.function, (-1,))
        if not np.isfinite(y).all():
            return False
        line = np.interp(POINTS, POINTS[[0, -1]], y[[0, -1]])
        return np.allclose(y, line, rtol=1e-5, atol=1e-5 * np.abs(y).max())

    def at(self, z: float) -> np.ndarray:
        """The value at a number."""
        return np.asarray(self.function(tf.constant([[z]], tf.float32)))

    def derivative(self, z: Any) -> Any:
        """The central difference, in float32 or the dtype of a wider tensor."""
        z = z if z.dtype == tf.float64 else tf.cast(z, tf.float32)
        step = np.cbrt(np.finfo(z.dtype.as_numpy_dtype).eps) * tf.maximum(tf.abs(z), 1)
        above, below = z + step, z - step
        return (self.function(above) - self.function(below)) / (above - below)

    def largest(self) -> float:
        """The largest size of the derivative between -30 and 30, of those that are finite."""
        sizes = np.abs(self.derivative(tf.constant(POINTS, tf.float32)))
        return float(sizes[np.isfinite(sizes)].max(initial=0))


def rectifies(known: Exact | Estimated) -> bool:
    """Whether a function vanishes far below 0 and not above, as ReLU, GELU and softplus do."""
    return bool(np.all(np.abs(known.at(-60)) < 0.05) and np.all(known.at(60) > 1))


def exact(place: Place) -> Exact | Estimated | None:
    """How the derivative at a place is known; None of a function that is not elementwise."""
    layer, function = place.layer, place.function
    if isinstance(function, ActivationFunction):
        return Exact(REGISTRY.elementwise[function.name], function.values)
    if isinstance(layer, Activation):
        return Exact(REGISTRY.elementwise[layer.activation], layer.values)
    if isinstance(layer, keras.layers.PReLU):
        return Exact(REGISTRY.elementwise["prelu"], {"alpha": tf.convert_to_tensor(layer.alpha)})
    if not _elementwise(function):
        return None
    return _recognised(function, {*_COMMON, *_numbers(place)}) or Estimated(function, place.name)


def has_gradient(function: Callable[[Any], Any]) -> bool:
    """Whether the framework's gradient is anything but 0, as it is not for a sign or a rounding."""
    z = tf.constant(POINTS.reshape(1, -1), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(z)
        y = function(z)
    return bool(tf.reduce_any(tape.gradient(y, z, unconnected_gradients="zero") != 0))


def _evaluated(function: Callable[[Any], Any], shape: tuple[int, ...]) -> np.ndarray:
    y = function(tf.constant(POINTS.reshape(shape), tf.float32))
    if not y.dtype.is_floating:
        raise TypeError(f"the result has dtype {y.dtype.name}")
    return np.asarray(y, np.float64).ravel()


def _elementwise(function: Callable[[Any], Any]) -> bool:
    """Whether it makes no difference which elements of a matrix are in a row or a column."""
    try:
        wide, tall = (_evaluated(function, shape) for shape in ((4, -1), (-1, 4)))
    except Exception:  # whatever a function may raise that was made for something else
        return False
    return wide.shape == POINTS.shape == tall.shape and np.allclose(wide, tall, equal_nan=True)


def _recognised(function: Callable[[Any], Any], values: set[float]) -> Exact | None:
    """The entry of the registry that has the function's values."""
    expected = _evaluated(function, (-1,))
    z = POINTS.astype(np.float32)
    for activation in REGISTRY.elementwise.values():
        known = activation.spec.params
        choices = [sorted(filter(p.allows, {*values, p.default})) for p in known.values()]
        for chosen in itertools.product(*choices):
            if np.allclose(activation(z, *chosen), expected, rtol=1e-5, atol=1e-6):
                return Exact(activation, dict(zip(known, chosen, strict=True)))
    return None


def _numbers(place: Place) -> list[float]:
    """The numbers that an activation is called with, or its layer was made with."""
    return [float(x) for x in (*place.arguments, *vars(place.layer).values()) if _is_number(x)]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
