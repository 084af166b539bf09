"""Train one trial. This is what runs in a worker, wherever that is."""

from __future__ import annotations

import base64
import importlib
import math
import platform
import time
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from threadpoolctl import threadpool_limits

from actlib._core.arrays import Array
from actlib._core.registry import REGISTRY
from actlib.network import Network, accuracy, mini_batches, squared_error
from actlib.study.data import Data, Split
from actlib.study.trial import INITS, Epoch, Record, Trial


def attempt(trial: Trial, data: Data) -> Record:
    """Train a trial, whatever happens.

    Parameters
    ----------
    trial : Trial
        What to train.
    data : Data
        What to train it on.

    Returns
    -------
    dict
        What the store keeps: ``status`` is ``"ok"``, ``"diverged"`` (a loss became infinite or NaN)
        or ``"failed"`` (an error was raised), and ``reason`` says where or why. ``right`` says on
        which of the examples that it was scored on a network is right in the end: their number,
        and a bit for each, packed and in base64. It is None for numbers to predict, and for a
        trial that did not end well.
    """
    started = time.perf_counter()
    record = _untrained(trial, data)
    try:
        with threadpool_limits(1), np.errstate(all="ignore"):
            _train(trial, data, record)
    except (Exception, SystemExit) as error:  # a result like others: the next trial may be fine
        record.update(status="failed", reason=f"{type(error).__name__}: {error}")
    seconds = round(time.perf_counter() - started, 3)
    return {**record, "versions": _versions(trial), "seconds": seconds}


def failed(trial: Trial, data: Data, reason: str) -> Record:
    """The result of a trial that `attempt` could not return, for example as its worker was killed.

    Parameters
    ----------
    trial, data
        As for `attempt`.
    reason : str
        What happened.

    Returns
    -------
    dict
        What the store keeps; what was used to train it, and for how long, is not known.
    """
    end: Record = {"status": "failed", "reason": reason, "versions": {}, "seconds": None}
    return _untrained(trial, data) | end


def _untrained(trial: Trial, data: Data) -> Record:
    return {
        "id": trial.id,
        "trial": trial.to_dict(),
        "data": data.fingerprint,
        "status": "ok",
        "reason": "",
        "metrics": {},
        "curves": {},
        "right": None,
    }


def check_optimisers(names: Iterable[str]) -> None:
    """Raise an error if Keras on TensorFlow is not there, or does not know one of these.

    Parameters
    ----------
    names : iterable of str
        Of optimisers, as a `Trial` has them.

    Raises
    ------
    ValueError, ImportError
        Before any trial is trained, in a worker: this process may be one without Keras.
    """
    from actlib.study.in_keras import optimiser

    for name in names:
        optimiser(name)


def _train(trial: Trial, data: Data, record: Record) -> None:
    split = data.split(trial.score_on)
    outputs = 1 if data.classes is None else len(data.classes)
    network = start(trial, split.x.shape[1], outputs)
    train = _EPOCHS[trial.backend](trial, network, split)
    batches = mini_batches(len(split.x), trial.batch_size, trial.epochs, trial.seed)
    curves = record["curves"]
    for epoch, rows in enumerate(np.split(batches, trial.epochs), 1):
        scores = {"fit_loss": train(rows), **_scores(network, split), **_learned(network)}
        for name, value in scores.items():
            curves.setdefault(name, []).append(_short(value))
        if bad := [name for name, value in scores.items() if not math.isfinite(value)]:
            what = "the loss" if {"fit_loss", "loss"} & {*bad} else bad[0]
            record.update(status="diverged", reason=f"{what} is not finite after epoch {epoch}")
            return
    dead = [np.all(slopes == 0, axis=0) for slopes in network.slopes(split.x)]
    record["metrics"] = {
        **scores,
        "dead_units": float(np.mean(dead)),
        "dead_layers": int(np.sum(np.all(dead, axis=1))),
    }
    if data.classes is not None:
        answers = network.forward(split.x_new)[1][-1].argmax(axis=1)
        record["right"] = _packed(answers == split.y_new)


def _packed(right: Array) -> Record:
    bits = base64.b64encode(np.packbits(right).tobytes()).decode()
    return {"examples": len(right), "bits": bits}


def unpacked(right: Record) -> Array:
    """Of each example, whether the network was right.

    Parameters
    ----------
    right : dict
        As a record has it.

    Returns
    -------
    ndarray
        Of booleans, of shape (examples,).
    """
    packed = np.frombuffer(base64.b64decode(right["bits"]), np.uint8)
    return np.unpackbits(packed, count=right["examples"]).astype(bool)


def _short(value: float) -> float | None:
    """Five digits are enough for a curve, and make a store half as large."""
    return float(f"{value:.5g}") if math.isfinite(value) else None


def start(trial: Trial, inputs: int, outputs: int) -> Network:
    """The network as it is before training.

    Parameters
    ----------
    trial : Trial
        What to train.
    inputs, outputs : int
        How many numbers go in, and how many come out.

    Returns
    -------
    actlib.network.Network
        With a squared error as its loss where one number comes out.

    Examples
    --------
    >>> from actlib import study
    >>> network = study.start(study.Trial(depth=3, width=32), inputs=64, outputs=10)
    >>> [layer["weight"].shape for layer in network.layers]
    [(64, 32), (32, 32), (32, 32), (32, 10)]
    """
    network = Network(
        [inputs, *[trial.width] * trial.depth, outputs],
        REGISTRY.elementwise[trial.activation],
        learned=trial.learned,
        params=dict(trial.params),
        gain=1.0,
        bias=trial.bias,
        scale=trial.scale,
        offset=trial.offset,
        seed=trial.seed,
        loss=squared_error if outputs == 1 else None,
    )
    for layer in network.layers:
        weight = layer["weight"]
        hidden = layer is not network.layers[-1]
        weight *= INITS[trial.init](*weight.shape) * math.sqrt(len(weight))
        weight *= trial.gain if hidden else 1.0
    return network


def _scores(network: Network, split: Split) -> dict[str, float]:
    """The loss on new examples, and the share of right answers or of variance explained."""
    outputs = network.forward(split.x_new)[1][-1]
    loss = network.loss(outputs, split.y_new)[0]
    if outputs.shape[1] == 1:
        return {"loss": loss, "r2": 1 - loss / float(np.var(split.y_new))}
    return {"loss": loss, "accuracy": accuracy(outputs, split.y_new)}


def _learned(network: Network) -> dict[str, float]:
    return {
        f"{name}_{number}": float(layer[name][0])
        for number, layer in enumerate(network.layers[:-1], 1)
        for name in network.partials
    }


def _in_numpy(trial: Trial, network: Network, split: Split) -> Epoch:
    def epoch(rows: Array) -> float:
        decay = dict(trial.decay)
        return float(network.fit(split.x, split.y, rows, rate=trial.rate, decay=decay).mean())

    return epoch


def _in_keras(trial: Trial, network: Network, split: Split) -> Epoch:
    from actlib.study.in_keras import epochs

    return epochs(trial, network, split)


_EPOCHS = {"numpy": _in_numpy, "keras": _in_keras}


def _versions(trial: Trial) -> dict[str, str]:
    names = ["actlib", "numpy", *(["keras", "tensorflow"] if trial.backend == "keras" else [])]
    return {"python": platform.python_version(), **{name: _version(name) for name in names}}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # TensorFlow has several distributions
        return str(importlib.import_module(name).__version__)
