"""The command line, as a user calls it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import actlib
from actlib.__main__ import main
from actlib._core.extras import install_command


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


def test_list_and_show() -> None:
    code, words = run("list")
    assert code == 0
    assert len(words.splitlines()) == len(actlib.REGISTRY)
    assert "prelu(z, alpha=0.25)             2015" in words.splitlines()
    code, words = run("show", "gelu")
    assert code == 0
    assert words.startswith("gelu(z, *, out=None)\n\nGaussian error linear unit")
    assert run("show", "softmax")[1].startswith("softmax(z, axis=-1)")
    code, words = run("show", "gleu")
    assert code == 2
    assert "no function 'gleu'" in words


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_what_a_terminal_cannot_show_is_no_error(encoding: str) -> None:
    """The reference of this function has a letter that is in neither of the first two."""
    done = subprocess.run(
        [sys.executable, "-m", "actlib", "show", "relu_squared"],
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
        capture_output=True,
        check=True,
    )
    assert any(name in done.stdout for name in ("Ma\u0144ke".encode(), rb"Ma\u0144ke"))


def test_check_takes_no_function_of_vectors() -> None:
    for call in (["actlib:softmax"], ["numpy:tanh", "--exact", "softmax"]):
        code, words = run("check", *call)
        assert code == 2
        assert "softmax acts on vectors, not elementwise" in words


def test_check_passes_and_fails() -> None:
    code, words = run("check", "actlib:relu", "--dtype", "float32")
    assert (code, words.splitlines()[0]) == (0, "relu: all is well")
    code, words = run("check", "numpy:tanh", "--exact", "sigmoid", "--dtype", "float32")
    assert code == 1
    assert "FAILED value    accuracy" in words
    code, words = run(
        "check", "actlib:prelu", "--exact", "prelu", "--param", "alpha=0.5", "--dtype", "float64"
    )
    assert code == 0, words
    code, words = run(
        "check", "jax:nn.sigmoid", "--library", "jax", "--exact", "sigmoid", "--dtype", "float32"
    )
    assert code == 1
    assert "FAILED gradient nothing lost   lost for z in [" in words
    code, words = run(
        "check", "numpy:tanh", "--grad", "actlib:tanh.grad", "--kink", "0", "--dtype", "float32"
    )
    assert code == 0, words


def test_an_aspect_can_be_waived() -> None:
    command = ["check", "numpy:nan_to_num", "--exact", "linear", "--dtype", "float32"]
    code, words = run(*command)
    assert code == 1
    assert "FAILED value    NaN" in words
    waived = ["--skip", "NaN=never gets there", "--skip", "infinities=nor there"]
    code, words = run(*command, *waived)
    assert code == 0, words
    assert words.startswith("nan_to_num: all is well, 2 waived\n")
    assert "waived value    NaN            never gets there; found: NaN, 1, NaN gives 0" in words


@pytest.mark.parametrize(
    ("definition", "code", "message"),
    [
        ("import math; f = math.tanh", 2, "the function must take a NumPy array"),
        ("def f(z): raise RuntimeError('no luck')", 2, "raises RuntimeError: no luck"),
        ("1 / 0", 2, "cannot be imported: ZeroDivisionError: division by zero"),
        ("import sys; sys.exit(0)", 2, "cannot be imported: SystemExit: 0"),
        ("raise SystemExit('gone')", 2, "cannot be imported: SystemExit: gone"),
        ("raise GeneratorExit", 2, "cannot be imported: GeneratorExit"),
        ("def f(z): raise SystemExit(0)", 2, "raises SystemExit: 0"),
        ("def f(z): raise SystemExit('gone')", 2, "raises SystemExit: gone"),
        ("raise KeyboardInterrupt", 130, ""),
        ("def f(z): raise KeyboardInterrupt", 130, ""),
        ("def f(z): return 1 * z if z.ndim == 1 else exit(0)", 1, "raises SystemExit: 0"),
        (
            "import numpy as np\ndef f(z): return 1 * z if np.isfinite(z).all() else 1 / 0",
            1,
            "FAILED",
        ),
    ],
)
def test_an_error_is_told_from_a_failed_check(
    definition: str, code: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "errs.py").write_text(definition)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "errs", raising=False)
    found, words = run("check", "errs:f", "--exact", "linear", "--dtype", "float32")
    assert found == code, words
    assert message in " ".join(words.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["numpy"], "say module:function"),
        (["numpy:nosuch"], "cannot be found: module 'numpy' has no attribute 'nosuch'"),
        (["no_such_module:f"], "cannot be found: No module named 'no_such_module'"),
        (["numpy:tanh", "--exact", "tnh"], "did you mean tanh"),
        (["numpy:tanh", "--param", "alpha"], "is not like alpha=0.1"),
        (["numpy:tanh", "--skip", "NaN"], "'NaN' gives no reason; say NaN=REASON"),
        (["numpy:tanh", "--skip", "nan=never"], "no aspect 'nan' to skip; there are: accuracy"),
    ],
)
def test_wrong_calls(arguments: list[str], message: str) -> None:
    code, words = run("check", *arguments)
    assert code == 2
    assert message in words


def test_a_module_in_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def identity(z):\n    return 1 * z\n")
    command = [sys.executable, "-m", "actlib", "check", "mine:identity", "--exact", "linear"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("identity: all is well\n")


def test_without_click_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['click'] = None; import runpy; runpy.run_module('actlib')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert install_command("cli") in done.stderr


def test_the_script_finds_a_module_in_the_current_folder(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("actlib")
    (tmp_path / "mine.py").write_text("def identity(z):\n    return 1 * z\n")
    command = [script, "check", "mine:identity", "--exact", "linear"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.startswith("identity: all is well\n"), done.stderr
    done = subprocess.run([script, "--version"], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout == f"actlib, version {actlib.__version__}\n"
