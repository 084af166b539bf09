"""The weights that make pre-activations, of which the gain is made."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from actlib.diagnose.places import Place, at_end, is_whole, own_variables
from actlib.diagnose.restore import replaced

_L = keras.layers
#: Layers that are linear in one kernel; the separable ones are so if no two paths meet again.
_LINEAR = (
    *(_L.Conv1D, _L.Conv2D, _L.Conv3D, _L.EinsumDense),
    *(_L.Conv1DTranspose, _L.Conv2DTranspose, _L.Conv3DTranspose),
    *(_L.DepthwiseConv1D, _L.DepthwiseConv2D, _L.SeparableConv1D, _L.SeparableConv2D),
)


def squared_weights(place: Place) -> Any:
    """The sum of the squares of the weights that lead to each unit, on average over its places.

    Parameters
    ----------
    place : Place
        Where the units are evaluated.

    Returns
    -------
    ndarray or float
        By unit; 1 where a layer has no weights but those of its activation, NaN where it has such
        that are not known here.
    """
    layer = place.layer
    if is_whole(layer) or not isinstance(layer, keras.Layer) or not own_variables(layer):
        return 1.0
    if isinstance(layer, _L.Dense) and layer.quantization_mode in (None, "float8", "int8"):
        return tf.reduce_sum(tf.square(_kernel(layer)), 0).numpy()
    if not isinstance(layer, _LINEAR) or layer.quantization_mode:
        return np.nan
    if getattr(layer, "lora_enabled", False) or getattr(layer, "depth_multiplier", 1) > 1:
        return np.nan
    return _through_squares(place)


def _kernel(layer: Any) -> Any:
    """The kernel of a dense layer, or what it stands for if it is quantised to int8."""
    kernel = tf.cast(layer.kernel, tf.float32)
    return kernel / layer.kernel_scale if layer.quantization_mode == "int8" else kernel


def _through_squares(place: Place) -> Any:
    """What a linear layer makes of ones if its weights are squared: exact at the borders, too."""
    layer = place.layer
    squares = [
        tf.zeros_like(weight) if weight is layer.bias else tf.square(weight)
        for weight in layer.trainable_variables
    ]
    with replaced(layer, "activation", None):
        sums, _ = layer.stateless_call(
            squares,
            layer.non_trainable_variables,
            tf.ones((1, *place.input_shape[1:]), layer.compute_dtype),
        )
    sums = tf.cast(at_end(sums, place.unit_axis), tf.float32)
    return tf.reduce_mean(tf.reshape(sums, [-1, sums.shape[-1]]), 0).numpy()
