"""Loops over arrays of any layout and dtype, made of one that is compiled for each dtype."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np

from actlib._core import blocks
from actlib._core.spec import Param
from actlib.compiled import cache, source

Arrays = Sequence[np.ndarray]

_FLOATS = {np.dtype(np.float32), np.dtype(np.float64)}


class Loop:
    """A kernel of numbers, evaluated over arrays in one pass.

    Parameters
    ----------
    name : str
        What is evaluated.
    kernel : callable
        ``kernel(xp, *arrays, *params)``, which returns a tuple of results.
    arrays : sequence of str
        Its first arguments.
    params : mapping of str to Param
        The others, which are mostly numbers.
    """

    def __init__(
        self,
        name: str,
        kernel: Callable[..., tuple[Any, ...]],
        arrays: Sequence[str],
        params: Mapping[str, Param],
    ) -> None:
        self.name, self.kernel = name, kernel
        self.arrays = list(arrays)
        self.params = [f"{key}_" for key in params]  # as nothing else in what is written ends
        self._compiled: dict[tuple[Any, bool], Callable[..., None]] = {}
        self._defaults = [param.default for param in params.values()]
        #: The loop of each dtype and the default parameters in it, for what is small.
        self.ready: dict[Any, tuple[Callable[..., None], list[Any]]] = {}

    def at_once(self, arrays: Arrays, outs: Arrays, numbers: Sequence[Any] = ()) -> None:
        """Evaluate what the loop takes as it is, by default at the default parameters."""
        dtype = arrays[0].dtype
        if dtype not in self.ready:
            defaults = [dtype.type(default) for default in self._defaults]
            self.ready[dtype] = self.compiled(dtype), defaults
        loop, defaults = self.ready[dtype]
        numbers = numbers or defaults
        if arrays[0].ndim > 1:
            arrays, outs = [a.reshape(-1) for a in arrays], [out.reshape(-1) for out in outs]
        loop(*arrays, *numbers, *outs)

    def compiled(self, working: Any, numbers: bool = True) -> Callable[..., None]:
        """The loop over contiguous arrays of this dtype, with numbers for parameters or arrays."""
        key = np.dtype(working), numbers
        if key not in self._compiled:
            names = (self.arrays, self.params) if numbers else (self.arrays + self.params, [])
            text = source.of_elementwise(self.name, self.kernel, *names, key[0].name)
            self._compiled[key] = cache.module(self.name, text).loop
        return self._compiled[key]

    def __call__(
        self,
        outs: Arrays,
        arrays: Arrays,
        params: Sequence[Any],
        working: Any,
        threads: int = 1,
    ) -> None:
        """Evaluate into the outputs.

        Parameters
        ----------
        outs, arrays : sequence of ndarray
            All of one shape.
        params : sequence
            Numbers and arrays that broadcast to this shape.
        working : dtype
            The dtype to compute in.
        threads : int
            Among how many large arrays are shared.
        """
        if operator.index(threads) < 1:
            raise ValueError(f"{self.name}: threads must be at least 1, got {threads!r}")
        numbers = not any(param.ndim for param in params)
        loop = self.compiled(working, numbers)
        arrays, params = (arrays, params) if numbers else ([*arrays, *params], ())
        evaluate = _on_copies(loop, len(outs), params)
        if arrays[0].nbytes <= blocks.WHOLE:
            _at_once(evaluate, arrays, outs, working)
        elif not _are_plain((*arrays, *outs), working) or _overlap(arrays, outs):
            blocks.elementwise(evaluate, arrays, outs, working)
        else:
            flat, made = ([np.asarray(a).reshape(-1) for a in some] for some in (arrays, outs))
            _share(loop, flat, made, params, threads)


def _at_once(
    evaluate: Callable[..., list[np.ndarray]], arrays: Arrays, outs: Arrays, working: Any
) -> None:
    """Evaluate small arrays of whatever layout, dtype and overlap."""
    shape = outs[0].shape
    given = [a if a.shape == shape else np.broadcast_to(a, shape) for a in arrays]
    found = evaluate(*(np.ascontiguousarray(a, working).reshape(-1) for a in given))
    for out, values in zip(outs, found, strict=True):
        out[...] = values.reshape(shape)


def _overlap(arrays: Arrays, outs: Arrays) -> bool:
    """Whether a loop would write where it reads: number by number, ten times as slow."""
    return any(np.may_share_memory(a, out) for a in arrays for out in outs)


def is_ready(z: Any) -> bool:
    """Whether compiled code takes an array as it is."""
    if type(z) is not np.ndarray or z.dtype not in _FLOATS:
        return False
    return z.ndim > 0 and bool(z.flags.carray)


def are_ready(z: Any, other: Any) -> bool:
    """Whether compiled code takes two arrays as they are, number by number."""
    return is_ready(z) and is_ready(other) and other.dtype == z.dtype and other.shape == z.shape


def _are_plain(arrays: Iterable[np.ndarray], working: Any) -> bool:
    """Whether the compiled loop takes them as they are: it looks at the size of the first alone."""
    first, *others = arrays
    if any(a.shape != first.shape for a in others):
        return False
    return all(a.dtype == working and a.flags.c_contiguous and a.flags.aligned for a in arrays)


def _on_copies(
    loop: Callable[..., None], results: int, params: Sequence[Any]
) -> Callable[..., list[np.ndarray]]:
    """The loop as a function of arrays of one axis, whatever their layout; it makes its results."""

    def evaluate(*inputs: np.ndarray) -> list[np.ndarray]:
        given = [np.ascontiguousarray(block) for block in inputs]
        found = [np.empty_like(given[0]) for _ in range(results)]
        loop(*given, *params, *found)
        return found

    return evaluate


def _share(
    loop: Callable[..., None], arrays: Arrays, outs: Arrays, params: Sequence[Any], threads: int
) -> None:
    """Evaluate flat arrays, in several threads a part each, none of which is less than a block."""
    parts = min(threads, arrays[0].nbytes // blocks.BLOCK)
    if parts == 1:
        loop(*arrays, *params, *outs)
        return
    bounds = np.linspace(0, arrays[0].size, parts + 1, dtype=int)
    with ThreadPoolExecutor(parts) as pool:
        waiting = [
            pool.submit(loop, *(a[i:j] for a in arrays), *params, *(out[i:j] for out in outs))
            for i, j in pairwise(bounds)
        ]
    for part in waiting:
        part.result()
