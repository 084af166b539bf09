"""See what a model evaluates while it runs."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import op_callbacks

from actlib.diagnose.calling import Call, entered, mask_of
from actlib.diagnose.origin import Origin
from actlib.diagnose.places import (
    Place,
    gate,
    held,
    is_declared,
    is_function,
    is_known,
    is_whole,
    joined,
    layers,
    named,
    operations,
)
from actlib.diagnose.record import Record
from actlib.diagnose.restore import replaced
from actlib.keras.functions import floating

#: Operations that activations are made of: where no activation is seen, these tell of one.
_TELLING = {
    *("Abs", "Atan", "ClipByValue", "Cos", "Erf", "Erfc", "Exp", "Expm1", "Log1p", "Sin"),
    *("Greater", "GreaterEqual", "Less", "LessEqual", "Maximum", "Minimum", "Sign"),
    *("Elu", "LeakyRelu", "Relu", "Relu6", "Selu", "Sigmoid", "Softplus", "Softsign", "Tanh"),
    *("LogSoftmax", "Softmax"),
}


class Probe:
    """Shows a `Record` what a model evaluates.

    While it is attached, each layer's ``call``, and whatever may be an activation, is replaced.
    What other threads call, and what an activation calls in its turn, goes unseen.

    Parameters
    ----------
    origin : Origin
        To which the result of each layer is shown.
    """

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._thread = threading.get_ident()
        self._calls: list[Call] = []
        self._record: Record | None = None

    @contextmanager
    def attached(self, model: Any) -> Iterator[None]:
        """Be ready to watch a model, until the end of the block."""
        with ExitStack() as stack:
            for holder, name, value in [*self._parts(model), *self._names()]:
                stack.enter_context(replaced(holder, name, value))
            op_callbacks.add_op_callback(self._operated)
            stack.callback(op_callbacks.remove_op_callback, self._operated)
            yield

    @contextmanager
    def showing(self, record: Record | None) -> Iterator[None]:
        """Show a record what is evaluated in the block; None is shown nothing."""
        before, self._record = self._record, record
        try:
            yield
        finally:
            self._record = before

    def _parts(self, model: Any) -> Iterator[tuple[Any, str, Any]]:
        for above, layer in layers(model):
            path = above or layer.name
            name = "quantized_call" if layer.quantization_mode else "call"
            yield layer, name, self._entered(layer, path, getattr(layer, name))
            for name, value in held(layer).items():
                label = path if name == "activation" else f"{path}.{name}"
                yield layer, name, self._held(layer, label, value, is_declared(name))
            for part in operations(layer):
                label = joined(above, part.name)
                run = self._watched(part.call, part, label)
                yield part, "call", self._entered(part, label, run)

    def _names(self) -> Iterator[tuple[Any, str, Any]]:
        for module, name in named():
            yield module, name, self._watched(getattr(module, name), None, name)

    def _held(self, layer: Any, path: str, value: Any, declared: bool) -> Any:
        """What a layer has under some name, with the functions in it watched."""
        if isinstance(value, dict):
            items = value.items()
            return {key: self._held(layer, f"{path}[{key!r}]", v, declared) for key, v in items}
        if isinstance(value, (list, tuple)):
            found = [self._held(layer, f"{path}[{i}]", v, declared) for i, v in enumerate(value)]
            return getattr(value, "_make", type(value))(found)  # it may be a named tuple
        return self._watched(value, layer, path, declared) if is_function(value) else value

    def _entered(self, layer: Any, path: str, run: Callable[..., Any]) -> Callable[..., Any]:
        """What a layer does when it is called, of which the record learns."""
        if is_whole(layer):
            run = self._watched(run, layer, path, declared=True)
        opens = (function := gate(layer)) and self._watched(function, layer, path, declared=True)

        def call(*args: Any, **kwargs: Any) -> Any:
            if not (record := self._shown()):
                return run(*args, **kwargs)
            inputs = args or tuple(kwargs.values())
            with self.showing(None):
                around = self._calls[-1] if self._calls else None
                this = entered(layer, path, inputs, kwargs, around)
                record.called(this, inputs)
            self._calls.append(this)
            try:
                if opens is not None:
                    opens(tf.split(floating(_flat(inputs[0])), 2, axis=-1)[1])
                result = run(*args, **kwargs)
            finally:
                self._calls.pop()
            with self.showing(None):
                self._origin.returned(layer, path, result)
            return result

        return call

    def _watched(
        self, function: Callable[..., Any], owner: Any, path: str, declared: bool = False
    ) -> Callable[..., Any]:
        """A function of which the record learns if it turns out to be an activation.

        Without an owner it belongs to the layer that calls it.
        """

        def call(*args: Any, **kwargs: Any) -> Any:
            record = self._shown()
            if not (record and self._calls and self._calls[-1].counts):
                return function(*args, **kwargs)
            given: dict[Any, Any] = {**dict(enumerate(args)), **kwargs}
            tensors = [key for key, value in given.items() if _is_floating(value)]
            if len(tensors) != 1 or len(given[tensors[0]].shape) < 2:
                return function(*args, **kwargs)
            z = given.pop(tensors[0])
            bound = functools.partial(_with, function, tensors[0], given) if given else function
            around = self._calls[-1]
            label = path if owner else f"{around.path}.{path}"
            place = Place(
                layer=owner or around.layer,
                path=label if is_known(around.layer) else around.numbered(label),
                function=bound,
                name=_name(function, owner),
                declared=declared,
                arguments=tuple(given.values()),
                input_shape=around.input_shape,
            )
            with self.showing(None):
                judged = record.seen(place, _flat(z), mask_of(z, self._calls))
            with self.showing(None if judged else record):
                return function(*args, **kwargs)

        return _Watched(function, call)

    def _operated(self, kind: str, inputs: Any, *_: Any, **__: Any) -> None:
        """TensorFlow has run an operation: one that tells of an activation is recorded."""
        if kind not in _TELLING or not (record := self._shown()) or not self._calls:
            return
        around = self._calls[-1]
        if around.counts and not is_known(around.layer) and any(map(_is_floating, inputs)):
            record.told(around.path, kind)

    def _shown(self) -> Record | None:
        """The record, if it is to be told of what this thread does now."""
        return self._record if threading.get_ident() == self._thread else None


class _Watched:
    """A function in the place of another one, of which it has all else: its name, its methods."""

    def __init__(self, function: Callable[..., Any], call: Callable[..., Any]) -> None:
        self._function, self._call = function, call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._call(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._function, name)


def _with(function: Callable[..., Any], key: int | str, given: dict[Any, Any], z: Any) -> Any:
    """Call a function with a tensor in the place that it has among what it is given."""
    given = {**given, key: z}
    positions = sorted(key for key in given if isinstance(key, int))
    named = {key: value for key, value in given.items() if isinstance(key, str)}
    return function(*(given[position] for position in positions), **named)


def _name(function: Any, owner: Any) -> str:
    name = str(getattr(function, "__name__", type(function).__name__))
    return type(owner).__name__ if name == "call" else name


def _flat(z: Any) -> Any:
    """The values of a ragged tensor in a row, of which an elementwise function makes the same."""
    return z.flat_values if isinstance(z, tf.RaggedTensor) else z


def _is_floating(value: Any) -> bool:
    return isinstance(value, (tf.Tensor, tf.RaggedTensor)) and value.dtype.is_floating
