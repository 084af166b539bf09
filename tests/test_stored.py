"""The stored exact values are those of today's formulas, and a wrong or an old one is noticed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import stored

from actlib import REGISTRY, sigmoid
from actlib.check import reference

AGAIN = "make reference NAMES={}"
each_name = pytest.mark.parametrize("name", REGISTRY.elementwise)


def load(name: str) -> stored.Stored:
    path = stored.FOLDER / f"{name}.npz"
    assert path.exists(), AGAIN.format(name)
    return stored.load(path)


@each_name
def test_stored_values_are_right(name: str, part: int | None) -> None:
    """One part of them in a daily run, all at full size; the head of the run says which."""
    assert list(load(name).wrong(name, part)) == []


@each_name
def test_what_is_stored_is_what_the_tests_ask_for(name: str) -> None:
    """But for a few points, which differ in the last bit where exp is computed in another way."""
    spec, found = REGISTRY[name].spec, load(name)
    assert found.formula == stored.fingerprint(spec.exact, ("z", *spec.params)), AGAIN.format(name)
    asked = [tuple(row) for row in stored.arguments(REGISTRY[name]).tolist()]
    for wrt in stored.derivatives(REGISTRY[name]):
        served = sum(found.find(wrt, row) is not None for row in asked)
        assert served > 0.9 * len(asked), AGAIN.format(name)


def test_nothing_else_is_stored() -> None:
    assert {path.stem for path in stored.FOLDER.glob("*.npz")} == set(REGISTRY.elementwise)


@pytest.mark.parametrize("number", ["1", "-0.1", "1e-300", "3e-499", "-2e600", "1e-501", "0"])
def test_a_number_keeps_its_first_23_digits(number: str) -> None:
    with mpmath.workdps(60):
        exact = mpmath.mpf(number)
        kept = stored.join(*np.array(stored.split(exact), stored.NUMBER).item())
        assert abs(kept - exact) <= max(abs(exact) * mpmath.mpf(2) ** -76, stored.NEGLIGIBLE)


@pytest.mark.parametrize("part", [None, *range(stored.PARTS)])
def test_a_wrong_number_is_found_in_the_part_that_holds_it(part: int | None) -> None:
    """Its last stored bits are off; each number belongs to one part and to the whole."""
    numbers = dict(load("relu").numbers)
    changed = numbers[stored.column(())].copy()
    changed["low"][1003] += 2**-50
    planted = stored.Stored({**numbers, stored.column(()): changed})
    wrong = list(planted.wrong("relu", part))
    assert len(wrong) == (part in (None, 1003 % stored.PARTS))


def test_stored_values_are_served_to_their_own_formula_alone(monkeypatch: Any) -> None:
    found = load("sigmoid")
    changed = {key: column.copy() for key, column in found.numbers.items()}
    changed[stored.column(("z",))]["high"] *= 2  # so that it shows where they come from
    monkeypatch.setattr(stored, "library", lambda: {found.formula: stored.Stored(changed)})
    (z,) = found.numbers["arguments"][700].tolist()
    right = reference(sigmoid.spec, "z")(z)
    stored.serve(monkeypatch)
    assert reference(sigmoid.spec, "z")(z) == pytest.approx(2 * right)
    assert reference(sigmoid.spec, "z")(z + 1e-9) == pytest.approx(right)
    assert reference(sigmoid.spec)(z) == pytest.approx(sigmoid(z))
    other = REGISTRY["lecun_tanh"]
    assert reference(other.spec, "z")(z) == pytest.approx(other.grad(z))


def again(m: Any, z: Any) -> Any:
    return 1 / (m.exp(-z) + 1)


@pytest.mark.parametrize(
    ("formula", "names", "same"),
    [
        (again, ("z",), True),
        (lambda m, x: 1 / (1 + m.exp(-x)), ("z",), True),
        (lambda m, z: 1 / (1 + m.exp(z)), ("z",), False),
        (lambda m, z: 1 / (1 + m.exp(-2 * z / 2.000001)), ("z",), False),
        (lambda m, z, beta: 1 / (1 + m.exp(-z)), ("z", "beta"), True),
    ],
)
def test_a_fingerprint_is_of_what_a_formula_says(
    formula: Callable[..., Any], names: tuple[str, ...], same: bool
) -> None:
    ours = stored.fingerprint(sigmoid.spec.exact, ("z",))
    assert (stored.fingerprint(formula, names) == ours) == same
