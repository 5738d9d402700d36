"""Drawings made into images like MNIST's."""

import numpy as np
import pytest

from nnlearn.datasets import load_mnist_small
from nnlearn.datasets.digit_image import BOX, SIDE, centre_of_mass, drawn, ink_box, normalised

#: float32 holds an image's numbers to this.
ROUNDING = 1e-6

#: A three, as a hand draws it.
THREE = np.array([(0.3, 0.25), (0.5, 0.17), (0.65, 0.3), (0.5, 0.47), (0.7, 0.65), (0.35, 0.8)])


def ink_by_distance(strokes, width, side):
    """What `drawn` gives, from the distance of every pixel to every line."""
    y, x = np.mgrid[:side, :side] + 0.5
    nearest = np.full((side, side), np.inf)
    for stroke in strokes:
        points = np.asarray(stroke) * side
        for a, b in zip(points, points[1:] if len(points) > 1 else points, strict=False):
            along, length_2 = b - a, (b - a) @ (b - a)
            t = (x - a[0]) * along[0] + (y - a[1]) * along[1]
            t = np.clip(t / length_2, 0, 1) if length_2 else 0
            distance = np.hypot(x - a[0] - t * along[0], y - a[1] - t * along[1])
            nearest = np.minimum(nearest, distance)
    return np.clip(width * side / 2 + 0.5 - nearest, 0, 1)


@pytest.mark.parametrize(("times", "above", "left"), [(5, 0, 0), (3, 40, 7), (8, 11, 90)])
def test_digits_drawn_large_anywhere_come_back(times, above, left):
    for digit in load_mnist_small().test.x[:60].reshape(-1, SIDE, SIDE):
        large = np.pad(np.kron(digit, np.ones((times, times))), ((above, 9), (left, 3)))
        np.testing.assert_allclose(normalised(large), digit, atol=ROUNDING)


def test_the_place_of_a_drawing_does_not_matter():
    at_home = normalised(drawn([THREE], 0.08))
    moved = normalised(drawn([THREE + np.array([0.2, -0.1])], 0.08))  # by 28 and 14 pixels
    np.testing.assert_allclose(moved, at_home, atol=ROUNDING * SIDE)


def test_the_size_of_a_drawing_hardly_matters():
    large = normalised(drawn([THREE], 0.08))
    small = normalised(drawn([THREE / 2], 0.04))
    # The edge of a line is one pixel of the paper soft: a fifth or a tenth of one of the image.
    assert np.abs(small - large).max() < 0.3
    assert np.abs(small - large).mean() < 0.02


def test_the_aspect_ratio_and_the_ink_are_kept():
    bar = np.zeros((400, 400))
    bar[100:400, 30:75] = 0.5
    image = normalised(bar)  # 300 by 45 pixels become 20 by 3
    expected = np.zeros((SIDE, SIDE))
    expected[4 : 4 + BOX, 13:16] = 0.5  # rows 4 to 23 have their centre at 13.5, columns at 14
    np.testing.assert_allclose(image, expected, atol=ROUNDING)


def test_a_side_between_two_pixels_is_shared_by_them():
    bar = np.ones((200, 15))  # 20 by 1.5
    image = normalised(bar)
    np.testing.assert_allclose(image[10, 13:16].sum(), 1.5, atol=ROUNDING)
    np.testing.assert_allclose(image.sum(), BOX * 1.5, rtol=ROUNDING)


def test_the_centre_of_mass_lies_on_pixel_14():
    row, column = centre_of_mass(normalised(drawn([THREE], 0.08)))
    assert abs(row - 14) <= 0.5
    assert abs(column - 14) <= 0.5


def test_a_digit_never_leaves_the_image():
    heavy = np.full((100, 100), 1e-3)
    heavy[:5] = 1.0  # its centre of mass wants to lie at row 14, which is 7 too far down
    assert ink_box(normalised(heavy)) == (8, 4, BOX, BOX)


@pytest.mark.parametrize("side", [100, 137, 300])
def test_a_symmetric_digit_has_as_much_paper_on_all_sides(side):
    assert ink_box(normalised(np.full((side, side), 0.3))) == (4, 4, BOX, BOX)


@pytest.mark.parametrize("shape", [(28, 28), (1, 1), (50, 300)])
def test_without_ink_there_are_zeros(shape):
    assert not normalised(np.zeros(shape)).any()
    assert ink_box(np.zeros(shape)) is None
    assert centre_of_mass(np.zeros(shape)) is None


@pytest.mark.parametrize("strokes", [[THREE], [[(0, 0), (1, 0.9)], [(0.2, 0.7)]], [THREE, THREE]])
@pytest.mark.parametrize("width", [0.01, 0.08, 0.3])
def test_ink_is_as_the_distance_to_the_lines_says(strokes, width):
    expected = ink_by_distance(strokes, width, 70)
    np.testing.assert_allclose(drawn(map(np.array, strokes), width, 70), expected, atol=1e-5)


def test_many_points_are_drawn_like_few():
    t = np.linspace(0, 1, 3000)[:, None]  # more than are drawn at once
    line = np.array([(0.1, 0.2)]) * (1 - t) + np.array([(0.8, 0.9)]) * t
    np.testing.assert_allclose(drawn([line], 0.1), drawn([line[[0, -1]]], 0.1), atol=1e-5)


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        (np.zeros(784), ValueError, "image must have the shape"),
        (np.zeros((0, 5)), ValueError, "image must have the shape"),
        (np.array([[0.0, np.nan]]), ValueError, "finite numbers >= 0"),
        (np.array([[0.0, -1.0]]), ValueError, "finite numbers >= 0"),
        (np.array([["a"]]), TypeError, "image must hold real numbers"),
    ],
)
def test_what_is_no_drawing_is_refused(image, error, message):
    with pytest.raises(error, match=message):
        normalised(image)
