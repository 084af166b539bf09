"""Time the project itself: times.py [import] [check] [notebooks] [book] [frames] [tests].

Without a name, all of them. The import is timed in fresh processes, over that of NumPy; then a
check of one activation, the notebooks one after the other, the book without and with the pages of
the build before, how long an instrument of the built book keeps its page busy at most while it is
moved, and the tests, daily and deep. Results go to ``chapters/data/times.csv`` as they come, and
take the place of former ones. What takes longer than its budget is an error: no test depends on
the clock, this does.
"""

import csv
import functools
import json
import os
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from statistics import median

import nbformat
from peers import processor, write

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "chapters" / "data" / "times.csv"
FIELDS = ["what", "part", "seconds", "date", "processor", "cores"]
# In seconds.
BUDGETS = {
    "import": 0.015,
    "check": 5,
    "notebooks": 40,
    "frames": 0.05,
    "daily": 480,
    "deep": 1800,
}
STARTS = ".run, [name=send], [name=play]"  # what sets an instrument going, if something does
WATCHED = 10  # seconds
IMPORT = """
import time
import numpy
start = time.perf_counter()
from actlib import relu
relu(1.0)
print(time.perf_counter() - start)
"""


def seconds(*command):
    start = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True)
    return time.perf_counter() - start


def time_import():
    command = [sys.executable, "-c", IMPORT]
    compiled = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    runs = [
        subprocess.run(command, capture_output=True, check=True, env=compiled).stdout
        for _ in range(21)
    ]
    yield "actlib", median(map(float, runs))


def time_check():
    from actlib import REGISTRY
    from actlib.check import check_activation

    for name in ("relu", "sigmoid", "gelu"):
        start = time.perf_counter()
        check_activation(REGISTRY.elementwise[name], dtypes=["float64"])
        yield name, time.perf_counter() - start


def time_notebooks():
    from tools.notebooks import execute

    for path in sorted((ROOT / "chapters").glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        start = time.perf_counter()
        if failure := execute(notebook):
            raise SystemExit(f"{path.name}, {failure}")
        yield path.stem, time.perf_counter() - start


def time_book():
    yield "cold", seconds("make", "book")
    build = [".venv-book/bin/jupyter-book", "build", ".", "--quiet", "-n", "-W", "--keep-going"]
    yield "warm", seconds(*build)


def time_frames():
    from playwright.sync_api import sync_playwright

    from website.browser import executable
    from website.instruments import KINDS

    pages = {
        path: path.read_text("utf-8") for path in sorted(ROOT.glob("_build/html/chapters/*.html"))
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(playwright))
        for name in sorted(kind.INSTRUMENT.name for kind in KINDS):
            page = browser.new_page(viewport={"width": 390, "height": 844})
            page.goto(next(path for path, text in pages.items() if f"/{name}.js" in text).as_uri())
            widget = page.locator(f".{name}, .actlib-{name}").first
            widget.scroll_into_view_if_needed()
            yield name, longest_task(page, functools.partial(move, page, widget))
            page.close()
        browser.close()


def longest_task(page, move):
    """The longest time, in seconds of the processor, for which a page does but one thing.

    The clock would also count what other programs take of the processor meanwhile.
    """
    browser = page.context.browser
    browser.start_tracing(page=page, categories=["toplevel"])
    move()
    events = json.loads(browser.stop_tracing())["traceEvents"]
    names = [event for event in events if event["name"] == "thread_name"]
    main = {(e["pid"], e["tid"]) for e in names if e["args"]["name"] == "CrRendererMain"}
    tasks = [event for event in events if (event["pid"], event["tid"]) in main]
    return max(event.get("tdur", 0) for event in tasks) / 1e6


def move(page, widget):
    """Set an instrument going and watch, or else move its first slider again and again."""
    start, until = widget.locator(STARTS).first, time.monotonic() + WATCHED
    goes = start.count() > 0
    if goes:
        start.click()
    while time.monotonic() < until:
        if goes:
            page.wait_for_timeout(100)
        else:
            widget.locator("input[type=range]").first.press("ArrowRight")


def time_tests():
    yield "daily", seconds("make", "test")
    yield "deep", seconds("make", "test-deep")


TIMED = {
    "import": time_import,
    "check": time_check,
    "notebooks": time_notebooks,
    "book": time_book,
    "frames": time_frames,
    "tests": time_tests,
}


def main(names):
    rows, late = [], []
    if RESULTS.exists():
        with RESULTS.open(newline="") as file:
            rows = list(csv.DictReader(file))
    for what in names or TIMED:
        rows = [row for row in rows if row["what"] != what]
        for part, taken in TIMED[what]():
            values = (what, part, f"{taken:.3g}", date.today(), processor(), os.cpu_count())
            rows.append(dict(zip(FIELDS, values, strict=True)))
            print(*values[:3], flush=True)
            write(RESULTS, rows)
            budget = BUDGETS.get(part, BUDGETS.get(what))
            if budget and taken > budget:
                late.append(f"{what} {part}: {taken:.3g} s, over its budget of {budget} s")
    return "\n".join(late)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) or 0)
