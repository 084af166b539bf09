"""The small network: its gradients against differences of its loss, and what it promises."""

import math
import subprocess
import sys

import numpy as np
import pytest

import actlib
from actlib import network as module
from actlib.network import Network, cross_entropy, mini_batches

STEP = 1e-5
TOLERANCE = 1e-7  # relative to the largest entry of the gradient; the planted faults are 1e-3


def data(examples=20, inputs=4, classes=3):
    rng = np.random.default_rng(1)
    return rng.standard_normal((examples, inputs)), rng.integers(classes, size=examples)


def network(name, seed=0):
    """Two hidden layers, so that gradients pass through one activation on the way to another."""
    activation = actlib.REGISTRY[name]
    network = Network([4, 6, 5, 3], activation, learned=list(activation.partials), seed=seed)
    rng = np.random.default_rng(2)
    for layer in network.layers:  # away from zeros and defaults, where a mistake could hide
        for array in list(layer.values())[1:]:
            array += rng.uniform(-0.5, 0.5, array.shape)
    return network


def differences(network, x, labels):
    """The gradient of the loss by central differences, one entry of one array after another."""
    gradients = []
    for array in network.weights:
        gradient = np.empty_like(array)
        for index in np.ndindex(array.shape):
            before = array[index]
            losses = []
            for array[index] in (before - STEP, before + STEP):
                losses.append(cross_entropy(network.forward(x)[1][-1], labels)[0])
            array[index] = before
            gradient[index] = (losses[1] - losses[0]) / (2 * STEP)
        gradients.append(gradient)
    return gradients


def disagreement(network):
    """The largest error of a gradient, relative to the largest entry of its array."""
    x, labels = data()
    for z in network.forward(x)[1][:-1]:
        assert abs(z).min() > 20 * STEP, "too near a kink for a difference to be meaningful"
    _, got = network.gradients(x, labels)
    expected = differences(network, x, labels)
    assert [g.shape for g in got] == [w.shape for w in network.weights]
    return max(
        abs(g - e).max() / max(abs(e).max(), 1e-3) for g, e in zip(got, expected, strict=True)
    )


@pytest.mark.parametrize("name", sorted(actlib.REGISTRY.elementwise))
def test_gradients_are_those_of_the_loss(name):
    assert disagreement(network(name)) < TOLERANCE


def test_gradients_where_activations_are_scaled_and_shifted():
    net = network("prelu")
    net.scale, net.offset = 1.7, -0.4
    assert disagreement(net) < TOLERANCE


def plant(monkeypatch, activation, by):
    """Make the product with one derivative wrong by a thousandth."""
    right = activation.vjp

    def wrong(z, upstream, wrt="z", **params):
        return (1.001 if wrt == by else 1) * right(z, upstream, wrt=wrt, **params)

    monkeypatch.setattr(activation, "vjp", wrong)


@pytest.mark.parametrize("name", sorted(actlib.REGISTRY.elementwise))
def test_a_derivative_that_is_wrong_by_a_thousandth_is_noticed(name, monkeypatch):
    plant(monkeypatch, actlib.REGISTRY[name], "z")
    assert disagreement(network(name)) > TOLERANCE


@pytest.mark.parametrize("name", ["leaky_relu", "prelu"])
def test_a_partial_that_is_wrong_by_a_thousandth_is_noticed(name, monkeypatch):
    (parameter,) = actlib.REGISTRY[name].partials
    plant(monkeypatch, actlib.REGISTRY[name], parameter)
    assert disagreement(network(name)) > TOLERANCE


def test_a_wrong_gradient_of_the_output_is_noticed(monkeypatch):
    def wrong(logits, labels):
        loss, gradient = cross_entropy(logits, labels)
        return loss, 1.001 * gradient

    monkeypatch.setattr(module, "cross_entropy", wrong)
    assert disagreement(network("tanh")) > TOLERANCE


def disagreement_of_deltas(net):
    """Example by example, a delta is the gradient of the biases of its layer."""
    x, labels = data(examples=3)
    found = net.deltas(x, labels)
    assert [delta.shape for delta in found] == [(3, 6), (3, 5), (3, 3)]
    errors = []
    for row in range(3):
        expected = differences(net, x[[row]], labels[[row]])
        names = [name for layer in net.layers for name in layer]
        biases = [e for name, e in zip(names, expected, strict=True) if name == "bias"]
        errors += [abs(3 * d[row] - b).max() for d, b in zip(found, biases, strict=True)]
    return max(errors)


@pytest.mark.parametrize("name", ["tanh", "prelu"])
def test_deltas_are_gradients_of_the_pre_activations(name):
    net = network(name)
    net.scale, net.offset = 1.7, -0.4
    assert disagreement_of_deltas(net) < TOLERANCE


def test_deltas_that_are_wrong_by_a_thousandth_are_noticed(monkeypatch):
    plant(monkeypatch, actlib.tanh, "z")
    assert disagreement_of_deltas(network("tanh")) > TOLERANCE


def test_a_learned_parameter_is_one_number_for_each_hidden_layer():
    prelu = Network([4, 6, 5, 3], actlib.prelu, learned=["alpha"])
    assert [list(layer) for layer in prelu.layers] == [
        ["weight", "bias", "alpha"],
        ["weight", "bias", "alpha"],
        ["weight", "bias"],
    ]
    assert [layer["alpha"].tolist() for layer in prelu.layers[:-1]] == [[0.25], [0.25]]
    fixed = Network([4, 6, 3], actlib.prelu)
    assert list(fixed.layers[0]) == ["weight", "bias"]
    x, _ = data()
    inputs, zs = fixed.forward(x)
    np.testing.assert_array_equal(inputs[1], actlib.prelu(zs[0]))


def leaky(slope=0.3):
    """A network like those of `network`, whose slope below zero is fixed, but not the default."""
    net = Network([4, 6, 5, 3], actlib.leaky_relu, params={"slope": slope})
    for layer, other in zip(net.layers, network("leaky_relu").layers, strict=True):
        layer["bias"] += other["bias"]
    return net


def test_a_fixed_parameter_enters_values_gradients_and_slopes():
    net = leaky()
    assert [list(layer) for layer in net.layers] == 3 * [["weight", "bias"]]
    inputs, zs = net.forward(data()[0])
    np.testing.assert_array_equal(inputs[1], actlib.leaky_relu(zs[0], 0.3))
    assert disagreement(net) < TOLERANCE
    assert set(np.hstack(net.slopes(data()[0])).ravel()) == {0.3, 1.0}


def test_a_fixed_parameter_that_the_derivative_ignores_is_noticed(monkeypatch):
    right = actlib.leaky_relu.vjp
    monkeypatch.setattr(actlib.leaky_relu, "vjp", lambda z, upstream, slope: right(z, upstream))
    assert disagreement(leaky()) > TOLERANCE


def test_a_learned_parameter_starts_where_it_is_told():
    prelu = Network([4, 6, 5, 3], actlib.prelu, learned=["alpha"], params={"alpha": 0.5})
    assert [layer["alpha"].tolist() for layer in prelu.layers[:-1]] == [[0.5], [0.5]]
    x, labels = data()
    prelu.fit(x, labels, mini_batches(len(x), 5, 2), rate=0.1)
    inputs, zs = prelu.forward(x)
    for layer, z, value in zip(prelu.layers[:-1], zs[:-1], inputs[1:], strict=True):
        assert layer["alpha"] != 0.5
        np.testing.assert_array_equal(value, actlib.prelu(z, layer["alpha"]))


def test_hidden_biases_start_where_they_are_told():
    biases = [layer["bias"] for layer in Network([4, 6, 5, 3], actlib.relu, bias=-3.0).layers]
    assert [set(bias) for bias in biases] == [{-3.0}, {-3.0}, {0.0}]


def test_slopes_are_derivatives_and_tell_which_units_are_dead():
    x, labels = data()
    net, step = network("tanh"), 1e-5
    for slope, z in zip(net.slopes(x), net.forward(x)[1], strict=False):
        differences = (actlib.tanh(z + step) - actlib.tanh(z - step)) / (2 * step)
        np.testing.assert_allclose(slope, differences, rtol=1e-6)
    net = network("relu")
    net.layers[1]["bias"][:2] = -100
    first, second = net.slopes(x)
    dead = np.all(second == 0, axis=0)
    assert first.shape == (20, 6)
    assert dead.tolist()[:2] == [True, True]
    assert not dead.all()
    _, gradients = net.gradients(x, labels)
    np.testing.assert_array_equal(np.all(gradients[2] == 0, axis=0), dead)


def test_decay_pulls_the_named_arrays_to_zero_and_no_others():
    x, labels = data()
    net = network("prelu")
    names = [name for layer in net.layers for name in layer]
    before = [weight.copy() for weight in net.weights]
    _, gradients = net.gradients(x[:8], labels[:8])
    net.fit(x, labels, [np.arange(8)], rate=0.5, decay={"weight": 0.1, "alpha": 0.2})
    share = {"weight": 0.1, "alpha": 0.2, "bias": 0.0}
    for name, weight, old, gradient in zip(names, net.weights, before, gradients, strict=True):
        pulled = old - 0.5 * (gradient + share[name] * old)
        np.testing.assert_allclose(weight, pulled, rtol=1e-14, atol=0)
        assert np.array_equal(weight, old - 0.5 * gradient) == (share[name] == 0)


def test_initial_weights_have_the_stated_spread():
    he, one = (Network([400, 300, 10], actlib.relu, gain=gain) for gain in (math.sqrt(2), 1.0))
    for layer, inputs in zip(he.layers, (400, 300), strict=True):
        assert layer["weight"].std() == pytest.approx(math.sqrt(2 / inputs), rel=0.05)
        assert not layer["bias"].any()
    np.testing.assert_allclose(he.weights[0], math.sqrt(2) * one.weights[0])
    np.testing.assert_array_equal(he.weights[0], Network([400, 300, 10], actlib.tanh).weights[0])
    assert (he.weights[0] != Network([400, 300, 10], actlib.relu, seed=1).weights[0]).all()


def test_training_is_determined_by_the_seeds():
    x, labels = data()

    def trained(seed, shuffle):
        net = network("prelu", seed)
        losses = net.fit(x, labels, mini_batches(len(x), 6, 4, shuffle), rate=0.1)
        return [losses, *net.weights]

    def same(one, other):
        return [np.array_equal(a, b) for a, b in zip(one, other, strict=True)]

    assert all(same(trained(0, 0), trained(0, 0)))
    assert not any(same(trained(0, 0), trained(0, 1)))
    assert not any(same(trained(0, 0), trained(1, 0)))


def test_a_step_goes_down_the_gradient():
    x, labels = data()
    net = network("prelu")
    before = [weight.copy() for weight in net.weights]
    loss, gradients = net.gradients(x[:8], labels[:8])
    losses = net.fit(x, labels, [np.arange(8)], rate=0.5)
    assert losses.tolist() == [loss]
    for weight, old, gradient in zip(net.weights, before, gradients, strict=True):
        np.testing.assert_array_equal(weight, old - 0.5 * gradient)


def test_it_learns_what_no_linear_classifier_can():
    x, labels = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    batches = mini_batches(4, 4, 500)
    with_hidden, without = Network([2, 8, 2], actlib.tanh), Network([2, 2], actlib.tanh)
    losses = with_hidden.fit(x, labels, batches, rate=0.5)
    assert losses[-1] < 0.1 < losses[0]
    assert with_hidden.accuracy(x, labels) == 1
    assert without.fit(x, labels, batches, rate=0.5)[-1] == pytest.approx(math.log(2))


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int8])
def test_everything_is_float64(dtype):
    x, labels = data()
    net = network("prelu")
    losses = net.fit(x.astype(dtype), labels.astype(np.uint8), mini_batches(20, 5, 1), rate=0.1)
    _, gradients = net.gradients(x.astype(dtype), labels.tolist())
    inputs, zs = net.forward(x.astype(dtype).tolist())
    for array in (losses, *net.weights, *gradients, *inputs, *zs):
        assert array.dtype == np.float64


def test_cross_entropy_is_right_at_both_ends():
    logits = np.array([[1000.0, 0.0, -1000.0], [-40.0, 0.0, -50.0], [0.0, 0.0, 0.0]])
    loss, gradient = cross_entropy(logits, np.array([2, 1, 0]))
    small = math.exp(-40) + math.exp(-50)  # far below the spacing of numbers near 1
    assert loss == pytest.approx((2000 + small + math.log(3)) / 3, rel=1e-14)
    np.testing.assert_allclose(
        3 * gradient,
        [[1, 0, -1], [math.exp(-40), -small, math.exp(-50)], [-2 / 3, 1 / 3, 1 / 3]],
        rtol=1e-13,
    )
    alone, _ = cross_entropy(logits[1:2], np.array([1]))
    assert alone == pytest.approx(small, rel=1e-13, abs=0)


def test_a_learned_parameter_may_be_named_by_itself():
    one, several = (Network([4, 3, 2], actlib.prelu, learned=x) for x in ("alpha", ["alpha"]))
    assert list(one.partials) == ["alpha"]
    assert [list(layer) for layer in one.layers] == [list(layer) for layer in several.layers]


def test_mini_batches_use_every_example_at_most_once_an_epoch():
    batches = mini_batches(10, 3, 2, seed=5)
    assert batches.shape == (6, 3)
    assert batches.dtype.kind == "i"
    for epoch in np.split(batches.ravel(), 2):
        assert len(set(epoch)) == 9
        assert set(epoch) <= set(range(10))
    assert (batches[:3] != batches[3:]).any()
    assert mini_batches(10, 3, 0).shape == (0, 3)


X, LABELS = data()


def narrow(outputs, labels):
    """A loss that forgets that there are three outputs."""
    loss, gradient = cross_entropy(outputs, labels)
    return loss, gradient[:, :1]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Network([4], actlib.relu), ValueError, r"sizes must be two .* got \[4\]"),
        (lambda: Network([4, 0, 3], actlib.relu), ValueError, r"positive .* got \[4, 0, 3\]"),
        (lambda: Network([4, 2.5], actlib.relu), TypeError, "float"),
        (
            lambda: Network([4, 3], actlib.relu, learned=["alpha"]),
            KeyError,
            "relu has no partial 'alpha'; it has: none",
        ),
        (
            lambda: Network([4, 3], actlib.relu, params={"slope": 0.1}),
            TypeError,
            "relu: .*'slope'.*takes",
        ),
        (
            lambda: Network([4, 3], actlib.leaky_relu, params={"slope": np.nan}),
            ValueError,
            "leaky_relu: slope must be a finite number",
        ),
        (
            lambda: network("relu").fit(X, LABELS, [], rate=1, decay={"alpha": 0.1, "bias": 0.1}),
            ValueError,
            "decay names no array of a layer: alpha",
        ),
        (
            lambda: network("relu").forward(X[:, :3]),
            ValueError,
            r"x must have shape \(examples, 4\), got \(20, 3\)",
        ),
        (lambda: network("relu").forward(X[0]), ValueError, r"got \(4,\)"),
        (
            lambda: network("relu").gradients(X, LABELS[:5]),
            ValueError,
            r"x has 20 examples, labels have shape \(5,\) and dtype int64",
        ),
        (lambda: network("relu").gradients(X, LABELS / 1), ValueError, "dtype float64"),
        (lambda: network("relu").gradients(X, LABELS + 1), ValueError, "0 to 2, got 1 to 3"),
        (lambda: network("relu").gradients(X, LABELS - 1), ValueError, "0 to 2, got -1 to 1"),
        (lambda: network("relu").gradients(X[:0], LABELS[:0]), ValueError, "x has 0 examples"),
        (lambda: network("relu").accuracy(X, LABELS[:, None]), ValueError, r"shape \(20, 1\)"),
        (
            lambda: network("relu").fit(X, np.append(LABELS, 0), [], rate=1),
            ValueError,
            r"of the same examples; x has shape \(20, 4\), labels have shape \(21,\)",
        ),
        (
            lambda: Network([4, 3], actlib.relu, loss=narrow).gradients(X, LABELS),
            ValueError,
            r"gradient of the loss must have the shape of the outputs, \(20, 3\), got \(20, 1\)",
        ),
        (lambda: mini_batches(10, 11, 1), ValueError, r"from 1 to 10 \(examples\), got 11"),
        (lambda: mini_batches(10, 0, 1), ValueError, "got 0"),
    ],
)
def test_wrong_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_the_package_does_not_import_it():
    code = "import sys, actlib; sys.exit('actlib.network' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
