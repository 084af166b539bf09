"""The cheat sheet: a card for each activation that matters, in print all on one page.

The directive holds a list in YAML: each entry has a ``name`` in the registry, its ``slope`` as a
formula, a ``verdict`` and its ``use``, and may have a ``formula`` of its own. The curve, the range
and the largest slope are computed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from actlib import REGISTRY, AxisFunction
from actlib.pieces import along_one
from website.catalogue_page import thumbnail

_FAR = 30.0  # where every slope that has a limit is at it
_KEYS = {"name", "formula", "slope", "verdict", "use"}


class CheatSheet(SphinxDirective):
    """The cards, in the order of the list."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        sheet = nodes.container(classes=["cheat-sheet"])
        for entry in yaml.safe_load("\n".join(self.content)):
            if entry["name"] not in REGISTRY or not _KEYS - {"formula"} <= entry.keys() <= _KEYS:
                raise self.error(f"not the card of an activation: {entry}")
            card = nodes.container(classes=["cheat-card"])
            card += nodes.raw("", thumbnail(entry["name"]), format="html")
            text = nodes.container()
            text += self.parse_text_to_nodes(_text(**entry))
            card += text
            sheet += card
        return [sheet]


def _text(name: str, slope: str, verdict: str, use: str, formula: str = "") -> str:
    spec = REGISTRY[name].spec
    formula = formula or " = ".join(spec.formula.split(" = ")[:2])  # the first of its forms
    low, high = (f"{bound:.3g}".replace("inf", "∞").replace("-", "−") for bound in spec.range_at())
    return "\n\n".join(
        [
            f"**[{spec.title}](#catalogue-{name})** ${formula}$",
            f"Slope ${slope}$, {largest_slope(name)}. Values {low} to {high}.",
            f"{verdict} *{use}*",
        ]
    )


def largest_slope(name: str) -> str:
    """How large the slope of an activation gets, at its default parameters, in words."""
    slope: Callable[[Any], Any]
    if name in REGISTRY.elementwise:
        slope = REGISTRY.elementwise[name].grad
    elif hasattr(REGISTRY[name], "gate"):
        return "of any size"  # a gated unit's is as large as its other half
    else:
        _, slope = along_one(cast(AxisFunction, REGISTRY[name]))
    near, far = (float(np.max(slope(np.linspace(-z, z, 60_001)))) for z in (_FAR, 2 * _FAR))
    return f"at most {near:.4g}" if far < near + 1e-6 else "of any size"


def setup(app: Sphinx) -> None:
    app.add_directive("cheat-sheet", CheatSheet)
