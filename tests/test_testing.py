"""nnlearn.testing: right gradients pass, wrong ones do not, and the message says where."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from twins import ALL_PAIRS, assert_same_bits, data, snapshot

import nnlearn as nn
from nnlearn import testing
from nnlearn._gradient_check import Difference
from nnlearn.layers import ACTIVATIONS
from nnlearn.testing import assert_gradients, numerical_gradient, relative_error

ROOT = Path(__file__).parents[1]

SMALL = np.array([[0.3, -1.2, 0.8], [1.1, 0.4, -0.7], [-0.5, 0.9, 0.2]]), np.array([0, 1, 1])


def small(**settings):
    return nn.Network([3, 4, 2], **{"seed": 1, "dtype": "float64"} | settings)


def altered(monkeypatch, change, *, dtype=None):
    """Networks (of one precision alone) tell a gradient that `change` wrote into."""
    right = nn.Network.cost_and_gradient

    def wrong(self, x, y=None, **settings):
        cost, gradient = right(self, x, y, **settings)
        if dtype is None or self.dtype == dtype:
            change(self, gradient, settings)
        return cost, gradient

    monkeypatch.setattr(nn.Network, "cost_and_gradient", wrong)


# ---- relative_error and numerical_gradient -------------------------------------------------------


def test_relative_error_is_that_of_the_largest():
    assert relative_error([1.0, 2.0, -3.5], [1.0, 2.5, -4.0]) == 0.125
    assert relative_error([[1], [2]], np.array([[1], [2]], np.uint8)) == 0
    assert relative_error(np.uint8(3), np.uint8(4)) == 0.25  # no byte wraps round


def test_relative_error_at_its_edges():
    assert relative_error([0.0, 0.0], [0.0, 0.0]) == 0
    assert relative_error([], []) == 0
    assert relative_error([0.0, 1e-300], [0.0, 0.0]) == np.inf
    assert np.isnan(relative_error([np.nan], [1.0]))
    assert np.isnan(relative_error([1.0, 1.0], [1.0, np.nan]))
    assert np.isnan(relative_error([np.inf], [np.inf]))
    assert np.isnan(relative_error([np.nan], [0.0]))


def test_relative_error_refuses_other_shapes():
    with pytest.raises(ValueError, match=r"a must have the shape of b, \(2,\), got shape \(1, 2\)"):
        relative_error([[1.0, 2.0]], [1.0, 2.0])
    with pytest.raises(TypeError, match="b must hold real numbers, got dtype complex128"):
        relative_error([1.0], [1j])


def test_numerical_gradient_of_a_polynomial():
    x = np.array([[1.0, -2.0], [300.0, 0.0]])
    gradient = numerical_gradient(lambda v: (v**3).sum() + 5 * v[0, 1], x)
    assert gradient.shape == (2, 2)
    assert gradient.dtype == np.float64
    assert relative_error(gradient, 3 * x**2 + [[0, 5], [0, 0]]) < 1e-9


def test_numerical_gradient_works_in_float64_and_leaves_x_alone():
    x = np.array([0.1, 0.2], np.float32)
    before = x.copy()

    def f(v):
        assert v.dtype == np.float64
        value = float(np.sin(v).sum())
        v[:] = 7  # its own copy
        return value

    gradient = numerical_gradient(f, x)
    assert np.array_equal(x, before)
    assert relative_error(gradient, np.cos(x.astype(float))) < 1e-9


def test_numerical_gradient_takes_a_number_lists_and_nothing():
    assert numerical_gradient(lambda v: v**2, 3.0) == pytest.approx(6.0, rel=1e-9)
    assert numerical_gradient(lambda v: 3 * v[0], [2]) == pytest.approx([3.0])
    assert numerical_gradient(lambda v: 0.0, np.empty((0, 2))).shape == (0, 2)


def test_numerical_gradient_is_the_mean_of_both_sides_at_a_kink():
    assert numerical_gradient(lambda v: max(v.item(), 0.0), 0.0) == pytest.approx(0.5)


def test_the_step_is_the_users():
    seen = []
    numerical_gradient(lambda v: seen.append(v.item()) or 0.0, 4.0, step=0.125)
    assert sorted(seen) == [3.5, 4.5]


@pytest.mark.parametrize(
    ("f", "x", "settings", "kind", "text"),
    [
        (3, [1.0], {}, TypeError, "f must be a function of an array, got 3"),
        (lambda v: v, [1.0], {}, TypeError, "f must return a number, got an array of shape"),
        (lambda v: None, [1.0], {}, TypeError, "f must return a number, got None"),
        (lambda v: np.nan, [1.0], {}, ValueError, "f must return a finite number, got nan"),
        (lambda v: 1.0, ["a"], {}, TypeError, "x must hold real numbers"),
        (
            lambda v: 1.0,
            [1.0],
            {"step": 0},
            ValueError,
            "step must be a finite number >= 1e-12, got 0",
        ),
    ],
)
def test_numerical_gradient_refuses(f, x, settings, kind, text):
    with pytest.raises(kind, match=re.escape(text)):
        numerical_gradient(f, x, **settings)


def test_a_difference_puts_the_value_back_also_when_the_function_fails():
    point = np.array([1.0, 2.0])

    def fails():
        raise RuntimeError

    with pytest.raises(RuntimeError):
        Difference.at(fails, point, (1,), 0.1)
    assert point.tolist() == [1.0, 2.0]


# ---- right gradients -----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("cost", "output"), ALL_PAIRS)
def test_right_gradients_pass(cost, output, activation, dropout, dtype):
    layers = [4, 5, 3, nn.Dense(3, output)]
    net = nn.Network(layers, cost=cost, activation=activation, dropout=dropout, dtype=dtype, seed=1)
    x, y = data(cost, output, (6, 4, 3), "labels", 2)
    weight = np.linspace(0.5, 2.0, 6)
    table = assert_gradients(
        net, x, y, l1=0.1, l2=0.2, n=9, sample_weight=weight, training=dropout > 0, seed=3
    )
    assert table["parameter"] == list(net.parameters)
    assert table["size"] == [20, 5, 15, 3, 9, 3]
    assert np.add(table["checked"], table["skipped"]).tolist() == table["size"]


@pytest.mark.parametrize("output", ["sigmoid", "tanh", "linear"])
def test_real_targets_and_one_output(output):
    net = nn.Network([4, 5, nn.Dense(1, output)], cost="quadratic", seed=1)
    x, y = data("quadratic", output, (6, 4, 1), "real", 2)
    assert_gradients(net, x, y, penalize_biases=True, l1=0.1, l2=0.3)


def test_a_split_stands_for_x_and_y_and_bytes_are_read_as_the_network_does():
    digits = nn.datasets.load_mnist_small(dtype="uint8").train[:5]
    net = nn.Network([784, 6, 10], seed=1)
    net.fit(digits, epochs=1, learning_rate=0.1, verbose=0)
    assert max(assert_gradients(net, digits, entries=40)["relative error"]) < 1e-7


def test_a_converged_network_of_float32_passes():
    net = small(dtype="float32")
    x, y = SMALL
    net.fit(x, y, epochs=3000, batch_size=3, learning_rate=3.0, verbose=0)
    assert net.loss(x, y) < 1e-3
    assert_gradients(net, x, y)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_network_is_not_changed(dtype):
    net = small(dtype=dtype, dropout=0.5)
    net.fit(*SMALL, epochs=2, learning_rate=0.1, momentum=0.5, verbose=0)
    before, history, state = snapshot(net), len(net.history), net.__getstate__()
    assert_gradients(net, *SMALL, training=True)
    assert_same_bits(net.parameters, before)
    assert len(net.history) == history
    assert net.__getstate__()["counters"] == state["counters"]


def test_the_parameters_are_not_moved_meanwhile_either(monkeypatch):
    net = small()
    before, own_calls = snapshot(net), []

    def look(self, gradient, settings):
        if self is net:
            own_calls.append(1)
        assert_same_bits(net.parameters, before)

    altered(monkeypatch, look)
    assert_gradients(net, *SMALL)
    assert len(own_calls) == 1


# ---- wrong gradients -----------------------------------------------------------------------------


def scale_one_tensor(net, gradient, settings):
    gradient["dense1.weight"][...] *= 1.001


def flip_one_sign(net, gradient, settings):
    gradient["dense2.weight"][2, 1] *= -1


def drop_l2(net, gradient, settings):
    for name in ("dense1.weight", "dense2.weight"):
        gradient[name][...] -= settings["l2"] / 3 * net.parameters[name]


def forget_l1(net, gradient, settings):
    gradient["dense1.weight"][...] -= settings["l1"] / 3 * np.sign(net.parameters["dense1.weight"])


def penalize_a_bias(net, gradient, settings):
    gradient["dense1.bias"][...] += settings["l2"] / 3 * net.parameters["dense1.bias"]


def transpose(net, gradient, settings):
    gradient["dense2.bias"][...] = gradient["dense2.bias"][::-1].copy()


def forget_a_tensor(net, gradient, settings):
    gradient["dense1.bias"][...] = 0


def tell_nan(net, gradient, settings):
    gradient["dense1.bias"][1] = np.nan


WRONG = [
    (scale_one_tensor, "dense1.weight"),
    (flip_one_sign, "dense2.weight[2, 1]"),
    (drop_l2, "dense1.weight"),
    (drop_l2, "dense2.weight"),
    (forget_l1, "dense1.weight"),
    (penalize_a_bias, "dense1.bias"),
    (transpose, "dense2.bias"),
    (forget_a_tensor, "dense1.bias"),
    (tell_nan, "dense1.bias[1]"),
]


@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("change", "where"), WRONG)
def test_wrong_gradients_fail(change, where, dtype, activation, monkeypatch):
    net = small(dtype=dtype, activation=activation)
    assert_gradients(net, *SMALL, l1=0.1, l2=0.3)
    altered(monkeypatch, change)
    with pytest.raises(AssertionError, match=re.escape(f"the gradient of {where}")):
        assert_gradients(net, *SMALL, l1=0.1, l2=0.3)


def test_a_wrong_mask_of_dropout_fails(monkeypatch):
    right = nn.Network.cost_and_gradient

    def wrong(self, x, y=None, **settings):
        cost, _ = right(self, x, y, **settings)
        return cost, right(self, x, y, **settings | {"seed": settings["seed"] + 1})[1]

    monkeypatch.setattr(nn.Network, "cost_and_gradient", wrong)
    net = small(dropout=0.5)
    assert_gradients(net, *SMALL)
    with pytest.raises(AssertionError, match="the gradient of"):
        assert_gradients(net, *SMALL, training=True, seed=1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_method_of_the_object_itself_is_what_is_checked(dtype, monkeypatch):
    net = small(dtype=dtype)
    cost, gradient = net.cost_and_gradient(*SMALL)
    gradient["dense1.weight"][...] *= 2
    monkeypatch.setattr(net, "cost_and_gradient", lambda *_, **__: (cost, gradient))
    with pytest.raises(AssertionError, match=r"gradient of dense1.weight\["):
        assert_gradients(net, *SMALL)


def test_a_gradient_wrong_in_single_precision_alone_fails(monkeypatch):
    altered(monkeypatch, scale_one_tensor, dtype=np.float32)
    assert_gradients(small(dtype="float64"), *SMALL)
    text = r"the float32 gradient of dense1.weight\[\d, \d\] must be that of float64"
    with pytest.raises(AssertionError, match=text):
        assert_gradients(small(dtype="float32"), *SMALL)
    assert_gradients(small(dtype="float32"), *SMALL, float32_tolerance=0.01)


def test_a_cost_wrong_in_single_precision_alone_fails(monkeypatch):
    right = nn.Network.cost_and_gradient

    def wrong(self, x, y=None, **settings):
        cost, gradient = right(self, x, y, **settings)
        return cost * (1.01 if self.dtype == np.float32 else 1), gradient

    monkeypatch.setattr(nn.Network, "cost_and_gradient", wrong)
    with pytest.raises(AssertionError, match="the cost in float32 must be that of float64"):
        assert_gradients(small(dtype="float32"), *SMALL)


def test_the_message_says_parameter_index_both_values_and_the_error(monkeypatch):
    net = nn.Network([2, 1], init="zeros", dtype="float64")
    altered(monkeypatch, lambda _, gradient, __: gradient["dense1.weight"].__imul__(2))
    with pytest.raises(AssertionError) as caught:
        assert_gradients(net, [[1.0, 3.0]], [0])
    assert str(caught.value) == (
        "the gradient of dense1.weight[1, 0] must be the slope of the cost, 1.5 by central "
        "differences, got 3: relative error 1 in dense1.weight, tolerance 1e-06, 2 of 2 entries "
        "wrong"
    )


def test_every_wrong_parameter_has_a_line(monkeypatch):
    altered(monkeypatch, drop_l2)
    with pytest.raises(AssertionError) as caught:
        assert_gradients(small(), *SMALL, l2=0.3)
    lines = str(caught.value).split("\n")
    assert [line.split("[")[0] for line in lines] == [
        "the gradient of dense1.weight",
        "the gradient of dense2.weight",
    ]


def test_a_cost_that_is_not_finite_fails():
    net = small()
    net.weights[0][0, 0] = 1e200
    with pytest.raises(AssertionError, match="the cost must be finite to have a slope, got inf"):
        assert_gradients(net, *SMALL, l2=1)


# ---- kinks ---------------------------------------------------------------------------------------


def one_relu(bias):
    """A ReLU of one input 1 and weight 0, so that its z is the bias; it leads to a linear output"""
    net = nn.Network([1, nn.Dense(1, "relu"), nn.Dense(1, "linear")], init="zeros", dtype="float64")
    net.biases[0][0], net.weights[1][0, 0], net.biases[1][0] = bias, 2.0, 0.5
    return net


def test_a_kink_in_the_step_makes_it_shorter():
    table = assert_gradients(one_relu(3e-6), [[1.0]], [3.0])
    assert table["shortened"] == [1, 1, 0, 0]
    assert table["skipped"] == [0, 0, 0, 0]
    table = assert_gradients(one_relu(0.3), [[1.0]], [3.0])
    assert table["shortened"] == [0, 0, 0, 0]


def test_a_kink_at_the_point_is_skipped_and_counted():
    net = nn.Network([3, 12, 2], activation="relu", dtype="float64", seed=2)
    net.weights[0][:, 4], net.biases[0][4] = 0.0, 0.0  # one unit of twelve
    net.weights[1][4] = 1.0, -2.0
    table = assert_gradients(net, *SMALL)
    assert table["skipped"] == [3, 1, 0, 0]
    assert table["checked"] == [33, 11, 24, 2]
    with pytest.raises(AssertionError) as caught:
        assert_gradients(net, *SMALL, max_skipped=0.05)
    assert str(caught.value) == (
        "at most 5% of the entries must stand on kinks, got 4 of 74, dense1.weight[0, 4] the "
        "first: move samples or parameters off z = 0, or raise max_skipped"
    )


def test_a_parameter_of_which_nothing_is_left_fails():
    text = r"the entries of dense1.weight must not all stand on kinks, got 1 of 1"
    with pytest.raises(AssertionError, match=text):
        assert_gradients(one_relu(0.0), [[1.0]], [3.0], max_skipped=1.0)


def test_hinge_at_its_kink_is_skipped():
    net = nn.Network([2, 3], cost="hinge", init="zeros", dtype="float64")
    net.biases[0][:] = 1.0, 0.0, 0.5  # label 0: the margin of output 1 is 0 - 1 + 1 = 0
    table = assert_gradients(net, [[1.0, 2.0]], [0], max_skipped=1.0)
    assert table["skipped"] == [4, 2]  # output 2, beyond its margin, remains
    assert table["checked"] == [2, 1]


def test_weights_of_zero_are_no_trouble_for_l1():
    net = small()
    net.weights[0][1] = 0.0
    table = assert_gradients(net, *SMALL, l1=0.5)
    assert sum(table["skipped"]) == 0


def test_a_wrong_gradient_at_a_kink_is_wrong_by_more_than_the_kink_explains(monkeypatch):
    net = nn.Network([3, 12, 2], activation="relu", dtype="float64", seed=2)
    net.weights[0][:, 4], net.biases[0][4] = 0.0, 0.0
    net.weights[1][4] = 1.0, -2.0
    altered(monkeypatch, lambda _, gradient, __: gradient["dense1.bias"].__setitem__(4, 100.0))
    with pytest.raises(AssertionError, match=r"the gradient of dense1.bias\[4\]"):
        assert_gradients(net, *SMALL)


def test_a_wrong_gradient_of_a_strongly_curved_cost_is_no_kink(monkeypatch):
    net = nn.Network([3, 1], dtype="float64", seed=1)
    x, y = SMALL[0] * 300, SMALL[1]  # a second derivative of up to 10,000
    net.weights[0][...] *= 1e-3
    assert_gradients(net, x, y)
    altered(monkeypatch, lambda _, gradient, __: gradient["dense1.weight"].__imul__(1.000004))
    with pytest.raises(AssertionError, match=r"the gradient of dense1.weight"):
        assert_gradients(net, x, y)


def test_rounding_of_the_shorter_steps_hides_no_wrong_gradient(monkeypatch):
    net = nn.Network([1, 1], init="zeros", dtype="float64")
    x, y = [[1e-7]], [0]  # a cost of 0.7, a gradient of 5e-8
    assert_gradients(net, x, y)
    altered(monkeypatch, lambda _, gradient, __: gradient["dense1.weight"].__imul__(1.2))
    with pytest.raises(AssertionError, match=r"the gradient of dense1.weight"):
        assert_gradients(net, x, y)


def test_a_sign_wrong_in_one_entry_close_to_a_kink_fails(monkeypatch):
    altered(monkeypatch, lambda _, gradient, __: gradient["dense1.bias"].__imul__(-1))
    with pytest.raises(AssertionError, match=r"the gradient of dense1.bias\[0\]"):
        assert_gradients(one_relu(3e-6), [[1.0]], [3.0])


# ---- part of the parameters ----------------------------------------------------------------------


def test_a_random_part_is_drawn_by_the_seed(monkeypatch):
    def break_one(net, gradient, settings):
        gradient["dense1.weight"][40, 3] += 1

    net = nn.Network([100, 5, 2], dtype="float64", seed=1)
    x, y = np.random.default_rng(0).normal(size=(3, 100)), [0, 1, 1]
    assert assert_gradients(net, x, y, entries=20)["checked"] == [20, 5, 10, 2]
    altered(monkeypatch, break_one)

    def found(seed):
        try:
            assert_gradients(net, x, y, entries=100, seed=seed)
        except AssertionError as error:
            assert "dense1.weight[40, 3]" in str(error)  # noqa: PT017  which seed finds it is open
            return True
        return False

    by_seed = [found(seed) for seed in range(12)]
    assert by_seed == [found(seed) for seed in range(12)]
    assert 0 < sum(by_seed) < 12
    with pytest.raises(AssertionError, match="1 of 500 entries wrong"):
        assert_gradients(net, x, y)


def test_only_so_many_entries_are_evaluated(monkeypatch):
    calls = []
    altered(monkeypatch, lambda *_: calls.append(1))
    assert_gradients(small(), *SMALL, entries=2)
    assert len(calls) == 1 + 4 + 4 * 2 * 2  # the gradient; a cost and two entries of four tensors


# ---- what does not fit ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "kind", "text"),
    [
        ({"entries": 0}, ValueError, "entries must be an integer >= 1, got 0"),
        ({"entries": 2.0}, TypeError, "entries must be an integer >= 1, got 2.0"),
        ({"step": -1e-5}, ValueError, "step must be a finite number >= 1e-12, got -1e-05"),
        ({"tolerance": np.nan}, ValueError, "tolerance must be a finite number >= 0, got nan"),
        ({"float32_tolerance": -1}, ValueError, "float32_tolerance must be a finite number >= 0"),
        ({"max_skipped": -0.1}, ValueError, "max_skipped must be a finite number >= 0, got -0.1"),
        ({"l2": -1}, ValueError, "l2 must be a finite number >= 0, got -1"),
        ({"seed": -1}, ValueError, "seed must be an integer from 0 to"),
    ],
)
def test_what_does_not_fit_is_refused(settings, kind, text):
    with pytest.raises(kind, match=re.escape(text)):
        assert_gradients(small(), *SMALL, **settings)


def test_what_is_no_network_is_refused():
    with pytest.raises(TypeError, match=r"net must be a Network, got \[3, 2\]"):
        assert_gradients([3, 2], *SMALL)


# ---- the example ---------------------------------------------------------------------------------


def the_example():
    """The test file in the module's docstring, as a user copies it."""
    _, text = testing.__doc__.split("::\n\n", 1)
    return textwrap.dedent(text)


def run_pytest(folder):
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", folder],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_example_of_a_users_test_file_passes(tmp_path):
    (tmp_path / "test_mine.py").write_text(the_example())
    done = run_pytest(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^5 passed", done.stdout, re.MULTILINE)


def test_the_example_fails_where_it_should(tmp_path):
    text = the_example().replace("np.clip(r, -1, 1)", "np.clip(r, -1, 2)")
    (tmp_path / "test_mine.py").write_text(text)
    (tmp_path / "conftest.py").write_text(
        textwrap.dedent("""\
            from nnlearn import Network

            right = Network.cost_and_gradient

            def wrong(self, *data, **settings):
                cost, gradient = right(self, *data, **settings)
                gradient["dense1.bias"][2] += 0.01
                return cost, gradient

            Network.cost_and_gradient = wrong
            """)
    )
    done = run_pytest(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(r"^4 failed, 1 passed", done.stdout, re.MULTILINE)
    assert done.stdout.count("the gradient of dense1.bias[2] must be the slope of the cost") >= 3
