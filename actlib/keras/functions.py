"""Functions for Keras's argument ``activation=``."""

from __future__ import annotations

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
        saved with the model.

    Raises
    ------
    ValueError
        If there is no such activation, or a parameter is outside its domain.
    TypeError
        If the activation has no such parameter.

    Examples
    --------
    >>> import keras
    >>> from actlib.keras import activation
    >>> layer = keras.layers.Dense(3, activation=activation("leaky_relu", slope=0.1))
    >>> activation("relu")(keras.ops.array([-1.0, 2.0])).numpy()
    array([0., 2.], dtype=float32)
    """
    return ActivationFunction(name, **params)


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

    def __init__(self, name: str, **params: float) -> None:
        self.name, self.params = name, params
        self.__name__ = name
        self._activation = REGISTRY.elementwise[name]
        spec = self._activation.spec
        self.values = dict(zip(spec.params, spec.values(**params), strict=True))

    def __call__(self, z: Any) -> Any:
        """Evaluate at a tensor; the result has its shape and dtype."""
        if isinstance(z, keras.KerasTensor):
            return keras.layers.Activation(self)(z)
        z = floating(z)
        y = self._activation(z, **self.values)
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
    """A tensor of a real floating dtype; integers become Keras's own."""
    z = tf.convert_to_tensor(z)
    if z.dtype.is_floating:
        return z
    if z.dtype.is_integer or z.dtype.is_bool:
        return tf.cast(z, keras.config.floatx())
    raise TypeError(f"z has dtype {z.dtype.name}; an activation takes real numbers")
