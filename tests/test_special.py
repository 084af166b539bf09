"""What the array standard lacks, and what NumPy has no quick code for on every processor."""

from __future__ import annotations

import array_api_strict
import mpmath
import numpy as np
import pytest

import actlib
from actlib._core.special import _MILLS, expm1_below, log1p_inside, normal_cdf
from tools.normal_cdf import CHOICES, coefficients, mills

each_dtype = pytest.mark.parametrize("dtype", CHOICES)
# All that the distribution function needs of a library.
OPERATIONS = ("abs", "astype", "exp", "minimum")
BARE = type("bare", (), {name: staticmethod(getattr(np, name)) for name in OPERATIONS})
Z = -np.geomspace(1e-37, 100, 10_000)


@pytest.mark.parametrize(
    ("form", "numpys", "x"), [(expm1_below, np.expm1, Z), (log1p_inside, np.log1p, np.exp(Z))]
)
def test_in_float32_as_good_as_numpys_own(form: object, numpys: object, x: np.ndarray) -> None:
    z = x.astype(np.float32)
    right = numpys(z.astype(float))
    eps = np.finfo(np.float32).eps
    assert np.max(abs(form(np, z) - right) / abs(right)) <= 2 * eps
    assert form(np, z).dtype == np.float32
    np.testing.assert_array_equal(form(np, x), numpys(x))


@each_dtype
def test_the_coefficients_are_those_that_the_tool_computes(dtype: str) -> None:
    above, below = coefficients(dtype)
    assert _MILLS[dtype] == (tuple(above), tuple(below))
    assert min(above + below) > 0
    assert above[-1] == 0.5


@each_dtype
def test_the_ratio_of_polynomials_is_near_the_function(dtype: str, deep: bool) -> None:
    above, below = _MILLS[dtype]
    eps, last = float(np.finfo(dtype).eps), CHOICES[dtype][1]
    with mpmath.workdps(40):
        for a in np.geomspace(1e-3, last, 2000 if deep else 100):
            ratio = mpmath.polyval(above, a) / mpmath.polyval(below, a)
            error = abs(ratio / mills(mpmath.mpf(a)) - 1)
            assert error <= eps, f"{mpmath.nstr(error, 3)} at {a}"


@each_dtype
def test_the_normal_distribution_function_to_the_last_digits(dtype: str, deep: bool) -> None:
    """Relative errors, in the tail as well: what rounding z * z makes of the exponential."""
    z = np.linspace(-CHOICES[dtype][1] + 1, 10, 20_000 if deep else 500).astype(dtype)
    z = z[z > -np.sqrt(-2 * np.log(np.finfo(dtype).tiny)) + 0.2]  # the values are normal numbers
    with mpmath.workdps(40):
        right = [mpmath.ncdf(mpmath.mpf(float(x))) for x in z]
        errors = [abs(float(y) / r - 1) for y, r in zip(normal_cdf(np, z), right, strict=True)]
    allowed = np.finfo(dtype).eps * (2.5 + z.astype(float) ** 2 / 4)
    assert np.all(np.array(errors, float) <= allowed)


@each_dtype
def test_the_normal_distribution_function_needs_few_operations(dtype: str) -> None:
    z = np.array([-np.inf, -1e30, -40, -3, -0.0, 1e-9, 2, 50, np.inf, np.nan], dtype)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(normal_cdf(BARE, z), normal_cdf(np, z))
    assert normal_cdf(np, z)[[0, 1, 2, 4, -2]].tolist() == [0, 0, 0, 0.5, 1]


@pytest.mark.parametrize("name", ["ndtr", "gelu", "geglu"])
def test_on_a_device_that_numpy_cannot_read(name: str) -> None:
    function, xp = actlib.REGISTRY[name], array_api_strict
    near = np.linspace(-4, 4, 6)
    z = xp.asarray(near, device=xp.Device("device1"))
    got = function(z)
    assert got.device == z.device
    np.testing.assert_allclose(got.to_device(xp.Device("CPU_DEVICE")), function(near), 1e-15)
