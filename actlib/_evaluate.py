"""How a kernel is evaluated: by which array library, in which dtype, block by block.

A kernel is a formula over an array namespace, ``kernel(xp, z, *parameters)``. It is given
float32 or float64 only, and need not care about NaN, infinities, warnings, memory or other
dtypes: that is what this module is for.
"""

from __future__ import annotations

import functools
import math
import re
import reprlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress, product
from typing import Any, Protocol, TypeAlias

import numpy as np


class HasDtype(Protocol):
    """What static typing knows of an array, whoever made it."""

    @property
    def dtype(self) -> Any: ...
    @property
    def shape(self) -> Any: ...


class Parameter(Protocol):
    """What static typing knows of a parameter: a number or an array, but no string."""

    def __neg__(self) -> Any: ...
    def __mul__(self, other: Any, /) -> Any: ...
    def __rmul__(self, other: Any, /) -> Any: ...


ArrayLike: TypeAlias = float | list[Any] | tuple[Any, ...] | HasDtype
Array: TypeAlias = Any
Namespace: TypeAlias = Any
Kernel: TypeAlias = Callable[..., Array]
Limits: TypeAlias = tuple[float, float] | Callable[..., tuple[Array, Array]]

BLOCK = 16384  # elements evaluated at a time, so that temporaries stay in the L2 cache

_SPECIAL = (math.nan, -math.inf, math.inf)
_NUMPY = (np.ndarray, np.generic, list, tuple, int, float)
_WORKING = {"float16": "float32", "bfloat16": "float32", "float32": "float32", "float64": "float64"}
_WHOLE = re.compile(r"bool_?|u?int\d+")


@dataclass(frozen=True)
class Param:
    """A parameter of an activation.

    Parameters
    ----------
    samples : tuple of float
        Values at which the tests examine the activation; the default becomes one of them.
    low, high : float
        The open interval of allowed values.
    default : float
        Its value when the caller gives none; a declaration takes it from the kernel's signature.
    """

    samples: tuple[float, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    default: float = math.nan

    def allows(self, value: Array) -> Array:
        """Whether ``value`` lies in the domain, elementwise for an array."""
        return (value > self.low) & (value < self.high)

    @property
    def domain(self) -> str:
        """The domain in words, for messages."""
        bounds = [f"above {self.low:g}"] if math.isfinite(self.low) else []
        bounds += [f"below {self.high:g}"] if math.isfinite(self.high) else []
        return " ".join(["a finite number", " and ".join(bounds)]).strip()


@dataclass(frozen=True, eq=False)
class Formula:
    """A kernel and what its evaluation depends on."""

    name: str
    kernel: Kernel
    params: Mapping[str, Param]
    limits: Limits
    one_pass: bool

    def __call__(self, z: Any, *params: Any) -> Array:
        """Evaluate at ``z`` for all the parameters, in their declared order."""
        xp = _namespace(z)
        if xp is np:
            z = _as_ndarray(self.name, z)
        working, result = _real_dtypes(self.name, xp, z.dtype)
        if xp is not np and hasattr(xp, "blockwise"):
            return self._on_dask(xp, z, params, working, result)
        with np.errstate(all="ignore"):
            if xp is not np:
                z = xp.astype(z, working)
            z, values = self._arguments(xp, z, params, working)
            if xp is np:
                return self._on_numpy(z, values, working, result)
            return xp.astype(self.on(xp, z, values), result)

    def on(
        self,
        xp: Namespace,
        z: Array,
        params: Sequence[Array],
        faults: Collection[float] | None = None,
    ) -> Array:
        """Evaluate on arrays of one library and dtype, float32 or float64, as they are.

        For given parameters the kernel may have fewer `faults` than for every sample.
        """
        out = self.kernel(xp, z, *params)
        return self._patched(xp, z, out, params, self.faults if faults is None else faults)

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

    def _on_numpy(
        self, z: np.ndarray, params: Sequence[Array], working: type, result: np.dtype
    ) -> Array:
        if z.size <= BLOCK:
            flat: np.ndarray = np.atleast_1d(z.astype(working, copy=False))
            out = self._guarded(flat, *params).astype(result, copy=False)
            return out if z.ndim else out[0]
        if self.one_pass and z.dtype == working and self._needs_no_guard(z):
            return self.kernel(np, z, *params)
        return self._blocked(z, params, working, result)

    def _on_dask(
        self, xp: Namespace, z: Array, params: Sequence[Any], working: type, result: np.dtype
    ) -> Array:
        """Evaluate later: each chunk will be an array of its own."""
        arrays = [z, *self._cast_all(xp, params, working)]
        self._broadcast_shape(z, arrays[1:])
        axes = [tuple(range(array.ndim))[::-1] for array in arrays]
        pairs = [part for pair in zip(arrays, axes, strict=True) for part in pair]
        longest = max(axes, key=len)
        meta = np.empty((0,) * len(longest), dtype=result)
        return xp.blockwise(self, longest, *pairs, meta=meta, token=f"actlib-{self.name}")

    def _blocked(
        self, z: np.ndarray, params: Sequence[Array], working: type, result: np.dtype
    ) -> np.ndarray:
        """Evaluate block by block into one output, whatever the layout of the input."""
        out = np.empty_like(z, dtype=result)
        operands = [z, *params, out]
        blocks = np.nditer(
            operands,
            flags=["external_loop", "buffered"],
            op_flags=[
                ["readonly"] if operand is not out else ["writeonly"] for operand in operands
            ],
            op_dtypes=[working for _ in operands],
            casting="unsafe",
            buffersize=BLOCK,
        )
        with blocks:
            for *given, target in blocks:
                target[...] = self._guarded(*given)
        return out

    def _guarded(self, z: np.ndarray, *params: Array) -> np.ndarray:
        out: np.ndarray = self.kernel(np, z, *params)
        return out if self._needs_no_guard(z) else self._patched(np, z, out, params, self.faults)

    def _needs_no_guard(self, z: np.ndarray) -> bool:
        """Whether the kernel is right at every element; a sum is finite only if they all are."""
        return not self.faults or math.isfinite(z.sum())

    def _patched(
        self,
        xp: Namespace,
        z: Array,
        out: Array,
        params: Sequence[Array],
        faults: Collection[float],
    ) -> Array:
        """The kernel's result, put right where it is wrong: at NaN or the infinities."""
        low, high = self.limits_at(xp, params)
        for special, limit in ((-math.inf, low), (math.inf, high)):
            if special in faults:
                out = xp.where(z == special, limit, out)
        return xp.where(xp.isnan(z), z, out) if math.nan in faults else out

    def _arguments(
        self, xp: Namespace, z: Array, params: Sequence[Any], working: Any
    ) -> tuple[Array, list[Array]]:
        """Make z and the parameters ready for the kernel: cast, broadcast, in their domain.

        A number outside its domain is an error. Elements of an array cannot be: where they are
        outside, z becomes NaN, and so does the result.
        """
        values = self._cast_all(xp, params, working)
        if any(value.ndim for value in values):
            z = xp.broadcast_to(z, self._broadcast_shape(z, values))
        for key, given, value in zip(self.params, params, values, strict=True):
            if not _is_number(given):
                allowed = self.params[key].allows(value)
                if xp is not np or not allowed.all():
                    z = xp.where(allowed, z, math.nan)
        return z, values

    def _cast_all(self, xp: Namespace, params: Sequence[Any], working: Any) -> list[Array]:
        named = zip(self.params, params, strict=True)
        return [self._cast(xp, key, given, working) for key, given in named]

    def _cast(self, xp: Namespace, key: str, given: Any, working: Any) -> Array:
        """A parameter in the dtype computed in."""
        theirs = _namespace(given)
        if theirs not in (np, xp):
            raise TypeError(
                f"{self.name}: z belongs to {xp.__name__} but {key} to {theirs.__name__}; "
                "convert one of them"
            )
        value = _as_ndarray(self.name, given, key) if theirs is np else given
        if _dtypes(theirs, value.dtype) is None:
            raise TypeError(f"{self.name}: {key} must be a real number, got {reprlib.repr(given)}")
        if theirs is not np:
            return xp.astype(value, working)
        value = value.astype(_name(xp, working))
        if _is_number(given) and not self.params[key].allows(value):
            domain = self.params[key].domain
            raise ValueError(f"{self.name}: {key} must be {domain}, got {given!r}")
        return value if xp is np else xp.asarray(value)

    def _broadcast_shape(self, z: Array, values: list[Array]) -> tuple[int, ...]:
        """The shape that z has in common with the parameters; unknown sizes count as 1."""
        shapes = [tuple(1 if n != n else n for n in array.shape) for array in (z, *values)]
        try:
            return np.broadcast_shapes(*shapes)
        except ValueError as error:
            named = ", ".join(f"{k} {v.shape}" for k, v in zip(self.params, values, strict=True))
            raise ValueError(
                f"{self.name}: shapes do not broadcast: z {z.shape}, {named}"
            ) from error


def _namespace(value: Any) -> Namespace:
    """The array library of a value: NumPy itself unless another one owns it."""
    if isinstance(value, _NUMPY):
        return np
    from array_api_compat import array_namespace, is_array_api_obj

    return array_namespace(value) if is_array_api_obj(value) else np


def _is_number(value: Any) -> bool:
    return _namespace(value) is np and np.ndim(value) == 0


def _as_ndarray(name: str, value: Any, role: str = "z") -> np.ndarray:
    if type(value) is np.ndarray:
        return value
    if isinstance(value, np.ndarray) and isinstance(value, np.ma.MaskedArray):
        raise TypeError(
            f"{name}: {role} is a masked array, whose mask would be lost; fill it first (.filled)"
        )
    try:
        return np.asarray(value)
    except ValueError as error:
        raise TypeError(f"{name}: {role} is not an array of numbers: {error}") from error


def _real_dtypes(name: str, xp: Namespace, dtype: Any, role: str = "z") -> tuple[Any, Any]:
    """The dtype to compute in and the dtype to return; an error if this one cannot be used."""
    dtypes = _dtypes(xp, dtype)
    if dtypes is None:
        raise TypeError(
            f"{name}: {role} has dtype {dtype}; it takes real numbers (float16, bfloat16, "
            "float32, float64, integers or booleans)"
        )
    return dtypes


def _dtypes(xp: Namespace, dtype: Any) -> tuple[Any, Any] | None:
    """The dtype to compute in and the dtype to return, None if this one cannot be used."""
    name = _name(xp, dtype)
    if name in _WORKING:
        return getattr(xp, _WORKING[name]), getattr(xp, name, dtype)
    if _WHOLE.fullmatch(name):
        default = xp.__array_namespace_info__().default_dtypes()["real floating"]
        return default, default
    return None


@functools.cache
def _name(xp: Namespace, dtype: Any) -> str:
    """A dtype's name, the same for every library.

    It ends what the dtype prints as: ``float32``, ``torch.float32``, ``<class 'numpy.float32'>``.
    The cache asks for the library too, since dtypes of two libraries must not be compared.
    """
    return getattr(dtype, "name", None) or str(dtype).rpartition(".")[2].strip("'>")
