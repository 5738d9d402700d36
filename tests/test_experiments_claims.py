"""What claims of direction are worked out from, each with the sign that its text says."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

import nnlearn as nn
from nnlearn.experiments import initialisation, l2_table, momentum, more_data, relu, stories, tanh

SEEDS = 2
COLUMNS = ("loss", "val_accuracy", "train_accuracy", "test_accuracy")


def made(names, epochs=4):
    """Histories of every name, no number in them twice: losses fall and rise, as they like."""
    rng = np.random.default_rng(7)
    return {
        name: [
            SimpleNamespace(
                error=None,
                history={
                    "epoch": np.arange(1.0, epochs + 1),
                    **{column: rng.uniform(0.1, 0.9, epochs) for column in COLUMNS},
                },
            )
            for _ in range(SEEDS)
        ]
        for name in names
    }


def of(runs, name, column, row=-1, scale=100.0):
    """A column's number after an epoch, of each seed."""
    return np.array([scale * run.history[column][row] for run in runs[name]])


def best(runs, name, column):
    return np.array([100.0 * max(run.history[column]) for run in runs[name]])


def reached(runs, name, ends):
    """The first epoch with a loss as low as that; one more than there are where none is."""
    found = []
    for run, end in zip(runs[name], ends, strict=True):
        losses = [*run.history["loss"]]
        found.append(next((i for i, loss in enumerate(losses, 1) if loss <= end), len(losses) + 1))
    return np.array(found, float)


def check(claims, expected):
    """Every claim is there, with these differences."""
    found = {claim.text: claim.differences for claim in claims}
    assert list(found) == list(expected)
    for text, values in expected.items():
        assert found[text] == pytest.approx(tuple(values)), text
        assert np.any(values), text


# ---- the claims in one ---------------------------------------------------------------------------


def test_every_claim_among_the_stories_is_the_difference_that_it_says():
    runs = made(
        [
            *("cross-entropy, bad start", "quadratic, bad start", "scaled", "large", "plain"),
            *("momentum", "tanh", "relu", "all digits", "a tenth", "free", "l2"),
            *("all, free", "all, l2"),
        ]
    )

    def first(name):
        return of(runs, name, "val_accuracy", 0)

    def end(name, column="val_accuracy"):
        return of(runs, name, column)

    def gap(name):
        return end(name, "train_accuracy") - end(name)

    def saved(name):
        ends = of(runs, name, "loss", scale=1.0)
        return reached(runs, name, ends) - reached(runs, "momentum", ends)

    end_of = "momentum 0.9 reaches in fewer epochs the loss that plain steps of"
    check(
        stories._claims(runs),
        {
            "from large weights cross-entropy starts faster than the quadratic cost": first(
                "cross-entropy, bad start"
            )
            - first("quadratic, bad start"),
            "on few digits L2 raises the test accuracy": end("l2", "test_accuracy")
            - end("free", "test_accuracy"),
            "on all digits L2 raises the validation accuracy": end("all, l2") - end("all, free"),
            "on all digits L2 shrinks the gap from training to validation accuracy": gap(
                "all, free"
            )
            - gap("all, l2"),
            "scaled start weights start higher than large ones": first("scaled") - first("large"),
            "ten times the digits, for as many steps, give a higher validation accuracy": end(
                "all digits"
            )
            - end("a tenth"),
            "tanh learns faster at first than sigmoid": first("tanh") - first("scaled"),
            "ReLU learns faster at first than sigmoid": first("relu") - first("scaled"),
            f"{end_of} its rate end with": saved("plain"),
            f"{end_of} ten times its rate end with": saved("all digits"),
        },
    )


def test_plain_steps_are_counted_to_the_first_epoch_of_that_loss_as_momentum_is():
    runs = made(["plain", "momentum"])
    for name, losses in (("plain", (0.5, 0.2, 0.4, 0.3)), ("momentum", (0.5, 0.4, 0.25, 0.1))):
        for run in runs[name]:
            run.history["loss"] = np.array(losses)
    assert stories._momentum(runs, "plain", "of its rate").differences == (2.0 - 3.0,) * SEEDS


# ---- experiments with claims of their own --------------------------------------------------------


def test_what_l2_saves_is_errors_without_it_less_errors_with_it():
    runs = made([f"{units} hidden, lambda {value}" for units in (30, 100) for value in (0, 5)])
    for units in (30, 100):
        free, l2 = (f"{units} hidden, lambda {value}" for value in (0, 5))
        errors = {name: tuple(100 - of(runs, name, "test_accuracy")) for name in runs}
        check(
            l2_table._claims(runs, errors, units),
            {
                f"with {units} hidden units L2 ends with fewer test errors": of(
                    runs, l2, "test_accuracy"
                )
                - of(runs, free, "test_accuracy"),
                f"with {units} hidden units L2 raises the test accuracy of the best epoch": best(
                    runs, l2, "test_accuracy"
                )
                - best(runs, free, "test_accuracy"),
            },
        )


def test_scaled_start_weights_are_ahead_by_their_accuracy_less_that_of_large_ones():
    numbers = {
        f"{units} {init}": {
            "epoch 1": (50.0 + units * k, 60.0 + k * k),
            "last": (70.0 + k * k * units / 10, 71.0 - k),
        }
        for units in (30, 100)
        for k, init in enumerate(("scaled", "large", "xavier", "he"))
    }
    check(
        initialisation._claims(numbers),
        {
            f"with {units} hidden units scaled start weights {text}": np.subtract(
                numbers[f"{units} scaled"][when], numbers[f"{units} large"][when]
            )
            for when, text in (
                ("epoch 1", "are ahead after the first epoch"),
                ("last", "end higher"),
            )
            for units in (30, 100)
        },
    )


def test_more_digits_are_compared_with_fewer_and_networks_with_machines():
    networks = {100: (60.0, 61.0), 200: (72.0, 70.5), 500: (80.0, 79.0), 1000: (88.0, 90.0)}
    networks[2000] = (91.0, 92.5)
    machines = {100: 50.0, 200: 71.0, 500: 78.5, 1000: 85.0, 2000: 86.0}
    differences = [claim.differences for claim in more_data._claims(networks, machines)]
    assert differences == [
        (91.0 - 72.0, 92.5 - 70.5),  # 2,000 digits less 200
        (3.0, 2.5),  # the smallest gain of each seed
        (72.0 - 71.0, 70.5 - 71.0),  # the smallest margin over the machine
        (86.0 - 72.0, 86.0 - 70.5),  # the machine with 2,000 less the network with 200
    ]
    texts = [claim.text for claim in more_data._claims(networks, machines)]
    assert "2,000 digits give a higher accuracy than 200" in texts[0]
    assert "the support vector machine with 2,000 digits beats the network with 200" in texts[3]


@pytest.mark.parametrize("units", [30, 100])
def test_epochs_saved_by_momentum_are_those_of_the_other_less_its_own(units):
    rates = ["mu 0", "mu 0.5", "mu 0.9", momentum._SAME_PACE]
    runs = made([f"{units} {name}" for name in rates])
    plain, half, strong, pace = (f"{units} {name}" for name in rates)
    ends = of(runs, plain, "loss", scale=1.0)
    need = {name: reached(runs, name, ends) for name in runs}
    _, claims = momentum._of_size(runs, units)
    expected = [need[plain] - need[half], need[plain] - need[strong], need[pace] - need[strong]]
    expected.append(of(runs, pace, "loss", scale=1.0) - of(runs, strong, "loss", scale=1.0))
    for claim, values in zip(claims, expected, strict=True):
        assert claim.differences == pytest.approx(tuple(values)), claim.text
    assert ["cost" in claim.text and "fewer epochs" not in claim.text for claim in claims] == [
        *(False, False, False, True)
    ]


@pytest.mark.parametrize("units", [30, 100])
def test_tanh_is_faster_by_the_cost_and_the_accuracy_of_the_first_epoch(units):
    runs = made([f"{units} sigmoid", f"{units} tanh"])
    slow, fast = runs
    end = of(runs, fast, "val_accuracy") - of(runs, slow, "val_accuracy")
    check(
        tanh._claims(runs, units),
        {
            f"with {units} hidden units tanh has the lower cost over the first epoch": of(
                runs, slow, "loss", 0, 1.0
            )
            - of(runs, fast, "loss", 0, 1.0),
            f"with {units} hidden units tanh has the higher accuracy after the first epoch": of(
                runs, fast, "val_accuracy", 0
            )
            - of(runs, slow, "val_accuracy", 0),
            f"with {units} hidden units both end within 0.5 percentage points of each other": 0.5
            - abs(end),
        },
    )


@pytest.mark.parametrize("units", [30, 100])
def test_relu_is_faster_by_its_accuracy_and_by_sigmoids_epochs_for_each_of_its_own(units):
    runs = made([f"{units} sigmoid", f"{units} relu"])
    slow, fast = runs
    ends = of(runs, slow, "loss", scale=1.0)
    ratio = reached(runs, slow, ends) / reached(runs, fast, ends)
    rows, claims = relu._of_size(runs, units)
    check(
        claims,
        {
            f"with {units} hidden units ReLU has the higher accuracy after the first epoch": of(
                runs, fast, "val_accuracy", 0
            )
            - of(runs, slow, "val_accuracy", 0),
            f"with {units} hidden units ReLU needs at most a third of sigmoid's epochs": ratio - 3,
        },
    )
    ends = {row.what: row.values for row in rows}
    for name, said in ((slow, "sigmoid"), (fast, "ReLU")):
        what = f"{units} hidden, {said}: last validation accuracy"
        assert ends[what] == pytest.approx(tuple(of(runs, name, "val_accuracy")))


def test_a_unit_that_is_on_for_one_sample_alone_is_not_dead():
    net = nn.Network([2, 4, 2], activation="relu", seed=1)
    net.weights[0] = np.array([[1.0, -1.0, 1.0, 0.0], [0.0, 0.0, -1.0, 0.0]])
    net.biases[0] = np.array([0.0, 0.0, -0.5, -1.0])
    x = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 0.5]], np.float32)
    z = x @ net.weights[0] + net.biases[0]
    assert (z > 0).sum(axis=0).tolist() == [1, 0, 1, 0]
    assert relu.dead(net, x, np.zeros(3, int)) == 50.0
    assert not math.isclose(relu.dead(net, x[:1], np.zeros(1, int)), 50.0)
