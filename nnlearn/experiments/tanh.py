"""The tanh neuron: its range, its derivative, and the signs of a unit's gradients."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nnlearn.comparison import Comparison, Run
from nnlearn.data import Dataset, Split
from nnlearn.experiments._claims import Claim
from nnlearn.experiments._divergence import plot_epochs
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, at, differences, last, without
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured, Quote
from nnlearn.experiments._result import Result
from nnlearn.layers import Dense
from nnlearn.network import Network
from nnlearn.plotting._style import COLOURS, finish, line_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_Array = npt.NDArray[np.float64]
#: By the networks' name: the shares of the seeds in %, of single samples and of batches.
_Shares = dict[str, tuple[tuple[float, ...], tuple[float, ...]]]

_SIZES = (30, 100)
_POINTS = "percentage points"
#: Samples whose gradients are looked at, and the size of their batches.
_SAMPLES, _BATCH = 1000, 10
#: Both end about equally well where their accuracies, in %, are nearer to each other than this.
_SIMILAR = 0.5

_BOOK = "book, chapter 6, of convolutional networks"
_QUOTES = {
    "1.66": Quote(
        "1.66", "slide 42", "|z| up to which tanh' is the larger", "exact", of_data=False
    ),
}


def sigmoid(z: npt.ArrayLike) -> _Array:
    """``1 / (1 + exp(-z))``."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.asarray(z, np.float64))))


def crossing() -> float:
    """The z > 0 at which tanh' and sigma' are equal, by bisection.

    ::

        tanh'(z) = 1 - tanh(z)^2        sigma'(z) = sigma(z) (1 - sigma(z))
    """
    low, high = 1.0, 3.0
    while high - low > 1e-12:
        z = 0.5 * (low + high)
        a = float(sigmoid(z))
        low, high = (z, high) if 1.0 - np.tanh(z) ** 2 > a * (1.0 - a) else (low, z)
    return 0.5 * (low + high)


@dataclass(frozen=True)
class Signs:
    """The share of units all of whose weights' gradients have one sign, in %."""

    sample: float
    batch: float


def equal_signs(network: Network, x: _Array, y: npt.NDArray[np.int64]) -> Signs:
    """Of the output units of a network with one hidden layer: for each sample, and each batch.

    A gradient that is 0 has either sign.
    """
    seen = network.inspect(x, y)
    gradients = seen.gradient(1).astype(np.float64)
    n = len(gradients) // _BATCH * _BATCH
    batches = gradients[:n].reshape(-1, _BATCH, *gradients.shape[1:]).mean(axis=1)
    return Signs(*(100.0 * float(_one_sign(g).mean()) for g in (gradients, batches)))


def _one_sign(gradients: _Array) -> npt.NDArray[np.bool_]:
    """Whether the gradients (n, weights, units) of a unit are all >= 0 or all <= 0."""
    return np.asarray((gradients >= 0).all(axis=1) | (gradients <= 0).all(axis=1))


def _measure(lab: Lab) -> Result:
    epochs = lab.pick(20, 4)
    l2 = lab.l2(5.0)
    variants = {
        f"{units} {name}": {"hidden": units, "activation": name}
        for units in _SIZES
        for name in ("sigmoid", "tanh")
    }
    common: dict[str, Any] = {"learning_rate": 0.1, "batch_size": 10, "l2": l2}
    digits = without(lab.data, "test")
    curves = lab.compare(variants, digits, epochs=epochs, **common)
    ranges = _ranges(lab, lab.pick(10, 4))
    signs = _signs(lab, curves)
    return Result(
        {
            "hidden layer": "30 units (100 where said), tanh or sigmoid, scaled weights",
            "curves": f"{epochs} epochs, batch size 10, learning rate 0.1, lambda {l2:g}, "
            "cross-entropy over sigmoid outputs",
            "ranges": "quadratic cost; tanh outputs with targets -1 and +1, learning rate 0.05, or "
            "sigmoid outputs with targets 0 and 1, rate 1; inputs from 0 to 1, or normalised to "
            "mean 0 and standard deviation 1 over all pixels, rates divided by 10",
            "signs": f"the 784-30-10 networks, on {_SAMPLES} training digits",
        },
        _rows(signs),
        tuple(claim for units in _SIZES for claim in _claims(curves, units)),
        _pictures(ranges, curves, signs),
        remarks=(
            "Slide 43 says that a unit behind sigmoid units can only raise all its weights or "
            "lower all. So it is for ONE sample, whose gradients are the unit's delta times "
            "activations above 0. A step is made for a batch, whose samples differ in the sign of "
            "delta: there they may go both ways, and the rows say for how many units they do not.",
            "The book's chapter 6 speaks of convolutional networks; these have one hidden layer.",
        ),
    )


def _rows(signs: _Shares) -> tuple[Measured, ...]:
    rows = [
        Measured("z at which tanh' and sigma' are equal", (crossing(),), "", _QUOTES["1.66"]),
        Measured(
            "largest |tanh(z) - (2 sigma(2z) - 1)|, in units of 1e-15",
            (1e15 * _identity(),),
            "",
            digits=1,
        ),
    ]
    for name, (sample, batch) in signs.items():
        rows += [
            Measured(f"{name}: output units with gradients of one sign, a sample", sample),
            Measured(f"{name}: the same, batches of {_BATCH}", batch),
        ]
    return tuple(rows)


def _claims(curves: Comparison, units: int) -> tuple[Claim, ...]:
    slow, fast = curves[f"{units} sigmoid"], curves[f"{units} tanh"]
    end = differences(last(fast, "val_accuracy"), last(slow, "val_accuracy"))
    return (
        Claim(
            f"with {units} hidden units tanh has the lower cost over the first epoch",
            differences(at(slow, "loss", 1, 1.0), at(fast, "loss", 1, 1.0)),
            "",
            f"slide 42; {_BOOK}",
        ),
        Claim(
            f"with {units} hidden units tanh has the higher accuracy after the first epoch",
            differences(at(fast, "val_accuracy", 1), at(slow, "val_accuracy", 1)),
            _POINTS,
            f"slide 42; {_BOOK}",
        ),
        Claim(
            f"with {units} hidden units both end within {_SIMILAR:g} {_POINTS} of each other",
            tuple(_SIMILAR - abs(d) for d in end),
            _POINTS,
            f"{_BOOK}: 'very similar'",
        ),
    )


def _identity() -> float:
    z = np.linspace(-20.0, 20.0, 4001)
    return float(np.abs(np.tanh(z) - (2.0 * sigmoid(2.0 * z) - 1.0)).max())


def _ranges(lab: Lab, epochs: int) -> Comparison:
    """Digits with targets -1 and +1, or 0 and 1, and inputs normalised or not."""
    found: dict[str, Sequence[Run]] = {}
    plain = without(lab.data, "test")
    mean, sd = float(plain.train.x.mean()), float(plain.train.x.std())
    for inputs, share in (("pixels from 0 to 1", 1.0), ("normalised pixels", 0.1)):
        shift, scale = (0.0, 1.0) if share == 1.0 else (mean, sd)
        for name, low, rate in (("tanh", -1.0, 0.05), ("sigmoid", 0.0, 1.0)):
            data = Dataset(*(_with_targets(s, low, shift, scale) for s in _sets(plain)))
            layers = [data.train.x.shape[1], 30, Dense(10, activation=name)]
            variant = {
                f"{name}, targets {low:g} and 1, {inputs}": {
                    "layers": layers,
                    "activation": name,
                    "cost": "quadratic",
                    "learning_rate": rate * share,
                }
            }
            found.update(lab.compare(variant, data, epochs=epochs, batch_size=10))
    return Comparison(found)


def _sets(data: Dataset) -> list[Split]:
    return [split for split in (data.train, data.validation) if split is not None]


def _with_targets(split: Split, low: float, shift: float, scale: float) -> Split:
    """The samples with inputs (x - shift) / scale and a target for each class, `low` or 1."""
    targets = np.full((len(split), 10), low, np.float32)
    targets[np.arange(len(split)), split.y] = 1.0
    x = (
        split.x
        if (shift, scale) == (0.0, 1.0)
        else (split.x - np.float32(shift)) / np.float32(scale)
    )
    return Split(x, targets)


def _signs(lab: Lab, curves: Comparison) -> _Shares:
    """For untrained and trained networks the shares of each seed, in %, a sample and a batch.

    NaN where training diverged.
    """
    x, y = lab.data.train.x[:_SAMPLES], lab.data.train.y[:_SAMPLES]
    found = {}
    lost = Signs(math.nan, math.nan)
    for name in ("sigmoid", "tanh"):
        runs = curves[f"30 {name}"]
        for what, shares in (
            ("untrained", [equal_signs(run.network.copy().reset(), x, y) for run in runs]),
            ("trained", [lost if run.error else equal_signs(run.network, x, y) for run in runs]),
        ):
            found[f"{name}, {what}"] = (
                tuple(share.sample for share in shares),
                tuple(share.batch for share in shares),
            )
    return found


# ---- pictures ------------------------------------------------------------------------------------


def _pictures(ranges: Comparison, curves: Comparison, signs: _Shares) -> tuple[Picture, ...]:
    def draw_ranges(figure: "Figure") -> None:
        _draw_ranges(figure, ranges)

    def draw_speed(figure: "Figure") -> None:
        _draw_speed(figure, curves)

    def draw_signs(figure: "Figure") -> None:
        _draw_signs(figure, signs)

    return (
        Picture(
            "range",
            "tanh is a sigmoid stretched to outputs from -1 to 1, so targets are -1 and +1. "
            "Right: digits learnt that way, with pixels from 0 to 1 and normalised. The losses "
            "of the two ranges do not compare: distances are twice as long.",
            draw_ranges,
            slides=(41,),
            size=(9.0, 3.9),
        ),
        Picture(
            "speed",
            f"tanh' is four times sigma' at 0, and the larger up to |z| = {crossing():.2f}. Right: "
            "validation error by epoch, mean over the seeds and the band from lowest to "
            "highest.",
            draw_speed,
            slides=(42,),
            size=(9.0, 3.4),
        ),
        Picture(
            "signs",
            "Behind sigmoid units all weights of a unit must rise together or fall together "
            "for each sample; behind tanh units they need not.",
            draw_signs,
            slides=(43,),
            size=(7.0, 3.6),
        ),
    )


def _draw_ranges(figure: "Figure", ranges: Comparison) -> None:
    ax, losses, errors = figure.subplots(1, 3)
    z = np.linspace(-4, 4, 161)
    ax.plot(z, np.tanh(z), label="tanh(z)", **line_style(0, z.size))
    ax.plot(z, sigmoid(z), label=r"$\sigma$(z)", **line_style(1, z.size))
    dots = np.linspace(-4, 4, 17)
    stretched = 2 * sigmoid(2 * dots) - 1
    ax.plot(dots, stretched, "o", ms=4, color=COLOURS[2], label=r"2$\sigma$(2z) - 1")
    _dress(ax, "z", "output")
    ax.legend(frameon=False, fontsize="small")
    for each, column in ((losses, "loss"), (errors, "val_error")):
        if plot_epochs(ranges, column, each):
            each.get_legend().remove()
    losses.set_ylabel("training loss (quadratic)")
    handles, labels = losses.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)


def _draw_speed(figure: "Figure", curves: Comparison) -> None:
    ax, *others = figure.subplots(1, 1 + len(_SIZES))
    _draw_slopes(ax)
    for units, other in zip(_SIZES, others, strict=True):
        other.set_title(f"784-{units}-10")
        shown = {name: curves[f"{units} {name}"] for name in ("sigmoid", "tanh")}
        if plot_epochs(Comparison(shown), "val_error", other):
            other.get_legend().set_title("")


def _draw_signs(figure: "Figure", signs: _Shares) -> None:
    ax = figure.subplots()
    places = np.arange(len(signs))
    for k, what in enumerate(("each sample alone", f"batches of {_BATCH}")):
        known = [[v for v in values[k] if math.isfinite(v)] for values in signs.values()]
        bars = ax.bar(
            places + 0.4 * (k - 0.5),
            [float(np.mean(values)) if values else 0.0 for values in known],
            0.36,
            color=COLOURS[k],
            hatch=("", "//")[k],
            edgecolor="#808080",
            label=what,
        )
        ax.bar_label(
            bars,
            [f"{bar.get_height():.0f}" if v else "" for bar, v in zip(bars, known, strict=True)],
        )
    ax.set_xticks(places, [name.replace(", ", "\n") for name in signs])
    _dress(ax, "", "output units whose weights'\ngradients have one sign (%)")
    ax.set_ylim(0, 115)
    ax.legend(frameon=False, ncols=2, loc="upper right")


def _draw_slopes(ax: "Axes") -> None:
    z = np.linspace(-4, 4, 161)
    a = sigmoid(z)
    ax.plot(z, a * (1 - a), label=r"$\sigma$'(z)", **line_style(0, z.size))
    ax.plot(z, 1 - np.tanh(z) ** 2, label="tanh'(z)", **line_style(1, z.size) | {"linestyle": "--"})
    edge = crossing()
    for place in (-edge, edge):
        ax.axvline(place, color="#808080", linewidth=1, linestyle=":")
    ax.text(edge + 0.15, 0.75, f"|z| = {edge:.2f}", fontsize="small")
    _dress(ax, "z", "derivative")
    ax.legend(frameon=False, fontsize="small", loc="upper left")


def _dress(ax: "Axes", x: str, y: str) -> None:
    from matplotlib.ticker import AutoLocator

    ticks = ax.xaxis.get_major_locator()
    finish(ax)
    ax.xaxis.set_major_locator(ticks if not x else AutoLocator())
    ax.set_xlabel(x)
    ax.set_ylabel(y)


experiment = Experiment(
    name="tanh",
    title="The tanh neuron",
    question="What does tanh change: targets and inputs, speed, the signs of gradients?",
    slides=(41, 42, 43),
    measure=_measure,
    seconds=(2.5, 40.0),
    quotes=_QUOTES,
)
