"""A file of results, one JSON line each, that survives what may happen to a long run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from filelock import FileLock, Timeout


class StoreError(OSError):
    """A store that cannot be used: the text says why, and what to do."""


def read(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """The results in a store, whole lines only.

    Parameters
    ----------
    path : str or os.PathLike
        The file.

    Returns
    -------
    list of dict
        In the order in which they came. A last line that was not finished, because the machine
        stopped while it was written, is left out.

    Raises
    ------
    StoreError
        If the file is not there, or a line of it is no result.
    """
    try:
        text = Path(path).read_bytes()
    except OSError as error:
        raise StoreError(
            error.errno, f"the results cannot be read: {error.strerror}", path
        ) from None
    records = []
    for number, line in enumerate(text.split(b"\n")[:-1], 1):
        try:
            record = json.loads(line)
            record["id"], record["trial"], record["status"]
        except (ValueError, TypeError, KeyError):
            raise StoreError(
                f"line {number} of {path} is no result; mend or remove it, or use another store"
            ) from None
        records.append(record)
    return records


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
        """Lock the file, read it, and cut off a line that was not finished."""
        if self.path is None:
            return self
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
            self._file = self._opened(self.path)
            self.records = read(self.path)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    @staticmethod
    def _opened(path: Path) -> BinaryIO:
        try:
            file = path.open("ab+", buffering=0)
        except OSError as error:
            raise StoreError(error.errno, f"no store can be made: {error.strerror}", path) from None
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
        return file

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
