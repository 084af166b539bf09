"""What a type checker says of calls: mypy and pyright read this file, nothing runs it.

An ignore that hides no error is an error itself, so each of these calls must be one.
"""

from typing import Any, assert_type

import jax
import numpy as np

import actlib
from actlib import REGISTRY, compiled, explore, gelu, glu, prelu, relu, sigmoid, softmax, swish

z = np.linspace(-1.0, 1.0, 5)


def of_tensors(tensor: jax.Array) -> None:
    """An array comes back as one of its kind."""
    assert_type(relu(tensor), jax.Array)
    assert_type(swish.value_and_grad(tensor, 2.0), tuple[jax.Array, jax.Array])
    assert_type(glu.vjp(tensor, 1.0), jax.Array)


relu(z)
relu([[-1.0, 2.0], [0.0, 1.0]])
relu((-1, 2))
relu(3)
sigmoid.grad(np.float32(0.5))
prelu(z, 0.1)
prelu(z, alpha=np.full(5, 0.1))
prelu.grad(z, alpha=0.1)
prelu.partials["alpha"](z, 0.1)
REGISTRY["relu"].spec.formula.upper()
gelu.grad(z)
swish(z, beta=2.0)
softmax(z, axis=0)
softmax.vjp(z, [1.0] * 5, axis=-1)
glu(np.ones(4))
glu.vjp(np.ones(4), 1.0)
REGISTRY["glu"].spec.formula.upper()
explore("prelu", "relu", z=-1, alpha=0.1).state.upper()

activation: actlib.Activation[...] = REGISTRY.elementwise["prelu"]
spec: actlib.Spec = activation.spec
param: actlib.Param = spec.params["alpha"]
peer: actlib.Peer = gelu.spec.peers["jax"]
spec.kinks_at(alpha=0.1)[0].is_integer()

assert_type(relu(z), np.ndarray)
assert_type(prelu.grad(z, alpha=0.1), np.ndarray)
assert_type(softmax(z), np.ndarray)
assert_type(relu(2.0), Any)
number: float = relu(np.float32(1))
mean: float = sigmoid.grad(np.mean(z))
prelu(np.float64(1), np.ones(3))[0].is_integer()

relu(z, out=z).sum()
prelu.grad(z, alpha=0.1, out=z).sum()
value, slope = swish.value_and_grad(z, beta=2.0)
prelu.value_and_grad(z, 0.1, out=(z, z))[1].sum()

assert_type(compiled.relu(z), np.ndarray)
assert_type(compiled.relu(z, threads=2), np.ndarray)
assert_type(compiled.gelu.grad.grad(z, threads=2), np.ndarray)
assert_type(compiled.gelu.vjp(z, 1.0, threads=2), np.ndarray)
compiled.prelu.partials["alpha"](z, alpha=0.1, out=z, threads=2).sum()
compiled.swish.value_and_grad(z, 2.0, threads=2)[1].sum()
compiled.prelu.vjp(z, 1.0, wrt="alpha", threads=2)
compiled.softmax(z, axis=0)
compiled.REGISTRY["glu"].spec.formula.upper()

explore(relu)  # type: ignore[arg-type]
explore("prelu", alpha="x")  # type: ignore[arg-type]
relu("a")  # type: ignore[call-overload]
relu(1j)  # type: ignore[call-overload]
relu(None)  # type: ignore[call-overload]
relu()  # type: ignore[call-overload]
relu(z, 0.1)  # type: ignore[call-overload]
prelu(z, alpha="x")  # type: ignore[call-overload]
prelu(z, slope=0.1)  # type: ignore[call-overload]
prelu.grad(z, beta=0.1)  # type: ignore[call-overload]
prelu.partials["alpha"](z, 0.1, 0.2)  # type: ignore[call-overload]
relu(z, out=[0.0])  # type: ignore[call-overload]
swish.value_and_grad(z, alpha=2.0)  # type: ignore[call-overload]
relu.value_and_grad(z, out=z)  # type: ignore[call-overload]
REGISTRY.elementwise["mine"] = relu  # type: ignore[index]
REGISTRY["relu"].grad(z)  # type: ignore[union-attr]
relu.gradient(z)  # type: ignore[attr-defined]
relu.spec.latex  # type: ignore[attr-defined]  # noqa: B018
swish(z, alpha=2.0)  # type: ignore[call-overload]
gelu(z, 1.0)  # type: ignore[call-overload]
softmax(z, axis="x")  # type: ignore[call-overload]
softmax.vjp(z)  # type: ignore[call-overload]
softmax.grad(z)  # type: ignore[attr-defined]
compiled.relu("a")  # type: ignore[call-overload]
compiled.relu(z, threads="2")  # type: ignore[call-overload]
compiled.prelu(z, slope=0.1)  # type: ignore[call-overload]
compiled.softmax(z, threads=2)  # type: ignore[call-overload]
compiled.gleu  # type: ignore[attr-defined]  # noqa: B018
glu(np.ones(4), 0)  # type: ignore[call-overload]
glu.vjp(np.ones(4), 1.0, axis=0)  # type: ignore[call-overload]
