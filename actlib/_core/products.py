"""Products with an upstream gradient: what backpropagation makes of a declared derivative."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from actlib._core import autodiff, blocks
from actlib._core.arrays import (
    Array,
    Namespace,
    among,
    argument,
    as_dtype,
    beside,
    is_known,
    prepared,
    ranked,
    real_dtypes,
)
from actlib._core.evaluate import Evaluation
from actlib._core.formula import Formula


@dataclass(frozen=True, eq=False)
class Pullback:
    """The vector-Jacobian product of an elementwise function, by any of its arguments.

    Parameters
    ----------
    name : str
        What is evaluated.
    formula : Formula
        The function; its slopes are those declared.
    """

    name: str
    formula: Formula

    def __call__(self, z: Any, upstream: Any, params: Sequence[Any] = (), wrt: str = "z") -> Array:
        """Multiply, and add up over what shares a number: in the shape of what it is for."""
        if autodiff.followed(z, upstream, *params):
            from actlib._core import in_torch

            return in_torch.one_step(self.name, z, upstream, params, wrt)
        if isinstance(z, (int, float, np.number)):
            z = among(z, (*params, upstream))
        declared = slope_by(self.name, self.formula, wrt)
        xp, z, working, result = prepared(self.name, z)
        given = dict(zip(self.formula.params, params, strict=False))
        shared = {"z": ranked(self.name, z), **given}.get(wrt, 0.0)
        slope = _evaluation(self.name, declared)

        def product() -> Array:
            (factor,) = slope(as_dtype(xp, z, working), params)
            other = upstream_of(self.name, xp, z, upstream, working, factor.shape)
            return as_dtype(xp, summed(xp, factor * other, shared), result)

        found = blocks.silently(xp, product)
        return found if xp is not np or found.ndim else found[()]


@functools.cache
def _evaluation(name: str, slope: Formula) -> Evaluation:
    return Evaluation(name, (slope,))


def slope_by(name: str, formula: Formula, wrt: str) -> Formula:
    """The declared derivative by z or by a parameter; an error if there is none."""
    slopes = formula.slopes
    if wrt not in list(slopes):
        raise ValueError(f"{name}: wrt must be one of {', '.join(slopes)}, got {wrt!r}")
    return slopes[wrt]


def upstream_of(
    name: str, xp: Namespace, z: Array, given: Any, working: Any, shape: Sequence[Any]
) -> Array:
    """The upstream gradient in the dtype computed in, on z's device; an error unless it fits."""
    theirs, given = argument(name, xp, given, "upstream")
    real_dtypes(name, theirs, given.dtype, "upstream")
    if not _fits(given.shape, shape):
        raise ValueError(
            f"{name}: upstream has shape {tuple(given.shape)}; it must broadcast to that of the "
            f"result, {tuple(shape)}"
        )
    return beside(xp, z, given, working)


def _fits(own: Sequence[Any], shape: Sequence[Any]) -> bool:
    """Whether an array of a shape, as far as that is known, broadcasts to another."""
    if own == shape:
        return True
    pairs = list(zip(reversed(own), reversed(shape), strict=False))
    return len(own) <= len(shape) and all(
        n == 1 or n == size or not is_known(n) or not is_known(size) for n, size in pairs
    )


def summed(xp: Namespace, product: Array, given: Any) -> Array:
    """Add up over the axes along which what was given has been broadcast."""
    if xp.__name__ == "tensorflow":  # where sizes may be known to the graph alone
        from actlib._core import in_tensorflow

        return in_tensorflow.summed(product, xp.asarray(given))
    shape = np.shape(given)
    if product.shape == shape:
        return product
    added = product.ndim - len(shape)
    sizes = enumerate(product.shape)
    shared = [i for i, n in sizes if i < added or (shape[i - added] == 1 and n != 1)]
    if not shared:
        return product
    exact = {"dtype": np.float64} if xp is np else {}  # many numbers may share one
    total = xp.sum(product, axis=tuple(shared), keepdims=True, **exact)
    return total[(*(0 for _ in range(added)), ...)]
