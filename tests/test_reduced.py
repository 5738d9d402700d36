"""reduce_problem: which samples stay; rescale_l2: what it keeps."""

import numpy as np
import pytest

import nnlearn as nn
from nnlearn.recipes.reduced import _shares


def rows(labels):
    """Samples that are told apart by their only input, their number."""
    return np.arange(len(labels), dtype=float)[:, None], np.array(labels)


TRAIN, VALIDATION, TEST = [3, 1, 3, 8, 1, 3, 8, 1], [8, 1, 3, 3, 1], [1, 3, 8, 8]
DATA = nn.Dataset(rows(TRAIN), rows(VALIDATION), rows(TEST), source="toy")


def numbers(split):
    return split.x[:, 0].astype(int).tolist()


def test_without_numbers_everything_stays():
    reduced = nn.reduce_problem(DATA)
    assert (reduced.train, reduced.validation, reduced.test) == (
        DATA.train,
        DATA.validation,
        DATA.test,
    )
    assert reduced.source == "toy"


def test_the_first_samples_stay_as_views():
    reduced = nn.reduce_problem(DATA, n=5, n_validation=3)
    assert numbers(reduced.train) == [0, 1, 2, 3, 4]
    assert numbers(reduced.validation) == [0, 1, 2]
    assert np.shares_memory(reduced.train.x, DATA.train.x)
    assert reduced.test is DATA.test


def test_a_class_that_would_be_missing_keeps_its_share():
    sorted_data = nn.Dataset(rows([0] * 6 + [1] * 4 + [2] * 2), class_names=["a", "b", "c"])
    reduced = nn.reduce_problem(sorted_data, n=6)
    assert numbers(reduced.train) == [0, 1, 2, 6, 7, 10]
    assert reduced.train.y.tolist() == [0, 0, 0, 1, 1, 2]
    assert reduced.class_names == ("a", "b", "c")
    assert numbers(nn.reduce_problem(sorted_data, n=3).train) == [0, 6, 10]


@pytest.mark.parametrize(
    ("counts", "n", "shares"),
    [
        ([6, 4, 2], 6, [3, 2, 1]),
        ([100, 1, 1], 4, [2, 1, 1]),  # in proportion alone the small ones would have none
        ([100, 1, 1], 3, [1, 1, 1]),
        ([2, 1], 3, [2, 1]),
    ],
)
def test_shares_are_in_proportion_and_at_least_one(counts, n, shares):
    assert _shares(np.array(counts), n).tolist() == shares


def test_classes_are_chosen_first_in_every_set_and_relabelled():
    reduced = nn.reduce_problem(DATA, n=4, classes=[8, 3])
    assert numbers(reduced.train) == [0, 2, 3, 5]
    assert reduced.train.y.tolist() == [1, 1, 0, 1]
    assert numbers(reduced.validation) == [0, 2, 3]
    assert numbers(reduced.test) == [1, 2, 3]
    assert reduced.class_names == ("8", "3")


def test_targets_are_cut_where_they_stand():
    x = np.arange(6.0)[:, None]
    reduced = nn.reduce_problem(nn.Dataset((x, x[:, 0])), n=2)
    assert numbers(reduced.train) == [0, 1]


BAD = [
    ({"data": DATA.train}, TypeError, "data must be a Dataset, got Split: 8 samples"),
    ({"n": 0}, ValueError, "n must be an integer from 1 to 8, got 0"),
    ({"n": 9}, ValueError, "n must be an integer from 1 to 8, got 9"),
    ({"n": 2.0}, TypeError, "n must be an integer from 1 to 8, got 2.0"),
    (
        {"n": 2},
        ValueError,
        "n must be at least 3, the number of classes, got 2: classes= keeps fewer of them",
    ),
    ({"n_validation": 6}, ValueError, "n_validation must be an integer from 1 to 5, got 6"),
    (
        {"data": nn.Dataset(DATA.train), "n_validation": 3},
        ValueError,
        "n_validation must be left out, got 3: data has no validation set",
    ),
    ({"classes": 3}, TypeError, "classes must be a sequence of integers, got 3"),
    ({"classes": "38"}, TypeError, "classes must be a sequence of integers, got '38'"),
    ({"classes": [3, 3]}, ValueError, "classes"),
    ({"classes": [3, 4]}, ValueError, "classes"),
]


@pytest.mark.parametrize(("given", "kind", "message"), BAD)
def test_bad_input_is_refused(given, kind, message):
    settings = {"data": DATA, **given}
    with pytest.raises(kind) as caught:
        nn.reduce_problem(settings.pop("data"), **settings)
    assert str(caught.value).startswith(message)


def test_the_rescaled_penalty_takes_the_same_share_of_a_weight_at_each_step():
    # With inputs of 0 the loss has no part in the weights: a step leaves 1 - eta l2 / n of them.
    left = []
    for n, l2 in ((10, 2.0), (40, nn.rescale_l2(2.0, n=10, to=40))):
        net = nn.Network([3, 2], seed=1, dtype="float64")
        before = net.weights[0].copy()
        net.fit(
            np.zeros((n, 3)), np.zeros(n, int), epochs=1, batch_size=n, learning_rate=0.5, l2=l2
        )
        left.append(net.weights[0] / before)
    np.testing.assert_allclose(left[0], 1.0 - 0.5 * 2.0 / 10, rtol=1e-12)
    np.testing.assert_allclose(left[1], left[0], rtol=1e-12)


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        ({"l2": -1.0}, ValueError, "l2 must be a finite number >= 0, got -1.0"),
        ({"n": 0}, ValueError, "n must be an integer >= 1, got 0"),
        ({"n": 1e3}, TypeError, "n must be an integer >= 1, got 1000.0"),
        ({"to": 0}, ValueError, "to must be an integer >= 1, got 0"),
    ],
)
def test_rescaling_refuses_bad_numbers(given, kind, message):
    settings = {"l2": 1.0, "n": 10, "to": 20, **given}
    with pytest.raises(kind) as caught:
        nn.rescale_l2(settings.pop("l2"), **settings)
    assert str(caught.value) == message
