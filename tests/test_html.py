"""Parts of all views: curves, elements, folded tables."""

import math

import numpy as np
import pytest
from shown import Page

from nnlearn import _html

NAN = math.nan


# ---- curves ------------------------------------------------------------------------------------


def points_of(curve: str) -> list[tuple[float, float]]:
    text = Page(curve).of("polyline")[0]["points"]
    return [(float(x), float(y)) for x, y in (point.split(",") for point in text.split())]


def test_a_curve_fills_its_box_from_end_to_end() -> None:
    xs, ys = zip(*points_of(_html.curve([0.0, 5.0, 10.0], "c", width=106, height=26)), strict=True)
    assert xs == (3, 53, 103)
    assert ys == (23, 13, 3)


def test_a_thinned_curve_keeps_its_ends_and_peaks() -> None:
    values = np.zeros(10_000)
    values[[0, 4321, 7000, 9999]] = [1.0, 9.0, -9.0, 2.0]
    points = points_of(_html.curve(values, "c"))
    assert len(points) <= 60
    assert points == sorted(points, key=lambda point: point[0])
    assert points[0][0] == 3
    assert points[-1][0] == 117
    assert {min(y for _, y in points), max(y for _, y in points)} == {3, 21}


@pytest.mark.parametrize("n", [1, 59, 60, 61, 62, 1000])
def test_no_more_points_are_kept_than_asked_for(n: int) -> None:
    kept = _html._thinned(np.random.default_rng(n).random(n), 60)
    assert len(kept) <= 60
    assert [kept[0], kept[-1]] == [0, n - 1]
    assert (np.diff(kept) > 0).all()


def test_gaps_are_bridged() -> None:
    full = points_of(_html.curve([0.0, 1.0, 2.0, 3.0], "c"))
    gaps = points_of(_html.curve([0.0, NAN, math.inf, 3.0], "c"))
    assert gaps == [full[0], full[3]]


def test_a_constant_is_a_level_line_and_one_value_a_dot() -> None:
    assert {y for _, y in points_of(_html.curve([2.0, 2.0, 2.0], "c"))} == {12}
    assert len(Page(_html.curve([2.0], "c")).of("circle")) == 1
    assert _html.curve([NAN, NAN], "c") == ""
    assert _html.curve([], "c") == ""


# ---- parts -------------------------------------------------------------------------------------


def test_elements_escape_all_that_is_no_html() -> None:
    inner = _html.element("span", "<&>")
    outer = _html.element("div", inner, "<b>", 3, title='"', aria_label=None)
    assert outer == '<div title="&quot;"><span>&lt;&amp;&gt;</span>&lt;b&gt;3</div>'


@pytest.mark.parametrize("n", [0, 1, 5, 6, 7, 50])
def test_long_tables_are_folded_in_the_middle(n: int) -> None:
    rows = [(i, "x") for i in range(n)]
    folded = _html.fold(rows, 6, "rows")
    assert len(folded) == min(n, 6)
    if n > 6:
        assert folded[:4] == rows[:4]
        assert folded[4] == (f"\N{HORIZONTAL ELLIPSIS} {n - 5} more rows", "")
        assert folded[5:] == rows[-1:]
