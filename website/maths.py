"""Equations, rendered by KaTeX while the book is built: HTML for the eye, MathML for the ear."""

from __future__ import annotations

from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import dukpy
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

KATEX = Path(__file__).parent / "node_modules" / "katex" / "dist"

_log = logging.getLogger(__name__)


@cache
def _engine() -> Any:
    engine = dukpy.JSInterpreter()
    engine.evaljs(["var self = this", (KATEX / "katex.min.js").read_text("utf-8"), "null"])
    return engine


@cache
def render(tex: str, *, display: bool, output: str = "htmlAndMathml") -> str:
    """Turn TeX into HTML; raise `dukpy.JSRuntimeError` where KaTeX does not understand it."""
    options = {"displayMode": display, "output": output, "throwOnError": True, "strict": "error"}
    call = "katex.renderToString(dukpy.tex, dukpy.options)"
    return str(_engine().evaljs(call, tex=tex, options=options))


def _rendered(node: nodes.Element, *, display: bool) -> str:
    tex = node.astext()
    try:
        return render(tex, display=display)
    except dukpy.JSRuntimeError as error:
        reason = str(error).partition("\n")[0]
        _log.warning("broken TeX: %s in %r", reason, tex, location=node, type="katex")
        return f"<code>{escape(tex)}</code>"


def _inline(self: HTML5Translator, node: nodes.math) -> None:
    self.body.append(f'<span class="math">{_rendered(node, display=False)}</span>')
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
    app.add_html_math_renderer("katex", (_inline, None), (_block, None))
