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

#: Arrays of at least so many numbers are shared among threads, if a caller wants several.
SHARED = 2**16


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
        self.arrays, self.params = list(arrays), list(params)
        self._compiled: dict[tuple[Any, bool], Callable[..., None]] = {}
        self._defaults = [param.default for param in params.values()]
        #: The loop of each dtype and the default parameters in it, for what is small.
        self.ready: dict[Any, tuple[Callable[..., None], list[Any]]] = {}

    def takes(self, z: Any, other: Any = None) -> bool:
        """Whether `at_once` takes this array, and another beside it if one is given."""
        if other is None:
            return is_ready(z)
        return is_ready(z) and is_ready(other) and other.dtype == z.dtype and other.shape == z.shape

    def at_once(self, arrays: Arrays, outs: Arrays) -> None:
        """Evaluate what the loop takes as it is, at the default parameters, with least ado."""
        dtype = arrays[0].dtype
        if dtype not in self.ready:
            numbers = [dtype.type(default) for default in self._defaults]
            self.ready[dtype] = self.compiled(dtype), numbers
        loop, numbers = self.ready[dtype]
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
        apart: bool = True,
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
        apart : bool
            Whether no output shares memory with what is read.
        """
        if operator.index(threads) < 1:
            raise ValueError(f"{self.name}: threads must be at least 1, got {threads!r}")
        numbers = not any(np.ndim(param) for param in params)
        loop = self.compiled(working, numbers)
        if not (numbers and apart and _are_plain((*arrays, *outs), working)):
            inputs = [*arrays, *(() if numbers else params)]
            evaluate = _on_blocks(loop, len(outs), params if numbers else ())
            blocks.elementwise(evaluate, inputs, outs, working)
            return
        arrays, outs = ([np.asarray(a).reshape(-1) for a in some] for some in (arrays, outs))
        if threads == 1 or arrays[0].size < SHARED:
            loop(*arrays, *params, *outs)
        else:
            _share(loop, arrays, params, outs, threads)


def is_ready(z: Any) -> bool:
    """Whether compiled code takes an array as it is."""
    if type(z) is not np.ndarray or z.dtype not in _FLOATS:
        return False
    return z.ndim > 0 and bool(z.flags.carray)


def _are_plain(arrays: Iterable[np.ndarray], working: Any) -> bool:
    """Whether the compiled loop takes them as they are."""
    return all(a.dtype == working and a.flags.c_contiguous and a.flags.aligned for a in arrays)


def _on_blocks(
    loop: Callable[..., None], results: int, params: Sequence[Any]
) -> Callable[..., list[np.ndarray]]:
    """The loop as a function of blocks of whatever layout; it makes what it returns.

    Where a loop wrote into what it reads, it would go number by number, ten times as slow.
    """

    def evaluate(*inputs: np.ndarray) -> list[np.ndarray]:
        given = [np.ascontiguousarray(block) for block in inputs]
        found = [np.empty_like(given[0]) for _ in range(results)]
        loop(*given, *params, *found)
        return found

    return evaluate


def _share(
    loop: Callable[..., None], arrays: Arrays, params: Sequence[Any], outs: Arrays, threads: int
) -> None:
    """Evaluate in several threads, each a part of the arrays."""
    bounds = np.linspace(0, arrays[0].size, threads + 1, dtype=int)
    with ThreadPoolExecutor(threads) as pool:
        waiting = [
            pool.submit(loop, *(a[i:j] for a in arrays), *params, *(out[i:j] for out in outs))
            for i, j in pairwise(bounds)
        ]
    for part in waiting:
        part.result()
