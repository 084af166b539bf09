"""See what a model evaluates while it runs."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any

import keras
import tensorflow as tf
from tensorflow.python.framework import op_callbacks

from actlib.diagnose.calling import Call, entered, mask_of
from actlib.diagnose.origin import Origin
from actlib.diagnose.places import (
    Held,
    Place,
    gate,
    held,
    is_known,
    is_whole,
    joined,
    layers,
    name_of,
    named,
    operations,
)
from actlib.diagnose.record import Record
from actlib.diagnose.restore import intercepted, recording, replaced
from actlib.diagnose.telling import telling
from actlib.keras.functions import floating


class Probe:
    """Shows a `Record` what a model evaluates.

    While it is attached, each layer's ``call`` is replaced, and the code of each function that may
    be an activation. The functions stay the objects that they are, so that a layer which asks what
    it was given, to go by it, does as ever; only ``__code__`` itself differs. Unseen is what other
    threads call, what an activation calls in its turn, and what is not written in Python.

    Parameters
    ----------
    origin : Origin
        To which the result of each layer is shown.
    """

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._named = named()
        self._held: dict[tuple[Any, ...], Held] = {}
        self._thread = threading.get_ident()
        self._calls: list[Call] = []
        self._record: Record | None = None

    @contextmanager
    def attached(self, model: Any) -> Iterator[None]:
        """Be ready to watch a model, until the end of the block."""
        self._held = held(model)
        functions = {function for _, function, _ in self._held} | self._named
        with ExitStack() as stack:
            for holder, name, value in self._parts(model):
                stack.enter_context(replaced(holder, name, value))
            for function in filter(inspect.isfunction, functions):
                stack.enter_context(intercepted(function, self._instead_of(function)))
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
            if hasattr(layer, "use_cudnn"):
                yield layer, "use_cudnn", False  # which evaluates all steps at once
            for part in operations(layer):
                label = joined(above, part.name)
                run = self._watched(part.call, part, label)
                yield part, "call", self._entered(part, label, run)

    def _entered(self, layer: Any, path: str, run: Callable[..., Any]) -> Callable[..., Any]:
        """What a layer does when it is called, of which the record learns."""
        if is_whole(layer):
            run = self._watched(run, layer, path)
        opens = (function := gate(layer)) and self._watched(function, layer, path)

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
                with self.showing(None if opens else record):
                    result = run(*args, **kwargs)
            finally:
                self._calls.pop()
            with self.showing(None):
                self._origin.returned(layer, path, result)
            return result

        return call

    def _watched(self, function: Callable[..., Any], layer: Any, label: str) -> Callable[..., Any]:
        """What a layer does, of which the record learns if it turns out to be an activation."""
        held = Held(layer, function, label, declared=isinstance(layer, keras.Layer))

        def call(*args: Any, **kwargs: Any) -> Any:
            with self._seen(held, args, kwargs):
                return function(*args, **kwargs)

        return call

    def _instead_of(self, function: Any) -> Callable[..., Any]:
        """What is done when a function is called that layers have or may call by its name."""

        def call(original: Callable[..., Any], args: Any, kwargs: Any) -> Any:
            if not (self._shown() and self._calls and (held := self._found(function, args))):
                return original(*args, **kwargs)
            given = args if held.function is function else args[1:]  # it may be a method
            with self._seen(held, given, kwargs):
                return original(*args, **kwargs)

        return call

    def _found(self, function: Any, args: tuple[Any, ...]) -> Held | None:
        """The layer that has a function which is called: the innermost, or else the caller."""
        around = self._calls[-1]
        for call in self._calls[-1:] if is_known(around.layer) else reversed(self._calls):
            for of in (0, *map(id, args[:1])):
                if held := self._held.get((id(call.layer), function, of)):
                    return held
        if function not in self._named:
            return None
        return Held(around.layer, function, f"{around.path}.{name_of(function)}", declared=False)

    def _seen(self, held: Held, args: Any, kwargs: Any) -> AbstractContextManager[None]:
        """Show the record what a function is called with; what it calls, if it is not judged."""
        record = self._shown()
        given: dict[Any, Any] = {**dict(enumerate(args)), **kwargs}
        tensors = [key for key, value in given.items() if _is_floating(value)]
        if (
            not (record and self._calls and self._calls[-1].counts)
            or len(tensors) != 1
            or len(given[tensors[0]].shape) < 2
        ):
            return nullcontext()
        z = given.pop(tensors[0])
        function = held.function
        around = self._calls[-1]
        place = Place(
            layer=held.layer,
            path=held.label if is_known(around.layer) else around.numbered(held.label),
            function=functools.partial(_with, function, tensors[0], given) if given else function,
            name=name_of(function),
            declared=held.declared,
            arguments=tuple(given.values()),
            input_shape=around.input_shape,
        )
        with self.showing(None), recording():
            judged = record.seen(place, _flat(z), mask_of(z, self._calls))
        return self.showing(None if judged else record)

    def _operated(self, kind: str, inputs: Any, *_: Any, **__: Any) -> None:
        """TensorFlow has run an operation: one that tells of an activation is recorded."""
        if not (record := self._shown()) or not self._calls:
            return
        around = self._calls[-1]
        if around.counts and not is_known(around.layer):
            record.told(around.path, telling(kind, inputs, len(around.input_shape)))

    def _shown(self) -> Record | None:
        """The record, if it is to be told of what this thread does now: on numbers, no shapes."""
        is_meant = threading.get_ident() == self._thread and tf.executing_eagerly()
        return self._record if is_meant else None


def _with(function: Callable[..., Any], key: int | str, given: dict[Any, Any], z: Any) -> Any:
    """Call a function with a tensor in the place that it has among what it is given."""
    given = {**given, key: z}
    positions = sorted(key for key in given if isinstance(key, int))
    named = {key: value for key, value in given.items() if isinstance(key, str)}
    return function(*(given[position] for position in positions), **named)


def _flat(z: Any) -> Any:
    """The values of a ragged tensor in a row, of which an elementwise function makes the same."""
    return z.flat_values if isinstance(z, tf.RaggedTensor) else z


def _is_floating(value: Any) -> bool:
    return isinstance(value, (tf.Tensor, tf.RaggedTensor)) and value.dtype.is_floating
