"""The slides' table of costs: quadratic against cross-entropy, 30 and 100 hidden units."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nnlearn.experiments._bands import plot_dots
from nnlearn.experiments._claims import Claim
from nnlearn.experiments._divergence import plot_epochs
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, best, differences, last, stuck
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured, Quote
from nnlearn.experiments._result import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SIZES = (30, 100)
_COSTS = {
    "quadratic": {"cost": "quadratic", "learning_rate": 3.0},
    "cross-entropy": {"cost": "cross_entropy", "learning_rate": 0.5},
}
_VARIANTS = {
    f"{units} {name}": {"hidden": units, **settings}
    for units in _SIZES
    for name, settings in _COSTS.items()
}
_SETTINGS = "large weights, 30 epochs, batch 10, lambda 0, rate 3 (quadratic) or 0.5"
_SLIDES = f"test error; {_SETTINGS}"
_BOOK = f"test accuracy; {_SETTINGS}"
_STUCK = "stuck runs pull the mean: see the median and the count"

_QUOTES = {
    "30 quadratic": Quote("5.53", "slide 10", _SLIDES, "last"),
    "30 cross-entropy": Quote("4.86", "slide 10", _SLIDES, "last"),
    "100 quadratic": Quote("3.74", "slide 10", _SLIDES, "last", if_it_differs=_STUCK),
    "100 cross-entropy": Quote("3.00", "slide 10", _SLIDES, "last"),
    "30 quadratic, book": Quote("95.42", "book, chapter 1", _BOOK, "best of three"),
    "30 cross-entropy, book": Quote("95.49", "book, chapter 3", _BOOK, "best of three"),
    "100 quadratic, book": Quote("96.59", "book, chapter 1", _BOOK, "best of three"),
    "100 cross-entropy, book": Quote("96.82", "book, chapter 3", _BOOK, "best of three"),
}


def _measure(lab: Lab) -> Result:
    epochs = lab.pick(30, 8)
    runs = lab.compare(_VARIANTS, epochs=epochs, batch_size=10, init="large")
    errors = {
        name: tuple(100.0 - accuracy for accuracy in last(group, "test_accuracy"))
        for name, group in runs.items()
    }
    rows = []
    for name, group in runs.items():
        what = name.replace(" ", " hidden, ", 1)
        rows += [
            Measured(f"{what}: test error", errors[name], "%", _QUOTES[name], stuck(group)),
            Measured(
                f"{what}: best test accuracy",
                best(group, "test_accuracy"),
                "%",
                _QUOTES[f"{name}, book"],
                stuck(group),
            ),
        ]

    def curves(figure: "Figure") -> None:
        grid = figure.add_gridspec(2, len(_SIZES), height_ratios=(3, 2))
        shared = None
        for column, units in enumerate(_SIZES):
            ax = shared = figure.add_subplot(grid[0, column], sharey=shared)
            shown = {name: runs[f"{units} {name}"] for name in _COSTS}
            plot_epochs(type(runs)(shown), "test_error", ax)
            ax.set_title(f"784-{units}-10")
            if column:
                if legend := ax.get_legend():  # the first one's says it for both
                    legend.remove()
                ax.set_ylabel("")
                ax.tick_params(labelleft=False)
        numbers = {} if lab.quick else {name: _QUOTES[name].number for name in errors}
        ax = figure.add_subplot(grid[1, :])
        plot_dots(ax, errors, "test error after the last epoch (%)", numbers)

    return Result(
        {
            "networks": "784-30-10 and 784-100-10, sigmoid, large weights N(0, 1)",
            "training": f"{epochs} epochs, batch size 10, no penalty",
            "learning rate": "3 for the quadratic cost, 0.5 for cross-entropy",
        },
        tuple(rows),
        _claims(errors),
        (
            Picture(
                "curves",
                "Above: test error by epoch, mean over the seeds and the band from lowest to "
                "highest. Below: after the last epoch, a dot for each seed and a bar at their "
                f"mean{'' if lab.quick else '; diamonds: the numbers of the slide'}.",
                curves,
                slides=(10,),
                size=(8.0, 5.6),
            ),
        ),
        remarks=(
            "A network with the quadratic cost and large weights can be stuck: some output unit is "
            "saturated at the wrong value and its digit is never learnt.",
        ),
    )


def _claims(errors: Mapping[str, tuple[float, ...]]) -> tuple[Claim, ...]:
    return tuple(
        Claim(
            f"with {units} hidden units cross-entropy ends with fewer test errors",
            differences(errors[f"{units} quadratic"], errors[f"{units} cross-entropy"]),
            "percentage points",
            "slide 10",
        )
        for units in _SIZES
    )


experiment = Experiment(
    name="costs",
    title="Quadratic cost and cross-entropy on digits",
    question="Does cross-entropy classify digits better than the quadratic cost?",
    slides=(10,),
    measure=_measure,
    seconds=(6.0, 60.0),
    quotes=_QUOTES,
    widgets={10: ("CostComparison", {"variants": _VARIANTS, "n_train": 5000})},
)
