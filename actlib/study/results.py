"""What the trials say: tables, comparisons, a figure."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from actlib._core.arrays import Array
from actlib._core.names import hint, listed
from actlib.study.statistics import holm, interval, p_value
from actlib.study.store import read
from actlib.study.trial import Trial

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

LEVEL = 0.95


class Results:
    """The results of trials.

    Parameters
    ----------
    records : sequence of dict
        As a store keeps them.

    Raises
    ------
    ValueError
        If there are none.
    """

    def __init__(self, records: Sequence[dict[str, Any]]) -> None:
        if not records:
            raise ValueError("there are no results")
        self.records = list(records)
        self._trials = [Trial(**record["trial"]) for record in self.records]

    @classmethod
    def read(cls, store: str | os.PathLike[str]) -> Results:
        """All results of a store, also of one that is being written.

        Parameters
        ----------
        store : str or os.PathLike
            The file that `run` was given.

        Returns
        -------
        Results
        """
        return cls(read(store))

    @property
    def metric(self) -> str:
        """By default compared are ``accuracy`` or ``r2``, or ``loss`` if there are both."""
        known = {name for record in self.records for name in record["metrics"]}
        both = {"accuracy", "r2"} <= known
        return "loss" if both else "r2" if "r2" in known else "accuracy"

    def to_frame(self) -> pd.DataFrame:
        """A data frame with a row for each trial: its fields, its end, and its metrics."""
        import pandas as pd

        rows = [
            {
                "label": trial.label,
                **record["trial"],
                **{key: record[key] for key in ("status", "reason", "seconds", "id")},
                **record["metrics"],
            }
            for trial, record in zip(self._trials, self.records, strict=True)
        ]
        return pd.DataFrame(rows)

    def curves(self) -> pd.DataFrame:
        """A data frame with a row for each trial and epoch, from 1, and what was measured then."""
        import pandas as pd

        rows = []
        for trial, record in zip(self._trials, self.records, strict=True):
            curves = record["curves"]
            for epoch, values in enumerate(zip(*curves.values(), strict=True), 1):
                known = {"label": trial.label, **record["trial"], "epoch": epoch}
                rows.append({**known, **dict(zip(curves, values, strict=True))})
        return pd.DataFrame(rows)

    def summary(self, metric: str | None = None) -> pd.DataFrame:
        """Mean, spread and interval of a metric, over the seeds.

        Parameters
        ----------
        metric : str, optional
            For example ``"accuracy"``, ``"loss"`` or ``"dead_units"``; by default `metric`.

        Returns
        -------
        pandas.DataFrame
            A row for each activation, and for each combination of the other fields that vary:
            ``n`` trials that ended well, the metric's ``mean``, standard deviation ``std``, and the
            bounds ``low`` and ``high`` of Student's t interval at 95%; how many trials ``diverged``
            and ``failed``, which the mean leaves out, and in how many a whole layer was ``dead``
            in the end, which it does not.
        """
        import pandas as pd

        metric = self._checked(metric)
        rows = []
        for (setting, label), records in self._groups().items():
            values = [r["metrics"][metric] for r in records if metric in r["metrics"]]
            mean, low, high = interval(values) if values else (np.nan, np.nan, np.nan)
            rows.append(
                {
                    "activation": label,
                    **dict(setting),
                    "n": len(values),
                    "mean": mean,
                    "std": np.std(values, ddof=1) if len(values) > 1 else np.nan,
                    "low": low,
                    "high": high,
                    **{end: _count(records, end) for end in ("diverged", "failed")},
                    "dead": sum(r["metrics"].get("dead_layers", 0) > 0 for r in records),
                }
            )
        return pd.DataFrame(rows)

    def compare(
        self, a: str, b: str, metric: str | None = None, own: str | Sequence[str] = ()
    ) -> pd.DataFrame:
        """The difference between two activations, by pairs of trials with the same seed.

        Parameters
        ----------
        a, b : str
            Activations, as `summary` calls them.
        metric : str, optional
            As for `summary`.
        own : str or sequence of str, optional
            Fields that each activation has its own value of, for example ``"rate"`` where the
            learning rate was chosen for each. Trials are compared although they differ in these.

        Returns
        -------
        pandas.DataFrame
            A row for each combination of the other fields that vary: ``n`` pairs, the ``mean`` of
            `a` minus `b`, bounds and p value of Student's t test, corrected by Holm's method for
            the number of rows, and a ``verdict``. Where a trial diverged or failed, its pair is
            ``left_out``, and there is no verdict: the others are not a fair sample.

        Raises
        ------
        ValueError
            If there is no such activation, metric or field, or an activation has several values of
            a field that is said to be its own.
        """
        labels = list(dict.fromkeys(trial.label for trial in self._trials))
        for label in (a, b):
            if label not in labels:
                raise ValueError(f"there are no trials of {label!r}, only of {', '.join(labels)}")
        return self._compared([(a, b)], metric, own)

    def compare_all(self, metric: str | None = None, own: str | Sequence[str] = ()) -> pd.DataFrame:
        """The differences between all pairs of activations; see `compare`.

        Parameters
        ----------
        metric, own
            As for `compare`.

        Returns
        -------
        pandas.DataFrame
            As of `compare`. Holm's correction counts all rows.
        """
        labels = list(dict.fromkeys(trial.label for trial in self._trials))
        return self._compared(list(itertools.combinations(labels, 2)), metric, own)

    def plot(self, metric: str | None = None, x: str | None = None) -> Axes:
        """Draw means and intervals.

        Parameters
        ----------
        metric : str, optional
            As for `summary`.
        x : str, optional
            A field that varies, such as ``"depth"``, for the horizontal axis; without it, there is
            a line for each row of `summary`.

        Returns
        -------
        matplotlib.axes.Axes
            See `actlib.study.figure`.
        """
        from actlib.study.figure import intervals

        return intervals(self.summary(metric), self._checked(metric), x=x)

    def __str__(self) -> str:
        """The summary, and what did not end well."""
        lines = [self.summary().to_string(index=False, float_format="{:.4g}".format)]
        for trial, record in zip(self._trials, self.records, strict=True):
            if record["status"] != "ok":
                lines.append(
                    f"{trial.label}, seed {trial.seed}: {record['status']}, {record['reason']}"
                )
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return str(self.summary().to_html(index=False, float_format="{:.4g}".format))

    def _checked(self, metric: str | None) -> str:
        metric = metric or self.metric
        known = dict.fromkeys(name for record in self.records for name in record["metrics"])
        if known and metric not in known:
            raise ValueError(f"there is no metric {metric!r}; there are {', '.join(known)}")
        return metric

    def _varying(self) -> list[str]:
        """The fields that differ between trials, other than activation and seed."""
        own = {"activation", "params", "learned", "seed"}
        return [
            name
            for name in self.records[0]["trial"]
            if name not in own and len({str(getattr(t, name)) for t in self._trials}) > 1
        ]

    def _groups(
        self, own: Sequence[str] = ()
    ) -> dict[tuple[tuple[tuple[str, Any], ...], str], list[dict[str, Any]]]:
        """The records that differ in the seed only, by setting and activation."""
        groups: dict[Any, list[dict[str, Any]]] = {}
        varying = [name for name in self._varying() if name not in own]
        for trial, record in zip(self._trials, self.records, strict=True):
            setting = tuple((name, getattr(trial, name)) for name in varying)
            groups.setdefault((setting, trial.label), []).append(record)
        return groups

    def _compared(
        self, pairs: Sequence[tuple[str, str]], metric: str | None, own: str | Sequence[str]
    ) -> pd.DataFrame:
        import pandas as pd

        metric, own, known = self._checked(metric), listed(own), vars(self._trials[0])
        if unknown := [name for name in own if name not in known]:
            raise ValueError(f"a trial has no field {unknown[0]!r}{hint(unknown[0], known)}")
        groups = self._groups(own)
        for (_, label), records in groups.items():
            if len({record["trial"]["seed"] for record in records}) < len(records):
                raise ValueError(f"{label} has several values of {' or '.join(own)}; choose one")
        settings = dict.fromkeys(setting for setting, _ in groups)
        rows, differences = [], []
        for setting in settings:
            for a, b in pairs:
                of_a, of_b = (groups.get((setting, label), []) for label in (a, b))
                values, left_out = _paired(of_a, of_b, metric)
                differences.append(values)
                rows.append({"a": a, "b": b, **dict(setting), "n": len(values)} | left_out)
        corrected = holm([p_value(values) for values in differences], LEVEL)
        for row, values, (p, level) in zip(rows, differences, corrected, strict=True):
            mean, low, high = interval(values, level) if len(values) else (np.nan,) * 3
            row.update(mean=mean, low=low, high=high, p=p)
            row["verdict"] = _verdict(row)
        return pd.DataFrame(rows)


def _count(records: Sequence[dict[str, Any]], status: str) -> int:
    return sum(record["status"] == status for record in records)


def _paired(
    a: Sequence[dict[str, Any]], b: Sequence[dict[str, Any]], metric: str
) -> tuple[Array, dict[str, int]]:
    """The differences by seed, and how many pairs have none, since one has no end value."""
    by_seed = [
        {r["trial"]["seed"]: r["metrics"].get(metric) for r in records} for records in (a, b)
    ]
    seeds = [seed for seed in by_seed[0] if seed in by_seed[1]]
    values = [(by_seed[0][seed], by_seed[1][seed]) for seed in seeds]
    whole = [(one, other) for one, other in values if one is not None and other is not None]
    return np.array([one - other for one, other in whole]), {"left_out": len(values) - len(whole)}


def _verdict(row: dict[str, Any]) -> str:
    if row["left_out"]:
        return "no verdict: some diverged or failed"
    if row["n"] < 2:
        return "no verdict: too few pairs"
    if row["low"] <= 0 <= row["high"]:
        return "no difference shown"
    return f"{row['a'] if row['mean'] > 0 else row['b']} is higher"
