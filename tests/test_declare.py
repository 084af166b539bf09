"""The checks are checked: each planted fault must be found. And the declaring itself."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import inspect
import math
import pickle
import re
from collections.abc import Callable, Iterator
from math import inf
from typing import Any

import array_api_strict
import contract
import numpy as np
import pytest
from contract import Case, each_dtype

import actlib
from actlib import REGISTRY
from actlib._core.blocks import BLOCK
from actlib._core.declare import activation, both, derivative
from actlib._core.spec import Param

Kernel = Callable[..., Any]


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever a test declares is forgotten after it."""
    before = dict(REGISTRY)
    yield
    REGISTRY.clear()
    REGISTRY.update(before)


def sigmoid_like(slope: Kernel) -> Case:
    """The sigmoid, with this kernel for its derivative."""

    @activation(
        formula=r"\sigma(z)",
        exact=actlib.sigmoid.spec.exact,
        cite="rumelhart1986learning",
        year=1986,
        family="Planted",
        limits=(0, 1),
        range=(0, 1),
    )
    def planted(xp: Any, z: Any) -> Any:
        """Planted."""
        return 1 / (1 + xp.exp(-z))

    derivative(planted, limits=(0, 0))(slope)
    return Case(planted, ("z",))


def relu_like(slope: Kernel) -> Case:
    """ReLU, with this kernel for its derivative."""

    @activation(
        formula=r"\max(0, z)",
        exact=actlib.relu.spec.exact,
        cite="nair2010rectified",
        year=2010,
        family="Planted",
        limits=(0, inf),
        range=(0, inf),
        kinks=(0.0,),
    )
    def planted(xp: Any, z: Any) -> Any:
        """Planted."""
        return xp.maximum(z, 0)

    derivative(planted, limits=(0, 1))(slope)
    return Case(planted, ("z",))


def prelu_like(value: Kernel, partial: Kernel) -> list[Case]:
    """PReLU, with these kernels for its value and its partial by alpha."""

    def planted(xp: Any, z: Any, alpha: Any = 0.25) -> Any:
        """Planted."""
        return value(xp, z, alpha)

    spec = actlib.prelu.spec
    planted = activation(
        formula=spec.formula,
        exact=spec.exact,
        cite=spec.cite,
        year=spec.year,
        family="Planted",
        limits=spec.limits,
        range=spec.range,
        kinks=spec.kinks,
        params={"alpha": Param(samples=(0.0, 1.5))},
    )(planted)
    derivative(planted, "alpha", limits=(-inf, 0))(partial)
    return [Case(planted, ()), Case(planted, ("alpha",))]


def slope(xp: Any, z: Any) -> Any:
    """The sigmoid's derivative, as it should be."""
    e = xp.exp(-xp.abs(z))
    return e / ((1 + e) * (1 + e))


def leaky(xp: Any, z: Any, alpha: Any) -> Any:
    return xp.where(z > 0, z, alpha * z)


def by_output(xp: Any, z: Any) -> Any:
    s = 1 / (1 + xp.exp(-z))
    return s * (1 - s)


def passes(case: Case, dtype: Any) -> None:
    """Everything that the registry test runs on a derivative."""
    contract.check_accuracy(case, dtype)
    for check in (*contract.BY_DTYPE.values(), contract.check_out, contract.check_blocks):
        check(case, dtype)
    contract.check_memory(case, dtype)
    contract.check_halves(case)
    contract.check_rejected(case)


@each_dtype
def test_the_planted_activations_themselves_are_right(dtype: Any) -> None:
    passes(sigmoid_like(slope), dtype)
    passes(relu_like(lambda xp, z: xp.astype(z > 0, z.dtype)), dtype)
    for case in prelu_like(leaky, lambda xp, z, alpha: xp.where(z > 0, 0, z)):
        passes(case, dtype)


@each_dtype
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(lambda xp, z: slope(xp, z) * 1.001, id="0.1% off"),
        pytest.param(lambda xp, z: -slope(xp, z), id="wrong sign"),
        pytest.param(lambda xp, z: slope(xp, xp.maximum(z, -15)), id="wrong in one tail"),
        pytest.param(
            lambda xp, z: xp.where(xp.abs(z - 7) < 0.2, 1.0, slope(xp, z)), id="wrong in a gap"
        ),
        pytest.param(lambda xp, z: slope(xp, z) + 1e-9 * (z > 2), id="off by a constant"),
    ],
)
def test_accuracy_finds(fault: Kernel, dtype: Any) -> None:
    with pytest.raises(AssertionError, match=r"(?s)planted.grad at .*z = "):
        contract.check_accuracy(sigmoid_like(fault), dtype)


@each_dtype
def test_accuracy_finds_a_derivative_lost_in_the_tail(dtype: Any) -> None:
    with pytest.raises(AssertionError, match=r"lost numbers, planted.grad"):
        contract.check_accuracy(sigmoid_like(by_output), dtype)


@each_dtype
def test_accuracy_finds_a_maximum_that_fails_for_slopes_above_one(dtype: Any) -> None:
    value, _ = prelu_like(lambda xp, z, alpha: xp.maximum(z, alpha * z), leaky)
    with pytest.raises(AssertionError, match=r"planted at \(1.5,\)"):
        contract.check_accuracy(value, dtype)


@each_dtype
def test_accuracy_finds_a_wrong_partial(dtype: Any) -> None:
    _, partial = prelu_like(leaky, lambda xp, z, alpha: xp.maximum(z, 0))
    with pytest.raises(AssertionError, match=r"planted.partials.alpha"):
        contract.check_accuracy(partial, dtype)


@each_dtype
@pytest.mark.parametrize("at_zero", [0.5, 1.0])
def test_kinks_finds_another_slope(at_zero: float, dtype: Any) -> None:
    case = relu_like(lambda xp, z: xp.astype(z > 0, z.dtype) + at_zero * xp.astype(z == 0, z.dtype))
    contract.check_accuracy(case, dtype)
    with pytest.raises(AssertionError, match=r"planted.grad at 0.0"):
        contract.check_kinks(case, dtype)


@each_dtype
@pytest.mark.parametrize("where", ["value", "partial"])
def test_dtypes_finds_a_float64_that_leaks(where: str, dtype: Any) -> None:
    wide = lambda kernel: lambda xp, z, alpha: kernel(xp, z, alpha) * np.float64(1)  # noqa: E731
    partial = lambda xp, z, alpha: xp.where(z > 0, 0, z)  # noqa: E731
    kernels = {"value": leaky, "partial": partial}
    kernels[where] = wide(kernels[where])
    case = prelu_like(**kernels)[where == "partial"]
    if dtype is np.float64:
        contract.check_dtypes(case, dtype)  # a leak of float64 is one into float32 only ...
        kernels[where] = lambda xp, z, alpha: leaky(xp, z, alpha).astype(np.float32)
        case = prelu_like(**kernels)[where == "partial"]  # ... float64 suffers from the opposite
    with pytest.raises(AssertionError, match="turns float"):
        contract.check_dtypes(case, dtype)


@each_dtype
def test_signed_zero_finds_a_lost_sign(dtype: Any) -> None:
    value, _ = prelu_like(lambda xp, z, a: xp.maximum(z, 0) + a * xp.minimum(z, 0), leaky)
    contract.check_accuracy(value, dtype)
    with pytest.raises(AssertionError, match="planted"):
        contract.check_signed_zero(value, dtype)


@each_dtype
def test_infinities_finds_a_wrong_limit(dtype: Any) -> None:
    case = sigmoid_like(slope)
    derivative(case.activation, limits=(0, 1))(slope)
    with pytest.raises(AssertionError, match=r"planted.grad at 1000"):
        contract.check_infinities(case, dtype)


@each_dtype
def test_memory_finds_hungry_kernels(dtype: Any) -> None:
    case = sigmoid_like(slope)
    derivative(case.activation, limits=(0, 0), one_pass=True)(slope)
    with pytest.raises(AssertionError, match="peak"):
        contract.check_memory(case, dtype)


@each_dtype
def test_memory_finds_blocks_that_are_kept(dtype: Any) -> None:
    kept = []

    def slope_kept(xp: Any, z: Any) -> Any:
        kept.append(slope(xp, z))
        return kept[-1]

    case = sigmoid_like(slope_kept)
    with pytest.raises(AssertionError, match="peak"):
        contract.check_memory_together(case.activation, dtype)


@each_dtype
def test_blocks_finds_a_wrong_number_where_a_block_ends(dtype: Any) -> None:
    def wrong_at_last(xp: Any, z: Any) -> Any:
        out = slope(xp, z)
        return np.append(out[:-1], dtype(1)) if z.nbytes == BLOCK else out

    with pytest.raises(AssertionError, match="Mismatched elements: 3 /"):
        contract.check_blocks(sigmoid_like(wrong_at_last), dtype)


@each_dtype
def test_shapes_finds_a_kernel_that_writes_into_its_input(dtype: Any) -> None:
    def in_place(xp: Any, z: Any) -> Any:
        e = xp.exp(-xp.abs(z))
        z *= 1
        z += 1
        return e / ((1 + e) * (1 + e))

    with pytest.raises((AssertionError, ValueError)):
        contract.check_shapes(sigmoid_like(in_place), dtype)


@each_dtype
def test_shapes_finds_a_result_that_is_the_input(dtype: Any) -> None:
    value, _ = prelu_like(lambda xp, z, alpha: z, leaky)
    with pytest.raises(AssertionError, match="is its input"):
        contract.check_shapes(value, dtype)


def test_range_finds_a_bound_that_is_too_wide_or_too_narrow() -> None:
    for bounds in ((0, 2), (0, 0.9), (-1, 1), (0.1, 1)):

        @activation(
            formula=r"\sigma(z)",
            exact=actlib.sigmoid.spec.exact,
            cite="rumelhart1986learning",
            year=1986,
            family="Planted",
            limits=(0, 1),
            range=bounds,
        )
        def planted(xp: Any, z: Any) -> Any:
            return 1 / (1 + xp.exp(-z))

        with pytest.raises(AssertionError):
            contract.check_range(Case(planted, ()), np.float64)


# --- declaring


def test_a_declaration_is_all_it_takes() -> None:
    """The registry has it, and the parametrisation of the tests follows the registry."""
    case = sigmoid_like(slope)
    assert REGISTRY["planted"] is case.activation
    assert [str(c) for c in contract.cases(REGISTRY["planted"])] == ["planted", "planted.grad"]
    assert case.activation.spec.name == "planted"


def test_the_public_function_looks_like_one() -> None:
    assert str(inspect.signature(actlib.prelu)) == "(z, alpha=0.25, *, out=None)"
    assert str(inspect.signature(actlib.prelu.grad)) == "(z, alpha=0.25, *, out=None)"
    assert "z * _slope(xp, z, alpha)" in inspect.getsource(actlib.prelu.__wrapped__)
    document = inspect.getdoc(actlib.prelu) or ""
    assert actlib.prelu.spec.formula in document
    assert document.index("\nalpha : ") < document.index("\nout : ") < document.index("\nReturns")
    assert document.index("Returns\n---") < document.index("Raises\n---")
    assert document.index("Raises\n---") < document.index("Notes\n---")
    assert document.count("Raises\n---") == 1
    assert "0 at the kink" in (actlib.relu.grad.__doc__ or "")
    assert "Derivative of `prelu` with respect to alpha" in (
        actlib.prelu.partials["alpha"].__doc__ or ""
    )
    assert actlib.prelu(z=[-1.0]) == actlib.prelu([-1.0], alpha=0.25) == [-0.25]


def test_several_parameters_each_have_their_default() -> None:
    def planted(xp: Any, z: Any, low: Any = 1.0, high: Any = 3.0) -> Any:
        return xp.where(z > 0, high * z, low * z)

    planted = activation(
        formula="",
        exact=lambda m, z, low, high: m.where(z > 0, high * z, low * z),
        cite="",
        year=2000,
        family="Planted",
        limits=lambda xp, low, high: (-inf * low, inf * high),
        range=(-inf, inf),
        params={"low": Param(samples=(2.0,)), "high": Param()},
    )(planted)
    assert planted([-1.0, 1.0]).tolist() == [-1.0, 3.0]
    assert planted([-1.0, 1.0], high=5.0).tolist() == [-1.0, 5.0]
    assert planted([-1.0, 1.0], 2.0).tolist() == [-2.0, 3.0]
    assert planted.spec.params["low"].samples == (1.0, 2.0)
    assert planted.spec.params["high"].default == 3.0


def test_what_value_and_derivative_share_is_computed_once() -> None:
    """By the kernel that returns both, and by it alone; block by block too, and on other arrays."""
    asked: list[int] = []

    def exponential(xp: Any, z: Any) -> Any:
        asked.append(z.size)
        return xp.exp(z)

    facts = {"exact": lambda m, z: m.exp(z), "cite": "", "year": 2000, "family": "Planted"}
    function = activation(formula="", limits=(0, inf), range=(0, inf), **facts)(exponential)
    derivative(function, limits=(0, inf))(exponential)
    function.value_and_grad(0.0)  # the first call asks for NaN and the infinities, too
    several_blocks = np.linspace(-3, 3, 100_000)
    for times in (2, 1):
        for z in (np.array([-1.0, 2.0]), several_blocks, array_api_strict.asarray([-1.0, 2.0])):
            asked.clear()
            got = function.value_and_grad(z)
            assert sum(asked) == times * z.size
            np.testing.assert_array_equal(np.asarray(got[0]), np.asarray(got[1]))
        both(function)(lambda xp, z: (exponential(xp, z),) * 2)
    infinite = np.array([-inf, np.nan, inf])
    np.testing.assert_array_equal(function.value_and_grad(infinite), [[0, np.nan, inf]] * 2)


def test_together_finds_another_number_in_the_kernel_of_both() -> None:
    function = sigmoid_like(slope).activation
    both(function)(lambda xp, z: (1 / (1 + xp.exp(-z)), slope(xp, z) * (1 + 1e-15)))
    with pytest.raises(AssertionError, match=r"planted\.value_and_grad"):
        contract.check_together(function, np.float64)


def test_facts_at_parameters() -> None:
    """One way to get them: by name, the others at their defaults, in their domain."""
    spec = actlib.soft_shrink.spec
    assert spec.kinks_at() == (-0.5, 0.5)
    assert spec.kinks_at(lambd=2) == (-2.0, 2.0)
    assert actlib.elu.spec.kinks_at() == ()
    assert actlib.elu.spec.kinks_at(alpha=0.5) == (0.0,)
    assert actlib.elu.spec.range_at(alpha=2) == (-2.0, inf)
    assert actlib.elu.spec.limits_at(alpha=2) == (-2.0, inf)
    assert actlib.leaky_relu.spec.limits_at(slope=-0.5) == (inf, inf)
    assert actlib.relu.spec.limits_at() == (0.0, inf)
    assert actlib.reglu.spec.kinks_at() == (0.0,)
    assert not actlib.reglu.spec.smooth
    with pytest.raises(TypeError, match=r"prelu has no parameter 'alfa'; did you mean alpha\?"):
        actlib.prelu.spec.kinks_at(alfa=1.0)
    with pytest.raises(TypeError, match="relu has no parameter 'alpha'; it has: none"):
        actlib.relu.spec.range_at(alpha=1.0)
    with pytest.raises(ValueError, match=r"celu: alpha must be a finite number above 0, got -1\.0"):
        actlib.celu.spec.limits_at(alpha=-1.0)
    with pytest.raises(TypeError, match="celu: alpha must be a real number, got 'x'"):
        actlib.celu.spec.limits_at(alpha="x")
    assert actlib.elu.spec.values(alpha=np.float32(0.5)) == (0.5,)
    assert actlib.softmax.spec.monotonic is None


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize(("given", "becomes"), [(1e-50, "0"), (np.float64(1e300), "inf")])
def test_a_parameter_that_rounding_takes_out_of_its_domain(
    given: float, becomes: str, dtype: Any
) -> None:
    words = rf"got {re.escape(repr(given))}, which is {becomes} in float32$"
    with pytest.raises(ValueError, match=words):
        actlib.celu(dtype(1), alpha=given)
    assert np.isfinite(actlib.celu(np.float64(1), alpha=given))
    for bad in (0, np.nan):
        with pytest.raises(ValueError, match=rf"celu: alpha must be .* above 0, got {bad}$"):
            actlib.celu(dtype(1), alpha=bad)


def test_an_unknown_name_is_told_the_nearest() -> None:
    for error in (KeyError, ValueError):
        with pytest.raises(error, match=r"^the registry has no function 'gelo'; did you mean gelu"):
            REGISTRY["gelo"]
    with pytest.raises(KeyError, match=r"^softmax acts on vectors, not elementwise: it has \.vjp"):
        REGISTRY.elementwise["softmax"]
    with pytest.raises(KeyError, match=r"^the registry has no function 0; it has: silu"):
        REGISTRY[0]
    assert REGISTRY.get("gelo") is None
    with pytest.raises(TypeError, match="does not support item assignment"):
        REGISTRY.elementwise["gelo"] = actlib.gelu


def test_every_kernel_has_a_name_of_its_own() -> None:
    """A traceback tells by it which function failed, and what of it."""
    for f in REGISTRY.elementwise.values():
        for public in (f.grad, f.grad.grad, *f.partials.values()):
            kernel = public.__wrapped__.__name__
            if kernel == "_zero":  # of all that are straight lines
                continue
            owners = [name for name in REGISTRY.elementwise if kernel.startswith(f"{name}_")]
            assert owners, f"the kernel of {public.__qualname__} is called {kernel}"
    for name in ("softmax", "glu"):
        assert REGISTRY[name].vjp.__wrapped__.__name__ == f"{name}_vjp"


def test_the_users_own_warnings_are_never_silenced() -> None:
    """Nor are they in another thread, in a coroutine, or after an error in the call."""

    def warns() -> bool:
        with pytest.raises(FloatingPointError):
            np.float64(1) / np.zeros(1)
        return True

    def call() -> bool:
        with np.errstate(all="raise"):
            actlib.gelu(np.linspace(-1e3, 1e3, 100_000))
            with pytest.raises(TypeError):
                actlib.gelu("a")
            return warns()

    async def calls() -> list[bool]:
        return await asyncio.gather(*(asyncio.to_thread(call) for _ in range(4)), coroutine())

    async def coroutine() -> bool:
        with np.errstate(all="raise"):
            actlib.silu(np.full(3, -1e3))
            await asyncio.sleep(0)
            return warns()

    assert call()
    assert all(asyncio.run(calls()))


def test_the_same_name_in_another_module_is_refused() -> None:
    def relu(xp: Any, z: Any) -> Any:
        return z

    spec = actlib.relu.spec
    declare = activation(
        formula="",
        exact=spec.exact,
        cite="",
        year=2000,
        family="Planted",
        limits=spec.limits,
        range=spec.range,
    )
    with pytest.raises(
        ValueError, match=r"'relu' is already declared in actlib.functions.rectifiers"
    ):
        declare(relu)


def test_derivatives_are_declared_in_order() -> None:
    facts = {"exact": lambda m, z: z, "cite": "", "year": 2000, "family": "Planted"}
    function = activation(formula="", limits=(0, 1), range=(0, 1), **facts)(lambda_called("mine"))
    with pytest.raises(ValueError, match="mine has no derivative yet; declare that first"):
        both(function)
    with pytest.raises(ValueError, match="order must be 1 or 2, got 3"):
        derivative(function, limits=(0, 1), order=3)


def test_an_activation_needs_a_public_name() -> None:
    facts = {"exact": lambda m, z: z, "cite": "", "year": 2000, "family": "Planted"}
    with pytest.raises(ValueError, match="is called what its kernel is, which is '_'; give that"):
        activation(formula="", limits=(0, 1), range=(0, 1), **facts)(lambda_called("_"))


def lambda_called(name: str) -> Kernel:
    def kernel(xp: Any, z: Any) -> Any:
        return z

    kernel.__name__ = name
    return kernel


def test_undeclared_parameters_are_refused() -> None:
    def planted(xp: Any, z: Any, beta: Any = 1.0) -> Any:
        return z

    declare = activation(
        formula="",
        exact=lambda m, z: z,
        cite="",
        year=2000,
        family="Planted",
        limits=(-inf, inf),
        range=(-inf, inf),
    )
    with pytest.raises(TypeError, match=r"planted takes \['beta'\] but declares \[\]"):
        declare(planted)
    with pytest.raises(ValueError, match="prelu has no parameter 'beta'; it has: alpha"):
        derivative(actlib.prelu, "beta", limits=(0, 0))


def test_an_unknown_partial_is_named() -> None:
    with pytest.raises(KeyError, match="prelu has no partial 'beta'; it has: alpha"):
        actlib.prelu.partials["beta"]
    with pytest.raises(AttributeError, match="relu has no partial 'alpha'; it has: none"):
        _ = actlib.relu.partials.alpha


def test_partials_can_be_copied() -> None:
    assert copy.deepcopy(actlib.prelu.partials) == actlib.prelu.partials
    assert pickle.loads(pickle.dumps(actlib.prelu.partials)) == actlib.prelu.partials


@pytest.mark.parametrize("name", REGISTRY)
def test_a_specification_is_pickled_as_that_of_its_function(name: str) -> None:
    spec = REGISTRY[name].spec
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(spec, protocol)) is spec
    assert copy.deepcopy([spec]) == [spec]


def test_a_changed_specification_stays_changed() -> None:
    changed = dataclasses.replace(actlib.prelu.spec, year=1)
    assert copy.copy(changed) == copy.deepcopy(changed) == changed
    assert copy.deepcopy(changed).year == 1
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(changed)
    named = dataclasses.replace(
        changed, exact=math.hypot, limits=(0, 1), range=(0, 1), kinks=(0.0,)
    )
    assert pickle.loads(pickle.dumps(named)) == named


def test_the_domain_is_said_in_words() -> None:
    assert Param().domain == "a finite number"
    assert Param(low=0).domain == "a finite number above 0"
    assert Param(low=0, high=1).domain == "a finite number above 0 and below 1"
    assert Param(low=0).allows(np.array([-1.0, 0.0, 1.0, np.inf])).tolist() == [
        False,
        False,
        True,
        False,
    ]


def test_a_title_is_declared_or_the_name_in_words() -> None:
    titles = {name: function.spec.title for name, function in REGISTRY.items()}
    assert (titles["leaky_relu"], titles["swiglu"]) == ("Leaky ReLU", "SwiGLU")
    assert (titles["hard_sigmoid"], titles["mish"]) == ("Hard sigmoid", "Mish")
    assert len(set(titles.values())) == len(titles)
    unwritten = [title for title in titles.values() if re.search(r"lu\d?\b", title)]
    assert not unwritten, "an abbreviation needs a title of its own, such as title='GELU'"
