"""Dead, saturated and lost units: models in which they are known, of every kind and data."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from actlib import diagnose, relu, sigmoid
from actlib.diagnose.advice import SECTIONS
from actlib.diagnose.probe import layers as all_layers
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
    assert (finding.lost, finding.dead) == (2, 0)
    assert finding.lost_share == pytest.approx(one.mean(), abs=2e-3)
    assert only(model_of(activation("sigmoid"), [20, 15.7, 0, -20])).lost == 0


def test_a_gradient_that_was_cut_is_lost() -> None:
    def cut(z: Any) -> Any:
        return tf.stop_gradient(tf.nn.tanh(z)) + 0 * z

    assert only(model_of(cut, [0, 1])).lost == 2
    assert only(model_of(lambda z: tf.stop_gradient(z * tf.abs(z)), [1.5])).lost == 1


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
    dense.set_weights([np.ones((1, 3)), np.array([0.0, 10.0, -300.0])])
    finding = only(model)
    assert (finding.lost, finding.dead) == (1, 1)  # at 10, and where float16 has only 0
    assert finding.float16_margin == pytest.approx(65504 / 301, rel=1e-3)


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
        (X[:0], ValueError, "no samples"),
        ([], ValueError, "no samples"),
        (tf.data.Dataset.from_tensor_slices(X).batch(9).take(0), ValueError, "no samples"),
        (tf.data.Dataset.from_tensor_slices(X).repeat().batch(9), ValueError, "never ends"),
        ({"a": X, "b": X[1:]}, ValueError, "differ in length: .100, 101."),
        (3, TypeError, "data must be arrays, .* got int"),
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
    assert lines[0].split()[:6] == ["layer", "activation", "units", "dead", "saturated", "lost"]
    assert lines[1].split()[:6] == ["hidden", "relu", "2", "1", "0", "0"]
    assert "101 samples." in lines
    assert "A unit called dead may still fire on up to 0.03 of all samples (3/n)." in lines
    assert diagnosis.bound == 3 / 101
    frame = diagnosis.to_frame()
    assert {"layer", "activation", "units", "dead", "saturated", "lost", "gain", "n"} <= {*frame}
    assert len(frame) == 1


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
    assert [bar.get_width() for bar in ax.patches] == [75, 0, 0]
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


# --- during training


def dying() -> keras.Model:
    """Its units are dead after the first step: the targets pull every bias far down."""
    model = keras.Sequential(
        [keras.Input([1]), layers.Dense(4, activation="relu", name="hidden"), layers.Dense(1)]
    )
    model.layers[0].set_weights([np.zeros((1, 4)), np.ones(4)])
    model.layers[1].set_weights([np.ones((4, 1)), np.zeros(1)])
    model.compile(keras.optimizers.SGD(1.0), "mse")
    return model


def train(monitor: diagnose.UnitMonitor, epochs: int = 4, **options: Any) -> Any:
    options = {"verbose": 0, **options}
    return dying().fit(
        X, np.full_like(X, -9), batch_size=101, epochs=epochs, callbacks=[monitor], **options
    )


def test_the_monitor_counts_and_shows(capsys: pytest.CaptureFixture[str]) -> None:
    monitor = diagnose.UnitMonitor(X, every=2)
    history = train(monitor, verbose=2).history
    assert history["dead_units"] == [4, 4]
    assert list(monitor.diagnoses) == [1, 3]
    assert "dead_units: 4" in capsys.readouterr().out


@pytest.mark.parametrize("rule", [0.5, 1.0, lambda diagnosis: diagnosis.findings[0].dead == 4])
def test_the_monitor_stops(rule: Any) -> None:
    assert len(train(diagnose.UnitMonitor(X, stop_when=rule)).history["loss"]) == 1
    never = diagnose.UnitMonitor(X, stop_when=lambda _: False)
    assert len(train(never).history["loss"]) == 4


def test_the_monitor_writes(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(diagnose.UnitMonitor(X, log_dir=tmp_path / "logs"), epochs=2)
    with (tmp_path / "logs/units.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["epoch"], row["layer"], row["dead"]) for row in rows] == [
        ("0", "hidden", "4"),
        ("1", "hidden", "4"),
    ]
    events = EventAccumulator(str(tmp_path / "logs"))
    events.Reload()
    written = events.Tags()["tensors"]
    assert "hidden/dead" in written
    assert "hidden/activations" in written
    numbers = [tf.make_ndarray(e.tensor_proto) for e in events.Tensors("hidden/dead")]
    assert [float(number) for number in numbers] == [4, 4]


def test_what_the_monitor_refuses() -> None:
    with pytest.raises(ValueError, match="every must be at least 1, got 0"):
        diagnose.UnitMonitor(X, every=0)
    with pytest.raises(ValueError, match="stop_when must be a share"):
        diagnose.UnitMonitor(X, stop_when=50)
