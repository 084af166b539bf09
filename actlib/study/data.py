"""Data sets to train on: some that come with packages or are generated, and the user's own."""

from __future__ import annotations

import hashlib
import os
import random
import threading
from collections.abc import Callable
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from actlib._core.arrays import Array
from actlib._core.extras import extra
from actlib.study.columns import column_names, listing, numbers, targets

#: What to do where integers were meant to be numbers to predict.
_IF_NUMBERS = "; integers are classes: where they are numbers to predict, give floats"


class Split(NamedTuple):
    """Examples to fit a network to, and others to score it on."""

    x: Array
    y: Array
    x_new: Array
    y_new: Array


class Data:
    """Examples and what is to be predicted of them.

    Parameters
    ----------
    x : array_like
        Examples, of shape (examples, features): numbers and booleans, in a data frame too.
    y : array_like
        Of shape (examples,), a data frame's column too: integers, booleans, text or categories are
        classes; floats are numbers to predict.
    x_test, y_test : optional
        The test examples; without them, a quarter of all are put aside, the same every time.
    name : str
        What the data are called in messages.

    Attributes
    ----------
    x, y, x_test, y_test : array
        Copies, which cannot be written to; classes are numbered from 0.
    classes : array or None
        What the classes are called, in their order; None where numbers are predicted.

    Raises
    ------
    ValueError
        If an array is masked, shapes or columns do not match, a value is text, missing or not
        finite, there is only one class or number to predict, or there are too few examples to put
        some aside.

    Examples
    --------
    >>> from actlib.study import Data
    >>> Data([[0.0], [0.1], [0.2], [2.0], [2.1], [2.2]], ["a", "a", "a", "b", "b", "b"])
    data: 4 examples to fit to and 2 for the test, of 1 feature; 2 classes, scored by accuracy
    """

    def __init__(
        self, x: Any, y: Any, x_test: Any = None, y_test: Any = None, *, name: str = "data"
    ) -> None:
        self.name, self._known = name, False
        self.x = numbers(x, f"{name}: x")
        self.y = targets(y, f"{name}: y", len(self.x))
        if (x_test is None) != (y_test is None):
            raise ValueError(f"{name}: x_test and y_test must be given together")
        if x_test is None:
            self.x, self.x_test, self.y, self.y_test = self._put_aside(self.x, self.y, seed=0)
        else:
            self.x_test = numbers(x_test, f"{name}: x_test")
            self.y_test = targets(y_test, f"{name}: y_test", len(self.x_test))
            self._check_features(x, x_test)
        self.classes = None if self.y.dtype.kind == "f" else self._number_classes()
        self._check_size(x)
        if self.classes is None:
            self._check_spread(self.y, self.y_test)
        for part in (self.x, self.y, self.x_test, self.y_test):
            part.flags.writeable = False  # the fingerprint is theirs

    def _check_features(self, x: Any, x_test: Any) -> None:
        if self.x_test.shape[1] != self.x.shape[1]:
            raise ValueError(
                f"{self.name}: x_test must have the {self.x.shape[1]} features of x, "
                f"got {self.x_test.shape[1]}"
            )
        names = [list(getattr(table, "columns", ())) for table in (x, x_test)]
        if all(names) and names[0] != names[1]:
            raise ValueError(
                f"{self.name}: x_test must have the columns of x, in their order; give "
                "x_test[x.columns]"
            )

    def _check_size(self, table: Any) -> None:
        """Refuse what overflows, or vanishes, when it is scaled to a standard deviation of 1."""
        parts = [("x", self.x, column_names(table, self.x.shape[1]))]
        parts += [("y", self.y[:, None], ["y"])] if self.classes is None else []
        for role, values, names in parts:
            with np.errstate(over="ignore", under="ignore"):
                std, varies = values.std(axis=0), np.ptp(values, axis=0) > 0
            unfit = varies & ~((std > 0) & (std < np.inf))
            if bad := [name for name, one in zip(names, unfit, strict=True) if one]:
                raise ValueError(
                    f"{self.name}: {role} has numbers so large or so small that they have no "
                    f"standard deviation, in {listing(bad, 'column')}; scale them, or mend what "
                    "stands for a missing value"
                )

    def _number_classes(self) -> Array:
        classes = np.unique(self.y)
        if len(classes) < 2:
            raise ValueError(f"{self.name}: there is only one class, {classes[0]!r}")
        if new := sorted(set(self.y_test.tolist()) - set(classes.tolist())):
            raise ValueError(
                f"{self.name}: the test examples have classes of their own, "
                f"{listing(new, 'value')}{_IF_NUMBERS}"
            )
        self.y, self.y_test = (np.searchsorted(classes, part) for part in (self.y, self.y_test))
        return classes

    def _check_spread(self, y: Array, y_new: Array) -> None:
        """Raise an error if the numbers to predict cannot be scored, as they are all the same."""
        for role, values in (("fit to", y), ("score on", y_new)):
            if values.dtype.kind not in "biuf":
                raise ValueError(f"{self.name}: y has numbers to predict, but y_test has classes")
            if np.ptp(values) == 0 or np.std(values) == 0:
                raise ValueError(
                    f"{self.name}: y is {values[0]:g} for all {len(values)} examples to {role}, so "
                    "there is nothing to predict"
                )

    def _put_aside(self, x: Array, y: Array, seed: int) -> list[Array]:
        with extra("study"):
            from sklearn.model_selection import train_test_split

        classes = None if y.dtype.kind == "f" else y
        try:
            parts = train_test_split(x, y, test_size=0.25, random_state=seed, stratify=classes)
        except ValueError as error:
            raise ValueError(
                f"{self.name}: no examples can be put aside: {error}"
                f"{'' if classes is None else _IF_NUMBERS}"
            ) from error
        return list(parts)

    @property
    def metric(self) -> str:
        """By what a network is scored, ``accuracy``, or ``r2``, the share of variance explained."""
        return "r2" if self.classes is None else "accuracy"

    def __repr__(self) -> str:
        """How much there is of what, and what is made of y."""
        kind = "numbers to predict" if self.classes is None else f"{len(self.classes)} classes"
        features = self.x.shape[1]
        return (
            f"{self.name}: {len(self.x)} examples to fit to and {len(self.x_test)} for the test, "
            f"of {features} feature{'s' if features > 1 else ''}; {kind}, scored by {self.metric}"
        )

    @cached_property
    def fingerprint(self) -> str:
        """A hash of all numbers.

        They count to six digits, since processors differ in the last ones; where they lie so close
        together that six do not tell them apart, as those of dates do, their differences count.
        """
        parts = [self.x, self.y, self.x_test, self.y_test]
        parts += [near for part in parts for near in _near_the_first(part)]
        text = b"".join(repr(part.shape).encode() + _coarse(part).tobytes() for part in parts)
        return hashlib.sha256(text).hexdigest()[:16]

    def split(self, score_on: str) -> Split:
        """Scaled examples, to fit to and to score on.

        Parameters
        ----------
        score_on : {"test", "validation"}
            Whether to score on the test examples, or on a quarter of the others; the test examples
            are then not there at all.

        Returns
        -------
        Split
            Every feature, and a number to predict, has mean 0 and standard deviation 1 over the
            examples to fit to.
        """
        x, x_new, y, y_new = self._parts(score_on)
        x, x_new = _standard(x, x_new)
        if self.classes is None:
            y, y_new = _standard(y, y_new)
        return Split(x, y, x_new, y_new)

    def count(self, score_on: str) -> int:
        """How many examples there are to fit to.

        Parameters
        ----------
        score_on : {"test", "validation"}
            As for `split`.

        Returns
        -------
        int

        Raises
        ------
        ValueError
            If `split` would make nothing of use.
        """
        _, _, y, y_new = self._parts(score_on)
        if self.classes is None:
            self._check_spread(y, y_new)
        return len(y)

    def _parts(self, score_on: str) -> list[Array]:
        """Examples to fit to and new ones, then their targets."""
        if score_on == "validation":
            return self._put_aside(self.x, self.y, seed=1)
        return [self.x, self.x_test, self.y, self.y_test]

    def __reduce__(self) -> str | tuple[Any, ...]:
        """Send the name alone of data that are known everywhere."""
        return (load, (self.name,)) if self._known else super().__reduce__()


def _coarse(values: Array) -> Array:
    """Whole numbers up to 2^20 in the place of the numbers of each feature."""
    _, exponent = np.frexp(np.abs(values).max(axis=0))
    return np.rint(np.ldexp(values, 20 - exponent)).astype(np.int32)


def _near_the_first(values: Array) -> list[Array]:
    """How far the numbers of each feature are from its first, if that is a thousandth at most."""
    far = values - values[:1]
    largest, spread = (np.abs(x).max(axis=0) for x in (values, far))
    close = (spread > 0) & (spread < 1e-3 * largest)
    return [far[..., close]] if np.any(close) else []


def _standard(fit: Array, new: Array) -> tuple[Array, Array]:
    mean, std = fit.mean(axis=0), fit.std(axis=0)
    std = np.where((std > 0) & (np.ptp(fit, axis=0) > 0), std, 1.0)  # a constant's may be 1e-17
    return (fit - mean) / std, (new - mean) / std


def load(name: str | os.PathLike[str]) -> Data:
    """A data set by its name, or from a file.

    Parameters
    ----------
    name : str or os.PathLike
        ``digits``, ``breast_cancer`` and ``diabetes``, which come with scikit-learn; ``mnist1d``,
        generated by the package of that name; ``spirals``, two of them, generated; or a path
        that ends in ``.npz``, of a file with arrays ``x`` and ``y``, and ``x_test`` and ``y_test``
        if need be, which is read at each call.

    Returns
    -------
    Data

    Raises
    ------
    ValueError
        If there is no such data set, or the file does not hold one.

    References
    ----------
    S. Greydanus, D. Kobak, Scaling Down Deep Learning with MNIST-1D, 2024,
    https://arxiv.org/abs/2011.14439

    Examples
    --------
    >>> from actlib.study import load
    >>> load("digits").x.shape
    (1347, 64)
    """
    name = os.fspath(name)
    if name.endswith(".npz"):
        return _from_file(name)
    if name not in _MAKERS:
        raise ValueError(
            f"there is no data set {name!r}; there are {', '.join(NAMES)}, paths that end in .npz, "
            "and the arrays that run is given as data="
        )
    return _made(name)


@cache
def _made(name: str) -> Data:
    data = Data(*_MAKERS[name](), name=name)
    data._known = True
    return data


def _from_file(name: str) -> Data:
    path = Path(name).expanduser()
    if not path.exists():
        raise ValueError(f"there is no file {path}")
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except Exception as error:  # a broken file may raise anything
        raise ValueError(
            f"{path} is not a file of plain arrays, as numpy.savez makes them: {error}"
        ) from error
    if not {"x", "y"} <= set(arrays) <= {"x", "y", "x_test", "y_test"}:
        raise ValueError(
            f"{path} must hold x and y, and may hold x_test and y_test; it holds "
            f"{', '.join(arrays) or 'nothing'}"
        )
    return Data(**arrays, name=name)


def _from_sklearn(name: str) -> Callable[[], tuple[Array, ...]]:
    def make() -> tuple[Array, ...]:
        with extra("study"):
            from sklearn import datasets

        x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        return x, y

    return make


_ONE_AT_A_TIME = threading.Lock()


def _mnist1d() -> tuple[Array, ...]:
    """The maker seeds the generators that everybody shares; they are set back."""
    with extra("study"):
        from mnist1d.data import make_dataset

    with _ONE_AT_A_TIME:
        states = np.random.get_state(), random.getstate()  # noqa: NPY002
        try:
            made = make_dataset()
        finally:
            np.random.set_state(states[0])  # noqa: NPY002
            random.setstate(states[1])
    return made["x"], made["y"], made["x_test"], made["y_test"]


def _spirals() -> tuple[Array, ...]:
    """Two arms of one and a half turns, 500 points each, with a little noise."""
    rng = np.random.default_rng(0)
    angle = 3 * np.pi * np.sqrt(rng.uniform(0.02, 1, 500))
    arm = np.stack([angle * np.cos(angle), angle * np.sin(angle)], axis=1)
    x = np.concatenate([arm, -arm]) + rng.normal(0, 0.3, (1000, 2))
    return x, np.repeat([0, 1], 500)


_MAKERS: dict[str, Callable[[], tuple[Array, ...]]] = {
    **{name: _from_sklearn(name) for name in ("digits", "breast_cancer", "diabetes")},
    "mnist1d": _mnist1d,
    "spirals": _spirals,
}
#: The data sets that `load` knows by name.
NAMES = tuple(_MAKERS)
