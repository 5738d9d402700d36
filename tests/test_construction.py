"""How networks and layers are made: what is filled in, what is refused, what their repr says."""

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from twins import assert_same_bits

import nnlearn as nn
from nnlearn import SGD, Activation, Dense, Dropout

X = np.random.default_rng(3).random((20, 3)).astype(np.float32)
Y = np.arange(20) % 2

# ---------------------------------------------------------------- construction: what is filled in

#: layers and settings -> cost and output activation
DEFAULTS: list[tuple[list[Any], dict[str, Any], str, str]] = [
    ([3, 2], {}, "cross_entropy", "sigmoid"),
    ([3, 1], {}, "cross_entropy", "sigmoid"),
    ([3, 2], {"cost": "cross_entropy"}, "cross_entropy", "sigmoid"),
    ([3, 2], {"cost": "quadratic"}, "quadratic", "sigmoid"),
    ([3, 2], {"cost": "log_likelihood"}, "log_likelihood", "softmax"),
    ([3, 2], {"cost": "hinge"}, "hinge", "linear"),
    ([3, 2], {"activation": "tanh"}, "cross_entropy", "sigmoid"),
    ([3, Dense(2)], {}, "cross_entropy", "sigmoid"),
    ([3, Dense(2)], {"cost": "quadratic"}, "quadratic", "sigmoid"),
    ([3, Dense(2)], {"cost": "log_likelihood"}, "log_likelihood", "softmax"),
    ([3, Dense(2)], {"cost": "hinge"}, "hinge", "linear"),
    ([3, Dense(2)], {"activation": "relu"}, "cross_entropy", "sigmoid"),
    ([3, Dense(2, "sigmoid")], {}, "cross_entropy", "sigmoid"),
    ([3, Dense(2, "softmax")], {}, "log_likelihood", "softmax"),
    ([3, Dense(2, "linear")], {}, "quadratic", "linear"),
    ([3, Dense(2, "tanh")], {}, "quadratic", "tanh"),
    ([3, Dense(2, "relu")], {}, "quadratic", "relu"),
    ([3, Dense(2, "softmax")], {"cost": "quadratic"}, "quadratic", "softmax"),
    ([3, Dense(2, "linear")], {"cost": "hinge"}, "hinge", "linear"),
    ([3, Dense(2, "linear"), Activation("softmax")], {}, "log_likelihood", "softmax"),
    ([3, Dense(2, "linear"), Activation("tanh")], {}, "quadratic", "tanh"),
    ([3, Dense(2, "linear"), Activation("sigmoid")], {}, "cross_entropy", "sigmoid"),
]


@pytest.mark.parametrize(("layers", "settings", "cost", "output"), DEFAULTS, ids=str)
def test_cost_and_output_fill_each_other_in(
    layers: list[Any], settings: dict[str, Any], cost: str, output: str
) -> None:
    net = nn.Network(layers, seed=0, **settings)
    assert net.cost == cost
    last = net.layers[-1]
    assert (last.name if isinstance(last, Activation) else last.activation) == output


def test_layers_are_complete_objects_without_the_input() -> None:
    net = nn.Network([3, 4, Dense(5, init="he"), Dense(2, "softmax")], activation="tanh", init=0.5)
    assert net.layers == (Dense(4, "tanh", 0.5), Dense(5, "tanh", "he"), Dense(2, "softmax", 0.5))
    assert (net.input_shape, net.n_inputs, net.n_outputs) == ((3,), 3, 2)
    assert net.n_parameters == (3 * 4 + 4) + (4 * 5 + 5) + (5 * 2 + 2)
    assert nn.Network([(1, 28, 28), 2]).n_inputs == 784


@pytest.mark.parametrize("layers", [(3, 2), np.array([3, 2]), [np.int64(3), np.uint8(2)]], ids=str)
def test_layers_may_be_any_sequence_of_integers(layers: Any) -> None:
    assert nn.Network(layers).layers == (Dense(2, "sigmoid", "scaled"),)


#: what is written after the 3 inputs, beside dropout=0.5 -> the kinds of layers that it becomes
PLACES = {
    "none without hidden layers": ([2], "D"),
    "after every hidden layer": ([4, 5, 2], "D P D P D"),
    "unless one follows": ([4, Dropout(0.5), 5, 2], "D P D P D"),
    "after the layer's Activation": ([4, Activation("relu"), 5, 2], "D A P D P D"),
    "unless one follows the Activation": ([4, Activation("relu"), Dropout(0.5), 2], "D A P D"),
    "not after the last Dense": ([4, 2, Activation("softmax")], "D P D A"),
    "not after the inputs": ([Dropout(0.5), 4, 2], "P D P D"),
}


@pytest.mark.parametrize("case", PLACES)
def test_dropout_is_placed(case: str) -> None:
    layers, kinds = PLACES[case]
    net = nn.Network([3, *layers], dropout=0.5)
    letters = {Dense: "D", Dropout: "P", Activation: "A"}
    assert " ".join(letters[type(layer)] for layer in net.layers) == kinds
    assert all(layer.p == 0.5 for layer in net.layers if isinstance(layer, Dropout))


def test_a_dropout_of_ones_own_keeps_its_p() -> None:
    net = nn.Network([3, 4, Dropout(0.1), 5, 2], dropout=0.5)
    assert [layer.p for layer in net.layers if isinstance(layer, Dropout)] == [0.1, 0.5]


def test_dropout_changes_no_start_weight() -> None:
    plain, dropped = nn.Network([3, 4, 2], seed=5), nn.Network([3, 4, 2], dropout=0.5, seed=5)
    assert_same_bits(plain.parameters, dropped.parameters)


def test_seeds() -> None:
    a, b, c = nn.Network([3, 2], seed=5), nn.Network([3, 2], seed=5), nn.Network([3, 2], seed=6)
    assert_same_bits(a.parameters, b.parameters)
    assert not np.array_equal(a.weights[0], c.weights[0])
    drawn = nn.Network([3, 2])
    assert_same_bits(drawn.parameters, nn.Network([3, 2], seed=drawn.seed).parameters)
    assert drawn.seed != nn.Network([3, 2]).seed
    assert nn.Network([3, 2], seed=np.int64(5)).seed == 5
    assert nn.Network([3, 2], seed=2**64 - 1).seed == 2**64 - 1


@pytest.mark.parametrize("dtype", ["float64", np.float64, np.dtype("float64"), "f8", float])
def test_dtype_may_be_written_as_numpy_takes_it(dtype: Any) -> None:
    net = nn.Network([3, 2], dtype=dtype)
    assert net.dtype == np.float64
    assert net.weights[0].dtype == net.biases[0].dtype == net.forward(X).dtype == np.float64
    assert nn.Network([3, 2]).forward(X).dtype == np.float32


def test_float32_is_float64_rounded() -> None:
    double, single = nn.Network([3, 2], seed=1, dtype="float64"), nn.Network([3, 2], seed=1)
    assert np.array_equal(double.weights[0].astype(np.float32), single.weights[0])


# ---------------------------------------------------------------- construction: what is refused

COSTS = "'quadratic', 'cross_entropy', 'log_likelihood', 'hinge'"
FUNCTIONS = "'linear', 'sigmoid', 'tanh', 'relu'"
INPUT = "layers[0] must be the input shape, an integer >= 1 or a tuple of them, got"
LAYER = "must be an integer >= 1 or a layer object, got"
SEED = "seed must be an integer from 0 to 18446744073709551615, got"
LIST = "layers must be a list such as [784, 30, 10], got"
FEW = "layers must hold the input shape and at least one layer, got"
MANY = "layers must have at most 2^40 parameters, which is 1,099,511,627,776, got"
ONCE = "layers must have softmax in the last layer alone, got"
INIT = "init must be one of 'scaled', 'large', 'xavier', 'he', 'zeros', got"
INIT_HINT = ": a number s >= 0 stands for N(0, s^2)"
DTYPE = "dtype must be float32 or float64, got"
SHARE = "must be a finite number >= 0 and < 1, got"


def network(layers: Any = (3, 2, 2), **settings: Any) -> Callable[[], Any]:
    return lambda: nn.Network(layers, **settings)


#: call, exception, message; no network is made
REFUSED: list[tuple[Callable[[], Any], type[Exception], str]] = [
    # the list of layers
    (network(3), TypeError, f"{LIST} 3"),
    (network("34"), TypeError, f"{LIST} '34'"),
    (network(None), TypeError, f"{LIST} None"),
    (network({3: 2}), TypeError, f"{LIST} {{3: 2}}"),
    (network([]), ValueError, f"{FEW} []: write [784, 30, 10]"),
    (network([3]), ValueError, f"{FEW} [3]: write [784, 30, 10]"),
    # the input shape
    (network([0, 2]), ValueError, f"{INPUT} 0"),
    (network([-3, 2]), ValueError, f"{INPUT} -3"),
    (network([2.0, 2]), TypeError, f"{INPUT} 2.0"),
    (network([True, 2]), TypeError, f"{INPUT} True"),
    (network(["3", 2]), TypeError, f"{INPUT} '3'"),
    (network([(), 2]), ValueError, f"{INPUT} ()"),
    (network([(28, 0), 2]), ValueError, f"{INPUT} (28, 0)"),
    (network([(28, 2.5), 2]), TypeError, f"{INPUT} (28, 2.5)"),
    (network([[28, 28], 2]), TypeError, f"{INPUT} [28, 28]"),
    (network([None, 2]), TypeError, f"{INPUT} None"),
    (network([Dense(3), 2]), TypeError, f"{INPUT} {Dense(3)!r}"),
    # layers
    (network([3, 0]), ValueError, "layers[1] must be an integer >= 1, got 0"),
    (network([3, 2, -1]), ValueError, "layers[2] must be an integer >= 1, got -1"),
    (network([3, 2.0]), TypeError, f"layers[1] {LAYER} 2.0"),
    (network([3, True]), TypeError, f"layers[1] {LAYER} True"),
    (network([3, "relu", 2]), TypeError, f"layers[1] {LAYER} 'relu'"),
    (network([3, None]), TypeError, f"layers[1] {LAYER} None"),
    (network([3, [2]]), TypeError, f"layers[1] {LAYER} [2]"),
    (network([3, {}]), TypeError, f"layers[1] {LAYER} {{}}"),
    (
        network([3, Dense]),
        TypeError,
        f"layers[1] {LAYER} <class 'nnlearn.layers.Dense'>: call it: Dense(...)",
    ),
    (
        network([3, Activation("relu")]),
        ValueError,
        "layers must hold at least one Dense layer, got [3, Activation(name='relu')]",
    ),
    (
        network([3, 2, Dropout(0.5)]),
        ValueError,
        "layers must end with a Dense or an Activation layer, got Dropout(p=0.5)",
    ),
    (network([3, Activation("softmax"), 2]), ValueError, f"{ONCE} Activation(name='softmax')"),
    (
        network([3, Dense(4, "softmax"), 2]),
        ValueError,
        f"{ONCE} Dense(n=4, activation='softmax', init='scaled')",
    ),
    # sizes that overflow
    (network([2**20, 2**20]), ValueError, f"{MANY} {2**40 + 2**20}"),
    (network([3, 2**62]), ValueError, f"{MANY} {2**64}"),
    (network([2**62, 2**62]), ValueError, f"{MANY} {2**124 + 2**62}"),
    (network([2**70, 3]), ValueError, f"{MANY} {3 * 2**70 + 3}"),
    (network([(2**40, 2**40), 1]), ValueError, f"{MANY} {2**80 + 1}"),
    (network([3, 2**70]), ValueError, f"{MANY} {2**72}"),
    # settings
    (network(cost="l2"), ValueError, f"cost must be one of {COSTS}, got 'l2'"),
    (network(cost=2), TypeError, f"cost must be one of {COSTS}, got 2"),
    (network(cost=[1]), TypeError, f"cost must be one of {COSTS}, got [1]"),
    (
        network(cost=np.ones(2)),
        TypeError,
        f"cost must be one of {COSTS}, got an array of shape (2,) and dtype float64",
    ),
    (
        network(cost="mse"),
        ValueError,
        f"cost must be one of {COSTS}, got 'mse': the squared error is 'quadratic'",
    ),
    (
        network(cost="cross-entropy"),
        ValueError,
        f"cost must be one of {COSTS}, got 'cross-entropy': write 'cross_entropy'",
    ),
    (
        network(cost="categorical_crossentropy"),
        ValueError,
        f"cost must be one of {COSTS}, got 'categorical_crossentropy': "
        "categorical cross-entropy is 'log_likelihood'",
    ),
    (
        network(activation="elu"),
        ValueError,
        f"activation must be one of {FUNCTIONS}, got 'elu'",
    ),
    (network(activation=None), TypeError, f"activation must be one of {FUNCTIONS}, got None"),
    (
        network(activation="softmax"),
        ValueError,
        f"activation must be one of {FUNCTIONS}, got 'softmax': softmax is for the last layer",
    ),
    (network(dropout=1), ValueError, f"dropout {SHARE} 1"),
    (network(dropout=-0.1), ValueError, f"dropout {SHARE} -0.1"),
    (network(dropout=np.nan), ValueError, f"dropout {SHARE} nan"),
    (network(dropout="0.5"), TypeError, f"dropout {SHARE} '0.5'"),
    (network(dropout=None), TypeError, f"dropout {SHARE} None"),
    (network(dropout=True), TypeError, f"dropout {SHARE} True"),
    (network(dropout=[0.5]), TypeError, f"dropout {SHARE} [0.5]"),
    (network(dtype="float16"), ValueError, f"{DTYPE} 'float16'"),
    (network(dtype=int), ValueError, f"{DTYPE} <class 'int'>"),
    (
        network(dtype="real"),
        TypeError,
        f"{DTYPE} 'real'",
    ),
    (network(dtype=None), TypeError, f"{DTYPE} None"),
    (network(dtype=3), TypeError, f"{DTYPE} 3"),
    (network(seed=-1), ValueError, f"{SEED} -1"),
    (network(seed=2**64), ValueError, f"{SEED} {2**64}"),
    (network(seed=1.0), TypeError, f"{SEED} 1.0"),
    (network(seed="1"), TypeError, f"{SEED} '1'"),
    (network(seed=True), TypeError, f"{SEED} True"),
    (network(n_threads=0), ValueError, "n_threads must be an integer >= 1, got 0"),
    (network(n_threads=1.5), TypeError, "n_threads must be an integer >= 1, got 1.5"),
    (network(init=-1), ValueError, "init must be a finite number >= 0, got -1"),
    (network(init=np.nan), ValueError, "init must be a finite number >= 0, got nan"),
    (network(init=np.inf), ValueError, "init must be a finite number >= 0, got inf"),
    (network(init="glorot"), ValueError, f"{INIT} 'glorot'{INIT_HINT}"),
    (network(init="normal"), ValueError, f"{INIT} 'normal'{INIT_HINT}"),
    (network(init=True), TypeError, f"{INIT} True{INIT_HINT}"),
    (network(init=None), TypeError, f"{INIT} None{INIT_HINT}"),
    (network(init=[1]), TypeError, f"{INIT} [1]{INIT_HINT}"),
    (lambda: Dense(2, init=[1]), TypeError, f"{INIT} [1]{INIT_HINT}"),
    # single layers and optimisers
    (lambda: Dense(0), ValueError, "n must be an integer >= 1, got 0"),
    (lambda: Dense(-3), ValueError, "n must be an integer >= 1, got -3"),
    (lambda: Dense(2.0), TypeError, "n must be an integer >= 1, got 2.0"),
    (lambda: Dense("3"), TypeError, "n must be an integer >= 1, got '3'"),
    (
        lambda: Dense(2, "elu"),
        ValueError,
        f"activation must be one of {FUNCTIONS}, 'softmax', got 'elu'",
    ),
    (
        lambda: Dense(2, 3),
        TypeError,
        f"activation must be one of {FUNCTIONS}, 'softmax', got 3",
    ),
    (
        lambda: Activation("elu"),
        ValueError,
        f"name must be one of {FUNCTIONS}, 'softmax', got 'elu'",
    ),
    (lambda: Dropout(1.0), ValueError, f"p {SHARE} 1.0"),
    (lambda: Dropout(-0.5), ValueError, f"p {SHARE} -0.5"),
    (lambda: Dropout("a"), TypeError, f"p {SHARE} 'a'"),
    (lambda: SGD(0), ValueError, "learning_rate must be a finite number > 0, got 0"),
    (lambda: SGD(-0.1), ValueError, "learning_rate must be a finite number > 0, got -0.1"),
    (lambda: SGD(np.inf), ValueError, "learning_rate must be a finite number > 0, got inf"),
    (lambda: SGD("fast"), TypeError, "learning_rate must be a finite number > 0, got 'fast'"),
    (lambda: SGD(0.1, 1), ValueError, f"momentum {SHARE} 1"),
    (lambda: SGD(0.1, -0.1), ValueError, f"momentum {SHARE} -0.1"),
    (lambda: SGD(0.1, 0.9, 1), TypeError, "nesterov must be True or False, got 1"),
]


@pytest.mark.parametrize(("call", "exception", "message"), REFUSED, ids=[r[2] for r in REFUSED])
def test_what_is_no_network_is_refused(
    call: Callable[[], Any], exception: type[Exception], message: str
) -> None:
    with pytest.raises(exception) as caught:
        call()
    assert type(caught.value) is exception
    assert str(caught.value) == message


#: which cost goes with which output, and with how few outputs
PAIRS = {
    "quadratic": {"sigmoid": 1, "tanh": 1, "linear": 1, "relu": 1, "softmax": 1},
    "cross_entropy": {"sigmoid": 1},
    "log_likelihood": {"softmax": 2},
    "hinge": {"linear": 2},
}


@pytest.mark.parametrize("output", ["sigmoid", "tanh", "linear", "relu", "softmax"])
@pytest.mark.parametrize("cost", PAIRS)
def test_pairs_of_cost_and_output(cost: str, output: str) -> None:
    fewest = PAIRS[cost].get(output)
    for n in (1, 2):
        layers = [3, Dense(n, output)]
        if fewest is not None and n >= fewest:
            assert nn.Network(layers, cost=cost).cost == cost
            continue
        with pytest.raises(ValueError, match=" must ") as caught:
            nn.Network(layers, cost=cost)
        names = " or ".join(repr(c) for c in PAIRS if output in PAIRS[c])
        message = f"cost must be {names} for {output} outputs, got {cost!r}"
        if fewest is not None:
            message = f"layers must end with 2 outputs or more for {cost}, got 1"
        if (cost, output) == ("cross_entropy", "softmax"):
            message += ": with softmax outputs the cross-entropy is cost='log_likelihood'"
        assert str(caught.value) == message


# ---------------------------------------------------------------- layer objects

OBJECTS = [
    Dense(3),
    Dense(3, "tanh"),
    Dense(3, activation="softmax", init="he"),
    Dense(3, init=0.5),
    Dense(3, init=np.float32(0.25)),
    Dense(np.int64(3)),
    Dropout(0.5),
    Dropout(0),
    Dropout(np.float64(0.5)),
    Activation("relu"),
    SGD(0.5),
    SGD(np.float64(0.1), momentum=0.9, nesterov=True),
    SGD(1, 0),
]


@pytest.mark.parametrize("value", OBJECTS, ids=repr)
def test_objects_are_equal_by_value_and_their_repr_rebuilds(value: Any) -> None:
    again = eval(repr(value), vars(nn))
    assert again == value
    assert again is not value
    assert hash(again) == hash(value)
    assert repr(again) == repr(value)
    assert pickle.loads(pickle.dumps(value)) == value
    with pytest.raises(AttributeError):
        value.n = value.p = value.name = value.learning_rate = 7


def test_objects_of_other_values_or_kinds_differ() -> None:
    assert len(set(OBJECTS)) == len(OBJECTS) - 2  # Dense(3) twice, Dropout(0.5) twice
    assert Dense(3) != Dense(4)
    assert Dense(3) != 3


def test_the_layers_of_a_network_rebuild_it() -> None:
    net = nn.Network([3, 4, Activation("relu"), 2], dropout=0.25, init="large", seed=3)
    layers = eval(repr(list(net.layers)), vars(nn))
    assert_same_bits(nn.Network([3, *layers], cost=net.cost, seed=3).parameters, net.parameters)
