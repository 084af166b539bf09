"""How units fare: arrays in, numbers out, without a framework."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from actlib.health import dormancy, norm, turnover, update_ratio


def test_dormancy_is_the_size_over_the_mean_of_the_layer() -> None:
    assert dormancy([0.0, 3.0, 1.0, 4.0]).tolist() == [0, 1.5, 0.5, 2]
    assert dormancy(np.zeros(3)).tolist() == [0, 0, 0]
    assert dormancy([1e-300, 0]).tolist() == [2, 0]
    assert np.isnan(dormancy([np.inf, 1.0])[0])


def test_turnover_counts_deaths_and_revivals_from_one_inspection_to_the_next() -> None:
    deaths, revivals = turnover([[0, 1, 1], [1, 1, 0], [1, 1, 1], [0, 0, 0]])
    assert deaths.tolist() == [2, 1, 1, 0]
    assert revivals.tolist() == [0, 1, 0, 3]


def test_norms() -> None:
    rng = np.random.default_rng(0)
    before = [rng.normal(size=(3, 4)).astype("f"), rng.normal(size=4).astype("f")]
    after = [array + 0.01 * rng.normal(size=array.shape) for array in before]
    together = np.concatenate([array.ravel() for array in before])
    change = np.concatenate([(b - a).ravel() for a, b in zip(before, after, strict=True)])
    assert norm(before) == pytest.approx(np.linalg.norm(together), rel=1e-6)
    wanted = np.linalg.norm(change) / np.linalg.norm(together)
    assert update_ratio(before, after) == pytest.approx(wanted, rel=1e-6)
    assert norm([]) == 0
    assert np.isnan(update_ratio([np.zeros(2)], [np.ones(2)]))
    with pytest.raises(ValueError, match="shorter"):
        update_ratio(before, after[:1])


def test_no_framework_is_needed() -> None:
    code = "import sys, actlib.health; print({'keras', 'tensorflow', 'torch'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
