"""Data sets to train on: some that come with packages or are generated, and the user's own."""

from __future__ import annotations

import hashlib
import random
import threading
import zipfile
from collections.abc import Callable
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from actlib._core.arrays import Array


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
        Examples, of shape (examples, features).
    y : array_like
        Of shape (examples,): integers, booleans or text are classes; floats are numbers to
        predict.
    x_test, y_test : array_like, optional
        The test examples; without them, a quarter of all are put aside, the same every time.
    name : str
        What the data are called in messages.

    Raises
    ------
    ValueError
        If shapes do not match, a number is not finite, there is only one class, or there are too
        few examples to put some aside.
    """

    def __init__(
        self, x: Any, y: Any, x_test: Any = None, y_test: Any = None, *, name: str = "data"
    ) -> None:
        self.name, self._known = name, False
        self.x, self.y = self._checked(x, y)
        if (x_test is None) != (y_test is None):
            raise ValueError(f"{name}: x_test and y_test must be given together")
        if x_test is None:
            self.x, self.x_test, self.y, self.y_test = self._put_aside(self.x, self.y, seed=0)
        else:
            self.x_test, self.y_test = self._checked(x_test, y_test)
            if self.x_test.shape[1] != self.x.shape[1]:
                raise ValueError(
                    f"{name}: x_test must have the {self.x.shape[1]} features of x, "
                    f"got {self.x_test.shape[1]}"
                )
        self.classes = None
        if self.y.dtype.kind != "f":
            self.classes = np.unique(self.y)
            if len(self.classes) < 2:
                raise ValueError(f"{name}: there is only one class, {self.classes[0]!r}")
            if new := set(self.y_test.tolist()) - set(self.classes.tolist()):
                raise ValueError(f"{name}: the test examples have classes of their own, {new}")
            self.y = np.searchsorted(self.classes, self.y)
            self.y_test = np.searchsorted(self.classes, self.y_test)

    def _checked(self, x: Any, y: Any) -> tuple[Array, Array]:
        x, y = np.asarray(x), np.asarray(y)
        if x.dtype.kind not in "biuf" or x.ndim != 2 or not x.size:
            raise ValueError(
                f"{self.name}: x must be numbers of shape (examples, features), got dtype "
                f"{x.dtype} and shape {x.shape}"
            )
        if y.shape != x.shape[:1] or y.dtype.kind not in "biufUS":
            raise ValueError(
                f"{self.name}: y must have shape {x.shape[:1]}, one class or number for each "
                f"example, got shape {y.shape} and dtype {y.dtype}"
            )
        for role, values in (("x", x), ("y", y)):
            if values.dtype.kind == "f" and not np.isfinite(values).all():
                where = np.argwhere(~np.isfinite(values))[0].tolist()
                raise ValueError(f"{self.name}: {role} has a number that is not finite at {where}")
        return np.float64(x), np.float64(y) if y.dtype.kind == "f" else y

    def _put_aside(self, x: Array, y: Array, seed: int) -> list[Array]:
        from sklearn.model_selection import train_test_split

        classes = None if y.dtype.kind == "f" else y
        try:
            parts = train_test_split(x, y, test_size=0.25, random_state=seed, stratify=classes)
        except ValueError as error:
            raise ValueError(f"{self.name}: no examples can be put aside: {error}") from error
        return list(parts)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of all numbers.

        They count to six digits, since processors differ in the last ones.
        """
        parts = [self.x, self.y, self.x_test, self.y_test]
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
        x, x_new, y, y_new = self.x, self.x_test, self.y, self.y_test
        if score_on == "validation":
            x, x_new, y, y_new = self._put_aside(x, y, seed=1)
        x, x_new = _standard(x, x_new)
        if self.classes is None:
            y, y_new = _standard(y, y_new)
        return Split(x, y, x_new, y_new)

    def __reduce__(self) -> str | tuple[Any, ...]:
        """Send the name alone of data that are known everywhere."""
        return (load, (self.name,)) if self._known else super().__reduce__()


def _coarse(values: Array) -> Array:
    """Whole numbers up to 2^20 in the place of the numbers of each feature."""
    _, exponent = np.frexp(np.abs(values).max(axis=0))
    return np.rint(np.ldexp(values, 20 - exponent)).astype(np.int32)


def _standard(fit: Array, new: Array) -> tuple[Array, Array]:
    mean, std = fit.mean(axis=0), fit.std(axis=0)
    std = np.where(std > 0, std, 1.0)
    return (fit - mean) / std, (new - mean) / std


@lru_cache
def load(name: str) -> Data:
    """A data set by its name, or from a file.

    Parameters
    ----------
    name : str
        ``digits``, ``breast_cancer`` and ``diabetes``, which come with scikit-learn; ``mnist1d``,
        generated by the package of that name; ``spirals``, two of them, generated; or a path
        that ends in ``.npz``, of a file with arrays ``x`` and ``y``, and ``x_test`` and ``y_test``
        if need be.

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
    if name.endswith(".npz"):
        return _from_file(Path(name))
    if name not in _MAKERS:
        raise ValueError(
            f"there is no data set {name!r}; there are {', '.join(NAMES)}, paths that end in .npz, "
            "and the arrays that run is given as data="
        )
    data = Data(*_MAKERS[name](), name=name)
    data._known = True
    return data


def _from_file(path: Path) -> Data:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except FileNotFoundError:
        raise ValueError(f"there is no file {path}") from None
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not a file of plain arrays: {error}") from error
    if not {"x", "y"} <= set(arrays) <= {"x", "y", "x_test", "y_test"}:
        raise ValueError(
            f"{path} must hold x and y, and may hold x_test and y_test; it holds "
            f"{', '.join(arrays) or 'nothing'}"
        )
    return Data(**arrays, name=str(path))


def _from_sklearn(name: str) -> Callable[[], tuple[Array, ...]]:
    def make() -> tuple[Array, ...]:
        from sklearn import datasets

        x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        return x, y

    return make


_ONE_AT_A_TIME = threading.Lock()


def _mnist1d() -> tuple[Array, ...]:
    """The maker seeds the generators that everybody shares; they are set back."""
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
