"""Stream a data set through a model and report what its activations do."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import keras
import numpy as np

from actlib.diagnose.batches import batches, length
from actlib.diagnose.derivatives import exact
from actlib.diagnose.finding import Finding
from actlib.diagnose.places import places
from actlib.diagnose.probe import Origin, eagerly, unchanged, watched
from actlib.diagnose.report import Diagnosis
from actlib.diagnose.tally import FLOAT16_MAX, Tally


def inspect(
    model: keras.Model,
    data: Any,
    batch_size: int = 256,
    per_unit: bool = False,
    *,
    flat: float = 0.01,
    share: float = 0.95,
) -> Diagnosis:
    """Report dead, saturated and lost units of a model on a whole data set.

    Each activation that a layer holds is judged over all of its uses: all samples, all places of a
    feature map, all time steps, and all calls where a layer is shared. A feature map of a
    convolution is one unit. Seen are the activations that layers have as ``activation=`` and the
    like, and the layers ``Activation``, ``ReLU``, ``LeakyReLU``, ``ELU``, ``PReLU`` and those of
    `actlib.keras`; not those that a model calls by itself, such as ``tf.nn.relu(z)`` in ``call``.

    The derivative is that of the registry where the function's values are those of an entry, and
    estimated by finite differences elsewhere, which the report says.

    Parameters
    ----------
    model : keras.Model
        A built model of any kind. It is left as it was, also after an error or an interrupt.
    data : array, list or dict of arrays, tf.data.Dataset, keras.utils.PyDataset or iterable
        What the model takes, with targets or without. The memory needed does not grow with it.
    batch_size : int, default 256
        How many samples of an array pass at a time.
    per_unit : bool, optional
        Whether to keep the numbers of each unit, for `Diagnosis.units_frame`.
    flat : float, default 0.01
        A derivative is flat below this share of the largest that the activation has.
    share : float, default 0.95
        A unit is saturated if its derivative is flat on at least this share of its inputs.

    Returns
    -------
    actlib.diagnose.Diagnosis
        With one `Finding` for each activation.

    Raises
    ------
    ValueError
        If the model is not built or has no activation, or the data have no end or no samples.
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
    tallies, skipped = [], []
    for place in places(model):
        known = exact(place)
        if known is None:
            skipped.append(f"{place.path}: its activation is not elementwise; it is not judged.")
        else:
            tallies.append(Tally(place, known, flat))
    if not tallies:
        raise ValueError("\n".join(["the model has no activation that could be judged", *skipped]))
    origin = Origin()
    n = _run(model, data, batch_size, tallies, origin)
    if not n:
        raise ValueError("the data hold no samples")
    seen = sorted((tally for tally in tallies if tally.before.n), key=lambda tally: tally.started)
    skipped += [f"{tally.place.path}: not evaluated." for tally in tallies if not tally.before.n]
    return Diagnosis(
        findings=tuple(_finding(tally, n, share) for tally in seen),
        n=n,
        origin=origin.found,
        skipped=tuple(skipped),
        units=tuple(unit for tally in seen for unit in _units(tally, share)) if per_unit else (),
        samples=tuple(tally.sample for tally in seen),
    )


def _run(model: Any, data: Any, batch_size: int, tallies: list[Tally], origin: Origin) -> int:
    n = 0
    with ExitStack() as stack:
        stack.enter_context(unchanged(model))
        for tally in tallies:
            stack.enter_context(watched(tally.place, tally.add))
        stack.enter_context(origin.watching(model))
        for batch in batches(data, batch_size):
            origin.check(batch, "the data")
            with eagerly():
                model(batch, training=False)
            n += length(batch)
    return n


def _marks(tally: Tally, share: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    dead = tally.zero == tally.before.n
    return dead, (tally.flat >= share * tally.before.n) & ~dead, tally.lost > 0


def _finding(tally: Tally, n: int, share: float) -> Finding:
    dead, saturated, lost = _marks(tally, share)
    inputs = tally.before.n * dead.size
    pre_mean, pre_std = tally.before.pooled()
    mean, std = tally.after.pooled()
    return Finding(
        layer=tally.place.path,
        activation=tally.exact.name,
        units=dead.size,
        dead=int(dead.sum()),
        saturated=int(saturated.sum()),
        lost=int(lost.sum()),
        lost_share=float(tally.lost.sum() / inputs),
        at_kink=float(tally.at_kink.sum() / inputs),
        pre_mean=pre_mean,
        pre_std=pre_std,
        mean=mean,
        std=std,
        gain=tally.gain(),
        float16_margin=float(np.divide(FLOAT16_MAX, tally.largest)) if tally.largest else np.inf,
        n=n,
        method=tally.exact.method,
    )


def _units(tally: Tally, share: float) -> list[dict[str, Any]]:
    n = tally.before.n
    columns = {
        **dict(zip(("dead", "saturated", "lost"), _marks(tally, share), strict=True)),
        "zero_share": tally.zero / n,
        "flat_share": tally.flat / n,
        "lost_share": tally.lost / n,
        "pre_mean": tally.before.mean,
        "mean": tally.after.mean,
    }
    return [
        {
            "layer": tally.place.path,
            "activation": tally.exact.name,
            "unit": unit,
            **dict(zip(columns, values, strict=True)),
        }
        for unit, values in enumerate(zip(*(c.tolist() for c in columns.values()), strict=True))
    ]
