"""On another device than the default one everything stays there: also what NumPy brings along."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from actlib import REGISTRY

SPREAD = [0.1, 0.2, 0.3, 0.4]  # inside the domain of every parameter


def calls(name: str, z: Any, elsewhere: Callable[[Any], Any]) -> dict[str, Callable[[], Any]]:
    """All that can be called of a function, with numbers, lists, and arrays from elsewhere."""
    f: Any = REGISTRY[name]
    if not f.spec.elementwise:
        return {
            "value": lambda: f(z),
            "vjp": lambda: f.vjp(z, np.ones(1)),
            "vjp, number": lambda: f.vjp(z, 1.0),
        }
    found = {
        "value": lambda: f(z),
        "grad": lambda: f.grad(z),
        "grad.grad": lambda: f.grad.grad(z),
        "value_and_grad": lambda: f.value_and_grad(z),
        "vjp": lambda: f.vjp(z, np.array(SPREAD)),
        "vjp, elsewhere": lambda: f.vjp(z, elsewhere(SPREAD)),
    }
    for key in f.partials:
        found |= {
            f"{key}, list": lambda key=key: f(z, **{key: SPREAD}),
            f"{key}, NumPy": lambda key=key: f.partials[key](z, **{key: np.array(SPREAD)}),
            f"{key}, elsewhere": lambda key=key: f.grad(z, **{key: elsewhere(SPREAD)}),
            f"{key}, product": lambda key=key: f.vjp(z, 1.0, **{key: SPREAD}, wrt=key),
            f"{key}, z a number": lambda key=key: f(2.0, **{key: z}),
        }
    return found


def stays(name: str, z: Any, elsewhere: Callable[[Any], Any]) -> None:
    for words, call in calls(name, z, elsewhere).items():
        found = call()
        for got in found if isinstance(found, tuple) else (found,):
            assert got.device == z.device, f"{name}, {words}"


if importlib.util.find_spec("array_api_strict"):
    import array_api_strict

    @pytest.mark.parametrize("name", REGISTRY)
    def test_strict(name: str) -> None:
        device = array_api_strict.Device("device1")
        stays(name, array_api_strict.asarray(SPREAD, device=device), array_api_strict.asarray)


if importlib.util.find_spec("jax"):

    def test_jax_brings_what_is_on_another_device() -> None:
        lines = [
            "import jax, jax.numpy as jnp",
            "from actlib import prelu, softmax",
            "here, there = jax.devices()",
            "z = jax.device_put(jnp.asarray([-1.0, 2.0]), there)",
            "other = jax.device_put(jnp.asarray([0.1, 0.2]), here)",
            "for found in (prelu(z, other), prelu.vjp(z, other), softmax.vjp(z, other)):",
            "    assert found.devices() == {there}",
        ]
        two = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
        subprocess.run([sys.executable, "-c", "\n".join(lines)], env=two, check=True)


if importlib.util.find_spec("torch"):  # in the environment of `make test-peers`
    import torch

    @pytest.mark.parametrize("name", REGISTRY)
    def test_torch_without_memory(name: str) -> None:
        stays(name, torch.tensor(SPREAD, device="meta"), torch.tensor)

    @pytest.mark.parametrize("name", REGISTRY)
    def test_torch_with_another_default(name: str) -> None:
        z = torch.tensor(SPREAD)
        with torch.device("meta"):
            stays(name, z, lambda values: torch.tensor(values, device="cpu"))
