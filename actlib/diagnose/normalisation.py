"""Whether the moving statistics of batch normalisation are those of the data."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from actlib.diagnose.moments import Moments
from actlib.diagnose.places import layers, own_variables
from actlib.diagnose.restore import replaced


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


def run(model: Any, inputs: Any, training: bool) -> Any:
    """Call a model as Keras does to train or to use it."""
    return model(inputs, **told(type(model).call, training))


def told(function: Callable[..., Any], training: bool) -> dict[str, bool]:
    """The argument by which a function learns of the mode, as Keras gives it to one that has it."""
    return {"training": training} if "training" in inspect.signature(function).parameters else {}


def may_differ(model: Any) -> bool:
    """Whether some layer may take other statistics in training than in use."""
    return _takes_mode(model) and any(_learns(layer) for _, layer in layers(model))


@contextmanager
def watched(model: Any) -> Iterator[Mapping[Any, Set[bool]]]:
    """Learn of each layer that gathers statistics whether it is called in training mode, or not."""
    modes: dict[Any, set[bool]] = {layer: set() for _, layer in layers(model) if _learns(layer)}
    with ExitStack() as stack:
        for layer, found in modes.items():
            stack.enter_context(replaced(layer, "call", _noting(layer, found)))
        yield modes


def _noting(layer: Any, modes: set[bool]) -> Callable[..., Any]:
    """The call of a layer, which takes a note of the mode."""
    call, signature = layer.call, inspect.signature(type(layer).call)

    def noting(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(layer, *args, **kwargs)
        given.apply_defaults()
        modes.add(bool(given.arguments["training"]))
        return call(*args, **kwargs)

    return noting


def stale(model: Any, seen: Mapping[Any, Moments], differing: Set[Any]) -> tuple[Stale, ...]:
    """The layers whose moving statistics are not those of what they are given in training.

    Parameters
    ----------
    model : keras.Model
        The model.
    seen : mapping of keras.Layer to Moments
        What each layer of batch normalisation was given.
    differing : set of keras.Layer
        The layers that take other statistics in training than in use.
    """
    found = []
    for path, layer in layers(model):
        if layer in seen and layer in differing:
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
    return _takes_mode(layer) and any(
        not variable.trainable and "float" in str(variable.dtype)
        for variable in own_variables(layer)
    )


def _takes_mode(layer: Any) -> bool:
    """Whether the call of a layer can be told that it is part of training."""
    return bool(told(type(layer).call, True))
