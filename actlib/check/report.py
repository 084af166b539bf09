"""What a check found: per dtype, for the value and for the gradient, property by property."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from actlib.check.accuracy import Accuracy

if TYPE_CHECKING:
    from matplotlib.axes import Axes


#: What is examined, and what can be waived.
ASPECTS = (
    "accuracy",
    "nothing lost",
    "certainty",
    "dtype",
    "input",
    "shape",
    "layout",
    "size",
    "repeat",
    "alias",
    "warnings",
    "jumps",
    "NaN",
    "infinities",
    "-0.0",
    "kink",
)


class CheckFailed(AssertionError):
    """A function, or its gradient, is not what it should be; the message says where."""


@dataclass(frozen=True)
class Finding:
    """One property of the value or of the gradient, in one dtype.

    Parameters
    ----------
    dtype : str
        Such as ``"float32"``.
    of : str
        ``"value"``, ``"gradient"`` or ``"vjp"``.
    aspect : str
        What was examined.
    ok : bool
        Whether it holds; of what is waived this is not said.
    detail : str
        In words: what was found, and where.
    intervals : tuple of pairs of float
        For numbers lost, the intervals of z on which they are.
    waived : str
        Why this is not asked for; empty if it is.
    """

    dtype: str
    of: str
    aspect: str
    ok: bool
    detail: str
    intervals: tuple[tuple[float, float], ...] = ()
    waived: str = ""

    @property
    def verdict(self) -> str:
        """Such as ``"ok"``, ``"failed"`` or ``"waived"``."""
        return "waived" if self.waived else "ok" if self.ok else "failed"

    @property
    def words(self) -> str:
        """What was found, after the reason for which it does not count."""
        return f"{self.waived}; found: {self.detail}" if self.waived else self.detail

    def __str__(self) -> str:
        verdict = self.verdict.replace("failed", "FAILED")
        return f"{verdict:6} {self.of:8} {self.aspect:14} {self.words}"

    def waive(self, reason: str) -> Finding:
        """Return the same, which neither holds nor fails."""
        return replace(self, ok=False, waived=reason)


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """One finding for each aspect: what fails of it in any way, or what was found first."""
    by_aspect: dict[str, list[Finding]] = {}
    for finding in findings:
        by_aspect.setdefault(finding.aspect, []).append(finding)
    return [_worst(several) for several in by_aspect.values()]


def _worst(several: list[Finding]) -> Finding:
    wrong = [finding for finding in several if not finding.ok]
    if not wrong:
        return several[0]
    return replace(wrong[0], detail="; ".join(finding.detail for finding in wrong))


def waive(findings: Iterable[Finding], waived: Mapping[str, str]) -> tuple[Finding, ...]:
    """The same findings, of which those on some aspects do not count, for the reasons given."""
    return tuple(x.waive(waived[x.aspect]) if x.aspect in waived else x for x in findings)


_MEANING = (
    "E is the error, measured by what rounding the input and the result once may change: "
    "1 is as good as it gets, 4 is allowed for a value and 8 for a gradient. A number is lost "
    "where 0, NaN or the wrong sign was computed and the exact number is an ordinary one."
)


@dataclass(frozen=True)
class Report:
    """The result of `check_activation` or `check_vjp`.

    Parameters
    ----------
    name : str
        The function that was examined.
    reference : str
        What it was compared with, and how sure that is.
    findings : tuple of Finding
        One for each property.
    accuracy : mapping of pair of str to Accuracy
        All points with their errors, by what was examined and dtype: ``("value", "float32")``.
    """

    name: str
    reference: str
    findings: tuple[Finding, ...]
    accuracy: Mapping[tuple[str, str], Accuracy] = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether every property holds, but for those that are waived."""
        return not self.failed

    @property
    def failed(self) -> tuple[Finding, ...]:
        """The properties that do not hold and are not waived."""
        return tuple(finding for finding in self.findings if finding.verdict == "failed")

    def find(self, of: str, aspect: str, dtype: str | None = None) -> Finding:
        """Look one finding up, such as ``find("gradient", "nothing lost")``, in the first dtype."""
        for finding in self.findings:
            if (finding.of, finding.aspect) == (of, aspect) and dtype in (None, finding.dtype):
                return finding
        known = sorted({f"{f.of}, {f.aspect}, {f.dtype}" for f in self.findings})
        raise KeyError(f"no finding on {of}, {aspect}; there are: {'; '.join(known)}")

    def raise_if_failed(self) -> None:
        """Raise `CheckFailed`, with the report for a message, unless all is well."""
        if not self.ok:
            raise CheckFailed(str(self))

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the errors against z; see `actlib.check.figure`."""
        from actlib.check.figure import errors

        return errors(self.accuracy, ax=ax)

    def _verdict(self, failed: str) -> str:
        waived = sum(finding.verdict == "waived" for finding in self.findings)
        return ("all is well" if self.ok else failed) + (f", {waived} waived" if waived else "")

    def __str__(self) -> str:
        verdict = self._verdict(f"{len(self.failed)} of {len(self.findings)} properties FAILED")
        lines = [f"{self.name}: {verdict}", self.reference, _MEANING]
        for dtype in dict.fromkeys(finding.dtype for finding in self.findings):
            lines.append(f"\n{dtype}")
            lines += [str(finding) for finding in self.findings if finding.dtype == dtype]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{f.dtype}</td><td>{f.of}</td><td>{f.aspect}</td>"
            f"<td>{f.verdict.replace('failed', '<strong>failed</strong>')}</td>"
            f'<td style="text-align:left;white-space:pre-wrap">{html.escape(f.words)}</td></tr>'
            for f in self.findings
        )
        head = "".join(
            f"<th>{title}</th>" for title in ("dtype", "of", "property", "verdict", "found")
        )
        verdict = self._verdict(f"{len(self.failed)} properties failed")
        return (
            f"<p><strong>{html.escape(self.name)}: {verdict}.</strong> "
            f"{html.escape(self.reference)} {html.escape(_MEANING)}</p>"
            f'<table class="dataframe"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        )
