"""What was found in a model, as text, table, figure and data frame."""

from __future__ import annotations

import html
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING

import numpy as np

from actlib._core.extras import extra
from actlib.diagnose.advice import advice
from actlib.diagnose.finding import Finding
from actlib.diagnose.normalisation import Stale

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """What was found in a model.

    Parameters
    ----------
    findings : tuple of actlib.diagnose.Finding
        One for each activation, in the order in which the model evaluates them; two for each, one
        for each mode, of a model with batch normalisation.
    n : int
        How many samples there were.
    batch_size : int
        How many of them, at most, were in a batch of arrays.
    origin : str or None
        Where the first number was made that is not finite; None if all are.
    unjudged : dict of str to str
        Why activations could not be judged, by the path of their layer.
    stale : tuple of actlib.diagnose.Stale
        Layers whose moving statistics are not those of the data.
    units : tuple of dict of str to ndarray
        For each finding what was found at each unit, if that was asked for.
    samples : tuple of ndarray
        For each finding some values of the activation, for a histogram.
    """

    findings: tuple[Finding, ...]
    n: int
    batch_size: int = 256
    origin: str | None = None
    unjudged: Mapping[str, str] = field(default_factory=dict)
    stale: tuple[Stale, ...] = ()
    units: tuple[dict[str, np.ndarray], ...] = ()
    samples: tuple[np.ndarray, ...] = ()

    @property
    def trained(self) -> tuple[Finding, ...]:
        """The findings as training sees them."""
        return tuple(finding for finding in self.findings if finding.mode != "use")

    @property
    def used(self) -> tuple[Finding, ...]:
        """The findings as they are when the trained model is used."""
        return tuple(finding for finding in self.findings if finding.mode != "training")

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
        """A data frame with one row for each finding, and the fields of `Finding` as columns.

        A layer whose activations could not be judged has a row as well, without numbers.
        """
        with extra("diagnose"):
            import pandas as pd

        rows = [asdict(finding) for finding in self.findings]
        rows += [{"layer": path, "activation": "not judged"} for path in self.unjudged]
        counts = {field.name: "Int64" for field in fields(Finding) if "int" in str(field.type)}
        return pd.DataFrame(rows, columns=[field.name for field in fields(Finding)]).astype(counts)

    def units_frame(self) -> pd.DataFrame:
        """A data frame with one row for each unit, if ``per_unit=True`` was asked for.

        Raises
        ------
        ValueError
            If it was not.
        """
        with extra("diagnose"):
            import pandas as pd

        if not self.units:
            raise ValueError("nothing is known of single units; ask inspect for per_unit=True")
        frames = []
        for finding, columns in zip(self.findings, self.units, strict=True):
            frame = pd.DataFrame(columns).rename_axis("unit").reset_index()
            for number, name in enumerate(("layer", "mode", "activation")):
                frame.insert(number, name, getattr(finding, name))
            frames.append(frame)
        return pd.concat(frames, ignore_index=True)

    def plot(self) -> Axes:
        """Draw the shares of dead, saturated and lost units; see `actlib.diagnose.figure`."""
        from actlib.diagnose.figure import unit_shares

        return unit_shares(self.findings)

    def __str__(self) -> str:
        """A table, what follows from it, and what to try."""
        rows = self._table()
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(
                cell.rjust(width) if head in _NUMBERS else cell.ljust(width)
                for head, cell, width in zip(rows[0], row, widths, strict=True)
            ).rstrip()
            for row in rows
        ]
        remarks = [textwrap.fill(line, 88, subsequent_indent="  ") for line in self.remarks()]
        return _printable("\n".join([*lines, "", *remarks]))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        heads, *rows = self._table()
        head = "".join(f"<th>{html.escape(cell)}</th>" for cell in heads)
        body = ["".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows]
        lines = "".join(f"<tr>{row}</tr>" for row in body)
        remarks = "".join(f"<li>{html.escape(line)}</li>" for line in self.remarks())
        table = f"<thead><tr>{head}</tr></thead><tbody>{lines}</tbody>"
        return f'<table class="dataframe">{table}</table><ul>{remarks}</ul>'

    def remarks(self) -> list[str]:
        """What the numbers mean, and what to try, a line each."""
        lines = [f"{self.n} samples."]
        if len(self.trained) < len(self.findings):
            lines.append(
                f"In training, each batch has its own statistics (here of up to {self.batch_size} "
                "samples of an array); in use, the model has the moving ones."
            )
        if any(finding.dead for finding in self.findings):
            lines.append(
                f"A unit called dead may still fire on up to {self.bound:.2g} of all samples (3/n)."
            )
        lines += [
            f"{finding.layer}: {finding.activation} is not in the registry; "
            "its derivative is estimated by finite differences."
            for finding in self.trained
            if finding.method != "registry"
        ]
        lines += [f"{path}: {reason}." for path, reason in self.unjudged.items()]
        return [*lines, *advice(self.trained, self.stale, self.origin)]

    def _table(self) -> list[list[str]]:
        """The cells of the table, row by row; the mode has a column if there is more than one."""
        rows = [_cells(finding) for finding in self.findings]
        rows += [{"layer": path, "activation": "not judged"} for path in self.unjudged]
        heads = [*_TEXTS, *_NUMBERS]
        if len(self.trained) == len(self.findings):
            heads.remove("mode")
        return [heads, *([row.get(head, "-") for head in heads] for row in rows)]


_TEXTS = ("layer", "mode", "activation")
_NUMBERS = (
    *("units", "dead", "dormant", "saturated", "lost (inputs)"),
    *("at kink", "pre-activation", "output", "gain"),
)


def _cells(finding: Finding) -> dict[str, str]:
    gain = "-" if np.isnan(finding.gain) else f"{finding.gain:.2g}"
    return {
        "layer": finding.layer,
        "mode": finding.mode,
        "activation": finding.activation,
        "units": str(finding.units),
        "dead": str(finding.dead),
        "dormant": "-" if finding.dormant is None else str(finding.dormant),
        "saturated": str(finding.saturated),
        "lost (inputs)": f"{finding.lost} ({finding.lost_share:.1%})",
        "at kink": f"{finding.at_kink:.1%}",
        "pre-activation": f"{finding.pre_mean:.2g} ± {finding.pre_std:.2g}",
        "output": f"{finding.mean:.2g} ± {finding.std:.2g}",
        "gain": gain,
    }


def _printable(text: str) -> str:
    """A text as the terminal can show it: in ASCII, ± is +-, and other letters are escaped."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.replace("±", "+-").encode(encoding, "backslashreplace").decode(encoding)
    return text
