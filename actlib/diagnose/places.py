"""Where a model evaluates activations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras

from actlib.keras import Activation

#: Layers that are nothing but an activation.
_WHOLE = (
    Activation,
    keras.layers.ELU,
    keras.layers.LeakyReLU,
    keras.layers.PReLU,
    keras.layers.ReLU,
)
_WITH_KERNEL = (keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D, keras.layers.Dense)


@dataclass(frozen=True, eq=False)
class Place:
    """A place in a model where an activation is evaluated.

    Parameters
    ----------
    layer : keras.Layer
        The layer that evaluates it.
    path : str
        The names of the layers from the model down to this one, and of the attribute that holds the
        activation if it is not called ``activation``.
    attribute : str
        What of the layer is called with the pre-activation: ``call``, or an attribute that ends
        with ``activation``.
    """

    layer: Any
    path: str
    attribute: str

    @property
    def function(self) -> Callable[[Any], Any]:
        """What is called with the pre-activation."""
        function: Callable[[Any], Any] = getattr(self.layer, self.attribute)
        return function

    @property
    def unit_axis(self) -> int:
        """The axis of the pre-activation along which the units are; a feature map is a unit."""
        return 1 if getattr(self.layer, "data_format", None) == "channels_first" else -1

    @property
    def kernel(self) -> Any:
        """The weights that make the pre-activation, units last; None if other layers make it."""
        if isinstance(self.layer, _WITH_KERNEL) and self.attribute == "activation":
            return self.layer.kernel
        return None


def layers(model: Any) -> Iterator[tuple[str, Any]]:
    """All layers of a model, at any depth and each once, with the names that lead to them."""
    seen = set()

    def walk(layer: Any, path: str) -> Iterator[tuple[str, Any]]:
        if id(layer) not in seen:
            seen.add(id(layer))
            yield path, layer
            for inner in layer._flatten_layers(include_self=False, recursive=False):
                yield from walk(inner, f"{path}/{inner.name}" if path else inner.name)

    yield from walk(model, "")


def places(model: Any) -> list[Place]:
    """All places where a model evaluates an activation other than the identity."""
    return [
        Place(layer, _joined(path or layer.name, attribute), attribute)
        for path, layer in layers(model)
        for attribute in _attributes(layer)
    ]


def _attributes(layer: Any) -> list[str]:
    if isinstance(layer, _WHOLE):
        return ["call"]
    return [
        name
        for name, value in vars(layer).items()
        if name.endswith("activation")
        and callable(value)
        and value is not keras.activations.linear
        and not isinstance(value, keras.Layer)  # which is found as a layer of its own
    ]


def _joined(path: str, attribute: str) -> str:
    return path if attribute in ("activation", "call") else f"{path}.{attribute}"
