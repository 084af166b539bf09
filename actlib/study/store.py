"""A file of results, one JSON line each, that survives what may happen to a long run."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from filelock import FileLock, Timeout

from actlib.study.trial import Record, Trial

#: What every result has; see `actlib.study.training.attempt`.
_PARTS = {"id": str, "trial": dict, "data": str, "status": str, "reason": str}
_PARTS |= {"metrics": dict, "curves": dict}
#: How a line begins, as `Store.add` writes it, and an example of that.
_BEGINNING = rb'\{"id": "[0-9a-f]{16}", "trial": \{"activation": "'
_EXAMPLE = b'{"id": "0123456789abcdef", "trial": {"activation": "'


class StoreError(OSError):
    """A store that cannot be used: the text says why, and what to do."""


def read(path: str | os.PathLike[str]) -> list[Record]:
    """The results in a store.

    Parameters
    ----------
    path : str or os.PathLike
        The file.

    Returns
    -------
    list of dict
        In the order in which they came; of several with one id, the last. A last line that was not
        finished, because the machine stopped while it was written, is left out.

    Raises
    ------
    StoreError
        If the file is not there, or is no store.
    """
    path = Path(path).expanduser()
    return list(_judged(path, _content(path))[0].values())


def _content(path: Path) -> bytes:
    if path.exists() and not path.is_file():
        raise StoreError(f"{path} is no file, so it cannot hold results; use a file as the store")
    try:
        return path.read_bytes()
    except OSError as error:
        raise StoreError(
            error.errno, f"the results cannot be read: {error.strerror}", path
        ) from None


def _judged(path: Path, content: bytes) -> tuple[dict[str, Record], bytes]:
    """The results in a file by their ids, and what there is of a last line that is torn.

    A file is a store if all its lines are results, or blank, as editors leave some; the last may
    be torn if it begins as a result.
    """
    *lines, last = content.split(b"\n")
    if _result(last) or not last.strip():
        lines, last = [*lines, last], b""
    records = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        record = _result(line)
        if record is None:
            raise StoreError(
                f"line {number} of {path} is no result of a study, or is one of a newer actlib, so "
                "the file was left as it is; mend the line, or use another file as the store"
            )
        records[record["id"]] = record
    if (content and not records) or (last and not _begins_as_a_result(last)):
        raise StoreError(
            f"{path} {'ends with what is no result' if records else 'holds no results'} of a "
            "study, so it was left as it is; use another file as the store"
        )
    return records, last


def _result(line: bytes) -> Record | None:
    """What a line holds, if it is a result."""
    try:
        record = json.loads(line.decode("utf-8-sig"))
        kinds = {key: type(record[key]) for key in _PARTS}
        return record if kinds == _PARTS and Trial(**record["trial"]).id == record["id"] else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _begins_as_a_result(torn: bytes) -> bool:
    """Whether it does, as far as it goes; the rest is taken from an example."""
    return re.match(_BEGINNING, torn + _EXAMPLE[len(torn) :]) is not None


def _put_aside(path: Path, torn: bytes) -> None:
    """Keep it in a file beside the store, and wait until it is on the disk."""
    try:
        with path.with_name(f"{path.name}.torn").open("ab") as beside:
            beside.write(torn + b"\n")
            beside.flush()
            os.fsync(beside.fileno())
    except OSError as error:
        raise StoreError(
            error.errno,
            f"the store's unfinished last line cannot be put aside: {error.strerror}",
            f"{path}.torn",
        ) from error


class Store:
    """A file that results are added to, by one run at a time.

    Parameters
    ----------
    path : str or os.PathLike, optional
        The file, made if it is not there; without it, results are kept in memory alone.

    Attributes
    ----------
    records : dict of str to dict
        What it holds, by the trials' ids.

    Raises
    ------
    StoreError
        On entering, if another run has the store, or it cannot be read or written.
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self.path = None if path is None else Path(path).expanduser()
        self.records: dict[str, Record] = {}
        self._file: BinaryIO | None = None
        self._lock: FileLock | None = None

    def __enter__(self) -> Store:
        """Judge the file, lock it, and read it; a line that was not finished goes elsewhere."""
        if self.path is None:
            return self
        if self.path.exists():
            read(self.path)  # an error before anything is made or changed
        try:
            self._lock = FileLock(f"{self.path.resolve()}.lock")  # one for all links to the file
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout:
            raise StoreError(
                f"another run is writing to {self.path}; wait for it, or use another store"
            ) from None
        except (OSError, RuntimeError) as error:  # the latter of links in a circle
            raise StoreError(f"no store can be made: {error}") from None
        try:
            self._open(self.path)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _open(self, path: Path) -> None:
        """Read what is there, and make sure that it ends with a whole line."""
        try:
            self._file = path.open("ab+", buffering=0)
        except OSError as error:
            raise StoreError(error.errno, f"no store can be made: {error.strerror}", path) from None
        content = _content(path)
        self.records, torn = _judged(path, content)
        if torn:
            _put_aside(path, torn)
            self._file.truncate(len(content) - len(torn))
        elif content and not content.endswith(b"\n"):
            self._file.write(b"\n")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let other runs have the file."""
        if self._file is not None:
            self._file.close()
        if self._lock is not None:
            self._lock.release()

    @staticmethod
    def _is_there(path: Path, file: BinaryIO) -> bool:
        return path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno()))

    def add(self, record: Record) -> None:
        """Write a result, and wait until it is on the disk.

        Parameters
        ----------
        record : dict
            As JSON can hold it; it takes the place of an earlier one of the same trial.

        Raises
        ------
        StoreError
            If it cannot be written, for example because the disk is full, when what was there
            before is as it was; or if the file has been moved, removed or replaced.
        """
        if self.path is None or self._file is None:
            self.records[record["id"]] = record
            return
        if not self._is_there(self.path, self._file):
            raise StoreError(
                f"{self.path} was moved, removed or replaced while results were written to it; "
                "put it back, then run again to go on"
            )
        line = json.dumps(record, allow_nan=False).encode() + b"\n"
        size, before = os.fstat(self._file.fileno()).st_size, self.records.get(record["id"])
        try:
            if self._file.write(line) != len(line):
                raise OSError(None, "only a part was written; the disk may be full")
            os.fsync(self._file.fileno())
            self.records[record["id"]] = record
        except BaseException as error:  # also an interrupt: it is in both, or in none
            self._file.truncate(size)
            self.records.pop(record["id"], None)
            if before:
                self.records[record["id"]] = before
            if not isinstance(error, OSError):
                raise
            raise StoreError(
                error.errno,
                f"a result cannot be written ({error.strerror}); {len(self.records)} are safe; "
                "make room, then run again to go on",
                self.path,
            ) from error
