"""Measure the activations that other libraries ship: peers.py LIBRARY...

Writes the tables that ``actlib.book.tables`` reads; rows of libraries that are not named stay.
``actlib-on-jax`` is our own function on JAX's arrays, ``actlib-through-jax`` the gradient that JAX
derives of it, ``actlib-compiled`` what Numba makes of our declarations. ``make peers`` runs it in
the environments that have the libraries.
"""

import csv
import importlib
import os
import platform
import sys
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from functools import cache
from importlib.metadata import version
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", JAX_PLATFORMS="cpu")

import numpy as np

import actlib.book
from actlib import REGISTRY
from actlib.book.profiles import profile
from actlib.book.tables import recorded
from actlib.check import check_activation, conventions, from_library
from actlib.check.frameworks import WRAPPERS

TABLES = Path(actlib.book.__file__).parent
DTYPES = ("float32", "float64", "float16", "bfloat16")
ARRAYS = {"dask": "dask.array", "jax": "jax.numpy"}
DISTRIBUTIONS = {"tensorflow": "tensorflow-cpu"}
#: oneDNN, which computes PyTorch's GELU, then takes the code for processors without AVX-512.
WITHOUT_AVX512 = ("ONEDNN_MAX_CPU_ISA", "AVX2")


def names(library):
    """The functions to examine; PReLU has a weight for a parameter, there it is a layer."""
    ours = library.startswith("actlib")
    known = REGISTRY.elementwise.items()
    return [n for n, f in known if ours or (library in f.spec.peers and n != "prelu")]


def functions(name, library):
    if not library.startswith("actlib"):
        return from_library(name, library)
    f = REGISTRY.elementwise[name]
    if library == "actlib-compiled":
        f = importlib.import_module("actlib.compiled").REGISTRY[name]
        return f, f.grad
    _, how, other = library.split("-") if "-" in library else (library, "", "")
    if other == "jax":
        importlib.import_module("jax").config.update("jax_enable_x64", True)
    if how == "through":
        return WRAPPERS[other](f)
    return (on(other, f), on(other, f.grad)) if how else (f, f.grad)


def on(other, function):
    """Our function on another library's arrays, as a function of NumPy arrays."""
    xp = importlib.import_module(ARRAYS.get(other, other))
    array = xp.constant if other == "tensorflow" else xp.asarray
    return lambda z, **params: np.asarray(function(array(z.copy()), **params))


def known(name, library):
    peers = REGISTRY[name].spec.peers
    package = "actlib" if library == "actlib-compiled" else library.rpartition("-")[2]
    return {
        "library": library,
        "version": version(DISTRIBUTIONS.get(package, package)),
        "date": date.today().isoformat(),
        "processor": processor(),
        "function": name,
        "path": peers[library].path if library in peers else f"actlib.{name}",
    }


@cache
def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines() if os.name == "posix" else ():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return platform.machine()


def answers(library):
    """What `conventions` hears of each function; both answers if the processor makes the choice."""
    spawn = get_context("spawn")
    with ProcessPoolExecutor(1, spawn, os.putenv, WITHOUT_AVX512) as pool:
        older = pool.map(conventions, names(library), repeat(library))
        for name, old in zip(names(library), older, strict=True):
            both = {
                question: dict.fromkeys((answer, old[question]))
                for question, answer in conventions(name, library).items()
            }
            yield known(name, library) | {q: " or ".join(said) for q, said in both.items()}


def accuracy(name, library):
    """A row for every dtype, of the value and of the gradient."""
    f, grad = functions(name, library)
    for dtype in DTYPES[:2] if library.startswith("actlib-") else DTYPES:
        row = {**known(name, library), "format": dtype}
        try:
            report = check_activation(f, grad, exact=name, dtypes=[dtype])
        except Exception as error:  # a dtype that the library does not take
            said = error.__cause__ or error  # the library's own words
            yield {**row, "error": f"{type(said).__name__}: {said}".splitlines()[0][:120]}
            continue
        for (of, _), measured in report.accuracy.items():
            if "through" in library and of == "value":
                continue  # it is the one of actlib-on-...
            worst = int(np.argmax(measured.errors))
            lost = report.find(of, "nothing lost").intervals
            yield {
                **row,
                "of": of,
                "E": f"{measured.errors[worst]:.4g}",
                "at": f"{float(measured.z[worst]):.7g}",
                "lost": " ".join(f"{low:.4g}..{high:.4g}" for low, high in lost),
                "profile": profile(measured),
            }


def update(table, library, rows):
    """Replace the library's rows."""
    others = [row for row in recorded(table) if row["library"] != library]
    write(
        TABLES / f"{table}.csv",
        sorted(others + rows, key=lambda row: (row["library"], row["function"])),
    )


def write(path, rows):
    """Store a table; the file is replaced at once, so that a crash leaves the old."""
    fields = dict.fromkeys(key for row in rows for key in row)
    new = path.with_suffix(".new")
    with new.open("w", newline="") as file:
        writer = csv.DictWriter(file, fields, lineterminator="\n", restval="")
        writer.writeheader()
        writer.writerows(rows)
    new.replace(path)


def main(libraries):
    for library in libraries:
        if not library.startswith("actlib"):
            update("conventions", library, list(answers(library)))
        rows = []
        for name in names(library):
            rows += accuracy(name, library)
            print(library, name, flush=True)
        update("accuracy", library, rows)


if __name__ == "__main__":
    main(sys.argv[1:])
