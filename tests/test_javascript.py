"""The JavaScript that is written of the declared kernels computes what they compute."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from actlib import REGISTRY
from actlib._core.formula import Formula
from website import javascript
from website.javascript import run

RNG = np.random.default_rng(3)
EDGES = [0.0, -0.0, 1e-300, 0.5, 1, 3, 6, 16.6, 39, 709, 745, 1e6, 1e300, np.inf]
Z = np.array([np.nan, *EDGES, *(-edge for edge in EDGES), *RNG.normal(0, 4, 300)])


@pytest.fixture(scope="module")
def computed() -> Any:
    """For each activation and choice of parameters, the value, the slope and the partials at Z."""
    chosen = {name: choices(name) for name in REGISTRY.elementwise}
    z = [str(value).replace("inf", "Infinity") for value in Z]
    return run(f"""{javascript.activations(chosen)}
        const z = {json.dumps(z)}.map((text) => text === "nan" ? NaN : Number(text));
        const text = (x) => Object.is(x, -0) ? "-0" : `${{x}}`;
        console.log(JSON.stringify(Object.fromEntries(
          Object.entries({json.dumps(chosen)}).map(([name, choices]) => {{
            const {{ f, slope, partials }} = ACTIVATIONS[name];
            return [name, choices.map((params) => [f, slope, ...Object.values(partials)].map(
              (g) => z.map((x) => text(g(x, ...params)))))];
          }}))));""")


def choices(name: str) -> list[list[float]]:
    """The defaults of the parameters, and other values of each."""
    params = REGISTRY.elementwise[name].spec.params.values()
    found = [[param.default for param in params]]
    found += [[value] for param in params if len(params) == 1 for value in param.samples]
    return found


@pytest.mark.parametrize("name", REGISTRY.elementwise)
def test_it_is_the_kernel(name: str, computed: Any) -> None:
    activation: Any = REGISTRY.elementwise[name]
    for params, rows in zip(choices(name), computed[name], strict=True):
        functions = [activation, activation.grad, *activation.partials.values()]
        for function, row in zip(functions, rows, strict=True):
            got = np.array([float(text) for text in row])
            # Only exp and its relatives round otherwise than NumPy's.
            np.testing.assert_allclose(got, function(Z, *params), rtol=2e-15, atol=5e-324)


def test_defaults() -> None:
    found = run(f"{javascript.activations(['prelu'])} console.log(JSON.stringify(ACTIVATIONS))")
    assert found["prelu"]["params"] == {"alpha": 0.25}


def test_conditions_are_joined() -> None:
    def kernel(xp: Any, z: Any) -> Any:
        return xp.where(((z < -1) | (z > 0)) == ~(z > 2), abs(z), 0.0)

    written = javascript.arrow(Formula("joined", kernel, {}, (np.inf, 0), one_pass=False))
    z = [-2.0, -0.5, 1.0, 3.0]
    found = run(f"console.log(JSON.stringify({json.dumps(z)}.map({written})))")
    assert found == kernel(np, np.array(z)).tolist()
