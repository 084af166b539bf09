"""The instrument of the page about depth, moved in a real browser."""

import csv
import random
import re
from collections.abc import Iterator
from urllib.parse import urlencode

import numpy as np
import pytest
from moving import number, told_once, touch
from playwright.sync_api import Page, expect

from actlib import REGISTRY
from actlib.book import mean_field
from website.instruments.depths import DATA

PAGE = "chapters/depth.html"
WIDGET = STAYS = ".depths"
ON_PAPER = {"1", "5", "10", "15", "20", "layer", "10⁻²"}
INSTEAD = "svg[aria-label^='A gradient goes back']"
LOADED = {"depth.html"}
MOST = 12_000
CHARTS = f"{WIDGET} .columns .chart"
RNG = random.Random(4)
PLOT = {"left": 50, "right": 14}  # what the charts leave free beside the layers

with DATA.open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))


def stored(row: str, f: str, gain: float, width: int, depth: int) -> dict[str, str]:
    """A row of the table, looked up in the file."""
    (found,) = [
        line
        for line in ROWS
        if (line["row"], line["activation"], int(line["width"]), int(line["depth"]))
        == (row, f, width, depth)
        and abs(float(line["gain"]) - gain) < 0.01
    ]
    return found


def right(f: str, gain: float, width: int, depth: int, layer: int) -> list[float]:
    """What the instrument should say, row by row, from the file and from `mean_field`."""
    gradient, exact = stored("gradient", f, gain, width, depth), 1.4142 if gain == 1.41 else gain
    logs = [float(gradient[f"{place}"]) for place in range(1, depth + 1)]
    variances = mean_field.variances(REGISTRY[f], 1.0, exact, depth)
    factors = np.sqrt([mean_field.chi(REGISTRY[f], q, exact) for q in variances[:-1]])
    return [
        10 ** float(stored("variance", f, gain, width, 20)[f"{layer}"]),
        variances[layer - 1],
        10 ** logs[layer - 1],
        np.prod(factors[layer - 1 :]),
        10 ** (logs[layer - 1] - logs[layer]) if layer < depth else np.nan,
        factors[layer - 1] if layer < depth else np.nan,
        *(float(gradient[key]) for key in ("factor", "low", "high")),
        np.exp(np.log(factors).mean()),
    ]


def readings(page: Page) -> list[float]:
    """What the table of the instrument says, in the same order."""
    *cells, measured, theory = page.locator(f"{WIDGET} tbody td span").all_text_contents()
    bounds = page.locator(f"{WIDGET} tbody td small").text_content().split(" to ")
    texts = [*cells, measured, *filter(None, bounds), theory]
    return [np.nan if text == "–" else number(text) for text in texts]


def agrees(shown: list[float], expected: list[float]) -> bool:
    """Whether numbers with two digits and those with three decimals are right, or left out."""
    near = np.isclose(shown[:6], expected[:6], rtol=0.055, atol=0, equal_nan=True)
    close = np.isclose(shown[6:], expected[6:], rtol=0, atol=0.0011)
    return bool(near.all() and close.all())


def slider(page: Page, name: str):
    return page.locator(f"{WIDGET} [name={name}]")


def layer(page: Page) -> int:
    return int(slider(page, "layer").input_value())


def visit(page: Page, **view: object) -> None:
    """Come by an address that holds a view, from elsewhere or on the page itself."""
    page.goto(f"{PAGE}#{urlencode(view, doseq=True)}")
    title = REGISTRY[view["f"]].spec.title
    expect(page.locator(f"{WIDGET} .said")).to_contain_text(
        "{title}, gain {gain:g}, width {width}, layer {layer} of".format(title=title, **view)
    )


def random_view() -> dict[str, object]:
    row = RNG.choice([line for line in ROWS if line["row"] == "gradient"])
    return {
        "f": row["activation"],
        "gain": round(float(row["gain"]), 2),
        "width": int(row["width"]),
        "depth": int(row["depth"]),
        "layer": RNG.randint(1, int(row["depth"])),
    }


VIEW = {"f": "gelu", "gain": 1.41, "width": 64, "depth": 20, "layer": 7}


def moves(page: Page) -> Iterator[None]:
    rng = random.Random(4)
    visit(page, **VIEW)
    yield
    for name in ["sigmoid", "relu", "tanh", "selu"]:
        slider(page, "f").select_option(name)
        press(page, rng.choice(["send", "keep"]))
        for control in ["gain", "width", "depth"]:
            slider(page, control).press(rng.choice(["Home", "End"]))
        slider(page, "layer").press("Home")
        yield


def test_readings_are_those_of_the_table_and_of_the_theory(reader):
    page = reader().new_page()
    wrong = []
    for view in [VIEW, *(random_view() for _ in range(40))]:
        visit(page, **view)
        if not agrees(readings(page), right(**view)):
            wrong.append((view, readings(page), right(**view)))
    assert not wrong
    expected = right(**VIEW)
    for part in range(10):  # each number that is off would be seen
        off = [value * (1.06 if part == i else 1) for i, value in enumerate(expected)]
        assert not agrees(off, expected)


DRAWN = """() => [...document.querySelectorAll(".depths .columns .chart")].map((chart) => ({
    dots: [...chart.querySelectorAll(".dot")].map((dot) => [
        Number(dot.getAttribute("cx")), Number(dot.getAttribute("cy")),
    ]),
    lines: ["measured", "theory"].map((name) =>
        chart.querySelector(`.curve.${name}`).getAttribute("d")),
    ticks: [...chart.querySelectorAll("text[text-anchor=end]")].map((text) => [
        text.textContent, Number(text.getAttribute("y")) - 4,
    ]),
}))"""


@pytest.mark.parametrize("screen", ["desktop", "phone"])
def test_the_picture_is_the_table(screen, reader):
    """Dots and lines stand where the axis has their numbers, to less than half a pixel."""
    page = reader(screen).new_page()
    visit(page, **VIEW)
    expected = np.log10([right(**VIEW | {"layer": layer})[:4] for layer in range(1, 21)]).T
    for i, chart in enumerate(page.evaluate(DRAWN)):
        (log, y), *_, (other, there) = [
            (np.log10(number(re.sub("^10(?=[⁻⁰¹²³⁴⁵⁶⁷⁸⁹])", "1 × 10", text))), y)
            for text, y in chart["ticks"]
            if text
        ]
        per_decade = (there - y) / (other - log)
        drawn = [[point.split() for point in line[1:].split("L")] for line in chart["lines"]]
        measured, theory = np.array(drawn, float)
        for points, values in [(measured, expected[2 * i]), (theory, expected[2 * i + 1])]:
            assert np.abs(points[:, 1] - (y + (values - log) * per_decade)).max() < 0.5
        assert chart["dots"] == [*measured.tolist(), measured[VIEW["layer"] - 1].tolist()]


def test_in_the_strip_the_mouse_chooses_the_bar_that_it_is_on(reader):
    page = reader().new_page()
    visit(page, **VIEW)
    box = page.locator(f"{WIDGET} .strip").bounding_box()
    column = (box["width"] - PLOT["left"] - PLOT["right"]) / 20
    for place in (1, 12, 20):
        for side in (0.1, 0.9):
            page.mouse.click(
                box["x"] + PLOT["left"] + (place - 1 + side) * column, box["y"] + box["height"] / 2
            )
            assert layer(page) == place
    assert agrees(readings(page), right(**VIEW | {"layer": 20}))


@pytest.mark.parametrize("chart", [0, 1])
def test_mouse_drags_the_layer_and_arrow_keys_go_on(chart, reader):
    page = reader().new_page()
    visit(page, **VIEW)
    box = page.locator(CHARTS).nth(chart).bounding_box()
    inner, y = box["width"] - PLOT["left"] - PLOT["right"], box["y"] + 60
    at = lambda layer: box["x"] + PLOT["left"] + (layer - 1) / 19 * inner  # noqa: E731
    page.mouse.move(at(12), y)
    page.mouse.down()
    assert layer(page) == 12
    page.mouse.move(at(3.4), y, steps=5)
    assert layer(page) == 3
    assert agrees(readings(page), right(**VIEW | {"layer": 3}))
    page.mouse.move(box["x"] - 300, y)
    assert layer(page) == 1
    page.mouse.up()
    page.mouse.move(at(12), y)
    assert layer(page) == 1
    page.keyboard.press("ArrowRight")
    assert layer(page) == 2
    page.keyboard.press("End")
    assert layer(page) == 20


def test_a_finger_drags_sideways_and_scrolls_up_and_down(reader):
    page = reader("phone", has_touch=True, is_mobile=True).new_page()
    visit(page, **VIEW)
    page.wait_for_load_state("networkidle")
    chart = page.locator(CHARTS).nth(1)
    chart.evaluate("chart => chart.scrollIntoView({ block: 'center' })")
    box, scrolled = chart.bounding_box(), page.evaluate("scrollY")
    x, y = box["x"] + 100, box["y"] + box["height"] / 2
    touch(page, (x, y), (x + 120, y + 3))
    assert layer(page) >= 11
    assert page.evaluate("scrollY") == scrolled
    chosen = layer(page)
    touch(page, (x + 20, y), (x + 24, y - 120))
    page.wait_for_function("before => scrollY > before + 50", arg=scrolled)
    assert layer(page) == chosen


def press(page: Page, name: str) -> None:
    """Press one of the instrument's buttons, if it can be pressed."""
    button = page.locator(f"{WIDGET} .actions [name={name}]")
    if button.is_enabled():
        button.click()


BARS = """() => [...document.querySelectorAll(".depths .bar")].map((bar) => {
    const { y, height } = bar.getBBox();
    return height;
})"""


def test_a_gradient_travels_in_two_seconds(reader):
    page = reader().new_page()
    page.clock.install(time=0)
    visit(page, **VIEW | {"f": "silu", "gain": 1.0, "layer": 1})
    page.clock.pause_at(60_000)
    press(page, "send")
    page.clock.run_for(1000)
    half = layer(page)
    assert 9 <= half <= 12
    assert agrees(readings(page), right("silu", 1, 64, 20, half))
    heights = np.array(page.evaluate(BARS))
    expected = [right("silu", 1, 64, 20, place)[2] for place in range(20, half - 1, -1)]
    assert np.abs(heights / heights[0] - expected).max() < 0.01
    page.clock.run_for(1500)
    assert layer(page) == 1
    assert len(page.evaluate(BARS)) == 20
    page.clock.run_for(500)
    expect(page.locator(f"{WIDGET} .said")).to_contain_text("layer 1 of 20")
    press(page, "send")
    page.clock.run_for(500)
    slider(page, "layer").press("ArrowRight")  # takes it over
    there = layer(page)
    page.clock.run_for(2500)
    assert layer(page) == there > 10
    press(page, "send")
    page.clock.run_for(500)
    page.evaluate("scrollTo(0, 0)")
    expect(slider(page, "layer")).to_have_value("1")  # nobody sees it travel


def test_without_motion_it_goes_a_layer_at_a_click(reader):
    page = reader("phone", reduced_motion="reduce").new_page()
    visit(page, **VIEW | {"layer": 1, "depth": 5})
    seen = []
    for words in ["Send a gradient back", *["One layer further back"] * 4]:
        button = page.locator(f"{WIDGET} [name=send]")
        expect(button).to_have_text(words)
        button.click()
        seen.append(layer(page))
    assert seen == [5, 4, 3, 2, 1]


def test_curves_are_kept_to_compare_with(reader):
    context = reader()
    page = context.new_page()
    visit(page, **VIEW)
    names = page.locator(f"{CHARTS} .name")
    for f, title in [("relu", "ReLU"), ("tanh", "Tanh"), ("selu", "SELU")]:
        slider(page, "f").select_option(f)
        press(page, "keep")
        expect(page.locator(f"{WIDGET} [name=keep]")).to_be_disabled()
        expect(names.last).to_have_text(f"{title}, gain 1.41")
        value = right(**VIEW | {"f": f})[2]
        words = page.locator(f"{WIDGET} .kept li").last.text_content()
        assert words.startswith(f"{title}, gain 1.41: ")
        assert words.endswith(" in layer 7")
        assert number(words.split(": ")[1].split(" in ")[0]) == pytest.approx(value, rel=0.055)
    slider(page, "f").select_option("gelu")
    expect(page.locator(f"{WIDGET} [name=keep]")).to_be_disabled()  # three are enough
    slider(page, "width").press("Home")
    expect(names.first).to_have_text("ReLU, gain 1.41, width 64")
    expect(page.locator(f"{WIDGET} .said")).to_contain_text("Kept, ReLU, gain 1.41, width 64: ")
    kept = "&kept=relu-1.41-64&kept=tanh-1.41-64&kept=selu-1.41-64"
    page.wait_for_url(f"**#f=gelu&gain=1.41&width=16&depth=20&layer=7{kept}")
    other = context.new_page()
    other.goto(page.url)
    drawn = "() => [...document.querySelectorAll('.ghost')].map((path) => path.getAttribute('d'))"
    expect(other.locator(f"{WIDGET} .ghost")).to_have_count(3)
    assert other.evaluate(drawn) == page.evaluate(drawn)
    press(other, "clear")
    expect(other.locator(f"{WIDGET} .ghost")).to_have_count(0)
    other.wait_for_url("**&layer=7")
    other.goto(f"{PAGE}#f=tanh&kept=__proto__-1-64&kept=relu-1-1&kept=relu&kept=relu-1-64")
    expect(other.locator(f"{WIDGET} .ghost")).to_have_count(0)  # three were given


def test_a_button_that_can_do_no_more_keeps_the_focus(reader):
    page = reader().new_page()
    visit(page, **VIEW)
    for name in ("keep", "clear"):
        button = page.locator(f"{WIDGET} .actions [name={name}]")
        button.focus()
        for _ in range(2):  # once more does nothing
            page.keyboard.press("Enter")
            expect(button).to_be_disabled()
            expect(button).to_be_focused()
            expect(page.locator(f"{WIDGET} .ghost")).to_have_count(1 if name == "keep" else 0)


def test_beyond_the_table_one_network_is_made(reader):
    page = reader().new_page()
    visit(page, f="relu", gain=1.41, width=64, depth=50, layer=1)
    sources = page.locator(f"{WIDGET} .source")
    expect(sources).to_have_text(["in this one network", "one network"])
    one = readings(page)
    assert len(one) == 8  # no interval
    assert one[1] == 2
    assert one[3] == one[7] == 1
    press(page, "other")
    page.wait_for_url("**#f=relu&gain=1.41&width=64&depth=50&layer=1&network=2")
    assert readings(page)[2] != one[2]
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator(f"{WIDGET} .said")).not_to_be_empty()
    assert readings(other) == readings(page)
    slider(page, "width").press("End")
    expect(sources).to_have_text(["by theory alone", "not measured"])
    expect(page.locator(f"{WIDGET} [name=other]")).not_to_be_visible()
    assert np.isnan(readings(page)[::2][:3]).all()
    page.wait_for_url("**&depth=50&layer=1")
    slider(page, "depth").press("Home")
    expect(sources).to_have_text(["in 20 networks", "20 networks"])


# In `counts`, how many powers of e and cosines are taken from the beginning of a frame to the next.
COUNTED = """() => {
    const fresh = () => counts.push({ exp: 0, cos: 0 });
    window.counts = [];
    fresh();
    for (const name of ["exp", "cos"]) {
        const plain = Math[name];
        Math[name] = (value) => {
            counts.at(-1)[name] += 1;
            return plain(value);
        };
    }
    const request = requestAnimationFrame;
    window.requestAnimationFrame = (action) => request((now) => {
        fresh();
        action(now);
    });
}"""


def test_the_page_makes_no_two_networks_in_a_frame(reader):
    """It must not be busy for long, whatever is kept."""
    page = reader().new_page()
    page.add_init_script(f"({COUNTED})()")
    kept = ["relu-1-16", "relu-2-64", "relu-4-16"]
    visit(page, f="relu", gain=1.41, width=64, depth=50, layer=1, kept=kept)
    words = page.locator(f"{WIDGET} .kept li")
    before = words.all_text_contents()
    page.evaluate("new Promise(requestAnimationFrame)")
    press(page, "other")
    page.wait_for_url("**&network=2&kept=*")
    expect(page.locator(f"{WIDGET} .said")).to_contain_text("Kept, ReLU, gain 4, width 16: ")
    assert not set(before) & set(words.all_text_contents())
    counts = page.evaluate("counts")
    each = 2 * 8 * 10  # for 8 examples of 10 classes; ReLU itself takes none
    assert [count["exp"] for count in counts if count["exp"]] == 8 * [each]
    drawn = [count for count in counts if count["cos"]]
    assert len(drawn) == 4  # two widths from two seeds
    assert not any(count["exp"] for count in drawn)


def test_keyboard_alone(reader):
    page = reader().new_page()
    page.goto(PAGE)
    slider(page, "f").focus()
    page.keyboard.type("tanh")
    for name, key, text in [
        ("gain", "End", "10"),
        ("width", "Home", "16"),
        ("depth", "ArrowLeft", "10"),
        ("layer", "End", "10 of 10"),
    ]:
        page.keyboard.press("Tab")
        if name == "layer":
            expect(page.get_by_role("button", name="Send a gradient back")).to_be_focused()
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
            expect(page.locator(f"{WIDGET} .kept")).to_contain_text("Tanh, gain 10: ")
            page.keyboard.press("Tab")
            expect(page.get_by_role("button", name="Clear")).to_be_focused()
            page.keyboard.press("Tab")
        control = page.get_by_role("slider", name=name, exact=True)
        expect(control).to_be_focused()
        page.keyboard.press(key)
        expect(control).to_have_attribute("aria-valuetext", text)
    assert agrees(readings(page), right("tanh", 10, 16, 10, 10))


def test_a_view_is_kept_in_the_address(reader):
    context = reader()
    page = context.new_page()
    page.goto(PAGE)
    slider(page, "f").select_option("relu")
    slider(page, "gain").press("ArrowRight")
    slider(page, "width").press("Home")
    slider(page, "layer").press("End")
    page.wait_for_url("**/depth.html#f=relu&gain=1.41&width=16&depth=20&layer=20")
    slider(page, "depth").press("Home")
    page.wait_for_url("**/depth.html#f=relu&gain=1.41&width=16&depth=5&layer=5")
    other = context.new_page()
    other.goto(page.locator(f"{WIDGET} .share a").evaluate("link => link.href"))
    assert readings(other) == readings(page)
    expect(other.locator(WIDGET)).to_be_in_viewport()


def test_it_stands_below_what_explains_it(reader):
    page = reader().new_page()
    page.goto(PAGE)
    places = ("#experiments-depth", WIDGET, "#depth-answer")
    tops = [page.locator(place).bounding_box()["y"] for place in places]
    assert tops == sorted(tops)
    page.goto(f"{PAGE}#depth-instrument")
    expect(page.locator(WIDGET)).to_be_in_viewport()


def test_what_is_out_of_range_in_the_address_is_not_out_of_range_here(reader):
    page = reader().new_page()
    page.goto(f"{PAGE}#f=__proto__&gain=-7&width=1000&depth=7&layer=900")
    expect(slider(page, "layer")).to_have_value("5")
    assert agrees(readings(page), right("sigmoid", 0.5, 256, 5, 5))


def test_who_listens_is_told_once(reader):
    said = told_once(reader().new_page(), PAGE, WIDGET, "layer")
    expect(said).to_contain_text("Sigmoid, gain 1, width 64, layer 20 of 20, in 20 networks")
    expect(said).to_contain_text(". Variance 0.27, by theory 0.26. Gradient 1, by")
    expect(said).to_contain_text("Factor per layer 0.234, from 0.232 to 0.235, by theory 0.235.")


def test_the_table_is_light(site):
    data = re.search(r'<script type="application/json">(.*?)</script>', (site / PAGE).read_text())
    assert len(data[1].encode()) < 40_000
