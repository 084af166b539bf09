"""Elementary functions for compiled kernels: to 1 ulp everywhere, and several numbers at a time."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest
from numba import float32, float64, njit, vectorize
from numba.core.compiler_lock import global_compiler_lock
from numba.np.ufunc.wrappers import build_ufunc_wrapper
from vectorised import at_a_time

from actlib.compiled.coefficients import COEFFICIENTS, LN_2, QUARTER_PI
from actlib.compiled.elementary import functions
from actlib.compiled.intrinsics import copysign, fabs, from_exponent, into_exponent, select
from tools.polynomials import CHOICES, coefficients, largest_error

Loop = Callable[..., Any]

#: Whether there is a type with eleven bits more than float64.
LONGER = np.finfo(np.longdouble).nmant >= 63

DTYPES = {"float32": float32, "float64": float64}
ROUNDED = ("exp", "expm1", "log1p", "tanh", "atan")
MATHS = {name: "arctan" if name == "atan" else name for name in ROUNDED}
each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_rounded = pytest.mark.parametrize("name", ROUNDED)

#: What each of the functions may be off by, in ulp, as their docstrings say.
ALLOWED = {"exp": 0.9, "expm1": 0.9, "log1p": 0.9, "tanh": 1.0, "atan": 0.75}


@cache
def looped(name: str, dtype: str) -> Loop:
    """The function of an array, as a ufunc."""
    function = functions(np.dtype(dtype).type)[name]
    one = DTYPES[dtype]
    if name in ("maximum", "minimum"):
        return vectorize([one(one, one)])(lambda a, b: function(a, b))
    return vectorize([one(one)])(lambda x: function(x))


def exact(name: str, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The values as rounded, and in ulp what they have lost."""
    if not LONGER:
        return exact_by_mpmath(name, z)
    right = getattr(np, MATHS[name])(z.astype(np.longdouble))
    high = right.astype(float)
    return high, ((right - high) / np.spacing(np.abs(high))).astype(float)


def exact_by_mpmath(name: str, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    with mpmath.workprec(2200):  # 1 + x loses nothing then
        right = [getattr(mpmath, name)(mpmath.mpf(float(x))) for x in z]
        right = [y if isinstance(y, mpmath.mpf) else mpmath.nan for y in right]
        high = np.array([float(y) for y in right])
        units = [mpmath.mpf(float(unit)) for unit in np.spacing(np.abs(high))]
        lost = [float((y - h) / unit) for y, h, unit in zip(right, high, units, strict=True)]
    return np.copysign(high, 1 if name == "exp" else z), np.array(lost)


def errors(got: np.ndarray, right: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """In ulp, infinite where only one of both is NaN, infinite or negative."""
    high, lost = right
    off = np.abs((got - high) / np.spacing(np.abs(high)) - lost)
    same = (got == high) | (np.isnan(got) & np.isnan(high))
    off = np.where(np.isfinite(got) & np.isfinite(high), off, np.where(same, 0, np.inf))
    return np.where((np.signbit(got) == np.signbit(high)) | np.isnan(high), off, np.inf)


def worst(name: str, z: np.ndarray, loop: Loop) -> tuple[float, float]:
    """The largest error among some numbers, and where."""
    with np.errstate(all="ignore"):
        off = errors(loop(z), exact(name, z))
    return float(off.max()), float(z[off.argmax()])


def bits(values: np.ndarray) -> np.ndarray:
    return values.view(np.int64 if values.dtype == float else np.int32)


def around(values: np.ndarray, steps: int = 3) -> np.ndarray:
    """Numbers with their neighbours, of both signs."""
    near = (bits(np.abs(values))[:, None] + np.arange(-steps, steps + 1)).ravel()
    found = near[near >= 0].view(values.dtype)
    return np.concatenate([found, -found])


def switches(dtype: str) -> np.ndarray:
    """Where the functions take another way, and the powers of 2."""
    info = np.finfo(dtype)
    powers = np.ldexp(1.0, np.arange(info.minexp - info.nmant, info.maxexp))
    turns = np.log(2) * (np.arange(-1100, 1100) + 0.5)
    edges = [0, 0.5, 2, 1, 10, 20, 40, 89, 104, 710, 746, 2.0**30, 2.0**60, float(info.max)]
    with np.errstate(over="ignore"):
        every = [powers, turns, turns / 2, powers * 0.75 - 1, edges]
    return around(np.concatenate(every).astype(dtype))


def drawn(count: int, seed: int) -> np.ndarray:
    """Of all numbers alike, and of those where the functions are not yet at their limits."""
    rng = np.random.default_rng(seed)
    ends = (1.5, 25, 750)
    parts = [rng.uniform(-end, end, count // 4) for end in ends]
    whole = rng.integers(-(2**63), 2**63 - 1, count - sum(map(len, parts))).view(float)
    return np.concatenate([*parts, whole])


def nans(dtype: str) -> np.ndarray:
    """Quiet and signalling, of both signs, with all kinds of payloads."""
    infinity = bits(np.array([np.inf], dtype))[0]
    fraction = np.finfo(dtype).nmant
    payloads = np.array([1, 2, 12345, 1 << (fraction - 1), (1 << fraction) - 1], infinity.dtype)
    found = (infinity + payloads).view(dtype)
    return np.concatenate([found, -found])


@each_dtype
@each_rounded
def test_special_values(name: str, dtype: str) -> None:
    z = np.array([0.0, -0.0, np.inf, -np.inf, -1, -1.5], dtype)
    with np.errstate(all="ignore"):
        got = looped(name, dtype)(np.concatenate([z, nans(dtype)]))
        right = getattr(np, MATHS[name])(z.astype(float)).astype(dtype)
    np.testing.assert_allclose(got[: len(z)], right, rtol=2 * np.finfo(dtype).eps)
    np.testing.assert_array_equal(np.signbit(got[:2]), np.signbit(right[:2]))
    assert np.isnan(got[len(z) :]).all()
    assert got.dtype == dtype


@each_rounded
def test_float64_at_drawn_points_and_at_every_switch(name: str) -> None:
    loop = looped(name, "float64")
    for z in (switches("float64"), drawn(100_000, seed=1)):
        error, place = worst(name, z, loop)
        assert error <= ALLOWED[name], f"{error:.3f} ulp at {place!r}"


@pytest.mark.deep
@each_rounded
def test_float64_at_a_hundred_million_points(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    loop, largest = looped(name, "float64"), (0.0, 0.0)
    for seed in range(400 if LONGER else 1):  # what else there is takes a thousand times as long
        largest = max(largest, worst(name, drawn(250_000, seed), loop))
    record_property("largest E", f"{name}, compiled, float64: {largest[0]:.3f} ulp")
    assert largest[0] <= ALLOWED[name], largest


@each_rounded
def test_the_reference_is_exact_to_a_hundredth_of_an_ulp(name: str) -> None:
    z = np.concatenate([drawn(400, seed=2), switches("float64")[::97]])
    with np.errstate(all="ignore"):
        (high, lost), (right, rest) = exact(name, z), exact_by_mpmath(name, z)
        here, there = np.spacing(np.abs(high)), np.spacing(np.abs(right))
        off = np.abs((high - right) / here + lost - rest * (there / here))
    real = np.isfinite(right)
    np.testing.assert_array_equal(high[~real], right[~real])
    assert off[real].max() <= 0.01
    assert real.sum() > len(z) / 4


TINY, EPS = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).eps)


@vectorize([float64(float32, float64)])
def distance(got: Any, right: Any) -> Any:
    """How far a float32 number is from a float64 one, in ulp; infinite where only one is NaN."""
    wide, rounded = float64(got), float64(float32(right))
    power = into_exponent(from_exponent(fabs(right)))
    off = fabs(wide - right) / (select(power > TINY, power, TINY) * EPS)
    off = select(fabs(wide) < np.inf, off, select(wide == rounded, 0.0, np.inf))
    off = select(copysign(1.0, wide) == copysign(1.0, right), off, np.inf)
    off = select(right == right, off, select(wide == wide, np.inf, 0.0))
    return select(off >= 0.0, off, np.inf)


def worst_in_float32(name: str, start: int, stop: int, step: int) -> tuple[float, float]:
    """The largest error among the numbers with these bits, and where."""
    single, double = looped(name, "float32"), looped(name, "float64")
    largest, block = (0.0, 0.0), step << 16
    for first in range(start, stop, block):
        z = np.arange(first, min(first + block, stop), step, np.uint32).view(np.float32)
        with np.errstate(all="ignore"):
            off = distance(single(z), double(z.astype(float)))
        i = off.argmax()
        largest = max(largest, (float(off[i]), float(z[i])))
    return largest


@each_rounded
def test_float32(name: str, deep: bool, record_property: Callable[[str, object], None]) -> None:
    """At full size everywhere, but for the negative numbers where only the sign is different."""
    odd = name in ("tanh", "atan")
    largest = max(
        worst_in_float32(name, 0, 2**31, 1 if deep else 4099),
        worst_in_float32(name, 2**31, 2**32, (61 if odd else 1) if deep else 4099),
    )
    record_property("largest E", f"{name}, compiled, float32: {largest[0]:.3f} ulp")
    assert largest[0] <= ALLOWED[name], largest


@each_rounded
def test_float32_at_every_switch(name: str) -> None:
    z = np.concatenate([switches("float32"), nans("float32")])
    with np.errstate(all="ignore"):
        off = distance(looped(name, "float32")(z), looped(name, "float64")(z.astype(float)))
    assert off.max() <= ALLOWED[name], z[off.argmax()]


@pytest.mark.parametrize(
    ("got", "right", "ulp"),
    [
        (1, 1, 0.25),
        (1, 1, 1.5),
        (np.nan, np.nan, 0),
        (np.inf, np.inf, 0),
        (np.nan, 1, np.inf),
        (1, np.nan, np.inf),
        (np.inf, 1, np.inf),
        (1, np.inf, np.inf),
        (np.inf, -np.inf, np.inf),
        (0.0, -0.0, np.inf),
    ],
)
def test_the_measures_see_a_wrong_number(got: float, right: float, ulp: float) -> None:
    lost = ulp if np.isfinite(ulp) else 0
    with np.errstate(invalid="ignore"):
        assert errors(np.array([got]), (np.array([right]), np.array([lost]))) == ulp
        assert distance(np.float32(got), right + lost * EPS if lost else right) == ulp


@each_dtype
def test_what_is_not_rounded(dtype: str) -> None:
    z = np.concatenate([switches(dtype), nans(dtype), np.array([np.inf, -np.inf], dtype)])
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(looped("abs", dtype)(z), np.abs(z))
        np.testing.assert_array_equal(looped("sqrt", dtype)(z), np.sqrt(z))
        a, b = z[::101, None], z[None, ::103]
        a, b = (np.append(x, [np.nan, -1, 2, np.inf, -np.inf]).astype(dtype) for x in (a, b))
        for name in ("maximum", "minimum"):
            got = looped(name, dtype)(a[:, None], b)
            np.testing.assert_array_equal(got, getattr(np, name)(a[:, None], b))
            assert got.dtype == dtype


@each_dtype
@pytest.mark.parametrize("name", CHOICES)
def test_the_coefficients_are_those_that_the_tool_computes(name: str, dtype: str) -> None:
    assert COEFFICIENTS[name][dtype] == coefficients(name, dtype)
    assert largest_error(name, COEFFICIENTS[name][dtype]) <= 0.06 * np.finfo(dtype).eps


@each_dtype
@pytest.mark.parametrize(
    ("parts", "whole"), [(LN_2, lambda: +mpmath.ln2), (QUARTER_PI, lambda: mpmath.pi / 4)]
)
def test_the_constants_in_two_parts(
    parts: dict[str, tuple[float, float]], whole: Callable[[], Any], dtype: str
) -> None:
    number = np.dtype(dtype).type
    with mpmath.workprec(300):
        first = number(float(whole()))
        second = number(float(whole() - mpmath.mpf(float(first))))
    assert parts[dtype] == (float(first), float(second))


def loop_as_compiled(loop: Any) -> str:
    """What LLVM has made of a ufunc's loop."""
    (found,) = loop._dispatcher.overloads.values()
    name = found.fndesc.llvm_func_name
    with global_compiler_lock:
        wrapper = build_ufunc_wrapper(
            found.library, found.target_context, name, found.signature, False, found
        )
        wrapper.library.finalize()  # that is when it is optimised
    return str(wrapper.library.get_llvm_str())


@each_dtype
@pytest.mark.parametrize("name", functions(np.float32))
def test_several_numbers_at_a_time(name: str, dtype: str) -> None:
    """As SSE2 and NEON already can, on processors that have fused operations."""
    loop = looped(name, dtype)
    assert at_a_time(loop_as_compiled(loop)) * np.dtype(dtype).itemsize >= 16
    assert ("double" in loop_as_compiled(loop)) == (dtype == "float64")


@njit
def halved(x: Any) -> Any:
    while x > 1:
        x /= 2
    return x


@pytest.mark.parametrize("slow", [np.exp, halved], ids=["call", "loop"])
def test_a_loop_that_takes_one_number_at_a_time_is_seen(slow: Loop) -> None:
    for function in (lambda x: slow(x), lambda x: x if x < 0 else slow(x)):
        assert at_a_time(loop_as_compiled(vectorize([float64(float64)])(function))) == 1
