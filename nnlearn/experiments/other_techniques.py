"""L1, dropout and expanded data side by side, with L2 and without any."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nnlearn.augment import expand
from nnlearn.comparison import Comparison
from nnlearn.data import Dataset
from nnlearn.experiments._bands import plot_dots
from nnlearn.experiments._claims import Claim
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, differences, last, stuck, without
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured
from nnlearn.experiments._result import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HIDDEN = 100
_COPIES = 5
#: Of 0.1, 0.2, 0.5, 1 and 2 the first of those whose validation accuracy was highest to a tenth
#: of a point, in one run each on all of MNIST.
_L1 = 0.5
_NONE, _L2, _ONE = "none", "L2", "L1"
_DROPOUT, _EXPANDED = "dropout", "expanded data"


def expanded(data: Dataset) -> Dataset:
    """The data with the fivefold training set: as it is, and moved by a pixel in each direction."""
    train = expand(data.train, shape=data.image_shape)
    return Dataset(
        train,
        data.validation,
        data.test,
        class_names=data.class_names,
        image_shape=data.image_shape,
        source=data.source,
    )


def _measure(lab: Lab) -> Result:
    epochs = lab.pick(30, 5)
    variants: dict[str, dict[str, Any]] = {
        _NONE: {},
        _L2: {"l2": lab.l2(5.0)},
        _ONE: {"l1": lab.l2(_L1)},
        _DROPOUT: {"dropout": 0.5},
    }
    settings: dict[str, Any] = {"hidden": _HIDDEN, "learning_rate": 0.5, "batch_size": 10}
    data = without(lab.data, "validation")
    runs = lab.compare(variants, data, **settings, epochs=epochs, evaluate_every=epochs)
    # Of five times as many digits a fifth of the epochs are as many steps.
    passes = epochs // _COPIES
    more = lab.compare(
        {_EXPANDED: {}}, expanded(data), **settings, epochs=passes, evaluate_every=passes
    )
    runs = Comparison({**runs, **more})
    accuracy = {name: last(group, "test_accuracy") for name, group in runs.items()}
    rows = tuple(
        Measured(f"{name}: test accuracy", accuracy[name], stuck=stuck(group))
        for name, group in runs.items()
    )

    def draw(figure: "Figure") -> None:
        names = {
            _NONE: _NONE,
            _L2: f"L2, lambda {lab.l2(5.0):g}",
            _ONE: f"L1, lambda {lab.l2(_L1):g}",
            _DROPOUT: "dropout, p 0.5",
            _EXPANDED: "data expanded by shifts",
        }
        groups = {label: accuracy[name] for name, label in names.items()}
        plot_dots(figure.subplots(), groups, "test accuracy after training (%)")

    return Result(
        {
            "networks": f"784-{_HIDDEN}-10, sigmoid, cross-entropy, start weights N(0, 1/n_in)",
            "training": f"{epochs} epochs ({passes} of the fivefold data, as many steps), batch "
            "size 10, learning rate 0.5",
            "techniques": f"one at a time: L2 with lambda {lab.l2(5.0):g}, L1 with lambda "
            f"{lab.l2(_L1):g}, dropout of half of the hidden units, training digits also moved by "
            "one pixel in four directions",
        },
        rows,
        _claims(accuracy),
        (
            Picture(
                "techniques",
                "Test accuracy with one technique at a time: a dot for each seed, a bar at their "
                "mean.",
                draw,
                slides=(21,),
                size=(7.0, 3.2),
            ),
        ),
        remarks=(
            "All take equally many steps, at one learning rate. The lambda of L1 was chosen among "
            "five by the validation accuracy of all digits, one run each; nothing else was tuned, "
            "an advantage of L1 that the others have not had.",
            *_below(accuracy),
        ),
    )


def _claims(accuracy: Mapping[str, Sequence[float]]) -> tuple[Claim, ...]:
    return tuple(
        Claim(
            f"{name} ends with a higher test accuracy than none",
            differences(accuracy[name], accuracy[_NONE]),
            "percentage points",
            "slide 21",
        )
        for name in (_ONE, _DROPOUT, _EXPANDED, _L2)
    )


def _below(accuracy: Mapping[str, Sequence[float]]) -> tuple[str, ...]:
    """What ends below no technique at all, with these settings."""
    gains = {
        name: Measured("", differences(values, accuracy[_NONE])).mean
        for name, values in accuracy.items()
        if name != _NONE
    }
    lower = [f"{name} by {-gain:.2f}" for name, gain in gains.items() if gain < 0]
    if not lower:
        return ()
    text = "With these settings the mean test accuracy is lower than without any technique with "
    return (f"{text}{', '.join(lower)} percentage points.",)


experiment = Experiment(
    name="other-techniques",
    title="Other techniques beside L2",
    question="What do L1, dropout and expanded data each bring to the test accuracy?",
    slides=(21,),
    measure=_measure,
    seconds=(1.5, 65.0),
)
