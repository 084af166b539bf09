"""Train trials on an executor, and keep each result as it comes."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import BrokenExecutor, Executor
from typing import Any

from tqdm import tqdm

from actlib.study.data import NAMES, Data, load
from actlib.study.results import Results
from actlib.study.store import Store
from actlib.study.trial import Record, Trial
from actlib.study.workers import Workers


def run(
    trials: Trial | Iterable[Trial],
    *,
    executor: Executor | None = None,
    store: str | os.PathLike[str] | None = "results.jsonl",
    data: Mapping[str, Any] | None = None,
    progress: bool = True,
    retry_failed: bool = False,
) -> Results:
    """Train trials, except those that the store has already.

    Each result is written to the store when it comes, and is on the disk before the next. If the
    run is stopped, by Ctrl-C or by accident, run the same again: it goes on where it was. Trials
    that failed or diverged are results, too, and are not repeated, unless you ask for it.

    A trial whose process dies, for example because memory runs out, has failed. To know which one
    it was, those that were trained at that moment are trained once more, one after another; the
    others go on.

    Parameters
    ----------
    trials : Trial or iterable of Trial
        For example from `grid`.
    executor : concurrent.futures.Executor, optional
        Where to train: ``dask.distributed.Client(...).get_executor()``,
        ``mpi4py.futures.MPIPoolExecutor()``, and so on; by default, a process for each core of
        this machine, with one thread each. An executor that is given is left open; if it is a
        process pool and one of its processes dies, what it had not done is trained as by default.
        Dask says by itself which trials cost it several workers, and may blame a neighbour, too.
    store : str or os.PathLike, optional
        A file for the results, a line of JSON each; None keeps them in memory alone.
    data : mapping of str to tuple or Data, optional
        Your own data, by the names that the trials use: ``{"mine": (x, y)}``, or
        ``(x, y, x_test, y_test)``; see `Data`.
    progress : bool
        Whether to say what each data set is and what it is scored by, and to show a bar with the
        time left and the number of failures.
    retry_failed : bool
        Whether to train again what the store has as failed; the new result then counts.

    Returns
    -------
    Results
        Of the given trials, in their order.

    Raises
    ------
    ValueError
        Before anything is trained: if a data set does not exist or cannot be used, is not the one
        that the results in the store are from, or has too few examples for a batch; if Keras does
        not know an optimiser.
    TypeError
        If `trials` are none, `executor` is no executor, or `data` no mapping.
    ImportError
        If a trial needs Keras on TensorFlow, and it is not there.
    actlib.study.StoreError
        If the store cannot be read or written, or another run has it.
    RuntimeError
        If processes die as they start, or a given executor broke or dropped trials; all other
        results are in the store.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> from actlib import study
    >>> trials = study.grid(data="spirals", width=4, epochs=1, seed=[0, 1])
    >>> with ThreadPoolExecutor(1) as executor:
    ...     results = study.run(trials, executor=executor, store=None, progress=False)
    >>> [record["status"] for record in results.records]
    ['ok', 'ok']
    """
    if not isinstance(executor, Executor | None):
        raise TypeError(
            "executor must be a concurrent.futures.Executor; of Dask's Client, give "
            f"client.get_executor(); got {type(executor).__name__}"
        )
    trials = _distinct(trials)
    sets = _data(trials, data or {})
    with Store(store) as kept:
        _check_data(trials, sets, kept)
        again = {"failed"} if retry_failed else ()
        done = {key for key, record in kept.records.items() if record["status"] not in again}
        todo = [trial for trial in trials if trial.id not in done]
        _check_sizes(todo, sets)
        error = _train(todo, len(trials), sets, executor, kept, progress) if todo else None
    if lost := sum(trial.id not in kept.records for trial in trials):
        advice = "the executor's log may say more" if executor else "memory may be short"
        raise RuntimeError(
            f"{lost} of {len(trials)} trials have no result, because of {error!r}; {advice}. "
            f"{_resume(kept)}"
        ) from error
    return Results([kept.records[trial.id] for trial in trials])


def _distinct(trials: Trial | Iterable[Trial]) -> list[Trial]:
    several = list(trials) if isinstance(trials, Iterable) else [trials]
    for trial in several:
        if not isinstance(trial, Trial):
            raise TypeError(
                "trials must be a Trial, or several in a list, as study.grid(...) makes one; got "
                f"{type(trial).__name__}"
            )
    return list(dict.fromkeys(several))


def _train(
    todo: list[Trial],
    total: int,
    sets: Mapping[str, Data],
    executor: Executor | None,
    kept: Store,
    progress: bool,
) -> BaseException | None:
    """Train what is to do, and show it; what is returned is why some have no result."""
    if progress:
        print(*sets.values(), sep="\n", file=sys.stderr)
    counts = Counter(failed=0, diverged=0)
    with tqdm(total=total, initial=total - len(todo), unit="trial", disable=not progress) as bar:

        def keep(record: Record) -> None:
            if kept.records.get(record["id"]) is record:
                return  # an interrupt came when it had been kept
            kept.add(record)
            if record["status"] in counts:
                counts[record["status"]] += 1
            bar.set_postfix(counts, refresh=False)
            bar.update()

        workers = Workers(sets, keep)
        try:
            workers.train(todo, executor)
        except BrokenExecutor as error:
            return error
        except KeyboardInterrupt:
            bar.close()
            print(f"Stopped. {_resume(kept)}", file=sys.stderr)
            raise
    return workers.error


def _resume(kept: Store) -> str:
    if kept.path is None:
        return "Nothing was kept, since there is no store."
    return f"{len(kept.records)} results are in {kept.path}; run the same again to go on."


def _data(trials: list[Trial], given: Mapping[str, Any]) -> dict[str, Data]:
    """Load what the trials need, in this process: what is wrong shows before anything is run."""
    if not isinstance(given, Mapping):
        raise TypeError(
            'data must be a mapping such as {"mine": (x, y)}; a path goes to the trials, as '
            f'Trial(data="mine.npz"); got {type(given).__name__}'
        )
    if {"x", "y"} <= given.keys() and not all(isinstance(v, (tuple, Data)) for v in given.values()):
        raise TypeError(
            'data must give data by their names, such as {"mine": (x, y)}, got x and y themselves'
        )
    if clash := sorted(set(given) & set(NAMES)):
        raise ValueError(f"data must not be called {', '.join(clash)}: there are such data already")
    own = {name: _own(name, value) for name, value in given.items()}
    names = dict.fromkeys(trial.data for trial in trials)
    return {name: own[name] if name in own else load(name) for name in names}


def _own(name: str, value: Any) -> Data:
    if isinstance(value, Data):
        return value
    if isinstance(value, (tuple, list)) and len(value) in (2, 4):
        return Data(*value, name=name)
    raise TypeError(
        f"data[{name!r}] must be (x, y), (x, y, x_test, y_test) or a Data, got "
        f"{type(value).__name__}"
        + (f" of {len(value)}" if isinstance(value, (tuple, list)) else "")
    )


def _check_data(trials: list[Trial], sets: Mapping[str, Data], kept: Store) -> None:
    for trial in trials:
        record = kept.records.get(trial.id)
        if record and record["data"] != sets[trial.data].fingerprint:
            raise ValueError(
                f"the data {trial.data!r} are not those that {kept.path} has results of; give them "
                "another name, or use another store"
            )


def _check_sizes(todo: list[Trial], sets: Mapping[str, Data]) -> None:
    parts = dict.fromkeys((trial.data, trial.score_on) for trial in todo)
    counts = {(name, score_on): sets[name].count(score_on) for name, score_on in parts}
    for trial in todo:
        count = counts[trial.data, trial.score_on]
        if trial.batch_size > count:
            raise ValueError(
                f"batch_size must be at most {count}, the number of examples of {trial.data!r} to "
                f"fit to, got {trial.batch_size}"
            )
