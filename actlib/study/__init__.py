"""Compare activations on data, with seeds and intervals, so that the answer can be trusted.

A `Trial` is one training run, `grid` makes many, `run` trains them on any executor and keeps each
result as it comes, `Results` says what follows. Needs the extra ``study``.

>>> from actlib import study
>>> trials = study.grid(activation=["relu", "tanh"], epochs=2, seed=range(3))
>>> results = study.run(trials, store=None, progress=False)  # doctest: +SKIP
>>> print(results.compare("relu", "tanh"))  # doctest: +SKIP
"""

from actlib._core.extras import extra

with extra("study"):
    from actlib.study.data import NAMES, Data, Split, load
    from actlib.study.results import Results, explain
    from actlib.study.runner import run
    from actlib.study.statistics import Difference, Interval, holm, interval, p_value, paired
    from actlib.study.store import StoreError
    from actlib.study.training import start
    from actlib.study.trial import Trial, grid

__all__ = [
    "NAMES",
    "Data",
    "Difference",
    "Interval",
    "Results",
    "Split",
    "StoreError",
    "Trial",
    "explain",
    "grid",
    "holm",
    "interval",
    "load",
    "p_value",
    "paired",
    "run",
    "start",
]
