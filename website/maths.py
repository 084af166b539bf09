"""Equations, turned into MathML by Temml while the book is built, which browsers draw and read."""

from __future__ import annotations

import re
from functools import cache
from html import escape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import dukpy
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

MODULES = Path(__file__).parent / "node_modules"
FONT = MODULES / "@fontsource/stix-two-math/files/stix-two-math-latin-400-normal.woff2"

_log = logging.getLogger(__name__)


@cache
def _engine() -> Any:
    engine = dukpy.JSInterpreter()
    temml = (MODULES / "temml/dist/temml.min.js").read_text("utf-8")
    engine.evaljs(["var self = this", temml, "null"])
    return engine


@cache
def render(tex: str, *, display: bool) -> str:
    """Turn TeX into MathML; raise `dukpy.JSRuntimeError` where Temml does not understand it."""
    options = {"displayMode": display, "throwOnError": True, "strict": True}
    call = "temml.renderToString(dukpy.tex, dukpy.options)"
    mathml = str(_engine().evaljs(call, tex=tex, options=options))
    return mathml.replace("<math", f'<math data-tex="{escape(" ".join(tex.split()))}"', 1)


def plain(tex: str) -> str:
    """A formula as a line of plain text, such as σ′(z)=1/4; TeX that is broken, as it is."""
    try:
        return _line(ET.fromstring(render(tex, display=False)))
    except dukpy.JSRuntimeError:
        return tex


_LINES = {
    "mfrac": "{}/{}",
    "msqrt": "√{}",
    "msub": "{}_{}",
    "msubsup": "{}_{}^{}",
    "msup": "{}^{}",
    "munder": "{}_{}",
    "munderover": "{}_{}^{}",
}


def _line(element: ET.Element) -> str:
    parts = [_line(child) for child in element]
    if element.tag in _LINES:
        parts = [f"({part})" if re.search(r"\W\w", part.strip("()")) else part for part in parts]
        return _LINES[element.tag].format(*parts).replace("^′", "′")
    return (element.text or "").strip("\u2061") + "".join(parts)


def _rendered(node: nodes.Element, *, display: bool) -> str:
    tex = node.astext()
    try:
        return render(tex, display=display)
    except dukpy.JSRuntimeError as error:
        reason = str(error).partition("\n")[0]
        _log.warning("broken TeX: %s in %r", reason, tex, location=node, type="maths")
        return f"<code>{escape(tex)}</code>"


def _inline(self: HTML5Translator, node: nodes.math) -> None:
    self.body.append(_rendered(node, display=False))
    raise nodes.SkipNode


def _block(self: HTML5Translator, node: nodes.math_block) -> None:
    self.body.append(self.starttag(node, "div", CLASS="math"))
    self.body.append(_rendered(node, display=True))
    if node["number"]:
        number = get_node_equation_number(self, node)
        self.body.append(f'<span class="eqno">({number})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
