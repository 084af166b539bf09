"""What the array standard lacks, and what NumPy has no quick code for on every processor."""

from __future__ import annotations

import numpy as np
import pytest

from actlib._core.special import expm1_below, log1p_inside

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
