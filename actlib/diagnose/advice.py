"""What to try for what was found: nothing that no experiment of the book supports."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from actlib._core.registry import REGISTRY
from actlib.diagnose.finding import Finding
from actlib.diagnose.normalisation import Stale

#: Where the book shows that it helps: a chapter and a label in it.
SECTIONS = {
    "dead": ("diagnosing", "diagnosing-dead"),
    "saturated": ("diagnosing", "diagnosing-saturated"),
    "lost": ("diagnosing", "diagnosing-lost"),
    "stale": ("diagnosing", "diagnosing-stale"),
    "origin": ("diagnosing", "diagnosing-origin"),
}

_LIVELIER = (
    "Try a lower learning rate, then biases of 0, then another initialisation (He's for "
    "rectifiers), then a leak of at least 0.1; one of 0.01 revives units slowly"
)
_SMALLER = "Try inputs scaled to a standard deviation of 1, or smaller initial weights"


def advice(
    findings: Sequence[Finding], stale: Sequence[Stale] = (), origin: str | None = None
) -> list[str]:
    """One line for each thing that was found, with the layers where it was.

    Parameters
    ----------
    findings : sequence of Finding
        What `inspect` found, in training.
    stale : sequence of Stale
        Layers whose moving statistics are not those of the data.
    origin : str or None
        Where the first number was made that is not finite.

    Returns
    -------
    list of str
        Empty for a model in good health.
    """
    where: dict[tuple[str, str], list[str]] = {}
    if origin:
        where["origin", _ORIGIN] = [origin]
    for kind, remedy in _REMEDIES.items():
        for finding in findings:
            if count := getattr(finding, kind):
                layers = where.setdefault((kind, remedy(finding)), [])
                layers.append(f"{finding.layer} ({count} of {finding.units})")
    if stale:
        layers = [f"{found.layer} ({found.stale} of {found.units})" for found in stale]
        where["stale", _LONGER] = layers
    return [
        f"{_FOUND[kind]}: {', '.join(layers)}. {remedy}. {_link(kind)}"
        for (kind, remedy), layers in where.items()
    ]


_FOUND = {
    "origin": "The first number that is not finite",
    "dead": "Dead units",
    "saturated": "Saturated units",
    "stale": "Stale moving statistics (the mean is off by more than a standard deviation of the "
    "data, or the deviation by a factor of more than 2)",
    "lost": "Units that mostly get a gradient of 0 from the framework where it is not",
}
_LONGER = (
    "In use, the model does something else than in training; train for more steps, or with a lower "
    "momentum"
)
_ORIGIN = "Look for one in the data; if there is none, train anew with a lower learning rate"


def _remedy(finding: Finding) -> str:
    """Bounded activations are flat on both sides: there, neither biases nor a leak are at fault."""
    activation = REGISTRY.get(_name(finding))
    bounds = activation.spec.range_at() if activation else (0.0, np.inf)
    return _SMALLER if np.isfinite(bounds).all() else _LIVELIER


def _lost(finding: Finding) -> str:
    return f'Try actlib.keras.activation("{_name(finding)}"), and smaller pre-activations'


_REMEDIES = {"dead": _remedy, "saturated": _remedy, "lost": _lost}


def _name(finding: Finding) -> str:
    return finding.activation.partition("(")[0]


def _link(kind: str) -> str:
    chapter, label = SECTIONS[kind]
    return f"The book: {chapter}.html#{label}"
