"""The functions of ``actlib``, compiled to machine code that makes one pass over an array.

>>> from actlib.compiled import gelu
>>> gelu([-1.0, 0.0, 1.0])
array([-0.15865525,  0.        ,  0.84134475])

They are made from the same declarations, by Numba (the extra ``fast``), and keep the same contract
on NumPy arrays; arrays of other libraries are an error. Each is compiled for a dtype when it is
first called with that, which takes a second or less, and kept on disk for later processes: in the
folder that the environment variable ``ACTLIB_CACHE_DIR`` names, else in the user's folder for such
files. A keyword ``threads`` shares large arrays among several threads.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast

from actlib._core import registry
from actlib._core.extras import extra
from actlib._core.registry import Activation, Function, Registry

with extra("fast"):
    if find_spec("numba") is None:  # to import it takes as long as all else; the first call does
        raise ModuleNotFoundError("No module named 'numba'", name="numba")
    from actlib.compiled import along_rows, elementwise


class _Compiled(Registry):
    """The functions of ``actlib.REGISTRY``; those that others declare are made when asked for."""

    def __getitem__(self, name: str) -> Any:
        plain = registry.REGISTRY[name]
        if name not in self or super().__getitem__(name).spec is not plain.spec:
            self[name] = _made(plain)
        return super().__getitem__(name)


def _made(function: Function) -> Function:
    if not hasattr(function, "grad" if function.spec.elementwise else "vjp"):
        raise ValueError(f"{function.spec.name} has no derivative yet; declare that first")
    if function.spec.elementwise:
        return elementwise.compiled(cast("Activation[...]", function), __name__)
    made: Function = along_rows.compiled(cast("Any", function), __name__)
    return made


def _is_ours(module: str) -> bool:
    """Whether what it has declared stays as it is."""
    return module.startswith("actlib.")


REGISTRY = _Compiled(
    (name, _made(function))
    for name, function in registry.REGISTRY.items()
    if _is_ours(function.__module__)
)

if TYPE_CHECKING:
    from actlib.functions.gated import *
    from actlib.functions.gated_units import *
    from actlib.functions.rectifiers import *
    from actlib.functions.sigmoids import *
    from actlib.functions.smooth import *
    from actlib.functions.softmax import *
else:

    def __getattr__(name):
        """Find a function by its public name, or by another that ``actlib`` has for it."""
        for family in {function.__module__ for function in registry.REGISTRY.values()}:
            spec = getattr(getattr(sys.modules.get(family), name, None), "spec", None)
            if spec:
                made = REGISTRY[spec.name]
                return globals().setdefault(name, made) if _is_ours(family) else made
        if name in registry.REGISTRY:
            return REGISTRY[name]
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__():
        return [*globals(), *REGISTRY]
