"""Class weights, and the warning about classes that training never shows."""

import warnings
from typing import Any

import numpy as np
import pytest

import nnlearn as nn

RNG = np.random.default_rng(3)
X = RNG.normal(size=(60, 4))
Y = np.repeat([0, 1, 2], [40, 15, 5])


def trained(**settings: Any) -> nn.Network:
    net = nn.Network([4, 3], dtype="float64", seed=1)
    net.fit(X, Y, learning_rate=0.5, epochs=2, **settings)
    return net


def assert_equal(one: nn.Network, other: nn.Network) -> None:
    np.testing.assert_array_equal(one.weights[0], other.weights[0])


def test_balanced_is_what_scikit_learn_calls_so() -> None:
    from sklearn.utils.class_weight import compute_sample_weight

    expected = compute_sample_weight("balanced", Y)
    assert_equal(trained(class_weight="balanced"), trained(sample_weight=expected))
    # By hand: 60 / (3 * 40), 60 / (3 * 15), 60 / (3 * 5).
    np.testing.assert_allclose(np.unique(expected), [0.5, 4 / 3, 4.0])


def test_a_mapping_gives_the_weight_of_each_label_and_1_to_the_others() -> None:
    weights = np.where(Y == 2, 8.0, 1.0)
    assert_equal(trained(class_weight={2: 8}), trained(sample_weight=weights))


def test_they_multiply_the_weights_of_the_samples() -> None:
    own = RNG.uniform(0.5, 2, 60)
    weights = own * np.where(Y == 1, 3.0, 1.0)
    both = trained(class_weight={1: 3.0}, sample_weight=own)
    assert_equal(both, trained(sample_weight=weights))


def test_a_class_that_is_not_there_does_not_count_as_one_of_k() -> None:
    y = np.where(Y == 2, 1, Y)  # 40 and 20
    net = nn.Network([4, 3], dtype="float64", seed=1)
    net.fit(X, y, learning_rate=0.5, epochs=2, class_weight="balanced")
    other = nn.Network([4, 3], dtype="float64", seed=1)
    other.fit(X, y, learning_rate=0.5, epochs=2, sample_weight=np.where(y == 0, 0.75, 1.5))
    assert_equal(net, other)


def test_one_output_has_two_classes() -> None:
    y = (Y > 0).astype(float)
    net = nn.Network([4, 1], dtype="float64", seed=1)
    net.fit(X, y, learning_rate=0.5, epochs=2, class_weight="balanced")
    other = nn.Network([4, 1], dtype="float64", seed=1)
    other.fit(X, y, learning_rate=0.5, epochs=2, sample_weight=np.where(y == 0, 0.75, 1.5))
    assert_equal(net, other)


def test_of_a_share_the_rows_that_stay_are_balanced() -> None:
    net = nn.Network([4, 3], dtype="float64", seed=1)
    net.fit(X, Y, learning_rate=0.5, epochs=2, class_weight="balanced", validation=0.25)
    # 15 of 60 are held out, of each class its share, so the weights are as before, all but.
    own = nn.Network([4, 3], dtype="float64", seed=1)
    own.fit(X, Y, learning_rate=0.5, epochs=2, validation=0.25)
    assert (net.weights[0] != own.weights[0]).any()


def test_balancing_finds_the_rare_class() -> None:
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(0, 1, (950, 2)), rng.normal(1.5, 1, (50, 2))])
    y = np.repeat([0, 1], [950, 50])

    def recall(**settings: Any) -> float:
        net = nn.Network([2, 1], seed=1)
        net.fit(x, y, learning_rate=0.5, epochs=20, **settings)
        return float(net.predict(x[950:]).mean())

    assert recall() < 0.4
    assert recall(class_weight="balanced") > 0.7


def test_variants_with_and_without_them_share_no_weighted_data() -> None:
    data = nn.Dataset(nn.Split(X, Y), nn.Split(X, Y))
    variants: dict[str, Any] = {"plain": {}, "weighted": {"class_weight": {2: 8}}}
    settings = {"layers": [4, 3], "dtype": "float64", "learning_rate": 0.5, "epochs": 2}
    c = nn.compare(variants, data, seeds=[1], n_jobs=1, verbose=0, **settings)
    assert_equal(c["plain"][0].network, trained())
    assert_equal(c["weighted"][0].network, trained(class_weight={2: 8}))


@pytest.mark.parametrize(
    ("class_weight", "kind", "message"),
    [
        ("even", ValueError, "class_weight must be one of 'balanced', got 'even'"),
        (2.0, TypeError, "class_weight must be 'balanced' or a mapping of labels to weights"),
        ({3: 1.0}, ValueError, "a label of class_weight must be an integer from 0 to 2, got 3"),
        ({"0": 1.0}, TypeError, "a label of class_weight must be an integer from 0 to 2, got '0'"),
        ({0: -1}, ValueError, r"class_weight\[0\] must be a finite number >= 0, got -1"),
        ({0: np.nan}, ValueError, r"class_weight\[0\] must be a finite number >= 0, got nan"),
    ],
)
def test_what_is_no_class_weight_is_refused(
    class_weight: Any, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        trained(class_weight=class_weight)


def test_targets_and_regression_have_no_classes() -> None:
    targets = np.eye(3)[Y]
    net = nn.Network([4, 3], seed=1)
    with pytest.raises(
        ValueError, match=r"class_weight must go with labels, .*: use sample_weight"
    ):
        net.fit(X, targets, learning_rate=0.1, class_weight="balanced")
    net = nn.Network([4, nn.Dense(1, activation="linear")], seed=1)
    with pytest.raises(ValueError, match="class_weight must be None for regression"):
        net.fit(X, X[:, 0], learning_rate=0.1, class_weight="balanced")


def test_a_class_that_training_never_shows_is_warned_of_once_a_set() -> None:
    seen = Y < 2
    net = nn.Network([4, 5], seed=1)
    sets = {"val": (X, Y), "dev": (X, np.where(Y == 0, 4, Y)), "fine": (X[seen], Y[seen])}
    with pytest.warns(UserWarning, match="never shows") as caught:
        net.fit(X[seen], Y[seen], learning_rate=0.1, epochs=3, validation=sets)
    assert [str(w.message) for w in caught] == [
        "validation has class 2, which the training data never shows",
        "dev has classes 2, 4, which the training data never shows",
    ]
    assert {w.filename for w in caught} == {__file__}


def test_no_warning_where_all_classes_are_shown_or_there_are_none() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trained(validation=(X[:50], Y[:50]))
        net = nn.Network([4, nn.Dense(1, activation="linear")], seed=1)
        net.fit(X, X[:, 0], learning_rate=0.01, epochs=1, validation=(X, X[:, 1]))
