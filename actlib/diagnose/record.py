"""What a model evaluates in one of its modes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from actlib.diagnose.calling import Call, mask_of, rows
from actlib.diagnose.derivatives import exact, has_gradient
from actlib.diagnose.moments import Moments
from actlib.diagnose.places import Place, at_end
from actlib.diagnose.tally import Tally


class Record:
    """What a model evaluates in one of its modes.

    Parameters
    ----------
    flat : float
        Below which share of its largest value a derivative counts as flat.

    Attributes
    ----------
    tallies : dict of tuple to Tally or None
        What was counted at each place, None where a function is no activation.
    unjudged : dict of str to str
        Why the activations of a layer could not be judged, by its path.
    entered : set of int
        The layers that were called, by their ``id``.
    normalised : dict of keras.layers.BatchNormalization to Moments
        The mean and the variance of what they were given.
    """

    def __init__(self, flat: float) -> None:
        self._flat = flat
        self.tallies: dict[tuple[Any, ...], Tally | None] = {}
        self.unjudged: dict[str, str] = {}
        self.entered: set[int] = set()
        self.normalised: dict[Any, Moments] = {}
        self._operations: dict[str, set[str]] = {}

    def called(self, call: Call, inputs: Sequence[Any]) -> None:
        """Learn that a layer is called."""
        self.entered.add(id(call.layer))
        if isinstance(call.layer, keras.layers.BatchNormalization):
            z = at_end(inputs[0], call.layer.axis)
            self.normalised.setdefault(call.layer, Moments()).add(rows(z, mask_of(z, [call])))

    def seen(self, place: Place, z: Any, mask: Any) -> bool:
        """Count a pre-activation, and say whether it is one: whether the function is judged."""
        key = id(place.layer), place.path, z.shape[place.unit_axis]
        if key not in self.tallies:
            self.tallies[key] = self._tally(place)
        tally = self.tallies[key]
        if tally is not None:
            tally.add(z, mask)
        return tally is not None

    def told(self, path: str, operations: set[str]) -> None:
        """Learn of operations that may be part of an activation which was not seen."""
        if operations:
            kinds = self._operations.setdefault(path, set())
            kinds |= operations
            listed = ", ".join(sorted(kinds))
            self.unjudged[path] = f"its call evaluates {listed}, which is not judged"

    def _tally(self, place: Place) -> Tally | None:
        known = exact(place)
        if known is None:
            if place.declared:
                self.unjudged[place.path] = "its activation is not elementwise; it is not judged"
            return None
        if known.straight or not (place.declared or has_gradient(place.function)):
            return None
        return Tally(place, known, self._flat)
