"""Where trials are trained: on an executor that is given, or in processes, any of which may die."""

from __future__ import annotations

import os
import signal
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from concurrent.futures.process import BrokenProcessPool
from queue import SimpleQueue
from typing import Any, NamedTuple

from loky import ProcessPoolExecutor, cpu_count

from actlib.study.data import Data
from actlib.study.training import attempt, check_optimisers, failed
from actlib.study.trial import Record, Trial

_ONE_THREAD = {
    f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM")
} | {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}

_STARTS = 3  # in a row, before a run ends


class _End(NamedTuple):
    """The trials of a pool that have no result."""

    dropped: dict[Trial, BaseException]  # for which it gave an error instead, or cancelled them
    in_flight: list[Trial]  # when it broke
    waiting: list[Trial]  # then
    broken: BrokenExecutor | None


class Workers:
    """What trains trials, and passes each result on as it comes.

    Parameters
    ----------
    sets : mapping of str to Data
        The data, by the names that the trials use.
    keep : callable
        Takes each result.

    Attributes
    ----------
    error : BaseException or None
        Why some trials have no result, if a given executor gave none.
    """

    def __init__(self, sets: Mapping[str, Data], keep: Callable[[Record], None]) -> None:
        self.error: BaseException | None = None
        self._sets, self._keep = sets, keep

    def train(self, trials: list[Trial], executor: Executor | None) -> None:
        """Train trials.

        Parameters
        ----------
        trials : list of Trial
            What to train.
        executor : concurrent.futures.Executor or None
            Where to train it: None is for processes of our own, which also go on where those of a
            given executor died.

        Raises
        ------
        ValueError
            If Keras does not know an optimiser.
        ImportError
            If Keras on TensorFlow is needed, and is not there.
        concurrent.futures.BrokenExecutor
            If processes die before they train.
        """
        if executor is None:
            self._in_processes(trials, cpu_count())
            return
        executor, sets = _for_dask(executor, self._sets)
        try:
            end = self._on(executor, trials, len(trials), sets)
        except BrokenExecutor as error:  # before the first trial
            end = _End({}, [], trials, error)
        if isinstance(end.broken, BrokenProcessPool):
            left = end.in_flight + end.waiting
            self._in_processes(left, getattr(executor, "_max_workers", cpu_count()))
        deaths = {trial: error for trial, error in end.dropped.items() if _is_death(error)}
        again = [trial for trial in end.dropped if trial not in deaths]
        if again and not end.broken:
            end = self._on(executor, again, 1, sets)
        self.error = end.broken
        self._give_up(deaths | end.dropped)

    def _in_processes(self, trials: list[Trial], count: int) -> None:
        """Train in processes; where one dies, find out by which trial, and go on without it.

        What was in flight then is trained again, one after another: so the trial at which a process
        dies this time is the cause.
        """
        while trials:
            end = self._in_pool(trials, count)
            self._give_up(end.dropped)
            suspects, trials = end.in_flight, end.waiting
            while suspects:
                end = self._in_pool(suspects, 1)
                self._give_up(end.dropped | dict.fromkeys(end.in_flight, end.broken))
                suspects = end.waiting

    def _in_pool(self, trials: list[Trial], count: int, starts: int = _STARTS) -> _End:
        """As `_on`, in so many processes; with one more trial at hand, so that none waits.

        That they die before the first trial is no trial's fault: others are started.
        """
        at_once = count + 1 if count > 1 else 1
        with ProcessPoolExecutor(
            min(count, len(trials)),
            env=_ONE_THREAD,
            initializer=_belong_to,
            initargs=(os.getpid(),),
        ) as pool:
            try:
                pool.submit(os.getpid).result()
                return self._on(pool, trials, at_once, self._sets)
            except BrokenProcessPool as error:
                broken = error
            except BaseException:
                pool.shutdown(wait=True, kill_workers=True)
                raise
        if starts > 1:
            return self._in_pool(trials, count, starts - 1)
        words = f"processes died as they started, {_STARTS} times: {_ending(broken)}"
        raise BrokenProcessPool(words) from broken

    def _on(
        self, pool: Executor, trials: list[Trial], at_once: int, sets: Mapping[str, Any]
    ) -> _End:
        """Train on a pool, so many at once, until it breaks."""
        end = _End({}, [], [], None)
        waiting = deque(trials)
        futures: dict[Future[Record], Trial] = {}
        finished: SimpleQueue[Future[Record]] = SimpleQueue()
        try:
            if names := {trial.optimiser for trial in trials if trial.backend == "keras"}:
                pool.submit(check_optimisers, names).result()
            while futures or (waiting and not end.broken):
                while waiting and not end.broken and len(futures) < at_once:
                    trial = waiting.popleft()
                    future = _submit(pool, trial, sets[trial.data])
                    futures[future] = trial
                    future.add_done_callback(finished.put)
                future = finished.get()
                error = _error(future)
                if isinstance(error, BrokenExecutor):
                    end.in_flight.append(futures[future])
                    end = end._replace(broken=error)
                elif error:
                    end.dropped[futures[future]] = error
                else:
                    self._keep(future.result())
                del futures[future]
        except BaseException as error:
            for future in futures:
                future.cancel()
            if isinstance(error, KeyboardInterrupt):
                self._keep_finished(futures)
            raise
        end.waiting.extend(waiting)
        return end

    def _give_up(self, dropped: Mapping[Trial, BaseException | None]) -> None:
        """Keep that trials have failed; what was only cancelled is lost."""
        for trial, error in dropped.items():
            if isinstance(error, CancelledError):
                self.error = error
            else:
                self._keep(failed(trial, self._sets[trial.data], _words(error)))

    def _keep_finished(self, futures: Iterable[Future[Record]]) -> None:
        """Keep what came between the last result that was kept and the interrupt."""
        for future in futures:
            if future.done() and not _error(future):
                self._keep(future.result())


def _error(future: Future[Record]) -> BaseException | None:
    """What a finished future has instead of a result; an interrupt is raised."""
    try:
        error = future.exception()
    except CancelledError as cancelled:
        return cancelled
    if isinstance(error, KeyboardInterrupt):
        raise error
    return error


def _is_death(error: BaseException) -> bool:
    """Whether Dask says that the trial cost it several workers; it shall not have more."""
    return type(error).__name__ == "KilledWorker"


def _submit(pool: Executor, trial: Trial, data: Any) -> Future[Record]:
    """As the pool does; where it is broken, the future says so."""
    try:
        return pool.submit(attempt, trial, data)
    except BrokenExecutor as error:
        future: Future[Record] = Future()
        future.set_exception(error)
        return future


def _for_dask(executor: Executor, sets: Mapping[str, Data]) -> tuple[Executor, Mapping[str, Any]]:
    """The executor and the data as Dask needs them; another executor has them as they are.

    Data are sent once, as the result of a task, which Dask does again if it loses them with a
    worker. A trial that is trained again is another task, or Dask would give the same end again.
    """
    client = getattr(executor, "_client", None)  # of distributed.Client.get_executor
    if client is None:
        return executor, sets
    options = getattr(executor, "_kwargs", {}) | {"pure": False}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sending large graph")  # not with each trial
        sent = {name: client.submit(_itself, data, pure=False) for name, data in sets.items()}
    return client.get_executor(**options), sent


def _itself(data: Data) -> Data:
    return data


def _words(error: BaseException | None) -> str:
    """Why a trial has failed; of the end of its processes, without loky's advice."""
    if not isinstance(error, BrokenProcessPool):
        return f"{type(error).__name__}: {error}"
    end = _ending(error)
    return f"the process that trained it died, and so did one that trained it alone: {end}"


def _ending(error: BrokenProcessPool) -> str:
    """How processes ended, as loky says it in the midst of other words."""
    said, _, codes = str(error).strip().partition("The exit codes of the workers are ")
    return (codes or said).partition("\n")[0].strip("{}")


def _belong_to(parent: int) -> None:
    """Make a worker leave Ctrl-C to its parent, and end when that is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
