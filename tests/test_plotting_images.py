"""Pictures of images and of weights: every pixel where it belongs, and the words above."""

import re

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure

import nnlearn as nn
from nnlearn.plotting import plot_digits, plot_misclassified, plot_weights

RNG = np.random.default_rng(5)
GREY = RNG.integers(0, 256, (5, 6, 4), dtype=np.uint8)


@pytest.fixture
def ax():
    return Figure(figsize=(6, 6)).subplots()


@pytest.fixture(autouse=True)
def no_figure_left():
    pyplot.switch_backend("Agg")
    yield
    pyplot.close("all")


def words(ax):
    return [text.get_text() for text in ax.texts]


def tiles(ax, columns, size):
    """The images of a picture, cut out again by the width of its gaps."""
    grid = np.ma.filled(ax.images[0].get_array().astype(float), np.nan)
    rows = -(-grid.shape[0] // size[0])
    across = (grid.shape[1] - columns * size[1]) // max(columns - 1, 1)
    found = []
    for i in range(rows * columns):
        left = i % columns * (size[1] + across)
        down = np.flatnonzero(~np.isnan(grid[:, left].reshape(len(grid), -1)).all(axis=1))
        starts = down[np.r_[True, np.diff(down) > 1]]
        if i // columns < len(starts):
            top = starts[i // columns]
            found.append(grid[top : top + size[0], left : left + size[1]])
    return found


def test_images_stand_row_by_row_in_the_order_given(ax):
    assert plot_digits(GREY, ax=ax, columns=3) is ax
    shown = tiles(ax, 3, (6, 4))
    assert len(shown) == 5
    for tile, image in zip(shown, GREY, strict=True):
        np.testing.assert_array_equal(tile, image)
    assert not ax.texts
    assert len(ax.get_xticks()) == len(ax.get_yticks()) == 0
    assert ax.images[0].get_clim() == (0, 255)


def test_gaps_have_no_colour(ax):
    plot_digits(GREY, ax=ax, columns=3)
    array = ax.images[0].get_array()
    assert np.ma.getmaskarray(array).sum() == array.size - GREY.size
    assert ax.images[0].to_rgba(array)[..., 3].sum() == GREY.size


def test_three_channels_are_colours_and_gaps_are_clear(ax):
    x = RNG.random((2, 3, 6, 4))
    plot_digits(x, ax=ax)
    picture = ax.images[0].get_array()
    np.testing.assert_array_equal(picture[:, :4, :3], np.rint(255 * x[0].transpose(1, 2, 0)))
    assert picture.shape[2] == 4
    assert picture[:, :4, 3].min() == 255
    assert picture[:, 4, 3].max() == 0


def test_two_channels_stand_side_by_side(ax):
    x = RNG.random((1, 2, 6, 4))
    plot_digits(x, ax=ax)
    picture = ax.images[0].get_array()
    np.testing.assert_array_equal(picture[:, :4], np.rint(255 * x[0, 0]))
    np.testing.assert_array_equal(picture[:, 5:], np.rint(255 * x[0, 1]))


def test_each_label_stands_above_the_middle_of_its_image(ax):
    plot_digits(GREY, ["a", "b", 3, 4, 5], ax, columns=2)
    assert words(ax) == ["a", "b", "3", "4", "5"]
    grid = ax.images[0].get_array()
    for text in ax.texts:
        x, y = text.get_position()
        below = int(np.floor(y)) + 1
        assert not np.ma.getmaskarray(grid)[below, int(x)]  # the image begins
        assert below == 0 or np.ma.getmaskarray(grid)[below - 1, int(x)]
    assert ax.texts[0].get_position()[0] == 1.5
    assert ax.get_ylim()[1] < -1  # room for the first row's


def test_a_split_knows_labels_names_and_sides(ax):
    split = nn.Split(GREY.reshape(5, 24), [0, 1, 0, 2, 1], image_shape=(6, 4))
    assert words(plot_digits(split, ax=ax)) == ["0", "1", "0", "2", "1"]
    named = nn.Split(split.x, split.y, image_shape=(6, 4), class_names=["x", "y", "z"])
    assert words(plot_digits(named, n=4)) == ["x", "y", "x", "z"]
    assert words(plot_digits(named, labels=())) == []
    assert words(plot_digits(named, split.y)) == ["0", "1", "0", "2", "1"]


def test_the_first_n_are_drawn_with_the_first_labels(ax):
    plot_digits(GREY, list("vwxyz"), ax, n=2)
    assert words(ax) == ["v", "w"]
    np.testing.assert_array_equal(ax.images[0].get_array()[:, :4], GREY[0])


def test_flat_images_need_a_shape(ax):
    flat = GREY.reshape(5, 24)
    np.testing.assert_array_equal(
        plot_digits(flat, ax=ax, n=1, shape=(6, 4)).images[0].get_array(), GREY[0]
    )
    message = (
        "the shape of the images must be known as (height, width) or (channels, height, width)"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}, got x of shape"):
        plot_digits(flat, ax=ax)


@pytest.mark.parametrize(
    ("x", "settings", "kind", "message"),
    [
        (GREY, {"labels": [1, 2]}, ValueError, "labels must be one for each image, got 2 for 5"),
        (GREY, {"labels": "vwxyz"}, TypeError, "labels must be a sequence of numbers or words"),
        (GREY, {"n": 0}, ValueError, "n must be an integer >= 1, got 0"),
        (GREY, {"columns": 0}, ValueError, "columns must be an integer >= 1, got 0"),
        (GREY, {"shape": (5, 5)}, ValueError, "shape must fit the images of x"),
        (GREY[:0], {}, ValueError, "x must have an image, got shape"),
        (np.full((1, 2, 2), np.nan), {}, ValueError, "x must be finite, got nan"),
    ],
)
def test_what_is_no_picture_of_digits_is_refused(x, settings, kind, message):
    with pytest.raises(kind, match=f"^{re.escape(message)}"):
        plot_digits(x, **settings)
    assert pyplot.get_fignums() == []


def test_long_words_are_written_smaller_than_short_ones():
    sizes = [
        plot_digits(np.zeros((64, 8, 8)), [text] * 64).texts[0].get_fontsize()
        for text in ("7", "Ankle boot")
    ]
    assert 4 <= sizes[1] < sizes[0] <= 10


@pytest.mark.parametrize(("n", "text"), [(4, "7"), (9, "Ankle boot"), (100, "12345")])
def test_words_keep_to_their_images(n, text):
    ax = plot_digits(np.zeros((n, 28, 28)), [text] * n)
    figure = ax.figure
    figure.canvas.draw()
    boxes = [t.get_window_extent() for t in ax.texts[:2]]
    assert boxes[0].x1 <= boxes[1].x0
    assert boxes[0].x0 >= 0
    assert boxes[0].y1 <= figure.bbox.y1


# ---- mistakes -----------------------------------------------------------------------------------


def identity(n_classes=4):
    """A network that predicts the brightest of its four pixels."""
    net = nn.Network([n_classes, n_classes], seed=1)
    net.weights[0] = 8 * np.eye(n_classes)
    net.biases[0] = np.full(n_classes, -4.0)
    return net


X = np.eye(4, dtype="float32")[[0, 1, 2, 3, 1]] * np.array([1, 1, 1, 0.6, 1], "float32")[:, None]
MISTAKEN = nn.Split(X, [0, 2, 2, 0, 1], image_shape=(2, 2))


def test_mistakes_come_with_both_classes_the_worst_first(ax):
    assert plot_misclassified(identity(), MISTAKEN, ax) is ax
    assert words(ax) == ["2 → 1", "0 → 3"]
    grid = ax.images[0].get_array()
    np.testing.assert_allclose(grid[:, :2], 255 * X[1].reshape(2, 2))
    np.testing.assert_allclose(grid[:, 3:], 255 * X[3].reshape(2, 2))
    assert ax.get_xlabel() == "true → predicted, largest loss first\n2 mistakes in 5"


def test_an_evaluation_and_an_ensemble_give_the_same_mistakes(ax):
    net = identity()
    for by in (net.evaluate(MISTAKEN), nn.Ensemble([net, net])):
        assert words(plot_misclassified(by, MISTAKEN)) == ["2 → 1", "0 → 3"]


def test_fewer_mistakes_than_there_are_say_so(ax):
    plot_misclassified(identity(), MISTAKEN, ax, n=1)
    assert words(ax) == ["2 → 1"]
    assert ax.get_xlabel() == "true → predicted\n1 of 2 mistakes in 5"


def test_long_names_stand_below_each_other(ax):
    names = ["T-shirt", "Trouser", "Pullover", "Dress"]
    named = nn.Split(MISTAKEN.x, MISTAKEN.y, image_shape=(2, 2), class_names=names)
    plot_misclassified(identity(), named, ax)
    assert words(ax) == ["Pullover\n→ Trouser", "T-shirt\n→ Dress"]


def test_where_nothing_is_wrong_the_picture_says_so(ax):
    plot_misclassified(identity(), MISTAKEN[:1], ax)
    assert ax.get_xlabel() == "none of 1 is wrong"
    assert not ax.images


def test_the_network_may_know_the_sides(ax):
    net = nn.Network([(2, 2), 4], seed=1)
    net.weights[0] = identity().weights[0]
    net.biases[0] = identity().biases[0]
    plot_misclassified(net, nn.Split(X, MISTAKEN.y), ax)
    assert words(ax) == ["2 → 1", "0 → 3"]


def test_evaluations_of_other_data_are_refused(ax):
    e = identity().evaluate(MISTAKEN)
    with pytest.raises(ValueError, match=r"^by must be the evaluation of data, got 5 samples"):
        plot_misclassified(e, MISTAKEN[:2], ax)
    other = nn.Split(X, [1, 2, 2, 0, 1], image_shape=(2, 2))
    with pytest.raises(ValueError, match=r"^by must be the evaluation of data, got other classes"):
        plot_misclassified(e, other, ax)


def test_what_has_no_mistakes_to_draw_is_refused(ax):
    with pytest.raises(TypeError, match=r"^data must be a Split, got .*: Split\(x, y\)$"):
        plot_misclassified(identity(), (X, MISTAKEN.y), ax)
    with pytest.raises(ValueError, match=r"^the shape of the images must be known"):
        plot_misclassified(identity(), nn.Split(X, MISTAKEN.y), ax)
    numbers = nn.Network([4, nn.Dense(1, activation="linear")], seed=1)
    values = nn.Split(X, MISTAKEN.y.astype(float), image_shape=(2, 2))
    with pytest.raises(ValueError, match=r"^by must tell classes apart, got 'regression'"):
        plot_misclassified(numbers, values, ax)


# ---- weights ------------------------------------------------------------------------------------

WEIGHTS = RNG.normal(size=(6, 3))


def test_each_unit_is_its_incoming_weights_on_one_symmetric_scale(ax):
    assert plot_weights(WEIGHTS, ax, shape=(3, 2), columns=3) is ax
    shown = tiles(ax, 3, (3, 2))
    for tile, unit in zip(shown, WEIGHTS.T, strict=True):
        np.testing.assert_array_equal(tile, unit.reshape(3, 2))
    most = np.abs(WEIGHTS).max()
    assert ax.images[0].get_clim() == (-most, most)
    bar = ax.figure.axes[1]
    assert bar.get_ylabel() == "incoming weight"


def test_colours_are_symmetric_about_white(ax):
    plot_weights(WEIGHTS, ax, shape=(3, 2), limit=1.0)
    low, zero, high = (ax.images[0].to_rgba(value)[:3] for value in (-1.0, 0.0, 1.0))
    assert min(zero) > 0.98
    assert low[0] > low[2]  # orange
    assert high[2] > high[0]  # blue


def test_frames_go_around_the_units(ax):
    plot_weights(WEIGHTS, ax, shape=(3, 2), columns=2)
    (frames,) = ax.collections
    grid = np.ma.getmaskarray(ax.images[0].get_array())
    assert len(frames.get_paths()) == 3
    for path in frames.get_paths():
        (left, top), (right, bottom) = path.vertices.min(axis=0), path.vertices.max(axis=0)
        inside = grid[
            round(top + 0.5) : round(bottom + 0.5), round(left + 0.5) : round(right + 0.5)
        ]
        assert inside.shape == (3, 2)
        assert not inside.any()


def test_a_network_gives_its_layer_and_the_sides_of_its_inputs(ax):
    net = nn.Network([(3, 2), 4, 2], seed=1)
    plot_weights(net, ax, columns=4)
    np.testing.assert_array_equal(tiles(ax, 4, (3, 2))[1], net.weights[0][:, 1].reshape(3, 2))
    plot_weights(net, Figure().subplots(), layer=-1, shape=(2, 2))
    with pytest.raises(ValueError, match=r"^the shape of the images must be known"):
        plot_weights(net, ax, layer=1)


def test_channels_of_weights_stand_side_by_side(ax):
    weights = RNG.normal(size=(12, 1))
    plot_weights(weights, ax, shape=(2, 3, 2))
    grid = ax.images[0].get_array()
    np.testing.assert_array_equal(grid[:, :2], weights[:6, 0].reshape(3, 2))
    np.testing.assert_array_equal(grid[:, 3:], weights[6:, 0].reshape(3, 2))


def test_weights_beyond_the_limit_give_the_bar_points(ax):
    plot_weights(WEIGHTS, ax, shape=(3, 2), limit=0.1)
    assert ax.images[0].get_clim() == (-0.1, 0.1)
    assert ax.images[0].colorbar.extend == "both"
    other = plot_weights(WEIGHTS, Figure().subplots(), shape=(3, 2), limit=9.0)
    assert other.images[0].colorbar.extend == "neither"


def test_weights_that_are_all_zero_are_white(ax):
    plot_weights(np.zeros((6, 3)), ax, shape=(3, 2))
    assert ax.images[0].get_clim() == (-1, 1)


@pytest.mark.parametrize(
    ("weights", "settings", "kind", "message"),
    [
        (WEIGHTS, {}, ValueError, "the shape of the images must be known"),
        (WEIGHTS, {"shape": (2, 2)}, ValueError, "shape must have 6 pixels, as the units have"),
        (WEIGHTS, {"shape": (3, 2), "limit": 0}, ValueError, "limit must be a finite number > 0"),
        (WEIGHTS[:, 0], {"shape": (3, 2)}, ValueError, "weights must be a Network or weights (n_"),
        ([[1], [1, 2]], {"shape": (3, 2)}, ValueError, "weights must be a Network or weights"),
        (WEIGHTS * np.nan, {"shape": (3, 2)}, ValueError, "weights must be finite, got nan"),
        (nn.Network([4, 2], seed=1), {"layer": 1}, ValueError, "layer must be an integer from -1"),
    ],
)
def test_what_is_no_picture_of_weights_is_refused(weights, settings, kind, message):
    with pytest.raises(kind, match=f"^{re.escape(message)}"):
        plot_weights(weights, **settings)
    assert pyplot.get_fignums() == []
