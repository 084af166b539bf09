"""The instrument of units that add up to a curve, moved in a real browser."""

import gzip

import pytest
from moving import (
    after_moving,
    check_copying,
    cramped,
    listen,
    low_sliders,
    number,
    outside_the_paper,
    touch,
    watch_shifts,
)
from playwright.sync_api import expect
from test_pages import outcry

from actlib.palette import GREY, line

PAGE = "chapters/background.html"
WIDGET = ".joints"
PAD = {"left": 34, "right": 10}


def control(page, name):
    return page.locator(f"{WIDGET} [name={name}]")


def misses(page, kind="relu"):
    """By how much a sum misses the curve, typically and at most."""
    cells = page.locator(f"{WIDGET} [data-kind={kind}] td").all_text_contents()
    return [number(text.replace("< 10", "0 × 10")) for text in cells]


def visit(page, view):
    page.goto(f"{PAGE}#{view}")
    expect(page.locator(f"{WIDGET} .said")).to_contain_text("typically off by")


def at(page, place):
    """Where in the window a place on the axis is, by the joints."""
    chart = page.locator(f"{WIDGET} .chart")
    chart.evaluate("chart => chart.scrollIntoView({ block: 'center' })")
    box = chart.bounding_box()
    inner = box["width"] - PAD["left"] - PAD["right"]
    return box["x"] + PAD["left"] + place * inner, box["y"] + box["height"] - 40


def test_mouse_finger_and_keys_move_a_joint(reader):
    page = reader().new_page()
    visit(page, "kind=relu&curve=corner&units=2")
    assert misses(page)[0] > 0.05
    page.mouse.move(*at(page, 0.51))
    page.mouse.down()
    page.mouse.move(*at(page, 0.4), steps=4)
    page.mouse.up()
    assert control(page, "joint").input_value() == "2"
    assert control(page, "place").input_value() == "0.4"
    assert misses(page) == [0, 0]
    page.keyboard.press("ArrowRight")
    assert control(page, "place").input_value() == "0.405"
    assert misses(page)[0] > 1e-4
    page.wait_for_url("**#kind=relu&curve=corner&units=2&at=0,0.405")
    control(page, "even").click()
    page.wait_for_url("**#kind=relu&curve=corner&units=2")
    phone = reader("phone", has_touch=True, is_mobile=True).new_page()
    visit(phone, "kind=relu&curve=corner&units=2")
    touch(phone, at(phone, 0.5), at(phone, 0.4))
    assert abs(float(control(phone, "place").input_value()) - 0.4) < 0.011
    assert not low_sliders(phone, WIDGET)


def test_a_finger_that_scrolls_moves_no_joint_and_one_that_taps_does(reader):
    page = reader("phone", has_touch=True, is_mobile=True).new_page()
    visit(page, "kind=relu&curve=wave&units=5")
    x, y = at(page, 0.55)
    scrolled = page.evaluate("scrollY")
    touch(page, (x, y - 60), (x + 4, y - 240))
    page.wait_for_function("before => scrollY > before + 50", arg=scrolled)
    assert control(page, "joint").input_value() == "1"
    page.wait_for_timeout(600)
    assert page.url.endswith("#kind=relu&curve=wave&units=5")
    page.touchscreen.tap(*at(page, 0.55))
    assert control(page, "joint").input_value() == "4"
    assert abs(float(control(page, "place").input_value()) - 0.55) < 0.011


def test_a_second_button_moves_nothing(reader):
    page = reader().new_page()
    visit(page, "kind=relu&curve=wave&units=5")
    page.mouse.click(*at(page, 0.55), button="right")
    assert control(page, "joint").input_value() == "1"


def test_a_place_is_told_as_it_is_and_kept(reader):
    context = reader()
    page = context.new_page()
    visit(page, "kind=relu&curve=wave&units=16")
    control(page, "joint").press("ArrowRight")
    expect(control(page, "place")).to_have_attribute("aria-valuetext", "0.063")  # a sixteenth
    expect(page.locator(f"{WIDGET} .said")).to_contain_text("Joint 2 is at 0.063.")
    control(page, "place").press("ArrowLeft")
    expect(control(page, "place")).to_have_attribute("aria-valuetext", "0.060")
    page.wait_for_url("**&units=16&at=0,0.06,0.125,*")  # though it is nearly where it was
    other = context.new_page()
    other.goto(page.url)
    for kind in ("relu", "tanh"):
        assert misses(other, kind) == misses(page, kind)


def test_a_button_that_can_do_no_more_keeps_the_focus(reader):
    page = reader().new_page()
    visit(page, "kind=relu&curve=wave&units=3&at=0,0.2,0.7")
    even = control(page, "even")
    expect(even).to_be_enabled()
    even.press("Enter")
    expect(even).to_be_disabled()
    expect(even).to_be_focused()
    page.wait_for_url("**#kind=relu&curve=wave&units=3")


def test_each_sum_has_its_colour_and_the_joint_its_unit(reader):
    page = reader().new_page()
    inks = {name: line(name).color for name in ("relu", "tanh")} | {"powers": GREY}
    for kind, ink in inks.items():
        visit(page, f"kind={kind}&curve=wave&units=4")
        expect(page.locator(f"{WIDGET} .said")).to_contain_text("4 ")
        assert page.locator(WIDGET).evaluate("e => e.style.getPropertyValue('--ink')") == ink
        expect(page.locator(f"{WIDGET} .chosen")).to_have_count(0 if kind == "powers" else 1)


def test_the_text_leads_to_what_to_try(reader):
    page = reader().new_page()
    page.goto(PAGE)
    page.get_by_role("link", name="The corner").click()
    expect(control(page, "curve")).to_have_value("corner")
    expect(control(page, "units")).to_have_value("2")
    page.get_by_role("link", name="The jump").click()
    expect(control(page, "kind")).to_have_value("powers")
    expect(page.locator(WIDGET)).to_be_in_viewport()
    control(page, "units").press("Home")
    expect(page.locator(f"{WIDGET} .said")).to_contain_text("1 power of x for the jump")


@pytest.mark.parametrize(
    "name", ["accuracy", "background", "depth", "diagnosing", "explorer", "train"]
)
def test_a_slider_alone_says_its_value(name, reader):
    """An output beside it that also spoke would say everything twice."""
    page = reader().new_page()
    page.goto(f"chapters/{name}.html")
    outputs = page.locator(".actlib-instrument .slider output")
    assert outputs.count()
    for output in outputs.all():
        expect(output).to_have_attribute("aria-live", "off")


@pytest.mark.parametrize(("name", "widget"), [("background", WIDGET), ("depth", ".depths")])
def test_there_is_room_for_letters_twice_as_large(name, widget, reader):
    page = reader("phone").new_page()
    sizes = {"standard": 32, "fixed": 26}
    page.context.new_cdp_session(page).send("Page.setFontSizes", {"fontSizes": sizes})
    page.goto(f"chapters/{name}.html#kind=relu&f=relu")  # a chart out of sight is not drawn yet
    expect(page.locator(f"{widget} .chart line").first).to_be_attached()
    assert not cramped(page, widget)
    assert page.locator(widget).evaluate("e => e.scrollWidth <= e.clientWidth")


def test_keyboard_alone_and_what_is_told(reader):
    page = reader().new_page()
    listen(page, PAGE, WIDGET)
    control(page, "curve").select_option("jump")
    control(page, "kind").select_option("tanh")
    control(page, "units").press("Home")
    control(page, "units").press("ArrowRight")
    control(page, "joint").press("End")
    control(page, "place").press("End")
    page.clock.run_for(2000)
    expect(page.locator(f"{WIDGET} .said")).to_contain_text("2 Tanh units for the jump: typically")
    expect(page.locator(f"{WIDGET} .said")).to_contain_text("Joint 2 is at 1.000.")
    assert page.evaluate("told") == 1
    control(page, "kind").select_option("powers")
    expect(control(page, "place")).to_be_disabled()
    expect(page.locator(f"{WIDGET} .drawn th")).to_have_text("powers of x")


def test_a_view_is_kept_and_nonsense_is_not(reader, address):
    page = reader(permissions=["clipboard-read", "clipboard-write"]).new_page()
    faults = outcry(page, address)
    visit(page, "kind=tanh&curve=bump&units=3&at=0.1,0.4,0.9")
    assert control(page, "joint").get_attribute("max") == "3"
    control(page, "joint").press("End")
    assert control(page, "place").input_value() == "0.9"
    check_copying(page, WIDGET)
    for nonsense in ["units=99&at=x,y", "kind=__proto__&curve=<img>&units=1e9&at=NaN"]:
        page.goto(f"{PAGE}#kind=relu&curve=wave&units=5")
        page.goto(f"{PAGE}#kind=0&{nonsense}")
        assert 0 < misses(page)[0] < 1
    page.goto(f"{PAGE}#background-depth")
    expect(page.locator("#background-depth")).to_be_in_viewport()
    assert not faults


@pytest.mark.parametrize("screen", ["phone", pytest.param("desktop", marks=pytest.mark.deep)])
def test_it_fits_is_accessible_and_stays_where_it_is(screen, reader, address):
    page = reader(screen, reduced_motion="reduce").new_page()
    faults = outcry(page, address)
    watch_shifts(page)
    visit(page, "kind=relu&curve=wave&units=5")
    page.wait_for_load_state("networkidle")
    height = page.locator(WIDGET).bounding_box()["height"]
    for kind in ["tanh", "powers", "relu"]:
        control(page, "kind").select_option(kind)
        for key in ["Home", "End"]:
            control(page, "units").press(key)
            faults += cramped(page, WIDGET)
            assert page.locator(WIDGET).bounding_box()["height"] == height
    shift, found = after_moving(page, WIDGET, f"joints-moved-{screen}")
    assert not faults + found, "\n".join(faults + found)
    assert shift <= 0.02


@pytest.mark.deep
def test_on_paper_and_without_scripts(reader):
    page = reader(viewport={"width": 1440, "height": 900}).new_page()
    visit(page, "kind=relu&curve=wave&units=5")
    assert not outside_the_paper(page, {"−2", "2", "0.5"})
    page = reader(java_script_enabled=False).new_page()
    page.goto(PAGE)
    expect(page.locator(WIDGET)).not_to_be_visible()
    expect(page.locator("noscript svg[aria-label^='5 ReLU units']")).to_be_visible()


def test_weight(site):
    assert len(gzip.compress((site / "_static/joints.js").read_bytes())) < 6_000
