"""What was measured once and is shown since: the tables in the package."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from importlib.resources import files

from actlib._core.spec import LIBRARIES

__all__ = ["LIBRARIES", "recorded", "side_by_side"]


def recorded(table: str) -> list[dict[str, str]]:
    """Read what was measured once: by ``make peers``, the speed by ``make bench STORE=yes``.

    Parameters
    ----------
    table : str
        ``"accuracy"``: a row for every function, library and dtype, of the value and of the
        gradient, with the largest E, where it is, the intervals that are lost, and the `profile`.
        ``"conventions"``: what `conventions` answers; ``nan or inf`` where a processor with AVX-512
        and one without it get different answers.
        ``"speed"``: a row for every function and contender, of the value, of the derivative and of
        its product with an upstream gradient, in two dtypes and for arrays of several sizes n,
        with the time ``ns`` for an element.

    Returns
    -------
    list of dict of str to str
        The rows, each with the version, the date and the processor.

    Examples
    --------
    >>> from actlib.book.tables import recorded
    >>> rows = recorded("conventions")
    >>> next(row["f(inf)"] for row in rows if row["function"] == "softsign")
    'nan'
    """
    with files(__package__).joinpath(f"{table}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def side_by_side(rows: Iterable[Mapping[str, str]], column: str) -> str:
    """Write a table of one column of a recorded table: functions down, libraries across.

    Parameters
    ----------
    rows : iterable of mapping
        Rows of a `recorded` table, at most one for each function and library.
    column : str
        The column to show.

    Returns
    -------
    str
        Markdown. A function that a library does not have is an empty cell.

    Examples
    --------
    >>> from actlib.book.tables import recorded, side_by_side
    >>> rows = [row for row in recorded("conventions") if row["function"] == "softsign"]
    >>> print(side_by_side(rows, "f'(inf)"))
    | function | TensorFlow | Keras | PyTorch | JAX |
    | --- | --- | --- | --- | --- |
    | softsign | 0 | 0 | nan | nan |
    """
    rows = list(rows)
    cells = {(row["function"], row["library"]): row[column] for row in rows}
    order = list(LIBRARIES)
    libraries = sorted(
        {row["library"] for row in rows},
        key=lambda name: (order.index(name) if name in order else -1, name),
    )
    lines = [
        ["function", *(LIBRARIES.get(library, library) for library in libraries)],
        ["---"] * (1 + len(libraries)),
        *(
            [name, *(cells.get((name, library), "") for library in libraries)]
            for name in sorted({row["function"] for row in rows})
        ),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
