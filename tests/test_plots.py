"""The figures show what they say: the data of the lines, the markers and the shaded spans."""

import re
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from io import BytesIO
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
from colours import contrast
from contract import REPRESENTATIVE, VECTORS, deep_unless
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.pylabtools import print_figure, select_figure_formats
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from PIL import Image

from actlib import REGISTRY, leaky_relu, palette, prelu, relu, sigmoid, tanh
from actlib._core.declare import Activation, activation, derivative
from actlib._core.spec import Param
from actlib.book.figure import profiles
from actlib.book.profiles import EDGES
from actlib.plots import (
    STYLE,
    curves,
    flat_intervals,
    label_curves,
    panels,
    passed_on,
    saturated_intervals,
    section,
    svg,
    use,
)
from actlib.plots.labels import spread
from actlib.plots.vector import LARGEST, bundle

mpl.use("agg")
NAMES = sorted(REGISTRY.elementwise)
EVERY = pytest.mark.parametrize("name", NAMES)
EVERY_KIND = pytest.mark.parametrize("name", deep_unless(REPRESENTATIVE.__contains__, NAMES))


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture
def ramp() -> Iterator[object]:
    """A declared function with two kinks, which depend on its parameter."""

    @activation(
        formula="",
        exact=lambda m, z, bound: m.max(-bound, m.min(z, bound)),
        cite="",
        year=2000,
        family="Planted",
        limits=(-1, 1),
        range=(-1, 1),
        kinks=lambda bound: (bound, -bound),
        params={"bound": Param(samples=(1.5,))},
    )
    def ramp_for_test(xp, z, bound=1.0):
        return xp.minimum(xp.maximum(z, -bound), bound)

    @derivative(ramp_for_test, limits=(0, 0))
    def _(xp, z, bound):
        return xp.astype(xp.abs(z) < bound, z.dtype)

    yield ramp_for_test
    del REGISTRY["ramp_for_test"]


@pytest.fixture
def fall() -> Iterator[object]:
    """A declared function with a negative slope: the sigmoid, mirrored."""

    @activation(
        formula="",
        exact=lambda m, z: 1 / (1 + m.exp(z)),
        cite="",
        year=2000,
        family="Planted",
        limits=(1, 0),
        range=(0, 1),
    )
    def fall_for_test(xp, z):
        return 1 / (1 + xp.exp(z))

    @derivative(fall_for_test, limits=(0, 0))
    def _(xp, z):
        return -sigmoid.grad(z)

    yield fall_for_test
    del REGISTRY["fall_for_test"]


SLOPE = "$f$\N{PRIME}$(z)$"


def line(ax: Axes, label: str) -> Line2D:
    (found,) = [line for line in ax.get_lines() if line.get_label() == label]
    return found


def kinks(function: Activation[...]) -> tuple[float, ...]:
    spec = function.spec
    defaults = [param.default for param in spec.params.values()]
    return spec.kinks(*defaults) if callable(spec.kinks) else spec.kinks


def markers(ax: Axes) -> list[tuple[float, float, bool]]:
    """The markers as (z, value, whether it is filled)."""
    return [
        (
            float(mark.get_xdata()[0]),
            float(mark.get_ydata()[0]),
            mark.get_markerfacecolor() != "none",
        )
        for mark in ax.get_lines()
        if mark.get_marker() == "o"
    ]


def spans(ax: Axes) -> list[tuple[float, float]]:
    return [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in ax.patches]


@EVERY_KIND
def test_lines_are_the_function_and_its_derivative(name: str) -> None:
    function = REGISTRY[name]
    ax = curves(function, lo=-4, hi=5)
    for label, expected, dashed in [("$f(z)$", function, False), (SLOPE, function.grad, True)]:
        drawn = line(ax, label)
        z, y = np.asarray(drawn.get_xdata()), np.asarray(drawn.get_ydata())
        assert (np.nanmin(z), np.nanmax(z)) == (-4, 5)
        inner = np.isfinite(z) & ~np.isin(z, kinks(function))
        np.testing.assert_allclose(y[inner], expected(z[inner]), atol=1e-7)
        steps = np.abs(np.diff(y))
        assert np.nanmax(steps) < 0.02 * np.nanmax(abs(y)), "a line joins the two sides of a jump"
        assert drawn.is_dashed() == dashed
    assert line(ax, "$f(z)$").get_color() == palette.line(name).color
    assert [text.get_text() for text in ax.texts] == ["$f(z)$", SLOPE]


@EVERY_KIND
def test_spans_are_where_a_unit_is_saturated(name: str) -> None:
    function = REGISTRY[name]
    drawn = np.reshape(spans(curves(function, lo=-7, hi=6, share=0.2)), (-1, 2))
    intervals = saturated_intervals(function, lo=-7, hi=6, share=0.2)
    np.testing.assert_allclose(drawn, np.reshape(intervals, (-1, 2)))


@EVERY
def test_panels_show_a_function_beside_its_derivative(name: str) -> None:
    function = REGISTRY[name]
    figure = panels(function, lo=-4, hi=5)
    for ax, expected in zip(figure.axes, (function, function.grad), strict=True):
        drawn = ax.get_lines()[-1]
        z, y = np.asarray(drawn.get_xdata()), np.asarray(drawn.get_ydata())
        inner = np.isfinite(z) & ~np.isin(z, kinks(function))
        np.testing.assert_allclose(y[inner], expected(z[inner]), atol=1e-7)
        assert drawn.get_color() == palette.line(name).color
        intervals = saturated_intervals(function, lo=-4, hi=5)
        np.testing.assert_allclose(np.reshape(spans(ax), (-1, 2)), np.reshape(intervals, (-1, 2)))


def test_several_functions_in_panels_are_named_and_not_shaded() -> None:
    figure = panels(prelu, sigmoid, alpha=1.5)
    values, slopes = figure.axes
    assert [text.get_text() for text in slopes.texts] == ["PReLU", "Sigmoid"]
    assert markers(slopes) == [(0, 1.5, True), (0, 1, False)]
    assert (values.get_ylim()[0], spans(values), spans(slopes)) == (pytest.approx(-9.75), [], [])
    with pytest.raises(ValueError, match="one activation or more"):
        panels()


@pytest.mark.parametrize(("name", "middle"), [("gelu", -0.75), ("soft_shrink", 0.0)])
def test_a_flat_place_on_the_way_is_not_shaded(name: str, middle: float) -> None:
    """The bottom of a dip, and the middle of a shrinkage."""
    assert any(start < middle < end for start, end in flat_intervals(REGISTRY[name]))
    assert not any(start < middle < end for start, end in spans(curves(REGISTRY[name])))


@EVERY
def test_intervals_are_flat_inside_and_not_outside(name: str) -> None:
    function = REGISTRY[name]
    intervals = flat_intervals(function, lo=-7, hi=6)
    z = np.setdiff1d(np.linspace(-7, 6, 777), kinks(function))
    inside = np.any([(start <= z) & (z <= end) for start, end in [(8, 8), *intervals]], axis=0)
    slope = np.abs(function.grad(z))
    limit = 0.05 * np.abs(function.grad(np.linspace(-7, 6, 13001))).max()
    assert (slope[inside] <= limit * 1.001).all()
    assert (slope[~inside] >= limit * 0.999).all()


@pytest.mark.parametrize(
    ("function", "params", "expected"),
    [
        (relu, {}, [(0, 0, True), (0, 1, False)]),
        (leaky_relu, {}, [(0, 0.01, True), (0, 1, False)]),
        (prelu, {"alpha": 1.5}, [(0, 1.5, True), (0, 1, False)]),
        (prelu, {"alpha": 1.0}, []),
        (sigmoid, {}, []),
    ],
)
def test_markers_tell_the_convention(function, params, expected) -> None:
    ax = curves(function, **params)
    assert markers(ax) == expected
    assert np.isnan(line(ax, SLOPE).get_ydata()).sum() == len(expected) / 2
    assert not np.isnan(line(ax, "$f(z)$").get_ydata()).any()


def test_both_sides_of_a_kink_end_at_it() -> None:
    drawn = line(curves(relu), SLOPE)
    z, y = np.asarray(drawn.get_xdata()), np.asarray(drawn.get_ydata())
    (gap,) = np.flatnonzero(np.isnan(y))
    assert [z[gap - 1], y[gap - 1], z[gap + 1], y[gap + 1]] == [0, 0, 0, 1]


def test_kinks_follow_the_parameters(ramp) -> None:
    ax = curves(ramp, lo=-3, hi=2, bound=1.5)
    expected = [(-1.5, 0, True), (-1.5, 1, False), (1.5, 1, False), (1.5, 0, True)]
    assert markers(ax) == expected
    assert flat_intervals(ramp, lo=-3, hi=2, bound=1.5) == [(-3, -1.5), (1.5, 2)]
    assert flat_intervals(ramp, lo=-3, hi=1, bound=1.5) == [(-3, -1.5)]  # the other one is outside


def test_an_interval_goes_on_across_a_kink() -> None:
    assert flat_intervals(relu, share=1) == [(-6, 6)]
    assert flat_intervals(leaky_relu, share=0.01) == [(-6, 0)]
    assert flat_intervals(leaky_relu, share=0.0099) == []
    assert flat_intervals(relu, lo=-5, hi=-1) == [(-5, -1)]


def test_ends_of_intervals_are_exact() -> None:
    edge = np.log((1 + np.sqrt(0.95)) / (1 - np.sqrt(0.95)))  # where s(1 - s) is 0.05 / 4
    np.testing.assert_allclose(flat_intervals(sigmoid), [(-6, -edge), (edge, 6)], rtol=1e-12)
    np.testing.assert_allclose(flat_intervals(tanh), [(-6, -edge / 2), (edge / 2, 6)], rtol=1e-12)


def test_a_falling_function_is_flat_where_its_slope_is_small(fall) -> None:
    np.testing.assert_allclose(flat_intervals(fall), flat_intervals(sigmoid), rtol=1e-12)
    assert flat_intervals(prelu, alpha=-1) == []


def test_a_kink_outside_the_range_is_not_drawn() -> None:
    ax = curves(relu, lo=1, hi=3)
    assert (markers(ax), spans(ax), ax.get_xlim()) == ([], [], (1, 3))
    z = np.asarray(line(ax, SLOPE).get_xdata())
    np.testing.assert_array_equal(z, np.sort(z))
    assert z[0] == 1


def test_exactly_zero_only() -> None:
    assert flat_intervals(relu, share=0) == [(-6, 0)]
    assert flat_intervals(sigmoid, share=0) == []
    assert flat_intervals(prelu, share=0, alpha=0) == [(-6, 0)]


@EVERY_KIND
def test_legible_on_white_and_nearly_black(name: str) -> None:
    ax = curves(REGISTRY[name])
    ax.figure.canvas.draw()
    assert ax.figure.patch.get_facecolor()[3] == ax.patch.get_facecolor()[3] == 0
    words = [*ax.get_xticklabels(), *ax.get_yticklabels(), ax.xaxis.label]
    words += ax.texts
    assert min(word.get_fontsize() for word in words) >= 10
    for artist in [*ax.get_lines(), *words]:
        assert min(contrast(artist.get_color(), page) for page in ("#ffffff", "#121212")) >= 3


def test_words_are_legible_on_white_and_nearly_black() -> None:
    with plt.rc_context(STYLE):
        figure, ax = plt.subplots()
        ax.plot([1, 2], label="line")
        ax.set(xlabel="x", ylabel="y", title="title")
        ax.legend(title="legend")
        figure.supxlabel("all")
        figure.canvas.draw()
    words = [word for word in figure.findobj(Text) if word.get_text()]
    assert {"line", "x", "y", "title", "legend", "all", "1.0"} <= {w.get_text() for w in words}
    for word in words:
        assert contrast(word.get_color(), "#ffffff") >= 4.5
        assert contrast(word.get_color(), "#121212") >= 4.1  # 4.5 on both is impossible
    for key in ("axes.edgecolor", "grid.color", "hatch.color"):
        assert min(contrast(STYLE[key], page) for page in ("#ffffff", "#121212", "#222832")) >= 3


def test_words_are_large_enough_on_a_phone() -> None:
    inches = STYLE["figure.figsize"][0] + 0.2  # with the margin that bbox_inches="tight" adds
    for key in ("font.size", "axes.labelsize", "axes.titlesize", "figure.labelsize"):
        assert STYLE[key] / 72 * 330 / inches >= 9


@pytest.mark.parametrize("entry", STYLE["axes.prop_cycle"], ids=lambda entry: entry["color"])
def test_colours_show_on_light_and_dark(entry) -> None:
    for page in ("#ffffff", "#121212", "#14181e", "#222832"):
        assert contrast(entry["color"], page) >= 3


def test_lines_differ_in_more_than_their_colour() -> None:
    for key in ("color", "linestyle"):
        values = [entry[key] for entry in STYLE["axes.prop_cycle"]]
        assert len(values) == len({*values}) == 5


def saved(figure: Figure) -> bytes:
    file = BytesIO()
    figure.savefig(file)
    return file.getvalue()


@pytest.mark.parametrize("write", [print_figure, saved])  # the former is what notebooks store
def test_png_files_are_transparent(write) -> None:
    with plt.rc_context(STYLE):
        figure, ax = plt.subplots(layout="constrained")
        ax.plot([0, 1])
        image = Image.open(BytesIO(write(figure)))
    assert image.width >= 700
    opacity = np.asarray(image.convert("RGBA"))[..., 3]
    assert (opacity[[0, 0, -1, -1], [0, -1, 0, -1]] == 0).all()
    assert np.median(opacity) == 0, "the ground of the axes too"


@pytest.mark.parametrize("name", VECTORS)
def test_a_section_is_the_function_and_its_derivative(name: str) -> None:
    """The slope of the first line, by differences of it, is the second line, but at the kink."""
    lines = section(VECTORS[name], lo=-3, hi=2).lines
    value, slope = lines[2].get_xydata(), lines[-1].get_xydata()
    value, slope = (xy[np.diff(xy[:, 0], append=3) > 1e-9] for xy in (value, slope))
    assert value[0, 0] == -3
    inner = abs(value[1:-1, 0]) > 0.01
    by_differences = np.gradient(value[:, 1], value[:, 0])[1:-1]
    there = np.isin(slope[:, 0], value[1:-1, 0][inner])
    np.testing.assert_allclose(by_differences[inner], slope[there, 1], atol=1e-3)
    gates = {"reglu": relu, "glu": sigmoid}
    if name in gates:
        np.testing.assert_allclose(value[:, 1], gates[name](value[:, 0]), atol=1e-8)
    if name == "softmax":
        expected = np.exp(value[:, 0]) / (np.exp(value[:, 0]) + 2)
        np.testing.assert_allclose(value[:, 1], expected, atol=1e-8)


def test_profiles_show_what_is_recorded() -> None:
    figure = profiles("gradient", "float32", ["actlib", "jax"])
    ours, theirs = (np.ma.filled(ax.images[0].get_array(), np.nan) for ax in figure.axes[:2])
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert "sigmoid" in names
    assert "hard_shrink" not in names  # JAX has none
    assert np.nanmax(ours) <= 1  # E is at most 8, that is less than a digit
    assert theirs.shape == ours.shape == (len(names), 2 * len(EDGES) - 2)
    lost = [EDGES[:-1][i] for i in np.flatnonzero(theirs[names.index("sigmoid")] == 9) - 29]
    assert lost[0] == 14  # the interval that ends at 17; it begins to be lost at 16.6
    assert lost[-1] == 60
    assert figure.axes[1].patch.get_hatch()  # behind a function that JAX does not have
    alone = profiles("gradient", "float32", "jax")
    assert [ax.get_title() for ax in alone.axes[:-1]] == ["JAX"]
    np.testing.assert_array_equal(np.ma.filled(alone.axes[0].images[0].get_array(), np.nan), theirs)


@pytest.mark.parametrize(
    ("at", "moved"),
    [
        ([], []),
        ([0, 30], [0, 30]),  # far enough apart
        ([30, 0], [30, 0]),
        ([5, 5], [0, 10]),  # both give way, and keep their order
        ([0, 4, 100], [-3, 7, 100]),
        ([0, 8, 12], [-10 / 3, 20 / 3, 50 / 3]),
    ],
)
def test_labels_give_way_as_little_as_possible(at, moved) -> None:
    np.testing.assert_allclose(spread(at, 10), moved)


def test_labels_stand_at_the_ends_of_their_lines_and_apart() -> None:
    with plt.rc_context(STYLE):
        _, ax = plt.subplots(layout="constrained")
        for number, end in enumerate([1.0, 1.0, 0.99, 0.2]):
            ax.plot([0, 1], [0, end], label=f"line {number}")
        ax.plot([0, 1], [0.5, 0.5])
        label_curves(ax)
    ax.figure.canvas.draw()
    assert [text.get_text() for text in ax.texts] == [f"line {number}" for number in range(4)]
    boxes = [text.get_window_extent() for text in ax.texts]
    for number, box in enumerate(boxes):
        assert ax.texts[number].get_color() == ax.lines[number].get_color()
        assert box.x0 > ax.transData.transform((1, 0))[0]
        assert box.x1 <= ax.figure.bbox.x1
        assert not any(box.overlaps(other) for other in boxes[:number])


def test_a_line_that_leaves_the_axes_is_labelled_where_it_is_last_seen() -> None:
    _, ax = plt.subplots()
    ax.plot([0, 1, 2, 3], [0, 1, 50, np.nan], label="diverges")
    ax.set_ylim(0, 2)
    label_curves(ax)
    assert ax.texts[0].xy == (1, 1)
    ax.set_ylim(80, 90)
    label_curves(ax)
    assert len(ax.texts) == 1, "out of sight"


def drawn(end: float = np.pi) -> Figure:
    with plt.rc_context(STYLE):
        figure, ax = plt.subplots(layout="constrained")
        ax.plot([0, 1e-3, 2e-3], [0, np.sqrt(2), end], "o-", label="0.12345")
        ax.set_ylim(1, 2)  # so that there is something to cut off
        label_curves(ax)
    return figure


def test_svg_is_the_same_each_time_and_small() -> None:
    text = svg(drawn())
    assert svg(drawn()) == text
    root = ET.fromstring(text)
    assert root.tag.endswith("svg")
    named = {element.get("id") for element in root.iter()} - {None}
    assert named == {*re.findall(r'(?:url\(|href=")#([\w-]+)', text)}
    assert named.isdisjoint(re.findall(r'id="([^"]+)', svg(drawn(2)))), "both may stand in a page"
    assert not re.search(r"<style|<metadata|<!|<\?|20\d\d-", text), "a style is for all of a page"
    assert max(map(len, re.findall(r'="[^"]*?\.(\d+)', text))) <= 2
    assert ">0.12345</text>" in text, "words stay words, and as they are"


def test_what_differs_by_what_nobody_sees_is_drawn_alike() -> None:
    one, other = drawn(), drawn()
    other.axes[0].lines[0].set_ydata([1e-6, np.sqrt(2) + 1e-6, np.pi])
    assert svg(one) == svg(other)


def test_a_notebook_stores_svg_or_where_that_is_large_png() -> None:
    assert list(bundle(drawn())) == ["image/svg+xml"]
    figure, ax = plt.subplots()
    ax.plot(np.random.default_rng(0).random(5000), "o")
    assert len(svg(figure)) > LARGEST
    assert b64decode(bundle(figure)["image/png"]).startswith(b"\x89PNG")


def test_use_has_ipython_show_svg() -> None:
    shell = InteractiveShell.instance()
    select_figure_formats(shell, {"png"})  # as notebooks do
    try:
        with plt.rc_context():
            use()
            assert mpl.rcParams["figure.facecolor"] == "none"
            shown, _ = shell.display_formatter.format(drawn())
    finally:
        InteractiveShell.clear_instance()
    assert {*shown} == {"image/svg+xml", "text/plain"}


def test_draws_where_it_is_told() -> None:
    _, axes = plt.subplots(ncols=2)
    assert curves(relu, ax=axes[1]) is axes[1]
    assert not axes[0].lines
    assert plt.get_fignums() == [1]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"lo": 1, "hi": 1}, ValueError, "lo=1 and hi=1"),
        ({"lo": -np.inf}, ValueError, "finite"),
        ({"hi": np.nan}, ValueError, "finite"),
        ({"share": 1.5}, ValueError, "share"),
        ({"slope": 0.1}, TypeError, "slope"),
    ],
)
def test_senseless_arguments(arguments, error, message) -> None:
    with pytest.raises(error, match=message):
        curves(prelu, **arguments)
    with pytest.raises(error, match=message):
        flat_intervals(prelu, **arguments)
    assert plt.get_fignums() == []


def test_import_actlib_does_not_import_matplotlib() -> None:
    code = "import sys, actlib; actlib.relu(1.0); sys.exit('matplotlib' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_layers_pass_on_is_shown_example_by_example_and_in_all() -> None:
    rng = np.random.default_rng(0)
    outputs = [rng.normal(size=(200, 5)), np.tile(np.linspace(-1, 1, 5), (200, 1))]
    figure = passed_on(outputs, [3, 1], name="tanh")
    assert [axes.get_title() for axes in figure.axes] == ["layer 1", "2", "", ""]
    scales = []
    for number, values in enumerate(outputs):
        (stripes,), (histogram,) = (
            figure.axes[number].images,
            figure.axes[2 + number].patches,
        )
        np.testing.assert_array_equal(stripes.get_array(), values[[3, 1]])
        shares, edges, _ = histogram.get_data()  # type: ignore[attr-defined]
        counts = np.histogram(values, edges)[0]
        np.testing.assert_allclose(shares, counts / counts.max())
        assert histogram.get_facecolor() == mpl.colors.to_rgba(palette.line("tanh").color)
        scales.append((*stripes.get_clim(), edges[0], edges[-1]))
    assert scales[0] == scales[1]
    low, high = scales[0][:2]
    assert (low, high) == scales[0][2:]
    assert 0.99 < np.mean([(a >= low) & (a <= high) for a in outputs]) < 1


def test_what_no_layer_passes_on_is_an_error() -> None:
    with pytest.raises(ValueError, match="outputs must hold the outputs of one layer or more"):
        passed_on([], [0])
