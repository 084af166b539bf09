"""Kernels in another language: each is run once on values that write what is done to them.

So what is compiled, and what a page of the book computes, is the declared kernel, and no formula
is written twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from actlib._core.arrays import Array, Namespace


@dataclass(frozen=True, eq=False)
class Language:
    """How a language says what kernels say.

    Parameters
    ----------
    name : str
        What kernels know its namespace by.
    functions : mapping of str to str
        What it calls the functions of the array standard.
    number : callable
        Writes a constant.
    choice : str
        Writes the choice of one of two values by a condition, which comes first.
    operators : mapping of str to str
        Those that it writes otherwise than Python.
    fused : str
        Writes a * b + c, if the language rounds that once.
    """

    name: str
    functions: Mapping[str, str]
    number: Callable[[float], str]
    choice: str
    operators: Mapping[str, str] = field(default_factory=dict)
    fused: str = ""
    namespace: Namespace = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "namespace", _Namespace(self))

    def code(self, value: Any) -> str:
        """What a value or a number is in the language."""
        return value.code if isinstance(value, Value) else self.number(float(value))


@dataclass(frozen=True)
class Step:
    """An assignment: of the code, or of the sum or the maximum over the row that the code gives.

    `row` tells whether there is one for each of the numbers of a row.
    """

    name: str
    code: str
    dtype: str
    row: bool
    reduction: str = ""

    def __str__(self) -> str:
        return f"{self.name} = {self.code}"


@dataclass(frozen=True)
class Script:
    """What has been written: the steps, and the dtype of the numbers in them."""

    language: Language
    dtype: str
    steps: list[Step] = field(default_factory=list)


def written(
    language: Language,
    kernel: Callable[..., Any],
    names: Sequence[str],
    dtype: str,
    rows: bool = False,
) -> tuple[list[Step], list[str]]:
    """Run a kernel on values of these names, ``kernel(xp, *values)``.

    Parameters
    ----------
    language : Language
        What is written.
    kernel : callable
        It returns a value or a tuple of them.
    names : sequence of str
        Its arguments.
    dtype : str
        Of all of them.
    rows : bool
        Whether each is a vector, of which the kernel may take sums and maxima.

    Returns
    -------
    steps : list of Step
        In their order.
    results : list of str
        The code of each value that the kernel returns.
    """
    script = Script(language, dtype)
    values = [Value(name, script, dtype, rows) for name in names]
    with np.errstate(all="ignore"):
        found = kernel(language.namespace, *values)
    results = found if isinstance(found, tuple) else (found,)
    return script.steps, [language.code(result) for result in results]


@dataclass(frozen=True, eq=False)
class Value:
    """A number, or one of a row of them, by its name in what is written."""

    code: str
    script: Script = field(repr=False)
    dtype: str
    row: bool
    factors: tuple[Any, Any] | None = None

    @property
    def shape(self) -> tuple[None, ...]:
        """Nobody knows how long a row is."""
        return (None,) if self.row else ()

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __array_namespace__(self, **options: Any) -> Namespace:
        return self.script.language.namespace

    def __bool__(self) -> bool:
        raise TypeError("a kernel cannot decide by a number in an array; it can choose by xp.where")

    def __neg__(self) -> Value:
        return _step("-{}", self.dtype, self)

    def __abs__(self) -> Array:
        return self.script.language.namespace.abs(self)

    def __invert__(self) -> Value:
        return _step(self.script.language.operators.get("~", "~") + "{}", "bool", self)


def _step(
    pattern: str,
    dtype: str,
    *values: Any,
    reduction: str = "",
    factors: tuple[Any, Any] | None = None,
) -> Value:
    """Write what is computed of values, at least one of which is none that Python knows."""
    known = [value for value in values if isinstance(value, Value)]
    script = known[0].script
    code = pattern.format(*map(script.language.code, values))
    row = not reduction and any(value.row for value in known)
    step = Step(f"t{len(script.steps)}", code, dtype or script.dtype, row, reduction)
    script.steps.append(step)
    return Value(step.name, script, step.dtype, row, factors)


def _product(one: Any, other: Any, language: Language) -> Value:
    return _step("{} * {}", "", one, other, factors=(one, other))


def _sum(one: Any, other: Any, language: Language) -> Value:
    """One step with a product, if the language can: whatever else that product is used for."""
    for product, rest in ((one, other), (other, one)):
        if language.fused and isinstance(product, Value) and product.factors:
            return _step(language.fused, "", *product.factors, rest)
    return _step("{} + {}", "", one, other)


def _difference(one: Any, other: Any, language: Language) -> Value:
    if language.fused and isinstance(one, Value) and one.factors:
        return _step(language.fused, "", *one.factors, -other)
    if language.fused and isinstance(other, Value) and other.factors:
        a, b = other.factors
        return _step(language.fused, "", -a, b, one)
    return _step("{} - {}", "", one, other)


def _plain(symbol: str, dtype: str) -> Callable[[Any, Any, Language], Value]:
    def operator(one: Any, other: Any, language: Language) -> Value:
        return _step(f"{{}} {language.operators.get(symbol, symbol)} {{}}", dtype, one, other)

    return operator


def _define(name: str, operator: Callable[[Any, Any, Language], Value]) -> None:
    def forward(self: Value, other: Any) -> Value:
        return operator(self, other, self.script.language)

    def backward(self: Value, other: Any) -> Value:
        return operator(other, self, self.script.language)

    setattr(Value, f"__{name}__", forward)
    setattr(Value, f"__r{name}__", backward)


_define("add", _sum)
_define("sub", _difference)
_define("mul", _product)
_define("truediv", _plain("/", ""))
_BOOLEAN = {
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "eq": "==",
    "ne": "!=",
    "and": "&",
    "or": "|",
}
for _name, _symbol in _BOOLEAN.items():
    _define(_name, _plain(_symbol, "bool"))


class _Namespace:
    """The functions of the array standard that kernels use, for values that write."""

    float32, float64 = "float32", "float64"
    finfo = staticmethod(np.finfo)

    def __init__(self, language: Language) -> None:
        self.__name__ = language.name
        self._language = language

    def __getattr__(self, name: str) -> Callable[..., Value]:
        if name not in self._language.functions:
            known = ", ".join(self._language.functions)
            raise AttributeError(
                f"a kernel written in {self.__name__} cannot call xp.{name}; there are {known}"
            )
        return lambda *values: self._call(self._language.functions[name], *values)

    def _call(self, function: str, *values: Any) -> Value:
        return _step(f"{function}({', '.join('{}' for _ in values)})", "", *values)

    def isnan(self, z: Value) -> Array:
        return z != z

    def clip(self, z: Value, low: Any, high: Any) -> Array:
        return self.minimum(self.maximum(z, low), high)

    def where(self, condition: Any, one: Any, other: Any) -> Any:
        if not isinstance(condition, Value):
            return one if condition else other
        return _step(self._language.choice, "", condition, one, other)

    def astype(self, z: Any, dtype: str, copy: bool = True) -> Any:
        if not isinstance(z, Value) or z.dtype == dtype:
            return z
        return self.where(z, 1, 0)

    def ones_like(self, z: Value) -> float:
        return 1.0

    def zeros_like(self, z: Value) -> float:
        return 0.0

    def sum(self, z: Value, axis: int, keepdims: bool) -> Value:
        return _step("{}", "", z, reduction="sum")

    def max(self, z: Value, axis: int, keepdims: bool) -> Value:
        return _step("{}", "", z, reduction="max")
