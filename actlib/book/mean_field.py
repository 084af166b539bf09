"""What very wide random networks do to signals and gradients: the mean-field theory.

In a wide network with random weights the pre-activations of a layer are close to normal numbers
with mean 0. So one number for each layer, their variance, says how large the signal is, and how
much of a gradient passes.

Weights have the standard deviation ``gain / sqrt(inputs of the layer)``, as in
`actlib.network.Network`. Biases, where there are any, are drawn from a normal distribution, too.

References
----------
Poole et al., Exponential expressivity in deep neural networks through transient chaos, 2016,
https://arxiv.org/abs/1606.05340; Schoenholz et al., Deep Information Propagation, 2017,
https://arxiv.org/abs/1611.01232
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from actlib._core.arrays import Array
from actlib._core.registry import Activation, refuse_vectors

__all__ = ["FixedPoint", "chi", "critical_gain", "fixed_points", "next_variance", "variances"]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)
_END = 14.0  # in standard deviations; what lies beyond has a probability of 1e-44
_STEPS = np.concatenate([[0.0], np.exp2(np.arange(-1, 32))])  # away from where functions bend
_TINY = 1e-24  # a variance so small that only the slopes at 0 count
_GRID = np.geomspace(1e-6, 1e8, 141)  # where fixed points other than 0 are looked for
_NOISE = 1e-11  # of the quadrature, relative


@dataclass(frozen=True)
class FixedPoint:
    """A variance that a layer hands on as it is.

    Parameters
    ----------
    variance : float
        The variance q of the pre-activations.
    slope : float
        By how much the layer multiplies a small distance from q.
    stable : bool
        Whether variances near q stay near, layer by layer.
    """

    variance: float
    slope: float
    stable: bool


def next_variance(
    activation: Activation[...], q: float, gain: float, bias: float = 0.0, **params: float
) -> float:
    r"""The variance of the pre-activations in the layer after one with variance `q`.

    Parameters
    ----------
    activation : Activation
        For example ``actlib.tanh``.
    q : float
        Variance of the pre-activations that the activation is applied to.
    gain : float
        Weights have the standard deviation ``gain / sqrt(inputs of the layer)``.
    bias : float
        Standard deviation of the biases.
    **params : float
        Parameters of the activation, ``slope=0.2``.

    Returns
    -------
    float
        :math:`\text{gain}^2 \, E f(\sqrt q \, x)^2 + \text{bias}^2` for a standard normal x.

    Raises
    ------
    ValueError
        If `q`, the gain or the bias is not a finite number, or `q` or the bias is negative.

    Examples
    --------
    >>> from actlib import relu
    >>> from actlib.book.mean_field import next_variance
    >>> round(next_variance(relu, 3.0, gain=2.0), 12)
    6.0
    """
    _check(q=q, bias=bias)
    _check_gain(gain)
    values, weights = _normal(activation, q, params)
    with np.errstate(over="ignore"):
        return gain**2 * _mean(activation(values, **params) ** 2, weights) + bias**2


def chi(activation: Activation[...], q: float, gain: float, **params: float) -> float:
    r"""By how much a layer multiplies the squared norm of a gradient that passes it.

    Parameters
    ----------
    activation, q, gain, **params
        As for `next_variance`.

    Returns
    -------
    float
        :math:`\text{gain}^2 \, E f'(\sqrt q \, x)^2` for a standard normal x. The norm itself is
        multiplied by the square root.

    Raises
    ------
    ValueError
        As from `next_variance`.

    Examples
    --------
    >>> from actlib import relu
    >>> from actlib.book.mean_field import chi
    >>> round(chi(relu, 3.0, gain=2.0), 12)
    2.0
    """
    _check(q=q)
    _check_gain(gain)
    values, weights = _normal(activation, q, params)
    return gain**2 * _mean(activation.grad(values, **params) ** 2, weights)


def variances(
    activation: Activation[...],
    q0: float,
    gain: float,
    depth: int,
    bias: float = 0.0,
    **params: float,
) -> Array:
    """The variance of the pre-activations in each of `depth` hidden layers.

    Parameters
    ----------
    activation, gain, bias, **params
        As for `next_variance`.
    q0 : float
        The mean square of the inputs of the network; the first layer has the variance
        ``gain**2 * q0 + bias**2``.
    depth : int
        The number of hidden layers.

    Returns
    -------
    array
        Of shape (depth,); infinite from where it overflows.

    Raises
    ------
    ValueError
        As from `next_variance`, or if `depth` is below 1.

    Examples
    --------
    >>> from actlib import relu
    >>> from actlib.book.mean_field import variances
    >>> variances(relu, 1.0, gain=2.0, depth=3).round(12).tolist()
    [4.0, 8.0, 16.0]
    """
    _check(q0=q0, bias=bias)
    _check_gain(gain)
    if depth < 1:
        raise ValueError(f"depth must be at least 1, got {depth}")
    qs = np.full(depth, np.inf)
    qs[0] = gain**2 * q0 + bias**2
    for layer in range(1, depth):
        if np.isfinite(qs[layer - 1]):
            qs[layer] = next_variance(activation, float(qs[layer - 1]), gain, bias, **params)
    return qs


def fixed_points(
    activation: Activation[...], gain: float, bias: float = 0.0, **params: float
) -> list[FixedPoint]:
    """The variances that a layer hands on as they are.

    Parameters
    ----------
    activation, gain, bias, **params
        As for `next_variance`.

    Returns
    -------
    list of FixedPoint
        In rising order, those of 0 and of 1e-6 to 1e8. Where *every* variance is one, as for ReLU
        with gain sqrt(2), only 0 is listed, with slope 1.

    Raises
    ------
    ValueError
        As from `next_variance`.

    Examples
    --------
    >>> from actlib import tanh
    >>> from actlib.book.mean_field import fixed_points
    >>> for point in fixed_points(tanh, gain=1.5):
    ...     print(f"{point.variance:.3f} {point.slope:.3f} {point.stable}")
    0.000 2.250 False
    0.793 0.505 True
    """
    _check(bias=bias)
    _check_gain(gain)
    points = []
    if bias == 0 and (gain == 0 or float(activation(0.0, **params)) == 0):
        slope = next_variance(activation, _TINY, gain, **params) / _TINY
        points.append(FixedPoint(0.0, slope, _attracts(activation, gain, params)))

    def excess(q: float) -> float:
        return next_variance(activation, q, gain, bias, **params) / q - 1

    for q in _roots(excess):
        slope = gain**2 * _growth(activation, q, params)
        points.append(FixedPoint(q, slope, abs(slope) < 1))
    return points


def critical_gain(activation: Activation[...], bias: float = 0.0, **params: float) -> float:
    r"""The gain with which gradients neither vanish nor explode, however deep the network.

    It is the gain for which `chi` is 1 at a stable fixed point of the variance. The fixed point may
    be 0, if variances fall to it: that of tanh is, and its gradients shrink more slowly than by any
    factor per layer.

    Parameters
    ----------
    activation, bias, **params
        As for `next_variance`.

    Returns
    -------
    float
        The smallest such gain.

    Raises
    ------
    ValueError
        If there is none: no fixed point with :math:`\chi = 1`, or none that is stable.

    Examples
    --------
    >>> from actlib import gelu, leaky_relu, tanh
    >>> from actlib.book.mean_field import critical_gain
    >>> print(f"{critical_gain(tanh):.6f} {critical_gain(leaky_relu, slope=0.5):.6f}")
    1.000000 1.264911
    >>> critical_gain(gelu)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
      ...
    ValueError: gelu has no critical gain: chi is 1 at the fixed point 0 for gain 2, ...
    """
    refuse_vectors(activation)
    _check(bias=bias)
    unstable = []

    def gain_at(q: float) -> float:  # the gain with which q is a fixed point
        signal = next_variance(activation, q, 1.0, **params)
        return math.sqrt(max(q - bias**2, 0) / signal) if signal > 0 else math.nan

    def excess(q: float) -> float:
        gain = gain_at(q)
        return chi(activation, q, gain, **params) - 1 if gain > 0 else math.nan

    if bias == 0 and float(activation(0.0, **params)) == 0:
        gain = gain_at(_TINY)
        if gain > 0 and abs(chi(activation, _TINY, gain, **params) - 1) < _NOISE:
            if _attracts(activation, gain, params):
                return gain
            unstable.append((0.0, gain))
    for q in _roots(excess):
        gain = gain_at(q)
        if abs(gain**2 * _growth(activation, q, params)) < 1:
            return gain
        unstable.append((q, gain))
    name = activation.__name__
    if not unstable:
        raise ValueError(f"{name} has no critical gain: chi is 1 at no fixed point of the variance")
    q, gain = unstable[0]
    raise ValueError(
        f"{name} has no critical gain: chi is 1 at the fixed point {q:.4g} for gain {gain:.4g}, "
        "but it is not stable"
    )


def _normal(activation: Activation[...], q: float, params: dict[str, float]) -> tuple[Array, Array]:
    """Points and weights of means over numbers with variance q, dense where functions bend."""
    refuse_vectors(activation)
    kinks = activation.spec.kinks_at(**params)
    scale = math.sqrt(q)
    if scale == 0:
        return np.zeros(1), np.ones(1)
    # Panels end where the function may bend, in its own scale, and are never wider than 1 in that
    # of the normal density.
    bends = np.array([at + sign * _STEPS for at in (0.0, *kinks) for sign in (-1, 1)]).ravel()
    with np.errstate(over="ignore"):
        bends = bends / scale
    ends = np.concatenate([np.arange(-_END, _END + 1), bends[np.abs(bends) < _END]])
    ends = np.unique(ends)
    half = np.diff(ends)[:, None] / 2
    x = (ends[:-1, None] + half) + half * _NODES
    weights = half * _WEIGHTS * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return (scale * x).ravel(), weights.ravel()


def _mean(values: Array, weights: Array) -> float:
    return float(np.sum(weights * values))


def _growth(activation: Activation[...], q: float, params: dict[str, float]) -> float:
    """The derivative of E f(sqrt(q) x)² with respect to q > 0."""
    z, weights = _normal(activation, q, params)
    product = z * activation(z, **params) * activation.grad(z, **params)
    return _mean(product, weights) / q


def _attracts(activation: Activation[...], gain: float, params: dict[str, float]) -> bool:
    """Whether small variances do not grow, so that a fixed point at 0 holds what comes near."""
    return all(
        next_variance(activation, q, gain, **params) <= q * (1 + _NOISE)
        for q in np.geomspace(1e-12, 1e-3, 10).tolist()
    )


def _roots(function: Callable[[float], float]) -> list[float]:
    """Where a function of q changes its sign; values that are 0 but for rounding have none."""
    found, before = [], None
    for q in _GRID.tolist():
        value = function(q)
        if abs(value) <= _NOISE or not math.isfinite(value):
            continue
        if before is not None and (value > 0) != before[1]:
            found.append(_bisect(function, before[0], q, before[1]))
        before = q, value > 0
    return found


def _bisect(function: Callable[[float], float], low: float, high: float, positive: bool) -> float:
    while high / low - 1 > 4e-16:
        middle = math.sqrt(low * high)
        if not low < middle < high:
            break
        if (function(middle) > 0) == positive:
            low = middle
        else:
            high = middle
    return math.sqrt(low * high)


def _check(**numbers: float) -> None:
    for name, number in numbers.items():
        if not (math.isfinite(number) and number >= 0):
            raise ValueError(f"{name} must be a finite number, at least 0, got {number}")


def _check_gain(gain: float) -> None:
    if not math.isfinite(gain):
        raise ValueError(f"gain must be a finite number, got {gain}")
