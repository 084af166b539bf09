"""Pages to choose from: the cheat sheet, and trees of decisions."""

import re
from urllib.parse import urldefrag

import numpy as np
import pikepdf
import pytest
import yaml
from built import ROOT

from actlib import REGISTRY, gelu, sigmoid, softplus, tanh
from website.cheat_sheet import largest_slope

TREES = ["not_learning", "guide"]
SHEET = (ROOT / "chapters/cheatsheet.md").read_text("utf-8")
CARDS = {
    card["name"]: card
    for card in yaml.safe_load(re.search(r"```\{cheat-sheet\}\n(.*?)```", SHEET, re.DOTALL)[1])
}


def test_the_cheat_sheet_is_printed_on_one_page(browser, address, tmp_path):
    page = browser.new_page()
    page.goto(f"{address}chapters/cheatsheet.html")
    page.pdf(path=tmp_path / "sheet.pdf", format="A4")
    with pikepdf.open(tmp_path / "sheet.pdf") as printed:
        assert len(printed.pages) == 1


def test_a_card_shows_curve_formula_slope_and_range(site):
    text = (site / "chapters/cheatsheet.html").read_text("utf-8")
    cards = text.split('class="cheat-card')[1:]
    assert len(cards) == len(CARDS)
    for name, card in zip(CARDS, cards, strict=True):
        assert f'href="catalogue.html#catalogue-{name.replace("_", "-")}"' in card
        assert "<svg" in card
        assert card.count("<math") >= 2
        assert f"{largest_slope(name)}. Values" in card


# What the slopes on the cards say, with the parameters at their defaults.
SLOPES = {
    "relu": lambda z: np.where(z > 0, 1.0, 0.0),
    "leaky_relu": lambda z: np.where(z > 0, 1.0, 0.01),
    "prelu": lambda z: np.where(z > 0, 1.0, 0.25),
    "elu": lambda z: np.where(z > 0, 1.0, np.exp(z)),
    "selu": lambda z: 1.0507 * np.where(z > 0, 1.0, 1.6733 * np.exp(z)),
    "gelu": lambda z: gelu(z) / z + z * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi),
    "silu": lambda z: sigmoid(z) * (1 + z * sigmoid(-z)),
    "mish": lambda z: np.tanh(softplus(z)) + z * sigmoid(z) * (1 - np.tanh(softplus(z)) ** 2),
    "relu_squared": lambda z: 2 * np.maximum(0, z),
    "tanh": lambda z: 1 - tanh(z) ** 2,
    "sigmoid": lambda z: sigmoid(z) * sigmoid(-z),
    "softplus": sigmoid,
}


@pytest.mark.parametrize("name", SLOPES)
def test_the_slope_on_a_card_is_that_of_the_activation(name):
    z = np.linspace(-4, 4, 80)  # without 0
    np.testing.assert_allclose(SLOPES[name](z), REGISTRY[name].grad(z), rtol=1e-4, atol=1e-6)


def test_every_card_of_one_number_has_its_slope_checked():
    assert set(SLOPES) == CARDS.keys() & set(REGISTRY.elementwise)


def test_a_slope_without_a_limit_has_no_largest():
    assert largest_slope("relu_squared") == largest_slope("swiglu") == "of any size"
    assert largest_slope("gelu") == "at most 1.129"
    assert largest_slope("softmax") == "at most 0.25"


LEAVES = """() => [...document.querySelectorAll(".decisions li")]
    .filter((item) => !item.querySelector("ul"))
    .map((item) => [item.innerText, [...item.querySelectorAll("a")].map((link) => link.href)])"""


@pytest.mark.parametrize("name", TREES)
def test_every_decision_ends_at_a_section_that_exists(name, reader, site, address):
    page = reader().new_page()
    page.goto(f"chapters/{name}.html")
    leaves = page.evaluate(LEAVES)
    assert len(leaves) > 5
    for text, links in leaves:
        inside = [urldefrag(link) for link in links if link.startswith(address)]
        sections = [(file, anchor) for file, anchor in inside if "bibliography" not in file]
        assert sections, f"no evidence: {text}"
        for file, anchor in sections:
            written = (site / file.removeprefix(address)).read_text("utf-8")
            assert not anchor or f'id="{anchor}"' in written, f"{file}#{anchor}: {text}"


@pytest.mark.parametrize("name", TREES)
def test_a_tree_fits_on_a_phone(name, reader):
    page = reader("phone").new_page()
    page.goto(f"chapters/{name}.html")
    narrow = page.evaluate(
        """() => Math.min(...[...document.querySelectorAll(".decisions li > p")]
            .map((text) => text.getBoundingClientRect().width).filter((width) => width))"""
    )
    assert narrow > 200
