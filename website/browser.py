"""A Chromium to print the book and to test it in: Playwright's, Debian's or another one.

One without a window of its own comes first: tests in it take about half of the time.

``python -m website.browser`` says where it is, or fails and says how to get one.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, Playwright, sync_playwright

HOW_TO_GET_ONE = (
    "no Chromium found: install one ('apt install chromium-headless-shell', "
    "or '.venv/bin/playwright install --with-deps chromium'), "
    "or name yours: CHROMIUM=/path/to/chromium"
)


def executable(playwright: Playwright) -> str | None:
    """Where the browser is, None if nowhere."""
    named = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"]
    candidates = [
        os.environ.get("CHROMIUM"),
        playwright.chromium.executable_path,
        *map(shutil.which, named),
    ]
    return next((path for path in candidates if path and Path(path).exists()), None)


def longest_task(page: Page, move: Callable[[], None]) -> float:
    """The longest time, in milliseconds of the processor, for which a page does but one thing.

    The clock would also count what other programs take of the processor meanwhile.
    """
    browser = page.context.browser
    assert browser is not None
    browser.start_tracing(page=page, categories=["toplevel"])
    move()
    events = json.loads(browser.stop_tracing())["traceEvents"]
    names = [event for event in events if event["name"] == "thread_name"]
    main = {(e["pid"], e["tid"]) for e in names if e["args"]["name"] == "CrRendererMain"}
    tasks = [event for event in events if (event["pid"], event["tid"]) in main]
    return float(max(event.get("tdur", 0) for event in tasks) / 1000)


if __name__ == "__main__":
    with sync_playwright() as playwright:
        path = executable(playwright)
    print(path or HOW_TO_GET_ONE)
    sys.exit(path is None)
