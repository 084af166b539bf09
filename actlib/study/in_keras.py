"""The same network in Keras: it takes over the weights, trains, and gives them back."""

from __future__ import annotations

import os
from typing import Any

# Before TensorFlow is imported: silent, and the same sums in the same order on every machine.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import numpy as np

from actlib._core.arrays import Array
from actlib._core.extras import extra
from actlib.keras import Activation, activation
from actlib.network import Network
from actlib.study.data import Split
from actlib.study.trial import Epoch, Trial

with extra("keras"):
    import keras


def epochs(trial: Trial, network: Network, split: Split) -> Epoch:
    """What trains a network for an epoch, with Keras.

    Parameters
    ----------
    trial : Trial
        What to train.
    network : actlib.network.Network
        Where the initial weights come from, and the trained ones go.
    split : Split
        The examples.

    Returns
    -------
    callable
        Takes batches, arrays of row numbers, and returns the mean loss.
    """
    model = _model(trial, network)
    x, y = split.x.astype(np.float32), split.y

    def epoch(rows: Array) -> float:
        losses = [model.train_on_batch(x[batch], y[batch]) for batch in rows]
        for array, weight in zip(network.weights, model.trainable_weights, strict=True):
            array[...] = np.reshape(weight, array.shape)
        return float(np.mean(losses))

    return epoch


def _model(trial: Trial, network: Network) -> keras.Model:
    inputs, *_ = network.layers[0]["weight"].shape
    model = keras.Sequential([keras.Input([inputs])])
    for layer in network.layers:
        model.add(keras.layers.Dense(layer["weight"].shape[1]))
        if layer is not network.layers[-1]:
            model.add(_activation(trial))
            model.add(keras.layers.Rescaling(trial.scale, trial.offset))
    for array, weight in zip(network.weights, model.trainable_weights, strict=True):
        weight.assign(np.reshape(array, weight.shape))
    steps = optimiser(trial.optimiser)
    steps.learning_rate = trial.rate
    model.compile(steps, _loss(network), jit_compile=False)
    return model


def optimiser(name: str) -> keras.optimizers.Optimizer:
    """Keras's optimiser of a name.

    Parameters
    ----------
    name : str
        As ``keras.optimizers.get`` takes it.

    Returns
    -------
    keras.optimizers.Optimizer

    Raises
    ------
    ValueError
        If there is none, or not by its name alone.
    """
    try:
        return keras.optimizers.get(name)
    except (TypeError, ValueError) as error:
        raise ValueError(f"Keras makes no optimiser of {name!r}: {error}") from None


def _activation(trial: Trial) -> Any:
    params = dict(trial.params)
    if not trial.learned:
        return keras.layers.Activation(activation(trial.activation, **params))
    return Activation(trial.activation, trial.learned, shared_axes=[1], initial=params)


def _loss(network: Network) -> Any:
    outputs = network.layers[-1]["weight"].shape[1]
    if outputs == 1:
        return keras.losses.MeanSquaredError()
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
