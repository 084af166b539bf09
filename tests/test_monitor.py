"""The callback that watches units during training."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from keras import layers

from actlib import diagnose

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

X = np.linspace(-1, 1, 101, dtype=np.float32).reshape(-1, 1)
DOWN = np.full_like(X, -9)


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
    options = {"verbose": 0, "callbacks": [monitor], **options}
    return dying().fit(X, DOWN, batch_size=101, epochs=epochs, **options)


class Weights(keras.callbacks.Callback):
    """Sets the hidden biases at the end of each epoch: which units are then dead is known."""

    def __init__(self, biases: list[list[float]]) -> None:
        super().__init__()
        self.biases = biases

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.model.get_layer("hidden").set_weights([np.zeros((1, 4)), np.array(self.biases[epoch])])


def test_it_counts_and_shows(capsys: pytest.CaptureFixture[str]) -> None:
    monitor = diagnose.UnitMonitor(X, every=2)
    history = train(monitor, epochs=5, verbose=2).history
    assert history["dead_units"] == [4, 4, 4, 4, 4]
    assert list(monitor.diagnoses) == [0, 1, 3]
    assert "dead_units: 4" in capsys.readouterr().out


def test_there_is_a_number_for_every_epoch(tmp_path: Path) -> None:
    """For everything that goes by the history, and comes after the monitor."""
    biases = [[1.0] * 4, [-1.0] * 4, [-1.0] * 4, [-1, 1, 1, 1], [-1.0] * 4, [-1.0] * 4]
    monitor = diagnose.UnitMonitor(X, every=2)
    log = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    stop = keras.callbacks.EarlyStopping("dead_units", patience=2, mode="min")
    history = train(monitor, epochs=6, callbacks=[Weights(biases), monitor, log, stop]).history
    assert history["dead_units"] == [0, 4, 4]
    assert pd.DataFrame(history)["dead_units"].tolist() == [0, 4, 4]
    assert pd.read_csv(tmp_path / "log.csv")["dead_units"].tolist() == [0, 4, 4]


@pytest.mark.parametrize("rule", [0.5, 1.0, lambda diagnosis: diagnosis.findings[0].dead == 4])
def test_it_stops(rule: Any) -> None:
    assert len(train(diagnose.UnitMonitor(X, stop_when=rule)).history["loss"]) == 1
    never = diagnose.UnitMonitor(X, stop_when=lambda _: False)
    assert len(train(never).history["loss"]) == 4


def test_it_goes_by_what_training_sees() -> None:
    """With the moving statistics all units are dead; with those of the batches none is."""
    norm = layers.BatchNormalization(momentum=1.0)
    hidden = layers.Dense(4, kernel_initializer="ones")
    model = keras.Sequential([keras.Input([1]), hidden, norm, layers.ReLU(), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    monitor = diagnose.UnitMonitor(X - 50, stop_when=0.25)
    history = model.fit(X - 50, X, epochs=2, verbose=0, callbacks=[monitor]).history
    assert history["dead_units"] == [0, 0]
    assert [f.dead for f in monitor.diagnoses[1].used] == [4]


def test_deaths_and_revivals() -> None:
    biases = [[1.0, 1, -1, -1], [-1.0, 1, 1, -1], [-1.0, -1, -1, -1]]
    monitor = diagnose.UnitMonitor(X)
    train(monitor, epochs=3, callbacks=[Weights(biases), monitor])
    frame = monitor.to_frame()
    assert frame["epoch"].tolist() == [0, 1, 2]
    assert frame["dead"].tolist() == [2, 2, 4]
    assert frame["deaths"].tolist() == [2, 1, 2]
    assert frame["revivals"].tolist() == [0, 1, 0]
    ax = monitor.plot()
    assert [bar.get_height() for bar in ax.patches] == [2, 1, 2, 0, -1, 0]
    assert ax.lines[0].get_ydata().tolist() == [2, 2, 4]
    assert ax.lines[0].get_xdata().tolist() == [1, 2, 3]
    train(monitor, epochs=1, callbacks=[Weights([[-1.0, 1, 1, 1]]), monitor])
    assert [bar.get_height() for bar in monitor.plot().patches] == [1, 0]  # of the latest alone


def test_norms_of_gradients_and_updates() -> None:
    model = dying()
    hidden, out = model.layers
    hidden.set_weights([np.full((1, 4), 0.5), np.ones(4)])
    model.optimizer.learning_rate = 0.01
    before = [layer.get_weights() for layer in (hidden, out)]
    monitor = diagnose.UnitMonitor((X, DOWN))
    model.fit(X, DOWN, batch_size=101, epochs=1, verbose=0, callbacks=[monitor])
    after = [layer.get_weights() for layer in (hidden, out)]
    frame = monitor.layers_frame().set_index("layer")
    assert list(frame.index) == ["hidden", out.name]
    for layer, old, new in zip((hidden, out), before, after, strict=True):
        change = np.concatenate([(b - a).ravel() for a, b in zip(old, new, strict=True)])
        size = np.concatenate([a.ravel() for a in old])
        wanted = np.linalg.norm(change) / np.linalg.norm(size)
        assert frame.loc[layer.name, "update_ratio"] == pytest.approx(wanted, rel=1e-5)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((model(X) - DOWN) ** 2)
    found = tape.gradient(loss, [w.value for w in model.trainable_variables])
    squares = [float(tf.norm(gradient)) ** 2 for gradient in found]
    assert frame["gradient_norm"].tolist() == pytest.approx(
        [np.sqrt(squares[0] + squares[1]), np.sqrt(squares[2] + squares[3])], rel=1e-5
    )


def test_without_targets_there_are_no_gradients() -> None:
    monitor = diagnose.UnitMonitor(X)
    train(monitor, epochs=1)
    assert monitor.layers_frame()["gradient_norm"].isna().all()
    assert monitor.layers_frame()["update_ratio"].notna().all()


def test_watching_does_not_change_training() -> None:
    def weights(*callbacks: Any) -> list[np.ndarray]:
        keras.utils.set_random_seed(0)
        parts = [layers.Dense(8), layers.BatchNormalization(), layers.ReLU(), layers.Dropout(0.5)]
        model = keras.Sequential([keras.Input([1]), *parts, layers.Dense(1)])
        model.compile("adam", "mse")
        model.fit(X, DOWN, epochs=3, verbose=0, callbacks=list(callbacks))
        return model.get_weights()

    for ours, theirs in zip(weights(diagnose.UnitMonitor((X, DOWN))), weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_it_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    monkeypatch.setenv("HOME", str(tmp_path))
    monitor = diagnose.UnitMonitor((X, DOWN), log_dir="~/logs")
    train(monitor, epochs=2)
    train(monitor, epochs=1)
    train(diagnose.UnitMonitor(X, log_dir=tmp_path / "logs"), epochs=1)
    with (tmp_path / "logs/units.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["epoch"], row["layer"], row["dead"]) for row in rows] == [
        ("0", "hidden", "4"),
        ("1", "hidden", "4"),
        ("0", "hidden", "4"),
        ("0", "hidden", "4"),
    ]
    runs = [row["run"] for row in rows]
    assert runs[0] == runs[1]
    assert len({*runs}) == 3
    assert monitor.to_frame()["run"].tolist() == runs[:3]
    assert list(monitor.diagnoses) == [0]
    pd.testing.assert_frame_equal(
        pd.read_csv(tmp_path / "logs/layers.csv", dtype={"run": str})[:6],
        monitor.layers_frame(),
        check_exact=False,
    )
    for run in {*runs}:
        events = EventAccumulator(str(tmp_path / "logs" / run))
        events.Reload()
        assert {"hidden/dead", "hidden/activations"} <= {*events.Tags()["tensors"]}
        written = events.Tensors("hidden/dead")
        assert {float(tf.make_ndarray(event.tensor_proto)) for event in written} == {4}
        assert len(written) == runs.count(run)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": 0}, "every must be a whole number, at least 1, got 0"),
        ({"every": 1.5}, "every must be a whole number, at least 1, got 1.5"),
        ({"batch_size": 0}, "batch_size must be a whole number, at least 1, got 0"),
        ({"stop_when": 50}, "stop_when must be a share"),
        ({"stop_when": "half"}, "stop_when must be a share"),
        ({"key": ""}, "key must be a name, such as dead_units, got ''"),
        ({"key": "a/b"}, "key must be a name"),
        ({"data": tf.data.Dataset.from_tensor_slices(X).repeat()}, "the Dataset never ends"),
        ({"data": X[:0]}, "the data hold no samples"),
        ({"data": (X, DOWN[1:])}, "the arrays differ in length: .100, 101."),
        ({"data": np.float32(1)}, "the data hold a single number"),
    ],
)
def test_what_it_refuses(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        diagnose.UnitMonitor(**{"data": X, **options})


@pytest.mark.parametrize(
    "data",
    [(x for x in [X]), iter([X]), map(abs, [X]), 3, "x", (X, "y"), {"x": 3}],
    ids=["generator", "iterator", "map", "3", "text", "text as targets", "a number by name"],
)
def test_data_that_will_not_do(data: Any) -> None:
    with pytest.raises(TypeError, match="data must be"):
        diagnose.UnitMonitor(data)


def test_a_directory_that_will_not_do_is_said_before_training(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.touch()
    with pytest.raises(FileExistsError):
        diagnose.UnitMonitor(X, log_dir=taken)
    old = tmp_path / "old"
    old.mkdir()
    (old / "units.csv").write_text("epoch,layer\n0,hidden\n")
    with pytest.raises(ValueError, match=r"units.csv has other columns"):
        diagnose.UnitMonitor(X, log_dir=old)
    assert (old / "units.csv").read_text() == "epoch,layer\n0,hidden\n"


class Epochs(keras.callbacks.Callback):
    """Counts the steps that training has made."""

    steps = 0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.steps += 1


def lazy() -> keras.Model:
    """Built by its first step."""
    model = keras.Sequential([layers.Dense(2, activation="relu"), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def plain() -> keras.Model:
    model = keras.Sequential([keras.Input([1]), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


WIDE = np.ones((9, 3), np.float32)


@pytest.mark.parametrize(
    ("make", "data", "message"),
    [
        (dying, WIDE, "expected axis -1 of input shape to have value 1"),
        (dying, [X, X], "(?i)the structure of .inputs. doesn.t match"),
        (dying, (X, np.ones((101, 7, 3))), "(?i)shape"),
        (dying, tf.data.Dataset.from_tensor_slices(X).batch(9).take(0), "the data hold no samples"),
        (plain, X, "no activation that could be judged"),
        (lazy, WIDE, "(?i)shape"),
    ],
    ids=["width", "inputs", "targets", "empty", "no activation", "built late"],
)
def test_what_will_not_do_is_said_before_training(make: Any, data: Any, message: str) -> None:
    model, counter = make(), Epochs()
    before = model.get_weights()
    with pytest.raises(Exception, match=message) as raised:
        model.fit(X, DOWN, verbose=0, callbacks=[diagnose.UnitMonitor(data), counter])
    assert "data that UnitMonitor was given" in raised.value.__notes__[-1]
    assert counter.steps == 0
    if make is not lazy:
        for old, new in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(old, new)


def test_a_model_that_is_built_by_its_first_step() -> None:
    monitor = diagnose.UnitMonitor((X, DOWN))
    history = lazy().fit(X, DOWN, epochs=2, verbose=0, callbacks=[monitor]).history
    assert len(history["dead_units"]) == 2
    assert monitor.layers_frame()["gradient_norm"].notna().all()


def test_a_first_batch_of_padding_is_not_all_there_is() -> None:
    inputs = keras.Input([4, 1])
    y = layers.Dense(2, activation="relu")(layers.Masking()(inputs))
    model = keras.Model(inputs, layers.Dense(1)(y))
    model.compile("sgd", "mse")
    x = np.ones((8, 4, 1), np.float32)
    x[:4] = 0
    monitor = diagnose.UnitMonitor(x, batch_size=4)
    model.fit(x, x, verbose=0, callbacks=[monitor])
    assert len(monitor.diagnoses) == 1


def test_several_monitors_have_a_key_each(tmp_path: Path) -> None:
    both = [
        diagnose.UnitMonitor(X, log_dir=tmp_path),
        diagnose.UnitMonitor(X + 99, log_dir=tmp_path, key="dead_elsewhere"),
    ]
    biases = [[-9.0] * 4] * 2
    history = train(both[0], epochs=2, callbacks=[Weights(biases), *both]).history
    assert (history["dead_units"], history["dead_elsewhere"]) == ([4, 4], [4, 4])
    runs = pd.read_csv(tmp_path / "units.csv")["run"]
    assert runs.nunique() == 2
    for monitor, key in zip(both, ("dead_units", "dead_elsewhere"), strict=True):
        assert {*monitor.to_frame()["run"]} == {*runs[runs.str.startswith(key)]}


@pytest.mark.parametrize("key", ["dead_units", "loss", "val_loss"])
def test_a_key_that_is_taken_is_refused(key: str) -> None:
    counter = Epochs()
    pair = [diagnose.UnitMonitor(X), diagnose.UnitMonitor(X, key=key), counter]
    with pytest.raises(ValueError, match=f"something called '{key}' already; give .* another key"):
        train(pair[0], callbacks=pair)
    assert counter.steps == 0


def norms(factor: float, x: np.ndarray, **options: Any) -> list[float]:
    """Of the gradients of a loss times a factor."""
    keras.utils.set_random_seed(0)
    parts = [layers.Dense(4, activation="relu", **options), layers.Dense(1, **options)]
    model = keras.Sequential([keras.Input([1]), *parts])
    optimizer = keras.optimizers.SGD(0.0)
    model.compile(
        keras.optimizers.LossScaleOptimizer(optimizer) if options else optimizer,
        loss=lambda y, found: factor * keras.losses.mean_squared_error(y, found),
    )
    monitor = diagnose.UnitMonitor((x, DOWN))
    model.fit(x, DOWN, verbose=0, callbacks=[monitor])
    return monitor.layers_frame()["gradient_norm"].tolist()


@pytest.mark.parametrize("factor", [1e-7, 100.0])
def test_norms_of_gradients_in_half_precision(factor: float) -> None:
    """Where the loss is scaled: small gradients do not vanish, nor do large ones overflow."""
    assert norms(factor, X, dtype="mixed_float16") == pytest.approx(norms(factor, X), rel=0.01)


class Own(keras.Model):
    """It has a loss of its own, which must be told of the mode."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.out = layers.Dense(2, activation="relu"), layers.Dense(1)

    def call(self, x: Any) -> Any:
        return self.out(self.hidden(x))

    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool) -> Any:
        return tf.reduce_mean(tf.square(y - y_pred))


def test_a_loss_that_must_be_told_of_the_mode() -> None:
    model, monitor = Own(), diagnose.UnitMonitor((X, DOWN))
    model.compile("sgd", "mse")
    model.fit(X, DOWN, verbose=0, callbacks=[monitor])
    assert monitor.layers_frame()["gradient_norm"].notna().all()
