"""Options of the tests, how much of them runs, and the rule that nothing is skipped unnoticed."""

import os
import random
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import stored
from hypothesis import HealthCheck, settings

from tools.environment import our_own

collect_ignore = ["typing"]  # for mypy alone: its calls are wrong on purpose
pytest.register_assert_rewrite("contract", "markup")

# Nothing depends on the clock. The quick run draws the same examples each time.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", patient, max_examples=10, derandomize=True)
settings.register_profile("deep", patient, max_examples=200)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the caller choose the array libraries and the size of everything."""
    parser.addoption(
        "--library",
        action="append",
        help="test this array library (repeatable); default: all that the main environment has",
    )
    parser.addoption(
        "--points", type=int, help="of the grid on which accuracy is measured, in each of its parts"
    )
    parser.addoption(
        "--deep", action="store_true", help="run everything at its full size, which takes long"
    )
    parser.addoption(
        "--part",
        type=int,
        choices=range(stored.PARTS),
        help="compute this part of the stored exact values anew; default: any",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Choose the environment and how many examples are drawn, and say what the marker means."""
    environment = ExitStack()
    environment.enter_context(our_own(backend="agg"))  # before a test imports a library
    config.add_cleanup(environment.close)
    config.addinivalue_line("markers", "deep: runs only with --deep")
    config.addinivalue_line("markers", "no_cover: not traced, also where pytest-cov is missing")
    settings.load_profile("deep" if config.getoption("deep") else "quick")
    if config.option.part is None:  # here, so that all worker processes get the same
        config.option.part = random.randrange(stored.PARTS)


def pytest_report_header(config: pytest.Config) -> str:
    """Say what this run does that another one may not."""
    if config.getoption("deep"):
        return "full size: every stored exact value is computed anew, and none is used"
    return f"stored exact values computed anew: --part {config.option.part} of {stored.PARTS}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what runs only at full size, unless that is asked for."""
    if config.getoption("deep"):
        return
    left_out = [item for item in items if item.get_closest_marker("deep")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not item.get_closest_marker("deep")]


@pytest.fixture(scope="session")
def deep(pytestconfig: pytest.Config) -> bool:
    """Whether everything runs at its full size."""
    return bool(pytestconfig.getoption("deep"))


@pytest.fixture(scope="session")
def part(pytestconfig: pytest.Config, deep: bool) -> int | None:
    """Which of the stored exact values are computed anew, None for all."""
    return None if deep else int(pytestconfig.option.part)


@pytest.fixture(scope="module")
def exact_values(deep: bool) -> Iterator[None]:
    """Look the exact values up that are stored, except at full size."""
    with pytest.MonkeyPatch.context() as patch:
        if not deep:
            stored.serve(patch)
        yield


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where CI=true everything is installed, so a skipped test is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter and reporter.stats.get("skipped"):
        reporter.write_line("\nSkipped tests count as failures here, because CI=true.", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """At full size, the largest error of every function."""
    if terminalreporter.config.getoption("deep"):
        terminalreporter.section("largest E")
        passed = terminalreporter.stats.get("passed", [])
        for line in sorted(value for report in passed for _, value in report.user_properties):
            terminalreporter.write_line(line)
