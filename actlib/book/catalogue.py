"""The catalogue of activations as Markdown: what the registry knows, for the book's readers.

A page that shows `index` and, for every activation, `entry` needs no change when one is declared.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any

from actlib._core.declare import REGISTRY, Activation, at_defaults
from actlib._core.vectors import VECTORS, AxisFunction, GatedUnit
from actlib.book.tables import recorded

__all__ = ["LIBRARIES", "entry", "families", "index"]

#: What other libraries call themselves, in the order in which tables show them.
LIBRARIES = {
    "tensorflow": "TensorFlow",
    "keras": "Keras",
    "torch": "PyTorch",
    "jax": "JAX",
    "scipy": "SciPy",
}


def families() -> dict[str, list[str]]:
    """Names of all activations by family, in the order in which they were published.

    Returns
    -------
    dict of str to list of str
        The family is the first sentence of its module's docstring.

    Examples
    --------
    >>> from actlib.book.catalogue import families
    >>> [names[0] for names in families().values() if "relu" in names]
    ['hard_shrink']
    """
    found: dict[str, list[str]] = {}
    functions = _functions()
    for name in sorted(functions, key=lambda name: functions[name].spec.year):
        first = (sys.modules[functions[name].__module__].__doc__ or "").partition("\n")[0]
        found.setdefault(first.rstrip("."), []).append(name)
    return found


def _functions() -> Mapping[str, Activation[...] | AxisFunction | GatedUnit]:
    return {**REGISTRY, **VECTORS}


def index() -> str:
    """Write a table of all activations, in alphabetical order, with links to their entries.

    Returns
    -------
    str
        Markdown with MyST's citations.

    Examples
    --------
    >>> from actlib.book.catalogue import index
    >>> print(index().splitlines()[0])
    | name | formula | least and largest value | largest error E | time | year | source |
    """
    columns = [
        "name", "formula", "least and largest value", "largest error E", "time", "year", "source"
    ]  # fmt: skip
    rows = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for name, function in sorted(_functions().items()):
        spec = function.spec
        formula = spec.formula.replace("|", r"\vert ")  # a bar would end the cell
        bounds = _pair(at_defaults(spec, spec.range))
        rows.append(
            f"| [`{name}`](#catalogue-{name}) | ${formula}$ | {bounds} | {_largest_error(name)}"
            f" | {_times().get((name, 'value'), '')} | {spec.year} | {{cite:t}}`{spec.cite}` |"
        )
    return "\n".join(rows)


def entry(name: str) -> str:
    """Write the facts on one activation, at its default parameters, and its names elsewhere.

    Parameters
    ----------
    name : str
        A key of ``actlib.REGISTRY`` or of ``actlib.VECTORS``.

    Returns
    -------
    str
        Markdown with MyST's citations.

    Examples
    --------
    >>> from actlib.book.catalogue import entry
    >>> "- Kinks: at 0." in entry("relu").splitlines()
    True
    """
    function = _functions()[name]
    spec = function.spec
    rows = [
        f"(catalogue-{name})=",
        f"**{{py:obj}}`{name} <actlib.{name}>`**",
        "",
        f"$$\n{spec.formula}\n$$",
        "",
        f"- Least and largest value: {_pair(at_defaults(spec, spec.range))}.",
        *(_shape(REGISTRY[name]) if name in REGISTRY else []),
        *_accuracy(name),
        *_speed(name),
        f"- Source: {{cite:t}}`{spec.cite}`.",
        "",
        "| library | name | difference |",
        "|---|---|---|",
        f"| actlib | `{call(function)}` | |",
    ]
    rows += [
        f"| {title} | {f'`{spec.names[key]}`' if key in spec.names else 'none'}"
        f" | {spec.differs.get(key, '')} |"
        for key, title in LIBRARIES.items()
        if key in spec.names or key != "scipy"  # which has few of them
    ]
    return "\n".join(rows)


def _shape(activation: Activation[...]) -> list[str]:
    """What only an activation that acts on every number by itself has."""
    spec = activation.spec
    kinks = ", ".join(map(_number, at_defaults(spec, spec.kinks)))
    turn = "" if spec.root is None else f"; its derivative changes its sign at {spec.root:.6g}"
    return [
        f"- Limits at −∞ and ∞: {_pair(activation([-float('inf'), float('inf')]))}.",
        f"- Monotonic: {'yes' if spec.monotonic else 'no'}{turn}.",
        f"- Kinks: at {kinks}." if kinks else "- Kinks: none, it is smooth.",
    ]


@cache
def _errors() -> dict[tuple[str, str], float]:
    """The largest error E that was measured of each function's value and of its gradient."""
    errors: dict[tuple[str, str], float] = {}
    for row in recorded("accuracy"):
        if row["library"] == "actlib":
            key = row["function"], row["of"]
            errors[key] = max(errors.get(key, 0.0), float(row["E"]))
    return errors


def _largest_error(name: str) -> str:
    """Of value and gradient, empty where none was measured."""
    both = [error for (function, _), error in _errors().items() if function == name]
    return f"{max(both):.2g}" if both else ""


def _accuracy(name: str) -> list[str]:
    if (name, "value") not in _errors():
        return []
    value, gradient = (_errors()[name, of] for of in ("value", "gradient"))
    return [
        f"- Largest error: {{ref}}`E <accuracy-measure>` is {value:.2g} in the value and "
        f"{gradient:.2g} in the derivative, where 1 is about a rounding."
    ]


@cache
def _times() -> dict[tuple[str, str], str]:
    """How many times as long as np.maximum each function's value and derivative took."""
    took: dict[tuple[str, str], dict[str, float]] = {}
    for row in recorded("speed"):
        if (row["dtype"], row["n"]) == ("float32", "10000000"):
            key = row["function"], row["of"]
            took.setdefault(key, {})[row["contender"]] = float(row["ns"])
    return {key: f"{ns['actlib'] / ns['np.maximum']:.1f}" for key, ns in took.items()}


def _speed(name: str) -> list[str]:
    if (name, "value") not in _times():
        return []
    value, slope = (_times()[name, of] for of in ("value", "derivative"))
    return [
        f"- Time: {value} times that of `np.maximum(z, 0)` for the value and {slope} times for the "
        "derivative, on ten million numbers in float32."
    ]


def call(function: Any) -> str:
    """The call with all parameters at their defaults."""
    params = [
        key if p.default is p.empty else f"{key}={p.default:g}"
        for key, p in inspect.signature(function).parameters.items()
        if p.kind is not p.KEYWORD_ONLY
    ]
    return f"{function.__name__}({', '.join(params)})"


def _pair(values: Any) -> str:
    return " and ".join(map(_number, values))


def _number(value: float) -> str:
    return f"{value + 0.0:.5g}".replace("inf", "∞").replace("-", "−")
