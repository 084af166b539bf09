"""What a function is compared with: an entry of the registry, a formula, or itself."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import mpmath
import numpy as np

from actlib._core.registry import REGISTRY
from actlib.check.exact import Exact, from_formula, from_spec, in_high_precision

Numbers: TypeAlias = tuple[list[Any], list[Any], list[float]]  # exact, their slopes, uncertainty
Kinks: TypeAlias = Mapping[float, float | None]  # where, and the slope there if it is declared


class ExactTarget:
    """A function that can be evaluated to 30 digits, and its derivatives."""

    def __init__(self, words: str, orders: list[Exact], kinks: Kinks) -> None:
        self.words, self.kinks = words, kinks
        self._orders = [functools.cache(f) for f in orders]

    def at(self, order: int, z: Any) -> mpmath.mpf:
        """The function (order 0) or its derivative (order 1) at one point."""
        return self._orders[order](z)

    def numbers(self, order: int, z: np.ndarray) -> Numbers:
        """The same at many, with the slopes."""
        exact, slopes = (
            [f(x) for x in z.astype(float).tolist()] for f in self._orders[order : order + 2]
        )
        return exact, slopes, [0.0] * z.size


class Differences:
    """The derivative of a function of which nothing is known, by differences in float64."""

    words = (
        "The gradient is compared with differences of the function in float64, and only as far as "
        "these are certain; the function itself is taken to be right."
    )

    def __init__(self, f: Callable[..., Any], params: Mapping[str, float], kinks: Kinks) -> None:
        self.kinks = kinks
        self._given = functools.partial(f, **params)

    def _f(self, z: np.ndarray) -> np.ndarray:
        return np.asarray(self._given(z), float)

    def at(self, order: int, z: Any) -> None:
        """Nothing: a single number cannot be relied on."""

    def numbers(self, order: int, z: np.ndarray) -> Numbers | None:
        """The derivative, roughly the second one, and the uncertainty of the derivative."""
        if order == 0:
            return None
        from scipy.differentiate import derivative

        z = z.astype(float)
        away = [abs(z - kink) for kink in self.kinks]
        step = np.minimum(np.min([0.2 + 0.1 * abs(z), *(0.5 * a for a in away)], axis=0), 1e300)
        with np.errstate(all="ignore"):
            found = derivative(self._f, z, initial_step=step, order=6, maxiter=12)
            h, y = 1e-4 * step, self._f(z)
            curved = (self._f(z + h) - 2 * y + self._f(z - h)) / h / h
            noise = np.finfo(float).eps * abs(y) * 2.0**found.nit / step
        slope, uncertain = self._refined(z, found.df, 10 * (found.error + noise))
        unknown = ~np.isfinite(slope) | ~np.isfinite(uncertain)
        slope, curved = (np.where(unknown | ~np.isfinite(x), 0, x) for x in (slope, curved))
        bounds = np.where(unknown, np.inf, uncertain).tolist()
        return [mpmath.mpf(x) for x in slope], [mpmath.mpf(x) for x in curved], bounds

    def _refined(
        self, z: np.ndarray, slope: np.ndarray, uncertain: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """By a complex step, which cancels nothing, where the function is made for it."""
        try:
            with np.errstate(all="ignore"):
                by_step = np.imag(self._given(z + 1e-200j)) / 1e-200
        except Exception:  # whatever a function may raise that was made for real numbers
            return slope, uncertain
        known = uncertain < 1e-6 * abs(slope)
        agree = abs(by_step - slope) <= uncertain
        if known.sum() < z.size / 10 or not agree[known].all() or not np.isfinite(by_step).all():
            return slope, uncertain
        return by_step, 16 * np.finfo(float).eps * abs(by_step)


Target: TypeAlias = ExactTarget | Differences


def find_target(
    f: Callable[..., Any],
    exact: str | Callable[..., Any] | None,
    params: Mapping[str, float],
    kinks: Iterable[float] | Mapping[float, float],
    dtype: np.dtype,
) -> Target:
    """Choose what to compare with; parameters count as rounded to the dtype."""
    declared: Kinks = kinks if isinstance(kinks, Mapping) else dict.fromkeys(kinks)
    working = np.float64 if dtype == np.float64 else np.float32  # also for half precision
    rounded = {key: float(working(value)) for key, value in params.items()}
    if isinstance(exact, str):
        return _entry(exact, params, declared, working)
    if exact is not None:
        words = "Compared with the exact formula given, to 30 digits."
        return ExactTarget(words, from_formula(exact, rounded), declared)
    precise = in_high_precision(f)
    if _agree(f, precise, rounded):
        words = (
            "Compared with the function's own formula, computed to 30 digits: whether it is the "
            "right formula, nobody said."
        )
        return ExactTarget(words, from_formula(precise, rounded), declared)
    return Differences(f, params, declared)


def _entry(name: str, params: Mapping[str, float], kinks: Kinks, working: type) -> ExactTarget:
    activation = REGISTRY.elementwise[name]
    spec = activation.spec
    values = [float(working(value)) for value in spec.values(**params)]
    if not kinks:
        points = spec.kinks_at(**dict(zip(spec.params, values, strict=True)))
        kinks = {x: float(activation.grad(x, *values)) for x in points}
    words = f"Compared with {name}, to 30 digits."
    return ExactTarget(words, from_spec(spec, values), kinks)


def _agree(f: Callable[..., Any], precise: Callable[..., Any], params: Mapping[str, float]) -> bool:
    """Whether a function can be computed in high precision, and is the same function there."""
    z = np.array([-2.75, -0.375, 0.0, 0.625, 3.5])
    try:
        with mpmath.workdps(30), np.errstate(all="ignore"):
            high = [float(precise(mpmath.mpf(x), **params)) for x in z.tolist()]
            return np.allclose(f(z, **params), high, rtol=1e-6, atol=1e-6, equal_nan=True)
    except Exception:  # whatever a function may raise that was made for ordinary arrays
        return False
