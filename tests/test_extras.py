"""What is said where an extra is missing, and that all of it follows from one place."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from actlib._core import extras
from actlib._core.extras import extra, install_command
from tools import hosted

ROOT = Path(__file__).parent.parent
MISSING = {
    "check": ("check", "mpmath"),
    "compiled": ("fast", "numba"),
    "diagnose": ("diagnose", "keras"),
    "keras": ("keras", "tensorflow"),
    "plots": ("plot", "matplotlib"),
    "check.figure": ("plot", "matplotlib"),
    "book.figure": ("plot", "matplotlib"),
    "study": ("study", "filelock"),
}


@pytest.mark.parametrize("tool", MISSING)
def test_a_tool_says_what_to_install(tool: str) -> None:
    name, missing = MISSING[tool]
    code = f"import sys; sys.modules[{missing!r}] = None; import actlib.{tool}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert missing in last
    assert last.count("it comes with: ") == 1
    assert f"it comes with: {install_command(name)} (in a copy of the repository)" in last


@pytest.mark.parametrize(
    ("missing", "call", "name"),
    [
        ("sklearn", "load('digits')", "study"),
        pytest.param("sklearn", "Data([[0], [1]], [0, 1])", "study", marks=pytest.mark.deep),
        pytest.param("mnist1d", "load('mnist1d')", "study", marks=pytest.mark.deep),
        pytest.param("pandas", "Data([[None], [1]], [0, 1])", "study", marks=pytest.mark.deep),
        pytest.param("pandas", "Data([[0], [1]], ['a', None])", "study", marks=pytest.mark.deep),
        ("keras", "training.check_optimisers(['sgd'])", "keras"),
    ],
)
def test_a_part_of_a_study_says_what_to_install(missing: str, call: str, name: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None\nfrom actlib.study import *\n"
    code += f"from actlib.study import training; {call}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    last = done.stderr.strip().splitlines()[-1]
    assert missing in last
    assert f"it comes with: {install_command(name)} (in a copy of the repository)" in last


def test_a_module_of_our_own_is_no_extra() -> None:
    message = r"^No module named 'actlib.nosuch'$"
    with pytest.raises(ModuleNotFoundError, match=message), extra("check"):
        import actlib.nosuch  # noqa: F401


def test_another_error_passes_as_it_is() -> None:
    with pytest.raises(ImportError, match=r"^cannot import name 'nosuch'"), extra("check"):
        from actlib.check import nosuch  # noqa: F401


def test_all_follows_when_the_package_is_published(monkeypatch: pytest.MonkeyPatch) -> None:
    assert install_command() == "pip install ."
    assert install_command("cli") == 'pip install ".[cli]"'
    assert hosted.requirement("https://x.example/y", "check,plot,study") == (
        "actlib[check,plot,study] @ git+https://x.example/y"
    )
    monkeypatch.setattr(extras, "PUBLISHED", "some-name")
    monkeypatch.setattr(hosted, "PUBLISHED", "some-name")
    assert install_command() == "pip install some-name"
    assert install_command("cli,plot") == 'pip install "some-name[cli,plot]"'
    assert (
        hosted.requirement("https://x.example/y", "check,plot,study")
        == "some-name[check,plot,study]"
    )
    message = r'comes with: pip install "some-name\[check\]"$'
    with pytest.raises(ModuleNotFoundError, match=message), extra("check"):
        import no_such_module  # noqa: F401


@pytest.mark.parametrize("page", ["README.md", "chapters/api.md"])
def test_what_pages_say_of_installing_is_that(page: str) -> None:
    said = re.findall(r"pip install [^`\n]+", (ROOT / page).read_text("utf-8"))
    known = [install_command(name) for name in ("", "check", "cli", "fast", "keras", "plot", "all")]
    assert said
    assert set(said) <= set(known)
