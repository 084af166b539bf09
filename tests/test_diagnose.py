"""Dead, saturated and lost units: models in which they are known, of every kind and data."""

from __future__ import annotations

import dataclasses
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner
from keras import layers

from actlib import diagnose, gelu_tanh, relu, sigmoid
from actlib.__main__ import main
from actlib.diagnose.advice import SECTIONS
from actlib.diagnose.places import layers as all_layers
from actlib.keras import Activation, GatedUnit, activation

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

#: For one input in [-1, 1]: how its units turn out, if they are ReLU, sigmoid.
X = np.linspace(-1, 1, 101, dtype=np.float32).reshape(-1, 1)


def model_of(f: Any, biases: list[float], slopes: Any = 1.0) -> keras.Model:
    """One layer: unit k has the pre-activation ``slopes[k] * x + biases[k]``."""
    dense = layers.Dense(len(biases), activation=f, name="hidden")
    model = keras.Sequential([keras.Input([1]), dense])
    dense.set_weights([np.broadcast_to(slopes, (1, len(biases))), np.array(biases)])
    return model


def only(model: keras.Model, data: Any = X, **options: Any) -> diagnose.Finding:
    (finding,) = diagnose.inspect(model, data, **options).findings
    return finding


# --- what is counted


def test_dead_units() -> None:
    finding = only(model_of("relu", [-3, -1, -0.99, 0, 2]))
    assert (finding.activation, finding.method) == ("relu", "registry")
    assert (finding.units, finding.dead, finding.saturated, finding.lost) == (5, 2, 1, 0)


def test_a_unit_that_fires_once_in_the_last_batch_is_not_dead() -> None:
    x = np.full((1000, 1), -1, np.float32)
    assert only(model_of("relu", [0]), x, batch_size=64).dead == 1
    x[-1] = 1
    assert only(model_of("relu", [0]), x, batch_size=64).dead == 0


def test_saturated_units() -> None:
    """A sigmoid's slope is below 1% of its maximum beyond |z| = 5.99."""
    model = model_of("sigmoid", [-7, 7, 6.5, 0])
    z = X + np.array([-7, 7, 6.5, 0])
    flat = (sigmoid.grad(z) < 0.01 / 4).mean(axis=0)
    assert only(model).saturated == (flat >= 0.95).sum() == 2
    assert only(model, share=0.7).saturated == (flat >= 0.7).sum() == 3
    assert only(model, flat=0.5).saturated == 3


def test_lost_units() -> None:
    """TensorFlow's s (1 - s) is zero in float32 from z = 16.64 on, where the slope is 6e-8."""
    model = model_of("sigmoid", [20, 15.7, 0, -20])
    z = np.float32(X + np.array([20, 15.7, 0, -20]))
    one = 1 / (1 + np.exp(-z)) == 1
    finding = only(model)
    assert (finding.lost, finding.dead) == (1, 0)
    assert finding.lost_share == pytest.approx(one.mean(), abs=2e-3)
    assert 0 < one[:, 1].mean() < 0.05
    assert only(model, share=0.01).lost == 2
    assert only(model_of(activation("sigmoid"), [20, 15.7, 0, -20])).lost == 0


def test_a_gradient_that_was_cut_is_lost() -> None:
    def cut(z: Any) -> Any:
        return tf.stop_gradient(tf.nn.tanh(z)) + 0 * z

    assert only(model_of(cut, [0, 1])).lost == 2
    assert only(model_of(lambda z: tf.stop_gradient(z * tf.abs(z)), [1.5])).lost == 1


def test_dormant_units() -> None:
    """GELU is never exactly dead; at a mean pre-activation of -3 it is nearly silent."""
    biases = [-3, -0.5, 0, 2]
    model = model_of("gelu", biases)
    sizes = np.abs(gelu_tanh(X + np.array(biases, np.float32))).mean(axis=0)
    scores = sizes / sizes.mean()
    assert scores[0] < 0.025 < scores[1]
    finding = only(model)
    assert (finding.dormant, finding.dead) == (1, 0)
    assert only(model, dormant=float(scores[1]) + 1e-3).dormant == 2
    assert only(model, dormant=0.0).dormant == 0


@pytest.mark.parametrize("f", ["relu", "gelu", "silu", "softplus", "relu6", "hard_silu"])
def test_all_units_of_a_silent_layer_are_dormant(f: str) -> None:
    assert only(model_of(f, [-99, -200])).dormant == 2
    assert only(model_of(f, [-99, -200, 9])).dormant == 2


@pytest.mark.parametrize("f", ["tanh", "sigmoid", "elu", "leaky_relu", "hard_sigmoid", "softsign"])
def test_units_that_are_no_rectifiers_are_not_called_dormant(f: str) -> None:
    diagnosis = diagnose.inspect(model_of(f, [0, -99]), X, per_unit=True)
    assert diagnosis.findings[0].dormant is None
    assert diagnosis.to_frame()["dormant"].isna().all()
    assert "dormant" not in diagnosis.units_frame()


def test_inputs_at_a_kink() -> None:
    x = np.array([[0.0], [0.0], [1.0], [-1.0]], np.float32)
    finding = only(model_of("relu", [0, 5]), x)
    assert finding.at_kink == 2 / 8
    assert finding.lost == 0


def test_a_convention_at_a_kink_loses_nothing() -> None:
    """Keras's PReLU has the derivative 0 at 0, the registry alpha; both are allowed."""
    layer = layers.PReLU(alpha_initializer=keras.initializers.Constant(0.25))
    model = keras.Sequential([keras.Input([1]), layer])
    finding = only(model, np.zeros((4, 1), np.float32))
    assert (finding.lost, finding.dead, finding.at_kink) == (0, 0, 1)


def test_moments_and_gain() -> None:
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(999, 5)).astype("f"), rng.normal(size=(5, 7)).astype("f")
    model = keras.Sequential([keras.Input([5]), layers.Dense(7, activation="relu")])
    model.set_weights([kernel, np.full(7, 0.1)])
    z = x.astype(float) @ kernel + 0.1
    finding = only(model, x, batch_size=100)
    assert finding.pre_mean == pytest.approx(z.mean(), abs=1e-6)
    assert finding.pre_std == pytest.approx(z.std(), rel=1e-5)
    assert finding.mean == pytest.approx(relu(z).mean(), rel=1e-5)
    assert finding.std == pytest.approx(relu(z).std(), rel=1e-5)
    assert finding.float16_margin == pytest.approx(65504 / np.abs(z).max(), rel=1e-5)
    gradients = rng.normal(size=(999, 7))
    through = (gradients * (z > 0)) @ kernel.T
    measured = np.linalg.norm(through) / np.linalg.norm(gradients)
    assert finding.gain == pytest.approx(measured, rel=0.1)


L = layers
GAINS = {
    "dense": ((6,), L.Dense(40, activation="relu")),
    "dense of sequences": ((3, 6), L.Dense(40, activation="relu")),
    "convolution": ((9, 9, 2), L.Conv2D(5, 3, activation="relu")),
    "padded": ((5, 5, 2), L.Conv2D(6, 3, padding="same", activation="relu")),
    "strided": ((9, 9, 2), L.Conv2D(6, 3, strides=2, activation="relu")),
    "grouped": ((9, 9, 4), L.Conv2D(6, 3, groups=2, activation="relu")),
    "in one dimension": ((9, 3), L.Conv1D(6, 3, activation="relu")),
    "transposed": ((5, 5, 3), L.Conv2DTranspose(4, 3, activation="relu")),
    "transposed and strided": ((5, 5, 3), L.Conv2DTranspose(4, 3, 2, activation="relu")),
    "depthwise": ((9, 9, 3), L.DepthwiseConv2D(3, depth_multiplier=1, activation="relu")),
    "separable": ((9, 9, 3), L.SeparableConv2D(8, 3, activation="relu")),
    "einsum": ((4, 6), L.EinsumDense("abc,cf->abf", (4, 30), bias_axes="f", activation="relu")),
    "einsum with heads": ((4, 6), L.EinsumDense("abc,cfe->abfe", (4, 3, 8), activation="relu")),
}


@pytest.mark.parametrize("kind", GAINS)
def test_the_gain_is_that_of_a_gradient_on_its_way_back(kind: str) -> None:
    """Measured by sending random gradients through the layer."""
    shape, layer = GAINS[kind]
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input(shape), layer])
    x = tf.constant(np.random.default_rng(0).normal(size=(600, *shape)).astype("f"))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = model(x)
    sent = tf.random.normal(y.shape)
    measured = tf.norm(tape.gradient(y, x, output_gradients=sent)) / tf.norm(sent)
    assert only(model, x).gain == pytest.approx(float(measured), rel=0.04)


def test_the_gain_of_a_quantised_layer() -> None:
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(300, 16)).astype("f")
    model = keras.Sequential([keras.Input([16]), layers.Dense(8, activation="relu", name="d")])
    before = only(model, x).gain
    model.layers[0].quantize("int8")
    assert only(model, x).gain == pytest.approx(before, rel=0.02)


@pytest.mark.parametrize(
    ("shape", "layer", "mode"),
    [
        ((16,), L.Dense(8, activation="relu"), "int4"),
        ((4, 6), L.EinsumDense("abc,cf->abf", (4, 30), activation="relu"), "int8"),
        ((9, 9, 3), L.SeparableConv2D(8, 3, depth_multiplier=2, activation="relu"), None),
        ((4, 6), L.LSTM(3), None),
    ],
    ids=["int4", "einsum in int8", "separable with paths that meet", "recurrent"],
)
def test_a_gain_that_is_not_known_is_left_out(
    shape: tuple[int, ...], layer: Any, mode: str | None
) -> None:
    model = keras.Sequential([keras.Input(shape), layer])
    if mode:
        layer.quantize(mode)
    diagnosis = diagnose.inspect(model, np.ones((8, *shape), np.float32))
    assert diagnosis.to_frame()["gain"].isna().all()
    assert str(diagnosis).splitlines()[1].endswith(" -")


def test_an_activation_by_itself_has_the_gain_of_its_slopes() -> None:
    model = keras.Sequential([keras.Input([1]), layers.ReLU()])
    x = np.array([[-1.0], [-2.0], [-3.0], [4.0]], np.float32)
    assert only(model, x).gain == 0.5


def test_numbers_of_single_units() -> None:
    diagnosis = diagnose.inspect(model_of("relu", [-3, 0]), X, per_unit=True)
    frame = diagnosis.units_frame()
    assert list(frame["dead"]) == [True, False]
    assert list(frame["zero_share"]) == [1, 51 / 101]
    assert list(frame["pre_mean"]) == pytest.approx([-3, 0], abs=1e-6)
    with pytest.raises(ValueError, match="per_unit=True"):
        diagnose.inspect(model_of("relu", [-3, 0]), X).units_frame()


def test_batches_make_no_difference() -> None:
    model = model_of("gelu", [-3, 0, 2])
    one, many = only(model, batch_size=101), only(model, batch_size=7)
    for field in ("dead", "saturated", "lost", "pre_mean", "pre_std", "mean", "std", "gain"):
        assert getattr(one, field) == pytest.approx(getattr(many, field), abs=1e-6)


# --- which activations are seen


@pytest.mark.parametrize(
    ("f", "name"),
    [
        ("relu", "relu"),
        ("leaky_relu", "leaky_relu(slope=0.2)"),
        ("gelu", "gelu"),
        ("silu", "silu"),
        ("hard_silu", "hard_silu"),
        ("relu6", "relu6"),
        (tf.nn.tanh, "tanh"),
        (lambda z: 1 / (1 + tf.exp(-z)), "sigmoid"),
        (activation("swish", beta=2.0), "swish(beta=2)"),
    ],
)
def test_functions_are_recognised(f: Any, name: str) -> None:
    finding = only(model_of(f, [0]))
    assert (finding.activation, finding.method) == (name, "registry")


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        (layers.Activation("tanh"), "tanh"),
        (layers.ReLU(), "relu"),
        (layers.ReLU(max_value=6), "relu6"),
        (layers.ReLU(negative_slope=0.37), "leaky_relu(slope=0.37)"),
        (layers.LeakyReLU(negative_slope=0.1), "leaky_relu(slope=0.1)"),
        (layers.ELU(alpha=0.6), "elu(alpha=0.6)"),
        (layers.PReLU(), "prelu"),
        (Activation("swish"), "swish"),
        (layers.Activation(activation("mish")), "mish"),
        (layers.Dense(2, activation=layers.LeakyReLU(negative_slope=0.1)), "leaky_relu(slope=0.1)"),
    ],
)
def test_layers_are_recognised(layer: Any, name: str) -> None:
    model = keras.Sequential([keras.Input([2]), layer])
    assert only(model, np.ones((3, 2), np.float32)).activation == name


def test_a_learned_parameter_counts_as_it_is() -> None:
    layer = Activation("leaky_relu", initial=0.0)
    model = keras.Sequential([keras.Input([3]), layer])
    x = np.full((5, 3), -1, np.float32)
    layer.set_weights([np.array([0.0, 0.1, 0.0])])
    assert only(model, x).dead == 2


def test_an_unknown_function_is_estimated_and_said_so() -> None:
    def plateau(z: Any) -> Any:
        return tf.clip_by_value(z, -0.3, 0.4) ** 3

    diagnosis = diagnose.inspect(model_of(plateau, [0, 3, -3, 0.1]), X)
    assert diagnosis.findings[0].method == "finite differences"
    assert diagnosis.findings[0].dead == 2
    assert "hidden: plateau is not in the registry" in remarks(diagnosis)


def test_a_function_of_vectors_is_not_judged() -> None:
    dense = layers.Dense(3, activation="softmax", name="out")
    model = keras.Sequential([keras.Input([1]), layers.Dense(4, activation="relu"), dense])
    diagnosis = diagnose.inspect(model, X)
    assert len(diagnosis.findings) == 1
    assert "out: its activation is not elementwise; it is not judged." in remarks(diagnosis)


# --- models of every kind


def test_a_feature_map_is_a_unit() -> None:
    conv = layers.Conv2D(3, 2, activation="relu", kernel_initializer="zeros")
    model = keras.Sequential([keras.Input([6, 6, 1]), conv])
    conv.set_weights([np.zeros((2, 2, 1, 3)), np.array([-1.0, 1.0, -2.0])])
    finding = only(model, np.ones((8, 6, 6, 1), np.float32))
    assert (finding.units, finding.dead, finding.n) == (3, 2, 8)


def test_a_recurrent_cell_is_judged_over_all_steps() -> None:
    """Gates: unit 0 of an LSTM is shut by its biases, the others are open a little."""
    lstm = layers.LSTM(2, name="lstm")
    model = keras.Sequential([keras.Input([5, 1]), lstm])
    bias = np.zeros((4, 2))  # input, forget, candidate, output
    bias[:, 0] = -50
    lstm.set_weights([np.zeros((1, 8)), np.zeros((2, 8)), bias.ravel()])
    gates, state = diagnose.inspect(model, np.ones((4, 5, 1), np.float32)).findings
    assert gates.layer == "lstm/lstm_cell.recurrent_activation"
    assert (gates.units, gates.saturated, gates.dead) == (2, 1, 0)
    assert (state.layer, state.activation) == ("lstm/lstm_cell", "tanh")


def test_nested_and_shared_layers() -> None:
    """A unit is dead if it is so wherever its layer is used."""
    shared = layers.Dense(2, activation="relu", name="shared")
    inside = keras.Sequential([keras.Input([1]), shared], name="inside")
    first, second = keras.Input([1]), keras.Input([1])
    outputs = layers.Concatenate()([inside(first), shared(second)])
    model = keras.Model([first, second], outputs)
    shared.set_weights([np.ones((1, 2)), np.array([-2.0, -2.0])])
    findings = diagnose.inspect(model, [X, X]).findings
    assert [(f.layer, f.dead) for f in findings] == [("inside/shared", 2)]
    assert diagnose.inspect(model, [X, X + 2]).findings[0].dead == 0


def test_many_inputs_by_name() -> None:
    a, b = keras.Input([1], name="a"), keras.Input([1], name="b")
    model = keras.Model({"a": a, "b": b}, layers.ReLU()(layers.Add()([a, b])))
    assert only(model, {"a": X, "b": X - 2}).dead == 1


class Subclassed(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.hidden = layers.Dense(3, activation="relu")
        self.blocks = [layers.Dense(3, activation="tanh"), GatedUnit("swiglu")]

    @tf.function
    def call(self, x: Any) -> Any:
        y = self.blocks[0](self.hidden(x))
        return self.blocks[1](tf.concat([y, y], axis=-1))


def test_a_subclassed_model_that_is_compiled() -> None:
    model = Subclassed()
    model(X)
    model.hidden.set_weights([np.ones((1, 3)), np.array([-2.0, 0.0, -2.0])])
    found = {f.activation: f for f in diagnose.inspect(model, X).findings}
    assert list(found) == ["relu", "tanh", "silu"]
    assert found["relu"].dead == 2


def test_a_saved_model(tmp_path: Path) -> None:
    model = model_of(activation("leaky_relu", slope=0.0), [-3, 0, -2])
    model.save(tmp_path / "model.keras")
    assert only(keras.saving.load_model(tmp_path / "model.keras")).dead == 2


def test_mixed_precision() -> None:
    dense = layers.Dense(3, activation="sigmoid", dtype="mixed_float16")
    model = keras.Sequential([keras.Input([1]), dense])
    dense.set_weights([np.array([[1, 0.5, 1]]), np.array([0.0, 9.0, -300.0])])
    finding = only(model)
    assert (finding.lost, finding.dead) == (1, 1)  # around 9, and where float16 has only 0
    assert finding.float16_margin == pytest.approx(65504 / 301, rel=1e-3)


class Frozen(keras.Model):
    """Its batch normalisation is told whether it is part of training, always the same."""

    def __init__(self, mode: bool | None) -> None:
        super().__init__()
        self.mode = mode
        self.norm, self.hidden = layers.BatchNormalization(name="norm"), layers.ReLU(name="relu")

    def call(self, x: Any, training: bool | None = None) -> Any:
        mode = training if self.mode is None else self.mode
        return self.hidden(self.norm(x, training=mode))


class Untold(Frozen):
    """Keras does not tell it that it is trained, as its call does not take that."""

    def call(self, x: Any) -> Any:
        return self.hidden(self.norm(x))


@pytest.mark.parametrize(
    ("model", "moves", "modes", "stale"),
    [
        (Frozen(None), True, {"training": 0, "use": 1}, ["norm"]),
        (Frozen(False), False, {"both": 1}, []),
        (Frozen(True), True, {"both": 0}, []),
        (Untold(None), False, {"both": 1}, []),
    ],
    ids=["as usual", "frozen", "never frozen", "untold"],
)
def test_statistics_are_those_that_training_takes(
    model: keras.Model, moves: bool, modes: dict[str, int], stale: list[str]
) -> None:
    """Whether Keras takes those of the batch is seen by whether it moves the others."""
    model(X)
    before = np.array(model.norm.moving_mean)
    found = diagnose.inspect(model, X - 50)
    np.testing.assert_array_equal(model.norm.moving_mean, before)
    model.compile(keras.optimizers.SGD(0.0), "mse")
    model.fit(X - 50, X, verbose=0)
    assert (np.array(model.norm.moving_mean) != before).any() == moves
    assert {finding.mode: finding.dead for finding in found.findings} == modes
    assert [layer.layer for layer in found.stale] == stale
    assert (
        ("Stale" in remarks(found)) == ("In training, each batch" in remarks(found)) == bool(stale)
    )


# --- numbers that are not finite


def three_layers() -> keras.Model:
    dense = [layers.Dense(2, activation="relu", name=name) for name in "abc"]
    return keras.Sequential([keras.Input([1]), *dense])


def test_the_origin_of_nan() -> None:
    model = three_layers()
    assert diagnose.inspect(model, X).origin is None
    x = X.copy()
    x[70] = np.nan
    assert diagnose.inspect(model, x, batch_size=10).origin == "the data (NaN)"
    kernel, bias = model.layers[1].get_weights()
    model.layers[1].set_weights([kernel, bias + np.nan])
    diagnosis = diagnose.inspect(model, X)
    assert diagnosis.origin == "weights of b (NaN)"
    assert "The first number that is not finite: weights of b (NaN)." in remarks(diagnosis)


def test_the_origin_of_an_infinity() -> None:
    model = three_layers()
    for layer in model.layers:
        layer.set_weights([np.full_like(layer.get_weights()[0], 1e30), np.ones(2)])
    diagnosis = diagnose.inspect(model, X)
    assert diagnosis.origin == "result of b (infinity)"
    assert diagnosis.findings[1].float16_margin == 0


# --- data of every kind


class Pairs(keras.utils.PyDataset):
    def __init__(self) -> None:
        super().__init__()

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> Any:
        return X[25 * index : 25 * index + 25], np.zeros(25)


@pytest.mark.parametrize(
    "data",
    [
        X[:100],
        X[:100].tolist(),
        (X[:100], np.zeros(100)),
        tf.constant(X[:100]),
        tf.data.Dataset.from_tensor_slices(X[:100]).batch(30),
        tf.data.Dataset.from_tensor_slices((X[:100], np.zeros(100))).batch(30),
        Pairs(),
        (X[i : i + 50] for i in (0, 50)),
    ],
    ids=["array", "list", "pair", "tensor", "dataset", "pairs", "PyDataset", "generator"],
)
def test_data_of_every_kind(data: Any) -> None:
    finding = only(model_of("relu", [-3, 0, -0.99]), data)
    assert (finding.dead, finding.n) == (2, 100)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ("x", TypeError, "data must be arrays, .* got str"),
        ((X, "y"), TypeError, "data must be arrays, .* got str"),
        (np.float32(1), ValueError, "hold a single number; the first axis must be the samples"),
        (X[:0], ValueError, "no samples"),
        ([], ValueError, "no samples"),
        (tf.data.Dataset.from_tensor_slices(X).batch(9).take(0), ValueError, "no samples"),
        (tf.data.Dataset.from_tensor_slices(X).repeat().batch(9), ValueError, "never ends"),
        ({"a": X, "b": X[1:]}, ValueError, "differ in length: .100, 101."),
        (3, TypeError, "data must be arrays, .* got int"),
        ((X, X[1:]), ValueError, "differ in length: .100, 101."),
    ],
)
def test_data_that_will_not_do(data: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        diagnose.inspect(model_of("relu", [0]), data)


def test_models_that_will_not_do() -> None:
    with pytest.raises(ValueError, match="not built; call it on a batch"):
        diagnose.inspect(keras.Sequential([layers.Dense(2, activation="relu")]), X)
    with pytest.raises(ValueError, match="no activation that could be judged"):
        diagnose.inspect(keras.Sequential([keras.Input([1]), layers.Dense(2)]), X)
    with pytest.raises(TypeError, match="must be a Keras model, got int"):
        diagnose.inspect(3, X)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"flat": 2}, "flat must be a share, above 0 and at most 1, got 2"),
        ({"share": 1.5}, "share must be a share, above 0 and at most 1, got 1.5"),
        ({"share": 0}, "share must be a share, above 0 and at most 1, got 0"),
        ({"share": float("nan")}, "share must be a share, above 0 and at most 1, got nan"),
        ({"dormant": -0.1}, "dormant must be a share, from 0 to 1, got -0.1"),
        ({"flat": "small"}, "flat must be a share, above 0 and at most 1, got 'small'"),
        ({"batch_size": 0}, "batch_size must be a whole number, at least 1, got 0"),
        ({"batch_size": 1.5}, "batch_size must be a whole number, at least 1, got 1.5"),
        ({"only": "hiden"}, "the model has no layer 'hiden'; did you mean hidden"),
    ],
)
def test_arguments_that_are_out_of_range(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        diagnose.inspect(model_of("relu", [0]), X, **options)


def test_single_layers_can_be_asked_for() -> None:
    model = three_layers()
    assert [f.layer for f in diagnose.inspect(model, X, only="b").findings] == ["b"]
    found = diagnose.inspect(model, X, only=["c", "a"]).findings
    assert [f.layer for f in found] == ["a", "c"]
    outer = keras.Sequential([keras.Input([1]), keras.Sequential([*model.layers], name="in")])
    assert len(diagnose.inspect(outer, X, only="in").findings) == 3
    assert len(diagnose.inspect(outer, X, only="in/b").findings) == 1


# --- the model comes back as it was


def everything(model: keras.Model) -> list[Any]:
    attributes = [dict(vars(layer)) for _, layer in all_layers(model)]
    return [*attributes, tf.config.functions_run_eagerly()]


def stops_midway(error: type[BaseException]) -> Iterator[np.ndarray]:
    yield X
    raise error("midway")


@pytest.mark.parametrize("error", [None, RuntimeError, KeyboardInterrupt])
def test_the_model_is_left_as_it_was(error: type[BaseException] | None) -> None:
    inner = layers.Dense(3, activation=activation("relu"))
    normed = [layers.BatchNormalization(), layers.Dropout(0.5), layers.PReLU()]
    model = keras.Sequential([keras.Input([1]), inner, *normed, layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(X, X, verbose=0)
    before, weights = everything(model), model.get_weights()
    train = model.train_function
    if error is None:
        diagnose.inspect(model, X)
    else:
        with pytest.raises(error, match="midway"):
            diagnose.inspect(model, stops_midway(error))
    assert everything(model) == before
    np.testing.assert_equal(model.get_weights(), weights)
    assert model.train_function is train
    assert np.isfinite(model.fit(X, X, verbose=0).history["loss"]).all()


def test_a_recurrent_state_is_left_as_it_was() -> None:
    lstm = layers.LSTM(2, stateful=True)
    model = keras.Sequential([keras.Input([5, 1], batch_size=4), lstm])
    model(np.ones((4, 5, 1)))
    before = [state.numpy().copy() for state in lstm.states]
    diagnose.inspect(model, -np.ones((8, 5, 1), np.float32), batch_size=4)
    np.testing.assert_equal([state.numpy() for state in lstm.states], before)


MEMORY = """
import resource, sys
import keras, numpy as np
from actlib import diagnose
batches = int(sys.argv[1])
dense = keras.layers.Dense(100_000, activation="sigmoid")
model = keras.Sequential([keras.Input([1]), dense])
x = np.zeros((64, 1), np.float32)
model(x)
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before = peak()
diagnose.inspect(model, (x for _ in range(batches)))
print(peak() - before)
"""


@pytest.mark.deep
def test_memory_does_not_grow_with_the_data() -> None:
    """A layer of 1e5 units, batches of 64, 26 MB each: the peak above the model's, in MB.

    Ten times the data take less than a tenth of what keeping it would, whatever is freed when.
    """
    peaks = [
        float(
            subprocess.run(
                [sys.executable, "-c", MEMORY, str(batches)],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for batches in (4, 40)
    ]
    assert peaks[1] < 300
    assert peaks[1] < peaks[0] + 90


# --- what it says


def test_the_report() -> None:
    diagnosis = diagnose.inspect(model_of("relu", [-3, 0]), X)
    lines = str(diagnosis).splitlines()
    heads = ["layer", "activation", "units", "dead", "dormant", "saturated", "lost", "(inputs)"]
    assert lines[0].split()[:8] == heads
    assert lines[1].split()[:8] == ["hidden", "relu", "2", "1", "1", "0", "0", "(0.0%)"]
    assert "101 samples." in lines
    assert "A unit called dead may still fire on up to 0.03 of all samples (3/n)." in lines
    assert diagnosis.bound == 3 / 101
    frame = diagnosis.to_frame()
    assert {"layer", "activation", "units", "dead", "saturated", "lost", "gain", "n"} <= {*frame}
    assert len(frame) == 1


def test_the_report_prints_on_a_terminal_that_has_only_ascii(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    diagnosis = diagnose.inspect(model_of("relu", [-3, 0]), X)
    assert "-3 ± 0.58" not in str(diagnosis)
    assert "-1.5 ± 1.6" in str(diagnosis)
    ascii_only = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", ascii_only)
    print(diagnosis)
    assert "-1.5 +- 1.6" in str(diagnosis)
    renamed = dataclasses.replace(diagnosis.findings[0], layer="couché")
    print(dataclasses.replace(diagnosis, findings=(renamed,)))
    ascii_only.flush()
    assert b"couch\\xe9" in ascii_only.buffer.getvalue()


def test_html_is_escaped() -> None:
    shown = diagnose.inspect(model_of(lambda z: z * tf.abs(z), [0]), X)._repr_html_()
    assert "&lt;lambda&gt;" in shown
    assert "<lambda>" not in shown


def test_the_table_is_what_a_prompt_shows_and_no_remark_is_wider_than_a_terminal() -> None:
    diagnosis = diagnose.inspect(model_of("sigmoid", [20, -9]), X)
    assert repr(diagnosis) == str(diagnosis)
    shown = str(diagnosis).split("\n\n")[1]
    assert max(map(len, shown.splitlines())) <= 88
    assert shown.replace("\n  ", " ").splitlines() == diagnosis.remarks()


def test_the_figure_shows_the_shares() -> None:
    ax = diagnose.inspect(model_of("relu", [-3, -2, -3, 0]), X).plot()
    assert [bar.get_width() for bar in ax.patches] == [75]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["dead"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["hidden"]


def remarks(diagnosis: diagnose.Diagnosis) -> str:
    return "\n".join(diagnosis.remarks())


def test_advice_for_what_was_found_and_nothing_else() -> None:
    assert "The book:" not in remarks(diagnose.inspect(model_of("relu", [0]), X))
    sick = remarks(diagnose.inspect(model_of("sigmoid", [20, -9]), X))
    assert "Saturated units: hidden (2 of 2). Try inputs scaled" in sick
    assert "a gradient of 0 from the framework where it is not: hidden (1 of 2). Try actlib" in sick
    assert "Dead units" not in sick


def test_one_line_of_advice_for_all_layers_that_need_it() -> None:
    model = keras.Sequential([keras.Input([1])])
    for name in ("first", "second"):
        model.add(layers.Dense(3, "relu", bias_initializer="ones", name=name))
    for layer in model.layers:
        layer.kernel.assign(tf.zeros_like(layer.kernel))
        layer.bias.assign([1, 0, -1])
    (line,) = [line for line in diagnose.inspect(model, X).remarks() if "Dead units" in line]
    assert "Dead units: first (2 of 3), second (2 of 3). Try a lower learning rate" in line


def test_dead_units_of_a_bounded_activation_need_smaller_inputs_and_no_leak() -> None:
    sick = remarks(diagnose.inspect(model_of("hard_sigmoid", [20]), X))
    assert "Dead units: hidden (1 of 1). Try inputs scaled" in sick
    assert "leak" not in sick
    assert "then a leak" in remarks(diagnose.inspect(model_of("relu", [-3]), X))
    assert "then a leak" in remarks(diagnose.inspect(model_of(keras.ops.relu, [-3]), X))


def test_advice_leads_to_where_the_book_shows_it() -> None:
    chapters = Path(__file__).parent.parent / "chapters"
    for chapter, label in SECTIONS.values():
        assert f"({label})=" in (chapters / f"{chapter}.ipynb").read_text(encoding="utf-8")


# --- the command


def files(folder: Path, **arrays: np.ndarray) -> list[str]:
    model_of("relu", [-3, 0]).save(folder / "model.keras")
    np.savez(folder / "data.npz", **arrays)
    return ["diagnose", str(folder / "model.keras"), str(folder / "data.npz")]


@pytest.mark.parametrize("arrays", [{"x": X}, {"anything": X}, {"x": X, "y": X}])
def test_the_command(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    done = CliRunner().invoke(main, [*files(tmp_path, **arrays), "--layer", "hidden"])
    assert (done.exit_code, done.exception) == (0, None)
    assert done.stdout == f"{diagnose.inspect(model_of('relu', [-3, 0]), X)}\n"


def test_the_command_gives_each_input_its_array(tmp_path: Path) -> None:
    a, b = keras.Input([1], name="a"), keras.Input([1], name="b")
    keras.Model([a, b], layers.ReLU()(layers.Subtract()([a, b]))).save(tmp_path / "m.keras")
    np.savez(tmp_path / "d.npz", b=X + 9, a=X)
    done = CliRunner().invoke(
        main, ["diagnose", str(tmp_path / "m.keras"), str(tmp_path / "d.npz")]
    )
    assert done.stdout.splitlines()[1].split()[1:4] == ["relu", "1", "1"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda command: [*command, "--layer", "nope"], "no layer 'nope'"),
        (lambda command: [*command, "--share", "1.5"], "share must be a share"),
        (lambda command: [command[0], "missing.keras", command[2]], "missing.keras"),
        (lambda command: [*command[:2], "missing.npz"], "missing.npz"),
        (lambda command: [command[0], "missing.h5", command[2]], "missing.h5 does not exist"),
        (lambda command: [command[0], command[2], command[2]], "data.npz holds no model"),
        (lambda command: [*command[:2], command[1]], "model.keras holds no array; call"),
    ],
    ids=["layer", "share", "model", "data", "model in HDF5", "no model", "no arrays"],
)
def test_what_the_command_refuses(tmp_path: Path, change: Any, message: str) -> None:
    done = CliRunner().invoke(main, change(files(tmp_path, x=X)))
    assert done.exit_code == 1
    assert message in done.stderr
    assert done.stderr.startswith("Error: ")


@pytest.mark.parametrize("content", [None, b"", b"junk"], ids=["directory", "empty", "junk"])
def test_the_command_tells_what_is_no_model_from_what_is_missing(
    tmp_path: Path, content: bytes | None
) -> None:
    command = files(tmp_path, x=X)
    file = tmp_path / "junk.keras"
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    done = CliRunner().invoke(main, [command[0], str(file), command[2]])
    assert done.stderr == f"Error: {file} is no model that Keras has saved\n"
    done = CliRunner().invoke(main, [command[0], f"{file}x", command[2]])
    assert done.stderr == f"Error: {file}x does not exist\n"


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array([{}]), "holds no arrays that NumPy has saved, or such of Python's own objects"),
        (np.float32(3), "a single number"),
    ],
    ids=["objects", "number"],
)
def test_the_command_does_not_advise_to_unpickle(
    tmp_path: Path, array: np.ndarray, message: str
) -> None:
    command = files(tmp_path, x=X)
    np.save(tmp_path / "data.npy", array, allow_pickle=True)
    done = CliRunner().invoke(main, [*command[:2], str(tmp_path / "data.npy")])
    assert message in done.stderr
    assert "pickle" not in done.stderr


def test_the_command_says_what_arrays_there_are(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, files(tmp_path, a=X, b=X))
    assert "data.npz holds a, b; call what the model takes x" in done.stderr


def test_the_command_finds_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files(tmp_path, x=X)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert CliRunner().invoke(main, ["diagnose", "~/model.keras", "~/data.npz"]).exit_code == 0
