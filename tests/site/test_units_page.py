"""The instrument of recorded trainings, moved in a real browser."""

import gzip

import pytest
from moving import in_chart, listen, low, to_both_ends, touch
from playwright.sync_api import expect
from test_pages import outcry

from website.instruments import units

PAGE = "chapters/diagnosing.html"
WIDGET = STAYS = ".units"
ON_PAPER = {"14 of 40", "100%", "z > 0: 39.1%", "z > 0: 5.5%"}
INSTEAD = "svg[aria-label^='After epoch 1: 88%']"
LOADED = {"diagnosing.html"}
MOST = 6_000
PAD = {"left": 48, "right": 10}
FAST = units.table()["fast"]


def control(page, name):
    return page.locator(f"{WIDGET} [name={name}]")


def epoch(page):
    return int(control(page, "epoch").input_value())


def visit(page, view):
    page.goto(f"{PAGE}#{view}")
    expect(page.locator(f"{WIDGET} .said")).to_contain_text("of the test images right")


def moves(page):
    visit(page, "run=fast&epoch=14")
    yield
    yield from to_both_ends(page, WIDGET, "epoch", run=["low", "low_leak", "fast"])


def at(page, epoch):
    return in_chart(page.locator(f"{WIDGET} .chart"), PAD, epoch / 40)


def check_shown(page, run, epoch):
    """That all which is seen is of this epoch, as it was recorded."""
    right = f"{100 * run['right'][epoch] / run['tested']:.1f}%"
    expect(page.locator(f"{WIDGET} [data-told=right]")).to_have_text(right)
    layers = page.locator(f"{WIDGET} .layer")
    for number, layer in enumerate(run["layers"]):
        states, shown = layer["states"][epoch], layers.nth(number)
        count = {mark: states.count(f"{i}") for i, mark in enumerate(units.MARKS)}
        expect(shown).to_contain_text(f"{count['dead']} dead, {count['saturated']} saturated")
        tiles = shown.locator(".tiles path").evaluate_all(
            "paths => paths.map((path) => [path.getAttribute('class'), path.getAttribute('d')])"
        )
        drawn = {name: path.count("M") for name, path in tiles}
        changed = layer["died"][epoch] + layer["back"][epoch] if epoch else 0
        assert drawn == {
            "fill": count["alive"] + count["saturated"],
            "frame": 32 - changed,
            "cross": count["dead"],
            "changed": changed,
        }
    lines = page.locator(f"{WIDGET} .lines li").all_text_contents()
    assert lines == units.report(run, epoch)


def test_mouse_finger_and_keys_scrub(reader):
    page = reader().new_page()
    visit(page, "run=fast&epoch=14")
    check_shown(page, FAST, 14)
    page.mouse.move(*at(page, 10))
    page.mouse.down()
    page.mouse.move(*at(page, 24), steps=4)
    page.mouse.up()
    check_shown(page, FAST, 24)
    page.keyboard.press("ArrowLeft")
    check_shown(page, FAST, 23)
    control(page, "back").click()
    check_shown(page, FAST, 22)
    page.wait_for_url("**#run=fast&epoch=22")
    phone = reader("phone", has_touch=True, is_mobile=True).new_page()
    visit(phone, "run=low&epoch=0")
    touch(phone, at(phone, 5), at(phone, 30))
    assert abs(epoch(phone) - 30) <= 1
    assert not low(phone, f"{WIDGET} .steps button")


def test_keyboard_alone_and_what_is_told(reader):
    page = reader().new_page()
    listen(page, PAGE, WIDGET)
    control(page, "run").select_option("low")
    control(page, "epoch").press("Home")
    control(page, "next").press("Enter")
    control(page, "next").press("Enter")
    page.clock.run_for(2000)
    said = page.locator(f"{WIDGET} .said")
    expect(said).to_contain_text(
        "Epoch 2 of 40: 11.1% of the test images right, 17 of 96 units dead."
    )
    expect(said).to_contain_text("Layer 3: 13 dead, 19 saturated, 2 just died, 1 came back.")
    assert page.evaluate("told") == 1
    check_shown(page, units.table()["low"], 2)


def test_the_last_press_of_a_button_keeps_the_focus(reader):
    page = reader().new_page()
    for name, start, end in [("next", 39, 40), ("back", 1, 0)]:
        visit(page, f"run=fast&epoch={start}")
        button = control(page, name)
        expect(button).to_have_attribute("aria-disabled", "false")
        for _ in range(2):
            button.press("Enter")
            expect(button).to_be_focused()
            expect(button).to_have_attribute("aria-disabled", "true")
            check_shown(page, FAST, end)
        page.goto("about:blank")


def test_what_plays_stops_for_a_link_and_for_who_wants_no_motion(reader):
    page = reader().new_page()
    listen(page, f"{PAGE}#run=fast&epoch=3", WIDGET)
    button = control(page, "play")
    button.press("Enter")
    page.clock.run_for(600)
    assert epoch(page) == 4
    page.evaluate("location.hash = 'run=low&epoch=2'")
    expect(button).to_have_text("Play")
    page.clock.run_for(3_000)
    check_shown(page, units.table()["low"], 2)
    assert page.url.endswith("#run=low&epoch=2")
    button.press("Enter")
    page.clock.run_for(600)
    assert epoch(page) == 3
    page.emulate_media(reduced_motion="reduce")
    expect(button).to_be_hidden()
    page.clock.run_for(3_000)
    assert epoch(page) == 3


def test_the_other_mouse_button_leaves_the_epoch(reader):
    page = reader().new_page()
    visit(page, "run=fast&epoch=14")
    page.mouse.click(*at(page, 30), button="right")
    check_shown(page, FAST, 14)


def test_it_plays_when_asked_to_and_tells_the_end(reader):
    page = reader().new_page()
    listen(page, f"{PAGE}#run=fast&epoch=36", WIDGET)
    page.clock.run_for(5_000)
    assert epoch(page) == 36
    button = control(page, "play")
    button.scroll_into_view_if_needed()
    button.press("Enter")
    expect(button).to_have_text("Pause")
    page.clock.run_for(1_100)
    live = page.locator(f"{WIDGET} output:not([aria-live=off])")
    expect(live).to_have_count(0)  # which would be told at each epoch
    assert (epoch(page), page.evaluate("told")) == (38, 0)
    button.press("Enter")
    page.clock.run_for(3_000)
    assert (epoch(page), page.evaluate("told")) == (38, 1)
    button.press("Enter")
    page.clock.run_for(3_000)
    expect(button).to_have_text("Play")
    check_shown(page, FAST, 40)
    assert page.evaluate("told") == 2
    button.press("Enter")  # from the start again
    page.clock.run_for(600)
    assert epoch(page) == 1
    page.evaluate("scrollTo(0, 0)")
    expect(button).to_have_text("Play")
    calm = reader(reduced_motion="reduce").new_page()
    visit(calm, "run=fast&epoch=0")
    expect(control(calm, "play")).to_be_hidden()
    control(calm, "next").click()
    assert epoch(calm) == 1


def test_a_view_is_kept_and_nonsense_is_not(reader, address):
    page = reader().new_page()
    faults = outcry(page, address)
    visit(page, "run=low_leak&epoch=2")
    check_shown(page, units.table()["low_leak"], 2)
    for nonsense in ["run=__proto__&epoch=x", "run=<img>&epoch="]:
        page.goto(f"{PAGE}#run=fast&epoch=3")
        check_shown(page, FAST, 3)
        page.goto(f"{PAGE}#{nonsense}")
        check_shown(page, FAST, 3)
    page.goto(f"{PAGE}#run=fast&epoch=1e9")
    check_shown(page, FAST, 40)
    assert not faults


def test_a_link_to_a_view_leads_to_the_instrument(reader):
    """However late the sections around it are laid out."""
    seen = "widget => widget.contains(document.elementFromPoint(180, 80))"
    for _ in range(3):
        page = reader("phone", has_touch=True, is_mobile=True).new_page()
        visit(page, "run=fast&epoch=14")
        page.wait_for_load_state("networkidle")
        page.screenshot()
        assert page.locator(WIDGET).evaluate(seen)
    page.evaluate("scrollTo(0, 0)")
    shown = "widget => widget.checkVisibility({ contentVisibilityAuto: true })"
    assert page.locator(WIDGET).evaluate(shown)


@pytest.mark.deep
def test_no_height_is_lacking_at_any_epoch(reader):
    page = reader("phone").new_page()
    visit(page, "run=fast&epoch=0")
    height = page.locator(WIDGET).bounding_box()["height"]
    for run in units.table():
        control(page, "run").select_option(run)
        control(page, "epoch").press("Home")
        for _ in range(40):
            control(page, "epoch").press("ArrowRight")
            assert page.locator(WIDGET).bounding_box()["height"] == height


def test_the_recordings_are_light():
    assert len(gzip.compress(units.markup().encode())) < 30_000
