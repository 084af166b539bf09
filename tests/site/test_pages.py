"""Every page of the built book, in both themes, on a desktop and on a phone, in a real browser."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from built import READ, ROOT, SCREENS
from playwright.sync_api import Page, Response, expect

AXE = ROOT / "website/node_modules/axe-core/axe.min.js"
SCREENSHOTS = ROOT / "_build/screenshots"
KILOBYTE = 1000

# What is hidden, and what is only laid out or loaded when it comes near.
OPEN_EVERYTHING = """async () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
    for (const answer of document.querySelectorAll(".quiz-right > input")) answer.checked = true;
    for (const button of document.querySelectorAll(".toggle-button-hidden")) button.click();
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

MATHS = """() => [...document.querySelectorAll(".math")]
    .filter((formula) => !formula.querySelector("math annotation"))
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
        if (element.closest(".katex-mathml, svg") || scrolls(element)) continue;
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


def axe(page: Page, part: str = "html") -> list[str]:
    """What the checker of accessibility objects to in the whole page or a part of it."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))
    quick = {"resultTypes": ["violations"]}  # all rules; what they are content with is not told
    violations = page.evaluate(
        "async ([part, options]) => (await axe.run(part, options)).violations", [part, quick]
    )
    return [
        f"{found['id']}: {found['help']}: {node['html'][:200]} {node['failureSummary']}"
        for found in violations
        for node in found["nodes"][:3]
    ]


def themes(page: Page) -> Iterator[str]:
    """The light theme, in which the page was opened, and then the dark one."""
    for theme in ["light", "dark"]:
        page.emulate_media(color_scheme=theme)
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        yield theme


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("name", READ)
def test_page(name, screen, reader, address):
    page = reader(screen, reduced_motion="reduce").new_page()
    faults, loaded = outcry(page, address), []
    page.on("response", lambda response: loaded.append(response))
    page.goto(name)
    page.evaluate(OPEN_EVERYTHING)
    faults += page.evaluate(FIGURES)
    faults += page.evaluate(MATHS)
    SCREENSHOTS.mkdir(exist_ok=True)
    for theme in themes(page):
        found = [*page.evaluate(OVERFLOW), *axe(page)]
        faults += [f"{theme}: {fault}" for fault in found]
        page.screenshot(path=SCREENSHOTS / f"{Path(name).stem}-{screen}-{theme}.png")
    faults += overweight(loaded)
    assert not faults, "\n".join(faults)


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
