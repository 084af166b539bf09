"""A function of vectors, or its product, under examination."""

from __future__ import annotations

import functools
import itertools
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import mpmath
import numpy as np

from actlib.check.accuracy import Accuracy, float_info, weigh
from actlib.check.calling import quiet
from actlib.check.exact import limit
from actlib.check.expansion import Expansion, Formula, expand, expand_once
from actlib.check.report import Finding
from actlib.check.samples import pairs, upstreams, vectors

ALLOWED = {"value": 4.0, "vjp": 8.0}
_ORDINARY = (0.5, 1.25, 0.75, 2.0)  # no gate is closed, no score far from the others


class Case(NamedTuple):
    """A vector, and the upstream gradient if one is asked for."""

    point: Expansion
    upstream: tuple[np.ndarray, ...]

    def exact(self) -> tuple[np.ndarray, np.ndarray]:
        """What is right, and how far it moves with what is given."""
        return self.point.vjp(*self.upstream) if self.upstream else self.point.value()


@functools.lru_cache(maxsize=16)
def takes_halves(formula: Formula) -> bool:
    """Whether a function is that of a gated unit: half as long as its vector."""
    length = len(formula([mpmath.mpf(x) for x in _ORDINARY]))
    if length not in (2, 4):
        raise ValueError(
            f"exact gives {length} numbers for a list of 4; it must give as many, or half as many"
        )
    return length == 2


def samples(formula: Formula, dtype: np.dtype) -> Iterator[np.ndarray]:
    """The vectors at which to examine it."""
    return pairs(dtype) if takes_halves(formula) else vectors(dtype, (1, 2, 3))


@dataclass(frozen=True)
class VectorSubject:
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
        return [
            *self._accuracy(measured, words),
            self._dtype(got[0]),
            self._input(),
            self._warnings(),
            self._shapes(),
            self._nan(),
            self._infinities(),
        ], measured

    def __call__(self, z: np.ndarray, *upstream: np.ndarray, axis: int = -1) -> np.ndarray:
        """Evaluate along an axis; the result must have the shape that it should have."""
        options = {self.axis: axis} if self.axis else {}
        got = np.asarray(self.function(z, *upstream, **options))
        shape = z.shape if self.of == "vjp" else self._result_like(z, axis).shape
        if got.shape != shape:
            raise ValueError(
                f"the {self.of} of an array of shape {z.shape} has the shape {got.shape}; "
                f"it must be {shape}"
            )
        return got

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

    def _finding(self, aspect: str, ok: Any, good: str, bad: str) -> Finding:
        return Finding(self.dtype.name, self.of, aspect, bool(ok), good if ok else bad)

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
        places = [(i, j) for i, row in enumerate(got) for j in range(row.size)]
        own = [cases[i].point.z[j - got[i].size] for i, j in places]  # of a unit's value, its gate
        large = [max(1.0, *(float(abs(u).max()) for u in case.upstream), 0.0) for case in cases]
        measured = weigh(
            np.array(own, float).astype(self.dtype),
            np.concatenate(got),
            exact.tolist(),
            moves.astype(float),
            ALLOWED[self.of],
            underflow=np.array([large[i] for i, _ in places]),
        )

        def words(number: int) -> str:
            i, j = places[number]
            given = "".join(f", upstream = {u.tolist()}" for u in cases[i].upstream)
            return (
                f"  z = {cases[i].point.z.astype(float).tolist()}{given}: number {j} is "
                f"{measured.got[number]!s}, exact {measured.exact[number]:.9g}, "
                f"E = {measured.errors[number]:.3g}"
            )

        return measured, words

    def _accuracy(self, measured: Accuracy, words: Callable[[int], str]) -> Iterator[Finding]:
        allowed, worst = ALLOWED[self.of], measured.errors.max()
        first = np.argsort(-measured.errors, kind="stable")[:3].tolist()
        yield self._finding(
            "accuracy",
            worst <= allowed,
            f"E is at most {worst:.3g} at {measured.z.size} numbers",
            f"E is up to {worst:.3g}, {allowed:g} is allowed; the worst:\n"
            + "\n".join(map(words, first)),
        )
        lost = np.flatnonzero(measured.lost)[:3].tolist()
        yield self._finding(
            "nothing lost",
            not lost,
            "no zero or wrong sign instead of a number",
            f"lost at {measured.lost.sum()} of {measured.z.size} numbers, such as:\n"
            + "\n".join(map(words, lost)),
        )

    # --- types and shapes

    def _ordinary(self) -> np.ndarray:
        """Vectors of four numbers, in an array of shape (2, 3, 4)."""
        z = np.array(_ORDINARY) + np.linspace(-0.25, 0.25, 6).reshape(2, 3, 1)
        return z.astype(self.dtype)

    def _dtype(self, row: np.ndarray) -> Finding:
        name = f"returns {row.dtype}"
        return self._finding("dtype", row.dtype == self.dtype, name, f"{name} for {self.dtype}")

    def _input(self) -> Finding:
        given = self._with_upstream(self._ordinary())
        before = [array.copy() for array in given]
        self._quietly(*given)
        kept = all(map(np.array_equal, given, before))
        return self._finding("input", kept, "left as it was", "is changed")

    def _warnings(self) -> Finding:
        with warnings.catch_warnings(record=True) as raised:
            warnings.simplefilter("always")
            for scale in (1, 30):
                self(*self._with_upstream(scale * self._ordinary()))
        words = sorted({str(warning.message) for warning in raised})
        bad = f"at ordinary numbers: {'; '.join(words)}"
        return self._finding("warnings", not words, "none", bad)

    def _shapes(self) -> Finding:
        """Each vector by itself, in arrays of any shape and layout, along any axis."""
        given = self._with_upstream(self._ordinary())
        right = np.array(
            [[self._quietly(*(array[i, j] for array in given)) for j in range(3)] for i in range(2)]
        )
        views: dict[str, Callable[[np.ndarray], np.ndarray]] = {
            "an array of three axes": lambda a: a,
            "no vector at all": lambda a: a[:0],
            "an array with its rows in reverse": lambda a: a[::-1, ::-1],
            "an array in Fortran's order": np.asfortranarray,
        }
        wrong = [
            words
            for words, view in views.items()
            if not self._same(self._quietly(*map(view, given)), view(right))
        ]
        for axis in (0, 1, -2) if self.axis else ():
            turned = [np.moveaxis(array, -1, axis) for array in given]
            if not self._same(self._quietly(*turned, axis=axis), np.moveaxis(right, -1, axis)):
                wrong.append(f"axis {axis}")
        bad = f"other numbers than vector by vector for {', '.join(wrong)}"
        return self._finding("shape", not wrong, "kept, and every vector by itself", bad)

    def _same(self, got: np.ndarray, right: np.ndarray) -> bool:
        rtol = max(1e-5, 16 * float(float_info(self.dtype).eps))  # sums may be rounded otherwise
        return np.allclose(got.astype(float), right.astype(float), rtol, rtol, equal_nan=True)

    # --- special numbers

    def _nan(self) -> Finding:
        """NaN spoils the numbers that depend on it, and none to which it is not related."""
        z, *upstream = (array[0, 0] for array in self._with_upstream(self._ordinary()))
        point = expand(self.formula, z.astype(float).tolist())
        by_z, related = point.jacobian, point.jacobian != 0
        if upstream:
            by_z = np.tensordot(upstream[0].astype(float), point.hessian, 1)
            related = related.T @ related
        depends = abs(by_z).astype(float) > 1e-9
        wrong = []
        for j in range(z.size):
            rows = np.stack([z, z])
            rows[0, j] = np.nan
            first, second = np.isnan(self._quietly(rows, *(np.stack([u, u]) for u in upstream)))
            if (depends[:, j] & ~first).any() or (first & ~related[:, j]).any() or second.any():
                wrong.append(str(j))
        bad = f"NaN as number {', '.join(wrong)} of a vector is lost, or spoils what it should not"
        return self._finding("NaN", not wrong, "spoils what depends on it", bad)

    def _infinities(self) -> Finding:
        """Where one number is infinite stands the limit; where none is proven, anything may."""
        few = self._ordinary()[0, 0, : 2 if takes_halves(self.formula) else 3]
        z, *upstream = self._with_upstream(few)
        info, wrong = float_info(self.dtype), []
        for j, sign in itertools.product(range(z.size), (-1, 1)):
            far = z.copy()
            far[j] = sign * np.inf
            got = self._quietly(far, *upstream)
            limits = [
                limit(functools.partial(self._far, z, upstream, i, j), None, sign)
                for i in range(got.size)
            ]
            known = [i for i, y in enumerate(limits) if y is not None]
            right = np.array([limits[i] for i in known], float)
            near = 16 * float(info.eps)
            if not np.allclose(got[known].astype(float), right, near, near):
                wrong.append(f"{far.tolist()} gives {got.tolist()}; right is {limits}")
        return self._finding("infinities", not wrong, "give the limits", "\n".join(wrong))

    def _far(self, z: np.ndarray, upstream: list[np.ndarray], i: int, j: int, x: Any) -> Any:
        """Number i of the result, if number j of the vector is x."""
        numbers = (*z[:j].astype(float).tolist(), x, *z[j + 1 :].astype(float).tolist())
        exact, _ = Case(_expanded(self.formula, numbers), tuple(upstream)).exact()
        return exact[i]


@functools.lru_cache(maxsize=256)
def _expanded(formula: Formula, numbers: tuple[Any, ...]) -> Expansion:
    return expand_once(formula, numbers)
