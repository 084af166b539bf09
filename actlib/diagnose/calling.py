"""Layers that are being called, and which steps of what they are given are no padding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import tensorflow as tf

_STEPWISE = (keras.layers.RNN, keras.layers.TimeDistributed)


@dataclass
class Call:
    """A layer that is being called.

    Parameters
    ----------
    layer : keras.Layer
        The layer.
    path : str
        The names that lead to it.
    mask : tf.Tensor or None
        Which steps of its input are no padding.
    counts : bool
        Whether what it evaluates counts.
    input_shape : tuple of int
        The shape of its first input.
    times : Counter
        How often it has called what, so far.
    """

    layer: Any
    path: str
    mask: Any
    counts: bool
    input_shape: tuple[int, ...]
    times: Counter[str] = field(default_factory=Counter)

    def numbered(self, path: str) -> str:
        """A path, with the number of times that it was called in this call, from the second on."""
        self.times[path] += 1
        return path if self.times[path] == 1 else f"{path} ({self.times[path]})"


def entered(
    layer: Any, path: str, args: Sequence[Any], kwargs: Mapping[str, Any], around: Call | None
) -> Call:
    """The call of a layer, which may be one step of what the layer around goes through.

    Parameters
    ----------
    layer : keras.Layer
        The layer.
    path : str
        The names that lead to it.
    args : sequence
        What it is called with.
    kwargs : mapping of str to object
        What it is called with, by name.
    around : Call or None
        The call that this one is part of.
    """
    mask, counts = _mask(args, kwargs), around is None or around.counts
    if around and isinstance(around.layer, _STEPWISE):
        step = _step(around, layer)
        counts = counts and step >= 0
        mask = _of_step(around, step) if mask is None and step >= 0 else mask
    shape = getattr(args[0], "shape", ()) if args else ()
    return Call(layer, path, mask, counts, tuple(shape))


def mask_of(z: Any, calls: Sequence[Call]) -> Any:
    """Which of the first axes of a tensor count, in the innermost of some calls that says so."""
    known = [getattr(z, "_keras_mask", None), *(call.mask for call in reversed(calls))]
    return next((mask for mask in known if mask is not None and _fits(mask, z)), None)


def rows(values: Any, mask: Any) -> Any:
    """A row for each time that a unit was evaluated on no padding; units are the last axis."""
    if mask is not None:
        values = tf.boolean_mask(values, mask)
    return tf.reshape(values, [-1, values.shape[-1]])


def _mask(args: Iterable[Any], kwargs: Mapping[str, Any]) -> Any:
    """The mask that a layer is given, or that the first of its inputs with one has."""
    inputs = keras.tree.flatten(list(args))
    found = [kwargs.get("mask"), *(getattr(value, "_keras_mask", None) for value in inputs)]
    masks = (tf.cast(mask, tf.bool) for mask in keras.tree.flatten(found) if mask is not None)
    return next(masks, None)


def _step(around: Call, layer: Any) -> int:
    """Which step of a sequence the next call of a layer is; -1 if it is none."""
    if layer is not getattr(around.layer, "cell", getattr(around.layer, "layer", None)):
        return -1  # a cell of several, of which Keras wants to know the shape of its output
    step = around.times["step"]
    around.times["step"] += 1
    is_shown_twice = not getattr(around.layer, "unroll", True)
    return step - 1 if is_shown_twice else step  # the first step, for the shape of its output


def _of_step(around: Call, step: int) -> Any:
    if around.mask is None or len(around.mask.shape) != 2:
        return None
    backwards = getattr(around.layer, "go_backwards", False)
    return around.mask[:, around.mask.shape[1] - 1 - step if backwards else step]


def _fits(mask: Any, z: Any) -> bool:
    """Whether a mask is about the first axes of a tensor, but not its last: the units."""
    rank = len(mask.shape)
    return bool(rank < len(z.shape) and z.shape[:rank] == mask.shape)
