"""The catalogue of activations as Markdown: what the registry knows, for the book's readers.

A page that shows `index` and, for every activation, `entry` needs no change when one is declared.
"""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any

from actlib._core.registry import REGISTRY
from actlib._core.spec import LIBRARIES, Spec
from actlib.book.tables import recorded

__all__ = ["entry", "families", "index"]


def families() -> dict[str, list[str]]:
    """Names of all activations by family, in the order in which they were published.

    Returns
    -------
    dict of str to list of str
        A family is called what its activations declare.

    Examples
    --------
    >>> from actlib.book.catalogue import families
    >>> [names[0] for names in families().values() if "relu" in names]
    ['hard_shrink']
    """
    found: dict[str, list[str]] = {}
    for name in sorted(REGISTRY, key=lambda name: REGISTRY[name].spec.year):
        found.setdefault(REGISTRY[name].spec.family, []).append(name)
    return found


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
    for name, function in sorted(REGISTRY.items()):
        spec = function.spec
        formula = spec.formula.replace("|", r"\vert ")  # a bar would end the cell
        bounds = _pair(spec.range_at())
        rows.append(
            f"| [`{name}`](#catalogue-{name}) | ${formula}$ | {bounds} | {_largest_error(name)}"
            f" | {_times().get((name, 'value'), '')} | {spec.year} | {{cite:p}}`{spec.cite}` |"
        )
    return "\n".join(rows)


def entry(name: str) -> str:
    """Write the facts on one activation, at its default parameters, and the names that others use.

    Parameters
    ----------
    name : str
        A key of ``actlib.REGISTRY``.

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
    function = REGISTRY[name]
    spec = function.spec
    rows = [
        f"(catalogue-{name})=",
        f"#### {name}",
        "",
        f"$$\n{spec.formula}\n$$",
        "",
        f"- Least and largest value: {_pair(spec.range_at())}.",
        *(_shape(spec) if spec.elementwise else []),
        *_accuracy(name),
        *_speed(name),
        f"- Source: {{cite:t}}`{spec.cite}`. Description: {{py:obj}}`actlib.{name}`.",
        "",
        "| library | name | difference |",
        "|---|---|---|",
        f"| actlib | `{call(function)}` | |",
    ]
    for key, title in LIBRARIES.items():
        if peer := spec.peers.get(key):
            rows.append(f"| {title} | `{peer.path}` | {peer.difference} |")
        elif key != "scipy":  # which has few of them
            rows.append(f"| {title} | none |  |")
    return "\n".join(rows)


def _shape(spec: Spec) -> list[str]:
    """What only an activation that acts on every number by itself has."""
    kinks = ", ".join(map(_number, spec.kinks_at()))
    turn = "" if spec.root is None else f"; its derivative changes its sign at {spec.root:.6g}"
    return [
        f"- Limits at −∞ and ∞: {_pair(spec.limits_at())}.",
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
    """How many times as long as np.maximum the value of each, its derivative and so on took."""
    took: dict[tuple[str, str], dict[str, float]] = {}
    for row in recorded("speed"):
        if (row["dtype"], row["n"]) == ("float32", "10000000"):
            key = row["function"], row["of"]
            took.setdefault(key, {})[row["contender"]] = float(row["ns"])
    return {key: f"{ns['actlib'] / ns['np.maximum']:.1f}" for key, ns in took.items()}


def _speed(name: str) -> list[str]:
    if (name, "value") not in _times():
        return []
    of, what, numbers = "derivative", "derivative", "numbers"
    if (name, of) not in _times():  # a function of vectors
        of, what, numbers = "vjp", "product with an upstream gradient", "numbers in rows of 100"
    value, slope = _times()[name, "value"], _times()[name, of]
    return [
        f"- Time: {value} times that of `np.maximum(z, 0)` for the value and {slope} times for the "
        f"{what}, on ten million {numbers} in float32."
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
