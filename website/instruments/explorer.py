"""The explorer of activations in a page, and links to views of it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from sphinx.writers.html5 import HTML5Translator

from actlib.explorer import Explorer, explore, read, script
from website import maths
from website.instruments.instrument import Instrument, address

PAGE = "explorer"  # the label of the page whose address keeps the view


def from_state(state: str) -> Explorer:
    """The explorer that shows a view, as `Explorer.state` writes it."""
    given = dict(parse_qsl(state, strict_parsing=True))
    names = given.pop("a"), given.pop("b", None)
    z, depth = float(given.pop("z", 1)), int(given.pop("depth", 10))
    params: dict[str, Any] = {k.rpartition(".")[2]: float(value) for k, value in given.items()}
    return explore(*names, z=z, depth=depth, **params)


def _markup(self: HTML5Translator, shown: Explorer) -> str:
    return shown.markup(lambda tex: maths.render(tex, display=True), address(self, PAGE))


INSTRUMENT = Instrument(
    name="explorer",
    markup=_markup,
    scripts=lambda: {"explorer.js": script(read("explorer.js"))},
    instead="Here an explorer of activations needs JavaScript. The figures of the {ref}`catalogue` "
    "show the same curves.",
    page=PAGE,
    checked=lambda text: from_state(text).state,
    role="view",  # {view}`GELU, falling <a=gelu&z=-1.5>`
    options={"activation": str, "compare": str, "z": float},
    start=explore,
)
