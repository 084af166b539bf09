"""The sigmoid and its relatives: bounded, S-shaped, flat at both ends (and a logarithm of one)."""

from __future__ import annotations

from math import inf

from actlib._declare import activation, derivative
from actlib._evaluate import Array, Namespace

__all__ = ["log_sigmoid", "sigmoid", "tanh"]


@activation(
    formula=r"\sigma(z) = \frac{1}{1 + e^{-z}}",
    exact=lambda m, z: 1 / (1 + m.exp(-z)),
    cite="rumelhart1986learning",
    limits=(0, 1),
    range=(0, 1),
)
def sigmoid(xp: Namespace, z: Array) -> Array:
    """Logistic sigmoid.

    Maps the real line to (0, 1). Its slope is largest at 0, where it is 1/4, and vanishes at
    both ends: the sigmoid saturates where `z` is large in magnitude.

    Parameters
    ----------
    z : array_like
        Pre-activation, of any shape.

    Returns
    -------
    array
        Of the shape, kind and floating dtype of `z`.

    References
    ----------
    D. E. Rumelhart, G. E. Hinton, R. J. Williams, Learning representations by back-propagating
    errors, Nature 323, 1986, https://doi.org/10.1038/323533a0

    Examples
    --------
    >>> from actlib import sigmoid
    >>> sigmoid([-2.0, 0.0, 2.0])
    array([0.11920292, 0.5       , 0.88079708])
    >>> float(sigmoid.grad(0.0))
    0.25
    """
    return 1 / (1 + xp.exp(-z))  # exp overflows to inf below -88 or -709, and 1/inf is right


@derivative(sigmoid, limits=(0, 0))
def _(xp: Namespace, z: Array) -> Array:
    """Right in both tails, where ``s * (1 - s)`` is zero as soon as ``s`` rounds to 1."""
    q = xp.exp(-xp.abs(z))
    return q / ((1 + q) * (1 + q))


@activation(
    formula=r"\log\sigma(z) = -\log(1 + e^{-z})",
    exact=lambda m, z: -m.log(1 + m.exp(-z)),
    cite="goodfellow2016deep",
    limits=(-inf, 0),
    range=(-inf, 0),
)
def log_sigmoid(xp: Namespace, z: Array) -> Array:
    """Logarithm of the sigmoid: the log-probability in binary cross-entropy.

    Finite wherever `z` is, unlike ``log(sigmoid(z))``.

    Parameters
    ----------
    z : array_like
        Pre-activation, of any shape.

    Returns
    -------
    array
        Of the shape, kind and floating dtype of `z`.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, Deep Learning, MIT Press, 2016,
    https://www.deeplearningbook.org

    Examples
    --------
    >>> from actlib import log_sigmoid
    >>> log_sigmoid([-1000.0, 0.0, 20.0])
    array([-1.00000000e+03, -6.93147181e-01, -2.06115362e-09])
    """
    return xp.minimum(z, 0) - xp.log1p(xp.exp(-xp.abs(z)))


@derivative(log_sigmoid, limits=(1, 0))
def _(xp: Namespace, z: Array) -> Array:
    return 1 / (1 + xp.exp(z))


@activation(
    formula=r"\tanh(z) = \frac{e^z - e^{-z}}{e^z + e^{-z}}",
    exact=lambda m, z: m.tanh(z),
    cite="lecun2012efficient",
    limits=(-1, 1),
    range=(-1, 1),
    one_pass=True,
)
def tanh(xp: Namespace, z: Array) -> Array:
    """Hyperbolic tangent: the sigmoid, stretched to (-1, 1) and centred at the origin.

    ``tanh(z) = 2 * sigmoid(2 * z) - 1``; its slope at 0 is 1.

    Parameters
    ----------
    z : array_like
        Pre-activation, of any shape.

    Returns
    -------
    array
        Of the shape, kind and floating dtype of `z`.

    References
    ----------
    Y. A. LeCun, L. Bottou, G. B. Orr, K.-R. Müller, Efficient BackProp, 2012,
    https://doi.org/10.1007/978-3-642-35289-8_3

    Examples
    --------
    >>> from actlib import tanh
    >>> tanh([-1.0, 0.0, 1.0])
    array([-0.76159416,  0.        ,  0.76159416])
    """
    return xp.tanh(z)


@derivative(tanh, limits=(0, 0))
def _(xp: Namespace, z: Array) -> Array:
    """Right in both tails, where ``1 - tanh(z) ** 2`` is zero as soon as tanh rounds to 1."""
    q = xp.exp(-2 * xp.abs(z))
    return 4 * q / ((1 + q) * (1 + q))
