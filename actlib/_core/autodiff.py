"""Differentiation by a library: whoever differentiates a function gets the declared derivative.

What a library would make of the kernels' own maximum, where and abs is wrong at ordinary points:
half the slope where two arguments of a maximum are equal, zero times infinity where a branch that
is not taken overflows.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, cast

from actlib._core.arrays import Array, Namespace
from actlib._core.formula import Formula

Function = Callable[..., Array]
#: A product at ``given``, in the place of one of them, with a direction or an upstream gradient.
Product = Callable[[Sequence[Array], int, Array], Array]


@functools.cache
def for_jax(formula: Formula) -> Function:
    """The formula as a function of JAX arrays, whose derivatives are those declared.

    Parameters
    ----------
    formula : Formula
        It is evaluated at ``(z, *params)``, all float32 or float64. What has no declared
        derivative, as a second derivative by a parameter, is left to JAX.
    """
    import jax

    plain = _plain(formula, jax.numpy)
    return _in_jax(plain, _pushed(formula, plain, for_jax, jax.jvp))


@functools.cache
def for_torch(formula: Formula) -> Function:
    """The formula as a function of PyTorch tensors; as `for_jax`.

    It may be differentiated backwards and forwards, twice, and under ``torch.func``.
    """
    import torch
    from array_api_compat import torch as xp

    plain, slopes = _plain(formula, xp), _slopes(formula)
    if not formula.slopes:
        return plain

    def pulled(given: Sequence[Array], place: int, upstream: Array) -> Array:
        """The gradient by one argument, in its shape."""
        if slope := slopes[place]:
            gradient = upstream * for_torch(slope)(*given)
            return gradient.sum_to_size(given[place].shape)
        (gradient,) = torch.func.vjp(_of_one(plain, given, place), given[place])[1](upstream)
        return gradient

    return _in_torch(plain, pulled, _pushed(formula, plain, for_torch, torch.func.jvp))


@functools.cache
def vectors_for_jax(along: Any) -> Function:
    """A function of vectors over the last axis, as `for_jax`."""
    import jax

    return _in_jax(functools.partial(along.over_last, jax.numpy), _pushed_along(along, jax.numpy))


@functools.cache
def vectors_for_torch(along: Any) -> Function:
    """A function of vectors over the last axis, as `for_torch`."""
    from array_api_compat import torch as xp

    def pulled(given: Sequence[Array], place: int, upstream: Array) -> Array:
        return along.products["vjp"].over_last(xp, *given, upstream)

    return _in_torch(functools.partial(along.over_last, xp), pulled, _pushed_along(along, xp))


def _plain(formula: Formula, xp: Namespace) -> Function:
    """The formula as it is: what a library would differentiate by rules of its own."""

    def plain(z: Array, *params: Array) -> Array:
        named = dict(zip(formula.params, params, strict=True))
        return formula.on(xp, formula.in_domain(xp, z, named), params)

    return plain


def _slopes(formula: Formula) -> list[Formula | None]:
    """The declared derivative by each argument."""
    return [formula.slopes.get(name) for name in ("z", *formula.params)]


def _of_one(function: Function, given: Sequence[Array], place: int) -> Function:
    """The function of one of its arguments, the others as given."""
    return lambda x: function(*given[:place], x, *given[place + 1 :])


def _pushed(
    formula: Formula,
    plain: Function,
    bridge: Callable[[Formula], Function],
    jvp: Callable[..., Any],
) -> Product:
    """The product of a formula's slope with a direction; the library's own if none is declared."""
    slopes = _slopes(formula)

    def pushed(given: Sequence[Array], place: int, direction: Array) -> Array:
        if slope := slopes[place]:
            return bridge(slope)(*given) * direction
        return jvp(_of_one(plain, given, place), (given[place],), (direction,))[1]

    return pushed


def _pushed_along(along: Any, xp: Namespace) -> Product:
    """The product of a Jacobian with a direction; that of a gated unit is two diagonals."""

    def pushed(given: Sequence[Array], place: int, direction: Array) -> Array:
        (z,) = given
        if "jvp" in along.products:
            return along.products["jvp"].over_last(xp, z, direction)
        half = z.shape[-1] // 2
        diagonals = along.products["vjp"].over_last(xp, z, xp.ones_like(z[..., :half]))
        terms = diagonals * direction
        return terms[..., :half] + terms[..., half:]

    return pushed


def _in_jax(plain: Function, pushed: Product) -> Function:
    """A function that JAX asks for its products."""
    import jax

    def rule(given: tuple[Array, ...], directions: tuple[Array, ...]) -> tuple[Array, Array]:
        value: Any = function(*given)
        terms = [
            pushed(given, place, direction)
            for place, direction in enumerate(directions)
            if type(direction) is not jax.custom_derivatives.SymbolicZero
        ]
        return value, sum(terms, jax.numpy.zeros_like(value))

    function: Any = jax.custom_jvp(plain)
    function.defjvp(rule, symbolic_zeros=True)
    return cast("Function", function)


def _in_torch(plain: Function, pulled: Product, pushed: Product) -> Function:
    """A function that PyTorch asks for its products."""
    import torch

    class Declared(torch.autograd.Function):  # type: ignore[misc]
        generate_vmap_rule = True

        @staticmethod
        def forward(*given: Array) -> Array:
            return plain(*given)

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Array, ...], output: Array) -> None:
            ctx.save_for_backward(*inputs)
            ctx.save_for_forward(*inputs)
            ctx.set_materialize_grads(False)  # lest zeros are multiplied by an infinite slope

        @staticmethod
        def backward(ctx: Any, upstream: Array | None) -> tuple[Array | None, ...]:
            given = ctx.saved_tensors
            return tuple(
                pulled(given, place, upstream) if needed and upstream is not None else None
                for place, needed in enumerate(ctx.needs_input_grad)
            )

        @staticmethod
        def jvp(ctx: Any, *directions: Array | None) -> Array:
            given = ctx.saved_tensors
            return sum(
                pushed(given, place, direction)
                for place, direction in enumerate(directions)
                if direction is not None
            )

    return cast("Function", Declared.apply)


#: What makes a formula differentiable, by the name of the array library.
BRIDGES = {"jax.numpy": for_jax, "array_api_compat.torch": for_torch}
#: The same of a function of vectors.
VECTOR_BRIDGES = {"jax.numpy": vectors_for_jax, "array_api_compat.torch": vectors_for_torch}
