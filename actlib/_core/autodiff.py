"""Differentiation by a library: whoever differentiates a function gets the declared derivative.

What a library would make of the kernels' own maximum, where and abs is wrong at ordinary points:
half the slope where two arguments of a maximum are equal, zero times infinity where a branch that
is not taken overflows.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, cast

from actlib._core.arrays import Array, Namespace
from actlib._core.formula import Formula


def in_domain(formula: Formula, xp: Namespace, z: Array, params: Sequence[Array]) -> Array:
    """Broadcast z against the parameters, NaN where one of them is outside its domain."""
    for known, value in zip(formula.params.values(), params, strict=True):
        z = xp.where(known.allows(value), z, math.nan)
    return z


@functools.cache
def for_jax(formula: Formula) -> Callable[..., Array]:
    """The formula as a function of JAX arrays, whose derivatives are those declared.

    Parameters
    ----------
    formula : Formula
        It is evaluated at ``(z, *params)``, all float32 or float64. What has no declared
        derivative, as a second derivative by a parameter, is left to JAX.
    """
    import jax

    def plain(z: Array, *params: Array) -> Array:
        xp = jax.numpy
        return formula.on(xp, in_domain(formula, xp, z, params), params)

    def tangent(given: tuple[Array, ...], place: int, name: str, direction: Array) -> Array:
        if name in formula.slopes:
            return for_jax(formula.slopes[name])(*given) * direction
        by_one = lambda x: plain(*given[:place], x, *given[place + 1 :])  # noqa: E731
        return jax.jvp(by_one, (given[place],), (direction,))[1]

    def rule(given: tuple[Array, ...], directions: tuple[Array, ...]) -> tuple[Array, Array]:
        value: Any = function(*given)
        total = jax.numpy.zeros_like(value)
        for place, (name, direction) in enumerate(
            zip(("z", *formula.params), directions, strict=True)
        ):
            if type(direction) is not jax.custom_derivatives.SymbolicZero:
                total = total + tangent(given, place, name, direction)
        return value, total

    function: Any = jax.custom_jvp(plain)
    function.defjvp(rule, symbolic_zeros=True)
    return cast("Callable[..., Array]", function)


@functools.cache
def for_torch(formula: Formula) -> Callable[..., Array]:
    """The formula as a function of PyTorch tensors; as `for_jax`.

    It may be differentiated backwards and forwards, twice, and under ``torch.func``.
    """
    import torch
    from array_api_compat import torch as xp

    names = ("z", *formula.params)

    def plain(z: Array, *params: Array) -> Array:
        return formula.on(xp, in_domain(formula, xp, z, params), params)

    if not formula.slopes:
        return plain

    def pulled_back(given: Sequence[Array], place: int, upstream: Array) -> Array:
        """The gradient by one argument, in its shape."""
        if slope := formula.slopes.get(names[place]):
            gradient = upstream * for_torch(slope)(*given)
            return gradient.sum_to_size(given[place].shape)
        by_one = lambda x: plain(*given[:place], x, *given[place + 1 :])  # noqa: E731
        (gradient,) = torch.func.vjp(by_one, given[place])[1](upstream)
        return gradient

    def pushed(given: Sequence[Array], place: int, direction: Array) -> Array:
        if slope := formula.slopes.get(names[place]):
            return for_torch(slope)(*given) * direction
        by_one = lambda x: plain(*given[:place], x, *given[place + 1 :])  # noqa: E731
        return torch.func.jvp(by_one, (given[place],), (direction,))[1]

    class Declared(torch.autograd.Function):  # type: ignore[misc]
        """The formula, which PyTorch asks for its derivatives."""

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
                pulled_back(given, place, upstream) if needed and upstream is not None else None
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

    return cast("Callable[..., Array]", Declared.apply)


def pushed_forward(along: Any, xp: Namespace, z: Array, direction: Array) -> Array:
    """The product of a Jacobian with a direction; that of a gated unit is two diagonals."""
    if "jvp" in along.products:
        return along.products["jvp"].over_last(xp, z, direction)
    half = z.shape[-1] // 2
    diagonals = along.products["vjp"].over_last(xp, z, xp.ones_like(z[..., :half]))
    terms = diagonals * direction
    return terms[..., :half] + terms[..., half:]


@functools.cache
def vectors_for_jax(along: Any) -> Callable[[Array], Array]:
    """A function of vectors over the last axis, as `for_jax`."""
    import jax

    def rule(given: tuple[Array], directions: tuple[Array]) -> tuple[Array, Array]:
        (z,), (direction,) = given, directions
        value: Any = function
        return value(z), pushed_forward(along, jax.numpy, z, direction)

    function: Any = jax.custom_jvp(functools.partial(along.over_last, jax.numpy))
    function.defjvp(rule)
    return cast("Callable[[Array], Array]", function)


@functools.cache
def vectors_for_torch(along: Any) -> Callable[[Array], Array]:
    """A function of vectors over the last axis, as `for_torch`."""
    import torch
    from array_api_compat import torch as xp

    class Declared(torch.autograd.Function):  # type: ignore[misc]
        """The function, which PyTorch asks for its products."""

        generate_vmap_rule = True

        @staticmethod
        def forward(z: Array) -> Array:
            return along.over_last(xp, z)

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Array], output: Array) -> None:
            ctx.save_for_backward(*inputs)
            ctx.save_for_forward(*inputs)

        @staticmethod
        def backward(ctx: Any, upstream: Array) -> Array:
            (z,) = ctx.saved_tensors
            return along.products["vjp"].over_last(xp, z, upstream)

        @staticmethod
        def jvp(ctx: Any, direction: Array) -> Array:
            (z,) = ctx.saved_tensors
            return pushed_forward(along, xp, z, direction)

    return cast("Callable[[Array], Array]", Declared.apply)


#: What makes a formula differentiable, by the name of the array library.
BRIDGES = {"jax.numpy": for_jax, "array_api_compat.torch": for_torch}
#: The same of a function of vectors.
VECTOR_BRIDGES = {"jax.numpy": vectors_for_jax, "array_api_compat.torch": vectors_for_torch}
