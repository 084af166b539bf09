"""What holds for every instrument of the book, in a real browser.

The rest stands in the ``test_NAME_page.py`` of each, which also says how it is moved: its `PAGE`
and `WIDGET`; `moves`, which comes by a view, goes through others, and yields at each; what `STAYS`
where it is in the instrument all that time; which words are seen `ON_PAPER`; what is seen `INSTEAD`
where there are no scripts; which pages it is `LOADED` in; how many bytes of script that is at
`MOST`.
"""

import gzip
from importlib import import_module
from types import ModuleType
from urllib.parse import urlencode

import pytest
from moving import (
    check_copying,
    check_steady,
    cramped,
    low,
    outside_the_paper,
    view_in,
    view_of,
)
from playwright.sync_api import expect
from test_pages import outcry

from website.instruments import KINDS
from website.instruments.instrument import Instrument

NONSENSE = ("<img src=x onerror=alert(1)>", "__proto__", "constructor", "[]", "1e999", "-5x", "")


@pytest.fixture(params=[kind.INSTRUMENT for kind in KINDS], ids=lambda instrument: instrument.name)
def instrument(request: pytest.FixtureRequest) -> Instrument:
    found: Instrument = request.param
    return found


#: What a script does that all share is asked of the largest and of the package's own, at full size
#: of all.
some = pytest.mark.parametrize(
    "instrument",
    [
        pytest.param(
            kind.INSTRUMENT,
            id=kind.INSTRUMENT.name,
            marks=() if kind.INSTRUMENT.name in ("explorer", "train") else pytest.mark.deep,
        )
        for kind in KINDS
    ],
)


@pytest.fixture
def kind(instrument: Instrument) -> ModuleType:
    return import_module(f"test_{instrument.name}_page")


@pytest.mark.parametrize("screen", ["phone", pytest.param("desktop", marks=pytest.mark.deep)])
def test_it_fits_is_accessible_and_stays_where_it_is(kind, instrument, screen, reader, address):
    page = reader(screen, reduced_motion="reduce").new_page()
    picture = f"{instrument.name}-moved-{screen}"
    check_steady(page, address, kind.moves(page), kind.WIDGET, kind.STAYS, picture)


def test_there_is_room_for_letters_twice_as_large(kind, reader):
    page = reader("phone").new_page()
    sizes = {"standard": 32, "fixed": 26}
    page.context.new_cdp_session(page).send("Page.setFontSizes", {"fontSizes": sizes})
    next(kind.moves(page))
    widget = page.locator(kind.WIDGET)
    widget.scroll_into_view_if_needed()  # a chart out of sight is not drawn yet
    page.wait_for_timeout(300)
    assert not cramped(page, kind.WIDGET)
    assert widget.evaluate("e => e.scrollWidth <= e.clientWidth")


def test_a_finger_can_hit_the_sliders(kind, reader):
    page = reader("phone", has_touch=True, is_mobile=True).new_page()
    next(kind.moves(page))
    assert page.locator(f"{kind.WIDGET} input[type=range]:visible").count()
    assert not low(page, f"{kind.WIDGET} input[type=range]", 24)


def test_a_slider_alone_says_its_value(kind, reader):
    """An output beside it that also spoke would say everything twice."""
    page = reader().new_page()
    page.goto(kind.PAGE)
    outputs = page.locator(f"{kind.WIDGET} .slider output")
    assert outputs.count()
    for output in outputs.all():
        expect(output).to_have_attribute("aria-live", "off")


@some
def test_its_link_is_copied(kind, instrument, reader):
    page = reader(permissions=["clipboard-read", "clipboard-write"]).new_page()
    next(kind.moves(page))
    check_copying(page, kind.WIDGET)


@some
def test_nonsense_in_the_address_changes_nothing(kind, instrument, reader, address):
    page = reader().new_page()
    faults = outcry(page, address)
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    page.goto(kind.PAGE)
    start = view_of(page, kind.WIDGET)
    next(kind.moves(page))
    keys = start | view_of(page, kind.WIDGET)
    for nonsense in NONSENSE:
        page.goto("about:blank")
        page.goto(f"{kind.PAGE}#{urlencode(dict.fromkeys(keys, nonsense))}")
        assert view_of(page, kind.WIDGET) == start, nonsense
        assert page.locator(f"{kind.WIDGET} img").count() == 0
    assert not faults


@some
def test_a_place_in_the_page_is_no_view(kind, instrument, reader):
    page = reader().new_page()
    for _ in zip(range(3), kind.moves(page), strict=False):
        page.wait_for_timeout(500)  # until the address has the view
    before = view_of(page, kind.WIDGET)
    place = page.locator("article section section").last.get_attribute("id")
    for start in (page.url, "about:blank"):
        page.goto(start)
        page.goto(f"{kind.PAGE}#{place}")
        expect(page.locator(f"#{place}")).to_be_in_viewport()
        page.wait_for_timeout(500)
        assert page.url.endswith(f"{kind.PAGE}#{place}")
        if start != "about:blank":
            assert view_of(page, kind.WIDGET) == before


@some
def test_links_lead_to_views(kind, instrument, reader):
    page = reader().new_page()
    page.goto(kind.PAGE)
    key = next(iter(view_of(page, kind.WIDGET)))
    links = page.locator(f"article a[href^='{kind.PAGE.split('/')[1]}#{key}=']")
    assert links.count()
    for link in links.all():
        view = view_in(link.get_attribute("href"))
        link.click()
        expect(page.locator(kind.WIDGET)).to_be_in_viewport()
        assert view.items() <= view_of(page, kind.WIDGET).items()


@some
def test_it_works_without_a_server(kind, instrument, reader, site, address):
    shown = []
    for base in (address, f"{site.as_uri()}/"):
        page = reader(base_url=base).new_page()
        faults = outcry(page, base)
        for _ in kind.moves(page):
            pass
        page.wait_for_timeout(600)  # until all is told
        said = page.locator(f"{kind.WIDGET} .said").text_content()
        shown.append((said, view_of(page, kind.WIDGET)))
        assert page.url.startswith(f"{base}{kind.PAGE}#")
        assert view_in(page.url) == view_of(page, kind.WIDGET)
        assert not faults
    assert shown[0] == shown[1]


@some
def test_without_scripts_there_is_something_instead(kind, instrument, reader):
    page = reader(java_script_enabled=False).new_page()
    page.goto(kind.PAGE)
    expect(page.locator(kind.WIDGET)).not_to_be_visible()
    expect(page.locator(f"noscript {kind.INSTEAD}")).to_be_visible()
    for link in page.locator("noscript a").all()[:1]:
        place = link.get_attribute("href").partition("#")[2]
        link.click()
        expect(page.locator(f"[id='{place}']")).to_be_in_viewport()


@pytest.mark.deep
def test_it_is_whole_on_paper(kind, reader):
    page = reader(viewport={"width": 1440, "height": 900}).new_page()
    next(kind.moves(page))
    page.wait_for_load_state("networkidle")
    assert not outside_the_paper(page, kind.ON_PAPER)


@pytest.mark.deep
def test_in_the_pdf_a_sentence_stands_in_its_place(kind, instrument, site):
    book = site.parent / "singlehtml/chapters/intro.html"
    if not book.exists():
        pytest.skip("there is no PDF of the book: make pdf")
    text = book.read_text("utf-8")
    assert "actlib-instrument" not in text
    sentence = instrument.instead.partition(".")[0].partition("$")[0]
    assert text.count(sentence) >= len(kind.LOADED)


def test_weight(kind, instrument, site):
    script = f"_static/{instrument.name}.js"
    assert len(gzip.compress((site / script).read_bytes())) < kind.MOST
    named = {page.name for page in site.rglob("*.html") if script in page.read_text("utf-8")}
    assert named == kind.LOADED
