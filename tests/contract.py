"""The contract that every activation and every derivative keeps, as checks that raise.

``test_activations`` runs them over the registry; ``test_declare`` runs them on planted faults, and
demands that they fail.
"""

from __future__ import annotations

import functools
import itertools
import tracemalloc
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import mpmath
import numpy as np
import pytest

import actlib
from actlib._core.blocks import BLOCK
from actlib.check import grid, measure, reference

FLOATS = (np.float32, np.float64)
HALVES = (np.float16, ml_dtypes.bfloat16)
WHOLE = (np.bool_, np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64)
# Where a spec cannot say which side of a kink is followed: neither is flat, and not the left one.
AT_KINKS = {"hard_silu.grad": {3.0: 1.0}}
FAR = 10**400  # as good as infinity: beyond every double, but the exact formulas can be evaluated

NEAR = mpmath.mpf(10) ** -60  # as good as one-sided


@dataclass(frozen=True)
class Case:
    """A value or a derivative of an activation, and what it is a derivative by."""

    activation: Any
    wrt: tuple[str, ...]

    @property
    def function(self) -> Callable[..., Any]:
        if not self.wrt:
            return self.activation
        (by,) = self.wrt
        return self.activation.grad if by == "z" else self.activation.partials[by]

    @property
    def allowed(self) -> float:
        return 8.0 if self.wrt else 4.0

    def __str__(self) -> str:
        return self.function.__qualname__

    @property
    def defaults(self) -> tuple[float, ...]:
        return tuple(param.default for param in self.activation.spec.params.values())

    def named(self, params: Iterable[float]) -> dict[str, float]:
        return dict(zip(self.activation.spec.params, params, strict=True))

    def samples(self) -> Iterator[tuple[float, ...]]:
        """Every combination of the sampled parameters."""
        return itertools.product(*(p.samples for p in self.activation.spec.params.values()))

    def exact(self, *wrt: str) -> Callable[..., Any]:
        return reference(self.activation.spec, *self.wrt, *wrt)


def cases(activation: Any) -> list[Case]:
    """The value, the derivative, and the partial for every parameter."""
    assert hasattr(activation, "grad"), f"{activation.__name__} has no @derivative"
    return [Case(activation, wrt) for wrt in [(), ("z",), *((p,) for p in activation.spec.params)]]


CASES = [case for f in actlib.REGISTRY.elementwise.values() for case in cases(f)]
VECTORS = {name: f for name, f in actlib.REGISTRY.items() if not f.spec.elementwise}
each_case = pytest.mark.parametrize("case", CASES, ids=str)
each_dtype = pytest.mark.parametrize("dtype", FLOATS)

# Some of every kind: with and without a temporary, a kink, a parameter, a part that is shared.
REPRESENTATIVE = ("relu", "hard_shrink", "tanh", "elu", "softplus", "hard_silu", "swish", "gelu")


def is_representative(case: Case) -> bool:
    return case.activation.__name__ in REPRESENTATIVE


def deep_unless(quick: Callable[[Any], bool], values: Iterable[Any]) -> list[Any]:
    """Values for parametrize, of which those that are not quick run only with --deep."""
    return [x if quick(x) else pytest.param(x, marks=pytest.mark.deep) for x in values]


def always(value: Any) -> bool:
    return True


def in_turn(
    values: Iterable[Any], *ways: Iterable[Any], quick: Callable[[Any], bool] = always
) -> Iterator[Any]:
    """Each value in all ways, for parametrize; without --deep each quick one once, ways in turn."""
    every = [*itertools.product(*ways)]
    turns = itertools.cycle(range(len(every)))
    for value in values:
        turn = next(turns) if quick(value) else None
        for number, way in enumerate(every):
            yield pytest.param(value, *way, marks=() if number == turn else pytest.mark.deep)


each_representative = pytest.mark.parametrize(
    "case", deep_unless(is_representative, CASES), ids=str
)


def rounded(params: tuple[float, ...], dtype: Any) -> list[float]:
    return [float(dtype(param)) for param in params]


# --- many at once, for libraries that compile: most of their time goes into each compilation


def attempts(calls: Mapping[str, Callable[..., Any]], *arrays: Any) -> dict[str, Any]:
    """What each call gives, arrays of the kind and dtype of the first, or the error it raises."""
    found: dict[str, Any] = {}
    for name, call in calls.items():
        try:
            found[name] = call(*arrays)
            for got in found[name] if isinstance(found[name], tuple) else (found[name],):
                assert type(got) is type(arrays[0]), f"{name} is of {type(got)}"
                assert got.dtype == arrays[0].dtype, f"{name} is of dtype {got.dtype}"
        except Exception as error:  # whatever it is, it is the failure of this call alone
            found[name] = error
    return found


def compiled_attempts(
    compiler: Callable[..., Any], calls: Mapping[str, Callable[..., Any]], *arrays: Any
) -> dict[str, Any]:
    """The same by one compilation of them all, such as by ``jax.jit``."""
    errors: dict[str, Exception] = {}

    def together(*arrays: Any) -> dict[str, Any]:
        found = attempts(calls, *arrays)
        errors.update({key: got for key, got in found.items() if isinstance(got, Exception)})
        return {key: got for key, got in found.items() if key not in errors}

    return {**compiler(together)(*arrays), **errors}


def result(found: Mapping[str, Any], name: str) -> Any:
    """What an attempt gave; it fails as the attempt did."""
    if isinstance(found[name], Exception):
        raise found[name]
    return found[name]


# --- numbers


def check_accuracy(case: Case, dtype: Any, points: int = 200) -> float:
    """E is small and nothing is lost, over all normal numbers. Returns the largest E."""
    worst = 0.0
    for params in case.samples():
        kinks = case.activation.spec.kinks_at(**case.named(rounded(params, dtype)))
        z = grid(dtype, {0.0, *kinks}, points)
        accuracy = measure(case.function, case.activation.spec, case.wrt, z, params, case.allowed)
        problem = f"{case} at {params} in {np.dtype(dtype)}:\n{accuracy.worst()}"
        assert not accuracy.lost.any(), f"lost numbers, {problem}"
        assert accuracy.errors.max() <= case.allowed, problem
        worst = max(worst, float(accuracy.errors.max()))
    return worst


def check_kinks(case: Case, dtype: Any) -> None:
    """At a kink: the slope of the flat side if there is one, else the left slope."""
    for params in case.samples():
        p = rounded(params, dtype)
        for kink in case.activation.spec.kinks_at(**case.named(p)):
            with mpmath.workdps(100):
                sides = kink - NEAR, kink + NEAR
            left, right = (float(case.exact()(z, *p)) for z in sides)
            expected = 0.0 if 0.0 in (round(left, 40), round(right, 40)) else left
            expected = AT_KINKS.get(str(case), {}).get(kink, expected)
            got = case.function(dtype(kink), *params)
            np.testing.assert_allclose(
                got, expected, rtol=4 * np.finfo(dtype).eps, atol=0, err_msg=f"{case} at {kink}"
            )


def check_nan(case: Case, dtype: Any) -> None:
    for params in case.samples():
        got = case.function(np.array([np.nan, 1.0, np.nan], dtype), *params)
        assert np.isnan(got).tolist() == [True, False, True], f"{case} at NaN: {got}"


def check_infinities(case: Case, dtype: Any) -> None:
    """At ±inf stands the limit of the exact formula, also amid other numbers."""
    for params in case.samples():
        got = case.function(np.array([-np.inf, 1.0, np.inf], dtype), *params)
        for value, far in zip(got[::2], (-FAR, FAR), strict=True):
            exact = case.exact()(far, *rounded(params, dtype))
            if abs(exact) > 1e300:
                exact = np.copysign(np.inf, float(np.sign(exact)))
            np.testing.assert_allclose(
                value, dtype(exact), rtol=1e-30, atol=1e-30, err_msg=f"{case} at {far}, {params}"
            )


def check_signed_zero(case: Case, dtype: Any) -> None:
    """Where f(0) = 0 and the slope left of it is not 0, -0.0 keeps its sign (times the slope's)."""
    for params in case.samples():
        exact, p = case.exact(), rounded(params, dtype)
        slope = float(case.exact("z")(-NEAR, *p))
        if abs(float(exact(0.0, *p))) < 1e-100 and abs(slope) > 1e-40:
            got = case.function(np.array([-0.0, -0.0], dtype), *params)
            assert (np.signbit(got) == (slope > 0)).all(), f"{case}(-0.0) is {got}"


def check_range(case: Case, dtype: Any) -> None:
    """Values stay within the declared range, and come close to both ends of it."""
    for params in case.samples():
        low, high = case.activation.spec.range_at(**case.named(rounded(params, dtype)))
        z = np.append(grid(dtype), [-np.inf, np.inf]).astype(dtype)
        for _ in range(3):  # look closer around the least and the largest value
            got = case.function(z, *params)
            near = [z[max(i - 1, 0) : i + 2] for i in (got.argmin(), got.argmax())]
            ends = [np.clip(part[[0, -1]], -1e30, 1e30) for part in near]
            z = np.sort(np.concatenate([z, *(np.linspace(*end, 500, dtype=dtype) for end in ends)]))
        # an asymptote is never crossed; a value at a stationary point is rounded like all others
        slack = 1 + 4 * np.finfo(dtype).eps * np.isfinite(z[[got.argmin(), got.argmax()]])
        least, largest = np.array([low, high], dtype) * slack.astype(dtype)
        assert least <= got.min(), f"{case} at {params} falls to {got.min()}, below {low}"
        assert got.max() <= largest, f"{case} at {params} rises to {got.max()}, above {high}"
        np.testing.assert_allclose([got.min(), got.max()], [low, high], rtol=1e-6, atol=1e-30)


# --- types


def check_dtypes(case: Case, dtype: Any) -> None:
    """The dtype is kept; whole numbers become the default float; the kernel leaks no float64."""
    z = np.array([0, 1, 1])
    for given in (*FLOATS, *HALVES):
        got = case.function(z.astype(given)).dtype
        assert got == given, f"{case} of {np.dtype(given)} is {got}"
    for given in WHOLE:
        assert case.function(z.astype(given)).dtype == np.float64
    for params in case.samples():
        with np.errstate(all="ignore"):
            leaked = case.function.__wrapped__(np, z.astype(dtype), *map(dtype, params)).dtype
        assert leaked == dtype, f"the kernel of {case} turns {np.dtype(dtype)} into {leaked}"


def check_halves(case: Case) -> None:
    """All 65,536 inputs of either half precision: computed in float32, rounded once."""
    for half in HALVES:
        z = np.arange(2**16, dtype=np.uint16).view(half)
        with np.errstate(over="ignore", invalid="ignore"):
            wide = z.astype(np.float32)  # NaNs with odd payloads signal
            expected = case.function(wide).astype(half).astype(np.float32)
            got = case.function(z)
            assert got.dtype == half
            np.testing.assert_array_equal(got.astype(np.float32), expected)


def check_rejected(case: Case) -> None:
    """What is no array of real numbers is refused, by a message that names function and dtype."""
    refused = [
        np.ones(2, np.complex64),
        1j,
        np.ones(2, np.longdouble),
        np.ones(2, ml_dtypes.float8_e4m3fn),
        np.ones(2, ml_dtypes.float8_e5m2),
        np.array([None, 1.0]),
        None,
        "a",
        np.ma.masked_equal([1.0, 2.0], 2.0),
        np.array(["2026-01-01"], "M8[D]"),
        [[1.0], [1.0, 2.0]],
    ]
    for z in refused:
        with pytest.raises(TypeError, match=f"^{case}: "):
            case.function(z)


# --- shapes and memory


def check_shapes(case: Case, dtype: Any) -> None:
    """Any shape and layout gives the same numbers, in the same shape; the input is not touched."""
    z = np.linspace(-9, 9, 60, dtype=dtype).reshape(6, 10)
    expected = case.function(z)
    for name, view in _layouts().items():
        given = view(z)
        before = given.copy()
        for _ in range(2):
            got = case.function(given)
            assert isinstance(got, np.ndarray | np.generic)
            assert got.shape == given.shape, f"{case}: {name} has become {got.shape}"
            np.testing.assert_allclose(got, view(expected), rtol=8 * np.finfo(dtype).eps)
        np.testing.assert_array_equal(given, before)
        assert not np.shares_memory(got, given), f"the result of {case} is its input"
    for scalar in (dtype(0.5), np.array(0.5, dtype)):
        assert isinstance(case.function(scalar), dtype)
    for same in ([0.5, 2.0], (0.5, 2.0)):
        np.testing.assert_array_equal(case.function(same), case.function(np.array(same)))
    for number in (True, 2, 0.5):
        assert isinstance(case.function(number), np.float64)


def _layouts() -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    def read_only(z: np.ndarray) -> np.ndarray:
        z = z.copy()
        z.flags.writeable = False
        return z

    return {
        "C order": lambda z: z.copy(),
        "Fortran order": np.asfortranarray,
        "negative strides": lambda z: z[::-1, ::-2],
        "every third": lambda z: z[:, ::3],
        "broadcast": lambda z: np.broadcast_to(z[0], (4, 10)),
        "read-only": read_only,
        "empty": lambda z: z[:0],
        "big-endian": lambda z: z.astype(z.dtype.newbyteorder(">")),
        "three axes": lambda z: z.reshape(3, 2, 10),
    }


def check_blocks(case: Case, dtype: Any, deep: bool = False) -> None:
    """Arrays of several blocks and a remainder: the same numbers, whatever the layout."""
    blocks = 20 if deep else 3
    block = BLOCK // np.dtype(dtype).itemsize
    z = np.linspace(-20, 20, blocks * block + 7, dtype=dtype)
    z[[0, block, -1]] = np.nan, np.inf, -np.inf
    for params in case.samples() if deep else [case.defaults]:
        parts = [case.function(part, *params) for part in np.array_split(z, 2 * blocks + 1)]
        for given in (z, np.ascontiguousarray(z[::-1])[::-1], z.astype(z.dtype.newbyteorder(">"))):
            got = case.function(given, *params)
            np.testing.assert_allclose(got, np.concatenate(parts), rtol=8 * np.finfo(dtype).eps)
    columns = z[: blocks * block].reshape(-1, blocks).T
    got = case.function(columns)
    np.testing.assert_array_equal(got, case.function(np.ascontiguousarray(columns)))
    assert got.strides == columns.strides, f"{case} changes the layout"


def check_memory(case: Case, dtype: Any) -> None:
    """One output, and either the blocks' temporaries or the bytes of a comparison."""
    z = np.ones(20 * BLOCK // np.dtype(dtype).itemsize, dtype)
    _, peak = traced(case.function, z)
    assert peak <= z.nbytes + max(12 * BLOCK, z.size) + 10_000, f"{peak=} of {case}"


def check_memory_together(activation: Any, dtype: Any) -> None:
    """Two outputs of value and derivative, and the temporaries of both."""
    z = np.ones(60 * BLOCK // np.dtype(dtype).itemsize, dtype)
    _, peak = traced(activation.value_and_grad, z)
    slack = max(20 * BLOCK, z.size) + 10_000
    assert peak <= 2 * z.nbytes + slack, f"{peak=} of {activation.__name__}.value_and_grad"


def traced(function: Callable[..., Any], z: np.ndarray) -> tuple[Any, int]:
    """The result of a call, and the most memory that it has at a time, in bytes."""
    function(z[:1])  # what is imported at the first call does not count
    tracemalloc.start()
    try:
        return function(z), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _numbers(size: int, dtype: Any) -> np.ndarray:
    """With all that is special."""
    z = np.linspace(-20, 20, size, dtype=dtype)
    z[[0, 2, -1]] = np.nan, np.inf, -np.inf
    return z


def _sizes(dtype: Any) -> list[np.ndarray]:
    """Arrays that are evaluated at once."""
    return [np.empty(0, dtype), _numbers(60, dtype), _numbers(60, dtype).reshape(6, 10).T]


def _large_sizes(dtype: Any) -> list[np.ndarray]:
    """Arrays that are evaluated block by block."""
    block = BLOCK // np.dtype(dtype).itemsize
    return [_numbers(3 * block + 7, dtype), _numbers(5 * block + 7, dtype)[::-2]]


def check_out(case: Case, dtype: Any, deep: bool = False) -> None:
    """The same numbers in an array that is there: another one, one that overlaps z, z itself."""
    same = functools.partial(np.testing.assert_allclose, rtol=8 * np.finfo(dtype).eps)
    for params in case.samples():
        large = deep or params == case.defaults
        for z in _sizes(dtype) + (_large_sizes(dtype) if large else []):
            expected = case.function(z, *params)
            spaced = np.zeros((*z.shape, 2), dtype)[..., 0]
            for out in (np.empty_like(z), spaced, z):
                assert case.function(z, *params, out=out) is out
                same(out, expected, err_msg=f"{case} at {params}")
    for numbers in (_numbers(60, dtype), _large_sizes(dtype)[0]):
        for z_part, out_part in ((slice(-1), slice(1, None)), (slice(None), slice(None, None, -1))):
            memory = numbers.copy()
            z, out = memory[z_part], memory[out_part]
            expected = case.function(z.copy())
            same(case.function(z, out=out), expected, err_msg=f"{case} in memory that overlaps")
    for kind in (np.memmap, np.recarray, np.matrix):
        z, out = np.ones((2, 3), dtype), np.zeros((2, 3), dtype).view(kind)
        assert case.function(z, out=out) is out
        same(np.asarray(out), case.function(z))
    z, fixed = np.ones(3, dtype), np.ones(3, dtype)
    fixed.flags.writeable = False
    for bad in (np.ones(4, dtype), np.ones((1, 3), dtype), np.ones(3, np.float16), fixed):
        with pytest.raises(ValueError, match=f"^{case}: out must be a writeable array of shape .3"):
            case.function(z, out=bad)
    for bad in ([0.0] * 3, (fixed,), np.float64(1), np.ma.ones(3)):
        with pytest.raises(TypeError, match=f"^{case}: out must be"):
            case.function(z, out=bad)
    for given, kind in ((z.astype(np.float16), np.float16), ([1, 2, 3], np.float64)):
        expected = case.function(given)
        same(case.function(given, out=np.empty(3, kind)), expected)


def check_together(activation: Any, dtype: Any, deep: bool = False) -> None:
    """Value and derivative in one call are those of two, to the last bit."""
    name, case = f"{activation.__name__}.value_and_grad", Case(activation, ())
    numbers = [dtype(0.5), dtype(-0.0), [0.5, -2.0], np.float16([1, -3]), 3]
    for params in case.samples():
        large = deep or params == case.defaults
        for z in [*_sizes(dtype), *numbers, *(_large_sizes(dtype) if large else ())]:
            expected = activation(z, *params), activation.grad(z, *params)
            got = activation.value_and_grad(z, *params)
            assert isinstance(got, tuple)
            for one, other in zip(got, expected, strict=True):
                assert (type(one), one.dtype, one.shape) == (type(other), other.dtype, other.shape)
                np.testing.assert_array_equal(one, other, err_msg=f"{name} at {params}")
    for z in _sizes(dtype) + _large_sizes(dtype):
        expected, slope = activation.value_and_grad(z), np.empty_like(z)
        got = activation.value_and_grad(z, out=(z, slope))
        assert got[0] is z
        assert got[1] is slope
        np.testing.assert_array_equal(got, expected, err_msg=f"{name} into its input")
    for bad in (slope, [z, slope], (slope,)):
        with pytest.raises(TypeError, match="out must be a tuple of 2 arrays"):
            activation.value_and_grad(z, out=bad)
    memory = np.empty((len(z) + 1, 2), dtype)
    expected = activation.value_and_grad(z)
    got = activation.value_and_grad(z, out=(memory[1:, 0], memory[1:, 1]))
    np.testing.assert_array_equal(got, expected, err_msg=f"{name} into one array, by turns")
    for bad in ((z, z), (memory[1:, 0], memory[:-1, 0])):
        with pytest.raises(ValueError, match="the arrays of out must not overlap"):
            activation.value_and_grad(z, out=bad)


def check_parameters(case: Case, dtype: Any) -> None:
    """Parameters broadcast, and do not change the dtype; outside their domain they are refused."""
    z = np.linspace(-3, 3, 8, dtype=dtype).reshape(2, 4)
    for i, (key, param) in enumerate(case.activation.spec.params.items()):
        params = [p.default for p in case.activation.spec.params.values()]
        values = np.resize(param.samples, 4)
        wide = np.repeat(values[None], 3, axis=0).reshape(3, 1, 4)
        got = case.function(z, **{key: wide})
        assert got.shape == (3, 2, 4)
        assert got.dtype == dtype
        for column, value in enumerate(values):
            params[i] = value
            np.testing.assert_array_equal(got[0, :, column], case.function(z, *params)[:, column])
        one = case.function(z, **{key: 1.0})
        half = ml_dtypes.bfloat16(1)
        for same in (1, True, np.float16(1), half, np.array([half]), np.array(1.0), [1.0]):
            np.testing.assert_array_equal(case.function(z, **{key: same}), one)
        for bad in (np.nan, np.inf, -np.inf):
            got = case.function(z, **{key: np.array([values[0], bad, values[0], values[0]])})
            assert np.isnan(got).tolist() == [[False, True, False, False]] * 2
            with pytest.raises(ValueError, match=f"^{case}: {key} must be {param.domain}, got"):
                case.function(z, **{key: bad})
        for bad in ("x", 1j, None, np.ma.array([1.0])):
            with pytest.raises(TypeError, match=f"^{case}: {key} "):
                case.function(z, **{key: bad})
        with pytest.raises(ValueError, match=f"^{case}: shapes do not broadcast: .*{key} .3,"):
            case.function(z, **{key: np.ones(3)})
    with pytest.raises(TypeError, match=f"^{case}: .*'nosuch'; it takes .z"):
        case.function(z, nosuch=1.0)
    with pytest.raises(TypeError, match=f"^{case}: too many .*; it takes .z"):
        case.function(z, *[1.0] * 9)


BY_DTYPE = {
    check.__name__.removeprefix("check_"): check
    for check in (
        check_kinks,
        check_nan,
        check_infinities,
        check_signed_zero,
        check_dtypes,
        check_shapes,
        check_parameters,
    )
}
