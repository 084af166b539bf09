"""The API page, read as if Keras, TensorFlow and some others were not there, even where they are.

Sphinx lets empty objects stand for them (``autodoc_mock_imports``), so the book needs none of them,
and the page is the same wherever it is built. What is asked of Keras while actlib is imported needs
better answers: which backend it has, to decorate classes, and a base that leaves signatures alone.
"""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import Any

from sphinx.application import Sphinx
from sphinx.ext.autodoc.mock import mock


def _undecorated(package: str) -> Any:
    return lambda decorated: decorated


_ANSWERS = {
    "backend": SimpleNamespace(backend=lambda: "tensorflow"),
    "callbacks": SimpleNamespace(Callback=object),
    "saving": SimpleNamespace(register_keras_serializable=_undecorated),
}


def _import_what_needs_keras(app: Sphinx) -> None:
    with mock(app.config.autodoc_mock_imports):
        vars(import_module("keras")).update(_ANSWERS)
        import_module("actlib.keras")
        import_module("actlib.diagnose")


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", _import_what_needs_keras)
