"""Pictures of the inside of networks: shares of activations, lengths of gradients."""

import numpy as np
import pytest
from matplotlib import rcParams
from matplotlib.figure import Figure

import nnlearn as nn
from nnlearn.inspection import Inspection
from nnlearn.plotting import plot_activations, plot_gradient_norms


@pytest.fixture
def ax():
    return Figure().subplots()


def inside(*layers):
    """An inspection with these activations, each layer by its name and values."""
    a = [np.array(values, np.float32).reshape(-1, 1) for _, values in layers]
    names = tuple(name for name, _ in layers)
    return Inspection(tuple(a), (a[0], *a), tuple(a), names)


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def drawn(ax, i=0):
    """The shares of the i-th histogram and the edges of its bins."""
    found = ax.patches[i].get_data()
    return np.asarray(found.values), np.asarray(found.edges)


SIGMOID = [0.0, 0.005, 0.5, 0.5, 0.995, 0.5, 0.02, 0.5, 0.5, 0.5]


def test_the_outermost_hundredths_hold_what_is_saturated(ax):
    seen = inside(("sigmoid", SIGMOID))
    assert plot_activations(seen, ax) is ax
    shares, edges = drawn(ax)
    np.testing.assert_allclose(edges[[0, 1, -2, -1]], [0, 0.01, 0.99, 1])
    np.testing.assert_allclose(shares[[0, -1]], [20, 10])
    assert legend(ax) == ["outputs, sigmoid: 30.0 % saturated"]
    np.testing.assert_allclose(ax.get_lines()[0].get_xydata(), [(0.005, 20), (0.995, 10)])


def test_the_shares_of_all_bins_make_100_percent(ax):
    layers = [("sigmoid", SIGMOID), ("tanh", [-1, -0.3, 0.99, 0.1]), ("relu", [0, 0, 3.0, 7.5])]
    plot_activations(inside(*layers), ax)
    for i, span in enumerate((1.0, 2.0, 7.5)):
        shares, edges = drawn(ax, i)
        assert (shares * np.diff(edges) / (span / 100)).sum() == pytest.approx(100)


def test_tanh_is_saturated_beyond_98_hundredths(ax):
    plot_activations(inside(("tanh", [-0.985, -0.97, 0.97, 0.985, 0.985])), ax)
    shares, edges = drawn(ax)
    np.testing.assert_allclose(edges[[0, 1, -2, -1]], [-1, -0.98, 0.98, 1])
    np.testing.assert_allclose(shares[[0, -1]], [20, 40])
    assert legend(ax) == ["outputs, tanh: 60.0 % saturated"]


def test_relu_says_how_many_are_0_and_linear_nothing(ax):
    plot_activations(inside(("relu", [0, 0, 0, 2.0]), ("linear", [1.0, 1.0, 1.0, 1.0])), ax)
    assert legend(ax) == ["hidden layer 1, relu: 75.0 % are 0", "outputs, linear"]
    assert not ax.get_lines()


def test_layers_can_be_chosen(ax):
    net = nn.Network([3, 4, 5, 2], seed=1)
    seen = net.inspect(np.eye(3, dtype="float32"), [0, 1, 0])
    plot_activations(seen, ax, layers=[1, -1])
    assert [text.split(",")[0] for text in legend(ax)] == ["hidden layer 2", "outputs"]
    assert len(seen.plot(Figure().subplots()).patches) == 3


def test_the_axis_of_shares_is_logarithmic_down_to_the_smallest(ax):
    plot_activations(inside(("sigmoid", SIGMOID)), ax)
    shares, _ = drawn(ax)
    assert ax.get_yscale() == "log"
    assert ax.get_ylim()[0] == pytest.approx(shares[shares > 0].min() / 2)
    assert (ax.get_xlabel(), ax.get_ylabel()[-3:]) == ("activation $a$", "(%)")


@pytest.mark.parametrize(
    ("layers", "kind", "message"),
    [
        ([2], ValueError, "each of layers must be an integer from -1 to 0, got 2"),
        ([], TypeError, "layers must be a sequence of integers, got \\[\\]"),
        (0, TypeError, "layers must be a sequence of integers, got 0"),
    ],
)
def test_layers_that_do_not_exist_are_refused(ax, layers, kind, message):
    with pytest.raises(kind, match=f"^{message}$"):
        plot_activations(inside(("tanh", [0.0])), ax, layers=layers)


# ---- gradients ----------------------------------------------------------------------------------

GRADIENTS = {
    "dense1.weight": np.array([[3.0, 4.0]]),
    "dense1.bias": np.array([6.0, 8.0]),
    "dense2.weight": np.full((4, 4), 0.5),
    "dense2.bias": np.array([0.5]),
}


@pytest.mark.parametrize(("of", "lengths"), [("weight", [5.0, 2.0]), ("bias", [10.0, 0.5])])
def test_a_dot_for_each_layer_is_the_length_of_its_gradient(ax, of, lengths):
    assert plot_gradient_norms(GRADIENTS, ax, of=of) is ax
    np.testing.assert_allclose(ax.get_lines()[0].get_xydata(), [*enumerate(lengths)])
    assert ax.get_lines()[0].get_marker() == "o"
    assert [text.get_text() for text in ax.get_xticklabels()] == ["dense1", "dense2"]
    assert ax.get_ylabel() == f"length of the gradient by {of}{'es' if of == 'bias' else 's'}"
    assert ax.get_legend() is None
    assert ax.get_yscale() == ("log" if of == "bias" else "linear")


def test_what_a_network_gives_can_be_drawn(ax):
    net = nn.Network([3, 4, 2], seed=1)
    _, gradients = net.cost_and_gradient(np.eye(3, dtype="float32"), [0, 1, 0])
    plot_gradient_norms(gradients, ax)
    expected = [np.linalg.norm(gradients[f"dense{i}.weight"]) for i in (1, 2)]
    np.testing.assert_allclose(ax.get_lines()[0].get_ydata(), expected, rtol=1e-6)


def test_a_sequence_is_a_curve_for_each_layer(ax):
    steps = [{"hidden": 1.0, "output": 10.0}, {"hidden": 0.1, "output": 5.0}]
    plot_gradient_norms(steps, ax, epochs=[0, 5], label="tanh")
    assert legend(ax) == ["tanh, hidden", "tanh, output"]
    np.testing.assert_allclose(ax.get_lines()[0].get_xydata(), [(0, 1.0), (5, 0.1)])
    np.testing.assert_allclose(ax.get_lines()[1].get_xydata(), [(0, 10.0), (5, 5.0)])
    assert (ax.get_xlabel(), ax.get_yscale()) == ("epoch", "log")


def test_epochs_are_counted_from_1(ax):
    plot_gradient_norms([{"a": 1.0}, {"a": 2.0}], ax)
    np.testing.assert_array_equal(ax.get_lines()[0].get_xdata(), [1, 2])


def test_networks_stand_beside_each_other_in_colours_of_their_own(ax):
    plot_gradient_norms({"a": 1.0, "b": 0.0}, ax, label="one")
    plot_gradient_norms({"a": 100.0, "b": 2.0}, ax, label="two")
    assert legend(ax) == ["one", "two"]
    curves = [line for line in ax.get_lines() if line.get_label() in ("one", "two")]
    assert curves[0].get_color() != curves[1].get_color()
    assert curves[1].get_color() == nn.plotting.COLOURS[1]
    assert ax.get_yscale() == "log"


def test_a_length_of_0_is_a_triangle_at_the_bottom(ax):
    plot_gradient_norms({"a": 1.0, "b": 0.0, "c": 10.0}, ax)
    line, zero = ax.get_lines()
    assert np.isnan(line.get_ydata()[1])
    assert zero.get_marker() == "v"
    np.testing.assert_array_equal(zero.get_xydata(), [(1, 0)])
    assert zero.get_transform() == ax.get_xaxis_transform()


@pytest.mark.parametrize(
    ("gradients", "settings", "kind", "message"),
    [
        ([], {}, ValueError, "gradients must hold one of a weight, got none"),
        ({}, {}, ValueError, "gradients must hold one of a weight, got none"),
        ({"a.bias": 1.0}, {}, ValueError, "gradients must hold one of a weight, got none"),
        ([3], {}, TypeError, "gradients must be a mapping of names to gradients"),
        ([{"a": 1}, {"b": 1}], {}, ValueError, r"gradients must have the names \['a'\], got \['b'"),
        ({"a": "x"}, {}, TypeError, "gradient 'a' must hold real numbers, got 'x'"),
        ({1: 1.0}, {}, TypeError, "the names of gradients must be text, got 1"),
        ({"a": 1.0}, {"of": "w"}, ValueError, "of must be one of 'weight', 'bias', got 'w'"),
        ([{"a": 1.0}], {"epochs": [1, 2]}, ValueError, "epochs must be 1 number"),
        ([{"a": 1.0}], {"epochs": ["x"]}, TypeError, "epochs must be numbers, got"),
    ],
)
def test_what_is_no_gradient_is_refused(ax, gradients, settings, kind, message):
    with pytest.raises(kind, match=f"^{message}"):
        plot_gradient_norms(gradients, ax, **settings)
    assert not ax.get_lines()


def test_the_last_colour_is_that_of_the_text(ax, monkeypatch):
    monkeypatch.setitem(rcParams, "text.color", "#eeeeee")
    for _ in range(7):
        plot_gradient_norms({"a": 1.0}, ax)
    assert ax.get_lines()[6].get_color() == "#eeeeee"
