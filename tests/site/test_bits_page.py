"""The instrument about the slope's bits, moved in a real browser, in full and on the front page."""

import gzip
import random
import re
from collections.abc import Iterator
from urllib.parse import urlencode

import numpy as np
import pytest
from moving import check_steady, low, number, told_once, touch
from playwright.sync_api import Page, expect
from test_pages import outcry

from actlib import sigmoid
from website.instruments.bits import DTYPES, places

PAGE = "chapters/accuracy.html"
FRONT = "chapters/intro.html"
WIDGET = STAYS = ".bits"
ON_PAPER = {"slope, exact"}
INSTEAD = "svg[aria-label*='At z = 16 in float32: s is 9.99999881 × 10⁻¹']"
LOADED = {"accuracy.html", "intro.html"}
MOST = 12_000
RNG = random.Random(6)
VIEW = {"z": 16, "dtype": "float32", "s": "stepped"}
SHOWN = """(widget) => Object.fromEntries(
    [...widget.querySelectorAll("[data-number]")].map((row) => [
        row.dataset.number, [...row.querySelectorAll("dd")].map((cell) => cell.textContent),
    ]))"""
# Words that reach out of the instrument, or over their neighbours.
CRAMPED = """(widget) => {
    const faults = [];
    for (const row of widget.querySelectorAll("[data-number]")) {
        const boxes = [...row.children].filter((cell) => cell.textContent).map((cell) => {
            const words = document.createRange();
            words.selectNodeContents(cell);
            return words.getBoundingClientRect();
        });
        if (boxes.some((box) => box.right > widget.getBoundingClientRect().right + 1))
            faults.push(`too wide: ${row.textContent}`);
        for (const one of boxes) for (const other of boxes) {
            const besides = one.bottom > other.top + 2 && other.bottom > one.top + 2;
            if (one !== other && besides && one.left <= other.left && one.right > other.left)
                faults.push(`one over the other: ${row.textContent}`);
        }
    }
    return faults;
}"""


def right(z: float, dtype: str, s: str = "stepped") -> dict[str, np.ndarray]:
    """The numbers in NumPy, each an array of one."""
    at = np.array([z], DTYPES[dtype])
    with np.errstate(over="ignore"):
        whole = sigmoid.formula.on(np, at, ())
    if s == "once":
        whole = sigmoid(np.array([float(z)])).astype(at.dtype)
    slope = sigmoid.formula.slopes["z"].on(np, at, ())
    nearest = sigmoid.grad(np.array([float(z)])).astype(at.dtype)
    rest = 1 - whole
    return {"s": whole, "rest": rest, "usual": whole * rest, "kept": slope, "nearest": nearest}


def faults(page: Page, z: float, dtype: str, s: str = "stepped") -> list[str]:
    """What the instrument shows otherwise than NumPy has it."""
    shown, found = page.locator(WIDGET).evaluate(SHOWN), []
    for name, (value,) in right(z, dtype, s).items():
        if name not in shown:
            continue
        size = value.dtype.itemsize
        bits, *digits = shown[name]
        if bits != f"{value.view(f'u{size}'):0{8 * size}b}":
            found.append(f"{name} at {z} in {dtype}: {bits}")
        if digits and not np.isclose(number(digits[0]), float(value), rtol=10.0 ** -(2 * size)):
            found.append(f"{name} at {z} in {dtype}: {digits[0]}")
    return found


def control(page: Page, name: str):
    return page.locator(f"{WIDGET} [name={name}]")


def visit(page: Page, **view: object) -> None:
    page.goto(f"{PAGE}#{urlencode(view)}")
    told = f"z = {view['z']:.10g}, {view['dtype']}.".replace("-", "−")
    expect(page.locator(f"{WIDGET} .said")).to_contain_text(told)


def moves(page: Page) -> Iterator[None]:
    visit(page, **VIEW)
    yield
    for dtype in DTYPES:
        control(page, "dtype").select_option(dtype)
        yield from along(page)


def along(page: Page) -> Iterator[None]:
    for z in (-12, -9.5, 0, 0.015625, 5.5, 16.3, 16.640625, 17, 20):
        control(page, "z").fill(f"{z}")
        assert not page.locator(WIDGET).evaluate(CRAMPED)
        yield


def in_small(page: Page) -> Iterator[None]:
    page.goto(FRONT)
    yield
    yield from along(page)


def test_readings_are_numpys(reader):
    page = reader().new_page()
    wrong = []
    for _ in range(12):
        z, dtype = float(RNG.choice(places())), RNG.choice(list(DTYPES))
        way = RNG.choice(["stepped", "once"])
        visit(page, z=z, dtype=dtype, s=way)
        expect(control(page, "s")).to_have_value(way)
        wrong += faults(page, z, dtype, way)
    assert not wrong
    assert faults(page, z + 1 / 64, dtype, way)  # which would be seen
    slope = number(page.locator("[data-number=slope] dd").nth(1).text_content())
    assert slope == pytest.approx(float(sigmoid.grad(z)), rel=1e-4)


def test_mouse_and_keys_move_z(reader):
    page = reader().new_page()
    visit(page, **VIEW)
    slider = control(page, "z")
    box = slider.bounding_box()
    at = lambda z: box["x"] + 8 + (z + 12) / 32 * (box["width"] - 16)  # noqa: E731
    page.mouse.move(at(16), box["y"] + 10)
    page.mouse.down()
    page.mouse.move(at(3), box["y"] + 10, steps=5)
    page.mouse.up()
    z = float(slider.input_value())
    assert z == pytest.approx(3, abs=0.1)
    assert not faults(page, z, "float32")
    page.keyboard.press("ArrowRight")
    assert not faults(page, z + 1 / 64, "float32")
    page.keyboard.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", "−12.000")
    page.keyboard.press("Tab")
    page.keyboard.type("float16")
    page.keyboard.press("Tab")
    page.keyboard.type("the same")
    assert not faults(page, -12, "float16", "once")


def test_who_listens_learns_how_many_bits_are_off(reader):
    page = reader().new_page()
    visit(page, **VIEW)
    for name, off in [("s", 0), ("rest", 19), ("usual", 20), ("kept", 1)]:
        bits = page.locator(f"{WIDGET} [data-number={name}] [role=img]")
        underlined = bits.locator("s").all_text_contents()
        assert len("".join(underlined)) == off
        told = f", off: the last {off}" if off else ""
        label = f"Bits: {' '.join(bits.locator('> span').all_text_contents())}{told}"
        expect(bits).to_have_attribute("aria-label", label)


def test_a_number_is_a_line_at_the_usual_width(reader):
    page = reader().new_page()
    for z in (16, 16.640625):  # off by 16,000,000 ulp, which is the longest
        visit(page, **VIEW | {"z": z})
        heights = page.locator(f"{WIDGET} [data-number]").evaluate_all(
            "rows => rows.map((row) => row.getBoundingClientRect().height)"
        )
        assert max(heights) < 40


@pytest.mark.parametrize("name", ["float32", pytest.param("float16", marks=pytest.mark.deep)])
def test_buttons_lead_to_the_first_zero(name, reader):
    page = reader().new_page()
    visit(page, **VIEW | {"dtype": name})
    zero = page.locator(f"{WIDGET} .zero button")
    texts = {"float32": ["z = 16.64", "z = 17.33"], "float16": ["z = 7.62", "z = 8.32"]}
    expect(zero).to_have_text(texts[name])
    for button, way in [(zero.nth(0), "stepped"), (zero.nth(1), "once")]:
        button.click()
        z = float(control(page, "z").input_value())
        assert not faults(page, z, name, way)
        expect(page.locator(f"{WIDGET} .verdict")).to_contain_text("s has become 1")
        expect(page.locator("[data-number=rest] dd").nth(1)).to_have_text("0")
        control(page, "z").press("ArrowLeft")
        expect(page.locator(f"{WIDGET} .verdict")).to_contain_text("s comes in steps")


def test_a_finger_moves_z_and_can_hit_all(reader):
    page = reader("phone", has_touch=True, is_mobile=True).new_page()
    visit(page, **VIEW)
    slider = control(page, "z")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2
    touch(page, (box["x"] + 0.8 * box["width"], y), (box["x"] + 0.4 * box["width"], y + 2))
    z = float(slider.input_value())
    assert 0 <= z <= 2
    assert not faults(page, z, "float32")
    assert not low(page, f"{WIDGET} :is(input, select, button)")


def test_a_view_is_kept_in_the_address(reader, address):
    page = reader().new_page()
    heard = outcry(page, address)
    page.goto(PAGE)
    assert page.locator(WIDGET).bounding_box()["y"] < 800
    control(page, "dtype").select_option("float16")
    control(page, "z").press("ArrowRight")
    page.wait_for_url("**/accuracy.html#z=10.015625&dtype=float16&s=stepped")
    page.goto("about:blank")
    page.goto(f"{PAGE}#z=1e9&dtype=float64")
    expect(control(page, "z")).to_have_value("20")
    assert not faults(page, 20, "float32")
    assert not heard


def test_who_listens_is_told_once(reader):
    said = told_once(reader().new_page(), PAGE, WIDGET, "z")
    expect(said).to_contain_text("z = 10.296875, float32. s comes in steps of 2⁻²⁴. 1 − s is")


@pytest.mark.parametrize("screen", ["desktop", pytest.param("phone", marks=pytest.mark.deep)])
def test_in_small_it_stays_where_it_is(screen, reader, address):
    page = reader(screen, reduced_motion="reduce").new_page()
    check_steady(page, address, in_small(page), WIDGET, STAYS, f"bits-in-small-{screen}")


def test_the_front_page_has_it_in_small(reader):
    page = reader(viewport={"width": 1440, "height": 900}).new_page()
    page.goto(FRONT)
    widget = page.locator(WIDGET)
    before = widget.bounding_box()["height"]
    for z, said in [
        (0.015625, "1 − s is 8,323,073 of them"),
        (14, "1 − s is 14 of them: 2 of 9 digits of s(1 − s) are right."),
        (16.640625, "s has become 1, so s(1 − s) is 0. The slope is 5.9 × 10⁻⁸."),
        (-3, "s keeps its digits"),
    ]:
        control(page, "z").fill(f"{z}")
        expect(widget.locator(".verdict")).to_contain_text(said)
        assert not faults(page, z, "float32")
        assert widget.bounding_box()["height"] == before
    page.wait_for_timeout(500)
    assert page.url.endswith(FRONT)  # the address is the page's own
    widget.get_by_role("link", name="All bits").click()
    page.wait_for_url("**/accuracy.html#accuracy-bits")
    expect(page.locator(WIDGET)).to_be_in_viewport()


def test_script_and_table_are_light(site):
    script = (site / "_static/bits.js").read_bytes()
    data = re.search(r'<script type="application/json">(.*?)</script>', (site / PAGE).read_text())
    assert len(data[1].encode()) < 40_000
    assert len(gzip.compress(script + data[1].encode())) < MOST
