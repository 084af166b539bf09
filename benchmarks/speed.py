"""Time every function beside other libraries: speed.py [--store] [NAME...], by default all.

All take turns in one process, on one thread and the same NumPy array, and make a fresh array. What
counts are ratios of medians. They are compared with those in ``speed.csv``: it is an error if one
has become more than 1.5 times worse, twice in a row. ``--store`` writes them there instead.
"""

import os

os.environ.update(
    dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"], "1"),
    TF_NUM_INTRAOP_THREADS="1",
    TF_NUM_INTEROP_THREADS="1",
    XLA_FLAGS="--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    JAX_PLATFORMS="cpu",
    TF_CPP_MIN_LOG_LEVEL="3",
)

import sys
import time
from functools import partial
from importlib.metadata import version

import jax
import numpy as np
import torch
from peers import DISTRIBUTIONS, TABLES, processor, write
from scipy import special

from actlib import REGISTRY, compiled
from actlib._core import blocks
from actlib.book.tables import recorded
from actlib.check import from_jax, from_tensorflow, from_torch, shipped

FIELDS = ["function", "of", "dtype", "n", "contender", "version", "ns", "date", "processor"]
SIZES = (10**3, 10**5, 10**7)
CURVE = ("relu", "sigmoid")  # these are timed from 1 to 10**8, too
BLOCKS = [2**k for k in range(13, 22)]  # bytes
VECTOR = 100  # numbers in each of the vectors of a function of vectors
SECONDS, ROUNDS = 0.1, (5, 200)  # for each contender, and how many rounds at least and at most
WORSE = 1.5
#: Other ways to call ours, beside blocks of other sizes.
OWN = ("actlib", "compiled", "2 threads", "into place", "together", "apart")


def sigma(z):
    return 1 / (1 + np.exp(-z))


# What one would write in NumPy: the value and the slope, with no care for accuracy.
TEXTBOOK = {
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(z.dtype)),
    "leaky_relu": (
        lambda z: np.where(z > 0, z, z.dtype.type(0.01) * z),
        lambda z: np.where(z > 0, z.dtype.type(1), z.dtype.type(0.01)),
    ),
    "relu6": (lambda z: np.clip(z, 0, 6), lambda z: ((z > 0) & (z < 6)).astype(z.dtype)),
    "hard_tanh": (lambda z: np.clip(z, -1, 1), lambda z: (np.abs(z) < 1).astype(z.dtype)),
    "sigmoid": (sigma, lambda z: sigma(z) * (1 - sigma(z))),
    "softplus": (lambda z: np.logaddexp(z.dtype.type(0), z), sigma),
    "log_sigmoid": (lambda z: -np.logaddexp(z.dtype.type(0), -z), lambda z: 1 - sigma(z)),
    "silu": (lambda z: z * sigma(z), lambda z: sigma(z) * (1 + z * (1 - sigma(z)))),
    "elu": (
        lambda z: np.where(z > 0, z, np.expm1(z)),
        lambda z: np.where(z > 0, z.dtype.type(1), np.exp(z)),
    ),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "gelu": (
        lambda z: z * special.ndtr(z),
        lambda z: special.ndtr(z) + z * np.exp(-0.5 * z * z) / np.sqrt(z.dtype.type(2 * np.pi)),
    ),
}
SCIPY = {
    "sigmoid": special.expit,
    "softplus": lambda z: -special.log_expit(-z),
    "log_sigmoid": special.log_expit,
    "silu": lambda z: z * special.expit(z),
    "gelu": lambda z: z * special.ndtr(z),
    "ndtr": special.ndtr,
}


PEERS = {
    "tensorflow": from_tensorflow,
    "torch": partial(from_torch, copy=False),
    "jax": from_jax,
}


def in_blocks(size, f):
    """Our own function, with blocks of another size."""

    def timed(z):
        usual, blocks.BLOCK = blocks.BLOCK, size
        try:
            return f(z)
        finally:
            blocks.BLOCK = usual

    return timed


def contenders(name, of, z):
    """Who takes part, by name: ours, the same compiled, the least that any can take, and others."""
    plain, fast = REGISTRY[name], compiled.REGISTRY[name]
    if of == "vjp":
        return products(name, plain, fast, z)
    slope = of == "derivative"
    ours, quick = (plain.grad, fast.grad) if slope else (plain, fast)
    found = {"actlib": ours, "compiled": quick, "np.maximum": lambda z: np.maximum(z, 0)}
    if plain.spec.elementwise:
        found["into place"] = partial(ours, out=np.empty_like(z))
        if z.size == max(SIZES):
            found["2 threads"] = partial(quick, threads=2)
    if slope:
        found["together"] = plain.value_and_grad
        found["apart"] = lambda z: (plain(z), plain.grad(z))
        found["compiled together"] = fast.value_and_grad
    if name in TEXTBOOK:
        found["textbook"] = TEXTBOOK[name][slope]
    if name in SCIPY and not slope:
        found["scipy"] = SCIPY[name]
    for library, fn in peers(name, z):
        found[library] = PEERS[library](fn)[slope]
    if name == "relu" and not slope:
        found |= {"copy": np.copy, "copy into place": partial(np.copyto, np.empty_like(z))}
        found |= {"np.exp": np.exp, "np.expm1": np.expm1}
    if name == "sigmoid" and z.size == max(SIZES):
        found |= {f"blocks of {size}": in_blocks(size, ours) for size in BLOCKS}
    return found


def peers(name, z):
    """What other libraries ship: the library, and its function with the right options."""
    for library in PEERS:
        if library in REGISTRY[name].spec.peers and name != "prelu" and z.size <= max(SIZES):
            fn, options = shipped(name, library)
            yield library, partial(fn, **options)


def products(name, plain, fast, z):
    """Products with an upstream gradient; PyTorch is given its backward pass alone."""
    upstream = np.random.default_rng(1).normal(size=plain(z).shape).astype(z.dtype)
    found = {
        "actlib": lambda z: plain.vjp(z, upstream),
        "compiled": lambda z: fast.vjp(z, upstream),
        "np.maximum": lambda z: np.maximum(z, 0),
    }
    for library, fn in peers(name, z):
        if library == "torch":
            x = torch.from_numpy(z).clone().requires_grad_()
            backward = partial(
                torch.autograd.grad, fn(x), x, torch.from_numpy(upstream), retain_graph=True
            )
            found[library] = lambda z, backward=backward: backward()
        elif library == "jax":
            pulled = jax.jit(lambda z, u, fn=fn: jax.vjp(fn, z)[1](u)[0])
            found[library] = lambda z, pulled=pulled: np.asarray(pulled(z, upstream))
    return found


def race(functions, z):
    """The median time of each, in nanoseconds for an element.

    They take turns, in an order that changes: what one leaves in the cache would always serve the
    same other.
    """
    shuffled = np.random.default_rng(0)
    for f in functions:  # some are compiled at their first call
        f(z)
    start = time.perf_counter()
    for f in functions:
        f(z)
    once = time.perf_counter() - start
    calls = max(1, int(2e-3 * len(functions) / once))  # so that caches are warm in most of them
    rounds = int(np.clip(SECONDS * len(functions) / (once * calls), *ROUNDS))
    times = np.empty((rounds, len(functions)))
    for row in times:
        for i in shuffled.permutation(len(functions)):
            start = time.perf_counter()
            for _ in range(calls):
                functions[i](z)
            row[i] = (time.perf_counter() - start) / calls
    return np.median(times, axis=0) * 1e9 / z.size


def cases(names):
    for name in names:
        for of in ("value", "derivative", "vjp"):
            if of == "derivative" and not REGISTRY[name].spec.elementwise:
                continue
            for dtype in ("float32", "float64"):
                curve = name in CURVE and dtype == "float32" and of != "vjp"
                for n in [10**k for k in range(9)] if curve else SIZES:
                    yield name, of, dtype, n


def measure(case):
    """The rows of one case."""
    name, of, dtype, n = case
    z = np.random.default_rng(0).normal(0, 3, n).astype(dtype)
    if not REGISTRY[name].spec.elementwise:
        z = z.reshape(-1, VECTOR)
    found = contenders(name, of, z)
    with np.errstate(all="ignore"):
        times = race(list(found.values()), z)
    for contender, ns in zip(found, times, strict=True):
        package = "actlib" if is_own(contender) else contender
        package = package if package in (*PEERS, "scipy", "actlib") else "numpy"
        yield {
            **dict(zip(FIELDS, (*case, contender), strict=False)),
            "version": version(DISTRIBUTIONS.get(package, package)),
            "ns": f"{ns:.4g}",
            "date": time.strftime("%Y-%m-%d"),
            "processor": processor(),
        }


def is_own(contender):
    return contender in OWN or contender.startswith(("blocks", "compiled"))


def ratios(rows):
    """How many times as long as ours each takes, by case and contender."""
    times = {(*(str(row[key]) for key in FIELDS[:5]),): float(row["ns"]) for row in rows}
    return {key: ns / times[*key[:4], "actlib"] for key, ns in times.items()}


def worse(rows, stored):
    """What others have become quicker than before, compared with ours, and ours slower."""
    before, found = ratios(stored), []
    for key, now in ratios(rows).items():
        former = before.get(key, now)
        change = now / former if is_own(key[-1]) else former / now
        if change > WORSE:
            case = " ".join(key)
            found.append(f"{case}: {former:.2f} times as long as ours before, {now:.2f} now")
    return found


def updated(stored, case, rows):
    """All rows, with these in the place of the case's former ones."""
    former = tuple(map(str, case))
    kept = [row for row in stored if tuple(str(row[key]) for key in FIELDS[:4]) != former]
    return sorted(kept + rows, key=lambda row: (row["function"], row["of"]))


def main(arguments):
    stored, failed = recorded("speed"), []
    names = [name for name in arguments if name != "--store"] or list(REGISTRY)
    for case in cases(names):
        rows = list(measure(case))
        print(*case, *(f"{row['contender']} {row['ns']}" for row in rows), sep="  ", flush=True)
        if "--store" in arguments:
            stored = updated(stored, case, rows)
            write(TABLES / "speed.csv", stored)
        elif worse(rows, stored):
            failed += worse(list(measure(case)), stored)
    print(*failed, sep="\n")
    if others := {row["processor"] for row in stored} - {processor()}:
        print("The stored times are of another processor, which has other ratios:", *others)
    return bool(failed)


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    torch.set_num_threads(1)
    sys.exit(main(sys.argv[1:]))
