"""Print the one-page book to a PDF file: python -m website.pdf PAGE.html FILE.pdf."""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

import pikepdf
from playwright.sync_api import sync_playwright

from website.browser import HOW_TO_GET_ONE, executable


def main(page: Path, file: Path) -> None:
    with pikepdf.open(BytesIO(_printed(page))) as pdf:
        # What screen readers are told is most of the file, and Chromium leaves it as it is.
        pdf.save(file, object_stream_mode=pikepdf.ObjectStreamMode.generate)


def _printed(page: Path) -> bytes:
    with sync_playwright() as playwright:
        path = executable(playwright)
        if path is None:
            raise SystemExit(HOW_TO_GET_ONE)
        with playwright.chromium.launch(executable_path=path) as browser:
            tab = browser.new_page()
            tab.goto(page.resolve().as_uri())
            tab.evaluate("for (const image of document.images) image.loading = 'eager'")
            tab.evaluate("Promise.all([...document.images].map((image) => image.decode()))")
            return tab.pdf(format="A4", outline=True, tagged=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
