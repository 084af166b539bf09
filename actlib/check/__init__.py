"""Is this activation, is this gradient, right? Measured against a high-precision reference.

Needs the extra ``check``: mpmath and SymPy.

>>> import numpy as np
>>> from actlib.check import check_activation
>>> def sigmoid(z):
...     return 1 / (1 + np.exp(-z))
>>> def slope(z):
...     return sigmoid(z) * (1 - sigmoid(z))
>>> report = check_activation(sigmoid, slope, exact="sigmoid", dtypes=["float32"])
>>> report.ok, report.find("gradient", "nothing lost").ok
(False, False)

Functions of vectors, and their products with an upstream gradient, are for `check_vjp`.
"""

from actlib._core.extras import extra

with extra("check"):
    from actlib.check.accuracy import Accuracy, grid, measure
    from actlib.check.activation import check_activation
    from actlib.check.answers import conventions
    from actlib.check.exact import reference
    from actlib.check.frameworks import (
        from_jax,
        from_library,
        from_tensorflow,
        from_torch,
        keywords,
        shipped,
    )
    from actlib.check.report import CheckFailed, Finding, Report
    from actlib.check.vjp import check_vjp

__all__ = [
    "Accuracy",
    "CheckFailed",
    "Finding",
    "Report",
    "check_activation",
    "check_vjp",
    "conventions",
    "from_jax",
    "from_library",
    "from_tensorflow",
    "from_torch",
    "grid",
    "keywords",
    "measure",
    "reference",
    "shipped",
]
