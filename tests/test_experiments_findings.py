"""What experiments say of numbers in words, from numbers made for it."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from nnlearn.data import Dataset
from nnlearn.experiments import (
    batch_sizes,
    lambdas,
    learning_rates,
    other_techniques,
    quick_feedback,
)
from nnlearn.experiments._lab import Lab
from nnlearn.recipes.batch_sizes import BatchSizeStudy, SizeCurve

_FEW = np.zeros((10, 1)), np.arange(10)


def test_counts_that_are_those_of_one_digit_are_counted():
    y = np.repeat(np.arange(10), [100, 110, 90, 80, 120, 95, 105, 100, 130, 70])
    few = Dataset(_FEW, (np.zeros((1_000, 1)), y))
    accuracies = {"val_accuracy": np.array([0.1, 0.11, 0.115, 0.07, math.nan])}
    group = [SimpleNamespace(history=accuracies), SimpleNamespace(history={"val_accuracy": []})]
    said = quick_feedback._one_digit({"hopeless": group}, few)
    assert "here 70 to 130 times of 1,000" in said
    assert said.endswith("hopeless start's 4 counts, all epochs of all seeds, 3 are such a number.")


def test_the_counts_of_the_book_are_looked_up_among_as_many_digits():
    sizes = [991, 1064, 990, 1030, 983, 915, 967, 1090, 1009, 961]
    whole = Dataset(_FEW, (np.zeros((10_000, 1)), np.repeat(np.arange(10), sizes)))
    said = quick_feedback._one_digit({"hopeless": []}, whole)
    assert said.endswith("of the book's 6, 6 (of digit 3, 2, 8, 8, 4, 6).")


def test_the_spread_of_thresholds_is_that_of_the_seeds():
    found = [SimpleNamespace(threshold=t) for t in (0.5, None, 0.2, 1.0)]
    [said] = learning_rates._spread(found)
    assert said.startswith("The thresholds of 3 seeds lie between 0.2 and 1.")
    assert learning_rates._spread(found[:2]) == ()


@pytest.mark.parametrize(
    ("l2", "rate", "said"),
    [
        (
            0.03,
            0.25,
            "finds lambda 0.03 (5 for as many digits as in the book); with it the same",
        ),
        (0.03, 0.5, "with it another learning rate does better, 0.5 in place of 0.25"),
        (0.0, 0.25, "finds no penalty to be the best; with it"),
    ],
)
def test_the_finding_of_lambda_says_whether_the_rate_changes(l2, rate, said):
    lab = Lab(Dataset((np.zeros((300, 1)), np.zeros(300, int))), (0,), quick=True)
    found = SimpleNamespace(suggestion=l2, learning_rate=rate)
    assert said in lambdas._finding(lab, 0.25, found)


def test_techniques_that_end_below_none_are_named_with_their_gap():
    accuracy = {"none": (98.0, 98.2), "L2": (97.5, 97.9), "L1": (98.5, 98.5)}
    [text] = other_techniques._below(accuracy)
    assert text.endswith("without any technique with L2 by 0.40 percentage points.")
    assert other_techniques._below({"none": (98.0,), "L2": (98.0,)}) == ()


def study(**seconds):
    """A study whose sizes reach the target after these seconds, NaN for never."""
    curves = [
        SizeCurve(int(name[1:]), 0.5, 1.0, 9.0, (0.0, 9.0 if math.isnan(s) else s), (0.1, v))
        for name, s in seconds.items()
        for v in [0.5 if math.isnan(s) else 0.9]
    ]
    return BatchSizeStudy(tuple(curves), regression=False)


def test_the_finding_on_mini_batches_says_whether_the_best_size_changes():
    one = study(s1=4.0, s10=1.0, s20=1.2, s50=math.nan)
    same = batch_sizes._finding({"a": one, "b": study(s1=9.0, s10=1.0, s20=1.5)})
    assert same.startswith("The best size, 10, does not change with the other settings.")
    assert same.endswith("with every setting: 10.")
    other = batch_sizes._finding({"a": one, "b": study(s1=9.0, s10=1.2, s20=1.0)})
    assert other.startswith("The best size changes with the other settings: 10 with a; 20 with b.")
    assert other.endswith("with every setting: 10, 20.")
    apart = batch_sizes._finding({"a": one, "b": study(s1=1.0, s10=2.0)})
    assert apart.endswith("with every setting: none.")
