"""What an activation is called elsewhere, and that it is the same function there."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import os
import re
import warnings
from collections.abc import Callable
from functools import reduce
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import numpy as np
import pytest

import actlib

LIBRARIES = ["tensorflow", "keras", "torch", "jax"]
INSTALLED = [name for name in LIBRARIES if importlib.util.find_spec(name)]
Z = np.linspace(-4.1, 4.2, 60, dtype=np.float32).reshape(5, 3, 4)  # no kink among them

# What cannot be compared by a call with one array.
UNLIKE = {("prelu", "keras"): "its alpha starts at 0"}

FUNCTIONS = {**actlib.REGISTRY, **actlib.VECTORS}
NAMED = [
    (name, library)
    for name, function in FUNCTIONS.items()
    for library in function.spec.names
    if library in INSTALLED
]


def named(path: str) -> Callable[..., Any]:
    """The function, or an instance of the layer, that has this name."""
    first, *rest = path.split(".")
    module = importlib.import_module({"tf": "tensorflow"}.get(first, first))
    for part in ("nn", "scipy.special"):  # which `import jax` alone does not load
        if first == "jax" and path.startswith(f"jax.{part}."):
            importlib.import_module(f"jax.{part}")
    found = reduce(getattr, rest, module)
    return found() if inspect.isclass(found) else found


def call(library: str, function: Callable[..., Any], **options: Any) -> np.ndarray:
    """The values at Z."""
    if library == "torch":
        return function(importlib.import_module("torch").tensor(Z), **options).detach().numpy()
    return np.asarray(function(Z, **options))


def needed(differs: str) -> dict[str, Any]:
    """The keyword without which the function is another one: "needs k=v, ..."."""
    return {k: ast.literal_eval(v) for k, v in re.findall(r"^needs (\w+)=([^ ,]+)", differs)}


def agrees(library: str, function: Callable[..., Any], ours: np.ndarray, **options: Any) -> bool:
    return np.allclose(call(library, function, **options), ours, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize(("name", "library"), NAMED)
def test_the_library_has_the_same_function(name: str, library: str) -> None:
    spec = FUNCTIONS[name].spec
    function, ours = named(spec.names[library]), FUNCTIONS[name](Z)
    options = needed(spec.differs.get(library, ""))
    assert agrees(library, function, ours, **options) != ((name, library) in UNLIKE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's, of an axis that it has to guess
        assert not options or not agrees(library, function, ours)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_names_and_differences_are_of_known_libraries(name: str) -> None:
    spec = FUNCTIONS[name].spec
    assert set(spec.names) <= set(LIBRARIES)
    assert set(spec.differs) <= set(spec.names)


def test_what_is_needed_is_read_from_the_words() -> None:
    assert needed("needs alpha=0.01, its default is 0.2") == {"alpha": 0.01}
    assert needed("needs approximate='tanh', its default is 'none'") == {"approximate": "tanh"}
    assert needed("no beta, which is 1") == {}


@pytest.mark.parametrize("library", INSTALLED)
def test_another_function_is_found(library: str) -> None:
    tanh = named(actlib.tanh.spec.names[library])
    assert agrees(library, tanh, actlib.tanh(Z))
    assert not agrees(library, tanh, actlib.softsign(Z))
    with pytest.raises(AttributeError):
        named(actlib.tanh.spec.names[library] + "_of_no_library")
