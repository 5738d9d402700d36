"""Inputs, labels and targets as users have them: dtypes, layouts, one output unit."""

from typing import Any

import numpy as np
import pytest
import reference
from reference import Dense, relative_error
from twins import (
    ALL_PAIRS,
    TOLERANCE,
    as_numbers,
    assert_same_gradient,
    chain,
    data,
    make_pair,
    pictures,
    problem,
)

import nnlearn as nn

# ---------------------------------------------------------------- inputs as they come


def strided(x: Any, how: str) -> Any:
    """The same numbers, laid out in memory in another way."""
    m, *_ = x.shape
    if how == "every third row":
        whole = np.zeros((3 * m, *x.shape[1:]), dtype=x.dtype)
        whole[1::3] = x
        return whole[1::3]
    if how == "columns of a wider array":
        whole = np.zeros((m, x.shape[1] + 5), dtype=x.dtype)
        whole[:, 3:-2] = x
        return whole[:, 3:-2]
    if how == "rows from last to first":
        return x[::-1].copy()[::-1]
    if how == "one row many times":
        return np.broadcast_to(x[:1], x.shape)
    if how == "read-only":
        x = x.copy()
        x.flags.writeable = False
        return x
    if how == "by columns":
        return np.asfortranarray(x)
    if how == "byte-swapped":
        return x.astype(x.dtype.newbyteorder())
    if how == "unaligned":
        room = np.zeros(x.nbytes + 1, dtype=np.uint8)
        result = room[1:].view(x.dtype).reshape(x.shape)
        result[...] = x
        return result
    if how == "a field of records":  # the row stride is no multiple of the item size
        records = np.zeros(len(x), dtype=[("numbers", x.dtype, x.shape[1:]), ("flag", np.uint8)])
        records["numbers"] = x
        return records["numbers"]
    return x


LAYOUTS = [
    "contiguous",
    "every third row",
    "columns of a wider array",
    "rows from last to first",
    "one row many times",
    "read-only",
    "by columns",
    "byte-swapped",
    "unaligned",
    "a field of records",
]


@pytest.mark.parametrize("how", LAYOUTS)
@pytest.mark.parametrize("of_x", [np.float32, np.float64, np.uint8])
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_inputs_of_any_layout(dtype: str, of_x: Any, how: str) -> None:
    net, twin = make_pair([37, Dense(11, "tanh"), Dense(3)], cost="cross_entropy", dtype=dtype)
    x, y = strided(pictures(of_x), how), np.arange(7) % 3
    assert_same_gradient(net, twin, x, y, dtype)
    x64 = as_numbers(x)
    assert relative_error(net.forward(x), twin.forward(x64)) < TOLERANCE[dtype]
    assert net.loss(x, y) == pytest.approx(twin.loss(x64, y), rel=TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_layout_changes_no_bit(dtype: str) -> None:
    net, _ = make_pair([37, Dense(11, "tanh"), Dense(3)], cost="cross_entropy", dtype=dtype)
    for of_x in (np.float32, np.float64, np.uint8):
        x = pictures(of_x)
        expected = net.forward(x)
        for how in LAYOUTS:
            if how != "one row many times":
                assert np.array_equal(net.forward(strided(x, how)), expected), how


@pytest.mark.parametrize("how", LAYOUTS)
def test_one_row_of_any_layout(how: str) -> None:
    net, _ = make_pair([37, Dense(11, "tanh"), Dense(3)], cost="cross_entropy", dtype="float32")
    for of_x in (np.float32, np.float64, np.uint8):
        x = pictures(of_x, m=2)
        assert np.array_equal(net.forward(strided(x, how)[:1]), net.forward(x[:1]))


@pytest.mark.parametrize("how", ["every third row", "unaligned", "byte-swapped", "by columns"])
def test_labels_targets_and_weights_of_any_layout(how: str) -> None:
    """In the dtypes of the core, which converting leaves as they are, and in others."""
    net, _ = make_pair([37, Dense(11, "tanh"), Dense(3)], cost="cross_entropy", dtype="float32")
    x, rng = pictures(np.float32), np.random.default_rng(2)
    for integer in (np.int32, np.int64):
        labels = (np.arange(7) % 3).astype(integer)
        assert net.loss(x, strided(labels, how)) == net.loss(x, labels)
    for real in (np.float32, np.float64):
        y, w = rng.uniform(size=(7, 3)).astype(real), rng.uniform(size=7).astype(real)
        assert net.loss(x, strided(y, how)) == net.loss(x, y)
        cost, _ = net.cost_and_gradient(x, y, sample_weight=strided(w, how))
        assert cost == net.cost_and_gradient(x, y, sample_weight=w)[0]


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_a_byte_is_rounded_once(dtype: str) -> None:
    layers = [1, nn.Dense(1, activation="linear", init="zeros")]
    net = nn.Network(layers, cost="quadratic", dtype=dtype)
    net.weights[0][:] = 1
    x = np.arange(256, dtype=np.uint8)[:, None]
    assert np.array_equal(net.forward(x), (np.arange(256) / 255).astype(dtype)[:, None])


# ---------------------------------------------------------------- labels and targets

INTEGERS = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64]


@pytest.mark.parametrize("order", ["native", "swapped"])
@pytest.mark.parametrize("integer", INTEGERS, ids=lambda t: np.dtype(t).name)
def test_labels_of_every_integer_dtype(integer: Any, order: str) -> None:
    net, twin, x, y = problem(chain("softmax", "tanh", 1), "log_likelihood", kind="labels")
    labels = y.astype(integer)
    if order == "swapped":
        labels = labels.astype(labels.dtype.newbyteorder())
    assert_same_gradient(net, twin, x, labels)
    assert net.loss(x, labels) == net.loss(x, y)
    assert net.accuracy(x, labels) == twin.accuracy(x, y)
    assert net.loss(x, np.repeat(labels, 2)[::2]) == net.loss(x, y)
    assert net.loss(x, labels.tolist()) == net.loss(x, y)


# What one output unit takes as y: a sigmoid 0 and 1 in any dtype, a tanh labels 0 and 1 or a column
# of targets, regression any numbers. (One softmax output is 1 whatever z is, with no gradient.)
ONE_UNIT = {
    "sigmoid": ["labels", "bool", "float", "column"],
    "tanh": ["labels", "column"],
    "linear": ["labels", "float", "column"],
    "relu": ["labels", "float", "column"],
}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(
    ("cost", "output", "kind"),
    [
        (cost, output, kind)
        for cost, output in ALL_PAIRS
        if cost not in ("hinge", "log_likelihood")
        for kind in ONE_UNIT.get(output, [])
    ],
)
def test_one_output_unit(cost: str, output: str, kind: str, dtype: str) -> None:
    layers = [5, Dense(4, "tanh", "large"), Dense(1, output, "large")]
    net, twin, x, y = problem(layers, cost, kind="labels", dtype=dtype)
    given = {"labels": y, "bool": y == 1, "float": y.astype(float), "column": y[:, None] * 1.0}
    assert_same_gradient(net, twin, x, given[kind], dtype)


@pytest.mark.parametrize("output", ["sigmoid", "tanh"])
def test_one_output_unit_predicts_two_classes(output: str) -> None:
    net, twin, x, _ = problem([5, Dense(1, output, "large")], "quadratic", m=50)
    expected = reference.classes(twin.forward(x), output)
    assert 0 < expected.sum() < 50
    assert np.array_equal(net.predict(x), expected)
    assert net.accuracy(x, expected) == 1
    assert net.accuracy(x, 1 - expected) == 0


def test_one_output_unit_counts_its_middle_as_class_1() -> None:
    for output in ("sigmoid", "tanh"):
        layers = [2, nn.Dense(1, activation=output, init="zeros")]
        assert nn.Network(layers, cost="quadratic").predict(np.ones((1, 2))).tolist() == [1]


def test_several_outputs_predict_the_first_largest() -> None:
    net = nn.Network([2, 4], cost="quadratic", init="zeros")
    net.biases[0][:] = [0, 1, 1, -1]
    assert net.predict(np.ones((2, 2))).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("cost", "output"), [pair for pair in ALL_PAIRS if pair != ("quadratic", "linear")]
)
def test_accuracy_of_labels_and_of_targets(cost: str, output: str) -> None:
    net, twin, x, labels = problem(chain(output, "tanh", 1), cost, m=40, kind="labels")
    assert net.accuracy(x, labels) == twin.accuracy(x, labels)
    assert np.array_equal(net.predict(x), reference.classes(twin.forward(x), output))
    if cost != "hinge":
        _, y = data(cost, output, (40, 5, 3), "real", 4)
        assert net.accuracy(x, y) == twin.accuracy(x, y)
