"""The check of a function of vectors, and of its product with an upstream gradient."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from actlib._core.registry import REGISTRY
from actlib._core.spec import Spec
from actlib.check import arguments
from actlib.check.accuracy import Accuracy
from actlib.check.expansion import Formula, expand, formula_of, refuse_imprecise
from actlib.check.report import Finding, Report, waive
from actlib.check.vector_subject import VectorSubject, samples


def check_vjp(
    f: Callable[..., Any],
    vjp: Callable[..., Any] | None = None,
    *,
    exact: str | Callable[[list[Any]], Sequence[Any]] | None = None,
    axis: str | None = None,
    dtypes: arguments.Dtypes = ("float32", "float64"),
    skip: Mapping[str, str] | None = None,
) -> Report:
    """Examine a function of vectors, and its vector-Jacobian product, against exact numbers.

    Each is examined at vectors of every scale, with ties, with one score far above the others, with
    infinities and NaN, of up to 130 numbers, and the product with upstream gradients of many kinds,
    with NaN as well.
    At a kink, where the slopes on either side differ, any product is right. Errors are measured
    by ``E = abs(got - exact) / (eps * (abs(exact) + sensitivity) + tiny)``, where the sensitivity
    is how far the result may move if every number given, of the vector and of the upstream
    gradient, moves by its own size: ``sum_j abs(z_j * df/dz_j)``, and so on. So one rounding of
    what is given is forgiven, and of the result, but no cancellation in between. The smallest
    normal number, ``tiny``, counts times the largest upstream gradient, if that is above 1.

    Parameters
    ----------
    f : callable
        ``f(z)``, of the vectors along the last axis of a NumPy array: it returns vectors as long as
        they are, or of a gated unit half as long. Of a function of ``actlib``, all that is not
        given is taken from it.
    vjp : callable, optional
        ``vjp(z, upstream)``, the product of an upstream gradient with the Jacobian of `f`.
    exact : str or callable, optional
        What `f` should be: the name of a function of vectors in ``actlib.REGISTRY``, or a function
        that takes a list of mpmath numbers and returns one.
    axis : str, optional
        The keyword by which `f` and `vjp` take an axis, such as ``"axis"`` or ``"dim"``. Without
        it they are called without one, unless they are of ``actlib``.
    dtypes : str or sequence of str
        Of ``"float32"``, ``"float64"``, ``"float16"``, ``"bfloat16"``.
    skip : mapping of str to str, optional
        Aspects that do not count, each with the reason, as for `check_activation`.

    Returns
    -------
    Report
        Property by property, what was found of ``"value"`` and ``"vjp"``.

    Raises
    ------
    TypeError, ValueError
        If the call makes no sense, or a result does not have the shape that it should have.

    Examples
    --------
    >>> import numpy as np
    >>> from actlib import softmax
    >>> from actlib.check import check_vjp
    >>> check_vjp(softmax, dtypes=["float32"]).ok
    True
    >>> def vjp(z, upstream):
    ...     p = softmax(z)
    ...     return p * (upstream - (p * upstream).sum(axis=-1, keepdims=True))
    >>> report = check_vjp(softmax, vjp, dtypes=["float32"])
    >>> [(finding.of, finding.aspect) for finding in report.failed]
    [('vjp', 'accuracy'), ('vjp', 'nothing lost')]
    """
    arguments.functions(f=f, vjp=vjp)
    waived = arguments.waivers(skip)
    if not isinstance(axis, str | None):
        raise TypeError(f"axis must be the name of a keyword, such as 'dim', got {axis!r}")
    spec = getattr(f, "spec", None)
    ours = (f, getattr(f, "vjp", None)) if isinstance(spec, Spec) else ()
    if isinstance(spec, Spec) and exact is None:
        exact, vjp = spec.name, vjp or getattr(f, "vjp", None)
    formula, words = _target(exact)
    findings: list[Finding] = []
    accuracy: dict[tuple[str, str], Accuracy] = {}
    for dtype in arguments.dtypes_named(dtypes):
        points = [expand(formula, tuple(z.tolist())) for z in samples(formula, dtype)]
        for of, function in {"value": f, "vjp": vjp}.items():
            if function is not None:
                named = axis or (_axis(function) if function in ours else None)
                subject = VectorSubject(function, of, formula, named, dtype)
                found, accuracy[of, dtype.name] = subject.examine(points)
                findings += found
    return Report(getattr(f, "__name__", repr(f)), words, waive(findings, waived), accuracy)


def _axis(function: Callable[..., Any]) -> str | None:
    """The keyword by which a function of actlib takes an axis, if it does."""
    return "axis" if "axis" in inspect.signature(function).parameters else None


def _target(exact: str | Callable[[list[Any]], Sequence[Any]] | None) -> tuple[Formula, str]:
    """The formula to compare with, and what the report says of it."""
    if exact is None:
        known = [name for name, function in REGISTRY.items() if not function.spec.elementwise]
        raise ValueError(
            "check_vjp has nothing to compare with: give exact, the name of a function of vectors "
            f"of actlib ({', '.join(known)}) or a function of a list of mpmath numbers"
        )
    if not isinstance(exact, str):
        refuse_imprecise(exact)
        return exact, "Compared with the exact formula given, to 30 digits."
    function: Any = REGISTRY[exact]
    if function.spec.elementwise:
        raise ValueError(f"{exact} acts elementwise: check_activation examines it")
    return formula_of(function), f"Compared with {exact}, to 30 digits."
