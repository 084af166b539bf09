"""The book's rules of style, over the prose of all its pages: code, formulas and addresses aside.

Codespell looks after misspellings. General checkers of style flag by the hundred what is meant
here, such as "slope", "dead" and the passive, so the rules are these few.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prose import alt_texts, markdown

ROOT = Path(__file__).parent.parent
PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob("chapters/**/*.md"), *ROOT.glob("chapters/*.ipynb")})
LONGEST = 45  # words from one full stop or semicolon to the next

STRIPPED = [  # in this order; a ¤ stands for a formula or for code inside a sentence
    (r"(?ms)^( *)(`{3,})(?:[a-z]|\{(?:raw|explorer|eval-rst)\})[^\n]*\n.*?^\1\2 *$", "\n\n"),
    (r"(?m)^ *`{3,}(?:\{[\w-]+\} *(.*))?$", r"\n\n\1\n\n"),  # of a directive the text stays
    (r"(?m)^\([\w-]+\)=$|^ *:[\w-]+:.*$|<!--[^>]*-->|</?\w[^>]*>", "\n"),
    (r"(?s)\$\$.*?\$\$|\$[^$]+\$", "¤"),
    (r"\{[\w:]+\}`([^`<]*?)\s*(?:<[^`]*>)?`", r"\1"),
    (r"`[^`]+`", "¤"),
    (r"\]\([^)]*\)|https?://\S+", ""),
    (r"(?m)^ *(?:#+|[-:>]|\d+\.) +(?:\[[ x]\] *)?|\|", "\n\n"),  # items and cells stand alone
]
#: Words that the book does not use, and what it says instead.
NOT_OURS = {
    r"mend(?:s|ed|ing)?": "fix",
    r"t(?:old|ell|ells|elling) \w* ?apart": "distinguish",
    r"first weights?": "initial weights",
    r"\w+ less (?:the )?(?:\w*LU|tanh|sigmoid|¤)": "minus",
    r"whoever": "if you",
    r"(?:is|are) the matter of": "are in",
    r"for want of": "without",
    r"(?:can|could) be had": "there is",
    r"by (?:the same|one) road": "in the same way",
    r"at a guess|by eye": "roughly",
    r"old hat": "known",
}
RULES = {
    "a word twice": r"\b([a-z]+)\s+\1\b(?!-)",
    "a space before punctuation": r"\S [,.;:!?](?=\s|$)",
    "a filler": r"\b(?:simply|obviously|basically|actually|needless to say|in order to|delve)\b",
    "a word that sells": r"\b(?:powerful|cutting-edge|seamless\w*|amazing\w*|utili\w+)\b",
    "American spelling": r"\b\w*(?:behavior|neighbor|color|favor|center|labeled|canceled|analyz)\w*"
    r"|\b(?:gray|catalog|model(?:ed|ing))\b|\b(?!\w*(?:s|pr|se)iz)\w+iz(?:e[drs]?|ing|ations?)\b",
    "another spelling": r"\b(?:datasets?|feedforward|forever|learnt|minibatch\w*|non-linear\w*)\b",
    "a dash": r"—|\w -- \w|\w – \w",
    "Latin": r"\b(?:e\.\s?g\.|i\.\s?e\.|etc\.|cf\.)",
    **{f"not our word, say {ours!r}": rf"\b(?:{words})(?!\w)" for words, ours in NOT_OURS.items()},
}


def problems(text: str) -> Iterator[str]:
    for pattern, replacement in STRIPPED:
        text = re.sub(pattern, replacement, text)
    for paragraph in re.split(r"\n\s*\n", text):
        for rule, pattern in RULES.items():
            found = re.finditer(pattern, paragraph, re.IGNORECASE)
            yield from (f"{rule}: {match.group()}" for match in found)
        for sentence in re.split(r"[.?!;][\"”)*]*\s", paragraph):
            if len(re.findall(r"¤|\w[\w'’-]*", sentence)) > LONGEST:
                yield f"a long sentence: {' '.join(sentence.split())}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_page_keeps_the_rules(path: Path) -> None:
    assert list(problems(f"{markdown(path)}\n\n{alt_texts(path)}")) == []


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("So the the slope\nis 0.", "a word twice: the the"),
        ("So the\nthe slope is 0.", "a word twice: the\nthe"),
        ("The slope is 0 .", "a space before punctuation: 0 ."),
        ("Simply take ReLU.", "a filler: Simply"),
        ("A powerful function.", "a word that sells: powerful"),
        ("| its behavior |", "American spelling: behavior"),
        ("## Batch normalization", "American spelling: normalization"),
        ("- a small dataset", "another spelling: dataset"),
        ("ReLU — a rectifier", "a dash: —"),
        ("A unit, e.g. ReLU", "Latin: e.g."),
        ("It mends ReLU.", "not our word, say 'fix': mends"),
        ("The two are told apart.", "not our word, say 'distinguish': told apart"),
        ("GELU less $z$", "not our word, say 'minus': GELU less ¤"),
        ("One two " * 23, "a long sentence: One two One two"),
    ],
)
def test_a_fault_is_found(fault: str, message: str) -> None:
    (problem,) = problems(fault)
    assert problem.startswith(message)


def test_code_and_formulas_are_no_prose() -> None:
    text = "```python\nthe the = center\n```\n\nThe `color`, $a -- a$ and [this](the-the.html)."
    assert list(problems(text)) == []
