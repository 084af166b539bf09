"""What was found at one activation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """What was found at one activation of a model, in one of its modes.

    Parameters
    ----------
    layer : str
        The path of the layer in the model, and what it has the activation under or calls it by, if
        that is not ``activation``. A number in brackets counts the calls in a layer of your own.
    mode : str
        ``"training"``, where batch normalisation takes the statistics of each batch; ``"use"``,
        where it takes the moving ones; ``"both"`` for a model without it.
    activation : str
        Its name.
    units : int
        How many units it has; a feature map of a convolution is one unit.
    dead : int
        Units whose derivative is exactly 0 on every sample.
    dormant : int or None
        Units whose mean absolute output is at most 0.025 of the layer's mean, or what was asked for
        (see `actlib.health.dormancy`); None where an activation is no rectifier, nor like one.
    saturated : int
        Units, other than dead ones, whose derivative is close to 0 on most samples.
    lost : int
        Units where the framework's gradient is 0 on most samples, but the exact one is not.
    lost_share : float
        Of all inputs, the share where that is so.
    at_kink : float
        Of all inputs, the share that lies exactly at a kink.
    pre_mean, pre_std : float
        Mean and standard deviation of the pre-activations.
    mean, std : float
        Those of the activations.
    gain : float
        By what factor the layer typically multiplies the norm of a gradient that passes it; NaN
        where it has weights of a kind that is not known here.
    float16_margin : float
        How many times larger the numbers here may be before float16 overflows.
    n : int
        How many samples there were.
    method : str
        How the exact derivative is known: ``"registry"`` or ``"finite differences"``.
    """

    layer: str
    mode: str
    activation: str
    units: int
    dead: int
    dormant: int | None
    saturated: int
    lost: int
    lost_share: float
    at_kink: float
    pre_mean: float
    pre_std: float
    mean: float
    std: float
    gain: float
    float16_margin: float
    n: int
    method: str
