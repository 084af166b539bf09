"""TensorFlow's operations by the array standard's names: as much as kernels and engine use."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import tensorflow as tf


def _where(condition: Any, x: Any, y: Any) -> Any:
    """``tf.where``, which in a graph takes a Python number for a float32."""
    dtype = x.dtype if tf.is_tensor(x) else y.dtype
    return tf.where(condition, tf.convert_to_tensor(x, dtype), tf.convert_to_tensor(y, dtype))


def _astype(x: Any, dtype: Any, copy: bool = True) -> Any:
    return tf.cast(x, dtype)  # a tensor cannot be written to, so it needs no copy


def _atan(x: Any) -> Any:
    return tf.atan2(x, tf.ones_like(x))  # TensorFlow Lite has no atan of its own


def _moveaxis(x: Any, source: int, destination: int) -> Any:
    axes = list(range(x.ndim))
    axes.insert(destination % x.ndim, axes.pop(source))
    return tf.transpose(x, axes)


def _sum(x: Any, axis: int | Sequence[int], keepdims: bool = False) -> Any:
    return tf.reduce_sum(x, axis, keepdims)


def _max(x: Any, axis: int, keepdims: bool = False) -> Any:
    return tf.reduce_max(x, axis, keepdims)


def _finfo(dtype: Any) -> Any:
    return np.finfo(dtype.as_numpy_dtype)


def _info() -> Any:
    return SimpleNamespace(default_dtypes=lambda: {"real floating": tf.float32})


NAMESPACE = ModuleType("tensorflow")
vars(NAMESPACE).update(
    float16=tf.float16,
    bfloat16=tf.bfloat16,
    float32=tf.float32,
    float64=tf.float64,
    __array_namespace_info__=_info,
    abs=tf.abs,
    asarray=tf.convert_to_tensor,
    astype=_astype,
    atan=_atan,
    broadcast_to=tf.broadcast_to,
    clip=tf.clip_by_value,
    concat=tf.concat,
    exp=tf.exp,
    expm1=tf.math.expm1,
    finfo=_finfo,
    isnan=tf.math.is_nan,
    log1p=tf.math.log1p,
    max=_max,
    maximum=tf.maximum,
    minimum=tf.minimum,
    moveaxis=_moveaxis,
    ones_like=tf.ones_like,
    reshape=tf.reshape,
    sign=tf.sign,
    sqrt=tf.sqrt,
    sum=_sum,
    tanh=tf.tanh,
    where=_where,
    zeros_like=tf.zeros_like,
)
