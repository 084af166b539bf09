"""Questions with answers to choose from: HTML's own radio buttons, and no script.

The directive holds the question, then a list. Each option begins with [x], if it is right, or [ ];
the rest of its first line (its first paragraph, if it has several) is the answer to choose. What
follows is the reason, which is shown once the option is chosen, and on paper in small print.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

_MARKS = {"[x] ": True, "[ ] ": False}


class quiz(nodes.General, nodes.Element):
    """A question with its options: a group of radio buttons, named by its first id."""


class quiz_question(nodes.General, nodes.TextElement):
    """The first paragraph of the question, which the group is called."""


class quiz_option(nodes.General, nodes.Element):
    """An answer to choose, and the reason why it is right or wrong."""


class quiz_answer(nodes.General, nodes.TextElement):
    """What can be chosen: the label of a radio button."""


class quiz_reason(nodes.General, nodes.Element):
    """What is shown when it is."""


class Quiz(SphinxDirective):
    """A question to check oneself with."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        self.assert_has_content()
        *question, options = self.parse_content_to_nodes()
        if not isinstance(options, nodes.bullet_list) or not question:
            raise self.error("a quiz asks a question and then lists its options, nothing after")
        if not isinstance(question[0], nodes.paragraph):
            raise self.error("the question of a quiz begins with a paragraph")
        page = self.env.docname.replace("/", "-")
        name = nodes.make_id(f"quiz-{page}-{self.env.new_serialno('quiz') + 1}")
        made = quiz("", _text(quiz_question, question[0]), *question[1:], ids=[name])
        self.set_source_info(made)
        options = [
            self._option(item, f"{name}-{i}") for i, item in enumerate(options.children, start=1)
        ]
        if len(options) < 2:
            raise self.error("a quiz has at least two options")
        if (right := sum(option["right"] for option in options)) != 1:
            raise self.error(f"one option of a quiz is right and marked [x], here {right} are")
        made += options
        return [made]

    def _option(self, item: nodes.Element, name: str) -> quiz_option:
        mark = item.astext()[:4].lower()
        if mark not in _MARKS or not isinstance(item[0], nodes.paragraph):
            raise self.error(f"an option of a quiz begins with [x] or [ ]: {item.astext()!r}")
        first, *rest = item.children
        first[0] = nodes.Text(first[0][4:])
        if not rest:
            first, after = _halves(first)
            rest = [after] if after.astext().strip() else []
        if not rest:
            raise self.error(f"an option of a quiz without a reason: {first.astext()!r}")
        verdict = nodes.strong("", "Right." if _MARKS[mark] else "Wrong.")
        if isinstance(rest[0], nodes.paragraph):
            rest[0].insert(0, [verdict, nodes.Text(" ")])
        else:
            rest.insert(0, nodes.paragraph("", "", verdict))
        answer = _text(quiz_answer, first)
        return quiz_option("", answer, quiz_reason("", *rest), right=_MARKS[mark], name=name)


def _text(kind: type[nodes.TextElement], paragraph: nodes.Element) -> Any:
    made = kind(paragraph.rawsource, "", *paragraph.children)
    made.source, made.line = paragraph.source, paragraph.line
    return made


def _halves(paragraph: nodes.Element) -> tuple[nodes.Element, nodes.Element]:
    """A paragraph's first line, and what comes after it."""
    before, after = paragraph.copy(), paragraph.copy()
    half = before
    for child in paragraph.children:
        if half is before and isinstance(child, nodes.Text) and "\n" in child:
            line, _, rest = child.partition("\n")
            before += nodes.Text(line)
            half = after
            child = nodes.Text(rest)
        half += child
    return before, after


def _begin_quiz(self: Any, node: nodes.Element) -> None:
    self.body.append(self.starttag(node, "fieldset", CLASS="quiz"))


def _begin_option(self: Any, node: nodes.Element) -> None:
    group, right = node.parent["ids"][0], "right" if node["right"] else "wrong"
    self.body.append(f'<div class="quiz-option quiz-{right}">')
    self.body.append(f'<input type="radio" name="{group}" id="{node["name"]}" autocomplete="off">')


def _begin_answer(self: Any, node: nodes.Element) -> None:
    self.body.append(f'<label for="{node.parent["name"]}">')


def _begin_reason(self: Any, node: nodes.Element) -> None:
    # What appears in a live region is read out; the region itself has to be there before.
    self.body.append('<div class="quiz-reason" aria-live="polite"><div>')


def _begin_question(self: Any, node: nodes.Element) -> None:
    self.body.append("<legend>")


def _end(tags: str) -> Any:
    return lambda self, node: self.body.append(tags + "\n")


def setup(app: Sphinx) -> None:
    app.add_node(quiz, html=(_begin_quiz, _end("</fieldset>")))
    app.add_node(quiz_question, html=(_begin_question, _end("</legend>")))
    app.add_node(quiz_option, html=(_begin_option, _end("</div>")))
    app.add_node(quiz_answer, html=(_begin_answer, _end("</label>")))
    app.add_node(quiz_reason, html=(_begin_reason, _end("</div></div>")))
    app.add_directive("quiz", Quiz)
