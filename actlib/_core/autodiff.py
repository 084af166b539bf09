"""Differentiation by a library: whoever differentiates a function gets the declared derivative.

What a library would make of the kernels' own maximum, where and abs is wrong at ordinary points:
half the slope where two arguments of a maximum are equal, zero times infinity where a branch that
is not taken overflows.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from actlib._core.arrays import Array, Namespace
from actlib._core.formula import Formula

Function = Callable[..., Array]
#: A product at ``given``, in the place of one of them, with a direction or an upstream gradient.
Product = Callable[[Sequence[Array], int, Array], Array]

#: Which module makes functions that a library differentiates, by the library's namespace.
BRIDGES = {
    "jax.numpy": "actlib._core.in_jax",
    "array_api_compat.torch": "actlib._core.in_torch",
    "tensorflow": "actlib._core.in_tensorflow",
}


def bridge(xp: Namespace) -> Any:
    """The module for a library that differentiates, imported when its first array comes.

    In each, ``of_formula(formula)`` is the formula as a function of ``(z, *params)``, arrays of the
    library and all float32 or float64, whose derivatives are those declared; what has no declared
    one, as a second derivative by a parameter, is left to the library. ``of_vectors(along)`` is a
    function of vectors over the last axis, ``constant(x)`` the same numbers without a derivative.
    """
    path = BRIDGES.get(xp.__name__)
    return path and importlib.import_module(path)


def following(xp: Namespace, z: Array, value: Array) -> Array:
    """A value whose derivative by z is 1 wherever z is finite, by whatever it was computed."""
    library = bridge(xp)
    if library is None:
        return value
    finite = xp.where(xp.abs(z) < np.inf, z, 0.0)
    return library.constant(value) + (finite - library.constant(finite))


#: What is evaluated, by name: PyTorch's compiler hands on no more than tensors and constants.
EVALUATIONS: dict[str, Callable[..., Any]] = {}


def followed(z: Any, *others: Any) -> bool:
    """Whether PyTorch's compiler follows a call, which is to be one step to it."""
    if isinstance(z, np.ndarray) or not any(hasattr(x, "requires_grad_") for x in (z, *others)):
        return False
    import torch

    return bool(torch.compiler.is_dynamo_compiling())


def plain(formula: Formula, xp: Namespace) -> Function:
    """The formula as it is: what a library would differentiate by rules of its own."""

    def evaluate(z: Array, *params: Array) -> Array:
        named = dict(zip(formula.params, params, strict=True))
        return formula.on(xp, formula.in_domain(xp, z, named), params)

    return evaluate


def slopes(formula: Formula) -> list[Formula | None]:
    """The declared derivative by each argument; what has none is left to the library."""
    return [formula.slopes.get(name) for name in ("z", *formula.params)]


def of_one(function: Function, given: Sequence[Array], place: int) -> Function:
    """The function of one of its arguments, the others as given."""
    return lambda x: function(*given[:place], x, *given[place + 1 :])


def pushed(
    formula: Formula,
    evaluate: Function,
    differentiable: Callable[[Formula], Function],
    jvp: Callable[..., Any],
) -> Product:
    """The product of a formula's slope with a direction; the library's own if none is declared."""
    declared = slopes(formula)

    def product(given: Sequence[Array], place: int, direction: Array) -> Array:
        if slope := declared[place]:
            return differentiable(slope)(*given) * direction
        return jvp(of_one(evaluate, given, place), (given[place],), (direction,))[1]

    return product


def pulled_along(along: Any, xp: Namespace) -> Product:
    """The product of an upstream gradient with a Jacobian, as declared."""

    def product(given: Sequence[Array], place: int, upstream: Array) -> Array:
        return along.products["vjp"].over_last(xp, *given, upstream)

    return product


def pushed_along(along: Any, xp: Namespace) -> Product:
    """The product of a Jacobian with a direction; that of a gated unit is two diagonals."""

    def product(given: Sequence[Array], place: int, direction: Array) -> Array:
        (z,) = given
        if "jvp" in along.products:
            return along.products["jvp"].over_last(xp, z, direction)
        half = z.shape[-1] // 2
        diagonals = along.products["vjp"].over_last(xp, z, xp.ones_like(z[..., :half]))
        terms = diagonals * direction
        return terms[..., :half] + terms[..., half:]

    return product
