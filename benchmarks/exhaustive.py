"""Measure functions at every float32 number: exhaustive.py [PATH...], such as compiled.gelu.grad.

By default the five below, their derivatives, and the same compiled. The reference is the compiled
float64 kernel, which the tests check against mpmath. Results are written to exhaustive.csv as they
come; a function takes some minutes.
"""

import csv
import sys
from operator import attrgetter
from pathlib import Path

import numpy as np

import actlib
import actlib.compiled

RESULTS = Path(__file__).with_suffix(".csv")
FIELDS = ["function", "inputs", "worst_E", "at", "got", "exact", "lost"]
NAMES = ["relu", "sigmoid", "tanh", "softplus", "gelu"]
CHUNK = 2**22
EPS, TINY = np.finfo(np.float32).eps, np.finfo(np.float32).tiny


def slope(function, z):
    """Central differences in float64: good to many more digits than a measure of error needs."""
    step = 1e-5 * np.maximum(np.abs(z), 1e-30)
    return (function(z + step) - function(z - step)) / (2 * step)


def measure(path):
    """Compare at all 2**32 bit patterns; NaN must give NaN."""
    function, wide_function = (attrgetter(p)(actlib) for p in (path, compiled(path)))
    worst = {"worst_E": -1.0}
    inputs = lost = 0
    for start in range(0, 2**32, CHUNK):
        z = np.arange(start, start + CHUNK, dtype=np.uint64).astype(np.uint32).view(np.float32)
        got = function(z)
        if not np.array_equal(np.isnan(got), np.isnan(z)):
            raise SystemExit(f"{path}: NaN where there was none, or none where there was")
        finite = np.isfinite(z)
        z, got = z[finite], got[finite]
        wide = z.astype(np.float64)
        exact = wide_function(wide)
        conditioned = np.abs(wide * slope(wide_function, wide))
        error = np.abs(got - exact) / (EPS * (np.abs(exact) + conditioned) + TINY)
        certain = (np.abs(exact) >= TINY) & (np.abs(exact) > 4 * EPS * conditioned)
        lost += int(np.count_nonzero(certain & (np.sign(got) != np.sign(exact))))
        inputs += z.size
        if z.size and error.max() > worst["worst_E"]:
            i = error.argmax()
            worst = {"worst_E": error[i], "at": z[i], "got": got[i], "exact": exact[i]}
    return {"function": path, "inputs": inputs, "lost": lost} | {
        key: f"{float(value):.9g}" for key, value in worst.items()
    }


def compiled(path):
    """Where the same function is found compiled."""
    return f"compiled.{path.removeprefix('compiled.')}"


def main(paths):
    known = {}
    if RESULTS.exists():
        with RESULTS.open(newline="") as file:
            known = {row["function"]: row for row in csv.DictReader(file)}
    for path in paths:
        known[path] = measure(path)
        print(known[path], flush=True)
        with RESULTS.open("w", newline="") as file:
            writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(known[key] for key in sorted(known))


if __name__ == "__main__":
    plain = [f"{name}{of}" for name in NAMES for of in ("", ".grad")]
    main(sys.argv[1:] or [*plain, *map(compiled, plain)])
