"""The command line: ``actlib --help``, or ``python -m actlib --help``.

Needs the extra ``cli``: click.
"""

from __future__ import annotations

import importlib
import inspect
import io
import operator
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from actlib._core.extras import extra

try:
    with extra("cli"):
        import click
except ModuleNotFoundError as error:
    sys.exit(f"actlib: {error}")

from actlib import __version__
from actlib._core.registry import REGISTRY
from actlib.book.catalogue import call


class _Interruptible(click.Group):
    """Commands that end with the exit code 130 if the user interrupts them."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            sys.exit(130)


@click.group(cls=_Interruptible)
@click.version_option(__version__, prog_name="actlib")
def main() -> None:
    """Activation functions: look them up, and check your own."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what a terminal cannot show is no error
            stream.reconfigure(errors="backslashreplace")


@main.command("list")
def list_functions() -> None:
    """List every activation with its parameters and the year of its source."""
    for function in REGISTRY.values():
        click.echo(f"{call(function):32} {function.spec.year}")


@main.command()
@click.argument("name")
def show(name: str) -> None:
    """Show the documentation of one activation."""
    try:
        function = REGISTRY[name]
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    click.echo(f"{name}{inspect.signature(function)}\n\n{function.__doc__}")


def _function(path: str) -> Any:
    """A function in a module: ``module:function``, with dots after the colon if need be."""
    module, colon, name = path.partition(":")
    if not colon:
        raise click.BadParameter(f"{path!r} has no colon; say module:function")
    if not ({"", str(Path.cwd())} & {*sys.path} or sys.flags.safe_path):
        sys.path.append("")  # a console script does not have the current folder on its path
    try:
        return operator.attrgetter(name)(importlib.import_module(module))
    except (ImportError, AttributeError) as error:
        raise click.BadParameter(f"{path!r} cannot be found: {error}") from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever a module may raise; it may even exit
        words = f"{path!r} cannot be imported: {type(error).__name__}: {error}"
        raise click.BadParameter(words) from error


def _setting(words: str) -> tuple[str, float]:
    """A parameter and its value: ``alpha=0.1``."""
    key, _, number = words.partition("=")
    try:
        return key, float(number)
    except ValueError:
        raise click.BadParameter(f"{words!r} is not like alpha=0.1") from None


def _waiver(words: str) -> tuple[str, str]:
    """An aspect and the reason for which it does not count: ``NaN=never gets there``."""
    aspect, _, reason = words.partition("=")
    if not reason:
        raise click.BadParameter(f"{words!r} gives no reason; say {aspect}=REASON")
    return aspect, reason


@main.command()
@click.argument("function", type=_function, metavar="MODULE:FUNCTION")
@click.option("--exact", help="What it should be: an elementwise function that `list` lists.")
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
@click.option(
    "--skip",
    type=_waiver,
    metavar="ASPECT=REASON",
    multiple=True,
    help="What does not count, and why; the report lists the aspects.",
)
@click.option("--library", type=click.Choice(["tensorflow", "torch", "jax"]), help="Whose it is.")
def check(
    function: Callable[..., Any],
    exact: str | None,
    grad: Callable[..., Any] | None,
    param: tuple[tuple[str, float], ...],
    kink: tuple[float, ...],
    dtype: tuple[str, ...],
    skip: tuple[tuple[str, str], ...],
    library: str | None,
) -> None:
    """Check a function, and its gradient.

    The exit code is 1 if it fails, and 2 if it cannot be checked.

    For example: actlib check mymodule:sigmoid --exact sigmoid
    """
    from actlib import check as checks

    try:
        if library:
            function, derived = getattr(checks, f"from_{library}")(function)
            grad = grad or derived
        grad = grad or getattr(function, "grad", None)
        report = checks.check_activation(
            function,
            grad,
            exact=exact,
            params=dict(param),
            kinks=kink,
            dtypes=dtype,
            skip=dict(skip),
        )
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a wrong call, or whatever a user's function may raise
        raise click.UsageError(str(error) or repr(error)) from error
    click.echo(str(report))
    sys.exit(0 if report.ok else 1)


@main.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--layer", multiple=True, help="Which to report on; all by default.")
@click.option("--batch-size", type=int, default=256, show_default=True)
@click.option(
    "--flat",
    type=float,
    default=0.01,
    show_default=True,
    help="A slope is flat below this share of the activation's largest.",
)
@click.option(
    "--share",
    type=float,
    default=0.95,
    show_default=True,
    help="Of its inputs on which a saturated unit is flat, and a lost one has lost its gradient.",
)
@click.option(
    "--dormant",
    type=float,
    default=0.025,
    show_default=True,
    help="Of the layer's mean output, which that of a dormant unit does not exceed.",
)
def diagnose(model: Path, data: Path, layer: tuple[str, ...], **limits: Any) -> None:
    """Report dead, dormant, saturated and lost units of a Keras model.

    DATA is a file .npy, or .npz with one array, an array x, or one for each input by its name.

    For example: actlib diagnose model.keras data.npz --layer hidden_1
    """
    try:
        from actlib import diagnose as tool
        from actlib.diagnose.files import load_data, load_model

        loaded = load_model(model)
        found = tool.inspect(loaded, load_data(data, loaded), only=layer or None, **limits)
    except ModuleNotFoundError as error:
        raise click.UsageError(str(error)) from None
    except Exception as error:  # whatever TensorFlow raises for data that the model cannot take
        raise click.ClickException(str(error)) from error
    click.echo(str(found))


def _words(text: str) -> list[str]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words:
        raise click.BadParameter(f"{text!r} names nothing; say what, with commas between several")
    return words


def _integers(text: str) -> list[int]:
    return _numbers(text, int)


def _floats(text: str) -> list[float]:
    return _numbers(text, float)


def _numbers(text: str, kind: Callable[[str], Any]) -> list[Any]:
    try:
        return [kind(word) for word in _words(text)]
    except ValueError:
        raise click.BadParameter(f"{text!r} is no list of numbers, such as 2,8") from None


def _activations(text: str) -> list[dict[str, Any]]:
    """Activations with their parameters: ``relu,leaky_relu:slope=0.2``."""
    return [
        {"activation": name, "params": dict(map(_setting, settings))}
        for name, *settings in (word.split(":") for word in _words(text))
    ]


@main.command()
@click.option("--data", type=_words, default="digits", show_default=True)
@click.option(
    "--activations",
    type=_activations,
    required=True,
    help="With parameters, if need be: relu,leaky_relu:slope=0.2",
)
@click.option("--depth", type=_integers, default="2", show_default=True)
@click.option("--width", type=_integers, default="32", show_default=True)
@click.option("--init", type=_words, default="he", show_default=True)
@click.option("--gain", type=_floats, default="1", show_default=True)
@click.option("--rate", type=_floats, default="0.1", show_default=True, help="Learning rate.")
@click.option("--optimiser", default="sgd", show_default=True)
@click.option("--backend", type=click.Choice(["numpy", "keras"]), default="numpy")
@click.option("--score-on", type=click.Choice(["test", "validation"]), default="test")
@click.option("--epochs", type=int, default=10, show_default=True)
@click.option("--batch-size", type=int, default=32, show_default=True)
@click.option(
    "--seeds",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="How many; a verdict takes six or more.",
)
@click.option("--store", default="results.jsonl", show_default=True)
@click.option("--retry-failed", is_flag=True, help="Train again what has failed before.")
@click.option("--scheduler", help="Of a Dask cluster, such as tcp://127.0.0.1:8786")
def study(
    activations: list[dict[str, Any]],
    store: str,
    retry_failed: bool,
    scheduler: str | None,
    **axes: Any,
) -> None:
    """Train every combination, and compare the activations; commas separate values.

    Results are kept as they come: after an interruption, the same command goes on. The exit code
    is 1 if no trial ended well.

    For example: actlib study --activations relu,gelu --depth 2,8 --seeds 10
    """
    try:
        from actlib import study as studies
    except ModuleNotFoundError as error:
        raise click.UsageError(str(error)) from None

    axes["seed"] = range(axes.pop("seeds"))
    try:
        trials = [trial for chosen in activations for trial in studies.grid(**chosen, **axes)]
        with _cluster(scheduler) if scheduler else nullcontext() as executor:
            results = studies.run(trials, executor=executor, store=store, retry_failed=retry_failed)
    except (TypeError, ValueError, OSError, RuntimeError, ImportError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"The metric is {results.metric}.\n\n{results}")
    if len(table := results.compare_all()):
        words = table.drop(columns="claim").to_string(index=False, float_format="{:.4g}".format)
        click.echo(f"\n{words}\n\n{studies.explain(table)}")
    if not any(record["status"] == "ok" for record in results.records):
        raise click.ClickException("no trial ended well")


@contextmanager
def _cluster(scheduler: str) -> Iterator[Any]:
    try:
        from distributed import Client
    except ImportError:
        raise click.UsageError("--scheduler needs Dask: pip install distributed") from None
    with Client(scheduler) as client:  # type: ignore[no-untyped-call]
        yield client.get_executor()


if __name__ == "__main__":
    main(prog_name="actlib")
