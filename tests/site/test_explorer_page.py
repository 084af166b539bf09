"""The explorer of activations, moved by mouse, finger, keyboard and address, in a real browser."""

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from moving import cramped, listen, number, touch
from playwright.sync_api import Page, expect
from test_pages import outcry

from actlib import REGISTRY, explore
from actlib._core.declare import activation, derivative
from actlib._core.spec import Param
from actlib.explorer.table import ERROR

PAGE = "chapters/explorer.html"
WIDGET = ".actlib-explorer"
STAYS = f"{WIDGET} [name=z]"  # a choice changes only what is below
ON_PAPER = {"−6", "6", "f(z)", "f′(z), the slope", "Squareplus"}
INSTEAD = "a"  # to the figures
LOADED = {"explorer.html"}
MOST = 8_000
RNG = random.Random(3)


def readings(page: Page, side: str = "a") -> list[str]:
    """What is said of one of the two: f, f' and what is left of a gradient."""
    numbers = page.locator(f"{WIDGET} tr[data-side={side}] td").all_inner_texts()
    return [*numbers, page.locator(f"{WIDGET} .verdict[data-side={side}]").inner_text()]


def left(verdict: str) -> float:
    """The factor in words such as "Tanh through 9 layers: 0.12 of the gradient is left"."""
    said = verdict.partition(": ")[2]
    if said.startswith("nothing of"):
        return 0.0
    sign = -1 if "its sign reversed" in said else 1
    if "stays" in said:
        return sign * 1.0
    found = re.fullmatch(
        r"(?:at most )?(\S+(?: × \S+)?) of the gradient is left(?:, its sign reversed)?\."
        r"|the gradient becomes (\S+(?: × \S+)?) times as large(?:, its sign reversed)?\.",
        said,
    )
    return sign * number(found[1] or found[2])


def place(page: Page) -> float:
    return float(page.locator(f"{WIDGET} [name=z]").first.input_value())


def visit(page: Page, **view: object) -> None:
    """Come by an address that holds a view, from elsewhere or on the page itself."""
    page.goto(f"{PAGE}#{urlencode(view)}")
    name = page.locator(f"{WIDGET} tr[data-side=a] b")
    if view.get("a") in REGISTRY:
        expect(name).to_have_text(REGISTRY[view["a"]].spec.title)
        page.wait_for_function(
            "z => +document.querySelector('[name=z]').value === z", arg=view["z"]
        )


def moves(page: Page) -> Iterator[None]:
    visit(page, a="squareplus", b="elu", z=-0.5, depth=50, **{"b.alpha": 2.0})
    yield
    for name in ["hard_shrink", "sigmoid", "soft_shrink", "gelu"]:
        page.locator(f"{WIDGET} [name=a]").select_option(name)
        yield
    for name in ["", "swish"]:
        page.locator(f"{WIDGET} [name=b]").select_option(name)
        yield
    page.wait_for_timeout(100)
    page.evaluate("shift = 0")
    for key in ["ArrowLeft", "Home", "End"]:
        page.get_by_role("slider", name="z", exact=True).press(key)
        yield


def agrees(shown: list[str], name: str, z: float, depth: int, params: dict[str, float]) -> bool:
    function = REGISTRY[name]
    value, slope = float(function(z, **params)), float(function.grad(z, **params))
    f, d, product = number(shown[0]), number(shown[1]), left(shown[2])
    exact = slope**depth
    if "at most" in shown[2]:
        right = product >= abs(exact) and product <= 1.2 * (abs(slope) + 2 * ERROR) ** depth
    else:
        right = abs(product - exact) <= 0.11 * abs(exact)
    near = max(abs(f - value), abs(d - slope)) <= ERROR + 0.0005
    exactly_zero = (slope == 0) == (shown[1] == "0") == (product == 0)
    return near and right and exactly_zero


def random_view(name: str, data: dict) -> tuple[dict[str, object], dict[str, float]]:
    chosen = data["functions"][name]["params"]
    params = {key: RNG.choice(values) for key, values in chosen.items()}
    view = {"a": name, "z": RNG.randint(-120, 120) / 20, "depth": RNG.randint(1, 50)}
    return view | {f"a.{key}": value for key, value in params.items()}, params


def table(page: Page) -> dict:
    return json.loads(page.locator(f"{WIDGET} > script").first.text_content() or "")


def test_readings_are_those_of_the_package(reader):
    page = reader().new_page()
    page.goto(PAGE)
    data = table(page)
    wrong = []
    for name in [*REGISTRY.elementwise] * 2:
        view, params = random_view(name, data)
        visit(page, **view)
        if not agrees(readings(page), name, view["z"], view["depth"], params):
            wrong.append((view, readings(page)))
    for name, z in [("relu", 0), ("relu6", 6), ("hard_tanh", 1), ("hard_silu", 3), ("prelu", 0)]:
        visit(page, a=name, z=z, depth=3)
        if not agrees(readings(page), name, z, 3, {}):
            wrong.append((name, z, readings(page)))
        expect(page.locator(f"{WIDGET} tr[data-side=a] small")).to_contain_text("at a kink")
    assert not wrong


@pytest.mark.parametrize("panel", [0, 1])
def test_the_picture_is_the_table(panel, reader):
    """The curve that is drawn passes where the package says, to less than half a pixel."""
    page = reader().new_page()
    visit(page, a="swish", z=0.5, **{"a.beta": 5.0})
    dot, off = (
        page.locator(f"{WIDGET} .chart svg")
        .nth(panel)
        .evaluate("""(panel) => {
        const dot = panel.querySelector(".now");
        const [x, y] = ["cx", "cy"].map((key) => Number(dot.getAttribute(key)));
        const curve = panel.querySelector(".curve");
        let least = Infinity;
        for (let at = 0; at < curve.getTotalLength(); at += 0.2) {
            const point = curve.getPointAtLength(at);
            least = Math.min(least, Math.hypot(point.x - x, point.y - y));
        }
        return [[x, y], least];
    }""")
    )
    assert off < 0.5, dot


def test_value_and_slope_have_a_panel_each_with_a_scale_of_its_own(reader):
    """Two panels above each other share z, and in both the sigmoid fills the height."""
    page = reader().new_page()
    visit(page, a="sigmoid", z=2)
    panels = page.locator(f"{WIDGET} .chart svg").evaluate_all("""panels => panels.map((panel) => {
        const box = panel.querySelector(".curve").getBoundingClientRect();
        return [box.left, box.top, box.bottom, box.height / panel.height.baseVal.value];
    })""")
    (left, _, bottom, share), (other_left, top, _, other_share) = panels
    assert left == other_left
    assert bottom < top
    assert min(share, other_share) > 0.8


def test_each_curve_is_labelled_where_it_ends(reader):
    page = reader().new_page()
    visit(page, a="sigmoid", b="leaky_relu", z=2)
    for name, ends in [("Sigmoid", [1, 0]), ("Leaky", [6, 1])]:
        labels = page.locator(f"{WIDGET} .chart text", has_text=re.compile(f"^{name}$"))
        side = "a" if name == "Sigmoid" else "b"
        curves = page.locator(f"{WIDGET} .chart svg .curve.{side}")
        expect(labels).to_have_count(len(ends))
        for i in range(len(ends)):
            label, curve = labels.nth(i).bounding_box(), curves.nth(i).bounding_box()
            assert 0 < label["x"] - (curve["x"] + curve["width"]) < 40
    boxes = [label.bounding_box() for label in page.locator(f"{WIDGET} .chart > g > text").all()]
    for i, one in enumerate(boxes):
        for other in boxes[:i]:
            apart = (
                one["x"] >= other["x"] + other["width"] - 1
                or other["x"] >= one["x"] + one["width"] - 1
                or abs(one["y"] - other["y"]) >= 12
            )
            assert apart, (one, other)


def test_only_what_stays_flat_is_shaded(reader):
    page = reader().new_page()
    shaded = page.locator(f"{WIDGET} .saturated")
    for name, count in [("gelu", 1), ("sigmoid", 2), ("hard_shrink", 0)]:
        visit(page, a=name, z=-0.75)
        expect(shaded).to_have_count(2 * count)  # in both panels
    state = page.locator(f"{WIDGET} tr[data-side=a] small")
    visit(page, a="gelu", z=-0.75)
    expect(state).to_have_text("")
    visit(page, a="gelu", z=-3)
    expect(state).to_have_text("saturated")


def test_there_is_one_function_and_no_slider_without_a_parameter(reader):
    page = reader().new_page()
    page.goto(PAGE)
    expect(page.locator(f"{WIDGET} [data-side=b]:visible")).to_have_count(0)
    expect(page.locator(f"{WIDGET} .params input")).to_have_count(0)
    page.locator(f"{WIDGET} [name=b]").select_option(label="Swish")
    expect(page.get_by_role("slider", name="Swish: beta")).to_be_visible()
    expect(page.locator(f"{WIDGET} .verdict[data-side=b]")).to_contain_text("Swish through 10")


def test_two_of_one_colour_are_not_shown_together(reader):
    page = reader().new_page()
    inks = set()
    for pair in [{"a": "relu", "b": "relu"}, {"a": "sigmoid", "b": "tanh"}]:
        visit(page, z=1, **pair)
        one, other = page.locator(f"{WIDGET} .swatch .curve").evaluate_all(
            "curves => curves.map((curve) => getComputedStyle(curve).stroke)"
        )
        assert one != other
        inks |= {one, other}
    assert len(inks) == 4


def test_every_name_has_room_on_a_phone(reader):
    page = reader("phone").new_page()
    page.goto(PAGE)
    faults = []
    for name in REGISTRY.elementwise:
        page.locator(f"{WIDGET} [name=a]").select_option(name)
        faults += cramped(page, WIDGET)
    assert not faults


def along(page: Page, z: float) -> float:
    """Where on the screen z is, between the words below the charts."""
    words = page.locator(f"{WIDGET} .chart text", has_text=re.compile("^[−0-9]*6$"))
    boxes = [word.bounding_box() for word in words.all()]
    low, high = (box["x"] + box["width"] / 2 for box in boxes[-2:])
    return low + (z + 6) / 12 * (high - low)


def test_mouse_drags_z_and_arrow_keys_go_on(reader):
    page = reader().new_page()
    visit(page, a="prelu", b="relu", z=1)
    y = page.locator(f"{WIDGET} .chart").bounding_box()["y"] + 100
    page.mouse.move(along(page, 0), y)
    page.mouse.down()
    assert abs(place(page)) <= 0.05
    page.mouse.move(along(page, -3), y, steps=5)
    assert abs(place(page) + 3) <= 0.05
    page.mouse.move(0, y)
    assert place(page) == -6
    page.mouse.up()
    page.mouse.move(along(page, 0), y)
    assert place(page) == -6
    assert number(readings(page)[0]) == -1.5
    page.keyboard.press("ArrowRight")
    assert place(page) == -5.95
    page.keyboard.press("End")
    assert place(page) == 6


def test_a_finger_drags_sideways_and_scrolls_up_and_down(reader):
    page = reader("phone", has_touch=True, is_mobile=True).new_page()
    visit(page, a="gelu", z=1)
    chart = page.locator(f"{WIDGET} .chart")
    chart.evaluate("chart => chart.scrollIntoView({ block: 'center' })")
    box, scrolled = chart.bounding_box(), page.evaluate("scrollY")
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch(page, (x, y), (x + 80, y + 3))
    moved = place(page)
    assert moved > 2
    assert page.evaluate("scrollY") == scrolled
    touch(page, (x, y), (x, y - 120))
    page.wait_for_function("before => scrollY > before + 50", arg=scrolled)


def test_keyboard_alone(reader):
    page = reader().new_page()
    page.goto(PAGE)
    page.locator(f"{WIDGET} [name=a]").focus()
    page.keyboard.type("PReLU")
    expect(page.locator(f"{WIDGET} tr[data-side=a] b")).to_have_text("PReLU")
    for _ in range(2):
        page.keyboard.press("Tab")
    expect(page.get_by_role("slider", name="z", exact=True)).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("Tab")
    page.keyboard.press("Home")
    page.keyboard.press("Tab")
    page.keyboard.press("End")
    alpha = page.get_by_role("slider", name="PReLU: alpha")
    expect(alpha).to_be_focused()
    expect(alpha).to_have_attribute("aria-valuetext", "1.5")
    f, d, verdict = readings(page)
    assert (number(f), number(d), left(verdict)) == (-9, 1.5, 1.5)
    assert verdict == "PReLU through 1 layer: the gradient becomes 1.5 times as large."


def test_a_view_is_kept_in_the_address(reader):
    context = reader()
    page = context.new_page()
    page.goto(PAGE)
    page.locator(f"{WIDGET} [name=a]").select_option("elu")
    page.locator(f"{WIDGET} [name=b]").select_option("swish")
    page.get_by_role("slider", name="ELU: alpha").press("End")
    page.get_by_role("slider", name="layers n").press("ArrowRight")
    page.get_by_role("slider", name="z", exact=True).press("Home")
    page.wait_for_url("**/explorer.html#a=elu&b=swish&z=-6&depth=11&a.alpha=10&b.beta=1")
    other = context.new_page()
    other.goto(page.locator(f"{WIDGET} .share a").get_attribute("href"))
    for side in "ab":
        assert readings(other, side) == readings(page, side)
    page.locator(f"{WIDGET} [name=b]").select_option("")
    expect(page.locator(f"{WIDGET} tr[data-side=b]")).not_to_be_visible()
    page.wait_for_url("**/explorer.html#a=elu&z=-6&depth=11&a.alpha=10")


def test_what_is_out_of_range_in_the_address_is_not_out_of_range_here(reader):
    page = reader().new_page()
    visit(page, a="relu", z=-6, depth=50)
    page.goto(f"{PAGE}#a=prelu&z=-77&depth=900&alpha=1.4")
    expect(page.locator(f"{WIDGET} tr[data-side=a] b")).to_have_text("PReLU")
    assert agrees(readings(page), "prelu", -6, 50, {"alpha": 1.5})


def test_who_listens_is_told_once(reader):
    page = reader().new_page()
    listen(page, PAGE, WIDGET)
    slider = page.get_by_role("slider", name="z", exact=True)
    for _ in range(20):
        slider.press("ArrowLeft")
    page.clock.run_for(2000)
    said = page.locator(f"{WIDGET} .said")
    expect(said).to_contain_text(
        "At z = 1.00. Sigmoid: f = 0.731, f′ = 0.197; through 10 layers: 8.6 × 10⁻⁸ of the"
    )
    assert page.evaluate("told") == 1


def test_the_table_is_light(site):
    data = re.search(r'<script type="application/json">(.*?)</script>', (site / PAGE).read_text())
    assert len(data[1].encode()) < 40_000


@pytest.fixture
def planted():
    """Declared on the fly, with a kink that depends on its parameter."""

    @activation(
        formula="z",
        exact=lambda m, z, edge: z,
        cite="",
        year=2000,
        family="Planted",
        limits=(0, 1),
        range=(0, 1),
        kinks=lambda edge: (edge,),
        params={"edge": Param(samples=(-2.0, 2.0))},
    )
    def planted_for_test(xp, z, edge=0.3):
        """Planted."""
        return xp.where(z > edge, 2 * (z - edge), 0 * z)

    derivative(planted_for_test, limits=(0, 2))(
        lambda xp, z, edge: 2 * xp.astype(z > edge, z.dtype)
    )
    yield planted_for_test
    del REGISTRY["planted_for_test"]


def test_in_a_notebook_two_of_them_and_a_new_activation(planted, browser, tmp_path: Path):
    outputs = [
        explore("relu", z=-2)._repr_html_(),
        explore("planted_for_test", "prelu", edge=-0.75, alpha=0.37, z=-0.75)._repr_html_(),
    ]
    (tmp_path / "notebook.html").write_text(
        "<!doctype html><meta charset=utf-8>" + "".join(outputs)
    )
    page = browser.new_context().new_page()
    faults = outcry(page, "file:")
    page.goto((tmp_path / "notebook.html").as_uri())
    first, second = page.locator(WIDGET).all()
    expect(first.locator("[name=a] option")).to_have_count(len(REGISTRY.elementwise))
    expect(second.locator("tr[data-side=b] td").first).to_have_text("−0.278")
    expect(second.locator("tr[data-side=a] small")).to_have_text("at a kink, saturated")
    second.get_by_role("slider", name="z", exact=True).press("ArrowRight")
    expect(second.locator("tr[data-side=a] td").first).to_have_text("0.100")
    expect(first.locator("[name=z]")).to_have_value("-2")
    first.locator("[name=a]").select_option("planted_for_test")
    expect(first.locator(".formulas > div").first).to_have_text("$z$")
    expect(second.get_by_text("Link to this view")).to_have_count(0)
    expect(second.locator(".said")).to_contain_text("At z = −0.70.")
    assert "#" not in page.url  # the notebook's address is its own
    assert not faults
