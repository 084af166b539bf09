"""What is trained: one trial, and the grid of many."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import operator
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from actlib._core.arrays import Array
from actlib._core.names import hint, listed
from actlib._core.registry import REGISTRY

#: Trains on the given batches, one step each, and returns the mean loss.
Epoch = Callable[[Array], float]
#: What became of a trial, as a store keeps it; see `actlib.study.training.attempt`.
Record = dict[str, Any]
#: The standard deviation of initial weights, for a layer of so many inputs and units.
INITS = {
    "he": lambda inputs, units: math.sqrt(2 / inputs),
    "glorot": lambda inputs, units: math.sqrt(2 / (inputs + units)),
    "lecun": lambda inputs, units: math.sqrt(1 / inputs),
}
BACKENDS = ("numpy", "keras")
PARTS = ("test", "validation")


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One network, trained once.

    Trials are values: equal ones have equal results, whatever trains them and in whatever order. On
    processors of another kind the last digits may differ, since sums are rounded differently.

    Parameters
    ----------
    activation : str
        What the hidden layers apply: a name of ``actlib.REGISTRY.elementwise``.
    params : mapping of str to float
        The activation's parameters, where they are not the defaults.
    learned : str or tuple of str
        Those of them that are trained, one number for each hidden layer.
    data : str or os.PathLike
        A name that `load` knows, the path of an ``.npz`` file, or a name given to `run`.
    score_on : {"test", "validation"}
        Which examples are kept to score the network on. To choose a learning rate, or anything
        else, use the validation examples; training then does not see the test examples at all.
    depth, width : int
        The number of hidden layers, and of units in each.
    init : {"he", "glorot", "lecun"}
        The variance of the initial weights: 2 / inputs, 2 / (inputs + units) or 1 / inputs.
    gain : float
        A factor for the initial weights of the hidden layers.
    bias : float
        The first biases of the hidden layers.
    scale, offset : float
        A hidden layer passes on ``scale * f(z) + offset``.
    optimiser : str
        ``"sgd"`` or, with Keras, another that ``keras.optimizers.get`` knows.
    rate : float
        Learning rate, not negative.
    decay : mapping of str to float
        Weight decay, not negative, by what decays: ``weight``, ``bias`` or a learned parameter.
        NumPy only.
    epochs, batch_size : int
        How often each example is used, and how many make a step.
    backend : {"numpy", "keras"}
        What trains: `actlib.network`, in float64, or Keras, in float32. Both begin with the same
        weights and take the same batches.
    seed : int
        Not negative; seed of the initial weights and the batches.

    Raises
    ------
    ValueError, TypeError
        If a field is none of what it may be; the text says which, and what it may be.

    Examples
    --------
    >>> from actlib.study import Trial
    >>> Trial(activation="leaky_relu", params={"slope": 0.2}, seed=3).label
    'leaky_relu(slope=0.2)'
    """

    activation: str = "relu"
    params: Any = ()
    learned: Any = ()
    data: str = "digits"
    score_on: str = "test"
    depth: int = 2
    width: int = 32
    init: str = "he"
    gain: float = 1.0
    bias: float = 0.0
    scale: float = 1.0
    offset: float = 0.0
    optimiser: str = "sgd"
    rate: float = 0.1
    decay: Any = ()
    epochs: int = 10
    batch_size: int = 32
    backend: str = "numpy"
    seed: int = 0

    def __post_init__(self) -> None:
        activation = REGISTRY.elementwise[self.activation]
        self._set("data", _name(self.data))
        self._set("learned", tuple(sorted(listed(self.learned))))
        for name in ("params", "decay"):
            self._set(name, _pairs(name, getattr(self, name)))
        for name in ("depth", "width", "epochs", "batch_size", "seed"):
            self._set(name, _integer(name, getattr(self, name), least=int(name != "seed")))
        for name in ("gain", "bias", "scale", "offset", "rate"):
            self._set(name, _number(name, getattr(self, name)))
        for name, value in (("rate", self.rate), *self.decay):
            if value < 0:
                raise ValueError(f"{name} must not be negative, got {value}")
        _one_of("init", self.init, INITS)
        _one_of("backend", self.backend, BACKENDS)
        _one_of("score_on", self.score_on, PARTS)
        for name in self.learned:
            _one_of(f"a learned parameter of {self.activation}", name, activation.spec.params)
        if len(set(self.learned)) < len(self.learned):
            raise ValueError(f"learned names a parameter twice: {', '.join(self.learned)}")
        for name, _ in self.decay:
            _one_of("what decays", name, ("weight", "bias", *self.learned))
        activation(0.0, **dict(self.params))  # which says what is wrong, if anything is
        if self.backend == "numpy" and self.optimiser != "sgd":
            raise ValueError(f'backend="numpy" has the optimiser "sgd", not {self.optimiser!r}')
        if not isinstance(self.optimiser, str):
            raise TypeError(f"optimiser must be a name, got {self.optimiser!r}")
        if self.backend == "keras" and self.decay:
            raise ValueError('decay needs backend="numpy"')

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    @property
    def label(self) -> str:
        """The activation with its parameters, as it is called in results."""
        words = [f"{key}={_briefly(value)}" for key, value in self.params]
        words += [f"{key} learned" for key in self.learned]
        return f"{self.activation}({', '.join(words)})" if words else self.activation

    def to_dict(self) -> dict[str, Any]:
        """The fields, as JSON can hold them; ``Trial(**fields)`` is the trial again."""
        return {
            **asdict(self),
            "params": dict(self.params),
            "learned": list(self.learned),
            "decay": dict(self.decay),
        }

    @property
    def id(self) -> str:
        """A hash of the fields that are not the defaults, the same on every machine.

        A field that is added later, with a default that changes nothing, leaves it as it is.
        """
        defaults = {field.name: field.default for field in fields(self)}
        given = {
            name: value
            for name, value in self.to_dict().items()
            if getattr(self, name) != defaults[name]
        }
        text = json.dumps(given, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def grid(**axes: Any) -> list[Trial]:
    """The product of some axes: a trial for each combination of their values.

    Parameters
    ----------
    **axes
        By the names of `Trial`'s fields: a value, or a list, tuple, range or the like of values.
        Parameters are mappings, so ``params=[{"slope": 0.1}, {"slope": 0.2}]`` is an axis. Lists
        of trials are added: ``grid(...) + grid(...)``.

    Returns
    -------
    list of Trial
        The last axis varies fastest.

    Raises
    ------
    TypeError
        If an axis is no field.
    ValueError
        If an axis is empty, or a value is not allowed.

    Examples
    --------
    >>> from actlib.study import grid
    >>> len(grid(activation=["relu", "gelu"], depth=(2, 8), seed=range(10)))
    40
    """
    names = [field.name for field in fields(Trial)]
    for name, values in axes.items():
        if name not in names:
            raise TypeError(f"a trial has no field {name!r}{hint(name, names)}")
        if not _values(values):
            raise ValueError(f"the axis {name} is empty")
    combinations = itertools.product(*map(_values, axes.values()))
    return [Trial(**dict(zip(axes, values, strict=True))) for values in combinations]


def _values(axis: Any) -> list[Any]:
    alone = isinstance(axis, (str, Mapping)) or not isinstance(axis, Iterable)
    return [axis] if alone else list(axis)


def _name(data: Any) -> str:
    if not isinstance(data, (str, os.PathLike)):
        raise TypeError(
            "data must be a name or a path; arrays are given to run by such a name, as "
            f"data={{'mine': (x, y)}}, got {type(data).__name__}"
        )
    return os.fsdecode(data)


def _pairs(name: str, values: Any) -> tuple[tuple[str, float], ...]:
    try:
        pairs = dict(values).items()
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be numbers by their names, got {values!r}") from None
    return tuple(sorted((key, _number(f"{name}[{key!r}]", value)) for key, value in pairs))


def _integer(name: str, value: Any, least: int) -> int:
    number: int = _as(operator.index, "an integer", name, value)
    if number < least:
        raise ValueError(
            f"{name} must {'be positive' if least else 'not be negative'}, got {number}"
        )
    if number >= 2**128:  # as large as seeds of NumPy are made
        raise ValueError(f"{name} must be less than 2**128")
    return number


def _number(name: str, value: Any) -> float:
    number: float = _as(float, "a number", name, value)
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, got {number}")
    return number


def _briefly(number: float) -> str:
    """With six digits, if they say all of it."""
    words = f"{number:g}"
    return words if float(words) == number else repr(number)


def _as(kind: Callable[[Any], Any], words: str, name: str, value: Any) -> Any:
    try:
        if not isinstance(value, bool):
            return kind(value)
    except (TypeError, ValueError, OverflowError):
        pass
    raise TypeError(f"{name} must be {words}, got {value!r}")


def _one_of(what: str, got: Any, known: Iterable[str]) -> None:
    if not isinstance(got, str) or got not in known:
        raise ValueError(f"{what} must be one of {', '.join(known) or 'none'}, got {got!r}")
