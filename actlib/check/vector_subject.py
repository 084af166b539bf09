"""A function of vectors, or its product, under examination."""

from __future__ import annotations

import contextlib
import functools
import itertools
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from actlib.check.accuracy import Accuracy, float_info, weigh
from actlib.check.again import Again, Row, listing
from actlib.check.exact import limit
from actlib.check.examination import Examination
from actlib.check.expansion import ORDINARY, Expansion, Formula, expand, slopes, takes_halves
from actlib.check.one_call import Unusable, call, quiet
from actlib.check.report import Finding, merged
from actlib.check.rows import examine_again
from actlib.check.samples import long_vectors, pairs, upstreams, vectors

ALLOWED = {"value": 4.0, "vjp": 8.0}


class Case(NamedTuple):
    """A vector, and the upstream gradient if one is asked for."""

    point: Expansion
    upstream: tuple[np.ndarray, ...]

    def exact(self) -> tuple[np.ndarray, np.ndarray]:
        """What is right, and how far it moves with what is given."""
        return self.point.vjp(*self.upstream) if self.upstream else self.point.value()

    def places(self) -> list[int]:
        """For which numbers of the result; of a long product a few are known."""
        return self.point.columns.tolist() if self.upstream else [*range(self.point.values.size)]


_LENGTHS = (4, 5, 6, 7, 8, 10, 16, 17, 26, 33, 64, 130)  # where loops end, and begin anew


def samples(formula: Formula, dtype: np.dtype) -> Iterator[np.ndarray]:
    """The vectors at which to examine it."""
    halves = takes_halves(formula)
    yield from pairs(dtype) if halves else vectors(dtype, (1, 2, 3))
    lengths = [n for n in _LENGTHS if not (halves and n % 2)]
    yield from (z.astype(dtype) for z in long_vectors(lengths))


@dataclass(frozen=True)
class VectorSubject(Examination):
    """The value, or the product with an upstream gradient, and what it should be, in one dtype."""

    function: Callable[..., Any]
    of: str
    formula: Formula
    axis: str | None
    dtype: np.dtype

    def examine(self, points: Sequence[Expansion]) -> tuple[list[Finding], Accuracy]:
        """All findings, and the errors at the points."""
        cases = [case for point in points for case in self._cases(point)]
        got = self._rows(cases)
        measured, words = self._measured(cases, got)
        returned = got[0].dtype
        findings = [
            *self._accuracy(measured, words),
            self.finding("dtype", returned == self.dtype, "kept", f"becomes {returned}"),
            self._warnings(),
            *self.guarded("NaN", self._nan),
            *self.guarded("infinities", self._infinities),
            *self.guarded("shape", self._axes),
            *self._again(returned),
        ]
        return merged(findings), measured

    def __call__(self, z: np.ndarray, *upstream: np.ndarray, axis: int = -1) -> np.ndarray:
        """Evaluate along an axis; the result must have the shape that it should have."""
        options = {self.axis: axis} if self.axis else {}
        like = z if self.of == "vjp" else self._result_like(z, axis)
        try:
            return call(functools.partial(self.function, **options), [z, *upstream], like.shape).got
        except Unusable as error:
            takes = "an array and an upstream gradient" if upstream else "an array"
            where = f" along {self.axis}={axis}" if options else ""
            raise Unusable(
                f"the {self.of} of an array of shape {z.shape}{where} {error}; the function must "
                f"take {takes} of NumPy, with vectors along the last axis or the one it is told, "
                "and return an array"
            ) from error

    def _quietly(self, *arrays: np.ndarray, axis: int = -1) -> np.ndarray:
        with quiet():
            return self(*arrays, axis=axis)

    def _result_like(self, z: np.ndarray, axis: int = -1) -> np.ndarray:
        if not takes_halves(self.formula):
            return z
        return np.take(z, range(z.shape[axis] // 2), axis)

    def _with_upstream(self, z: np.ndarray) -> list[np.ndarray]:
        """The arguments for an array of vectors: of a product, with an upstream gradient."""
        if self.of == "value":
            return [z]
        like = self._result_like(z)
        return [z, np.linspace(-1, 2, like.size).reshape(like.shape).astype(self.dtype)]

    # --- numbers

    def _cases(self, point: Expansion) -> Iterator[Case]:
        if self.of == "value":
            yield Case(point, ())
        else:
            with quiet():
                like = point.values.astype(float).astype(self.dtype)
            yield from (Case(point, (u,)) for u in upstreams(like))

    def _rows(self, cases: Sequence[Case]) -> list[np.ndarray]:
        """What the function gives for each, by one call for all vectors of a length."""
        found: dict[int, np.ndarray] = {}

        def by_length(i: int) -> int:
            return int(cases[i].point.z.size)

        for _, group in itertools.groupby(sorted(range(len(cases)), key=by_length), by_length):
            rows = list(group)
            z = np.stack([cases[i].point.z.astype(float) for i in rows]).astype(self.dtype)
            given = zip(*(cases[i].upstream for i in rows), strict=True)
            found |= dict(zip(rows, self._quietly(z, *map(np.stack, given)), strict=True))
        return [found[i] for i in range(len(cases))]

    def _measured(
        self, cases: Sequence[Case], got: Sequence[np.ndarray]
    ) -> tuple[Accuracy, Callable[[int], str]]:
        """The errors of all numbers, and a description of each."""
        exact, moves = (np.concatenate(rows) for rows in zip(*map(Case.exact, cases), strict=True))
        places = [(i, j) for i, case in enumerate(cases) for j in case.places()]
        own = [cases[i].point.z[j - got[i].size] for i, j in places]  # of a unit's value, its gate
        large = [max(1.0, *(float(abs(u).max()) for u in case.upstream), 0.0) for case in cases]
        unknown = np.isnan(exact.astype(float)) | np.isnan(moves.astype(float))
        measured = weigh(
            np.array(own, float).astype(self.dtype),
            np.array([got[i][j] for i, j in places], got[0].dtype),
            exact.tolist(),
            moves.astype(float),
            ALLOWED[self.of],
            np.where(unknown, np.inf, 0.0).tolist(),
            underflow=np.array([large[i] for i, _ in places]),
        )

        def words(number: int) -> str:
            i, j = places[number]
            given = "".join(f", upstream = {listing(u)}" for u in cases[i].upstream)
            return (
                f"  z = {listing(cases[i].point.z)}{given}: number {j} is "
                f"{measured.got[number]!s}, exact {measured.exact[number]:.9g}, "
                f"E = {measured.errors[number]:.3g}"
            )

        return measured, words

    def _accuracy(self, measured: Accuracy, words: Callable[[int], str]) -> Iterator[Finding]:
        allowed, worst = ALLOWED[self.of], measured.errors.max()
        first = np.argsort(-measured.errors, kind="stable")[:3].tolist()
        yield self.finding(
            "accuracy",
            worst <= allowed,
            f"E is at most {worst:.3g} at {measured.z.size} numbers",
            f"E is up to {worst:.3g}, {allowed:g} is allowed; the worst:\n"
            + "\n".join(map(words, first)),
        )
        lost = np.flatnonzero(measured.lost)[:3].tolist()
        yield self.finding(
            "nothing lost",
            not lost,
            "no zero or wrong sign instead of a number",
            f"lost at {measured.lost.sum()} of {measured.z.size} numbers, such as:\n"
            + "\n".join(map(words, lost)),
        )

    # --- the same vectors again

    def _ordinary(self) -> np.ndarray:
        """Vectors of four numbers, in an array of shape (4, 6, 4)."""
        z = np.array(ORDINARY) + np.linspace(-0.25, 0.25, 24).reshape(4, 6, 1)
        return z.astype(self.dtype)

    def _warnings(self) -> Finding:
        with warnings.catch_warnings(record=True) as raised:
            warnings.simplefilter("always")
            for scale in (1, 30):
                self(*self._with_upstream(scale * self._ordinary()))
        words = sorted({str(warning.message) for warning in raised})
        bad = f"at ordinary numbers: {'; '.join(words)}"
        return self.finding("warnings", not words, "none", bad)

    def _again(self, returned: np.dtype) -> Iterator[Finding]:
        """Each vector by itself, in arrays of any shape, layout and size, and in another call."""
        given = tuple(self._with_upstream(self._ordinary().reshape(24, 4)))
        with quiet():
            found = Again(self, returned)
            right = self(*_copies(given))
            found.repeated(Row.of(given, right, self._tolerance(right), ""))
            examine_again(found, self._row(given, ""), list(self._specials(given)))
        yield from self.told(found)

    def _row(self, given: Sequence[np.ndarray], matter: str) -> Row:
        """Vectors, and what the function gives for each by itself."""
        right = np.stack([self(*(x.copy() for x in item)) for item in zip(*given, strict=True)])
        return Row.of(tuple(given), right, self._tolerance(right), matter)

    def _tolerance(self, right: np.ndarray) -> np.ndarray:
        """How far another evaluation may be off: sums may be rounded otherwise."""
        size = np.nan_to_num(abs(right.astype(float)), posinf=0).max(axis=-1, keepdims=True)
        near: np.ndarray = 64 * float(float_info(self.dtype).eps) * np.maximum(size, 1)
        return near

    def _specials(self, given: Sequence[np.ndarray]) -> Iterator[Row]:
        """Vectors that hold NaN, or in which some scores are masked."""
        for number, aspect, several in (
            *((np.nan, "NaN", [j]) for j in range(4)),
            *((-np.inf, "infinities", masked) for masked in self._masks()),
        ):
            item = [array[:1].copy() for array in given]
            item[0][:, several] = number
            with contextlib.suppress(Unusable):  # that it cannot take this has been said
                yield self._row(item, aspect)

    def _masks(self) -> Sequence[list[int]]:
        """Which of four numbers may be minus infinity together: gates, or some of the scores."""
        return [[2], [3], [2, 3]] if takes_halves(self.formula) else [[0], [0, 2], [1, 2, 3]]

    def _axes(self) -> Iterator[Finding]:
        """Along any axis, if it can be named."""
        given = self._with_upstream(self._ordinary())
        right = self._quietly(*_copies(given))
        for axis in (0, 1, -2) if self.axis else ():
            turned = [np.moveaxis(array, -1, axis) for array in given]
            got = np.moveaxis(self._quietly(*turned, axis=axis), axis, -1)
            if not (abs(got.astype(float) - right) <= self._tolerance(right)).all():
                yield self.finding("shape", False, f"other numbers along axis {axis}")

    # --- special numbers

    def _nan(self) -> Iterator[Finding]:
        """NaN spoils the numbers that depend on it, and no other vector."""
        given = [array[0, 0] for array in self._with_upstream(self._ordinary())]
        wrong = []
        for number, (words, jacobian) in enumerate(self._slopes(*given).items()):
            for j, depends in enumerate(abs(jacobian.astype(float)) > 1e-9):
                rows = [np.stack([array, array]) for array in given]
                rows[number][0, j] = np.nan
                first, second = np.isnan(self._quietly(*rows))
                if (depends & ~first).any() or second.any():
                    wrong.append(f"number {j} of {words}")
        bad = f"NaN as {', '.join(wrong)} is lost, or spoils another vector"
        yield self.finding("NaN", not wrong, "spoils what depends on it", bad)

    def _slopes(self, z: np.ndarray, *upstream: np.ndarray) -> dict[str, np.ndarray]:
        """Of what is given: row j has the slopes of the result with its number j."""
        point = expand(self.formula, tuple(z.astype(float).tolist()))
        if not upstream:
            return {"a vector": point.jacobian.T}
        by_z = np.array([upstream[0].astype(float) @ bend for bend in point.bends])
        return {"a vector": by_z, "an upstream gradient": point.jacobian}

    def _infinities(self) -> Iterator[Finding]:
        """Where numbers are infinite stands the limit; where none is proven, anything may."""
        z, *upstream = self._with_upstream(self._ordinary()[0, 0])
        near, wrong = 16 * float(float_info(self.dtype).eps), []
        several = [(-np.inf, masked) for masked in self._masks()]
        single = [(sign * np.inf, [j]) for j in range(4) for sign in (-1, 1)]
        for infinity, places in (*single, *several):
            far = z.copy()
            far[places] = infinity
            got = self._quietly(far, *upstream).astype(float)
            limits = self._limits(z, upstream, places, int(np.sign(infinity)))
            known = [i for i, y in enumerate(limits) if y is not None]
            right = np.array([limits[i] for i in known], float)
            if not np.allclose(got[known], right, near, near):
                wrong.append(f"{far.tolist()} gives {got.tolist()}; right is {limits}")
        yield self.finding("infinities", not wrong, "give the limits", "\n".join(wrong))

    def _limits(
        self, z: np.ndarray, upstream: Sequence[np.ndarray], places: Sequence[int], sign: int
    ) -> list[float | None]:
        """Of each number of the result, if some numbers of the vector are the same and far out."""

        @functools.cache
        def far_out(x: Any) -> list[Any]:
            numbers = z.astype(float).tolist()
            for j in places:
                numbers[j] = x
            values, jacobian = slopes(self.formula, numbers, range(z.size) if upstream else [])
            found: list[Any] = (
                (upstream[0].astype(float) @ jacobian).tolist() if upstream else values.tolist()
            )
            return found

        size = z.size if upstream else self._result_like(z).size
        return [limit(lambda x, i=i: far_out(x)[i], None, sign) for i in range(size)]


def _copies(given: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [array.copy() for array in given]
