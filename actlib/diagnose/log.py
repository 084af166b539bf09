"""What a monitor writes: tables that grow row by row, and events for TensorBoard."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from actlib.diagnose.report import Diagnosis

_NUMBERS = ("dead", "saturated", "lost", "pre_mean", "pre_std", "mean", "std", "gain")


class Log:
    """A directory in which what is found is kept, epoch by epoch.

    Parameters
    ----------
    folder : str or os.PathLike
        The directory; it is made if need be. A table that is there is continued.
    columns : mapping of str to sequence of str
        The columns of each table, by the name of its file.

    Raises
    ------
    OSError
        If it cannot be written to.
    ValueError
        If a table is there that has other columns.
    """

    def __init__(
        self, folder: str | os.PathLike[str], columns: Mapping[str, Sequence[str]]
    ) -> None:
        self._folder = Path(folder).expanduser()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._columns = columns
        for name, wanted in columns.items():
            with (self._folder / name).open("a+", newline="") as file:
                file.seek(0)
                found = next(csv.reader(file), None)
                if found is None:
                    csv.writer(file).writerow(wanted)
                elif found != list(wanted):
                    raise ValueError(
                        f"{self._folder / name} has other columns than are written now; give "
                        "another log_dir, or move the file"
                    )

    def append(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows to a table."""
        with (self._folder / name).open("a", newline="") as file:
            csv.DictWriter(file, self._columns[name]).writerows(rows)

    def events(self, run: str, epoch: int, diagnosis: Diagnosis) -> None:
        """Write numbers and a histogram of each activation, in a folder for the run."""
        with tf.summary.create_file_writer(str(self._folder / run)).as_default(step=epoch):
            for finding, sample in zip(diagnosis.findings, diagnosis.samples, strict=True):
                name = (
                    finding.layer if finding.mode == "both" else f"{finding.layer}/{finding.mode}"
                )
                for number in _NUMBERS:
                    tf.summary.scalar(f"{name}/{number}", getattr(finding, number))
                tf.summary.histogram(f"{name}/activations", sample)
