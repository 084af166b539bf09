"""Comparing activations: the trials, the data, what is made of the numbers."""

import dataclasses
import importlib
import itertools
import json
import math
import os
import pickle
import random
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from scipy import sparse, stats

from actlib import palette, study
from actlib.__main__ import main
from actlib.network import Network, squared_error
from actlib.study import Data, Results, Trial, grid, interval, load
from actlib.study.statistics import holm, p_value, paired
from actlib.study.store import read
from actlib.study.training import attempt, start, unpacked

BRIEF = {"width": 4, "epochs": 1, "batch_size": 4}
QUICK = {"data": "spirals", "width": 4, "epochs": 2}


def run(trials, **options):
    """In this process."""
    with ThreadPoolExecutor(1) as executor:
        return study.run(
            trials, **{"executor": executor, "store": None, "progress": False, **options}
        )


# --- trials


def test_trials_are_values() -> None:
    trial = Trial(activation="leaky_relu", params={"slope": np.float32(0.5)}, depth=np.int64(3))
    same = Trial(activation="leaky_relu", params=[("slope", 0.5)], depth=3)
    assert trial == same
    assert len({trial, same}) == 1
    assert trial.id == same.id
    assert Trial(**json.loads(json.dumps(trial.to_dict()))) == trial
    with pytest.raises(dataclasses.FrozenInstanceError):
        trial.depth = 4  # type: ignore[misc]


def test_each_field_changes_the_id() -> None:
    other = {
        "activation": "prelu",
        "params": {"slope": 0.3},
        "learned": "slope",
        "data": "spirals",
        "score_on": "validation",
        "init": "glorot",
        "optimiser": "sgd",
        "decay": {"weight": 0.1},
        "backend": "keras",
    }
    base = Trial(activation="leaky_relu")
    for field in dataclasses.fields(Trial):
        value = other.get(field.name, 7)
        changed = dataclasses.replace(base, **{field.name: value})
        assert (changed.id == base.id) == (value == getattr(base, field.name)), field.name


def test_an_id_does_not_change_between_versions() -> None:
    """Or stores of the past would be trained anew; the defaults are a part of it."""
    assert Trial(activation="tanh", depth=3).id == "88ffb0b2f6d04f95"
    first = {"activation": "relu", "params": {}, "learned": [], "data": "digits", "seed": 0}
    first |= {"score_on": "test", "depth": 2, "width": 32, "init": "he", "gain": 1.0, "bias": 0.0}
    first |= {"scale": 1.0, "offset": 0.0, "optimiser": "sgd", "rate": 0.1, "decay": {}}
    first |= {"epochs": 10, "batch_size": 32, "backend": "numpy"}
    assert Trial().to_dict() | first == Trial().to_dict()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"activation": "rulu"}, "did you mean relu"),
        ({"depth": 0}, "depth must be positive, got 0"),
        ({"seed": -1}, "seed must not be negative, got -1"),
        ({"seed": 2**128}, "seed must be less than 2**128"),
        ({"width": 10**5000}, "width must be less than 2**128"),
        ({"rate": math.nan}, "rate must be finite"),
        ({"init": "kaiming"}, "init must be one of he, glorot, lecun, got 'kaiming'"),
        ({"learned": "slope"}, "a learned parameter of relu must be one of none, got 'slope'"),
        ({"activation": "swish", "learned": ["beta", "beta"]}, "twice: beta, beta"),
        ({"rate": -0.1}, "rate must not be negative, got -0.1"),
        ({"decay": {"weight": -1}}, "weight must not be negative"),
        ({"decay": {"weights": 1}}, "what decays must be one of weight, bias, got 'weights'"),
        ({"init": ["he"]}, "init must be one of he, glorot, lecun, got ['he']"),
        ({"optimiser": "adam"}, 'backend="numpy" has the optimiser "sgd"'),
        ({"backend": "keras", "decay": {"weight": 1}}, 'decay needs backend="numpy"'),
        ({"activation": "leaky_relu", "params": {"slope": math.inf}}, "slope"),
    ],
)
def test_a_field_that_is_wrong_is_named(fields, words) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        Trial(**fields)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"depth": 2.0}, "depth must be an integer, got 2.0"),
        ({"seed": 1.5}, "seed must be an integer, got 1.5"),
        ({"seed": True}, "seed must be an integer, got True"),
        ({"epochs": True}, "epochs must be an integer, got True"),
        ({"rate": True}, "rate must be a number, got True"),
        ({"gain": 10**400}, "gain must be a number, got 1000"),
        ({"rate": "fast"}, "rate must be a number, got 'fast'"),
        ({"params": 0.2}, "params must be numbers by their names, got 0.2"),
        ({"decay": {"weight": None}}, "decay['weight'] must be a number, got None"),
        ({"data": ([1], [2])}, "arrays are given to run by such a name"),
        ({"backend": "keras", "optimiser": 3}, "optimiser must be a name, got 3"),
    ],
)
def test_a_field_of_another_kind_is_named(fields, words) -> None:
    with pytest.raises(TypeError, match=re.escape(words)):
        Trial(**fields)


def test_trials_may_be_one_or_come_one_after_another() -> None:
    trials = grid(**QUICK, seed=[0, 2**128 - 1])
    expected = [record["metrics"] for record in run(trials).records]
    for given in (iter(trials), tuple(trials), dict.fromkeys(trials)):
        assert [record["metrics"] for record in run(given).records] == expected
    assert [record["metrics"] for record in run(trials[0]).records] == expected[:1]


@pytest.mark.parametrize(
    ("trials", "words"),
    [("relu", "str"), (["relu"], "str"), ([grid(depth=1)], "list"), (grid, "function")],
)
def test_what_is_no_trial_is_named(trials, words, tmp_path) -> None:
    with pytest.raises(TypeError, match=f"trials must be a Trial, .* got {words}$"):
        run(trials, store=tmp_path / "r.jsonl")
    assert not (tmp_path / "r.jsonl").exists()


def test_a_grid_is_the_product_of_its_axes() -> None:
    trials = grid(activation=("relu", "gelu"), params=[{}], depth=[2, 8], seed=range(3))
    assert len(set(trials)) == len(trials) == 12
    assert [t.seed for t in trials[:4]] == [0, 1, 2, 0]
    with pytest.raises(TypeError, match="no field 'dept'; did you mean depth"):
        grid(dept=2)
    with pytest.raises(ValueError, match="the axis seed is empty"):
        grid(seed=[])


def test_labels_tell_activations_with_other_parameters_apart() -> None:
    assert Trial(activation="prelu", params={"alpha": 0.1}, learned="alpha").label == (
        "prelu(alpha=0.1, alpha learned)"
    )
    assert Trial(activation="elu", params={"alpha": 2}).label == "elu(alpha=2)"
    close = grid(activation="elu", params=[{"alpha": 0.1}, {"alpha": np.nextafter(0.1, 1)}])
    assert [trial.label for trial in close] == ["elu(alpha=0.1)", "elu(alpha=0.10000000000000002)"]


# --- data


@pytest.mark.parametrize("name", study.NAMES)
def test_the_data_sets_are_there_and_scaled(name) -> None:
    data = load(name)
    for part in ("test", "validation"):
        split = data.split(part)
        np.testing.assert_allclose(split.x.mean(axis=0), 0, atol=1e-12)
        assert set(np.round(split.x.std(axis=0), 9)) <= {0, 1}
        assert len(split.x) == len(split.y)
        assert len(split.x_new) == len(split.y_new)
    assert pickle.loads(pickle.dumps(data)) is data  # its name alone was sent


def test_what_is_chosen_on_validation_examples_has_not_seen_the_test_examples() -> None:
    x = np.arange(200.0)[:, None]
    data = Data(x, x[:, 0])
    parts = [data.x_test, *(data._put_aside(data.x, data.y, 1)[:2])]
    seen = [set(part[:, 0]) for part in parts]
    assert sum(map(len, seen)) == 200
    assert not set.intersection(*seen)
    fit, new = (len(data.split("validation")[k]) for k in (0, 2))
    assert (fit, new, len(data.split("test").x)) == (112, 38, 150)


def test_generators_that_all_share_are_left_as_they_were() -> None:
    study.data._made.cache_clear()
    np.random.seed(5)  # noqa: NPY002
    random.seed(5)
    expected = np.random.RandomState(5).rand(), random.Random(5).random()
    load("mnist1d")
    assert (np.random.rand(), random.random()) == expected  # noqa: NPY002


X, Y = np.arange(40.0).reshape(20, 2), np.repeat([0, 1], 10)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ((np.where(X == 7, np.nan, X), Y), r"not finite, the first at \[3, 1\], in the column 1;"),
        ((X, np.where(Y, np.inf, 1.0)), r"y has values that .* not finite, the first at \[10\]"),
        ((X[:, 0], Y), r"x must be numbers of shape \(examples, features\)"),
        ((X[:0], Y[:0]), "x must be numbers"),
        ((X.astype(str), Y), "x must be numbers, but has .* text, .*, in the columns 0, 1;"),
        ((X, Y[1:]), r"y must have shape \(20,\)"),
        ((X, Y[:, None]), r"y must have shape \(20,\)"),
        ((X, Y * 0), "there is only one class"),
        ((X[:3], Y[-3:]), "no examples can be put aside|only one class"),
        ((X, Y, X), "x_test and y_test must be given together"),
        ((X, Y, X[:, :1], Y), "x_test must have the 2 features of x, got 1"),
        ((X, Y, X, Y + 1), "the test examples have classes of their own, the value 2;"),
        ((X, Y, X, np.arange(20) + 5), "of their own, the values 5, 6, 7, 8, 9 and 15 more;"),
        (
            (X, np.arange(20)),
            "integers are classes: where they are numbers to predict, give floats",
        ),
        ((X, np.full(20, 0.1)), "y is 0.1 for all 15 examples to fit to"),
        ((X, Y / 2, X, Y * 0.0), "y is 0 for all 20 examples to score on"),
        ((X, Y / 2, X, Y.astype(str)), "y has numbers to predict, but y_test has classes"),
        ((X, Y + 1j), "y must be numbers or classes of one kind, got the kind 'complex'"),
        ((X, Y.astype("datetime64[D]")), "of one kind, got the kind 'Timestamp';"),
    ],
)
def test_data_that_cannot_be_used(arrays, words, tmp_path) -> None:
    with pytest.raises(ValueError, match=f"mine: .*({words})"):
        Data(*arrays, name="mine")
    path = tmp_path / "mine.npz"
    np.savez(path, **dict(zip(["x", "y", "x_test", "y_test"], arrays, strict=False)))
    with pytest.raises(ValueError, match=f"mine.npz: .*({words})"):
        load(str(path))


def test_files_that_hold_no_data(tmp_path) -> None:
    with pytest.raises(ValueError, match="there is no file"):
        load(str(tmp_path / "none.npz"))
    np.savez(tmp_path / "objects.npz", x=np.array([{}, {}]), y=Y)
    np.savez(tmp_path / "torn.npz", x=X, y=Y)
    whole = (tmp_path / "torn.npz").read_bytes()
    (tmp_path / "torn.npz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "flipped.npz").write_bytes(whole.replace(X.tobytes(), X[::-1].tobytes()))
    (tmp_path / "text.npz").write_text("no arrays")
    (tmp_path / "empty.npz").write_bytes(b"")
    (tmp_path / "folder.npz").mkdir()
    with (tmp_path / "one.npz").open("wb") as file:
        np.save(file, X)
    for name in ("objects", "torn", "flipped", "text", "empty", "folder", "one"):
        with pytest.raises(ValueError, match=f"{name}.npz is not a file of plain arrays"):
            load(tmp_path / f"{name}.npz")
    np.savez(tmp_path / "other.npz", a=X)
    with pytest.raises(ValueError, match=r"must hold x and y.*it holds a"):
        load(str(tmp_path / "other.npz"))
    with pytest.raises(ValueError, match="no data set 'digit'; there are digits, "):
        load("digit")


def test_a_file_that_was_overwritten_is_read_again(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for path in (tmp_path / "mine.npz", str(tmp_path / "mine.npz"), "~/mine.npz"):
        losses = []
        for y in (Y, Y[::-1], np.arange(20) % 2):
            np.savez(tmp_path / "mine.npz", x=X, y=y)
            [record] = run([Trial(data=path, batch_size=5, width=4)]).records
            losses.append(record["metrics"]["loss"])
        assert len(set(losses)) == 3
        assert record["trial"]["data"] == str(path)


def test_what_is_changed_after_data_were_made_does_not_reach_them() -> None:
    arrays = [X.copy(), Y / 2, X.copy(), Y / 2]
    data = Data(*arrays)
    expected = [part.copy() for part in data.split("test")]
    for array in arrays:
        array[:] = np.flip(array, axis=0)
    for part, before in zip(data.split("test"), expected, strict=True):
        np.testing.assert_array_equal(part, before)
    for part in (data.x, load("digits").x, load("digits").y_test):
        with pytest.raises(ValueError, match="read-only"):
            part[0] = 0


def test_labels_may_be_text_or_categories() -> None:
    words = np.where(Y, "right", "left")
    expected = Data(X, words)
    assert expected.classes.tolist() == ["left", "right"]
    same = [
        words.tolist(),
        words.astype(object),
        words.astype(np.dtypes.StringDType()),
        pd.Series(words),
        pd.Series(words, dtype="category"),
        pd.Series(words, dtype="string"),
        pd.Categorical(words, categories=["up", "right", "left"]),
    ]
    for labels in same:
        data = Data(X, labels)
        assert data.classes.tolist() == ["left", "right"]
        assert data.fingerprint == expected.fingerprint
    numbered = [pd.Series(Y, dtype="Int64"), Y.astype(object), pd.Series(Y, dtype="category")]
    for labels in (*numbered, pd.Series(Y == 1), (Y == 1).astype(object)):
        assert Data(X, labels).fingerprint == expected.fingerprint
        assert len(Data(X, labels).classes) == 2


@pytest.mark.parametrize(
    "values",
    [
        Y / 2,
        pd.array(Y / 2, dtype="Float64"),
        pd.to_datetime(Y, unit="D"),
        pd.to_datetime(Y, unit="D", utc=True),
        pd.cut(Y, 2),
        Y == 1,
        Y.astype(str),
        pd.array(Y, dtype="Int64"),
        pd.array(Y == 1, dtype="boolean"),
    ],
    ids=lambda values: str(values.dtype),
)
def test_categories_are_classes_whatever_they_are(values) -> None:
    expected = Data(X, Y, X, Y)
    categories = pd.Categorical(values)
    backwards = pd.Categorical(values, categories.categories[::-1], ordered=True)
    for labels in (categories, backwards, pd.Series(categories), pd.CategoricalIndex(categories)):
        data = Data(X, labels, X, labels)
        assert data.classes.tolist() == categories.categories.tolist()
        assert data.fingerprint == expected.fingerprint
        assert Data(X, labels).metric == "accuracy"
        assert pickle.loads(pickle.dumps(data)).fingerprint == expected.fingerprint


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["a", None, *"ab" * 9], r"missing or not finite, the first at \[1\]"),
        (pd.Series([1, None, *[0, 1] * 9], dtype="Int64"), r"missing .* the first at \[1\]"),
        (pd.Series(["a", pd.NA, *"ab" * 9], dtype="string"), r"missing .* the first at \[1\]"),
        (np.array(["a", 1, *"ab" * 9], dtype=object), "one kind, got the kinds 'int', 'str'"),
        (pd.Series(pd.date_range("2020-01-01", periods=20)), "the kind 'Timestamp'; give classes"),
        (pd.date_range("2020-01-01", periods=20, tz="UTC"), "the kind 'Timestamp'; give classes"),
        (pd.arrays.IntervalArray.from_breaks(range(21)), "the kind 'Interval'; .* as text or cat"),
        (pd.Categorical([1.0, None, *[1.0, 2.0] * 9]), r"missing .* the first at \[1\]"),
        (pd.Categorical([1.0, "a"] * 10), "one kind, got the kinds 'float', 'str'; give classes"),
        ({"y": Y}, "y must be an array, a list or a data frame, got dict; make one of it"),
        ((y for y in Y), "y must be an array, a list or a data frame, got generator"),
        (None, "y must be an array, a list or a data frame, got NoneType"),
        (np.ma.masked_equal(Y, 0), "y is a masked array"),
    ],
)
def test_labels_that_cannot_be_used(labels, words) -> None:
    with pytest.raises(ValueError, match=f"data: .*{words}"):
        Data(X, labels)


def test_data_frames_of_numbers_and_booleans() -> None:
    frame = pd.DataFrame({"a": X[:, 0], "b": Y == 1, "c": pd.array(Y, dtype="Int32")})
    numbers = np.column_stack([X[:, 0], Y, Y])
    for x in (frame, numbers.astype(object), frame.astype(object)):
        assert Data(x, Y).fingerprint == Data(numbers, Y).fingerprint
        assert Data(x, Y).x.dtype == np.float64


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (
            {"sex": ["f", "m"] * 10},
            "such as text, dates or intervals, in the column 'sex'; .*pandas.get_dummies",
        ),
        (
            {"sex": pd.Categorical(["f", "m"] * 10)},
            "such as text, dates or intervals, in the column 'sex';",
        ),
        ({"day": pd.date_range("2020-01-01", periods=20)}, "in the column 'day'; .* as numbers"),
        ({"age": pd.cut(X[:, 0], 3)}, "text, dates or intervals, in the column 'age'; .* middles"),
        ({"n": pd.array([None, *range(19)], dtype="Int64")}, r"at \[0, 1\], in the column 'n'"),
        ({"n": [None, *range(19)], "m": np.inf}, r"at \[0, 1\], in the columns 'n', 'm'"),
        ({f"w{k}": "text" for k in range(7)}, "columns 'w0', 'w1', 'w2', 'w3', 'w4' and 2 more;"),
        ({"mixed": [1, "1"] * 10}, "in the column 'mixed'"),
    ],
)
def test_columns_that_cannot_be_used_are_named(columns, words) -> None:
    with pytest.raises(ValueError, match=f"mine: x .*{words}"):
        Data(pd.DataFrame({"fine": np.arange(20.0), **columns}), Y, name="mine")


def test_examples_that_are_no_plain_table() -> None:
    with pytest.raises(ValueError, match=r"x is a masked array.*\.filled\(\)"):
        Data(np.ma.masked_equal(X, 3), Y)
    with pytest.raises(ValueError, match=r"x is a sparse matrix; give its \.toarray\(\)"):
        Data(sparse.csr_array(X), Y)
    with pytest.raises(
        ValueError, match=r"x cannot be made an array; if it has rows, .* as long as"
    ):
        Data([[1, 2], [3]], [0, 1])
    for x in ("mine.npz", iter(X), {"x": X}, {1, 2}, None):
        with pytest.raises(ValueError, match="x must be an array, a list or a data frame, got"):
            Data(x, Y)
    frame = pd.DataFrame(X, columns=["a", "b"])
    with pytest.raises(ValueError, match="x_test must have the columns of x, in their order"):
        Data(frame, Y, frame[["b", "a"]], Y)
    assert Data(frame, Y, frame, Y).x_test.shape == (20, 2)


def test_a_feature_that_is_constant_but_for_the_test_stays_finite() -> None:
    """Its standard deviation comes out as 1e-17, by which the test example was divided."""
    x = np.column_stack([X, np.full(20, 0.1)])
    split = Data(x, Y, x + 0.1, Y).split("test")
    np.testing.assert_allclose(split.x[:, 2], 0, atol=1e-12)
    np.testing.assert_allclose(split.x_new[:, 2], 0.1)


def test_data_say_what_they_are_and_what_is_compared() -> None:
    assert repr(load("diabetes")) == (
        "diabetes: 331 examples to fit to and 111 for the test, of 10 features; "
        "numbers to predict, scored by r2"
    )
    assert [load(name).metric for name in ("digits", "diabetes")] == ["accuracy", "r2"]


def test_your_own_data() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 3))
    words = np.where(x[:, 0] > 0, "right", "left")
    trials = grid(data=["mine", "numbers"], batch_size=10, epochs=20, seed=range(2))
    results = run(trials, data={"mine": (x, words), "numbers": (x, x[:, 1] + 1e3)})
    summary = results.summary("loss").set_index("data")
    assert results.metric == "loss"
    assert summary.loc["mine", "mean"] < 0.4  # guessing has log 2
    assert summary.loc["numbers", "mean"] < 0.4  # guessing has 1
    with pytest.raises(ValueError, match="must not be called digits"):
        run([Trial()], data={"digits": (X, Y)})
    with pytest.raises(TypeError, match=r'a path goes to the trials, as Trial\(data="mine.npz"\)'):
        run([Trial()], data=Path("mine.npz"))
    for flat in ({"x": X.tolist(), "y": Y.tolist()}, {"x": X[:2].tolist(), "y": [0, 1]}):
        with pytest.raises(TypeError, match=r"data must give data by their names, such as"):
            run([Trial(data="mine")], data=flat)
    assert len(run(grid(**BRIEF, data=["x", "y"]), data={"x": (X, Y), "y": (X, -Y)}).records) == 2
    for wrong in ("mine.npz", X, (X, Y, X), None, {"x": X, "y": Y}, iter([X, Y])):
        with pytest.raises(TypeError, match=r"data\['mine'\] must be \(x, y\), "):
            run([Trial()], data={"mine": wrong})


def test_what_every_trial_would_fail_of_is_said_before_the_first(tmp_path) -> None:
    trials = grid(data=["spirals", "mine"], batch_size=12, epochs=1, score_on="validation")
    with pytest.raises(ValueError, match=r"batch_size must be at most 11, .* of 'mine' .*, got 12"):
        run(trials, data={"mine": (X, Y)}, store=tmp_path / "r.jsonl")
    y = np.r_[np.zeros(19), 1.0]
    with pytest.raises(ValueError, match="mine: y is 0 for all"):
        run(grid(data="mine", score_on="validation"), data={"mine": (X, y, X, X[:, 0])})
    assert read(tmp_path / "r.jsonl") == []


def test_other_data_under_the_same_name_are_refused(tmp_path) -> None:
    trials = grid(data="mine", batch_size=5, epochs=1)
    store = tmp_path / "r.jsonl"
    run(trials, data={"mine": (X, Y)}, store=store)
    run(trials, data={"mine": (X, Y)}, store=store)
    with pytest.raises(ValueError, match="the data 'mine' are not those that"):
        run(trials, data={"mine": (X + 1, Y)}, store=store)


@pytest.mark.parametrize("name", study.data.NAMES)
def test_the_last_digits_of_the_data_do_not_matter(name) -> None:
    data = load(name)
    changed = [data.x * (1 + 2**-50), data.x * (1 + 1e-5)]
    fingerprints = [Data(x, data.y, data.x_test, data.y_test).fingerprint for x in changed]
    assert fingerprints[0] == data.fingerprint
    assert fingerprints[1] != data.fingerprint


@pytest.mark.deep
def test_data_are_known_again_on_a_processor_with_other_instructions() -> None:
    code = "from actlib import study\nprint(*[study.load(n).fingerprint for n in study.data.NAMES])"
    command = [sys.executable, "-c", code]
    older = {**os.environ, "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2_Usable,-FMA_Usable,-AVX2,-FMA"}
    made = subprocess.run(command, env=older, text=True, check=True, capture_output=True).stdout
    assert made.split() == [load(name).fingerprint for name in study.data.NAMES]


# --- training


@pytest.mark.parametrize("init", [("he", 2 / 300), ("glorot", 2 / 700), ("lecun", 1 / 300)])
def test_first_weights_have_the_variance_that_was_asked_for(init) -> None:
    name, variance = init
    network = start(Trial(init=name, gain=3, width=400, depth=1), 300, 300)
    hidden, last = (layer["weight"] for layer in network.layers)
    np.testing.assert_allclose(hidden.var(), 9 * variance, rtol=0.02)
    expected = {"he": 2 / 400, "glorot": 2 / 700, "lecun": 1 / 400}[name]
    np.testing.assert_allclose(last.var(), expected, rtol=0.02)


def test_the_squared_error_and_its_gradient() -> None:
    rng = np.random.default_rng(0)
    outputs, targets = rng.normal(size=(6, 1)), rng.normal(size=6)
    _, gradient = squared_error(outputs, targets)
    for row in range(6):
        step = np.zeros((6, 1))
        step[row] = 1e-5
        up, down = (squared_error(outputs + sign * step, targets)[0] for sign in (1, -1))
        np.testing.assert_allclose(gradient[row], (up - down) / 2e-5, rtol=1e-6)
    for wrong in (targets[1:], targets[:, None]):
        with pytest.raises(ValueError, match="one output and one target"):
            squared_error(outputs, wrong)
    with pytest.raises(ValueError, match="one output and one target"):
        squared_error(np.ones((0, 1)), np.ones(0))


def test_a_trial_is_the_network_of_the_book() -> None:
    """The same numbers come from `Network` by hand."""
    from actlib.network import mini_batches

    trial = Trial(**QUICK, depth=1, rate=0.3, init="lecun", seed=4)
    split = load("spirals").split("test")
    network = Network([2, 4, 2], importlib.import_module("actlib").relu, gain=1.0, seed=4)
    network.fit(split.x, split.y, mini_batches(750, 32, 2, seed=4), rate=0.3)
    [record] = run([trial]).records
    assert record["metrics"]["accuracy"] == network.accuracy(split.x_new, split.y_new)


def test_a_diverged_trial_is_a_result() -> None:
    [record] = run([Trial(**QUICK, activation="leaky_relu", rate=1e9)]).records
    assert record["status"] == "diverged"
    assert "the loss is not finite after epoch 1" in record["reason"]
    assert record["metrics"] == {}
    assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_a_dead_network_is_no_diverged_one() -> None:
    results = run(grid(**QUICK, bias=-100, seed=range(3)))
    assert [r["metrics"]["dead_units"] for r in results.records] == [1, 1, 1]
    [row] = results.summary().to_dict("records")
    assert (row["n"], row["dead"], row["diverged"], row["failed"]) == (3, 3, 0, 0)


class Unfit(Data):
    """Whose trials fail."""

    def split(self, score_on):
        raise self.error


@pytest.mark.parametrize("error", [RuntimeError("no luck"), SystemExit("no luck")])
def test_a_failed_trial_is_a_result(error) -> None:
    unfit = Unfit(X, Y)
    unfit.error = error
    results = run(grid(data=["unfit", "spirals"], batch_size=5, epochs=1), data={"unfit": unfit})
    first, second = results.records
    assert first["status"] == "failed"
    assert first["reason"] == f"{type(error).__name__}: no luck"
    assert second["status"] == "ok"
    assert f"relu, seed 0: failed, {first['reason']}" in str(results)
    assert results.summary()["failed"].sum() == 1


def test_learned_parameters_have_curves() -> None:
    results = run([Trial(**QUICK, activation="prelu", learned="alpha", params={"alpha": 0.1})])
    curves = results.curves()
    assert list(curves["epoch"]) == [1, 2]
    assert {"alpha_1", "alpha_2"} <= set(curves)
    assert (curves[["alpha_1", "alpha_2"]] != 0.1).all(axis=None)


def test_weight_decay_reaches_the_network() -> None:
    first, second = run(grid(**QUICK, decay=[{}, {"weight": 0.5}])).records
    assert first["metrics"]["fit_loss"] < second["metrics"]["fit_loss"]


KERAS = {"backend": "keras", **QUICK}


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize(
    "fields",
    [
        {"activation": "gelu"},
        {"activation": "leaky_relu", "params": {"slope": 0.3}},
        {"activation": "prelu", "learned": "alpha"},
        {"data": "diabetes", "activation": "tanh", "rate": 0.01},
        {"activation": "sigmoid", "scale": 2, "offset": -1},
    ],
    ids=lambda fields: fields["activation"],
)
def test_keras_trains_the_same_network(fields) -> None:
    """In float32, so that the numbers agree to a few digits."""
    numbers = [
        run([Trial(**{**QUICK, **fields, "backend": backend})]).records[0]
        for backend in ("numpy", "keras")
    ]
    assert [r["status"] for r in numbers] == ["ok", "ok"], numbers[1]["reason"]
    assert numbers[0]["curves"].keys() == numbers[1]["curves"].keys()
    for name, values in numbers[0]["curves"].items():
        np.testing.assert_allclose(numbers[1]["curves"][name], values, rtol=1e-3, err_msg=name)
    assert {"keras", "tensorflow"} <= numbers[1]["versions"].keys()


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_keras_has_other_optimisers() -> None:
    sgd, adam = run(grid(**KERAS, optimiser=["sgd", "adam"], rate=0.01)).records
    assert adam["status"] == "ok"
    assert adam["metrics"]["fit_loss"] != sgd["metrics"]["fit_loss"]
    with pytest.raises(ValueError, match="Keras makes no optimiser of 'adem'"):
        run(grid(**KERAS, optimiser=["sgd", "adem"]))


# --- statistics


def test_the_interval_is_students() -> None:
    values = [0.9, 0.95, 0.91, 0.99]
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    np.testing.assert_allclose(interval(values, 0.9)[1:], expected)
    assert interval([3.0]) == interval([3.0] * 5) == (3.0, -np.inf, np.inf)
    assert interval([3.0] * 6) == (3.0, 3.0, 3.0)
    with pytest.raises(ValueError, match=r"a mean needs a value, got none"):
        interval([])


def test_the_interval_covers_what_it_says() -> None:
    """At five seeds, where a percentile bootstrap covers 84% only."""
    rng = np.random.default_rng(0)
    covered = [i.low <= 0 <= i.high for i in map(interval, rng.normal(size=(4000, 5)))]
    assert abs(np.mean(covered) - 0.95) < 0.012


def test_holms_correction() -> None:
    """By hand: 0.01 * 4, 0.02 * 3, then no smaller; a tie with the level is no rejection."""
    adjusted = [p for p, _ in holm([0.02, 0.01, 0.9, 0.03])]
    np.testing.assert_allclose(adjusted, [0.06, 0.04, 0.9, 0.06])
    assert holm([]) == []


def test_holms_correction_keeps_false_claims_rare() -> None:
    """Of 10 comparisons without a difference, one is claimed in at most 5% of studies."""
    rng = np.random.default_rng(0)
    p_values = rng.uniform(size=(4000, 10))
    claims = np.mean([any(p < 0.05 for p, _ in holm(row)) for row in p_values])
    assert 0.035 < claims < 0.06


def exactly(differences):
    """The p value by all flips of signs, with whole numbers."""
    flips = list(itertools.product([1, -1], repeat=len(differences)))
    sums = [abs(sum(s * d for s, d in zip(flip, differences, strict=True))) for flip in flips]
    return sum(each >= abs(sum(differences)) for each in sums) / len(flips)


@pytest.mark.parametrize("n", [1, 2, 5, 6, 9, 12])
def test_a_p_value_is_the_share_of_flips_that_are_as_extreme(n) -> None:
    rng = np.random.default_rng(n)
    for _ in range(5):
        whole = rng.integers(-3, 6, n).tolist()
        assert p_value(np.array(whole) / 450) == exactly(whole)
    assert p_value(np.full(n, 0.05)) == 2.0 ** (1 - n)


def test_a_p_value_of_many_differences_is_of_some_flips() -> None:
    rng = np.random.default_rng(3)
    for n in (16, 20, 40):
        values = rng.normal(0.4, 1, n)
        np.testing.assert_allclose(p_value(values), stats.ttest_1samp(values, 0).pvalue, atol=0.02)
    assert p_value(np.full(30, 0.1)) == 1 / (1 + 2**14)


def test_p_values_of_nothing() -> None:
    assert p_value([]) == p_value([0.1]) == p_value(np.zeros(8)) == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([[0.1, 0.2, 0.4]], r"numbers in one row, got shape \(1, 3\)"),
        (0.1, r"numbers in one row, got shape \(\)"),
        (["a"], "could not convert string to float: 'a'; it takes numbers in one row"),
        ([[1], [2, 3]], "inhomogeneous shape.*; it takes numbers in one row"),
        ([1 + 1j], "complex.*; it takes numbers in one row"),
        ([np.nan, 1], "number 0 is nan; leave out what is missing or infinite"),
        ([1, None], "number 1 is nan; leave out"),
        ([1, 2, -np.inf], "number 2 is -inf; leave out"),
    ],
)
def test_values_that_are_no_finite_numbers(values, words) -> None:
    for function in (p_value, interval):
        with pytest.raises(ValueError, match=words):
            function(values)


@pytest.mark.parametrize("level", [95, 0, 1, -1, math.nan])
def test_a_level_is_a_share(level) -> None:
    words = f"level must be between 0 and 1, such as 0.95, got {level}"
    for function, values in ((interval, [1, 2]), (paired, [[1, 2]]), (holm, [0.1])):
        with pytest.raises(ValueError, match=words):
            function(values, level=level)


@pytest.mark.parametrize("wrong", [math.nan, -0.1, 2])
def test_p_values_are_shares(wrong) -> None:
    with pytest.raises(ValueError, match=f"p values must be from 0 to 1, got {wrong}"):
        holm([0.1, wrong])


def test_the_interval_of_a_difference_agrees_with_its_p_value() -> None:
    rng = np.random.default_rng(1)
    for n in (2, 5, 6, 7, 10, 20):
        for values in rng.integers(-4, 9, (20, n)) / 450:
            [found] = paired([values])
            assert found.p == p_value(values)
            assert (found.p <= 0.05) == (not found.low <= 0 <= found.high), values
            if n >= 6:  # or no value is excluded
                outside = found.low - 1e-6, found.high + 1e-6
                assert max(p_value(values - bound) for bound in outside) <= 0.05


def test_the_interval_of_a_difference_covers_what_it_says() -> None:
    rng = np.random.default_rng(0)
    found = [paired([values])[0] for values in rng.standard_t(2, (1000, 8))]
    assert 0.93 < np.mean([each.low <= 0 <= each.high for each in found]) < 0.975


def test_a_difference_that_is_detectable_is_shown_in_80_percent_of_studies() -> None:
    rng = np.random.default_rng(0)
    first = [paired(rng.normal(size=(3, 10)))[0].detectable for _ in range(200)]
    needed = np.median([each.mean for each in first])
    covered = np.mean([each.low < needed < each.high for each in first])
    truth = np.array([needed, 0, 0])[:, None]
    shown = [paired(rng.normal(size=(3, 10)) + truth)[0].p <= 0.05 for _ in range(400)]
    assert 0.73 < np.mean(shown) < 0.87
    assert covered > 0.9
    [few, constant] = (paired([values])[0].detectable for values in ([1, 2, 3], [0.1] * 8))
    assert few == (np.inf,) * 3
    assert np.isnan(constant).all()


def test_comparisons_are_corrected_by_how_much_they_have_in_common() -> None:
    """The same difference twice is one comparison; Holm would double its p value."""
    rng = np.random.default_rng(2)
    one, other = rng.normal(0.8, 1, 10), rng.normal(0.8, 1, 10)
    assert [each.p for each in paired([one, one, 3 * one])] == [p_value(one)] * 3
    together = [each.p for each in paired([one, other])]
    alone = [p_value(one), p_value(other)]
    assert min(alone) <= min(together) <= 2 * min(alone)
    assert max(together) >= max(alone)
    assert paired([one, other])[0][:3] == pytest.approx(paired([one])[0][:3])


def test_a_pair_that_is_missing_is_no_difference() -> None:
    gap = np.array([0.3, 0.1, np.nan, 0.2, 0.4, 0.1, 0.2])
    [found] = paired([gap])
    assert found.p == p_value(gap[~np.isnan(gap)]) == 2**-5
    assert found.mean == pytest.approx(np.nanmean(gap))
    assert (found.low, found.high) == pytest.approx((0.1, 0.4))
    for wrong in ([gap * np.nan], gap, [[np.inf] * 3]):
        with pytest.raises(ValueError, match=r"shape \(comparisons, seeds\), finite or NaN"):
            paired(wrong)


@pytest.mark.parametrize("examples", [10, 450])
@pytest.mark.parametrize("seeds", [2, 5, 7, 11])
def test_false_claims_are_rare(seeds, examples) -> None:
    """Of eight activations that are equally good, on scores that come in steps."""
    rng = np.random.default_rng([seeds, examples])
    one, other = np.array(list(itertools.combinations(range(8), 2))).T
    claims = []
    for _ in range(100):
        scores = rng.binomial(examples, 0.8, (8, seeds)) / examples
        found = paired(scores[one] - scores[other])
        claims.append(min(each.p for each in found) <= 0.05)
    assert np.mean(claims) <= 0.1


def test_with_holms_correction_eight_activations_need_eleven_seeds() -> None:
    """Whatever is found; the largest of all flips can be claimed with six."""
    least = {n: holm([p_value([0.1] * n)] * 28)[0][0] for n in (6, 10, 11)}
    assert least[11] <= 0.05 < least[10]
    rng = np.random.default_rng(0)
    pairs = [[0.9, 1.0, 1.1, 1.0, 1.2, 0.8], *rng.normal(size=(27, 6))]
    assert paired(pairs)[0].p <= 0.05 < least[6]


def test_false_claims_about_new_examples_are_rare() -> None:
    """Each of two is better on some examples; on these, seeds alone often show a difference."""
    rng = np.random.default_rng(0)
    claims = []
    for _ in range(100):
        taste = rng.normal(size=(2, 1, 60))
        right = rng.random((2, 20, 60)) < 1 / (1 + np.exp(-1.5 * taste))
        by_seed, by_example = (np.subtract(*right.mean(axis=axis))[None] for axis in (2, 1))
        tests = paired(by_seed), paired(by_seed, by_example)
        claims.append([found.p <= 0.05 for [found] in tests])
        assert (tests[1][0].p <= 0.05) == (not tests[1][0].low <= 0 <= tests[1][0].high)
    these, new = np.mean(claims, axis=0)
    assert these > 0.3
    assert new <= 0.08


def test_a_difference_on_new_examples_can_be_shown() -> None:
    rng = np.random.default_rng(0)
    right = rng.random((2, 20, 300)) < np.array([0.9, 0.8])[:, None, None]
    by_seed, by_example = (np.subtract(*right.mean(axis=axis))[None] for axis in (2, 1))
    [these], [new] = paired(by_seed), paired(by_seed, by_example)
    assert new.p <= 0.05
    assert new.mean == these.mean
    assert new.low < these.low < these.high < new.high
    assert new.detectable.mean > these.detectable.mean


# --- results


def made(values, metric="accuracy", **fields):
    """Results with given values by activation, one seed after another; None diverged."""
    records = []
    for name, numbers in values.items():
        for seed, value in enumerate(numbers):
            trial = Trial(activation=name, seed=seed, **fields)
            records.append(
                {
                    "id": trial.id,
                    "trial": trial.to_dict(),
                    "data": "0123456789abcdef",
                    "status": "diverged" if value is None else "ok",
                    "reason": "",
                    "seconds": 1.0,
                    "metrics": {} if value is None else {metric: value, "dead_layers": 0},
                    "curves": {},
                }
            )
    return records


def test_a_difference_that_is_there_and_one_that_is_not() -> None:
    rng = np.random.default_rng(0)
    base = rng.normal(0.9, 0.05, 10)
    results = Results(
        made({"relu": base, "gelu": base + rng.normal(0.02, 0.005, 10), "elu": base[::-1]})
    )
    [row] = results.compare("relu", "gelu").to_dict("records")
    assert row["verdict"] == "gelu is higher"
    assert row["n"] == 10
    assert row["low"] < row["mean"] < row["high"] < 0
    assert row["p"] == 2**-9
    assert row["claim"] == "these examples"
    table = results.compare_all().set_index(["a", "b"])
    assert table.loc[("relu", "elu"), "verdict"] == "no difference shown"
    assert table.loc[("relu", "elu"), "detectable"] > 0.01
    assert row["p"] <= table.loc[("relu", "gelu"), "p"] <= 3 * row["p"]
    words = study.explain(table.reset_index())
    assert max(map(len, words.splitlines())) <= 76
    words = " ".join(words.split())
    assert "trained on these data and scored on these test examples, over seeds" in words
    assert "at most 5%" in words
    assert "More seeds are a new study" in words
    assert "More seeds" not in study.explain(results.compare("relu", "gelu"))


def test_no_verdict_where_some_trials_have_no_end() -> None:
    results = Results(made({"relu": [0.9, 0.91, None], "gelu": [0.1, 0.1, 0.1]}))
    [row] = results.compare("relu", "gelu").to_dict("records")
    assert (row["n"], row["left_out"]) == (2, 1)
    assert row["verdict"] == "no verdict: some diverged or failed"
    [row] = Results(made({"relu": [0.9], "gelu": [0.1]})).compare_all().to_dict("records")
    assert row["verdict"] == "no verdict: fewer than 6 pairs"
    five = Results(made({"relu": [0.9] * 5, "gelu": [0.1] * 5})).compare("relu", "gelu")
    [row] = five.to_dict("records")
    assert (row["mean"], row["low"], row["high"]) == (pytest.approx(0.8), -np.inf, np.inf)
    assert row["verdict"] == "no verdict: fewer than 6 pairs"
    assert np.isnan([row["p"], row["detectable"]]).all()
    assert "Fewer than 6 pairs cannot show a difference" in study.explain(five)
    [row] = Results(made({"relu": [None], "gelu": [0.1]})).compare_all().to_dict("records")
    assert row["n"] == 0
    assert np.isnan(row["mean"])


def test_identical_results_show_no_difference() -> None:
    [row] = Results(made({"relu": [0.5] * 6, "gelu": [0.5] * 6})).compare_all().to_dict("records")
    assert row["verdict"] == "no difference shown"


def test_settings_are_compared_each_for_itself() -> None:
    shallow = made({"relu": [0.9, 0.91], "gelu": [0.8, 0.82]}, depth=2)
    deep = made({"relu": [0.5, 0.52], "gelu": [0.7, 0.73]}, depth=8)
    table = Results(shallow + deep).compare("relu", "gelu").set_index("depth")
    np.testing.assert_allclose(table["mean"], [0.095, -0.205])
    summary = Results(shallow + deep).summary()
    assert list(summary.columns[:3]) == ["activation", "depth", "n"]
    np.testing.assert_allclose(summary["mean"], [0.905, 0.81, 0.51, 0.715])
    np.testing.assert_allclose(summary["std"], np.array([0.01, 0.02, 0.02, 0.03]) / np.sqrt(2))


def test_questions_that_have_no_answer() -> None:
    results = Results(made({"relu": [0.9, 0.91]}))
    with pytest.raises(ValueError, match="no trials of 'gelu', only of relu"):
        results.compare("relu", "gelu")
    with pytest.raises(ValueError, match="no metric 'acc'; there are accuracy"):
        results.summary("acc")
    with pytest.raises(ValueError, match="there are no results"):
        Results([])


def test_a_summary_of_nothing_but_failures() -> None:
    results = Results(made({"relu": [None, None]}))
    [row] = results.summary().to_dict("records")
    assert (row["n"], row["diverged"]) == (0, 2)
    assert np.isnan(row["mean"])
    assert "diverged" in str(results)


def test_frames_and_figures() -> None:
    results = run(grid(**QUICK, activation=["relu", "tanh"], depth=[1, 2], seed=range(2)))
    frame = results.to_frame()
    assert len(frame) == 8
    assert {"label", "depth", "seed", "status", "accuracy", "seconds"} <= set(frame)
    assert len(results.curves()) == 16
    assert "<table" in results._repr_html_()
    ax = results.plot()
    assert next(tick.get_text() for tick in ax.get_yticklabels()) == "relu, depth 1"
    lines = results.plot("loss", x="depth")
    assert [text.get_text() for text in lines.texts] == ["relu", "tanh"]
    assert lines.texts[1].get_color() == palette.line("tanh").color
    assert lines.get_ylabel() == "loss (each interval: 95%)"
    with pytest.raises(ValueError, match="x must be a column of numbers"):
        results.plot(x="activation")


def test_activations_may_have_rates_of_their_own() -> None:
    relu = grid(**QUICK, activation="relu", rate=0.1, seed=range(3))
    tanh = grid(**QUICK, activation="tanh", rate=0.3, seed=range(3))
    results = run(relu + tanh)
    assert set(results.compare("relu", "tanh")["n"]) == {0}
    for table in (results.compare("relu", "tanh", own=["rate"]), results.compare_all(own="rate")):
        [row] = table.to_dict("records")
        by_hand = [a["metrics"]["accuracy"] for a in results.records]
        assert row["n"] == 3
        assert row["mean"] == pytest.approx(np.mean(by_hand[:3]) - np.mean(by_hand[3:]))
    more = run(relu + tanh + grid(**QUICK, activation="tanh", rate=0.2, seed=range(3)))
    with pytest.raises(ValueError, match="tanh has several values of rate; choose one"):
        more.compare("relu", "tanh", own="rate")
    for wrong in ("rates", ["rate", "rates"]):
        with pytest.raises(ValueError, match=r"has no field 'rates'; did you mean rate "):
            results.compare("relu", "tanh", own=wrong)


@pytest.mark.parametrize("names", ["relu", "relu,tanh"])
def test_the_command_line_says_what_a_verdict_is_about(names, tmp_path) -> None:
    """With all trials in the store, so that none is trained."""
    fingerprint = load("spirals").fingerprint
    values = {name: [0.9, 0.91, 0.92, 0.9, 0.93, 0.91] for name in names.split(",")}
    records = [record | {"data": fingerprint} for record in made(values, data="spirals", epochs=1)]
    store = tmp_path / "r.jsonl"
    store.write_text("".join(json.dumps(record) + "\n" for record in records))
    command = ["study", "--activations", names, "--data", "spirals", "--epochs", "1"]
    done = CliRunner().invoke(main, [*command, "--seeds", "6", "--store", str(store)])
    assert done.exit_code == 0, done.output
    assert "Empty DataFrame" not in done.output
    assert ("The claim: trained on these data" in done.output) == ("," in names)


def test_claims_about_new_examples() -> None:
    results = run(grid(**QUICK, activation=["relu", "linear"], seed=range(6)))
    [these] = results.compare("relu", "linear").to_dict("records")
    [new] = results.compare("relu", "linear", claim="new examples").to_dict("records")
    assert new["claim"] == "new examples"
    assert new["mean"] == these["mean"]
    assert new["high"] - new["low"] > these["high"] - these["low"]
    words = " ".join(study.explain(results.compare_all(claim="new examples")).split())
    assert "scored on new examples like these" in words
    depths = run(grid(data=["spirals", "digits"], activation=["relu", "tanh"], epochs=1, seed=[0]))
    assert set(depths.compare_all(claim="new examples")["data"]) == {"spirals", "digits"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"claim": "new data"}, "about 'these examples' or 'new examples', not 'new data'"),
        ({"claim": "new examples", "metric": "loss"}, "needs the \"accuracy\", not 'loss'"),
        ({"claim": "new examples"}, "do not say which examples were right"),
    ],
)
def test_claims_that_cannot_be_made(options, words) -> None:
    metric = options.get("metric", "accuracy")
    results = Results(made({"relu": [0.9] * 6, "gelu": [0.8] * 6}, metric))
    with pytest.raises(ValueError, match=words):
        results.compare("relu", "gelu", **options)


def test_new_examples_must_be_like_those_of_all_seeds() -> None:
    trials = [
        dataclasses.replace(trial, data=("spirals", "breast_cancer")[trial.seed])
        for trial in grid(**QUICK, activation=["relu", "tanh"], seed=range(2))
    ]
    with pytest.raises(ValueError, match="the same test examples for all seeds"):
        run(trials).compare("relu", "tanh", own="data", claim="new examples")


def test_a_record_is_what_the_store_promises() -> None:
    record = attempt(Trial(**QUICK), load("spirals"))
    assert record.keys() == {
        "id", "trial", "data", "status", "reason", "metrics", "curves", "right", "versions",
        "seconds",
    }  # fmt: skip
    right = unpacked(json.loads(json.dumps(record["right"])))
    assert right.shape == load("spirals").y_test.shape
    assert right.mean() == record["metrics"]["accuracy"]
    assert attempt(Trial(**QUICK | {"data": "diabetes"}), load("diabetes"))["right"] is None
    assert len(record["curves"]["accuracy"]) == 2
    assert record["curves"]["accuracy"][-1] == float(f"{record['metrics']['accuracy']:.5g}")


def test_the_package_alone_does_not_import_what_studies_need() -> None:
    code = "import sys, actlib; print({'loky', 'pandas', 'sklearn', 'tqdm'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_numbers_that_lie_close_together_have_a_fingerprint_of_their_own() -> None:
    """As those of dates do: six digits of the largest do not tell them apart."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 80)
    days = [1.7e9 + rng.uniform(0, 300, (80, 1)) for _ in range(2)]
    first, other = (Data(x, y).fingerprint for x in days)
    assert first != other
    assert Data(days[0] * (1 + 1e-15), y).fingerprint == first


@pytest.mark.parametrize("factor", [1e200, 1e-200])
def test_numbers_without_a_standard_deviation_are_refused(factor: float) -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 40))
    with pytest.raises(ValueError, match=r"x has numbers so large or so small .* the column 1;"):
        Data(np.stack([x, factor * x], axis=1), y)
    with pytest.raises(ValueError, match="y has numbers so large or so small"):
        Data(x[:, None], factor * y)
    frame = pd.DataFrame({"age": x, "income": np.where(x > 1, np.finfo(float).max, x)})
    with pytest.raises(ValueError, match="the column 'income'"):
        Data(frame, y > 0)
    assert Data(np.stack([x, np.full(40, 1e300)], axis=1), y).x.shape == (30, 2)


def test_the_same_records_twice_count_once_and_other_data_are_not_compared() -> None:
    rng = np.random.default_rng(0)
    axes = {"data": "m", "width": 4, "epochs": 1, "seed": range(6)}

    def results(name: str) -> Results:
        data = {"m": (rng.normal(size=(60, 2)), rng.integers(0, 2, 60))}
        trials = grid(activation=name, **axes)
        with ThreadPoolExecutor(1) as thread:
            return study.run(trials, executor=thread, store=None, progress=False, data=data)

    relu, tanh = results("relu"), results("tanh")
    twice = Results([*relu.records, *relu.records])
    assert twice.summary().equals(relu.summary())
    with pytest.raises(ValueError, match="seed 0, relu and tanh were trained on different data"):
        Results([*relu.records, *tanh.records]).compare("relu", "tanh")
    again = results("relu")
    with pytest.raises(ValueError, match="relu has several results for one seed"):
        Results([*relu.records, *again.records, *tanh.records]).compare("relu", "tanh")
