"""The drawings are whole, say in words what they show, and show what they say."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from actlib.book.drawings import DRAWINGS, bits
from actlib.palette import INKS, line

SVG = "{http://www.w3.org/2000/svg}"
COLOURS = {"none", "currentColor", *(ink for pair in INKS for ink in pair)}


def words(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in ET.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_is_whole_and_follows_the_theme(name: str) -> None:
    root = ET.fromstring(DRAWINGS[name]())
    assert root.tag == f"{SVG}svg"
    assert root[0].tag == f"{SVG}title"
    assert root[1].tag == f"{SVG}desc"
    assert len((root[1].text or "").split()) > 15
    paints = {element.get(key) for element in root.iter() for key in ("fill", "stroke")} - {None}
    assert paints <= COLOURS
    left, top, width, height = (float(side) for side in root.attrib["viewBox"].split())
    for element in root.iter(f"{SVG}text"):
        assert left <= float(element.attrib["x"]) < width
        assert top < float(element.attrib["y"]) < height


@pytest.mark.parametrize("name", ["unit", "gate", "layer", "network"])
def test_the_activation_has_its_colour_and_name(name: str) -> None:
    svg = DRAWINGS[name]("gelu")
    assert line("gelu").color in svg
    assert line("relu").color not in svg
    assert "gelu" in svg
    with pytest.raises(KeyError, match="geluu"):
        DRAWINGS[name]("geluu")


@pytest.mark.parametrize("value", [0.1, -2.5, 1.0, 0.0, -0.0, 1e-40, 3.4e38])
def test_bits_are_those_of_the_number(value: float) -> None:
    shown = words(bits(value))
    digits = "".join(word for word in shown if word in ("0", "1"))
    assert int(digits, 2) == np.float32(value).view(np.uint32)
    sign, significand, power = re.match(r"([+−])([\d.]+) × 2(\S+) =", shown[-1]).groups()  # type: ignore[union-attr]
    exponent = int(power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")))
    assert exponent == max(int(digits[1:9], 2), 1) - 127
    said = float(significand) * 2.0**exponent * (-1 if sign == "−" else 1)
    assert said == pytest.approx(float(np.float32(value)), rel=1e-8)


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 1e39])
def test_bits_of_no_number(value: float) -> None:
    with pytest.raises(ValueError, match="value must be finite in float32, but is"):
        bits(value)
