"""What readers expect of a book online: downloads, its edition, how to cite it, and cards."""

import re
from urllib.parse import urljoin

import nbformat
import pytest
from playwright.sync_api import Page, expect

CHAPTER = "chapters/dying.html"
TERM = "article a[href='glossary.html#term-dead-unit']"
SOURCE = "article a[href^='bibliography.html#']"


def opened(reader, name: str = CHAPTER, screen: str = "desktop", **options) -> Page:
    page = reader(screen, reduced_motion="reduce", **options).new_page()
    page.goto(name)
    return page


def test_a_notebook_is_downloaded_from_its_page(reader, tmp_path):
    page = opened(reader, "chapters/code.html")
    link = page.get_by_role("link", name="Download this page as a notebook")
    answer = page.request.get(urljoin(page.url, link.get_attribute("href")))
    assert answer.ok
    notebook = nbformat.reads(answer.text(), as_version=4)
    assert "pip install" in notebook.cells[0].source


def test_a_page_says_which_edition_it_is_and_what_has_changed(reader):
    page = opened(reader)
    edition = page.locator(".edition")
    expect(edition).to_have_text(re.compile(r"^Version \d+\.\d+\.\d+, \d{4}-\d\d-\d\d"))
    edition.get_by_role("link").click()
    expect(page.locator("h1").first).to_contain_text("Changelog")


def test_a_page_says_how_it_is_cited(reader):
    page = opened(reader)
    cited = page.locator(".cite pre")
    expect(cited).not_to_be_visible()
    page.get_by_text("Cite this page").press("Enter")
    expect(cited).to_contain_text("title = {Dying ReLU: can a unit die, and come back?},")
    expect(cited).to_contain_text("author = {{The actlib authors}},")


def test_a_page_leads_to_its_neighbours_by_their_titles(reader):
    page = opened(reader)
    for neighbour in ("left-prev", "right-next"):
        title = page.locator(f"a.{neighbour} .prev-next-title")
        expect(title).to_have_text(re.compile(r"\w{3,}"))


@pytest.mark.parametrize("link", [TERM, pytest.param(SOURCE, marks=pytest.mark.deep)])
@pytest.mark.parametrize("way", [pytest.param("mouse", marks=pytest.mark.deep), "keyboard"])
def test_a_card_says_what_a_term_or_source_is(way, link, reader, address):
    page = opened(reader)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.resource_type))
    first, card = page.locator(link).first, page.locator("#hover-card")
    expect(card).not_to_be_visible()
    if way == "mouse":
        first.hover()
    else:
        page.keyboard.press("Tab")  # whoever presses keys sees where they are
        first.focus()
    expect(card).to_be_visible()
    expect(card).to_contain_text(re.compile(r"\w+ \w+ \w+"))
    expect(first).to_have_attribute("aria-describedby", "hover-card")
    page.keyboard.press("Escape")
    expect(card).not_to_be_visible()
    assert set(asked) <= {"image", "font"}  # which come when they come near


def test_a_card_stays_under_the_mouse(reader):
    page = opened(reader)
    card = page.locator("#hover-card")
    page.locator(TERM).first.hover()
    card.hover()
    page.wait_for_timeout(400)
    expect(card).to_be_visible()
    page.mouse.move(5, 5)
    expect(card).not_to_be_visible()


def test_the_first_tap_shows_a_card_and_the_second_follows_the_link(reader):
    page = opened(reader, screen="phone", has_touch=True)
    term, card = page.locator(TERM).first, page.locator("#hover-card")
    term.tap()
    expect(card).to_be_visible()
    box = card.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
    assert page.url.endswith(CHAPTER)
    term.tap()
    page.wait_for_url("**/glossary.html#term-dead-unit")


def test_a_report_leads_to_the_page_that_it_names(reader):
    page = opened(reader, "chapters/diagnosing.html")
    named = page.locator(".cell_output").get_by_role("link", name="diagnosing.html#diagnosing-dead")
    expect(named.first).to_have_attribute("href", "diagnosing.html#diagnosing-dead")
