"""The command line: ``python -m actlib --help``.

Needs click (``pip install "actlib[cli]"``).
"""

from __future__ import annotations

import importlib
import inspect
import operator
import sys
from collections.abc import Callable
from typing import Any

try:
    import click
except ImportError:
    sys.exit('The command line needs click; install it with: pip install "actlib[cli]"')

from actlib import REGISTRY, VECTORS


@click.group()
def main() -> None:
    """Activation functions: look them up, and check your own."""


@main.command("list")
def list_functions() -> None:
    """List every activation with its parameters and the year of its source."""
    for name, function in {**REGISTRY, **VECTORS}.items():
        click.echo(f"{name + str(inspect.signature(function)):32} {function.spec.year}")


@main.command()
@click.argument("name")
def show(name: str) -> None:
    """Show the documentation of one activation."""
    functions = {**REGISTRY, **VECTORS}
    if name not in functions:
        raise click.BadParameter(f"no activation {name!r}; see: python -m actlib list")
    click.echo(f"{name}{inspect.signature(functions[name])}\n\n{functions[name].__doc__}")


def _function(path: str) -> Any:
    """A function in a module: ``module:function``, with dots after the colon if need be."""
    module, colon, name = path.partition(":")
    if not colon:
        raise click.BadParameter(f"{path!r} has no colon; say module:function")
    try:
        return operator.attrgetter(name)(importlib.import_module(module))
    except (ImportError, AttributeError) as error:
        raise click.BadParameter(f"{path!r} cannot be found: {error}") from error


def _setting(words: str) -> tuple[str, float]:
    """A parameter and its value: ``alpha=0.1``."""
    key, _, number = words.partition("=")
    try:
        return key, float(number)
    except ValueError:
        raise click.BadParameter(f"{words!r} is not like alpha=0.1") from None


@main.command()
@click.argument("function", type=_function, metavar="MODULE:FUNCTION")
@click.option("--exact", help="What it should be: an activation that `list` lists.")
@click.option(
    "--grad",
    type=_function,
    metavar="MODULE:FUNCTION",
    help="Its gradient; else its attribute `grad`, if any.",
)
@click.option(
    "--param",
    type=_setting,
    metavar="NAME=VALUE",
    multiple=True,
    help="A parameter, such as alpha=0.1.",
)
@click.option("--kink", type=float, multiple=True, help="Where the derivative jumps.")
@click.option("--dtype", multiple=True, default=["float32", "float64"], show_default=True)
@click.option("--library", type=click.Choice(["tensorflow", "torch", "jax"]), help="Whose it is.")
def check(
    function: Callable[..., Any],
    exact: str | None,
    grad: Callable[..., Any] | None,
    param: tuple[tuple[str, float], ...],
    kink: tuple[float, ...],
    dtype: tuple[str, ...],
    library: str | None,
) -> None:
    """Check a function, and its gradient; the exit code is 1 if it fails.

    For example: python -m actlib check mymodule:sigmoid --exact sigmoid
    """
    from actlib import check as checks

    if library:
        function, derived = getattr(checks, f"from_{library}")(function)
        grad = grad or derived
    grad = grad or getattr(function, "grad", None)
    try:
        report = checks.check_activation(
            function, grad, exact=exact, params=dict(param), kinks=kink, dtypes=dtype
        )
    except (TypeError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    click.echo(str(report))
    sys.exit(0 if report.ok else 1)


if __name__ == "__main__":
    main(prog_name="python -m actlib")
