"""Simard's 800 hidden units: no expansion, affine, elastic distortions on top."""

import math
from typing import TYPE_CHECKING, Any

from nnlearn.augment import Augmentation, Compose, Elastic, Rotate, Scale, Shift, Skew
from nnlearn.comparison import Comparison, Run
from nnlearn.data import Dataset
from nnlearn.experiments._claims import Claim
from nnlearn.experiments._divergence import plot_epochs
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, differences, last, stuck
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured, Quote
from nnlearn.experiments._result import Result
from nnlearn.plotting import plot_digits
from nnlearn.plotting._style import COLOURS
from nnlearn.schedules import Cosine
from nnlearn.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_UNITS = 800
_NONE, _AFFINE, _ELASTIC = "none", "affine", "affine and elastic"
_PARTS = (Shift(1), Rotate(10), Skew(0.1), Scale(0.1))
_CHANGES: dict[str, Augmentation | None] = {
    _NONE: None,
    _AFFINE: Compose(*_PARTS),
    _ELASTIC: Compose(*_PARTS, Elastic(36, 6)),
}
_PAPER = "Simard 2003, in the book, chapter 3"
_QUOTES = {
    name: Quote(value, _PAPER, "800 hidden units, test accuracy", "last")
    for name, value in zip(_CHANGES, ("98.4", "98.9", "99.3"), strict=True)
}
#: Digits in a row of the picture.
_SHOWN = 10


def _measure(lab: Lab) -> Result:
    if lab.data.test is None:
        raise ValueError("data must hold a test set")
    epochs, n_test = lab.pick(60, 6), len(lab.data.test)
    runs = _train(lab, epochs)
    accuracy = {name: last(group, "test_accuracy") for name, group in runs.items()}
    rows = tuple(
        Measured(f"{name}: test accuracy", accuracy[name], "%", _QUOTES[name], stuck(group))
        for name, group in runs.items()
    )
    claims = tuple(
        Claim(
            text,
            differences(accuracy[more], accuracy[less]),
            "percentage points",
            "slide 26",
            error=math.hypot(*(chance(accuracy[name][0], n_test) for name in (more, less))),
        )
        for text, more, less in (
            ("affine distortions raise the test accuracy", _AFFINE, _NONE),
            ("elastic ones raise it further", _ELASTIC, _AFFINE),
        )
    )
    return Result(
        {
            "network": f"784-{_UNITS}-10, ReLU and softmax, log-likelihood, start weights "
            "N(0, 2/n_in)",
            "training": f"{epochs} epochs on {len(lab.data.train):,} digits, batch size 50, "
            f"learning rate 0.05 falling by half a cosine, momentum 0.9, lambda {lab.l2(5.0):g}; "
            "the same for all three",
            **{
                f"{name}, new in every epoch": ", ".join(map(repr, change.parts))
                for name, change in _CHANGES.items()
                if isinstance(change, Compose)
            },
            "chosen by": "the validation accuracy of shorter runs",
        },
        rows,
        claims,
        (
            _accuracy_picture(runs, n_test, quoted=not lab.quick),
            _digits_picture(lab.data, lab.seeds[0]),
        ),
        (_table(runs, n_test, quoted=not lab.quick),),
        remarks=(
            "One run of each: the standard error of a difference is what the number of test digits "
            "leaves open, as if each had test digits of its own, and says nothing of the spread "
            "between start weights.",
            "The affine changes are shifts by up to 1 pixel, rotations by up to 10 degrees, skews "
            "and scalings by up to a tenth, all drawn anew for each digit in each epoch. The paper "
            "has sigmoid units and fields of alpha 34 and sigma 4 on 29 x 29 pixels; smoother ones "
            "of alpha 36 and sigma 6 did better on the validation set here, and are milder: their "
            "displacements have a standard deviation of "
            f"{_displacement(36, 6):.1f} pixels in place of {_displacement(34, 4):.1f}.",
        ),
    )


def _train(lab: Lab, epochs: int) -> Comparison:
    variants: dict[str, dict[str, Any]] = {
        name: {} if change is None else {"augment": change} for name, change in _CHANGES.items()
    }
    return lab.compare(
        variants,
        hidden=_UNITS,
        activation="relu",
        init="he",
        cost="log_likelihood",
        epochs=epochs,
        batch_size=50,
        learning_rate=0.05,
        momentum=0.9,
        l2=lab.l2(5.0),
        schedule=Cosine(epochs),
        evaluate_every=lab.pick(3, 1),
    )


def _displacement(alpha: float, sigma: float) -> float:
    """The standard deviation of `Elastic`'s displacements along an axis, in pixels."""
    return alpha / (math.sqrt(12.0 * math.pi) * sigma)


def chance(percent: float, n: int) -> float:
    """The standard error, in percentage points, that n test digits leave an accuracy in %."""
    share = percent / 100.0
    return 100.0 * math.sqrt(share * (1.0 - share) / n)


def _table(runs: Comparison, n_test: int, *, quoted: bool) -> Table:
    """Each run beside the quoted number, with what the test set's size leaves open."""

    def row(name: str, run: Run) -> tuple[Any, ...]:
        [test] = last([run], "test_accuracy")
        [validation] = last([run], "val_accuracy")
        [train] = last([run], "accuracy")
        number = _QUOTES[name].number
        found = (train, validation, test, chance(test, n_test), number, test - number)
        return (name, run.seed, *found, run.seconds)

    head = ["changes", "seed", "training, as changed (%)", "validation (%)", "test (%)"]
    head += ["standard error of the test set", "quoted (%)", "above it", "seconds of training"]
    body = [row(name, run) for name, group in runs.items() for run in group]
    title = f"Accuracy after the last epoch; {n_test:,} test digits"
    formats = dict.fromkeys(head[2:5], ".2f") | {"quoted (%)": ".1f", "above it": "+.2f"}
    formats |= {"standard error of the test set": ".2f", "seconds of training": ".0f"}
    table = Table(head, body, title, formats=formats)
    return table if quoted else table._without("quoted (%)", "above it")


# ---- pictures ------------------------------------------------------------------------------------


def _accuracy_picture(runs: Comparison, n_test: int, *, quoted: bool) -> Picture:
    def draw(figure: "Figure") -> None:
        left, right = figure.subplots(1, 2, width_ratios=(3, 2))
        plot_epochs(runs, "val_error", left)
        left.set_title("validation error")
        _draw_runs(right, runs, n_test, quoted=quoted)

    beside = ", beside the quoted number, a diamond" if quoted else ""
    return Picture(
        "accuracy",
        "Left: validation error by epoch. Right: test accuracy after the last epoch, a dot for "
        f"each run and the standard error that the test set's size leaves it{beside}.",
        draw,
        slides=(26,),
        size=(8.6, 3.6),
    )


def _draw_runs(ax: "Axes", runs: Comparison, n_test: int, *, quoted: bool) -> None:
    """A row for each kind of change: the runs, and the quoted number below them."""
    from matplotlib import rcParams

    for place, (name, group) in enumerate(runs.items()):
        known = [value for value in last(group, "test_accuracy") if math.isfinite(value)]
        errors = [chance(value, n_test) for value in known]
        colour = COLOURS[place]
        ax.errorbar(known, [place - 0.12] * len(known), xerr=errors, fmt="o", color=colour)
        if quoted:
            style = {"color": rcParams["text.color"], "fillstyle": "none"}
            ax.plot(_QUOTES[name].number, place + 0.14, "D", **style)
    ax.set_yticks(range(len(runs)), [name.replace(" and ", "\nand ") for name in runs])
    ax.set_ylim(len(runs) - 0.5, -0.5)
    ax.set_xlabel("test accuracy (%)")
    ax.locator_params(axis="x", nbins=5)
    ax.set_title("after the last epoch")
    ax.grid(True, axis="x", alpha=0.25, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.tick_params(axis="y", length=0)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.margins(x=0.12)


def _digits_picture(data: Dataset, seed: int) -> Picture:
    digits = data.train.x[:_SHOWN]
    shape = data.image_shape

    def draw(figure: "Figure") -> None:
        axes = figure.subplots(len(_CHANGES), 1)
        for ax, (name, change) in zip(axes, _CHANGES.items(), strict=True):
            images = digits if change is None else change(digits, seed=seed, shape=shape)
            plot_digits(images, ax=ax, columns=_SHOWN, shape=shape)
            ax.set_title("as they are" if change is None else name, fontsize="small")

    return Picture(
        "digits",
        f"The first {_SHOWN} training digits as the three networks see them in their first epoch.",
        draw,
        slides=(26,),
        size=(7.4, 3.3),
    )


experiment = Experiment(
    name="simard",
    title="800 hidden units with affine and elastic distortions",
    question="How much do affine and elastic distortions of the digits raise the test accuracy of "
    "800 hidden units?",
    slides=(26,),
    measure=_measure,
    seconds=(2.5, 180.0),
    quotes=_QUOTES,
    most_seeds=1,
)
