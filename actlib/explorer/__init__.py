"""An explorer of activations for notebooks and for the book: drag z, and see what a layer does.

>>> import actlib
>>> actlib.explore("gelu", "relu", z=-0.5)
Explorer(gelu against relu, z = -0.5)
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from importlib.resources import files
from string import Template
from urllib.parse import urlencode

from actlib._core.registry import REGISTRY
from actlib._core.spec import Spec
from actlib.explorer.table import ERROR, HI, LO, STEP, table

__all__ = ["DEEPEST", "Explorer", "explore"]

#: How many layers can be chosen.
DEEPEST = 50


def explore(
    activation: str = "relu",
    compare: str | None = None,
    *,
    z: float = 1.0,
    depth: int = 10,
    **params: float,
) -> Explorer:
    """Explore an activation, or two of them side by side, in a notebook.

    Choose any activation, drag z and the parameters, and see the value, the slope with its tangent,
    where the activation is flat, its kinks, and what many layers make of a gradient.

    Parameters
    ----------
    activation : str
        What to begin with, a name in ``actlib.REGISTRY.elementwise``.
    compare : str, optional
        The one to compare with.
    z : float
        The pre-activation to begin with, from -6 to 6; it is moved in steps of 0.05.
    depth : int
        How many layers a gradient passes, from 1 to 50.
    **params : float
        Parameters to begin with, such as ``alpha=0.1``, for each of the two that has them.

    Returns
    -------
    Explorer
        The last line of a cell shows it; elsewhere it is a line of text.

    Raises
    ------
    ValueError
        If there is no such activation, or a number is out of its range.
    TypeError
        If no chosen activation has such a parameter.

    Examples
    --------
    >>> from actlib.explorer import explore
    >>> explore("prelu", "tanh", alpha=0.5)
    Explorer(prelu(alpha=0.5) against tanh, z = 1)
    """
    names = [activation] if compare is None else [activation, compare]
    if not LO <= z <= HI:
        raise ValueError(f"z must lie between {LO:g} and {HI:g}, but is {z}")
    if depth not in range(1, DEEPEST + 1):
        raise ValueError(f"depth must be a whole number from 1 to {DEEPEST}, but is {depth}")
    activations = [REGISTRY.elementwise[name] for name in names]
    known = {key: param for f in activations for key, param in f.spec.params.items()}
    for key, value in params.items():
        if key not in known:
            has = ", ".join(known) or "none"
            raise TypeError(f"{' and '.join(names)}: no parameter {key!r}; there is: {has}")
        if not (math.isfinite(value) and known[key].allows(value)):
            raise ValueError(f"{key} must be {known[key].domain}, but is {value}")
    return Explorer(tuple(names), round(round(z / STEP) * STEP, 2) + 0.0, int(depth), params)


@dataclass(frozen=True)
class Explorer:
    """What `explore` returns: one or two activations, and where to look at them.

    Parameters
    ----------
    names : tuple of str
        One or two names in ``actlib.REGISTRY.elementwise``.
    z : float
        The pre-activation to begin with.
    depth : int
        The number of layers to begin with.
    params : dict of str to float
        The parameters to begin with.
    """

    names: tuple[str, ...]
    z: float = 1.0
    depth: int = 10
    params: dict[str, float] = field(default_factory=dict)

    def __repr__(self) -> str:
        calls = []
        for name in self.names:
            given = ", ".join(f"{key}={value:g}" for key, value in self._given(name).items())
            calls.append(f"{name}({given})" if given else name)
        return f"Explorer({' against '.join(calls)}, z = {self.z:g})"

    def _repr_html_(self) -> str:
        style = read("instrument.css") + read("explorer.css")
        code = script(read("explorer.js"))
        return f"<style>\n{style}</style>\n{self.markup()}<script>\n{code}</script>"

    @cached_property
    def state(self) -> str:
        """The view as an address holds it, such as ``a=relu&z=1.0&depth=10``."""
        pairs: dict[str, object] = dict(zip("ab", self.names, strict=False))
        pairs |= {"z": self.z, "depth": self.depth}
        for side, name in zip("ab", self.names, strict=False):
            pairs |= {f"{side}.{key}": value for key, value in self._given(name).items()}
        return urlencode(pairs)

    def markup(
        self, formula: Callable[[str], str] = lambda tex: f"${escape(tex)}$", page: str = ""
    ) -> str:
        """Write the explorer as HTML, without its style and its script.

        Parameters
        ----------
        formula : callable
            Turns a formula in LaTeX into HTML; without it, the notebook is asked to.
        page : str
            The address of a page whose fragment holds the view. Without it there is nothing to
            link to.

        Returns
        -------
        str
            HTML that loads nothing.
        """
        given = {name: self._given(name) for name in self.names}
        return Template(read("explorer.html")).substitute(
            state=escape(self.state),
            page=escape(page),
            table=json.dumps(table(given), separators=(",", ":")).replace("<", r"\u003c"),
            options=_options(),
            formulas="".join(
                f'<div data-of="{escape(name)}">{formula(function.spec.formula)}</div>\n'
                for name, function in REGISTRY.elementwise.items()
            ),
            lo=LO,
            hi=HI,
            step=STEP,
            deepest=DEEPEST,
            error=ERROR,
            z=self.z,
            depth=self.depth,
        )

    def _given(self, name: str) -> dict[str, float]:
        params = REGISTRY[name].spec.params
        return {key: value for key, value in self.params.items() if key in params}


def _options() -> str:
    """All activations to choose from, by family, by the names that people know."""
    families: dict[str, list[Spec]] = {}
    for function in REGISTRY.elementwise.values():
        label = function.spec.family.partition(":")[0]
        families.setdefault(label, []).append(function.spec)
    return "".join(
        f'<optgroup label="{escape(label)}">{"".join(map(option, specs))}</optgroup>'
        for label, specs in families.items()
    )


def option(spec: Spec) -> str:
    """A function to choose from a list, by the name that people know."""
    return f'<option value="{escape(spec.name)}">{escape(spec.title)}</option>'


def read(name: str) -> str:
    """The text of a file next to this one."""
    return files(__name__).joinpath(name).read_text("utf-8")


def script(source: str) -> str:
    """A script that draws an instrument: what they share, and `source`, in a block of their own."""
    return f'"use strict";\n{{\n{read("draw.js")}\n{source}}}\n'
