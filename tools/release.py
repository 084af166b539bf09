"""See whether a release is ready: release.py [TAG]; what does not agree is an error."""

import re
import sys
from pathlib import Path

from actlib import REGISTRY
from actlib.book.tables import recorded

ROOT = Path(__file__).resolve().parent.parent


def problems(root: Path, tag: str | None = None) -> list[str]:
    """What version, citation, changelog and tag say differently."""
    (version,) = re.findall(
        r'^__version__ = "(.+)"$', read(root / "actlib/__init__.py"), re.MULTILINE
    )
    found = []
    if f"version: {version}\n" not in read(root / "CITATION.cff"):
        found.append(f"CITATION.cff does not say version: {version}")
    if tag is None:
        return found
    if tag != f"v{version}":
        found.append(f"the tag is {tag}, but the version is {version}")
    if not re.search(
        rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$",
        read(root / "CHANGELOG.md"),
        re.MULTILINE,
    ):
        found.append(f"CHANGELOG.md has no heading ## [{version}] - with the day")
    return found


def unmeasured() -> list[str]:
    """What was declared and never measured: the book would have an empty cell for it."""
    commands = {"accuracy": "make peers", "speed": "make bench STORE=yes"}
    return [
        f"{name} is not measured: {command}"
        for table, command in commands.items()
        for name in sorted({*REGISTRY.elementwise} - {row["function"] for row in recorded(table)})
    ]


def read(path: Path) -> str:
    return path.read_text("utf-8")


if __name__ == "__main__":
    found = problems(ROOT, *sys.argv[1:2]) + (unmeasured() if len(sys.argv) > 1 else [])
    sys.exit("\n".join(found) or 0)
