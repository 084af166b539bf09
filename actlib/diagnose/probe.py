"""Watch a model while it runs, and leave it as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import keras
import tensorflow as tf

from actlib.diagnose.places import Place, layers


@contextmanager
def watched(place: Place, see: Callable[[Any], None]) -> Iterator[None]:
    """Show each pre-activation that reaches a place."""
    function = place.function

    def probe(z: Any, *args: Any, **kwargs: Any) -> Any:
        z = tf.convert_to_tensor(z)
        see(z)
        return function(z, *args, **kwargs)

    with _replaced(place.layer, place.attribute, probe):
        yield


class Origin:
    """Where the first number is made that is not finite."""

    def __init__(self) -> None:
        self.found: str | None = None

    def check(self, values: Any, where: str) -> None:
        """Look at some values, unless such a number was found before."""
        if self.found is None and (kind := _not_finite(values)):
            self.found = f"{where} ({kind})"

    @contextmanager
    def watching(self, model: Any) -> Iterator[None]:
        """Look at what each layer returns."""
        with ExitStack() as stack:
            for path, layer in layers(model):
                stack.enter_context(_replaced(layer, "call", self._checked(layer, path)))
            yield

    def _checked(self, layer: Any, path: str) -> Callable[..., Any]:
        call = layer.call

        def checked(*args: Any, **kwargs: Any) -> Any:
            result = call(*args, **kwargs)
            if self.found is None and _not_finite(result):
                self.check(layer.weights, f"weights of {path}")
                self.check(result, f"result of {path}")
            return result

        return checked


def _not_finite(values: Any) -> str | None:
    for value in keras.tree.flatten(values):
        if getattr(value, "dtype", None) is not None:
            value = tf.convert_to_tensor(value)
            if value.dtype.is_floating and not tf.reduce_all(tf.math.is_finite(value)):
                return "NaN" if tf.reduce_any(tf.math.is_nan(value)) else "infinity"
    return None


@contextmanager
def unchanged(model: Any) -> Iterator[None]:
    """Give what layers keep for themselves, such as a recurrent state, its old value again."""
    kept = {id(v): v for _, layer in layers(model) for v in _state(layer)}
    values = [tf.convert_to_tensor(v) for v in kept.values()]
    try:
        yield
    finally:
        for variable, value in zip(kept.values(), values, strict=True):
            variable.assign(value)


@contextmanager
def eagerly() -> Iterator[None]:
    """Run functions that were or would be compiled as plain Python."""
    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before)


@contextmanager
def _replaced(layer: Any, attribute: str, value: Any) -> Iterator[None]:
    """Set an attribute without Keras's noticing, who would track it or refuse."""
    attributes = vars(layer)
    own = attribute in attributes
    before = attributes.get(attribute)
    attributes[attribute] = value
    try:
        yield
    finally:
        if own:
            attributes[attribute] = before
        else:
            del attributes[attribute]


def _state(layer: Any) -> list[Any]:
    """The variables of a layer that training does not fit: statistics and states, not weights."""
    states = keras.tree.flatten(layer.states) if getattr(layer, "stateful", False) else []
    return states + (layer.non_trainable_variables if layer.trainable else [])
