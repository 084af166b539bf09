"""What an activation is called elsewhere, and that it is the same function there."""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from contract import deep_unless

import actlib
from actlib._core.spec import LIBRARIES, Peer
from actlib.check import check_activation, from_library, from_torch, keywords, shipped

INSTALLED = [name for name in LIBRARIES if importlib.util.find_spec(name)]
DERIVING = [name for name in INSTALLED if name != "scipy"]
Z = np.linspace(-4.1, 4.2, 60, dtype=np.float32).reshape(5, 3, 4)  # no kink among them

# What cannot be compared by a call with one array.
UNLIKE = {("prelu", "keras"): "its alpha starts at 0"}

NAMED = [
    (name, library)
    for name, function in actlib.REGISTRY.items()
    for library in function.spec.peers
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
    (function, options), ours = shipped(name, library), actlib.REGISTRY[name](Z)
    assert agrees(library, function, ours, **options) != ((name, library) in UNLIKE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's, of an axis that it has to guess
        assert not options or not agrees(library, function, ours)


@pytest.mark.parametrize("name", actlib.REGISTRY)
def test_peers_are_in_known_libraries(name: str) -> None:
    first = {"tensorflow": "tf"}
    for library, peer in actlib.REGISTRY[name].spec.peers.items():
        assert library in LIBRARIES
        assert peer.path.startswith(f"{first.get(library, library)}.")


def test_what_is_needed_is_declared() -> None:
    assert keywords("gelu", "jax") == {"approximate": False}
    assert keywords("elu", "tensorflow") == keywords("bilinear", "jax") == {}
    peer = Peer("jax.nn.gelu", {"approximate": False, "axis": -1}, note="its default is True")
    assert peer.difference == "needs approximate=False, axis=-1, its default is True"
    assert Peer("jax.nn.elu", note="no alpha").difference == "no alpha"
    assert Peer("jax.nn.relu").difference == ""
    library = INSTALLED[0]
    with pytest.raises(ValueError, match=f"{library} has no bilinear"):
        shipped("bilinear", library)


@pytest.mark.parametrize("library", DERIVING)
def test_another_function_is_found(library: str) -> None:
    fn, _ = shipped("tanh", library)
    assert agrees(library, fn, actlib.tanh(Z))
    assert not agrees(library, fn, actlib.softsign(Z))


@pytest.mark.parametrize("library", deep_unless("torch".__eq__, DERIVING))
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
    check_activation(relu, slope, exact="relu", dtypes=["float64"]).raise_if_failed()


if importlib.util.find_spec("torch"):  # in the environment of `make test-peers`

    def test_a_torch_function_gets_a_copy_and_keeps_its_dtype() -> None:
        torch = importlib.import_module("torch")
        z = np.array([-1.0, 2.0])
        assert from_torch(torch.relu_)[0](z).tolist() == [0.0, 2.0]
        assert z.tolist() == [-1.0, 2.0]
        assert from_torch(torch.relu_, copy=False)[0](z).tolist() == z.tolist() == [0.0, 2.0]
        half = z.astype(ml_dtypes.bfloat16)
        assert from_torch(torch.relu)[0](half).dtype == ml_dtypes.bfloat16
        assert from_torch(lambda x: torch.relu(x.float()))[0](half).dtype == np.float32
        assert from_torch(lambda x: x.bfloat16())[0](z).dtype == ml_dtypes.bfloat16
        assert from_torch(torch.relu)[1](half).dtype == ml_dtypes.bfloat16

    def test_the_gradient_of_a_module_that_works_in_place() -> None:
        torch = importlib.import_module("torch")
        f, grad = from_torch(torch.nn.ReLU(inplace=True))
        z = np.array([-1.0, 2.0])
        assert (f(z).tolist(), grad(z).tolist(), z.tolist()) == ([0, 2], [0, 1], [-1, 2])
        check_activation(f, grad, exact="relu", kinks=[0], points=20).raise_if_failed()
