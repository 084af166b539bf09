"""Activations, their derivatives and their products with upstream gradients, in compiled code."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from actlib._core import autodiff, blocks, document
from actlib._core.arrays import Array, prepared
from actlib._core.declare import binder, signature_of
from actlib._core.evaluate import Evaluation, Outs, check_outs
from actlib._core.formula import Formula
from actlib._core.products import Pullback, slope_by, summed, upstream_of
from actlib._core.publish import published
from actlib._core.registry import Activation, Partials
from actlib.compiled.loops import Loop, are_ready, is_ready


def compiled(function: Activation[...], module: str) -> Activation[...]:
    """The same function, of the same interface, evaluated by compiled code."""
    result = cast("Any", _value(function, module))
    result.spec = function.spec
    result.grad = _value(function.grad, module)
    if hasattr(function.grad, "grad"):
        result.grad.grad = _value(function.grad.grad, module)
    result.value_and_grad = _value(function.value_and_grad, module)
    result.partials = Partials(function.spec.name)
    for key, partial in function.partials.items():
        result.partials[key] = _value(partial, module)
    result.vjp = _product(function, module)
    return cast("Activation[...]", result)


def _value(function: Any, module: str) -> Callable[..., Any]:
    evaluate = Compiled(cast("Evaluation", autodiff.EVALUATIONS[function.__qualname__]))
    signature = signature_of(evaluate.first.params, ["z"], {"out": None, "threads": 1})
    params_of = binder(evaluate.first.params, evaluate.name, signature, ["z"])
    alone, ready = len(evaluate.formulas) == 1, evaluate.loop.ready

    def public(z: Any, *args: Any, out: Any = None, threads: int = 1, **kwargs: Any) -> Any:
        plain = not (args or kwargs) and out is None and threads == 1
        if plain and alone and type(z) is np.ndarray and z.dtype in ready and z.ndim == 1:
            loop, numbers = ready[z.dtype]  # what follows takes longer than 1,000 numbers do
            if z.flags.carray:
                made = np.empty_like(z)
                loop(z, *numbers, made)
                return made
        params = params_of(args, kwargs) if args or kwargs else ()
        found = evaluate(z, params, (out,) if alone and out is not None else out, threads)
        return found[0] if alone else tuple(found)

    public.formula = evaluate.first  # type: ignore[attr-defined]
    doc = document.of_compiled(function.__doc__)
    return published(public, function.__wrapped__, evaluate.name, module, doc, signature)


def _product(function: Any, module: str) -> Callable[..., Any]:
    evaluate = CompiledProduct(cast("Pullback", autodiff.EVALUATIONS[function.vjp.__qualname__]))
    signature = signature_of(evaluate.params, ["z", "upstream"], {"wrt": "z", "threads": 1})
    params_of = binder(evaluate.params, evaluate.name, signature, ["z", "upstream"])

    def public(
        z: Any, upstream: Any, *args: Any, wrt: str = "z", threads: int = 1, **kwargs: Any
    ) -> Any:
        params = params_of(args, kwargs) if args or kwargs else ()
        return evaluate(z, upstream, params, wrt, threads)

    return published(
        public, function.vjp.__wrapped__, evaluate.name, module, function.vjp.__doc__, signature
    )


class Compiled:
    """What an `Evaluation` gives on NumPy arrays, in one pass of compiled code."""

    def __init__(self, evaluation: Evaluation) -> None:
        self.name, self.formulas = evaluation.name, evaluation.formulas
        self.first = self.formulas[0]

        def kernel(xp: Any, z: Array, *params: Array) -> tuple[Array, ...]:
            found = zip(
                evaluation.formulas, evaluation.at_once(xp, z, params, z.dtype), strict=True
            )
            return tuple(_with_limits(xp, z, out, f.limits_at(xp, params)) for f, out in found)

        self.loop = Loop(self.name, kernel, ["z"], self.first.params)

    def __call__(
        self, z: Any, params: Sequence[Any] = (), outs: Outs = None, threads: int = 1
    ) -> Sequence[Any]:
        """Evaluate at z, as an `Evaluation` does."""
        if outs is None and threads == 1 and is_ready(z) and all_floats(params):
            found = [np.empty_like(z) for _ in self.formulas]
            self.loop.at_once((z,), found, numbers_of(self.first, params, z))
            return found
        return blocks.quietly(self._of_any, z, params, outs, threads)

    def _of_any(self, z: Any, params: Sequence[Any], outs: Outs, threads: int) -> Sequence[Any]:
        """Evaluate whatever is given, into outs if they are."""
        z, working, result = on_numpy(self.name, z)
        z, params = self.first.arguments(np, z, params, working)
        if outs is not None:
            check_outs(self.name, outs, len(self.formulas), z.shape, result)
            self.loop(outs, [z], params, working, threads)
            return outs
        found = [np.empty_like(z, dtype=result) for _ in self.formulas]
        self.loop(found, [z], params, working, threads)
        return found if z.ndim else [values[()] for values in found]


def _with_limits(xp: Any, z: Array, out: Array, limits: tuple[Any, Any]) -> Array:
    """A result with the limits at the infinities that a kernel may miss by a rounding.

    These are numbers other than 0. That NumPy's roundings do not miss one says nothing of others.
    """
    largest = xp.finfo(z.dtype).max
    for beyond, limit in zip((z < -largest, z > largest), limits, strict=True):
        if not isinstance(limit, (int, float)) or (math.isfinite(limit) and limit != 0):
            out = xp.where(beyond, limit, out)
    return out


class CompiledProduct:
    """What a `Pullback` gives on NumPy arrays, in one pass of compiled code."""

    def __init__(self, pullback: Pullback) -> None:
        self.name, self.formula = pullback.name, pullback.formula
        self.params = self.formula.params
        self._loops: dict[str, Loop] = {}

    def loop(self, wrt: str) -> Loop:
        """The loop that multiplies the derivative by z, or by a parameter."""
        if wrt in list(self._loops):  # an error that says more awaits what has no hash
            return self._loops[wrt]
        slope = slope_by(self.name, self.formula, wrt)

        def kernel(xp: Any, z: Array, upstream: Array, *params: Array) -> tuple[Array, ...]:
            found = _with_limits(xp, z, slope.on(xp, z, params), slope.limits_at(xp, params))
            return (found * upstream,)

        self._loops[wrt] = Loop(f"{self.name}.{wrt}", kernel, ["z", "upstream"], self.params)
        return self._loops[wrt]

    def __call__(
        self, z: Any, upstream: Any, params: Sequence[Any] = (), wrt: str = "z", threads: int = 1
    ) -> Any:
        """Multiply, and add up over what shares a number, as a `Pullback` does."""
        loop = self.loop(wrt)
        if wrt == "z" and threads == 1 and are_ready(z, upstream) and all_floats(params):
            out = np.empty_like(z)
            loop.at_once((z, upstream), (out,), numbers_of(self.formula, params, z))
            return out
        given, working, result = on_numpy(self.name, z)
        shared = {"z": given, **dict(zip(self.params, params, strict=False))}.get(wrt, 0.0)

        def product() -> Any:
            z, values = self.formula.arguments(np, given, params, working)
            factor = upstream_of(self.name, np, z, upstream, working, z.shape)
            out = np.empty_like(z, dtype=working)
            if factor.shape != z.shape:
                factor = np.broadcast_to(factor, z.shape)
            loop([out], [z, factor], values, working, threads)
            return summed(np, out, shared).astype(result, copy=False)[()]

        return blocks.quietly(product)


def all_floats(params: Sequence[Any]) -> bool:
    """Whether parameters need no more than to be cast."""
    return not params or all(type(param) is float for param in params)


def numbers_of(formula: Formula, params: Sequence[float], z: np.ndarray) -> Sequence[np.floating]:
    """The parameters in z's dtype, in their domain; none if none are given."""
    return blocks.quietly(formula.cast_all, np, z, params, z.dtype) if params else ()


def on_numpy(name: str, z: Any) -> tuple[np.ndarray, Any, Any]:
    """A NumPy array, the dtype to compute in, and that to return."""
    xp, z, working, result = prepared(name, z)
    if xp is not np:
        raise TypeError(
            f"{name}: compiled functions take NumPy arrays, but z belongs to {xp.__name__}; "
            f"use the function of the same name in actlib"
        )
    return z, working, result
