"""The figure of the recorded accuracy: where which library loses digits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from actlib._core.extras import extra
from actlib._core.names import listed
from actlib.book.profiles import EDGES, LOST, NOTHING
from actlib.book.tables import LIBRARIES, recorded
from actlib.palette import GREY
from actlib.plots import ORANGE, STYLE

with extra("plot"):
    import matplotlib.pyplot as plt
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

__all__ = ["profiles"]


def profiles(
    of: str, dtype: str, libraries: str | Sequence[str] = ("actlib", "tensorflow", "torch", "jax")
) -> Figure:
    """Draw where each function of each library loses digits, as recorded.

    Parameters
    ----------
    of : str
        ``"value"`` or ``"gradient"``.
    dtype : str
        ``"float32"`` or ``"float64"``; also half precision.
    libraries : str or sequence of str
        As in the recorded table: one panel each. Functions that none but the first of several has
        are left out.

    Returns
    -------
    matplotlib.figure.Figure
        A row for every function, from far below zero to far above; the darker, the more digits are
        lost. Where a number is lost altogether it is orange, and hatched where there is nothing.

    Examples
    --------
    >>> from actlib.book.figure import profiles
    >>> figure = profiles("gradient", "float32", ["actlib", "jax"])
    >>> [ax.get_title() for ax in figure.axes[:2]]
    ['actlib', 'JAX']
    """
    libraries = listed(libraries)
    found = {
        (row["library"], row["function"]): row["profile"]
        for row in recorded("accuracy")
        if row["of"] == of and row["format"] == dtype
    }
    names = sorted({name for library, name in found if library in (libraries[1:] or libraries)})
    digits = 16 if dtype == "float64" else 8
    code = {f"{i:x}": float(i) for i in range(16)} | {LOST: digits + 1.0, NOTHING: np.nan}
    bins = 2 * (len(EDGES) - 1)
    ticks = [-20, 0, 20]
    at = [bins / 2 + np.sign(z) * EDGES.index(abs(z)) - 0.5 for z in ticks]
    blues = LinearSegmentedColormap.from_list("digits", ["#c5ddf2", "#123a63"])
    shades = blues.with_extremes(over=ORANGE)
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            1,
            len(libraries),
            sharey=True,
            squeeze=False,
            figsize=(6.4, 1.2 + 0.24 * len(names)),
            layout="constrained",
        )
        for ax, library in zip(axes[0], libraries, strict=True):
            rows = [found.get((library, name), NOTHING * bins) for name in names]
            image = ax.imshow(
                [[code[x] for x in row] for row in rows],
                aspect="auto",
                interpolation="none",
                cmap=shades,
                vmin=0,
                vmax=digits,
            )
            ax.patch.set(hatch="////", edgecolor=GREY, linewidth=0)  # seen where there is no row
            ax.set_title(LIBRARIES.get(library, library))
            ax.set_xticks(at, [f"{z}" for z in ticks], fontsize=10)
            ax.set_xlabel("$z$")
        axes[0, 0].set_yticks(range(len(names)), names, fontsize=10)
        bar = figure.colorbar(image, ax=axes, location="bottom", extend="max", aspect=40)
        bar.set_label("decimal digits lost")
    return figure
