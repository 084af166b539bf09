"""Questions in the book: what a reader sees of the answers and when, and what the build refuses."""

import io
import re

import pytest
from built import READ
from playwright.sync_api import Page, expect
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace
from test_pages import axe

CHAPTER = "chapters/primer.html"

OPTIONS = """\
- [ ] Two, at
  most.

  A paragraph $1 + 1$ is a reason, and
  so is another.

  This one.
- [x] One, *[x]*.
  Everything after the first line.
"""


def built(folder, text: str, builder: str = "html") -> tuple[str, str]:
    """A page of nothing but this text, and what the build said."""
    (folder / "page.md").write_text(f"# Page\n\n{text}", "utf-8")
    said = io.StringIO()
    settings = {
        "extensions": ["myst_parser", "website.quiz"],
        "source_suffix": {".md": "markdown"},
        "myst_enable_extensions": ["dollarmath"],
        "root_doc": "page",
        "html_theme": "basic",
    }
    out = folder / "out"
    with docutils_namespace():
        app = Sphinx(folder, None, out, out, builder, settings, status=None, warning=said)
        app.build()
    page = out / "page.html"
    return page.read_text("utf-8") if page.exists() else "", said.getvalue()


def quiz(question: str = "How many?\n\nReally.", options: str = OPTIONS) -> str:
    return f"```{{quiz}}\n{question}\n\n{options}```\n"


def test_each_part_of_a_question_is_found(tmp_path):
    page, said = built(tmp_path, quiz() + quiz("Another?"))
    assert said == ""
    groups = re.findall(r"<fieldset.*?</fieldset>", page, re.DOTALL)
    assert [re.search(r"<legend>(.*)</legend>", group)[1] for group in groups] == [
        "How many?",
        "Another?",
    ]
    first, second = re.findall(r"<label.*?>(.*?)</label>", groups[0], re.DOTALL)
    assert first == "Two, at\nmost."
    assert second == "One, <em>[x]</em>."
    two, one = re.findall(r"quiz-reason.*?<div>(.*?)</div>", groups[0], re.DOTALL)
    assert two.count("<p>") == 2
    assert re.match(r"<p><strong>Wrong.</strong> A paragraph <span", two)
    assert one.strip() == "<p><strong>Right.</strong> Everything after the first line.</p>"
    assert "<p>Really.</p>" in groups[0]


def test_questions_of_a_page_do_not_clash(tmp_path):
    page, _ = built(tmp_path, quiz() + quiz())
    ids = re.findall(r'\bid="(quiz-[^"]*)"', page)
    assert len(ids) == len(set(ids)) == 6
    names = re.findall(r'<input type="radio" name="([^"]*)"', page)
    assert names == ["quiz-page-1"] * 2 + ["quiz-page-2"] * 2
    assert re.findall(r'<label for="([^"]*)"', page) == [i for i in ids if i.count("-") == 3]


@pytest.mark.parametrize(
    ("question", "options", "complaint"),
    [
        ("", "- [x] Yes.\n  Since.\n- [ ] No.\n  Not.\n", "asks a question"),
        ("Well?", "- [x] Yes.\n  Since.\n- [ ] No.\n  Not.\n\nBye.\n", "nothing after"),
        ("Well?", "Nothing else.\n", "lists its options"),
        ("> Well?", "- [x] Yes.\n  Since.\n- [ ] No.\n  Not.\n", "begins with a paragraph"),
        ("Well?", "- [ ] Yes.\n  Since.\n- [ ] No.\n  Not.\n", "marked [x], here 0 are"),
        ("Well?", "- [x] Yes.\n  Since.\n- [x] No.\n  Not.\n", "marked [x], here 2 are"),
        ("Well?", "- [x] Yes.\n  Since.\n", "at least two options"),
        ("Well?", "- [x] Yes.\n- [ ] No.\n  Not.\n", "without a reason: 'Yes.'"),
        ("Well?", "- [x] Yes.\n  Since.\n- No.\n  Not.\n", "begins with [x] or [ ]: 'No."),
        ("Well?", "- [x] Yes.\n  Since.\n-\n", "begins with [x] or [ ]: ''"),
    ],
)
def test_build_refuses_a_question(question, options, complaint, tmp_path):
    _, said = built(tmp_path, "Text.\n\n" + quiz(question, options), "dummy")
    assert complaint in said
    assert re.search(r"page\.md:5: (ERROR|WARNING)", said)


# --- in the book


@pytest.fixture
def page(reader):
    page = reader().new_page()
    page.goto(CHAPTER)
    return page


def reasons(page: Page, question: int = 0) -> list[str]:
    """Those which are shown."""
    shown = page.locator("fieldset.quiz").nth(question).locator(".quiz-reason p:visible")
    return shown.all_inner_texts()


def test_no_reason_is_shown_or_read_out_before_an_answer(page):
    for question in page.locator("fieldset.quiz").all():
        spoken = question.aria_snapshot()
        assert "radio" in spoken
        assert not re.search(r"\b(Right|Wrong)\.", spoken)
        expect(question.locator(".quiz-reason p:visible")).to_have_count(0)
    assert page.locator(".quiz input:checked").count() == 0


def test_an_answer_shows_its_reason_alone(page):
    group = page.locator("fieldset.quiz").first
    options = group.locator(".quiz-option")
    for option in options.all():
        option.locator("label").click()
        verdict = "Right." if "quiz-right" in option.get_attribute("class") else "Wrong."
        [first, *_] = reasons(page)
        assert first.startswith(verdict)
        assert len(reasons(page)) == option.locator(".quiz-reason p").count()
        assert verdict in group.aria_snapshot()
    page.locator("fieldset.quiz").nth(1).locator("input").first.check()
    assert reasons(page), "the next question is another group"
    assert not axe(page, "fieldset.quiz")


def test_questions_are_answered_by_keyboard(page):
    radio = page.locator("fieldset.quiz input")
    radio.first.focus()
    page.keyboard.press("Space")
    [before, *_] = reasons(page)
    page.keyboard.press("ArrowDown")
    expect(radio.nth(1)).to_be_checked()
    [after, *_] = reasons(page)
    assert before != after


def test_questions_need_neither_server_nor_script(browser, site):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto((site / CHAPTER).as_uri())
    assert reasons(page) == []
    page.locator(".quiz-right input").first.check()
    assert reasons(page)[0].startswith("Right.")


def test_on_paper_the_reasons_follow_the_options_in_small_print(page):
    page.emulate_media(media="print")
    group = page.locator("fieldset.quiz").first
    labels, shown = group.locator("label"), group.locator(".quiz-reason")
    assert labels.count() == shown.count()
    tops = group.evaluate(  # at one moment, since the page around it may still be laid out
        """(group) => ["label", ".quiz-reason"].map((kind) =>
            [...group.querySelectorAll(kind)].map((box) => box.getBoundingClientRect().top))"""
    )
    assert max(tops[0]) < min(tops[1])
    size = "(text) => parseFloat(getComputedStyle(text).fontSize)"
    assert shown.first.evaluate(size) < labels.first.evaluate(size)
    expect(group.locator("input:visible")).to_have_count(0)


def test_search_does_not_answer(reader, site):
    page = reader().new_page()
    page.goto(CHAPTER)
    index = (site / "_static/search-index.js").read_text("utf-8")
    ends = [reason.strip()[-30:] for reason in page.locator(".quiz-reason p").all_text_contents()]
    assert ends
    assert [end for end in ends if end in index] == []


def test_a_page_has_four_to_six_questions_or_none(site):
    for name in READ:
        count = (site / name).read_text("utf-8").count('<fieldset class="quiz"')
        assert count == 0 or 4 <= count <= 6, name
