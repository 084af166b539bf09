"""What is known of a function besides how to compute it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from actlib._core.arrays import Array, Limits
from actlib._core.names import hint

#: What other libraries call themselves, in the order in which tables show them.
LIBRARIES = {
    "tensorflow": "TensorFlow",
    "keras": "Keras",
    "torch": "PyTorch",
    "jax": "JAX",
    "scipy": "SciPy",
}


@dataclass(frozen=True)
class Peer:
    """The same function in another library.

    Parameters
    ----------
    path : str
        Its name there, such as ``"jax.nn.gelu"``.
    keywords : mapping of str to object
        What it has to be called with to be this function: ``{"approximate": False}``.
    note : str
        What else differs, in words.
    """

    path: str
    keywords: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""

    @property
    def difference(self) -> str:
        """What differs, in words; empty where nothing does."""
        needs = [f"{key}={value!r}" for key, value in self.keywords.items()]
        words = [f"needs {', '.join(needs)}"] if needs else []
        return ", ".join([*words, self.note] if self.note else words)


@dataclass(frozen=True)
class Param:
    """A parameter of an activation.

    Parameters
    ----------
    meaning : str
        What it is, in a few words that its documentation begins with.
    samples : tuple of float
        Values at which the tests examine the activation; the default becomes one of them.
    low, high : float
        The open interval of allowed values.
    default : float
        Its value when the caller gives none; a declaration takes it from the kernel's signature.
    """

    meaning: str = ""
    samples: tuple[float, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    default: float = math.nan

    def allows(self, value: Array) -> Array:
        """Whether ``value`` lies in the domain, elementwise for an array."""
        return (value > self.low) & (value < self.high)

    @property
    def domain(self) -> str:
        """The domain in words, for messages."""
        bounds = [f"above {self.low:g}"] if math.isfinite(self.low) else []
        bounds += [f"below {self.high:g}"] if math.isfinite(self.high) else []
        return " ".join(["a finite number", " and ".join(bounds)]).strip()


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What is known of a function.

    Parameters
    ----------
    name : str
        The public name.
    title : str
        What people call it, beside a curve and in a list: ``"Leaky ReLU"``. Without it, the public
        name in words: ``"Hard sigmoid"``.
    formula : str
        The definition in LaTeX.
    exact : callable
        The textbook formula over a namespace ``m`` of mathematical functions, the reference that
        values and derivatives are tested against. It takes numbers, ``exact(m, z, *params)``; for a
        function of vectors a list of them; for a gated unit two, ``exact(m, value, gate)``.
    family : str
        What it is one of, in the words under which the catalogue lists it.
    cite : str
        The key of its source in the book's bibliography.
    year : int
        When that was published.
    range : pair of float, or callable
        The bounds of the values; ``range(*params)`` where they depend on the parameters.
    peers : mapping of str to Peer
        The same function in ``"tensorflow"``, ``"keras"``, ``"torch"``, ``"jax"`` and ``"scipy"``.
    elementwise : bool
        Whether it acts on every number by itself. Limits, parameters, `monotonic` and `root` are
        known of no other function.
    limits : pair of float, or callable
        The values at -inf and +inf; ``limits(xp, *params)`` where they depend on the parameters.
    kinks : tuple of float, or callable
        Where the derivative, or the value, jumps; ``kinks(*params)`` where that depends on the
        parameters. Of a gated unit, where its gate's does.
    params : mapping of str to Param
        The parameters, in the order of the signature.
    monotonic : bool or None
        Whether it never falls, at the default parameters; None for a function of vectors.
    root : float or None
        Where the derivative is zero and changes its sign, at the default parameters.
    """

    name: str
    title: str = ""
    formula: str
    exact: Callable[..., Any]
    family: str
    cite: str
    year: int
    range: tuple[float, float] | Callable[..., tuple[float, float]]
    peers: Mapping[str, Peer] = field(default_factory=dict)
    elementwise: bool = True
    limits: Limits = (math.nan, math.nan)
    kinks: tuple[float, ...] | Callable[..., tuple[float, ...]] = ()
    params: Mapping[str, Param] = field(default_factory=dict)
    monotonic: bool | None = None
    root: float | None = None

    def __post_init__(self) -> None:
        words = self.name.replace("_", " ")
        object.__setattr__(self, "title", self.title or words[:1].upper() + words[1:])

    def values(self, **params: float) -> tuple[float, ...]:
        """All parameters in their declared order: those given, the others at their defaults.

        Raises
        ------
        TypeError
            If the function has no parameter of a given name, or one is no number.
        ValueError
            If one is outside its domain.
        """
        given = {key: self._number(key, value) for key, value in params.items()}
        return tuple(given.get(key, float(p.default)) for key, p in self.params.items())

    def _number(self, key: str, value: float) -> float:
        """A parameter as a float, if there is one of this name and the value is in its domain."""
        if key not in self.params:
            raise TypeError(f"{self.name} has no parameter {key!r}{hint(key, self.params)}")
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise TypeError(f"{self.name}: {key} must be a real number, got {value!r}") from None
        if not self.params[key].allows(number):
            domain = self.params[key].domain
            raise ValueError(f"{self.name}: {key} must be {domain}, got {value!r}")
        return number

    def range_at(self, **params: float) -> tuple[float, float]:
        """The bounds of the values, for these parameters and the defaults of the others."""
        values = self.values(**params)
        return self.range(*values) if callable(self.range) else self.range

    def kinks_at(self, **params: float) -> tuple[float, ...]:
        """Where the derivative jumps for these parameters, from left to right."""
        values = self.values(**params)
        return tuple(sorted(self.kinks(*values) if callable(self.kinks) else self.kinks))

    def limits_at(self, **params: float) -> tuple[float, float]:
        """The values at -inf and +inf for these parameters."""
        values = map(np.float64, self.values(**params))
        low, high = self.limits(np, *values) if callable(self.limits) else self.limits
        return float(low), float(high)

    @property
    def smooth(self) -> bool:
        """Whether the derivative jumps nowhere, at the default parameters."""
        return not self.kinks_at()
