"""The slides' curves by start weights: 30 and 100 hidden units, scaled against large."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nnlearn.comparison import Comparison
from nnlearn.experiments._claims import Claim
from nnlearn.experiments._divergence import plot_epochs
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, at, best, differences, epoch_of_best, last, without
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured, Quote
from nnlearn.experiments._result import Result
from nnlearn.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: By network, then by when: a number for each seed.
Numbers = Mapping[str, Mapping[str, tuple[float, ...]]]

_SIZES = (30, 100)
_BOOKS = ("scaled", "large")
_INITS = (*_BOOKS, "xavier", "he")
_SOURCE = "book, chapter 3 (figure's data); slide 29"
_WEIGHTS = {"scaled": "N(0, 1/n_in)", "large": "N(0, 1)"}
_WHEN = "epoch of the best, from 0"


def _quotes(units: int, init: str, *values: str) -> dict[str, Quote]:
    """The four numbers of one curve: after epoch 1, best, its epoch and last."""
    settings = (
        f"784-{units}-10, start weights {_WEIGHTS[init]}, learning rate 0.1, lambda 5, 30 epochs, "
        "batch size 10, validation accuracy"
    )
    first, most, when, end = values
    of_first = f"{settings}, epoch 1 (the book's 0)"
    return {
        f"{units} {init}, epoch 1": Quote(first, _SOURCE, of_first, "one run"),
        f"{units} {init}, best": Quote(most, _SOURCE, settings, "best"),
        f"{units} {init}, {_WHEN}": Quote(when, _SOURCE, f"{settings}; counted from 0", "one run"),
        f"{units} {init}, last": Quote(end, _SOURCE, settings, "last"),
    }


_QUOTES = {
    **_quotes(30, "scaled", "92.70", "96.53", "25", "96.50"),
    **_quotes(30, "large", "86.43", "96.48", "27", "96.37"),
    **_quotes(100, "scaled", "92.95", "97.81", "29", "97.81"),
    **_quotes(100, "large", "89.94", "97.55", "28", "97.42"),
}


def _measure(lab: Lab) -> Result:
    epochs = lab.pick(30, 8)
    variants = {
        f"{units} {init}": {"hidden": units, "init": init} for units in _SIZES for init in _INITS
    }
    runs = lab.compare(
        variants,
        without(lab.data, "test"),
        epochs=epochs,
        batch_size=10,
        learning_rate=0.1,
        l2=lab.l2(5.0),
    )
    numbers = {
        name: {
            "epoch 1": at(group, "val_accuracy", 1),
            "best": best(group, "val_accuracy"),
            _WHEN: tuple(epoch - 1.0 for epoch in epoch_of_best(group, "val_accuracy")),
            "last": last(group, "val_accuracy"),
        }
        for name, group in runs.items()
    }
    return Result(
        {
            "networks": "784-30-10 and 784-100-10, sigmoid, cross-entropy",
            "start weights": 'scaled: N(0, 1/n_in), large: N(0, 1); biases N(0, 1). "xavier" '
            'N(0, 2/(n_in + n_out)) and "he" N(0, 2/n_in) beside them, biases 0',
            "training": f"{epochs} epochs, batch size 10, learning rate 0.1, lambda "
            f"{lab.l2(5.0):g}",
        },
        _rows(numbers),
        _claims(numbers),
        (_picture(runs),),
        (_table(numbers),),
        remarks=(
            "The book's program counts epochs from 0, and so do the rows of the best one's epoch; "
            "all else counts from 1.",
        ),
    )


def _rows(numbers: Numbers) -> tuple[Measured, ...]:
    return tuple(
        Measured(
            f"{name.replace(' ', ' hidden, ')}, {when}",
            values,
            "" if when == _WHEN else "%",
            quote,
            digits=1 if when == _WHEN else 2,
        )
        for name, found in numbers.items()
        for when, values in found.items()
        if (quote := _QUOTES.get(f"{name}, {when}"))
    )


def _claims(numbers: Numbers) -> tuple[Claim, ...]:
    words = {"epoch 1": "are ahead after the first epoch", "last": "end higher"}
    return tuple(
        Claim(
            f"with {units} hidden units scaled start weights {text}",
            differences(numbers[f"{units} scaled"][when], numbers[f"{units} large"][when]),
            "percentage points",
            _SOURCE,
        )
        for when, text in words.items()
        for units in _SIZES
    )


def _table(numbers: Numbers) -> Table:
    shown = ("epoch 1", "best", "last")
    head = ["network", "start weights", *(f"{when} %" for when in shown)]
    body = [
        (
            f"784-{name.split()[0]}-10",
            name.split()[1],
            *(Measured("", found[when]).mean for when in shown),
        )
        for name, found in numbers.items()
    ]
    title = "Mean validation accuracy, all initialisations"
    return Table(head, body, title, formats=dict.fromkeys(head[2:], ".2f"))


def _picture(runs: Comparison) -> Picture:
    def curves(figure: "Figure") -> None:
        axes = figure.subplots(1, len(_SIZES), sharey=True)
        for ax, units in zip(axes, _SIZES, strict=True):
            shown = {f"{init} start weights": runs[f"{units} {init}"] for init in _BOOKS}
            ax.set_title(f"784-{units}-10")
            if not plot_epochs(Comparison(shown), "val_accuracy", ax):
                continue
            ax.legend(
                title=ax.get_legend().get_title().get_text() or None,
                frameon=False,
                title_fontsize="small",
                loc="lower right",
            )
            ax.label_outer()

    return Picture(
        "curves",
        "Validation accuracy by epoch, mean over the seeds and the band from lowest to highest, "
        "from scaled and from large start weights.",
        curves,
        slides=(29,),
        size=(8.0, 3.6),
    )


experiment = Experiment(
    name="initialisation",
    title="Start weights and learning",
    question="Does training start higher, and end higher, from scaled start weights?",
    slides=(29,),
    measure=_measure,
    seconds=(1.5, 65.0),
    quotes=_QUOTES,
)
