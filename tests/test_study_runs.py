"""Runs of many trials: other executors give the same, and what may happen to a run costs little.

What is killed, interrupted or run on a cluster takes many processes, and is for the full size.
"""

import contextlib
import errno
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import (
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from concurrent.futures.thread import BrokenThreadPool
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pytest
from click.testing import CliRunner

from actlib import study
from actlib.__main__ import main
from actlib.study import Data, Results, Trial, grid
from actlib.study.store import Store, StoreError, read
from actlib.study.workers import Workers

TRIALS = grid(
    data="spirals", width=8, depth=1, activation=["relu", "tanh"], epochs=2, seed=range(3)
)
#: In a process of its own, which can be killed: 40 trials, about a tenth of a second each.
STUDY = """
import signal, sys
from actlib import study
signal.signal(signal.SIGINT, signal.default_int_handler)  # which some callers ignore
trials = study.grid(data="digits", width=32, activation=["relu", "tanh"], epochs=4, seed=range(20))
if __name__ == "__main__":
    study.run(trials, store=sys.argv[1], progress=False)
"""


def numbers(results: Results) -> list[object]:
    """What must not depend on where and when a trial was trained."""
    keys = ("id", "status", "metrics", "curves")
    return [[record[key] for key in keys] for record in results.records]


class Serial(Executor):
    """Trains when it is asked to, in this thread."""

    def submit(self, function, /, *args, **kwargs):
        future: Future = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


def run(trials, **options):
    return study.run(trials, **{"executor": Serial(), "store": None, "progress": False, **options})


@pytest.fixture(scope="module")
def expected():
    return numbers(run(TRIALS))


@contextlib.contextmanager
def background(*arguments, script=STUDY, **options):
    """A process in a group of its own, with all that it starts."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """An interrupt is raised here, although the caller of the tests may ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def living() -> dict[int, int]:
    """All processes, and the parent of each."""
    found = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent, *_ = status.read_text().rpartition(")")[2].split()
            if state != "Z":
                found[int(status.parent.name)] = int(parent)
    return found


def children(pid: int) -> list[int]:
    return [child for child, parent in living().items() if parent == pid]


# --- executors


def test_processes_give_the_same_numbers(expected) -> None:
    assert numbers(study.run(TRIALS, store=None, progress=False)) == expected


def test_threads_and_another_order_give_the_same_numbers(expected) -> None:
    shuffled = random.Random(0).sample(TRIALS, len(TRIALS))
    with ThreadPoolExecutor(3) as executor:
        results = run(shuffled, executor=executor)
    order = [TRIALS.index(trial) for trial in shuffled]
    assert numbers(results) == [expected[index] for index in order]


def listening(process) -> str:
    for line in process.stderr:
        if "Scheduler at:" in line:
            return line.split()[-1]
    raise AssertionError("the scheduler did not start")


@contextlib.contextmanager
def dask(**environment):
    """A Dask scheduler and two workers, as they run on a cluster: a process each."""
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1"]
    options = {"start_new_session": True, "stderr": subprocess.PIPE, "text": True}
    options["env"] = os.environ | environment
    started = [subprocess.Popen([*command, "--port", "0", "--no-dashboard"], **options)]
    try:
        address = listening(started[0])
        command = [sys.executable, "-m", "distributed.cli.dask_worker", address]
        for _ in range(2):
            worker = [*command, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
            started.append(subprocess.Popen(worker, **{**options, "stderr": subprocess.DEVNULL}))
        yield address, started[1:]
    finally:
        for process in started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        started[0].stderr.close()


@pytest.fixture(scope="module")
def cluster():
    with dask() as found:
        yield found


@pytest.mark.deep
def test_a_cluster_gives_the_same_numbers(cluster, expected) -> None:
    from distributed import Client

    with Client(cluster[0]) as client:
        client.wait_for_workers(2)
        results = run(TRIALS, executor=client.get_executor())
        assert numbers(results) == expected
        own = {"mine": Counted(study.load("digits").x[:100], study.load("digits").y[:100])}
        trials = grid(data="mine", epochs=1, seed=range(20))
        assert numbers(run(trials, executor=client.get_executor(), data=own)) == numbers(
            run(trials, data=own)
        )
        assert own["mine"].sent == 1  # not with each trial


class Counted(Data):
    """Counts how often it is sent from here."""

    sent = 0

    def __reduce_ex__(self, protocol):
        self.sent += 1
        return Data, (self.x, self.classes[self.y], self.x_test, self.classes[self.y_test])


@pytest.mark.deep
def test_a_trial_that_kills_a_worker_of_a_cluster_is_named(tmp_path) -> None:
    """So may others be that Dask had given to the same worker; the rest is trained."""
    from distributed import Client

    own = {"deadly": deadly(), "mine": (study.load("digits").x, study.load("digits").y)}
    trials = grid(data="mine", epochs=2, seed=range(6))
    options = {"data": own, "store": tmp_path / "r.jsonl"}
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])  # where the workers find Deadly
    one_death = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}
    with dask(PYTHONPATH=path, **one_death) as (address, _), Client(address) as client:
        client.wait_for_workers(2)
        options["executor"] = client.get_executor()
        *others, killer = run([*trials, Trial(data="deadly")], **options).records
        assert killer["status"] == "failed"
        assert {r["reason"].split(":")[0] for r in [killer, *others]} <= {"KilledWorker", ""}
        assert numbers(run(trials, **options, retry_failed=True)) == numbers(run(trials, data=own))


@pytest.mark.deep
def test_the_command_line_on_a_cluster(cluster, tmp_path) -> None:
    command = [sys.executable, "-m", "actlib", "study", "--activations", "relu,tanh", "--epochs"]
    command += ["2", "--seeds", "2", "--store", tmp_path / "r.jsonl", "--scheduler", cluster[0]]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "verdict" in done.stdout
    assert len(read(tmp_path / "r.jsonl")) == 4


@pytest.mark.deep
def test_a_cluster_survives_a_worker(cluster, expected) -> None:
    """Dask sends what it had to the other; must be the last test of the cluster."""
    from distributed import Client

    with Client(cluster[0]) as client:
        client.wait_for_workers(2)
        trials = grid(data="digits", epochs=5, seed=range(10))
        with ThreadPoolExecutor(1) as thread:
            future = thread.submit(run, trials, executor=client.get_executor())
            time.sleep(0.5)
            os.killpg(cluster[1][0].pid, signal.SIGKILL)
            assert numbers(future.result()) == numbers(run(trials))


# --- resuming


def test_what_is_done_is_not_repeated(tmp_path, monkeypatch, expected) -> None:
    store = tmp_path / "deep" / "r.jsonl"
    run(TRIALS[:4], store=store)
    before = store.read_bytes()
    submitted = []
    submit = Serial.submit
    monkeypatch.setattr(
        Serial,
        "submit",
        lambda self, f, trial, data: (submitted.append(trial), submit(self, f, trial, data))[1],
    )
    results = run(TRIALS, store=store)
    assert submitted == TRIALS[4:]
    assert store.read_bytes().startswith(before)
    assert numbers(results) == expected
    assert sorted(numbers(Results.read(store))) == sorted(expected)  # in the order they came
    assert numbers(run([*TRIALS, *TRIALS], store=store)) == expected
    assert len(lines(store)) == len(TRIALS)


def test_no_trials_are_no_results(tmp_path) -> None:
    with pytest.raises(ValueError, match="there are no results"):
        run([])


@pytest.mark.parametrize("cut", [2, 100])
def test_a_last_line_that_was_not_finished_costs_one_trial(tmp_path, expected, cut) -> None:
    store = tmp_path / "r.jsonl"
    run(TRIALS, store=store)
    store.write_bytes(store.read_bytes()[:-cut])
    assert len(read(store)) == len(TRIALS) - 1
    assert numbers(run(TRIALS, store=store)) == expected
    assert len([json.loads(line) for line in lines(store)]) == len(TRIALS)


@pytest.mark.parametrize("line", ["{}", "nonsense", "[1]", "\0\0\0"])
def test_a_line_that_is_no_result_is_pointed_at(tmp_path, line) -> None:
    store = tmp_path / "r.jsonl"
    run(TRIALS[:2], store=store)
    store.write_text(line + "\n" + store.read_text())
    before = store.read_bytes()
    with pytest.raises(StoreError, match=r"line 1 of .* is no result"):
        run(TRIALS, store=store)
    assert store.read_bytes() == before


NO_STORES = {
    "one line": b"do not lose this line",
    "lines": b"first\nsecond\n",
    "numbers": b"\x00\x01\xff\n\xfe{",
    "JSON of another kind": b'{"id": "1"}\n{"a": 1}\n',
    "results of another tool": b'{"id": "t1", "trial": {"rate": 0.1}, "status": "ok"}\n' * 2,
    "spaces": b"  ",
    "UTF-16": '{"id": "0123456789abcdef"}\n'.encode("utf-16"),
    "a beginning": b'{"id": "0123456789abcdef", "trial": {"activation": "relu"',
    "JSON without a newline": b'{"id": 1, "trial": {}, "status": "ok"}',
    "brackets": b"[" * 100_000,
    "the beginning of a result": b'{"id": "b1c0',
    "an empty line": b"\n",
}


@pytest.mark.parametrize("content", NO_STORES.values(), ids=NO_STORES.keys())
def test_a_file_that_is_no_store_is_left_as_it_is(tmp_path, content: bytes) -> None:
    store = tmp_path / "mine"
    store.write_bytes(content)
    for attempt in (lambda: run(TRIALS[:1], store=store), lambda: read(store)):
        with pytest.raises(StoreError, match=r"left as it is; .*use another file"):
            attempt()
        assert store.read_bytes() == content
        assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_what_follows_the_results_but_does_not_begin_as_one_is_left(tmp_path) -> None:
    store = tmp_path / "r.jsonl"
    run(TRIALS[:2], store=store)
    tails = [b"a note", b"[1, 2", b'{"name": 1', b"\0" * 40, b'{"id": "my note', b"\n \n\0"]
    tails += [b'{"id": "0123456789abcdef", "name": "x"', b'{"id": "t1", "trial": {}}']
    for tail in tails:
        content = store.read_bytes()
        store.write_bytes(content + tail)
        with pytest.raises(StoreError, match="left as it is"):
            run(TRIALS, store=store)
        assert store.read_bytes() == content + tail
        store.write_bytes(content)


def test_what_is_torn_is_kept_beside_the_store(tmp_path) -> None:
    store = tmp_path / "r.jsonl"
    run(TRIALS[:2], store=store)
    whole = store.read_bytes()
    for torn in (b'{"id": "0123456789abcdef", "tri', b'{"i', b'{"id": "01'):
        store.write_bytes(whole + torn)
        run(TRIALS[:2], store=store)
        assert store.read_bytes() == whole
    assert (tmp_path / "r.jsonl.torn").read_bytes() == (
        b'{"id": "0123456789abcdef", "tri\n{"i\n{"id": "01\n'
    )


def test_what_is_torn_is_not_cut_off_where_it_cannot_be_put_aside(tmp_path) -> None:
    store = tmp_path / "r.jsonl"
    run(TRIALS[:2], store=store)
    store.write_bytes(store.read_bytes()[:-9])
    before = store.read_bytes()
    (tmp_path / "r.jsonl.torn").mkdir()
    with pytest.raises(StoreError, match=r"unfinished last line cannot be put aside: Is a direc"):
        run(TRIALS, store=store)
    assert store.read_bytes() == before
    with Store(tmp_path / "other.jsonl"):
        (tmp_path / "r.jsonl.torn").rmdir()
    assert len(run(TRIALS, store=store).records) == len(TRIALS)  # the lock was given back


def test_a_result_must_be_of_its_trial(tmp_path) -> None:
    """Or one that somebody has changed by hand would count as that of another."""
    store = tmp_path / "r.jsonl"
    run(TRIALS[:1], store=store)
    [record] = read(store)
    for field, value in (("seed", 7), ("seed", -1), ("activation", "tnh"), ("params", 3)):
        content = json.dumps(record | {"trial": record["trial"] | {field: value}}) + "\n"
        store.write_text(content)
        with pytest.raises(StoreError, match=r"line 1 of .* is no result"):
            run(TRIALS[:1], store=store)
        assert store.read_text() == content


def test_a_last_result_without_a_newline_is_kept(tmp_path) -> None:
    store = tmp_path / "r.jsonl"
    run(TRIALS[:2], store=store)
    whole = store.read_bytes()
    store.write_bytes(whole[:-1])
    assert len(read(store)) == 2
    assert store.read_bytes() == whole[:-1]  # reading changes nothing
    run(TRIALS[:3], store=store)
    assert store.read_bytes().startswith(whole)
    assert len(lines(store)) == 3


def test_the_same_result_twice_counts_once(tmp_path) -> None:
    store = tmp_path / "r.jsonl"
    run(TRIALS, store=store)
    once = Results.read(store).summary()
    store.write_bytes(store.read_bytes() * 2)
    assert Results.read(store).summary().equals(once)
    assert len(run(TRIALS, store=store).records) == len(TRIALS)


EDITED = {
    "mark": lambda text: "\ufeff" + text,
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "a blank line at the end": lambda text: text + "\n",
    "blank lines": lambda text: "\n" + text.replace("\n", "\n\n \n"),
    "blank lines and CRLF": lambda text: text.replace("\n", "\r\n\t\r\n"),
    "a blank last line without a newline": lambda text: text + "  ",
}


@pytest.mark.parametrize("edit", EDITED.values(), ids=EDITED.keys())
def test_a_store_that_an_editor_has_saved_goes_on(tmp_path, edit) -> None:
    store = tmp_path / "r.jsonl"
    run(TRIALS[:2], store=store)
    store.write_bytes(edit(store.read_text()).encode())
    before = store.read_bytes()
    assert len(run(TRIALS[:3], store=store).records) == 3
    assert store.read_bytes().startswith(before)
    assert len(read(store)) == 3


def test_a_result_needs_all_its_parts_and_fields_that_are_known(tmp_path) -> None:
    store = tmp_path / "r.jsonl"
    run(TRIALS[:1], store=store)
    [record] = read(store)
    older = {key: value for key, value in record["trial"].items() if key != "scale"}
    newer = record["trial"] | {"shape": "wide"}
    for trial, fine in ((older, True), (newer, False)):
        store.write_text(json.dumps(record | {"trial": trial}) + "\n")
        with contextlib.nullcontext() if fine else pytest.raises(StoreError, match="newer actlib"):
            assert len(run(TRIALS[:2], store=store).records) == 2
    for part in ("id", "trial", "data", "status", "reason", "metrics", "curves"):
        for changed in ({k: v for k, v in record.items() if k != part}, record | {part: 3}):
            content = json.dumps(changed) + "\n"
            store.write_text(content)
            with pytest.raises(StoreError, match=r"line 1 of .* is no result"):
                run(TRIALS[:1], store=store)
            assert store.read_text() == content


def test_a_store_that_is_not_there_or_cannot_be_made(tmp_path) -> None:
    with pytest.raises(StoreError, match="the results cannot be read: No such file"):
        Results.read(tmp_path / "none.jsonl")
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/null"), Path("/dev/zero")):
        for attempt in (
            lambda path=path: run(TRIALS[:1], store=path),
            lambda path=path: read(path),
        ):
            with pytest.raises(StoreError, match="is no file, so it cannot hold results"):
                attempt()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(StoreError, match="no store can be made"):
        run(TRIALS[:1], store=tmp_path / "loop")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="no store can be made"):
        run(TRIALS, store=tmp_path / "file" / "r.jsonl")


def test_a_store_in_the_home_folder(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    run(TRIALS[:1], store="~/r.jsonl")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
    assert len(Results.read("~/r.jsonl").records) == len(lines(tmp_path / "home" / "r.jsonl")) == 1


def test_a_link_to_a_store_is_that_store(tmp_path) -> None:
    store, link = tmp_path / "r.jsonl", tmp_path / "deep" / "link.jsonl"
    link.parent.mkdir()
    link.symlink_to(store)
    run(TRIALS[:1], store=link)  # which makes the file
    assert len(read(store)) == 1
    for one, other in ((store, link), (link, store), (link, link)):
        with (
            Store(one),
            pytest.raises(StoreError, match="another run is writing to"),
            Store(other),
        ):
            raise AssertionError("two have the store")


# --- accidents


@pytest.mark.deep
def test_two_runs_on_one_store_are_refused(tmp_path) -> None:
    store = tmp_path / "r.jsonl"
    with background(store), Store(tmp_path / "other.jsonl"):
        wait_for(lambda: lines(store))
        with pytest.raises(StoreError, match="another run is writing to"):
            run(TRIALS, store=store)
        assert read(store)  # reading is fine
    run(TRIALS, store=tmp_path / "other.jsonl")  # the lock went with the block


@pytest.mark.deep
@pytest.mark.parametrize("results", [0, 7])
def test_a_killed_run_goes_on(tmp_path, results) -> None:
    """All results that were there are kept, and the rest is trained; no process is left over."""
    store = tmp_path / "r.jsonl"
    with background(store) as process:
        wait_for(lambda: len(lines(store)) >= results and len(children(process.pid)) >= 2)
        time.sleep(random.Random().uniform(0, 0.3))
        workers = children(process.pid)
        process.kill()
        process.wait()
        kept = read(store)
        wait_for(lambda: not living().keys() & workers)
    with background(store) as process:
        assert process.wait() == 0, process.stderr.read()
    records = read(store)
    assert records[: len(kept)] == kept
    assert len({record["id"] for record in records}) == len(records) == 40
    assert {record["status"] for record in records} == {"ok"}


@pytest.mark.deep
def test_killed_workers_cost_nothing_where_no_trial_is_the_cause(tmp_path) -> None:
    """What they had in hand is trained again, and no trial is blamed."""
    store = tmp_path / "r.jsonl"
    with background(store) as process:
        wait_for(lambda: len(lines(store)) >= 3)
        for pid in children(process.pid):
            os.kill(pid, signal.SIGKILL)
        assert process.wait(60) == 0, process.stderr.read()
    records = read(store)
    assert len(records) == len(lines(store)) == 40
    assert {record["status"] for record in records} == {"ok"}


class Deadly(Data):
    """Kills who trains with it, if that is another process than the one that made it."""

    def __init__(self, *arrays, harmless=None, **options):
        super().__init__(*arrays, **options)
        self.maker, self.harmless = os.getpid(), harmless

    def split(self, score_on):
        if os.getpid() != self.maker and not (self.harmless and self.harmless.exists()):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().split(score_on)


def deadly(harmless: Path | None = None) -> Deadly:
    spirals = study.load("spirals")
    return Deadly(spirals.x, spirals.y, spirals.x_test, spirals.y_test, harmless=harmless)


@pytest.mark.deep
def test_a_trial_that_kills_its_process_costs_itself_alone(tmp_path, expected) -> None:
    store, harmless = tmp_path / "r.jsonl", tmp_path / "harmless"
    trials = [*TRIALS[:2], Trial(data="deadly"), *TRIALS[2:]]
    options = {"data": {"deadly": deadly(harmless)}, "store": store, "progress": False}
    results = study.run(trials, **options)
    fine = [record for record in results.records if record["trial"]["data"] == "spirals"]
    assert numbers(Results(fine)) == expected
    cause = results.records[2]
    assert cause["status"] == "failed"
    assert cause["reason"].endswith("one that trained it alone: SIGKILL(-9)")
    assert cause["data"] == options["data"]["deadly"].fingerprint
    assert len(lines(store)) == len(trials)
    harmless.touch()
    assert study.run(trials, **options).records == results.records  # a failure is a result
    again = study.run(trials, **options, retry_failed=True)
    assert {record["status"] for record in again.records} == {"ok"}
    assert len(lines(store)) == len(trials) + 1
    assert len(read(store)) == len(trials)
    assert study.run(trials, **options, retry_failed=True).records == again.records


@pytest.mark.deep
def test_a_process_pool_that_is_given_and_dies_is_replaced(expected) -> None:
    """Two trials kill their process, one after the other."""
    trials = [*grid(data="deadly", seed=[0, 1]), *TRIALS]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        results = run(trials, executor=pool, data={"deadly": deadly()})
    assert [record["status"] for record in results.records[:2]] == ["failed", "failed"]
    assert numbers(Results(results.records[2:])) == expected


class Broken(Serial):
    """Gives an error, or cancels, instead of the third trial, so many times."""

    def __init__(self, error, times=1):
        self.error, self.left, self.begun = error, times, []

    def submit(self, function, /, *args, **kwargs):
        self.begun.append(args[0])
        if [args[0]] != self.begun[2:3] or not self.left:
            return super().submit(function, *args, **kwargs)
        self.left -= 1
        future: Future = Future()
        if isinstance(self.error, CancelledError):
            future.cancel()
            future.set_running_or_notify_cancel()
        else:
            future.set_exception(self.error)
        return future


class KilledWorker(Exception):
    """As Dask's is called."""


@pytest.mark.parametrize("error", [OSError("the result got lost"), CancelledError()])
def test_a_trial_that_an_executor_drops_once_is_trained_again(expected, error) -> None:
    assert numbers(run(TRIALS, executor=Broken(error))) == expected


@pytest.mark.parametrize(
    ("error", "times"), [(OSError("no luck"), 2), (KilledWorker("it cost 4 workers"), 1)]
)
def test_what_an_executor_gives_instead_of_a_result_is_the_failure_of_a_trial(
    expected, error, times
) -> None:
    records = run(TRIALS, executor=Broken(error, times)).records
    assert records[2]["status"] == "failed"
    assert records[2]["reason"] == f"{type(error).__name__}: {error}"
    assert numbers(Results(records[:2] + records[3:])) == expected[:2] + expected[3:]


@pytest.mark.parametrize("error", [CancelledError(), BrokenThreadPool("no threads")])
def test_trials_that_an_executor_does_not_train_are_lost(tmp_path, expected, error) -> None:
    store = tmp_path / "r.jsonl"
    with pytest.raises(RuntimeError, match=r"1 of 6 trials have no result, .*\. 5 results"):
        run(TRIALS, executor=Broken(error, 2), store=store)
    kept = sorted(numbers(Results.read(store)))
    assert kept == sorted(expected[:2] + expected[3:])
    assert numbers(run(TRIALS, store=store)) == expected


def die(path: Path, times: int, *_: object) -> None:
    """End the process that does this, so many times."""
    with path.open("a") as deaths:
        deaths.write("x")
    if path.stat().st_size <= times:
        os._exit(3)


DEADLY_STARTS = r"1 of 2 trials have no result, .* died as they started, 3 times: EXIT\(3\)"


@pytest.mark.parametrize(
    "name", ["_belong_to", pytest.param("check_optimisers", marks=pytest.mark.deep)]
)
def test_that_no_process_can_be_started_is_no_failure_of_trials(
    tmp_path, monkeypatch, name
) -> None:
    store, trials = tmp_path / "r.jsonl", grid(data="spirals", epochs=1, backend="keras")
    run(TRIALS[:1], store=store)
    monkeypatch.setattr(f"actlib.study.workers.{name}", partial(die, tmp_path / "deaths", 99))
    with pytest.raises(RuntimeError, match=DEADLY_STARTS) as said:
        run([*TRIALS[:1], *trials], store=store, executor=None)
    assert str(said.value).endswith(f" 1 results are in {store}; run the same again to go on.")
    assert len(read(store)) == 1


@pytest.mark.deep
def test_a_pool_that_is_given_and_dies_before_it_trains_is_replaced(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(
        "actlib.study.workers.check_optimisers", partial(die, tmp_path / "deaths", 99)
    )
    trials = [*TRIALS[:1], Trial(data="spirals", epochs=1, backend="keras")]
    run(trials[:1], store=tmp_path / "r.jsonl")
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        pytest.raises(RuntimeError, match=DEADLY_STARTS),
    ):
        run(trials, executor=pool, store=tmp_path / "r.jsonl")


def test_a_process_that_dies_as_it_starts_costs_nothing(tmp_path, monkeypatch, expected) -> None:
    monkeypatch.setattr("actlib.study.workers._belong_to", partial(die, tmp_path / "deaths", 1))
    store = tmp_path / "r.jsonl"
    assert numbers(run(TRIALS[:1], executor=None, store=store)) == expected[:1]
    assert len(lines(store)) == 1


def test_an_executor_is_told_from_a_client() -> None:
    with pytest.raises(TypeError, match=r"of Dask's Client, give client\.get_executor\(\)"):
        run(TRIALS, executor=object())


@pytest.mark.deep
def test_an_interrupt_stops_cleanly_and_says_how_to_go_on(tmp_path) -> None:
    store = tmp_path / "r.jsonl"
    with background(store) as process:
        wait_for(lambda: len(lines(store)) >= 3)
        workers = children(process.pid)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of them
        assert process.wait(60) != 0
        said = process.stderr.read()
        wait_for(lambda: not living().keys() & workers)  # some end when the parent has
    kept = read(store)
    assert 3 <= len(kept) < 40
    assert f"Stopped. {len(kept)} results are in {store}; run the same again to go on." in said
    assert said.count("Traceback") == 1  # its own, none of the workers'


def test_results_that_came_before_an_interrupt_are_kept(tmp_path, monkeypatch) -> None:
    """All are ready when the interrupt comes, which is after the first was written."""
    store = tmp_path / "r.jsonl"
    add = Store.add

    def interrupted(self, record):
        add(self, record)
        if len(self.records) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(Store, "add", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(TRIALS, store=store)
    assert len(read(store)) == len(lines(store)) == len(TRIALS)


class Interrupted(dict):
    def __setitem__(self, key, record):
        super().__setitem__(key, record)
        if record["reason"] == "now":
            raise KeyboardInterrupt


@pytest.mark.usefixtures("interruptible")
def test_a_result_whose_writing_is_interrupted_is_in_file_and_memory_or_in_none(
    tmp_path, monkeypatch
) -> None:
    path = tmp_path / "r.jsonl"
    run(TRIALS[:2], store=path)
    first, second = read(path)
    path.write_text(json.dumps(first) + "\n")
    for record in (second, first | {"reason": "again"}):  # one that is new, and one that is there
        with Store(path) as store:
            monkeypatch.setattr(os, "fsync", lambda file: signal.raise_signal(signal.SIGINT))
            with pytest.raises(KeyboardInterrupt):
                store.add(record)
            monkeypatch.undo()
            assert list(store.records.values()) == read(path) == [first]
            store.records = Interrupted(store.records)
            with pytest.raises(KeyboardInterrupt):
                store.add(record | {"reason": "now"})
            assert list(store.records.values()) == read(path) == [first]


@pytest.mark.usefixtures("interruptible")
def test_without_a_store_an_interrupt_says_that_nothing_is_kept(monkeypatch, capsys) -> None:
    monkeypatch.setattr(Store, "add", lambda self, record: signal.raise_signal(signal.SIGINT))
    monkeypatch.setattr(Workers, "_keep_finished", lambda self, futures: None)
    with pytest.raises(KeyboardInterrupt):
        run(TRIALS)
    assert "Nothing was kept, since there is no store." in capsys.readouterr().err


FULL = """
import resource, signal, sys
from actlib import study
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
trials = study.grid(data="spirals", width=8, epochs=2, seed=range(20))
if __name__ == "__main__":
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(2) as executor:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
        study.run(trials, store=sys.argv[1], executor=executor, progress=False)
"""


@pytest.mark.deep
def test_a_full_disk_costs_no_result_that_was_written(tmp_path) -> None:
    """A limit on the size of files: the system writes what fits and refuses the rest."""
    store = tmp_path / "r.jsonl"
    with background(store, 4000, script=FULL) as process:
        assert process.wait(60) == 1
        said = process.stderr.read()
    kept = read(store)
    assert 0 < len(kept) < 20
    assert store.read_bytes().endswith(b"\n")  # nothing of the line that did not fit
    assert f"{len(kept)} are safe; make room, then run again to go on" in said
    with background(store, resource.RLIM_INFINITY, script=FULL) as process:
        assert process.wait(60) == 0, process.stderr.read()
    assert len(read(store)) == 20


@pytest.mark.parametrize("replaced", [False, True])
def test_results_do_not_vanish_into_a_file_that_is_gone(tmp_path, replaced) -> None:
    path = tmp_path / "r.jsonl"
    run(TRIALS[:2], store=path)
    first, second = read(path)
    with Store(path) as store:
        path.rename(tmp_path / "moved.jsonl")
        if replaced:
            path.write_text(json.dumps(first) + "\n")
        with pytest.raises(StoreError, match="was moved, removed or replaced while"):
            store.add(second)
    assert len(read(tmp_path / "moved.jsonl")) == 2
    assert lines(path) == [json.dumps(first)] * replaced


def test_what_cannot_be_synced_is_not_called_safe(tmp_path, monkeypatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    store = tmp_path / "r.jsonl"
    run(TRIALS[:2], store=store)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match=r"No space left on device.*2 are safe; make room"):
        run(TRIALS, store=store)
    monkeypatch.undo()
    assert len(read(store)) == 2


# --- what is shown


def test_the_bar_counts_what_did_not_end_well(tmp_path, capsys) -> None:
    bad = Trial(data="spirals", width=4, epochs=1, activation="leaky_relu", rate=1e9)
    again = Trial(data="spirals", width=4, epochs=1)
    run([*TRIALS[:1], bad, again], progress=True, executor=Broken(RuntimeError("no luck"), 2))
    shown = capsys.readouterr().err
    assert "spirals: 750 examples to fit to and 250 for the test, of 2 features; 2 classes" in shown
    assert "3/3" in shown
    assert "failed=1, diverged=1" in shown


# --- the command line


@pytest.fixture
def command(tmp_path, monkeypatch):
    """The command in this process, and an executor that a test may give."""

    def study_command(*arguments, executor=None):
        options = {"executor": executor or Serial()}
        monkeypatch.setattr(study, "run", lambda *a, **k: whole(*a, **{**k, **options}))
        given = ["study", "--data", "spirals", "--seeds", "2", "--epochs", "1", *arguments]
        result = CliRunner().invoke(main, [*given, "--store", str(tmp_path / "r.jsonl")])
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    whole = study.run
    return study_command


def test_the_command_says_what_is_compared(command) -> None:
    result = command("--activations", "relu,tanh")
    assert result.exit_code == 0
    assert "The metric is accuracy." in result.stdout
    assert "verdict" in result.stdout
    alone = command("--activations", "relu")
    assert alone.exit_code == 0
    assert "relu" in alone.stdout
    assert "Empty" not in alone.stdout


def test_the_command_fails_if_all_trials_do_and_tries_again_if_asked(command) -> None:
    class Failing(Serial):
        def submit(self, function, /, *args):
            future: Future = Future()
            future.set_exception(OSError("no luck"))
            return future

    for executor in (Failing(), Serial()):  # the second finds that both have failed
        failed = command("--activations", "relu", executor=executor)
        assert failed.exit_code == 1
        assert "relu, seed 1: failed, OSError: no luck" in failed.stdout
        assert "Error: no trial ended well" in failed.stderr
    assert command("--activations", "relu,tanh").exit_code == 0  # two of four
    again = command("--activations", "relu", "--retry-failed")
    assert again.exit_code == 0
    assert "failed," not in again.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--batch-size", "2000"], "batch_size must be at most 750"),
        (["--rate", "-1"], "rate must not be negative"),
        (["--data", "mine.npz"], "there is no file mine.npz"),
    ],
)
def test_the_command_says_what_is_wrong(command, arguments, words) -> None:
    result = command("--activations", "relu", *arguments)
    assert result.exit_code == 1
    assert words in result.stderr


@pytest.mark.parametrize("option", ["--activations", "--data", "--init", "--depth", "--rate"])
def test_the_command_takes_no_empty_list(command, option) -> None:
    for empty in ("", ",", " , "):
        result = command("--activations", "relu", option, empty)
        assert result.exit_code == 2
        assert f"Invalid value for '{option}': {empty!r} names nothing" in result.stderr
