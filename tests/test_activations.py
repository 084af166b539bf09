"""Every activation in the registry, every derivative, against the contract and mpmath."""

import pickle
import tracemalloc
from operator import attrgetter
from pathlib import Path
from typing import Any

import contract
import numpy as np
import pytest
from contract import CASES, Case, each_case, each_dtype
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import actlib
from actlib.check import measure

each_value = pytest.mark.parametrize("case", [case for case in CASES if not case.wrt], ids=str)


@each_dtype
@each_case
def test_accuracy(
    case: Case, dtype: Any, request: pytest.FixtureRequest, record_property: Any
) -> None:
    points = 5_000 if request.config.getoption("dense") else 200
    worst = contract.check_accuracy(case, dtype, points)
    record_property("E", f"{worst:.2f}  {case} in {np.dtype(dtype)}")


@each_dtype
@each_case
@pytest.mark.parametrize("check", contract.BY_DTYPE.values(), ids=contract.BY_DTYPE.keys())
def test_contract(check: Any, case: Case, dtype: Any) -> None:
    check(case, dtype)


@each_dtype
@each_value
def test_range(case: Case, dtype: Any) -> None:
    contract.check_range(case, dtype)


@each_case
def test_half_precision(case: Case) -> None:
    contract.check_halves(case)


@each_case
def test_rejected(case: Case) -> None:
    contract.check_rejected(case)


@each_case
def test_is_an_ordinary_function(case: Case) -> None:
    function = case.function
    assert pickle.loads(pickle.dumps(function)) is function
    assert function.__module__ == case.activation.__module__
    assert function.__doc__
    assert function.__wrapped__ is not None


@each_case
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_accuracy_anywhere(case: Case, data: st.DataObject) -> None:
    """At any number, for any sampled parameters, in either dtype."""
    width = data.draw(st.sampled_from([32, 64]))
    params = data.draw(st.sampled_from(list(case.samples())))
    numbers = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False, width=width)
    z = np.array(data.draw(st.lists(numbers, min_size=1, max_size=3)), f"f{width // 8}")
    accuracy = measure(case.function, case.activation.spec, case.wrt, z, params, case.allowed)
    rounded = contract.rounded(params, z.dtype.type)
    kinks = np.isin(z, list(contract.at(case.activation.spec.kinks, rounded)))
    assert not accuracy.lost[~kinks].any(), accuracy.worst()
    assert (accuracy.errors[~kinks] <= case.allowed).all(), accuracy.worst()


@each_case
@given(
    z=hnp.arrays(
        st.sampled_from([np.float16, np.float32, np.float64, np.int64]),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5),
    )
)
@settings(max_examples=40, deadline=None)
def test_any_array(case: Case, z: np.ndarray) -> None:
    """Whatever the array: its shape, its dtype, NaN just where it has NaN, and no trace in it."""
    before = z.copy()
    got = case.function(z)
    assert got.shape == z.shape
    assert got.dtype == (z.dtype if z.dtype.kind == "f" else np.float64)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(z))
    np.testing.assert_array_equal(z, before)


@pytest.mark.parametrize("path", ["relu", "sigmoid", "gelu_tanh.grad"])
def test_a_hundred_million_numbers_take_one_output(path: str) -> None:
    function = attrgetter(path)(actlib)
    z = np.linspace(-8, 8, 10**8, dtype=np.float32)
    tracemalloc.start()
    try:
        got = function(z)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= got.nbytes + 2_000_000
    assert got[-1] == function(z[-1])


@pytest.mark.parametrize("name", actlib.REGISTRY)
def test_the_source_is_in_the_bibliography(name: str) -> None:
    bibliography = (Path(__file__).parent.parent / "chapters" / "references.bib").read_text()
    assert f"{{{actlib.REGISTRY[name].spec.cite}," in bibliography
