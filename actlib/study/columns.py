"""What users have, such as data frames and labels of text, as arrays of numbers and of classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from actlib._core.arrays import Array
from actlib._core.extras import extra

_NAMED = 5  # columns, or classes, in an error


def numbers(table: Any, what: str) -> Array:
    """Examples as float64.

    Parameters
    ----------
    table : array_like or data frame
        Numbers and booleans, of shape (examples, features).
    what : str
        What it is called in errors.

    Returns
    -------
    array
        A copy.

    Raises
    ------
    ValueError
        If it is masked, has another shape or other values, or some are missing or not finite; the
        text names the columns.
    """
    array = _array(table, what)
    if array.ndim != 2 or not array.size:
        raise ValueError(
            f"{what} must be numbers of shape (examples, features), got dtype {array.dtype} and "
            f"shape {array.shape}"
        )
    names = column_names(table, array.shape[1])
    if array.dtype.kind not in "biuf":
        array = _numbers_by_columns(array, names, what)
    array = np.array(array, dtype=np.float64)
    if (bad := ~np.isfinite(array)).any():
        columns = [name for name, some in zip(names, bad.any(axis=0), strict=True) if some]
        raise ValueError(
            f"{what} has values that are missing or not finite, the first at "
            f"{np.argwhere(bad)[0].tolist()}, in {listing(columns, 'column')}; fill them in, or "
            "leave these examples out"
        )
    return array


def column_names(table: Any, count: int) -> list[Any]:
    """What the columns of a table are called; those of an array are numbered."""
    return list(getattr(table, "columns", range(count)))


def _numbers_by_columns(array: Array, names: Sequence[Any], what: str) -> Array:
    """The numbers of columns that NumPy holds as objects; what is missing is NaN."""
    with extra("study"):
        import pandas as pd

    frame = pd.DataFrame(array)
    known = [column.dropna().infer_objects() for _, column in frame.items()]
    if other := [n for n, c in zip(names, known, strict=True) if c.dtype.kind not in "biuf"]:
        raise ValueError(
            f"{what} must be numbers, but has other values, such as text, dates or intervals, in "
            f"{listing(other, 'column')}; leave them out, or encode them: classes by "
            "pandas.get_dummies, dates as numbers of days, intervals by their middles"
        )
    return np.stack([c.astype(np.float64).reindex(frame.index) for c in known], axis=1)


def targets(values: Any, what: str, examples: int) -> Array:
    """What is to be predicted: float64, or classes as any other dtype.

    Parameters
    ----------
    values : array_like or series
        Of shape (examples,).
    what : str
        What it is called in errors.
    examples : int
        How many there must be.

    Returns
    -------
    array
        A copy; categories that are no integers, booleans or text are objects.

    Raises
    ------
    ValueError
        If it is masked, has another shape or values of several kinds, or some are missing or not
        finite.
    """
    array = _array(values, what)
    category = str(getattr(values, "dtype", "")) == "category"
    if array.ndim == 1 and (category or array.dtype.kind not in "biufUS"):
        array = _labels(array, what, category)
    if array.shape != (examples,):
        raise ValueError(
            f"{what} must have shape ({examples},), one class or number for each example, got "
            f"shape {array.shape} and dtype {array.dtype}"
        )
    if array.dtype.kind != "f":
        return np.array(array)
    _refuse_missing(~np.isfinite(array), what)
    return np.array(array, dtype=np.float64)


def _labels(array: Array, what: str, category: bool) -> Array:
    """Objects as what all of them are: text, integers, booleans or floats; or categories."""
    with extra("study"):
        import pandas as pd

    series = pd.Series(array, dtype=object)
    _refuse_missing(series.isna().to_numpy(), what)
    if pd.api.types.infer_dtype(series) == "string":
        return np.array(series.tolist())
    inferred = series.infer_objects().to_numpy()
    if inferred.dtype.kind in ("bi" if category else "bif"):
        return inferred
    kinds = sorted({type(value).__name__ for value in series})
    if category and len(kinds) == 1:
        return series.to_numpy()
    raise ValueError(
        f"{what} must be numbers or classes of one kind, got {listing(kinds, 'kind')}; give "
        "classes as text or categories, numbers to predict as floats"
    )


def _refuse_missing(missing: Array, what: str) -> None:
    if missing.any():
        raise ValueError(
            f"{what} has values that are missing or not finite, the first at "
            f"{np.flatnonzero(missing)[:1].tolist()}; leave these examples out"
        )


def _array(values: Any, what: str) -> Array:
    if isinstance(values, np.ma.MaskedArray):
        raise ValueError(
            f"{what} is a masked array, whose mask would be ignored; fill the masked values in "
            "with .filled(), or leave these examples out"
        )
    if hasattr(values, "toarray"):
        raise ValueError(f"{what} is a sparse matrix; give its .toarray()")
    try:
        array = np.asarray(values)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{what} cannot be made an array; if it has rows, all must be as long as the first: "
            f"{error}"
        ) from error
    if not array.ndim:
        raise ValueError(
            f"{what} must be an array, a list or a data frame, got {type(values).__name__}; make "
            "one of it first"
        )
    return array


def listing(values: Sequence[Any], noun: str) -> str:
    """Some values in words: ``the columns 'age', 'bmi'``; of many, the first ones."""
    words = ", ".join(map(repr, values[:_NAMED]))
    more = f" and {len(values) - _NAMED} more" if len(values) > _NAMED else ""
    return f"the {noun}{'s' if len(values) > 1 else ''} {words}{more}"
