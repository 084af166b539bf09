"""What a tool needs beyond NumPy, and how that is installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

#: The name in the package index, None until it is there: what users are told to install follows.
PUBLISHED: str | None = None


def install_command(extra: str = "") -> str:
    """The command that installs the package, with an extra or several of them."""
    options = f"[{extra}]" if extra else ""
    name = f"{PUBLISHED or '.'}{options}"
    return f'pip install "{name}"' if options else f"pip install {name}"


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Import what an extra brings; where it is missing, the error says what to install."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("actlib"):
            raise
        missing = error.__cause__ or error  # where one tool needs another, the outer extra has both
        where = "" if PUBLISHED else " (in a copy of the repository)"
        raise ModuleNotFoundError(
            f"{missing}; it comes with: {install_command(name)}{where}", name=error.name
        ) from missing
