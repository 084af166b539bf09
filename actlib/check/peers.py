"""What other libraries make of the same activation: asked live, and as it was recorded."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from actlib._core.registry import REGISTRY
from actlib._core.spec import LIBRARIES
from actlib.check.accuracy import Accuracy
from actlib.check.frameworks import WRAPPERS, Shipped, from_library, shipped

#: Between these, and their negatives, a profile says how many digits are lost.
EDGES = (
    *(0.0, 1e-30, 1e-12, 1e-6, 1e-3, 0.03, 0.3, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0),
    *(14.0, 17.0, 20.0, 25.0, 30.0, 40.0, 60.0, 90.0, 150.0, 400.0, 750.0, 1e6, 1e19, np.inf),
)
LOST, NOTHING = "x", "-"


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
    >>> from actlib.check import recorded, side_by_side
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


def profile(accuracy: Accuracy) -> str:
    """Write how many decimal digits are lost, from -inf to inf, as one character an interval.

    Parameters
    ----------
    accuracy : Accuracy
        As a report's ``accuracy`` holds it.

    Returns
    -------
    str
        For each interval between neighbours in `EDGES` and their negatives: the digits lost, which
        is log10 of E rounded up, in hexadecimal; ``x`` if there is a zero or a wrong sign instead
        of a number; ``-`` if no number was taken.

    Examples
    --------
    >>> import numpy as np
    >>> from actlib.check import check_activation
    >>> from actlib.check.peers import profile
    >>> slope = lambda z: 1 - np.tanh(z) ** 2
    >>> report = check_activation(np.tanh, slope, exact="tanh", dtypes=["float32"])
    >>> digits = profile(report.accuracy["gradient", "float32"])
    >>> digits == digits[::-1], digits.count("x") > 4
    (True, True)
    """
    edges = np.array([*(-x for x in EDGES[:0:-1]), *EDGES])
    bins = np.digitize(accuracy.z.astype(float), edges) - 1
    return "".join(_digits(accuracy, bins == i) for i in range(edges.size - 1))


def _digits(accuracy: Accuracy, inside: np.ndarray) -> str:
    if not inside.any():
        return NOTHING
    worst = accuracy.errors[inside].max()
    if accuracy.lost[inside].any() or np.isinf(worst):
        return LOST
    return f"{int(np.clip(np.ceil(np.log10(max(worst, 1.0))), 0, 15)):x}"


def conventions(name: str, library: str) -> dict[str, str]:
    """Ask a library's function what it gives where definitions leave a choice, and far out.

    All answers are for arrays of 64 equal numbers, in float32 where nothing else is said, with the
    keywords that make the function the same as ours.

    Parameters
    ----------
    name : str
        A key of ``actlib.REGISTRY``.
    library : str
        ``"tensorflow"``, ``"keras"``, ``"torch"``, ``"jax"`` or ``"scipy"``; it must be installed.

    Returns
    -------
    dict of str to str
        Numbers to four digits; ``refused`` for an error. ``lost`` names the results among those at
        -30, -20, 20 and 30 (in float64 at -40 and 40) that are zero or of the wrong sign, although
        the right one is an ordinary number.

    Examples
    --------
    >>> from actlib.check import conventions
    >>> conventions("sigmoid", "jax")["lost"]
    "f'(20) f'(30)"
    """
    f, grad = from_library(name, library)
    default, _ = WRAPPERS[library](shipped(name, library)[0])
    spec = REGISTRY.elementwise[name].spec
    answers = {"default f(-1)": _number(default, -1.0)}
    for z in ("-0.0", "-inf", "inf", "nan"):
        answers[f"f({z})"] = _number(f, float(z))
    for z in ("-inf", "inf", "nan"):
        answers[f"f'({z})"] = _number(grad, float(z))
    points = sorted({0.0, *spec.kinks_at()})
    answers["f' at 0 and kinks"] = "; ".join(f"{z:g}: {_number(grad, z)}" for z in points if grad)
    answers["integers"] = _dtype(f, np.int32)
    answers["float16"] = _dtype(f, np.float16)
    answers["lost"] = _lost(name, (f, grad), np.float32, (-30, -20, 20, 30))
    answers["lost in float64"] = _lost(name, (f, grad), np.float64, (-40, 40))
    return answers


def _ask(function: Callable[..., Any] | None, z: float, dtype: Any) -> Any:
    """The answer, a NumPy scalar; None if it is an error or there is nothing to ask."""
    if function is None:
        return None
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return function(np.full(64, z, dtype))[0]
        except Exception:  # whatever a library may raise for a dtype that it does not take
            return None


def _number(function: Callable[..., Any] | None, z: float) -> str:
    answer = _ask(function, z, np.float32)
    return "" if answer is None else f"{float(answer):.4g}"


def _dtype(f: Callable[..., Any], dtype: Any) -> str:
    answer = _ask(f, 2, dtype)
    return "refused" if answer is None else str(answer.dtype)


def _lost(name: str, pair: Shipped, dtype: Any, points: Iterable[float]) -> str:
    ours = REGISTRY.elementwise[name], REGISTRY.elementwise[name].grad
    lost = []
    for words, function, right in zip(("f", "f'"), pair, ours, strict=True):
        for z in points:
            answer, exact = _ask(function, z, dtype), right(dtype(z))
            if answer is not None and abs(exact) > np.finfo(dtype).tiny and not answer * exact > 0:
                lost.append(f"{words}({z})")
    return " ".join(lost)
