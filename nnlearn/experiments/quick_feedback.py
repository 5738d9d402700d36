"""The slides' broad strategy: a hopeless start, quick feedback, and a reduced problem."""

import math
import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlearn.comparison import Comparison
from nnlearn.data import Dataset
from nnlearn.experiments._bands import tidy
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, at, without
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured, Quote
from nnlearn.experiments._result import Result
from nnlearn.network import Network
from nnlearn.plotting import COLOURS
from nnlearn.recipes.reduced import reduce_problem, rescale_l2
from nnlearn.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: What is left of a problem, and what it gave, by its name.
Answers = Mapping[str, Mapping[str, Any]]

_N, _N_VALIDATION = 1_000, 100
_SOURCE = "book, chapter 3"
#: Learning rate and lambda of the book's attempts on 1,000 digits, and what each epoch gave.
_ATTEMPTS = {
    (10.0, 1000.0): ("10", "10", "10"),
    (10.0, 20.0): ("12", "14", "25", "18"),
    (100.0, 20.0): ("10", "10", "10", "10"),
    (1.0, 20.0): ("62", "42", "43", "61"),
}
_EPOCHS = 30
#: Starts of the short attempts for each seed: a few of these runs say little, they differ so much.
_STARTS = 8
#: The epochs of the hopeless start that are printed, from 1.
_HOPELESS = {1: "1030", 2: "990", 3: "1009", 28: "1009", 29: "983", 30: "967"}
_START = "start weights N(0, 1/n_in), learning rate {}, lambda {}, batch size 10"
_WHOLE = f"784-30-10, {_START.format(10, 1000)}, right of the 10,000 validation digits"
_FEW = f"784-10, {_START}, the first 1,000 digits, right of the first 100 validation digits"

_QUOTES = {
    **{
        f"hopeless, epoch {epoch}": Quote(
            value,
            _SOURCE,
            f"{_WHOLE}, epoch {epoch}",
            "one run",
            if_it_differs="the last remark says what such counts are",
        )
        for epoch, value in _HOPELESS.items()
    },
    **{
        f"{rate:g} {l2:g}, epoch {epoch}": Quote(
            value, _SOURCE, f"{_FEW.format(f'{rate:g}', f'{l2:g}')}, epoch {epoch}", "one run"
        )
        for (rate, l2), values in _ATTEMPTS.items()
        for epoch, value in enumerate(values, 1)
    },
}


def _measure(lab: Lab) -> Result:
    data = without(lab.data, "test")
    few = reduce_problem(data, n=min(_N, len(data.train)), n_validation=_validation_of(data))
    hopeless = lab.compare(
        {"hopeless": {"hidden": 30}},
        data,
        epochs=_EPOCHS,
        learning_rate=10.0,
        l2=lab.l2(1000.0),
    )
    runs = lab.compare(
        {
            _key(rate, l2): {"learning_rate": rate, "l2": l2 * len(few.train) / _N}
            for rate, l2 in _ATTEMPTS
        },
        few,
        layers=[784, 10],
        seeds=[_STARTS * seed + start for seed in lab.seeds for start in range(_STARTS)],
        epochs=max(map(len, _ATTEMPTS.values())),
    )
    answers = _answers(lab, data)

    return Result(
        {
            "hopeless start": f"784-30-10, {len(data.train):,} digits, learning rate 10, lambda "
            f"{lab.l2(1000.0):g}",
            "quick feedback": f"784-10, the first {len(few.train):,} digits and the first "
            f"{_N_VALIDATION} of the validation set; {_STARTS} starts for each seed",
            "reduced problem": "learning rate 0.5; the book's lambda 5, rescaled to the digits "
            "left; batch size 10",
        },
        _rows(hopeless, runs, len(data.validation or ())),
        pictures=_pictures(runs, answers),
        tables=(_table(answers),),
        remarks=(_overflow(runs, few), _one_digit(hopeless, data)),
        finding=_last_counts(runs),
    )


# ---- what is said of the numbers -----------------------------------------------------------------


def _overflow(runs: Comparison, few: Dataset) -> str:
    """Of the attempt whose weights grow at every step, and what network2.py makes of it."""
    group = runs[_key(10.0, 1000.0)]
    lost = sum(run.error is not None for run in group)
    zeros = _classes(few)[0]
    return (
        "With eta = 10, lambda = 1000 and n = 1,000 the factor on the weights is "
        "1 - eta lambda / n = -9 at each step, and they grow until they overflow: "
        f"{lost} of {len(group)} such runs diverged here and are reported as that. network2.py "
        f"goes on with NaN, whose argmax is 0: a 0 are {zeros} of the {sum(_classes(few))} digits. "
        "With eta = 100 and lambda = 20 the factor is -1."
    )


def _last_counts(runs: Comparison) -> str:
    """How many are right after the last epoch of each attempt."""
    said = []
    for (rate, l2), values in _ATTEMPTS.items():
        found = at(runs[_key(rate, l2)], "val_accuracy", len(values), _N_VALIDATION)
        mean = Measured("", found).mean
        text = "every run diverged" if math.isnan(mean) else f"{mean:.1f}"
        said.append(f"eta {rate:g} and lambda {l2:g}: {text}")
    right = f"right of {_N_VALIDATION} after the last epoch of each attempt"
    return f"Mean number {right}, where guessing gives 10: {'; '.join(said)}."


def _one_digit(hopeless: Comparison, data: Dataset) -> str:
    """How many counts of the hopeless start are those of one digit, of the book's too."""
    classes = _classes(data)
    n = sum(classes)
    accuracies = [a for run in hopeless["hopeless"] for a in run.history["val_accuracy"]]
    counts = [round(n * float(a)) for a in accuracies if not math.isnan(a)]
    k = sum(one in classes for one in counts)
    often = " to ".join(dict.fromkeys((f"{min(classes):,}", f"{max(classes):,}")))
    text = (
        "A network that answers with one digit is right as often as that digit is in the "
        f"validation set, here {often} times of {n:,}. Of the "
        f"hopeless start's {len(counts)} counts, all epochs of all seeds, {k} are such a number"
    )
    if n != 10_000:
        return f"{text}."
    printed = [int(value) for value in _HOPELESS.values()]
    digits = [str(classes.index(one)) for one in printed if one in classes]
    return f"{text}; of the book's {len(printed)}, {len(digits)} (of digit {', '.join(digits)})."


def _classes(data: Dataset) -> list[int]:
    """How often each digit is in the validation set."""
    assert data.validation is not None
    return [int(k) for k in np.bincount(np.asarray(data.validation.y), minlength=10)]


def _key(rate: float, l2: float) -> str:
    """The name of an attempt."""
    return f"{rate:g} {l2:g}"


# ---- rows and pictures ---------------------------------------------------------------------------


def _rows(hopeless: Comparison, runs: Comparison, n: int) -> tuple[Measured, ...]:
    """The counts of the hopeless start, of n digits, and of the attempts on few."""
    rows = [
        Measured(
            f"hopeless start: right of {n:,}, epoch {epoch}",
            at(hopeless["hopeless"], "val_accuracy", epoch, n),
            "",
            _QUOTES[f"hopeless, epoch {epoch}"],
            digits=0,
        )
        for epoch in _HOPELESS
    ]
    rows += [
        Measured(
            f"eta {rate:g}, lambda {l2:g}: right of {_N_VALIDATION}, epoch {epoch}",
            at(runs[_key(rate, l2)], "val_accuracy", epoch, _N_VALIDATION),
            "",
            _QUOTES[f"{rate:g} {l2:g}, epoch {epoch}"],
            digits=1,
        )
        for (rate, l2), values in _ATTEMPTS.items()
        for epoch in range(1, len(values) + 1)
    ]
    return tuple(rows)


def _pictures(runs: Comparison, answers: Answers) -> tuple[Picture, ...]:
    return (
        Picture(
            "seconds-an-answer",
            "How long one epoch and a look at the validation set take, from the whole problem to "
            "the reduced one, and how well the validation set is then predicted, beside chance.",
            lambda figure: _draw_answers(figure, answers),
            slides=(31,),
            size=(8.0, 3.2),
        ),
        Picture(
            "feedback",
            "Quick feedback on 1,000 digits: how many of 100 validation digits are right after "
            "each epoch, a thin line for each start; dashed: the book's; grey: chance.",
            lambda figure: _draw_feedback(figure, runs),
            size=(8.0, 2.9),
        ),
    )


def _validation_of(data: Dataset) -> int:
    return min(_N_VALIDATION, len(data.validation or ()))


# ---- the reduced problem -------------------------------------------------------------------------


def _answers(lab: Lab, data: Dataset) -> Answers:
    """The problem, reduced step by step: what is left, the seconds and the accuracies."""
    two = reduce_problem(data, classes=(0, 1))
    small = reduce_problem(
        data, n=min(_N, len(two.train)), n_validation=_validation_of(two), classes=(0, 1)
    )
    steps: dict[str, tuple[Dataset, list[int]]] = {
        "the whole": (data, [784, 30, 10]),
        "digits 0 and 1": (two, [784, 30, 2]),
        "no hidden layer": (two, [784, 2]),
        "fewer digits": (small, [784, 2]),
    }
    found = {}
    for name, (part, layers) in steps.items():
        l2 = rescale_l2(5.0, n=50_000, to=len(part.train))
        answers = lab.each(partial(_answer, lab, part, layers, l2), lab.seeds)
        found[name] = {
            "layers": "-".join(map(str, layers)),
            "training": len(part.train),
            "validation": len(part.validation or ()),
            "lambda": l2,
            "seconds": min((s for s, _ in answers if s < math.inf), default=math.nan),
            "accuracies": tuple(100.0 * accuracy for _, accuracy in answers),
        }
    return found


def _answer(
    lab: Lab, data: Dataset, layers: list[int], l2: float, seed: int
) -> tuple[float, float]:
    """Seconds until the first validation accuracy is known, and what it is; NaN if it diverges."""
    network = Network(layers, seed=seed, n_threads=1)
    settings: dict[str, Any] = {
        "learning_rate": 0.5,
        "l2": l2,
        "validation": data.validation,
        "verbose": 0,
    }
    network.fit(data.train, epochs=0, **settings)  # what is done once for a fit is no part of it
    start = time.perf_counter()
    try:
        history = network.fit(data.train, epochs=1, callbacks=lab.halted, **settings)
    except FloatingPointError:
        return math.nan, math.nan
    return time.perf_counter() - start, float(history["val_accuracy"][-1])


def _table(answers: Answers) -> Table:
    head = ["problem", "network", "training", "validation", "lambda", "accuracy %", "seconds"]
    rows = [
        (
            name,
            found["layers"],
            found["training"],
            found["validation"],
            found["lambda"],
            Measured("", found["accuracies"]).mean,
            found["seconds"],
        )
        for name, found in answers.items()
    ]
    formats = {"lambda": ".3g", "accuracy %": ".2f", "training": ",", "validation": ","}
    title = "One epoch and a look at the validation set, the fastest of the seeds, one thread each"
    return Table(head, rows, title, formats={**formats, "seconds": ".2g"})


# ---- pictures ------------------------------------------------------------------------------------


def _draw_answers(figure: "Figure", answers: Answers) -> None:
    left, right = figure.subplots(1, 2, sharey=True)
    names = [f"{name}\n{found['layers']}, {found['training']:,}" for name, found in answers.items()]
    seconds = [1000.0 * found["seconds"] for found in answers.values()]
    left.barh(names, seconds, color=COLOURS[0], height=0.62)
    left.set_xscale("log")
    known = [value for value in seconds if value < math.inf] or [1.0]
    left.set_xlim(min(known) / 3, max(known) * 4)
    for i, value in enumerate(seconds):
        if math.isnan(value):
            left.text(0.02, i, "diverged", transform=left.get_yaxis_transform(), va="center")
            continue
        text = f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
        left.text(value * 1.1, i, text, va="center", fontsize="small")
    left.xaxis.set_major_formatter("{x:g}")
    left.invert_yaxis()
    means = [Measured("", found["accuracies"]).mean for found in answers.values()]
    right.barh(names, means, color=COLOURS[1], height=0.62)
    for i, found in enumerate(answers.values()):
        chance = 100.0 / int(found["layers"].rpartition("-")[2])
        label = "chance" if i == 0 else None
        ends = ([chance, chance], [i - 0.31, i + 0.31])
        right.plot(*ends, color=COLOURS[4], linewidth=2.5, label=label)
        if not math.isnan(means[i]):
            right.text(means[i] + 1, i, f"{means[i]:.1f}", va="center", fontsize="small")
    right.set_xlim(0, 118)
    right.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), fontsize="small")
    for ax, label in ((left, "milliseconds an answer"), (right, "validation accuracy then (%)")):
        tidy(ax, label, "")
        ax.grid(False, axis="y")


def _draw_feedback(figure: "Figure", runs: Comparison) -> None:
    axes = figure.subplots(1, len(_ATTEMPTS), sharey=True)
    for i, (ax, (rate, l2)) in enumerate(zip(axes, _ATTEMPTS, strict=True)):
        known = [run for run in runs[_key(rate, l2)] if len(run.history)]
        for run in known:
            right = _N_VALIDATION * run.history["val_accuracy"]
            ax.plot(run.history["epoch"], right, color=COLOURS[0], linewidth=0.8, alpha=0.45)
        book = [float(value) for value in _ATTEMPTS[rate, l2]]
        ax.plot(range(1, len(book) + 1), book, "o--", color=COLOURS[1], label="the book", ms=4)
        if not known:
            ax.text(0.5, 0.5, "all diverge", transform=ax.transAxes, ha="center")
        ax.axhline(10, color="#808080", linewidth=0.8, zorder=0)
        ax.set_title(f"$\\eta$ = {rate:g}, $\\lambda$ = {l2:g}", fontsize="medium")
        tidy(ax, "epoch", "" if i else f"right of {_N_VALIDATION}")
        ax.set_xticks(range(1, 5))
        ax.set_xlim(0.8, 4.2)
        ax.set_ylim(0, 100)
        if i == 0:
            ax.legend(frameon=False, loc="upper left")


experiment = Experiment(
    name="quick-feedback",
    title="From a hopeless start to quick feedback",
    question="How does one find settings from which anything is learnt, and find them soon?",
    slides=(31,),
    measure=_measure,
    seconds=(1.0, 8.0),
    quotes=_QUOTES,
)
