"""A file of results, one JSON line each, that survives what may happen to a long run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from filelock import FileLock, Timeout

_BEGINNING = b'{"id": "'  # of a line, as `Store.add` writes it


class StoreError(OSError):
    """A store that cannot be used: the text says why, and what to do."""


def read(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
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
    path = Path(path)
    return list(_judged(path, _content(path))[0].values())


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StoreError(
            error.errno, f"the results cannot be read: {error.strerror}", path
        ) from None


def _judged(path: Path, content: bytes) -> tuple[dict[str, dict[str, Any]], bytes]:
    """The results in a file by their ids, and what there is of a last line that is torn.

    A file is a store if all its lines are results; the last may be torn if it begins as one.
    """
    *lines, last = content.split(b"\n")
    if _result(last):
        lines, last = [*lines, last], b""
    records = {}
    for number, line in enumerate(lines, 1):
        record = _result(line)
        if record is None:
            raise StoreError(
                f"line {number} of {path} is no result of a study, so the file was left as it is; "
                "mend the line, or use another file as the store"
            )
        records[record["id"]] = record
    if last and not (records and last.startswith(_BEGINNING[: len(last)])):
        raise StoreError(
            f"{path} holds no results of a study, so it was left as it is; "
            "use another file as the store"
        )
    return records, last


def _result(line: bytes) -> dict[str, Any] | None:
    """What a line holds, if it is a result."""
    try:
        record = json.loads(line)
        kinds = [type(record[key]) for key in ("id", "trial", "status")]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return record if kinds == [str, dict, str] else None


class Store:
    """A file that results are added to, by one run at a time.

    Parameters
    ----------
    path : str or os.PathLike, optional
        The file, made if it is not there; without it, results are kept in memory alone.

    Attributes
    ----------
    records : list of dict
        What it holds.

    Raises
    ------
    StoreError
        On entering, if another run has the store, or it cannot be read or written.
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self.path = None if path is None else Path(path)
        self.records: list[dict[str, Any]] = []
        self._file: BinaryIO | None = None
        self._lock: FileLock | None = None

    def __enter__(self) -> Store:
        """Judge the file, lock it, and read it; a line that was not finished goes elsewhere."""
        if self.path is None:
            return self
        if self.path.is_file():
            read(self.path)  # an error before anything is made or changed
        self._lock = FileLock(f"{self.path}.lock")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout:
            raise StoreError(
                f"another run is writing to {self.path}; wait for it, or use another store"
            ) from None
        except OSError as error:
            raise StoreError(
                error.errno, f"no store can be made: {error.strerror}", self.path
            ) from None
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
        records, torn = _judged(path, content)
        if torn:
            with path.with_name(f"{path.name}.torn").open("ab") as beside:
                beside.write(torn + b"\n")
            self._file.truncate(len(content) - len(torn))
        elif content and not content.endswith(b"\n"):
            self._file.write(b"\n")
        self.records = list(records.values())

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

    def add(self, record: dict[str, Any]) -> None:
        """Write a result, and wait until it is on the disk.

        Parameters
        ----------
        record : dict
            As JSON can hold it.

        Raises
        ------
        StoreError
            If it cannot be written, for example because the disk is full; what was there before is
            as it was.
        """
        if self._file is None:
            self.records.append(record)
            return
        line = json.dumps(record, allow_nan=False).encode() + b"\n"
        size, count = os.fstat(self._file.fileno()).st_size, len(self.records)
        try:
            if self._file.write(line) != len(line):
                raise OSError(None, "only a part was written; the disk may be full")
            os.fsync(self._file.fileno())
            self.records.append(record)
        except BaseException as error:  # also an interrupt: it is in both, or in none
            self._file.truncate(size)
            del self.records[count:]
            if not isinstance(error, OSError):
                raise
            raise StoreError(
                error.errno,
                f"a result cannot be written ({error.strerror}); {count} are safe; "
                "make room, then run again to go on",
                self.path,
            ) from error
