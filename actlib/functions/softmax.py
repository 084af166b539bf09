"""Functions of whole vectors."""

from __future__ import annotations

from math import inf, nan

from actlib._core.arrays import Array, Namespace
from actlib._core.autodiff import following
from actlib._core.spec import Peer
from actlib._core.vectors import along_axis, jvp, vjp

__all__ = ["log_softmax", "softmax"]

VECTORS = (
    "Functions of whole vectors: they turn scores into probabilities, or into their logarithms"
)


def _sum(xp: Namespace, x: Array) -> Array:
    return xp.sum(x, axis=-1, keepdims=True)


def _shifted(xp: Namespace, z: Array) -> tuple[Array, Array]:
    """How far each score is below the largest, and whether that is infinite.

    Infinity minus infinity is no number, but the largest score is 0 below itself. That decides the
    limit if it is the only one; of several that are infinite, none has a limit.
    """
    m = xp.max(z, axis=-1, keepdims=True)
    return xp.where(z == m, 0.0, z - m), xp.abs(m) == inf


def _several(total: Array) -> Array:
    """Whether several scores are the largest, if that is infinite: exp(0) is 1 for each of them.

    ``total`` is the sum of the exponentials, to which all other scores add nothing then: each
    is 1 or 0.
    """
    return total > 1.5


def _roots(xp: Namespace, z: Array) -> tuple[Array, Array, Array, Array]:
    """What products with a Jacobian have in common, with ``p = h * h / s``.

    Exponentials are taken in halves, lest they underflow before a large number multiplies them.
    Then where one probability is above 1/2, and where no limit exists. For a library that
    differentiates a product again, the largest score is a constant: it makes no difference.
    """
    shifted, infinite = _shifted(xp, z)
    h = xp.exp(0.5 * following(xp, z, shifted))
    p = h * h
    s = _sum(xp, p)
    return h, s, p > 0.5 * s, (h > 0.5) & (infinite & _several(s))


@along_axis(
    formula=r"\operatorname{softmax}(z)_i = \frac{e^{z_i}}{\sum_j e^{z_j}}",
    exact=lambda m, z: [m.exp(x) / sum(m.exp(y) for y in z) for x in z],
    family=VECTORS,
    cite="bridle1990probabilistic",
    year=1990,
    range=(0, 1),
    peers={
        "tensorflow": Peer("tf.nn.softmax"),
        "keras": Peer("keras.activations.softmax"),
        "torch": Peer(
            "torch.nn.functional.softmax", {"dim": -1}, note="without it another axis is guessed"
        ),
        "jax": Peer("jax.nn.softmax"),
        "scipy": Peer(
            "scipy.special.softmax", {"axis": -1}, note="without it the sum is over all axes"
        ),
    },
)
def softmax(xp: Namespace, z: Array) -> Array:
    """Softmax: scores become probabilities, which are positive and sum to 1.

    Adding the same number to all scores changes nothing. One infinite score gets probability 1;
    where several are the largest and infinite, no limit exists and they get NaN.

    References
    ----------
    J. S. Bridle, Probabilistic Interpretation of Feedforward Classification Network Outputs, with
    Relationships to Statistical Pattern Recognition, Neurocomputing, 1990,
    https://doi.org/10.1007/978-3-642-76153-9_28

    Examples
    --------
    >>> from actlib import softmax
    >>> softmax([1.0, 2.0, 3.0])
    array([0.09003057, 0.24472847, 0.66524096])
    >>> softmax([[1e4, 0.0], [0.0, 0.0]], axis=0)
    array([[1. , 0.5],
           [0. , 0.5]])
    >>> softmax.vjp([1.0, 2.0, 3.0], [1.0, 0.0, 0.0])
    array([ 0.08192507, -0.02203304, -0.05989202])
    """
    shifted, infinite = _shifted(xp, z)
    e = xp.exp(shifted)
    s = _sum(xp, e)
    return xp.where((e > 0.5) & (infinite & _several(s)), nan, e * (1 / s))  # one quotient for all


@vjp(softmax)
@jvp(softmax)
def softmax_vjp(xp: Namespace, z: Array, upstream: Array) -> Array:
    """``p * (u - sum(p * u))``, in a form that is its own transpose, as the Jacobian is.

    Adding the same number to all of ``u`` changes nothing, since ``p`` sums to 1. Where one
    probability is above 1/2, ``u`` is taken from there, lest the difference cancel, and the result
    there is minus the sum of the others.
    """
    h, s, top, undecided = _roots(xp, z)
    u = 0.25 * xp.where(undecided, 0.0, upstream)  # differences must not overflow
    u = xp.where(top, 0.0, u - _sum(xp, xp.where(top, u, 0.0)))
    mean = _sum(xp, h * (h * u)) / s
    others = xp.where(top, 0.0, h * (h * (u - mean) * (1 / s)))
    result = 4.0 * (others - xp.where(top, _sum(xp, others), 0.0))
    return result + xp.where(undecided, nan, xp.zeros_like(z)) * upstream


@along_axis(
    formula=r"\operatorname{log\,softmax}(z)_i = z_i - \log \sum_j e^{z_j}",
    exact=lambda m, z: [x - m.log(sum(m.exp(y) for y in z)) for x in z],
    family=VECTORS,
    cite="bridle1990probabilistic",
    year=1990,
    range=(-inf, 0),
    peers={
        "tensorflow": Peer("tf.nn.log_softmax"),
        "keras": Peer("keras.activations.log_softmax"),
        "torch": Peer(
            "torch.nn.functional.log_softmax",
            {"dim": -1},
            note="without it another axis is guessed",
        ),
        "jax": Peer("jax.nn.log_softmax"),
        "scipy": Peer(
            "scipy.special.log_softmax", {"axis": -1}, note="without it the sum is over all axes"
        ),
    },
)
def log_softmax(xp: Namespace, z: Array) -> Array:
    """Logarithm of `softmax`: exact also where the probability is 1 or 0 to the last bit.

    Infinite scores are treated as in `softmax`.

    References
    ----------
    J. S. Bridle, Probabilistic Interpretation of Feedforward Classification Network Outputs, with
    Relationships to Statistical Pattern Recognition, Neurocomputing, 1990,
    https://doi.org/10.1007/978-3-642-76153-9_28

    Examples
    --------
    >>> from actlib import log_softmax
    >>> log_softmax([0.0, 50.0])
    array([-5.00000000e+01, -1.92874985e-22])
    >>> log_softmax.vjp([0.0, 50.0], [0.0, 1.0])
    array([-1.92874985e-22,  1.92874985e-22])
    """
    shifted, infinite = _shifted(xp, z)
    largest = shifted == 0
    ties = _sum(xp, xp.astype(largest, z.dtype))
    others = xp.exp(xp.where(largest, -inf, shifted))
    log = shifted - xp.log1p((ties - 1) + _sum(xp, others))
    return xp.where(largest & (infinite & _several(ties)), nan, log)


@vjp(log_softmax)
def log_softmax_vjp(xp: Namespace, z: Array, upstream: Array) -> Array:
    """``u - p * sum(u)``.

    Where one probability is above 1/2, this is ``(1 - p) * u - p * (sum of the others' u)``
    there, and ``1 - p`` is the sum of the others' probabilities, lest the difference cancel.
    """
    h, s, top, undecided = _roots(xp, z)
    large = xp.max(xp.abs(upstream), axis=-1, keepdims=True) > 1
    size = z.shape[-1] or 2**31  # which TensorFlow may not know yet
    scale = xp.where(large, 0.5 ** size.bit_length(), xp.ones_like(s))
    u = scale * upstream  # the sum must not overflow
    without = xp.where(top, 0.0, u)
    others, rest = _sum(xp, without), _sum(xp, xp.where(top, 0.0, h * h)) / s
    own = xp.where(top, rest, 1.0)
    sums = others + xp.where(top, 0.0, xp.sum(u - without, axis=-1, keepdims=True))
    return xp.where(undecided, nan, (own * u - h * (h * sums * (1 / s))) / scale)


@jvp(log_softmax)
def log_softmax_jvp(xp: Namespace, z: Array, direction: Array) -> Array:
    """``t - sum(p * t)``: the program whose transpose is that of the upstream gradient."""
    h, s, top, undecided = _roots(xp, z)
    t = xp.where(undecided, 0.0, direction)
    weighted = h * (h * t * (1 / s))
    others, at_top = xp.where(top, 0.0, weighted), xp.where(top, weighted, 0.0)
    own = xp.where(top, _sum(xp, xp.where(top, 0.0, h * h)) / s, 1.0)
    result = own * t - _sum(xp, others) - xp.where(top, 0.0, _sum(xp, at_top))
    return result + xp.where(undecided, nan, xp.zeros_like(z)) * direction
