"""A function under examination: what it gives at ordinary, at special and at odd arguments."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import mpmath
import numpy as np

from actlib.check.accuracy import Accuracy, compare, ends_of_runs, float_info, unit
from actlib.check.again import Again, Row
from actlib.check.exact import limit
from actlib.check.examination import Examination
from actlib.check.jumps import find_jumps
from actlib.check.one_call import Unusable, call, quiet
from actlib.check.report import Finding, merged
from actlib.check.rows import examine_again, ordinary_first
from actlib.check.target import Differences, Kinks, Numbers, Target

Sides: TypeAlias = tuple[float, float] | None  # left and right of a kink
ALLOWED = {"value": 4.0, "gradient": 8.0}
_NEAR = mpmath.mpf(10) ** -18, mpmath.mpf(10) ** -24  # as good as one-sided


@dataclass(frozen=True)
class Subject(Examination):
    """A value (order 0) or gradient (order 1), and what it should be, in one dtype."""

    function: Callable[..., Any]
    params: Mapping[str, float]
    of: str
    order: int
    target: Target
    dtype: np.dtype
    domain: tuple[float, float] | None
    trusted: bool  # nobody has said what the value should be

    @np.errstate(all="ignore")
    def examine(self, z: np.ndarray) -> tuple[list[Finding], Accuracy | None]:
        """All findings, and the errors at the points z where exact numbers are known."""
        with quiet():
            got = self(z.copy()).copy()
        numbers = self.target.numbers(self.order, z, self.domain)
        measured, tolerance = self._measured(z, got, numbers)
        findings = [] if measured is None else [*self._accuracy(measured)]
        findings += [] if numbers is None else self._doubts(z, numbers)
        name = f"returns {got.dtype}"
        findings += [
            self.finding("dtype", got.dtype == self.dtype, name, f"{name} for {self.dtype}"),
            self._warnings(z, got, measured),
            *self.guarded("jumps", lambda: self._jumps(z, got)),
            *self.guarded("NaN", self._nan),
        ]
        if self.domain is None:
            findings += self.guarded("infinities", self._infinities)
            findings += self.guarded("-0.0", self._signed_zero)
        findings += self.guarded("kink", self._kinks)
        return merged([*findings, *self._again(z, got, tolerance)]), measured

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """Evaluate at an array; what it gives must be one, of the same shape."""
        try:
            return call(functools.partial(self.function, **self.params), [z], z.shape).got
        except Unusable as error:
            raise Unusable(
                f"the {self.of} of an array of shape {z.shape} {error}; the function must take a "
                "NumPy array of any shape, with any numbers in it, and return one of the same shape"
            ) from error

    def _quietly(self, *z: float) -> np.ndarray:
        with quiet():
            return self(np.array(z, self.dtype)).astype(float)

    # --- numbers

    def _measured(
        self, z: np.ndarray, got: np.ndarray, numbers: Numbers | None
    ) -> tuple[Accuracy | None, np.ndarray]:
        """The errors if exact numbers are known, and how far another evaluation may be off."""
        if numbers is None:
            return None, self._few_ulps(z, got)
        exact, slope, uncertain = numbers
        allowed = ALLOWED[self.of]
        measured = compare(z, got, exact, slope, allowed, uncertain)
        if measured.errors.max(initial=0.0) > allowed:
            roughly = 1e-3 * abs(got.astype(float)) + 16 * float(float_info(self.dtype).eps)
            return measured, roughly
        if any(uncertain):
            return measured, self._few_ulps(z, got)
        with np.errstate(all="ignore"):
            sensitivity = np.where(z == 0, 0, z.astype(float) * np.array(slope, float))
            return measured, 2 * allowed * unit(measured.exact, sensitivity, self.dtype)

    def _few_ulps(self, z: np.ndarray, got: np.ndarray) -> np.ndarray:
        """Of what it gives, and of its argument as far as what it gives next to z tells."""
        x, y = z.astype(float), got.astype(float)
        with np.errstate(all="ignore"):
            slopes = np.pad(abs(np.diff(y) / np.diff(x)), 1)
            steepest = np.maximum(slopes[1:], slopes[:-1])
            sensitivity = x * np.where(np.isfinite(steepest), steepest, 0)
            ulps: np.ndarray = 2 * ALLOWED[self.of] * unit(y, sensitivity, self.dtype)
        return ulps + 16 * float(float_info(self.dtype).eps)

    def _doubts(self, z: np.ndarray, numbers: Numbers) -> Iterator[Finding]:
        """Where what is right is not certain; that is nobody's fault."""
        unsure = ~numbers.certain
        if not any(numbers.uncertain):
            return
        runs = [f"[{z[low]:.3g}, {z[high]:.3g}]" for low, high in ends_of_runs(unsure)]
        words = "; ".join([*runs[:5], "..."] if len(runs) > 5 else runs)
        where = f", for z in {words}" if runs else ""
        detail = f"not certain to 1% or 1e-10 at {unsure.sum()} of {z.size} numbers{where}"
        yield self.finding("certainty", True, detail)

    def _accuracy(self, measured: Accuracy) -> Iterator[Finding]:
        allowed, worst = ALLOWED[self.of], measured.errors.max(initial=0.0)
        yield self.finding(
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
                number = self._quietly(float(middle[0])).astype(self.dtype)
                exact = self.target.numbers(self.order, middle, self.domain)
                found, _ = self._measured(middle, number, exact)
                if found is not None and found.lost[0]:
                    lost = float(middle[0])
                else:
                    kept = float(middle[0])
            ends.append(float(lost))
        return ends[0], ends[1]

    def _kinks(self) -> Iterator[Finding]:
        """What it gives at a kink: as declared, or between the limits from either side."""
        for kink, declared in self._kinks_here().items():
            if declared is not None and self.of == "gradient":
                yield self._kink(kink, (declared, declared), 0.0, f"{declared:.9g}")
                continue
            sides, slopes = (self._sides(kink, self.order + n) for n in (0, 1))
            if sides is None and self.of == "value":
                sides, slopes = self._beside(kink)
            elif isinstance(self.target, Differences):
                with quiet():
                    sides = self.target.slopes_beside(kink)
            if sides is not None:
                steep = max(map(abs, slopes or sides))
                right = f"between {min(sides):.9g} and {max(sides):.9g}"
                yield self._kink(kink, sides, steep, right)

    def _kinks_here(self) -> Kinks:
        """The kinks in the domain on which a number of this dtype lies."""
        lowest, highest = self.domain or (-np.inf, np.inf)
        return {
            kink: declared
            for kink, declared in self.target.kinks.items()
            if lowest < kink < highest and float(self.dtype.type(kink)) == kink
        }

    def _kink(self, kink: float, sides: tuple[float, float], steep: float, right: str) -> Finding:
        """Ask for it alone and many times in an array; zero has two signs."""
        info = float_info(self.dtype)
        near = 8 * float(info.eps) * (max(map(abs, sides)) + abs(kink) * steep)
        near += 2 * float(_NEAR[0]) * max(abs(kink), 1) * steep + float(info.smallest_normal)
        got = np.append(self._quietly(kink), self._quietly(*[kink, kink or -0.0] * 32))
        ok = (min(sides) - near <= got) & (got <= max(sides) + near)
        wrong = got[~ok]
        words = f"it is {(wrong if wrong.size else got)[0]:.9g} at {kink:g}"
        return self.finding("kink", ok.all(), words, f"{words}; right is {right}")

    def _beside(self, kink: float) -> tuple[Sides, Sides]:
        """What it gives for the next numbers on either side, and its slopes there, if finite."""
        ends = np.array([-np.inf, np.inf], self.dtype)
        first = np.nextafter(np.array([kink, kink], self.dtype), ends)
        second = np.nextafter(first, ends)
        at_first, at_second = (self._quietly(*x.tolist()) for x in (first, second))
        if not np.isfinite([at_first, at_second]).all():
            return None, None
        slopes = (at_second - at_first) / (second - first).astype(float)
        low, high = np.sort(at_first) + 4 * float(float_info(self.dtype).eps) * np.array([-1, 1])
        return (float(low), float(high)), (float(slopes[0]), float(slopes[1]))

    def _sides(self, kink: float, order: int) -> Sides:
        """The limits from the left and from the right of a kink, if they are known."""
        with mpmath.workdps(50):
            size = max(abs(kink), 1)
            near, nearer = (
                np.array([self.target.at(order, kink + x * size) for x in (-h, h)], float)
                for h in _NEAR
            )
        tiny = float(float_info(self.dtype).smallest_normal)
        if not np.allclose(near, nearer, 1e-6, tiny):
            return None  # it is unknown or infinite, or grows to be
        return float(near[0]), float(near[1])

    # --- special numbers

    def _warnings(self, z: np.ndarray, got: np.ndarray, measured: Accuracy | None) -> Finding:
        """At numbers whose square and whose result do not overflow, nothing is warned of."""
        largest = float(float_info(self.dtype).max)
        right = got.astype(float) if measured is None else measured.exact
        z = z[(abs(z) < 0.5 * largest**0.5) & (abs(right) < largest)]
        ordinary = np.errstate(all="warn", under="ignore")  # as NumPy has it
        with ordinary, warnings.catch_warnings(record=True) as raised:
            warnings.simplefilter("always")
            self(z)
        words = sorted({str(warning.message) for warning in raised})
        return self.finding(
            "warnings", not words, "none", f"at ordinary numbers: {'; '.join(words)}"
        )

    def _nan(self) -> Iterator[Finding]:
        """NaN gives NaN, and leaves its neighbours alone.

        Of a gradient that a library has derived, a number will do: the value there is NaN.
        """
        three = self._quietly(np.nan, 1.0, np.nan)
        first, one, last = np.isnan(three).tolist()
        kept = (first and last) or self._derived
        ok = kept and one == np.isnan(self._quietly(1.0)[0])
        good = "gives NaN" if first else f"gives {three[0]:.9g}, as its library has it"
        yield self.finding("NaN", ok, good, f"NaN, 1, NaN gives {_list(three)}")

    @property
    def _derived(self) -> bool:
        """Whether it is a gradient that a library has derived."""
        return getattr(self.function, "derived", False)

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
        yield self.finding("infinities", all(right), words, f"{words}; right is {expected}")

    def _limit(self, sign: int) -> float | None:
        if isinstance(self.target, Differences):
            return None
        of, slope = (functools.partial(self.target.at, self.order + n) for n in (0, 1))
        return limit(of, slope, sign)

    def _signed_zero(self) -> Iterator[Finding]:
        """Whether -0.0 keeps its sign, or turns it, as the slope to its left demands."""
        expected = self._zero_expected()
        if expected is None:
            return
        got = np.append(self._quietly(-0.0), self._quietly(*[-0.0] * 64))  # alone, and in an array
        wrong = got[(got != 0) | (np.signbit(got) != np.signbit(expected))]
        words = f"gives {(wrong if wrong.size else got)[0]}"
        yield self.finding("-0.0", not wrong.size, words, f"{words}; right is {expected}")

    def _zero_expected(self) -> float | None:
        """What -0.0 gives where f(0) = 0, by the slope to the left of it; None if all will do."""
        value, slope = (self.target.at(order, -_NEAR[0]) for order in (0, 1))
        if self.of == "gradient" or value is None or slope is None:
            return None
        if not (abs(value) <= 1e-10 <= abs(slope)):  # it may be NaN
            return None
        return -0.0 if slope > 0 else 0.0

    # --- the same numbers again

    def _again(self, z: np.ndarray, got: np.ndarray, tolerance: np.ndarray) -> Iterator[Finding]:
        """In arrays of other shapes, layouts and sizes, and in another call."""
        found = Again(functools.partial(self.function, **self.params), got.dtype)
        row = Row.of((z,), got, tolerance, "")
        with quiet():
            examine_again(found, row.taken(ordinary_first(z)), list(self._specials()))
            found.repeated(row)
        yield from self.told(found)

    def _specials(self) -> Iterator[Row]:
        """Numbers that need care, and what it gives for each by itself."""
        numbers = [(np.nan, "NaN"), *((kink, "kink") for kink in self._kinks_here())]
        if self.domain is None:
            numbers += [(-np.inf, "infinities"), (np.inf, "infinities")]
            numbers += [] if self._zero_expected() is None else [(-0.0, "-0.0")]
        info = float_info(self.dtype)
        for number, aspect in numbers:
            z = np.array([number], self.dtype)
            try:
                right = self(z.copy())
            except Unusable:
                continue  # it has been said that it cannot take this
            size = np.nan_to_num(abs(right.astype(float)), posinf=0)
            near = 16 * float(info.eps) * size + float(info.smallest_normal)
            anything = np.isnan(number) and self._derived
            row = Row.of((z,), right, np.inf if anything else near, aspect)
            row.signed[:] = aspect == "-0.0"
            yield row

    def _jumps(self, z: np.ndarray, got: np.ndarray) -> Iterator[Finding]:
        """Of a value that is trusted: whether it jumps where no kink is declared, or is NaN."""
        if self.of == "gradient" or not self.trusted:
            return
        with quiet():
            jumps = find_jumps(self, z, self.target.kinks)
        found = {"is NaN": z[np.isnan(got)].astype(float), "jumps": jumps}
        words = [f"{what} at {_list(at[:3] + 0.0)}" for what, at in found.items() if at.size]
        bad = f"{' and '.join(words)}, where no kink is declared"
        yield self.finding("jumps", not words, "none", bad)


def _list(values: Any) -> str:
    return " and ".join(x if isinstance(x, str) else f"{x:.9g}" for x in values)
