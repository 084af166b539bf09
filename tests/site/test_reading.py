"""What readers do with the built book, in a real browser."""

import re
from pathlib import Path

import pytest
from built import READ, SCREENS
from playwright.sync_api import Locator, Page, expect

CHAPTER = "chapters/math.html"
TOGGLE = ".theme-switch-button"


def theme(page: Page) -> str:
    return page.evaluate("document.documentElement.dataset.theme")


# What is searched for, and what is to be the first result.
SEARCHES = {
    "dying relu": "chapters/dying.html",
    "leaky_relu": "chapters/catalogue.html#leaky-relu",
    "gelu": "chapters/api/actlib.html#actlib.gelu",
    "s*(1-s)": "chapters/lost_gradient.html",
    "激活函数": "chapters/glossary.html#term-activation-function",
    "死亡": "chapters/glossary.html",  # two characters of a longer term
}


def search(page: Page, query: str) -> Locator:
    """Type into the field that the keys open, from a chapter; return the results."""
    page.goto(CHAPTER)
    page.keyboard.press("Control+k")
    page.keyboard.type(query)
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=*")
    expect(page.get_by_role("status")).to_contain_text(query)
    return page.locator("#search-results li")


@pytest.mark.parametrize("query", SEARCHES)
def test_search_finds(query, reader):
    first = search(reader().new_page(), query).first
    assert first.get_by_role("link").get_attribute("href").startswith(SEARCHES[query])


def test_search_quotes_prose_and_marks_the_words(reader):
    results = search(reader().new_page(), "dying relu")
    quoted = " ".join(results.locator("p").all_inner_texts())
    assert "import " not in quoted
    assert {word.lower() for word in results.locator("mark").all_inner_texts()} == {"dying", "relu"}


def test_search_finds_a_formula_however_it_is_spaced(reader):
    page = reader().new_page()
    counts = {search(page, query).count() for query in ("s*(1-s)", "s(1 - s)", "S * (1 − s)")}
    assert len(counts) == 1
    assert counts.pop() > 5


def test_search_says_when_there_is_nothing(reader):
    expect(search(reader().new_page(), "zyzzyva")).to_have_count(0)


@pytest.mark.parametrize("screen", [pytest.param("desktop", marks=pytest.mark.deep), "phone"])
@pytest.mark.parametrize("field", ["#pst-search-dialog", ".bd-search-container"])
def test_what_is_searched_for_stands_beside_the_magnifier(field, screen, reader):
    page = reader(screen).new_page()
    page.goto("search.html" if field == ".bd-search-container" else CHAPTER)
    page.keyboard.press("Control+k")
    icon = page.locator(f"{field} .fa-magnifying-glass").bounding_box()
    typed = page.locator(f"{field} input")
    padding = typed.evaluate("(input) => parseFloat(getComputedStyle(input).paddingLeft)")
    assert icon["x"] + icon["width"] < typed.bounding_box()["x"] + padding


def test_copy_button_copies_the_code(reader):
    page = reader(permissions=["clipboard-read", "clipboard-write"]).new_page()
    page.goto(CHAPTER)
    code = page.locator("div.cell_input div.highlight").locator("visible=true").first
    code.hover()
    code.locator("button.copybtn").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == code.locator("pre").inner_text().strip() != ""


COPIED = """(formula) => {
    getSelection().selectAllChildren(formula.parentElement);
    const event = new ClipboardEvent("copy", { clipboardData: new DataTransfer(), bubbles: true });
    formula.dispatchEvent(event);
    return event.clipboardData.getData("text/plain");
}"""


def test_formulas_are_copied_as_tex(reader):
    page = reader().new_page()
    page.goto(CHAPTER)
    copied = page.locator("p > math").first.evaluate(COPIED)
    assert "$p - y$" in copied
    assert "\n" not in copied.strip()


# The widths of a letter in a formula, and of the same one in italics of the font for mathematics.
WIDTHS = """(letter) => document.fonts.load("16px STIX2").then(() => {
    const { width } = letter.getBoundingClientRect();
    const context = document.createElement("canvas").getContext("2d");
    context.font = `${getComputedStyle(letter).fontSize} STIX2`;
    return [width, context.measureText("𝑧").width];
})"""


def test_formulas_are_drawn_in_their_own_font(reader):
    page = reader().new_page()
    page.goto(CHAPTER)
    letter = page.locator("p > math > mi").filter(has_text=re.compile("^z$")).first
    drawn, expected = letter.evaluate(WIDTHS)
    assert drawn == pytest.approx(expected, abs=0.5)


def test_aligned_equations_are_aligned(reader):
    page = reader().new_page()
    page.goto(CHAPTER)
    cells = page.locator("math mtable.tml-jot > mtr > mtd")
    table = cells.first.locator("xpath=../..").locator("> mtr")
    lefts, rights = [], []
    for row in table.all():
        first, second = row.locator("> mtd > *").all()[:2]
        rights.append(first.evaluate("(cell) => cell.getBoundingClientRect().right"))
        lefts.append(second.evaluate("(cell) => cell.getBoundingClientRect().left"))
    assert max(rights) - min(rights) < 1
    assert max(lefts) - min(lefts) < 1


def test_contents_mark_what_is_read(reader):
    page = reader().new_page()
    page.goto(CHAPTER)
    marked = page.locator("#pst-page-toc-nav a[aria-current]")
    page.locator("#tanh-four-times-as-steep-half-as-wide > p").nth(-2).evaluate(
        "(end) => end.scrollIntoView()"
    )
    expect(marked).to_have_text("Tanh: four times as steep, half as wide")
    page.get_by_role("link", name="Further reading").last.click()
    expect(marked).to_have_text("Further reading")


def test_theme_button_names_its_state(reader):
    page = reader().new_page()
    page.goto(CHAPTER)
    for mode in ["as the system", "dark", "light", "as the system"]:
        button = page.get_by_role("button", name=f"Theme: {mode}")
        button.click()


def test_theme_is_the_system_s_until_chosen_and_then_persists(reader):
    context = reader(theme="dark")
    page = context.new_page()
    page.goto(CHAPTER)
    assert theme(page) == "dark"
    while theme(page) != "light":
        page.locator(TOGGLE).click()
    page.goto("chapters/code.html")
    assert theme(page) == "light"
    assert theme_before_scripts(context, CHAPTER) == "light"


def theme_before_scripts(context, name: str) -> str:
    """The theme that a page is first drawn in, so that it does not flash."""
    page = context.new_page()
    page.route("**/book.js*", lambda route: route.abort())
    page.goto(name)
    return theme(page)


FOCUSED = """() => {
    const { activeElement: element } = document;
    const style = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
    const shown = box.width > 0 && element.checkVisibility({ visibilityProperty: true });
    return {
        what: element.outerHTML.slice(0, 160),
        visible: shown && (outlined || style.boxShadow !== "none"),
        body: element === document.body,
    };
}"""


OPERABLE = """() => [...document.querySelectorAll("main a[href], main button, main summary")]
    .filter((element) => element.checkVisibility({ visibilityProperty: true })).length"""


@pytest.mark.parametrize("screen", [pytest.param("desktop", marks=pytest.mark.deep), "phone"])
def test_everything_is_reached_by_keyboard_and_focus_is_seen(screen, reader):
    page = reader(screen, reduced_motion="reduce").new_page()
    page.goto(CHAPTER)
    page.keyboard.press("Tab")
    assert "Skip to main content" in page.evaluate(FOCUSED)["what"]
    unseen, reached = [], 0
    while not (focused := page.evaluate(FOCUSED))["body"]:
        reached += 1
        if not focused["visible"]:
            unseen.append(focused["what"])
        page.keyboard.press("Tab")
        assert reached < 2000
    assert not unseen, "\n".join(unseen)
    assert reached >= page.evaluate(OPERABLE)


WIDE = """() => [...document.querySelectorAll("main [tabindex='0']")]
    .find((box) => box.checkVisibility() && box.scrollWidth > box.clientWidth + 1)"""


def test_wide_boxes_scroll_by_keyboard(reader):
    page = reader("phone").new_page()
    page.goto(CHAPTER)
    wide = page.wait_for_function(WIDE).as_element()
    wide.focus()
    page.keyboard.press("ArrowRight")
    scrolled = (page.evaluate("document.activeElement.scrollLeft") for _ in range(100))
    assert any(left or page.wait_for_timeout(100) for left in scrolled)


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize(
    "anchor",
    [
        *(pytest.param(a, marks=pytest.mark.deep) for a in ("relu-all-or-nothing", "exercises")),
        "tanh-four-times-as-steep-half-as-wide",
    ],
)
def test_link_into_a_page_leads_there(anchor, screen, reader):
    page = reader(screen).new_page()
    page.goto(f"{CHAPTER}#{anchor}", wait_until="networkidle")
    top = page.locator(f"#{anchor} > h2").evaluate("(h) => h.getBoundingClientRect().top")
    assert 0 <= top <= 150


def test_sidebar_opens_on_a_phone(reader):
    page = reader("phone", reduced_motion="reduce").new_page()
    page.goto(CHAPTER)
    entry = page.get_by_role("link", name="Glossary (术语表)")
    expect(entry).not_to_be_visible()
    page.locator("button.primary-toggle:visible").first.click()
    expect(entry).to_be_visible()


def test_a_link_into_the_page_closes_its_contents_on_a_phone(reader):
    page = reader("phone", reduced_motion="reduce").new_page()
    page.goto(CHAPTER)
    page.locator("button.secondary-toggle:visible").click()
    entry = page.locator("#pst-page-toc-nav").get_by_role("link", name="Summary")
    entry.click()
    expect(entry).not_to_be_visible()
    expect(page.locator("#summary > h2")).to_be_in_viewport()


def test_nothing_moves_for_who_asks_for_that(reader):
    page = reader(reduced_motion="reduce").new_page()
    page.goto(CHAPTER)
    moving = page.evaluate("""() => [...document.querySelectorAll("*")].filter((element) => {
        const style = getComputedStyle(element);
        return style.animationName !== "none" || parseFloat(style.transitionDuration) > 0;
    }).length""")
    assert moving == 0


def test_paper_shows_the_text_alone_in_black_on_white(reader):
    page = reader(theme="dark").new_page()
    page.goto(CHAPTER)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    for apparatus in [".bd-sidebar-primary", ".bd-header-article", ".prev-next-footer"]:
        expect(page.locator(apparatus)).not_to_be_visible()
    ink = page.locator("article p").first.evaluate("(text) => getComputedStyle(text).color")
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(map(int, re.findall(r"\d+", ink)[:3])) < 90
    assert paper in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert theme(page) == "dark"


def test_book_can_be_read_without_a_server(browser, site):
    page = browser.new_context(color_scheme="dark").new_page()
    faults = []
    page.on("console", lambda said: said.type == "error" and faults.append(said.text))
    page.goto((site / CHAPTER).as_uri())
    assert theme(page) == "dark"
    assert page.locator("math").first.bounding_box()["height"] < 60
    assert page.evaluate("document.fonts.load('16px STIX2').then((faces) => faces.length)") == 1
    expect(page.locator("button.copybtn").first).to_be_attached()
    page.goto((site / "search.html").as_uri() + "?q=leaky_relu")
    expect(page.locator("#search-results a").first).to_be_visible()
    assert not faults


def test_the_font_of_formulas_does_not_wait_for_the_style(reader):
    """Or else formulas, and all that is below them, move when it comes."""
    page, asked = reader().new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(CHAPTER)
    assert sum("stix-two-math" in url for url in asked) == 1
    page.route("**/book.css*", lambda route: route.abort())
    with page.expect_request("**/stix-two-math*"):
        page.reload()


def test_book_can_be_read_without_scripts(reader):
    page = reader(java_script_enabled=False).new_page()
    page.goto(CHAPTER)
    expect(page.locator("math").first).to_be_visible()
    solution = page.locator("details.solution").first
    solution.locator("summary").click()
    expect(solution.locator("section")).to_be_visible()


def test_the_catalogue_s_index_is_sorted_by_its_titles(reader):
    page = reader().new_page()
    page.goto("chapters/catalogue.html")
    table = page.locator(".tag_sortable table")
    titles = table.locator("thead th").all_inner_texts()

    def column(title: str) -> list[str]:
        n = [name.strip("\xa0↕↑↓") for name in titles].index(title) + 1
        return table.locator(f"tbody td:nth-child({n})").all_inner_texts()

    year = table.get_by_role("button", name="year")
    order, years = column("name"), sorted(column("year"), key=int)
    assert column("year") != years
    year.focus()
    page.keyboard.press("Enter")
    assert column("year") == years
    expect(table.get_by_role("columnheader", name="year")).to_have_attribute(
        "aria-sort", "ascending"
    )
    page.keyboard.press("Enter")
    assert column("year") == years[::-1]
    table.get_by_role("button", name="largest error E").click()
    errors = [float(error) for error in column("largest error E") if error]
    assert errors == sorted(errors)
    table.get_by_role("button", name="least and largest value").click()
    least = [
        float(row.split()[0].replace("−", "-").replace("∞", "inf"))
        for row in column("least and largest value")
    ]
    assert least == sorted(least)
    table.get_by_role("button", name="name").click()
    assert column("name") == sorted(order, key=lambda name: name.replace("_", " "))
    expect(table.locator("[aria-sort]")).to_have_count(1)
    expect(table.get_by_role("button", name="formula")).to_have_count(0)


def test_missing_page_leads_on(reader):
    page = reader().new_page()
    page.goto("404.html")
    page.get_by_role("link", name="first page").click()
    expect(page.locator("h1").first).to_have_text(re.compile("Activation functions"))


def test_pages_are_all_there():
    assert {Path(page).stem for page in READ} >= {"intro", "math", "search", "404", "genindex"}
