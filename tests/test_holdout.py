"""What is held out, and `from_arrays`."""

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnlearn import _holdout
from nnlearn.data import Dataset, Split
from nnlearn.datasets import from_arrays

X = np.zeros((3, 4))
Y = np.array([0, 1, 2])


def says(text: str) -> str:
    """A pattern for pytest's `match` that is the whole text."""
    return f"^{re.escape(text)}$"


# --- What is held out --------------------------------------------------------------------------


def test_shuffled_is_this_permutation_in_every_version_of_numpy() -> None:
    assert _holdout.shuffled(8, 0).tolist() == [0, 3, 7, 5, 1, 2, 6, 4]
    assert sorted(_holdout.shuffled(1000, 1).tolist()) == list(range(1000))


def test_a_share_is_rounded_and_never_nothing() -> None:
    assert [_holdout.share(n, 0.1) for n in (1, 4, 14, 15, 1000)] == [1, 1, 1, 2, 100]
    assert _holdout.share(1000, 0) == 0


@given(st.lists(st.integers(0, 5), min_size=2), st.data())
def test_held_out_labels_are_stratified(labels: list[int], data: Any) -> None:
    n = data.draw(st.integers(0, len(labels) - 1))
    y = np.array(labels)
    order = _holdout.shuffled(len(y), data.draw(st.integers(0, 9)))
    kept, held = _holdout.hold_out(order, n, y)
    assert len(held) == n
    assert sorted([*kept, *held]) == list(range(len(y)))
    for rows in (kept, held):  # the order of the shuffle stays
        assert rows.tolist() == [row for row in order if row in set(rows.tolist())]
    for label in set(labels):
        exact = labels.count(label) * n / len(labels)
        assert -1 < (y[held] == label).sum() - exact <= 2


def test_a_rare_class_keeps_its_last_sample() -> None:
    y = np.array([0] * 6 + [1, 2, 3])
    for seed in range(20):
        kept, _ = _holdout.hold_out(_holdout.shuffled(9, seed), 3, y)
        assert set(y[kept]) == {0, 1, 2, 3}


def test_targets_are_held_out_in_the_order_of_the_shuffle() -> None:
    order = _holdout.shuffled(7, 3)
    kept, held = _holdout.hold_out(order, 2, np.zeros((7, 1)))
    assert (held.tolist(), kept.tolist()) == (order[:2].tolist(), order[2:].tolist())


def test_all_samples_cannot_be_held_out() -> None:
    message = "the samples held out must be fewer than the 4 there are, got 4"
    with pytest.raises(ValueError, match=says(message)):
        _holdout.hold_out(np.arange(4), 4, np.zeros(4))


# --- from_arrays -------------------------------------------------------------------------------


def sets_of(data: Dataset) -> list[Split]:
    return [split for split in (data.train, data.validation, data.test) if split is not None]


def test_from_arrays_puts_every_sample_into_one_set() -> None:
    x = np.arange(200, dtype=np.uint8)[:, np.newaxis]
    data = from_arrays(x, np.arange(200) % 4, validation=0.25, test=0.1)
    assert [len(split) for split in sets_of(data)] == [130, 50, 20]
    rows = np.concatenate([split.x[:, 0] for split in sets_of(data)])
    assert sorted(rows.tolist()) == list(range(200))
    assert rows.tolist() != list(range(200))
    for split in sets_of(data):
        np.testing.assert_array_equal(split.y, split.x[:, 0] % 4)
        assert split.x.dtype == np.uint8
        assert np.ptp(np.bincount(split.y)) <= 1


def test_from_arrays_is_repeated_by_its_seed_alone() -> None:
    x, y = np.arange(50.0), np.arange(50) % 2
    first, again, other = (from_arrays(x, y, seed=seed).train.x.tolist() for seed in (7, 7, 8))
    assert first == again
    assert first != other


def test_from_arrays_takes_a_split_with_its_facts() -> None:
    x, y = np.zeros((30, 4), np.float32), np.arange(30) % 3
    split = Split(x, y, class_names=["a", "b", "c"], image_shape=(2, 2))
    data = from_arrays(split)
    assert data.class_names == ("a", "b", "c")
    assert data.image_shape == (2, 2)
    assert str(data) == "Dataset: 21 training, 3 validation, 6 test; 4 inputs float32, 3 classes"


def test_from_arrays_leaves_out_a_set_of_share_0() -> None:
    data = from_arrays(np.arange(10.0), np.arange(10.0), validation=0, test=0.5)
    assert data.validation is None
    assert [len(split) for split in sets_of(data)] == [5, 5]
    assert from_arrays(np.arange(10.0), np.arange(10.0), test=0).test is None


def test_from_arrays_copies() -> None:
    x = np.zeros((10, 2))
    data = from_arrays(x, np.zeros(10), validation=0, test=0)
    assert not np.shares_memory(data.train.x, x)


@pytest.mark.parametrize(
    ("error", "message", "arguments", "options"),
    [
        (TypeError, "y must be given where x is no Split, got None", (X,), {}),
        (TypeError, "y must be left out where x is a Split, got 3", (Split(X, Y), 3), {}),
        (
            ValueError,
            "y must have 3 rows, as x, got an array of shape (2,) and dtype int64",
            (X, Y[:2]),
            {},
        ),
        (
            ValueError,
            "validation must be a finite number >= 0 and < 1, got 1.0",
            (X, Y),
            {"validation": 1.0},
        ),
        (
            ValueError,
            "test must be a finite number >= 0 and < 1, got -0.1",
            (X, Y),
            {"test": -0.1},
        ),
        (TypeError, "test must be a finite number >= 0 and < 1, got '1'", (X, Y), {"test": "1"}),
        (TypeError, "seed must be an integer >= 0, got None", (X, Y), {"seed": None}),
        (ValueError, "seed must be an integer >= 0, got -1", (X, Y), {"seed": -1}),
        (
            ValueError,
            "validation and test must leave samples to train on, got 0.5 and 0.5 of 3 samples",
            (X, Y),
            {"validation": 0.5, "test": 0.5},
        ),
        (
            ValueError,
            "validation and test must leave samples to train on, got 0 and 0 of 0 samples",
            (X[:0], Y[:0]),
            {"validation": 0, "test": 0},
        ),
    ],
)
def test_from_arrays_refuses(
    error: type[Exception], message: str, arguments: tuple[Any, ...], options: dict[str, Any]
) -> None:
    with pytest.raises(error, match=says(message)):
        from_arrays(*arguments, **options)
