"""The instrument about bits computes what NumPy does, bit for bit, and says what is right of it."""

from __future__ import annotations

import gzip
import json
import re
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

import mpmath
import numpy as np
import pytest
from markup import checked_data

from actlib import explorer, sigmoid
from website.instruments import bits
from website.javascript import run

FOUND = bits.table()
Z = bits.places()
WHOLE = {"float32": np.uint32, "float16": np.uint16}
SOME = 4  # of each so many z, all that is shown is looked at
VALUES = ("s", "rest", "usual", "kept", "nearest")


def source() -> str:
    parts = explorer.read("draw.js"), (bits.HERE / "bits.js").read_text("utf-8")
    return "\n".join(("const document = { querySelectorAll: () => [] };", *parts))


@pytest.fixture(scope="module")
def shown() -> Any:
    """All that is computed at each z, in each dtype and by each way to s, and what is shown."""
    return run(f"""{source()}
        const data = {json.dumps(FOUND)};
        const at = (z, dtype, way) => {{
          const found = computed(data, z, dtype, way);
          const {{ format, exact, values }} = found;
          const shown = (x, y) => ({{
            fields: register(x, y, format), ulps: ulps(x, y, format),
            off: Math.abs(x - y) / ulpOf(y, format),
          }});
          const row = (name) => [name, {{
            value: values[name], bits: bitsOf(values[name], format),
            decimal: decimal(values[name], exact[name], format),
            ...(z * data.steps % {SOME} ? {{}} : shown(values[name], exact[name])),
          }}];
          const rows = Object.fromEntries([...{json.dumps(VALUES)}, "slope"].map(row));
          return {{ ...rows, verdict: verdict(z, dtype, found).join(" ") }};
        }};
        const all = (dtype) => Object.fromEntries(
          {json.dumps(bits.WAYS)}.map((way) => [way, {Z.tolist()}.map((z) => at(z, dtype, way))]));
        console.log(JSON.stringify({{ float32: all("float32"), float16: all("float16") }}));""")


def column(rows: Any, name: str, key: str = "value") -> np.ndarray:
    return np.array([row[name][key] for row in rows])


def steps(dtype: Any) -> dict[str, np.ndarray]:
    """The same in NumPy, each step rounded to the dtype."""
    z = Z.astype(dtype)
    with np.errstate(over="ignore"):
        s = sigmoid.formula.on(np, z, ())
    slope = sigmoid.formula.slopes["z"].on(np, z, ())
    return {"s": s, "rest": 1 - s, "usual": s * (1 - s), "kept": slope}


@pytest.fixture(scope="module")
def exact() -> dict[str, list[Any]]:
    """The sigmoid, 1 less that, and its slope, to 40 digits."""
    with mpmath.workdps(40):
        s = [sigmoid.spec.exact(mpmath, mpmath.mpf(float(z))) for z in Z]
        rest = [1 / (1 + mpmath.exp(mpmath.mpf(float(z)))) for z in Z]
        return {
            "s": s,
            "rest": rest,
            "slope": [a * b for a, b in zip(s, rest, strict=True)],
        }


def rounded(numbers: list[Any], dtype: Any) -> np.ndarray:
    """The nearest numbers of a dtype, the even one of two, from exact ones."""
    has = np.finfo(dtype)
    found = []
    for number in numbers:
        power = max(int(mpmath.floor(mpmath.log(number, 2))), int(has.minexp))
        unit = mpmath.mpf(2) ** (power - has.nmant)
        found.append(float(mpmath.nint(number / unit) * unit))
    return np.array(found)


@pytest.mark.parametrize("name", bits.DTYPES)
def test_each_step_is_that_of_numpy_bit_for_bit(name: str, shown: Any) -> None:
    dtype = bits.DTYPES[name]
    rows = shown[name]["stepped"]
    for key, right in steps(dtype).items():
        assert right.dtype == dtype
        np.testing.assert_array_equal(column(rows, key), right.astype(float))
        np.testing.assert_array_equal(column(rows, key, "bits"), right.view(WHOLE[name]))


def test_the_form_that_keeps_the_slope_is_the_package_s(shown: Any) -> None:
    kept = column(shown["float32"]["stepped"], "kept")
    np.testing.assert_array_equal(kept, sigmoid.grad(Z.astype(np.float32)))


@pytest.mark.parametrize("name", bits.DTYPES)
def test_one_rounding_is_that_of_exact_numbers(name: str, shown: Any, exact: Any) -> None:
    dtype = bits.DTYPES[name]
    rows = shown[name]["once"]
    s = rounded(exact["s"], dtype)
    np.testing.assert_array_equal(column(rows, "s"), s)
    np.testing.assert_array_equal(column(rows, "nearest"), rounded(exact["slope"], dtype))
    with_one = s.astype(dtype)
    np.testing.assert_array_equal(column(rows, "rest"), 1 - with_one)
    np.testing.assert_array_equal(column(rows, "usual"), with_one * (1 - with_one))


def digits(number: Any, count: int) -> Decimal:
    """A number with so many digits; JavaScript rounds halves up."""
    return Context(prec=count, rounding=ROUND_HALF_UP).create_decimal(Decimal(number))


def written(parts: list[str]) -> Decimal:
    text = "".join(parts).replace(" × 10", "e")
    return Decimal(text.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")))


@pytest.mark.parametrize("name", bits.DTYPES)
def test_the_decimals_are_those_of_the_numbers(name: str, shown: Any, exact: Any) -> None:
    count = FOUND["dtypes"][name]["digits"]
    for row, slope in zip(shown[name]["stepped"], exact["slope"], strict=True):
        assert written(row["slope"]["decimal"]) == digits(mpmath.nstr(slope, 30), count)
        assert row["slope"]["decimal"][1] == ""
        for key in VALUES:
            assert written(row[key]["decimal"]) == digits(row[key]["value"], count), key


def right_places(value: float, exact: Any, unit: Any, base: int, count: int) -> int:
    """How many of the last places are off by one or more, asked one by one."""
    error = abs(mpmath.mpf(value) - exact)
    return next(k for k in range(count + 1) if k == count or error < unit * mpmath.mpf(base) ** k)


@pytest.mark.parametrize("name", bits.DTYPES)
@pytest.mark.parametrize("way", bits.WAYS)
def test_what_is_underlined_is_off(name: str, way: str, shown: Any, exact: Any) -> None:
    form, has = FOUND["dtypes"][name], np.finfo(bits.DTYPES[name])
    wanted = {"s": "s", "rest": "rest"}
    seen = 0
    for place in range(0, len(Z), SOME):
        row = shown[name][way][place]
        for key in VALUES:
            right, value = exact[wanted.get(key, "slope")][place], row[key]["value"]
            power = max(int(np.frexp(value)[1]) - 1, int(has.minexp)) if value else has.minexp
            ulp = mpmath.mpf(2) ** (power - has.nmant)
            off = right_places(value, right, ulp, 2, has.nmant + 1)
            wrong = sum(len(field[1]) for field in row[key]["fields"])
            assert wrong == (off if off <= has.nmant else has.nmant + has.nexp), (key, Z[place])
            text = row[key]["decimal"]
            wrong = len(text[1].replace(".", ""))
            if value == 0:
                assert wrong == (right >= ulp)
                continue
            last = mpmath.mpf(10) ** (written(text).adjusted() - form["digits"] + 1)
            assert wrong == right_places(value, right, last, 10, form["digits"]), (key, Z[place])
            seen += wrong > 1
    assert seen > 60


@pytest.mark.parametrize("name", bits.DTYPES)
def test_distances_are_in_ulp_of_the_exact_slope(name: str, shown: Any, exact: Any) -> None:
    has = np.finfo(bits.DTYPES[name])
    for row, slope in list(zip(shown[name]["stepped"], exact["slope"], strict=True))[::SOME]:
        power = max(int(mpmath.floor(mpmath.log(slope, 2))), int(has.minexp))
        for key in ("usual", "kept", "nearest"):
            off = float(abs(row[key]["value"] - slope) / mpmath.mpf(2) ** (power - has.nmant))
            assert row[key]["off"] == pytest.approx(off, rel=1e-6, abs=1e-6)
            said = float(row[key]["ulps"].split()[2].replace(",", ""))
            assert said == pytest.approx(off, rel=0.051, abs=0.051)
        assert row["nearest"]["off"] <= 0.5 + 1e-6


@pytest.mark.parametrize("name", bits.DTYPES)
def test_one_minus_s_is_zero_from_where_it_says(name: str, shown: Any) -> None:
    dtype, bit = bits.DTYPES[name], np.finfo(bits.DTYPES[name]).nmant
    for way, more in zip(bits.WAYS, (1, 2), strict=True):
        zero = bits.zero_from(dtype, way)
        text, place = FOUND["dtypes"][name]["zero"][way]
        assert zero == pytest.approx((bit + more) * np.log(2), abs=float(np.spacing(zero)))
        assert float(text) == pytest.approx(float(zero), abs=0.00501)
        rest = column(shown[name][way], "rest")
        assert Z[(rest == 0) & (Z > 0)][0] == place
        assert (rest[place <= Z] == 0).all()
    assert [FOUND["dtypes"]["float32"]["zero"][way][0] for way in bits.WAYS] == ["16.64", "17.33"]


def test_the_first_zero_is_the_first_of_all() -> None:
    for dtype in bits.DTYPES.values():
        zero = bits.zero_from(dtype, "stepped")
        around = np.array([np.nextafter(zero, dtype(0)), zero], dtype)
        assert list(1 / (1 + np.exp(-around)) == 1) == [False, True]


def test_the_words_are_those_of_the_numbers(shown: Any) -> None:
    for name, ways in shown.items():
        has, count = np.finfo(bits.DTYPES[name]), FOUND["dtypes"][name]["digits"]
        for rows in ways.values():
            for z, row in zip(Z, rows, strict=True):
                assert not re.search(r" [−+] |\) \(", row["verdict"])  # no line ends in a formula
                said = row["verdict"].replace("\u00a0", " ")
                s, rest, kept = (row[key]["value"] for key in ("s", "rest", "kept"))
                assert ("has become 1" in said) == (rest == 0)
                assert ("is too large" in said) == (s == 0)
                assert ("q/(1 + q)² keeps it." in said) == (0 in (s, rest) and kept > 0)
                assert ("q/(1 + q)² is 0, too" in said) == (0 in (s, rest) and kept == 0)
                assert ("fewer digits" in said) == (0 < s < has.smallest_normal)
                if "Up to z = 0" in said:
                    assert z <= 0
                    assert row["usual"].get("off", 0) < 4
                    assert abs(s - 1 / (1 + np.exp(-z))) < 4 * has.eps * s
                if "in steps of" in said:
                    power, times, right = re.fullmatch(
                        r"s comes in steps of 2⁻(\S+)\. 1 − s is (\S+) of them: (\d) of "
                        rf"{count} digits of s\(1 − s\) (?:is|are) right\. ",
                        said,
                    ).groups()
                    assert int(power.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789"))) == (
                        has.nmant + 1
                    )
                    assert int(times.replace(",", "")) * 2.0 ** -(has.nmant + 1) == rest
                    digits = row["usual"]["decimal"][0].replace(".", "").lstrip("0")
                    assert int(right) == len(digits)


def test_rounding_to_float16_is_numpys_at_every_number_and_between() -> None:
    """All numbers from 0 on, all halves between, and the next float64 to either side."""
    numbers = np.arange(0x7C00, dtype=np.uint16).view(np.float16).astype(float)
    ends = np.append(numbers, 65536.0)
    halves = (ends[1:] + ends[:-1]) / 2
    tried = np.concatenate([halves, np.nextafter(halves, 0), np.nextafter(halves, 1e9), numbers])
    with np.errstate(over="ignore"):
        right = tried.astype(np.float16)
    found = run(f"""{source()}
        const format = {json.dumps(FOUND["dtypes"]["float16"])};
        const found = {tried.tolist()}.map((x) => nearest(x, format));
        const back = found.filter(Number.isFinite).every((x) =>
          numberWith(bitsOf(x, format), format) === x);
        console.log(JSON.stringify([found.map(String), back]));""")
    np.testing.assert_array_equal(np.array(found[0], float), right.astype(float))
    assert found[1]


def test_float32_has_digits_enough_for_two_roundings_to_be_one() -> None:
    """NumPy computes float16 in float32, JavaScript float32 in float64: 2p + 2 digits will do."""
    for wide, narrow in [(np.float32, np.float16), (np.float64, np.float32)]:
        assert np.finfo(wide).nmant + 1 >= 2 * (np.finfo(narrow).nmant + 1) + 2


def test_sizes() -> None:
    assert len(json.dumps(FOUND, separators=(",", ":")).encode()) < 40_000
    script = bits.INSTRUMENT.scripts()["bits.js"]
    assert len(gzip.compress(f"{script}{json.dumps(FOUND)}".encode())) < 12_000


def test_in_small_the_markup_is_whole_and_loads_nothing() -> None:
    script = bits.INSTRUMENT.scripts()["bits.js"]
    assert checked_data(f"{bits.markup(compact=True)}<script>{script}</script>") == FOUND


def test_the_picture_without_scripts_underlines_what_the_instrument_does(shown: Any) -> None:
    svg, words = bits.still(16.0)
    row = shown["float32"]["stepped"][int(np.flatnonzero(Z == 16)[0])]
    off = [sum(len(field[1]) for field in row[name]["fields"]) for name in VALUES[:4]]
    assert off == [0, 19, 20, 1]
    told = re.findall(r"its bits [01 ]+(?:, off: the last (\d+))?\.", words)
    assert [int(number or 0) for number in told] == off
    lines = [
        (int(end) - int(left)) // 14 for left, end in re.findall(r'<path d="M(\d+) \d+H(\d+)"', svg)
    ]
    assert lines == [number for number in off if number]


def test_the_picture_without_scripts_shows_numpys_numbers() -> None:
    svg, words = bits.still(16.0)
    s = 1 / (1 + np.exp(-np.float32([16])))
    for number in (s, 1 - s, s * (1 - s), sigmoid.grad(np.float32([16]))):
        bit = f"{number.view(np.uint32)[0]:032b}"
        assert f"{bit[:1]} {bit[1:9]} {bit[9:]}" in words
        mantissa, power = f"{number[0]:.8e}".split("e-0")
        assert f"{mantissa} × 10⁻{'⁰¹²³⁴⁵⁶⁷⁸⁹'[int(power)]}<" in svg
    drawn = re.findall(r'text-anchor="middle">([01])<', svg)
    assert f"{(1 - s).view(np.uint32)[0]:032b}" in "".join(drawn)
