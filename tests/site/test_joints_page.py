"""The instrument of units that add up to a curve, moved in a real browser."""

from moving import in_chart, listen, number, to_both_ends, touch
from playwright.sync_api import expect
from test_pages import outcry

from actlib.palette import GREY, line

PAGE = "chapters/background.html"
WIDGET = STAYS = ".joints"
ON_PAPER = {"−2", "2", "0.5"}
INSTEAD = "svg[aria-label^='5 ReLU units']"
LOADED = {"background.html"}
MOST = 6_000
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


def moves(page):
    visit(page, "kind=relu&curve=wave&units=5")
    yield
    yield from to_both_ends(page, WIDGET, "units", kind=["tanh", "powers", "relu"])


def at(page, place):
    return in_chart(page.locator(f"{WIDGET} .chart"), PAD, place)


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
    page = reader().new_page()
    faults = outcry(page, address)
    visit(page, "kind=tanh&curve=bump&units=3&at=0.1,0.4,0.9")
    assert control(page, "joint").get_attribute("max") == "3"
    control(page, "joint").press("End")
    assert control(page, "place").input_value() == "0.9"
    for nonsense in ["units=99&at=x,y", "kind=__proto__&curve=<img>&units=1e9&at=NaN"]:
        page.goto(f"{PAGE}#kind=relu&curve=wave&units=5")
        page.goto(f"{PAGE}#kind=0&{nonsense}")
        assert 0 < misses(page)[0] < 1
    assert not faults
