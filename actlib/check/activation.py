"""The check: a function and its gradient are asked for numbers, and the numbers are compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from actlib._core.registry import refuse_vectors
from actlib._core.spec import Spec
from actlib.check import arguments
from actlib.check.accuracy import Accuracy
from actlib.check.exact import Domain
from actlib.check.points import examined
from actlib.check.report import Finding, Report, waive
from actlib.check.subject import Subject
from actlib.check.target import Target, find_target


def check_activation(
    f: Callable[..., Any],
    grad: Callable[..., Any] | None = None,
    *,
    exact: str | Callable[..., Any] | None = None,
    params: Mapping[str, float] | None = None,
    kinks: Iterable[float] | Mapping[float, float] = (),
    dtypes: arguments.Dtypes = ("float32", "float64"),
    domain: tuple[float, float] | None = None,
    points: int = 300,
    skip: Mapping[str, str] | None = None,
) -> Report:
    """Examine an activation, and its gradient, over the whole range of floating-point numbers.

    Parameters
    ----------
    f : callable
        ``f(z, **params)``, elementwise on NumPy arrays. Of an activation of ``actlib``, all that is
        not given is taken from it.
    grad : callable, optional
        ``grad(z, **params)``, its derivative.
    exact : str or callable, optional
        What `f` should be: the name of an entry of ``actlib.REGISTRY.elementwise``, or a function
        ``exact(z, **params)`` of mpmath numbers. Without it `f` is trusted to be the right formula,
        and it is examined how well it is computed: by mpmath if `f` is made of NumPy's arithmetic
        and elementary functions, otherwise only the gradient is, as far as the values of `f` tell.
    params : mapping of str to float, optional
        Parameters, passed to `f`, `grad` and `exact` by name.
    kinks : iterable of float, or mapping of float to float, optional
        Where the derivative jumps. A mapping declares the gradient there as well; otherwise any
        number between the one-sided derivatives is right. An entry of the registry knows its own.
    dtypes : str or sequence of str
        Of ``"float32"``, ``"float64"``, ``"float16"``, ``"bfloat16"``.
    domain : pair of float, optional
        Where to examine, if not everywhere.
    points : int
        How many to take in each of three parts of the range, see `grid`; and four times as many
        between -8 and 8, where most pre-activations lie. Round numbers are taken in any case.
    skip : mapping of str to str, optional
        Aspects that do not count, each with the reason: ``{"NaN": "never gets there"}``. They are
        examined and reported, and called neither ok nor failed.

    Returns
    -------
    Report
        Property by property, what was found. ``print`` it, show it in a notebook, ask for ``.ok``.

    Raises
    ------
    TypeError, ValueError
        If the call makes no sense, or `f` does not take an array of ordinary numbers and return one
        of the same shape.

    Examples
    --------
    >>> import numpy as np
    >>> from actlib.check import check_activation
    >>> def slope(z):
    ...     return 1 - np.tanh(z) ** 2
    >>> report = check_activation(np.tanh, slope, exact="tanh", dtypes=["float32"])
    >>> [(finding.dtype, finding.aspect) for finding in report.failed]
    [('float32', 'accuracy'), ('float32', 'nothing lost')]
    """
    arguments.functions(f=f, grad=grad)
    refuse_vectors(f)
    spec = getattr(f, "spec", None)
    if isinstance(spec, Spec) and exact is None:
        exact, grad = spec.name, grad or getattr(f, "grad", None)
    numbers, waived = arguments.parameters(params), arguments.waivers(skip)
    within, many = arguments.domain_of(domain), arguments.count(points)
    declared = arguments.kinks_declared(kinks)
    findings: list[Finding] = []
    accuracy: dict[tuple[str, str], Accuracy] = {}
    for dtype in arguments.dtypes_named(dtypes):
        target = find_target(f, exact, numbers, declared, dtype, within)
        z = examined(dtype, target.kinks, within, many)
        z = z if _defined_at_zero(target, within) else z[z != 0]
        for order, (of, function) in enumerate({"value": f, "gradient": grad}.items()):
            if function is not None:
                subject = Subject(
                    function, numbers, of, order, target, dtype, within, exact is None
                )
                found, measured = subject.examine(z)
                findings += found
                accuracy |= {(of, dtype.name): measured} if measured else {}
    name = getattr(f, "__name__", None) or repr(f)
    return Report(name, target.words, waive(findings, waived), accuracy)


def _defined_at_zero(target: Target, domain: Domain) -> bool:
    """Whether the exact formula can be asked for 0; some, as that of sin(z) / z, cannot."""
    try:
        target.at(0, 0.0, domain)
    except (ZeroDivisionError, ValueError):
        return False
    return True
