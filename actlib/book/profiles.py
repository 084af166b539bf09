"""Where digits are lost, from -inf to inf, as a line of characters."""

from __future__ import annotations

import numpy as np

from actlib.check.accuracy import Accuracy

__all__ = ["EDGES", "LOST", "NOTHING", "profile"]

#: Between these, and their negatives, a profile says how many digits are lost.
EDGES = (
    *(0.0, 1e-30, 1e-12, 1e-6, 1e-3, 0.03, 0.3, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0),
    *(14.0, 17.0, 20.0, 25.0, 30.0, 40.0, 60.0, 90.0, 150.0, 400.0, 750.0, 1e6, 1e19, np.inf),
)
LOST, NOTHING = "x", "-"


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
    >>> from actlib.book.profiles import profile
    >>> slope = lambda z: 1 - np.tanh(z) ** 2
    >>> report = check_activation(np.tanh, slope, exact="tanh", dtypes=["float32"])
    >>> digits = profile(report.accuracy["gradient", "float32"])
    >>> digits == digits[::-1], digits.count("x") > 4
    (True, True)
    """
    z, side = accuracy.z.astype(float), len(EDGES) - 1
    size = np.digitize(abs(z), EDGES) - 1
    bins = np.where(z < 0, side - 1 - size, side + size)
    return "".join(_digits(accuracy, bins == i) for i in range(2 * side))


def _digits(accuracy: Accuracy, inside: np.ndarray) -> str:
    if not inside.any():
        return NOTHING
    worst = accuracy.errors[inside].max()
    if accuracy.lost[inside].any() or np.isinf(worst):
        return LOST
    return f"{int(np.clip(np.ceil(np.log10(max(worst, 1.0))), 0, 15)):x}"
