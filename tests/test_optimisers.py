"""Optimisers: what they do in the first steps by hand, and what TensorFlow's Keras does."""

import keras
import numpy as np
import pytest

import actlib
from actlib.network import Network, mini_batches
from actlib.optimisers import Adam, Descent


def test_epsilon_after_the_correction_counts_from_the_first_step():
    """By hand: in the first step both averages, corrected, are the gradient and its square."""
    for size in (1.0, 1e-8, 1e-10):
        weight = np.zeros(1, np.float32)
        Adam(0.01, 1e-8, keras=False).step([weight], [np.float32([size])])
        assert weight[0] == pytest.approx(-0.01 * size / (size + 1e-8), rel=1e-4)
        weight = np.zeros(1, np.float32)
        Adam(0.01, 1e-8).step([weight], [np.float32([size])])
        assert weight[0] == pytest.approx(-0.01 * size / (size + 1e-8 / 0.001**0.5), rel=1e-4)


def test_descent():
    weight = np.float32([1.0, 2.0])
    Descent(0.5).step([weight], [np.float32([2.0, -2.0])])
    assert weight.tolist() == [0.0, 3.0]


def test_momentum_keeps_a_share_of_what_came_before():
    weight, optimiser = np.array([0.0]), Descent(1.0, momentum=0.5)
    places = []
    for gradient in (1.0, 1.0, 0.0):
        optimiser.step([weight], [np.array([gradient])])
        places.append(weight.item())
    assert places == [-1.0, -2.5, -3.25]


@pytest.mark.parametrize("momentum", [-0.1, 1.0, np.nan])
def test_a_momentum_that_grows_for_ever_is_refused(momentum):
    with pytest.raises(ValueError, match="momentum must be from 0 up to 1, got"):
        Descent(0.1, momentum)


@pytest.mark.parametrize("size", [1.0, 1e-7])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (lambda: Adam(0.01), lambda: keras.optimizers.Adam(0.01)),
        (lambda: Descent(0.01, 0.9), lambda: keras.optimizers.SGD(0.01, momentum=0.9)),
    ],
    ids=["adam", "momentum"],
)
def test_steps_are_those_of_keras(ours, theirs, size):
    rng = np.random.default_rng(0)
    start = np.zeros(20, np.float32)
    weight, variable = start.copy(), keras.Variable(start)
    optimiser, reference = ours(), theirs()
    for _ in range(50):
        gradient = np.float32(size * rng.standard_normal(20))
        optimiser.step([weight], [gradient])
        reference.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    moved = abs(weight).max()
    assert moved > 1e-3 * size
    assert abs(weight - np.asarray(variable)).max() < 1e-4 * moved


def trained(**how):
    network = Network([2, 4, 2], actlib.tanh)
    x = np.random.default_rng(0).normal(size=(40, 2))
    losses = network.fit(x, (x[:, 0] > 0).astype(int), mini_batches(40, 8, 10), **how)
    return network, losses


def test_a_network_takes_the_steps_of_an_optimiser():
    plain, losses = trained(rate=0.1)
    same, again = trained(optimiser=Descent(0.1))
    assert losses.tolist() == again.tolist()
    for one, other in zip(plain.weights, same.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    for optimiser in (Descent(0.1, momentum=0.9), Adam(0.1)):
        assert trained(optimiser=optimiser)[1][-5:].mean() < losses[-5:].mean()


def test_decay_is_added_before_the_step():
    network, _ = trained(optimiser=Descent(0.1, momentum=0.9), decay={"weight": 1.0})
    free, _ = trained(optimiser=Descent(0.1, momentum=0.9))
    sizes = [sum((layer["weight"] ** 2).sum() for layer in n.layers) for n in (network, free)]
    assert sizes[0] < 0.1 * sizes[1]


@pytest.mark.parametrize("how", [{}, {"rate": 0.1, "optimiser": Descent(0.1)}])
def test_one_of_a_rate_and_an_optimiser_is_asked_for(how):
    with pytest.raises(TypeError, match="a rate, or an optimiser with a rate of its own"):
        trained(**how)
