"""Move an instrument of the book as a reader does, and see what comes of it."""

import io
from collections.abc import Iterator
from urllib.parse import parse_qsl

from playwright.sync_api import Locator, Page, expect
from pypdf import PdfReader
from test_pages import OVERFLOW, SCREENSHOTS, axe, outcry, themes

SHIFT = """() => {
    window.shift = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) window.shift += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
}"""


# Words that reach out of their cell of the table, or out of their chart.
CRAMPED = """(widget) => {
    const faults = [];
    for (const cell of widget.querySelectorAll(":is(th, td)")) {
        const words = document.createRange();
        words.selectNodeContents(cell);
        if (words.getBoundingClientRect().right > cell.getBoundingClientRect().right + 1)
            faults.push(`too wide for its cell: ${cell.textContent}`);
    }
    for (const text of widget.querySelectorAll(".chart text")) {
        const [box, chart] = [text, text.closest(".chart")].map((e) => e.getBoundingClientRect());
        const { left, right, bottom } = chart;
        if (box.left < left - 1 || box.right > right + 1 || box.bottom > bottom + 1)
            faults.push(`outside its chart: ${text.textContent}`);
    }
    return faults;
}"""


def number(text: str) -> float:
    """A number as an instrument writes it: "−0.123", "2.1 × 10⁻²⁶"."""
    mantissa, _, power = text.replace("−", "-").partition(" × 10")
    digits = power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    return float(mantissa) * 10.0 ** int(digits or 0)


def touch(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    finger = page.context.new_cdp_session(page)
    for step in range(11):
        x, y = (a + (b - a) * step / 10 for a, b in zip(start, end, strict=True))
        kind = "touchMove" if step else "touchStart"
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def in_chart(chart: Locator, pad: dict[str, float], share: float) -> tuple[float, float]:
    """Where in the window a share of the width is that a chart leaves within its margins."""
    chart.evaluate("chart => chart.scrollIntoView({ block: 'center' })")
    box = chart.bounding_box()
    assert box
    inner = box["width"] - pad["left"] - pad["right"]
    return box["x"] + pad["left"] + share * inner, box["y"] + box["height"] / 2


def to_both_ends(page: Page, widget: str, slider: str, **choices: list[str]) -> Iterator[None]:
    """Choose one after another, and have a slider go to both ends each time."""
    ((name, values),) = choices.items()
    for value in values:
        page.locator(f"{widget} [name={name}]").select_option(value)
        for key in ("Home", "End"):
            page.locator(f"{widget} [name={slider}]").press(key)
            yield


def listen(page: Page, address: str, widget: str) -> None:
    """Open a page, stop its time, and count in `told` what a screen reader is told."""
    page.clock.install(time=0)
    page.goto(address)
    page.clock.pause_at(60_000)  # time stands still, however long it takes to press the keys
    page.evaluate(
        """(status) => {
        window.told = 0;
        const said = document.querySelector(status);
        new MutationObserver(() => window.told++).observe(said, { childList: true });
    }""",
        f"{widget} .said",
    )


def told_once(page: Page, address: str, widget: str, name: str) -> Locator:
    """What a screen reader is told after many steps of a slider, and only then."""
    listen(page, address, widget)
    for _ in range(19):
        page.locator(f"{widget} [name={name}]").press("ArrowRight")
    page.clock.run_for(2000)
    assert page.evaluate("told") == 1
    return page.locator(f"{widget} .said")


def cramped(page: Page, widget: str) -> list[str]:
    """Words of an instrument that have no room."""
    return page.locator(widget).evaluate(CRAMPED)


def outside_the_paper(page: Page, words: set[str]) -> set[str]:
    """Which of these words do not stand between the margins of the printed page."""
    printed = page.pdf(format="A4", margin=dict.fromkeys(("left", "right"), "18mm"))
    margin = 18 / 25.4 * 72  # in points
    found: set[str] = set()
    for sheet in PdfReader(io.BytesIO(printed)).pages:

        def note(text: str, at: list[float], line: list[float], *_: object) -> None:
            x = line[4] * at[0] + at[4]
            if margin <= x <= float(sheet.mediabox.width) - margin:  # noqa: B023
                found.add(text.strip())

        sheet.extract_text(visitor_text=note)
    return words - found


def check_copying(page: Page, widget: str) -> None:
    """Press "Copy link": the link is copied, the button says so, or what to do instead."""
    share = page.locator(f"{widget} .share")
    share.get_by_role("button", name="Copy link").click()
    expect(share.get_by_role("status")).to_have_text("Link copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == share.locator("a").evaluate("link => link.href")
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    share.get_by_role("button", name="Copy link").click()
    expect(share.get_by_role("status")).to_contain_text("the link itself holds the view")


def view_in(address: str) -> dict[str, float | str]:
    """The view that an address holds."""
    given = parse_qsl(address.partition("#")[2], keep_blank_values=True)
    return {key: _number_if_one(value) for key, value in given}


def _number_if_one(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def view_of(page: Page, widget: str) -> dict[str, float | str]:
    """The view that an instrument's own link holds."""
    return view_in(page.locator(f"{widget} .share a").evaluate("link => link.href"))


def low(page: Page, parts: str, least: int = 44) -> list[str]:
    """What a finger can hardly hit, as it is not so many pixels high."""
    return page.locator(f"{parts}:visible").evaluate_all(
        """(parts, least) => parts
            .filter((part) => part.getBoundingClientRect().height < least)
            .map((part) => part.name || part.textContent)""",
        least,
    )


# How far below the top of an instrument a part of it ends.
REACH = """(widget, stays) => document.querySelector(stays).getBoundingClientRect().bottom
    - widget.getBoundingClientRect().top"""


def check_steady(
    page: Page, address: str, moves: Iterator[None], widget: str, stays: str, picture: str
) -> None:
    """Move an instrument: its words have room, a part stays where it is, and so does the page."""
    faults = outcry(page, address)
    page.add_init_script(f"({SHIFT})()")
    next(moves)
    page.wait_for_load_state("networkidle")
    reach = page.locator(widget).evaluate(REACH, stays)
    for _ in moves:
        faults += cramped(page, widget)
        assert page.locator(widget).evaluate(REACH, stays) == reach
    page.wait_for_timeout(200)
    shift = page.evaluate("shift")  # before a screenshot makes the window larger
    faults += page.evaluate(OVERFLOW)
    SCREENSHOTS.mkdir(exist_ok=True)
    for theme in themes(page):
        faults += axe(page, widget)
        page.locator(widget).screenshot(path=SCREENSHOTS / f"{picture}-{theme}.png")
    assert not faults, "\n".join(faults)
    assert shift <= 0.02
