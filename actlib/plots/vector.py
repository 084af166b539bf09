"""Figures as SVG: small, the same bytes each time, and fit to stand in a page."""

from __future__ import annotations

import hashlib
import re
import sys
from base64 import b64encode
from io import BytesIO, StringIO
from typing import Any

from actlib._core.extras import extra
from actlib.plots.style import STYLE

with extra("plot"):
    import matplotlib.pyplot as plt
    from matplotlib.figure import Figure

__all__ = ["LARGEST", "svg", "use"]

#: A figure that takes more bytes than this as SVG is stored as PNG.
LARGEST = 150_000

_SETTINGS: Any = {
    "font.sans-serif": ["DejaVu Sans"],  # which matplotlib brings, so that words have one width
    "svg.fonttype": "none",
    "svg.hashsalt": "actlib",
}
_CUT: Any = {"bbox_inches": "tight", "pad_inches": 0.05}
# What matplotlib writes around the drawing, with a style that would hold for the whole page.
_NOT_DRAWN = (
    r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata>.*?</metadata>"
    r"|<defs>\s*<style.*?</style>\s*</defs>|(?<=\") transform=\"rotate\(-0 .*?\)\""
)
_DECIMALS = 2  # of a point; further ones differ from processor to processor


def use() -> None:
    """Draw figures in `STYLE`, and show them in notebooks as SVG, or as PNG where SVG is larger.

    Outside of IPython it sets the style only.

    Examples
    --------
    >>> from actlib import plots
    >>> plots.use()
    """
    plt.rcParams.update(STYLE)
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:
        return
    plt.switch_backend(plt.get_backend())  # which registers formats of its own, so before ours
    for formatter in shell.display_formatter.formatters.values():
        formatter.pop(Figure, None)
    shell.display_formatter.mimebundle_formatter.for_type(Figure, bundle)


def bundle(figure: Figure) -> dict[str, str]:
    """A figure as a notebook stores it."""
    drawing = svg(figure)
    if len(drawing.encode()) <= LARGEST:
        return {"image/svg+xml": drawing}
    file = BytesIO()
    figure.savefig(file, format="png", **_CUT)
    return {"image/png": b64encode(file.getvalue()).decode()}


def svg(figure: Figure) -> str:
    """Write a figure as SVG: words as words, without a date, and with the same names each time.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What to write.

    Returns
    -------
    str
        The element ``<svg>``, which loads nothing.

    Examples
    --------
    >>> from matplotlib import pyplot as plt
    >>> from actlib.plots import svg
    >>> svg(plt.figure())[:4]
    '<svg'
    """
    file = StringIO()
    with plt.rc_context(_SETTINGS):
        figure.savefig(file, format="svg", metadata={"Date": None}, **_CUT)
    drawing = re.sub(_NOT_DRAWN, "", file.getvalue(), flags=re.DOTALL)
    drawing = re.sub(r"<[^>]*>", _rounded, drawing)
    drawing = drawing.replace("<svg ", '<svg stroke-linejoin="round" stroke-linecap="butt" ', 1)
    return _renamed(re.sub(r"\s*\n\s*", "\n", drawing).strip())


def _rounded(tag: re.Match[str]) -> str:
    """A tag with fewer decimals; the words between tags stay as they are."""
    return re.sub(
        r"-?\d+\.\d+", lambda number: f"{round(float(number[0]), _DECIMALS) + 0.0:g}", tag[0]
    )


def _renamed(drawing: str) -> str:
    """Leave names only where something refers to them; no other drawing has the new ones."""
    used = list(dict.fromkeys(re.findall(r'(?:url\(|href=")#([^)"]+)', drawing)))
    drawing = re.sub(r' id="([^"]*)"', lambda name: name[0] if name[1] in used else "", drawing)
    for number, name in enumerate(used):
        drawing = re.sub(rf'(#|id="){re.escape(name)}\b', rf"\g<1>i{number}-own", drawing)
    digest = hashlib.sha256(drawing.encode()).hexdigest()[:8]
    return re.sub(r'((?:#|id=")i\d+)-own', rf"\g<1>-{digest}", drawing)
