"""Chapter 1: the quadratic cost's first results, bad rates, and baselines."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nnlearn.comparison import Comparison
from nnlearn.data import Dataset, Split
from nnlearn.experiments._divergence import plot_epochs
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, at, best, last, stuck, without
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured, Quote
from nnlearn.experiments._result import Result
from nnlearn.experiments._words import mean_in_words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BOOK = "book, chapter 1"
_TEST = "test, quadratic cost, large weights"
_STUCK = "stuck runs pull mean and spread: see the median and the count"
_EPOCHS = 30


def _quote(value: str, settings: str, kind: str = "last") -> Quote:
    why = _STUCK if "rate 3" in settings else ""
    return Quote(value, _BOOK, f"{_TEST}, batch 10, {settings}", kind, if_it_differs=why)


#: Accuracies in % by network and epoch, from 0, as the book prints their counts of 10,000.
_BY_EPOCH = {
    "30 hidden, rate 3": {
        0: "91.29",
        1: "92.95",
        2: "93.48",
        27: "95.28",
        28: "95.42",
        29: "95.34",
    },
    "100 hidden, rate 0.001": {
        **{0: "11.39", 1: "11.36", 2: "11.35"},
        **{27: "21.01", 28: "21.23", 29: "21.42"},
    },
    "30 hidden, rate 100": {0: "10.09", 29: "9.82"},
}
_BEST = {"30 hidden, rate 3": "95.42", "100 hidden, rate 3": "96.59"}
#: What other ways of classifying reach, by the book.
_OTHERS = {
    "a random guess": Quote("10", _BOOK, "test", "exact", why_not="nothing to measure"),
    "a tuned support vector machine": Quote(
        "98.5", _BOOK, "test, more than", "exact", why_not="tuned in ways that the book only names"
    ),
    "the record of 2013": Quote(
        "99.79", _BOOK, "test", "exact", why_not="a committee of networks with convolution"
    ),
    "five hidden layers on distorted digits": Quote(
        "99.65",
        "Ciresan et al. (2010), cited in the book, chapter 6",
        "test; 2500-2000-1500-1000-500 hidden units, learning rate 1e-3 falling to 1e-6",
        "one run",
        why_not="12 million weights and more digits, distorted anew each epoch, than a run here "
        "has time for",
    ),
}
_DARKNESS = Quote("22.25", _BOOK, "test, the digit of nearest mean darkness", "exact")


def _quotes() -> dict[str, Quote]:
    found = {
        f"{name}, epoch {epoch}": _quote(
            value, f"{name}, epoch {epoch} from 0", "last" if epoch == _EPOCHS - 1 else "one run"
        )
        for name, values in _BY_EPOCH.items()
        for epoch, value in values.items()
    }
    for name, value in _BEST.items():
        found[f"{name}, best"] = _quote(value, f"{name}, 30 epochs", "best of three")
    return {**found, "average darkness": _DARKNESS, **_OTHERS}


def _measure(lab: Lab) -> Result:
    epochs = lab.pick(_EPOCHS, 6)
    runs = lab.compare(
        {
            "30 hidden, rate 3": {"hidden": 30, "learning_rate": 3.0},
            "100 hidden, rate 3": {"hidden": 100, "learning_rate": 3.0},
            "100 hidden, rate 0.001": {"hidden": 100, "learning_rate": 0.001},
            "30 hidden, rate 100": {"hidden": 30, "learning_rate": 100.0},
            "no hidden layer, rate 3": {"hidden": (), "learning_rate": 3.0},
        },
        without(lab.data, "validation"),
        epochs=epochs,
        batch_size=10,
        cost="quadratic",
        init="large",
    )
    rows = [_row(name, epoch, runs, epochs) for name, own in _BY_EPOCH.items() for epoch in own]
    rows += [
        Measured(
            f"{name}: best test accuracy",
            best(runs[name], "test_accuracy"),
            "%",
            _QUOTES[f"{name}, best"],
            stuck(runs[name]),
        )
        for name in _BEST
    ]
    none = runs["no hidden layer, rate 3"]
    rows.append(
        Measured(
            "784-10, the exercise: last test accuracy",
            last(none, "test_accuracy"),
            stuck=stuck(none),
        )
    )
    test = lab.data.test or lab.data.train
    rows.append(
        Measured("average darkness: test accuracy", (_darkness(lab.data, test),), "%", _DARKNESS)
    )

    rows += [Measured(name, (), quote=quote) for name, quote in _OTHERS.items()]

    ends = "; ".join(
        f"{name}: {mean_in_words(Measured('', last(group, 'test_accuracy')))}"
        for name, group in runs.items()
    )

    def curves(figure: "Figure") -> None:
        ax = figure.subplots()
        if not plot_epochs(runs, "test_accuracy", ax):
            return
        ax.set(ylabel="test accuracy (%)", ylim=(0, 100))
        ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)

    return Result(
        {
            "networks": "784-30-10, 784-100-10 and 784-10, sigmoid, quadratic cost, large weights",
            "training": f"{epochs} epochs, batch size 10",
        },
        tuple(rows),
        pictures=(
            Picture(
                "curves",
                "Test accuracy by epoch at good and at bad rates, mean and band over the seeds.",
                curves,
                size=(8.4, 3.8),
            ),
        ),
        finding=f"Mean test accuracy after {epochs} epochs: {ends}.",
        remarks=(
            "The support vector machine's 94.35 % with default settings is beside its number in "
            "the experiment more-data.",
        ),
    )


def _row(name: str, epoch: int, runs: Comparison, epochs: int) -> Measured:
    """The accuracy after an epoch, from 0; of a short run as far into it."""
    here = epoch if epoch < 3 else epochs - _EPOCHS + epoch
    return Measured(
        f"{name}: test accuracy after epoch {here}, from 0",
        at(runs[name], "test_accuracy", here + 1),
        "%",
        _QUOTES[f"{name}, epoch {epoch}"],
        stuck(runs[name]),
    )


def _darkness(data: Dataset, test: Split) -> float:
    """How many digits in % are told by their darkness alone."""
    dark = _dark(data.train.x)
    means = np.array([dark[data.train.y == digit].mean() for digit in range(10)])
    nearest = np.abs(_dark(test.x)[:, None] - means).argmin(axis=1)
    return 100.0 * float(np.mean(nearest == test.y))


def _dark(x: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """The sum of each image's pixels."""
    total: npt.NDArray[np.float64] = x.sum(axis=1, dtype=np.float64)
    return total


_QUOTES = _quotes()

experiment = Experiment(
    name="baselines",
    title="Chapter 1: first results, bad rates, baselines",
    question="How well does the first network of the book do, and how badly at a bad rate?",
    slides=(),
    measure=_measure,
    seconds=(3.0, 90.0),
    quotes=_QUOTES,
)
