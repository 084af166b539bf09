"""How training moves the weights of a model, layer by layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from actlib.diagnose.batches import batches
from actlib.diagnose.normalisation import run, told
from actlib.diagnose.places import layers, own_variables
from actlib.diagnose.restore import random_state, restored, variables
from actlib.health import norm


def weights(model: Any) -> dict[str, list[Any]]:
    """The weights that each layer learns, by its path; layers without are left out."""
    found = {
        path or layer.name: [v for v in own_variables(layer) if v.trainable]
        for path, layer in layers(model)
    }
    return {path: own for path, own in found.items() if own}


def values(model: Any) -> dict[str, list[np.ndarray]]:
    """The weights as they are now, by the path of their layer."""
    return {
        path: [np.array(tf.convert_to_tensor(weight)) for weight in own]
        for path, own in weights(model).items()
    }


def gradient_norms(model: Any, data: Any, batch_size: int) -> dict[str, float]:
    """The norm of the gradient of the loss at the weights of each layer, on the first batch.

    It is that of the loss which the model was compiled with, before anything is clipped. In half
    precision the loss is scaled meanwhile, as it is in training, and less where that overflows.

    Parameters
    ----------
    model : keras.Model
        A compiled model. It is left as it was.
    data : array, list or dict of arrays, tf.data.Dataset, keras.utils.PyDataset or iterable
        With targets.
    batch_size : int
        How many samples of an array are a batch.

    Returns
    -------
    dict of str to float
        By the path of the layer; empty where data have no targets or the model no loss.
    """
    with random_state():
        x, y, sample_weight = next(batches(data, batch_size))
    if y is None or getattr(model, "loss", None) is None:
        return {}
    with random_state(), restored(variables(model)), tf.GradientTape(persistent=True) as tape:
        y_pred = run(model, x, training=True)
        mode = told(model.compute_loss, training=True)
        loss = model.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, **mode)
    own = {path: [weight.value for weight in group] for path, group in weights(model).items()}
    scale = float(model.optimizer.scale_loss(1.0)) if model.optimizer else 1.0
    while True:
        upstream = tf.cast(scale, loss.dtype)
        gradients = tape.gradient(loss, own, upstream, unconnected_gradients="zero")
        norms = {path: norm(map(tf.convert_to_tensor, found)) for path, found in gradients.items()}
        if scale <= 1 or np.isfinite([*norms.values()]).all():
            return {path: size / scale for path, size in norms.items()}
        scale /= 2
