"""What was found in a model, as text, table, figure and data frame."""

from __future__ import annotations

import html
import textwrap
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from actlib.diagnose.advice import advice
from actlib.diagnose.finding import Finding

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """What was found in a model.

    Parameters
    ----------
    findings : tuple of actlib.diagnose.Finding
        One for each activation, in the order in which the model evaluates them.
    n : int
        How many samples there were.
    origin : str or None
        Where the first number was made that is not finite; None if all are.
    skipped : tuple of str
        Activations that could not be judged, and why.
    units : tuple of dict
        What was found at each unit, if that was asked for.
    samples : tuple of ndarray
        For each activation some of its values, for a histogram.
    """

    findings: tuple[Finding, ...]
    n: int
    origin: str | None = None
    skipped: tuple[str, ...] = ()
    units: tuple[dict[str, Any], ...] = ()
    samples: tuple[np.ndarray, ...] = ()

    @property
    def bound(self) -> float:
        """The largest share of samples on which a unit called dead may still fire.

        A unit that fires on a larger share stays silent on `n` samples, drawn independently, with a
        probability of less than 5%: the rule of three.

        References
        ----------
        J. A. Hanley, A. Lippman-Hand, If Nothing Goes Wrong, Is Everything All Right?, JAMA 249,
        1983, https://doi.org/10.1001/jama.1983.03330370053031
        """
        return min(1.0, 3 / self.n)

    def to_frame(self) -> pd.DataFrame:
        """A data frame with one row for each activation, and the fields of `Finding` as columns."""
        import pandas as pd

        return pd.DataFrame([asdict(finding) for finding in self.findings])

    def units_frame(self) -> pd.DataFrame:
        """A data frame with one row for each unit, if ``per_unit=True`` was asked for.

        Raises
        ------
        ValueError
            If it was not.
        """
        import pandas as pd

        if not self.units:
            raise ValueError("nothing is known of single units; ask inspect for per_unit=True")
        return pd.DataFrame(list(self.units))

    def plot(self) -> Axes:
        """Draw the shares of dead, saturated and lost units; see `actlib.diagnose.figure`."""
        from actlib.diagnose.figure import unit_shares

        return unit_shares(self.findings)

    def __str__(self) -> str:
        """A table, what follows from it, and what to try."""
        rows = [_HEADER, *map(_cells, self.findings)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(
                cell.ljust(width) if number < 2 else cell.rjust(width)
                for number, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        remarks = [textwrap.fill(line, 88, subsequent_indent="  ") for line in self.remarks()]
        return "\n".join([*lines, "", *remarks])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head, *body = [
            "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row)
            for tag, row in [("th", _HEADER), *(("td", _cells(f)) for f in self.findings)]
        ]
        rows = "".join(f"<tr>{row}</tr>" for row in body)
        remarks = "".join(f"<li>{html.escape(line)}</li>" for line in self.remarks())
        table = f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody>"
        return f'<table class="dataframe">{table}</table><ul>{remarks}</ul>'

    def remarks(self) -> list[str]:
        """What the numbers mean, and what to try, a line each."""
        lines = [f"{self.n} samples."]
        if any(finding.dead for finding in self.findings):
            lines.append(
                f"A unit called dead may still fire on up to {self.bound:.2g} of all samples (3/n)."
            )
        lines += [
            f"{finding.layer}: {finding.activation} is not in the registry; "
            "its derivative is estimated by finite differences."
            for finding in self.findings
            if finding.method != "registry"
        ]
        return [*lines, *self.skipped, *advice(self.findings, self.origin)]


_HEADER = (
    "layer",
    "activation",
    "units",
    "dead",
    "saturated",
    "lost",
    "at kink",
    "pre-activation",
    "output",
    "gain",
)


def _cells(finding: Finding) -> tuple[str, ...]:
    return (
        finding.layer,
        finding.activation,
        str(finding.units),
        str(finding.dead),
        str(finding.saturated),
        str(finding.lost),
        f"{finding.at_kink:.1%}",
        f"{finding.pre_mean:.2g} ± {finding.pre_std:.2g}",
        f"{finding.mean:.2g} ± {finding.std:.2g}",
        f"{finding.gain:.2g}",
    )
