"""What the slides claim, each claim measured over the seeds in one picture."""

from typing import TYPE_CHECKING, Any

import numpy as np

from nnlearn.comparison import Comparison
from nnlearn.data import Dataset
from nnlearn.experiments._claims import HOLDS, Claim
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, at, differences, epochs_to, last, without
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._result import Result
from nnlearn.plotting._style import COLOURS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_POINTS = "percentage points"

#: A number for each seed.
Floats = tuple[float, ...]


def _measure(lab: Lab) -> Result:
    epochs = lab.pick(15, 4)
    small = lab.pick(1_000, 500)
    digits = without(lab.data, "test")
    main = lab.compare(_variants(lab), digits, epochs=epochs, batch_size=10, hidden=30)
    others = _others(lab, digits, epochs)
    claims = _claims(Comparison({**main, **others}))

    def strips(figure: "Figure") -> None:
        _draw(figure, claims)

    return Result(
        {
            "network": "784-30-10 of sigmoid units, cross-entropy, scaled start weights",
            "training": f"{epochs} epochs, batch size 10, lambda {lab.l2(5.0):g}",
            "learning rates": "0.1 for start weights, tanh and ReLU; 0.05 for momentum 0.9 and "
            "plain steps; 0.5 else",
            "bad start": "large weights, no penalty; rate 3 with the quadratic cost",
            "few digits": f"{small:,}, large start weights, {lab.pick(200, 40)} epochs",
        },
        claims=claims,
        pictures=(
            Picture(
                "strips",
                "Each claim's difference, a dot for each seed and a bar for the mean: to the right "
                "of the line at 0 the seed is for it. Blue: the claim holds.",
                strips,
                slides=(46,),
                size=(7.4, 0.62 * len(claims) + 0.3),
            ),
        ),
        remarks=(
            "What these numbers support is narrow: a direction, on these digits, for these small "
            "networks and settings, over these seeds. They do not say why. That saturation slows "
            "learning follows from the formulas and is seen in the deltas; that small weights "
            "generalise better because the network is simpler, or that dropout makes units more "
            "independent, are stories that agree with such numbers and are not shown by them. "
            "Another number of digits, size or rate can turn a direction round: L2 helps on few "
            "digits, and what it does on all of them is a line of its own here; the gain of "
            "momentum depends on the rate that it is compared with, so that it has two lines.",
            f"Where momentum does not come to that loss within {epochs} epochs, {epochs + 1} are "
            "counted.",
        ),
    )


def _others(lab: Lab, digits: Dataset, epochs: int) -> Comparison:
    """What is trained on other digits than the rest, or looked at otherwise."""
    tenth = len(lab.data.train) // 10
    fewer = lab.compare(
        {"a tenth": {"learning_rate": 0.5, "l2": lab.l2(5.0, tenth)}},
        digits.take(tenth),
        epochs=10 * epochs,  # as many steps
        evaluate_every=10,
        batch_size=10,
        hidden=30,
    )
    small = lab.pick(1_000, 500)
    few = lab.compare(
        {"free": {}, "l2": {"l2": lab.l2(5.0, small)}},
        without(lab.data, "validation").take(small),
        epochs=lab.pick(200, 40),
        batch_size=10,
        learning_rate=0.5,
        hidden=30,
        init="large",
        evaluate_train=True,
        evaluate_every=lab.pick(20, 10),
    )
    penalised = lab.compare(
        {"all, free": {}, "all, l2": {"l2": lab.l2(5.0)}},
        digits,
        epochs=epochs,
        batch_size=10,
        learning_rate=0.5,
        hidden=30,
        evaluate_train=True,
        evaluate_every=epochs,
    )
    return Comparison({**fewer, **few, **penalised})


def _variants(lab: Lab) -> dict[str, dict[str, Any]]:
    """The base, and for each claim the variant that it is about."""
    base: dict[str, Any] = {"learning_rate": 0.5, "l2": lab.l2(5.0)}
    slow = {**base, "learning_rate": 0.1}
    bad = {"init": "large", "l2": 0.0}
    return {
        "cross-entropy, bad start": {**base, **bad},
        "quadratic, bad start": {**base, **bad, "cost": "quadratic", "learning_rate": 3.0},
        "scaled": slow,
        "large": {**slow, "init": "large"},
        "plain": {**base, "learning_rate": 0.05},
        "momentum": {**base, "learning_rate": 0.05, "momentum": 0.9},
        "tanh": {**slow, "activation": "tanh"},
        "relu": {**slow, "activation": "relu"},
        "all digits": base,
    }


def _claims(runs: Comparison) -> tuple[Claim, ...]:
    def first(name: str) -> tuple[float, ...]:
        return at(runs[name], "val_accuracy", 1)

    def end(name: str, column: str = "val_accuracy") -> tuple[float, ...]:
        return last(runs[name], column)

    def gap(name: str) -> tuple[float, ...]:
        return differences(end(name, "train_accuracy"), end(name))

    few = end("l2", "test_accuracy"), end("free", "test_accuracy")
    compared: tuple[tuple[str, Floats, Floats, str], ...] = (
        (
            "from large weights cross-entropy starts faster than the quadratic cost",
            *(first("cross-entropy, bad start"), first("quadratic, bad start"), "slide 7"),
        ),
        ("on few digits L2 raises the test accuracy", *few, "book, chapter 3"),
        (
            "on all digits L2 raises the validation accuracy",
            *(end("all, l2"), end("all, free"), "slide 17"),
        ),
        (
            "on all digits L2 shrinks the gap from training to validation accuracy",
            *(gap("all, free"), gap("all, l2"), "book, chapter 3"),
        ),
        (
            "scaled start weights start higher than large ones",
            *(first("scaled"), first("large"), "slide 29"),
        ),
        (
            "ten times the digits, for as many steps, give a higher validation accuracy",
            *(end("all digits"), end("a tenth"), "slide 26"),
        ),
        ("tanh learns faster at first than sigmoid", first("tanh"), first("scaled"), "slide 42"),
        ("ReLU learns faster at first than sigmoid", first("relu"), first("scaled"), "slide 45"),
    )
    return (
        *(Claim(text, differences(a, b), _POINTS, source) for text, a, b, source in compared),
        *(_momentum(runs, name, how) for name, how in _PLAIN.items()),
    )


#: What momentum 0.9 is compared with.
_PLAIN = {"plain": "of its rate", "all digits": "of ten times its rate"}


def _momentum(runs: Comparison, name: str, how: str) -> Claim:
    """How many epochs fewer momentum needs to the loss that others end with."""
    ends = last(runs[name], "loss", 1.0)
    plain, fast = (epochs_to(runs[of], ends) for of in (name, "momentum"))
    text = f"momentum 0.9 reaches in fewer epochs the loss that plain steps {how} end with"
    return Claim(text, differences(plain, fast), "epochs", "slide 40", digits=1)


def _draw(figure: "Figure", claims: tuple[Claim, ...]) -> None:
    """A strip for each claim, each with a scale of its own."""
    from matplotlib import rcParams

    ink = rcParams["text.color"]
    for ax, claim in zip(figure.subplots(len(claims), 1), claims, strict=True):
        known = np.array([d for d in claim.differences if np.isfinite(d)])
        colour = COLOURS[0] if claim.word == HOLDS else COLOURS[1]
        ax.axvline(0, color=ink, linewidth=0.8)
        ax.plot(
            known, np.zeros(known.size), "o", color=colour, alpha=0.7, markersize=6, clip_on=False
        )
        if known.size:
            ax.plot([known.mean()] * 2, [-0.6, 0.6], color=colour, linewidth=2)
        low, high = min(0.0, *known, -0.05), max(0.0, *known, 0.05)
        ax.set(
            xlim=(low - 0.06 * (high - low), high + 0.06 * (high - low)), ylim=(-1, 1), yticks=[]
        )
        unit = "points" if claim.unit == _POINTS else claim.unit
        ax.set_title(f"{claim.text}: {claim.word} ({unit})", fontsize=8.5, loc="left", pad=2)
        ax.tick_params(labelsize=8)
        ax.spines[["top", "right", "left"]].set_visible(False)


experiment = Experiment(
    name="stories",
    title="On stories in neural networks: the claims, over the seeds",
    question="Which of the chapter's claims of direction hold in numbers?",
    slides=(46,),
    measure=_measure,
    seconds=(4.0, 60.0),
)
