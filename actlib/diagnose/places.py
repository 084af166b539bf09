"""Where a model evaluates activations."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import Any

import keras
import tensorflow as tf

from actlib._core.registry import REGISTRY
from actlib.keras import Activation, ActivationFunction, GatedUnit, activation

#: Layers that are nothing but an activation.
_WHOLE = (
    Activation,
    keras.layers.ELU,
    keras.layers.LeakyReLU,
    keras.layers.PReLU,
    keras.layers.ReLU,
)
#: Where the code of a model finds an activation to call, and what it may be called.
_MODULES = [keras.activations, keras.ops, tf.nn, tf.math, tf, sys.modules["actlib"]]
#: Layers of Keras that call what others have written.
_FOREIGN = (keras.layers.Lambda, keras.layers.TFSMLayer, keras.layers.JaxLayer)
_OF_KERAS = (
    *(keras.Operation, keras.Initializer, keras.Loss, keras.Metric, keras.Regularizer),
    keras.constraints.Constraint,
)
_NAMES = sorted({*vars(keras.activations), *REGISTRY})


@dataclass(frozen=True, eq=False)
class Place:
    """A place in a model where an activation is evaluated.

    Parameters
    ----------
    layer : keras.Operation
        The layer that evaluates it, or the operation of a functional model.
    path : str
        The names of the layers from the model down to this one, and what it has the activation
        under or calls it by, if that is not ``activation``.
    function : callable
        What is called with the pre-activation.
    name : str
        What that is called.
    declared : bool
        Whether it is an activation by its name: an argument ``activation=``, or a layer.
    arguments : tuple
        What else the function is called with.
    input_shape : tuple of int
        The shape of the first input of the layer that calls it.
    """

    layer: Any
    path: str
    function: Callable[[Any], Any]
    name: str
    declared: bool
    arguments: tuple[Any, ...]
    input_shape: tuple[int, ...]

    @property
    def unit_axis(self) -> int:
        """The axis of the pre-activation along which the units are; a feature map is a unit."""
        return 1 if getattr(self.layer, "data_format", None) == "channels_first" else -1


@dataclass(frozen=True)
class Held:
    """A function that a layer has.

    Parameters
    ----------
    layer : keras.Operation
        The layer.
    function : callable
        The function.
    label : str
        The path of the layer, with what it has the function under or calls it by.
    declared : bool
        Whether it is an activation by that name.
    """

    layer: Any
    function: Callable[..., Any]
    label: str
    declared: bool


def at_end(values: Any, axis: int) -> Any:
    """A tensor with an axis of its moved to the end."""
    if axis in (-1, len(values.shape) - 1):
        return values
    return tf.experimental.numpy.moveaxis(values, axis, -1)


def layers(model: Any) -> Iterator[tuple[str, Any]]:
    """All layers of a model, at any depth and each once, with the names that lead to them."""
    seen = set()

    def walk(layer: Any, path: str) -> Iterator[tuple[str, Any]]:
        if id(layer) not in seen:
            seen.add(id(layer))
            yield path, layer
            for inner in layer._flatten_layers(include_self=False, recursive=False):
                yield from walk(inner, joined(path, inner.name))

    yield from walk(model, "")


def own_variables(layer: Any) -> list[Any]:
    """The variables of a layer without those of the layers in it."""
    inner = layer._flatten_layers(include_self=False, recursive=False)
    theirs = {id(variable) for other in inner for variable in other.variables}
    return [variable for variable in layer.variables if id(variable) not in theirs]


def operations(layer: Any) -> Iterator[Any]:
    """The operations of a functional model that are no layers: ``keras.ops.relu(x)``."""
    for operation in getattr(layer, "operations", ()):
        if not isinstance(operation, keras.Layer):
            yield operation


def held(model: Any) -> dict[tuple[Any, ...], Held]:
    """The functions that the layers of a model have.

    Returns
    -------
    dict of tuple to Held
        By the ``id`` of the layer, what runs when the function is called, and the ``id`` of the
        object that it is a method of, 0 if it is none.
    """
    found: dict[tuple[Any, ...], Held] = {}
    for above, layer in layers(model):
        path = above or layer.name
        for name, function, part in _held(layer):
            label = path if name == "activation" and not part else f"{path}.{name}{part}"
            key, declared = (id(layer), *_running(function)), is_declared(name)
            if key in found:  # under two names, of which none tells which one is called
                label = f"{path}.{name_of(function)}"
                declared = declared or found[key].declared
            found[key] = Held(layer, function, label, declared)
    return found


def _held(layer: Any) -> Iterator[tuple[str, Any, str]]:
    """Functions with the names that a layer has them under, and where they are in a collection."""
    if isinstance(layer, GatedUnit):
        return
    for name, value in vars(layer).items():
        is_tensorflows = name.startswith("_self_")  # with what is to be saved, once again
        if not (is_tensorflows or hasattr(type(layer), name)):
            for function, part in _functions(value):
                yield name, function, part


def _running(function: Any) -> tuple[Any, int]:
    if isinstance(function, FunctionType):
        return function, 0
    if isinstance(function, MethodType):
        return function.__func__, id(function.__self__)
    return type(function).__call__, id(function)


def name_of(function: Any) -> str:
    """What a function is called; the ``call`` of a layer is called as the layer's class is."""
    if getattr(function, "__name__", "") == "call":
        function = getattr(function, "__self__", function)
    return str(getattr(function, "__name__", type(function).__name__))


def _functions(value: Any) -> Iterator[tuple[Any, str]]:
    """A function or those in a collection, with where they are in it."""
    if isinstance(value, (dict, list, tuple)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, part in items:
            for function, path in _functions(part):
                yield function, f"[{key!r}]{path}"
    elif isinstance(value, functools.partial):
        yield from _functions(value.func)
    elif is_function(value):
        yield value, ""


def is_function(value: Any) -> bool:
    """Whether something can be called, but is no class and nothing of Keras's: losses, layers."""
    return callable(value) and not isinstance(value, (type, *_OF_KERAS))


def named() -> set[Any]:
    """All functions that the code of a model may call by their names."""
    found = (vars(module).get(name) for module in _MODULES for name in _NAMES)
    return {function for function in found if isinstance(function, FunctionType)}


def is_whole(layer: Any) -> bool:
    """Whether a layer is nothing but an activation."""
    return isinstance(layer, (*_WHOLE, keras.layers.Softmax))


def holds_activation(layer: Any) -> bool:
    """Whether a layer is or has an activation by its name, other than the identity."""
    named = (value for name, value in vars(layer).items() if is_declared(name))
    return isinstance(layer, _WHOLE) or any(
        is_function(value) and value is not keras.activations.linear for value in named
    )


def is_declared(name: str) -> bool:
    """Whether what a layer has under a name is an activation by its name."""
    return name.endswith("activation")


def gate(layer: Any) -> ActivationFunction | None:
    """The activation by which a gated unit of `actlib.keras` opens its gate."""
    if not isinstance(layer, GatedUnit):
        return None
    unit: Any = REGISTRY[layer.unit]
    return activation(unit.gate.spec.name)


def is_known(layer: Any) -> bool:
    """Whether all that is called is known here: a layer of Keras or `actlib`, as it is written.

    What calls an activation there twice is one place, such as the gates of an LSTM.
    """
    if not isinstance(layer, keras.Layer) or isinstance(layer, _FOREIGN):
        return False
    return getattr(type(layer).call, "__module__", "").partition(".")[0] in ("keras", "actlib")


def joined(path: str, name: str) -> str:
    """The path of something in a layer."""
    return f"{path}/{name}" if path else name
