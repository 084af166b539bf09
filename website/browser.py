"""A Chromium to print the book and to test it in: Playwright's, Debian's or another one.

One without a window of its own comes first: tests in it take about half of the time.

``python -m website.browser`` says where it is, or fails and says how to get one.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Playwright, sync_playwright

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


if __name__ == "__main__":
    with sync_playwright() as playwright:
        path = executable(playwright)
    print(path or HOW_TO_GET_ONE)
    sys.exit(path is None)
