"""The book's frame: the front page, parts, what a page says of itself, and ways around."""

import re

import nbformat
import pytest
from built import ROOT
from docutils import nodes
from playwright.sync_api import expect

from actlib import REGISTRY
from website.reading import builds_on, faults, minutes, words
from website.redirects import MOVED
from website.toc import contents, entries

FRONT = "chapters/intro.html"
PARTS = contents(ROOT)["parts"]
LONGEST = 25  # minutes
# Pages that take longer, until they are shortened.
TOO_LONG = {"faq"}


# --- the front page


def test_the_front_page_says_and_shows_what_this_is_on_the_first_screen(reader):
    page = reader(viewport={"width": 1440, "height": 900}).new_page()
    page.goto(FRONT)
    picture = page.get_by_role("img", name=re.compile("slope of the sigmoid in float32"))
    expect(picture).to_be_in_viewport(ratio=1)
    for door, chapter in [("Learn", "background"), ("Choose", "guide"), ("Repair", "diagnosing")]:
        link = page.locator(".doors").get_by_role("link", name=door)
        expect(link).to_be_in_viewport(ratio=1)
        assert link.get_attribute("href") == f"{chapter}.html"
    assert page.evaluate("document.documentElement.scrollHeight") <= 2.5 * 900


def test_the_picture_says_where_the_slope_is_lost(site):
    picture = re.search(r"<svg.*?</svg>", (site / FRONT).read_text("utf-8"))[0]
    assert "0 from z = 16.6 on" in picture  # the errata compute 16.64


def test_the_map_leads_to_every_chapter(reader):
    page = reader().new_page()
    page.goto(FRONT)
    for part in PARTS:
        box = page.locator(".part", has=page.get_by_text(part["caption"], exact=True))
        links = box.get_by_role("link").all()
        there = [link.get_attribute("href").removesuffix(".html") for link in links]
        assert [f"chapters/{name}" for name in there] == [c["file"] for c in part["chapters"]]


def test_a_line_in_chinese_leads_to_the_glossary_and_the_errata(reader):
    page = reader().new_page()
    page.goto(FRONT)
    line = page.locator("p[lang=zh-CN]")
    expect(line).to_contain_text("中文读者")
    for name, there in [("术语表", "glossary.html"), ("勘误", "errata.html")]:
        assert line.get_by_role("link", name=name).get_attribute("href") == there


# --- parts, numbers and addresses


def test_parts_have_captions_and_chapters_are_numbered_through(reader):
    page = reader().new_page()
    page.goto(FRONT)
    sidebar = page.locator(".bd-sidebar-primary")
    captions = sidebar.locator("[role=heading]").all_inner_texts()
    assert [part["caption"] for part in PARTS] == captions
    titles = sidebar.locator("li.toctree-l1 > a").all_inner_texts()
    numbers = [int(number[1]) for title in titles if (number := re.match(r"(\d+)\. ", title))]
    assert numbers == list(range(1, sum(len(part["chapters"]) for part in PARTS) + 1))


@pytest.mark.parametrize(
    "name",
    ["math", *(pytest.param(n, marks=pytest.mark.deep) for n in ("rescue", "myths", "primer"))],
)
def test_exercises_are_numbered_by_chapter(name, reader):
    page = reader().new_page()
    page.goto(f"chapters/{name}.html")
    chapter = page.locator(".bd-sidebar-primary li.toctree-l1.current > a").inner_text()
    number = chapter.split(".")[0]
    titles = page.locator("div.exercise > .admonition-title").all_text_contents()
    assert titles
    assert [t for t in titles if not re.match(rf"Exercise {number}\.\d+", t)] == []


@pytest.mark.parametrize("old", MOVED)
@pytest.mark.parametrize("scripts", [True, False])
def test_an_old_address_leads_to_the_new_one(old, scripts, reader):
    page = reader(java_script_enabled=scripts).new_page()
    page.goto(f"{old}#claims-quarter")
    page.wait_for_url(f"**/{MOVED[old]}{'#claims-quarter' if scripts else ''}")
    expect(page.locator("h1").first).to_contain_text("Myths")


def test_the_first_address_leads_to_the_first_page(reader):
    page = reader().new_page()
    page.goto("")
    page.wait_for_url("**/chapters/intro.html")


def test_an_old_anchor_of_the_api_leads_to_the_description(reader):
    page = reader().new_page()
    page.goto("chapters/api.html#actlib.relu")
    entry = page.locator("[id='actlib.relu']")
    expect(entry).to_be_in_viewport()
    entry.get_by_role("link").click()
    page.wait_for_url("**/api/actlib.html#actlib.relu")
    for anchor in ("actlib.Spec.kinks_at", "checking-an-activation", "module-actlib.study"):
        page.goto("chapters/api.html")
        expect(page.locator(f"[id='{anchor}']")).to_have_count(1)


SCREENS = [pytest.param("desktop", marks=pytest.mark.deep), "phone"]


@pytest.mark.parametrize("screen", SCREENS)
def test_the_sidebar_shows_the_current_page(screen, reader):
    page = reader(screen, reduced_motion="reduce").new_page()
    for name in ("chapters/background.html", "chapters/bibliography.html", "chapters/math.html"):
        page.goto(name)
        if screen == "phone":
            page.locator("button.primary-toggle:visible").first.click()
        expect(page.locator(".bd-docs-nav .current.active > a").last).to_be_in_viewport(ratio=1)


def test_a_drawer_closes_behind_who_goes_to_a_heading(reader):
    page = reader("phone", reduced_motion="reduce").new_page()
    page.goto("chapters/math.html")
    page.locator("button.secondary-toggle:visible").first.click()
    drawer = page.locator("#pst-secondary-sidebar-modal")
    expect(drawer).to_be_visible()
    drawer.get_by_role("link", name="Tanh: four times as steep, half as wide").click()
    expect(drawer).not_to_be_visible()
    expect(page.locator("#tanh-four-times-as-steep-half-as-wide h2")).to_be_in_viewport()


# --- what a page says of itself


def test_what_pages_build_on_exists_and_is_no_circle():
    assert list(faults(builds_on(ROOT / "chapters"))) == []


@pytest.mark.parametrize(
    ("graph", "fault"),
    [
        ({"a": ["b"]}, "a builds on b, which is no notebook"),
        ({"a": ["b"], "b": ["a"]}, "pages that build on each other: a, b, a"),
    ],
)
def test_a_fault_in_what_pages_build_on_is_found(graph, fault):
    assert list(faults(graph)) == [fault]


def test_the_tutorial_builds_only_on_what_comes_before():
    read = set()
    for entry in entries({"parts": PARTS[:1]}):
        name = entry["file"].removeprefix("chapters/")
        assert set(builds_on(ROOT / "chapters")[name]) <= read
        read.add(name)


def paragraph(count):
    return nodes.paragraph("", "word " * count)


def test_reading_time_counts_prose_open_code_and_figures():
    lines = nodes.literal_block("", "a = 1\n\nb = 2")
    code = nodes.container("", lines, nb_element="cell_code_source")
    printed = nodes.container("", paragraph(50), nodes.image(), nb_element="cell_code_output")
    cell = nodes.container("", code, printed, classes=["cell"])
    assert words(nodes.section("", paragraph(7), cell)) == 7 + 2 * 5 + 30
    cell["classes"].append("tag_hide-input")
    assert words(cell) == 30
    assert words(nodes.container("", paragraph(9), classes=["looked-up"])) == 0
    assert minutes(nodes.section("", paragraph(401))) == 3


def test_the_entries_of_the_catalogue_take_no_reading_time(site):
    text = (site / "chapters/catalogue.html").read_text("utf-8")
    assert int(re.search(r'class="reading-time">(\d+) minutes? to read', text)[1]) < 10


NOTEBOOKS = sorted(path.stem for path in (ROOT / "chapters").glob("*.ipynb"))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_page_says_how_long_it_takes_and_takes_at_most_25_minutes(name, site):
    text = (site / f"chapters/{name}.html").read_text("utf-8")
    time = int(re.search(r'class="reading-time">(\d+) minutes? to read', text)[1])
    assert (time > LONGEST) == (name in TOO_LONG), f"{name} takes {time} minutes"
    said = re.search(r'class="builds-on">(.*?)</span></div>', text.replace("\n", " "))
    linked = re.findall(r'href="(\w+)\.html"', said[1]) if said else []
    assert linked == builds_on(ROOT / "chapters")[name]


def test_a_notebook_keeps_what_it_builds_on_when_it_is_run(tmp_path):
    from tools import notebooks

    written = nbformat.v4.new_notebook(metadata={"builds_on": ["math"]})
    nbformat.write(written, tmp_path / "page.ipynb")
    assert notebooks.run(tmp_path / "page.ipynb") is None
    assert nbformat.read(tmp_path / "page.ipynb", as_version=4).metadata["builds_on"] == ["math"]


# --- the glossary and the catalogue


def test_the_glossary_goes_from_a_to_z(reader):
    page = reader(java_script_enabled=False).new_page()
    page.goto("chapters/glossary.html")
    letters = page.locator(".letters a")
    names = letters.all_inner_texts()
    assert names == sorted(set(names))
    assert len(names) > 20
    letters.filter(has_text="S").click()
    expect(page.locator("#letter-s > h3")).to_be_in_viewport()
    first = page.locator("#letter-s dt").first.inner_text()
    assert first.lower().startswith("s")
    expect(page.locator(".glossary-filter")).not_to_be_visible()


@pytest.mark.parametrize("typed", ["GRADIENT", "梯度"])
def test_the_glossary_is_filtered_by_keyboard_in_both_languages(typed, reader):
    page = reader().new_page()
    page.goto("chapters/glossary.html")
    field = page.get_by_role("searchbox", name=re.compile("^Filter"))
    field.focus()
    page.keyboard.insert_text(typed)
    expect(page.locator("dt", has_text="vanishing gradient")).to_be_visible()
    expect(page.locator("dt", has_text="bootstrap")).not_to_be_visible()
    expect(page.locator("#letter-b")).not_to_be_visible()
    expect(page.get_by_role("status").first).to_have_text(re.compile(r"^\d+ of \d+ terms$"))
    field.fill("")
    expect(page.locator("dt", has_text="bootstrap")).to_be_visible()


def test_every_activation_has_a_heading_and_a_thumbnail_in_the_catalogue(site):
    text = (site / "chapters/catalogue.html").read_text("utf-8")
    for name in REGISTRY:
        anchor = f'id="catalogue-{name.replace("_", "-")}"></span>'
        assert re.search(rf"{anchor}<h4>{name}<a [^>]+>#</a></h4>\s*<svg", text), name


def test_contents_follow_to_an_entry_of_the_catalogue(reader):
    page = reader(viewport={"width": 1440, "height": 900}).new_page()
    page.goto("chapters/catalogue.html")
    page.locator(".tag_sortable").get_by_role("link", name="gelu", exact=True).click()
    page.wait_for_url("**#catalogue-gelu")
    active = page.locator("#pst-secondary-sidebar .nav-link.active").last
    expect(active).to_have_text("gelu")


def test_the_catalogue_s_index_fits_its_page_and_empty_cells_come_last(reader):
    page = reader(viewport={"width": 1440, "height": 900}).new_page()
    page.goto("chapters/catalogue.html")
    table = page.locator(".tag_sortable table")
    place = table.locator("xpath=..")
    assert place.evaluate("box => box.scrollWidth <= box.clientWidth + 1")
    expect(place).not_to_have_attribute("data-goes-on", "")
    title = table.get_by_role("button", name="largest error E")
    for _ in ("rising", "falling"):
        title.click()
        column = table.locator("tbody td:nth-child(4)").all_inner_texts()
        filled = [text for text in column if text.strip()]
        assert column[: len(filled)] == filled
        assert len(filled) < len(column)


def test_a_table_that_goes_on_says_so(reader):
    page = reader("phone").new_page()
    page.goto("chapters/catalogue.html")
    place = page.locator(".tag_sortable table").locator("xpath=..")
    expect(place).to_have_attribute("data-goes-on", "")
    place.evaluate("box => { box.scrollLeft = box.scrollWidth; }")
    expect(place).not_to_have_attribute("data-goes-on", "")
