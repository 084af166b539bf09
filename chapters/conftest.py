"""Tests of notebooks: they run in their own environment, and their studies are stored, whole."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tools.environment import our_own

DATA = Path(__file__).parent / "data"
STORES = pytest.StashKey[dict[str, int]]()


def sizes() -> dict[str, int]:
    return {
        path.name: path.stat().st_size
        for path in DATA.iterdir()
        if path.suffix != ".lock"
    }


def pytest_sessionstart(session: pytest.Session) -> None:
    session.config.stash[STORES] = sizes()


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop() -> Generator[None, object, object]:
    with our_own():
        return (yield)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A trial that is not stored was trained by a cell, which takes long and is not reviewed."""
    if sizes() != session.config.stash[STORES]:
        print(
            "\nA notebook has added to a store: run `make studies` and commit the results."
        )
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
