"""Gated linear units.

The array holds the values and the gates in the halves of its last axis, in this order, as in
PyTorch and JAX.
"""

from __future__ import annotations

from math import inf

from actlib._core.arrays import Array, Namespace
from actlib._core.registry import GatedUnit
from actlib._core.spec import Peer
from actlib._core.vectors import gated_unit, vjp
from actlib.functions.gated import gelu, silu
from actlib.functions.rectifiers import linear, relu
from actlib.functions.sigmoids import sigmoid

__all__ = ["bilinear", "geglu", "glu", "reglu", "swiglu"]

GATED_UNITS = "Gated linear units: one half of a vector passes a gate that the other half opens"


def _infinite(xp: Namespace, x: Array) -> Array:
    """Beyond the largest number, which TensorFlow Lite makes of an infinite constant."""
    return xp.abs(x) > xp.finfo(x.dtype).max


def _seen_from(xp: Namespace, value: Array, gate: Array) -> Array:
    """The gate, brought near zero where the value is infinite.

    There only the gate's sign matters, and far from zero the gate would underflow to zero.
    """
    far = _infinite(xp, value) & ~_infinite(xp, gate)
    return xp.where(far, xp.clip(gate, -10.0, 10.0), gate)


def _product(xp: Namespace, unit: GatedUnit, value: Array, gate: Array) -> Array:
    return value * unit.gate(_seen_from(xp, value, gate))


def _back(
    xp: Namespace, unit: GatedUnit, value: Array, gate: Array, upstream: Array
) -> tuple[Array, Array]:
    """The gradient by the value, and by the gate."""
    slope = unit.gate.grad(_seen_from(xp, value, gate))
    return upstream * unit.gate(gate), upstream * (value * slope)


@gated_unit(
    gate=sigmoid,
    title="GLU",
    formula=r"\operatorname{GLU}(a, b) = a \, \sigma(b)",
    exact=lambda m, value, gate: value / (1 + m.exp(-gate)),
    family=GATED_UNITS,
    cite="dauphin2017language",
    year=2017,
    range=(-inf, inf),
    peers={
        "keras": Peer("keras.activations.glu"),
        "torch": Peer("torch.nn.functional.glu"),
        "jax": Peer("jax.nn.glu"),
    },
)
def glu(xp: Namespace, value: Array, gate: Array) -> Array:
    """Gated linear unit: the gate is the `sigmoid`.

    References
    ----------
    Y. N. Dauphin, A. Fan, M. Auli, D. Grangier, Language Modeling with Gated Convolutional
    Networks, ICML 2017, https://arxiv.org/abs/1612.08083

    Examples
    --------
    >>> from actlib import glu
    >>> glu([1.0, 2.0, -1.0, 3.0])
    array([0.26894142, 1.90514825])
    >>> glu.vjp([1.0, 2.0, -1.0, 3.0], [1.0, 1.0])
    array([0.26894142, 0.95257413, 0.19661193, 0.09035332])
    """
    return _product(xp, glu, value, gate)


@vjp(glu)
def glu_vjp(xp: Namespace, value: Array, gate: Array, upstream: Array) -> tuple[Array, Array]:
    return _back(xp, glu, value, gate, upstream)


@gated_unit(
    gate=relu,
    title="ReGLU",
    formula=r"\operatorname{ReGLU}(a, b) = a \max(0, b)",
    exact=lambda m, value, gate: value * m.max(0, gate),
    family=GATED_UNITS,
    cite="shazeer2020glu",
    year=2020,
    range=(-inf, inf),
)
def reglu(xp: Namespace, value: Array, gate: Array) -> Array:
    """Gated linear unit with `relu` for its gate.

    References
    ----------
    N. Shazeer, GLU Variants Improve Transformer, 2020, https://arxiv.org/abs/2002.05202

    Examples
    --------
    >>> from actlib import reglu
    >>> reglu([1.0, 2.0, -1.0, 3.0])
    array([0., 6.])
    >>> reglu.vjp([1.0, 2.0, -1.0, 3.0], [1.0, 1.0])
    array([0., 3., 0., 2.])
    """
    closed = (gate < 0) & _infinite(xp, value)  # zero times infinity, but always zero
    return xp.where(closed, 0.0, value * reglu.gate(gate))


@vjp(reglu)
def reglu_vjp(xp: Namespace, value: Array, gate: Array, upstream: Array) -> tuple[Array, Array]:
    value = xp.where((gate < 0) & _infinite(xp, value), 0.0, value)
    return _back(xp, reglu, value, gate, upstream)


@gated_unit(
    gate=gelu,
    title="GEGLU",
    formula=r"\operatorname{GEGLU}(a, b) = a \, b \, \Phi(b)",
    exact=lambda m, value, gate: value * gate * m.erfc(-gate / m.sqrt(2)) / 2,
    family=GATED_UNITS,
    cite="shazeer2020glu",
    year=2020,
    range=(-inf, inf),
)
def geglu(xp: Namespace, value: Array, gate: Array) -> Array:
    """Gated linear unit with the exact `gelu` for its gate.

    References
    ----------
    N. Shazeer, GLU Variants Improve Transformer, 2020, https://arxiv.org/abs/2002.05202

    Examples
    --------
    >>> from actlib import geglu
    >>> geglu([1.0, 2.0, -1.0, 3.0])
    array([-0.15865525,  5.99190061])
    >>> geglu.vjp([1.0, 2.0, -1.0, 3.0], [1.0, 1.0])
    array([-0.15865525,  2.99595031, -0.08331547,  2.02389129])
    """
    return _product(xp, geglu, value, gate)


@vjp(geglu)
def geglu_vjp(xp: Namespace, value: Array, gate: Array, upstream: Array) -> tuple[Array, Array]:
    return _back(xp, geglu, value, gate, upstream)


@gated_unit(
    gate=silu,
    title="SwiGLU",
    formula=r"\operatorname{SwiGLU}(a, b) = a \, b \, \sigma(b)",
    exact=lambda m, value, gate: value * gate / (1 + m.exp(-gate)),
    family=GATED_UNITS,
    cite="shazeer2020glu",
    year=2020,
    range=(-inf, inf),
)
def swiglu(xp: Namespace, value: Array, gate: Array) -> Array:
    """Gated linear unit with `silu` for its gate, which is `swish` with ``beta = 1``.

    References
    ----------
    N. Shazeer, GLU Variants Improve Transformer, 2020, https://arxiv.org/abs/2002.05202

    Examples
    --------
    >>> from actlib import swiglu
    >>> swiglu([1.0, 2.0, -1.0, 3.0])
    array([-0.26894142,  5.71544476])
    >>> swiglu.vjp([1.0, 2.0, -1.0, 3.0], [1.0, 1.0])
    array([-0.26894142,  2.85772238,  0.07232949,  2.17620821])
    """
    return _product(xp, swiglu, value, gate)


@vjp(swiglu)
def swiglu_vjp(xp: Namespace, value: Array, gate: Array, upstream: Array) -> tuple[Array, Array]:
    return _back(xp, swiglu, value, gate, upstream)


@gated_unit(
    gate=linear,
    formula=r"\operatorname{bilinear}(a, b) = a \, b",
    exact=lambda m, value, gate: value * gate,
    family=GATED_UNITS,
    cite="shazeer2020glu",
    year=2020,
    range=(-inf, inf),
)
def bilinear(xp: Namespace, value: Array, gate: Array) -> Array:
    """Gated linear unit without an activation: the halves' product.

    References
    ----------
    N. Shazeer, GLU Variants Improve Transformer, 2020, https://arxiv.org/abs/2002.05202

    Examples
    --------
    >>> from actlib import bilinear
    >>> bilinear([1.0, 2.0, -1.0, 3.0])
    array([-1.,  6.])
    >>> bilinear.vjp([1.0, 2.0, -1.0, 3.0], [1.0, 1.0])
    array([-1.,  3.,  1.,  2.])
    """
    return value * gate


@vjp(bilinear)
def bilinear_vjp(xp: Namespace, value: Array, gate: Array, upstream: Array) -> tuple[Array, Array]:
    return upstream * gate, upstream * value
