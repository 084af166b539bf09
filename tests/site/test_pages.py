"""Every page of the built book, in a real browser: in one look each, at full size in all looks.

The checker of accessibility takes most of the time. All pages are made of the same parts, so it
looks at one of each kind, and at full size at all.
"""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from built import READ, ROOT, SCREENS, THEMES
from contract import in_turn
from playwright.sync_api import Page, Response, expect

AXE = ROOT / "website/node_modules/axe-core/axe.min.js"
SCREENSHOTS = ROOT / "_build/screenshots"
KILOBYTE = 1000

# What is hidden, and what is only laid out or loaded when it comes near.
OPEN_EVERYTHING = """async () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
    for (const answer of document.querySelectorAll(".quiz-right > input")) answer.checked = true;
    for (const image of document.images) image.loading = "eager";
    for (const section of document.querySelectorAll("section"))
        section.style.contentVisibility = "visible";
    await new Promise((laidOut) => requestAnimationFrame(() => setTimeout(laidOut)));
}"""

FIGURES = """async () => {
    const images = [...document.images];
    await Promise.all(images.map((image) => image.decode().catch(() => {})));
    const sound = ({ alt, naturalWidth, naturalHeight, width, height }) =>
        alt && width && Math.abs(width / height / (naturalWidth / naturalHeight) - 1) < 0.02;
    return images
        .filter((image) => !sound(image))
        .map((image) => `figure not loaded, distorted or without alt text: ${image.src}`);
}"""

MATHS = """() => [...document.querySelectorAll("math, code.math, .merror")]
    .filter((formula) => !formula.dataset.tex || !formula.firstElementChild)
    .map((formula) => `not MathML: ${formula.textContent}`)
"""

# What is wider than the screen, unless it scrolls in a box of its own.
OVERFLOW = """() => {
    const { scrollWidth } = document.documentElement;
    const wide = scrollWidth > innerWidth ? ["the page scrolls sideways"] : [];
    const scrolls = (element) => {
        for (let box = element.parentElement; box; box = box.parentElement)
            if (["auto", "scroll"].includes(getComputedStyle(box).overflowX)) return true;
        return false;
    };
    for (const element of document.querySelectorAll("article *")) {
        const { right, width } = element.getBoundingClientRect();
        if (element.closest("svg") || scrolls(element)) continue;
        if (width && right > innerWidth + 1)
            wide.push(`${right - innerWidth} px too wide: ${element.outerHTML.slice(0, 200)}`);
    }
    return wide;
}"""


def outcry(page: Page, address: str) -> list[str]:
    """Listen to the page: what it complains of, and what it asks of others."""
    heard: list[str] = []
    page.on("console", lambda said: said.type in ("error", "warning") and heard.append(said.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("requestfailed", lambda request: heard.append(f"failed: {request.url}"))
    page.on("response", lambda got: got.status >= 400 and heard.append(f"{got.status}: {got.url}"))
    page.on(
        "request",
        lambda request: (
            request.url.startswith((address, "data:"))
            or heard.append(f"asks elsewhere: {request.url}")
        ),
    )
    return heard


def axe(page: Page, part: str = "html", rules: list[str] | None = None) -> list[str]:
    """What the checker of accessibility objects to in a part of a page, by all rules or some."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))
    options: dict[str, Any] = {"resultTypes": ["violations"]}  # what it is content with is not told
    if rules:
        options["runOnly"] = rules
    violations = page.evaluate(
        "async ([part, options]) => (await axe.run(part, options)).violations", [part, options]
    )
    return [
        f"{found['id']}: {found['help']}: {node['html'][:200]} {node['failureSummary']}"
        for found in violations
        for node in found["nodes"][:3]
    ]


# What a screen reader would tell of while a slider moves or a network runs.
CHATTY = """() => [...document.querySelectorAll("output:not([aria-live=off])")]
    .map((output) => `told at every step: ${output.outerHTML}`)"""


def themes(page: Page) -> Iterator[str]:
    """The light theme, in which the page was opened, and then the dark one."""
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        yield theme


def stands_for_itself(name: str) -> bool:
    """Of the modules of the API, whose pages are made alike, only the largest."""
    return not name.startswith("chapters/api/") or name == "chapters/api/actlib.html"


# Prose, code, tables and figures; questions; tabs; what is looked up; the API; an instrument.
EVERY_KIND = ["dying", "primer", "code", "catalogue", "api/actlib", "explorer"]


def shows_a_kind(name: str) -> bool:
    """Pages that are always checked for accessibility: those above, and what is no chapter."""
    return name.removeprefix("chapters/").removesuffix(".html") in EVERY_KIND or "/" not in name


@pytest.mark.parametrize(
    ("name", "screen", "theme"), [*in_turn(READ, SCREENS, THEMES, quick=stands_for_itself)]
)
def test_page(name, screen, theme, reader, address, deep):
    page = reader(screen, theme, reduced_motion="reduce").new_page()
    faults, loaded = outcry(page, address), []
    page.on("response", lambda response: loaded.append(response))
    page.goto(name)
    expect(page.locator("html")).to_have_attribute("data-theme", theme)
    checked = deep or shows_a_kind(name)
    if checked:
        faults += axe(page, rules=["scrollable-region-focusable"])  # nothing is opened yet
    page.evaluate(OPEN_EVERYTHING)
    faults += page.evaluate(FIGURES)
    faults += page.evaluate(MATHS)
    faults += page.evaluate(OVERFLOW)
    faults += page.evaluate(CHATTY)
    if checked:
        faults += axe(page)
    faults += overweight(loaded)
    if deep:  # to look at
        SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{Path(name).stem}-{screen}-{theme}.png")
    assert not faults, "\n".join(faults)


@pytest.mark.deep
@pytest.mark.parametrize("name", READ)
def test_page_is_accessible_as_it_is_loaded(name, reader):
    page = reader("phone").new_page()
    page.goto(name)
    assert not axe(page)


def weight(response: Response) -> int:
    """In bytes, as a server that compresses text would send it."""
    packed = response.headers["content-type"].startswith(("image/png", "font/"))
    return len(response.body() if packed else gzip.compress(response.body(), 9))


def overweight(loaded: list[Response]) -> list[str]:
    """What is too much for a first visit."""
    weights = {urlsplit(response.url).path: weight(response) for response in loaded}
    figures = {path: weight for path, weight in weights.items() if "/_images/" in path}
    others = {path: weight for path, weight in weights.items() if "/_images/" not in path}
    limits = [
        (sum(others.values()) <= 200 * KILOBYTE, f"too heavy: {others}"),
        (sum(figures.values()) <= 150 * KILOBYTE, f"figures too heavy: {figures}"),
        (len(others) <= 14, f"too many files: {others}"),
    ]
    return [fault for kept, fault in limits if not kept]
