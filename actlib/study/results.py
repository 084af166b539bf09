"""What the trials say: tables, comparisons, a figure."""

from __future__ import annotations

import itertools
import os
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from actlib._core.arrays import Array
from actlib._core.extras import extra
from actlib._core.names import hint, listed
from actlib.study.statistics import LEAST, Difference, Interval, interval, paired
from actlib.study.store import read
from actlib.study.training import unpacked
from actlib.study.trial import Trial

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

LEVEL = 0.95
#: What a verdict is about: in every case the data to train on are these.
CLAIMS = {
    "these examples": "trained on these data and scored on these test examples, over seeds",
    "new examples": "trained on these data and scored on new examples like these, over seeds",
}
_WIDTH = 76
_UNDECIDED = "no difference shown"


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
        self.records = list({(r["id"], r["data"]): r for r in records}.values())
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
        with extra("study"):
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
        with extra("study"):
            import pandas as pd

        rows = []
        for trial, record in zip(self._trials, self.records, strict=True):
            curves = record["curves"]
            for epoch, values in enumerate(zip(*curves.values(), strict=True), 1):
                known = {"label": trial.label, **record["trial"], "epoch": epoch}
                rows.append({**known, **dict(zip(curves, values, strict=True))})
        return pd.DataFrame(rows)

    def summary(self, metric: str | None = None) -> pd.DataFrame:
        """Mean, standard deviation and interval of a metric, over the seeds.

        Parameters
        ----------
        metric : str, optional
            For example ``"accuracy"``, ``"loss"`` or ``"dead_units"``; by default `metric`.

        Returns
        -------
        pandas.DataFrame
            A row for each activation, and for each combination of the other fields that vary:
            ``n`` trials that ended well, the metric's ``mean``, standard deviation ``std``, and the
            bounds ``low`` and ``high`` of Student's t interval at 95%, each by itself; how many
            trials ``diverged`` and ``failed``, which the mean leaves out, and in how many a whole
            layer was ``dead`` in the end, which it does not.
        """
        with extra("study"):
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
        self,
        a: str,
        b: str,
        metric: str | None = None,
        own: str | Sequence[str] = (),
        claim: str = "these examples",
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
        claim : {"these examples", "new examples"}
            What a verdict is about: networks with other seeds on the same test examples, or on new
            ones of their kind too, which takes a larger difference and is known for the accuracy
            alone. The data to train on are these in either case.

        Returns
        -------
        pandas.DataFrame
            A row for each combination of the other fields that vary: ``n`` pairs; the ``mean`` of
            `a` minus `b`; the bounds ``low`` and ``high`` of an interval at 95%, each by itself;
            ``p``, corrected for the number of rows, see `actlib.study.paired`; a ``verdict``;
            which difference was ``detectable``, that is, shown in 80% of such studies, at the
            standard deviation of this one, with bounds at 95% since that is an estimate; and the
            ``claim``.
            With fewer than six pairs there is no verdict, nor where a trial diverged or failed:
            then its pair is ``left_out``, and the others are not a fair sample. `explain` says it
            in words.

        Raises
        ------
        ValueError
            If there is no such activation, metric, claim or field, or an activation has several
            values of a field that is said to be its own; or if a claim about new examples is
            asked of records that do not say which examples were right.
        """
        labels = list(dict.fromkeys(trial.label for trial in self._trials))
        for label in (a, b):
            if label not in labels:
                raise ValueError(f"there are no trials of {label!r}, only of {', '.join(labels)}")
        return self._compared([(a, b)], metric, own, claim)

    def compare_all(
        self,
        metric: str | None = None,
        own: str | Sequence[str] = (),
        claim: str = "these examples",
    ) -> pd.DataFrame:
        """The differences between all pairs of activations; see `compare`.

        Parameters
        ----------
        metric, own, claim
            As for `compare`.

        Returns
        -------
        pandas.DataFrame
            As of `compare`; ``p`` counts all rows.
        """
        labels = list(dict.fromkeys(trial.label for trial in self._trials))
        return self._compared(list(itertools.combinations(labels, 2)), metric, own, claim)

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
        self, pairs: Sequence[tuple[str, str]], metric: str | None, own: Any, claim: str
    ) -> pd.DataFrame:
        with extra("study"):
            import pandas as pd

        metric, own, known = self._checked(metric), listed(own), vars(self._trials[0])
        if unknown := [name for name in own if name not in known]:
            raise ValueError(f"a trial has no field {unknown[0]!r}{hint(unknown[0], known)}")
        if claim not in CLAIMS:
            raise ValueError(f"a claim is about {' or '.join(map(repr, CLAIMS))}, not {claim!r}")
        if claim == "new examples" and metric != "accuracy":
            raise ValueError(f'a claim about new examples needs the "accuracy", not {metric!r}')
        groups = self._groups(own)
        for (_, label), records in groups.items():
            if len({record["trial"]["seed"] for record in records}) < len(records):
                several = f"values of {' or '.join(own)}" if own else "results for one seed"
                raise ValueError(f"{label} has several {several}; choose one")
        rows, chosen = [], []
        for setting in dict.fromkeys(setting for setting, _ in groups):
            for a, b in pairs:
                both = _paired(*(groups.get((setting, label), []) for label in (a, b)))
                _refuse_other_data(a, b, both)
                whole = [pair for pair in both if all(metric in r["metrics"] for r in pair)]
                counts = {"n": len(whole), "left_out": len(both) - len(whole)}
                rows.append({"a": a, "b": b, **dict(setting), **counts})
                chosen.append(whole)
        differences = [_by_seed(chosen, metric)]
        if claim == "new examples":
            differences.append(_by_example(chosen))
        for row, (found, p) in zip(rows, _tested(rows, differences), strict=True):
            bounds = dict(zip(("", "_low", "_high"), found.detectable, strict=True))
            row.update(mean=found.mean, low=found.low, high=found.high, p=p)
            row["verdict"] = _verdict(row)
            row.update({f"detectable{end}": value for end, value in bounds.items()}, claim=claim)
        return pd.DataFrame(rows)


def explain(table: pd.DataFrame) -> str:
    """Say what a comparison claims, and what it does not.

    Parameters
    ----------
    table : pandas.DataFrame
        As `Results.compare` and `Results.compare_all` give it.

    Returns
    -------
    str
        Sentences, each from a new line, in lines of at most 76 characters.
    """
    verdicts = set(table["verdict"])
    lines = [
        f"The claim: {CLAIMS[table['claim'].iloc[0]]}.",
        "With all rows together, a difference is claimed where there is none in at most "
        f"{1 - LEVEL:.0%} of such studies; each interval is at {LEVEL:.0%} by itself.",
    ]
    if _UNDECIDED in verdicts:
        lines.append(
            "Where no difference is shown, there may still be one. One as large as the column "
            "detectable says is shown in 80% of studies with as many pairs and this standard "
            "deviation."
        )
        lines.append(
            "More seeds are a new study: if you add some until a difference is shown, you find one "
            "too often."
        )
    if any(verdict.endswith("pairs") for verdict in verdicts):
        lines.append(f"Fewer than {LEAST} pairs cannot show a difference, however large it is.")
    return "\n".join(textwrap.fill(line, _WIDTH) for line in lines)


Pair = tuple[dict[str, Any], dict[str, Any]]


def _count(records: Sequence[dict[str, Any]], status: str) -> int:
    return sum(record["status"] == status for record in records)


def _paired(a: Sequence[dict[str, Any]], b: Sequence[dict[str, Any]]) -> list[Pair]:
    """The records that have the same seed."""
    by_seed = {record["trial"]["seed"]: record for record in b}
    return [(r, by_seed[r["trial"]["seed"]]) for r in a if r["trial"]["seed"] in by_seed]


def _refuse_other_data(a: str, b: str, pairs: Sequence[Pair]) -> None:
    """A pair says something of two activations only if both were trained on the same data."""
    for one, other in pairs:
        if one["data"] != other["data"]:
            raise ValueError(
                f"with seed {one['trial']['seed']}, {a} and {b} were trained on different data, "
                f"both called {one['trial']['data']!r}; train one of them anew"
            )


def _by_seed(chosen: Sequence[Sequence[Pair]], metric: str) -> Array:
    """The differences of each row by the seed, in one column for each, or NaN."""
    columns = {seed: k for k, seed in enumerate(_seeds(chosen))}
    table = np.full((len(chosen), len(columns)), np.nan)
    for row, pairs in zip(table, chosen, strict=True):
        for a, b in pairs:
            row[columns[a["trial"]["seed"]]] = a["metrics"][metric] - b["metrics"][metric]
    return table


def _seeds(chosen: Sequence[Sequence[Pair]]) -> list[int]:
    return sorted({a["trial"]["seed"] for pairs in chosen for a, _ in pairs})


def _by_example(chosen: Sequence[Sequence[Pair]]) -> Array:
    """The mean differences of each row by the test example; each data set has its own columns."""
    records = [record for pairs in chosen for pair in pairs for record in pair]
    if any(record.get("right") is None for record in records):
        raise ValueError(
            "some results do not say which examples were right, since they were stored by an "
            "older version; train them anew, with another store"
        )
    starts: dict[tuple[str, str], int] = {}
    width = 0
    for record in records:
        if _test_set(record) not in starts:
            starts[_test_set(record)] = width
            width += record["right"]["examples"]
    table = np.full((len(chosen), width), np.nan)
    for row, pairs in zip(table, chosen, strict=True):
        if len(sets := {_test_set(record) for pair in pairs for record in pair}) > 1:
            raise ValueError(
                "a claim about new examples needs the same test examples for all seeds"
            )
        for start in map(starts.__getitem__, sets):
            gains = [1.0 * unpacked(a["right"]) - unpacked(b["right"]) for a, b in pairs]
            row[start : start + len(gains[0])] = np.mean(gains, axis=0)
    return table


def _test_set(record: dict[str, Any]) -> tuple[str, str]:
    return record["data"], record["trial"]["score_on"]


def _tested(
    rows: Sequence[dict[str, Any]], differences: Sequence[Array]
) -> Iterator[tuple[Difference, float]]:
    """What each row shows, and its p value: those that get a verdict are tested together."""
    judged = [k for k, row in enumerate(rows) if not _objection(row)]
    found = dict.fromkeys(range(len(rows)), (_NOTHING, np.nan))
    if judged:
        together = paired(*(values[judged] for values in differences))
        found |= {k: (result, result.p) for k, result in zip(judged, together, strict=True)}
    for k, row in enumerate(rows):
        if row["n"] and k not in judged:
            [alone] = paired(*(values[[k]] for values in differences))
            found[k] = alone._replace(detectable=_NOTHING.detectable), np.nan
    yield from found.values()


_NOTHING = Difference(np.nan, np.nan, np.nan, np.nan, Interval(np.nan, np.nan, np.nan))


def _objection(row: dict[str, Any]) -> str:
    """Why there can be no verdict, if so."""
    if row["left_out"]:
        return "no verdict: some diverged or failed"
    return f"no verdict: fewer than {LEAST} pairs" if row["n"] < LEAST else ""


def _verdict(row: dict[str, Any]) -> str:
    if objection := _objection(row):
        return objection
    if row["p"] > 1 - LEVEL:
        return _UNDECIDED
    return f"{row['a'] if row['mean'] > 0 else row['b']} is higher"
