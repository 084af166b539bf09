"""Compiled code on disk, so that a process need not compile what another has."""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import importlib.util
import os
import shutil
import sys
import tempfile
from pathlib import Path
from types import ModuleType

from platformdirs import user_cache_path

#: Where compiled code is kept, if not in the user's folder for such files.
VARIABLE = "ACTLIB_CACHE_DIR"


def module(name: str, source: str) -> ModuleType:
    """Import a module whose source has been written, from a file that is named by its content.

    The name also tells what the source stands on, so that code is compiled anew where a kernel has
    changed, or what it calls in any other file, or a function of this package.
    """
    from numba import config

    if config.DISABLE_JIT:
        raise RuntimeError(
            f"{name}: NUMBA_DISABLE_JIT is set, so Numba compiles nothing; use the function of the "
            "same name in actlib"
        )
    digest = hashlib.sha256(source.encode() + _beneath()).hexdigest()[:20]
    title = f"{name.replace('.', '_')}_{digest}"
    chosen = folder()
    with contextlib.suppress(Exception):  # of whatever kind, by damaged files or a full disk
        return _imported(title, source, chosen)
    for path in chosen.glob(f"__pycache__/{title}.*"):
        with contextlib.suppress(OSError):
            path.unlink()
    return _imported(title, source, _of_this_process())


def _imported(title: str, source: str, chosen: Path) -> ModuleType:
    path = chosen / f"{title}.py"
    if not path.exists() or path.read_bytes() != source.encode():
        _write(path, source.encode())
    spec = importlib.util.spec_from_file_location(f"_actlib_compiled_{title}", path)
    assert spec
    assert spec.loader
    found = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = found  # by this name Numba finds again what it has stored
    spec.loader.exec_module(found)
    return found


@functools.cache
def _beneath() -> bytes:
    """The sources that every written module calls."""
    own = Path(__file__).parent
    return b"".join(path.read_bytes() for path in sorted(own.glob("*.py")))


def folder() -> Path:
    """The folder of compiled code; one of this process alone where the user's cannot be written."""
    chosen = os.environ.get(VARIABLE)
    path = Path(chosen) if chosen else user_cache_path("actlib", appauthor=False) / "compiled"
    with contextlib.suppress(OSError):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path if path.is_dir() and os.access(path, os.W_OK) else _of_this_process()


@functools.cache
def _of_this_process() -> Path:
    made = tempfile.mkdtemp(prefix="actlib-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return Path(made)


def _write(path: Path, content: bytes) -> None:
    """Put a file in its place at once: other processes may be about to read it."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    Path(file.name).replace(path)
