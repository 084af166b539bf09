"""Train trials on an executor, and keep each result as it comes."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, as_completed
from contextlib import contextmanager
from typing import Any

from loky import ProcessPoolExecutor, cpu_count
from tqdm import tqdm

from actlib.study.data import NAMES, Data, load
from actlib.study.results import Results
from actlib.study.store import Store
from actlib.study.training import attempt
from actlib.study.trial import Trial

_ONE_THREAD = {
    f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM")
} | {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}


def run(
    trials: Iterable[Trial],
    *,
    executor: Executor | None = None,
    store: str | os.PathLike[str] | None = "results.jsonl",
    data: Mapping[str, Any] | None = None,
    progress: bool = True,
) -> Results:
    """Train trials, except those that the store has already.

    Each result is written to the store when it comes, and is on the disk before the next. If the
    run is stopped, by Ctrl-C or by accident, run the same again: it goes on where it was. Trials
    that failed or diverged are results, too, and are not repeated.

    Parameters
    ----------
    trials : iterable of Trial
        For example from `grid`.
    executor : concurrent.futures.Executor, optional
        Where to train: ``dask.distributed.Client(...).get_executor()``,
        ``mpi4py.futures.MPIPoolExecutor()``, and so on; by default, a process for each core of
        this machine, with one thread each. An executor that is given is left open.
    store : str or os.PathLike, optional
        A file for the results, a line of JSON each; None keeps them in memory alone.
    data : mapping of str to tuple or Data, optional
        Your own data, by the names that the trials use: ``{"mine": (x, y)}``, or
        ``(x, y, x_test, y_test)``; see `Data`.
    progress : bool
        Whether to show a bar with the time left and the number of failures.

    Returns
    -------
    Results
        Of the given trials, in their order.

    Raises
    ------
    ValueError
        If a data set does not exist or cannot be used, or is not the one that the results in the
        store are from.
    actlib.study.StoreError
        If the store cannot be read or written, or another run has it.
    RuntimeError
        If trials were lost because workers died; all others are in the store.

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
    trials = list(dict.fromkeys(trials))
    sets = _data(trials, data or {})
    with Store(store) as kept:
        _check_data(trials, sets, kept)
        done = {record["id"] for record in kept.records}
        todo = [trial for trial in trials if trial.id not in done]
        with tqdm(
            total=len(trials), initial=len(trials) - len(todo), unit="trial", disable=not progress
        ) as bar:
            lost = _train(todo, sets, executor, kept, bar) if todo else []
    if lost:
        raise RuntimeError(
            f"{len(lost)} of {len(trials)} trials were lost, the first by {lost[0]!r}. "
            + _resume(kept)
        ) from lost[0]
    results = {record["id"]: record for record in kept.records}
    return Results([results[trial.id] for trial in trials])


def _train(
    todo: list[Trial],
    sets: Mapping[str, Data],
    executor: Executor | None,
    kept: Store,
    bar: tqdm[Any],
) -> list[Exception]:
    """Train what is to do; what is returned became of trials whose workers died."""
    counts = {"failed": 0, "diverged": 0}
    lost: list[Exception] = []
    with _open(executor, len(todo)) as pool:
        futures = {pool.submit(attempt, trial, sets[trial.data]): trial for trial in todo}
        try:
            for future in as_completed(futures):
                try:
                    record = future.result()
                except Exception as error:  # of the executor: attempt itself raises none
                    lost.append(error)
                    continue
                kept.add(record)
                if record["status"] in counts:
                    counts[record["status"]] += 1
                bar.set_postfix(counts, refresh=False)
                bar.update()
        except BaseException as error:
            if pool is executor:
                for future in futures:
                    future.cancel()
            else:
                pool.shutdown(wait=True, kill_workers=True)
            if isinstance(error, KeyboardInterrupt):
                _keep_finished(futures, kept)
                bar.close()
                print(f"Stopped. {_resume(kept)}", file=sys.stderr)
            raise
    return lost


def _keep_finished(futures: Mapping[Future[Any], Trial], kept: Store) -> None:
    """Keep what came between the last result that was kept and the interrupt."""
    ids = {record["id"] for record in kept.records}
    for future, trial in futures.items():
        finished = future.done() and not future.cancelled() and not future.exception()
        if finished and trial.id not in ids:
            kept.add(future.result())


@contextmanager
def _open(executor: Executor | None, tasks: int) -> Iterator[Any]:
    if executor is not None:
        yield executor
        return
    workers = min(cpu_count(), tasks)
    with ProcessPoolExecutor(
        workers, env=_ONE_THREAD, initializer=_belong_to, initargs=(os.getpid(),)
    ) as pool:
        yield pool


def _belong_to(parent: int) -> None:
    """Make a worker leave Ctrl-C to its parent, and end when that is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _resume(kept: Store) -> str:
    if kept.path is None:
        return "Nothing was kept, since there is no store."
    return f"{len(kept.records)} results are in {kept.path}; run the same again to go on."


def _data(trials: list[Trial], given: Mapping[str, Any]) -> dict[str, Data]:
    """Load what the trials need, in this process: what is wrong shows before anything is run."""
    if clash := sorted(set(given) & set(NAMES)):
        raise ValueError(f"data must not be called {', '.join(clash)}: there are such data already")
    own = {
        name: value if isinstance(value, Data) else Data(*value, name=name)
        for name, value in given.items()
    }
    return {name: own[name] if name in own else load(name) for name in {t.data for t in trials}}


def _check_data(trials: list[Trial], sets: Mapping[str, Data], kept: Store) -> None:
    done = {record["id"]: record for record in kept.records}
    for trial in trials:
        record = done.get(trial.id)
        if record and record["data"] != sets[trial.data].fingerprint:
            raise ValueError(
                f"the data {trial.data!r} are not those that {kept.path} has results of; give them "
                "another name, or use another store"
            )
