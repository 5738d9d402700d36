"""`Ensemble`: means and votes beside NumPy, one network beside itself, and what is refused."""

from typing import Any

import numpy as np
import pytest
import scipy.sparse
from sklearn import metrics

import nnlearn as nn
from nnlearn import Dense

RNG = np.random.default_rng(5)
N, N_IN, K = 300, 6, 4
X = RNG.random((N, N_IN)).astype(np.float32)
Y = ((X - 0.5) @ RNG.normal(size=(N_IN, K))).argmax(axis=1)
SOFT = RNG.dirichlet(np.ones(K), N)

#: Last layer, cost and y of every kind of outputs.
KINDS: dict[str, tuple[Any, str, Any]] = {
    "sigmoid": (K, "cross_entropy", Y),
    "sigmoid, targets": (K, "cross_entropy", SOFT),
    "sigmoid, quadratic": (K, "quadratic", Y),
    "softmax": (K, "log_likelihood", Y),
    "softmax, targets": (K, "log_likelihood", SOFT),
    "softmax, quadratic": (Dense(K, "softmax"), "quadratic", Y),
    "tanh": (Dense(K, "tanh"), "quadratic", Y),
    "tanh, targets": (Dense(K, "tanh"), "quadratic", 2 * SOFT - 1),
    "relu": (Dense(K, "relu"), "quadratic", Y),
    "hinge": (K, "hinge", Y),
    "one sigmoid": (1, "cross_entropy", Y % 2),
    "one sigmoid, targets": (1, "cross_entropy", SOFT[:, :1]),
    "one tanh": (Dense(1, "tanh"), "quadratic", Y % 2),
    "regression": (Dense(1, "linear"), "quadratic", X.sum(axis=1)),
    "regression, two": (Dense(2, "linear"), "quadratic", X[:, :2]),
}
CLASSES = [kind for kind in KINDS if not kind.startswith("regression")]

each_kind = pytest.mark.parametrize("kind", KINDS)
each_of_classes = pytest.mark.parametrize("kind", CLASSES)


def networks(kind: str, n: int = 3) -> tuple[list[nn.Network], Any]:
    """Networks of different sizes and precisions that disagree now and then, and y."""
    last, cost, y = KINDS[kind]
    nets = []
    for k in range(n):
        dtype = "float64" if k == 1 else "float32"
        net = nn.Network([N_IN, 5 + k, last], cost=cost, seed=k, dtype=dtype)
        net.fit(X, y, epochs=2, learning_rate=0.1)
        nets.append(net)
    return nets, y


def constant(*outputs: float, kind: str = "softmax", cost: str | None = None) -> nn.Network:
    """A network of one input that gives these outputs whatever the input is."""
    net = nn.Network([1, Dense(len(outputs), kind)], cost=cost, init="zeros", dtype="float64")
    a = np.array(outputs)
    inverse = {"softmax": np.log, "sigmoid": lambda a: np.log(a / (1 - a)), "tanh": np.arctanh}
    net.biases[0] = inverse.get(kind, lambda a: a)(a)
    return net


# ---- the mean ------------------------------------------------------------------------------------


@each_kind
def test_outputs_are_the_mean_of_the_networks(kind: str) -> None:
    nets, _ = networks(kind)
    for vote in (False, *([True] if kind in CLASSES else [])):
        a = nn.Ensemble(nets, vote).forward(X)
        assert a.dtype == np.float64
        np.testing.assert_allclose(a, np.mean([net.forward(X) for net in nets], axis=0), rtol=1e-6)


@each_of_classes
def test_the_class_is_that_of_the_mean_output(kind: str) -> None:
    nets, _ = networks(kind)
    a = nn.Ensemble(nets).forward(X)
    if a.shape[1] > 1:
        expected = a.argmax(axis=1)
    else:
        expected = (a[:, 0] >= (0 if "tanh" in kind else 0.5)).astype(int)
    assert np.array_equal(nn.Ensemble(nets).predict(X), expected)


@pytest.mark.parametrize("kind", ["sigmoid", "softmax", "one sigmoid"])
def test_probabilities_are_those_of_the_mean_output(kind: str) -> None:
    nets, y = networks(kind)
    ensemble = nn.Ensemble(nets)
    p = ensemble.predict_proba(X)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-6)
    assert np.array_equal(p.argmax(axis=1), ensemble.predict(X))
    if kind != "sigmoid":  # where they are linear in the outputs
        mean = np.mean([net.predict_proba(X) for net in nets], axis=0)
        np.testing.assert_allclose(p, mean, rtol=1e-6, atol=1e-7)
    e = ensemble.evaluate(X, y)
    assert np.array_equal(e.confidence, p[np.arange(N), e.predicted])
    assert np.array_equal(e.probability, p[np.arange(N), e.true])


def test_regression_predicts_the_mean() -> None:
    for kind, shape in (("regression", (N,)), ("regression, two", (N, 2))):
        nets, _ = networks(kind)
        predicted = nn.Ensemble(nets).predict(X)
        assert predicted.shape == shape
        expected = np.mean([net.predict(X) for net in nets], axis=0)
        np.testing.assert_allclose(predicted, expected, rtol=1e-6)


# ---- one network is itself -----------------------------------------------------------------------


@each_kind
def test_an_ensemble_of_one_is_that_network(kind: str) -> None:
    [net], y = networks(kind, 1)
    ensemble = nn.Ensemble([net])
    assert np.array_equal(ensemble.forward(X), net.forward(X))
    assert np.array_equal(ensemble.predict(X), net.predict(X))
    assert ensemble.loss(X, y) == pytest.approx(net.loss(X, y), rel=1e-6)
    ours, its = ensemble.evaluate(X, y), net.evaluate(X, y)
    np.testing.assert_allclose(ours.losses, its.losses, rtol=1e-5, atol=1e-6)
    assert np.array_equal(ours.true, its.true)
    assert np.array_equal(ours.predicted, its.predicted)
    assert ours.loss == pytest.approx(its.loss, rel=1e-6)
    if kind not in CLASSES:
        np.testing.assert_allclose(ours.rmse, its.rmse, rtol=1e-6)
        return
    assert ours.accuracy == its.accuracy == ensemble.accuracy(X, y) == net.accuracy(X, y)
    assert np.array_equal(ours.rank, its.rank)
    for vote in (False, True):  # one network's vote is its class
        assert np.array_equal(nn.Ensemble([net] * 3, vote).predict(X), net.predict(X))


@pytest.mark.parametrize("kind", ["sigmoid", "softmax", "one sigmoid"])
def test_losses_stay_finite_where_outputs_round_to_0_and_1(kind: str) -> None:
    """Where sigmoids are 0 and 1 in float32 their logarithms are worked out from z."""
    [net], y = networks(kind, 1)
    net.weights[1] = 1000 * np.asarray(net.weights[1])
    a = net.forward(X)
    assert (a == 0).any() or (a == 1).any()
    loss = net.loss(X, y)
    assert 1 < loss < np.inf
    assert nn.Ensemble([net, net]).loss(X, y) == pytest.approx(loss, rel=1e-5)


# ---- losses of several ---------------------------------------------------------------------------


def test_the_loss_is_that_of_the_mean_output() -> None:
    nets, _ = networks("softmax")
    ensemble = nn.Ensemble(nets)
    p = ensemble.predict_proba(X)
    assert ensemble.loss(X, Y) == pytest.approx(
        metrics.log_loss(Y, p / p.sum(axis=1, keepdims=True)), rel=1e-6
    )
    a, hot = ensemble.forward(X), np.eye(K)[Y]
    quadratic = 0.5 * np.sum((a - hot) ** 2, axis=1).mean()
    assert ensemble.loss(X, Y, cost="quadratic") == pytest.approx(quadratic, rel=1e-12)
    assert ensemble.loss(X, Y) < np.mean([net.loss(X, Y) for net in nets])


@pytest.mark.parametrize("y", [Y, SOFT], ids=["labels", "targets"])
def test_the_cross_entropy_is_that_of_the_mean_output(y: Any) -> None:
    nets, _ = networks("sigmoid")
    a = np.clip(nn.Ensemble(nets).forward(X), 1e-12, 1 - 1e-12)
    targets = y if y.ndim == 2 else np.eye(K)[y]
    c = -np.sum(targets * np.log(a) + (1 - targets) * np.log(1 - a), axis=1)
    assert nn.Ensemble(nets).loss(X, y) == pytest.approx(c.mean(), rel=1e-6)
    np.testing.assert_allclose(nn.Ensemble(nets, True).evaluate(X, y).losses, c, rtol=1e-5)


def test_the_hinge_is_that_of_the_mean_output() -> None:
    nets, _ = networks("hinge")
    a = nn.Ensemble(nets).forward(X)
    margins = a - a[np.arange(N), Y][:, None] + 1
    margins[np.arange(N), Y] = 0
    assert nn.Ensemble(nets).loss(X, Y) == pytest.approx(np.maximum(margins, 0).sum(axis=1).mean())


def test_the_cost_is_that_of_the_first_network() -> None:
    nets = [networks("sigmoid, quadratic")[0][0], networks("sigmoid")[0][1]]
    for first, other in (nets, nets[::-1]):
        ensemble = nn.Ensemble([first, other])
        assert ensemble.cost == ensemble.evaluate(X, Y).cost == first.cost
        assert ensemble.loss(X, Y) == ensemble.loss(X, Y, cost=first.cost)
        assert ensemble.loss(X, Y, cost=other.cost) != ensemble.loss(X, Y)


# ---- the vote ------------------------------------------------------------------------------------


@each_of_classes
def test_the_vote_is_the_most_frequent_class(kind: str) -> None:
    nets, y = networks(kind)
    ensemble = nn.Ensemble(nets, vote=True)
    predicted = ensemble.predict(X)
    answers = np.array([net.predict(X) for net in nets])
    mean = nn.Ensemble(nets).predict(X)
    for row in range(N):
        counts = np.bincount(answers[:, row], minlength=K)
        assert counts[predicted[row]] == counts.max()
        if np.sum(counts == counts.max()) == 1:
            assert predicted[row] == counts.argmax()
        elif mean[row] in np.flatnonzero(counts == counts.max()):
            assert predicted[row] == mean[row]
    e = ensemble.evaluate(X, y)
    assert np.array_equal(e.predicted, predicted)
    assert np.array_equal(e.rank == 0, e.predicted == e.true)
    assert e.accuracy == ensemble.accuracy(X, y)
    assert e.losses.tolist() == nn.Ensemble(nets).evaluate(X, y).losses.tolist()


def test_most_votes_win_over_a_larger_mean() -> None:
    sure, two = constant(0.98, 0.01, 0.01), constant(0.3, 0.4, 0.3)
    nets = [sure, two, two]
    assert nn.Ensemble(nets).predict([[0.0]]).tolist() == [0]
    assert nn.Ensemble(nets, vote=True).predict([[0.0]]).tolist() == [1]
    ranks = nn.Ensemble(nets, vote=True).evaluate([[0.0]] * 3, [0, 1, 2]).rank
    assert ranks.tolist() == [1, 0, 2]
    assert nn.Ensemble(nets).evaluate([[0.0]] * 3, [0, 1, 2]).rank.tolist() == [0, 1, 2]


def test_a_tie_goes_to_the_larger_mean_and_then_to_the_first() -> None:
    def voted(*nets: nn.Network) -> Any:
        return nn.Ensemble(nets, vote=True).predict([[0.0]]).tolist()

    assert voted(constant(0.1, 0.5, 0.4), constant(0.1, 0.3, 0.6)) == [2]
    assert voted(constant(0.1, 0.6, 0.3), constant(0.1, 0.4, 0.5)) == [1]
    # class 0 has the largest mean, and no vote
    assert voted(constant(0.4, 0.6, 0.0001), constant(0.4, 0.0001, 0.61)) == [2]
    low = constant(0.25, 0.5, kind="linear", cost="hinge")
    high = constant(0.5, 0.25, kind="linear", cost="hinge")
    assert voted(low, high) == [0]


@pytest.mark.parametrize("kind", ["sigmoid", "tanh"])
def test_votes_on_one_output(kind: str) -> None:
    def net(share: float) -> nn.Network:
        return constant(share if kind == "sigmoid" else 2 * share - 1, kind=kind)

    x = [[0.0]]
    assert nn.Ensemble([net(0.99), net(0.4), net(0.4)]).predict(x).tolist() == [1]
    assert nn.Ensemble([net(0.99), net(0.4), net(0.4)], vote=True).predict(x).tolist() == [0]
    assert nn.Ensemble([net(0.9), net(0.4)], vote=True).predict(x).tolist() == [1]
    assert nn.Ensemble([net(0.7), net(0.2)], vote=True).predict(x).tolist() == [0]
    assert nn.Ensemble([net(0.9), net(0.4)], vote=True).evaluate(x, [1]).rank.tolist() == [0]


# ---- what it is ----------------------------------------------------------------------------------


def test_it_is_a_sequence_of_its_networks() -> None:
    nets, _ = networks("sigmoid")
    ensemble = nn.Ensemble(iter(nets))
    assert len(ensemble) == 3
    assert list(ensemble) == list(ensemble.networks) == nets
    assert ensemble[-1] is nets[-1]
    assert (ensemble.n_inputs, ensemble.n_outputs, ensemble.vote) == (N_IN, K, False)
    assert repr(ensemble) == "Ensemble of 3 networks by mean: 6 inputs, 4 sigmoid outputs"
    one = nn.Ensemble([constant(0.5, kind="sigmoid")], vote=True)
    assert repr(one) == "Ensemble of 1 network by vote: 1 input, 1 sigmoid output"


def test_networks_are_asked_as_they_stand() -> None:
    nets, _ = networks("sigmoid")
    ensemble = nn.Ensemble(nets)
    before = ensemble.forward(X)
    kept = [net.forward(X) for net in nets]
    ensemble.evaluate(X, Y)
    assert all(map(np.array_equal, kept, (net.forward(X) for net in nets)))
    nets[0].fit(X, Y, epochs=1, learning_rate=0.5)
    assert not np.array_equal(ensemble.forward(X), before)


def test_every_form_of_x_and_a_split_are_taken() -> None:
    nets, _ = networks("softmax")
    ensemble = nn.Ensemble(nets)
    expected = ensemble.evaluate(X, Y)
    names = ["a", "b", "c", "d"]
    for x in (X.tolist(), X.astype(np.float64), scipy.sparse.csr_matrix(X)):
        np.testing.assert_allclose(ensemble.evaluate(x, Y).losses, expected.losses, rtol=1e-5)
        assert np.array_equal(ensemble.predict(x), expected.predicted)
    e = ensemble.evaluate(nn.Split(X, Y, class_names=names))
    assert e.class_names == tuple(names)
    assert e.loss == expected.loss
    assert ensemble.forward(X[:0]).shape == (0, K)
    assert ensemble.predict(X[:0]).shape == (0,)


def test_together_they_are_better_than_alone() -> None:
    digits = nn.datasets.load_mnist_small()
    nets = [nn.Network([784, 10, 10], seed=seed) for seed in range(5)]
    for net in nets:
        net.fit(digits.train, epochs=3, learning_rate=0.5)
    alone = [net.accuracy(digits.test) for net in nets]
    for vote in (False, True):
        assert nn.Ensemble(nets, vote).accuracy(digits.test) > np.mean(alone)


# ---- what is refused -----------------------------------------------------------------------------

FOUR = nn.Network([N_IN, K], seed=0)


@pytest.mark.parametrize(
    ("others", "error", "message"),
    [
        ([], ValueError, "networks must hold at least one network, got []"),
        (FOUR, TypeError, "networks must be a list of networks, got Network([6, Dense(4, sig"),
        ("nets", TypeError, "networks must be a list of networks, got 'nets'"),
        (3, TypeError, "networks must be a list of networks, got 3"),
        ([FOUR, 3], TypeError, "networks[1] must be a Network, got 3"),
        (
            [FOUR, nn.Network([5, K])],
            ValueError,
            "networks[1] must have 6 inputs, as networks[0], got 5 inputs",
        ),
        (
            [FOUR, FOUR, nn.Network([N_IN, 3])],
            ValueError,
            "networks[2] must have 4 sigmoid outputs, as networks[0], got 3 sigmoid outputs",
        ),
        (
            [FOUR, nn.Network([N_IN, K], cost="log_likelihood")],
            ValueError,
            "networks[1] must have 4 sigmoid outputs, as networks[0], got 4 softmax outputs",
        ),
        (
            [nn.Network([N_IN, K], cost="hinge"), nn.Network([N_IN, Dense(K, "linear")])],
            ValueError,
            "networks[1] must have 4 linear outputs, as networks[0], got 4 linear outputs of reg",
        ),
    ],
)
def test_networks_that_do_not_go_together(
    others: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        nn.Ensemble(others)
    assert str(caught.value).startswith(message)


def test_a_run_is_told_from_its_network() -> None:
    run = nn.Run(FOUR, FOUR.history, 0, 0.1)
    with pytest.raises(
        TypeError, match=r"^networks\[0\] must be a Network, got <Run .*: \.network"
    ):
        nn.Ensemble([run])  # type: ignore[list-item]


def test_regression_has_no_vote_no_accuracy_and_no_probabilities() -> None:
    nets, y = networks("regression")
    with pytest.raises(ValueError, match=r"^networks must tell classes apart to vote, got linear"):
        nn.Ensemble(nets, vote=True)
    with pytest.raises(ValueError, match=r"^the networks must tell classes apart to have an acc"):
        nn.Ensemble(nets).accuracy(X, y)
    with pytest.raises(ValueError, match=r"^the networks must have sigmoid or softmax outputs"):
        nn.Ensemble(nets).predict_proba(X)


def test_a_vote_has_no_probabilities() -> None:
    ensemble = nn.Ensemble(networks("softmax")[0], vote=True)
    with pytest.raises(ValueError, match=r"^the ensemble must take the mean .*, got vote=True$"):
        ensemble.predict_proba(X)
    with pytest.raises(ValueError, match=r"^the network must give probabilities: .*, got a vote$"):
        _ = ensemble.evaluate(X, Y).confidence
    with pytest.raises(TypeError, match=r"^vote must be True or False, got 1$"):
        nn.Ensemble([FOUR], vote=1)  # type: ignore[arg-type]


def test_data_that_do_not_fit_are_refused_as_by_a_network() -> None:
    ensemble = nn.Ensemble([FOUR, FOUR])
    bad = X.copy()
    bad[7, 2] = np.nan
    for call in (ensemble.forward, ensemble.predict, lambda x: ensemble.evaluate(x, Y)):
        with pytest.raises(ValueError, match=r"^x must be finite, got nan at row 7, column 2$"):
            call(bad)
        with pytest.raises(ValueError, match=r"^x must have 6 columns, as the input layer, got"):
            call(X[:, :5])
    for ask in (ensemble.accuracy, ensemble.loss, ensemble.evaluate):
        with pytest.raises(ValueError, match=r"^y must be labels from 0 to 3, got 4 at row 0$"):
            ask(X, Y * 0 + 4)
        with pytest.raises(ValueError, match=r"^x must have at least one row, got shape"):
            ask(X[:0], Y[:0])
    with pytest.raises(ValueError, match="cost"):
        ensemble.loss(X, Y, cost="hinge")
