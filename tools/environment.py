"""The environment in which notebooks and tests run, whoever starts them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

# Where matplotlib keeps its list of fonts; it warns if it cannot write at home.
FONTS = Path(__file__).resolve().parent.parent / "_build" / "matplotlib"
# Libraries compute on the CPU, the same each time, and are silent about it. The arrays are small:
# more threads would only wait for each other.
SETTINGS = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "CUDA_VISIBLE_DEVICES": "-1",
    "JAX_PLATFORMS": "cpu",
    "KERAS_BACKEND": "tensorflow",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
}


@contextmanager
def our_own(backend: str | None = None) -> Iterator[None]:
    """Set it for this process and those that it starts, with a backend for matplotlib.

    None leaves the backend to the process: a notebook's kernel has one of its own.
    """
    FONTS.mkdir(parents=True, exist_ok=True)
    with patch.dict(os.environ, SETTINGS, MPLCONFIGDIR=str(FONTS)):
        os.environ.pop("MPLBACKEND", None)
        if backend:
            os.environ["MPLBACKEND"] = backend
        yield
