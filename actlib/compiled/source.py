"""The Python that Numba compiles of a kernel: a loop over numbers, written by running the kernel.

The kernel is given values that write what is done to them. So what is compiled is the declaration
itself, with whatever it calls in other files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from actlib._core.writing import Language, Step, written

_NAME = r"[a-z]\w*"
_FUNCTIONS = ("abs", "atan", "exp", "expm1", "log1p", "maximum", "minimum", "sqrt", "tanh")
_NUMBA = Language(
    name="numba",
    functions={name: name for name in _FUNCTIONS},
    number=lambda number: f"number({number!r})",
    choice="select({}, {}, {})",
    operators={"~": "not "},
    fused="fma({}, {}, {})",
)
_MODULE = '''\
"""A loop that actlib.compiled has written from the declaration of {name}."""

from math import inf, nan

import numpy as np
from numba import njit, types

from actlib.compiled.elementary import functions
from actlib.compiled.intrinsics import fma, select, wide
from actlib.compiled.reductions import max_of, sum_of

number = np.{dtype}
globals().update(functions(number))

one = types.{dtype}
given = types.Array(one, {axes}, "C", readonly=True)
made = types.Array(one, {axes}, "C")


@njit(types.void({types}), cache=True, nogil=True, error_model="numpy")
def loop({arguments}):
    wide()
{body}
'''


def of_elementwise(
    name: str,
    kernel: Callable[..., Any],
    arrays: Sequence[str],
    numbers: Sequence[str],
    dtype: str,
) -> str:
    """The module of ``loop(*arrays, *numbers, *results)``, over contiguous arrays of one axis.

    Parameters
    ----------
    name : str
        What is compiled.
    kernel : callable
        ``kernel(xp, *arrays, *numbers)``, which returns a result or a tuple of them.
    arrays, numbers : sequence of str
        What is an array in the loop, and what is the same number at every step.
    dtype : str
        Of all of them.
    """
    steps, found = written(_NUMBA, kernel, [*arrays, *numbers], dtype)
    results = [f"result_{place}" for place in range(len(found))]
    body = [
        f"for i in range({arrays[0]}_s.size):",
        *_indented(f"{array} = {array}_s[i]" for array in arrays),
        *_indented(map(str, steps)),
        *_indented(f"{result}[i] = {code}" for result, code in zip(results, found, strict=True)),
    ]
    kinds = ["given"] * len(arrays) + ["one"] * len(numbers) + ["made"] * len(results)
    arguments = [*(f"{array}_s" for array in arrays), *numbers, *results]
    return _module(name, dtype, 1, dict(zip(arguments, kinds, strict=True)), body)


def of_rows(
    name: str, kernel: Callable[..., Any], arrays: Sequence[str], halves: bool, dtype: str
) -> str:
    """The module of ``loop(*arrays, result)``, over the rows of contiguous arrays of two axes.

    Parameters
    ----------
    name : str
        What is compiled.
    kernel : callable
        ``kernel(xp, *arrays)``; with halves ``kernel(xp, value, gate, *others)``.
    arrays : sequence of str
        What is given.
    halves : bool
        Whether the first array holds values and gates in the halves of its last axis.
    dtype : str
        Of all of them.
    """
    places = {array: f"{array}_s[row, i]" for array in arrays}
    if halves:
        first = f"{arrays[0]}_s[row, "
        places = {"value": f"{first}i]", "gate": f"{first}size + i]", **places}
        del places[arrays[0]]
    steps, found = written(_NUMBA, kernel, [*places], dtype, rows=True)
    ends = [f"result[row, {'size + ' * k}i] = {code}" for k, code in enumerate(found)]
    rows = _Rows(places, *_with_conditions(steps, ends))
    body = [
        f"size = {arrays[0]}_s.shape[1]{' // 2' * halves}",
        *(f"{step.name}_s = np.empty(size, number)" for step in rows.kept),
        "for row in range(result.shape[0]):",
        *_indented(rows.lines),
    ]
    arguments = {**{f"{array}_s": "given" for array in arrays}, "result": "made"}
    return _module(name, dtype, 2, arguments, body)


def _module(
    name: str, dtype: str, axes: int, arguments: Mapping[str, str], body: Iterable[str]
) -> str:
    return _MODULE.format(
        name=name,
        dtype=dtype,
        axes=axes,
        types=", ".join(arguments.values()),
        arguments=", ".join(arguments),
        body="\n".join(_indented(body)),
    )


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _with_conditions(steps: list[Step], ends: list[str]) -> tuple[list[Step], list[str]]:
    """The steps and ends with each condition written out where it is used.

    To compare again costs a later loop less than to read what an earlier one has found.
    """
    conditions: dict[str, str] = {}

    def written_out(code: str) -> str:
        return re.sub(_NAME, lambda found: conditions.get(found[0], found[0]), code)

    others = []
    for step in steps:
        code = written_out(step.code)
        if step.row and step.dtype == "bool":
            conditions[step.name] = f"({code})"
        else:
            others.append(replace(step, code=code))
    return others, [written_out(end) for end in ends]


class _Rows:
    """The lines for one row: loops over its numbers, and between them what it has in common.

    A loop ends where a sum or a maximum is needed. What a later one needs of it is `kept`.
    """

    def __init__(self, places: dict[str, str], steps: list[Step], ends: list[str]) -> None:
        self.lines: list[str] = []
        self.kept = self._needed_later(steps, ends)
        self._places = places | {step.name: f"{step.name}_s[i]" for step in self.kept}
        pending: list[Step] = []
        for step in steps:
            if step.row:
                pending.append(step)
            elif step.reduction:
                self._loop(pending, [])
                pending = []
                operand = self._places[step.code].replace("[i]", "").replace(", i]", "]")
                self.lines.append(f"{step.name} = {step.reduction}_of({operand})")
            else:
                self.lines.append(str(step))
        self._loop(pending, ends)

    @staticmethod
    def _needed_later(steps: list[Step], ends: list[str]) -> list[Step]:
        """The steps whose numbers are read in another loop than their own, or added up."""
        loops, count = {}, 0
        needed = set()
        for step in steps:
            loops[step.name] = count
            before = {name for name in _names(step.code) if loops.get(name, count) < count}
            needed |= {*_names(step.code)} if step.reduction else before
            count += bool(step.reduction)
        needed |= {name for end in ends for name in _names(end) if loops.get(name, count) < count}
        return [step for step in steps if step.row and step.name in needed]

    def _loop(self, steps: list[Step], ends: list[str]) -> None:
        """A loop over the row that computes these steps, if there are any."""
        if not steps and not ends:
            return
        own = {step.name for step in steps}
        read = {name for code in (*(s.code for s in steps), *ends) for name in _names(code)} - own
        lines = [f"{name} = {place}" for name, place in self._places.items() if name in read]
        lines += [*map(str, steps), *ends]
        lines += [f"{step.name}_s[i] = {step.name}" for step in self.kept if step.name in own]
        self.lines += ["for i in range(size):", *_indented(lines)]


def _names(code: str) -> list[str]:
    return re.findall(_NAME, code)
