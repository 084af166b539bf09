"""The built book, served on 127.0.0.1, and a real browser to read it in."""

import functools
import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from built import SCREENS, SITE
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from website.browser import HOW_TO_GET_ONE, executable


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="session")
def site() -> Path:
    if not (SITE / "index.html").exists():
        pytest.skip("the book is not built: make book")
    return SITE


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = executable(playwright)
        if path is None:
            pytest.skip(HOW_TO_GET_ONE)
        with playwright.chromium.launch(executable_path=path) as browser:
            yield browser


Reader = Callable[..., BrowserContext]


@pytest.fixture
def reader(browser: Browser, address: str) -> Iterator[Reader]:
    """Someone who opens the book: ``reader("phone", "dark")`` is a fresh browser profile."""
    contexts: list[BrowserContext] = []

    def open_book(
        screen: str = "desktop", theme: str = "light", **options: object
    ) -> BrowserContext:
        options = {
            "viewport": SCREENS[screen],
            "color_scheme": theme,
            "base_url": address,
            **options,
        }
        contexts.append(browser.new_context(**options))
        return contexts[-1]

    yield open_book
    for context in contexts:
        context.close()
