"""The instrument that trains two networks, moved in a real browser."""

import json
import re
from collections.abc import Iterator
from urllib.parse import parse_qsl

import pytest
from built import SITE
from moving import listen, low, number
from playwright.sync_api import Page, expect
from test_javascript import run
from test_pages import outcry

from website.instruments import train

PAGE = "chapters/train.html"
WIDGET = ".train"
STAYS = f"{WIDGET} .surface"
ON_PAPER = {"steps", "100", "0.5", "75%"}
INSTEAD = "svg.picture[aria-label*='draws no border at all']"
LOADED = {"train.html", "code.html"}
MOST = 12_000
SMALL = {"a.layers": "1", "a.units": "2", "b.layers": "1", "b.units": "3", "a.f": "tanh"}
KEYS = {"train": "loss", "test": "accuracy"}


def state(**changes: str) -> dict[str, str]:
    return dict(parse_qsl(train.checked("claim=chance"))) | {"claim": ""} | changes


def visit(page: Page, view: dict[str, str]) -> None:
    """Come by an address that holds a view."""
    page.goto(f"{PAGE}#" + "&".join(f"{key}={value}" for key, value in view.items()))
    expect(page.locator(f"{WIDGET} .said")).not_to_be_empty()


def press(page: Page, name: str) -> None:
    page.locator(WIDGET).get_by_role("button", name=name, exact=True).click()


def chosen(page: Page, name: str):
    return page.locator(f"{WIDGET} [name={name}]")


def moves(page: Page) -> Iterator[None]:
    visit(page, dict(parse_qsl(train.checked("claim=dead"))))
    yield
    for name in ("No activation", "A small leak"):
        press(page, name)
        press(page, "One step")
        yield


def wait(page: Page) -> None:
    """Until a run has ended."""
    expect(page.locator(f"{WIDGET} .run")).to_have_text("Run 2,000 steps", timeout=90_000)


def readings(page: Page) -> list[list[str]]:
    rows = page.locator(f"{WIDGET} table:not(.trace) tbody tr").all()
    return [row.locator("td").all_text_contents() for row in rows]


def right(view: dict[str, str], steps: int) -> list[dict[str, float]]:
    """What both networks are after some steps, by the same code outside of the browser."""
    task = json.dumps([train.settings(view), train.shared(view), steps])
    found: list[dict[str, float]] = run(f"""{train.runs()}
        const [settings, shared, steps] = {task};
        console.log(JSON.stringify(settings.map((setting) => {{
          const run = new Run(setting, pointsOf(shared.data), shared);
          while (run.steps < steps) run.step();
          run.watch();
          const {{ train, test, units }} = run;
          const count = (word) => units.flat().filter((unit) => unit[word]).length;
          return [train.loss, test.loss, 100 * train.accuracy, 100 * test.accuracy,
                  count("dead"), count("flat")];
        }})));""")
    return found


def agrees(page: Page, view: dict[str, str], steps: int) -> bool:
    """Whether the table has these numbers, to the digits that it shows."""
    shown = [[number(text.split("%")[0].split(" of")[0]) for text in row] for row in readings(page)]
    expected = zip(*right(view, steps), strict=True)
    return all(
        abs(a - b) <= 0.055 * abs(b) if row < 2 else abs(a - b) <= 0.051
        for row, pair in enumerate(zip(shown, expected, strict=True))
        for a, b in zip(*pair, strict=True)
    )


def test_steps_are_those_of_the_networks(reader):
    page = reader().new_page()
    view = state(data="xor", **{"a.start": "below", "b.f": "gelu", "b.layers": "2", "seed": "4"})
    visit(page, view)
    assert agrees(page, view, 0)
    for _ in range(3):
        press(page, "One step")
    assert agrees(page, view, 3)
    assert not agrees(page, view | {"seed": "5"}, 3)
    expect(page.locator(f"{WIDGET} .steps")).to_have_text("step 3")
    press(page, "Start over")
    assert agrees(page, view, 0)


def test_a_claim_is_predicted_run_and_answered(reader):
    page = reader().new_page()
    page.goto(PAGE)
    press(page, "Centre it")
    press(page, "Six sigmoid layers")
    claim = page.locator(f"{WIDGET} [data-claim=chance]")
    claim.get_by_label("about 75%").check()
    expect(claim.locator(".answer")).not_to_be_visible()
    press(page, "Run 2,000 steps")
    expect(page.locator(f"{WIDGET} .steps")).not_to_have_text("step 0")
    wait(page)
    expect(claim.locator(".answer")).to_contain_text("Not as you said. A got 50.0% right.")
    expect(page.locator(f"{WIDGET} .said")).to_contain_text(claim.locator(".answer").inner_text())
    assert agrees(page, dict(parse_qsl(train.checked("claim=chance"))), 2000)


def test_dead_units_are_called_so(reader):
    page = reader().new_page()
    visit(page, dict(parse_qsl(train.checked("claim=dead"))))
    expect(page.locator(f"{WIDGET} .tile")).to_have_count(48)
    dead = page.locator(f"{WIDGET} .tile.dead")
    assert f"{dead.count()} of 48" == readings(page)[4][0]
    expect(dead.first).to_have_text("dead")
    expect(dead.first).to_have_attribute("aria-label", re.compile("dead on all training points"))


def test_keyboard_tiles_and_a_gradient_on_its_way_back(reader):
    page = reader().new_page()
    visit(page, state(**SMALL))
    tiles = page.locator(f"{WIDGET} .tile")
    tiles.first.focus()
    page.keyboard.press("ArrowRight")
    expect(tiles.nth(1)).to_be_focused()
    expect(tiles.nth(1)).to_have_attribute("aria-pressed", "true")
    expect(page.locator(f"{WIDGET} .unit")).to_have_text("layer 1, unit 2")
    for keys in ("Alt+ArrowLeft", "Control+ArrowLeft", "Meta+ArrowLeft"):  # the browser's own
        page.keyboard.press(keys)
        expect(tiles.nth(1)).to_be_focused()
    norms = page.locator(f"{WIDGET} .norms")
    bars = [text for text in norms.locator("text").all_text_contents() if not text.isdigit()]
    each = [", ".join(bar[2:] for bar in bars if bar[0] == side) for side in "AB"]
    told = f"Norm of the gradient, layer by layer. A: {each[0]}. B: {each[1]}"
    expect(norms).to_have_accessible_name(told)
    rows = page.locator(f"{WIDGET} .trace tbody tr")
    before = rows.first.text_content()
    chosen(page, "point").press("ArrowRight")
    expect(rows.first).not_to_have_text(before)
    output, hidden = (rows.nth(i).locator("td").all_text_contents() for i in range(2))
    factors = [number(text.removeprefix("× ")) for text in hidden[:2]]
    product = number(output[2]) * factors[0] * factors[1]
    assert abs(number(hidden[2]) - product) <= 0.12 * abs(product)
    page.keyboard.press("Tab")
    chosen(page, "side").nth(1).check()
    expect(tiles).to_have_count(3)
    chosen(page, "layers").select_option("4")
    expect(tiles).to_have_count(12)


def test_a_claim_is_made_of_its_own_networks_and_of_no_others(reader):
    page = reader().new_page()
    visit(page, dict(parse_qsl(train.checked("claim=leak"))) | {"a.units": "8"})
    shown = page.locator(f"{WIDGET} .claims > .chosen")
    expect(shown).to_contain_text("Your own two networks.")
    expect(page.locator(f"{WIDGET} .presets [aria-pressed=true]")).to_have_count(0)
    page.goto("chapters/intro.html")
    visit(page, dict(parse_qsl(train.checked("claim=leak"))))
    expect(shown).to_contain_text("A leak of 0.1")


def test_without_points_nothing_of_others_is_left(reader, address):
    page = reader().new_page()
    faults = outcry(page, address)
    page.goto(PAGE)
    rows = page.locator(f"{WIDGET} .trace tbody tr")
    expect(rows).to_have_count(7)
    chosen(page, "data").select_option("own")
    expect(page.locator(f"{WIDGET} .steps")).to_have_text("no points yet")
    expect(page.locator(f"{WIDGET} .whole")).to_have_text("There is nothing to follow.")
    expect(rows).to_have_count(0)
    expect(page.locator(f"{WIDGET} .norms rect")).to_have_count(0)
    expect(page.locator(f"{WIDGET} :is(.dead, .flat)")).to_have_count(0)
    expect(chosen(page, "class")).to_be_visible()
    chosen(page, "data").select_option("xor")
    expect(chosen(page, "class")).not_to_be_visible()
    expect(rows).to_have_count(7)
    assert not faults


def test_pictures_of_the_plane_are_seen_in_either_theme(reader):
    pictures = []
    for theme in ("light", "dark"):
        page = reader(theme=theme).new_page()
        visit(page, state(**{"a.f": "tanh", "a.layers": "2"}))
        surface = page.locator(f"{WIDGET} .surface").first
        page.wait_for_timeout(300)
        pictures.append(surface.evaluate("canvas => canvas.toDataURL()"))
    assert pictures[0] == pictures[1]
    assert len(pictures[0]) > 5000


def test_a_link_leads_to_the_top_of_the_instrument_each_time(reader):
    page = reader().new_page()
    page.goto(PAGE)
    expect(page.locator(f"{WIDGET} .said")).not_to_be_empty()
    for _ in range(2):
        page.locator("article li a", has_text="Born dead").click()
        expect(page.get_by_role("button", name="Born dead")).to_be_in_viewport()
        press(page, "One step")
        expect(page.locator(f"{WIDGET} .steps")).to_have_text("step 1")
    page.locator("article li a", has_text="Born dead").click()
    expect(page.locator(f"{WIDGET} .steps")).to_have_text("step 0")
    press(page, "One step")
    page.locator(f"{WIDGET} .share a").click()
    expect(page.locator(f"{WIDGET} .steps")).to_have_text("step 1")


def test_own_points_by_hand_and_by_keys(reader):
    page = reader("phone", has_touch=True, is_mobile=True).new_page()
    visit(page, state(data="own", **SMALL))
    canvas = page.locator(f"{WIDGET} .surface").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.touchscreen.tap(box["x"] + 0.75 * box["width"], box["y"] + 0.25 * box["height"])
    expect(chosen(page, "point")).to_have_attribute("max", "1")
    page.wait_for_url(re.compile("points=w[vw]0"))
    page.locator(f"{WIDGET} .own summary").click()
    chosen(page, "across").press("Home")
    chosen(page, "class").select_option("1")
    press(page, "Set a point")
    page.wait_for_url(re.compile("points=w[vw]0Ag1"))
    press(page, "One step")
    assert readings(page)[3] == ["–", "–"]
    assert readings(page)[2][0].endswith("%")
    press(page, "Remove the last")
    press(page, "Remove all")
    page.wait_for_url(re.compile("data=own.*points=&"))
    press(page, "One step")
    expect(page.locator(f"{WIDGET} .steps")).to_have_text("no points yet")
    assert not low(page, f"{WIDGET} :is(.presets, .bar) button")


@pytest.mark.parametrize(
    "served", [True, pytest.param(False, marks=pytest.mark.deep)], ids=["worker", "file"]
)
def test_one_more_seed(served, reader, site, address):
    page = reader().new_page()
    faults = outcry(page, address if served else "file:")
    workers = []
    page.on("worker", lambda worker: workers.append(worker))
    view = state(**SMALL)
    fragment = "&".join(f"{key}={value}" for key, value in view.items())
    page.goto(f"{PAGE if served else (site / PAGE).as_uri()}#{fragment}")
    settles = page.locator(f"{WIDGET} .settles")
    expect(settles).to_contain_text("One run is no answer")
    press(page, "One more seed")
    expect(settles).to_contain_text("over 1 seed: A", timeout=60_000)
    expect(settles).to_contain_text("no interval yet")
    press(page, "One more seed")
    expect(settles).to_contain_text("over 2 seeds: A", timeout=60_000)
    assert bool(workers) == served
    ends = [right(view | {"seed": seed}, 2000) for seed in ("1", "2")]
    for side in (0, 1):
        mean = sum(end[side][3] for end in ends) / 2
        expect(settles).to_contain_text(f"{'AB'[side]} {mean:.1f}%")
    assert page.locator(f"{WIDGET} .trials circle").count() == 4
    assert not faults


def test_a_view_is_kept_in_the_address(reader):
    context = reader()
    page = context.new_page()
    page.goto(PAGE)
    chosen(page, "f").select_option("silu")
    chosen(page, "data").select_option("spirals")
    page.wait_for_url(re.compile("data=spirals.*a.f=silu"))
    other = context.new_page()
    other.goto(page.locator(f"{WIDGET} .share a").evaluate("link => link.href"))
    expect(other.locator(f"{WIDGET} .name").first).to_contain_text("A: SiLU, 6 × 8 units")
    assert readings(other) == readings(page)


def test_who_listens_is_told_once(reader):
    page = reader().new_page()
    listen(page, PAGE, WIDGET)
    for _ in range(5):
        press(page, "One step")
    page.clock.run_for(2000)
    said = page.locator(f"{WIDGET} .said")
    expect(said).to_contain_text(
        "Step 5. A: Sigmoid, 6 × 8 units, gain 1, descent, rate 0.1. Right"
    )
    assert page.evaluate("told") == 1


@pytest.mark.deep
def test_still_for_who_asked_for_it_and_out_of_view(reader):
    page = reader(reduced_motion="reduce").new_page()
    page.goto(PAGE)
    page.wait_for_timeout(500)
    page.evaluate("""() => {
        window.drawn = window.counted = 0;
        const chart = document.querySelector(".train .chart.loss");
        new MutationObserver(() => drawn++).observe(chart, { childList: true });
        const steps = document.querySelector(".train .steps");
        new MutationObserver(() => counted++).observe(steps, { childList: true });
    }""")
    press(page, "Run 2,000 steps")
    wait(page)
    assert page.evaluate("drawn") <= 2
    assert page.evaluate("counted") > 5
    moving = reader().new_page()
    visit(moving, state())
    press(moving, "Run 2,000 steps")
    moving.evaluate("document.querySelector('.train').style.display = 'none'")
    moving.wait_for_timeout(300)
    before = moving.locator(f"{WIDGET} .steps").text_content()
    moving.wait_for_timeout(500)
    assert moving.locator(f"{WIDGET} .steps").text_content() == before


def test_the_pictures_stand_side_by_side_however_long_the_names_above_them_are(reader):
    page = reader(viewport={"width": 320, "height": 640}).new_page()
    page.goto(PAGE)
    press(page, "Born dead")
    tops = page.locator(f"{WIDGET} .surface").evaluate_all(
        "pictures => pictures.map((picture) => picture.getBoundingClientRect().top)"
    )
    assert tops[0] == tops[1]


def test_the_chosen_claim_is_seen_with_forced_colours(reader):
    page = reader(forced_colors="active").new_page()
    page.goto(PAGE)
    colours = page.locator(f"{WIDGET} .presets button").evaluate_all(
        "buttons => buttons.map((button) => getComputedStyle(button).backgroundColor)"
    )
    assert colours[0] not in colours[1:]


def test_claims_lead_to_the_book_and_back(reader):
    page = reader().new_page()
    back = {}
    for name in SITE.glob("chapters/*.html"):
        for claim in re.findall(r"train\.html#claim=(\w+)&", name.read_text("utf-8")):
            back.setdefault(claim, set()).add(name.stem)
    page.goto(PAGE)
    for key, claim in train.CLAIMS.items():
        link = page.locator(f"{WIDGET} [data-claim={key}] a").get_attribute("href")
        there, place = link.split("#")
        assert place == claim.where
        assert f'id="{place}"' in (SITE / "chapters" / there).read_text("utf-8")
        assert there.removesuffix(".html") in back[key], f"no link back to {key} in {there}"


def test_in_another_page_it_is_folded(reader):
    page = reader().new_page()
    page.goto("chapters/code.html")
    expect(page.locator(f"{WIDGET} .surface").first).to_be_visible()
    expect(page.locator(f"{WIDGET} .tiles")).not_to_be_visible()
    press(page, "One step")
    expect(page.locator(f"{WIDGET} .steps")).to_have_text("step 1")
    press(page, "Centre it")
    page.wait_for_timeout(500)
    assert "#" not in page.url
    link = page.locator(f"{WIDGET} .share a").get_attribute("href")
    assert "/chapters/train.html#claim=centre&" in link
