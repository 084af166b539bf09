"""Time a training step in Keras with actlib's activations and with Keras's own: keras_speed.py.

An MLP of four layers of 512 units, batches of 256, in graph mode on the CPU. The two kinds take
turns, so that what else the machine does weighs on both; printed is the ratio of the medians.
"""

import os
import time
from functools import partial

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0")

import keras
import numpy as np
import tensorflow as tf

from actlib.keras import Activation, activation

ROUNDS, STEPS = 30, 10


def built_in(name):
    """Keras's own, as a function that makes a layer."""
    if name == "prelu":
        return keras.layers.PReLU
    if name == "leaky_relu":
        return lambda: keras.layers.LeakyReLU(negative_slope=0.01)
    return lambda: keras.layers.Activation(name)


def ours(name):
    return Activation(name) if name == "prelu" else keras.layers.Activation(activation(name))


def step(act):
    """A function that trains for some steps; `act` makes the layer of the activation."""
    layers = [keras.Input([512])]
    for _ in range(4):
        layers.append(keras.layers.Dense(512))
        layers.append(act())
    model = keras.Sequential([*layers, keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.SGD(0.01)
    optimizer.build(model.trainable_variables)
    rng = np.random.default_rng(0)
    x = tf.constant(rng.normal(size=(256, 512)), tf.float32)
    labels = tf.constant(rng.integers(10, size=256))

    @tf.function
    def train():
        for _ in tf.range(STEPS):
            with tf.GradientTape() as tape:
                value = loss(labels, model(x, training=True))
            optimizer.apply(tape.gradient(value, model.trainable_variables))

    train()
    return train


def timed(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main():
    for name in ("relu", "leaky_relu", "prelu", "sigmoid", "tanh", "gelu", "silu"):
        kinds = [step(partial(ours, name)), step(built_in(name))]
        times = np.array([[timed(kind) for kind in kinds] for _ in range(ROUNDS)])
        mine, other = np.median(times, axis=0) / STEPS * 1e3
        print(
            f"{name:12}{mine:7.2f} ms, Keras {other:7.2f} ms, ratio {mine / other:.2f}", flush=True
        )


if __name__ == "__main__":
    main()
