"""What to try for what was found: nothing that no experiment of the book supports."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actlib.diagnose.report import Diagnosis, Finding

#: Where the book shows that it helps: a chapter and a label in it.
SECTIONS = {
    "dead": ("experiments", "experiments-units"),
    "saturated": ("background", "background-saturation"),
    "lost": ("accuracy", "accuracy-matters"),
    "origin": ("experiments", "experiments-units"),
}


def advice(diagnosis: Diagnosis) -> list[str]:
    """One line for each thing that was found.

    Parameters
    ----------
    diagnosis : Diagnosis
        What `inspect` found.

    Returns
    -------
    list of str
        Empty for a model in good health.
    """
    lines = [_sentence("origin", _origin(diagnosis.origin))] if diagnosis.origin else []
    for finding in diagnosis.findings:
        lines += [
            _sentence(kind, f"{finding.layer}: {count} of {finding.units} units {tell(finding)}")
            for kind, tell in _TELL.items()
            if (count := getattr(finding, kind))
        ]
    return lines


def _origin(origin: str | None) -> str:
    return (
        f"The first number that is not finite: {origin}. Look for one in the data; if there is "
        "none, train anew with a lower learning rate"
    )


def _dead(finding: Finding) -> str:
    return (
        "are dead. Try a lower learning rate, then biases of 0, then another initialisation (He's "
        "for rectifiers), then a leak of at least 0.1; one of 0.01 revives units slowly"
    )


def _saturated(finding: Finding) -> str:
    return "are saturated. Try inputs scaled to a standard deviation of 1, or smaller first weights"


def _lost(finding: Finding) -> str:
    name = finding.activation.partition("(")[0]
    return (
        "get a gradient of 0 from the framework where it is not. "
        f'Try actlib.keras.activation("{name}"), and smaller pre-activations'
    )


_TELL = {"dead": _dead, "saturated": _saturated, "lost": _lost}


def _sentence(kind: str, text: str) -> str:
    chapter, label = SECTIONS[kind]
    return f"{text}. The book: {chapter}.html#{label}"
