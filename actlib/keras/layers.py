"""Layers for Keras whose parameters are learned."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from actlib._core.names import hint, listed
from actlib._core.registry import REGISTRY
from actlib._core.spec import Param
from actlib.keras.functions import evaluated, floating

MARGIN = 1e-3  # how far from the bounds of its domain a parameter is kept


@keras.saving.register_keras_serializable("actlib")
class Activation(keras.layers.Layer):
    """An activation whose parameters are learned: PReLU's slope, Swish's beta, ELU's alpha.

    Parameters
    ----------
    activation : str
        A key of ``actlib.REGISTRY.elementwise``, of an activation with parameters.
    learned : str or iterable of str, optional
        Which of the parameters are learned; all if it is left out.
    shared_axes : int or iterable of int, optional
        Axes of the input along which a parameter is shared, such as ``(1, 2)`` for images whose
        channels come last, or ``(-3, -2)``, counted from the last. Along axis 0, the batch, it
        always is.
    initial : float or mapping of str to float, optional
        What the parameters are at first, or always where they are not learned; their defaults if it
        is left out.
    constraint : str, callable or mapping, optional
        As Keras's layers take it, or such by parameter. By default a parameter with a bounded
        domain, such as softplus's beta, stays 0.001 inside.
    regularizer : str, callable or mapping, optional
        As Keras's layers take it, or such by parameter; none by default, since weight decay pulls
        a slope to zero, which biases PReLU towards ReLU.
    **kwargs
        Of ``keras.layers.Layer``: ``name``, ``dtype``, ``trainable``.

    Raises
    ------
    ValueError
        If there is no such activation, it has no parameter, or one is outside its domain; if
        something is named that is not there, or twice; on building, if the input has no such axis.
    TypeError
        If the axes are no whole numbers, `learned` no names, or a first value no number.

    References
    ----------
    K. He, X. Zhang, S. Ren, J. Sun, Delving Deep into Rectifiers, ICCV 2015,
    https://arxiv.org/abs/1502.01852

    Examples
    --------
    >>> import keras
    >>> from actlib.keras import Activation
    >>> layer = Activation("prelu")
    >>> layer(keras.ops.array([[-4.0, 8.0]])).numpy()
    array([[-1.,  8.]], dtype=float32)
    """

    def __init__(
        self,
        activation: str,
        learned: str | Iterable[str] | None = None,
        shared_axes: int | Iterable[int] | None = None,
        initial: float | Mapping[str, float] | None = None,
        constraint: Any = None,
        regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.activation = activation
        self._function = REGISTRY.elementwise[activation]
        known = self._function.spec.params
        if not known:
            raise ValueError(f"{activation} has no parameter to learn; use actlib.keras.activation")
        if not isinstance(learned, Iterable | None):
            raise TypeError(f"{activation}: learned must be names of parameters, got {learned!r}")
        self.learned = list(known if learned is None else listed(learned))
        self._only_once("learned", self.learned)
        for role, given in {
            "learned": dict.fromkeys(self.learned),
            "initial": initial,
            "constraint": constraint,
            "regularizer": regularizer,
        }.items():
            self._only_known(role, given)
        self.shared_axes = self._whole_numbers("shared_axes", shared_axes)
        self._only_once("shared_axes", self.shared_axes)
        if 0 in self.shared_axes:
            self._refuse_the_batch(0)
        first = {key: _of(initial, key, param.default) for key, param in known.items()}
        self.initial = dict(zip(known, self._function.spec.values(**first), strict=True))
        self.constraint = {
            key: keras.constraints.get(_of(constraint, key, _inside(known[key])))
            for key in self.learned
        }
        self.regularizer = {
            key: keras.regularizers.get(_of(regularizer, key, None)) for key in self.learned
        }
        self._parameters: dict[str, Any] = {}

    def _only_known(self, role: str, given: Any) -> None:
        known = self._function.spec.params
        named = given if _by_name(given) else ()
        if unknown := sorted(set(named) - set(known)):
            raise ValueError(
                f"{role} names {', '.join(unknown)}, but {self.activation} has the parameters "
                f"{', '.join(known)}"
            )

    def _whole_numbers(self, role: str, given: Any) -> list[int]:
        try:
            numbers = [] if given is None else given if isinstance(given, Iterable) else [given]
            return sorted(map(_whole, numbers))
        except TypeError:
            raise TypeError(
                f"{self.activation}: {role} must be whole numbers, got {given!r}"
            ) from None

    def _only_once(self, role: str, given: Sequence[Any]) -> None:
        if twice := [one for one, times in Counter(given).items() if times > 1]:
            raise ValueError(f"{self.activation}: {role} names {twice[0]} twice")

    def _refuse_the_batch(self, axis: int) -> None:
        raise ValueError(
            f"{self.activation}: shared_axes names {axis}, the batch, along which a parameter "
            "is always shared; leave it out"
        )

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make the weights, one for each element of the input that does not share it."""
        rank = len(input_shape)
        if beyond := [axis for axis in self.shared_axes if not -rank <= axis < rank]:
            raise ValueError(
                f"{self.activation}: shared_axes names {beyond[0]}, but the input has {rank} axes"
            )
        if -rank in self.shared_axes:
            self._refuse_the_batch(-rank)
        shared = [axis % rank for axis in self.shared_axes]
        self._only_once("shared_axes", shared)
        shape = [1 if axis in shared else n for axis, n in enumerate(input_shape) if axis > 0]
        if None in shape:
            raise ValueError(
                f"{self.activation}: axis {shape.index(None) + 1} of the input has no fixed size, "
                "so it must be one of shared_axes"
            )
        for key in self.learned:
            self._parameters[key] = self.add_weight(
                name=key,
                shape=shape,
                initializer=keras.initializers.Constant(self.initial[key]),
                constraint=self.constraint[key],
                regularizer=self.regularizer[key],
                autocast=False,  # what is computed in float32 takes it as it is
            )
        own = {axis: n for axis, n in enumerate(input_shape) if axis > 0 and axis not in shared}
        self.input_spec = keras.layers.InputSpec(ndim=rank, axes=own)

    def call(self, inputs: Any) -> Any:
        """Evaluate at a tensor."""
        return evaluated(self._function, floating(inputs), self.values)

    @property
    def values(self) -> dict[str, Any]:
        """Every parameter by name, a number where it is fixed and a tensor where it is learned."""
        learned = {key: tf.convert_to_tensor(weight) for key, weight in self._parameters.items()}
        return self.initial | learned

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        return input_shape

    def get_parameters(self) -> dict[str, np.ndarray]:
        """The learned parameters as they are now, as copies.

        Returns
        -------
        dict of str to ndarray
            By name; empty before the layer is built.
        """
        return {
            key: np.array(tf.convert_to_tensor(weight)) for key, weight in self._parameters.items()
        }

    def get_config(self) -> dict[str, Any]:
        """What Keras saves."""
        return {
            **super().get_config(),
            "activation": self.activation,
            "learned": self.learned,
            "shared_axes": self.shared_axes,
            "initial": self.initial,
            "constraint": {
                key: keras.constraints.serialize(value) for key, value in self.constraint.items()
            },
            "regularizer": {
                key: keras.regularizers.serialize(value) for key, value in self.regularizer.items()
            },
        }


@keras.saving.register_keras_serializable("actlib")
class GatedUnit(keras.layers.Layer):
    """A gated linear unit: one half of the last axis passes a gate that the other half opens.

    It is the function of this name in `actlib`, and keeps a mask.

    Parameters
    ----------
    unit : str
        A gated unit of ``actlib.REGISTRY``: ``"glu"``, ``"reglu"``, ``"geglu"``, ``"swiglu"`` or
        ``"bilinear"``.
    **kwargs
        Of ``keras.layers.Layer``: ``name``, ``dtype``, ``trainable``.

    Raises
    ------
    ValueError
        If there is no such unit, or the last axis of the input has an odd size or one that is not
        known before the numbers are.

    References
    ----------
    N. Shazeer, GLU Variants Improve Transformer, 2020, https://arxiv.org/abs/2002.05202

    Examples
    --------
    >>> import keras
    >>> from actlib.keras import GatedUnit
    >>> feed_forward = keras.Sequential(
    ...     [keras.Input([8]), keras.layers.Dense(64), GatedUnit("swiglu"), keras.layers.Dense(8)]
    ... )
    >>> feed_forward.layers[1].output.shape
    (None, 32)
    """

    def __init__(self, unit: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.input_spec = keras.layers.InputSpec(min_ndim=1)
        units = {key: f for key, f in REGISTRY.items() if hasattr(f, "gate")}
        if unit not in [*units]:
            raise ValueError(f"actlib has no gated unit {unit!r}{hint(unit, units)}")
        self.unit, self._function = unit, units[unit]

    def call(self, inputs: Any) -> Any:
        """Evaluate at a tensor."""
        return evaluated(self._function, floating(inputs), {})

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """The shape of the input, with half as many numbers in the last axis."""
        *others, last = input_shape
        if last is None:
            raise ValueError(
                f"{self.unit}: the last axis of the input must have a fixed size, to be cut in "
                f"halves, got the shape {tuple(input_shape)}"
            )
        if last % 2:
            raise ValueError(f"{self.unit}: the last axis must have an even size, got {last}")
        return (*others, last // 2)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Check the shape; there are no weights."""
        self.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        """What Keras saves."""
        return {**super().get_config(), "unit": self.unit}


@keras.saving.register_keras_serializable("actlib")
class Inside(keras.constraints.Constraint):
    """Keep a weight between two bounds.

    Parameters
    ----------
    low, high : float
        The least and the largest value allowed.
    """

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high

    def __call__(self, w: Any) -> Any:
        """Clip a weight, to what its dtype can hold at most."""
        largest = float(tf.as_dtype(w.dtype).max)
        return keras.ops.clip(w, max(self.low, -largest), min(self.high, largest))

    def get_config(self) -> dict[str, float]:
        """What Keras saves."""
        return {"low": self.low, "high": self.high}


def _whole(number: Any) -> int:
    if isinstance(number, bool):
        raise TypeError("a truth value is no number")
    return operator.index(number)


def _inside(param: Param) -> Inside | None:
    if np.isinf([param.low, param.high]).all():
        return None
    largest = float(np.finfo(np.float32).max)
    return Inside(max(param.low + MARGIN, -largest), min(param.high - MARGIN, largest))


def _by_name(given: Any) -> bool:
    return isinstance(given, Mapping) and "class_name" not in given  # nor what Keras has saved


def _of(given: Any, key: str, default: Any) -> Any:
    """What was given for a parameter: for it by name, or for all of them."""
    if _by_name(given):
        return given.get(key, default)
    return default if given is None else given
