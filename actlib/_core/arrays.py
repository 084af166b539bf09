"""What kinds of arrays and dtypes there are: which library an array is of, what is computed in."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np


class HasDtype(Protocol):
    """What static typing knows of an array, whoever made it."""

    @property
    def dtype(self) -> Any: ...
    @property
    def shape(self) -> Any: ...


class Tensor(HasDtype, Protocol):
    """An array of a library whose calls return one of its own: JAX, PyTorch, CuPy."""

    @property
    def device(self) -> Any: ...


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

_NUMPY = (np.ndarray, np.generic, list, tuple, int, float)
_WORKING = {"float16": "float32", "bfloat16": "float32", "float32": "float32", "float64": "float64"}
_WHOLE = re.compile(r"bool_?|u?int\d+")


def namespace(value: Any) -> Namespace:
    """The array library of a value: NumPy itself unless another one owns it."""
    if isinstance(value, _NUMPY):
        return np
    if _is_tensorflow(value):
        from actlib._core.tensorflow_namespace import NAMESPACE

        return NAMESPACE
    from array_api_compat import array_namespace, is_array_api_obj

    return array_namespace(value) if is_array_api_obj(value) else np


def _is_tensorflow(value: Any) -> bool:
    """Whether it is a tensor, a variable, or what TensorFlow takes for one."""
    tf = sys.modules.get("tensorflow")
    return tf is not None and (hasattr(value, "__tf_tensor__") or tf.is_tensor(value))


def prepared(name: str, z: Any) -> tuple[Namespace, Array, Any, Any]:
    """The array library of z, z as an array of it, the dtype to compute in and that to return."""
    xp = namespace(z)
    z = as_array(name, xp, z)
    return xp, z, *real_dtypes(name, xp, z.dtype)


def as_array(name: str, xp: Namespace, value: Any, role: str = "z") -> Array:
    """What belongs to a library as an array of it: also lists and TensorFlow's variables."""
    if xp is np:
        return as_ndarray(name, value, role)
    if xp.__name__ != "tensorflow":
        return value
    try:
        return xp.asarray(value)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{name}: {role} is a {type(value).__name__}, of which TensorFlow makes no tensor; "
            "in a Keras model, use actlib.keras"
        ) from error


def as_dtype(xp: Namespace, array: Array, dtype: Any) -> Array:
    """The array in a dtype, itself if it is; NumPy's own ``astype`` takes a microsecond longer."""
    return array.astype(dtype, copy=False) if xp is np else xp.astype(array, dtype, copy=False)


def argument(name: str, xp: Namespace, given: Any, role: str) -> tuple[Namespace, Array]:
    """What is given beside a z of a library as an array, and whose: NumPy's or that library's."""
    theirs = namespace(given)
    if theirs not in (np, xp):
        raise TypeError(
            f"{name}: z belongs to {xp.__name__} but {role} to {theirs.__name__}; "
            "convert one of them"
        )
    return theirs, as_array(name, theirs, given, role)


def beside(xp: Namespace, z: Array, value: Any, dtype: Any) -> Array:
    """What belongs to NumPy or to z's library as an array of that, in a dtype, on z's device."""
    if xp is np:
        return np.asarray(value, dtype)
    if xp.__name__ == "tensorflow":  # where tensors go to each other by themselves
        return xp.astype(xp.asarray(value), dtype)
    if xp.__name__ == "jax.numpy":
        return xp.astype(_moved_by_jax(xp.asarray(value), z), dtype)
    from array_api_compat import device, to_device

    if isinstance(value, _NUMPY):
        return xp.asarray(value, dtype=dtype, device=device(z))
    return xp.astype(value if device(value) == device(z) else to_device(value, device(z)), dtype)


def _moved_by_jax(value: Array, z: Array) -> Array:
    """The array on z's device, unless JAX is tracing and knows of none."""
    import jax

    if isinstance(z, jax.core.Tracer) or isinstance(value, jax.core.Tracer):
        return value
    if len(z.devices()) > 1 or value.devices() == z.devices():
        return value
    return jax.device_put(value, z.device)


def among(number: Any, others: Iterable[Any]) -> Any:
    """A number as an array of the library that the others belong to; as it is, if that is NumPy."""
    for other in others:
        if (xp := namespace(other)) is not np:
            dtypes = dtypes_of(xp, other.dtype)
            return beside(xp, other, number, dtypes[1] if dtypes else other.dtype)
    return number


def has_rank(z: Array) -> bool:
    """Whether it is known how many axes there are: a graph of TensorFlow's may not know."""
    return getattr(z.shape, "rank", 0) is not None


def ranked(name: str, z: Array) -> Array:
    """The array; an error unless it is known how many axes it has."""
    if not has_rank(z):
        raise ValueError(f"{name}: z has an unknown number of axes; give it a shape (.set_shape)")
    return z


def is_known(size: Any) -> bool:
    """Whether the size of an axis is known before the array is: in TensorFlow None, in Dask NaN."""
    return size is not None and size == size


def broadcast(*shapes: Sequence[Any]) -> tuple[Any, ...]:
    """The shape that shapes have in common; a size that is not known goes with every other.

    Unlike NumPy's, it leaves sizes that are symbols to JAX's and PyTorch's compilers.
    """
    common: list[Any] = [1] * max(map(len, shapes))
    for shape in shapes:
        for place, size in enumerate(shape, len(common) - len(shape)):
            known = common[place]
            if not is_known(known) or (is_known(size) and known == 1):
                common[place] = size
            elif is_known(size) and size not in (1, known):
                raise ValueError(f"{size} and {known} are different sizes")
    return tuple(common)


def is_number(value: Any) -> bool:
    return isinstance(value, float) or (namespace(value) is np and np.ndim(value) == 0)


def as_ndarray(name: str, value: Any, role: str = "z") -> np.ndarray:
    if type(value) is np.ndarray:
        return value
    if isinstance(value, (list, tuple)) and value and namespace(value[0]) is not np:
        raise TypeError(
            f"{name}: {role} is a {type(value).__name__} of arrays of "
            f"{namespace(value[0]).__name__}, not one array; stack them first"
        )
    if isinstance(value, np.ndarray) and isinstance(value, np.ma.MaskedArray):
        raise TypeError(
            f"{name}: {role} is a masked array, whose mask would be lost; fill it first (.filled)"
        )
    try:
        return np.asarray(value)
    except ValueError as error:
        raise TypeError(f"{name}: {role} is not an array of numbers: {error}") from error


def real_dtypes(name: str, xp: Namespace, dtype: Any, role: str = "z") -> tuple[Any, Any]:
    """The dtype to compute in and the dtype to return; an error if this one cannot be used."""
    dtypes = dtypes_of(xp, dtype)
    if dtypes is None:
        raise TypeError(
            f"{name}: {role} has dtype {dtype}; it takes real numbers (float16, bfloat16, "
            "float32, float64, integers or booleans)"
        )
    return dtypes


def dtypes_of(xp: Namespace, dtype: Any) -> tuple[Any, Any] | None:
    """The dtype to compute in and the dtype to return, None if this one cannot be used."""
    if floating := _floating(xp, dtype):
        return floating
    if _WHOLE.fullmatch(dtype_name(xp, dtype)):
        default = xp.__array_namespace_info__().default_dtypes()["real floating"]
        return default, default
    return None


@functools.cache
def _floating(xp: Namespace, dtype: Any) -> tuple[Any, Any] | None:
    """The dtypes for a floating one; for others None.

    The cache asks for the library too, since dtypes of two libraries must not be compared.
    """
    name = dtype_name(xp, dtype)
    if name not in _WORKING:
        return None
    working, result = getattr(xp, _WORKING[name]), getattr(xp, name, dtype)
    return (np.dtype(working), np.dtype(result)) if xp is np else (working, result)


@functools.cache
def dtype_name(xp: Namespace, dtype: Any) -> str:
    """A dtype's name, the same for every library.

    It ends what the dtype prints as: ``float32``, ``torch.float32``, ``<class 'numpy.float32'>``.
    """
    return getattr(dtype, "name", None) or str(dtype).rpartition(".")[2].strip("'>")
