"""Every activation in the registry, every derivative, against the contract and mpmath."""

import itertools
import pickle
import re
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import Any

import contract
import mpmath
import numpy as np
import pytest
import stored
from contract import (
    CASES,
    FLOATS,
    NEAR,
    REPRESENTATIVE,
    Case,
    deep_unless,
    each_case,
    each_dtype,
    in_turn,
)
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import actlib
from actlib.check import check_activation, grid, measure, reference

pytestmark = pytest.mark.usefixtures("exact_values")

#: Not traced: most of their time goes into mpmath, which tracing would make half as slow again.
untraced = pytest.mark.no_cover
each_in_turn = pytest.mark.parametrize(("case", "dtype"), [*in_turn(CASES, FLOATS)], ids=str)
each_value = pytest.mark.parametrize("case", [case for case in CASES if not case.wrt], ids=str)


@pytest.fixture
def points(pytestconfig: pytest.Config, deep: bool) -> int:
    return pytestconfig.option.points or (1_000 if deep else stored.POINTS)


@untraced
@pytest.mark.parametrize(
    ("name", "dtype"),
    [*in_turn(actlib.REGISTRY.elementwise, FLOATS, quick=REPRESENTATIVE.__contains__)],
)
def test_the_checker_finds_nothing(
    name: str, dtype: Any, points: int, record_property: Any
) -> None:
    """Value and derivative, as `check_activation` examines anyone's."""
    f, worst = actlib.REGISTRY[name], {"value": 0.0, "gradient": 0.0}
    for values in itertools.product(*(p.samples for p in f.spec.params.values())):
        params = dict(zip(f.spec.params, values, strict=True))
        report = check_activation(
            f, params=params, dtypes=[np.dtype(dtype).name], points=min(points, 300)
        )
        report.raise_if_failed()
        for (of, _), accuracy in report.accuracy.items():
            worst[of] = max(worst[of], accuracy.errors.max())
    for of, e in worst.items():
        record_property("E", f"{e:.2f}  {name}, {of}, in {np.dtype(dtype)}")


@untraced
@each_in_turn
def test_accuracy(case: Case, dtype: Any, points: int, record_property: Any) -> None:
    worst = contract.check_accuracy(case, dtype, points)
    record_property("E", f"{worst:.2f}  {case} in {np.dtype(dtype)}")


JOINTS = (-6.0, -3.0, -1.0, -0.0, 0.0, 1.0, 3.0, 6.0)  # where some derivative jumps


@untraced
@pytest.mark.parametrize(("name", "dtype"), [*in_turn(actlib.REGISTRY.elementwise, FLOATS)])
def test_accuracy_of_second_derivatives(name: str, dtype: Any, points: int) -> None:
    f = actlib.REGISTRY.elementwise[name]
    samples = [param.samples for param in f.spec.params.values()]
    for params in itertools.product(*samples):
        values = dict(zip(f.spec.params, contract.rounded(params, dtype), strict=True))
        z = grid(dtype, {*JOINTS, *f.spec.kinks_at(**values)}, min(points, 200))
        found = measure(f.grad.grad, f.spec, ("z", "z"), z, params, 8.0)
        assert found.errors.max() <= 8, found.worst()
        assert not found.lost.any(), found.worst()


@each_dtype
@pytest.mark.parametrize("name", actlib.REGISTRY.elementwise)
def test_second_derivatives_where_the_first_has_a_kink(name: str, dtype: Any) -> None:
    """It is the one to the left or to the right."""
    f, exact = actlib.REGISTRY.elementwise[name], reference(actlib.REGISTRY[name].spec, "z", "z")
    for params in itertools.product(*(param.samples for param in f.spec.params.values())):
        values = contract.rounded(params, dtype)
        named = dict(zip(f.spec.params, values, strict=True))
        for joint in {*JOINTS, *f.spec.kinks_at(**named)}:
            with mpmath.workdps(100):
                sides = [float(exact(joint + side, *values)) for side in (-NEAR, NEAR)]
            got = f.grad.grad(dtype(joint), *params)
            near = np.isclose(sides, got, rtol=16 * np.finfo(dtype).eps, atol=1e-30)
            assert near.any(), f"{name} at {joint} with {params}: {got}, right is one of {sides}"


@each_dtype
@pytest.mark.parametrize("name", actlib.REGISTRY.elementwise)
def test_second_derivatives_at_special_numbers(name: str, dtype: Any) -> None:
    f = actlib.REGISTRY.elementwise[name]
    assert np.isnan(f.grad.grad(dtype(np.nan)))
    limits = [0.0, 2.0 if name == "relu_squared" else 0.0]
    assert f.grad.grad(np.array([-np.inf, np.inf], dtype)).tolist() == limits


@each_dtype
@each_case
@pytest.mark.parametrize("check", contract.BY_DTYPE.values(), ids=contract.BY_DTYPE.keys())
def test_contract(check: Any, case: Case, dtype: Any) -> None:
    check(case, dtype)


@each_in_turn
def test_out(case: Case, dtype: Any, deep: bool) -> None:
    contract.check_out(case, dtype, deep)


@each_dtype
@each_case
def test_blocks(case: Case, dtype: Any, deep: bool) -> None:
    contract.check_blocks(case, dtype, deep)


@each_dtype
@pytest.mark.parametrize(  # in one pass, with temporaries, a derivative
    "case", deep_unless(lambda case: str(case) in ("relu", "gelu", "mish.grad"), CASES), ids=str
)
def test_memory(case: Case, dtype: Any) -> None:
    contract.check_memory(case, dtype)


@each_dtype
@pytest.mark.parametrize(
    "name", deep_unless(lambda name: name == "gelu", actlib.REGISTRY.elementwise)
)
def test_memory_of_value_and_derivative(name: str, dtype: Any) -> None:
    contract.check_memory_together(actlib.REGISTRY[name], dtype)


@each_dtype
@each_value
def test_range(case: Case, dtype: Any) -> None:
    contract.check_range(case, dtype)


@each_dtype
@each_value
def test_value_and_derivative_together(case: Case, dtype: Any, deep: bool) -> None:
    contract.check_together(case.activation, dtype, deep)


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
    both = case.activation.value_and_grad
    assert pickle.loads(pickle.dumps(both)) is both
    assert function.__module__ == case.activation.__module__
    assert function.__doc__
    assert f"derivative of `{case.activation.__name__}`" in (both.__doc__ or "")
    assert function.__wrapped__ is not None


@each_case
@given(data=st.data())
def test_accuracy_anywhere(case: Case, data: st.DataObject) -> None:
    """At any number, for any sampled parameters, in either dtype."""
    width = data.draw(st.sampled_from([32, 64]))
    params = data.draw(st.sampled_from(list(case.samples())))
    numbers = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False, width=width)
    z = np.array(data.draw(st.lists(numbers, min_size=1, max_size=3)), f"f{width // 8}")
    accuracy = measure(case.function, case.activation.spec, case.wrt, z, params, case.allowed)
    rounded = contract.rounded(params, z.dtype.type)
    kinks = np.isin(z, list(case.activation.spec.kinks_at(**case.named(rounded))))
    assert not accuracy.lost[~kinks].any(), accuracy.worst()
    assert (accuracy.errors[~kinks] <= case.allowed).all(), accuracy.worst()


@each_case
@given(
    z=hnp.arrays(
        st.sampled_from([np.float16, np.float32, np.float64, np.int64]),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5),
    )
)
def test_any_array(case: Case, z: np.ndarray) -> None:
    """Whatever the array: its shape, its dtype, NaN just where it has NaN, and no trace in it."""
    before = z.copy()
    got = case.function(z)
    assert got.shape == z.shape
    assert got.dtype == (z.dtype if z.dtype.kind == "f" else np.float64)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(z))
    np.testing.assert_array_equal(z, before)


@pytest.mark.deep
@pytest.mark.parametrize("path", ["relu", "sigmoid", "gelu_tanh.grad"])
def test_a_hundred_million_numbers_take_one_output(path: str) -> None:
    function = attrgetter(path)(actlib)
    z = np.linspace(-8, 8, 10**8, dtype=np.float32)
    got, peak = contract.traced(function, z)
    assert peak <= got.nbytes + 2_000_000
    assert got[-1] == function(z[-1])


@pytest.mark.parametrize("name", actlib.REGISTRY.elementwise)
def test_the_source_is_in_the_bibliography(name: str) -> None:
    bibliography = (Path(__file__).parent.parent / "chapters" / "references.bib").read_text()
    assert f"{{{actlib.REGISTRY[name].spec.cite}," in bibliography


@pytest.mark.parametrize("name", actlib.REGISTRY)
def test_the_documentation_is_whole(name: str) -> None:
    """A sentence, the formula, and the sections of numpydoc, in their order."""
    doc = actlib.REGISTRY[name].__doc__ or ""
    wanted = ["Parameters", "Returns", "Raises", "Notes", "References", "Examples"]
    found = re.findall(r"^(\w+)\n-+$", doc, re.MULTILINE)
    assert [section for section in wanted if section in found] == found
    assert set(wanted) - set(found) <= {"Notes"}
    summary, formula = doc.split("\n\n")[:2]
    assert summary.endswith(".")
    assert formula == f".. math:: {actlib.REGISTRY[name].spec.formula}"


def test_a_family_is_what_a_file_declares() -> None:
    families: dict[str, set[str]] = {}
    for function in actlib.REGISTRY.values():
        families.setdefault(function.__module__, set()).add(function.spec.family)
    assert [found for found in families.values() if len(found) > 1] == []
    assert len(set.union(*families.values())) == len(families)


def jumps(case: Case, kink: float, params: dict[str, float]) -> bool:
    with mpmath.workdps(100):
        sides = kink - contract.NEAR, kink + contract.NEAR
    values = [[float(case.exact(*wrt)(z, *params.values())) for z in sides] for wrt in [(), ("z",)]]
    return any(abs(left - right) > 1e-12 for left, right in values)


@pytest.mark.parametrize("name", actlib.REGISTRY.elementwise)
def test_something_jumps_at_a_kink(name: str) -> None:
    case = Case(actlib.REGISTRY[name], ())
    for chosen in case.samples():
        params = case.named(chosen)
        for kink in case.activation.spec.kinks_at(**params):
            assert jumps(case, kink, params), f"nothing jumps at {kink}: {name}, {params}"
    assert not jumps(Case(actlib.relu_squared, ()), 0.0, {})


def shape_problems(activation: Any) -> list[str]:
    """What is wrong with the declared facts on the shape, at the default parameters."""
    spec, z = activation.spec, np.linspace(-30, 30, 60_002)  # an even number: 0 is not among them
    slope = activation.grad(z)
    turns = np.flatnonzero(slope[:-1] * slope[1:] < 0)
    turns = turns[[not any(z[i] <= kink <= z[i + 1] for kink in spec.kinks_at()) for i in turns]]
    problems = []
    if spec.monotonic != (np.diff(activation(z)) >= -1e-12).all():
        problems.append("monotonic")
    if len(turns) > 1 or len(turns) != (spec.root is not None):
        problems.append(f"root: the derivative changes its sign near {z[turns]}")
    elif spec.root is not None:
        ends = np.nextafter(np.array(spec.root), [-np.inf, np.inf])
        left, right = (reference(spec, "z")(end, *defaults(spec)) for end in ends.tolist())
        if left * right > 0:
            problems.append("root: it has further digits")
    return problems


def defaults(spec: Any) -> tuple[float, ...]:
    return tuple(param.default for param in spec.params.values())


@pytest.mark.parametrize("name", actlib.REGISTRY.elementwise)
def test_the_shape_is_as_declared(name: str) -> None:
    assert shape_problems(actlib.REGISTRY[name]) == []


@pytest.mark.parametrize(
    ("name", "fault", "problem"),
    [
        ("relu", {"monotonic": False}, "monotonic"),
        ("silu", {"monotonic": True}, "monotonic"),
        ("tanh", {"root": 0.0}, "root: the derivative changes"),
        ("silu", {"root": None}, "root: the derivative changes"),
        ("silu", {"root": -1.27846454276}, "root: it has further digits"),
    ],
)
def test_a_wrong_shape_is_found(name: str, fault: dict[str, Any], problem: str) -> None:
    activation = actlib.REGISTRY[name]

    def planted(z: Any) -> Any:
        return activation(z)

    planted.spec, planted.grad = replace(activation.spec, **fault), activation.grad  # type: ignore[attr-defined]
    (found,) = shape_problems(planted)
    assert problem in found


def kind(case: Case) -> tuple[bool, bool, bool]:
    spec = case.activation.spec
    return case.function.formula.one_pass, bool(spec.params), bool(spec.kinks_at())


def test_every_kind_is_represented() -> None:
    """Among those that are checked in full each time."""
    chosen = [case for case in CASES if contract.is_representative(case)]
    assert {case.activation.__module__ for case in chosen} == {
        case.activation.__module__ for case in CASES
    }
    assert set(map(kind, chosen)) == set(map(kind, CASES))


def test_smooth_follows_the_kinks_at_the_default_parameters() -> None:
    assert actlib.tanh.spec.smooth
    assert actlib.elu.spec.smooth
    assert not actlib.relu.spec.smooth
    assert not actlib.prelu.spec.smooth


def test_selu_keeps_mean_and_variance() -> None:
    """Of a standard normal pre-activation, by Gauss quadrature on either side of the kink."""
    x, weights = np.polynomial.legendre.leggauss(80)
    z = np.concatenate([6 * x - 6, 6 * x + 6])
    density = np.tile(6 * weights, 2) * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    y = actlib.selu(z)
    assert abs(y @ density) < 1e-12
    assert abs(y**2 @ density - 1) < 1e-12
