"""The instrument about the slope's bits, moved in a real browser, in full and on the front page."""

import gzip
import random
import re
from urllib.parse import urlencode

import numpy as np
import pytest
from built import SITE
from moving import (
    after_moving,
    check_copying,
    low_sliders,
    number,
    outside_the_paper,
    told_once,
    touch,
    watch_shifts,
)
from playwright.sync_api import Page, expect
from test_pages import outcry

from actlib import sigmoid
from website.instruments.bits import DTYPES, places

PAGE = "chapters/accuracy.html"
FRONT = "chapters/intro.html"
WIDGET = ".bits"
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
    assert not low_sliders(page, WIDGET)
    low = """all => all.filter((one) => one.getBoundingClientRect().height < 44).map(
        (one) => one.textContent || one.name)"""
    assert page.locator(f"{WIDGET} :is(input, select, button)").evaluate_all(low) == []


def test_a_view_is_kept_in_the_address_and_nonsense_is_not(reader, address):
    page = reader(permissions=["clipboard-read", "clipboard-write"]).new_page()
    heard = outcry(page, address)
    page.goto(PAGE)
    assert page.locator(WIDGET).bounding_box()["y"] < 800
    control(page, "dtype").select_option("float16")
    control(page, "z").press("ArrowRight")
    page.wait_for_url("**/accuracy.html#z=10.015625&dtype=float16&s=stepped")
    check_copying(page, WIDGET)
    page.goto(f"{PAGE}#accuracy-measure")  # a place in the page is no view
    page.wait_for_timeout(500)
    assert page.url.endswith("#accuracy-measure")
    assert not faults(page, 10.015625, "float16")
    page.goto("about:blank")
    page.goto(f"{PAGE}#z=<img src=x onerror=alert(1)>&dtype=__proto__&s=[]")
    assert not faults(page, 10, "float32")
    page.goto(f"{PAGE}#z=1e9&dtype=float64")
    expect(control(page, "z")).to_have_value("20")
    assert not faults(page, 20, "float32")
    assert not heard


def test_who_listens_is_told_once(reader):
    said = told_once(reader().new_page(), PAGE, WIDGET, "z")
    expect(said).to_contain_text("z = 10.296875, float32. s comes in steps of 2⁻²⁴. 1 − s is")


@pytest.mark.parametrize("screen", ["desktop", pytest.param("phone", marks=pytest.mark.deep)])
@pytest.mark.parametrize("name", [PAGE, FRONT])
def test_it_fits_is_accessible_and_stays_where_it_is(name, screen, reader, address):
    page = reader(screen, reduced_motion="reduce").new_page()
    found = outcry(page, address)
    watch_shifts(page)
    page.goto(name)
    page.wait_for_load_state("networkidle")
    height = page.locator(WIDGET).bounding_box()["height"]
    for dtype in DTYPES if name == PAGE else ["float32"]:
        if name == PAGE:
            control(page, "dtype").select_option(dtype)
        for z in (-12, -9.5, 0, 0.015625, 5.5, 16.3, 16.640625, 17, 20):
            control(page, "z").fill(f"{z}")
            found += page.locator(WIDGET).evaluate(CRAMPED)
            assert page.locator(WIDGET).bounding_box()["height"] == height, z
    shift, more = after_moving(page, WIDGET, f"bits-moved-{name[9:-5]}-{screen}")
    found += more
    assert not found, "\n".join(found)
    assert shift <= 0.02


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


def test_it_works_without_a_server_and_on_paper(browser, site):
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    heard = outcry(page, "file:")
    page.goto((site / PAGE).as_uri() + "#z=12&dtype=float16")
    assert not faults(page, 12, "float16")
    control(page, "z").press("ArrowRight")
    page.wait_for_url("**/accuracy.html#z=12.015625&dtype=float16&s=stepped")
    assert not heard


def test_links_lead_to_views(reader):
    page = reader().new_page()
    page.goto(PAGE)
    links = page.locator("article a[href*='#z=']:not(.share a)")
    assert links.count() == 2
    for link in links.all():
        view = dict(part.split("=") for part in link.get_attribute("href").split("#")[1].split("&"))
        link.click()
        expect(page.locator(WIDGET)).to_be_in_viewport()
        expect(control(page, "z")).to_have_value(view["z"])
        assert not faults(page, float(view["z"]), view["dtype"])


@pytest.mark.deep
def test_it_is_whole_on_paper(reader):
    page = reader(viewport={"width": 1440, "height": 900}).new_page()
    visit(page, **VIEW)
    assert not outside_the_paper(page, {"slope, exact"})


def test_without_scripts_there_is_a_picture(reader):
    page = reader(java_script_enabled=False).new_page()
    page.goto(PAGE)
    expect(page.locator(WIDGET)).not_to_be_visible()
    picture = page.get_by_role(
        "img", name=re.compile("At z = 16 in float32: s is 9.99999881 × 10⁻¹")
    )
    expect(picture).to_be_visible()


def test_weight(site):
    script = (site / "_static/bits.js").read_bytes()
    named = [p.name for p in SITE.rglob("*.html") if "bits.js" in p.read_text("utf-8")]
    assert sorted(named) == ["accuracy.html", "intro.html"]
    data = re.search(r'<script type="application/json">(.*?)</script>', (site / PAGE).read_text())
    assert len(data[1].encode()) < 40_000
    assert len(gzip.compress(script + data[1].encode())) < 12_000
