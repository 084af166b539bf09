"""How an activation is declared: a kernel, its derivatives and a specification, in one place.

``@activation`` and ``@derivative`` turn kernels into public functions and enter them in
``REGISTRY``; tests, catalogue and documentation follow from there.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Concatenate, ParamSpec, Protocol, cast, overload

import numpy as np

from actlib._core.arrays import Array, ArrayLike, Kernel, Limits, Namespace
from actlib._core.evaluate import evaluate
from actlib._core.formula import Formula, Param

P = ParamSpec("P")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of any function here besides how to compute it.

    Parameters
    ----------
    name : str
        The public name.
    formula : str
        The definition in LaTeX.
    exact : callable
        The textbook formula over a namespace ``m`` of mathematical functions, the reference that
        values and derivatives are tested against. It takes numbers, ``exact(m, z, *params)``; for a
        function of vectors a list of them; for a gated unit two, ``exact(m, value, gate)``.
    cite : str
        The key of its source in the book's bibliography.
    range : pair of float, or callable
        The bounds of the values; ``range(*params)`` where they depend on the parameters.
    names : mapping of str to str
        What it is called in ``"tensorflow"``, ``"keras"``, ``"torch"`` and ``"jax"``.
    differs : mapping of str to str
        Where a library has another default, or lacks a parameter: in words. ``"needs k=v, ..."``
        says which keyword it needs to be this function.
    """

    name: str
    formula: str
    exact: Callable[..., Any]
    cite: str
    range: tuple[float, float] | Callable[..., tuple[float, float]]
    names: Mapping[str, str] = field(default_factory=dict)
    differs: Mapping[str, str] = field(default_factory=dict)

    @property
    def year(self) -> int:
        """When its source was published, as the key of the source says."""
        return int(re.findall(r"\d{4}", self.cite)[0])


@dataclass(frozen=True, kw_only=True)
class Spec(Facts):
    """What is known of an activation, which acts on every number by itself.

    Parameters
    ----------
    name, formula, exact, cite, range, names, differs
        As in `Facts`.
    limits : pair of float, or callable
        The values at -inf and +inf; ``limits(xp, *params)`` where they depend on the parameters.
    kinks : tuple of float, or callable
        Where the derivative jumps; ``kinks(*params)`` where that depends on the parameters.
    params : mapping of str to Param
        The parameters, in the order of the signature.
    monotonic : bool
        Whether it never falls, at the default parameters.
    root : float or None
        Where the derivative is zero and changes its sign, at the default parameters.
    """

    limits: Limits
    kinks: tuple[float, ...] | Callable[..., tuple[float, ...]]
    params: Mapping[str, Param]
    monotonic: bool = True
    root: float | None = None

    @functools.cached_property
    def signature(self) -> inspect.Signature:
        """What the caller sees: z, the parameters and `out`, without the kernel's namespace."""
        either, by_name = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
        z = inspect.Parameter("z", either)
        params = [inspect.Parameter(k, either, default=p.default) for k, p in self.params.items()]
        return inspect.Signature([z, *params, inspect.Parameter("out", by_name, default=None)])

    @property
    def smooth(self) -> bool:
        """Whether the derivative jumps nowhere, at the default parameters."""
        return not at_defaults(self, self.kinks)


def at_defaults(spec: Facts, fact: Any) -> Any:
    """A range, or kinks, at the default parameters."""
    if not (callable(fact) and isinstance(spec, Spec)):
        return fact
    return fact(*(param.default for param in spec.params.values()))


class Derivative(Protocol[P]):
    """A derivative of an activation: the same arguments, an array of the same shape."""

    __name__: str
    __qualname__: str

    @overload
    def __call__(self, z: ArrayLike, *args: P.args, **kwargs: P.kwargs) -> Any: ...
    @overload
    def __call__(self, z: ArrayLike, *args: Any, out: np.ndarray, **kwargs: Any) -> np.ndarray: ...
    def __call__(self, z: ArrayLike, *args: Any, **kwargs: Any) -> Any:
        """Evaluate at ``z``, elementwise, into ``out`` if that is given."""


class Gradient(Derivative[P], Protocol[P]):
    """The derivative with respect to z.

    Its own derivative, ``grad.grad``, is declared where differentiating the formula of the first
    would lose numbers; elsewhere it is None.
    """

    grad: Derivative[P] | None


class ValueAndGrad(Protocol[P]):
    """The value and the derivative with respect to z; what both need is computed once."""

    __name__: str
    __qualname__: str

    @overload
    def __call__(self, z: ArrayLike, *args: P.args, **kwargs: P.kwargs) -> tuple[Any, Any]: ...
    @overload
    def __call__(
        self, z: ArrayLike, *args: Any, out: tuple[np.ndarray, np.ndarray], **kwargs: Any
    ) -> tuple[np.ndarray, np.ndarray]: ...
    def __call__(self, z: ArrayLike, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        """Evaluate both at ``z``, elementwise, into the arrays of ``out`` if that is given."""


class Activation(Derivative[P], Protocol[P]):
    """An activation: a function with its derivatives and its specification."""

    spec: Spec
    grad: Gradient[P]
    value_and_grad: ValueAndGrad[P]
    partials: Partials[P]


class Partials(dict[str, Derivative[P]]):
    """The partial derivatives of an activation by parameter: ``partials["alpha"]``."""

    def __init__(self, activation: str) -> None:
        super().__init__()
        self._activation = activation

    def __missing__(self, key: str) -> Derivative[P]:
        known = ", ".join(self) or "none"
        raise KeyError(f"{self._activation} has no partial {key!r}; it has: {known}")

    def __getattr__(self, key: str) -> Derivative[P]:  # pickle finds a partial by its dotted name
        if key.startswith("_"):
            raise AttributeError(key)
        try:
            return self[key]
        except KeyError as error:
            raise AttributeError(*error.args) from None


REGISTRY: dict[str, Activation[...]] = {}


def find(name: str) -> Activation[...]:
    """Look up an entry of the registry; the error for an unknown name offers the nearest ones."""
    if name in REGISTRY:
        return REGISTRY[name]
    import difflib  # only an error needs it

    near = difflib.get_close_matches(name, REGISTRY, 3, 0.4)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise ValueError(f"the registry has no activation {name!r}{hint}")


_LIBRARIES = {name: name for name in ("keras", "torch", "jax", "scipy")} | {"tf": "tensorflow"}


def by_library(names: str) -> dict[str, str]:
    """Sort names in one string, such as ``"tf.nn.relu jax.nn.relu"``, by their libraries."""
    return {_LIBRARIES[path.split(".")[0]]: path for path in names.split()}


def activation(
    *,
    formula: str,
    exact: Callable[..., Any],
    cite: str,
    limits: Limits,
    range: tuple[float, float] | Callable[..., tuple[float, float]],
    kinks: tuple[float, ...] | Callable[..., tuple[float, ...]] = (),
    params: Mapping[str, Param] | None = None,
    one_pass: bool = False,
    monotonic: bool = True,
    root: float | None = None,
    names: str = "",
    differs: Mapping[str, str] | None = None,
) -> Callable[[Callable[Concatenate[Namespace, Array, P], Array]], Activation[P]]:
    """Declare an activation: make ``kernel(xp, z, *params)`` a public function of an array.

    The arguments are the fields of `Spec`; ``one_pass=True`` says that the kernel makes no
    temporary arrays, so that evaluating it block by block would gain nothing. ``names`` are given
    in one string, such as ``"tf.nn.relu jax.nn.relu"``.

    Returns
    -------
    callable
        A decorator whose result is entered in ``REGISTRY``.
    """

    def declare(kernel: Callable[Concatenate[Namespace, Array, P], Array]) -> Activation[P]:
        name = kernel.__name__
        spec = Spec(
            name=name,
            formula=formula,
            exact=exact,
            cite=cite,
            limits=limits,
            range=range,
            kinks=kinks,
            params=_params(kernel, params or {}),
            monotonic=monotonic,
            root=root,
            names=by_library(names),
            differs=differs or {},
        )
        declared = REGISTRY.get(name)
        if declared is not None and declared.__module__ != kernel.__module__:
            raise ValueError(f"an activation {name!r} is already declared in {declared.__module__}")
        function = cast(
            "Activation[P]", _publish(spec, Formula(name, kernel, spec.params, limits, one_pass))
        )
        function.spec = spec
        function.partials = Partials(name)
        REGISTRY[name] = function
        return function

    return declare


def derivative(
    function: Activation[...],
    param: str | None = None,
    *,
    limits: Limits,
    one_pass: bool = False,
    order: int = 1,
) -> Callable[[Kernel], Kernel]:
    """Declare a derivative of an activation: with respect to z, or elementwise to a parameter.

    Parameters
    ----------
    function : Activation
        What is differentiated; the result becomes ``function.grad`` or
        ``function.partials[param]``.
    param : str, optional
        The parameter; without it the derivative is the one with respect to z.
    limits : pair of float, or callable
        The values at -inf and +inf; ``limits(xp, *params)`` where they depend on parameters.
    one_pass : bool
        Whether the kernel makes no temporary arrays.
    order : int
        2 for the second derivative with respect to z, ``function.grad.grad``. It is declared after
        the first, and only where automatic differentiation of that would lose numbers.

    Returns
    -------
    callable
        A decorator that leaves the kernel as it is, so that it can serve two activations.
    """
    spec = function.spec
    if param is not None and param not in spec.params:
        raise ValueError(
            f"{spec.name} has no parameter {param!r}; it has: {', '.join(spec.params)}"
        )

    def declare(kernel: Kernel) -> Kernel:
        path = f"partials.{param}" if param else ".".join(["grad"] * order)
        formula = Formula(f"{spec.name}.{path}", kernel, spec.params, limits, one_pass)
        result = cast("Derivative[...]", _publish(spec, formula, like=function))
        if order == 2:
            function.grad.grad = result
        elif param is None:
            function.grad = cast("Gradient[...]", result)
            function.grad.grad = None
            both = _publish(spec, cast("Any", function).formula, formula, like=function)
            function.value_and_grad = cast("ValueAndGrad[...]", both)
        else:
            function.partials[param] = result
        return kernel

    return declare


def _params(kernel: Kernel, params: Mapping[str, Param]) -> Mapping[str, Param]:
    """Complete the parameters by the defaults in the kernel's signature."""
    defaults = {
        key: parameter.default
        for key, parameter in list(inspect.signature(kernel).parameters.items())[2:]
    }
    if list(defaults) != list(params):
        raise TypeError(f"{kernel.__name__} takes {list(defaults)} but declares {list(params)}")
    return {
        key: replace(param, default=defaults[key], samples=(defaults[key], *param.samples))
        for key, param in params.items()
    }


def _publish(spec: Spec, *formulas: Formula, like: Any = None) -> Callable[..., Any]:
    """A real function that takes z and the parameters, with a name, a docstring, a signature.

    It evaluates one formula, or two of them together.
    """
    kernel, alone = formulas[0].kernel, len(formulas) == 1
    path = formulas[0].name if alone else f"{spec.name}.value_and_grad"
    defaults = {key: param.default for key, param in spec.params.items()}
    names, signature = tuple(defaults), spec.signature

    @functools.wraps(kernel)
    def public(z: Any, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        params: tuple[Any, ...] = ()
        if args or kwargs:
            first = dict(zip(names, args, strict=False))
            given = {**defaults, **first, **kwargs}
            if len(args) > len(first) or len(given) > len(names) or first.keys() & kwargs.keys():
                try:
                    signature.bind(z, *args, **kwargs)
                except TypeError as error:
                    raise TypeError(f"{path}: {error}; it takes {signature}") from None
            params = (*given.values(),)
        found = evaluate(formulas, z, params, (out,) if alone and out is not None else out)
        return found[0] if alone else tuple(found)

    public.__module__ = (like or kernel).__module__
    public.__qualname__ = path
    public.__name__ = path.rpartition(".")[2]
    public.__doc__ = _document(path, kernel.__doc__, spec, like)
    public.__signature__ = signature  # type: ignore[attr-defined]
    public.__annotations__ = {}
    public.formula = formulas[0]  # type: ignore[attr-defined]
    return public


_OUT = """
out : ndarray, optional
    A NumPy array of the result's shape and dtype, to put it there; it may be `z` itself."""
_BOTH = """\
Value and derivative of `{}` with respect to z, as a tuple: what both need is computed once.

`out` is a tuple of two arrays."""
_RAISES = """\
Raises
------
TypeError
    If `z` or a parameter is no array of real numbers.
ValueError
    If a parameter is a number outside its domain, or an array that does not broadcast, or if
    `out` does not fit.

"""


def _document(path: str, doc: str | None, spec: Spec, like: Any) -> str:
    """The kernel's docstring; for a value, with the formula that the specification holds."""
    if like is None:
        return with_formula(doc, spec.formula, _RAISES, _OUT)
    if path.endswith("value_and_grad"):
        return _BOTH.format(spec.name)
    variable = path.partition("partials.")[2] or "z"
    order = "Second derivative" if path.endswith("grad.grad") else "Derivative"
    first = f"{order} of `{spec.name}` with respect to {variable}, elementwise."
    return "\n\n".join(filter(None, [first, inspect.cleandoc(doc or "")]))


def with_formula(doc: str | None, formula: str, raises: str, parameter: str = "") -> str:
    """A docstring with the formula after its first line, and what is raised before the notes.

    The parameter is added to those that it has.
    """
    summary, _, rest = inspect.cleandoc(doc or "").partition("\n\n")
    rest = rest.replace("\n\nReturns\n-", f"{parameter}\n\nReturns\n-", 1)
    rest = re.sub(r"^(?=(Notes|References|Examples)\n-)", raises, rest, count=1, flags=re.MULTILINE)
    return f"{summary}\n\n.. math:: {formula}\n\n{rest}\n"
