"""How a function of the engine becomes one that a caller sees."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from actlib._core.arrays import Kernel


def published(
    public: Callable[..., Any],
    kernel: Kernel,
    path: str,
    module: str,
    doc: str,
    signature: inspect.Signature | None = None,
) -> Callable[..., Any]:
    """Give a function a name by which it pickles, a docstring, and a signature for readers.

    Parameters
    ----------
    public : callable
        The function.
    kernel : callable
        The formula that it evaluates, which becomes its ``__wrapped__``.
    path : str
        Its qualified name, such as ``"prelu.partials.alpha"``.
    module : str
        Where it is found.
    doc : str
        Its docstring.
    signature : inspect.Signature, optional
        What it takes; else its own parameters, without annotations.
    """
    if signature is None:
        given = inspect.signature(public).parameters.values()
        signature = inspect.Signature([p.replace(annotation=p.empty) for p in given])
    functools.update_wrapper(public, kernel)
    public.__module__ = module
    public.__qualname__ = path
    public.__name__ = path.rpartition(".")[2]
    public.__doc__ = doc
    public.__signature__ = signature  # type: ignore[attr-defined]
    public.__annotations__ = {}
    public.autograph_info__ = {}  # type: ignore[attr-defined] # TensorFlow takes it as it is
    return public
