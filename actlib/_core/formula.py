"""What a formula is: a kernel, and what has to be known of it to evaluate it anywhere.

A kernel is a function of an array namespace, ``kernel(xp, z, *parameters)``. It is given float32
or float64 only, and need not care about NaN, infinities, warnings, memory or other dtypes.
"""

from __future__ import annotations

import functools
import math
import reprlib
from collections.abc import Callable, Iterable, Mapping, Sequence
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
    def defaults_in(self, working: type) -> list[np.number]:
        number = np.dtype(working).type
        return [number(default) for default in self.defaults]

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

    def goes_bare(self, z: np.ndarray, working: type) -> bool:
        """Whether the kernel alone is right and quick: it makes nothing but its output."""
        if not self.one_pass or self.params or z.dtype != working or z.ndim == 0:
            return False
        return not self.faults or self._finds_no_fault(z)

    def _finds_no_fault(self, z: np.ndarray) -> bool:
        """Whether the kernel is right at every element."""
        return math.isfinite(self._witness(z, axis=None, initial=0))

    @functools.cached_property
    def _witness(self) -> Callable[..., Any]:
        """A reduction of an array that is not finite if one of `faults` is an element.

        NaN makes all of them NaN. A sum takes longer, but tells of both infinities.
        """
        if math.inf not in self.faults:
            return np.minimum.reduce
        return np.add.reduce if -math.inf in self.faults else np.maximum.reduce

    def arguments(
        self, xp: Namespace, z: Array, params: Sequence[Any], working: Any
    ) -> tuple[Array, list[Array]]:
        """Make z and the parameters ready for the kernel: cast, broadcast, in their domain.

        A number outside its domain is an error. Elements of an array cannot be: where they are
        outside, z becomes NaN, and so does the result.
        """
        values = self.cast_all(xp, z, params, working)
        if any(value.ndim for value in values):
            z = xp.broadcast_to(z, self.shape_in_common(z, values))
        named = zip(self.params, params, values, strict=True)
        arrays = {key: value for key, given, value in named if not is_number(given)}
        return self.in_domain(xp, z, arrays), values

    def in_domain(self, xp: Namespace, z: Array, values: Mapping[str, Array]) -> Array:
        """Broadcast z against these parameters, NaN where one of them is outside its domain."""
        for key, value in values.items():
            allowed = self.params[key].allows(value)
            if xp is not np or not allowed.all():
                z = xp.where(allowed, z, math.nan)
        return z

    def cast_all(self, xp: Namespace, z: Array, params: Sequence[Any], working: Any) -> list[Array]:
        named = zip(self.params, params, strict=True)
        return [self._cast(xp, z, key, given, working) for key, given in named]

    def _cast(self, xp: Namespace, z: Array, key: str, given: Any, working: Any) -> Array:
        """A parameter in the dtype computed in, on z's device."""
        theirs, value = argument(self.name, xp, given, key)
        if dtypes_of(theirs, value.dtype) is None:
            raise TypeError(f"{self.name}: {key} must be a real number, got {reprlib.repr(given)}")
        if theirs is not np:
            return beside(xp, z, value, working)
        value, param = value.astype(dtype_name(xp, working)), self.params[key]
        if is_number(given) and not param.allows(value):
            rounded = f", which is {value:g} in {value.dtype}" if param.allows(float(given)) else ""
            raise ValueError(f"{self.name}: {key} must be {param.domain}, got {given!r}{rounded}")
        if xp is np:
            return value if value.ndim else value[()]  # a scalar, with which NumPy is quicker
        return beside(xp, z, value, working)

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
