"""Change things for a while, and have them be as they were afterwards."""

from __future__ import annotations

import functools
import inspect
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from types import FunctionType
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.src.backend.common import global_state
from tensorflow.python import pywrap_tfe
from tensorflow.python.eager import context
from tensorflow.python.ops import stateful_random_ops

from actlib.diagnose.places import layers

_SEEDS = "global_seed_generator"  # where Keras keeps what its unseeded layers draw from


def variables(model: Any) -> list[Any]:
    """All that a model remembers: weights, statistics, metrics, recurrent states and seeds."""
    states = [
        state
        for _, layer in layers(model)
        if getattr(layer, "stateful", False)
        for state in keras.tree.flatten(layer.states)
    ]
    own = [state for _, layer in layers(model) for state in _remembered(layer)]
    found = [*model.variables, *states, *own, *getattr(model, "metrics_variables", ())]
    return list({id(variable): variable for variable in found if variable is not None}.values())


def _remembered(holder: Any, deep: bool = True) -> Iterator[Any]:
    """Variables that a layer, or a function that it has, keeps without Keras's knowing."""
    for value in getattr(holder, "__dict__", {}).values():
        if isinstance(value, (tf.Variable, keras.Variable)):
            yield value
        elif isinstance(value, tf.random.Generator):
            yield value.state
        elif deep and callable(value) and not isinstance(value, (type, keras.Layer)):
            yield from _remembered(value, deep=False)


@contextmanager
def restored(kept: Iterable[Any]) -> Iterator[None]:
    """Give variables their old values again."""
    kept = list(kept)
    values = [tf.convert_to_tensor(variable) for variable in kept]
    try:
        yield
    finally:
        for variable, value in zip(kept, values, strict=True):
            variable.assign(value)


@contextmanager
def random_state() -> Iterator[None]:
    """Have what is drawn afterwards be what would have been drawn."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    seeds = global_state.get_global_attribute(_SEEDS)
    try:
        with ExitStack() as stack:
            if seeds is not None:
                stack.enter_context(restored([seeds.state]))
            if (drawn := stateful_random_ops.global_generator) is not None:
                stack.enter_context(restored([drawn.state]))
            if "_rng" in vars(
                context.context()
            ):  # which seeds operations; each goes on from where it was left
                stack.enter_context(replaced(context.context(), "_rng", random.Random(__name__)))
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        global_state.set_global_attribute(_SEEDS, seeds)


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
def recording() -> Iterator[None]:
    """Have tapes record, also in what keeps them from it, as `tf.recompute_grad` does."""
    stopped = pywrap_tfe.TFE_Py_TapeSetIsStopped()
    if stopped:
        pywrap_tfe.TFE_Py_TapeSetRestartOnThread()
    try:
        yield
    finally:
        if stopped:
            pywrap_tfe.TFE_Py_TapeSetStopOnThread()


@contextmanager
def replaced(holder: Any, name: str, value: Any) -> Iterator[None]:
    """Set an attribute without Keras's noticing, who would track it or refuse."""
    attributes = vars(holder)
    own = name in attributes
    before = attributes.get(name)
    attributes[name] = value
    try:
        yield
    finally:
        if own:
            attributes[name] = before
        else:
            del attributes[name]


@contextmanager
def intercepted(
    function: FunctionType, instead: Callable[[Callable[..., Any], Any, Any], Any]
) -> Iterator[None]:
    """Have something else done when a function is called, which stays the object that it is.

    Its code is exchanged, so that all who know the function, under whatever name, are led there.

    Parameters
    ----------
    function : function
        A function of Python.
    instead : callable
        Is called with a function that does what this one did, and with what this one is called
        with: a tuple and a dict.
    """
    code, defaults, given = function.__code__, function.__defaults__, function.__kwdefaults__
    closure = function.__closure__
    original = FunctionType(code, function.__globals__, function.__name__, defaults, closure)
    original.__kwdefaults__ = given
    with replaced(function, "__signature__", inspect.signature(function)):
        function.__code__ = _led.__code__.replace(co_freevars=code.co_freevars)
        function.__kwdefaults__ = {"_instead": functools.partial(instead, original)}
        try:
            yield
        finally:
            function.__code__, function.__kwdefaults__ = code, given


def _led(*args: Any, _instead: Callable[[Any, Any], Any], **kwargs: Any) -> Any:
    return _instead(args, kwargs)
