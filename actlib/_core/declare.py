"""How an activation is declared: a kernel, its derivatives and a specification, in one place.

``@activation`` and ``@derivative`` turn kernels into public functions and enter them in
``REGISTRY``; tests, catalogue and documentation follow from there.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Concatenate, ParamSpec, cast

from actlib._core import autodiff, document
from actlib._core.arrays import Array, Kernel, Limits, Namespace
from actlib._core.evaluate import Evaluation
from actlib._core.formula import Formula
from actlib._core.names import hint
from actlib._core.products import Pullback
from actlib._core.publish import published
from actlib._core.registry import REGISTRY, Activation, Derivative, Gradient, Partials, ValueAndGrad
from actlib._core.spec import Param, Peer, Spec

P = ParamSpec("P")


def activation(
    *,
    formula: str,
    exact: Callable[..., Any],
    family: str,
    cite: str,
    year: int,
    limits: Limits,
    range: tuple[float, float] | Callable[..., tuple[float, float]],
    kinks: tuple[float, ...] | Callable[..., tuple[float, ...]] = (),
    params: Mapping[str, Param] | None = None,
    one_pass: bool = False,
    monotonic: bool = True,
    root: float | None = None,
    peers: Mapping[str, Peer] | None = None,
    title: str = "",
) -> Callable[[Callable[Concatenate[Namespace, Array, P], Array]], Activation[P]]:
    """Declare an activation: make ``kernel(xp, z, *params)`` a public function of an array.

    The arguments are the fields of `Spec`; ``one_pass=True`` says that the kernel makes no
    temporary arrays and no warnings, so that evaluating it block by block would gain nothing.

    Returns
    -------
    callable
        A decorator whose result is entered in ``REGISTRY``.
    """

    def declare(kernel: Callable[Concatenate[Namespace, Array, P], Array]) -> Activation[P]:
        if kernel.__name__.startswith(("_", "<")):
            raise ValueError(
                f"an activation is called what its kernel is, which is {kernel.__name__!r}; "
                "give that a public name"
            )
        spec = Spec(
            name=kernel.__name__,
            formula=formula,
            exact=exact,
            family=family,
            cite=cite,
            year=year,
            limits=limits,
            range=range,
            kinks=kinks,
            params=_params(kernel, params or {}),
            monotonic=monotonic,
            root=root,
            peers=peers or {},
            title=title,
        )
        value = Formula(spec.name, kernel, spec.params, limits, one_pass)
        doc = document.of_value(kernel.__doc__, spec)
        function = cast("Activation[P]", _publish(spec, kernel.__module__, doc, value))
        function.spec = spec
        function.partials = Partials(spec.name)
        product = document.of_elementwise_product(spec.name)
        function.vjp = cast("Any", _publish_product(spec, kernel.__module__, product, value))
        REGISTRY.enter(function)
        return function

    return declare


def derivative(
    function: Activation[...],
    param: str | None = None,
    *,
    limits: Limits,
    one_pass: bool = False,
    order: int = 1,
    flat: bool = False,
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
        Whether the kernel makes no temporary arrays and no warnings.
    order : int
        2 for the second derivative with respect to z, ``function.grad.grad``, after the first.
        Where the first jumps, or has a kink, it is one of the two on either side.
    flat : bool
        Whether this derivative is constant but for jumps, so that the second is zero.

    Returns
    -------
    callable
        A decorator that leaves the kernel as it is, so that it can serve two activations.
    """
    spec = function.spec
    if order not in (1, 2):
        raise ValueError(f"order must be 1 or 2, got {order!r}")
    if param is not None and param not in spec.params:
        raise ValueError(f"{spec.name} has no parameter {param!r}{hint(param, spec.params)}")

    def declare(kernel: Kernel) -> Kernel:
        path = f"partials.{param}" if param else ".".join(["grad"] * order)
        formula = Formula(f"{spec.name}.{path}", kernel, spec.params, limits, one_pass)
        doc = document.of_derivative(kernel.__doc__, spec.name, path)
        result = cast("Derivative[...]", _publish(spec, function.__module__, doc, formula))
        differentiated = cast("Any", function if order == 1 else function.grad).formula
        differentiated.slopes[param or "z"] = formula
        if order == 2:
            function.grad.grad = result
        elif param is None:
            function.grad = cast("Gradient[...]", result)
            _publish_both(function)
            if flat:
                derivative(function, limits=(0, 0), order=2)(_zero)
        else:
            function.partials[param] = result
        return kernel

    return declare


def _zero(xp: Namespace, z: Array, *params: Array) -> Array:
    """Zero, also at the kinks, where there is none, by convention."""
    return xp.zeros_like(z)


def both(function: Activation[...]) -> Callable[[Kernel], Kernel]:
    """Declare a kernel that returns the value and the slope, after the derivative.

    It is for activations of which both need the same costly part, which
    ``function.value_and_grad`` then computes once. Elsewhere that evaluates the two kernels.

    Parameters
    ----------
    function : Activation
        Whose value and derivative the kernel returns, as a pair.

    Returns
    -------
    callable
        A decorator that leaves the kernel as it is.
    """
    if not hasattr(function, "grad"):
        raise ValueError(f"{function.spec.name} has no derivative yet; declare that first")

    def declare(kernel: Kernel) -> Kernel:
        _publish_both(function, kernel)
        return kernel

    return declare


def _publish_both(function: Activation[...], kernel: Kernel | None = None) -> None:
    spec, formulas = function.spec, [cast("Any", f).formula for f in (function, function.grad)]
    doc = document.of_both(spec.name)
    result = _publish(spec, function.__module__, doc, *formulas, both=kernel)
    function.value_and_grad = cast("ValueAndGrad[...]", result)


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


def _publish(
    spec: Spec, module: str, doc: str, *formulas: Formula, both: Kernel | None = None
) -> Callable[..., Any]:
    """A real function that takes z and the parameters, with a name, a docstring, a signature.

    It evaluates one formula, or two of them together.
    """
    alone = len(formulas) == 1
    path = formulas[0].name if alone else f"{spec.name}.value_and_grad"
    signature = signature_of(spec.params, ["z"], {"out": None})
    params_of = binder(spec.params, path, signature, ["z"])
    evaluate = autodiff.EVALUATIONS[path] = Evaluation(path, formulas, both)

    def public(z: Any, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        params = params_of(args, kwargs) if args or kwargs else ()
        found = evaluate(z, params, (out,) if alone and out is not None else out)
        return found[0] if alone else tuple(found)

    public.formula = formulas[0]  # type: ignore[attr-defined]
    return published(public, both or formulas[0].kernel, path, module, doc, signature)


def _publish_product(spec: Spec, module: str, doc: str, formula: Formula) -> Callable[..., Any]:
    """The product with an upstream gradient, by z or by any parameter, as a real function."""
    path = f"{spec.name}.vjp"
    signature = signature_of(spec.params, ["z", "upstream"], {"wrt": "z"})
    params_of = binder(spec.params, path, signature, ["z", "upstream"])
    evaluate = autodiff.EVALUATIONS[path] = Pullback(path, formula)

    def public(z: Any, upstream: Any, *args: Any, wrt: str = "z", **kwargs: Any) -> Any:
        params = params_of(args, kwargs) if args or kwargs else ()
        return evaluate(z, upstream, params, wrt)

    return published(public, formula.kernel, path, module, doc, signature)


def binder(
    params: Mapping[str, Param], path: str, signature: inspect.Signature, before: Sequence[str]
) -> Callable[..., tuple[Any, ...]]:
    """What finds all parameters in the arguments of a call; `inspect` would take long."""
    defaults = [(key, param.default) for key, param in params.items()]
    left = [dict(defaults[count:]) for count in range(len(defaults) + 1)]

    def bound(in_order: tuple[Any, ...], by_name: dict[str, Any]) -> tuple[Any, ...]:
        others = {**left[min(len(in_order), len(defaults))], **by_name}
        if len(in_order) + len(others) != len(defaults):
            try:
                signature.bind(*before, *in_order, **by_name)
            except TypeError as error:
                raise TypeError(f"{path}: {error}; it takes {signature}") from None
        return (*in_order, *others.values())

    return bound


def signature_of(
    params: Mapping[str, Param], before: Sequence[str], after: Mapping[str, Any]
) -> inspect.Signature:
    """What the caller sees: z, the parameters and options, without the kernel's namespace."""
    either, by_name = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    return inspect.Signature(
        [
            *(inspect.Parameter(key, either) for key in before),
            *(inspect.Parameter(key, either, default=p.default) for key, p in params.items()),
            *(inspect.Parameter(key, by_name, default=value) for key, value in after.items()),
        ]
    )
