"""The sigmoid and its relatives."""

from __future__ import annotations

from math import inf, pi

from actlib._core.arrays import Array, Namespace
from actlib._core.declare import activation, derivative
from actlib._core.spec import Peer
from actlib._core.special import log1p_inside, normal_cdf, normal_density

__all__ = [
    "arctan",
    "hard_sigmoid",
    "hard_tanh",
    "lecun_tanh",
    "log_sigmoid",
    "ndtr",
    "sigmoid",
    "softsign",
    "tanh",
]

SIGMOIDS = (
    "The sigmoid and its relatives: bounded, S-shaped, flat at both ends (and a logarithm of one)"
)


@activation(
    formula=r"\sigma(z) = \frac{1}{1 + e^{-z}}",
    exact=lambda m, z: 1 / (1 + m.exp(-z)),
    family=SIGMOIDS,
    cite="rumelhart1986learning",
    year=1986,
    limits=(0, 1),
    range=(0, 1),
    peers={
        "tensorflow": Peer("tf.nn.sigmoid"),
        "keras": Peer("keras.activations.sigmoid"),
        "torch": Peer("torch.sigmoid"),
        "jax": Peer("jax.nn.sigmoid"),
        "scipy": Peer("scipy.special.expit"),
    },
)
def sigmoid(xp: Namespace, z: Array) -> Array:
    """Logistic sigmoid.

    Maps the real line to (0, 1). Its slope is largest at 0, where it is 1/4, and vanishes at
    both ends: the sigmoid saturates where `z` is large in magnitude.

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
def sigmoid_grad(xp: Namespace, z: Array) -> Array:
    """Right in both tails, where ``s * (1 - s)`` is zero as soon as ``s`` rounds to 1."""
    q = xp.exp(-xp.abs(z))
    d = 1 + q
    return q / (d * d)


def _curvature(xp: Namespace, z: Array) -> Array:
    """The sigmoid's second derivative: its slope times ``-tanh(z / 2)``."""
    q = xp.exp(-xp.abs(z))
    return -(q / ((1 + q) * (1 + q))) * xp.tanh(0.5 * z)


@derivative(sigmoid, order=2, limits=(0, 0))
def sigmoid_grad_grad(xp: Namespace, z: Array) -> Array:
    return _curvature(xp, z)


@activation(
    formula=r"\log\sigma(z) = -\log(1 + e^{-z})",
    exact=lambda m, z: -m.log(1 + m.exp(-z)),
    family=SIGMOIDS,
    cite="goodfellow2016deep",
    year=2016,
    limits=(-inf, 0),
    range=(-inf, 0),
    peers={
        "tensorflow": Peer("tf.math.log_sigmoid"),
        "keras": Peer("keras.activations.log_sigmoid"),
        "torch": Peer("torch.nn.functional.logsigmoid"),
        "jax": Peer("jax.nn.log_sigmoid"),
        "scipy": Peer("scipy.special.log_expit"),
    },
)
def log_sigmoid(xp: Namespace, z: Array) -> Array:
    """Logarithm of the sigmoid: the log-probability in binary cross-entropy.

    Finite wherever `z` is, unlike ``log(sigmoid(z))``.

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
    return xp.minimum(z, 0) - log1p_inside(xp, xp.exp(-xp.abs(z)))


@derivative(log_sigmoid, limits=(1, 0))
def log_sigmoid_grad(xp: Namespace, z: Array) -> Array:
    return 1 / (1 + xp.exp(z))


@derivative(log_sigmoid, order=2, limits=(0, 0))
def log_sigmoid_grad_grad(xp: Namespace, z: Array) -> Array:
    q = xp.exp(-xp.abs(z))
    return -q / ((1 + q) * (1 + q))


@activation(
    formula=r"\tanh(z) = \frac{e^z - e^{-z}}{e^z + e^{-z}}",
    exact=lambda m, z: m.tanh(z),
    family=SIGMOIDS,
    cite="lecun2012efficient",
    year=2012,
    limits=(-1, 1),
    range=(-1, 1),
    one_pass=True,
    peers={
        "tensorflow": Peer("tf.nn.tanh"),
        "keras": Peer("keras.activations.tanh"),
        "torch": Peer("torch.tanh"),
        "jax": Peer("jax.nn.tanh"),
    },
)
def tanh(xp: Namespace, z: Array) -> Array:
    """Hyperbolic tangent: the sigmoid, stretched to (-1, 1) and centred at the origin.

    ``tanh(z) = 2 * sigmoid(2 * z) - 1``; its slope at 0 is 1.

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
def tanh_grad(xp: Namespace, z: Array) -> Array:
    """Right in both tails, where ``1 - tanh(z) ** 2`` is zero as soon as tanh rounds to 1."""
    q = xp.exp(-2 * xp.abs(z))
    d = 1 + q
    return 4 * (q / (d * d))


@derivative(tanh, order=2, limits=(0, 0))
def tanh_grad_grad(xp: Namespace, z: Array) -> Array:
    """As ``tanh(z)`` is ``2 * sigmoid(2 * z) - 1``."""
    return 8 * _curvature(xp, 2 * z)


@activation(
    formula=r"\operatorname{hard\,sigmoid}(z) = \min\left(\max\left(0, \frac{z}{6} + \frac{1}{2}"
    r"\right), 1\right)",
    exact=lambda m, z: m.clip((z + 3) / 6, 0, 1),
    family=SIGMOIDS,
    cite="howard2019searching",
    year=2019,
    limits=(0, 1),
    range=(0, 1),
    kinks=(-3.0, 3.0),
    peers={
        "keras": Peer("keras.activations.hard_sigmoid"),
        "torch": Peer("torch.nn.functional.hardsigmoid"),
        "jax": Peer("jax.nn.hard_sigmoid"),
    },
)
def hard_sigmoid(xp: Namespace, z: Array) -> Array:
    """Hard sigmoid: a ramp from 0 at -3 to 1 at 3, which needs no exponential.

    Its derivative is 1/6 on the ramp and 0 elsewhere; at both kinks 0, by convention.

    Notes
    -----
    Steeper and shallower ramps go by the same name, such as ``0.2 * z + 0.5`` in Keras 2.

    References
    ----------
    A. Howard et al., Searching for MobileNetV3, ICCV 2019, https://doi.org/10.1109/ICCV.2019.00140

    Examples
    --------
    >>> from actlib import hard_sigmoid
    >>> hard_sigmoid([-4.0, 0.0, 1.5])
    array([0.  , 0.5 , 0.75])
    >>> hard_sigmoid.grad([-3.0, 3.0])
    array([0., 0.])
    """
    return xp.clip(z + 3, 0, 6) / 6


@derivative(hard_sigmoid, limits=(0, 0), flat=True)
def hard_sigmoid_grad(xp: Namespace, z: Array) -> Array:
    """1/6 on the ramp; 0 at its ends, by convention."""
    return xp.astype(xp.abs(z) < 3, z.dtype) / 6


@activation(
    formula=r"\operatorname{hard\,tanh}(z) = \min(\max(-1, z), 1)",
    exact=lambda m, z: m.clip(z, -1, 1),
    family=SIGMOIDS,
    cite="collobert2011natural",
    year=2011,
    limits=(-1, 1),
    range=(-1, 1),
    kinks=(-1.0, 1.0),
    one_pass=True,
    peers={
        "keras": Peer("keras.activations.hard_tanh", note="slope 1 at both kinks"),
        "torch": Peer(
            "torch.nn.functional.hardtanh", note="further parameters min_val=-1, max_val=1"
        ),
        "jax": Peer("jax.nn.hard_tanh", note="slope 1 at both kinks"),
    },
)
def hard_tanh(xp: Namespace, z: Array) -> Array:
    """Hard tanh: the identity, cut off at -1 and 1.

    Its derivative is 1 in between and 0 outside; at both kinks 0, by convention.

    References
    ----------
    R. Collobert, J. Weston, L. Bottou, M. Karlen, K. Kavukcuoglu, P. Kuksa, Natural Language
    Processing (Almost) from Scratch, JMLR 12, 2011, https://arxiv.org/abs/1103.0398

    Examples
    --------
    >>> from actlib import hard_tanh
    >>> hard_tanh([-2.0, 0.5, 3.0])
    array([-1. ,  0.5,  1. ])
    >>> hard_tanh.grad([-1.0, 0.5, 1.0])
    array([0., 1., 0.])
    """
    return xp.clip(z, -1, 1)


@derivative(hard_tanh, limits=(0, 0), flat=True)
def hard_tanh_grad(xp: Namespace, z: Array) -> Array:
    """1 between -1 and 1; 0 at both, by convention."""
    return xp.astype(xp.abs(z) < 1, z.dtype)


@activation(
    formula=r"\operatorname{softsign}(z) = \frac{z}{1 + |z|}",
    exact=lambda m, z: z / (1 + m.abs(z)),
    family=SIGMOIDS,
    cite="glorot2010understanding",
    year=2010,
    limits=(-1, 1),
    range=(-1, 1),
    peers={
        "tensorflow": Peer("tf.nn.softsign"),
        "keras": Peer("keras.activations.softsign"),
        "torch": Peer("torch.nn.functional.softsign"),
        "jax": Peer("jax.nn.soft_sign"),
    },
)
def softsign(xp: Namespace, z: Array) -> Array:
    """Softsign: like tanh, but its slope vanishes as ``1 / z ** 2`` instead of exponentially.

    References
    ----------
    X. Glorot, Y. Bengio, Understanding the difficulty of training deep feedforward neural networks,
    AISTATS 2010, https://proceedings.mlr.press/v9/glorot10a.html

    Examples
    --------
    >>> from actlib import softsign
    >>> softsign([-1.0, 0.0, 3.0])
    array([-0.5 ,  0.  ,  0.75])
    >>> softsign.grad([-1.0, 0.0, 3.0])
    array([0.25  , 1.    , 0.0625])
    """
    return z / (1 + xp.abs(z))


@derivative(softsign, limits=(0, 0))
def softsign_grad(xp: Namespace, z: Array) -> Array:
    """Squared last, since the square of ``1 + abs(z)`` would overflow."""
    r = 1 / (1 + xp.abs(z))
    return r * r


@derivative(softsign, order=2, limits=(0, 0))
def softsign_grad_grad(xp: Namespace, z: Array) -> Array:
    """It jumps at zero from 2 to -2; there it is the left one, 2."""
    r = 1 / (1 + xp.abs(z))
    return (2 - 4 * xp.astype(z > 0, z.dtype)) * r * r * r


@activation(
    formula=r"\arctan(z)",
    exact=lambda m, z: m.atan(z),
    family=SIGMOIDS,
    cite="kunc2024decades",
    year=2024,
    limits=(-pi / 2, pi / 2),
    range=(-pi / 2, pi / 2),
    one_pass=True,
    peers={
        "tensorflow": Peer("tf.math.atan"),
        "keras": Peer("keras.ops.arctan"),
        "torch": Peer("torch.atan"),
        "jax": Peer("jax.numpy.arctan"),
    },
)
def arctan(xp: Namespace, z: Array) -> Array:
    """Arctangent: bounded by -pi/2 and pi/2, with a slope that vanishes as ``1 / z ** 2``.

    References
    ----------
    V. Kunc, J. Kléma, Three Decades of Activations: A Comprehensive Survey of 400 Activation
    Functions for Neural Networks, 2024, https://arxiv.org/abs/2402.09092

    Examples
    --------
    >>> from actlib import arctan
    >>> arctan([-1.0, 0.0, 1.0])
    array([-0.78539816,  0.        ,  0.78539816])
    >>> arctan.grad([-1.0, 0.0, 1.0])
    array([0.5, 1. , 0.5])
    """
    return xp.atan(z)


@derivative(arctan, limits=(0, 0))
def arctan_grad(xp: Namespace, z: Array) -> Array:
    return 1 / (1 + z * z)


@derivative(arctan, order=2, limits=(0, 0))
def arctan_grad_grad(xp: Namespace, z: Array) -> Array:
    slope = 1 / (1 + z * z)
    return -2 * ((z * slope) * slope)


@activation(
    title="LeCun tanh",
    formula=r"f(z) = 1.7159 \tanh\left(\frac{2}{3} z\right)",
    exact=lambda m, z: 17159 * m.tanh(2 * z / 3) / 10000,
    family=SIGMOIDS,
    cite="lecun2012efficient",
    year=2012,
    limits=(-1.7159, 1.7159),
    range=(-1.7159, 1.7159),
)
def lecun_tanh(xp: Namespace, z: Array) -> Array:
    """Tanh, scaled so that it is about 1 at 1 and -1 at -1.

    For targets of -1 and 1, where its curvature is largest, that keeps units from saturating.

    References
    ----------
    Y. A. LeCun, L. Bottou, G. B. Orr, K.-R. Müller, Efficient BackProp, 1998, reprinted 2012,
    https://doi.org/10.1007/978-3-642-35289-8_3

    Examples
    --------
    >>> from actlib import lecun_tanh
    >>> lecun_tanh([-1.0, 0.0, 1.0])
    array([-0.99999726,  0.        ,  0.99999726])
    """
    return 1.7159 * xp.tanh(2 / 3 * z)


@derivative(lecun_tanh, limits=(0, 0))
def lecun_tanh_grad(xp: Namespace, z: Array) -> Array:
    q = xp.exp(-4 / 3 * xp.abs(z))
    return 8 / 3 * 1.7159 * q / ((1 + q) * (1 + q))


@derivative(lecun_tanh, order=2, limits=(0, 0))
def lecun_tanh_grad_grad(xp: Namespace, z: Array) -> Array:
    return 32 / 9 * 1.7159 * _curvature(xp, 4 / 3 * z)


@activation(
    title="Normal CDF",
    formula=r"\Phi(z) = \frac{1}{\sqrt{2\pi}} \int_{-\infty}^z e^{-t^2/2} \, dt",
    exact=lambda m, z: m.erfc(-z / m.sqrt(2)) / 2,
    family=SIGMOIDS,
    cite="bliss1934method",
    year=1934,
    limits=(0, 1),
    range=(0, 1),
    peers={
        "torch": Peer("torch.special.ndtr"),
        "jax": Peer("jax.scipy.special.ndtr"),
        "scipy": Peer("scipy.special.ndtr"),
    },
)
def ndtr(xp: Namespace, z: Array) -> Array:
    """Distribution function of the standard normal distribution, the gate of `gelu`.

    The probability that a standard normal number is at most `z`; a unit with this activation
    and no hidden layer below is probit regression.

    References
    ----------
    C. I. Bliss, The Method of Probits, Science 79, 1934,
    https://doi.org/10.1126/science.79.2037.38

    Examples
    --------
    >>> from actlib import ndtr
    >>> ndtr([-1.96, 0.0, 1.96])
    array([0.0249979, 0.5      , 0.9750021])
    """
    return normal_cdf(xp, z)


@derivative(ndtr, limits=(0, 0))
def ndtr_grad(xp: Namespace, z: Array) -> Array:
    """The normal density."""
    return normal_density(xp, z)


@derivative(ndtr, order=2, limits=(0, 0))
def ndtr_grad_grad(xp: Namespace, z: Array) -> Array:
    return -z * normal_density(xp, z)
