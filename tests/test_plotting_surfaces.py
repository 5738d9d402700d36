"""Pictures of surfaces: the levels, the paths, and what is refused."""

import numpy as np
import pytest
from matplotlib.contour import QuadContourSet
from matplotlib.figure import Figure

from nnlearn import SGD
from nnlearn.descent import Bowl, Descent, Valley, descend
from nnlearn.plotting import COLOURS, plot_contours, plot_surface

VIEW = (-1.0, 1.0, -2.0, 2.0)
PATH = descend(Bowl(), Bowl.start, SGD(1.5), steps=5)


@pytest.fixture
def ax():
    return Figure().subplots()


@pytest.fixture
def ax3():
    return Figure().add_subplot(projection="3d")


def plane(x, y):
    return x + 0 * y


def lines_of(ax):
    """The contour lines, not the filled ones."""
    sets = [c for c in ax.collections if isinstance(c, QuadContourSet)]
    return next(c for c in sets if not c.filled)


def test_contours_of_a_plane_lie_at_equal_steps(ax):
    assert plot_contours(plane, ax, view=VIEW, levels=4) is ax
    lines = lines_of(ax)
    np.testing.assert_allclose(lines.levels, [-0.5, 0.0, 0.5], atol=1e-12)
    for level, path in zip(lines.levels, lines.get_paths(), strict=True):
        np.testing.assert_allclose(path.vertices[:, 0], level, atol=1e-12)
    assert (ax.get_xlim(), ax.get_ylim()) == ((-1, 1), (-2, 2))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("weight $w_1$", "weight $w_2$")


def test_half_of_the_contours_lie_below_the_median_cost(ax):
    plot_contours(Bowl(), ax, levels=10)
    x, y = np.meshgrid(np.linspace(*Bowl.view[:2], 201), np.linspace(*Bowl.view[2:], 201))
    median = np.median(Bowl().cost(x, y))
    assert (lines_of(ax).levels <= median * (1 + 1e-9)).sum() == 5


def test_the_cross_is_the_minimum(ax):
    plot_contours(Valley(), ax)
    np.testing.assert_array_equal(ax.get_lines()[0].get_xydata(), [Valley.minimum])
    assert ax.get_lines()[0].get_marker() == "+"


def test_a_path_is_drawn_from_its_ring_to_its_dot(ax):
    plot_contours(Bowl(), ax, paths=PATH)
    _, line, ring, dot = ax.get_lines()
    np.testing.assert_array_equal(line.get_xydata(), PATH.points)
    np.testing.assert_array_equal(ring.get_xydata(), PATH.points[:1])
    np.testing.assert_array_equal(dot.get_xydata(), PATH.points[-1:])
    assert (ring.get_markerfacecolor(), line.get_marker()) == ("none", "o")
    assert ax.get_legend() is None


def test_named_paths_have_a_legend_and_a_colour_each(ax):
    points = np.array([[0.0, 0.0], [0.5, 0.5]])
    plot_contours(plane, ax, view=VIEW, paths={"a": PATH, "b": points})
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    named = [line for line in ax.get_lines() if line.get_label() in "ab"]
    assert [line.get_color() for line in named] == list(COLOURS[:2])


def test_steps_of_long_paths_have_no_dots(ax):
    long = np.zeros((62, 2))
    plot_contours(plane, ax, view=VIEW, paths={"a": long, "b": long[:2]})
    named = [line for line in ax.get_lines() if line.get_label() in "ab"]
    assert [line.get_marker() for line in named] == ["None", "None"]


def test_a_level_plane_and_one_with_holes_are_drawn(ax, ax3):
    plot_contours(lambda x, y: 0 * x, ax, view=VIEW)
    assert not ax.collections
    with np.errstate(invalid="ignore"):
        plot_contours(lambda x, y: np.sqrt(x), ax, view=VIEW)
        plot_surface(lambda x, y: np.sqrt(x), ax3, view=VIEW)
    assert lines_of(ax).levels.min() > 0


def test_a_surface_has_its_paths_upon_it(ax3):
    outside = np.array([[9.0, 9.0], *PATH.points])
    assert plot_surface(Bowl(), ax3, paths={"a": outside}) is ax3
    x, y, z = ax3.get_lines()[0].get_data_3d()
    np.testing.assert_array_equal(np.c_[x, y][1:], PATH.points)
    np.testing.assert_allclose(z[1:], PATH.costs)
    assert np.isnan([x[0], y[0], z[0]]).all()
    assert ax3.get_zlabel() == "cost"
    assert [text.get_text() for text in ax3.get_legend().get_texts()] == ["a"]


def test_the_surface_is_as_high_as_its_cost(ax3):
    plot_surface(Bowl(condition=4.0), ax3)
    assert len(ax3.collections) == 1
    heights = ax3.zz_dataLim.intervalx
    np.testing.assert_allclose(heights, [0.0, Bowl(condition=4.0).cost(2.0, 1.5)], atol=1e-12)


def test_new_axes_have_the_dimensions(monkeypatch):
    from matplotlib import pyplot

    pyplot.switch_backend("Agg")
    assert plot_surface(Bowl()).name == "3d"
    assert plot_contours(Bowl()).name == "rectilinear"
    pyplot.close("all")


def test_axes_of_the_other_dimensions_are_refused(ax, ax3):
    with pytest.raises(TypeError, match=r"^ax must be axes of three dimensions, got .*projection"):
        plot_surface(Bowl(), ax)
    with pytest.raises(TypeError, match=r"^ax must be a matplotlib Axes of two dimensions, got <A"):
        plot_contours(Bowl(), ax3)


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({}, TypeError, "view must be four numbers: left, right, bottom, top, got None"),
        ({"view": (1, 2, 3)}, ValueError, "view must be four numbers"),
        ({"view": (1, -1, 0, 1)}, ValueError, "view must have left < right and bottom < top"),
        ({"view": (0, 1, 0, np.inf)}, ValueError, "each number of view must be a finite number"),
        ({"view": "abcd"}, TypeError, "view must be four numbers"),
        ({"view": VIEW, "paths": 3}, TypeError, "each path must be a Descent or an array"),
        ({"view": VIEW, "paths": {"a": [1, 2]}}, ValueError, "each path must be a Descent"),
        ({"view": VIEW, "paths": [[1, 2], [3]]}, ValueError, "each path must be a Descent"),
        ({"view": VIEW, "paths": [["a", "b"]]}, TypeError, "each path must be a Descent"),
        ({"view": VIEW, "paths": np.empty((0, 2))}, ValueError, "each path must be a Descent"),
    ],
)
def test_what_is_no_view_or_path_is_refused(ax, ax3, settings, kind, message):
    for draw, axes in ((plot_contours, ax), (plot_surface, ax3)):
        with pytest.raises(kind, match=rf"^{message}"):
            draw(plane, axes, **settings)
        assert not axes.get_lines()


@pytest.mark.parametrize(
    ("surface", "kind", "message"),
    [
        (lambda x, y: 1.0, ValueError, r"surface must give an array of the places' shape"),
        (lambda x, y: x + 1j, TypeError, "surface must give real numbers"),
        (lambda x, y: x * np.nan, ValueError, "surface must be finite somewhere in view"),
        (lambda x, y: x if x > 0 else y, ValueError, "surface must take arrays, .*vectorize"),
    ],
)
def test_what_is_no_cost_is_refused(ax, surface, kind, message):
    with pytest.raises(kind, match=rf"^{message}"):
        plot_contours(surface, ax, view=VIEW)


def test_one_level_is_too_few(ax):
    with pytest.raises(ValueError, match=r"^levels must be an integer >= 2, got 1$"):
        plot_contours(Bowl(), ax, levels=1)


def test_a_path_of_one_place_is_drawn(ax, ax3):
    still = Descent(np.zeros((1, 2)), np.zeros(1))
    plot_contours(Bowl(), ax, paths=still)
    plot_surface(Bowl(), ax3, paths=still)
    assert len(ax.get_lines()) == 4
