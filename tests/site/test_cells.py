"""What is folded on a page, and how it opens: solutions, cells and their outputs."""

import re

import pytest
from playwright.sync_api import Page, expect

CHAPTER = "chapters/dying.html"
SOLUTIONS = ["dying", "code"]  # with their cells between a start and an end, and behind them


def opened(reader, name: str = CHAPTER, screen: str = "desktop", **options) -> tuple[Page, list]:
    """A page, and what goes wrong in its scripts."""
    page = reader(screen, reduced_motion="reduce", **options).new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(name)
    return page, faults


def test_a_click_on_a_solution_s_title_opens_it_and_no_other(reader):
    page, faults = opened(reader)
    solutions = page.locator("details.solution")
    title = solutions.nth(1).locator("summary")
    title.hover()  # what is above is laid out then, nothing moves by itself
    place = page.evaluate("scrollY")
    title.click(position={"x": 120, "y": 20})  # "Exercise 2"
    expect(solutions.nth(1).locator("section")).to_be_visible()
    expect(solutions.nth(0).locator("section")).not_to_be_visible()
    assert page.evaluate("scrollY") == place
    title.press("Enter")
    expect(solutions.nth(1).locator("section")).not_to_be_visible()
    assert not faults


@pytest.mark.parametrize("chapter", SOLUTIONS)
def test_one_fold_hides_all_of_a_solution(chapter, reader):
    page, _ = opened(reader, f"chapters/{chapter}.html")
    solution = page.locator("details.solution", has=page.locator(".cell")).first
    code = solution.locator(".cell_input pre").first
    expect(code).not_to_be_visible()
    solution.locator("summary").click()
    expect(code).to_be_visible()
    expect(page.locator("details.solution details")).to_have_count(0)
    expect(page.locator("details.solution ~ .tag_hide-cell")).to_have_count(0)


def test_a_setup_is_folded_and_says_that_it_is_one(reader):
    page, _ = opened(reader)
    setup = page.locator(".cell").first
    expect(setup.locator("summary")).to_have_text("Setup", use_inner_text=True)
    expect(setup.locator("pre").first).not_to_be_visible()
    setup.locator("summary").press("Enter")
    expect(setup.locator("pre").first).to_contain_text("import")


def test_an_output_to_predict_is_hidden_until_it_is_asked_for_by_a_key(reader):
    page, _ = opened(reader)
    cell = page.locator(".cell.tag_hide-output:not(.tag_hide-input)").first
    cell.scroll_into_view_if_needed()
    expect(cell.locator(".cell_input")).to_be_visible()
    expect(cell.locator(".cell_output")).not_to_be_visible()
    expect(cell.locator("summary")).to_have_text("Show the output", use_inner_text=True)
    cell.locator("summary").press("Enter")
    expect(cell.locator(".cell_output")).to_be_visible()
    expect(cell.locator("summary")).to_have_text("Hide the output", use_inner_text=True)


@pytest.mark.parametrize("scripts", [True, False])
def test_on_paper_all_that_is_folded_is_open(scripts, reader):
    page, _ = opened(reader, java_script_enabled=scripts)
    page.emulate_media(media="print")
    for folded in (".tag_hide-output .cell_output", ".tag_hide-cell pre", ".solution section"):
        expect(page.locator(folded).first).to_be_visible()
    expect(page.locator("details.hide summary").first).not_to_be_visible()
    arrow = "(summary) => getComputedStyle(summary, '::after').content"
    assert page.locator(".solution summary").first.evaluate(arrow) == "none"


def test_a_tab_is_chosen_by_a_key_and_without_scripts(reader):
    page, _ = opened(reader, "chapters/code.html", java_script_enabled=False)
    tabs = page.locator(".sd-tab-set")
    content = tabs.locator(".sd-tab-content")
    tabs.get_by_role("radio", name="NumPy").focus()
    expect(content.first).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(content.nth(1)).to_be_visible()
    expect(content.nth(1)).to_contain_text("import tensorflow")
    expect(content.first).not_to_be_visible()


def test_on_paper_tabs_follow_each_other_under_their_names(reader):
    page, _ = opened(reader, "chapters/code.html")
    page.emulate_media(media="print")
    parts = page.locator(".sd-tab-set > :is(label, .sd-tab-content)")
    assert parts.count() == 6
    tops = [parts.nth(i).bounding_box()["y"] for i in range(6)]
    assert tops == sorted(set(tops))


@pytest.mark.parametrize("screen", ["phone", pytest.param("desktop", marks=pytest.mark.deep)])
def test_what_a_cell_prints_wraps(screen, reader):
    page, _ = opened(reader, screen=screen)
    page.evaluate("document.querySelectorAll('details').forEach((fold) => fold.open = true)")
    wide = "(all) => all.filter((pre) => pre.scrollWidth > pre.clientWidth).map((pre) => pre.id)"
    assert page.locator(".cell_output pre").evaluate_all(wide) == []


def test_a_number_with_a_power_of_ten_stands_in_one_line(reader):
    page, _ = opened(reader, "chapters/errata.html", screen="phone")
    small = page.locator("table.dataframe td").filter(has_text=re.compile(r"^[\d.]+e-\d+$"))
    assert small.count()
    assert set(
        small.evaluate_all("(all) => all.map((cell) => getComputedStyle(cell).textWrapMode)")
    ) == {"nowrap"}


def test_a_table_has_one_row_of_titles_with_the_name_of_its_index(reader):
    page, _ = opened(reader)
    titles = page.locator("table.dataframe thead")
    expect(titles.first.locator("tr")).to_have_count(1)
    expect(titles.first.locator("th").first).to_have_text("activation")


def test_what_is_copied_of_a_session_is_what_was_typed(reader):
    permissions = ["clipboard-read", "clipboard-write"]
    page, _ = opened(reader, "chapters/api.html", permissions=permissions)
    session = page.locator("div.highlight", has_text=">>>").first
    session.hover()
    session.locator("button.copybtn").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    typed = [line[4:] for line in session.inner_text().splitlines() if line[:4] in (">>> ", "... ")]
    assert copied.splitlines() == typed
