"""What was measured once and is shown since: the tables in the package."""

from __future__ import annotations

import csv
from importlib.resources import files

from actlib._core.spec import LIBRARIES

__all__ = ["LIBRARIES", "recorded"]


def recorded(table: str) -> list[dict[str, str]]:
    """Read what was measured once: by ``make peers``, the speed by ``make bench STORE=yes``.

    Parameters
    ----------
    table : str
        ``"accuracy"``: a row for every function, library and dtype, of the value and of the
        gradient, with the largest E, where it is, the intervals that are lost, and the `profile`.
        ``"conventions"``: what `conventions` answers; ``nan or inf`` where a processor with AVX-512
        and one without it get different answers.
        ``"speed"``: a row for every function and contender, of the value and of the derivative, in
        two dtypes and for arrays of several sizes n, with the time ``ns`` for an element.

    Returns
    -------
    list of dict of str to str
        The rows, each with the version, the date and the processor.

    Examples
    --------
    >>> from actlib.check import recorded
    >>> rows = recorded("conventions")
    >>> next(row["f(inf)"] for row in rows if row["function"] == "softsign")
    'nan'
    """
    with files(__package__).joinpath(f"{table}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))
