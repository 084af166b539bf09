"""Exact values that are stored: mpmath takes minutes for what the tests compare with.

``make reference`` writes them into ``reference/``, a file for each activation: on the grid that the
tests examine, the value and those derivatives that are measured or tell how sensitive one of them
is. A file serves the formula that it was made of, and no other; what is not stored is computed.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy

from actlib import REGISTRY
from actlib.check import grid, reference
from actlib.check.exact import evaluate, symbolic

FOLDER = Path(__file__).parent / "reference"
POINTS = 200
PARTS = 20  # each run of the tests computes one of them anew
NEGLIGIBLE = mpmath.mpf(10) ** -500  # less is not known by the reference either

#: 77 bits: a double and a single of a mantissa, and the power of two that both are times.
NUMBER = np.dtype([("high", float), ("low", np.float32), ("exponent", np.int16)])
Numbers = dict[str, np.ndarray]


@functools.cache
def fingerprint(exact: Callable[..., Any], names: tuple[str, ...]) -> str:
    """What a textbook formula says, whatever it is called, written in or cited for."""
    formula, _ = symbolic(exact, names)
    return hashlib.sha256(sympy.srepr(formula).encode()).hexdigest()[:16]


def derivatives(activation: Any) -> list[tuple[str, ...]]:
    """What the tests measure, each with its own derivative by z."""
    measured = [(), ("z",), ("z", "z"), *((name,) for name in activation.spec.params)]
    return sorted({*measured, *((*wrt, "z") for wrt in measured)})


def arguments(activation: Any) -> np.ndarray:
    """The points of the grid in either dtype, with every sample of the parameters: rows."""
    rows: list[tuple[float, ...]] = []
    samples = [param.samples for param in activation.spec.params.values()]
    for dtype, chosen in itertools.product((np.float32, np.float64), itertools.product(*samples)):
        params = [float(dtype(param)) for param in chosen]
        named = dict(zip(activation.spec.params, params, strict=True))
        around = {0.0, *activation.spec.kinks_at(**named)}
        rows += [(z, *params) for z in grid(dtype, around, POINTS).tolist()]
    return np.array(sorted(set(rows)))


def split(number: mpmath.mpf) -> tuple[float, float, int]:
    if abs(number) < NEGLIGIBLE:
        return 0.0, 0.0, 0
    mantissa, exponent = mpmath.frexp(number)
    high = float(mantissa)
    return high, float(np.float32(mpmath.fsub(mantissa, high, exact=True))), int(exponent)


def join(high: float, low: float, exponent: int) -> mpmath.mpf:
    return mpmath.ldexp(mpmath.fadd(high, low, exact=True), exponent)


def column(wrt: tuple[str, ...]) -> str:
    return " ".join(["by", *wrt])


def computed(name: str) -> Numbers:
    """What the file of an activation holds, by mpmath."""
    activation = REGISTRY[name]
    spec, rows = activation.spec, arguments(activation)
    numbers: Numbers = {"formula": np.array(fingerprint(spec.exact, ("z", *spec.params)))}
    numbers["arguments"] = rows
    for wrt in derivatives(activation):
        exact = reference(spec, *wrt)
        numbers[column(wrt)] = np.array([split(exact(*row)) for row in rows.tolist()], NUMBER)
    return numbers


class Stored:
    """The file of an activation."""

    def __init__(self, numbers: Numbers) -> None:
        self.numbers = numbers
        self.formula = str(numbers["formula"])

    @functools.cached_property
    def rows(self) -> dict[tuple[float, ...], int]:
        rows = self.numbers["arguments"].tolist()
        return {tuple(row): number for number, row in enumerate(rows)}

    def at(self, row: int, wrt: tuple[str, ...]) -> mpmath.mpf:
        return join(*self.numbers[column(wrt)][row].item())

    def find(self, wrt: tuple[str, ...], arguments: tuple[Any, ...]) -> mpmath.mpf | None:
        row = self.rows.get(arguments)
        return self.at(row, wrt) if column(wrt) in self.numbers and row is not None else None

    def wrong(self, name: str, part: int | None) -> Iterator[str]:
        """The rows of a part, or of all, that differ from what mpmath says now."""
        spec, rows = REGISTRY[name].spec, self.numbers["arguments"].tolist()
        for wrt in derivatives(REGISTRY[name]):
            exact = reference(spec, *wrt)
            for number in range(part or 0, len(rows), 1 if part is None else PARTS):
                right, stored = exact(*rows[number]), self.at(number, wrt)
                if abs(stored - right) > max(abs(right) * mpmath.mpf(2) ** -76, NEGLIGIBLE):
                    yield f"{name} by {wrt} at {rows[number]}: stored {stored}, now {right}"


def load(path: Path) -> Stored:
    with np.load(path) as file:
        return Stored(dict(file))


@functools.cache
def library() -> dict[str, Stored]:
    """All files, by the fingerprint of their formula."""
    files = [load(path) for path in sorted(FOLDER.glob("*.npz"))]
    return {stored.formula: stored for stored in files}


def serve(patch: pytest.MonkeyPatch) -> None:
    """Have the reference look up what is stored, and compute the rest."""

    def look_up(
        formula: Callable[..., Any],
        names: tuple[str, ...],
        derivatives: tuple[tuple[str, ...], ...],
        arguments: tuple[Any, ...],
    ) -> tuple[mpmath.mpf, ...]:
        stored = library().get(fingerprint(formula, names))
        found = tuple(stored.find(wrt, arguments) if stored else None for wrt in derivatives)
        return evaluate(formula, names, derivatives, arguments) if None in found else found

    patch.setattr("actlib.check.exact.evaluate", look_up)


def main(names: list[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    names = names or list(REGISTRY.elementwise)
    with ProcessPoolExecutor() as pool:
        for name, numbers in zip(names, pool.map(computed, names), strict=True):
            np.savez_compressed(FOLDER / f"{name}.npz", **numbers)
            print(name, numbers["arguments"].shape, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
