"""What a formula is: a kernel, and what has to be known of it to evaluate it anywhere.

A kernel is a function of an array namespace, ``kernel(xp, z, *parameters)``. It is given float32
or float64 only, and need not care about NaN, infinities, warnings, memory or other dtypes.
"""

from __future__ import annotations

import functools
import math
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress, product
from typing import Any

import numpy as np

from actlib._core.arrays import (
    Array,
    Kernel,
    Limits,
    Namespace,
    argument,
    beside,
    broadcast,
    dtype_name,
    dtypes_of,
    has_rank,
    is_number,
)
from actlib._core.spec import Param

_SPECIAL = (math.nan, -math.inf, math.inf)


@dataclass(frozen=True, eq=False)
class Formula:
    """A kernel and what its evaluation depends on.

    `slopes` are its declared derivatives: by ``"z"``, and by parameters.
    """

    name: str
    kernel: Kernel
    params: Mapping[str, Param]
    limits: Limits
    one_pass: bool
    slopes: dict[str, Formula] = field(default_factory=dict)

    @property
    def defaults(self) -> list[float]:
        return [param.default for param in self.params.values()]

    @functools.cache  # noqa: B019 - there are as many as activations, and they stay
    def defaults_in(self, working: np.dtype[Any]) -> list[np.number]:
        return [working.type(default) for default in self.defaults]

    def on(self, xp: Namespace, z: Array, params: Sequence[Array]) -> Array:
        """Evaluate on arrays of one library and dtype, float32 or float64, as they are."""
        return self.mended(xp, z, self.kernel(xp, z, *params), params)

    def mended(self, xp: Namespace, z: Array, out: Array, params: Sequence[Array]) -> Array:
        """The kernel's result, put right where it is wrong: at NaN or the infinities."""
        faults = self.faults
        if not faults or (xp is np and self._finds_no_fault(z)):
            return out
        low, high = self.limits_at(xp, params)
        largest = xp.finfo(z.dtype).max  # TensorFlow Lite makes this of an infinite constant
        if -math.inf in faults:
            out = xp.where(z < -largest, low, out)
        if math.inf in faults:
            out = xp.where(z > largest, high, out)
        return xp.where(xp.isnan(z), z, out) if math.nan in faults else out

    @functools.cached_property
    def faults(self) -> frozenset[float]:
        """Which of NaN and the infinities the bare kernel is wrong at, for any sample."""
        chosen = product(*(param.samples for param in self.params.values()))
        return frozenset[float]().union(*(self.faults_at(params) for params in chosen))

    def faults_at(self, params: Iterable[float]) -> frozenset[float]:
        """Which of NaN and the infinities the bare kernel is wrong at, for these parameters."""
        z, values = np.array(_SPECIAL), [np.float64(value) for value in params]
        with np.errstate(all="ignore"):
            got = self.kernel(np, z, *values)
            expected = np.array([math.nan, *self.limits_at(np, values)])
        right = (got == expected) | (np.isnan(got) & np.isnan(expected))
        return frozenset(compress(_SPECIAL, ~right))

    def limits_at(self, xp: Namespace, params: Sequence[Array]) -> tuple[Array, Array]:
        """The values at -inf and +inf for these parameters."""
        return self.limits(xp, *params) if callable(self.limits) else self.limits

    def goes_bare(self, z: np.ndarray, working: np.dtype[Any]) -> bool:
        """Whether the kernel alone is right and quick: it makes nothing but its output."""
        if not self.one_pass or self.params or z.dtype != working or z.ndim == 0:
            return False
        return not self.faults or self._finds_no_fault(z)

    def _finds_no_fault(self, z: np.ndarray) -> bool:
        """Whether the kernel is right at every element, by the least and perhaps the largest.

        NaN counts as both. Their places take a third of the time of ``np.min`` on a small array.
        """
        if z.size == 0:
            return True
        if math.inf in self.faults and not math.isfinite(z.item(z.argmax())):
            return False
        return math.isfinite(z.item(z.argmin()))

    def arguments(
        self, xp: Namespace, z: Array, params: Sequence[Any], working: Any
    ) -> tuple[Array, list[Array]]:
        """Make z and the parameters ready for the kernel: cast, broadcast, in their domain.

        A number outside its domain is an error. Elements of an array cannot be: where they are
        outside, z becomes NaN, and so does the result. Without parameters they are the defaults.
        """
        if xp is np and not params:
            return z, self.defaults_in(working)
        values = self.cast_all(xp, z, params, working)
        if all(map(is_number, params)):
            return z, values
        named = zip(self.params, params, values, strict=True)
        arrays = {key: value for key, given, value in named if not is_number(given)}
        z = xp.broadcast_to(z, self.shape_in_common(z, values))
        return self.in_domain(xp, z, arrays), values

    def in_domain(self, xp: Namespace, z: Array, values: Mapping[str, Array]) -> Array:
        """Broadcast z against these parameters, NaN where one of them is outside its domain."""
        for key, value in values.items():
            allowed = self.params[key].allows(value)
            if xp is not np or not allowed.all():
                z = xp.where(allowed, z, math.nan)
        return z

    def cast_all(self, xp: Namespace, z: Array, params: Sequence[Any], working: Any) -> list[Array]:
        """The parameters in the dtype computed in, on z's device; numbers in their domain."""
        values = []
        for key, given in zip(self.params, params, strict=True):
            if xp is np and isinstance(given, float):  # as most are; the rest would take longer
                values.append(self._allowed(key, given, working.type(given)))
            else:
                values.append(self._cast(xp, z, key, given, working))
        return values

    def _cast(self, xp: Namespace, z: Array, key: str, given: Any, working: Any) -> Array:
        theirs, value = argument(self.name, xp, given, key)
        if dtypes_of(theirs, value.dtype) is None:
            raise TypeError(f"{self.name}: {key} must be a real number, got {reprlib.repr(given)}")
        if theirs is not np:
            return beside(xp, z, value, working)
        value = value.astype(dtype_name(xp, working))
        if value.ndim == 0:  # a scalar, with which NumPy is quicker
            value = self._allowed(key, given, value[()])
        return value if xp is np else beside(xp, z, value, working)

    def _allowed(self, key: str, given: Any, value: np.floating[Any]) -> np.floating[Any]:
        """A parameter that is a number, in the dtype computed in; an error out of its domain."""
        param = self.params[key]
        if not param.allows(value):
            rounded = f", which is {value:g} in {value.dtype}" if param.allows(float(given)) else ""
            raise ValueError(f"{self.name}: {key} must be {param.domain}, got {given!r}{rounded}")
        return value

    def shape_in_common(self, z: Array, values: list[Array]) -> Any:
        """The shape that z has in common with the parameters."""
        if not has_rank(z) or not any(value.ndim for value in values):
            return z.shape
        try:
            return broadcast(*(array.shape for array in (z, *values)))
        except ValueError as error:
            named = ", ".join(f"{k} {v.shape}" for k, v in zip(self.params, values, strict=True))
            raise ValueError(
                f"{self.name}: shapes do not broadcast: z {z.shape}, {named}"
            ) from error
