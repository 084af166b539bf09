"""Watch the units of a model while it is trained."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from actlib.diagnose.finding import Finding
from actlib.diagnose.inspection import inspect
from actlib.diagnose.report import Diagnosis

_NUMBERS = ("dead", "saturated", "lost", "pre_mean", "pre_std", "mean", "std", "gain")


class UnitMonitor(keras.callbacks.Callback):
    """Inspect a model at the end of epochs, for ``model.fit(..., callbacks=[UnitMonitor(x)])``.

    The number of dead units is shown in the progress bar and kept in the history, as
    ``dead_units``. It costs a pass through the data each time; a few thousand samples will do.

    Parameters
    ----------
    data : array, list or dict of arrays, tf.data.Dataset, keras.utils.PyDataset or iterable
        What to inspect the model on; it must be possible to go through it more than once.
    every : int, default 1
        After how many epochs, each time.
    log_dir : str or os.PathLike, optional
        A directory to write to: ``units.csv``, a row for each activation and epoch, and events for
        TensorBoard, with the numbers and a histogram of each activation (needs the package
        ``tensorboard``).
    stop_when : float or callable, optional
        Stop training when this share of the units of some activation is dead (1.0: when one is dead
        as a whole), or when the callable returns true of a `Diagnosis`.
    batch_size : int, default 256
        How many samples of an array pass at a time.

    Attributes
    ----------
    diagnoses : dict of int to actlib.diagnose.Diagnosis
        What was found, by epoch, counted from 0.

    Raises
    ------
    ValueError
        If `every` is less than 1, or `stop_when` no share.

    Examples
    --------
    >>> import keras
    >>> import numpy as np
    >>> from actlib.diagnose import UnitMonitor
    >>> x, y = np.linspace(-1, 1, 100).reshape(100, 1), np.zeros((100, 1))
    >>> layers = [keras.Input([1]), keras.layers.Dense(2, activation="tanh"), keras.layers.Dense(1)]
    >>> model = keras.Sequential(layers)
    >>> model.compile("sgd", "mse")
    >>> history = model.fit(x, y, epochs=2, verbose=0, callbacks=[UnitMonitor(x)])
    >>> history.history["dead_units"]
    [0, 0]
    """

    def __init__(
        self,
        data: Any,
        every: int = 1,
        log_dir: str | os.PathLike[str] | None = None,
        stop_when: float | Callable[[Diagnosis], bool] | None = None,
        batch_size: int = 256,
    ) -> None:
        super().__init__()
        if every < 1:
            raise ValueError(f"every must be at least 1, got {every}")
        if isinstance(stop_when, (int, float)) and not 0 < stop_when <= 1:
            raise ValueError(f"stop_when must be a share, above 0 and at most 1, got {stop_when}")
        self.data, self.every, self.batch_size = data, every, batch_size
        self.log_dir = None if log_dir is None else Path(log_dir)
        self.stop_when = stop_when
        self.diagnoses: dict[int, Diagnosis] = {}

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Inspect the model, if it is its turn."""
        if (epoch + 1) % self.every:
            return
        diagnosis = inspect(self.model, self.data, self.batch_size)
        self.diagnoses[epoch] = diagnosis
        if logs is not None:
            logs["dead_units"] = sum(finding.dead for finding in diagnosis.findings)
        if self.log_dir is not None:
            _append(self.log_dir / "units.csv", epoch, diagnosis)
            _write_events(self.log_dir, epoch, diagnosis)
        if self._should_stop(diagnosis):
            self.model.stop_training = True

    def _should_stop(self, diagnosis: Diagnosis) -> bool:
        if self.stop_when is None:
            return False
        if callable(self.stop_when):
            return self.stop_when(diagnosis)
        return any(f.dead >= self.stop_when * f.units for f in diagnosis.findings)


def _append(path: Path, epoch: int, diagnosis: Diagnosis) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, ["epoch", *(field.name for field in fields(Finding))])
        if new:
            writer.writeheader()
        writer.writerows({"epoch": epoch, **asdict(finding)} for finding in diagnosis.findings)


def _write_events(log_dir: Path, epoch: int, diagnosis: Diagnosis) -> None:
    with tf.summary.create_file_writer(str(log_dir)).as_default(step=epoch):
        for finding, sample in zip(diagnosis.findings, diagnosis.samples, strict=True):
            for name in _NUMBERS:
                tf.summary.scalar(f"{finding.layer}/{name}", getattr(finding, name))
            tf.summary.histogram(f"{finding.layer}/activations", sample)
