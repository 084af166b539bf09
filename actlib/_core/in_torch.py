"""Functions that PyTorch differentiates as declared: backwards, forwards, twice, and compiled."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, cast

import torch
from array_api_compat import torch as xp

from actlib._core import autodiff
from actlib._core.arrays import Array
from actlib._core.autodiff import Function, Product
from actlib._core.formula import Formula


@functools.cache
def of_formula(formula: Formula) -> Function:
    """The formula as a function of PyTorch tensors, whose derivatives are those declared.

    It may be differentiated backwards and forwards, twice, and under ``torch.func``.
    """
    plain, slopes = autodiff.plain(formula, xp), autodiff.slopes(formula)
    if not formula.slopes:
        return plain

    def pulled(given: Sequence[Array], place: int, upstream: Array) -> Array:
        """The gradient by one argument, in its shape."""
        if slope := slopes[place]:
            gradient = upstream * of_formula(slope)(*given)
            return gradient.sum_to_size(given[place].shape)
        of_one = autodiff.of_one(plain, given, place)
        (gradient,) = torch.func.vjp(of_one, given[place])[1](upstream)
        return gradient

    return _made(plain, pulled, autodiff.pushed(formula, plain, of_formula, _jvp))


@functools.cache
def of_vectors(along: Any) -> Function:
    """A function of vectors over the last axis, as `of_formula`."""
    plain = functools.partial(along.over_last, xp)
    return _made(plain, autodiff.pulled_along(along, xp), autodiff.pushed_along(along, xp))


def constant(x: Array) -> Array:
    """The same numbers, which count as constant."""
    return x.detach()


def _jvp(function: Function, point: tuple[Array], direction: tuple[Array]) -> tuple[Array, Array]:
    """As ``torch.func.jvp``, but backwards twice, since forward mode cannot be nested."""
    value, pull = torch.func.vjp(function, *point)
    _, push = torch.func.vjp(lambda upstream: pull(upstream)[0], torch.zeros_like(value))
    return value, push(*direction)[0]


def _made(plain: Function, pulled: Product, pushed: Product) -> Function:
    """A function that PyTorch asks for its products."""

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


@torch.compiler.allow_in_graph  # type: ignore[untyped-decorator]
def one_step(name: str, *args: Any, **options: Any) -> Any:
    """Evaluate by name: the compiler takes this as it is, and differentiates what it does."""
    return autodiff.EVALUATIONS[name](*map(_unfixed, args), **options)


def _unfixed(value: Any) -> Any:
    """A tensor of a number that may change between calls, for which the compiler has a symbol."""
    if isinstance(value, tuple):
        return tuple(map(_unfixed, value))
    if isinstance(value, (torch.SymFloat, torch.SymInt)):
        return value * torch.ones((), dtype=torch.float64)
    return value
