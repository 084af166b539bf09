"""Functions that JAX differentiates as declared: forwards, backwards, compiled, and again."""

from __future__ import annotations

import functools
from typing import Any, cast

import jax

from actlib._core import autodiff
from actlib._core.arrays import Array
from actlib._core.autodiff import Function, Product
from actlib._core.formula import Formula


@functools.cache
def of_formula(formula: Formula) -> Function:
    """The formula as a function of JAX arrays, whose derivatives are those declared."""
    plain = autodiff.plain(formula, jax.numpy)
    return _made(plain, autodiff.pushed(formula, plain, of_formula, jax.jvp))


@functools.cache
def of_vectors(along: Any) -> Function:
    """A function of vectors over the last axis, as `of_formula`."""
    plain = functools.partial(along.over_last, jax.numpy)
    return _made(plain, autodiff.pushed_along(along, jax.numpy))


def constant(x: Array) -> Array:
    """The same numbers, which count as constant."""
    return jax.lax.stop_gradient(x)


def _made(plain: Function, pushed: Product) -> Function:
    """A function that JAX asks for its products."""

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
