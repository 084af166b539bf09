"""A function under examination: what it gives at ordinary, at special and at odd arguments."""

from __future__ import annotations

import functools
import itertools
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np

from actlib.check.accuracy import Accuracy, compare, ends_of_runs, float_info
from actlib.check.exact import limit
from actlib.check.report import Finding
from actlib.check.target import Differences, Numbers, Target

ALLOWED = {"value": 4.0, "gradient": 8.0}
_NEAR = mpmath.mpf(10) ** -18, mpmath.mpf(10) ** -24  # as good as one-sided


@dataclass(frozen=True)
class Subject:
    """A value (order 0) or gradient (order 1), and what it should be, in one dtype."""

    function: Callable[..., Any]
    params: Mapping[str, float]
    of: str
    order: int
    target: Target
    dtype: np.dtype
    domain: tuple[float, float] | None

    def examine(self, z: np.ndarray) -> tuple[list[Finding], Accuracy | None]:
        """All findings, and the errors at the points z where exact numbers are known."""
        before = z.copy()
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            got = self(z)
        name = f"returns {got.dtype}"
        findings = [
            self._finding("dtype", got.dtype == self.dtype, name, f"{name} for {self.dtype}"),
            self._finding("input", np.array_equal(z, before), "left as it was", "is changed"),
            self._warnings(before),
            self._shapes(before),
            self._nan(),
        ]
        if self.domain is None:
            findings += [*self._infinities(), *self._signed_zero()]
        numbers = self.target.numbers(self.order, before)
        measured = None if numbers is None else self._compared(before, got, numbers)
        if numbers is not None and measured is not None:
            findings = [*self._accuracy(measured), *self._doubts(before, numbers), *findings]
        return [*findings, *self._kinks()], measured

    def __call__(self, z: Any) -> np.ndarray:
        """Evaluate at an array; what it gives must be one, of the same shape."""
        got = np.asarray(self.function(z, **self.params))
        if got.shape != np.shape(z):
            raise ValueError(
                f"the {self.of} of an array of shape {np.shape(z)} has the shape {got.shape}; "
                "the function must take an array and return one of the same shape"
            )
        if got.dtype.kind not in "fbiu" and got.dtype.name != "bfloat16":
            raise TypeError(f"the {self.of} has dtype {got.dtype}, which is no real number")
        return got

    def _quietly(self, *z: float) -> np.ndarray:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return self(np.array(z, self.dtype)).astype(float)

    def _finding(self, aspect: str, ok: Any, good: str, bad: str | None = None) -> Finding:
        detail = good if ok or bad is None else bad
        return Finding(self.dtype.name, self.of, aspect, bool(ok), detail)

    # --- numbers

    def _compared(self, z: np.ndarray, got: np.ndarray, numbers: Numbers) -> Accuracy:
        """The errors, at the points where something is known."""
        known = np.isfinite(numbers.uncertain)
        rows = [list(itertools.compress(row, known)) for row in numbers]
        exact, slopes, uncertain = rows
        return compare(z[known], got[known], exact, slopes, ALLOWED[self.of], uncertain)

    def _measured(self, z: np.ndarray, got: np.ndarray) -> Accuracy | None:
        numbers = self.target.numbers(self.order, z)
        return None if numbers is None else self._compared(z, got, numbers)

    def _doubts(self, z: np.ndarray, numbers: Numbers) -> Iterator[Finding]:
        """Where what is right is not certain; that is nobody's fault."""
        unsure = ~numbers.certain
        if not any(numbers.uncertain):
            return
        runs = [f"[{z[low]:.3g}, {z[high]:.3g}]" for low, high in ends_of_runs(unsure)]
        words = "; ".join([*runs[:5], "..."] if len(runs) > 5 else runs)
        where = f", for z in {words}" if runs else ""
        detail = f"not certain to 1% or 1e-10 at {unsure.sum()} of {z.size} numbers{where}"
        yield self._finding("certainty", True, detail)

    def _accuracy(self, measured: Accuracy) -> Iterator[Finding]:
        allowed, worst = ALLOWED[self.of], measured.errors.max(initial=0.0)
        yield self._finding(
            "accuracy",
            worst <= allowed,
            f"E is at most {worst:.3g} at {measured.z.size} numbers",
            f"E is up to {worst:.3g}, {allowed:g} is allowed; the worst points:\n"
            + measured.worst(3),
        )
        intervals = [self._sharpened(measured, *run) for run in ends_of_runs(measured.lost)]
        words = " and ".join(f"[{low:.9g}, {high:.9g}]" for low, high in intervals)
        yield Finding(
            self.dtype.name,
            self.of,
            "nothing lost",
            not intervals,
            f"lost for z in {words}" if intervals else "no zero or wrong sign instead of a number",
            tuple(intervals),
        )

    def _sharpened(self, measured: Accuracy, first: int, last: int) -> tuple[float, float]:
        """The ends of an interval of lost numbers, to more digits than the grid shows."""
        z = measured.z.astype(float)
        ends = []
        for inside, outside in ((first, first - 1), (last, last + 1)):
            lost, kept = z[inside], z[outside] if 0 <= outside < z.size else z[inside]
            for _ in range(40):
                middle = np.array([lost / 2 + kept / 2]).astype(self.dtype)
                if float(middle[0]) in (lost, kept):
                    break
                found = self._measured(middle, self._quietly(float(middle[0])).astype(self.dtype))
                if found is not None and found.lost.any():
                    lost = float(middle[0])
                else:
                    kept = float(middle[0])
            ends.append(float(lost))
        return ends[0], ends[1]

    def _kinks(self) -> Iterator[Finding]:
        """The gradient at a kink: as declared, or between the one-sided derivatives."""
        if self.of == "value":
            return
        rtol = 8 * float(float_info(self.dtype).eps)
        lowest, highest = self.domain or (-np.inf, np.inf)
        for kink, declared in self.target.kinks.items():
            if not lowest < kink < highest or float(self.dtype.type(kink)) != kink:
                continue  # nobody asks, or no number of this dtype lies on it
            (got,) = self._quietly(kink).tolist()
            if declared is None:
                sides = self._sides(kink)
                if sides is None:
                    continue
                low, high = sorted(sides)
                right = f"between {low:.9g} and {high:.9g}"
            else:
                low = high = declared
                right = f"{declared:.9g}"
            ok = low - rtol * abs(low) <= got <= high + rtol * abs(high)
            words = f"it is {got:.9g} at {kink:g}"
            yield self._finding("kink", ok, words, f"{words}; right is {right}")

    def _sides(self, kink: float) -> tuple[float, float] | None:
        """The derivatives to the left and to the right of a kink, if they are known."""
        with mpmath.workdps(50):
            size = max(abs(kink), 1)
            near, nearer = (
                np.array([self.target.at(1, kink + x * size) for x in (-h, h)], float)
                for h in _NEAR
            )
        if not np.allclose(near, nearer, 1e-6):
            return None  # it is infinite, or grows to be
        return float(near[0]), float(near[1])

    # --- special numbers

    def _warnings(self, z: np.ndarray) -> Finding:
        """At numbers that are not as large as to overflow when squared, nothing is warned of.

        Unless the result is no finite number, and so deserves it.
        """
        z = z[abs(z) < 0.5 * float(float_info(self.dtype).max) ** 0.5]
        z = z[np.isfinite(self._quietly(*z))]
        with warnings.catch_warnings(record=True) as raised:
            warnings.simplefilter("always")
            self(z)
        words = sorted({str(warning.message) for warning in raised})
        return self._finding(
            "warnings", not words, "none", f"at ordinary numbers: {'; '.join(words)}"
        )

    def _nan(self) -> Finding:
        got = self._quietly(np.nan, 1.0, np.nan)
        ok = np.isnan(got).tolist() == [True, bool(np.isnan(self._quietly(1.0)[0])), True]
        return self._finding("NaN", ok, "gives NaN", f"NaN, 1, NaN gives {_list(got)}")

    def _infinities(self) -> Iterator[Finding]:
        """At an infinity stands the limit; where none is proven, anything may."""
        got, info = self._quietly(-np.inf, np.inf), float_info(self.dtype)
        limits = [self._limit(sign) for sign in (-1, 1)]
        right = [
            f is None or bool(np.isclose(y, f, 4 * info.eps, info.smallest_normal))
            for y, f in zip(got, limits, strict=True)
        ]
        expected = _list(["anything" if f is None else f for f in limits])
        words = f"-inf and inf give {_list(got)}"
        yield self._finding("infinities", all(right), words, f"{words}; right is {expected}")

    def _limit(self, sign: int) -> float | None:
        if isinstance(self.target, Differences):
            return None
        of, slope = (functools.partial(self.target.at, self.order + n) for n in (0, 1))
        return limit(of, slope, sign)

    def _signed_zero(self) -> Iterator[Finding]:
        """Where f(0) = 0 and f has a slope to the left of it, -0.0 keeps its sign, times that."""
        value, slope = (self.target.at(order, -_NEAR[0]) for order in (0, 1))
        if self.of == "gradient" or value is None or slope is None:
            return
        if abs(value) > 1e-10 or abs(slope) < 1e-10:
            return
        (got,) = self._quietly(-0.0)
        expected = -0.0 if slope > 0 else 0.0
        ok = got == 0 and np.signbit(got) == np.signbit(expected)
        yield self._finding("-0.0", ok, f"gives {got}", f"gives {got}; right is {expected}")

    # --- shapes

    def _shapes(self, z: np.ndarray) -> Finding:
        some = np.resize(z[:: max(1, z.size // 24)], 24)
        flat = self._quietly(*some.astype(float))
        wrong = []
        rtol = max(1e-3, 8 * float(float_info(self.dtype).eps))  # loops may round differently
        for shape in [(2, 3, 4), (24, 1), (0,), ()]:
            size = int(np.prod(shape))
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                try:
                    got = np.asarray(
                        self.function(some[:size].reshape(shape).copy(), **self.params)
                    )
                except Exception as error:
                    wrong.append(f"{shape} raises {type(error).__name__}: {error}")
                    continue
            if got.shape != shape:
                wrong.append(f"{shape} becomes {got.shape}")
            elif not np.allclose(got.ravel().astype(float), flat[:size], rtol, equal_nan=True):
                wrong.append(f"{shape} gives other numbers than the same in a row")
        return self._finding("shape", not wrong, "kept", "; ".join(wrong))


def _list(values: Any) -> str:
    return " and ".join(x if isinstance(x, str) else f"{x:.9g}" for x in values)
