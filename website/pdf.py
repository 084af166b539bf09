"""Print the one-page book to a PDF file: python -m website.pdf PAGE.html FILE.pdf."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from website.browser import HOW_TO_GET_ONE, executable


def main(page: Path, file: Path) -> None:
    with sync_playwright() as playwright:
        path = executable(playwright)
        if path is None:
            raise SystemExit(HOW_TO_GET_ONE)
        with playwright.chromium.launch(executable_path=path) as browser:
            tab = browser.new_page()
            tab.goto(page.resolve().as_uri())
            tab.evaluate("for (const image of document.images) image.loading = 'eager'")
            tab.evaluate("Promise.all([...document.images].map((image) => image.decode()))")
            tab.pdf(path=file, format="A4", outline=True, tagged=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
