"""The network that chapter 6 begins with: what is quoted beside what starts as the book's does."""

from types import SimpleNamespace

import numpy as np
import pytest
from divergence import CASES, check_diverged

import nnlearn as nn
from nnlearn import experiments
from nnlearn.experiments import shallow

SEEDS = (2, 5)


@pytest.fixture(scope="module")
def digits():
    return nn.datasets.load_mnist_small().take(500)


@pytest.fixture(scope="module")
def found(digits):
    return experiments.find("shallow").run(digits, SEEDS, quick=True)


def value(result, what):
    [row] = [row for row in result.rows if row.what == what]
    return row.values


@pytest.mark.parametrize("case", CASES)
def test_what_diverges_is_counted_and_the_rest_is_shown(monkeypatch, case, digits):
    check_diverged(monkeypatch, "shallow", digits, case)


def test_stuck_runs_are_counted_beside_test_accuracies_and_the_picture_has_both_networks(found):
    tested = [row for row in found.rows if "test " in row.what]
    assert len(tested) == 4
    assert all(row.stuck is not None for row in tested)
    left, right = found.figures()["curves"].axes
    assert [ax.get_title() for ax in (left, right)] == [
        "as in network3.py",
        "scaled weights, shuffled",
    ]
    assert [len(ax.get_lines()) for ax in (left, right)] == [3, 3]


def test_the_shallow_networks_accuracy_is_that_of_the_last_best_validation_epoch(digits, found):
    runs = nn.compare(
        {"shallow": {"cost": "log_likelihood"}},
        digits,
        hidden=100,
        seeds=list(SEEDS),
        epochs=6,
        learning_rate=0.1,
    )
    expected = []
    for run in runs["shallow"]:
        validation = [*run.history["val_accuracy"]]
        epoch = max(i for i, value in enumerate(validation) if value == max(validation))
        expected.append(100 * run.history["test_accuracy"][epoch])
    what = "scaled weights, shuffled: test accuracy at the best validation epoch"
    assert value(found, what) == pytest.approx(expected)
    history = {
        "val_accuracy": np.array([0.5, 0.9, 0.9, 0.7]),
        "test_accuracy": [0.1, 0.2, 0.3, 0.4],
    }
    run = SimpleNamespace(history=history, error=None)
    assert shallow._at_best([run]) == pytest.approx((30,))


def test_the_shallow_network_beside_the_books_starts_as_the_books_does(digits, found):
    """W ~ N(0, 1/100), b ~ N(0, 1), then zeros, and one order of the digits."""
    layers = [784, nn.Dense(100, init="large"), nn.Dense(10, "softmax", init="zeros")]
    ends = []
    for seed in SEEDS:
        net = nn.Network(layers, cost="log_likelihood", seed=seed)
        net.weights[0] = net.weights[0] / 10
        assert net.weights[0].std() == pytest.approx(0.1, rel=0.01)
        assert net.biases[0].std() == pytest.approx(1, rel=0.3)
        assert not any(array.any() for array in (net.weights[1], net.biases[1]))
        net.fit(digits.train, epochs=6, learning_rate=0.1, shuffle=False, verbose=0)
        ends.append(100 * net.accuracy(digits.test))
    result = found
    assert value(result, "as in network3.py: last test accuracy") == pytest.approx(ends, abs=0.5)
    [row] = [row for row in result.rows if row.quote]
    assert row.what == "as in network3.py: test accuracy at the best validation epoch"
    assert (row.quote.value, row.quote.kind) == ("97.80", "best of three")
    assert row.judge().word in ("agrees", "differs")
    assert "60 epochs, learning rate 0.1, batch size 10" in row.quote.settings
    ours, theirs = (
        np.array(value(result, f"{name}: test accuracy at the best validation epoch"))
        for name in ("scaled weights, shuffled", "as in network3.py")
    )
    gained = value(result, "gained by scaled weights and shuffled digits, at that epoch")
    assert gained == pytest.approx(ours - theirs)
    assert f"as in network3.py {theirs.mean():.2f} %; scaled weights, shuffled" in result.verdict
