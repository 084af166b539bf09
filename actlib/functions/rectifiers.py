"""Rectifiers."""

from __future__ import annotations

from math import inf

from actlib._core.arrays import Array, Namespace, Parameter
from actlib._core.declare import activation, derivative
from actlib._core.spec import Param, Peer

__all__ = [
    "hard_shrink",
    "leaky_relu",
    "linear",
    "parametric_relu",
    "prelu",
    "relu",
    "relu6",
    "relu_squared",
    "soft_shrink",
]

RECTIFIERS = (
    "Rectifiers: pieces of straight lines, some of them flat or shallow (and the line itself)"
)


@activation(
    formula=r"f(z) = z",
    exact=lambda m, z: z,
    family=RECTIFIERS,
    cite="goodfellow2016deep",
    year=2016,
    limits=(-inf, inf),
    range=(-inf, inf),
    one_pass=True,
    peers={
        "tensorflow": Peer("tf.identity"),
        "keras": Peer("keras.activations.linear"),
        "torch": Peer("torch.nn.Identity"),
        "jax": Peer("jax.nn.identity"),
    },
)
def linear(xp: Namespace, z: Array) -> Array:
    """The identity: no activation, the control that others are compared with.

    Layers of linear units are together no more than one linear layer. The result is a copy.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, Deep Learning, MIT Press, 2016, section 6.2.2.1,
    https://www.deeplearningbook.org

    Examples
    --------
    >>> from actlib import linear
    >>> linear([-2.0, 0.0, 3.0])
    array([-2.,  0.,  3.])
    >>> linear.grad([-2.0, 0.0, 3.0])
    array([1., 1., 1.])
    """
    return 1 * z


@derivative(linear, limits=(1, 1), flat=True, one_pass=True)
def linear_grad(xp: Namespace, z: Array) -> Array:
    return xp.ones_like(z)


@activation(
    title="ReLU",
    formula=r"\operatorname{ReLU}(z) = \max(0, z)",
    exact=lambda m, z: m.max(0, z),
    family=RECTIFIERS,
    cite="nair2010rectified",
    year=2010,
    limits=(0, inf),
    range=(0, inf),
    kinks=(0.0,),
    one_pass=True,
    peers={
        "tensorflow": Peer("tf.nn.relu"),
        "keras": Peer(
            "keras.activations.relu",
            note="further parameters negative_slope=0, max_value=None, threshold=0",
        ),
        "torch": Peer("torch.relu"),
        "jax": Peer("jax.nn.relu"),
    },
)
def relu(xp: Namespace, z: Array) -> Array:
    """Rectified linear unit.

    Its derivative is a step function: 1 above zero, 0 below it, and 0 at zero by convention
    (every value in [0, 1] is a subgradient there).

    References
    ----------
    V. Nair, G. E. Hinton, Rectified Linear Units Improve Restricted Boltzmann Machines, ICML 2010,
    https://icml.cc/Conferences/2010/papers/432.pdf

    Examples
    --------
    >>> from actlib import relu
    >>> relu([-2.0, 0.0, 3.0])
    array([0., 0., 3.])
    >>> relu.grad([-2.0, 0.0, 3.0])
    array([0., 0., 1.])
    """
    return xp.maximum(z, 0)


@derivative(relu, limits=(0, 1), flat=True, one_pass=True)
def relu_grad(xp: Namespace, z: Array) -> Array:
    """A step function; 0 at the kink, by convention."""
    return xp.astype(z > 0, z.dtype)


def _leaky_limits(xp: Namespace, slope: Array) -> tuple[Array, float]:
    below = xp.where(slope > 0, -inf, xp.where(slope < 0, inf, 0 * slope))
    return below, inf


def _leaky_range(slope: float) -> tuple[float, float]:
    return (-inf, inf) if slope > 0 else (0, inf)


@activation(
    title="Leaky ReLU",
    formula=r"\operatorname{LeakyReLU}(z) = \begin{cases} z, & z > 0 \\ a z, & z \le 0"
    r" \end{cases}",
    exact=lambda m, z, slope: m.where(z > 0, z, slope * z),
    family=RECTIFIERS,
    cite="maas2013rectifier",
    year=2013,
    limits=_leaky_limits,
    range=_leaky_range,
    kinks=(0.0,),
    params={"slope": Param("Slope below zero", samples=(-0.5, 0.0, 0.2, 1.5))},
    peers={
        "tensorflow": Peer("tf.nn.leaky_relu", {"alpha": 0.01}, note="its default is 0.2"),
        "keras": Peer(
            "keras.activations.leaky_relu", {"negative_slope": 0.01}, note="its default is 0.2"
        ),
        "torch": Peer("torch.nn.functional.leaky_relu", note="slope is called negative_slope"),
        "jax": Peer(
            "jax.nn.leaky_relu", note="slope is called negative_slope; its derivative at 0 is 1"
        ),
    },
)
def leaky_relu(xp: Namespace, z: Array, slope: Parameter = 0.01) -> Array:
    """Leaky rectified linear unit: a small fixed slope below zero instead of none.

    Its derivative is 1 above zero and the slope below it; at zero the slope, by convention.
    A slope above 1 works too, where ``max(slope * z, z)`` is wrong.

    References
    ----------
    A. L. Maas, A. Y. Hannun, A. Y. Ng, Rectifier Nonlinearities Improve Neural Network Acoustic
    Models, 2013, https://ai.stanford.edu/~amaas/papers/relu_hybrid_icml2013_final.pdf

    Examples
    --------
    >>> from actlib import leaky_relu
    >>> leaky_relu([-2.0, 0.0, 3.0])
    array([-0.02,  0.  ,  3.  ])
    >>> leaky_relu.grad([-2.0, 0.0, 3.0])
    array([0.01, 0.01, 1.  ])
    """
    return z * _slope(xp, z, slope)


def _slope(xp: Namespace, z: Array, slope: Parameter) -> Array:
    """1 above zero, the slope below it and at it: NumPy's `where` would take ten times as long."""
    above = xp.astype(z > 0, z.dtype)
    return above + slope * (1 - above)


@activation(
    title="PReLU",
    formula=r"\operatorname{PReLU}(z) = \begin{cases} z, & z > 0 \\ \alpha z, & z \le 0"
    r" \end{cases}",
    exact=leaky_relu.spec.exact,
    family=RECTIFIERS,
    cite="he2015delving",
    year=2015,
    limits=_leaky_limits,
    range=_leaky_range,
    kinks=(0.0,),
    params={"alpha": Param("Slope below zero", samples=(-0.5, 0.0, 0.01, 1.5))},
    peers={
        "keras": Peer(
            "keras.layers.PReLU", note="a layer, whose alpha starts at 0; its derivative at 0 is 0"
        ),
        "torch": Peer("torch.nn.PReLU", note="a layer, whose alpha starts at 0.25"),
    },
)
def prelu(xp: Namespace, z: Array, alpha: Parameter = 0.25) -> Array:
    """Parametric rectified linear unit: leaky ReLU whose slope `alpha` is learned.

    Its derivative is 1 above zero and `alpha` below it; at zero `alpha`, by convention.
    `parametric_relu` is the same function.

    Notes
    -----
    One `alpha` for each channel of an array whose last axis is the channel is an array of that
    length. ``prelu.partials["alpha"]`` is elementwise. The gradient of a shared `alpha` is its
    product with the upstream gradient, summed over the axes along which `alpha` is shared.

    References
    ----------
    K. He, X. Zhang, S. Ren, J. Sun, Delving Deep into Rectifiers, ICCV 2015,
    https://doi.org/10.1109/ICCV.2015.123

    Examples
    --------
    >>> from actlib import prelu
    >>> prelu([-2.0, 0.0, 3.0], alpha=0.1)
    array([-0.2,  0. ,  3. ])
    >>> prelu.partials["alpha"]([-2.0, 0.0, 3.0], alpha=0.1)
    array([-2.,  0.,  0.])
    """
    return z * _slope(xp, z, alpha)


@derivative(leaky_relu, limits=lambda xp, slope: (slope, 1), flat=True)
@derivative(prelu, limits=lambda xp, slope: (slope, 1), flat=True)
def leaky_relu_grad(xp: Namespace, z: Array, slope: Parameter) -> Array:
    """1 above zero, the slope below it; the slope at the kink, by convention."""
    return _slope(xp, z, slope)


@derivative(leaky_relu, "slope", limits=(-inf, 0))
@derivative(prelu, "alpha", limits=(-inf, 0))
def leaky_relu_slope(xp: Namespace, z: Array, slope: Parameter) -> Array:
    """Zero above zero and at the kink, z below."""
    return xp.where(z > 0, 0, z)


parametric_relu = prelu
"""The full name of `prelu`."""


@activation(
    title="ReLU6",
    formula=r"\operatorname{ReLU6}(z) = \min(\max(0, z), 6)",
    exact=lambda m, z: m.clip(z, 0, 6),
    family=RECTIFIERS,
    cite="krizhevsky2010convolutional",
    year=2010,
    limits=(0, 6),
    range=(0, 6),
    kinks=(0.0, 6.0),
    one_pass=True,
    peers={
        "tensorflow": Peer("tf.nn.relu6"),
        "keras": Peer("keras.activations.relu6"),
        "torch": Peer("torch.nn.functional.relu6"),
        "jax": Peer("jax.nn.relu6"),
    },
)
def relu6(xp: Namespace, z: Array) -> Array:
    """Rectified linear unit, cut off at 6: small enough a range for few bits.

    Its derivative is 1 between 0 and 6 and 0 outside; at both kinks 0, by convention.

    References
    ----------
    A. Krizhevsky, Convolutional Deep Belief Networks on CIFAR-10, 2010,
    https://www.cs.toronto.edu/~kriz/conv-cifar10-aug2010.pdf

    Examples
    --------
    >>> from actlib import relu6
    >>> relu6([-2.0, 3.0, 8.0])
    array([0., 3., 6.])
    >>> relu6.grad([0.0, 3.0, 6.0])
    array([0., 1., 0.])
    """
    return xp.clip(z, 0, 6)


@derivative(relu6, limits=(0, 0), flat=True)
def relu6_grad(xp: Namespace, z: Array) -> Array:
    """1 between 0 and 6; 0 at both, by convention."""
    return xp.astype((z > 0) & (z < 6), z.dtype)


@activation(
    title="Squared ReLU",
    formula=r"f(z) = \max(0, z)^2",
    exact=lambda m, z: m.max(0, z) ** 2,
    family=RECTIFIERS,
    cite="so2021primer",
    year=2021,
    limits=(0, inf),
    range=(0, inf),
)
def relu_squared(xp: Namespace, z: Array) -> Array:
    """The square of the rectified linear unit, whose derivative has no jump.

    References
    ----------
    D. R. So, W. Mańke, H. Liu, Z. Dai, N. Shazeer, Q. V. Le, Primer: Searching for Efficient
    Transformers for Language Modeling, 2021, https://arxiv.org/abs/2109.08668

    Examples
    --------
    >>> from actlib import relu_squared
    >>> relu_squared([-2.0, 0.0, 3.0])
    array([0., 0., 9.])
    >>> relu_squared.grad([-2.0, 0.0, 3.0])
    array([0., 0., 6.])
    """
    r = xp.maximum(z, 0)
    return r * r


@derivative(relu_squared, limits=(0, inf))
def relu_squared_grad(xp: Namespace, z: Array) -> Array:
    return 2 * xp.maximum(z, 0)


@derivative(relu_squared, order=2, limits=(0, 2))
def relu_squared_grad_grad(xp: Namespace, z: Array) -> Array:
    """A step function; 0 at zero, as below it."""
    return 2 * xp.astype(z > 0, z.dtype)


@activation(
    formula=r"f(z) = \begin{cases} z, & |z| > \lambda \\ 0, & |z| \le \lambda \end{cases}",
    exact=lambda m, z, lambd: m.where(m.abs(z) > lambd, z, 0),
    family=RECTIFIERS,
    cite="donoho1994ideal",
    year=1994,
    limits=(-inf, inf),
    range=(-inf, inf),
    kinks=lambda lambd: (-lambd, lambd),
    params={"lambd": Param("Threshold", samples=(0.001, 0.3, 7.0), low=0.0)},
    peers={
        "keras": Peer("keras.activations.hard_shrink", note="lambd is called threshold"),
        "torch": Peer("torch.nn.functional.hardshrink"),
    },
)
def hard_shrink(xp: Namespace, z: Array, lambd: Parameter = 0.5) -> Array:
    """Hard shrinkage, or hard thresholding: what is small becomes 0, the rest stays.

    Its value jumps at `lambd` and at -`lambd`, where it is 0. The derivative is 1 outside and 0
    in between; at both jumps 0, by convention.

    Notes
    -----
    ``hard_shrink.partials["lambd"]`` is 0: a threshold that moves changes values nowhere but at
    the jumps. It cannot be learned by following gradients.

    References
    ----------
    D. L. Donoho, I. M. Johnstone, Ideal spatial adaptation by wavelet shrinkage, Biometrika 81,
    1994, https://doi.org/10.1093/biomet/81.3.425

    Examples
    --------
    >>> from actlib import hard_shrink
    >>> hard_shrink([-2.0, 0.1, 3.0])
    array([-2.,  0.,  3.])
    >>> hard_shrink.grad([-2.0, 0.1, 0.5])
    array([1., 0., 0.])
    """
    # less itself, rather than times 0 or 1, which XLA makes a choice that has 0 for NaN
    return z - z * xp.astype(xp.abs(z) <= lambd, z.dtype)


@activation(
    formula=r"f(z) = \begin{cases} z - \lambda, & z > \lambda \\ 0, & |z| \le \lambda \\"
    r" z + \lambda, & z < -\lambda \end{cases}",
    exact=lambda m, z, lambd: m.where(z > lambd, z - lambd, m.where(z < -lambd, z + lambd, 0)),
    family=RECTIFIERS,
    cite="donoho1995denoising",
    year=1995,
    limits=(-inf, inf),
    range=(-inf, inf),
    kinks=lambda lambd: (-lambd, lambd),
    params={"lambd": Param("Threshold", samples=(0.001, 0.3, 7.0), low=0.0)},
    peers={
        "keras": Peer("keras.activations.soft_shrink", note="lambd is called threshold"),
        "torch": Peer("torch.nn.functional.softshrink"),
    },
)
def soft_shrink(xp: Namespace, z: Array, lambd: Parameter = 0.5) -> Array:
    """Soft shrinkage, or soft thresholding: everything moves towards 0 by `lambd`, and stops there.

    Its derivative is 1 outside of [-`lambd`, `lambd`] and 0 inside; at both kinks 0, by
    convention.

    References
    ----------
    D. L. Donoho, De-noising by soft-thresholding, IEEE Transactions on Information Theory 41,
    1995, https://doi.org/10.1109/18.382009

    Examples
    --------
    >>> from actlib import soft_shrink
    >>> soft_shrink([-2.0, 0.1, 3.0])
    array([-1.5,  0. ,  2.5])
    >>> soft_shrink.partials["lambd"]([-2.0, 0.1, 3.0])
    array([ 1.,  0., -1.])
    """
    return z - xp.clip(z, -lambd, lambd)


@derivative(hard_shrink, limits=(1, 1), flat=True)
@derivative(soft_shrink, limits=(1, 1), flat=True)
def hard_shrink_grad(xp: Namespace, z: Array, lambd: Parameter) -> Array:
    """1 beyond the threshold; 0 inside and at it, by convention."""
    return xp.astype(xp.abs(z) > lambd, z.dtype)


@derivative(hard_shrink, "lambd", limits=(0, 0))
def hard_shrink_lambd(xp: Namespace, z: Array, lambd: Parameter) -> Array:
    """Zero, except at the jumps, where there is none; zero at them too, by convention."""
    return xp.zeros_like(z)


@derivative(soft_shrink, "lambd", limits=(1, -1))
def soft_shrink_lambd(xp: Namespace, z: Array, lambd: Parameter) -> Array:
    """-1 above the threshold, 1 below its negative; 0 inside and at the kinks, by convention."""
    return xp.astype(z < -lambd, z.dtype) - xp.astype(z > lambd, z.dtype)
