"""Compiled functions keep the contract that the plain ones keep, by the same checks."""

from __future__ import annotations

import inspect
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import contract
import ml_dtypes
import numpy as np
import pytest
import stored
from contract import CASES, FLOATS, Case, in_turn, is_representative
from vectorised import at_a_time, function_in

import actlib
from actlib import compiled
from actlib._core.autodiff import EVALUATIONS
from actlib._core.declare import activation, derivative
from actlib._core.spec import Param
from actlib.check import check_vjp, grid, measure
from actlib.compiled import cache, source
from actlib.compiled.elementwise import Compiled, CompiledProduct
from actlib.compiled.loops import Loop

COMPILED = [Case(compiled.REGISTRY[case.activation.__name__], case.wrt) for case in CASES]
VECTORS = [name for name, f in actlib.REGISTRY.items() if not f.spec.elementwise]
RNG = np.random.default_rng(5)


def is_quick(case: Case) -> bool:
    return is_representative(case) and case.activation.__name__ != "hard_silu"


def each(cases: list[Any], *ways: Any, quick: Any = is_quick) -> Any:
    """Some cases, each in one way; at full size all of them in all ways."""
    names = ("case", "dtype")[: 1 + len(ways)]
    return pytest.mark.parametrize(names, [*in_turn(cases, *ways, quick=quick)], ids=str)


@pytest.fixture(scope="module")
def stored_values() -> Iterator[None]:
    """The exact values that are stored, which the tests of the plain functions compute anew."""
    with pytest.MonkeyPatch.context() as patch:
        stored.serve(patch)
        yield


@pytest.mark.no_cover
@pytest.mark.usefixtures("stored_values")
@each(COMPILED, FLOATS)
def test_accuracy(case: Case, dtype: Any, record_property: Any) -> None:
    worst = contract.check_accuracy(case, dtype, stored.POINTS)
    record_property("E", f"{worst:.2f}  compiled {case} in {np.dtype(dtype)}")


@each(COMPILED, FLOATS)
def test_contract(case: Case, dtype: Any, deep: bool) -> None:
    for check in contract.BY_DTYPE.values():
        check(case, dtype)
    contract.check_out(case, dtype, deep)
    contract.check_blocks(case, dtype, deep)
    contract.check_memory(case, dtype)


@pytest.mark.no_cover
@pytest.mark.usefixtures("stored_values")
@each([*actlib.REGISTRY.elementwise], FLOATS, quick=("gelu", "prelu").__contains__)
def test_accuracy_of_second_derivatives(case: str, dtype: Any) -> None:
    ours = compiled.REGISTRY[case]
    for params in Case(ours, ()).samples():
        values = dict(zip(ours.spec.params, contract.rounded(params, dtype), strict=True))
        z = grid(dtype, {0.0, *ours.spec.kinks_at(**values)}, stored.POINTS)
        found = measure(ours.grad.grad, ours.spec, ("z", "z"), z, params, 8.0)
        assert found.errors.max() <= 8, found.worst()
        assert not found.lost.any(), found.worst()


@each([case for case in COMPILED if not case.wrt], FLOATS)
def test_value_and_derivative_together(case: Case, dtype: Any, deep: bool) -> None:
    contract.check_together(case.activation, dtype, deep)


@each(COMPILED)
def test_other_dtypes(case: Case) -> None:
    contract.check_halves(case)
    contract.check_rejected(case)


@pytest.mark.filterwarnings("error")
def test_casts_give_no_warnings() -> None:
    """Of NaNs that signal, as some bit patterns are, and of results beyond float16."""
    every = np.arange(2**16, dtype=np.uint16)
    for z in (every.view(ml_dtypes.bfloat16), every.view(np.float16), np.float16(-65504)):
        for size in (1, 3):
            given = np.resize(z, (size, np.size(z))) if np.ndim(z) else z
            out = np.empty_like(given)
            for call in (compiled.prelu, compiled.prelu.grad, compiled.prelu.value_and_grad):
                call(given, 2.0)
            compiled.prelu(given, 2.0, out=out)
            compiled.prelu.vjp(given, 2.0)


@each(VECTORS, quick=("softmax", "swiglu").__contains__)
def test_vectors(case: str) -> None:
    """As the checker examines anyone's: ties, infinities, NaN, every scale, both dtypes."""
    check_vjp(compiled.REGISTRY[case]).raise_if_failed()


@pytest.mark.parametrize("name", VECTORS)
def test_vectors_of_any_shape(name: str) -> None:
    ours, plain = compiled.REGISTRY[name], actlib.REGISTRY[name]
    for z in (RNG.normal(size=shape) for shape in ((6,), (3, 4, 8), (2, 0, 4), (3, 5000), (4, 0))):
        for given in (z, z.astype(np.float16), np.asfortranarray(z), z[..., ::-1]):
            expected = plain(given)
            got = ours(given)
            assert got.dtype == expected.dtype
            np.testing.assert_allclose(got, expected, rtol=1e-12 if given is z else 1e-3)
            upstream = RNG.normal(size=expected.shape)
            product = ours.vjp(given, upstream), plain.vjp(given, upstream)
            np.testing.assert_allclose(*product, rtol=1e-3, atol=1e-12 if given is z else 1e-3)
    with pytest.raises(TypeError, match=name):
        ours(["a"])


def test_any_axis() -> None:
    z = RNG.normal(size=(4, 5, 6))
    np.testing.assert_allclose(compiled.softmax(z, axis=0), actlib.softmax(z, axis=0), rtol=1e-13)


@each(VECTORS, quick=("softmax", "swiglu").__contains__)
def test_vectors_are_called_as_the_plain_ones(case: str) -> None:
    """By position and by keyword; what they do not take is an error, by their name."""
    ours, plain, z = compiled.REGISTRY[case], actlib.REGISTRY[case], RNG.normal(size=(3, 4))
    upstream = np.ones_like(plain(z))
    ways = [((z,), {}), ((z, 0), {}), ((z,), {"axis": 0}), ((z, 0, 1), {}), ((z,), {"x": 1})]
    ways += [((), {"z": z}), ((), {})]
    products: list[Any] = [((z, upstream, *args[1:]), options) for args, options in ways[:5]]
    products += [((z,), {"upstream": upstream}), ((z,), {})]
    calls = [*((ours, plain, *way) for way in ways), *((ours.vjp, plain.vjp, *w) for w in products)]
    for function, expected, args, options in calls:
        np.testing.assert_equal(*(outcome(f, *args, **options) for f in (function, expected)))


def outcome(function: Any, *args: Any, **options: Any) -> Any:
    """The result, but for its last digits, or what the error says."""
    try:
        return np.round(function(*args, **options), 12) + 0.0
    except TypeError as error:
        return str(error)


@pytest.mark.parametrize("length", [1, 2047, 2048, 2049, 100_003])
def test_sums_of_long_rows(length: int) -> None:
    """Probabilities of 1e5 scores in float32 are as exact as those of few."""
    z = RNG.normal(size=length)
    exact = actlib.softmax(z.astype(np.float32).astype(float))
    np.testing.assert_allclose(compiled.softmax(z.astype(np.float32)), exact, rtol=6e-7)


PRODUCTS = [(n, wrt) for n, f in actlib.REGISTRY.elementwise.items() for wrt in ("z", *f.partials)]


@each(PRODUCTS, quick=lambda pair: pair[0] in ("relu", "prelu", "gelu"))
def test_products(case: tuple[str, str]) -> None:
    """What backpropagation takes: in the shape of what it is for, in one pass."""
    name, wrt = case
    ours, plain = compiled.REGISTRY[name], actlib.REGISTRY[name]
    params = {key: param.default for key, param in plain.spec.params.items()}
    arrays = {key: value * np.linspace(1, 2, 7) for key, value in params.items()}
    z = RNG.normal(size=(30, 7)) * 3
    z[0, :3] = np.nan, np.inf, -np.inf
    with np.errstate(invalid="ignore"):
        for upstream in (RNG.normal(size=z.shape), RNG.normal(size=7), 2.0):
            for given in ({}, params, arrays):
                expected = plain.vjp(z, upstream, **given, wrt=wrt)
                got = ours.vjp(z, upstream, **given, wrt=wrt)
                assert got.shape == expected.shape
                np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)
        half = ours.vjp(z.astype(np.float16), 1.0)
        assert half.dtype == np.float16
    for bad in ("w", ["z"]):
        with pytest.raises(ValueError, match="wrt must be one of"):
            ours.vjp(z, 1.0, wrt=bad)
    with pytest.raises(ValueError, match="upstream has shape"):
        ours.vjp(z, np.ones((2, 30, 7)))


@pytest.mark.parametrize("name", ["gelu", "prelu"])
def test_threads_share_a_large_array(name: str) -> None:
    function = compiled.REGISTRY[name]
    z = RNG.normal(size=3 * 2**16 + 5)
    for call in (function, function.grad, lambda z, **o: function.vjp(z, z, **o)):
        for threads in (2, 10**12):  # no more are started than have something to do
            np.testing.assert_array_equal(call(z, threads=threads), call(z))
    one, other = function.value_and_grad(z, threads=3)
    np.testing.assert_array_equal(one, function(z))
    np.testing.assert_array_equal(other, function.grad(z))


@pytest.mark.parametrize(
    ("threads", "error"), [(0, ValueError), (-1, ValueError), ("2", TypeError)]
)
def test_threads_are_counted(threads: Any, error: Any) -> None:
    with pytest.raises(error):
        compiled.gelu(np.ones(3), threads=threads)


@pytest.mark.parametrize("dtype", FLOATS)
def test_parameters_are_broadcast_against_a_large_array(dtype: Any) -> None:
    """Arrays in one piece are read as they are, but only if they are as large as z."""
    z = RNG.normal(size=(300, 700)).astype(dtype)
    for alpha in (np.full((1, 1), 0.5), np.linspace(0, 1, 700), np.linspace(0, 1, 300)[:, None]):
        given = alpha.astype(dtype)
        for ours, plain in ((compiled.prelu, actlib.prelu), (compiled.elu.grad, actlib.elu.grad)):
            np.testing.assert_allclose(
                ours(z, given, threads=2), plain(z, given), rtol=8 * np.finfo(dtype).eps
            )
        got, expected = (m.prelu.vjp(z, z, given) for m in (compiled, actlib))
        np.testing.assert_allclose(got, expected, rtol=8 * np.finfo(dtype).eps)


THREADS = """threads : int, default 1
    Among how many a large array is shared.
"""


def test_the_interface_is_that_of_the_plain_functions() -> None:
    assert list(compiled.REGISTRY) == list(actlib.REGISTRY)
    for name, plain in actlib.REGISTRY.items():
        ours = getattr(compiled, name)
        assert ours is compiled.REGISTRY[name]
        assert ours.spec is plain.spec
        assert pickle.loads(pickle.dumps(ours)) is ours
        assert {*inspect.signature(plain).parameters} <= {*inspect.signature(ours).parameters}
        assert ours.__doc__.replace(THREADS, "") == plain.__doc__
        assert (THREADS in ours.__doc__) == plain.spec.elementwise
    assert compiled.hard_swish is compiled.hard_silu
    assert "gelu" in dir(compiled)
    with pytest.raises(AttributeError, match="no attribute 'gleu'"):
        _ = compiled.gleu


def declared(factor: float) -> Any:
    """A function that is not ours."""

    @activation(
        formula="z^3",
        exact=lambda m, z: factor * z**3,
        family="Mine",
        cite="goodfellow2016deep",
        year=2026,
        limits=(-np.inf, np.inf),
        range=(-np.inf, np.inf),
    )
    def cubed(xp: Any, z: Any) -> Any:
        return factor * (z * z * z)

    @derivative(cubed, limits=(np.inf, np.inf))
    def cubed_grad(xp: Any, z: Any) -> Any:
        return 3 * factor * (z * z)

    return cubed


def test_what_others_declare_is_compiled_too() -> None:
    plain = declared(2.0)
    try:
        ours = compiled.REGISTRY["cubed"]
        np.testing.assert_array_equal(ours([1.0, 2.0]), [2.0, 16.0])
        np.testing.assert_array_equal(ours.grad([1.0, 2.0]), plain.grad([1.0, 2.0]))
        assert cast("Any", compiled).cubed is ours
        assert pickle.loads(pickle.dumps(ours)) is ours
        declared(3.0)  # as a cell of a notebook does that is run once more
        again = compiled.REGISTRY["cubed"]
        assert cast("Any", compiled).cubed is again
        assert again(1.0) == 3.0
    finally:
        del actlib.REGISTRY["cubed"], compiled.REGISTRY["cubed"]


UNFINISHED = """
from math import inf
from actlib._core.declare import activation, derivative
@activation(formula="z", exact=lambda m, z: z, family="Mine", cite="", year=2026,
            limits=(-inf, inf), range=(-inf, inf))
def mine(xp, z):
    return 1 * z

from actlib.compiled import REGISTRY, gelu
try:
    REGISTRY["mine"]
except ValueError as error:
    print(error)
derivative(mine, limits=(1, 1))(lambda xp, z: xp.ones_like(z))
print(REGISTRY["mine"].grad(2.0))
"""


def test_what_has_no_derivative_yet_is_waited_for() -> None:
    """As in a notebook where somebody is in the middle of a declaration."""
    command = [sys.executable, "-c", UNFINISHED]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["mine has no derivative yet; declare that first", "1.0"]


NAMES = ("t0", "i", "exp", "number", "z_s", "result_0")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("numbers", [True, False], ids=["numbers", "arrays"])
def test_a_parameter_may_be_called_as_something_in_the_loop(name: str, numbers: bool) -> None:
    """The first step of a kernel, t0, once changed a parameter of that name at each number."""
    param = Param(samples=(2.0,), default=2.0)
    loop = Loop("named", lambda xp, z, p: ((z + 0.5 * p) * xp.exp(-z),), ["z"], {name: param})
    z, out = np.ones(5), np.empty(5)
    loop([out], [z], [np.float64(2.0) if numbers else np.full(5, 2.0)], np.float64)
    np.testing.assert_allclose(out, 2 * np.exp(-1))


def test_operators_of_the_array_standard() -> None:
    """A kernel may say abs(z), and join conditions."""
    z = np.linspace(-3, 3, 13)

    def kernel(xp: Any, z: Any) -> tuple[Any, ...]:
        outside = (z < -1) | (z > 2)
        return (xp.where(outside & ~(z == 3), abs(z), 0 * z),)

    out = np.empty(13)
    Loop("outside", kernel, ["z"], {})([out], [z], [], np.float64)
    np.testing.assert_array_equal(out, *kernel(np, z))


@pytest.mark.parametrize(
    ("kernel", "error", "said"),
    [
        (lambda xp, z: z if z > 0 else 0 * z, TypeError, "it can choose by xp.where"),
        (lambda xp, z: xp.sinh(z), AttributeError, r"cannot call xp\.sinh; there are abs, "),
    ],
    ids=["branch", "function"],
)
def test_what_a_kernel_cannot_do(kernel: Any, error: Any, said: str) -> None:
    with pytest.raises(error, match=said):
        source.of_elementwise("mine", kernel, ["z"], [], "float32")


KERNEL = """
from math import inf
from actlib._core.declare import activation, derivative
from helper import squared

@activation(formula="z^2", exact=lambda m, z: z**2, family="Mine", cite="", year=2026,
            limits=(inf, inf), range=(0, inf))
def mine(xp, z):
    return squared(z)

@derivative(mine, limits=(-inf, inf))
def mine_grad(xp, z):
    return 2 * z

from actlib.compiled import REGISTRY
print(*REGISTRY["mine"]([3.0, 4.0]))
"""


def test_code_on_disk_follows_what_a_kernel_calls_in_another_file(tmp_path: Path) -> None:
    """It is used again as long as nothing has changed, and by no other formula."""
    folder = tmp_path / "cache"
    (tmp_path / "mine.py").write_text(KERNEL)

    def printed(helper: str) -> str:
        (tmp_path / "helper.py").write_text(helper)
        environment = {**os.environ, cache.VARIABLE: str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "mine.py"]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def stamps() -> dict[str, int]:
        return {path.name: path.stat().st_mtime_ns for path in folder.rglob("*.nb?")}

    assert printed("def squared(z):\n    return z * z\n") == "9.0 16.0"
    before = stamps()
    assert before
    assert printed("def squared(z):\n    return z * z  # the same\n") == "9.0 16.0"
    assert stamps() == before
    assert printed("def squared(z):\n    return 2 * z * z\n") == "18.0 32.0"
    assert {**stamps(), **before} == stamps()
    assert len(stamps()) == 2 * len(before)


def test_a_file_in_the_cache_that_is_not_ours_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    assert cache.module("some.thing", "value = 1\n").value == 1
    (path,) = tmp_path.glob("*.py")
    path.write_text("value = 2\n")
    assert cache.module("some.thing", "value = 1\n").value == 1


@pytest.mark.skipif(os.name == "nt", reason="folders are protected otherwise")
def test_a_folder_that_cannot_be_made_costs_only_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    for chosen in (tmp_path / "file", tmp_path / "file" / "folder"):
        monkeypatch.setenv(cache.VARIABLE, str(chosen))
        assert cache.folder().is_dir()
        assert tmp_path not in cache.folder().parents
    assert (tmp_path / "file").read_text() == ""


def test_a_folder_of_the_process_alone_goes_with_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    environment = {**os.environ, cache.VARIABLE: str(tmp_path / "file"), "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-W", "error", "-c", COMPILE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert str(tmp_path / "actlib-") in done.stdout
    assert not done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


COMPILE = """
from actlib.compiled import cache, source
print(cache.module("mine", source.of_elementwise("mine", lambda xp, z: z, ["z"], [], "float32")))
"""


DAMAGES = [(".py", 0.5), (".py", None), (".nbi", 0), (".nbi", None), (".nbc", 0), (".nbc", 0.5)]


@pytest.mark.parametrize(("suffix", "left"), DAMAGES)
def test_a_damaged_file_is_compiled_anew(
    suffix: str, left: float | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a machine may leave it whose power fails; the next process finds no trace of it."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    text = source.of_elementwise("mine", lambda xp, z: z + z, ["z"], [], "float64")

    def compiled_in() -> Path:
        out = np.empty(3)
        found = cache.module("mine", text)
        found.loop(np.ones(3), out)
        assert out.tolist() == [2, 2, 2]
        return Path(str(found.__file__)).parent

    assert compiled_in() == tmp_path
    (path,) = tmp_path.rglob(f"*{suffix}")
    content = path.read_bytes()
    path.unlink()
    if left is None:
        path.mkdir()
    else:
        path.write_bytes(content[: int(left * len(content))] + b"\xff" * (left > 0))
    compiled_in()
    assert (compiled_in() == tmp_path) == (left is not None)


def test_what_is_switched_off_is_said() -> None:
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    command = [sys.executable, "-c", COMPILE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "RuntimeError: mine: NUMBA_DISABLE_JIT" in done.stderr


def test_nothing_is_compiled_at_import() -> None:
    code = "import sys, actlib.compiled\nprint([m for m in sys.modules if 'actlib_compiled' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_written_loop_is_the_kernel() -> None:
    """What Numba is given can be read beside the declaration."""
    text = source.of_elementwise(
        "prelu",
        lambda xp, z, alpha: actlib.prelu.__wrapped__(xp, z, alpha),
        ["z"],
        ["alpha"],
        "float32",
    )
    body = text[text.index("    for i in range") :].splitlines()
    assert body == [
        "    for i in range(z_s.size):",
        "        z = z_s[i]",
        "        t0 = z > number(0.0)",
        "        t1 = select(t0, number(1.0), number(0.0))",
        "        t2 = number(1.0) - t1",
        "        t3 = alpha * t2",
        "        t4 = fma(alpha, t2, t1)",
        "        t5 = z * t4",
        "        result_0[i] = t5",
    ]


def loops_of(name: str) -> Iterator[Loop]:
    """The loops of a function, its derivatives and its products, none compiled yet."""
    function = actlib.REGISTRY.elementwise[name]
    slope = function.grad
    values = [function, slope, *function.partials.values(), function.value_and_grad]
    values += [slope.grad] if hasattr(slope, "grad") else []
    for value in values:
        yield Compiled(cast("Any", EVALUATIONS[value.__qualname__])).loop
    for wrt in ("z", *function.partials):
        yield CompiledProduct(cast("Any", EVALUATIONS[function.vjp.__qualname__])).loop(wrt)


def at_a_time_in(loop: Loop, dtype: Any) -> int:
    """How many numbers it stores at a time."""
    compiled = cast("Any", loop.compiled(dtype))
    (text,), (found,) = compiled.inspect_llvm().values(), compiled.overloads.values()
    return at_a_time(function_in(text, found.fndesc.llvm_func_name))


@pytest.mark.no_cover
@each([*actlib.REGISTRY.elementwise], FLOATS, quick=("prelu", "softplus").__contains__)
def test_several_numbers_at_a_time(
    case: str, dtype: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A branch or a call in a kernel would take that from it, and most of its speed."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))  # what is on disk cannot be read again
    for loop in loops_of(case):
        assert at_a_time_in(loop, dtype) * np.dtype(dtype).itemsize >= 16, loop.name


def test_a_kernel_that_takes_one_number_at_a_time_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    planted = source._MODULE.replace("\none = ", "\nfrom math import exp\none = ")
    monkeypatch.setattr(source, "_MODULE", planted)
    loop = Loop("slow", lambda xp, z: (xp.exp(z),), ["z"], {})
    assert at_a_time_in(loop, np.float64) == 1


def test_arrays_of_other_libraries_are_an_error() -> None:
    jnp = pytest.importorskip("jax.numpy")
    for call in (compiled.relu, compiled.relu.grad, compiled.softmax):
        with pytest.raises(TypeError, match=r"take NumPy arrays, but z belongs to jax\.numpy"):
            call(jnp.ones(3))
    with pytest.raises(TypeError, match="take NumPy arrays"):
        compiled.relu.vjp(jnp.ones(3), jnp.ones(3))


def test_arrays_that_compute_later_are_an_error_too() -> None:
    da = pytest.importorskip("dask.array")
    for call in (compiled.relu, compiled.softmax, compiled.swiglu):
        with pytest.raises(TypeError, match="take NumPy arrays"):
            call(da.ones(4))
