"""See whether a release is ready: release.py [TAG]; what does not agree is an error."""

import re
import sys
from pathlib import Path

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


def read(path: Path) -> str:
    return path.read_text("utf-8")


if __name__ == "__main__":
    sys.exit("\n".join(problems(ROOT, *sys.argv[1:2])) or 0)
