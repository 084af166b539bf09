"""Stream a data set through a model and report what its activations do."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Set
from contextlib import ExitStack
from numbers import Integral, Real
from typing import Any

import keras
import numpy as np

from actlib._core.names import hint, listed
from actlib.diagnose.batches import batches, check, length
from actlib.diagnose.derivatives import rectifies
from actlib.diagnose.finding import Finding
from actlib.diagnose.normalisation import may_differ, run, stale, watched
from actlib.diagnose.origin import Origin
from actlib.diagnose.places import holds_activation, joined, layers, operations
from actlib.diagnose.probe import Probe
from actlib.diagnose.record import Record
from actlib.diagnose.report import Diagnosis
from actlib.diagnose.restore import eagerly, random_state, restored, variables
from actlib.diagnose.tally import FLOAT16_MAX, Tally
from actlib.health import dormancy

_LOCK = threading.RLock()  # a model that is looked at is changed for a while


def inspect(
    model: keras.Model,
    data: Any,
    batch_size: int = 256,
    per_unit: bool = False,
    *,
    flat: float = 0.01,
    share: float = 0.95,
    dormant: float = 0.025,
    only: str | Iterable[str] | None = None,
) -> Diagnosis:
    """Report dead, dormant, saturated and lost units of a model on a whole data set.

    Each activation is judged over all of its uses: all samples, all places of a feature map, all
    time steps that are no padding, and all calls of a layer that is shared. A feature map of a
    convolution is one unit. Seen are the activations that layers have as ``activation=`` and the
    like, under any other name or in a list, the layers ``Activation``, ``ReLU``, ``LeakyReLU``,
    ``ELU``, ``PReLU`` and those of `actlib.keras`, the operations of a functional model, and what a
    layer of your own calls by its name: ``keras.ops.relu``, ``tf.nn.relu``. A layer of your own in
    which other operations run that activations are made of, or one that calls a compiled graph with
    such operations (a SavedModel), is named as not judged.

    The derivative is that of the registry where the function's values are those of an entry, and
    estimated by finite differences elsewhere, which the report says.

    A model with batch normalisation is judged twice: in training mode, with the statistics of each
    batch (so `batch_size` should be that of training), and in use, with the moving ones. Where the
    two kinds of statistics are far apart, that is a finding of its own. Layers that are frozen, or
    called with ``training=False``, have the moving ones in both, as they have when Keras trains.

    Parameters
    ----------
    model : keras.Model
        A built model of any kind. It is left as it was, also after an error or an interrupt, and so
        is the state of all random numbers.
    data : array, list or dict of arrays, tf.data.Dataset, keras.utils.PyDataset or iterable
        What the model takes, with targets or without. The memory needed does not grow with it. It
        is gone through once, so a dataset that shuffles has another order the next time.
    batch_size : int, default 256
        How many samples of an array pass at a time.
    per_unit : bool, optional
        Whether to keep the numbers of each unit, for `Diagnosis.units_frame`.
    flat : float, default 0.01
        A derivative is flat below this share of the largest that the activation has.
    share : float, default 0.95
        A unit is saturated if its derivative is flat on at least this share of its inputs, and lost
        if its gradient is lost on at least this share.
    dormant : float, default 0.025
        A unit is dormant if its mean absolute output is at most this share of its layer's mean.
    only : str or iterable of str, optional
        The layers to report on, by their paths, with all that is in them; all if it is left out.

    Returns
    -------
    actlib.diagnose.Diagnosis
        With one `Finding` for each activation and mode.

    Raises
    ------
    ValueError
        If the model is not built or has no activation that could be judged, the data have no end or
        no samples, an argument is out of its range, or there is no such layer.
    TypeError
        If `model` is no Keras model, or `data` nothing to get batches from.

    Examples
    --------
    >>> import keras
    >>> import numpy as np
    >>> from actlib import diagnose
    >>> dense = keras.layers.Dense(2, activation="relu", name="hidden")
    >>> model = keras.Sequential([keras.Input([1]), dense])
    >>> dense.set_weights([np.ones((1, 2)), np.array([0.0, -9.0])])
    >>> diagnosis = diagnose.inspect(model, np.linspace(-1, 1, 100).reshape(100, 1))
    >>> diagnosis.findings[0].dead
    1
    """
    if not isinstance(model, keras.Model):
        raise TypeError(f"model must be a Keras model, got {type(model).__name__}")
    if not model.built:
        raise ValueError("the model is not built; call it on a batch, or give it an Input, first")
    check(data)
    check_count("batch_size", batch_size)
    check_share("flat", flat)
    check_share("share", share)
    check_share("dormant", dormant, zero=True)
    names = _names(model, only)
    modes = ["use", "training"] if may_differ(model) else ["both"]
    records = {mode: Record(flat) for mode in modes}
    origin = Origin()
    inputs = (x for x, *_ in batches(data, batch_size))
    n, differing = _run(model, inputs, records, origin)
    if not n:
        raise ValueError("the data hold no samples")
    old = stale(model, records["training"].normalised, differing) if differing else ()
    if not differing:
        records = {"both": records[modes[0]]}
    counted, unjudged = _counted(records), _unjudged(model, next(iter(records.values())))
    if not counted:
        reasons = [f"{path}: {reason}" for path, reason in unjudged.items()]
        raise ValueError("\n".join(["the model has no activation that could be judged", *reasons]))
    counted = [(mode, tally) for mode, tally in counted if _within(tally.place.path, names)]
    limits = share, dormant
    return Diagnosis(
        findings=tuple(_finding(tally, mode, n, *limits) for mode, tally in counted),
        n=n,
        batch_size=batch_size,
        origin=origin.found,
        unjudged={path: why for path, why in unjudged.items() if _within(path, names)},
        stale=old,
        units=tuple(_units(tally, *limits) for _, tally in counted) if per_unit else (),
        samples=tuple(tally.sample for _, tally in counted),
    )


def check_count(name: str, value: Any) -> None:
    """Refuse what is no whole number from 1 on."""
    if not isinstance(value, Integral) or value < 1:
        raise ValueError(f"{name} must be a whole number, at least 1, got {value!r}")


def check_share(name: str, value: Any, zero: bool = False) -> None:
    """Refuse what is no number up to 1 and above 0, which may itself be allowed."""
    number = float(value) if isinstance(value, Real) else np.nan
    if not 0 <= number <= 1 or (number == 0 and not zero):
        bounds = "from 0 to 1" if zero else "above 0 and at most 1"
        raise ValueError(f"{name} must be a share, {bounds}, got {value!r}")


def _names(model: Any, only: str | Iterable[str] | None) -> tuple[str, ...]:
    """The paths that were asked for, each of which must be one in the model."""
    names = () if only is None else listed(only)
    known = [path or layer.name for path, layer in layers(model)]
    known += [
        joined(path, part.name) for path, layer in layers(model) for part in operations(layer)
    ]
    for name in names:
        if name not in known:
            raise ValueError(f"the model has no layer {name!r}{hint(name, known)}")
    return names


def _within(path: str, names: tuple[str, ...]) -> bool:
    """Whether a path leads to or into something that was asked for."""
    return not names or any(re.match(rf"{re.escape(name)}($|[/.\[ ])", path) for name in names)


def _run(
    model: Any, data: Iterable[Any], records: dict[str, Record], origin: Origin
) -> tuple[int, Set[Any]]:
    """Show the model all batches in each mode: how many samples, and layers that differ by mode."""
    n, probe = 0, Probe(origin)
    with _LOCK, random_state(), ExitStack() as stack:
        kept = variables(model)
        stack.enter_context(restored(kept))
        stack.enter_context(probe.attached(model))
        modes = stack.enter_context(watched(model))
        moved = [variable for variable in kept if "float" in str(variable.dtype)]
        for batch in data:
            origin.check(batch, "the data")
            for mode, record in records.items():
                training = mode == "training"
                with eagerly(), probe.showing(record), restored(moved if training else ()):
                    run(model, batch, training)
            n += length(batch)
    return n, {layer for layer, found in modes.items() if len(found) == 2}


def _counted(records: dict[str, Record]) -> list[tuple[str, Tally]]:
    """What was counted at each place, by mode, training first; not where all was padding."""
    keys = dict.fromkeys(key for record in records.values() for key in record.tallies)
    return [
        (mode, tally)
        for key in keys
        for mode, record in reversed(records.items())
        if (tally := record.tallies.get(key)) and tally.before.n
    ]


def _unjudged(model: Any, record: Record) -> dict[str, str]:
    """Why activations could not be judged, by the path of their layer."""
    found = dict(record.unjudged)
    for path, layer in layers(model):
        if id(layer) not in record.entered and holds_activation(layer):
            found[path or layer.name] = "not evaluated"
    for tally in record.tallies.values():
        if tally and not tally.before.n:
            found[tally.place.path] = "reached by padding alone"
    return found


def _marks(tally: Tally, share: float, dormant: float) -> dict[str, np.ndarray]:
    n = tally.before.n
    dead = tally.zero == n
    marks = {
        "dead": dead,
        "saturated": (tally.flat >= share * n) & ~dead,
        "lost": tally.lost >= share * n,
    }
    if rectifies(tally.exact):
        marks["dormant"] = dormancy(tally.sizes / n) <= dormant
    return marks


def _finding(tally: Tally, mode: str, n: int, share: float, dormant: float) -> Finding:
    marks = _marks(tally, share, dormant)
    counts = {kind: int(mark.sum()) for kind, mark in marks.items()}
    units = marks["dead"].size
    pre_mean, pre_std = tally.before.pooled()
    mean, std = tally.after.pooled()
    return Finding(
        layer=tally.place.path,
        mode=mode,
        activation=tally.exact.name,
        units=units,
        dead=counts["dead"],
        dormant=counts.get("dormant"),
        saturated=counts["saturated"],
        lost=counts["lost"],
        lost_share=float(tally.lost.sum() / (tally.before.n * units)),
        at_kink=float(tally.at_kink.sum() / (tally.before.n * units)),
        pre_mean=pre_mean,
        pre_std=pre_std,
        mean=mean,
        std=std,
        gain=tally.gain(),
        float16_margin=float(np.divide(FLOAT16_MAX, tally.largest)) if tally.largest else np.inf,
        n=n,
        method=tally.exact.method,
    )


def _units(tally: Tally, share: float, dormant: float) -> dict[str, np.ndarray]:
    n = tally.before.n
    return {
        **_marks(tally, share, dormant),
        "zero_share": tally.zero / n,
        "flat_share": tally.flat / n,
        "lost_share": tally.lost / n,
        "pre_mean": tally.before.mean,
        "mean": tally.after.mean,
    }
