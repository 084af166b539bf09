"""Tests of notebooks: the studies that they show must be stored, whole."""

from pathlib import Path

import pytest

DATA = Path(__file__).parent / "data"
STORES = pytest.StashKey[dict[str, int]]()


def sizes() -> dict[str, int]:
    return {path.name: path.stat().st_size for path in DATA.iterdir() if path.suffix != ".lock"}


def pytest_sessionstart(session: pytest.Session) -> None:
    session.config.stash[STORES] = sizes()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A trial that is not stored was trained by a cell, which takes long and is not reviewed."""
    if sizes() != session.config.stash[STORES]:
        print("\nA notebook has added to a store: run `make studies` and commit the results.")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
