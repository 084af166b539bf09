"""Other libraries' functions, and the gradients that they derive, as functions of NumPy arrays."""

from __future__ import annotations

import functools
import importlib
import inspect
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from actlib._core.registry import REGISTRY

Pair = tuple[Callable[..., np.ndarray], Callable[..., np.ndarray]]
Shipped = tuple[Callable[..., np.ndarray], Callable[..., np.ndarray] | None]


def _named(fn: Any, f: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    f.__name__ = getattr(fn, "__name__", type(fn).__name__)
    return f


def from_tensorflow(fn: Callable[..., Any]) -> Pair:
    """Make NumPy functions of a TensorFlow or Keras function and of its gradient.

    Parameters
    ----------
    fn : callable
        Takes a tensor and keywords, returns a tensor of the same shape, elementwise.

    Returns
    -------
    f, grad : callable
        The function, and its gradient by ``tf.GradientTape``. The gradient takes an upstream one
        after the array: of a function of vectors, it is what `check_vjp` needs.

    Examples
    --------
    >>> import numpy as np
    >>> import tensorflow as tf
    >>> from actlib.check import from_tensorflow
    >>> f, grad = from_tensorflow(tf.nn.sigmoid)
    >>> bool(grad(np.float32([20.0]))[0] == 0)
    True
    """

    def f(z: np.ndarray, **params: float) -> np.ndarray:
        import tensorflow as tf

        return np.asarray(fn(tf.constant(z), **params).numpy())

    def grad(z: np.ndarray, *upstream: np.ndarray, **params: float) -> np.ndarray:
        import tensorflow as tf

        x = tf.constant(z)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = fn(x, **params)
        options: dict[str, Any] = {"unconnected_gradients": tf.UnconnectedGradients.ZERO}
        if upstream:
            options["output_gradients"] = tf.constant(*upstream)
        return np.asarray(tape.gradient(y, x, **options).numpy())

    return _named(fn, f), _derived(grad)


def from_torch(fn: Callable[..., Any], *, copy: bool = True) -> Pair:
    """Make NumPy functions of a PyTorch function and of its gradient.

    Parameters
    ----------
    fn : callable
        Takes a tensor and keywords, returns a tensor of the same shape, elementwise. A module will
        do.
    copy : bool
        Whether it gets a copy, so that a function that works in place leaves the array alone.

    Returns
    -------
    f, grad : callable
        The function, and its gradient by ``torch.autograd``, which takes an upstream one too.
    """

    def tensor(z: np.ndarray) -> Any:
        import torch

        if z.dtype.kind == "V":  # bfloat16, which NumPy does not know itself
            return torch.from_numpy(z.astype(np.float32)).bfloat16()
        return torch.from_numpy(np.array(z) if copy else z)

    def numpy(x: Any) -> np.ndarray:
        import torch

        if x.dtype != torch.bfloat16:
            return np.asarray(x.detach())
        import ml_dtypes

        return np.asarray(x.detach().float()).astype(ml_dtypes.bfloat16)

    def f(z: np.ndarray, **params: float) -> np.ndarray:
        return numpy(fn(tensor(z), **params))

    def grad(z: np.ndarray, *upstream: np.ndarray, **params: float) -> np.ndarray:
        x = tensor(z).requires_grad_()
        y = fn(x.clone(), **params)  # a leaf must not be changed in place
        y.backward(*map(tensor, upstream or [np.ones(tuple(y.shape), z.dtype)]))
        return numpy(x.grad)

    return _named(fn, f), _derived(grad)


def from_jax(fn: Callable[..., Any]) -> Pair:
    """Make NumPy functions of a JAX function and of its gradient, compiled, in any precision.

    Parameters
    ----------
    fn : callable
        Takes an array and keywords, returns an array of the same shape, elementwise.

    Returns
    -------
    f, grad : callable
        The function, and its gradient by ``jax.vjp``, which takes an upstream one too. Each is
        compiled once for a shape, a dtype and keywords, which are constants to the compiler.

    Examples
    --------
    >>> import jax
    >>> import numpy as np
    >>> from actlib.check import from_jax
    >>> f, grad = from_jax(jax.nn.relu)
    >>> grad(np.array([-1.0, 0.0, 1.0]))
    array([0., 0., 1.])
    """

    def f(z: Any, **params: float) -> Any:
        return fn(z, **params)

    def grad(z: Any, *upstream: Any, **params: float) -> Any:
        import jax

        value, back = jax.vjp(lambda x: fn(x, **params), z)
        return back(*upstream or [jax.numpy.ones_like(value)])[0]

    return _named(fn, _compiled(f)), _derived(_compiled(grad))


def _derived(grad: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """Mark a gradient as a library's: at NaN it may be any number, as the value is NaN already."""
    grad.derived = True  # type: ignore[attr-defined]
    return grad


def _compiled(function: Callable[..., Any]) -> Callable[..., np.ndarray]:
    """A function of NumPy arrays; what JAX compiles, it keeps as long as the function lives."""

    @functools.cache
    def compiled(*keywords: str) -> Callable[..., Any]:
        import jax

        return jax.jit(function, static_argnames=keywords)

    @functools.wraps(function)
    def call(*arrays: np.ndarray, **params: float) -> np.ndarray:
        import jax

        with jax.enable_x64(True):
            return np.asarray(compiled(*params)(*arrays, **params))

    return call


def _from_scipy(fn: Callable[..., Any]) -> Shipped:
    return fn, None


#: How each library's functions, and the gradients that it derives, become functions of arrays.
WRAPPERS: Mapping[str, Callable[[Callable[..., Any]], Shipped]] = {
    "tensorflow": from_tensorflow,
    "keras": from_tensorflow,
    "torch": from_torch,
    "jax": from_jax,
    "scipy": _from_scipy,
}


def keywords(name: str, library: str) -> dict[str, Any]:
    """Say which keywords make a library's function the same as ours; the library is not imported.

    Parameters
    ----------
    name, library : str
        As of `shipped`.

    Returns
    -------
    dict
        What ``spec.peers`` says that it needs.

    Examples
    --------
    >>> from actlib.check import keywords
    >>> keywords("gelu_tanh", "torch")
    {'approximate': 'tanh'}
    """
    peer = REGISTRY[name].spec.peers.get(library)
    return dict(peer.keywords) if peer else {}


def shipped(name: str, library: str) -> tuple[Callable[..., Any], dict[str, Any]]:
    """Find a library's own function for an activation, and the keywords that make it the same.

    Parameters
    ----------
    name : str
        A key of ``actlib.REGISTRY``.
    library : str
        ``"tensorflow"``, ``"keras"``, ``"torch"``, ``"jax"`` or ``"scipy"``; it must be installed.

    Returns
    -------
    fn : callable
        The function, or an instance of the layer, as ``spec.peers`` says.
    options : dict
        Its `keywords`.

    Raises
    ------
    ValueError
        If the library has no such function.

    Examples
    --------
    >>> from actlib.check import shipped
    >>> fn, options = shipped("gelu", "jax")
    >>> fn.__name__, options
    ('gelu', {'approximate': False})
    """
    peers = REGISTRY[name].spec.peers
    if library not in peers:
        raise ValueError(f"{library} has no {name}; of these it has one: {', '.join(peers)}")
    first, *rest = peers[library].path.split(".")
    module = importlib.import_module(library)
    for part in ("nn", "scipy.special"):  # which `import jax` alone does not load
        if first == "jax" and ".".join(rest).startswith(f"{part}."):
            importlib.import_module(f"jax.{part}")
    found: Any = operator.attrgetter(".".join(rest))(module)
    fn: Any = found() if inspect.isclass(found) else found
    return fn, keywords(name, library)


def from_library(name: str, library: str) -> Shipped:
    """Make NumPy functions of a library's own function for an activation, and of its gradient.

    Parameters
    ----------
    name, library : str
        As of `shipped`.

    Returns
    -------
    f, grad : callable
        As of `from_tensorflow`, `from_torch` or `from_jax`. SciPy has no gradients: None.

    Examples
    --------
    >>> from actlib.check import check_activation, from_library
    >>> f, grad = from_library("tanh", "jax")
    >>> check_activation(f, grad, exact="tanh", dtypes=["float32"]).ok
    False
    """
    fn, options = shipped(name, library)
    return WRAPPERS[library](functools.partial(fn, **options) if options else fn)
