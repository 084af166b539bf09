"""Functions for Keras's argument ``activation=``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from actlib._core.registry import REGISTRY


def activation(name: str, **params: float) -> ActivationFunction:
    """Make an activation function for Keras, whose gradient is ``actlib``'s own.

    Parameters
    ----------
    name : str
        A key of ``actlib.REGISTRY.elementwise``.
    **params : float
        Its parameters, where they are not to be the defaults.

    Returns
    -------
    ActivationFunction
        Callable with a tensor, for ``activation=`` of any layer and for the functional API. It is
        saved with the model. A ragged tensor stays ragged.

    Raises
    ------
    ValueError
        If there is no such activation, or a parameter is outside its domain.
    TypeError
        If the activation has no such parameter.

    Notes
    -----
    A model may be converted to TensorFlow Lite, which has all the operations needed. Its own
    interpreter is then as accurate as NumPy in float32: E, as `actlib.check.measure` has it, is at
    most 4, and nothing is lost. This holds for finite numbers; those below ``1.2e-35`` may become
    zero, an infinity the largest float32, and NaN a number. The converter makes the interpreter's
    own operation of the sigmoid, which is NaN beyond 1e19 on some processors (AVX-512).

    Examples
    --------
    >>> import keras
    >>> from actlib.keras import activation
    >>> layer = keras.layers.Dense(3, activation=activation("leaky_relu", slope=0.1))
    >>> activation("relu")(keras.ops.array([-1.0, 2.0])).numpy()
    array([0., 2.], dtype=float32)
    """
    return ActivationFunction(name, **params)


activation.autograph_info__ = {}  # type: ignore[attr-defined] # TensorFlow takes it as it is


@keras.saving.register_keras_serializable("actlib")
class ActivationFunction:
    """An activation with fixed parameters, as `activation` makes it.

    Parameters
    ----------
    name : str
        A key of ``actlib.REGISTRY.elementwise``.
    **params : float
        Its parameters.
    """

    autograph_info__: Mapping[str, Any] = {}  # TensorFlow takes it as it is

    def __init__(self, name: str, **params: float) -> None:
        self.name, self.params = name, params
        self.__name__ = name
        self._activation = REGISTRY.elementwise[name]
        spec = self._activation.spec
        self.values = dict(zip(spec.params, spec.values(**params), strict=True))

    def __call__(self, z: Any) -> Any:
        """Evaluate at a tensor; the result has its shape and dtype."""
        if isinstance(z, keras.KerasTensor):
            real = keras.backend.is_float_dtype(z.dtype)
            return keras.layers.Activation(self, dtype=z.dtype if real else None)(z)
        z = floating(z)
        y = evaluated(self._activation, z, self.values)
        if self.name == "sigmoid":
            y._keras_logits = z  # from which Keras computes cross-entropy, as after its own sigmoid
        return y

    def __repr__(self) -> str:
        """The call that makes it."""
        given = "".join(f", {key}={value!r}" for key, value in self.params.items())
        return f"activation({self.name!r}{given})"

    def get_config(self) -> dict[str, Any]:
        """What Keras saves."""
        return {"name": self.name, **self.params}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> ActivationFunction:
        """Make it of what Keras has saved."""
        return cls(**config)


def floating(z: Any) -> Any:
    """A tensor of a real floating dtype, ragged if it was; integers become Keras's own."""
    z = z if isinstance(z, tf.RaggedTensor) else tf.convert_to_tensor(z)
    if z.dtype.is_floating:
        return z
    if z.dtype.is_integer or z.dtype.is_bool:
        return tf.cast(z, keras.config.floatx())
    raise TypeError(f"z has dtype {z.dtype.name}; an activation takes real numbers")


def evaluated(function: Callable[..., Any], z: Any, values: Mapping[str, Any]) -> Any:
    """A function of a tensor and of parameters, numbers or tensors; a ragged one stays so."""
    if not isinstance(z, tf.RaggedTensor):
        return function(z, **values)
    alike = {
        key: value * tf.ones_like(z, value.dtype) if tf.is_tensor(value) else value
        for key, value in values.items()
    }
    return tf.ragged.map_flat_values(function, z, **alike)
