"""What make installs: the locks, and the script that makes an environment of one."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
VENV = ROOT / "tools/venv"

# Stands for Python and for uv in an environment: notes what it is asked, and installs nothing.
TOOL = """#!/bin/sh
name=$(basename "$0")
echo "$name $*" >> "$LOG"
case "$*" in
    -V) echo "Python 3.13.0" ;;
    "-m venv --clear "*) mkdir -p "$4/bin"; cp "$0" "$4/bin/python"; cp "$0" "$4/bin/uv" ;;
    "-m pip config list") echo "global.index-url='https://mirror.example/simple'" ;;
    *" -r /dev/stdin") cat >> "$LOG" ;;
    *" -r "*) case "$BROKEN" in *"$name"*) exit 1 ;; esac ;;
esac
"""


def locked(name: str) -> dict[str, str]:
    """What a lock says of each package: version, marker and hashes."""
    text = (ROOT / f"requirements/{name}.lock").read_text("utf-8")
    entries = re.findall(r"^([a-z0-9-]+)(?:\[\S+\])?(==.*(?:\n    --hash.*)+)", text, re.MULTILINE)
    return dict(entries)


@pytest.mark.parametrize("name", ["book", "peers", "bench"])
def test_locks_agree(name: str) -> None:
    """Each has the versions, with the hashes, that all other tests run with."""
    dev, other = locked("dev"), locked(name)
    shared = dev.keys() & other.keys()
    assert {"uv", "numpy"} <= shared
    versions = {key: (dev[key].split()[0], other[key].split()[0]) for key in shared}
    assert {key: pair for key, pair in versions.items() if len(set(pair)) > 1} == {}
    assert [
        key
        for key in shared
        if re.findall("sha256:.*", dev[key]) != re.findall("sha256:.*", other[key])
    ] == []


def test_the_oldest_versions_allowed_are_those_that_are_tested() -> None:
    """In the lock of `make test-lowest`, what the package asks for at least."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lowest = locked("lowest")
    for requirement in map(Requirement, project["dependencies"]):
        (bound,) = requirement.specifier
        assert bound.operator == ">="
        version = lowest[requirement.name].split()[0].removeprefix("==")
        assert Version(version) == Version(bound.version), requirement


def test_book_needs_no_tensorflow() -> None:
    book = locked("book")
    assert book.keys() <= locked("dev").keys()
    assert not book.keys() & {"tensorflow", "tensorflow-cpu", "keras", "jax", "pandas"}


def make(folder: Path, python: object, broken: str = "") -> tuple[int, str, list[str]]:
    """Run tools/venv in a folder: its exit status, what it says, and what the tools were asked."""
    (folder / "pyproject.toml").write_text("")
    log = folder / "log"
    log.write_text("")
    done = subprocess.run(
        [VENV, "environment", "some.lock"],
        cwd=folder,
        env={**os.environ, "PYTHON": str(python), "LOG": str(log), "BROKEN": broken},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr, log.read_text().splitlines()


def script(file: Path, text: str) -> Path:
    file.write_text(text)
    file.chmod(0o755)
    return file


@pytest.mark.parametrize("version", ["(3, 10)", "(3, 14)", None])
def test_unusable_python_is_refused(version: str | None, tmp_path: Path) -> None:
    """Too old, too new, or not there at all; nothing is begun then."""
    code = f"import sys; sys.version_info = {version}; exec(sys.argv[1])"
    python = tmp_path / "python"
    if version:
        script(python, f'#!/bin/sh\nexec {sys.executable} -c "{code}" "$2"\n')
    (tmp_path / "some.lock").write_text("")
    status, said, _ = make(tmp_path, python)
    assert status == 1
    assert f"No usable Python: {python} is missing, does not run, is not 3.11 to 3.13" in said
    assert "no wheels for 3.14" in said
    assert "make PYTHON=/path/to/python" in said
    assert not (tmp_path / "environment").exists()


@pytest.fixture
def python(tmp_path: Path) -> Path:
    entries = [
        f"{name}==1 \\\n    --hash=sha256:{name}\n    # via b\n" for name in ("a", "uv", "z")
    ]
    (tmp_path / "some.lock").write_text("".join(entries))
    return script(tmp_path / "python", TOOL)


def installs(asked: list[str]) -> list[str]:
    return [line for line in asked if " install " in line]


def test_environment_is_made_once(python: Path, tmp_path: Path) -> None:
    """Uv by pip, the rest by uv: with hashes, as wheels, from the index that pip is told to use."""
    status, said, asked = make(tmp_path, python)
    assert status == 0, said
    begin = asked.index("uv==1 \\")
    assert asked[begin : begin + 3] == ["uv==1 \\", "    --hash=sha256:uv", "    # via b"]
    assert not any(line.startswith(("a==", "z==")) for line in asked)
    locked, *project = [line for line in installs(asked) if line.startswith("uv")]
    assert "--default-index https://mirror.example/simple --require-hashes" in locked
    assert locked.endswith("--only-binary :all: -r some.lock")
    assert [line.endswith("--no-build-isolation -e .") for line in project] == [True]
    assert installs(make(tmp_path, python)[2]) == []


def test_pip_installs_where_uv_cannot(python: Path, tmp_path: Path) -> None:
    status, said, asked = make(tmp_path, python, broken="uv")
    assert status == 0, said
    last = [line for line in installs(asked) if line.startswith("python")][-1]
    assert last.endswith("--require-hashes --only-binary :all: -r some.lock")


def test_interrupted_install_is_begun_again(python: Path, tmp_path: Path) -> None:
    assert make(tmp_path, python, broken="uv python")[0] != 0
    status, said, asked = make(tmp_path, python)
    assert status == 0, said
    assert any(line.endswith("-m venv --clear environment") for line in asked)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_can_be_read_and_name_what_there_is(path: Path) -> None:
    """Here nothing runs them: a colon in a command would make one no workflow at all."""
    workflow = yaml.safe_load(path.read_text("utf-8"))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for job in workflow["jobs"].values():
        if "uses" in job:
            assert (ROOT / job["uses"]).exists()
        for step in job.get("steps", []):
            words = step.get("run", "").split()
            assert not words or words[0] in ("make", "python"), words
            if words[:1] == ["make"]:
                assert words[1] in targets, f"make has no {words[1]}"
            for file in (word for word in words if re.match(r"(tests|requirements)/", word)):
                assert list(ROOT.glob(file)), f"there is no {file}"
