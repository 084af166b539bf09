"""Data of any kind, batch by batch."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf


def batches(data: Any, batch_size: int) -> Iterator[Any]:
    """What a model takes, batch by batch, without targets and weights.

    Parameters
    ----------
    data : array, list or dict of arrays, tf.data.Dataset, keras.utils.PyDataset or iterable
        Arrays are cut into batches; everything else is one of batches already. A tuple is inputs,
        targets and, where there are any, weights; a list of arrays is several inputs.
    batch_size : int
        How many samples of an array are a batch.

    Raises
    ------
    TypeError
        If it is nothing of these.
    ValueError
        If it never ends, or its arrays have different lengths.
    """
    if isinstance(data, keras.utils.PyDataset):
        if data.num_batches is None:
            raise ValueError("the PyDataset never ends; give it a number of batches")
        found: Iterable[Any] = (data[number] for number in range(data.num_batches))
    elif isinstance(data, tf.data.Dataset):
        if data.cardinality() == tf.data.INFINITE_CARDINALITY:
            raise ValueError("the Dataset never ends; take a number of batches: data.take(100)")
        found = data
    elif isinstance(data, (list, tuple, dict)) or hasattr(data, "__array__"):
        yield from _cut(data[0] if isinstance(data, tuple) else data, batch_size)
        return
    elif isinstance(data, Iterable):
        found = data
    else:
        raise TypeError(
            f"data must be arrays, a tf.data.Dataset, a PyDataset or another iterable of batches, "
            f"got {type(data).__name__}"
        )
    for batch in found:
        yield keras.utils.unpack_x_y_sample_weight(batch)[0]


def length(batch: Any) -> int:
    """The number of samples in a batch."""
    return int(keras.tree.flatten(batch)[0].shape[0])


def _cut(inputs: Any, batch_size: int) -> Iterator[Any]:
    if isinstance(inputs, list) and not all(hasattr(array, "__array__") for array in inputs):
        inputs = np.asarray(inputs)
    arrays = keras.tree.flatten(inputs)
    lengths = {len(array) for array in arrays}
    if len(lengths) > 1:
        raise ValueError(f"the arrays differ in length: {sorted(lengths)}")
    for start in range(0, lengths.pop() if lengths else 0, batch_size):
        rows = operator.itemgetter(slice(start, start + batch_size))
        yield keras.tree.map_structure(rows, inputs)
