"""The docstrings of public functions: what a declaration says, in the sections of numpydoc."""

from __future__ import annotations

import inspect
import re

from actlib._core.spec import Spec

_Z = """\
z : array_like
    Pre-activation, of any shape."""
_OUT = """\
out : ndarray, optional
    A NumPy array of the result's shape and dtype, to put it there; it may be `z` itself."""
_THREADS = """\
threads : int, default 1
    Among how many a large array is shared."""
_VECTORS = """\
z : array_like
    Scores (logits), of at least one axis. An empty axis gives an empty result.
axis : int, default -1
    The axis that holds the scores."""
_HALVES = """\
z : array_like
    Its last axis, of even size, holds the values and then as many gates."""

_RAISES = """\
TypeError
    If `z` is no array of real numbers, or `out` no NumPy array.
ValueError
    If `out` does not fit."""
_RAISES_WITH_PARAMETERS = """\
TypeError
    If `z` or a parameter is no array of real numbers, or `out` no NumPy array.
ValueError
    If a parameter is a number outside its domain, or an array that does not broadcast, or if
    `out` does not fit."""
_RAISES_ALONG_AN_AXIS = """\
TypeError
    If `z` is no array of real numbers, or `axis` no whole number.
ValueError
    If `z` has no such axis."""
_RAISES_OF_HALVES = """\
TypeError
    If `z` is no array of real numbers.
ValueError
    If the last axis of `z` has an odd size, or `z` has no axis."""

_OWN_SECTIONS = r"^(?=(?:See Also|Warns|Notes|References|Examples)\n-)"

_BOTH = """\
Value and derivative of `{}` with respect to z, as a tuple. On NumPy, what is costly and both need
is computed once.

`out` is a tuple of two arrays that do not overlap."""
_PRODUCT = """\
Vector-Jacobian product of `{0}`: the gradient of a loss by z, or by the parameter that `wrt`
names, where `upstream` is its gradient by the result of `{0}`.

`upstream` broadcasts to the shape of that result. The product has the shape of what it is for: it
is added up over the axes along which that was broadcast."""
_VJP = """\
Vector-Jacobian product of `{0}`: the gradient by `z` of a loss whose gradient
by the result of `{0}` is `upstream`.

`upstream` broadcasts to the shape of that result."""


def of_value(doc: str | None, spec: Spec) -> str:
    """The docstring of an activation, of what its kernel's docstring and its declaration say."""
    shape = "broadcast shape, and of the kind" if spec.params else "shape, kind"
    return _assembled(
        doc,
        spec,
        [_Z, *_described(spec), _OUT],
        f"Of the {shape} and floating dtype of `z`.",
        _RAISES_WITH_PARAMETERS if spec.params else _RAISES,
    )


def of_compiled(doc: str) -> str:
    """The docstring of a compiled activation, of that of the plain one."""
    return doc.replace(_OUT, f"{_OUT}\n{_THREADS}")


def of_axis_function(doc: str | None, spec: Spec) -> str:
    """The docstring of a function of the vectors along an axis."""
    returns = "Of the shape, kind and floating dtype of `z`."
    return _assembled(doc, spec, [_VECTORS], returns, _RAISES_ALONG_AN_AXIS, ", axis=-1")


def of_gated_unit(doc: str | None, spec: Spec) -> str:
    """The docstring of a gated unit."""
    returns = "Of the kind and floating dtype of `z`, with half its last axis."
    return _assembled(doc, spec, [_HALVES], returns, _RAISES_OF_HALVES, "")


def of_derivative(doc: str | None, name: str, path: str) -> str:
    """The docstring of a derivative; the path is ``grad``, ``grad.grad`` or ``partials.alpha``."""
    variable = path.partition("partials.")[2] or "z"
    order = "Second derivative" if path == "grad.grad" else "Derivative"
    return _joined(f"{order} of `{name}` with respect to {variable}, elementwise.", doc)


def of_both(name: str) -> str:
    """The docstring of ``value_and_grad``."""
    return _BOTH.format(name)


def of_elementwise_product(name: str) -> str:
    """The docstring of the product with an upstream gradient, by z or by a parameter."""
    return _PRODUCT.format(name)


def of_product(doc: str | None, name: str) -> str:
    """The docstring of a vector-Jacobian product."""
    return _joined(_VJP.format(name), doc)


def _joined(first: str, doc: str | None) -> str:
    return "\n\n".join(filter(None, [first, inspect.cleandoc(doc or "")]))


def _described(spec: Spec) -> list[str]:
    return [
        f"{key} : float or array, default {param.default}\n"
        f"    {param.meaning or 'A parameter'}; {param.domain}. An array broadcasts against `z`."
        for key, param in spec.params.items()
    ]


def _assembled(
    doc: str | None,
    spec: Spec,
    params: list[str],
    returns: str,
    raises: str,
    options: str | None = None,
) -> str:
    """The formula follows the first line; the sections come before those of the kernel's docstring.

    A function of vectors has a product, whose call has `options`.
    """
    summary, _, rest = inspect.cleandoc(doc or "").partition("\n\n")
    prose, *own = re.split(_OWN_SECTIONS, rest, maxsplit=1, flags=re.MULTILINE)
    call = f"{spec.name}.vjp(z, upstream{options})"
    product = f"The vector-Jacobian product is ``{call}``." if options is not None else ""
    sections = [
        f"Parameters\n----------\n{chr(10).join(params)}",
        f"Returns\n-------\narray\n    {returns}",
        f"Raises\n------\n{raises}",
    ]
    given = [summary, f".. math:: {spec.formula}", prose.strip(), product, *sections, *own]
    return "\n\n".join(part for part in given if part) + "\n"
