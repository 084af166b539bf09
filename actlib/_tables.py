"""What was measured once and is shown since: the tables in the package."""

from __future__ import annotations

import csv
from importlib.resources import files

__all__ = ["recorded"]


def recorded(table: str) -> list[dict[str, str]]:
    """Read what was measured of other libraries, which ``make peers`` measures anew.

    Parameters
    ----------
    table : str
        ``"accuracy"``: a row for every function, library and dtype, of the value and of the
        gradient, with the largest E, where it is, the intervals that are lost, and the `profile`.
        ``"conventions"``: what `conventions` answers.

    Returns
    -------
    list of dict of str to str
        The rows, each with the library's version, the date and the processor.

    Examples
    --------
    >>> from actlib.check import recorded
    >>> rows = recorded("conventions")
    >>> next(row["f(inf)"] for row in rows if row["function"] == "softsign")
    'nan'
    """
    with files("actlib").joinpath("check", f"{table}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))
