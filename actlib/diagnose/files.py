"""A saved model and saved data."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np


def load_model(path: Path) -> Any:
    """A model that Keras has saved; one with code in the file is refused.

    Raises
    ------
    OSError
        If there is no such file.
    ValueError
        If it holds no model that can be loaded.
    """
    path = path.expanduser()
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist")
    if path.suffix == ".keras" and not (
        zipfile.is_zipfile(path) or (path / "config.json").exists()
    ):
        raise ValueError(f"{path} is no model that Keras has saved")
    try:
        return keras.saving.load_model(path)
    except Exception as error:  # of many kinds, by what the file is
        raise ValueError(f"{path} holds no model that can be loaded: {error}") from error


def load_data(path: Path, model: Any) -> Any:
    """Arrays that NumPy has saved, as a model takes them.

    Parameters
    ----------
    path : Path
        A file ``.npy``, or ``.npz`` with one array, with an array ``x``, or with one for each input
        of the model by its name.
    model : keras.Model
        The model.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it holds nothing of these.
    """
    try:
        found = np.load(path.expanduser(), allow_pickle=False)
        if isinstance(found, np.ndarray):
            return found
        with found:
            arrays = {name: found[name] for name in found.files}
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{path} holds no arrays that NumPy has saved, or such of Python's own objects"
        ) from error
    arrays = {name: array for name, array in arrays.items() if isinstance(array, np.ndarray)}
    inputs = [tensor.name for tensor in getattr(model, "inputs", None) or ()]
    if len(arrays) == 1:
        return next(iter(arrays.values()))
    if len(inputs) > 1 and {*inputs} <= {*arrays}:
        return {name: arrays[name] for name in inputs}
    if "x" in arrays:
        return arrays["x"]
    raise ValueError(
        f"{path} holds {', '.join(arrays) or 'no array'}; call what the model takes x, or "
        f"give each of its inputs by name: {', '.join(inputs)}"
    )
