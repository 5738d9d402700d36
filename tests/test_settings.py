"""The settings of fit: every bad one is refused by its name, and what the right ones mean."""

from typing import Any

import numpy as np
import pytest
from fits import X, Y, fit, network, same_fit
from twins import assert_same_bits, snapshot

import nnlearn as nn
from nnlearn import SGD

# ---------------------------------------------------------------- bad settings

RATE = "learning_rate must be a finite number > 0, got"
SHARE = "momentum must be a finite number >= 0 and < 1, got"
CALLBACKS = "callbacks must be functions or Callback objects, got"
SETS = "must be a Split, a pair (x, y), a share in (0, 1) or a mapping of names to sets, got"
PART = "validation must be a finite number > 0 and < 1, got"
SEED = "seed must be an integer from 0 to 18446744073709551615, got"
NEITHER = "fit must be given learning_rate or an optimizer object, got"
SUGGESTS = "nn.find_learning_rate suggests one"
UNKNOWN = "fit must be given settings that it has, got"
SGD_TEXT = "SGD(learning_rate=0.1, momentum=0.0, nesterov=False)"
TWO = "must be a Split or a pair (x, y), got"
NAMES = "a name of validation must"
BESIDE = "validation y must be given beside validation x"
PAIR = "an array of shape (2,) and dtype float64"
HUGE = 10**400
CUT = "1" + "0" * 56 + "..."

#: settings, exception, message
BAD: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"epochs": -1}, ValueError, "epochs must be an integer >= 0, got -1"),
    ({"epochs": 1.5}, TypeError, "epochs must be an integer >= 0, got 1.5"),
    ({"epochs": "3"}, TypeError, "epochs must be an integer >= 0, got '3'"),
    ({"epochs": True}, TypeError, "epochs must be an integer >= 0, got True"),
    ({"batch_size": 0}, ValueError, "batch_size must be an integer >= 1, got 0"),
    ({"batch_size": -10}, ValueError, "batch_size must be an integer >= 1, got -10"),
    ({"batch_size": 2.5}, TypeError, "batch_size must be an integer >= 1, got 2.5"),
    ({"batch_size": 10.0}, TypeError, "batch_size must be an integer >= 1, got 10.0"),
    ({"batch_size": None}, TypeError, "batch_size must be an integer >= 1, got None"),
    ({"learning_rate": 0}, ValueError, f"{RATE} 0"),
    ({"learning_rate": -0.5}, ValueError, f"{RATE} -0.5"),
    ({"learning_rate": np.nan}, ValueError, f"{RATE} nan"),
    ({"learning_rate": np.inf}, ValueError, f"{RATE} inf"),
    ({"learning_rate": HUGE}, ValueError, f"{RATE} {CUT}"),
    ({"learning_rate": "0.5"}, TypeError, f"{RATE} '0.5'"),
    ({"learning_rate": True}, TypeError, f"{RATE} True"),
    ({"learning_rate": [0.5]}, TypeError, f"{RATE} [0.5]"),
    (
        {"learning_rate": np.ones(2)},
        TypeError,
        f"{RATE} {PAIR}",
    ),
    ({"momentum": 1}, ValueError, f"{SHARE} 1"),
    ({"momentum": 1.5}, ValueError, f"{SHARE} 1.5"),
    ({"momentum": -0.1}, ValueError, f"{SHARE} -0.1"),
    ({"momentum": np.nan}, ValueError, f"{SHARE} nan"),
    ({"momentum": None}, TypeError, f"{SHARE} None"),
    ({"momentum": "0.9"}, TypeError, f"{SHARE} '0.9'"),
    ({"l1": -1}, ValueError, "l1 must be a finite number >= 0, got -1"),
    ({"l1": np.inf}, ValueError, "l1 must be a finite number >= 0, got inf"),
    ({"l1": None}, TypeError, "l1 must be a finite number >= 0, got None"),
    ({"l2": -1e-9}, ValueError, "l2 must be a finite number >= 0, got -1e-09"),
    ({"l2": np.nan}, ValueError, "l2 must be a finite number >= 0, got nan"),
    ({"l2": HUGE}, ValueError, f"l2 must be a finite number >= 0, got {CUT}"),
    ({"l2": "5"}, TypeError, "l2 must be a finite number >= 0, got '5'"),
    ({"penalize_biases": 1}, TypeError, "penalize_biases must be True or False, got 1"),
    ({"evaluate_train": "yes"}, TypeError, "evaluate_train must be True or False, got 'yes'"),
    ({"evaluate_first": None}, TypeError, "evaluate_first must be True or False, got None"),
    ({"evaluate_every": 0}, ValueError, "evaluate_every must be an integer >= 1, got 0"),
    ({"evaluate_every": 0.5}, TypeError, "evaluate_every must be an integer >= 1, got 0.5"),
    ({"shuffle": 0}, TypeError, "shuffle must be True or False, got 0"),
    ({"reset_optimizer": 1}, TypeError, "reset_optimizer must be True or False, got 1"),
    ({"seed": -1}, ValueError, f"{SEED} -1"),
    ({"seed": 2**64}, ValueError, f"{SEED} {2**64}"),
    ({"seed": 1.5}, TypeError, f"{SEED} 1.5"),
    ({"n_threads": 0}, ValueError, "n_threads must be an integer >= 1, got 0"),
    ({"n_threads": "all"}, TypeError, "n_threads must be an integer >= 1, got 'all'"),
    ({"verbose": 2}, ValueError, "verbose must be None, 0 or 1, got 2"),
    ({"verbose": -1}, ValueError, "verbose must be None, 0 or 1, got -1"),
    ({"verbose": "auto"}, TypeError, "verbose must be None, 0 or 1, got 'auto'"),
    (
        {"verbose": np.ones(2)},
        TypeError,
        "verbose must be None, 0 or 1, got an array of shape (2,) and dtype float64",
    ),
    ({"callbacks": 3}, TypeError, f"{CALLBACKS} 3"),
    ({"callbacks": None}, TypeError, f"{CALLBACKS} None"),
    ({"callbacks": "print"}, TypeError, f"{CALLBACKS} 'print'"),
    ({"callbacks": [print, 3]}, TypeError, f"{CALLBACKS} 3"),
    ({"callbacks": nn.Callback}, TypeError, f"{CALLBACKS} <class 'nnlearn.callbacks.Callback'>"),
    # optimiser and learning rate
    ({"learning_rate": None}, TypeError, f"{NEITHER} neither: {SUGGESTS}"),
    (
        {"learning_rate": None, "optimizer": "sgd"},
        TypeError,
        f"{NEITHER} optimizer='sgd' alone: {SUGGESTS}",
    ),
    (
        {"optimizer": SGD(0.1)},
        TypeError,
        f"learning_rate must be left out beside an optimizer object, got 0.1: write {SGD_TEXT}",
    ),
    (
        {"learning_rate": None, "optimizer": SGD(0.1), "momentum": 0.9},
        TypeError,
        f"momentum must be left out beside an optimizer object, got 0.9: write {SGD_TEXT}",
    ),
    (
        {"learning_rate": None, "optimizer": SGD},
        TypeError,
        "optimizer must be an object, got <class 'nnlearn.optimizers.SGD'>: call it: SGD(0.5)",
    ),
    ({"optimizer": "ada"}, ValueError, "optimizer must be one of 'sgd', got 'ada'"),
    ({"optimizer": 3}, TypeError, "optimizer must be one of 'sgd', got 3"),
    # validation
    ({"validation": 0.0}, ValueError, f"{PART} 0.0"),
    ({"validation": 1.0}, ValueError, f"{PART} 1.0"),
    ({"validation": -0.1}, ValueError, f"{PART} -0.1"),
    ({"validation": np.nan}, ValueError, f"{PART} nan"),
    (
        {"validation": 0.99},
        ValueError,
        "validation must leave at least one of the 30 rows to train on, got 0.99",
    ),
    ({"validation": 1}, TypeError, f"validation {SETS} 1"),
    ({"validation": True}, TypeError, f"validation {SETS} True"),
    ({"validation": "test"}, TypeError, f"validation {SETS} 'test'"),
    (
        {"validation": X},
        TypeError,
        f"validation {SETS} an array of shape (30, 4) and dtype float32",
    ),
    ({"validation": ()}, TypeError, f"validation {SETS} ()"),
    (
        {"validation": {"dev": 0.5}},
        TypeError,
        "validation['dev'] must be a Split or a pair (x, y), got 0.5",
    ),
    (
        {"validation": {3: (X, Y)}},
        TypeError,
        f"{NAMES} be text, got 3",
    ),
    (
        {"validation": {"": (X, Y)}},
        ValueError,
        f"{NAMES} have letters, got ''",
    ),
    (
        {"validation": {"train": (X, Y)}, "evaluate_train": True},
        ValueError,
        "validation must leave the name 'train' to evaluate_train, got 'train'",
    ),
    (
        {"validation": (X, None)},
        TypeError,
        f"{BESIDE}, got None",
    ),
    # names that fit has not
    ({"epoch": 3}, TypeError, f"{UNKNOWN} epoch=3: did you mean epochs?"),
    ({"zzz": [1]}, TypeError, f"{UNKNOWN} zzz=[1]"),
    ({"lr": 0.5}, TypeError, f"{UNKNOWN} lr=0.5: use learning_rate="),
    (
        {"validation_data": (1, 2)},
        TypeError,
        f"{UNKNOWN} validation_data=(1, 2): use validation=",
    ),
]


@pytest.mark.parametrize(("settings", "exception", "message"), BAD, ids=[b[2] for b in BAD])
def test_a_bad_setting_is_refused_before_anything_changes(
    settings: dict[str, Any], exception: type[Exception], message: str
) -> None:
    net = network()
    fit(net, momentum=0.9)
    before, counters, twin = snapshot(net), net._core.counters, net.copy()
    with pytest.raises(exception) as caught:
        fit(net, **settings)
    assert type(caught.value) is exception
    assert str(caught.value) == message
    assert_same_bits(net.parameters, before)
    assert net._core.counters == counters
    assert len(net.history) == 1
    fit(net, momentum=0.9)
    fit(twin, momentum=0.9)
    assert_same_bits(net.parameters, twin.parameters)


def test_a_message_is_one_line_whatever_was_given() -> None:
    with pytest.raises(TypeError, match=r"^validation must be a Split, .*, got \[array") as caught:
        fit(network(), validation=[X, Y, X])
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


#: names that users bring from elsewhere -> the name here that the hint must speak of
FOREIGN = {
    "validation_data": "validation=",
    "lr": "learning_rate=",
    "eta": "learning_rate=",
    "lmbda": "l2=",
    "mini_batch_size": "batch_size=",
    "alpha": "l2=",
    "hidden_layer_sizes": "Network",
    "metrics": "accuracy",
    "max_iter": "epochs=",
    "validation_split": "validation=",
    "weight_decay": "l2=",
    "random_state": "seed=",
    "n_epochs": "epochs=",
    "evaluation_data": "validation=",
    "nesterov": "SGD(",
    "solver": "optimizer=",
    "loss": "cost=",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_names_get_a_hint(name: str) -> None:
    with pytest.raises(TypeError) as caught:
        fit(network(), **{name: 1})
    head, _, hint = str(caught.value).partition(": ")
    assert head == f"{UNKNOWN} {name}=1"
    assert FOREIGN[name] in hint


# ---------------------------------------------------------------- settings that are right


def test_three_ways_to_name_the_optimiser() -> None:
    plain = {"learning_rate": 0.3}
    same_fit(plain, {"optimizer": "sgd", "learning_rate": 0.3})
    same_fit(plain, {"optimizer": SGD(0.3)})
    same_fit(plain, {"optimizer": SGD(0.3), "momentum": 0.0})
    same_fit(plain | {"momentum": 0.9}, {"optimizer": SGD(0.3, 0.9)})
    same_fit(plain, {"learning_rate": np.float64(0.3), "batch_size": np.int64(10)})
    same_fit({"learning_rate": 1}, {"learning_rate": np.array(1.0)})


@pytest.mark.parametrize("batch_size", [30, 31, 1000, 2**62, 10**30])
def test_a_batch_larger_than_the_data_is_one_batch(batch_size: int) -> None:
    same_fit(
        {"learning_rate": 0.3, "batch_size": 30}, {"learning_rate": 0.3, "batch_size": batch_size}
    )
    assert len(fit(network(), batch_size=batch_size).step_loss) == 1


def test_defaults() -> None:
    history = network().fit(X, Y, learning_rate=0.1)
    assert len(history) == 30
    assert len(history.step_loss) == 30 * 3  # batches of 10
    same_fit({"learning_rate": 0.1}, {"learning_rate": 0.1, "batch_size": 10, "shuffle": True})
    same_fit({"learning_rate": 0.1}, {"learning_rate": 0.1, "momentum": 0, "l1": 0, "l2": 0})
    same_fit({"learning_rate": 0.1}, {"learning_rate": 0.1, "seed": 1})


def test_no_epochs_train_nothing() -> None:
    net = network()
    before = snapshot(net)
    history = fit(net, epochs=0, validation=(X, Y), evaluate_first=True)
    assert_same_bits(net.parameters, before)
    assert len(history) == len(history.step_loss) == len(net.history) == 0
    assert history["val_loss"].shape == (0,)
    assert history.start == {"val_loss": net.loss(X, Y), "val_accuracy": net.accuracy(X, Y)}
    assert net._core.counters == (0, 0)


def test_without_shuffling_the_rows_are_taken_as_they_stand() -> None:
    a, b = network(), network()
    fit(a, shuffle=False, batch_size=10)
    for k in range(3):
        b.fit(X[10 * k :][:10], Y[10 * k :][:10], epochs=1, learning_rate=0.1, shuffle=False)
    assert_same_bits(a.parameters, b.parameters)
