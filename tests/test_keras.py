"""Activations in Keras: the registry's numbers in every mode, saved, learned, and fused."""

from __future__ import annotations

import compileall
import functools
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import contract
import keras
import numpy as np
import pytest
import tensorflow as tf
from contract import VECTORS, result
from stored import POINTS

import actlib
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
HALVES = np.float32([[1e30, np.inf, -np.inf, 2, -3, 0.5], [-1000, -1000, -1000, 1, -6, 40]])
GATED_UNITS = [key for key, f in VECTORS.items() if hasattr(f, "gate")]
each_name = pytest.mark.parametrize("name", NAMES)
FLUSHED = 2**10 * np.finfo(np.float32).tiny


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
WAYS = [
    *itertools.product(["eager", "graph", "XLA"], ["float32", "float64"]),
    *itertools.product(["XLA"], ["float16", "bfloat16"]),
]
QUICK = [("eager", "float64"), ("graph", "float32"), ("XLA", "bfloat16")]


@pytest.mark.parametrize(
    ("mode", "dtype"),
    [pytest.param(*way, marks=() if way in QUICK else pytest.mark.deep) for way in WAYS],
    scope="module",
)
@each_name
def test_numbers_are_the_registrys(found: dict[str, Any], name: str, mode: str, dtype: str) -> None:
    ours = REGISTRY[name]
    z = Z.astype(tf.as_dtype(dtype).as_numpy_dtype)
    rtol = {"float64": 1e-13, "float32": 1e-5, "float16": 2e-3, "bfloat16": 2e-2}[dtype]
    for got, right in zip(result(found, name), (ours(z), ours.grad(z)), strict=True):
        got, right = got.numpy().astype(float), right.astype(float)
        np.testing.assert_allclose(got, right, rtol, FLUSHED, err_msg=mode)


@pytest.mark.parametrize(
    "name", contract.deep_unless({"relu", "softplus", "gelu"}.__contains__, NAMES)
)
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
        large = abs(ours[finding.of](accuracy.z)) > FLUSHED
        assert accuracy.errors[large].max() <= (4 if finding.of == "value" else 8)
        assert not accuracy.lost[large].any()


@pytest.mark.parametrize(("name", "dtype"), [*contract.in_turn(NAMES, ["float32", "float64"])])
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


@pytest.mark.parametrize("name", GATED_UNITS)
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


@pytest.mark.parametrize("name", GATED_UNITS)
def test_gated_units_of_infinities_are_those_of_vectors(name: str) -> None:
    """Infinity times a gate that underflows to zero is an infinity, not NaN."""
    for mode, call in modes(GatedUnit(name)).items():
        y = call(HALVES.ravel())
        np.testing.assert_allclose(y, VECTORS[name](HALVES.ravel()), 1e-5, err_msg=mode)
    if name == "swiglu":
        assert GatedUnit(name)(np.float32([[np.inf, -1000]])).numpy() == -np.inf


# --- converted to TensorFlow Lite


def samples(name: str) -> list[dict[str, float]]:
    """The parameters that are tried, by name."""
    known = REGISTRY[name].spec.params
    chosen = itertools.product(*(param.samples for param in known.values()))
    return [dict(zip(known, values, strict=True)) for values in chosen]


CONVERTED = {
    f"{name}_{i}": (name, params) for name in NAMES for i, params in enumerate(samples(name))
}


INFINITE = np.float32([-np.inf, np.inf])
LOGISTIC = "logistic"  # TensorFlow Lite's own operation, of which the converter makes our sigmoid


def points_for(key: str) -> np.ndarray:
    """Where an activation is examined, then both infinities; the halves of gated units."""
    if key in GATED_UNITS:
        return HALVES.ravel()
    name, params = CONVERTED[key]
    rounded = {key: float(np.float32(value)) for key, value in params.items()}
    around = {0.0, *REGISTRY[name].spec.kinks_at(**rounded)}
    return np.concatenate([grid("float32", around, POINTS), INFINITE])


def layer_for(key: str) -> Any:
    if key == LOGISTIC:
        return keras.layers.Activation("sigmoid")
    if key in GATED_UNITS:
        return GatedUnit(key)
    name, params = CONVERTED[key]
    return Activation(name, initial=params) if params else keras.layers.Activation(activation(name))


@pytest.fixture(scope="module")
def lite(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """What one converted model with every activation and gated unit computes."""
    z = {key: points_for(key) for key in (*CONVERTED, *GATED_UNITS)}
    z |= {LOGISTIC: points_for("tanh_0")}
    inputs = {key: keras.Input([len(x)], batch_size=1, name=key) for key, x in z.items()}
    model = keras.Model(inputs, {key: layer_for(key)(x) for key, x in inputs.items()})
    path = str(tmp_path_factory.mktemp("model"))
    model.export(path, verbose=False)
    content = tf.lite.TFLiteConverter.from_saved_model(path).convert()
    with pytest.warns(UserWarning, match="deprecated"):  # its successor is a package of its own
        interpreter = tf.lite.Interpreter(model_content=content)
    run = interpreter.get_signature_runner("serving_default")
    return {key: y[0] for key, y in run(**{key: x[None] for key, x in z.items()}).items()}


@pytest.mark.deep
@pytest.mark.parametrize("key", CONVERTED)
def test_converted_models_are_as_accurate(lite: dict[str, np.ndarray], key: str) -> None:
    """The bound is NumPy's; what is near the smallest normal number is flushed to zero.

    The runtime's own logistic function is NaN beyond 1e19 on processors with AVX-512.
    """
    name, params = CONVERTED[key]
    z, got = points_for(key)[:-2], lite[key]
    found = measure(lambda *_: got[:-2], REGISTRY[name].spec, (), z, list(params.values()))
    size = abs(found.exact)
    ordinary = (np.minimum(size, abs(z)) > FLUSHED) & (size <= np.finfo("float32").max)
    if name == "sigmoid":
        undone = np.isnan(lite[LOGISTIC])
        ordinary &= abs(z) < abs(points_for("tanh_0")[undone]).min(initial=np.inf)
        assert np.count_nonzero(ordinary) > POINTS
    assert found.errors[ordinary].max(initial=0) <= 4, found.worst()
    assert not found.lost[ordinary].any(), found.worst()
    limits = REGISTRY[name](INFINITE, **params)
    assert_equal_up_to_the_largest(got[-2:], limits)


@pytest.mark.deep
@pytest.mark.parametrize("name", GATED_UNITS)
def test_converted_gated_units(lite: dict[str, np.ndarray], name: str) -> None:
    assert_equal_up_to_the_largest(lite[name], VECTORS[name](HALVES.ravel()))


def assert_equal_up_to_the_largest(got: np.ndarray, right: np.ndarray) -> None:
    """Of infinity, TensorFlow Lite may make the largest number."""
    largest = np.finfo("float32").max
    clipped = [np.clip(values, -largest, largest) for values in (got, right)]
    np.testing.assert_allclose(*clipped, rtol=1e-6)


# --- tensors of other kinds, and functions of the user's own


RAGGED = tf.RaggedTensor.from_row_lengths(
    np.linspace(-3, 3, 20, dtype=np.float32).reshape(5, 4), [2, 0, 3]
)


@pytest.mark.parametrize(
    ("layer", "ours"),
    [
        (keras.layers.Activation(activation("gelu")), REGISTRY["gelu"]),
        (Activation("prelu", shared_axes=[1]), REGISTRY["prelu"]),
        (Activation("softplus", shared_axes=[1], dtype="mixed_float16"), REGISTRY["softplus"]),
        (Activation("elu", learned=[], shared_axes=[1]), REGISTRY["elu"]),
        (GatedUnit("swiglu"), VECTORS["swiglu"]),
    ],
)
def test_a_ragged_tensor_stays_ragged(layer: Any, ours: Any) -> None:
    """As with Keras's own LeakyReLU and PReLU; also in a model, and with integers."""
    assert isinstance(keras.layers.LeakyReLU()(RAGGED), tf.RaggedTensor)
    model = keras.Sequential([keras.Input([None, 4], ragged=True), layer])
    rtol = 1e-5 if layer.compute_dtype == "float32" else 2e-3
    for y in (layer(RAGGED), model(RAGGED), tf.function(layer)(RAGGED)):
        assert isinstance(y, tf.RaggedTensor)
        np.testing.assert_array_equal(y.row_splits, RAGGED.row_splits)
        np.testing.assert_allclose(y.flat_values, ours(RAGGED.flat_values.numpy()), rtol)
    whole = tf.cast(RAGGED, tf.int32)
    np.testing.assert_allclose(layer(whole).flat_values, ours(whole.flat_values.numpy()), rtol)


def test_parameters_along_a_ragged_tensor() -> None:
    """Each channel has its own, and gets its gradient from all rows."""
    layer = Activation("prelu", shared_axes=[1])
    layer.build((None, None, 4))
    layer.set_weights([np.float32([[0.0, 0.1, 0.2, 0.3]])])
    with tf.GradientTape() as tape:
        y = layer(RAGGED)
        total = tf.reduce_sum(y.flat_values)
    z, alpha = RAGGED.flat_values.numpy(), np.float32([0.0, 0.1, 0.2, 0.3])
    np.testing.assert_allclose(y.flat_values, REGISTRY["prelu"](z, alpha), rtol=1e-6)
    right = REGISTRY["prelu"].partials["alpha"](z, alpha).sum(0, keepdims=True)
    (gradient,) = tape.gradient(total, layer.trainable_weights)
    np.testing.assert_allclose(tf.convert_to_tensor(gradient), right, rtol=1e-5)
    keras.optimizers.SGD(0.1).apply([gradient], layer.trainable_weights)
    np.testing.assert_allclose(layer.get_parameters()["alpha"], [alpha - 0.1 * right[0]], rtol=1e-5)


def test_a_mask_is_kept() -> None:
    """The steps that are padding do not count in a mean behind the layers."""
    embedding = keras.layers.Embedding(5, 8, mask_zero=True)
    layers = [GatedUnit("geglu"), Activation("prelu", shared_axes=[1])]
    gelu = keras.layers.Activation(activation("gelu"))
    mean = keras.layers.GlobalAveragePooling1D()
    model = keras.Sequential([keras.Input([None]), embedding, *layers, gelu, mean])
    padded, short = model(np.array([[1, 2, 0, 0]])), model(np.array([[1, 2]]))
    np.testing.assert_allclose(padded, short, rtol=1e-6)
    mask = tf.constant([[True, True, False]])
    z = tf.zeros([1, 3, 8])
    assert all(layer.compute_mask(z, mask) is mask for layer in layers)


@pytest.fixture
def warned(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], list[str]]]:
    """What AutoGraph has said; its logger keeps it from all others, and the tests silence it."""
    logger = tf.get_logger()
    caplog.set_level("WARNING", logger.name)
    logger.addHandler(caplog.handler)
    yield lambda: [message for message in caplog.messages if "AutoGraph" in message]
    logger.removeHandler(caplog.handler)


def own(f: Any) -> Any:
    """A decorator, as people write them."""

    @functools.wraps(f)
    def inner(x: Any, **options: Any) -> Any:
        return f(x, **options)

    return inner


IN_GRAPHS = {
    "activation": activation("gelu"),
    "with a parameter": activation("leaky_relu", slope=0.3),
    "learned": Activation("softplus", shared_axes=[1]),
    "gated": GatedUnit("geglu"),
    "a layer's call": Activation("hard_shrink", learned=[]).call,
    "in a lambda": lambda x: activation("mish")(x),
    "decorated": own(activation("elu").__call__),
    "function": REGISTRY["swish"],
    "slope": REGISTRY["selu"].grad,
    "partial": functools.partial(REGISTRY["prelu"].partials["alpha"], alpha=0.1),
    "both": lambda x: REGISTRY["softplus"].value_and_grad(x, beta=tf.ones(4)),
    "vectors": VECTORS["softmax"],
}


@pytest.mark.parametrize("kind", IN_GRAPHS)
def test_autograph_has_nothing_to_say(kind: str, warned: Callable[[], list[str]]) -> None:
    f = IN_GRAPHS[kind]

    @tf.function
    def users(x: Any) -> Any:
        if tf.reduce_sum(x) > 0:
            x = x / tf.reduce_sum(x)
        return f(x)

    users(tf.ones([3, 4]))
    tf.function(f)(tf.ones([3, 4]))
    assert warned() == []


@pytest.mark.deep
def test_autograph_does_not_read_the_package(tmp_path: Path) -> None:
    """It would warn of each function without a source, as in a program shipped without any."""
    shutil.copytree(Path(actlib.__file__).parent, tmp_path / "actlib")
    compileall.compile_dir(tmp_path / "actlib", quiet=1, legacy=True)
    for source in (tmp_path / "actlib").rglob("*.py"):
        source.unlink()
    script = tmp_path / "users.py"
    script.write_text("""
import actlib
import tensorflow as tf
from actlib.keras import Activation, GatedUnit, activation

@tf.function
def users(x):
    x = actlib.prelu(x, tf.ones(4)) + actlib.gelu.grad(x)
    return GatedUnit("geglu")(Activation("elu", learned=[])(activation("gelu")(x)))

users(tf.ones([3, 4]))
tf.function(actlib.softmax)(tf.ones([3, 4]))
tf.function(activation("mish"))(tf.ones([3, 4]))
""")
    run = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "0", "PYTHONPATH": ""},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert "AutoGraph" not in run.stderr


@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize` method:UserWarning")
@pytest.mark.parametrize("mode", ["int8", "float8"])
def test_a_quantized_model_keeps_its_activations(mode: str, tmp_path: Path) -> None:
    model, x = build("sequential"), np.random.default_rng(1).normal(size=(3, 4)).astype("float32")
    exact = model(x)
    model.quantize(mode)
    np.testing.assert_allclose(model(x), exact, atol=0.05)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(x), model(x))


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


@pytest.mark.deep
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


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_a_parameter_is_not_rounded_to_half_precision(policy: str) -> None:
    layer = Activation("prelu", initial=0.1, dtype=policy)
    half = tf.as_dtype(layer.compute_dtype).as_numpy_dtype
    z = -np.arange(1, 65).astype(half)[None]
    np.testing.assert_array_equal(layer(z), REGISTRY["prelu"](z, 0.1))


@pytest.mark.parametrize(
    ("policy", "result"),
    [("mixed_float16", "float16"), ("float16", "float16"), ("float64", "float64")],
)
def test_dtypes_are_known_before_the_numbers_are(policy: str, result: str) -> None:
    layers = [Activation("softplus", dtype=policy), GatedUnit("glu", dtype=policy)]
    for layer in layers:
        assert layer.compute_output_spec(keras.KerasTensor((5, 4))).dtype == result
        assert layer(np.ones((5, 4), "float32")).dtype == result
    symbolic = activation("gelu")(keras.Input([4], dtype=result))
    assert (symbolic.shape, symbolic.dtype) == ((None, 4), result)
    assert activation("gelu")(keras.Input([4], dtype="int32")).dtype == "float32"


@pytest.mark.parametrize(
    "policy",
    contract.deep_unless(
        "mixed_float16".__eq__, ["mixed_float16", "float16", "bfloat16", "float64"]
    ),
)
@pytest.mark.parametrize("jit", [False, True])
def test_training_in_every_precision(policy: str, jit: bool) -> None:
    dense = keras.layers.Dense(8, activation=activation("gelu"), dtype=policy)
    layers = [GatedUnit("swiglu", dtype=policy), Activation("softplus", dtype=policy)]
    model = keras.Sequential([keras.Input([4]), dense, *layers])
    model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=jit)
    x = np.random.default_rng(2).normal(size=(64, 4))
    losses = model.fit(x, x + 3, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


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


@pytest.mark.parametrize(
    ("axes", "shape"),
    [
        ([-1, -3], (1, 5, 1)),
        ([1, 2], (1, 1, 3)),
        (np.array([1, 2]), (1, 1, 3)),
        ((axis for axis in (2, -1)), (4, 1, 1)),
        (1, (1, 5, 3)),
        (np.int64(-1), (4, 5, 1)),
        ([], (4, 5, 3)),
        (None, (4, 5, 3)),
    ],
)
def test_shared_axes(axes: Any, shape: tuple[int, ...]) -> None:
    layer = Activation("elu", shared_axes=axes)
    layer.build((None, 4, 5, 3))
    assert layer.get_parameters()["alpha"].shape == shape
    other = Activation.from_config(json.loads(json.dumps(layer.get_config())))
    assert other.shared_axes == layer.shared_axes


def test_an_input_of_another_shape_is_refused() -> None:
    """Along axes that are not shared; else a parameter might broadcast unnoticed."""
    layer = Activation("prelu", shared_axes=[1])
    layer.build((None, 5, 1))
    assert layer(np.ones((2, 7, 1), "float32")).shape == (2, 7, 1)
    for shape in [(2, 7, 3), (2, 1)]:
        with pytest.raises(ValueError, match="incompatible with the layer"):
            layer(np.ones(shape, "float32"))


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
        (
            lambda: Activation("elu", shared_axes=[-4]).build((None, 4, 3)),
            ValueError,
            "shared_axes names -4, but the input has 3 axes",
        ),
        (lambda: Activation("elu", shared_axes=[0, 1]), ValueError, "names 0, the batch"),
        (
            lambda: Activation("elu", shared_axes=-3).build((None, 4, 3)),
            ValueError,
            "names -3, the batch, along which a parameter is always shared; leave it out",
        ),
        (lambda: Activation("elu", shared_axes=[1, 1]), ValueError, "names 1 twice"),
        (
            lambda: Activation("elu", shared_axes=[1, -2]).build((None, 4, 3)),
            ValueError,
            "shared_axes names 1 twice",
        ),
        *[
            (
                functools.partial(Activation, "elu", shared_axes=axes),
                TypeError,
                "elu: shared_axes must be whole numbers, got ",
            )
            for axes in (
                *("1", [1.5], np.array([1.0]), np.array(1), [[1, 2]], {"alpha": 1}, [None]),
                *(True, False, [True], 1.0),
            )
        ],
        (
            lambda: Activation("elu", initial="x"),
            TypeError,
            "elu: alpha must be a real number, got",
        ),
        (lambda: Activation("elu", initial=[1, 2]), TypeError, "elu: alpha must be a real number"),
        (lambda: Activation("elu", learned=True), TypeError, "elu: learned must be names of param"),
        (lambda: GatedUnit(["glu"]), ValueError, "actlib has no gated unit .'glu'."),
        (lambda: Activation("softplus", learned=["beta"] * 2), ValueError, "names beta twice"),
        (
            lambda: GatedUnit("glu")(keras.Input([None])),
            ValueError,
            "glu: the last axis of the input must have a fixed size",
        ),
        (lambda: GatedUnit("glu")(np.float32(3)), ValueError, "expected min_ndim=1"),
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
