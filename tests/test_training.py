"""Training by nnlearn against the twin, against hand-worked steps, and against itself."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from reference import Activation, Dense, Dropout, relative_error
from worked_examples import EXACT, GOLDEN, TOY, Exact, Golden, Toy, golden_data

import nnlearn as nn
from nnlearn.costs import PAIRS
from nnlearn.optimizers import OPTIMIZERS

# A few dozen steps, each with the rounding of one; nothing here amplifies it by more than 100.
TOLERANCE = {"float64": 1e-10, "float32": 1e-4}

MakePair = Callable[..., Any]

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
SGD_MOMENTUM = {"learning_rate": 0.3, "momentum": 0.8}


def rows(n: int, n_in: int = 5, n_classes: int = 3) -> tuple[Any, Any]:
    """A problem that a network can learn: the class is the largest of the first inputs."""
    x = np.random.default_rng(n).normal(size=(n, n_in))
    return x, x[:, :n_classes].argmax(axis=1)


def fit_both(
    net: Any,
    twin: reference.Network,
    x: Any,
    y: Any,
    *,
    epochs: int = 1,
    batch_size: int = 10,
    optimizer: str = "sgd",
    settings: dict[str, Any] | None = None,
    **arguments: Any,
) -> tuple[Any, dict[str, Any]]:
    """Train both; returns their histories."""
    settings = settings or {"learning_rate": 0.5}
    history = net.fit(
        x,
        y,
        epochs=epochs,
        batch_size=batch_size,
        optimizer=OPTIMIZERS[optimizer](**settings),
        **arguments,
    )
    x64 = x / 255 if x.dtype == np.uint8 else x
    columns = twin.fit(
        x64,
        y,
        epochs=epochs,
        batch_size=batch_size,
        optimizer=optimizer,
        settings=settings,
        **arguments,
    )
    return history, columns


def assert_same_parameters(net: Any, twin: reference.Network, dtype: str = "float64") -> None:
    for name, value in net.parameters.items():
        assert relative_error(value, twin.parameters[name]) < TOLERANCE[dtype], name


def snapshot(net: Any) -> dict[str, Any]:
    return {name: value.copy() for name, value in net.parameters.items()}


def assert_same_bits(a: Any, b: Any) -> None:
    assert list(a) == list(b)
    for name in a:
        assert np.array_equal(a[name], b[name]), name


# ---------------------------------------------------------------- by hand, quoted, kept


def test_every_optimizer_has_its_twin_settings_and_exact_case() -> None:
    assert set(OPTIMIZERS) == set(reference.OPTIMIZERS) == set(SETTINGS)
    assert set(OPTIMIZERS) == {case.optimizer for case in EXACT}


@pytest.mark.parametrize("dtype", TOLERANCE)
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


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.name)
def test_golden_losses(pair: MakePair, case: Golden, dtype: str) -> None:
    net, _ = pair(case.layers, cost=case.cost, dtype=dtype, seed=11)
    history = net.fit(*golden_data(), epochs=3, batch_size=7, **case.fit)
    assert np.allclose(history["loss"], case.losses, rtol=0, atol=1e-5)


# ---------------------------------------------------------------- epochs against the twin


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(("optimizer", "settings"), EVERY_SETTING)
def test_epochs_of_every_optimizer(
    pair: MakePair, optimizer: str, settings: dict[str, Any], shuffle: bool, dtype: str
) -> None:
    net, twin = pair([5, Dense(7, "tanh"), Dense(3)], cost="cross_entropy", dtype=dtype)
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


@pytest.mark.parametrize("dtype", TOLERANCE)
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
def test_epochs_with_penalties(pair: MakePair, arguments: dict[str, Any], dtype: str) -> None:
    layers = [5, Dense(7, "sigmoid"), Dense(6, "relu"), Dense(3, "softmax")]
    net, twin = pair(layers, cost="log_likelihood", dtype=dtype)
    x, y = rows(53)
    history, columns = fit_both(net, twin, x, y, epochs=2, settings=SGD_MOMENTUM, **arguments)
    assert_same_parameters(net, twin, dtype)
    assert np.allclose(history["penalty"], columns["penalty"], rtol=TOLERANCE[dtype], atol=0)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(
    ("cost", "output"), [(cost, output) for cost, outputs in PAIRS.items() for output in outputs]
)
def test_epochs_of_every_cost(pair: MakePair, cost: str, output: str, dtype: str) -> None:
    net, twin = pair([5, Dense(7, "tanh"), Dense(3, output)], cost=cost, dtype=dtype)
    x, y = rows(53)
    settings = {"learning_rate": 0.05, "momentum": 0.5}
    history, columns = fit_both(net, twin, x, y, epochs=2, settings=settings)
    assert_same_parameters(net, twin, dtype)
    assert np.allclose(history["loss"], columns["loss"], rtol=TOLERANCE[dtype], atol=0)


@pytest.mark.parametrize("dtype", TOLERANCE)
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
def test_epochs_of_several_networks(pair: MakePair, layers: list[Any], dtype: str) -> None:
    net, twin = pair(layers, cost="cross_entropy", dtype=dtype)
    x, y = rows(53)
    history, columns = fit_both(
        net, twin, x, y, epochs=3, batch_size=7, settings=SGD_MOMENTUM, l2=0.1
    )
    assert_same_parameters(net, twin, dtype)
    for column in ("loss", "accuracy", "penalty"):
        assert np.allclose(history[column], columns[column], rtol=TOLERANCE[dtype], atol=0), column


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("batch_size", [1, 2, 7, 30, 1000])
@pytest.mark.parametrize("n", [1, 2, 31])
def test_batches_and_a_short_last_one(pair: MakePair, n: int, batch_size: int, dtype: str) -> None:
    net, twin = pair([5, Dense(4, "tanh"), Dense(3)], cost="cross_entropy", dtype=dtype)
    x, y = rows(n)
    history, columns = fit_both(
        net, twin, x, y, epochs=2, batch_size=batch_size, settings=SGD_MOMENTUM, l2=0.1
    )
    assert_same_parameters(net, twin, dtype)
    assert history.step_loss.dtype == np.float32
    assert len(history.step_loss) == 2 * -(-n // batch_size)
    assert np.allclose(history.step_loss, columns["step_loss"], rtol=1e-4, atol=0)
    for column in ("loss", "accuracy", "penalty"):
        assert np.allclose(history[column], columns[column], rtol=TOLERANCE[dtype], atol=0), column


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_sample_weights(pair: MakePair, dtype: str) -> None:
    net, twin = pair([5, Dense(4, "tanh"), Dense(3)], cost="cross_entropy", dtype=dtype)
    x, y = rows(53)
    weights = np.random.default_rng(1).uniform(0, 3, size=53) * (np.arange(53) % 4 > 0)
    history, columns = fit_both(
        net, twin, x, y, epochs=2, settings=SGD_MOMENTUM, l2=0.1, sample_weight=weights
    )
    assert_same_parameters(net, twin, dtype)
    assert np.allclose(history["loss"], columns["loss"], rtol=TOLERANCE[dtype], atol=0)


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


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("of_x", [np.float32, np.float64, np.uint8])
@pytest.mark.parametrize("layout", ["contiguous", "rows", "columns", "reversed", "fortran"])
def test_inputs_of_any_dtype_and_layout(pair: MakePair, layout: str, of_x: Any, dtype: str) -> None:
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
    net, twin = pair([x.shape[1], Dense(7, "tanh"), Dense(3)], cost="cross_entropy", dtype=dtype)
    kept = x.copy()
    fit_both(net, twin, x, y, epochs=2, settings={"learning_rate": 0.1})
    assert_same_parameters(net, twin, dtype)
    assert np.array_equal(x, kept)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(
    ("cost", "output"),
    [
        ("cross_entropy", "sigmoid"),
        ("quadratic", "sigmoid"),
        ("quadratic", "tanh"),
        ("quadratic", "linear"),
    ],
)
def test_one_output_unit(pair: MakePair, cost: str, output: str, dtype: str) -> None:
    net, twin = pair([5, Dense(4, "tanh"), Dense(1, output)], cost=cost, dtype=dtype)
    x, labels = rows(53, n_classes=2)
    y = labels if output != "linear" else x.sum(axis=1)
    history, columns = fit_both(net, twin, x, y, epochs=3, settings={"learning_rate": 0.1})
    assert_same_parameters(net, twin, dtype)
    assert ("accuracy" in history) == (output != "linear")
    if output != "linear":
        assert history["accuracy"].tolist() == columns["accuracy"].tolist()


def test_real_targets(pair: MakePair) -> None:
    net, twin = pair([5, Dense(4, "tanh"), Dense(3)], cost="cross_entropy")
    x, _ = rows(53)
    y = np.random.default_rng(2).uniform(0, 1, size=(53, 3))
    fit_both(net, twin, x, y, epochs=2)
    assert_same_parameters(net, twin)


# ---------------------------------------------------------------- what the history says


def test_evaluated_columns(pair: MakePair) -> None:
    net, twin = pair([5, Dense(4, "tanh"), Dropout(0.5), Dense(3)], cost="cross_entropy")
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


# ---------------------------------------------------------------- same seed, same bits


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("parts", [(10, 20), (1, 29), (10, 0, 10, 10)], ids=str)
def test_fit_in_parts_is_fit_at_once(parts: tuple[int, ...], nesterov: bool, dtype: str) -> None:
    x, y = rows(53)
    optimizer = nn.SGD(0.3, momentum=0.9, nesterov=nesterov)
    once, twice = (nn.Network([5, 7, 3], dropout=0.3, seed=5, dtype=dtype) for _ in range(2))
    history = once.fit(x, y, epochs=30, optimizer=optimizer, l2=0.1)
    for epochs in parts:
        twice.fit(x, y, epochs=epochs, optimizer=optimizer, l2=0.1)
    assert_same_bits(once.parameters, twice.parameters)
    for column in ("epoch", "loss", "accuracy", "penalty"):
        assert np.array_equal(twice.history[column], history[column]), column
    assert once.history["epoch"].tolist() == list(range(1, 31))


def test_a_copy_goes_on_as_the_original_does() -> None:
    x, y = rows(53)
    net = nn.Network([5, 7, 3], dropout=0.3, seed=5)
    net.fit(x, y, epochs=3, learning_rate=0.3, momentum=0.9)
    copy = net.copy()
    net.fit(x, y, epochs=3, learning_rate=0.3, momentum=0.9)
    copy.fit(x, y, epochs=3, learning_rate=0.3, momentum=0.9)
    assert_same_bits(net.parameters, copy.parameters)


def test_reset_optimizer_forgets_the_velocity(pair: MakePair) -> None:
    net, twin = pair([5, Dense(4, "tanh"), Dense(3)], cost="cross_entropy")
    x, y = rows(53)
    fit_both(net, twin, x, y, settings=SGD_MOMENTUM)
    twin.state.clear()
    net.fit(x, y, epochs=1, learning_rate=0.3, momentum=0.8, reset_optimizer=True)
    twin.fit(x, y, epochs=1, batch_size=10, settings=SGD_MOMENTUM)
    assert_same_parameters(net, twin)


def test_velocity_stays_when_rate_and_momentum_change(pair: MakePair) -> None:
    net, twin = pair([5, Dense(4, "tanh"), Dense(3)], cost="cross_entropy")
    x, y = rows(53)
    fit_both(net, twin, x, y, settings=SGD_MOMENTUM)
    fit_both(net, twin, x, y, settings={"learning_rate": 0.1, "momentum": 0.5})
    assert_same_parameters(net, twin)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(
    ("widths", "batch_size"), [((5, 7, 3), 10), ((300, 271, 10), 64), ((300, 271, 10), 1)]
)
def test_number_of_threads_changes_no_bit(
    widths: tuple[int, ...], batch_size: int, dtype: str
) -> None:
    x, y = rows(300, n_in=widths[0])
    results = []
    for n_threads in (1, 2, 3):
        net = nn.Network(list(widths), dropout=0.3, seed=5, dtype=dtype, n_threads=n_threads)
        net.fit(x, y, epochs=1, batch_size=batch_size, learning_rate=0.3, momentum=0.9, l2=0.1)
        results.append(snapshot(net) | {"outputs": net.forward(x), "loss": net.loss(x, y)})
    assert_same_bits(results[0], results[1])
    assert_same_bits(results[0], results[2])


def test_seeds_differ_and_a_drawn_seed_repeats() -> None:
    x, y = rows(53)

    def trained(seed: int | None) -> Any:
        net = nn.Network([5, 7, 3], dropout=0.3, seed=seed)
        net.fit(x, y, epochs=2, learning_rate=0.3)
        return net

    drawn = trained(None)
    assert_same_bits(drawn.parameters, trained(drawn.seed).parameters)
    assert not np.array_equal(trained(1).weights[0], trained(2).weights[0])


def test_fit_takes_a_seed_of_its_own(pair: MakePair) -> None:
    net, twin = pair([5, Dense(4, "tanh"), Dropout(0.5), Dense(3)], cost="cross_entropy")
    x, y = rows(53)
    net.fit(x, y, epochs=2, learning_rate=0.5, seed=77)
    twin.seed = 77
    twin.fit(x, y, epochs=2, batch_size=10, settings={"learning_rate": 0.5})
    assert_same_parameters(net, twin)


# ---------------------------------------------------------------- properties

SEEDS = st.integers(0, 2**32 - 1)


@given(seed=SEEDS, n=st.integers(1, 30))
def test_order_of_rows_does_not_matter_to_one_full_batch(pair: MakePair, seed: int, n: int) -> None:
    x, y = rows(n)
    order = np.random.default_rng(seed).permutation(n)
    net, _ = pair([5, Dense(4, "tanh"), Dense(3)], cost="cross_entropy", seed=seed)
    other = net.copy()
    for each, chosen in ((net, slice(None)), (other, order)):
        each.fit(x[chosen], y[chosen], epochs=2, batch_size=n, learning_rate=0.5, l2=0.1)
    for name, value in net.parameters.items():
        assert relative_error(other.parameters[name], value) < 1e-12


@given(seed=SEEDS, n=st.integers(1, 30), batch_size=st.integers(1, 12), epochs=st.integers(1, 3))
def test_any_run_is_the_twins(
    pair: MakePair, seed: int, n: int, batch_size: int, epochs: int
) -> None:
    layers = [5, Dense(6, "tanh"), Dropout(0.4), Dense(3)]
    net, twin = pair(layers, cost="cross_entropy", seed=seed)
    x, y = rows(n)
    fit_both(net, twin, x, y, epochs=epochs, batch_size=batch_size, settings=SGD_MOMENTUM, l1=0.01)
    assert_same_parameters(net, twin)


@given(seed=SEEDS, first=st.integers(0, 4), second=st.integers(0, 4))
def test_any_two_fits_are_one(seed: int, first: int, second: int) -> None:
    x, y = rows(23)
    once, twice = (nn.Network([5, 4, 3], dropout=0.4, seed=seed) for _ in range(2))
    arguments = {"learning_rate": 0.3, "momentum": 0.7, "batch_size": 4}
    once.fit(x, y, epochs=first + second, **arguments)
    twice.fit(x, y, epochs=first, **arguments)
    twice.fit(x, y, epochs=second, **arguments)
    assert_same_bits(once.parameters, twice.parameters)
