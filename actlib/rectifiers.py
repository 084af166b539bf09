"""Rectifiers: the identity above zero, flat or shallow below it."""

from __future__ import annotations

from math import inf

from actlib._declare import activation, derivative
from actlib._evaluate import Array, Namespace, Param, Parameter

__all__ = ["leaky_relu", "parametric_relu", "prelu", "relu"]


@activation(
    formula=r"\operatorname{ReLU}(z) = \max(0, z)",
    exact=lambda m, z: m.max(0, z),
    cite="nair2010rectified",
    limits=(0, inf),
    range=(0, inf),
    kinks=(0.0,),
    one_pass=True,
)
def relu(xp: Namespace, z: Array) -> Array:
    """Rectified linear unit.

    Its derivative is a step function: 1 above zero, 0 below it, and 0 at zero by convention
    (every value in [0, 1] is a subgradient there).

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


@derivative(relu, limits=(0, 1), one_pass=True)
def _(xp: Namespace, z: Array) -> Array:
    """A step function; 0 at the kink, by convention."""
    return xp.astype(z > 0, z.dtype)


def _leaky_limits(xp: Namespace, slope: Array) -> tuple[Array, float]:
    below = xp.where(slope > 0, -inf, xp.where(slope < 0, inf, 0 * slope))
    return below, inf


def _leaky_range(slope: float) -> tuple[float, float]:
    return (-inf, inf) if slope > 0 else (0, inf)


@activation(
    formula=r"\operatorname{LeakyReLU}(z) = \begin{cases} z, & z > 0 \\ a z, & z \le 0"
    r" \end{cases}",
    exact=lambda m, z, slope: m.where(z > 0, z, slope * z),
    cite="maas2013rectifier",
    limits=_leaky_limits,
    range=_leaky_range,
    kinks=(0.0,),
    params={"slope": Param(samples=(-0.5, 0.0, 0.2, 1.5))},
)
def leaky_relu(xp: Namespace, z: Array, slope: Parameter = 0.01) -> Array:
    """Leaky rectified linear unit: a small fixed slope below zero instead of none.

    Its derivative is 1 above zero and the slope below it; at zero the slope, by convention.

    Parameters
    ----------
    z : array_like
        Pre-activation, of any shape.
    slope : float or array, default 0.01
        Slope below zero, any finite number; above 1 too, where ``max(slope * z, z)`` is wrong.
        An array broadcasts against `z`.

    Returns
    -------
    array
        Of the broadcast shape, and of the kind and floating dtype of `z`.

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
    return xp.where(z > 0, z, slope * z)


@activation(
    formula=r"\operatorname{PReLU}(z) = \begin{cases} z, & z > 0 \\ \alpha z, & z \le 0"
    r" \end{cases}",
    exact=leaky_relu.spec.exact,
    cite="he2015delving",
    limits=_leaky_limits,
    range=_leaky_range,
    kinks=(0.0,),
    params={"alpha": Param(samples=(-0.5, 0.0, 0.01, 1.5))},
)
def prelu(xp: Namespace, z: Array, alpha: Parameter = 0.25) -> Array:
    """Parametric rectified linear unit: leaky ReLU whose slope `alpha` is learned.

    Its derivative is 1 above zero and `alpha` below it; at zero `alpha`, by convention.
    `parametric_relu` is the same function.

    Parameters
    ----------
    z : array_like
        Pre-activation, of any shape.
    alpha : float or array, default 0.25
        Slope below zero, any finite number. An array broadcasts against `z`: one `alpha` for
        each channel of an array whose last axis is the channel is an array of that length.

    Returns
    -------
    array
        Of the broadcast shape, and of the kind and floating dtype of `z`.

    Notes
    -----
    ``prelu.partials["alpha"]`` is elementwise. The gradient of a shared `alpha` is its product
    with the upstream gradient, summed over the axes along which `alpha` is shared.

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
    return xp.where(z > 0, z, alpha * z)


@derivative(leaky_relu, limits=lambda xp, slope: (slope, 1))
@derivative(prelu, limits=lambda xp, slope: (slope, 1))
def _(xp: Namespace, z: Array, slope: Parameter) -> Array:
    """1 above zero, the slope below it; the slope at the kink, by convention."""
    return xp.where(z > 0, 1, slope)


@derivative(leaky_relu, "slope", limits=(-inf, 0))
@derivative(prelu, "alpha", limits=(-inf, 0))
def _(xp: Namespace, z: Array, slope: Parameter) -> Array:
    """Zero above zero and at the kink, z below."""
    return xp.where(z > 0, 0, z)


parametric_relu = prelu
"""The full name of `prelu`."""
