"""Options of the test suite, and the rule that nothing is skipped unnoticed."""

import os

import pytest

collect_ignore = ["typing"]  # for mypy alone: its calls are wrong on purpose
pytest.register_assert_rewrite("contract", "instruments")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the caller choose the array libraries and the grid."""
    parser.addoption(
        "--library",
        action="append",
        help="test this array library (repeatable); default: all that the main environment has",
    )
    parser.addoption(
        "--dense", action="store_true", help="measure accuracy on the dense grid, which takes long"
    )


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where CI=true everything is installed, so a skipped test is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter and reporter.stats.get("skipped"):
        reporter.write_line("\nSkipped tests count as failures here, because CI=true.", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """After the dense run, the largest error of every function."""
    if terminalreporter.config.getoption("dense"):
        terminalreporter.section("largest E")
        passed = terminalreporter.stats.get("passed", [])
        for line in sorted(value for report in passed for _, value in report.user_properties):
            terminalreporter.write_line(line)
