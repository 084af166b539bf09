"""Whoever differentiates a function by a library gets the declared derivative, at every point."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from contract import VECTORS, deep_unless

import actlib
from actlib._core import autodiff

ELEMENTWISE = actlib.REGISTRY.elementwise
PARTIALS = [(name, key) for name, f in ELEMENTWISE.items() for key in f.partials]
each_name = pytest.mark.parametrize("name", ELEMENTWISE)
each_partial = pytest.mark.parametrize(("name", "key"), PARTIALS)

# Tails, ordinary points, both zeros, all that is a kink of some function, NaN and the infinities.
FINITE = [-90, -30, -12, -6, -3, -1, -0.5, -1e-6, -0.0, 0, 1e-6, 0.5, 1, 2, 3, 6, 12, 17, 30, 90]
Z = np.array([-np.inf, *FINITE, np.inf, np.nan], np.float32)
SMALLEST = 2**10 * np.finfo(np.float32).tiny  # what is less, libraries may flush to zero


def same(got: Any, right: Any) -> None:
    got, right = np.asarray(got), np.asarray(right)
    ordinary = ~(abs(right) < SMALLEST)
    np.testing.assert_allclose(got[ordinary], right[ordinary], rtol=1e-5)
    assert (abs(got[~ordinary]) <= SMALLEST).all()


each_vector = pytest.mark.parametrize("name", VECTORS)
RNG = np.random.default_rng(0)
# Ordinary, saturated, equal, infinite and undefined scores; for gated units three values and gates.
SCORES = np.concatenate(
    [RNG.normal(0, size, (4, 6)) for size in (0, 1, 5, 40)]
    + [
        [[np.inf, 0, 1, 2, 3, 4], [-np.inf, 0, 1, 2, 3, -4], [np.inf, 1, np.inf, 2, 3, 4]],
        [[np.nan, 1, 2, 3, 4, 5]],
    ]
).astype(np.float32)


def upstreams(name: str, z: np.ndarray) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 1, np.shape(VECTORS[name](z))).astype(np.float32)


def same_product(got: Any, name: str, z: np.ndarray, upstream: np.ndarray) -> None:
    """But for rounding of the terms that are summed: of a difference near zero, they differ."""
    got, right = np.asarray(got), VECTORS[name].vjp(z, upstream)
    terms = 16 * np.abs(right)
    if not hasattr(VECTORS[name], "gate"):
        u, p = np.abs(upstream), actlib.softmax(z)
        apart = np.abs(upstream[..., None] - upstream[..., None, :])
        others = u.sum(-1, keepdims=True) - u
        softmax = p * (p[..., None, :] * apart).sum(-1)
        terms = softmax if name == "softmax" else (1 - p) * u + p * others
    with np.errstate(invalid="ignore"):
        near = np.abs(got - right) <= 64 * np.finfo(np.float32).eps * terms + SMALLEST
    assert (near | (got == right) | (np.isnan(got) & np.isnan(right))).all()


TIED = np.float32([[0, 0, 0], [1, 1, 0], [-2, 3, 3], [3, 1, 2], [0, 0, -50]])


def curvature(name: str, z: np.ndarray) -> np.ndarray:
    """All second derivatives of softmax or its logarithm."""
    p, own = actlib.softmax(z.astype(float)), np.eye(len(z))
    first = p[:, None] * (own - p)
    if name == "log_softmax":
        return np.broadcast_to(-first, (3, 3, 3))
    return np.einsum("ik,ij->ijk", first, own - p) - np.einsum("i,jk->ijk", p, first)


def jacobian(name: str, z: np.ndarray) -> np.ndarray:
    """By the declared product, for a single vector."""
    size = np.shape(VECTORS[name](z))[-1]
    return np.stack([VECTORS[name].vjp(z, row) for row in np.eye(size, dtype=z.dtype)])


def defaults(name: str) -> dict[str, float]:
    return {key: param.default for key, param in ELEMENTWISE[name].spec.params.items()}


if importlib.util.find_spec("jax"):
    import jax
    import jax.numpy as jnp

    def derivatives(f: Callable[..., Any], z: Any) -> dict[str, Any]:
        """By reverse and by forward mode, point by point and as a whole, and twice."""
        return {
            "reverse": jax.vmap(jax.grad(f))(z),
            "as a whole": jax.grad(lambda x: f(x).sum())(z),
            "forward": jax.jvp(f, (z,), (jnp.ones_like(z),))[1],
            "twice": jax.vmap(jax.grad(jax.grad(f)))(z),
        }

    @pytest.fixture(scope="module")
    def compiled() -> dict[str, Any]:
        """Those of all functions, by one compilation."""
        every = jax.jit(lambda z: {name: derivatives(f, z) for name, f in ELEMENTWISE.items()})
        return every(jnp.asarray(Z))

    def right_in_jax(name: str, found: dict[str, Any]) -> None:
        f = ELEMENTWISE[name]
        for got in (found["reverse"], found["as a whole"], found["forward"]):
            same(got, f.grad(Z))
        same(found["twice"], f.grad.grad(Z))

    @each_name
    def test_jax_compiled(name: str, compiled: dict[str, Any]) -> None:
        right_in_jax(name, compiled[name])

    @pytest.mark.parametrize("name", deep_unless({"hard_silu", "gelu"}.__contains__, ELEMENTWISE))
    def test_jax(name: str) -> None:
        right_in_jax(name, derivatives(ELEMENTWISE[name], jnp.asarray(Z)))

    def test_without_the_bridge_jax_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(autodiff, "BRIDGES", {})
        with pytest.raises(AssertionError, match="nan location mismatch"):
            same(derivatives(actlib.celu, jnp.asarray(Z))["reverse"], actlib.celu.grad(Z))

    @pytest.mark.parametrize(
        "of", deep_unless(lambda of: of[0] in ("elu", "swish"), PARTIALS), ids=".".join
    )
    def test_jax_by_a_parameter(of: tuple[str, str]) -> None:
        """Summed over what shares it, in its shape; z may be a number."""
        name, key = of
        f, params = ELEMENTWISE[name], defaults(name)
        z = np.tile(np.array(FINITE, np.float32)[:, None], 3)

        def total(value: Any) -> Any:
            return f(jnp.asarray(z), **{**params, key: value}).sum()

        right = f.partials[key](z, **params)
        for value in (params[key], np.full(3, params[key])):
            got = jax.grad(total)(jnp.asarray(value))
            assert got.shape == np.shape(value)
            np.testing.assert_allclose(got, right.sum(None if got.ndim == 0 else 0), rtol=1e-4)
        got = jax.grad(lambda value: f(2.0, **{**params, key: value}))(params[key])
        same(got, f.partials[key](np.float32(2.0), **params))

    def test_jax_half_precision_and_hessian() -> None:
        z = jnp.asarray([-4.0, -1.0, 0.0, 2.0], jnp.bfloat16)
        got = jax.grad(lambda x: actlib.gelu(x).sum())(z)
        assert got.dtype == jnp.bfloat16
        np.testing.assert_array_equal(got, actlib.gelu.grad(np.asarray(z)))
        hessian = jax.hessian(lambda x: actlib.tanh(x).sum())(jnp.asarray([0.5, -2.0]))
        np.testing.assert_allclose(
            hessian, np.diag(actlib.tanh.grad.grad(np.float32([0.5, -2.0]))), rtol=1e-6
        )

    @pytest.mark.parametrize("name", ["softmax", "log_softmax"])
    def test_jax_of_vectors_twice(name: str) -> None:
        """Also where several scores are the largest."""
        got = jax.jit(jax.vmap(jax.hessian(VECTORS[name])))(jnp.asarray(TIED))
        right = [curvature(name, z) for z in TIED]
        np.testing.assert_allclose(got, right, rtol=1e-4, atol=1e-6)

    def test_jax_three_times() -> None:
        """Not declared; but at 0, where the second one has an absolute value, it is right."""
        thrice = jax.grad(jax.grad(jax.grad(actlib.sigmoid)))
        np.testing.assert_allclose(thrice(0.0), -0.125, rtol=1e-6)

    def test_jax_exports_for_sizes_that_are_symbols() -> None:
        sizes = jax.ShapeDtypeStruct(jax.export.symbolic_shape("n, 4"), jnp.float32)
        for f in (actlib.gelu, actlib.prelu, actlib.softmax, actlib.glu):
            for call in (f, lambda z, f=f: f.vjp(z, 1.0)):
                exported = jax.export.export(jax.jit(call))(sizes)
                z = np.float32([[-1.0, 0.5, 2.0, 3.0]])
                np.testing.assert_allclose(exported.call(z), call(z), rtol=1e-5)

    @pytest.mark.parametrize("name", deep_unless({"softmax", "swiglu"}.__contains__, VECTORS))
    def test_jax_of_vectors(name: str) -> None:
        f, upstream = VECTORS[name], upstreams(name, SCORES)
        _, pull = jax.vjp(f, jnp.asarray(SCORES))
        same_product(pull(jnp.asarray(upstream))[0], name, SCORES, upstream)
        right = [jacobian(name, z) for z in SCORES[:16].astype(float)]
        for derive in (jax.jacfwd(f), jax.jacrev(f)):
            got = jax.jit(jax.vmap(derive))(jnp.asarray(SCORES[:16]))
            np.testing.assert_allclose(got, right, rtol=1e-4, atol=1e-7)
        twice = jax.jit(jax.hessian(lambda z: f(z).sum()))(jnp.asarray(SCORES[5]))
        assert np.isfinite(twice).all()

    def test_a_network_whose_last_layer_starts_at_zero_learns_in_jax() -> None:
        got = jax.grad(lambda z: -actlib.log_softmax(z)[0])(jnp.zeros(3))
        np.testing.assert_allclose(got, [-2 / 3, 1 / 3, 1 / 3], rtol=1e-6)

    def test_jax_outside_the_domain() -> None:
        alpha = jnp.asarray([1.0, -1.0])
        got = jax.grad(lambda z: actlib.celu(z, alpha).sum())(jnp.asarray([-1.0, -1.0]))
        assert np.isnan(got).tolist() == [False, True]


if importlib.util.find_spec("tensorflow"):
    import tensorflow as tf

    def taped(f: Callable[..., Any], *sources: Any, upstream: Any = None) -> list[Any]:
        with tf.GradientTape() as tape:
            tape.watch(sources)
            value = f(*sources)
        return tape.gradient(value, sources, upstream)

    @each_name
    def test_tensorflow(name: str) -> None:
        """Once and twice; `tests/test_keras.py` does so in graphs and by XLA."""
        f, z = ELEMENTWISE[name], tf.constant(Z)
        same(taped(f, z)[0], f.grad(Z))
        same(taped(lambda x: taped(f, x)[0], z[1:-2])[0], f.grad.grad(Z[1:-2]))

    @each_partial
    def test_tensorflow_by_a_parameter(name: str, key: str) -> None:
        f, params = ELEMENTWISE[name], defaults(name)
        z = np.tile(np.array(FINITE, np.float32)[:, None], 3)
        right = f.partials[key](z, **params)
        for value in (params[key], np.full(3, params[key])):
            leaf = tf.constant(value, tf.float32)
            (got,) = taped(lambda p: f(tf.constant(z), **{**params, key: p}), leaf)
            assert got.shape == np.shape(value)
            expected = right.sum(None if got.ndim == 0 else 0)
            np.testing.assert_allclose(got, expected, rtol=1e-4)
            again = taped(
                lambda p: taped(lambda q: f(tf.constant(z[4:-4]), **{**params, key: q}), p)[0], leaf
            )
            assert np.isfinite(again).all()

    @each_vector
    def test_tensorflow_of_vectors(name: str) -> None:
        f, upstream = VECTORS[name], upstreams(name, SCORES)
        (got,) = taped(f, tf.constant(SCORES), upstream=tf.constant(upstream))
        same_product(got, name, SCORES, upstream)
        twice = taped(lambda z: taped(f, z)[0], tf.constant(SCORES[5]))
        assert np.isfinite(twice).all()

    @pytest.mark.parametrize("shape", [None, [None, None], [None, 3]])
    def test_tensorflow_in_a_graph_that_knows_no_sizes(
        shape: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        """And whose making rewrites none of our code, which would warn of what it cannot read."""
        z = np.float32([[-1.0, 0.0, 2.0], [3.0, 1.0, -8.0]])
        alpha = np.float32([0.1, 0.2, 0.3])
        specs = [tf.TensorSpec(shape, tf.float32), tf.TensorSpec([None], tf.float32)]
        graph = tf.function(functools.partial(taped, actlib.prelu), input_signature=specs)
        by_z, by_alpha = graph(z, alpha)
        same(by_z, actlib.prelu.grad(z, alpha))
        same(by_alpha, actlib.prelu.partials["alpha"](z, alpha).sum(0))
        assert not [record for record in caplog.records if "AutoGraph" in record.message]
        if shape is None:
            return
        for f in (actlib.softmax, actlib.log_softmax):
            graph = tf.function(functools.partial(taped, f), input_signature=specs[:1])
            np.testing.assert_allclose(graph(z)[0], f.vjp(z, 1.0), rtol=1e-5, atol=1e-7)
        if shape[-1] is None:
            with pytest.raises(ValueError, match="glu: z has an unknown size along its axis -1"):
                tf.function(actlib.glu, input_signature=specs[:1])(z)

    @pytest.mark.parametrize("name", ["softmax", "log_softmax"])
    def test_tensorflow_of_vectors_twice(name: str) -> None:
        with tf.GradientTape() as tape:
            tape.watch(x := tf.constant(TIED))
            found = [taped(lambda x, i=i: VECTORS[name](x)[:, i], x)[0] for i in range(3)]
            stacked = tf.stack(found, axis=1)
        right = [curvature(name, z) for z in TIED]
        np.testing.assert_allclose(tape.batch_jacobian(stacked, x), right, rtol=1e-4, atol=1e-6)

    def test_tensorflow_products_in_a_graph_that_knows_no_sizes() -> None:
        def product(f: Any, *shapes: Any, **options: Any) -> Any:
            specs = [tf.TensorSpec(shape, tf.float32) for shape in shapes]
            return tf.function(functools.partial(f.vjp, **options), input_signature=specs)

        z, alpha = np.float32([[-1.0, -2.0, 3.0], [4.0, -5.0, -6.0]]), np.float32([0.1])
        by_alpha = product(actlib.prelu, [None, None], [None, None], [None], wrt="alpha")
        np.testing.assert_allclose(
            by_alpha(z, z, alpha), actlib.prelu.vjp(z, z, alpha, wrt="alpha"), rtol=1e-6
        )
        shared = product(actlib.prelu, [None, 3], [None, 3], [None, 3])
        wide = np.full((2, 3), 0.5, np.float32)
        np.testing.assert_allclose(
            shared(z[:1], wide, wide), actlib.prelu.vjp(z[:1], wide, wide), rtol=1e-6
        )
        for f in (actlib.gelu, actlib.softmax, actlib.log_softmax, actlib.reglu):
            one = np.float32([[[1.0, 2.0, -3.0, 4.0]]])
            got = product(f, [None, None, 4], [1])(one, np.float32([2.0]))
            np.testing.assert_allclose(got, f.vjp(one, 2.0), rtol=1e-5, atol=1e-6)
        with pytest.raises(ValueError, match="softmax: z has an unknown number of axes"):
            tf.function(actlib.softmax, input_signature=[tf.TensorSpec(None, tf.float32)])(z)

    def test_a_list_of_tensors_is_refused() -> None:
        """NumPy would make an array of it, and the gradient would be lost."""
        with pytest.raises(TypeError, match=r"^gelu: z is a list of arrays of tensorflow, not one"):
            actlib.gelu([tf.ones(2), tf.ones(2)])

    def test_tensorflow_variables_and_half_precision() -> None:
        z = tf.Variable([-4.0, -1.0, 0.0, 2.0], dtype=tf.bfloat16)
        with tf.GradientTape() as tape:
            value = actlib.gelu(z)
        got = tape.gradient(value, z)
        assert got.dtype == tf.bfloat16
        np.testing.assert_array_equal(got, actlib.gelu.grad(np.asarray(z)))

    def test_what_tensorflow_makes_no_tensor_of() -> None:
        for z in (tf.ragged.constant([[1.0], [2.0, 3.0]]), tf.sparse.from_dense([[1.0, 0.0]])):
            with pytest.raises(TypeError, match=rf"^relu: z is a {type(z).__name__}, of which"):
                actlib.relu(z)

    def test_without_the_bridge_tensorflow_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(autodiff, "BRIDGES", {})
        with pytest.raises(AssertionError):
            same(taped(actlib.celu, tf.constant(Z))[0], actlib.celu.grad(Z))

    def test_a_network_whose_last_layer_starts_at_zero_learns_in_tensorflow() -> None:
        (got,) = taped(lambda z: -actlib.log_softmax(z)[0], tf.zeros(3))
        np.testing.assert_allclose(got, [-2 / 3, 1 / 3, 1 / 3], rtol=1e-6)


if importlib.util.find_spec("torch"):  # in the environment of `make test-peers`
    import torch

    @each_name
    @pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
    def test_torch(name: str) -> None:
        f, z = ELEMENTWISE[name], torch.from_numpy(Z.copy())
        leaf = z.clone().requires_grad_()
        f(leaf).sum().backward()
        same(leaf.grad, f.grad(Z))
        same(torch.func.vmap(torch.func.grad(f))(z), f.grad(Z))
        same(torch.func.jvp(f, (z,), (torch.ones_like(z),))[1], f.grad(Z))
        same(torch.func.jacrev(f)(z[1:-2]).diagonal(), f.grad(Z[1:-2]))

    def test_without_the_bridge_torch_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(autodiff, "BRIDGES", {})
        leaf = torch.zeros(1, requires_grad=True)
        actlib.relu(leaf).sum().backward()
        with pytest.raises(AssertionError):
            same(leaf.grad, actlib.relu.grad(np.float32([0.0])))

    @each_partial
    def test_torch_by_a_parameter(name: str, key: str) -> None:
        f, params = ELEMENTWISE[name], defaults(name)
        z = np.tile(np.array(FINITE, np.float32)[:, None], 3)
        right = f.partials[key](z, **params)
        for value in (params[key], np.full(3, params[key], np.float32)):
            leaf = torch.tensor(value, requires_grad=True)
            f(torch.from_numpy(z), **{**params, key: leaf}).sum().backward()
            assert leaf.grad.shape == np.shape(value)
            expected = right.sum(None if leaf.ndim == 0 else 0)
            np.testing.assert_allclose(leaf.grad, expected, rtol=1e-4)

    @each_name
    def test_torch_twice(name: str) -> None:
        f, z = ELEMENTWISE[name], np.array(FINITE, np.float32)
        leaf = torch.from_numpy(z).requires_grad_()
        (slope,) = torch.autograd.grad(f(leaf).sum(), leaf, create_graph=True)
        (got,) = torch.autograd.grad(slope.sum(), leaf)
        same(got, f.grad.grad(z))

    @each_vector
    @pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
    def test_torch_of_vectors(name: str) -> None:
        f, upstream = VECTORS[name], upstreams(name, SCORES)
        leaf = torch.from_numpy(SCORES.copy()).requires_grad_()
        f(leaf).backward(torch.from_numpy(upstream))
        same_product(leaf.grad, name, SCORES, upstream)
        for z in SCORES[:12]:
            right = jacobian(name, z.astype(float))
            for derive in (torch.func.jacfwd, torch.func.jacrev):
                got = derive(f)(torch.from_numpy(z))
                np.testing.assert_allclose(got, right, rtol=1e-4, atol=1e-7)
        wide = torch.from_numpy(SCORES[4:8].astype(float)).requires_grad_()
        assert torch.autograd.gradcheck(f, wide)
        assert torch.autograd.gradgradcheck(f, wide)
        same(torch.vmap(f)(torch.from_numpy(SCORES)), f(SCORES))

    def test_a_network_whose_last_layer_starts_at_zero_learns_in_torch() -> None:
        z = torch.zeros(3, requires_grad=True)
        (-actlib.log_softmax(z)[0]).backward()
        np.testing.assert_allclose(z.grad, [-2 / 3, 1 / 3, 1 / 3], rtol=1e-6)

    @pytest.fixture(autouse=True)
    def forget_what_was_compiled() -> Iterator[None]:
        yield
        torch._dynamo.reset()

    def compiled_whole(f: Callable[..., Any], *args: Any) -> Any:
        """As a model is compiled, but without a C++ compiler at its end."""
        return torch.compile(f, fullgraph=True, backend="aot_eager")(*args)

    @each_name
    def test_torch_compiled(name: str) -> None:
        f, leaf = ELEMENTWISE[name], torch.from_numpy(Z.copy()).requires_grad_()
        compiled_whole(lambda z: 2 * f(z), leaf).sum().backward()
        same(leaf.grad, 2 * f.grad(Z))

    @each_vector
    def test_torch_compiled_of_vectors(name: str) -> None:
        f, upstream = VECTORS[name], upstreams(name, SCORES)
        leaf = torch.from_numpy(SCORES.copy()).requires_grad_()
        compiled_whole(f, leaf).backward(torch.from_numpy(upstream))
        same_product(leaf.grad, name, SCORES, upstream)

    def test_torch_compiled_with_parameters() -> None:
        """Numbers, lists and tensors, which get their gradient; derivatives and products too."""
        z, alpha = torch.from_numpy(Z[1:-2].copy()), torch.tensor(0.3, requires_grad=True)
        compiled_whole(lambda z, a: actlib.prelu(z, a), z, alpha).sum().backward()
        np.testing.assert_allclose(
            alpha.grad, actlib.prelu.partials["alpha"](z.numpy(), 0.3).sum(), rtol=1e-6
        )
        calls = {
            "number": lambda z: actlib.leaky_relu(z, slope=0.2),
            "list": lambda z: actlib.prelu(z, [0.1] * len(z)),
            "derivative": actlib.gelu.grad,
            "partial": lambda z: actlib.swish.partials["beta"](z, 2.0),
            "both": lambda z: actlib.mish.value_and_grad(z)[1],
            "product": lambda z: actlib.prelu.vjp(z, z, 0.1, wrt="alpha"),
            "along an axis": lambda z: actlib.softmax.vjp(z[:, None], z[:, None], axis=0),
            "sizes that vary": lambda z: actlib.gelu(z[: len(z) // 2]),
        }
        for words, call in calls.items():
            right = call(z.numpy())
            np.testing.assert_allclose(compiled_whole(call, z), right, rtol=1e-5, err_msg=words)
        got = compiled_whole(lambda a: actlib.prelu(-2.0, a), alpha.detach())
        np.testing.assert_allclose(got, -0.6, rtol=1e-6)

    @pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is:DeprecationWarning")
    def test_torch_compiled_to_machine_code() -> None:
        """Many numbers at a time, for which PyTorch has other code than for one."""
        z = torch.from_numpy(np.tile(np.array(FINITE, np.float32)[:, None], 16))
        every = torch.compile(
            lambda z: {n: (f(z), f.grad(z)) for n, f in ELEMENTWISE.items()}, fullgraph=True
        )
        for name, pair in every(z).items():
            f = ELEMENTWISE[name]
            for got, right in zip(pair, (f(z.numpy()), f.grad(z.numpy())), strict=True):
                same(got, right)

    def test_torch_compiled_for_sizes_and_numbers_that_vary() -> None:
        """Compiled once, or PyTorch would give up at the ninth."""
        calls = [actlib.gelu, actlib.glu, lambda z: actlib.gelu.vjp(z, z), actlib.softmax]
        for call in calls:
            whole = torch.compile(call, fullgraph=True, dynamic=True, backend="eager")
            for n in range(2, 13):
                assert whole(torch.ones(n, 4)).shape[0] == n
        leaky = torch.compile(actlib.leaky_relu, fullgraph=True, backend="aot_eager")
        for slope in np.linspace(0.1, 0.9, 12).tolist():
            np.testing.assert_allclose(leaky(-torch.ones(2), slope), -slope, rtol=1e-6)

    @pytest.mark.parametrize("name", ["softmax", "log_softmax"])
    def test_torch_of_vectors_twice(name: str) -> None:
        for z in TIED:
            got = torch.func.hessian(VECTORS[name])(torch.from_numpy(z))
            np.testing.assert_allclose(got, curvature(name, z), rtol=1e-4, atol=1e-6)

    @each_partial
    @pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
    def test_torch_forwards_through_a_slope(name: str, key: str) -> None:
        """By a parameter, for which no rule is declared, and beside another forward mode."""
        from torch.autograd import forward_ad

        f, value = ELEMENTWISE[name], torch.tensor(defaults(name)[key], dtype=torch.float64)
        z = torch.tensor([-1.3, 0.7], dtype=torch.float64)
        call = functools.partial(lambda p: f.grad(z, **{**defaults(name), key: p}))
        with forward_ad.dual_level():
            dual = call(forward_ad.make_dual(value, torch.ones_like(value)))
            got = forward_ad.unpack_dual(dual).tangent
        (backwards,) = (torch.func.jacrev(call)(value),)
        np.testing.assert_allclose(0 if got is None else got, backwards, rtol=1e-12)

    def test_torch_vmap_of_second_derivatives() -> None:
        z = torch.from_numpy(np.array(FINITE, np.float32))
        for f in ELEMENTWISE.values():
            same(torch.vmap(f.grad.grad)(z), f.grad.grad(z.numpy()))

    @pytest.mark.parametrize("half", ["float16", "bfloat16"])
    def test_torch_half_precision(half: str) -> None:
        z = np.linspace(-4, 4, 33, dtype=np.float16)
        leaf = torch.from_numpy(z).to(getattr(torch, half)).requires_grad_()
        for f in (actlib.gelu, actlib.celu, actlib.softplus):
            leaf.grad = None
            f(leaf).sum().backward()
            right = torch.from_numpy(f.grad(z.astype(np.float32))).to(leaf.dtype)
            assert leaf.grad.dtype == leaf.dtype
            assert torch.allclose(leaf.grad, right, rtol=2**-7 if half == "bfloat16" else 2**-10)
