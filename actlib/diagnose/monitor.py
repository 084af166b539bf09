"""Watch the units of a model while it is trained."""

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from actlib._core.extras import extra
from actlib.diagnose.batches import batches, check
from actlib.diagnose.finding import Finding
from actlib.diagnose.inspection import check_count, check_share, inspect
from actlib.diagnose.log import Log
from actlib.diagnose.report import Diagnosis
from actlib.diagnose.weights import gradient_norms, values
from actlib.health import turnover, update_ratio

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_WHEN = ("run", "epoch")
_COLUMNS = {
    "units.csv": (*_WHEN, *(field.name for field in fields(Finding)), "deaths", "revivals"),
    "layers.csv": (*_WHEN, "layer", "gradient_norm", "update_ratio"),
}


class UnitMonitor(keras.callbacks.Callback):
    """Inspect a model at the end of epochs, for ``model.fit(..., callbacks=[UnitMonitor(x)])``.

    The number of dead units, as training sees them, is shown in the progress bar and kept in the
    history, as ``dead_units``; so a callback that comes later in the list can go by it. It costs a
    pass through the data each time, two with batch normalisation; a few thousand samples will do.
    Their first batch is tried before training, or after its first step if only that builds the
    model: what will not do is said then.

    Parameters
    ----------
    data : array, list or dict of arrays, tf.data.Dataset, keras.utils.PyDataset or iterable
        What to inspect the model on; it must be possible to go through it more than once. With
        targets, ``(x, y)``, the norms of the gradients are known as well. A dataset that shuffles
        has another order each time: to train on the same one, hand over one that does not, or
        training has another order than it has without the monitor.
    every : int, default 1
        After how many epochs, each time, and after the first. In between, the last number is
        repeated in the history.
    log_dir : str or os.PathLike, optional
        A directory to write to: ``units.csv``, a row for each finding and epoch, ``layers.csv``,
        one for each layer, and events for TensorBoard, with the numbers and a histogram of each
        activation (needs the package ``tensorboard``). The column ``run`` tells one training from
        another, and one monitor from another by its `key`; the events of each are in a folder of
        this name.
    stop_when : float or callable, optional
        Stop training when this share of the units of some activation is dead in training (1.0: when
        one is dead as a whole), or when the callable returns true of a `Diagnosis`.
    batch_size : int, default 256
        How many samples of an array pass at a time; with batch normalisation, that of training.
    key : str, default "dead_units"
        What the number is called in the history. Several monitors in one training need one each.

    Attributes
    ----------
    diagnoses : dict of int to actlib.diagnose.Diagnosis
        What was found in the latest training, by epoch, counted from 0.

    Raises
    ------
    TypeError
        If `data` can be gone through only once, as a generator can, or are nothing of these, or
        `key` is no text.
    ValueError
        If `every` is no whole number from 1 on, `stop_when` no share, `key` no name, or a table in
        `log_dir` has other columns. When training begins, if the model has no activation that could
        be judged, or there is something by the name `key` already.
    OSError
        If `log_dir` cannot be written to.

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
        key: str = "dead_units",
    ) -> None:
        super().__init__()
        check(data)
        if isinstance(data, Iterator):
            raise TypeError(
                f"data must be gone through after each epoch, but a {type(data).__name__} ends for "
                "good; hand over arrays, a tf.data.Dataset or a PyDataset"
            )
        check_count("batch_size", batch_size)
        check_count("every", every)
        if not (stop_when is None or callable(stop_when)):
            check_share("stop_when", stop_when)
        if not key or Path(key).name != key:
            raise ValueError(f"key must be a name, such as dead_units, got {key!r}")
        self.data, self.every, self.batch_size = data, every, batch_size
        self.stop_when, self.key = stop_when, key
        self.diagnoses: dict[int, Diagnosis] = {}
        self._log = None if log_dir is None else Log(log_dir, _COLUMNS)
        self._rows: dict[str, list[dict[str, Any]]] = {name: [] for name in _COLUMNS}
        self._run, self._is_tried = "", False
        self._dead: dict[tuple[str, str], np.ndarray] = {}
        self._before: dict[str, list[np.ndarray]] = {}
        self._ratios: dict[str, float] = {}

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Begin a run, and try the data, unless the model is built by its first step."""
        self._claim(logs)
        if logs is not None:
            logs[self.key] = None  # which the next monitor sees
        self._run = f"{self.key}-{uuid.uuid4().hex[:8]}"
        self.diagnoses, self._dead, self._before = {}, {}, {}
        self._is_tried = self.model.built
        if self._is_tried:
            self._try()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the weights, if it is this epoch's turn."""
        self._before = values(self.model) if self._is_due(epoch) else {}
        self._ratios = {}

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """See how far the first step has moved them; or steps, where several are run as one."""
        if not self._is_tried:
            self._is_tried = True
            self._try()
        self._claim(logs)
        if self._before:
            after = values(self.model)
            self._ratios = {
                path: update_ratio(before, after[path]) for path, before in self._before.items()
            }
            self._before = {}

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Inspect the model, if it is this epoch's turn."""
        if self._is_due(epoch):
            self._inspect(epoch)
        last = next(reversed(self.diagnoses.values()))
        if logs is not None:
            logs[self.key] = sum(finding.dead for finding in last.trained)

    def _is_due(self, epoch: int) -> bool:
        return not self.diagnoses or (epoch + 1) % self.every == 0

    def _claim(self, logs: Mapping[str, Any] | None) -> None:
        """Refuse a key by which there is something else: a metric, or what another monitor has."""
        if self.key.removeprefix("val_") in (logs or {}):
            raise ValueError(
                f"training has something called {self.key!r} already; give UnitMonitor another key"
            )

    def _try(self) -> None:
        """Inspect the model on the first batch, or on all if that is too little to judge it."""
        first = itertools.islice(batches(self.data, self.batch_size), 1)
        try:
            try:
                inspect(self.model, first)
            except ValueError:  # which a batch of nothing but padding raises as well
                inspect(self.model, self.data, self.batch_size)
            gradient_norms(self.model, self.data, self.batch_size)
        except Exception as error:
            error.add_note("It comes of the data that UnitMonitor was given, or of the model.")
            raise

    def _inspect(self, epoch: int) -> None:
        diagnosis = inspect(self.model, self.data, self.batch_size, per_unit=True)
        gradients = gradient_norms(self.model, self.data, self.batch_size)
        when = dict(zip(_WHEN, (self._run, epoch), strict=True))
        found = {
            "units.csv": [when | row for row in self._units(diagnosis)],
            "layers.csv": [
                {
                    **when,
                    "layer": path,
                    "gradient_norm": gradients.get(path, np.nan),
                    "update_ratio": self._ratios.get(path, np.nan),
                }
                for path in self._ratios | gradients
            ],
        }
        self.diagnoses[epoch] = replace(diagnosis, units=())
        for name, rows in found.items():
            self._rows[name] += rows
            if self._log:
                self._log.append(name, rows)
        if self._log:
            self._log.events(self._run, epoch, diagnosis)
        if self._should_stop(diagnosis):
            self.model.stop_training = True

    def _units(self, diagnosis: Diagnosis) -> Iterator[dict[str, Any]]:
        """A row for each finding, with how many units have died and come back since the last."""
        for finding, units in zip(diagnosis.findings, diagnosis.units, strict=True):
            key, dead = (finding.layer, finding.mode), units["dead"]
            deaths, revivals = turnover([self._dead.get(key, np.zeros_like(dead)), dead])
            self._dead[key] = dead
            yield {**asdict(finding), "deaths": int(deaths[-1]), "revivals": int(revivals[-1])}

    def _should_stop(self, diagnosis: Diagnosis) -> bool:
        if self.stop_when is None:
            return False
        if callable(self.stop_when):
            return self.stop_when(diagnosis)
        return any(f.dead >= self.stop_when * f.units for f in diagnosis.trained)

    def to_frame(self) -> pd.DataFrame:
        """A data frame with a row for each run, epoch and finding.

        Its columns are the fields of `Finding`, with the units that have died and come back since
        the inspection before: ``deaths`` and ``revivals``.
        """
        return self._frame("units.csv")

    def layers_frame(self) -> pd.DataFrame:
        """A data frame with a row for each run, epoch and layer with weights.

        ``gradient_norm`` is that of the loss that the model was compiled with, on the first batch
        of the data, after the epoch, if they have targets, and before anything is clipped;
        ``update_ratio`` the norm of the change of the weights by the first step of the epoch (the
        first call, with ``steps_per_execution``) over that of the weights.
        """
        return self._frame("layers.csv")

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw deaths and revivals over the epochs of the latest training."""
        from actlib.diagnose.figure import turnover_bars

        rows = [row for row in self._rows["units.csv"] if row["run"] == self._run]
        return turnover_bars([row for row in rows if row["mode"] != "use"], ax=ax)

    def _frame(self, name: str) -> pd.DataFrame:
        with extra("diagnose"):
            import pandas as pd

        return pd.DataFrame(self._rows[name], columns=list(_COLUMNS[name]))
