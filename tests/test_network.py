"""What networks answer, worked by hand; their inside; their parameters as views; their views."""

import gc
import os
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from twins import assert_same_bits, snapshot

import nnlearn as nn
from nnlearn import Activation, Dense, Dropout
from nnlearn.config import THREAD_VARIABLES

X = np.random.default_rng(3).random((20, 3)).astype(np.float32)
Y = np.arange(20) % 2

# ---------------------------------------------------------------- answers, worked by hand


def by_hand(output: str, n: int = 2, **settings: Any) -> nn.Network:
    """Two inputs; z = (x0 - x1, 2 x1 + 1), or the first of these alone."""
    net = nn.Network([2, Dense(n, output)], dtype="float64", **settings)
    net.weights[0] = np.array([[1.0, 0.0], [-1.0, 2.0]])[:, :n]
    net.biases[0] = np.array([0.0, 1.0])[:n]
    return net


POINTS = [[1.0, 0.0], [0.0, 1.0], [4.0, 1.0]]  # z = (1, 1), (-1, 3), (3, 3)
Z = np.array([[1.0, 1.0], [-1.0, 3.0], [3.0, 3.0]])
SIGMOID = 1 / (1 + np.exp(-Z))
CLOSE = {"rtol": 1e-14, "atol": 1e-14}  # double, a handful of operations


def test_linear_outputs() -> None:
    net = by_hand("linear")
    assert np.array_equal(net.forward(POINTS), Z)
    assert np.array_equal(net.predict(POINTS), Z)  # regression: the outputs
    assert np.array_equal(by_hand("linear", 1).predict(POINTS), Z[:, 0])
    assert net.loss(POINTS, Z + np.array([1.0, 2.0])) == 2.5
    assert by_hand("linear", 1).loss(POINTS, [2.0, -1.0, 3.0]) == 1 / 6


def test_several_sigmoids() -> None:
    net = by_hand("sigmoid")
    assert np.allclose(net.forward(POINTS), SIGMOID, **CLOSE)
    assert net.predict(POINTS).tolist() == [0, 1, 0]  # the first largest
    assert net.predict(POINTS).dtype == np.int64
    shares = SIGMOID / SIGMOID.sum(axis=1, keepdims=True)
    assert np.allclose(net.predict_proba(POINTS), shares, **CLOSE)
    assert net.accuracy(POINTS, [0, 1, 1]) == 2 / 3
    assert net.accuracy(POINTS, [[0.9, 0.1], [0.2, 0.3], [0.4, 0.4]]) == 1.0
    # -ln a_y - ln (1 - a_other) for each row
    expected = -np.log([SIGMOID[0, 0] * (1 - SIGMOID[0, 1]), SIGMOID[1, 1] * (1 - SIGMOID[1, 0])])
    assert net.loss(POINTS[:2], [0, 1]) == pytest.approx(expected.mean(), rel=1e-14)
    quadratic = ((SIGMOID[0] - [1, 0]) ** 2).sum() / 2
    assert net.loss(POINTS[:1], [0], cost="quadratic") == pytest.approx(quadratic, rel=1e-14)


def test_one_sigmoid() -> None:
    net = by_hand("sigmoid", 1)
    net.biases[0] = [-1.0]  # z = 0, -2, 2
    assert net.forward(POINTS)[0, 0] == 0.5
    assert net.predict(POINTS).tolist() == [1, 0, 1]  # a >= 0.5
    proba = net.predict_proba(POINTS)
    assert proba.shape == (3, 2)
    assert np.array_equal(proba[:, 1:], net.forward(POINTS))
    assert np.array_equal(proba.sum(axis=1), np.ones(3))
    assert net.accuracy(POINTS, [1, 0, 0]) == 2 / 3
    assert net.accuracy(POINTS, [[0.5], [0.49], [0.2]]) == 2 / 3  # both sides >= 0.5
    assert net.loss(POINTS[:1], [1]) == pytest.approx(np.log(2), rel=1e-14)


def test_one_tanh() -> None:
    net = by_hand("tanh", 1)
    net.biases[0] = [-1.0]  # z = 0, -2, 2
    assert net.predict(POINTS).tolist() == [1, 0, 1]  # a >= 0
    assert net.accuracy(POINTS, [1, 1, 1]) == 2 / 3
    assert net.accuracy(POINTS, [[0.0], [-0.1], [-0.5]]) == 2 / 3  # both sides >= 0
    assert net.loss(POINTS[:1], [0]) == 0.5  # (0 - -1)^2 / 2


def test_several_tanhs() -> None:
    net = by_hand("tanh")
    assert net.predict(POINTS).tolist() == [0, 1, 0]
    rows = [((np.tanh(Z[0]) - [1, -1]) ** 2).sum() / 2, ((np.tanh(Z[1]) - [-1, 1]) ** 2).sum() / 2]
    assert net.loss(POINTS[:2], [0, 1]) == pytest.approx(np.mean(rows), rel=1e-14)


def test_softmax() -> None:
    net = by_hand("softmax")
    expected = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
    assert np.allclose(net.forward(POINTS), expected, **CLOSE)
    assert np.allclose(net.predict_proba(POINTS), expected, **CLOSE)
    assert net.predict(POINTS).tolist() == [0, 1, 0]
    assert net.loss(POINTS[:2], [0, 1]) == pytest.approx(
        -np.log([expected[0, 0], expected[1, 1]]).mean(), rel=1e-14
    )
    soft = -np.log(expected[0]) @ [0.25, 0.75]
    assert net.loss(POINTS[:1], [[0.25, 0.75]]) == pytest.approx(soft, rel=1e-14)


def test_hinge() -> None:
    net = by_hand("linear", cost="hinge")
    assert net.predict(POINTS).tolist() == [0, 1, 0]
    # max(0, z_other - z_y + 1): 1, 0, 1
    assert net.loss(POINTS, [0, 1, 1]) == 2 / 3
    assert net.accuracy(POINTS, [0, 1, 1]) == 2 / 3


def test_relu_outputs() -> None:
    net = by_hand("relu")
    assert np.array_equal(net.forward(POINTS), np.maximum(Z, 0))
    assert net.predict(POINTS).tolist() == [0, 1, 0]  # several: classes
    assert by_hand("relu", 1).predict(POINTS).tolist() == [1, 0, 3]  # one: regression


def test_far_outputs_stay_finite() -> None:
    for output in ("sigmoid", "softmax"):
        net = by_hand(output)
        net.weights[0][:] *= 1e4
        far = [[1.0, 0.0], [-1.0, 0.0], [0.0, -1.0]]
        assert np.isfinite(net.loss(far, [1, 0, 1]))
        assert np.allclose(net.predict_proba(far).sum(axis=1), 1, **CLOSE)


def test_a_hidden_layer_and_an_activation_of_its_own() -> None:
    layers = [2, Dense(2, "linear"), Activation("relu"), Dense(1, "linear")]
    net = nn.Network(layers, dtype="float64")
    net.weights[0], net.biases[0] = [[1, 0], [-1, 2]], [0, 1]
    net.weights[1], net.biases[1] = [[1], [10]], [0.5]
    assert net.predict(POINTS).tolist() == [11.5, 30.5, 33.5]


WITHOUT_PROBABILITIES = {
    "hinge": nn.Network([2, 2], cost="hinge"),
    "regression": nn.Network([2, Dense(2, "linear")]),
    "tanh": nn.Network([2, Dense(2, "tanh")]),
}


@pytest.mark.parametrize("kind", WITHOUT_PROBABILITIES)
def test_outputs_that_are_no_probabilities(kind: str) -> None:
    output = "tanh" if kind == "tanh" else "linear"
    with pytest.raises(ValueError, match=" must ") as caught:
        WITHOUT_PROBABILITIES[kind].predict_proba(POINTS)
    expected = (
        f"the network must have sigmoid or softmax outputs to give probabilities, got {output}"
    )
    assert str(caught.value) == expected


def test_regression_has_no_accuracy() -> None:
    with pytest.raises(ValueError, match=" must ") as caught:
        by_hand("linear").accuracy(POINTS, Z)
    message = "the network must tell classes apart to have an accuracy, got "
    assert str(caught.value).startswith(message)
    assert str(caught.value).endswith(": use loss")


def test_the_loss_of_another_cost_must_go_with_the_outputs() -> None:
    net = by_hand("sigmoid")
    with pytest.raises(ValueError, match=r"^cost must be 'quadratic' or .* outputs, got 'hinge'$"):
        net.loss(POINTS, [0, 1, 0], cost="hinge")
    with pytest.raises(ValueError, match=r"^cost must be one of .*, got 'mse'"):
        net.loss(POINTS, [0, 1, 0], cost="mse")


def test_answers_do_not_depend_on_how_many_rows_are_asked() -> None:
    net = nn.Network([3, 30, 2], seed=1)
    x = np.random.default_rng(0).random((3001, 3)).astype(np.float32)
    whole = net.forward(x)
    # Small products and large ones come from different kernels: a few roundings of float32.
    assert np.allclose(net.forward(x[1234:1235]), whole[1234:1235], rtol=1e-6, atol=0)
    assert np.array_equal(net.predict(x), whole.argmax(axis=1))


# ---------------------------------------------------------------- cost and gradient

SEED = "seed must be an integer from 0 to 18446744073709551615, got"
BAD_GRADIENT = [
    ({"l1": -1}, ValueError, "l1 must be a finite number >= 0, got -1"),
    ({"l2": np.nan}, ValueError, "l2 must be a finite number >= 0, got nan"),
    ({"l2": 10**400}, ValueError, "l2 must be a finite number >= 0, got 1" + "0" * 56 + "..."),
    ({"l2": "1"}, TypeError, "l2 must be a finite number >= 0, got '1'"),
    ({"n": 0}, ValueError, "n must be a finite number > 0, got 0"),
    ({"penalize_biases": 1}, TypeError, "penalize_biases must be True or False, got 1"),
    ({"training": "yes"}, TypeError, "training must be True or False, got 'yes'"),
    ({"seed": -1}, ValueError, f"{SEED} -1"),
    ({"seed": None}, TypeError, f"{SEED} None"),
]


@pytest.mark.parametrize(("settings", "exception", "message"), BAD_GRADIENT, ids=str)
def test_settings_of_the_gradient(
    settings: dict[str, Any], exception: type[Exception], message: str
) -> None:
    with pytest.raises(exception) as caught:
        nn.Network([3, 2]).cost_and_gradient(X, Y, **settings)
    assert str(caught.value) == message


def test_gradient_by_hand() -> None:
    net = nn.Network([2, Dense(1, "linear")], dtype="float64")
    net.weights[0], net.biases[0] = [[3.0], [-2.0]], [1.0]
    x, y = [[1.0, 2.0], [0.0, 1.0]], [-1.0, 1.0]  # z = 0, -1; delta = 1, -2
    cost, gradient = net.cost_and_gradient(x, y, l1=4.0, l2=6.0)
    assert cost == (0.5 + 2.0) / 2 + (4 / 2) * 5 + (6 / 4) * 13
    assert gradient["dense1.weight"].tolist() == [[0.5 + 2 + 9], [0.0 - 2 - 6]]
    assert gradient["dense1.bias"].tolist() == [-0.5]
    cost, gradient = net.cost_and_gradient(x, y, l2=6.0, n=12, penalize_biases=True)
    assert cost == (0.5 + 2.0) / 2 + (6 / 24) * 14
    assert gradient["dense1.bias"].tolist() == [-0.5 + 0.5]
    cost, gradient = net.cost_and_gradient(x, y, sample_weight=[2.0, 0.0])
    assert (cost, gradient["dense1.bias"].item()) == (0.5, 1.0)
    assert list(gradient) == list(net.parameters)
    net.weights[0][:] = 9
    assert gradient["dense1.weight"].tolist() == [[1.0], [2.0]]  # no views of the network


# ---------------------------------------------------------------- inspect


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def test_inspect_gives_the_four_equations_of_backpropagation() -> None:
    net = nn.Network([3, 4, 5, 2], init="large", seed=2, dtype="float64")
    i = net.inspect(X, Y)
    weights, biases = net.weights, net.biases
    assert [z.shape for z in i.z] == [d.shape for d in i.delta] == [(20, 4), (20, 5), (20, 2)]
    assert [a.shape for a in i.a] == [(20, 3), (20, 4), (20, 5), (20, 2)]
    assert np.array_equal(i.a[0], X.astype(np.float64))
    assert np.array_equal(i.a[-1], net.forward(X))
    for k in range(3):
        assert np.allclose(i.z[k], i.a[k] @ weights[k] + biases[k], **CLOSE)
        assert np.allclose(i.a[k + 1], sigmoid(i.z[k]), **CLOSE)
    assert np.allclose(i.delta[2], i.a[3] - np.eye(2)[Y], **CLOSE)  # BP1, cross-entropy
    for k in (1, 0):  # BP2
        back = i.delta[k + 1] @ weights[k + 1].T
        assert np.allclose(i.delta[k], back * sigmoid(i.z[k]) * (1 - sigmoid(i.z[k])), **CLOSE)
    _, gradient = net.cost_and_gradient(X, Y)
    for k in range(3):  # BP3 and BP4, averaged
        assert i.gradient(k).shape == (20, *weights[k].shape)
        assert np.array_equal(i.gradient(k)[7], np.outer(i.a[k][7], i.delta[k][7]))
        mean, bias = i.gradient(k).mean(axis=0), i.delta[k].mean(axis=0)
        assert np.allclose(mean, gradient[f"dense{k + 1}.weight"], rtol=1e-12, atol=1e-15)
        assert np.allclose(bias, gradient[f"dense{k + 1}.bias"], rtol=1e-12, atol=1e-15)
    assert np.array_equal(i.gradient(-1), i.gradient(2))


def test_inspect_is_evaluation_without_dropout() -> None:
    plain, dropped = nn.Network([3, 4, 2], seed=1), nn.Network([3, 4, 2], dropout=0.9, seed=1)
    one, other = plain.inspect(X, Y), dropped.inspect(X, Y)
    for name in ("z", "a", "delta"):
        for a, b in zip(getattr(one, name), getattr(other, name), strict=True):
            assert np.array_equal(a, b)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu", "linear"])
def test_slope_is_the_derivative_of_the_activation(name: str) -> None:
    net = nn.Network([1, nn.Dense(1, name)], cost="quadratic", init="zeros", dtype="float64")
    net.weights[0][...] = 1
    z = np.array([[-2.0], [-0.3], [0.4], [1.7]])
    h = 1e-5  # central differences: errors of order h^2 and of eps / h, below 1e-10
    measured = (net.forward(z + h) - net.forward(z - h)) / (2 * h)
    slope = net.inspect(z, np.zeros_like(z)).slope(0)
    np.testing.assert_allclose(slope, measured, rtol=0, atol=1e-10)


def test_slope_of_relu_at_zero_and_of_softmax() -> None:
    net = nn.Network([1, nn.Dense(2, "relu"), nn.Dense(2, "softmax")], init="zeros")
    inside = net.inspect([[1.0]], [0])
    assert inside.slope(-2).tolist() == [[0.0, 0.0]]
    with pytest.raises(ValueError, match=r"^activation must act on each unit alone, got 'softmax'"):
        inside.slope(1)


def test_saturated_units() -> None:
    net = nn.Network([1, Dense(2, "sigmoid"), Dense(2, "tanh"), Dense(2, "linear")], init="zeros")
    edge = np.log(99)  # sigmoid(edge) = 0.99
    net.biases[0] = [edge + 0.01, edge - 0.01]
    net.biases[1] = [np.arctanh(0.98) + 0.01, -np.arctanh(0.98) + 0.01]
    net.biases[2] = [1e6, -1e6]
    saturated = net.inspect([[0.0]], [[0.0, 0.0]]).saturated
    assert [s.tolist() for s in saturated] == [[[True, False]], [[True, False]], [[False, False]]]
    net.biases[0] = [-edge - 0.01, -edge + 0.01]
    net.biases[1] = [-np.arctanh(0.98) - 0.01, 0.0]
    saturated = net.inspect([[0.0]], [[0.0, 0.0]]).saturated
    assert [s.tolist() for s in saturated[:2]] == [[[True, False]], [[True, False]]]
    assert saturated[0].dtype == bool


def test_an_inspection_says_what_it_is_and_refuses_other_layers() -> None:
    i = nn.Network([3, 4, 2], seed=1).inspect(X, Y)
    assert repr(i) == "Inspection: 20 samples; 3 inputs, 4 sigmoid, 2 sigmoid"
    with pytest.raises(ValueError, match=r"^i must be an integer from -2 to 1, got 2$"):
        i.gradient(2)
    with pytest.raises(TypeError, match=r"^i must be an integer from -2 to 1, got 'a'$"):
        i.gradient("a")


def test_the_html_view_of_an_inspection_has_a_row_a_layer() -> None:
    net = nn.Network([1, 2, Dense(1, "linear")], cost="quadratic", init="zeros")
    net.biases[0] = [-6.0, 0.0]
    html = net.inspect([[0.0]], [[2.0]])._repr_html_()
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", html)
    # The deltas of zero weights are zero but for the last: a - y = -2.
    assert cells == ["0", "2", "sigmoid", "6", "50.0", "0", "1", "1", "linear", "0", "0.0", "2"]
    assert "Inspection: 1 sample, 1 input" in html


# ---------------------------------------------------------------- views


def test_parameters_are_views_into_the_core() -> None:
    net = nn.Network([3, 4, 2], seed=1)
    assert np.shares_memory(net.weights[0], net.weights[0])
    assert np.shares_memory(net.weights[0], net.parameters["dense1.weight"])
    assert np.shares_memory(net.biases[1], net.parameters["dense2.bias"])
    assert net.weights[0].flags.writeable
    assert net.weights[0].flags.c_contiguous
    assert all(w.ctypes.data % 64 == 0 for w in net.parameters.values())
    before = net.forward(X)
    net.biases[1][:] += 1
    assert (net.forward(X) > before).all()
    net.fit(X, Y, epochs=1, learning_rate=0.5)
    assert net.weights[0].ctypes.data == net.parameters["dense1.weight"].ctypes.data


def test_views_follow_training_and_outlive_the_network() -> None:
    net = nn.Network([3, 400, 2], seed=1)
    w, parameters, i = net.weights[0], net.parameters, net.weights
    start = w.copy()
    net.fit(X, Y, epochs=1, learning_rate=0.5)
    expected = w.copy()
    assert not np.array_equal(expected, start)
    del net
    gc.collect()
    others = [nn.Network([3, 400, 2], seed=k) for k in range(20)]  # would take freed memory
    assert np.array_equal(w, expected)
    w[:] = 7
    assert parameters["dense1.weight"][2, 399] == i[0][2, 399] == 7
    assert len(others) == 20


def test_assigning_an_item_copies_in() -> None:
    net = nn.Network([3, 4, 2], seed=1)
    view, given = net.weights[0], np.ones((3, 4))
    net.weights[0] = given
    assert np.array_equal(view, given)
    given[:] = 5
    assert (view == 1).all()
    net.weights[-1] = np.full((4, 2), 2)
    net.biases[0] = [1, 2, 3, 4]
    net.parameters["dense2.bias"] = np.array([True, False])
    assert (net.weights[1] == 2).all()
    assert net.biases[0].tolist() == [1, 2, 3, 4]
    assert net.biases[1].tolist() == [1, 0]
    net.weights[0] = net.weights[0].T.copy().T
    net.weights[0] += 1  # in place, then assigned to itself
    assert (view == 2).all()


BAD_ITEMS: list[tuple[str, Any, Any, type[Exception], str]] = [
    (
        "weights",
        0,
        np.ones((4, 3)),
        ValueError,
        "weights[0] must have the shape (3, 4), got shape (4, 3)",
    ),
    ("weights", 0, 1.0, ValueError, "weights[0] must have the shape (3, 4), got shape ()"),
    ("weights", 0, np.ones(4), ValueError, "weights[0] must have the shape (3, 4), got shape (4,)"),
    (
        "biases",
        1,
        np.ones((2, 1)),
        ValueError,
        "biases[1] must have the shape (2,), got shape (2, 1)",
    ),
    ("biases", 1, ["a", "b"], TypeError, "biases[1] must hold real numbers, got dtype <U1"),
    ("biases", 1, [1j, 2], TypeError, "biases[1] must hold real numbers, got dtype complex128"),
    (
        "parameters",
        "dense1.weight",
        np.ones((4, 3)),
        ValueError,
        "dense1.weight must have the shape (3, 4), got shape (4, 3)",
    ),
]


@pytest.mark.parametrize(("name", "item", "value", "exception", "message"), BAD_ITEMS, ids=str)
def test_items_of_another_shape_or_kind_are_refused(
    name: str, item: Any, value: Any, exception: type[Exception], message: str
) -> None:
    net = nn.Network([3, 4, 2], seed=1)
    before = snapshot(net)
    with pytest.raises(exception) as caught:
        getattr(net, name)[item] = value
    assert str(caught.value) == message
    assert_same_bits(net.parameters, before)


def test_items_that_there_are_not() -> None:
    net = nn.Network([3, 4, 2], seed=1)
    for names, item, exception in (
        (net.weights, 2, IndexError),
        (net.weights, -3, IndexError),
        (net.parameters, "dense3.weight", KeyError),
    ):
        with pytest.raises(exception):
            names[item]
        with pytest.raises(exception):
            names[item] = 1.0
    with pytest.raises(TypeError):
        net.weights[0:1] = [np.ones((3, 4))]
    with pytest.raises(AttributeError):
        net.weights = []


def test_parameters_are_an_ordered_mapping() -> None:
    net = nn.Network([3, 4, Dropout(0.5), 5, 2], seed=1)
    kinds = ("weight", "bias")
    assert list(net.parameters) == [f"dense{i}.{kind}" for i in (1, 2, 3) for kind in kinds]
    assert len(net.parameters) == 6
    assert "dense1.weight" in net.parameters
    assert dict(net.parameters).keys() == net.parameters.keys()
    assert [w.shape for w in net.weights] == [(3, 4), (4, 5), (5, 2)]
    assert [b.shape for b in net.biases] == [(4,), (5,), (2,)]
    assert sum(p.size for p in net.parameters.values()) == net.n_parameters
    assert len(net.weights[1:]) == 2


# ---------------------------------------------------------------- what it says of itself


def test_repr() -> None:
    net = nn.Network([3, 4, Activation("relu"), 2], dropout=0.5, seed=1)
    layers = "3, Dense(4, sigmoid), Activation(relu), Dropout(0.5), Dense(2, sigmoid)"
    assert repr(net) == f"Network([{layers}], cost='cross_entropy', seed=1)"
    double = nn.Network([(1, 2, 2), 1], cost="quadratic", dtype="float64", seed=0)
    text = "Network([(1, 2, 2), Dense(1, sigmoid)], cost='quadratic', dtype='float64', seed=0)"
    assert repr(double) == text


def test_summary_counts_parameters() -> None:
    net = nn.Network([3, 6, 2], dropout=0.3, seed=4)
    net.fit(X, Y, epochs=3, learning_rate=0.3)
    table = net.summary()
    assert table.columns == ("layer", "output shape", "parameters")
    assert [tuple(row) for row in table.rows] == [
        ("input", (3,), 0),
        ("Dense(6, sigmoid)", (6,), 24),
        ("Dropout(0.3)", (6,), 0),
        ("Dense(2, sigmoid)", (2,), 14),
    ]
    assert sum(row[2] for row in table.rows) == net.n_parameters
    assert "3 epochs trained" in str(table)
    assert "38 parameters" in str(table)


def test_the_html_view_is_a_table() -> None:
    net = nn.Network([3, 4, 2], seed=1)
    html = net._repr_html_()
    cells = [re.findall(r"<td[^>]*>([^<]*)</td>", row) for row in html.split("<tr>")[2:]]
    assert cells == [
        ["input", "", "", "", "(3,)", ""],
        ["dense1", "Dense", "sigmoid", "scaled", "(4,)", "16"],
        ["dense2", "Dense", "sigmoid", "scaled", "(2,)", "10"],
        ["total", "", "", "", "", "26"],
    ]


def test_attributes_that_are_read_only() -> None:
    net = nn.Network([3, 2], seed=1)
    for name in ("layers", "cost", "dtype", "weights", "biases", "parameters", "n_parameters"):
        with pytest.raises(AttributeError):
            setattr(net, name, None)


def test_the_history_of_a_new_network_is_empty() -> None:
    history = nn.Network([3, 2]).history
    assert len(history) == 0
    assert isinstance(history, nn.History)
    assert history["epoch"].shape == (0,)


def test_show_config() -> None:
    config = nn.show_config()
    names = ["nnlearn", "Python", "NumPy", "BLIS", "kernels", "cores", "threads"]
    assert [name for name, _ in config.items][:7] == names
    assert config["nnlearn"] == nn.__version__
    assert config["NumPy"] == np.__version__
    assert all(f"{name} " in str(config) for name in names)
    assert repr(config) == str(config)
    with pytest.raises(KeyError):
        config["GPU"]


@pytest.fixture
def no_threads_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in THREAD_VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("no_threads_asked")
@pytest.mark.parametrize(
    ("variables", "asked"),
    [
        ({}, ""),
        ({"NNLEARN_NUM_THREADS": ""}, ""),
        ({"OMP_NUM_THREADS": "4,2"}, "OMP_NUM_THREADS=4"),
        ({"OMP_NUM_THREADS": " 8 "}, "OMP_NUM_THREADS=8"),
        ({"BLIS_NUM_THREADS": "many", "OMP_NUM_THREADS": "3"}, "OMP_NUM_THREADS=3"),
        ({"BLIS_NUM_THREADS": "0", "OMP_NUM_THREADS": "-1"}, ""),
        ({"NNLEARN_NUM_THREADS": "2", "OMP_NUM_THREADS": "x"}, "NNLEARN_NUM_THREADS=2"),
    ],
)
def test_show_config_says_how_many_threads_share_a_long_step(
    variables: dict[str, str], asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 3, 5}, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    config = nn.show_config()
    assert config["cores"] == "3"
    name, _, number = asked.partition("=")
    assert config["threads"] == (f"{number} ({name})" if asked else "3 (one a core)")
    assert nn.Network([2, 1])._core.n_threads == (int(number) if asked else 3)


@pytest.mark.parametrize("value", ["0", "-1", "4,2", "many", "1.5"])
def test_a_wrong_number_of_threads_of_our_own_is_refused(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NNLEARN_NUM_THREADS", value)
    message = f"^NNLEARN_NUM_THREADS must be an integer >= 1, got '{value}'$"
    with pytest.raises(ValueError, match=message):
        nn.show_config()


def test_dir_gives_the_public_names_alone() -> None:
    assert [name for name in dir(nn) if not name.startswith("__")] == sorted(nn.__all__)
    assert "__version__" in dir(nn)


def test_a_cyclic_reference_is_collected() -> None:
    """A network that its own callback holds goes with it."""
    import weakref

    net = nn.Network([3, 2], seed=1)
    net.fit(X, Y, epochs=1, learning_rate=0.1, callbacks=lambda n, h: n)
    net.mine = net
    gone = weakref.ref(net)
    del net
    gc.collect()
    assert gone() is None


# ---------------------------------------------------------------- one evaluation after another


def test_an_evaluation_leaves_nothing_behind_for_the_next() -> None:
    """What an evaluation works with is kept; numbers that are not finite must not stay in it."""
    x = np.random.default_rng(0).standard_normal((7, 4)).astype(np.float32)
    y = np.arange(7) % 3
    net, fresh = nn.Network([4, 5, 3], seed=1), nn.Network([4, 5, 3], seed=1)
    kept = net.weights[0].copy()
    net.weights[0][:] = np.nan
    cost, gradient = net.cost_and_gradient(x, y)
    assert np.isnan(cost)
    assert np.isnan(gradient["dense1.weight"]).all()
    net.weights[0] = kept
    for rows in (7, 3, 7):
        cost, gradient = net.cost_and_gradient(x[:rows], y[:rows])
        wanted, other = fresh.copy().cost_and_gradient(x[:rows], y[:rows])
        assert cost == wanted
        assert all(np.array_equal(gradient[name], other[name]) for name in other)
        assert np.array_equal(net.forward(x[:rows]), fresh.copy().forward(x[:rows]))


def test_two_threads_that_evaluate_one_network_get_their_own_answers() -> None:
    net = nn.Network([4, 5, 3], seed=1)
    xs = [np.full((rows, 4), rows, np.float32) for rows in (3, 8)]
    wanted = [net.forward(x) for x in xs]
    with ThreadPoolExecutor(2) as pool:
        jobs = [[pool.submit(net.forward, x) for x in xs] for _ in range(200)]
        for pair in jobs:
            for job, answer in zip(pair, wanted, strict=True):
                assert np.array_equal(job.result(), answer)
