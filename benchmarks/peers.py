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
SPECIAL = ["kink", "NaN", "infinities", "-0.0", "dtype"]
FIELDS = [
    *("library", "version", "date", "processor"),
    *("function", "path", "format", "of", "E", "at", "lost", *SPECIAL, "error"),
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
            row = {**known, "function": name, "path": path, "format": dtype}
            try:
                report = check_activation(f, grad, exact=name, dtypes=[dtype])
            except Exception as error:  # a dtype that the library does not take
                yield {**row, "error": f"{type(error).__name__}: {error}".splitlines()[0][:120]}
                continue
            for (of, _), accuracy in report.accuracy.items():
                yield {**row, "of": of} | facts(report, of, accuracy)


def facts(report, of, accuracy):
    worst = int(np.argmax(accuracy.errors))
    failed = [finding for finding in report.failed if finding.of == of]
    lost = report.find(of, "nothing lost").intervals
    return {
        "E": f"{accuracy.errors[worst]:.4g}",
        "at": f"{float(accuracy.z[worst]):.7g}",
        "lost": " ".join(f"{low:.7g}..{high:.7g}" for low, high in lost),
    } | {
        aspect: "; ".join(finding.detail for finding in failed if finding.aspect == aspect)
        for aspect in SPECIAL
    }


def main(libraries):
    known = []
    if RESULTS.exists():
        with RESULTS.open(newline="") as file:
            known = list(csv.DictReader(file))
    for library in libraries:
        measured = []
        for row in rows(library):
            measured.append(row)
            print(row["library"], row["function"], row["format"], row.get("of"), flush=True)
        known = [row for row in known if row["library"] != library] + measured
        write(sorted(known, key=lambda row: (row["library"], row["function"])))


def write(table):
    """Replace the file at once, so that a crash leaves the old one."""
    new = RESULTS.with_suffix(".new")
    with new.open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n", restval="")
        writer.writeheader()
        writer.writerows(table)
    new.replace(RESULTS)


if __name__ == "__main__":
    main(sys.argv[1:])
