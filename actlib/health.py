"""How the units of a layer fare: arrays in, numbers out, whatever framework they come from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

__all__ = ["dormancy", "norm", "turnover", "update_ratio"]


def dormancy(sizes: Any) -> np.ndarray:
    """The dormancy score of each unit of a layer: how large its output is beside the others'.

    A unit is called dormant if its score is at most a threshold. That makes sense for rectifiers
    and their smooth relatives, whose output vanishes on one side.

    Parameters
    ----------
    sizes : array_like
        The mean of the absolute output of each unit, over the samples, of shape (units,).

    Returns
    -------
    ndarray
        Of shape (units,): the sizes over their mean; all 0 where the whole layer is silent.

    References
    ----------
    G. Sokar, R. Agarwal, P. S. Castro, U. Evci, The Dormant Neuron Phenomenon in Deep Reinforcement
    Learning, ICML 2023, https://arxiv.org/abs/2302.12902

    Examples
    --------
    >>> from actlib.health import dormancy
    >>> dormancy([0.0, 1.0, 2.0])
    array([0., 1., 2.])
    >>> dormancy([0.0, 0.0])
    array([0., 0.])
    """
    sizes = np.asarray(sizes, np.float64)
    mean = sizes.mean()
    if mean == 0:
        return np.zeros_like(sizes)
    with np.errstate(invalid="ignore"):  # of what is not finite nothing is known
        return np.asarray(sizes / mean)


def turnover(dead: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """How many units died, and how many came back, from each inspection to the next.

    Parameters
    ----------
    dead : sequence of array_like
        Which units were dead, inspection by inspection; each of shape (units,), of booleans.

    Returns
    -------
    deaths, revivals : ndarray
        Numbers of units, of shape (inspections,). At the first inspection all that are dead have
        died, and none has come back.

    Examples
    --------
    >>> from actlib.health import turnover
    >>> deaths, revivals = turnover([[True, False, False], [False, True, True]])
    >>> deaths.tolist(), revivals.tolist()
    ([1, 2], [0, 1])
    """
    now = np.asarray(dead, bool)
    before = np.concatenate([np.zeros_like(now[:1]), now[:-1]])
    return (now & ~before).sum(axis=1), (before & ~now).sum(axis=1)


def norm(arrays: Iterable[Any]) -> float:
    """The Euclidean norm of all numbers of some arrays together, such as a layer's gradients.

    Parameters
    ----------
    arrays : iterable of array_like of float
        Of any shapes.

    Returns
    -------
    float
        The root of the sum of all squares; 0 for no arrays.

    Examples
    --------
    >>> from actlib.health import norm
    >>> norm([[[3.0]], [4.0, 0.0]])
    5.0
    """
    return float(np.linalg.norm([np.linalg.norm(np.asarray(array, float)) for array in arrays]))


def update_ratio(before: Sequence[Any], after: Sequence[Any]) -> float:
    """The norm of an update over the norm of the weights that it changed.

    Parameters
    ----------
    before, after : sequence of array_like of float
        The weights of a layer before and after a step, in the same order.

    Returns
    -------
    float
        NaN where the weights were all 0.

    Examples
    --------
    >>> from actlib.health import update_ratio
    >>> update_ratio([[3.0, 4.0]], [[3.0, 4.5]])
    0.1
    """
    change = norm(np.subtract(new, old) for old, new in zip(before, after, strict=True))
    size = norm(before)
    return change / size if size else float("nan")
