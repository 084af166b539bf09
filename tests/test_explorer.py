"""The explorer's table is the package's functions; its markup needs nothing; its text is short."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
from markup import checked_data

import actlib
from actlib import REGISTRY, explore
from actlib._core.declare import activation, derivative
from actlib._core.spec import Param
from actlib.explorer import read, script
from actlib.explorer.table import ERROR, UNITS, choices, table
from actlib.palette import line
from actlib.pieces import saturated_intervals

RNG = np.random.default_rng(7)


@pytest.fixture
def planted() -> Iterator[Any]:
    """Declared on the fly: two parameters, kinks that depend on them, a jump, a name to escape."""

    @activation(
        formula=r"z <b>",
        exact=lambda m, z, edge, step: z,
        cite="",
        year=2000,
        family="Planted",
        limits=(0, np.inf),
        range=(0, np.inf),
        kinks=lambda edge, step: (edge,),
        params={"edge": Param(samples=(-2.0, 2.0)), "step": Param(samples=(0.0, 1.0))},
    )
    def planted_for_test(xp: Any, z: Any, edge: Any = 0.3, step: Any = 0.5) -> Any:
        """Planted."""
        return xp.where(z > edge, z - edge + step, 0 * z)

    derivative(planted_for_test, limits=(0, 1))(
        lambda xp, z, edge, step: xp.astype(z > edge, z.dtype)
    )
    yield planted_for_test
    del REGISTRY["planted_for_test"]


def combinations(entry: dict[str, Any]) -> Iterator[tuple[dict[str, float], list[list[int]]]]:
    """The parameters of each curve of an activation, and the curve."""
    chosen = product(*entry["params"].values())
    for values, curve in zip(chosen, entry["curves"], strict=True):
        yield dict(zip(entry["params"], values, strict=True)), curve


def rows(numbers: list[int], units: tuple[int, ...]) -> np.ndarray:
    return np.array(numbers, float).reshape(-1, len(units)) / units


def interpolated(numbers: list[int], z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The value and the slope between the nodes of a curve, by the textbook's basis of Hermite."""
    nodes = rows(numbers, UNITS)
    nodes_z = nodes[:, 0]
    i = np.searchsorted(nodes_z, z, side="right") - 1
    left, right = nodes[i], nodes[i + 1]
    h = right[:, 0] - left[:, 0]
    t = (z - left[:, 0]) / h
    basis = [
        (1 + 2 * t) * (1 - t) ** 2,
        t**2 * (3 - 2 * t),
        h * t * (1 - t) ** 2,
        h * t**2 * (t - 1),
    ]
    value, slope = (
        basis[0] * left[:, k] + basis[1] * right[:, k]
        + basis[2] * left[:, k + 1] + basis[3] * right[:, k + 1]
        for k in (1, 2)
    )  # fmt: skip
    return value, slope


def worst(function: Any, entry: dict[str, Any]) -> float:
    """The largest error of an entry in f and f', at random z that are no kinks."""
    errors = [0.0]
    for params, (nodes, _, _) in combinations(entry):
        z = RNG.uniform(-6, 6, 2000)
        for kink in function.spec.kinks_at(**params):
            z = z[abs(z - kink) > 1e-3]
        value, slope = interpolated(nodes, z)
        errors += [
            np.abs(value - function(z, **params)).max(),
            np.abs(slope - function.grad(z, **params)).max(),
        ]
    return max(errors)


@pytest.mark.parametrize("name", REGISTRY.elementwise)
def test_the_table_is_the_function(name: str) -> None:
    assert worst(REGISTRY[name], table()["functions"][name]) <= ERROR


@pytest.mark.parametrize("name", REGISTRY.elementwise)
def test_kinks_and_saturation_are_those_of_the_package(name: str) -> None:
    function = REGISTRY[name]
    for params, (nodes, at_kinks, saturated) in combinations(table()["functions"][name]):
        found = rows(at_kinks, UNITS[:3])
        expected = [k for k in function.spec.kinks_at(**params) if -6 <= k <= 6]
        jumps = [
            k for k in expected if np.ptp(function.grad([k - 1e-6, k + 1e-6], **params)) > 1e-3
        ]
        np.testing.assert_allclose(found[:, 0], jumps, atol=1e-3)
        np.testing.assert_allclose(found[:, 1], function(jumps, **params), atol=ERROR)
        np.testing.assert_allclose(found[:, 2], function.grad(jumps, **params), atol=ERROR)
        z = rows(nodes, UNITS)[:, 0]
        assert all(np.sum(z == k) == (2 if abs(k) < 6 else 1) for k in found[:, 0])
        np.testing.assert_allclose(
            rows(saturated, UNITS[:1] * 2),
            np.reshape(saturated_intervals(function, **params), (-1, 2)),
            atol=1e-3,
        )


def test_saturated_is_what_is_flat_from_there_on() -> None:
    for dips in (actlib.gelu, actlib.silu, actlib.mish):
        ((start, end),) = saturated_intervals(dips)
        assert (start, end < -2) == (-6, True)
    assert saturated_intervals(actlib.swish, beta=0.25) == []  # the dip lies at the left end
    assert saturated_intervals(actlib.swish, beta=-1)[0][1] == 6
    assert saturated_intervals(actlib.hard_shrink) == []
    assert len(saturated_intervals(actlib.sigmoid)) == 2
    assert saturated_intervals(actlib.relu, lo=-5, hi=-1) == [(-5, -1)]


@pytest.mark.parametrize("name", REGISTRY.elementwise)
def test_only_what_is_exactly_flat_has_a_slope_of_zero(name: str) -> None:
    function = REGISTRY[name]
    for params, (nodes, *_) in combinations(table()["functions"][name]):
        seen = rows(nodes, UNITS)
        inside = np.setdiff1d(seen[:, 0], function.spec.kinks_at(**params))
        zero = {z: slope == 0 for z, _, slope, _ in seen}
        assert [zero[z] for z in inside] == (function.grad(inside, **params) == 0).tolist()


def test_a_value_that_is_off_is_seen() -> None:
    entry = json.loads(json.dumps(table()["functions"]["elu"]))
    entry["curves"][3][0][9] += 10
    assert worst(REGISTRY["elu"], entry) > ERROR


def test_sizes() -> None:
    data = json.dumps(table(), separators=(",", ":")).encode()
    assert len(data) < 40_000
    assert len(gzip.compress(script(read("explorer.js")).encode())) < 8_000
    per_curve = [len(c) for entry in table()["functions"].values() for c in entry["curves"]]
    assert len(data) / len(per_curve) < 400, "what a new activation adds"


def test_choices_are_listed_once_and_allowed() -> None:
    for function in REGISTRY.elementwise.values():
        for param in function.spec.params.values():
            found = choices(param)
            assert len(set(found)) == len(found) > 2
            assert found == sorted(found)
            assert param.default in found
            assert all(param.allows(value) for value in found)
    assert choices(Param(samples=(50.0, 70.0), default=60.0)) == [50.0, 70.0]
    assert choices(Param(samples=(1.0,), default=1.0), 0.37) == [0.37, 1.0]


def test_an_entry_appears_by_itself(planted: Any) -> None:
    entry = table()["functions"]["planted_for_test"]
    assert entry["params"] == {"edge": [-1.0, 0.3, 2.0], "step": [0.0, 0.5, 1.0]}
    assert [
        entry["params"][key][i] for key, i in zip(entry["params"], entry["start"], strict=True)
    ] == [0.3, 0.5]
    assert worst(planted, entry) <= ERROR
    shown = explore("planted_for_test", step=0.25)
    assert repr(shown) == "Explorer(planted_for_test(step=0.25), z = 1)"
    assert "0.25" in re.search(r'"step":\[(.*?)\]', shown.markup())[1]  # type: ignore[index]
    assert "$z &lt;b&gt;$" in shown.markup()


def test_text() -> None:
    assert repr(explore()) == "Explorer(relu, z = 1)"
    assert repr(explore("gelu", "relu", z=-0.51)) == "Explorer(gelu against relu, z = -0.5)"
    both = explore("prelu", "elu", alpha=0.37, z=6, depth=3)
    assert repr(both) == "Explorer(prelu(alpha=0.37) against elu(alpha=0.37), z = 6)"
    assert both.state == "a=prelu&b=elu&z=6.0&depth=3&a.alpha=0.37&b.alpha=0.37"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        ({"activation": "gleu"}, ValueError, "no function 'gleu'; did you mean gelu"),
        ({"compare": "rellu"}, ValueError, "did you mean relu"),
        ({"z": 6.1}, ValueError, "z must lie between -6 and 6, but is 6.1"),
        ({"z": np.nan}, ValueError, "z must lie"),
        ({"depth": 0}, ValueError, "depth must be a whole number from 1 to 50"),
        ({"alpha": 1}, TypeError, "relu: no parameter 'alpha'; there is: none"),
        (
            {"compare": "swish", "alpha": 1},
            TypeError,
            "relu and swish: no parameter 'alpha'; there is: beta",
        ),
        (
            {"activation": "celu", "alpha": -1},
            ValueError,
            "alpha must be a finite number above 0, but is -1",
        ),
        ({"activation": "prelu", "alpha": np.inf}, ValueError, "alpha must be a finite number"),
    ],
)
def test_wrong_calls_say_what_is_right(call: dict[str, Any], error: type, message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        explore(**call)


def test_markup_is_whole_and_loads_nothing() -> None:
    text = explore("gelu")._repr_html_()
    assert list(checked_data(text)["functions"]) == sorted(REGISTRY.elementwise)


def test_the_colours_are_those_of_the_figures() -> None:
    found = {name: entry["colour"] for name, entry in table()["functions"].items()}
    assert found == {name: line(name).color for name in REGISTRY.elementwise}


def test_the_list_has_families_and_the_names_that_people_know() -> None:
    groups = re.findall(r'<optgroup label="(.*?)">(.*?)</optgroup>', explore("gelu").markup())
    listed = {label: re.findall(r'value="(\w+)">([^<]+)', options) for label, options in groups}
    assert ("leaky_relu", "Leaky ReLU") in listed["Rectifiers"]
    assert ("gelu", "GELU") in listed["Gated activations"]
    both = [name for options in listed.values() for name, _ in options]
    assert sorted(both) == sorted(REGISTRY.elementwise)


def test_it_is_reached_from_the_package() -> None:
    assert actlib.explore is explore
    assert "explore" in dir(actlib)
    with pytest.raises(AttributeError, match="'actlib' has no attribute 'explorre'"):
        actlib.explorre  # type: ignore[attr-defined]  # noqa: B018
