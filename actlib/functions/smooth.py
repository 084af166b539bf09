"""Smooth relatives of the rectifier."""

from __future__ import annotations

from math import inf

from actlib._core.arrays import Array, Namespace, Parameter
from actlib._core.declare import activation, derivative
from actlib._core.spec import Param, Peer
from actlib._core.special import expm1_below, log1p_inside

__all__ = ["celu", "elu", "selu", "softplus", "sparse_plus", "squareplus", "tanh_shrink"]

SMOOTH = "Smooth relatives of the rectifier: it is bent, or rounded off, where ReLU has its corner"


def _below(xp: Namespace, z: Array) -> Array:
    """Compute min(z, 0), but keep -0.0, of which a library's minimum may make 0.0."""
    return 0.5 * (z - xp.abs(z))


def _up_to_zero(xp: Namespace, z: Array, value: Array) -> Array:
    """The value, and 0 above zero: less itself, as XLA has 0 for NaN times a choice of 0 or 1."""
    return value - value * xp.astype(z > 0, z.dtype)


@activation(
    title="ELU",
    formula=r"\operatorname{ELU}(z) = \begin{cases} z, & z > 0 \\ \alpha (e^z - 1), & z \le 0"
    r" \end{cases}",
    exact=lambda m, z, alpha: m.where(z > 0, z, alpha * (m.exp(z) - 1)),
    family=SMOOTH,
    cite="clevert2016elu",
    year=2016,
    limits=lambda xp, alpha: (-alpha, inf),
    range=lambda alpha: (min(-alpha, 0.0), inf),
    kinks=lambda alpha: () if alpha == 1 else (0.0,),
    params={"alpha": Param("Minus the limit far below zero", samples=(-0.5, 0.0, 0.1, 1.7, 1e4))},
    peers={
        "tensorflow": Peer("tf.nn.elu", note="no alpha, which is 1"),
        "keras": Peer("keras.activations.elu"),
        "torch": Peer("torch.nn.functional.elu"),
        "jax": Peer("jax.nn.elu"),
    },
)
def elu(xp: Namespace, z: Array, alpha: Parameter = 1.0) -> Array:
    """Exponential linear unit: the identity above zero, an exponential down to -`alpha` below it.

    Its derivative is 1 above zero and ``alpha * exp(z)`` below it; at zero `alpha`, by convention.
    Unless `alpha` is 1, the derivative jumps there.

    References
    ----------
    D.-A. Clevert, T. Unterthiner, S. Hochreiter, Fast and Accurate Deep Network Learning by
    Exponential Linear Units (ELUs), ICLR 2016, https://arxiv.org/abs/1511.07289

    Examples
    --------
    >>> from actlib import elu
    >>> elu([-1e-20, -1.0, 2.0])
    array([-1.00000000e-20, -6.32120559e-01,  2.00000000e+00])
    >>> elu.grad([-1.0, 0.0, 2.0], alpha=0.5)
    array([0.18393972, 0.5       , 1.        ])
    """
    return xp.maximum(z, -0.0) + alpha * expm1_below(xp, _below(xp, z))


@derivative(elu, limits=(0, 1))
def elu_grad(xp: Namespace, z: Array, alpha: Parameter) -> Array:
    """The exponential is taken in two factors: alone it would underflow before its product."""
    h = xp.exp(0.5 * xp.minimum(z, 0))
    above = xp.astype(z > 0, z.dtype)
    return above + (1 - above) * (alpha * h * h)


@derivative(elu, order=2, limits=(0, 0))
def elu_grad_grad(xp: Namespace, z: Array, alpha: Parameter) -> Array:
    """``alpha * exp(z)`` below zero, 0 above it; at zero the left one, `alpha`."""
    h = xp.exp(0.5 * xp.minimum(z, 0))
    return _up_to_zero(xp, z, alpha * h * h)


@derivative(elu, "alpha", limits=(-1, 0))
def elu_alpha(xp: Namespace, z: Array, alpha: Parameter) -> Array:
    return expm1_below(xp, _below(xp, z))


# These make mean 0 and variance 1 a fixed point; appendix A1 of the source has a closed form.
_SELU_SCALE = 1.0507009873554805  # lambda
_SELU_FLOOR = 1.7580993408473768  # lambda times alpha, rounded once


@activation(
    title="SELU",
    formula=r"\operatorname{SELU}(z) = \lambda \begin{cases} z, & z > 0 \\ \alpha (e^z - 1),"
    r" & z \le 0 \end{cases} \quad \text{with } \lambda \approx 1.0507,\ \alpha \approx 1.6733",
    exact=lambda m, z: m.where(
        z > 0,
        1050700987355480493419335 * z / 10**24,
        1758099340847376859940218 * (m.exp(z) - 1) / 10**24,
    ),
    family=SMOOTH,
    cite="klambauer2017self",
    year=2017,
    limits=(-_SELU_FLOOR, inf),
    range=(-_SELU_FLOOR, inf),
    kinks=(0.0,),
    peers={
        "tensorflow": Peer("tf.nn.selu", note="its derivative at 0 is 1.0507"),
        "keras": Peer(
            "keras.activations.selu", note="its derivative at 0 is 1.0507, with TensorFlow"
        ),
        "torch": Peer("torch.nn.functional.selu"),
        "jax": Peer("jax.nn.selu"),
    },
)
def selu(xp: Namespace, z: Array) -> Array:
    """Scaled exponential linear unit: `elu`, with constants that keep a deep network's scale.

    With weights of mean 0 and variance 1 over the number of inputs, activations of mean 0 and
    variance 1 stay so from layer to layer. The derivative at zero is the left one, 1.758, by
    convention.

    References
    ----------
    G. Klambauer, T. Unterthiner, A. Mayr, S. Hochreiter, Self-Normalizing Neural Networks,
    NeurIPS 2017, https://arxiv.org/abs/1706.02515

    Examples
    --------
    >>> from actlib import selu
    >>> selu([-40.0, 0.0, 1.0])
    array([-1.75809934,  0.        ,  1.05070099])
    >>> selu.grad([-1.0, 0.0, 1.0])
    array([0.6467686 , 1.75809934, 1.05070099])
    """
    return _SELU_SCALE * xp.maximum(z, -0.0) + _SELU_FLOOR * expm1_below(xp, _below(xp, z))


@derivative(selu, limits=(0, _SELU_SCALE))
def selu_grad(xp: Namespace, z: Array) -> Array:
    above = xp.astype(z > 0, z.dtype)
    return _SELU_SCALE * above + (1 - above) * (_SELU_FLOOR * xp.exp(xp.minimum(z, 0)))


@derivative(selu, order=2, limits=(0, 0))
def selu_grad_grad(xp: Namespace, z: Array) -> Array:
    """That of the exponential up to zero, 0 above it; at zero the left one."""
    return _up_to_zero(xp, z, _SELU_FLOOR * xp.exp(xp.minimum(z, 0)))


@activation(
    title="CELU",
    formula=r"\operatorname{CELU}(z) = \begin{cases} z, & z > 0 \\ \alpha (e^{z / \alpha} - 1),"
    r" & z \le 0 \end{cases}",
    exact=lambda m, z, alpha: m.where(z > 0, z, alpha * (m.exp(z / alpha) - 1)),
    family=SMOOTH,
    cite="barron2017continuously",
    year=2017,
    limits=lambda xp, alpha: (-alpha, inf),
    range=lambda alpha: (-alpha, inf),
    params={
        "alpha": Param("Minus the limit far below zero", samples=(0.001, 0.3, 1.7, 1e4), low=0.0)
    },
    peers={
        "keras": Peer("keras.activations.celu", note="its derivative at 0 is 2, with TensorFlow"),
        "torch": Peer("torch.nn.functional.celu"),
        "jax": Peer("jax.nn.celu"),
    },
)
def celu(xp: Namespace, z: Array, alpha: Parameter = 1.0) -> Array:
    """Continuously differentiable exponential linear unit: `elu`, stretched to slope 1 at zero.

    References
    ----------
    J. T. Barron, Continuously Differentiable Exponential Linear Units, 2017,
    https://arxiv.org/abs/1704.07483

    Examples
    --------
    >>> from actlib import celu
    >>> celu([-4.0, 0.0, 2.0], alpha=2.0)
    array([-1.72932943,  0.        ,  2.        ])
    >>> celu.grad([-4.0, 0.0, 2.0], alpha=2.0)
    array([0.13533528, 1.        , 1.        ])
    """
    # z times a factor that is 1 above zero, so that -0.0 is kept; in the quotient a `u` that has
    # underflowed does no harm, and where it has overflowed, the function is flat.
    u = xp.clip(z / alpha, -1e30, -1e-30)
    return xp.maximum(z * (expm1_below(xp, u) / u), -alpha)


@derivative(celu, limits=(0, 1))
def celu_grad(xp: Namespace, z: Array, alpha: Parameter) -> Array:
    return xp.exp(xp.minimum(z / alpha, 0))


@derivative(celu, order=2, limits=(0, 0))
def celu_grad_grad(xp: Namespace, z: Array, alpha: Parameter) -> Array:
    """``exp(z / alpha) / alpha`` below zero, 0 above it; at zero the left one."""
    h = xp.exp(0.5 * xp.minimum(z / alpha, 0))
    return _up_to_zero(xp, z, h * (h / alpha))


def _coth(q: Array) -> Array:
    """sqrt(q) * coth(sqrt(q)) - 1 for q from 0 to 1: Lambert's continued fraction, q/(3+q/(5+...).

    Its next level would add 3e-19 of it.
    """
    fraction = q / 19
    for odd in (17, 15, 13, 11, 9, 7, 5, 3):
        fraction = q / (odd + fraction)
    return fraction


@derivative(celu, "alpha", limits=(-1, 0))
def celu_alpha(xp: Namespace, z: Array, alpha: Parameter) -> Array:
    """``expm1(u) - u * exp(u)`` with ``u = z / alpha``, zero above zero.

    Near zero its terms cancel; there it is ``expm1(u) * (1 + h - h * coth(h))`` with ``h = -u/2``.
    """
    u = xp.clip(z / alpha, -1e3, 0)
    h = -0.5 * u
    e = expm1_below(xp, u)
    inside = xp.astype(h < 0.5, z.dtype)
    near = e * (h - _coth(xp.minimum(h * h, 0.25)))
    return inside * near + (1 - inside) * (e - u * xp.exp(u))


@activation(
    formula=r"\operatorname{softplus}(z) = \frac{1}{\beta} \log(1 + e^{\beta z})",
    exact=lambda m, z, beta: m.log(1 + m.exp(beta * z)) / beta,
    family=SMOOTH,
    cite="dugas2001incorporating",
    year=2001,
    limits=(0, inf),
    range=(0, inf),
    params={
        "beta": Param(
            "Sharpness: the larger, the closer to ReLU", samples=(0.001, 0.3, 10.0), low=0.0
        )
    },
    peers={
        "tensorflow": Peer("tf.nn.softplus", note="no beta, which is 1"),
        "keras": Peer("keras.activations.softplus", note="no beta, which is 1"),
        "torch": Peer(
            "torch.nn.functional.softplus", note="z itself where beta z is above threshold=20"
        ),
        "jax": Peer("jax.nn.softplus", note="no beta, which is 1"),
    },
)
def softplus(xp: Namespace, z: Array, beta: Parameter = 1.0) -> Array:
    """Softplus: ReLU with its corner rounded off; its derivative is the sigmoid of ``beta * z``.

    There is no threshold beyond which it becomes the identity: it is right without one.

    References
    ----------
    C. Dugas, Y. Bengio, F. Bélisle, C. Nadeau, R. Garcia, Incorporating Second-Order Functional
    Knowledge for Better Option Pricing, NeurIPS 2000,
    https://proceedings.neurips.cc/paper/2000/file/44968aece94f667e4095002d140b5896-Paper.pdf

    Examples
    --------
    >>> from actlib import softplus
    >>> softplus([-40.0, 0.0, 3.0])
    array([4.24835426e-18, 6.93147181e-01, 3.04858735e+00])
    >>> softplus.grad([-40.0, 0.0, 3.0])
    array([4.24835426e-18, 5.00000000e-01, 9.52574127e-01])
    """
    near, far = _decay(xp, beta * z)
    return xp.maximum(z, 0) + log1p_inside(xp, near) / beta * far


def _decay(xp: Namespace, u: Array) -> tuple[Array, Array]:
    """exp(-abs(u)) in two factors, the second of them 1 up to 80.

    Where beta is small, the whole would underflow before its quotient by beta does. Beyond 80,
    log(1 + e) is e, so the second factor may as well stand outside of the logarithm.
    """
    a = xp.abs(u)
    return xp.exp(-xp.minimum(a, 80)), xp.exp(xp.minimum(80 - a, 0))


@derivative(softplus, limits=(0, 1))
def softplus_grad(xp: Namespace, z: Array, beta: Parameter) -> Array:
    return 1 / (1 + xp.exp(-(beta * z)))


@derivative(softplus, order=2, limits=(0, 0))
def softplus_grad_grad(xp: Namespace, z: Array, beta: Parameter) -> Array:
    q = xp.exp(-xp.abs(beta * z))
    return beta * (q / ((1 + q) * (1 + q)))


@derivative(softplus, "beta", limits=(0, 0))
def softplus_beta(xp: Namespace, z: Array, beta: Parameter) -> Array:
    """Minus the entropy of a coin that shows heads with the sigmoid's probability, by beta ** 2."""
    u = beta * z
    near, far = _decay(xp, u)
    entropy = xp.log1p(near) + xp.minimum(xp.abs(u), 1e3) * (near / (1 + near))
    return -(entropy / beta / beta * far)


@activation(
    formula=r"\operatorname{squareplus}(z) = \frac{z + \sqrt{z^2 + b}}{2}",
    exact=lambda m, z, b: (z + m.sqrt(z * z + b)) / 2,
    family=SMOOTH,
    cite="barron2021squareplus",
    year=2021,
    limits=(0, inf),
    range=(0, inf),
    params={
        "b": Param(
            "How far the corner of ReLU is rounded off", samples=(1e-4, 0.3, 1.0, 100.0), low=0.0
        )
    },
    peers={
        "keras": Peer("keras.activations.squareplus"),
        "jax": Peer("jax.nn.squareplus"),
    },
)
def squareplus(xp: Namespace, z: Array, b: Parameter = 4.0) -> Array:
    """Squareplus: a curve like softplus, by a square root instead of exponential and logarithm.

    References
    ----------
    J. T. Barron, Squareplus: A Softplus-Like Algebraic Rectifier, 2021,
    https://arxiv.org/abs/2112.11687

    Examples
    --------
    >>> from actlib import squareplus
    >>> squareplus([-1e10, 0.0, 1.5])
    array([1.e-10, 1.e+00, 2.e+00])
    >>> squareplus.grad([-1.5, 0.0, 1.5])
    array([0.2, 0.5, 0.8])
    """
    half = 0.5 * xp.abs(z) + 0.5 * _radius(xp, z, b)
    return xp.maximum(z, 0) + 0.25 * b / half  # above and below zero the same but for z


def _radius(xp: Namespace, z: Array, b: Parameter) -> Array:
    """sqrt(z ** 2 + b), where the square may overflow; in NumPy, hypot takes five times as long."""
    a, root = xp.abs(z), xp.sqrt(b)
    larger = xp.maximum(a, root)
    ratio = xp.minimum(a, root) / larger
    return larger * xp.sqrt(1 + ratio * ratio)


@derivative(squareplus, limits=(0, 1))
def squareplus_grad(xp: Namespace, z: Array, b: Parameter) -> Array:
    """Below zero a quotient without cancellation, above zero 1 minus that."""
    r = _radius(xp, z, b)
    below = b / (r + xp.abs(z)) / (2 * r)
    above = xp.astype(z > 0, z.dtype)
    return above + (1 - 2 * above) * below


@derivative(squareplus, order=2, limits=(0, 0))
def squareplus_grad_grad(xp: Namespace, z: Array, b: Parameter) -> Array:
    """``b / (2 * r ** 3)``, where the cube might overflow."""
    r = _radius(xp, z, b)
    return 0.5 * (b / r) / r / r


@derivative(squareplus, "b", limits=(0, 0))
def squareplus_b(xp: Namespace, z: Array, b: Parameter) -> Array:
    return 0.25 / _radius(xp, z, b)


@activation(
    title="Sparseplus",
    formula=r"f(z) = \begin{cases} 0, & z \le -1 \\ \frac{1}{4} (z + 1)^2, & -1 < z < 1 \\"
    r" z, & z \ge 1 \end{cases}",
    exact=lambda m, z: m.where(z > 1, z, m.where(z < -1, 0, (z + 1) ** 2 / 4)),
    family=SMOOTH,
    cite="blondel2020learning",
    year=2020,
    limits=(0, inf),
    range=(0, inf),
    peers={
        "keras": Peer("keras.activations.sparse_plus"),
        "jax": Peer("jax.nn.sparse_plus"),
    },
)
def sparse_plus(xp: Namespace, z: Array) -> Array:
    """Sparseplus: 0 up to -1 and the identity from 1 on, joined by a parabola.

    It is to sparsemax what softplus is to softmax; its derivative is a ramp from 0 to 1.

    References
    ----------
    M. Blondel, A. F. T. Martins, V. Niculae, Learning with Fenchel-Young Losses, JMLR 21, 2020,
    section 6.2, https://arxiv.org/abs/1901.02324

    Examples
    --------
    >>> from actlib import sparse_plus
    >>> sparse_plus([-2.0, 0.0, 3.0])
    array([0.  , 0.25, 3.  ])
    >>> sparse_plus.grad([-2.0, 0.0, 3.0])
    array([0. , 0.5, 1. ])
    """
    ramp = sparse_plus_grad(xp, z)
    return xp.maximum(z, ramp * ramp)  # the parabola lies above its tangent at 1


@derivative(sparse_plus, limits=(0, 1))
def sparse_plus_grad(xp: Namespace, z: Array) -> Array:
    return 0.5 * xp.clip(z, -1, 1) + 0.5


@derivative(sparse_plus, order=2, limits=(0, 0))
def sparse_plus_grad_grad(xp: Namespace, z: Array) -> Array:
    """1/2 on the ramp, 0 elsewhere and at its ends."""
    return 0.5 * xp.astype(xp.abs(z) < 1, z.dtype)


@activation(
    formula=r"f(z) = z - \tanh(z)",
    exact=lambda m, z: z - m.tanh(z),
    family=SMOOTH,
    cite="paszke2019pytorch",
    year=2019,
    limits=(-inf, inf),
    range=(-inf, inf),
    peers={
        "keras": Peer("keras.activations.tanh_shrink"),
        "torch": Peer("torch.nn.functional.tanhshrink"),
    },
)
def tanh_shrink(xp: Namespace, z: Array) -> Array:
    """Tanh shrinkage: what is small nearly vanishes, as its cube; what is large moves in by 1.

    Notes
    -----
    No paper is known that introduced it; the name is PyTorch's, `torch.nn.Tanhshrink`.

    References
    ----------
    A. Paszke et al., PyTorch: An Imperative Style, High-Performance Deep Learning Library,
    NeurIPS 2019, https://arxiv.org/abs/1912.01703

    Examples
    --------
    >>> from actlib import tanh_shrink
    >>> tanh_shrink([-3.0, 1e-5, 1.0])
    array([-2.00494525e+00,  3.33333333e-16,  2.38405844e-01])
    """
    # z and tanh(z) cancel near zero; with c = z * coth(z) - 1, the difference is z * c / (1 + c)
    inside = xp.astype(xp.abs(z) < 1, z.dtype)
    c = _coth(xp.minimum(z * z, 1))
    return inside * (z * (c / (1 + c))) + (1 - inside) * (z - xp.tanh(z))


@derivative(tanh_shrink, limits=(1, 1))
def tanh_shrink_grad(xp: Namespace, z: Array) -> Array:
    t = xp.tanh(z)
    return t * t


@derivative(tanh_shrink, order=2, limits=(0, 0))
def tanh_shrink_grad_grad(xp: Namespace, z: Array) -> Array:
    q = xp.exp(-2 * xp.abs(z))
    return 8 * xp.tanh(z) * (q / ((1 + q) * (1 + q)))
