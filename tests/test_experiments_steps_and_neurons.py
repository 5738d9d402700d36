"""The experiments on mini-batches, search, momentum, tanh and rectified linear units."""

import math

import numpy as np
import pytest
from divergence import CASES, check_diverged

import nnlearn as nn
from nnlearn import experiments
from nnlearn.data import Dataset
from nnlearn.experiments import Measured, momentum, relu, search, tanh
from nnlearn.experiments._lab import epochs_to

NAMES = ["batch-sizes", "search", "momentum", "tanh", "relu"]


@pytest.fixture(scope="module")
def digits():
    whole = nn.datasets.load_mnist_small()
    return Dataset(whole.train[:300], whole.validation[:200], whole.test[:200])


@pytest.fixture(scope="module")
def results(digits):
    """A quick run of each with two seeds."""
    found = {}

    def run(name):
        if name == "search":
            pytest.importorskip("optuna")
            pytest.importorskip("sklearn")
        if name not in found:
            found[name] = experiments.find(name).run(digits, [3, 4], quick=True)
        return found[name]

    return run


def values(result, what):
    return next(row.values for row in result.rows if row.what == what)


@pytest.mark.parametrize("name", NAMES)
def test_every_quote_has_a_row(name, results):
    quotes = [row.quote for row in results(name).rows if row.quote]
    assert sorted(map(repr, quotes)) == sorted(map(repr, experiments.find(name).quotes.values()))


@pytest.mark.parametrize("name", NAMES)
def test_the_pictures_show_the_slides(name, results):
    shown = sorted(slide for picture in results(name).pictures for slide in picture.slides)
    assert shown == list(experiments.find(name).slides)
    for picture in results(name).pictures:
        assert picture.figure().axes


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", ["momentum", "tanh", "relu"])
def test_what_diverges_is_counted_and_the_rest_is_shown(monkeypatch, name, case, digits):
    check_diverged(monkeypatch, name, digits, case)


@pytest.mark.parametrize(("name", "epochs"), [("momentum", 6), ("relu", 5)])
def test_the_reader_is_told_what_stands_for_never(name, epochs, results):
    text = " ".join(results(name).remarks)
    assert f"within {epochs} epochs" in text
    assert str(epochs + 1) in text


@pytest.mark.parametrize("name", ["tanh", "relu"])
def test_differences_of_accuracies_are_in_percentage_points(name, results):
    units = [c.unit for c in results(name).claims if "accuracy" in c.text or "within" in c.text]
    assert set(units) == {"percentage points"}


def test_example7_is_momentum():
    assert experiments.find("example7.py").name == "momentum"


def test_epochs_to_counts_from_1_and_one_more_where_never():
    net = nn.Network([2, 2], seed=0)
    history = net.fit(*nn.datasets.xor(8), epochs=3, learning_rate=0.5, verbose=0)
    runs = [nn.Run(net, history, 0, math.nan)] * 2
    assert epochs_to(runs, [history["loss"][1], -1.0]) == (2.0, 4.0)


@pytest.mark.parametrize("mu", [0.0, 0.5, 0.9, 0.99])
def test_the_valleys_paths_follow_velocity_and_friction(mu):
    x, y, vx, vy = -1.5, 1.6, 0.0, 0.0
    for _ in range(50):
        dx = (-2 * (1 - x) - 40 * x * (y - x * x)) / 100
        dy = 20 * (y - x * x) / 100
        vx, vy = mu * vx - 0.5 * dx, mu * vy - 0.5 * dy
        x, y = x + vx, y + vy
    np.testing.assert_allclose(momentum.valley_paths()[mu].points[50], (x, y), rtol=1e-8)


def test_less_friction_is_faster_until_there_is_next_to_none(results):
    [table] = results("momentum").tables
    assert table["steps to cost 0.001"] == [None, 218, 45, 183]
    assert table["and stays below after"] == [None, 218, 54, None]
    np.testing.assert_allclose(table["friction 1 - mu"], [1, 0.5, 0.1, 0.01])


def test_momentum_needs_fewer_epochs_than_plain_descent_to_its_end(results):
    result = results("momentum")
    plain, fast = (values(result, f"30 hidden, mu {mu}: epochs until there") for mu in ("0", "0.9"))
    assert set(plain) == {6.0}
    assert all(a > b for a, b in zip(plain, fast, strict=True))
    assert result.claims[1].differences == tuple(np.subtract(plain, fast))


@pytest.mark.parametrize("units", [30, 100])
def test_momentum_is_put_beside_no_momentum_at_the_same_pace(units, results, digits):
    result = results("momentum")
    claims = {c.text: c for c in result.claims if "same pace" in c.text}
    epochs, cost = (c for text, c in claims.items() if f"{units} hidden" in text)
    slow, fast = (
        values(result, f"{units} hidden, {name}: epochs until there")
        for name in ("no momentum, learning rate 0.5", "mu 0.9")
    )
    assert epochs.differences == tuple(np.subtract(slow, fast))
    runs = nn.compare(
        {
            "pace": {"learning_rate": 0.5},
            "momentum": {"learning_rate": 0.05, "momentum": 0.9},
        },
        Dataset(digits.train, validation=digits.validation),
        hidden=units,
        epochs=6,
        seeds=[3, 4],
        verbose=0,
    )
    pace, ball = ([r.history["loss"][-1] for r in runs[name]] for name in runs)
    assert cost.differences == pytest.approx(tuple(np.subtract(pace, ball)))


def test_the_valleys_caption_says_the_tables_steps(results):
    caption = results("momentum").pictures[0].caption
    assert "with mu = 0 not in 400 steps" in caption
    for mu, step in ((0.5, 218), (0.9, 45), (0.99, 183)):
        assert f"with mu = {mu} after {step} steps" in caption
    path = momentum.valley_paths()[0.99].points
    assert f"still {np.linalg.norm(path[-1] - path[-2]):.2g} long" in caption


def test_who_never_comes_to_the_level_is_counted(results, digits):
    small = Dataset(digits.train[:20], validation=digits.validation)
    runs = nn.compare(
        {
            f"{units} {name}": {
                "hidden": units,
                "activation": name,
                "learning_rate": 0.1 if name == "sigmoid" else 1e-9,
            }
            for units in (30, 100)
            for name in ("sigmoid", "relu")
        },
        small,
        epochs=2,
        seeds=2,
        verbose=0,
    )
    said = "2 of 2 with 30 hidden units, 2 of 2 with 100 hidden units"
    assert relu._censored(runs, 2) == said
    rows = [Measured("a: epochs", (3.0, 2.0)), Measured("b: epochs", (1.0, math.nan))]
    assert momentum._censored([(rows, [])], 2) == "1 with a"
    assert momentum._censored([(rows[1:], [])], 2) == "here none"


@pytest.mark.parametrize("name", ["tanh", "relu"])
def test_what_the_book_says_of_convolutional_networks_is_named_so(name, results):
    result = results(name)
    sources = [c.source for c in result.claims] + [r.quote.source for r in result.rows if r.quote]
    assert any("book" in source for source in sources)
    assert all("of convolutional networks" in s for s in sources if "book" in s)
    assert "these have one hidden layer" in " ".join(result.remarks)


def test_tanh_and_sigma_have_equal_slopes_at_1_66():
    z = tanh.crossing()
    assert 1 / np.cosh(z) ** 2 == pytest.approx(math.exp(-z) / (1 + math.exp(-z)) ** 2)
    assert round(z, 2) == 1.66


def test_tanh_is_a_stretched_sigmoid(results):
    [error] = values(results("tanh"), "largest |tanh(z) - (2 sigma(2z) - 1)|, in units of 1e-15")
    assert error < 1


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_equal_signs_are_counted_for_samples_and_for_batches(digits, activation):
    net = nn.Network([784, 5, 10], activation=activation, seed=1)
    x, y = digits.train[:40]
    seen = tanh.equal_signs(net, x, y)
    gradients = [net.cost_and_gradient(x[i : i + 10], y[i : i + 10])[1] for i in range(0, 40, 10)]
    signs = [np.sign(g["dense2.weight"]) for g in gradients]
    batch = 100 * np.mean([np.abs(s.sum(axis=0)) == 5 for s in signs])
    assert seen.batch == pytest.approx(batch)
    ones = [net.cost_and_gradient(x[i : i + 1], y[i : i + 1])[1] for i in range(40)]
    signs = [np.sign(g["dense2.weight"]) for g in ones]
    assert seen.sample == pytest.approx(100 * np.mean([np.abs(s.sum(0)) == 5 for s in signs]))
    assert (seen.sample == 100) == (activation == "sigmoid")


def test_a_unit_is_dead_when_no_sample_moves_it(digits):
    net = nn.Network([784, 4, 10], activation="relu", seed=1)
    net.weights[0][:] = 0.0
    net.biases[0] = np.array([-1.0, 0.0, 1.0, 2.0])
    assert relu.dead(net, *digits.train[:20]) == 50.0
    net = nn.Network([784, 4, 10], seed=1)
    net.weights[0][:] = 0.0
    net.biases[0] = np.array([-5.0, 0.0, 4.0, 5.0])
    assert relu.saturated(net, *digits.train[:20]) == 50.0


def test_every_mini_batch_size_has_its_seconds(results):
    [table] = results("batch-sizes").tables
    assert len(table) == 3
    assert all(name == "setting" or name.startswith("seconds") for name in table.columns)
    sizes = {int(name.split()[-1]) for name in table.columns[2:]}
    assert sizes == {1, 5, 10, 20, 50, 100}
    assert set(table["seconds: best size"]) <= sizes
    assert results("batch-sizes").pictures[0].name.startswith("seconds-")


def test_the_best_so_far_never_falls(results):
    result = results("search")
    for name in ("grid", "random"):
        early, late = (
            values(result, f"{name}: best validation accuracy after {k} trials") for k in (6, 12)
        )
        assert all(a <= b for a, b in zip(early, late, strict=True))


def test_searches_differ_by_percentage_points(results):
    assert [claim.unit for claim in results("search").claims] == ["percentage points"] * 3


def test_without_optuna_the_search_says_what_is_missing(digits, monkeypatch):
    monkeypatch.setattr(search.importlib.util, "find_spec", lambda name: None)
    result = experiments.find("search").run(digits, 1, quick=True)
    assert result.rows == ()
    assert "Not measured: grid; random; Bayesian" in result.remarks[-1]
    assert "nnlearn[search]" in result.remarks[-1]
    assert result.pictures[0].figure().axes
