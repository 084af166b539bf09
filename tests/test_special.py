"""Formulas that are chosen by what NumPy has for this processor: both keep the contract."""

from __future__ import annotations

from typing import Any

import contract
import numpy as np
import pytest
from contract import Case, each_case
from numpy.lib import introspect

from actlib import elu, softplus
from actlib._core import special
from actlib._core.special import expm1_below, log1p_inside


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The functions of NumPy that were asked for, of which another processor has the others."""
    names: list[str] = []
    here = special._is_made_for_this_processor("expm1")
    monkeypatch.setattr(
        special, "_is_made_for_this_processor", lambda name: names.append(name) or not here
    )
    return names


@each_case
@pytest.mark.no_cover
@pytest.mark.usefixtures("exact_values")
def test_the_other_processors_formula_keeps_the_contract(
    case: Case, asked: list[str], deep: bool
) -> None:
    case.function(np.ones(1, np.float32))
    if asked:
        contract.check_memory(case, np.float32)
        contract.check_accuracy(case, np.float32)
        for check in contract.BY_DTYPE.values():
            check(case, np.float32)
        contract.check_blocks(case, np.float32, deep)
        contract.check_out(case, np.float32, deep)


def test_elu_and_softplus_ask(asked: list[str]) -> None:
    z = np.ones(1, np.float32)
    elu(z)
    softplus(z)
    assert asked == ["expm1", "log1p"]


@pytest.mark.parametrize(
    ("found", "made"),
    [
        ({"expm1": {"ff": {"current": "X86_V4", "available": "X86_V4 baseline(X86_V2)"}}}, True),
        ({"expm1": {"ff": {"current": "baseline(X86_V2)", "available": "X86_V4"}}}, False),
        ({}, False),
    ],
)
def test_numpy_says_what_it_has(
    found: dict[str, Any], made: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(introspect, "opt_func_info", lambda **which: found)
    assert special._is_made_for_this_processor.__wrapped__("expm1") is made


def test_numpy_is_asked_for_float32_alone(asked: list[str]) -> None:
    z = np.linspace(-5, 0, 100)
    np.testing.assert_array_equal(expm1_below(np, z), np.expm1(z))
    np.testing.assert_array_equal(log1p_inside(np, np.exp(z)), np.log1p(np.exp(z)))
    assert asked == []
