"""Operations that tell of an activation, where none is seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tensorflow.python.eager import context

#: Operations that activations are made of.
_ALWAYS = {
    *("Abs", "Acosh", "Asinh", "Atan", "Atanh", "ClipByValue", "Cos", "Cosh", "Erf", "Erfc"),
    *("Exp", "Expm1", "Log1p", "Sin", "Sinh", "Tan"),
    *("Greater", "GreaterEqual", "Less", "LessEqual", "Maximum", "Minimum", "Sign"),
    *("Elu", "LeakyRelu", "Relu", "Relu6", "Selu", "Sigmoid", "Softplus", "Softsign", "Tanh"),
    *("LogSoftmax", "Softmax"),
    *("EagerPyFunc", "PyFunc", "XlaCallModule"),  # of which nothing is known
}
#: Those that normalisation is made of as well, which first sums up what it is given.
_OF_ALL = {"Log", "Rsqrt", "Sqrt"}
_OF_BOTH = {"Div", "DivNoNan", "RealDiv", "Xdivy"}


def telling(kind: str, inputs: Any, rank: int) -> set[str]:
    """The operations that tell of an activation: one that was run, or those in a compiled graph.

    Parameters
    ----------
    kind : str
        The operation that was run, or the name of the graph.
    inputs : sequence of tf.Tensor
        What it was given.
    rank : int
        How many axes the input of the layer has.
    """
    if context.context().has_function(kind):
        return {*_inside(kind)} & (_ALWAYS | _OF_ALL)  # of what shape, is not known there
    if not any(tensor.dtype.is_floating for tensor in inputs):
        return set()
    shapes = [tensor.shape for tensor in inputs]
    is_told = (
        kind in _ALWAYS
        or (kind in _OF_ALL and len(shapes[0]) >= max(rank, 2) and 1 not in shapes[0])
        or (kind in _OF_BOTH and len(shapes[0]) >= max(rank, 2) and shapes[0] == shapes[1])
    )
    return {kind} if is_told else set()


def _inside(name: str) -> Iterator[str]:
    """All operations of a graph and of those that it calls."""
    names = [name]
    for graph in names:  # which become more
        for node in context.context().get_function_def(graph).node_def:
            yield node.op
            for value in node.attr.values():
                called = (value.func, *value.list.func)
                names += {part.name for part in called if part.name} - set(names)
