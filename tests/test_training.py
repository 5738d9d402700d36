"""Training by nnlearn against hand-worked steps, quoted numbers and the twin."""

from typing import Any

import numpy as np
import pytest
import reference
from reference import Activation, Dense, Dropout, relative_error
from twins import (
    ALL_PAIRS,
    SGD_MOMENTUM,
    TRAINED,
    assert_same_bits,
    assert_same_parameters,
    fit_both,
    make_pair,
    rows,
    snapshot,
)
from worked_examples import EXACT, GOLDEN, TOY, Exact, Golden, Toy, golden_data

import nnlearn as nn
from nnlearn.optimizers import OPTIMIZERS

# optimiser -> settings to train with; each is compared with the twin's
SETTINGS: dict[str, list[dict[str, Any]]] = {
    "sgd": [
        {"learning_rate": 0.5},
        {"learning_rate": 0.2, "momentum": 0.9},
        {"learning_rate": 0.2, "momentum": 0.9, "nesterov": True},
        {"learning_rate": 0.2, "nesterov": True},
    ],
}
EVERY_SETTING = [
    pytest.param(name, settings, id="-".join([name, *(f"{k}={v}" for k, v in settings.items())]))
    for name in OPTIMIZERS
    for settings in SETTINGS.get(name, [])
]


# ---------------------------------------------------------------- by hand, quoted, kept


def test_every_optimizer_has_its_twin_settings_and_exact_case() -> None:
    assert set(OPTIMIZERS) == set(reference.OPTIMIZERS) == set(SETTINGS)
    assert set(OPTIMIZERS) == {case.optimizer for case in EXACT}


@pytest.mark.parametrize("dtype", TRAINED)
@pytest.mark.parametrize("case", EXACT, ids=lambda case: case.name)
def test_exact_steps(case: Exact, dtype: str) -> None:
    net = nn.Network([1, nn.Dense(1, activation="linear")], cost="quadratic", dtype=dtype)
    net.weights[0][:], net.biases[0][:] = case.start
    optimizer = OPTIMIZERS[case.optimizer](learning_rate=case.learning_rate, **case.settings)
    arguments: dict[str, Any] = {"batch_size": len(case.x), "shuffle": False} | case.fit
    x, y = np.array(case.x, dtype=float)[:, None], np.array(case.y, dtype=float)
    for w, b in case.after:
        net.fit(x, y, epochs=1, optimizer=optimizer, **arguments)
        assert (net.weights[0].item(), net.biases[0].item()) == (w, b)


@pytest.mark.parametrize("case", TOY, ids=lambda c: f"{c.cost}-{c.start[0]}-{c.learning_rate}")
def test_toy_neuron_follows_the_quoted_outputs(case: Toy) -> None:
    net = nn.Network([1, 1], cost=case.cost, dtype="float64")
    net.weights[0][:], net.biases[0][:] = case.start
    x, y = np.ones((1, 1)), np.array([0])
    outputs = [net.forward(x).item()]
    for _ in range(6):
        net.fit(x, y, epochs=50, batch_size=1, learning_rate=case.learning_rate)
        outputs.append(net.forward(x).item())
    assert np.round(outputs, 4).tolist() == list(case.outputs)
    assert (round(net.weights[0].item(), 4), round(net.biases[0].item(), 4)) == case.end
    assert round(net.loss(x, y), 5) == case.end_cost


@pytest.mark.parametrize("dtype", TRAINED)
@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.name)
def test_golden_losses(case: Golden, dtype: str) -> None:
    net, _ = make_pair(case.layers, cost=case.cost, dtype=dtype, seed=11)
    history = net.fit(*golden_data(), epochs=3, batch_size=7, **case.fit)
    assert np.allclose(history["loss"], case.losses, rtol=0, atol=1e-5)


# ---------------------------------------------------------------- epochs against the twin


@pytest.mark.parametrize("dtype", TRAINED)
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(("optimizer", "settings"), EVERY_SETTING)
def test_epochs_of_every_optimizer(
    optimizer: str, settings: dict[str, Any], shuffle: bool, dtype: str
) -> None:
    net, twin = make_pair([5, Dense(7, "tanh"), Dense(3)], cost="cross_entropy", dtype=dtype)
    x, y = rows(53)
    for epochs in (1, 2):
        fit_both(
            net,
            twin,
            x,
            y,
            epochs=epochs,
            optimizer=optimizer,
            settings=settings,
            shuffle=shuffle,
            l2=0.7,
        )
        assert_same_parameters(net, twin, dtype)


@pytest.mark.parametrize("dtype", TRAINED)
@pytest.mark.parametrize(
    "arguments",
    [
        {"l2": 3.0},
        {"l1": 0.5},
        {"l1": 0.5, "l2": 3.0},
        {"l1": 0.5, "l2": 3.0, "penalize_biases": True},
        {"l2": 0.0},
        {"l2": 120.0},  # eta l2/n = 0.68, above the 0.5 up to which decay may be lazy
    ],
    ids=str,
)
def test_epochs_with_penalties(arguments: dict[str, Any], dtype: str) -> None:
    layers = [5, Dense(7, "sigmoid"), Dense(6, "relu"), Dense(3, "softmax")]
    net, twin = make_pair(layers, cost="log_likelihood", dtype=dtype)
    x, y = rows(53)
    history, columns = fit_both(net, twin, x, y, epochs=2, settings=SGD_MOMENTUM, **arguments)
    assert_same_parameters(net, twin, dtype)
    assert np.allclose(history["penalty"], columns["penalty"], rtol=TRAINED[dtype], atol=0)


@pytest.mark.parametrize("dtype", TRAINED)
@pytest.mark.parametrize(("cost", "output"), ALL_PAIRS)
def test_epochs_of_every_cost(cost: str, output: str, dtype: str) -> None:
    net, twin = make_pair([5, Dense(7, "tanh"), Dense(3, output)], cost=cost, dtype=dtype)
    x, y = rows(53)
    settings = {"learning_rate": 0.05, "momentum": 0.5}
    history, columns = fit_both(net, twin, x, y, epochs=2, settings=settings)
    assert_same_parameters(net, twin, dtype)
    assert np.allclose(history["loss"], columns["loss"], rtol=TRAINED[dtype], atol=0)


@pytest.mark.parametrize("dtype", TRAINED)
@pytest.mark.parametrize(
    "layers",
    [
        pytest.param([5, Dense(3)], id="no hidden layer"),
        pytest.param([5, Dropout(0.2), Dense(8, "tanh"), Dropout(0.5), Dense(3)], id="dropout"),
        pytest.param([5, Dense(8, "linear"), Activation("tanh"), Dense(3)], id="activation"),
        pytest.param([5, Dense(7), Dense(6), Dense(4, "tanh"), Dense(3)], id="deep"),
        pytest.param([5, Dense(131, "relu", "he"), Dense(67, "relu"), Dense(3)], id="wide"),
    ],
)
def test_epochs_of_several_networks(layers: list[Any], dtype: str) -> None:
    net, twin = make_pair(layers, cost="cross_entropy", dtype=dtype)
    x, y = rows(53)
    history, columns = fit_both(
        net, twin, x, y, epochs=3, batch_size=7, settings=SGD_MOMENTUM, l2=0.1
    )
    assert_same_parameters(net, twin, dtype)
    for column in ("loss", "accuracy", "penalty"):
        assert np.allclose(history[column], columns[column], rtol=TRAINED[dtype], atol=0), column


@pytest.mark.parametrize("dtype", TRAINED)
@pytest.mark.parametrize("batch_size", [1, 2, 7, 30, 1000])
@pytest.mark.parametrize("n", [1, 2, 31])
def test_batches_and_a_short_last_one(n: int, batch_size: int, dtype: str) -> None:
    net, twin = make_pair([5, Dense(4, "tanh"), Dense(3)], cost="cross_entropy", dtype=dtype)
    x, y = rows(n)
    history, columns = fit_both(
        net, twin, x, y, epochs=2, batch_size=batch_size, settings=SGD_MOMENTUM, l2=0.1
    )
    assert_same_parameters(net, twin, dtype)
    assert history.step_loss.dtype == np.float32
    assert len(history.step_loss) == 2 * -(-n // batch_size)
    assert np.allclose(history.step_loss, columns["step_loss"], rtol=1e-4, atol=0)
    for column in ("loss", "accuracy", "penalty"):
        assert np.allclose(history[column], columns[column], rtol=TRAINED[dtype], atol=0), column


@pytest.mark.parametrize("dtype", TRAINED)
def test_a_batch_of_more_rows_than_a_block(dtype: str) -> None:
    layers = [5, Dense(7, "tanh"), Dropout(0.5), Dense(3)]
    net, twin = make_pair(layers, cost="cross_entropy", dtype=dtype)
    x, y = rows(5000)
    history, columns = fit_both(net, twin, x, y, epochs=2, batch_size=3001, settings=SGD_MOMENTUM)
    assert_same_parameters(net, twin, dtype)
    assert np.allclose(history["loss"], columns["loss"], rtol=TRAINED[dtype], atol=0)


@pytest.mark.parametrize("dtype", TRAINED)
def test_sample_weights(dtype: str) -> None:
    net, twin = make_pair([5, Dense(4, "tanh"), Dense(3)], cost="cross_entropy", dtype=dtype)
    x, y = rows(53)
    weights = np.random.default_rng(1).uniform(0, 3, size=53) * (np.arange(53) % 4 > 0)
    history, columns = fit_both(
        net, twin, x, y, epochs=2, settings=SGD_MOMENTUM, l2=0.1, sample_weight=weights
    )
    assert_same_parameters(net, twin, dtype)
    assert np.allclose(history["loss"], columns["loss"], rtol=TRAINED[dtype], atol=0)


@pytest.mark.parametrize("penalize_biases", [False, True])
def test_weights_of_zero_leave_the_decay_alone(penalize_biases: bool) -> None:
    net = nn.Network([5, 4, 3], dtype="float64", seed=1)
    x, y = rows(20)
    before = snapshot(net)
    net.fit(
        x,
        y,
        epochs=1,
        batch_size=5,
        learning_rate=0.5,
        l2=2.0,
        penalize_biases=penalize_biases,
        sample_weight=np.zeros(20),
    )
    decay = (1 - 0.5 * 2 / 20) ** 4
    for name, value in net.parameters.items():
        factor = decay if name.endswith("weight") or penalize_biases else 1
        assert relative_error(value, factor * before[name]) < 1e-14, name


@pytest.mark.parametrize("dtype", TRAINED)
@pytest.mark.parametrize("of_x", [np.float32, np.float64, np.uint8])
@pytest.mark.parametrize("layout", ["contiguous", "rows", "columns", "reversed", "fortran"])
def test_inputs_of_any_dtype_and_layout(layout: str, of_x: Any, dtype: str) -> None:
    rng = np.random.default_rng(4)
    whole = rng.integers(0, 256, size=(106, 41), dtype=np.uint8)
    if of_x != np.uint8:
        whole = (whole / 255).astype(of_x)
    x = {
        "contiguous": whole[:53].copy(),
        "rows": whole[::2],
        "columns": whole[:53, 2:39],
        "reversed": whole[52::-1],
        "fortran": np.asfortranarray(whole[:53]),
    }[layout]
    y = np.arange(53) % 3
    net, twin = make_pair(
        [x.shape[1], Dense(7, "tanh"), Dense(3)], cost="cross_entropy", dtype=dtype
    )
    kept = x.copy()
    fit_both(net, twin, x, y, epochs=2, settings={"learning_rate": 0.1})
    assert_same_parameters(net, twin, dtype)
    assert np.array_equal(x, kept)


@pytest.mark.parametrize("dtype", TRAINED)
@pytest.mark.parametrize(
    ("cost", "output"),
    [
        ("cross_entropy", "sigmoid"),
        ("quadratic", "sigmoid"),
        ("quadratic", "tanh"),
        ("quadratic", "linear"),
    ],
)
def test_one_output_unit(cost: str, output: str, dtype: str) -> None:
    net, twin = make_pair([5, Dense(4, "tanh"), Dense(1, output)], cost=cost, dtype=dtype)
    x, labels = rows(53, n_classes=2)
    y = labels if output != "linear" else x.sum(axis=1)
    history, columns = fit_both(net, twin, x, y, epochs=3, settings={"learning_rate": 0.1})
    assert_same_parameters(net, twin, dtype)
    assert ("accuracy" in history) == (output != "linear")
    if output != "linear":
        assert history["accuracy"].tolist() == columns["accuracy"].tolist()


def test_real_targets() -> None:
    net, twin = make_pair([5, Dense(4, "tanh"), Dense(3)], cost="cross_entropy")
    x, _ = rows(53)
    y = np.random.default_rng(2).uniform(0, 1, size=(53, 3))
    fit_both(net, twin, x, y, epochs=2)
    assert_same_parameters(net, twin)


# ---------------------------------------------------------------- what the history says


def test_evaluated_columns() -> None:
    net, twin = make_pair([5, Dense(4, "tanh"), Dropout(0.5), Dense(3)], cost="cross_entropy")
    x, y = rows(53)
    x_val, y_val = rows(3001)
    history = net.fit(
        x,
        y,
        epochs=1,
        learning_rate=0.5,
        l2=0.4,
        validation=(x_val, y_val),
        evaluate_train=True,
        evaluate_first=True,
    )
    assert history.start["val_loss"] == pytest.approx(twin.loss(x_val, y_val), rel=1e-12)
    assert history.start["train_loss"] == pytest.approx(twin.loss(x, y), rel=1e-12)
    twin.fit(x, y, epochs=1, batch_size=10, settings={"learning_rate": 0.5}, l2=0.4)
    assert history["val_loss"][0] == pytest.approx(twin.loss(x_val, y_val), rel=1e-10)
    assert history["val_accuracy"][0] == twin.accuracy(x_val, y_val)
    assert history["train_loss"][0] == pytest.approx(twin.loss(x, y), rel=1e-10)
    assert history["train_accuracy"][0] == twin.accuracy(x, y)
    penalty = twin.penalty(0, 0.4, 53)  # of the training set's n, for every set
    for part in ("", "val_", "train_"):
        cost = history[f"{part}loss"][0] + penalty
        assert history[f"{part}cost"][0] == pytest.approx(cost, rel=1e-10)


def test_evaluation_between_epochs_changes_no_bit() -> None:
    x, y = rows(53)
    plain, watched = (nn.Network([5, 7, 3], dropout=0.5, seed=3) for _ in range(2))
    plain.fit(x, y, epochs=3, learning_rate=0.5, momentum=0.5)
    watched.fit(
        x,
        y,
        epochs=3,
        learning_rate=0.5,
        momentum=0.5,
        validation=rows(31),
        evaluate_train=True,
        evaluate_first=True,
        evaluate_every=2,
        callbacks=[lambda net, history: net.accuracy(x, y) < 0],
    )
    assert_same_bits(plain.parameters, watched.parameters)
