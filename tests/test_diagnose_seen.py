"""What a diagnosis sees: activations however a model calls them, on all that counts, unchanged."""

from __future__ import annotations

import collections
import functools
import inspect
import pickle
import random
import threading
import types
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

import actlib
from actlib import diagnose
from actlib.keras import ActivationFunction, GatedUnit, activation

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

X = np.random.default_rng(0).uniform(-1, 1, (64, 3)).astype("f")


def sunk(units: int, **options: Any) -> layers.Dense:
    """Each pre-activation is about -9: a rectifier after it is dead."""
    return layers.Dense(units, bias_initializer=keras.initializers.Constant(-9.0), **options)


def found(model: keras.Model, data: Any = X, **options: Any) -> dict[str, diagnose.Finding]:
    findings = diagnose.inspect(model, data, **options).findings
    return {finding.layer: finding for finding in findings}


# --- operations of a functional model


@pytest.mark.parametrize(
    ("call", "path", "name"),
    [
        (keras.activations.relu, "re_lu", "relu"),
        (ops.relu, "relu", "relu"),
        (lambda z: ops.maximum(z, 0.0), "maximum", "relu"),
        (lambda z: ops.leaky_relu(z, negative_slope=0.37), "leaky_relu", "leaky_relu(slope=0.37)"),
        (lambda z: ops.gelu(z, approximate=False), "gelu", "gelu"),
        (keras.activations.silu, "silu", "silu"),
        (ops.hard_silu, "hard_silu", "hard_silu"),
        (ops.tanh, "tanh", "tanh"),
        (activation("relu"), "activation", "relu"),
    ],
)
def test_operations_of_a_functional_model(call: Any, path: str, name: str) -> None:
    keras.backend.clear_session()  # so that names are counted from the start
    inputs = keras.Input([3])
    model = keras.Model(inputs, layers.Dense(1)(call(sunk(4)(inputs))))
    (finding,) = diagnose.inspect(model, X).findings
    assert (finding.layer, finding.activation, finding.units) == (path, name, 4)
    assert finding.dead == (4 if name in ("relu", "hard_silu") else 0)


def test_operations_of_a_model_in_a_model() -> None:
    keras.backend.clear_session()
    inputs = keras.Input([3])
    inner = keras.Model(inputs, ops.relu(sunk(4)(inputs)), name="inner")
    outer = keras.Input([3])
    model = keras.Model(outer, ops.relu(layers.Dense(2)(inner(outer))))
    assert {path: f.dead for path, f in found(model).items() if f.dead == 4} == {"inner/relu": 4}


def test_operations_that_are_no_activations_are_left_out() -> None:
    inputs = keras.Input([3])
    z = sunk(4)(inputs)
    y = ops.relu(z * 2 + 1) * ops.cast(ops.sign(z), "float32")
    model = keras.Model(inputs, ops.sum(y, axis=-1))
    assert [f.activation for f in diagnose.inspect(model, X).findings] == ["relu"]


# --- what a layer of one's own calls


class Own(layers.Layer):
    """A layer with functions under names that Keras does not know."""

    def __init__(self, **functions: Any) -> None:
        super().__init__(name="own")
        self.first, self.second = sunk(3), sunk(3)
        for name, function in functions.items():
            setattr(self, name, function)

    def build(self, shape: Any) -> None:
        self.first.build(shape)
        self.second.build(shape)


class Attribute(Own):
    def call(self, x: Any) -> Any:
        return self.act(self.first(x))


class Listed(Own):
    def call(self, x: Any) -> Any:
        return self.functions[1](self.second(self.functions[0](self.first(x))))


class ByKey(Own):
    def call(self, x: Any) -> Any:
        return self.functions["act"](self.first(x))


class Twice(Own):
    def call(self, x: Any) -> Any:
        return self.act(self.second(self.act(self.first(x) + 99)))


class Named(Own):
    def call(self, x: Any) -> Any:
        return tf.nn.relu(self.first(x)) + keras.ops.gelu(self.second(x))


class NamedWithKeywords(Own):
    def call(self, x: Any) -> Any:
        return keras.ops.leaky_relu(x=self.first(x), negative_slope=0.37)


class Ours(Own):
    def call(self, x: Any) -> Any:
        return actlib.relu(self.first(x))


relu_of_before = tf.nn.relu  # as after ``from ... import relu``


class Imported(Own):
    def call(self, x: Any) -> Any:
        return relu_of_before(self.first(x))


class Compared(Own):
    """Does something else than it is asked to if its function is not the one it was given."""

    def call(self, x: Any) -> Any:
        assert self.act is keras.activations.relu
        assert self.act is relu_of_keras
        assert self.act in (tf.tanh, keras.activations.relu)
        assert {keras.activations.relu: "found"}[self.act] == "found"
        assert self.act == keras.activations.get("relu")
        assert keras.activations.serialize(self.act) == "relu"
        assert self.act is pickle.loads(pickle.dumps(self.act))
        assert inspect.isfunction(self.act)
        assert next(iter(inspect.signature(self.act).parameters)) == "x"
        assert isinstance(self.whole, functools.partial)
        assert isinstance(self.ours, ActivationFunction)
        return self.act(self.whole(self.ours(self.functions[0](self.first(x)))))


relu_of_keras = keras.activations.relu


def swish_of_ones_own(z: Any) -> Any:
    return z * tf.sigmoid(z)


CASES = [
    (Attribute(act=keras.activations.relu), {"own.act": ("relu", 3)}),
    (Attribute(act=tf.nn.relu), {"own.act": ("relu", 3)}),
    (Attribute(act=lambda z: tf.maximum(z, 0.0)), {"own.act": ("relu", 3)}),
    (Attribute(act=functools.partial(tf.nn.leaky_relu, alpha=0.2)), {"own.act": ("leaky_relu", 0)}),
    (Attribute(act=activation("relu6")), {"own.act": ("relu6", 3)}),
    (Attribute(act=swish_of_ones_own), {"own.act": ("silu", 0)}),
    (Listed(functions=[tf.nn.relu, tf.tanh]), {"own.functions[0]": ("relu", 3)}),
    (ByKey(functions={"act": tf.nn.relu}), {"own.functions['act']": ("relu", 3)}),
    (Named(), {"own.relu": ("relu", 3), "own.gelu": ("gelu_tanh", 0)}),
    (NamedWithKeywords(), {"own.leaky_relu": ("leaky_relu", 0)}),
    (Ours(), {"own.relu": ("relu", 3)}),
    (Imported(), {"own.relu": ("relu", 3)}),
    (Attribute(act=tf.function(tf.nn.relu)), {"own.act": ("relu", 3)}),
    (Attribute(act=tf.recompute_grad(tf.nn.relu)), {"own.act": ("relu", 3)}),
]


@pytest.mark.parametrize(
    ("layer", "wanted"), CASES, ids=[str(number) for number in range(len(CASES))]
)
def test_what_a_layer_of_ones_own_calls(
    layer: layers.Layer, wanted: dict[str, tuple[str, int]]
) -> None:
    model = keras.Sequential([keras.Input([3]), layer])
    diagnosis = diagnose.inspect(model, X)
    seen = {f.layer: (f.activation.partition("(")[0], f.dead) for f in diagnosis.findings}
    assert seen.items() >= wanted.items()
    assert not diagnosis.unjudged


def test_functions_are_the_ones_that_a_layer_was_given() -> None:
    """Whatever a layer asks of them: who they are, what kind they are of, how they are called."""
    layer = Compared(
        act=keras.activations.relu,
        whole=functools.partial(tf.nn.leaky_relu, alpha=0.2),
        ours=activation("relu6"),
    )
    layer.functions = [tf.tanh]
    model = keras.Sequential([keras.Input([3]), layer])
    seen = {path: f.activation for path, f in found(model).items()}
    assert seen == {
        "own.act": "relu",
        "own.whole": "leaky_relu(slope=0.2)",
        "own.ours": "relu6",
        "own.functions[0]": "tanh",
    }


def test_a_function_that_a_layer_has_under_two_names_goes_by_its_own() -> None:
    class Both(Own):
        def call(self, x: Any) -> Any:
            return self.one(self.second(self.other(self.first(x) + 99)))

    model = keras.Sequential([keras.Input([3]), Both(one=tf.nn.relu, other=tf.nn.relu)])
    assert list(found(model)) == ["own.relu", "own.relu (2)"]


class Method:
    """Its method is an activation, with numbers of its own."""

    def __init__(self, slope: float) -> None:
        self.slope = slope

    def rectify(self, z: Any) -> Any:
        return tf.where(z > 0, z, super().__getattribute__("slope") * z)


def test_methods_belong_to_their_objects() -> None:
    class Pair(Own):
        def call(self, x: Any) -> Any:
            return self.one(self.other(self.unheld.rectify(self.first(x))))

    functions = [Method(slope) for slope in (0.1, 0.2, 0.3)]
    layer = Pair(one=functions[0].rectify, other=functions[1].rectify)
    layer.unheld = functions[2]
    diagnosis = diagnose.inspect(keras.Sequential([keras.Input([3]), layer]), X)
    seen = {f.layer: f.activation for f in diagnosis.findings}
    assert seen == {"own.other": "leaky_relu(slope=0.2)", "own.one": "leaky_relu(slope=0.1)"}
    assert list(diagnosis.unjudged) == ["own"]


def test_two_calls_of_one_function_are_two_places() -> None:
    """The first fires, and so does not hide that the second is dead."""
    model = keras.Sequential([keras.Input([3]), Twice(act=tf.nn.relu)])
    first, second = model.layers[0].first, model.layers[0].second
    first.set_weights([np.ones((3, 3)), np.full(3, -90.0)])
    second.set_weights([-np.ones((3, 3)), np.zeros(3)])
    assert [f.dead for f in diagnose.inspect(model, X).findings] == [0, 3]


@pytest.mark.parametrize("function", ["relu", "silu"])
def test_a_model_of_ones_own_calls_functions_by_name(function: str) -> None:
    class Mine(keras.Model):
        def __init__(self) -> None:
            super().__init__(name="mine")
            self.hidden = sunk(4)

        def call(self, x: Any) -> Any:
            return getattr(keras.activations, function)(self.hidden(x))

    model = Mine()
    model(X)
    assert found(model)[f"mine.{function}"].activation == function


class Raw(Own):
    def call(self, x: Any) -> Any:
        return tf.raw_ops.Relu(features=self.first(x))


class ByHand(Own):
    def call(self, x: Any) -> Any:
        z = self.first(x)
        return z * tf.cast(z > 0, z.dtype)


class Attention(Own):
    def call(self, x: Any) -> Any:
        return tf.nn.softmax(self.first(x))


def test_what_a_functional_model_makes_by_hand_is_named() -> None:
    keras.backend.clear_session()
    inputs = keras.Input([3])
    z = sunk(4)(inputs)
    y = ops.relu(ops.where(z > 0, z, 0.1 * z)) + ops.softmax(ops.maximum(z, inputs[:, :1]))
    diagnosis = diagnose.inspect(keras.Model(inputs, y), X)
    assert [f.layer for f in diagnosis.findings] == ["relu"]
    assert list(diagnosis.unjudged) == ["greater", "maximum", "softmax"]


@pytest.mark.parametrize(
    "layer", [layers.Softmax(name="s"), layers.Activation("softmax", name="s")]
)
def test_softmax_is_not_judged(layer: layers.Layer) -> None:
    model = keras.Sequential([keras.Input([3]), layers.Dense(2, "relu"), layer])
    reason = "its activation is not elementwise; it is not judged"
    assert diagnose.inspect(model, X).unjudged == {"s": reason}


@pytest.mark.parametrize(
    ("kind", "operation"), [(Raw, "Relu"), (ByHand, "Greater"), (Attention, "Softmax")]
)
def test_a_layer_that_cannot_be_judged_is_named(kind: type[Own], operation: str) -> None:
    model = keras.Sequential([keras.Input([3]), kind(), layers.Dense(2, activation="tanh")])
    diagnosis = diagnose.inspect(model, X)
    assert list(diagnosis.unjudged) == ["own"]
    text = str(diagnosis)
    assert f"own: its call evaluates {operation}, which is not judged." in text
    table = text.partition("\n\n")[0]
    assert any(line.split()[:3] == ["own", "not", "judged"] for line in table.splitlines())
    assert "<td>not judged</td>" in diagnosis._repr_html_()
    frame = diagnosis.to_frame().set_index("layer")
    assert frame.loc["own", "activation"] == "not judged"
    assert frame["dead"].isna().tolist() == [False, True]


class Calling(Own):
    """Evaluates something of its own after a dense layer."""

    def call(self, x: Any) -> Any:
        return self.parts.run(self.first(x))


def calling(run: Any) -> Own:
    layer = Calling()
    layer.parts = types.SimpleNamespace(run=run)  # where no functions are looked for
    return layer


def unjudged(layer: layers.Layer, data: Any = X) -> dict[str, str]:
    """What is not judged of a model that has an activation besides the layer."""
    parts = [keras.Input(data.shape[1:]), layer, layers.Dense(2, activation="tanh")]
    return dict(diagnose.inspect(keras.Sequential(parts), data).unjudged)


@pytest.mark.parametrize(
    ("run", "operations"),
    [
        (lambda z: z / tf.sqrt(1 + z * z), "RealDiv, Sqrt"),
        (lambda z: z * tf.math.rsqrt(1 + z * z), "Rsqrt"),
        (lambda z: z[:, :1] / (1 + z[:, :1] * z[:, :1]), "RealDiv"),
        (tf.asinh, "Asinh"),
        (lambda z: tf.math.log(1 + z * z), "Log"),
        (lambda z: tf.reshape(tf.sinh(z), [-1, 3]), "Sinh"),
    ],
)
def test_what_is_made_of_roots_and_quotients_is_named(run: Any, operations: str) -> None:
    reason = f"its call evaluates {operations}, which is not judged"
    assert unjudged(calling(run)) == {"own": reason}


def centred(x: Any, axis: Any, **options: Any) -> Any:
    mean, variance = tf.nn.moments(x, axis, **options)
    return (x - mean) / tf.sqrt(variance + 1e-3)


SEQUENCES = np.random.default_rng(0).normal(size=(8, 5, 3)).astype("f")


@pytest.mark.parametrize(
    ("run", "data"),
    [
        (lambda x: x * 2 + tf.reduce_mean(x), X),
        (lambda x: centred(x, [-1], keepdims=True), X),  # layer normalisation
        (lambda x: centred(x, [-1], keepdims=True), SEQUENCES),
        (lambda x: centred(x, [1], keepdims=True), SEQUENCES),  # instance normalisation
        (lambda x: centred(x, [0]), X),  # batch normalisation
        (lambda x: centred(x, [0], keepdims=True), X),
        (lambda x: x * tf.math.rsqrt(tf.reduce_mean(x**2, -1, keepdims=True) + 1e-3), SEQUENCES),
        (lambda x: x / tf.sqrt(tf.reduce_sum(x**2, -1))[..., None], SEQUENCES),
        (lambda x: x / 255.0, X),
    ],
)
def test_what_has_no_activation_is_not_named(run: Any, data: Any) -> None:
    assert not unjudged(calling(run), data)


# --- compiled graphs


def saved(model: Any, path: Any) -> Any:
    model.export(path, verbose=False)
    return path


@pytest.mark.parametrize("activation", [None, "tanh"])
@pytest.mark.parametrize("kind", ["layer", "loaded", "concrete", "nested"])
def test_activations_in_a_compiled_graph_are_named(
    kind: str, activation: str | None, tmp_path: Any
) -> None:
    inner = keras.Sequential([keras.Input([3]), layers.Dense(3, activation=activation)])
    if kind == "layer":
        layer = layers.TFSMLayer(saved(inner, tmp_path), call_endpoint="serve", name="own")
    elif kind == "loaded":
        loaded = tf.saved_model.load(saved(inner, tmp_path))
        layer = calling(lambda z: loaded.serve(z))
    else:
        run = tf.function(inner, autograph=False).get_concrete_function(tf.TensorSpec([None, 3]))
        if kind == "nested":
            run = tf.function(lambda x: 2 * run_before(x))
            run_before = tf.function(inner, autograph=False)
            run = run.get_concrete_function(tf.TensorSpec([None, 3]))
        layer = calling(run)
    reason = "its call evaluates Tanh, which is not judged"
    assert unjudged(layer) == ({"own": reason} if activation else {})


def test_a_lambda_layer() -> None:
    inside = layers.Lambda(lambda x: tf.nn.relu(x[:, :2] - 9), name="inside")
    model = keras.Sequential([keras.Input([3]), layers.Lambda(tf.nn.tanh, name="whole"), inside])
    wanted = {"whole.function": 0, "inside.relu": 2}
    assert {path: f.dead for path, f in found(model).items()} == wanted


def test_a_gated_unit_is_judged_by_its_gate() -> None:
    unit = GatedUnit("reglu", name="unit")
    model = keras.Sequential([keras.Input([4]), unit])
    x = np.array([[1, 1, -1, 2], [1, 1, -1, -2]], np.float32)
    (finding,) = diagnose.inspect(model, x).findings
    assert (finding.layer, finding.activation) == ("unit", "relu")
    assert (finding.units, finding.dead) == (2, 1)


def test_an_activation_that_is_never_evaluated_is_named() -> None:
    class Idle(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.idle = layers.Dense(2, "relu"), layers.Activation("relu", name="idle")

        def call(self, x: Any) -> Any:
            return self.used(x)

    model = Idle()
    model(X)
    assert diagnose.inspect(model, X).unjudged == {"idle": "not evaluated"}


def test_an_lstm_with_one_function_in_two_places() -> None:
    lstm = layers.LSTM(2, "sigmoid", recurrent_activation="sigmoid", name="lstm")
    diagnosis = diagnose.inspect(keras.Sequential([keras.Input([5, 3]), lstm]), SEQUENCES)
    seen = [(f.layer.split("/")[-1], f.activation) for f in diagnosis.findings]
    assert seen == [("lstm_cell.sigmoid", "sigmoid")]
    assert not diagnosis.unjudged


FUNCTIONS = [tf.nn.relu, keras.ops.relu, ActivationFunction.__call__, swish_of_ones_own]


def test_the_code_is_as_it_was() -> None:
    before = [dict(vars(module)) for module in (tf, tf.nn, tf.math, keras.ops, actlib)]
    before.append(dict(vars(keras.activations)))
    kept = [(part.__code__, part.__kwdefaults__, dict(vars(part))) for part in FUNCTIONS]
    diagnose.inspect(keras.Sequential([keras.Input([3]), Attribute(act=swish_of_ones_own)]), X)
    assert [(part.__code__, part.__kwdefaults__, dict(vars(part))) for part in FUNCTIONS] == kept
    after = [dict(vars(module)) for module in (tf, tf.nn, tf.math, keras.ops, actlib)]
    after.append(dict(vars(keras.activations)))
    assert after == before


# --- only what counts: padding


def padded(steps: int = 6, length: int = 2) -> np.ndarray:
    """Sequences of numbers from 1 to 2, and then of zeros."""
    x = np.zeros((32, steps, 1), np.float32)
    x[:, :length] = np.random.default_rng(1).uniform(1, 2, (32, length, 1))
    return x


def below_one(**options: Any) -> layers.Dense:
    """A unit that fires at 0, the padding, and at nothing else."""
    dense = layers.Dense(1, activation="relu", **options)
    dense.build((None, 1))
    dense.set_weights([np.array([[-1.0]]), np.array([0.5])])
    return dense


@pytest.mark.parametrize(
    "wrapped",
    [lambda: layers.TimeDistributed(below_one()), below_one],
)
def test_padding_is_no_evidence(wrapped: Any) -> None:
    model = keras.Sequential([keras.Input([6, 1]), layers.Masking(), wrapped(), layers.LSTM(2)])
    dense = next(f for path, f in found(model, padded()).items() if "dense" in path)
    assert (dense.dead, dense.units) == (1, 1)
    assert dense.pre_mean == pytest.approx(0.5 - padded()[:, :2].mean(), rel=1e-5)
    unmasked = keras.Sequential(model.layers[1:2])
    unmasked.build((None, 6, 1))
    assert not any(f.dead for f in diagnose.inspect(unmasked, padded()).findings)


def test_masked_steps_are_not_counted_in_text() -> None:
    words = np.zeros((64, 10), int)
    words[:, :3] = np.random.default_rng(0).integers(1, 20, (64, 3))
    embedding = layers.Embedding(20, 8, mask_zero=True)
    dense = layers.Dense(4, activation="relu", name="hidden")
    model = keras.Sequential([keras.Input([10], dtype="int32"), embedding, dense])
    model.add(layers.GlobalAveragePooling1D())
    z = embedding(words[:, :3]).numpy() @ dense.kernel.numpy()
    assert found(model, words)["hidden"].pre_mean == pytest.approx(z.mean(), rel=1e-4)


def test_padding_before_an_operation() -> None:
    inputs = keras.Input([6, 1])
    dense = below_one()
    dense.activation = keras.activations.linear
    model = keras.Model(inputs, ops.relu(dense(layers.Masking()(inputs))))
    (finding,) = diagnose.inspect(model, padded()).findings
    assert finding.dead == 1


class Cell(layers.Layer):
    """Fires at padding only."""

    state_size, output_size = 1, 1

    def __init__(self) -> None:
        super().__init__(name="cell")
        self.act = tf.nn.relu

    def call(self, x: Any, states: Any) -> Any:
        y = self.act(0.5 - x)
        return y, [y]


@pytest.mark.parametrize("unroll", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
def test_padding_of_a_recurrent_layer(unroll: bool, backwards: bool) -> None:
    rnn = layers.RNN(Cell(), unroll=unroll, go_backwards=backwards, name="rnn")
    model = keras.Sequential([keras.Input([6, 1]), layers.Masking(), rnn])
    units = diagnose.inspect(model, padded(), per_unit=True).units_frame()
    assert units["dead"].tolist() == [True]
    assert units["pre_mean"][0] == pytest.approx(0.5 - padded()[:, :2].mean(), rel=1e-5)


def test_each_step_of_a_recurrent_layer_counts_once() -> None:
    """Also the first, which Keras runs twice, once for the shape of its output alone."""
    model = keras.Sequential([keras.Input([2, 1]), layers.RNN(Cell(), name="rnn")])
    x = np.array([[[9.0], [0.0]]], np.float32)
    units = diagnose.inspect(model, x, per_unit=True).units_frame()
    assert units["zero_share"].tolist() == [0.5]


def test_cells_on_cells() -> None:
    cells = [layers.SimpleRNNCell(2, name="low"), layers.GRUCell(3, name="high")]
    model = keras.Sequential([keras.Input([4, 1]), layers.RNN(cells, name="rnn")])
    x = np.array([[[9.0], [0.0], [0.0], [0.0]]], np.float32)
    units = diagnose.inspect(model, x, per_unit=True).units_frame()
    low = units[units["layer"] == "rnn/stacked_rnn_cells/low"]
    high = units[units["layer"] == "rnn/stacked_rnn_cells/high"]
    assert (len(low), len(high)) == (2, 3)
    kernel, recurrent, bias = cells[0].get_weights()
    state, before = np.zeros(2), []
    for step in x[0]:
        before.append(step @ kernel + state @ recurrent + bias)
        state = np.tanh(before[-1])
    np.testing.assert_allclose(low["pre_mean"], np.mean(before, axis=0), rtol=1e-4)


def test_padding_alone_is_named() -> None:
    model = keras.Sequential([keras.Input([6, 1]), layers.Masking(), below_one(name="seen")])
    model.add(layers.LSTM(1))
    with pytest.raises(ValueError, match="seen: reached by padding alone"):
        diagnose.inspect(model, np.zeros((4, 6, 1), np.float32))


# --- batch normalisation


def normalised() -> keras.Model:
    """Before training, when the moving statistics are 0 and 1, whatever the data are."""
    dense = layers.Dense(4, kernel_initializer="ones")
    norm = layers.BatchNormalization(name="norm")
    return keras.Sequential([keras.Input([3]), dense, norm, layers.ReLU(name="relu")])


FAR = X - 50


def test_units_are_judged_as_trained_and_as_used() -> None:
    diagnosis = diagnose.inspect(normalised(), FAR, batch_size=32)
    assert [(f.layer, f.mode, f.dead) for f in diagnosis.findings] == [
        ("relu", "training", 0),
        ("relu", "use", 4),
    ]
    assert diagnosis.trained == diagnosis.findings[:1]
    assert diagnosis.used == diagnosis.findings[1:]
    text = str(diagnosis)
    assert text.splitlines()[0].split()[:3] == ["layer", "mode", "activation"]
    assert "In training, each batch has its own statistics (here of up to 32" in text
    assert "Dead units" not in text  # which nothing but the statistics is to blame for


def test_stale_statistics_are_a_finding() -> None:
    model = normalised()
    (stale,) = diagnose.inspect(model, FAR).stale
    assert (stale.layer, stale.units, stale.stale) == ("norm", 4, 4)
    (line,) = [line for line in diagnose.inspect(model, FAR).remarks() if "Stale" in line]
    assert ": norm (4 of 4). In use, the model does something else" in line
    z = np.asarray(model.layers[0](FAR))
    norm = model.get_layer("norm")
    norm.moving_mean.assign(z.mean(axis=0))
    norm.moving_variance.assign(z.var(axis=0))
    diagnosis = diagnose.inspect(model, FAR)
    assert diagnosis.stale == ()
    assert [f.dead for f in diagnosis.findings] == [0, 0]


@pytest.mark.parametrize(
    ("mean", "scale", "stale"), [(0.9, 1, 0), (1.1, 1, 4), (0, 1.9, 0), (0, 2.1, 4), (0, 0.4, 4)]
)
def test_from_where_on_statistics_are_stale(mean: float, scale: float, stale: int) -> None:
    model = normalised()
    z = np.asarray(model.layers[0](FAR))
    norm = model.get_layer("norm")
    norm.moving_mean.assign(z.mean(axis=0) + mean * z.std(axis=0))
    norm.moving_variance.assign(z.var(axis=0) * scale**2)
    assert sum(found.stale for found in diagnose.inspect(model, FAR).stale) == stale


def test_a_frozen_layer_has_one_kind_of_statistics() -> None:
    model = normalised()
    model.get_layer("norm").trainable = False
    diagnosis = diagnose.inspect(model, FAR)
    assert [(f.mode, f.dead) for f in diagnosis.findings] == [("both", 4)]
    assert diagnosis.stale == ()


def test_a_model_without_batch_normalisation_is_judged_once() -> None:
    model = keras.Sequential([keras.Input([3]), layers.Dropout(0.5), layers.Dense(2, "relu")])
    diagnosis = diagnose.inspect(model, X)
    assert [f.mode for f in diagnosis.findings] == ["both"]
    assert "mode" not in str(diagnosis).splitlines()[0]


# --- looking changes nothing


class Noisy(layers.Layer):
    """Draws from every source of random numbers, and moves a weight whenever it is trained."""

    def build(self, shape: Any) -> None:
        self.count = self.add_weight(shape=(), name="count", trainable=False)
        self.kernel = self.add_weight(shape=(), initializer="ones", name="kernel")

    def call(self, x: Any, training: bool = False) -> Any:
        if training:
            self.count.assign(self.count + 1)
            self.kernel.assign(self.kernel * 2)
        drawn = random.random() + np.random.random()  # noqa: NPY002
        noise = keras.random.normal(ops.shape(x)) + tf.random.normal([1])
        return x * self.kernel + 0.0 * (noise + drawn)


@pytest.mark.parametrize("seen", [0, 1, 3])
def test_looking_changes_nothing_that_comes_after(seen: int) -> None:
    def outcome(times: int) -> list[Any]:
        keras.utils.set_random_seed(0)
        parts = [layers.Dense(4), layers.BatchNormalization(), layers.Dropout(0.5), layers.ReLU()]
        model = keras.Sequential([keras.Input([3]), Noisy(), *parts, layers.Dense(1)])
        model.compile("sgd", "mse")
        for _ in range(times):
            diagnose.inspect(model, X)
        weights = model.get_weights()
        model.fit(X, X[:, :1], verbose=0)
        drawn = [random.random(), np.random.random()]  # noqa: NPY002
        drawn += [float(keras.random.normal([])), float(tf.random.normal([]))]
        return [*weights, *model.get_weights(), *drawn]

    for ours, theirs in zip(outcome(seen), outcome(0), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_two_threads_inspect_one_model() -> None:
    model = keras.Sequential(
        [keras.Input([3]), Attribute(act=tf.nn.relu), *normalised().layers[:2]]
    )
    before = [dict(vars(layer)) for layer in model.layers]
    results: list[Any] = []

    def look() -> None:
        results.append(diagnose.inspect(model, X, batch_size=4).findings)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert all(result == results[0] for result in results)
    assert [dict(vars(layer)) for layer in model.layers] == before


def test_what_another_thread_does_with_the_model_is_not_counted() -> None:
    hidden = sunk(4, activation="relu", name="hidden")
    awake: list[float] = []

    class Disturbed(layers.Layer):
        def call(self, x: Any) -> Any:
            thread = threading.Thread(
                target=lambda: awake.append(float(tf.reduce_max(hidden(x + 99))))
            )
            thread.start()
            thread.join()
            return x * 1

    hidden.build((None, 3))
    hidden.set_weights([np.ones((3, 4)), np.full(4, -9.0)])
    inputs = keras.Input([3])
    model = keras.Model(inputs, hidden(inputs), name="inner")
    around = keras.Sequential([Disturbed(), model])
    around.built = True
    assert found(around)["inner/hidden"].dead == 4
    assert awake
    assert awake[0] > 0


# --- text


TEXTS = np.array(["a b c", "b c", "a", ""])


def test_ragged_tensors_on_the_way() -> None:
    class Mean(layers.Layer):
        def call(self, x: Any) -> Any:
            return tf.reduce_mean(tf.cast(x, "float32"), axis=1, keepdims=True)

    words = layers.TextVectorization(ragged=True, vocabulary=["a", "b", "c"])
    model = keras.Sequential(
        [keras.Input([1], dtype="string"), words, Mean(), sunk(4, activation="relu", name="hidden")]
    )
    model(tf.constant(TEXTS[:, None]))
    assert found(model, TEXTS[:3, None])["hidden"].dead == 4


@pytest.mark.parametrize("sparse", [False, True])
def test_sparse_tensors_on_the_way(sparse: bool) -> None:
    words = layers.TextVectorization(output_mode="multi_hot", sparse=sparse, vocabulary=["a", "b"])
    model = keras.Sequential(
        [keras.Input([], dtype="string"), words, sunk(4, activation="relu", name="hidden")]
    )
    for data in (
        TEXTS,
        TEXTS.tolist(),
        tf.constant(TEXTS),
        tf.data.Dataset.from_tensor_slices(TEXTS).batch(3),
    ):
        finding = found(model, data)["hidden"]
        assert (finding.dead, finding.n) == (4, 4)


def test_ragged_and_sparse_tensors_as_data() -> None:
    class Sum(layers.Layer):
        def call(self, x: Any) -> Any:
            return tf.reduce_sum(x, axis=1, keepdims=True)

    ragged = tf.ragged.constant([[1.0], [2.0, 3.0], [4.0]])
    hidden = sunk(4, activation="relu", name="hidden")
    inputs = keras.Input([None], ragged=True)
    model = keras.Model(inputs, hidden(Sum()(inputs)))
    assert found(model, ragged, batch_size=2)["hidden"].n == 3
    dense = keras.Sequential([keras.Input([3], sparse=True), sunk(4, activation="relu", name="d")])
    assert found(dense, tf.sparse.from_dense(X), batch_size=10)["d"].n == 64


def test_a_function_of_a_ragged_tensor() -> None:
    class Split(layers.Layer):
        def call(self, x: Any) -> Any:
            return tf.nn.relu(
                tf.RaggedTensor.from_row_lengths(x - 9, [tf.shape(x)[0] - 3, 3])
            ).flat_values

    model = keras.Sequential([keras.Input([3]), Split(name="split")])
    assert found(model)["split.relu"].dead == 3


class Opened(keras.Model):  # type: ignore[misc]
    def __init__(self, unit: GatedUnit) -> None:
        super().__init__()
        self.unit = unit

    def call(self, x: Any) -> Any:
        return tf.reduce_mean(self.unit(x), axis=1)


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(
    ("name", "gate"),
    [("glu", "sigmoid"), ("reglu", "relu"), ("geglu", "gelu"), ("swiglu", "silu")],
)
def test_gated_units_of_ragged_tensors(name: str, gate: str, whole: bool) -> None:
    ragged = tf.ragged.constant([[[1.0, 2, -3, 4], [2, 1, -1, 2]], [[4, 0, -1, -1]]], ragged_rank=1)
    unit = GatedUnit(name, name="unit")
    inputs = keras.Input([None, 4], ragged=True)
    model = keras.Model(inputs, unit(inputs)) if whole else Opened(unit)
    model(ragged)
    diagnosis = diagnose.inspect(model, ragged)
    (finding,) = diagnosis.findings
    assert (finding.layer.split("/")[-1], finding.activation) == ("unit", gate)
    assert (finding.units, finding.dead, finding.n) == (2, int(name == "reglu"), 2)
    assert finding.pre_mean == pytest.approx(np.mean([-3, 4, -1, 2, -1, -1]))
    assert not diagnosis.unjudged


class Observed:
    """A rectifier that remembers the largest number it was given, as quantisation needs it."""

    def __init__(self) -> None:
        self.top = tf.Variable(0.0)

    def __call__(self, x: Any) -> Any:
        self.top.assign(tf.maximum(self.top, tf.reduce_max(x)))
        return tf.nn.relu(x)


class Counting(keras.layers.Layer):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.dense, self.calls = layers.Dense(3), tf.Variable(0.0)
        self.generator = tf.random.Generator.from_seed(1)

    def call(self, x: Any) -> Any:
        self.calls.assign_add(1.0)
        self.generator.normal([2])
        tf.random.get_global_generator().normal([1])
        return tf.nn.relu(self.dense(x))


def test_what_keras_does_not_know_of_is_restored_too() -> None:
    observed, counting = Observed(), Counting()
    model = keras.Sequential([keras.Input([4]), layers.Dense(4, activation=observed), counting])
    x = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    model(x)
    kept = [observed.top, counting.calls, counting.generator.state]
    kept.append(tf.random.get_global_generator().state)
    before = [variable.numpy().copy() for variable in kept]
    diagnose.inspect(model, x)
    for variable, value in zip(kept, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


class Encoder(tf.Module):  # type: ignore[misc]
    def __call__(self, x: Any) -> Any:
        return tf.nn.relu(x)

    def encode(self, x: Any) -> Any:
        return 2 * x


class Choosing(keras.layers.Layer):  # type: ignore[misc]
    """Asks its functions for more than a value."""

    def __init__(self) -> None:
        super().__init__()
        self.dense, self.encoder = layers.Dense(3), Encoder()
        self.config = collections.namedtuple("Config", "act")(keras.activations.relu)

    def call(self, x: Any) -> Any:
        gain = {"relu": 1.7}[self.config.act.__name__]
        return gain * self.config.act(self.encoder.encode(self.dense(x)))


def test_a_watched_function_keeps_its_name_and_its_methods() -> None:
    model = keras.Sequential([keras.Input([4]), Choosing()])
    found = diagnose.inspect(model, np.ones((5, 4), np.float32)).findings
    assert [(finding.activation, finding.units) for finding in found] == [("relu", 3)]


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "bfloat16", "mixed_float16"])
def test_half_precision(dtype: str) -> None:
    dense = [layers.Dense(4, dtype=dtype, activation=name) for name in ("relu", "tanh")]
    found = diagnose.inspect(keras.Sequential([keras.Input([4]), *dense]), np.ones((5, 4)))
    assert [finding.lost for finding in found.findings] == [0, 0]


class ByKeyword(keras.Model):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.dense, self.norm, self.unit = (
            layers.Dense(6),
            layers.BatchNormalization(),
            GatedUnit("swiglu"),
        )

    def call(self, x: Any, training: bool = False) -> Any:
        return self.unit(inputs=self.norm(inputs=self.dense(x), training=training))


def test_layers_may_be_called_by_keyword() -> None:
    model = ByKeyword()
    model(np.ones((5, 4), np.float32))
    found = diagnose.inspect(model, np.ones((5, 4), np.float32)).findings
    assert {finding.units for finding in found} == {3}


# --- gradients that are made anew


class Recomputed(Own):
    def call(self, x: Any) -> Any:
        return tf.recompute_grad(lambda x: self.act(self.first(x) + 9))(x)


class Silent(Own):
    def call(self, x: Any) -> Any:
        tape = tf.GradientTape()
        with tape, tape.stop_recording():
            return self.act(self.first(x) + 9)


class Straight(Own):
    """An estimator: what is rounded is passed through."""

    def call(self, x: Any) -> Any:
        @tf.custom_gradient
        def passed(z: Any) -> Any:
            return self.act(tf.stop_gradient(z)), lambda upstream: upstream

        return passed(self.first(x) + 9)


@pytest.mark.parametrize("kind", [Recomputed, Silent, Straight])
def test_nothing_is_lost_where_no_tape_records(kind: type[Own]) -> None:
    layer = kind(act=tf.nn.silu)
    finding = found(keras.Sequential([keras.Input([3]), layer]))["own.act"]
    assert (finding.lost, finding.lost_share, finding.activation) == (0, 0, "silu")


@pytest.mark.parametrize("mode", ["full", "activations", "larger_than", "list_of_layers"])
def test_layers_whose_gradients_are_recomputed(mode: str) -> None:
    with keras.RematScope(mode, output_size_threshold=200, layer_names=["hidden", "own"]):
        hidden, own = layers.Dense(4, "tanh", name="hidden"), Attribute(act=tf.nn.silu)
    seen = found(keras.Sequential([keras.Input([3]), hidden, own]))
    assert {path: f.lost_share for path, f in seen.items()} == {"hidden": 0, "own.act": 0}


# --- functions that are not everywhere a number


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize(
    "function",
    [tf.sqrt, ops.log, tf.acos, lambda z: 1 / z, lambda z: tf.exp(9 * z), lambda z: z * np.nan],
    ids=["root", "log", "acos", "inverse", "exponential", "nan"],
)
@pytest.mark.parametrize("declared", [True, False])
def test_functions_that_are_not_everywhere_a_number(function: Any, declared: bool) -> None:
    layer = layers.Dense(4, activation=function) if declared else layers.Lambda(function)
    model = keras.Sequential([keras.Input([3]), layer, layers.Dense(2, activation="tanh")])
    diagnosis = diagnose.inspect(model, X, per_unit=True)
    finding = diagnosis.findings[0]
    assert (finding.dead, finding.lost) == (0, 0)
    assert finding.method == "finite differences"
    assert str(diagnosis)
    assert diagnosis.plot()


def test_where_a_root_is_a_number_it_is_judged() -> None:
    model = keras.Sequential([keras.Input([3]), layers.Lambda(tf.sqrt, name="root")])
    x = np.float32([[1, 100, -1], [1, 144, -1]])
    units = diagnose.inspect(model, x, per_unit=True).units_frame()
    assert units["flat_share"].tolist() == [0, 1, 0]
