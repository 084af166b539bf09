"""The colours of the book: each function has its own, with its own dashes, on paper and on screens.

All colours have a contrast of at least 3 to 1 on white and on the book's dark page. Any two of them
differ by at least 9 (ΔE2000), also for readers who lack one of the three kinds of cones; any two of
`DRAWN_TOGETHER` with the same dashes differ by at least 18.
"""

from __future__ import annotations

from typing import NamedTuple

from actlib._core.registry import REGISTRY

__all__ = ["DASHES", "DRAWN_TOGETHER", "GREY", "INKS", "Line", "line"]

#: For words, axes and whatever is not a function.
GREY = "#767676"

#: Neighbours, two by two, are easy to distinguish: they share their dashes.
INKS = (
    ("#2478c4", "#e85d12"),
    ("#588058", "#a888c0"),
    ("#48a098", "#b05830"),
    ("#8088ff", "#e07098"),
    ("#78a058", "#986090"),
)

#: Ink and gap in turn, as multiples of the width of the line; the first is a line without gaps.
DASHES: tuple[tuple[float, ...], ...] = (
    (),
    (4.0, 1.6),
    (6.0, 1.5, 1.2, 1.5),
    (1.6, 1.2),
    (6.0, 1.5, 1.2, 1.5, 1.2, 1.5),
)

#: These come first, so that they share no colour.
DRAWN_TOGETHER = (
    "sigmoid",
    "relu",
    "tanh",
    "gelu",
    "silu",
    "leaky_relu",
    "elu",
    "linear",
    "softplus",
    "prelu",
)


class Line(NamedTuple):
    """How a function is drawn.

    Parameters
    ----------
    color : str
        The colour, such as ``"#2478c4"``.
    dashes : tuple of float
        Ink and gap in turn, as multiples of the width of the line; empty for a line without gaps.
    """

    color: str
    dashes: tuple[float, ...]

    def css(self, width: float = 2.2) -> str:
        """Write it as properties of CSS, for ``stroke`` and ``stroke-dasharray``.

        Parameters
        ----------
        width : float
            The width of the line in pixels.

        Returns
        -------
        str
            For example ``--ink: #588058; --dashes: 8.8 3.5``.
        """
        dashes = " ".join(f"{width * part:.1f}" for part in self.dashes)
        return f"--ink: {self.color}; --dashes: {dashes or 'none'}"


def line(name: str) -> Line:
    """Say how a function is drawn, in every figure and in the explorer.

    Parameters
    ----------
    name : str
        A name in ``actlib.REGISTRY``.

    Returns
    -------
    Line
        The colour and the dashes, which no other function shares.

    Raises
    ------
    KeyError
        If there is no such function.

    Examples
    --------
    >>> from actlib.palette import line
    >>> line("sigmoid")
    Line(color='#2478c4', dashes=())
    >>> line("tanh").css()
    '--ink: #588058; --dashes: 8.8 3.5'
    """
    REGISTRY[name]  # complains of a name that is not there
    order = list(dict.fromkeys([*DRAWN_TOGETHER, *REGISTRY]))
    turn, place = divmod(order.index(name), 2 * len(INKS))
    pair, side = divmod(place, 2)
    return Line(INKS[pair][side], DASHES[(pair + turn) % len(DASHES)])
