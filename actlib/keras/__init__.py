"""Activations in Keras models, with gradients that are right in the tails as well.

Needs the extra ``keras``: Keras on TensorFlow. `activation` is for any place where
Keras takes an activation; `Activation` is a layer whose parameters are learned,
`GatedUnit` one that lets a half of its input gate the other.

>>> import keras
>>> from actlib.keras import Activation, activation
>>> dense = keras.layers.Dense(3, activation=activation("gelu"))
>>> model = keras.Sequential([keras.Input([4]), dense, Activation("swish")])
>>> model.layers[-1].get_parameters()
{'beta': array([1., 1., 1.], dtype=float32)}
"""

from actlib._core.extras import extra

with extra("keras"):
    import keras

    if (_backend := keras.backend.backend()) != "tensorflow":
        raise ImportError(
            f"actlib.keras works with Keras on TensorFlow, but Keras runs on {_backend}; "
            'set the environment variable KERAS_BACKEND to "tensorflow" before Keras is imported'
        )

    from actlib.keras.functions import ActivationFunction, activation
    from actlib.keras.layers import Activation, GatedUnit

__all__ = ["Activation", "ActivationFunction", "GatedUnit", "activation"]
