"""Names that a caller gives: one or several, and what to say about one that nobody has."""

from __future__ import annotations

from collections.abc import Iterable


def listed(names: str | Iterable[str]) -> tuple[str, ...]:
    """Several names, or one that was given by itself."""
    return (names,) if isinstance(names, str) else tuple(names)


def hint(name: object, known: Iterable[str]) -> str:
    """The nearest of the known names, or all of them if none is near: the end of an error."""
    import difflib  # only an error needs it

    known = list(known)
    near = difflib.get_close_matches(name, known, 3, 0.4) if isinstance(name, str) else []
    if near:
        return f"; did you mean {' or '.join(near)}?"
    return f"; it has: {', '.join(known) or 'none'}"
