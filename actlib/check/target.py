"""What a function is compared with: an entry of the registry, a formula, or itself."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import mpmath
import numpy as np

from actlib._core.registry import REGISTRY
from actlib.check.accuracy import float_info
from actlib.check.differences import differentiate
from actlib.check.exact import Domain, Exact, from_formula, from_spec, in_high_precision
from actlib.check.formulas import probes, refuse_imprecise

Kinks: TypeAlias = Mapping[float, float | None]  # where, and the slope there if it is declared


class Numbers(NamedTuple):
    """What is right at some points, its slope there, and by how much it is uncertain."""

    exact: list[Any]
    slopes: list[Any]
    uncertain: list[float]

    @property
    def certain(self) -> np.ndarray:
        """Where the uncertainty is next to nothing: 1% of the number, or 1e-10."""
        allowed = np.maximum(0.01 * abs(np.array(self.exact, float)), 1e-10)
        known: np.ndarray = np.array(self.uncertain) <= allowed
        return known


class ExactTarget:
    """A function that can be evaluated to 30 digits, and its derivatives."""

    def __init__(self, words: str, orders: list[Exact], kinks: Kinks) -> None:
        self.words, self.kinks = words, kinks
        self._orders = [functools.cache(f) for f in orders]

    def at(self, order: int, z: Any, domain: Domain = None) -> mpmath.mpf:
        """The function (order 0) or its derivative (order 1) at one point."""
        return self._orders[order](z, domain)

    def numbers(self, order: int, z: np.ndarray, domain: Domain) -> Numbers:
        """The same at many, with the slopes; nothing is certain where one is not defined."""
        exact, slopes = (
            [f(x, domain) for x in z.astype(float).tolist()]
            for f in self._orders[order : order + 2]
        )
        undefined = np.isnan(np.array([exact, slopes], float)).any(axis=0)
        return Numbers(exact, slopes, np.where(undefined, np.inf, 0.0).tolist())


class Differences:
    """The derivative of a function of which nothing is known, by polynomials in float64."""

    words = (
        "The gradient is compared with that of polynomials fitted to the function's values in "
        "float64, and only as far as this is certain; the function itself is taken to be right."
    )

    def __init__(self, f: Callable[..., Any], params: Mapping[str, float], kinks: Kinks) -> None:
        self.kinks = kinks
        self._f = functools.partial(f, **params)

    def at(self, order: int, z: Any, domain: Domain = None) -> None:
        """Nothing: a single number cannot be relied on."""

    def numbers(self, order: int, z: np.ndarray, domain: Domain) -> Numbers | None:
        """The derivative, a bound of the second one, and the uncertainty of the derivative."""
        if order == 0:
            return None
        found = differentiate(self._f, z.astype(float), self.kinks, domain)
        known = np.isfinite(found.error) & np.isfinite(found.curvature)
        exact, slopes = (
            [mpmath.mpf(x) for x in np.where(known, row, np.nan)]
            for row in (found.slope, found.curvature)
        )
        return Numbers(exact, slopes, np.where(known, found.error, np.inf).tolist())

    def slopes_beside(self, kink: float) -> tuple[float, float] | None:
        """Between which numbers the slope at a kink lies, if the value there is a number."""
        if not np.isfinite(self._f(np.array([kink]))).all():
            return None
        near = float(np.finfo(float).eps) * max(abs(kink), 1)
        found = differentiate(self._f, np.array([kink - near, kink + near]), self.kinks)
        low, high = found.slope - found.error, found.slope + found.error
        return float(low.min()), float(high.max())


Target: TypeAlias = ExactTarget | Differences


@np.errstate(all="ignore")
def find_target(
    f: Callable[..., Any],
    exact: str | Callable[..., Any] | None,
    params: Mapping[str, float],
    kinks: Kinks,
    dtype: np.dtype,
    domain: Domain,
) -> Target:
    """Choose what to compare with; parameters count as rounded to the dtype.

    Kinks beyond the largest number of the dtype are left out.
    """
    kinks = {x: slope for x, slope in kinks.items() if abs(x) <= float(float_info(dtype).max)}
    working = np.float64 if dtype == np.float64 else np.float32  # also for half precision
    rounded = {key: float(working(value)) for key, value in params.items()}
    places = 5 - int(np.log10(float(np.finfo(working).tiny)))  # far below the smallest number
    if isinstance(exact, str):
        return _entry(exact, params, kinks, working)
    if exact is not None:
        refuse_imprecise(exact, lambda x: exact(x, **rounded), domain)
        words = "Compared with the exact formula given, to 30 digits."
        return ExactTarget(words, from_formula(exact, rounded, places), kinks)
    precise = in_high_precision(f)
    if _agree(f, precise, rounded, domain):
        words = (
            "Compared with the function's own formula, computed to 30 digits: whether it is the "
            "right formula, nobody said."
        )
        return ExactTarget(words, from_formula(precise, rounded, places), kinks)
    return Differences(f, rounded, kinks)


def _entry(name: str, params: Mapping[str, float], kinks: Kinks, working: type) -> ExactTarget:
    activation = REGISTRY.elementwise[name]
    spec = activation.spec
    values = [float(working(value)) for value in spec.values(**params)]
    if not kinks:
        points = spec.kinks_at(**dict(zip(spec.params, values, strict=True)))
        kinks = {x: float(activation.grad(x, *values)) for x in points}
    words = f"Compared with {name}, to 30 digits."
    return ExactTarget(words, from_spec(spec, values), kinks)


def _agree(
    f: Callable[..., Any], precise: Callable[..., Any], params: Mapping[str, float], domain: Domain
) -> bool:
    """Whether a function can be computed in high precision, and is the same function there."""
    z = np.array(probes(domain), float)
    try:
        with mpmath.workdps(30):
            high = [float(precise(mpmath.mpf(x), **params)) for x in z.tolist()]
            return np.allclose(f(z, **params), high, rtol=1e-6, atol=1e-6, equal_nan=True)
    except KeyboardInterrupt:
        raise
    except BaseException:  # whatever a function may raise that was made for ordinary arrays
        return False
