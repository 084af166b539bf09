"""Data of any kind, batch by batch."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

_TENSORS = (tf.Tensor, tf.RaggedTensor, tf.SparseTensor)
_WANTED = "data must be arrays, a tf.data.Dataset, a PyDataset or another iterable of batches"


def check(data: Any) -> None:
    """Refuse what no batches can be had of.

    Raises
    ------
    TypeError
        If it is neither arrays nor anything else that `batches` takes.
    ValueError
        If it never ends, or arrays have different lengths, or no samples.
    """
    if isinstance(data, keras.utils.PyDataset) and data.num_batches is None:
        raise ValueError("the PyDataset never ends; give it a number of batches")
    if isinstance(data, tf.data.Dataset) and data.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError("the Dataset never ends; take a number of batches: data.take(100)")
    if _is_cut(data):
        if not _samples(_parts(data)):
            raise ValueError("the data hold no samples")
    elif isinstance(data, (str, bytes)) or not isinstance(data, Iterable):
        raise TypeError(f"{_WANTED}, got {type(data).__name__}")


def batches(data: Any, batch_size: int) -> Iterator[tuple[Any, Any, Any]]:
    """The inputs of a model, their targets and their weights, batch by batch.

    Parameters
    ----------
    data : array, list or dict of arrays, tf.data.Dataset, keras.utils.PyDataset or iterable
        Arrays are cut into batches; everything else is one of batches already. A tuple is inputs,
        targets and, where there are any, weights; a list of arrays is several inputs.
    batch_size : int
        How many samples of an array are a batch.

    Yields
    ------
    tuple
        The targets and the weights are None where there are none.

    Raises
    ------
    ValueError
        If arrays have different lengths.
    """
    found: Iterable[Any] = data
    if isinstance(data, keras.utils.PyDataset):
        found = (data[number] for number in range(data.num_batches))
    elif _is_cut(data):
        found = _cut(data, batch_size)
    yield from map(keras.utils.unpack_x_y_sample_weight, found)


def length(batch: Any) -> int:
    """The number of samples in a batch."""
    return _length(keras.tree.flatten(batch)[0])


def _is_cut(data: Any) -> bool:
    """Whether something is whole data rather than batches."""
    return isinstance(data, (list, tuple, dict)) or _is_array(data)


def _is_array(data: Any) -> bool:
    return hasattr(data, "__array__") or isinstance(data, _TENSORS)


def _cut(data: Any, batch_size: int) -> Iterator[Any]:
    parts = _parts(data)
    for start in range(0, _samples(parts), batch_size):
        rows = functools.partial(_rows, start=start, n=batch_size)
        yield keras.tree.map_structure(rows, parts)


def _parts(data: Any) -> tuple[Any, ...]:
    """Inputs and, where there are any, targets and weights."""
    return tuple(map(_arrays, data if isinstance(data, tuple) else (data,)))


def _samples(parts: tuple[Any, ...]) -> int:
    """How many samples there are, in all arrays."""
    arrays = [array for array in keras.tree.flatten(parts) if array is not None]
    if any(not len(array.shape) for array in arrays):
        raise ValueError("the data hold a single number; the first axis must be the samples")
    lengths = {_length(array) for array in arrays}
    if len(lengths) > 1:
        raise ValueError(f"the arrays differ in length: {sorted(lengths)}")
    return lengths.pop() if lengths else 0


def _arrays(part: Any) -> Any:
    """Arrays, also where there were lists of numbers or of strings."""
    if isinstance(part, dict):
        return {name: _arrays(array) for name, array in part.items()}
    if isinstance(part, tuple):
        return tuple(map(_arrays, part))
    if isinstance(part, list):
        return part if all(map(_is_array, part)) else np.asarray(part)
    if part is None or _is_array(part):
        return part
    raise TypeError(f"{_WANTED}, got {type(part).__name__}")


def _length(array: Any) -> int:
    return int(array.shape[0])


def _rows(array: Any, start: int, n: int) -> Any:
    if isinstance(array, tf.SparseTensor):
        others = array.shape[1:]
        return tf.sparse.slice(array, [start, *(0 for _ in others)], [n, *others])
    return None if array is None else array[start : start + n]
