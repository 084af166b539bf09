"""Training in float32 and float16: against the network in float64."""

import numpy as np
import pytest

from actlib import sigmoid
from actlib.book.precision import RoundedNetwork, exact_slope, slope_from_output
from actlib.network import Network, cross_entropy, mini_batches
from actlib.optimisers import Adam, Descent

SIZES = [6, 5, 4, 3]


def data(examples=24):
    rng = np.random.default_rng(1)
    return rng.standard_normal((examples, SIZES[0])), rng.integers(SIZES[-1], size=examples)


@pytest.mark.parametrize("scale", [1.0, 1024.0])
@pytest.mark.parametrize("slope", [exact_slope, slope_from_output])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-6), (np.float16, 1e-2)])
def test_gradients_are_those_of_the_network_in_float64(dtype, tolerance, slope, scale):
    x, labels = data()
    start = {"bias": 0.3, "gain": 2.0, "seed": 4}
    loss, expected = Network(SIZES, sigmoid, **start).gradients(x, labels)
    got_loss, got = RoundedNetwork(SIZES, slope, dtype, loss_scale=scale, **start).gradients(
        x, labels
    )
    assert abs(got_loss - loss) < tolerance * loss
    for g, e in zip(got, expected, strict=True):
        assert g.dtype == np.float32
        assert abs(g - e).max() < tolerance * max(abs(e).max(), 0.1)


def test_a_planted_fault_is_found():
    """That the tolerance of float32 sees a slope that is wrong by 0.1%."""
    x, labels = data()
    _, expected = Network(SIZES, sigmoid, gain=2.0).gradients(x, labels)
    faulty = RoundedNetwork(SIZES, lambda z, s: exact_slope(z, s) * np.float32(1.001), gain=2.0)
    _, got = faulty.gradients(x, labels)
    assert abs(got[0] - expected[0]).max() > 1e-6 * max(abs(expected[0]).max(), 0.1)


def test_every_number_on_the_way_is_rounded():
    x, _ = data()
    inputs, zs = RoundedNetwork(SIZES, exact_slope, np.float16).forward(x)
    assert {array.dtype for array in (*inputs, *zs)} == {np.dtype("float16")}


@pytest.mark.parametrize(("dtype", "bias"), [(np.float32, 20.0), (np.float16, 10.0)])
def test_a_slope_from_the_output_is_lost_where_the_exact_one_is_not(dtype, bias):
    x, labels = data()
    for slope, lost in ((exact_slope, False), (slope_from_output, True)):
        network = RoundedNetwork([6, 5, 3], slope, dtype, bias=bias, gain=0.1, loss_scale=1024.0)
        _, gradients = network.gradients(x, labels)
        assert (not gradients[0].any()) == lost
        assert gradients[2].any()


def test_loss_scale_brings_back_what_underflows():
    x, labels = data(1000)
    gradients = {}
    for scale in (1.0, 2.0**15):
        network = RoundedNetwork([6, 5, 3], exact_slope, np.float16, bias=14.0, loss_scale=scale)
        gradients[scale] = network.gradients(x, labels)[1][0]
    assert np.mean(gradients[1.0] == 0) > np.mean(gradients[2.0**15] == 0)


def test_a_step_that_overflows_is_left_out():
    x, labels = data()
    network = RoundedNetwork(SIZES, exact_slope, np.float16, loss_scale=2.0**40)
    before = [weight.copy() for weight in network.weights]
    network.fit(x, labels, mini_batches(len(x), 8, 1), Descent(0.1))
    assert network.skipped == 3
    assert all(map(np.array_equal, before, network.weights))


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_it_learns(dtype):
    x, _ = data(200)
    labels = (x[:, 0] > 0).astype(int) + (x[:, 1] > 0)
    network = RoundedNetwork(SIZES, exact_slope, dtype, loss_scale=64.0)
    network.fit(x, labels, mini_batches(len(x), 20, 40), Adam(0.05))
    assert network.accuracy(x, labels) > 0.9
    assert cross_entropy(np.float64(network.forward(x)[1][-1]), labels)[0] < 0.3


def test_other_dtypes_are_refused():
    with pytest.raises(ValueError, match="float64"):
        RoundedNetwork(SIZES, exact_slope, np.float64)


def test_labels_that_do_not_fit_are_refused():
    """Of shape (examples, 1) they would be compared with all examples, each of them."""
    network, (x, labels) = RoundedNetwork(SIZES, exact_slope), data()
    assert network.accuracy(x, labels) == network.accuracy(x.tolist(), labels.tolist())
    for wrong in (labels[:, None], labels[:1], labels + 1, labels / 1):
        with pytest.raises(ValueError, match="labels must be"):
            network.accuracy(x, wrong)
    for wrong in (labels[:20], np.append(labels, 0)):
        with pytest.raises(ValueError, match="x and labels must be of the same examples"):
            network.fit(x, wrong, [[0, 1]], Descent(0.1))
