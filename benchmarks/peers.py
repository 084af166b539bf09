"""Check the activations that other libraries ship: peers.py LIBRARY...

Writes a row for every function, dtype, and value or gradient to peers.csv; rows of libraries that
are not named stay. ``make peers`` runs it in the environments that have the libraries.
"""

import csv
import importlib
import os
import platform
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", JAX_PLATFORMS="cpu")

import numpy as np

from actlib import REGISTRY
from actlib.check import check_activation, from_library

RESULTS = Path(__file__).with_suffix(".csv")
DTYPES = ("float32", "float64", "float16", "bfloat16")
FIELDS = [
    *(
        "library",
        "version",
        "date",
        "processor",
        "function",
        "path",
        "dtype",
        "of",
        "E",
        "at",
        "lost",
    ),
    *("kink", "NaN", "infinities", "-0.0", "dtype kept", "error"),
]
SCIPY = {"sigmoid": "expit", "log_sigmoid": "log_expit", "ndtr": "ndtr"}


def functions(library):
    """Name in actlib, path there, value and gradient."""
    if library == "actlib":
        for name, f in REGISTRY.items():
            yield name, f"actlib.{name}", f, f.grad
    elif library == "scipy":
        special = importlib.import_module("scipy.special")
        for name, path in SCIPY.items():
            yield name, f"scipy.special.{path}", getattr(special, path), None
    else:
        for name, f in REGISTRY.items():
            if library in f.spec.names and name != "prelu":  # whose alpha is a weight of a layer
                yield name, f.spec.names[library], *from_library(name, library)


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines() if os.name == "posix" else ():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return platform.machine()


def rows(library):
    known = {
        "library": library,
        "version": version({"tensorflow": "tensorflow-cpu"}.get(library, library)),
        "date": date.today().isoformat(),
        "processor": processor(),
    }
    for name, path, f, grad in functions(library):
        for dtype in DTYPES:
            row = {**known, "function": name, "path": path, "dtype": dtype}
            try:
                report = check_activation(f, grad, exact=name, dtypes=[dtype])
            except Exception as error:  # a dtype that the library does not take
                yield {**row, "error": f"{type(error).__name__}: {error}".splitlines()[0][:120]}
                continue
            for (of, _), accuracy in report.accuracy.items():
                yield {**row, "of": of} | facts(report, of, accuracy)


def facts(report, of, accuracy):
    worst = int(np.argmax(accuracy.errors))
    found = {finding.aspect: finding for finding in report.findings if finding.of == of}
    lost = " ".join(f"{low:.7g}..{high:.7g}" for low, high in found["nothing lost"].intervals)
    short = {"dtype": "dtype kept"}
    return {
        "E": f"{accuracy.errors[worst]:.4g}",
        "at": f"{float(accuracy.z[worst]):.7g}",
        "lost": lost,
    } | {
        short.get(aspect, aspect): "" if found[aspect].ok else found[aspect].detail
        for aspect in ("kink", "NaN", "infinities", "-0.0", "dtype")
        if aspect in found
    }


def main(libraries):
    kept = []
    if RESULTS.exists():
        with RESULTS.open(newline="") as file:
            kept = [row for row in csv.DictReader(file) if row["library"] not in libraries]
    for library in libraries:
        for row in rows(library):
            kept.append(row)
            print(row["library"], row["function"], row["dtype"], row.get("of"), flush=True)
        with RESULTS.open("w", newline="") as file:
            writer = csv.DictWriter(file, FIELDS, lineterminator="\n", restval="")
            writer.writeheader()
            writer.writerows(
                sorted(kept, key=lambda row: [row[key] or "" for key in FIELDS[:1] + FIELDS[4:5]])
            )


if __name__ == "__main__":
    main(sys.argv[1:])
