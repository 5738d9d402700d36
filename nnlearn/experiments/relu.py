"""The rectified linear unit beside the sigmoid: dead units, saturated ones, curves."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nnlearn.callbacks import Callback
from nnlearn.comparison import Comparison
from nnlearn.experiments._bands import plot_band
from nnlearn.experiments._claims import Claim
from nnlearn.experiments._divergence import plot_epochs
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, at, differences, epochs_to, last, without
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured, Quote
from nnlearn.experiments._result import Result
from nnlearn.history import History
from nnlearn.layers import Dense
from nnlearn.network import Network
from nnlearn.plotting._style import finish, line_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SIZES = (30, 100)
_NAMES = ("sigmoid", "relu")
_SAMPLES = 1000

_QUOTES = {
    f"{units} speed-up": Quote(
        "3",
        "book, chapter 6",
        f'{units} hidden; the lower end of "a factor of 3-5"',
        "last",
        why_not="said of convolutional networks, as a range: see the ratio here",
    )
    for units in _SIZES
}

_Array = npt.NDArray[np.float64]
_Key = tuple[str, int, int]


def dead(network: Network, x: npt.NDArray[np.float32], y: npt.NDArray[np.int64]) -> float:
    """The share of units of the first hidden layer, in %, that no sample brings above z = 0."""
    z = network.inspect(x, y).z[0]
    return 100.0 * float((z <= 0).all(axis=0).mean())


def saturated(network: Network, x: npt.NDArray[np.float32], y: npt.NDArray[np.int64]) -> float:
    """The share of outputs of the first hidden layer, in %, below 0.01 or above 0.99."""
    return 100.0 * float(network.inspect(x, y).saturated[0].mean())


class _Watch(Callback):
    """Keeps the share of dead or saturated units of every network, before and after each epoch."""

    def __init__(self, x: npt.NDArray[np.float32], y: npt.NDArray[np.int64]) -> None:
        self._samples = x, y
        self.shares: dict[_Key, list[float]] = {}

    def on_fit_begin(self, net: Network, history: History) -> None:
        """The share before training."""
        self.shares[_key(net)] = []
        self.on_epoch_end(net, history)

    def on_epoch_end(self, net: Network, history: History) -> None:
        """The share after an epoch."""
        look = dead if _key(net)[0] == "relu" else saturated
        self.shares[_key(net)].append(look(net, *self._samples))

    def of(self, name: str, units: int, seeds: tuple[int, ...]) -> npt.NDArray[np.float64]:
        """The shares of all seeds, (seeds, epochs + 1); NaN from where one diverged."""
        rows = [self.shares[name, units, seed] for seed in seeds]
        longest = max(map(len, rows))
        return np.array([row + [math.nan] * (longest - len(row)) for row in rows])


def _key(net: Network) -> _Key:
    first = net.layers[0]
    assert isinstance(first, Dense)
    return str(first.activation), first.n, net.seed


def _measure(lab: Lab) -> Result:
    epochs = lab.pick(30, 5)
    l2 = lab.l2(5.0)
    watch = _Watch(lab.data.train.x[:_SAMPLES], lab.data.train.y[:_SAMPLES])
    variants = {
        f"{units} {name}": {"hidden": units, "activation": name}
        for units in _SIZES
        for name in _NAMES
    }
    runs = lab.compare(
        variants,
        without(lab.data, "test"),
        epochs=epochs,
        batch_size=10,
        learning_rate=0.1,
        l2=l2,
        callbacks=[watch],
    )
    found = [_of_size(runs, units) for units in _SIZES]
    shares = {
        (name, units): watch.of(name, units, lab.seeds) for name in _NAMES for units in _SIZES
    }

    return Result(
        {
            "networks": "784-30-10 and 784-100-10, hidden units sigmoid or ReLU, cross-entropy "
            "over sigmoid outputs, scaled weights",
            "training": f"{epochs} epochs, batch size 10, learning rate 0.1 for both, "
            f"lambda {l2:g}",
            "dead": f"z <= 0 for all of {_SAMPLES} training digits",
            "saturated": f"outputs below 0.01 or above 0.99, over units and {_SAMPLES} digits",
        },
        tuple(
            row
            for (rows, _), units in zip(found, _SIZES, strict=True)
            for row in (*rows, *_end_rows(runs, shares, units))
        ),
        tuple(claim for _, claims in found for claim in claims),
        _pictures(runs, shares),
        remarks=(
            "A ReLU unit does not saturate for large z, but below 0 its derivative is 0: where "
            "that is so for every sample, it learns nothing any more.",
            "A few dead units weigh more among 30 than among 100. A faster start is not a lower "
            "end: the ratio of epochs is taken at the loss with which sigmoid ends. Where ReLU "
            f"does not come to it within {epochs} epochs, {epochs + 1} are counted.",
            "The slides' curves are lost, their captions say only n = 30 and n = 100; that they "
            "showed cost or accuracy by epoch is inferred.",
        ),
    )


def _of_size(runs: Comparison, units: int) -> tuple[list[Measured], list[Claim]]:
    """Accuracies and epochs of both networks of a size, and what is claimed of them."""
    slow, fast = (runs[f"{units} {name}"] for name in _NAMES)
    ends = last(slow, "loss", 1.0)
    needed = epochs_to(slow, ends), epochs_to(fast, ends)
    ratio = tuple(a / b for a, b in zip(*needed, strict=True))
    rows = [
        Measured(f"{units} hidden, {name}: last validation accuracy", last(group, "val_accuracy"))
        for name, group in (("sigmoid", slow), ("ReLU", fast))
    ]
    rows.append(
        Measured(
            f"{units} hidden: epochs of sigmoid for each of ReLU, to sigmoid's last training loss",
            ratio,
            "",
            _QUOTES[f"{units} speed-up"],
        )
    )
    claims = [
        Claim(
            f"with {units} hidden units ReLU has the higher accuracy after the first epoch",
            differences(at(fast, "val_accuracy", 1), at(slow, "val_accuracy", 1)),
            "percentage points",
            "slide 45",
        ),
        Claim(
            f"with {units} hidden units ReLU needs at most a third of sigmoid's epochs",
            tuple(value - 3.0 for value in ratio),
            "",
            'book, chapter 6: "a factor of 3-5"',
        ),
    ]
    return rows, claims


def _end_rows(
    runs: Comparison, shares: Mapping[tuple[str, int], _Array], units: int
) -> list[Measured]:
    """The dead or saturated share of each seed as training ended; NaN where it diverged."""
    rows = []
    for name, what in (("relu", "dead ReLU units"), ("sigmoid", "saturated sigmoid outputs")):
        ends = tuple(
            math.nan if run.error else float(share)
            for run, share in zip(runs[f"{units} {name}"], shares[name, units][:, -1], strict=True)
        )
        rows.append(Measured(f"{units} hidden: {what} at the end", ends))
    return rows


# ---- pictures ------------------------------------------------------------------------------------


def _pictures(
    runs: Comparison, shares: Mapping[tuple[str, int], _Array]
) -> tuple[Picture, Picture]:
    def draw_units(figure: "Figure") -> None:
        _draw_units(figure, shares)

    def draw_curves(figure: "Figure") -> None:
        _draw_curves(figure, runs)

    return (
        Picture(
            "units",
            "Above: both functions and their derivatives. Below, by epoch: the ReLU units that "
            "no digit moves any more, and the sigmoid outputs that are saturated.",
            draw_units,
            slides=(44,),
            size=(8.0, 5.6),
        ),
        Picture(
            "curves",
            "Training loss and validation error by epoch with the same learning rate, mean "
            "over the seeds and the band from lowest to highest.",
            draw_curves,
            slides=(45,),
            size=(8.0, 5.6),
        ),
    )


def _draw_units(figure: "Figure", shares: Mapping[tuple[str, int], _Array]) -> None:
    values, slopes, gone, full = figure.subplots(2, 2).ravel()
    _draw_functions(values, slopes)
    for ax, name in ((gone, "relu"), (full, "sigmoid")):
        for index, units in enumerate(_SIZES):
            own = shares[name, units]
            plot_band(ax, np.arange(own.shape[1]), own, index + 2, f"{units} hidden")
        finish(ax)
        ax.legend(frameon=False)
        ax.set_ylim(bottom=0, top=max(ax.get_ylim()[1], 5.0))
    gone.set_ylabel("dead ReLU units (%)")
    full.set_ylabel("saturated sigmoid outputs (%)")


def _draw_curves(figure: "Figure", runs: Comparison) -> None:
    axes = figure.subplots(2, 2, sharex=True, sharey="row")
    for units, column in zip(_SIZES, axes.T, strict=True):
        words = zip(("sigmoid", "ReLU"), _NAMES, strict=True)
        shown = Comparison({word: runs[f"{units} {name}"] for word, name in words})
        column[0].set_title(f"784-{units}-10")
        for ax, what in zip(column, ("loss", "val_error"), strict=True):
            if plot_epochs(shown, what, ax):
                ax.get_legend().remove()
                ax.label_outer()
    axes[0, 0].set_ylabel("training loss")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2, frameon=False)


def _draw_functions(values: "Axes", slopes: "Axes") -> None:
    from matplotlib.ticker import AutoLocator

    z = np.linspace(-4, 4, 401)
    a = 1 / (1 + np.exp(-z))
    blue, red = line_style(0, z.size), line_style(1, z.size) | {"linestyle": "--"}
    values.plot(z, a, label=r"$\sigma$(z)", **blue)
    values.plot(z, np.maximum(z, 0), label="max(0, z)", **red)
    slopes.plot(z, a * (1 - a), label=r"$\sigma$'(z)", **blue)
    slopes.plot(z, np.where(z > 0, 1.0, 0.0), label="1 for z > 0, else 0", **red)
    for ax, what in ((values, "output"), (slopes, "derivative")):
        finish(ax)
        ax.xaxis.set_major_locator(AutoLocator())
        ax.set_xlabel("z")
        ax.set_ylabel(what)
    values.legend(frameon=False)
    slopes.legend(frameon=False, loc="center left")


experiment = Experiment(
    name="relu",
    title="Rectified linear units",
    question="Do rectified linear units learn faster than sigmoids, and do they die?",
    slides=(44, 45),
    measure=_measure,
    seconds=(2.0, 50.0),
    quotes=_QUOTES,
)
