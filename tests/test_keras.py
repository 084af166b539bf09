"""Activations in Keras: the registry's numbers in every mode, saved, learned, and fused."""

from __future__ import annotations

import functools
import itertools
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import contract
import keras
import numpy as np
import pytest
import tensorflow as tf
from contract import VECTORS, result
from stored import POINTS

from actlib import REGISTRY
from actlib.check import check_activation, from_tensorflow, grid, measure
from actlib.keras import Activation, GatedUnit, activation

# Keras makes arrays of its variables in a way that NumPy is about to abandon.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.usefixtures("exact_values"),
]

Z = np.array(
    [-np.inf, -200, -85, -17, -3, -0.5, -0.0, 0, 1e-3, 0.5, 3, 17, 85, 200, np.inf, np.nan]
)
NAMES = sorted(REGISTRY.elementwise)
LEARNABLE = [name for name in NAMES if REGISTRY[name].spec.params]
each_name = pytest.mark.parametrize("name", NAMES)
XLA_FLUSHES = 2**10 * np.finfo(np.float32).tiny


def modes(f: Any) -> dict[str, Any]:
    return {"eager": f, "graph": tf.function(f), "XLA": tf.function(f, jit_compile=True)}


def value_and_gradient(f: Any, z: Any) -> Any:
    z = tf.convert_to_tensor(z)
    with tf.GradientTape() as tape:
        tape.watch(z)
        y = f(z)
    return y, tape.gradient(y, z)


# --- the numbers


@pytest.fixture(scope="module")
def found(mode: str, dtype: str) -> dict[str, Any]:
    """Value and gradient of every activation in a mode; a graph holds them all."""
    calls = {name: functools.partial(value_and_gradient, activation(name)) for name in NAMES}
    z = tf.constant(Z.astype(tf.as_dtype(dtype).as_numpy_dtype))
    if mode == "eager":
        return contract.attempts(calls, z)
    graph = functools.partial(tf.function, autograph=False, jit_compile=mode == "XLA")
    return contract.compiled_attempts(graph, calls, z)


# Of half precision, eager and graph differ by nothing but the rounding at the end.
@pytest.mark.parametrize(
    ("mode", "dtype"),
    [
        *itertools.product(["eager", "graph", "XLA"], ["float32", "float64"]),
        *itertools.product(["XLA"], ["float16", "bfloat16"]),
    ],
    scope="module",
)
@each_name
def test_numbers_are_the_registrys(found: dict[str, Any], name: str, mode: str, dtype: str) -> None:
    ours = REGISTRY[name]
    z = Z.astype(tf.as_dtype(dtype).as_numpy_dtype)
    rtol = {"float64": 1e-13, "float32": 1e-5, "float16": 2e-3, "bfloat16": 2e-2}[dtype]
    for got, right in zip(result(found, name), (ours(z), ours.grad(z)), strict=True):
        got, right = got.numpy().astype(float), right.astype(float)
        np.testing.assert_allclose(got, right, rtol, XLA_FLUSHES, err_msg=mode)


@each_name
def test_the_checker_finds_nothing_lost(name: str) -> None:
    report = check_activation(
        *from_tensorflow(activation(name)),
        exact=name,
        dtypes=["float32"],
        points=POINTS,
        skip={"-0.0": "of -0.0 and 0, TensorFlow's minimum takes now the one and now the other"},
    )
    # TensorFlow's kernels flush to zero what is close to the smallest normal number.
    ours = {"value": REGISTRY[name], "gradient": REGISTRY[name].grad}
    for finding in report.failed:
        assert finding.aspect in ("accuracy", "nothing lost")
        accuracy = report.accuracy[finding.of, "float32"]
        large = abs(ours[finding.of](accuracy.z)) > XLA_FLUSHES
        assert accuracy.errors[large].max() <= (4 if finding.of == "value" else 8)
        assert not accuracy.lost[large].any()


@each_name
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_second_derivatives(name: str, dtype: str) -> None:
    """By a tape around a tape; exact to 64 units, tails included, and nothing is lost."""
    f, spec = activation(name), REGISTRY[name].spec
    z = grid(dtype, {0.0, *spec.kinks_at()}, POINTS)
    x = tf.constant(z)
    with tf.GradientTape() as tape:
        tape.watch(x)
        _, first = value_and_gradient(f, x)
    got = tape.gradient(first, x, unconnected_gradients="zero").numpy()
    params = [param.default for param in spec.params.values()]
    found = measure(lambda *_: got, spec, ("z", "z"), z, params, 64.0)
    large = abs(found.exact) > 2**10 * np.finfo(dtype).tiny  # less is flushed to zero
    right = abs(found.exact) < np.finfo(dtype).max  # beyond that, infinity is
    assert np.isfinite(got[right]).all(), z[right][~np.isfinite(got[right])]
    assert found.errors[large].max(initial=0) <= 64
    assert not found.lost[large].any()


def test_second_derivatives_with_a_parameter() -> None:
    """Also the mixed one, of softplus, whose second derivative is declared."""
    z, beta = tf.constant([-1.0, 0.5], tf.float64), tf.constant(2.0, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch((z, beta))
        with tf.GradientTape() as inner:
            inner.watch(z)
            y = REGISTRY["softplus"](z, beta=beta)
        slope = inner.gradient(y, z)
    got = tape.gradient(slope, (z, beta))
    s = 1 / (1 + np.exp(-2 * z.numpy()))
    np.testing.assert_allclose(got[0], 2 * s * (1 - s))
    np.testing.assert_allclose(got[1], (z.numpy() * s * (1 - s)).sum())


@pytest.mark.parametrize("slope", [0.0, 1e-50, -0.5, 0.01])
def test_limits_hold_for_the_slope_that_was_chosen(slope: float) -> None:
    """Where it is zero, or zero in float32, 0 times infinity must not show."""
    for f in modes(activation("leaky_relu", slope=slope)).values():
        expected = REGISTRY["leaky_relu"](np.float32([-np.inf, np.inf, np.nan]), slope)
        np.testing.assert_array_equal(f(tf.constant([-np.inf, np.inf, np.nan])), expected)


@pytest.mark.parametrize("shape", [(), (0,), (2, 0), (3, 1, 2)])
def test_shapes(shape: tuple[int, ...]) -> None:
    z = np.full(shape, -2, np.float32)
    for call in modes(activation("elu")).values():
        assert call(z).shape == shape
    assert activation("relu")(np.arange(3)).dtype == keras.config.floatx()


def test_sizes_that_are_not_known_when_the_graph_is_made() -> None:
    layer = Activation("swish", shared_axes=[1])
    layer.build((None, None, 2))

    @tf.function(input_signature=[tf.TensorSpec([None, None, 2])])
    def gradients(z: Any) -> Any:
        with tf.GradientTape() as tape:
            y = layer(activation("gelu")(z))
        return tape.gradient(y, layer.trainable_weights)

    for rows, columns in [(1, 1), (5, 3), (0, 2)]:
        (gradient,) = gradients(np.ones([rows, columns, 2], np.float32))
        right = REGISTRY["swish"].partials["beta"](REGISTRY["gelu"](np.float32(1)))
        np.testing.assert_allclose(gradient, np.full((1, 2), rows * columns * right), rtol=1e-5)


@pytest.mark.parametrize("name", LEARNABLE)
def test_gradients_of_parameters_are_the_partials(name: str) -> None:
    z = np.linspace(-3, 3, 24, dtype=np.float32).reshape(2, 3, 4)
    upstream = np.cos(z)
    for shared in (None, (1,), (1, 2)):
        layer = Activation(name, shared_axes=shared)
        with tf.GradientTape() as tape:
            y = layer(tf.constant(z))
        got = tape.gradient(y, layer.trainable_weights, upstream)
        ours = REGISTRY[name]
        for key, gradient in zip(ours.spec.params, got, strict=True):
            right = (ours.partials[key](z) * upstream).sum((0, *(shared or ())), keepdims=True)[0]
            np.testing.assert_allclose(gradient, right, 1e-4, 1e-5)


@pytest.mark.parametrize("name", [key for key, f in VECTORS.items() if hasattr(f, "gate")])
def test_gated_units_are_those_of_vectors(name: str) -> None:
    z = np.random.default_rng(4).normal(scale=6, size=(5, 3, 8)).astype("float32")
    upstream = np.cos(z[..., :4])
    for mode, call in modes(GatedUnit(name)).items():
        x = tf.constant(z)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = call(x)
        np.testing.assert_allclose(y, VECTORS[name](z), 1e-5, 1e-30, err_msg=mode)
        right = VECTORS[name].vjp(z, upstream)
        np.testing.assert_allclose(tape.gradient(y, x, upstream), right, 2e-5, 1e-30, err_msg=mode)


# --- in models


KINDS = ["functional", "sequential"]


def build(kind: str) -> Any:
    inputs = keras.Input([4])
    if kind == "functional":
        y = activation("gelu")(keras.layers.Dense(5)(inputs))
        return keras.Model(inputs, Activation("prelu", initial=0.1)(y))
    dense = keras.layers.Dense(10, activation=activation("leaky_relu", slope=0.3))
    return keras.Sequential(
        [
            inputs,
            dense,
            GatedUnit("swiglu"),
            Activation("swish", regularizer="l2"),
            Activation("elu"),
        ]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_saved_cloned_and_from_config(kind: str, tmp_path: Path) -> None:
    model, x = build(kind), np.random.default_rng(1).normal(size=(3, 4)).astype("float32")
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(x), model(x))
    for other in (keras.models.clone_model(model), type(model).from_config(model.get_config())):
        other.set_weights(model.get_weights())
        np.testing.assert_array_equal(other(x), model(x))


def test_another_process_loads_what_was_saved(tmp_path: Path) -> None:
    paths = [str(tmp_path / f"{kind}.keras") for kind in KINDS]
    for kind, path in zip(KINDS, paths, strict=True):
        build(kind).save(path)
    code = (
        "import keras, sys, numpy as np, actlib.keras; "
        "x = np.ones([1, 4], 'float32'); "
        "print(*(keras.models.load_model(path)(x).shape for path in sys.argv[1:]))"
    )
    run = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True)
    assert run.stdout.count("(1, 5)") == len(KINDS), run.stderr


def test_a_subclassed_model() -> None:
    class Model(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = keras.layers.Dense(3, activation=activation("softplus"))
            self.prelu = Activation("prelu")

        def call(self, x: Any) -> Any:
            return self.prelu(self.dense(x))

    model = Model()
    model.compile("sgd", "mse")
    x = np.random.default_rng(2).normal(size=(64, 4))
    losses = model.fit(x, x[:, :3], epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert model.prelu.get_parameters()["alpha"].shape == (3,)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(policy: str) -> None:
    """The numbers are computed in float32: in float16 sigmoid's slope at 12 would be 0."""
    layers = [
        keras.layers.Dense(1, activation=activation("sigmoid"), dtype=policy, use_bias=False),
        Activation("softplus", dtype=policy),
    ]
    x = tf.constant([[12.0]])
    layers[0].build((None, 1))
    layers[0].set_weights([np.ones((1, 1), "float32")])
    with tf.GradientTape() as tape:
        y = layers[0](x)
    assert y.dtype.name == policy.removeprefix("mixed_")
    (gradient,) = tape.gradient(y, layers[0].trainable_weights)
    assert gradient.numpy() == pytest.approx(12 * 6.1442e-6, rel=0.01)
    with tf.GradientTape() as tape:
        y = layers[1](x)
    assert tape.gradient(y, layers[1].trainable_weights)[0].dtype == "float32"


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("own", [True, False])
def test_cross_entropy_after_a_sigmoid_uses_the_logits(own: bool, jit: bool) -> None:
    """At z = 20 and y = 0 the weight moves, by Keras's sigmoid and by this one."""
    last = activation("sigmoid") if own else "sigmoid"
    dense = keras.layers.Dense(1, activation=last, use_bias=False, kernel_initializer="ones")
    model = keras.Sequential([keras.Input([1]), dense])
    model.compile(keras.optimizers.SGD(0.01), "binary_crossentropy", jit_compile=jit)
    model.fit(np.full((1, 1), 20.0), np.zeros((1, 1)), verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], 1 - 0.01 * 20, rtol=1e-5)


# --- learning


@pytest.mark.parametrize(
    ("name", "key", "true", "start"),
    [("prelu", "alpha", 0.4, 0.1), ("swish", "beta", 2.0, 1.0)],
)
def test_a_known_parameter_is_recovered(name: str, key: str, true: float, start: float) -> None:
    z = np.random.default_rng(3).normal(scale=2, size=(512, 1)).astype("float32")
    layer = Activation(name, initial=start)
    model = keras.Sequential([keras.Input([1]), layer])
    model.compile(keras.optimizers.Adam(0.05), "mse")
    model.fit(z, REGISTRY[name](z, true), epochs=15, batch_size=32, verbose=0, shuffle=False)
    assert layer.get_parameters()[key].item() == pytest.approx(true, abs=0.01)


def test_a_parameter_stays_in_its_domain() -> None:
    layer = Activation("softplus", initial=0.1)
    model = keras.Sequential([keras.Input([1]), layer])
    model.compile(keras.optimizers.SGD(100.0), "mse")
    model.fit(np.ones((8, 1)), np.full((8, 1), 30.0), verbose=0)
    assert layer.get_parameters()["beta"].item() >= 0.0009


def test_shared_axes_may_be_counted_from_the_last() -> None:
    layer = Activation("elu", shared_axes=[-1, -3])
    layer.build((None, 4, 5, 3))
    assert layer.get_parameters()["alpha"].shape == (1, 5, 1)


def test_what_is_not_learned_stays() -> None:
    layer = Activation("elu", learned=[], initial=0.5)
    assert layer(np.float32([[-30.0]])).numpy() == -0.5
    assert layer.trainable_weights == []
    assert layer.get_parameters() == {}


def test_a_learned_parameter_may_be_named_by_itself() -> None:
    layer = Activation("elu", learned="alpha")
    assert layer.learned == ["alpha"]
    assert Activation.from_config(layer.get_config()).learned == ["alpha"]


# --- errors


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: activation("gelo"), ValueError, "did you mean gelu"),
        (lambda: activation("softmax"), ValueError, "acts on vectors"),
        (lambda: activation("elu", beta=1), TypeError, "no parameter 'beta'; it has: alpha"),
        (
            lambda: activation("softplus", beta=-1),
            ValueError,
            "beta must be a finite number above 0",
        ),
        (lambda: activation("relu")(tf.constant("x")), TypeError, "dtype string"),
        (lambda: Activation("relu"), ValueError, "no parameter to learn"),
        (lambda: GatedUnit("softmax"), ValueError, "no gated unit 'softmax'; it has: glu, reglu"),
        (lambda: GatedUnit("glu")(np.ones((2, 3))), ValueError, "must have an even size, got 3"),
        (lambda: Activation("elu", learned=["beta"]), ValueError, "learned names beta"),
        (lambda: Activation("elu", initial={"beta": 1}), ValueError, "initial names beta"),
        (lambda: Activation("softplus", initial=0), ValueError, "beta must be"),
        (lambda: Activation("elu").build((None, None, 3)), ValueError, "axis 1 of the input"),
        (
            lambda: Activation("elu", shared_axes=[2, 3]).build((None, 4, 3)),
            ValueError,
            "shared_axes names 3, but the input has 3 axes",
        ),
    ],
)
def test_wrong_calls(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_another_backend_is_refused() -> None:
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    run = subprocess.run(
        [sys.executable, "-c", "import actlib.keras"],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1
    assert "set the environment variable KERAS_BACKEND" in run.stderr
