"""What to say about a name that nobody has."""

from __future__ import annotations

from collections.abc import Iterable


def hint(name: object, known: Iterable[str]) -> str:
    """The nearest of the known names, or all of them if none is near: the end of an error."""
    import difflib  # only an error needs it

    known = list(known)
    near = difflib.get_close_matches(name, known, 3, 0.4) if isinstance(name, str) else []
    if near:
        return f"; did you mean {' or '.join(near)}?"
    return f"; it has: {', '.join(known) or 'none'}"
