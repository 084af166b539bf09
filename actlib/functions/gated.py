"""Gated activations."""

from __future__ import annotations

from math import inf, pi, sqrt

from actlib._core.arrays import Array, Namespace, Parameter
from actlib._core.declare import activation, both, derivative
from actlib._core.spec import Param, Peer
from actlib._core.special import normal_cdf, normal_density

__all__ = [
    "gelu",
    "gelu_tanh",
    "hard_silu",
    "hard_swish",
    "mish",
    "quick_gelu",
    "silu",
    "swish",
]

GATED = "Gated activations: z times something that opens from 0 to 1 as z grows"

_SILU_LEAST = -0.27846454276107380  # silu's value at its minimum, -1.2784645427610738


def _gate(xp: Namespace, t: Array) -> tuple[Array, Array]:
    """Compute sigmoid(t), and 1 / sigmoid(-t), for a t that is at most about 40."""
    e = xp.exp(t)
    d = 1 + e
    return e / d, d


def _gated_bend(xp: Namespace, t: Array, y: Array, w: Array) -> Array:
    """Compute sigmoid(t) * sigmoid(-t) * (y - w * tanh(t / 2)), the derivative of the slope."""
    q = xp.exp(-xp.abs(t))
    d = 1 + q
    return q / d * ((y - w * xp.tanh(0.5 * t)) / d)


def _finite(xp: Namespace, u: Array) -> Array:
    """A finite u for which u * sigmoid(u) and its slope are as good as for the given one."""
    return xp.minimum(xp.maximum(u, -1e3), 40)


def _silu_parts(xp: Namespace, u: Array) -> tuple[Array, Array]:
    """The gate sigmoid(u) and the slope of u * sigmoid(u), for silu and what it is stretched to."""
    u = _finite(xp, u)
    gate, d = _gate(xp, u)
    return gate, gate * (1 + u / d)


def _silu_bend(xp: Namespace, u: Array) -> Array:
    """The second derivative of u * sigmoid(u)."""
    u = xp.clip(u, -1e3, 1e3)
    return _gated_bend(xp, u, 2, u)


@activation(
    title="SiLU",
    formula=r"\operatorname{SiLU}(z) = z \, \sigma(z) = \frac{z}{1 + e^{-z}}",
    exact=lambda m, z: z / (1 + m.exp(-z)),
    family=GATED,
    cite="elfwing2018sigmoid",
    year=2018,
    limits=(-0.0, inf),
    range=(_SILU_LEAST, inf),
    monotonic=False,
    root=-1.2784645427610737,
    peers={
        "tensorflow": Peer("tf.nn.silu", note="further parameter beta=1"),
        "keras": Peer("keras.activations.silu"),
        "torch": Peer("torch.nn.functional.silu"),
        "jax": Peer("jax.nn.silu"),
    },
)
def silu(xp: Namespace, z: Array) -> Array:
    """Sigmoid-weighted linear unit: `z` passes a gate that the sigmoid of `z` opens.

    It is `swish` with ``beta = 1``. It falls to -0.278 at -1.278, then rises to 0 far below.

    References
    ----------
    S. Elfwing, E. Uchibe, K. Doya, Sigmoid-weighted linear units for neural network function
    approximation in reinforcement learning, Neural Networks 107, 2018,
    https://doi.org/10.1016/j.neunet.2017.12.012

    Examples
    --------
    >>> from actlib import silu
    >>> silu([-2.0, 0.0, 2.0])
    array([-0.23840584,  0.        ,  1.76159416])
    >>> silu.grad([-2.0, 0.0, 2.0])
    array([-0.09078425,  0.5       ,  1.09078425])
    """
    gate, _ = _gate(xp, _finite(xp, z))
    return z * gate


@derivative(silu, limits=(0, 1))
def silu_grad(xp: Namespace, z: Array) -> Array:
    return _silu_parts(xp, z)[1]


@both(silu)
def silu_both(xp: Namespace, z: Array) -> tuple[Array, Array]:
    gate, slope = _silu_parts(xp, z)
    return z * gate, slope


@derivative(silu, order=2, limits=(0, 0))
def silu_grad_grad(xp: Namespace, z: Array) -> Array:
    return _silu_bend(xp, z)


def _swish_range(beta: float) -> tuple[float, float]:
    if beta == 0:
        return -inf, inf
    extreme = _SILU_LEAST / beta
    return (extreme, inf) if beta > 0 else (-inf, extreme)


@activation(
    formula=r"\operatorname{Swish}(z) = z \, \sigma(\beta z)",
    exact=lambda m, z, beta: z / (1 + m.exp(-beta * z)),
    family=GATED,
    cite="ramachandran2017searching",
    year=2017,
    limits=lambda xp, beta: (
        xp.where(beta > 0, -0.0 * beta, -inf),
        xp.where(beta < 0, -0.0 * beta, inf),
    ),
    range=_swish_range,
    params={"beta": Param("Steepness of the gate", samples=(-1.5, 0.0, 0.1, 10.0))},
    monotonic=False,
    root=-1.2784645427610737,
    peers={
        "tensorflow": Peer("tf.nn.swish"),
        "keras": Peer("keras.activations.swish", note="no beta, which is 1"),
        "jax": Peer("jax.nn.swish", note="no beta, which is 1"),
    },
)
def swish(xp: Namespace, z: Array, beta: Parameter = 1.0) -> Array:
    """Swish: `silu` with a parameter, fixed or learned, that says how fast the gate opens.

    With `beta` near 0 it comes close to ``z / 2``, with a large `beta` to ReLU.

    References
    ----------
    P. Ramachandran, B. Zoph, Q. V. Le, Searching for Activation Functions, 2017,
    https://arxiv.org/abs/1710.05941

    Examples
    --------
    >>> from actlib import swish
    >>> swish([-1.0, 0.0, 1.0], beta=2.0)
    array([-0.11920292,  0.        ,  0.88079708])
    >>> swish.partials["beta"]([-1.0, 0.0, 1.0], beta=2.0)
    array([0.10499359, 0.        , 0.10499359])
    """
    # half of the exponent at a time: z is multiplied before the result underflows, and even where
    # a small exponential would be divided by a small beta, none of it is lost
    t = beta * z
    h = xp.exp(-0.5 * xp.abs(t))
    w = xp.maximum(h, xp.astype(t >= 0, t.dtype))  # the sigmoid is w ** 2 / (1 + h ** 2)
    return z * w * (w / (1 + h * h))


def _swish_slope_limits(xp: Namespace, beta: Array) -> tuple[Array, Array]:
    above = xp.where(beta > 0, 1.0, xp.where(beta < 0, 0.0, 0.5 + 0 * beta))
    return 1 - above, above


@derivative(swish, limits=_swish_slope_limits)
def swish_grad(xp: Namespace, z: Array, beta: Parameter) -> Array:
    return _silu_parts(xp, beta * z)[1]


@derivative(swish, order=2, limits=(0, 0))
def swish_grad_grad(xp: Namespace, z: Array, beta: Parameter) -> Array:
    return beta * _silu_bend(xp, beta * z)


def _swish_beta_limits(xp: Namespace, beta: Array) -> tuple[Array, Array]:
    limit = xp.where(beta == 0, inf, 0 * beta)
    return limit, limit


@derivative(swish, "beta", limits=_swish_beta_limits)
def swish_beta(xp: Namespace, z: Array, beta: Parameter) -> Array:
    """``(z / (2 * cosh(beta * z / 2))) ** 2``."""
    h = xp.exp(-0.5 * xp.abs(beta * z))
    r = z * h / (1 + h * h)
    return r * r


@activation(
    title="Quick GELU",
    formula=r"f(z) = z \, \sigma(1.702 z)",
    exact=lambda m, z: z / (1 + m.exp(-1702 * z / 1000)),
    family=GATED,
    cite="hendrycks2016gaussian",
    year=2016,
    limits=(-0.0, inf),
    range=(_SILU_LEAST / 1.702, inf),
    monotonic=False,
    root=-0.751154255441289,
)
def quick_gelu(xp: Namespace, z: Array) -> Array:
    """The sigmoid approximation of `gelu`: `swish` with ``beta = 1.702``.

    References
    ----------
    D. Hendrycks, K. Gimpel, Gaussian Error Linear Units (GELUs), 2016,
    https://arxiv.org/abs/1606.08415

    Examples
    --------
    >>> from actlib import quick_gelu
    >>> quick_gelu([-1.0, 0.0, 1.0])
    array([-0.15420423,  0.        ,  0.84579577])
    """
    gate, _ = _gate(xp, _finite(xp, 1.702 * z))
    return z * gate


@derivative(quick_gelu, limits=(0, 1))
def quick_gelu_grad(xp: Namespace, z: Array) -> Array:
    return _silu_parts(xp, 1.702 * z)[1]


@both(quick_gelu)
def quick_gelu_both(xp: Namespace, z: Array) -> tuple[Array, Array]:
    gate, slope = _silu_parts(xp, 1.702 * z)
    return z * gate, slope


@derivative(quick_gelu, order=2, limits=(0, 0))
def quick_gelu_grad_grad(xp: Namespace, z: Array) -> Array:
    return 1.702 * _silu_bend(xp, 1.702 * z)


@activation(
    formula=r"\operatorname{mish}(z) = z \tanh(\log(1 + e^z))",
    exact=lambda m, z: z * m.tanh(m.log(1 + m.exp(z))),
    family=GATED,
    cite="misra2020mish",
    year=2020,
    limits=(-0.0, inf),
    range=(-0.30884341301725040, inf),
    monotonic=False,
    root=-1.1924312145154952,
    peers={
        "keras": Peer("keras.activations.mish"),
        "torch": Peer("torch.nn.functional.mish"),
        "jax": Peer("jax.nn.mish"),
    },
)
def mish(xp: Namespace, z: Array) -> Array:
    """Mish: `z` passes a gate that is the tanh of the softplus of `z`.

    It falls to -0.309 at -1.192, then rises to 0 far below.

    References
    ----------
    D. Misra, Mish: A Self Regularized Non-Monotonic Activation Function, BMVC 2020,
    https://arxiv.org/abs/1908.08681

    Examples
    --------
    >>> from actlib import mish
    >>> mish([-1.0, 0.0, 1.0])
    array([-0.30340146,  0.        ,  0.86509839])
    >>> mish.grad([-1.0, 0.0, 1.0])
    array([0.05921676, 0.6       , 1.04903622])
    """
    _, _, n = _mish_parts(xp, z)
    return z * (n / (n + 2))


def _mish_parts(xp: Namespace, z: Array) -> tuple[Array, Array, Array]:
    """A z for which exp(z) ** 4 is finite, its exponential, and (1 + exp(z)) ** 2 - 1."""
    z = xp.minimum(xp.maximum(z, -1e3), 21)  # as good as infinity
    e = xp.exp(z)
    return z, e, e * (e + 2)


def _mish_slope(z: Array, e: Array, n: Array) -> Array:
    """A quotient of polynomials in exp(z)."""
    d = n + 2
    return e * (((e + 4) * e + (4 * z + 6)) * e + 4 * (z + 1)) / (d * d)


@derivative(mish, limits=(0, 1))
def mish_grad(xp: Namespace, z: Array) -> Array:
    return _mish_slope(*_mish_parts(xp, z))


@both(mish)
def mish_both(xp: Namespace, z: Array) -> tuple[Array, Array]:
    parts = _mish_parts(xp, z)
    n = parts[-1]
    return z * (n / (n + 2)), _mish_slope(*parts)


def _powers(xp: Namespace, z: Array) -> tuple[Array, Array]:
    """Two numbers whose quotient is exp(z), the larger of them 1."""
    e = xp.exp(-xp.abs(z))
    above = xp.astype(z >= 0, z.dtype)
    return xp.maximum(e, above), xp.maximum(e, 1 - above)


@derivative(mish, order=2, limits=(0, 0))
def mish_grad_grad(xp: Namespace, z: Array) -> Array:
    """``(1 - t * t) * s * (2 + z * (1 - s - 2 * t * s))``, s the sigmoid and t tanh(softplus)."""
    z = xp.clip(z, -1e3, 1e3)
    p, q = _powers(xp, z)
    n = p * (p + 2 * q)
    d = n + 2 * q * q
    return 4 * p * (q / d) * (q / d) * (2 * (p + q) + z * (q - 2 * p * (n / d)))


@activation(
    title="GELU",
    formula=r"\operatorname{GELU}(z) = z \, \Phi(z) = \frac{z}{2}"
    r" \operatorname{erfc}\left(-\frac{z}{\sqrt{2}}\right)",
    exact=lambda m, z: z * m.erfc(-z / m.sqrt(2)) / 2,
    family=GATED,
    cite="hendrycks2016gaussian",
    year=2016,
    limits=(-0.0, inf),
    range=(-0.16997120747990366, inf),
    monotonic=False,
    root=-0.7517915246935645,
    peers={
        "tensorflow": Peer("tf.nn.gelu"),
        "keras": Peer("keras.activations.gelu"),
        "torch": Peer("torch.nn.functional.gelu"),
        "jax": Peer("jax.nn.gelu", {"approximate": False}, note="its default is True"),
    },
)
def gelu(xp: Namespace, z: Array) -> Array:
    """Gaussian error linear unit: `z` passes a gate that the normal distribution opens.

    The exact form; `gelu_tanh` and `quick_gelu` approximate it. It falls to -0.170 at -0.752,
    then rises to 0 far below.

    References
    ----------
    D. Hendrycks, K. Gimpel, Gaussian Error Linear Units (GELUs), 2016,
    https://arxiv.org/abs/1606.08415

    Examples
    --------
    >>> from actlib import gelu
    >>> gelu([-10.0, -1.0, 0.0, 1.0])
    array([-7.61985302e-23, -1.58655254e-01,  0.00000000e+00,  8.41344746e-01])
    >>> gelu.grad([-1.0, 0.0, 1.0])
    array([-0.08331547,  0.5       ,  1.08331547])
    """
    return z * normal_cdf(xp, z)


@derivative(gelu, limits=(0, 1))
def gelu_grad(xp: Namespace, z: Array) -> Array:
    return normal_cdf(xp, z) + z * normal_density(xp, z)


@derivative(gelu, order=2, limits=(0, 0))
def gelu_grad_grad(xp: Namespace, z: Array) -> Array:
    z = xp.clip(z, -50, 50)  # as good as infinity
    return normal_density(xp, z) * (2 - z * z)


@both(gelu)
def gelu_both(xp: Namespace, z: Array) -> tuple[Array, Array]:
    cdf = normal_cdf(xp, z)
    return z * cdf, cdf + z * normal_density(xp, z)


# z * sigmoid(2 * u) is z * (1 + tanh(u)) / 2; 2 * u is this polynomial: _LINEAR * z + _CUBIC * z^3
_LINEAR = 2 * sqrt(2 / pi)
_CUBIC = _LINEAR * 0.044715


@activation(
    title="GELU (tanh)",
    formula=r"f(z) = \frac{z}{2} \left(1 + \tanh\left(\sqrt{\frac{2}{\pi}}"
    r" \left(z + 0.044715 z^3\right)\right)\right)",
    exact=lambda m, z: z * (1 + m.tanh(m.sqrt(2 / m.pi) * (z + 44715 * z**3 / 1000000))) / 2,
    family=GATED,
    cite="hendrycks2016gaussian",
    year=2016,
    limits=(-0.0, inf),
    range=(-0.17004075057125405, inf),
    monotonic=False,
    root=-0.7524614220710163,
    peers={
        "tensorflow": Peer("tf.nn.gelu", {"approximate": True}, note="its default is False"),
        "keras": Peer("keras.activations.gelu", {"approximate": True}, note="its default is False"),
        "torch": Peer(
            "torch.nn.functional.gelu", {"approximate": "tanh"}, note="its default is 'none'"
        ),
        "jax": Peer("jax.nn.gelu", note="approximate=True, its default"),
    },
)
def gelu_tanh(xp: Namespace, z: Array) -> Array:
    """The tanh approximation of `gelu`, with an error of at most 0.0005.

    References
    ----------
    D. Hendrycks, K. Gimpel, Gaussian Error Linear Units (GELUs), 2016,
    https://arxiv.org/abs/1606.08415

    Examples
    --------
    >>> from actlib import gelu_tanh
    >>> gelu_tanh([-10.0, -1.0, 0.0, 1.0])
    array([-1.20409235e-37, -1.58808009e-01,  0.00000000e+00,  8.41191991e-01])
    """
    _, _, gate, _ = _gelu_tanh_parts(xp, z)
    return z * gate


def _gelu_tanh_parts(xp: Namespace, z: Array) -> tuple[Array, Array, Array, Array]:
    """A z that opens the gate no wider than it can, its square, and what `_gate` computes."""
    z = xp.minimum(xp.maximum(z, -50), 7.5)
    s = z * z
    return z, s, *_gate(xp, z * (_LINEAR + _CUBIC * s))


def _gelu_tanh_slope(z: Array, s: Array, gate: Array, d: Array) -> Array:
    return gate * (1 + z * (_LINEAR + 3 * _CUBIC * s) / d)


@derivative(gelu_tanh, limits=(0, 1))
def gelu_tanh_grad(xp: Namespace, z: Array) -> Array:
    return _gelu_tanh_slope(*_gelu_tanh_parts(xp, z))


@both(gelu_tanh)
def gelu_tanh_both(xp: Namespace, z: Array) -> tuple[Array, Array]:
    parts = _gelu_tanh_parts(xp, z)
    return z * parts[2], _gelu_tanh_slope(*parts)


@derivative(gelu_tanh, order=2, limits=(0, 0))
def gelu_tanh_grad_grad(xp: Namespace, z: Array) -> Array:
    z = xp.clip(z, -50, 50)
    s = z * z
    slope = _LINEAR + 3 * _CUBIC * s  # of t
    return _gated_bend(
        xp, z * (_LINEAR + _CUBIC * s), 2 * _LINEAR + 12 * _CUBIC * s, z * slope * slope
    )


@activation(
    title="Hard SiLU",
    formula=r"f(z) = z \, \frac{\min(\max(0, z + 3), 6)}{6}",
    exact=lambda m, z: z * m.clip((z + 3) / 6, 0, 1),
    family=GATED,
    cite="howard2019searching",
    year=2019,
    limits=(-0.0, inf),
    range=(-0.375, inf),
    kinks=(-3.0, 3.0),
    monotonic=False,
    root=-1.5,
    peers={
        "keras": Peer("keras.activations.hard_silu"),
        "torch": Peer("torch.nn.functional.hardswish"),
        "jax": Peer("jax.nn.hard_silu"),
    },
)
def hard_silu(xp: Namespace, z: Array) -> Array:
    """Hard SiLU: `z` passes a gate that `hard_sigmoid` opens.

    Its derivative at the kinks is that of the straight lines outside, by convention: 0 at -3 and
    1 at 3. `hard_swish` is the same function.

    References
    ----------
    A. Howard et al., Searching for MobileNetV3, ICCV 2019, https://doi.org/10.1109/ICCV.2019.00140

    Examples
    --------
    >>> from actlib import hard_silu
    >>> hard_silu([-1.5, 0.0, 1.5, 4.0])
    array([-0.375,  0.   ,  1.125,  4.   ])
    >>> hard_silu.grad([-3.0, 0.0, 1.5, 3.0])
    array([0. , 0.5, 1. , 1. ])
    """
    return z * (xp.clip(z + 3, 0, 6) / 6)


@derivative(hard_silu, limits=(0, 1))
def hard_silu_grad(xp: Namespace, z: Array) -> Array:
    """The gate, and where it moves, z times its slope."""
    z = xp.clip(z, -3, 3)
    moves = xp.astype(xp.abs(z) < 3, z.dtype)
    return (z + 3 + z * moves) / 6


@derivative(hard_silu, order=2, limits=(0, 0))
def hard_silu_grad_grad(xp: Namespace, z: Array) -> Array:
    """1/3 where the gate moves, 0 elsewhere and at the kinks."""
    return xp.astype(xp.abs(z) < 3, z.dtype) / 3


hard_swish = hard_silu
"""The name that its paper has for `hard_silu`."""
