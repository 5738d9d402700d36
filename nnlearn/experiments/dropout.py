"""Dropout: with and without, beside several networks averaged, and the lack of a unit."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nnlearn.comparison import Comparison
from nnlearn.data import Dataset
from nnlearn.ensemble import Ensemble
from nnlearn.experiments._bands import plot_band, plot_dots, tidy
from nnlearn.experiments._claims import Claim
from nnlearn.experiments._divergence import of_networks, plot_epochs
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, best, differences, last, stuck, without
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured, Quote
from nnlearn.experiments._result import Result
from nnlearn.layers import Dense, Dropout
from nnlearn.network import Network
from nnlearn.plotting import COLOURS
from nnlearn.plotting._style import ink
from nnlearn.robustness import knock_out
from nnlearn.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_SIZES = (30, 100)
_KINDS = {"without dropout": 0.0, "dropout, p 0.5": 0.5}
_WITHOUT, _WITH = _KINDS
#: The network of the picture, the steps it shows, and a seed in which they all differ.
_DRAWN, _STEPS, _SEED = (4, 8, 8, 3), 3, 1
#: Of the table of factors.
_SHARES, _UNITS = (0.2, 0.5, 0.8), 20_000

_WHY = "measured by Hinton et al. (2012) with other networks and settings"
_QUOTES = {
    "100 without dropout": Quote(
        "98.4", "book, chapter 3, after Hinton et al.", "test, a larger network", "best", _WHY
    ),
    "100 dropout, p 0.5": Quote(
        "98.7", "book, chapter 3, after Hinton et al.", "test, a larger network", "best", _WHY
    ),
}


def masks(sizes: Sequence[int], steps: int, seed: int, p: float = 0.5) -> list[list[Mask]]:
    """Which hidden units stay in a few steps of training: for each step an array for each layer.

    Found from the training itself, one sample a step: of a unit that is dropped nothing changes.
    """
    net = Network(list(sizes), dropout=p, seed=seed, n_threads=1)
    x, y = np.ones((1, sizes[0])), np.array([0])
    found = []
    for _ in range(steps):
        before = [array.copy() for array in net.biases[:-1]]
        net.fit(x, y, epochs=1, batch_size=1, learning_rate=1.0, verbose=0)
        pairs = zip(before, net.biases[:-1], strict=True)
        found.append([old != new for old, new in pairs])
    return found


def share_kept(p: float, seed: int = 0) -> float:
    """The share of units that stay in training, from the output of a linear network of them.

    All of its weights are 1 and its input is 1, so that the output is the number of units, or in
    training the number of those that stay, divided by 1 - p; the cost is half of its square.
    """
    net = Network(
        [1, Dense(_UNITS, activation="linear"), Dropout(p), Dense(1, activation="linear")],
        init="zeros",
        dtype="float64",
        n_threads=1,
    )
    for weights in net.weights:
        weights[...] = 1.0
    cost, _ = net.cost_and_gradient([[1.0]], [0.0], training=True, seed=seed)
    return float(np.sqrt(2.0 * cost) * (1.0 - p) / _UNITS)


def _measure(lab: Lab) -> Result:
    epochs = lab.pick(30, 5)
    variants: dict[str, dict[str, Any]] = {
        f"{units} {kind}": {"hidden": units, "dropout": p}
        for units in _SIZES
        for kind, p in _KINDS.items()
    }
    data = without(lab.data, "validation")
    runs = lab.compare(variants, data, learning_rate=0.5, batch_size=10, epochs=epochs)
    accuracy = {name: last(group, "test_accuracy") for name, group in runs.items()}
    together = {name: _together(group, data) for name, group in runs.items()}
    lost, curves = _knocked_out(lab, runs, data)
    parameters = [Network([784, 100, 10], dropout=p, seed=0).n_parameters for p in (0.0, 0.5)]
    return Result(
        {
            "networks": "784-30-10 and 784-100-10, sigmoid, cross-entropy, start weights "
            "N(0, 1/n_in)",
            "training": f"{epochs} epochs, batch size 10, learning rate 0.5, no penalty",
            "dropout": "of half of the hidden units, a new half for every digit in every step",
            "averaged": f"the mean output of the {len(lab.seeds)} networks of the seeds",
        },
        _rows(runs, accuracy, together, lost),
        _claims(accuracy, together, lost),
        (_curves(runs, accuracy, together, curves), _masks()),
        (_factors(),),
        (
            "The slide multiplies the weights by p at the end, p being the share dropped in "
            "training. The factor is the share kept, 1 - p: the two are the same for p = 0.5 "
            "alone. Here outputs of kept units are divided by 1 - p in training, and nothing is "
            "to be done afterwards.",
            "The slide says that dropout reduces the number of parameters. It does not: both "
            f"networks of 100 hidden units have {parameters[0]:,} and {parameters[1]:,}. It thins "
            "the network anew at each step.",
            *_best_single(accuracy, together),
        ),
    )


def _rows(
    runs: Comparison,
    accuracy: Mapping[str, tuple[float, ...]],
    together: Mapping[str, float],
    lost: Mapping[str, tuple[float, ...]],
) -> tuple[Measured, ...]:
    rows = []
    for name, group in runs.items():
        what = name.replace(" ", " hidden, ", 1)
        ended = sum(run.error is None for run in group)
        rows += [
            Measured(f"{what}: test accuracy", accuracy[name], stuck=stuck(group)),
            Measured(f"{what}: {ended} networks averaged", (together[name],)),
        ]
        if name in lost:
            missed = f"{what}: accuracy lost with the unit missed most"
            rows.append(Measured(missed, lost[name], "percentage points"))
        if name in _QUOTES:
            found, quote = best(group, "test_accuracy"), _QUOTES[name]
            rows.append(
                Measured(f"{what}: best test accuracy", found, quote=quote, stuck=stuck(group))
            )
    return tuple(rows)


def _claims(
    accuracy: Mapping[str, tuple[float, ...]],
    together: Mapping[str, float],
    lost: Mapping[str, tuple[float, ...]],
) -> tuple[Claim, ...]:
    thin, whole = (f"100 {kind}" for kind in (_WITH, _WITHOUT))
    return (
        *(
            Claim(
                f"with {units} hidden units dropout ends with a higher test accuracy",
                differences(accuracy[f"{units} {_WITH}"], accuracy[f"{units} {_WITHOUT}"]),
                "percentage points",
                "slide 24",
            )
            for units in _SIZES
        ),
        *(
            Claim(
                "several networks averaged do better than one of them does on average, "
                f"{units} hidden units without dropout",
                tuple(together[f"{units} {_WITHOUT}"] - a for a in accuracy[f"{units} {_WITHOUT}"]),
                "percentage points",
                "slide 24",
            )
            for units in _SIZES
        ),
        Claim(
            "trained with dropout, a network of 100 hidden units loses less by the lack of one",
            differences(lost[whole], lost[thin]),
            "percentage points",
            "slide 24",
        ),
    )


def _best_single(
    accuracy: Mapping[str, tuple[float, ...]], together: Mapping[str, float]
) -> tuple[str, ...]:
    """The networks averaged beside the best one of them."""
    said = []
    for name, values in accuracy.items():
        known = Measured("", values).known
        if len(known) > 1:
            gain = together[name] - max(known)
            said.append(f"{name.replace(' ', ' hidden, ', 1)}: {gain:+.2f}")
    if not said:
        return ()
    text = "Test accuracy of the networks averaged beside that of the best one of them, in points: "
    return (f"{text}{'; '.join(said)}.",)


def _together(group: Sequence[Any], data: Dataset) -> float:
    """The test accuracy in % of the runs' networks that answer by the mean of their outputs."""
    assert data.test is not None
    networks = [run.network for run in group if run.error is None]
    return 100.0 * Ensemble(networks).accuracy(data.test) if networks else float("nan")


def _knocked_out(
    lab: Lab, runs: Comparison, data: Dataset
) -> tuple[dict[str, tuple[float, ...]], dict[str, Floats]]:
    """By kind, 100 hidden: points lost with the unit missed most; all units' losses, sorted."""
    assert data.test is not None
    digits = data.test[: lab.pick(5_000, 500)]

    def losses(net: Network) -> Floats:
        found = knock_out(net, digits)
        return 100.0 * np.sort(found.baseline - found.accuracies[0])[::-1]

    names = [f"100 {kind}" for kind in _KINDS]
    curves = {name: of_networks(lab, runs[name], losses, (100,)) for name in names}
    return {name: tuple(curve[:, 0]) for name, curve in curves.items()}, curves


def _factors() -> Table:
    """What outputs are to be multiplied by where nothing is divided in training."""
    body = [(p, share_kept(p), 1.0 - p, p) for p in _SHARES]
    head = ["p dropped", "share kept in a step", "factor 1 - p", "the slide's factor p"]
    formats = {"share kept in a step": ".3f", **dict.fromkeys((head[0], *head[2:]), ".1f")}
    title = f"Dropout of {_UNITS:,} units in one step, and the factor that makes up for it"
    return Table(head, body, title, formats=formats)


# ---- pictures ------------------------------------------------------------------------------------


def _curves(
    runs: Comparison,
    accuracy: Mapping[str, tuple[float, ...]],
    together: Mapping[str, float],
    lost: Mapping[str, Floats],
) -> Picture:
    def draw(figure: "Figure") -> None:
        (first, second), (dots, units) = figure.subplots(2, 2)
        for ax, size in ((first, 30), (second, 100)):
            shown = {kind: runs[f"{size} {kind}"] for kind in _KINDS}
            plot_epochs(Comparison(shown), "test_error", ax)
            ax.set_title(f"784-{size}-10")
        groups: dict[str, tuple[float, ...]] = {}
        for name, values in accuracy.items():
            hidden, kind = name.split(" ", 1)
            short = "dropout" if kind == _WITH else "without"
            groups[f"{hidden}, {short}"] = values
        plot_dots(dots, groups, "test accuracy (%)")
        label = f"{len(next(iter(accuracy.values())))} networks averaged"
        rows = range(len(together))
        dots.plot(list(together.values()), rows, "D", color=ink(), fillstyle="none", label=label)
        dots.legend(frameon=False, fontsize="small", loc="lower center", bbox_to_anchor=(0.5, 1.0))
        for i, kind in enumerate(_KINDS):
            points = lost[f"100 {kind}"]
            ranks = np.arange(1, points.shape[1] + 1)
            plot_band(units, ranks, points, i, kind, marker=None, linestyle=("-", "--")[i])
        tidy(units, "hidden units, the one missed most first", "accuracy lost without it (points)")
        if units.get_lines():
            units.legend(frameon=False, fontsize="small", title="784-100-10")

    return Picture(
        "dropout",
        "Above: test error by epoch with and without dropout. Below: each network (dots, their "
        "mean as a bar) beside the average of all of them (diamonds), and the accuracy lost when "
        "one hidden unit is left out.",
        draw,
        slides=(24,),
        size=(8.6, 6.8),
    )


def _masks() -> Picture:
    def draw(figure: "Figure") -> None:
        whole = [np.ones(size, bool) for size in _DRAWN[1:-1]]
        steps = [whole, *masks(_DRAWN, _STEPS, _SEED)]
        for k, (ax, kept) in enumerate(zip(figure.subplots(1, 1 + _STEPS), steps, strict=True)):
            ends = (np.ones(_DRAWN[0], bool), np.ones(_DRAWN[-1], bool))
            _network(ax, [ends[0], *kept, ends[1]])
            ax.set_title(f"step {k}" if k else "all units")

    return Picture(
        "masks",
        f"A network {'-'.join(map(str, _DRAWN))} and the part of it that is trained in each of "
        "its first steps, inputs on the left: the units dropped are dotted, and their weights "
        "are not used.",
        draw,
        slides=(25,),
        size=(8.8, 2.7),
    )


def _network(ax: "Axes", layers: Sequence[Mask]) -> None:
    """A network as circles and lines: dropped units dotted, without lines."""
    from matplotlib.collections import LineCollection
    from matplotlib.patches import Circle

    places = [
        [(float(column), height) for height in np.arange(len(kept)) - (len(kept) - 1) / 2]
        for column, kept in enumerate(layers)
    ]
    places = [[(2.6 * x, float(y)) for x, y in column] for column in places]
    lines = [
        (a, b)
        for i in range(len(layers) - 1)
        for a, here in zip(places[i], layers[i], strict=True)
        for b, there in zip(places[i + 1], layers[i + 1], strict=True)
        if here and there
    ]
    ax.add_collection(LineCollection(lines, colors=COLOURS[0], linewidths=0.7, alpha=0.75))
    for column, kept in zip(places, layers, strict=True):
        for place, stays in zip(column, kept, strict=True):
            look = (
                {"facecolor": COLOURS[4], "edgecolor": ink(), "linewidth": 1.0}
                if stays
                else {"fill": False, "edgecolor": "#808080", "linestyle": ":", "linewidth": 1.2}
            )
            ax.add_patch(Circle(place, 0.34, zorder=3, **look))
    tallest = max(len(kept) for kept in layers)
    ax.set_xlim(-0.7, 2.6 * (len(layers) - 1) + 0.7)
    ax.set_ylim(-tallest / 2 - 0.1, tallest / 2 + 0.1)
    ax.set_aspect("equal")
    ax.set_axis_off()


experiment = Experiment(
    name="dropout",
    title="Dropout",
    question="Does dropout raise the test accuracy, and how does it compare with the average of "
    "several networks?",
    slides=(24, 25),
    measure=_measure,
    seconds=(1.0, 40.0),
    quotes=_QUOTES,
)
