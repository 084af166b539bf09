"""What holds for every instrument of the book, as far as no browser is needed."""

from __future__ import annotations

import re
from types import ModuleType, SimpleNamespace

import pytest
from markup import checked_data

from website.instruments import KINDS, bits, depths, explorer, joints, train, units

# What writes a page, as far as the markup asks it for addresses.
WRITER = SimpleNamespace(
    builder=SimpleNamespace(env=SimpleNamespace(domaindata={"std": {"anonlabels": {}}}))
)


# The explorer is one of notebooks, too: test_explorer.py has its markup.
OF_PAGES = [kind for kind in KINDS if kind is not explorer]


@pytest.mark.parametrize("kind", OF_PAGES, ids=lambda kind: kind.INSTRUMENT.name)
def test_markup_is_whole_and_loads_nothing(kind: ModuleType) -> None:
    instrument = kind.INSTRUMENT
    scripts = instrument.scripts()
    text = instrument.markup(WRITER, instrument.start())
    assert checked_data(f"{text}<script>{next(iter(scripts.values()))}</script>") == kind.table()


@pytest.mark.parametrize(
    ("kind", "state", "message"),
    [
        (bits, "z=16.64", "z must be a multiple of 1/64 from -12 to 20, but is 16.64"),
        (bits, "z=21", "z must be a multiple of 1/64 from -12 to 20, but is 21"),
        (bits, "z=1&dtype=bfloat16", "dtype must be one of float32, float16, but is bfloat16"),
        (bits, "s=twice", "s must be one of stepped, once, but is twice"),
        (depths, "f=geluu", "f must be one of sigmoid, tanh, relu, selu, gelu, silu, but is geluu"),
        (depths, "gain=1.5", "gain must be one of 0.5, 1, 1.41, 2, 4, 10, but is 1.5"),
        (depths, "depth=5&layer=6", "layer must be one of 1, 2, 3, 4, 5, but is 6"),
        (depths, "kept=tanh-1-65", "kept must be one of sigmoid-0.5-16, sigmoid-0.5-64"),
        (joints, "kind=gelu", "kind must be one of relu, tanh, powers, but is gelu"),
        (joints, "units=17", "units must be one of 1, 2"),
        (joints, "units=2&at=0.5", "at must be a place from 0 to 1 for each unit, but is 0.5"),
        (joints, "units=2&at=,0.5", "could not convert string to float"),
        (
            joints,
            "units=2&at=0.5,1.5",
            "at must be a place from 0 to 1 for each unit, but is 0.5,1.5",
        ),
        (
            train,
            "claim=geluu",
            "claim must be one of chance, centre, dead, leak, line, but is geluu",
        ),
        (train, "a.f=mish", "a.f must be one of sigmoid, tanh, relu,"),
        (train, "layers=3", "a view has no layers; it has claim, data,"),
        (train, "points=A", "points are places in two letters and a class each, not 'A'"),
        (units, "run=slow", "run must be one of fast, gentle, low, low_leak, but is slow"),
        (units, "epoch=41", "epoch must be one of 0, 1"),
    ],
)
def test_a_link_to_no_view_is_refused(kind: ModuleType, state: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        kind.checked(state)


@pytest.mark.parametrize(
    ("kind", "state", "whole"),
    [
        (bits, "z=16.640625&s=once", "z=16.640625&dtype=float32&s=once"),
        (depths, "f=relu&depth=5", "f=relu&gain=1&width=64&depth=5&layer=1"),
        (
            depths,
            "depth=50&kept=tanh-1-64&kept=relu-1.41-16",
            "f=sigmoid&gain=1&width=64&depth=50&layer=1&kept=tanh-1-64&kept=relu-1.41-16",
        ),
        (joints, "curve=jump", "kind=relu&curve=jump&units=5"),
        (units, "epoch=3", "run=fast&epoch=3"),
    ],
)
def test_a_link_has_all_of_its_view(kind: ModuleType, state: str, whole: str) -> None:
    assert kind.checked(state) == whole
