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
    events = EventAccumulator(str(tmp_path / "logs"))
    events.Reload()
    written = events.Tags()["tensors"]
    assert "hidden/dead" in written
    assert "hidden/activations" in written
    numbers = [tf.make_ndarray(e.tensor_proto) for e in events.Tensors("hidden/dead")]
    assert {float(number) for number in numbers} == {4}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": 0}, "every must be a whole number, at least 1, got 0"),
        ({"every": 1.5}, "every must be a whole number, at least 1, got 1.5"),
        ({"batch_size": 0}, "batch_size must be a whole number, at least 1, got 0"),
        ({"stop_when": 50}, "stop_when must be a share"),
        ({"stop_when": "half"}, "stop_when must be a share"),
        ({"data": tf.data.Dataset.from_tensor_slices(X).repeat()}, "the Dataset never ends"),
    ],
)
def test_what_it_refuses(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        diagnose.UnitMonitor(**{"data": X, **options})


@pytest.mark.parametrize(
    "data",
    [(x for x in [X]), iter([X]), map(abs, [X]), 3],
    ids=["generator", "iterator", "map", "3"],
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
