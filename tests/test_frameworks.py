"""What an activation is called elsewhere, and that it is the same function there."""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import actlib
from actlib.check import check_activation, from_library, shipped

LIBRARIES = ["tensorflow", "keras", "torch", "jax", "scipy"]
INSTALLED = [name for name in LIBRARIES if importlib.util.find_spec(name)]
DERIVING = [name for name in INSTALLED if name != "scipy"]
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


def call(library: str, function: Callable[..., Any], **options: Any) -> np.ndarray:
    """The values at Z."""
    if library == "torch":
        return function(importlib.import_module("torch").tensor(Z), **options).detach().numpy()
    return np.asarray(function(Z, **options))


def agrees(library: str, function: Callable[..., Any], ours: np.ndarray, **options: Any) -> bool:
    return np.allclose(call(library, function, **options), ours, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize(("name", "library"), NAMED)
def test_the_library_has_the_same_function(name: str, library: str) -> None:
    (function, options), ours = shipped(name, library), FUNCTIONS[name](Z)
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
    library = INSTALLED[0]
    words = {
        "needs alpha=0.01, its default is 0.2": {"alpha": 0.01},
        "needs approximate='tanh', its default is 'none'": {"approximate": "tanh"},
        "no beta, which is 1": {},
    }
    for differs, options in words.items():
        spec = replace(actlib.tanh.spec, differs={library: differs})
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(actlib.tanh, "spec", spec)
            assert shipped("tanh", library)[1] == options
    with pytest.raises(ValueError, match=f"{library} has no bilinear"):
        shipped("bilinear", library)


@pytest.mark.parametrize("library", DERIVING)
def test_another_function_is_found(library: str) -> None:
    fn, _ = shipped("tanh", library)
    assert agrees(library, fn, actlib.tanh(Z))
    assert not agrees(library, fn, actlib.softsign(Z))


@pytest.mark.parametrize("library", DERIVING)
def test_a_library_loses_the_gradient_of_tanh(library: str) -> None:
    """In its own automatic differentiation, from where its tanh rounds to 1 on."""
    f, grad = from_library("tanh", library)
    report = check_activation(f, grad, exact="tanh", dtypes=["float32", "bfloat16"])
    aspects = {(found.dtype, found.of, found.aspect) for found in report.failed}
    lost = {("float32", "gradient", aspect) for aspect in ("accuracy", "nothing lost")}
    assert lost <= aspects
    assert {(of, aspect) for _, of, aspect in aspects - lost} <= {
        ("value", "accuracy"),  # of bfloat16, in JAX
        ("gradient", "accuracy"),
        ("gradient", "nothing lost"),
    }
    left, *_, right = report.find("gradient", "nothing lost", "float32").intervals
    assert left[1] == pytest.approx(-8.5, abs=1)
    assert right[0] == pytest.approx(8.5, abs=1)
    relu, slope = from_library("relu", library)
    report = check_activation(relu, slope, exact="relu", dtypes=["float64"])
    assert {(found.of, found.aspect) for found in report.failed} == {("gradient", "NaN")}
