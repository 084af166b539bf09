"""Whether the moving statistics of batch normalisation are those of the data."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from actlib.diagnose.moments import Moments
from actlib.diagnose.places import layers, own_variables


@dataclass(frozen=True)
class Stale:
    """A layer of batch normalisation whose moving statistics are not those of the data.

    Parameters
    ----------
    layer : str
        Its path in the model.
    units : int
        How many units it has.
    stale : int
        Of how many the moving mean is off by more than a standard deviation of the data, or the
        moving standard deviation by a factor of more than 2.
    """

    layer: str
    units: int
    stale: int


def differs_in_training(model: Any) -> bool:
    """Whether some layer takes other statistics in training than in use."""
    return any(_learns(layer) for _, layer in layers(model))


def stale(model: Any, seen: Mapping[Any, Moments]) -> tuple[Stale, ...]:
    """The layers whose moving statistics are not those of what they are given in training."""
    found = []
    for path, layer in layers(model):
        if layer in seen and _learns(layer):
            mean, deviation = seen[layer].mean, np.sqrt(seen[layer].variance + layer.epsilon)
            moving = np.sqrt(np.asarray(layer.moving_variance) + layer.epsilon)
            shift = np.abs(np.asarray(layer.moving_mean) - mean) / deviation
            wrong = (shift > 1) | (moving > 2 * deviation) | (2 * moving < deviation)
            if wrong.any():
                found.append(Stale(path or layer.name, wrong.size, int(wrong.sum())))
    return tuple(found)


def _learns(layer: Any) -> bool:
    """Whether a layer gathers statistics while it is trained, as batch normalisation does."""
    if not layer.trainable or layer.quantization_mode or getattr(layer, "stateful", False):
        return False  # what else it remembers is no statistics
    takes_mode = "training" in inspect.signature(type(layer).call).parameters
    return takes_mode and any(
        not variable.trainable and "float" in str(variable.dtype)
        for variable in own_variables(layer)
    )
