"""Chapter 5: one to four hidden layers, and gradients that vanish."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nnlearn.data import Split
from nnlearn.experiments._claims import Claim
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab, best, without
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured, Quote
from nnlearn.experiments._result import Result
from nnlearn.experiments._words import mean_in_words
from nnlearn.history import History
from nnlearn.network import Network
from nnlearn.plotting._style import COLOURS, band_style, finish

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_Array = npt.NDArray[np.float64]

_BOOK = "book, chapter 5"
_ACCURACIES = ("96.48", "96.90", "96.57", "96.53")
_DRAW = "mean over 1,000 digits; scaled weights, full-batch steps, rate 0.1, lambda 5"
_START = {
    2: (".0657", ".3092"),
    3: (".0118", ".0600", ".2831"),
    4: (".0030", ".0171", ".0695", ".2851"),
}
_END = {
    2: (".00343", ".00963"),
    3: ("8.6e-5", "2.2e-4", "1.26e-3"),
    4: ("8.2e-6", "2.6e-5", "1.8e-4", "9.2e-4"),
}
_SPREAD = "such gradients differ by factors between draws of start weights"


def _quotes() -> dict[str, Quote]:
    found = {
        f"{depth} hidden": Quote(
            value,
            _BOOK,
            "validation; scaled weights, 30 epochs, batch 10, rate 0.1, lambda 5",
            "best",
            if_it_differs="the book's is one run",
        )
        for depth, value in enumerate(_ACCURACIES, 1)
    }
    for when, values in (("start", _START), ("end", _END)):
        for depth, sizes in values.items():
            for layer, value in enumerate(sizes, 1):
                found[f"{when} {depth} {layer}"] = Quote(
                    value, f"{_BOOK}, the figure's data", _DRAW, "one run", if_it_differs=_SPREAD
                )
    found["end ratio"] = Quote(
        "100",
        _BOOK,
        f"roughly so many times slower the first of four hidden layers; {_DRAW}, 500 steps",
        "one run",
        if_it_differs=_SPREAD,
    )
    exact = {"width": ".45", "at": "6.9"}
    for name, value in exact.items():
        found[name] = Quote(value, _BOOK, "a neuron of one input", "exact", of_data=False)
    return found


def _measure(lab: Lab) -> Result:
    epochs, steps = lab.pick((30, 500), (3, 60))
    runs = lab.compare(
        {f"{depth} hidden": {"hidden": (30,) * depth} for depth in range(1, 5)},
        without(lab.data, "test"),
        epochs=epochs,
        batch_size=10,
        learning_rate=0.1,
        l2=lab.l2(5.0),
    )
    accuracies = {name: best(group, "val_accuracy") for name, group in runs.items()}
    items = [(depth, seed) for depth in _START for seed in lab.seeds]
    rows = lab.data.train[:1_000]
    found = dict(zip(items, lab.each(lambda i: _speeds(lab, rows, *i, steps), items), strict=True))
    speeds = {depth: np.array([found[depth, seed] for seed in lab.seeds]) for depth in _START}
    measured = [
        Measured(f"{name}: best validation accuracy", values, "%", _QUOTES[name])
        for name, values in accuracies.items()
    ]
    measured += [*_lengths(speeds, steps), *_ratios(speeds, steps), *_neuron()]

    def layers(figure: "Figure") -> None:
        _draw(figure, speeds)

    return Result(
        {
            "networks": "784-30-...-10 with one to four hidden layers, sigmoid, cross-entropy, "
            "scaled weights",
            "training": f"{epochs} epochs, batch size 10, learning rate 0.1, lambda "
            f"{lab.l2(5.0):g}",
            "speed of learning": f"the length of the mean delta of each hidden layer over 1,000 "
            f"digits, along {steps} steps of all of them at once",
        },
        tuple(measured),
        tuple(
            Claim(
                f"with {depth} hidden layers the first learns more slowly than the last "
                "at the start: its mean delta is the smaller",
                tuple(np.log10(speeds[depth][:, 0, -1] / speeds[depth][:, 0, 0])),
                "powers of ten",
                _BOOK,
            )
            for depth in _START
        ),
        (
            Picture(
                "layers",
                "The length of each hidden layer's mean delta by step, on a logarithmic axis; mean "
                "of the logarithms over the seeds, and the band from lowest to highest.",
                layers,
                size=(8.8, 3.6),
            ),
        ),
        finding=_finding(accuracies, speeds),
        remarks=(
            "A hidden layer's delta is the next one's, times its weights and sigma'(z) <= 1/4: "
            "with start weights of about 1 in size over the units it shrinks from layer to layer. "
            "It grows only where |w sigma'(z)| > 1, which needs |w| > 1 / sigma'(0) = 4 and a z "
            "near 0: the rows on a neuron of one input say how near. There w = 100 makes it "
            "100 / 4 = 25 times as large, the book's example of gradients that explode.",
        ),
    )


def _finding(accuracies: Mapping[str, tuple[float, ...]], speeds: Mapping[int, _Array]) -> str:
    """The mean accuracies, and how many times faster the last hidden layer learns at first."""
    reached = "; ".join(
        f"{name}: {mean_in_words(Measured('', values))}" for name, values in accuracies.items()
    )
    times = "; ".join(
        f"{depth} hidden: {np.mean(own[:, 0, -1] / own[:, 0, 0]):.3g}"
        for depth, own in speeds.items()
    )
    return (
        f"Mean of the best validation accuracies: {reached}. At the start the last hidden layer's "
        f"mean delta is so many times the first's: {times}."
    )


def _lengths(speeds: dict[int, _Array], steps: int) -> list[Measured]:
    """The mean deltas at both ends, layer by layer."""
    said = {"start": "at the start", "end": f"after {steps} steps"}
    return [
        Measured(
            f"{depth} hidden layers, layer {layer}: mean delta, {said[when]}",
            tuple(speeds[depth][:, step, layer - 1]),
            "",
            _QUOTES[f"{when} {depth} {layer}"],
            digits=digits,
        )
        for when, step, digits in (("start", 0, 4), ("end", -1, 6))
        for depth in _START
        for layer in range(1, depth + 1)
    ]


def _ratios(speeds: Mapping[int, _Array], steps: int) -> list[Measured]:
    """How many times faster the last hidden layer learns than the first, at both ends."""
    return [
        Measured(
            f"{depth} hidden layers: the last one's mean delta for each of the first, {when}",
            tuple(own[:, step, -1] / own[:, step, 0]),
            "",
            _QUOTES["end ratio"] if (depth, step) == (4, -1) else None,
            digits=1,
        )
        for when, step in (("at the start", 0), (f"after {steps} steps", -1))
        for depth, own in speeds.items()
    ]


def _speeds(lab: Lab, rows: Split, depth: int, seed: int, steps: int) -> _Array:
    """The length of the mean delta of each hidden layer, at the start and after each step.

    NaN from where a network diverged.
    """
    net = Network([784, *[30] * depth, 10], seed=seed, n_threads=1)
    found: list[list[float]] = []

    def look(network: Network) -> None:
        deltas = network.inspect(rows.x, rows.y).delta[:-1]
        found.append([float(np.linalg.norm(delta.mean(axis=0))) for delta in deltas])

    def watch(network: Network, history: History) -> bool:
        look(network)
        return lab.halted(network, history)

    look(net)
    settings: dict[str, Any] = {
        "learning_rate": 0.1,
        "l2": 5.0,
        "batch_size": len(rows),
        "epochs": steps,
    }
    try:
        net.fit(rows, **settings, callbacks=watch, verbose=0)
    except FloatingPointError:
        found += [[math.nan] * depth] * (steps + 1 - len(found))
    return np.array(found)


def _neuron() -> list[Measured]:
    """A neuron a = sigma(w x + b): where |w sigma'| >= 1, by its weight.

    With s = sigma(z), w s (1 - s) >= 1 for s between the roots of s^2 - s + 1/w = 0; the width of
    that interval in x is the difference of their z, divided by w.
    """
    w = np.linspace(4.0, 40.0, 360_001)
    root = np.sqrt(1.0 - 4.0 / w) / 2.0
    low, high = 0.5 - root, 0.5 + root
    width = (np.log(high / (1.0 - high)) - np.log(low / (1.0 - low))) / w
    widest = int(width.argmax())
    values = (
        ("widest interval of inputs with |w sigma'| >= 1", float(width[widest]), "width"),
        ("weight with the widest interval", float(w[widest]), "at"),
    )
    return [Measured(what, (value,), "", _QUOTES[name], digits=3) for what, value, name in values]


def _draw(figure: "Figure", speeds: dict[int, _Array]) -> None:
    axes = figure.subplots(1, len(speeds), sharey=True)
    for ax, (depth, values) in zip(axes, speeds.items(), strict=True):
        known = np.isfinite(values).any(axis=(0, 2))
        step = np.flatnonzero(known)
        for layer in range(depth):
            own = values[:, known, layer]
            style = {"color": COLOURS[layer], "linewidth": 1.8}
            line = ("-", "--", "-.", ":")[layer]
            middle = np.exp(np.nanmean(np.log(own), axis=0))
            ax.plot(step, middle, linestyle=line, label=f"layer {layer + 1}", **style)
            low, high = np.nanmin(own, axis=0), np.nanmax(own, axis=0)
            ax.fill_between(step, low, high, **band_style(COLOURS[layer]))
        ax.set(yscale="log", title=f"{depth} hidden layers")
        finish(ax)
        ax.set_xlabel("step")
    axes[0].set_ylabel("length of the mean delta")
    axes[-1].legend(frameon=False, fontsize=8.5)


_QUOTES = _quotes()

experiment = Experiment(
    name="depth",
    title="Chapter 5: depth, and gradients that vanish",
    question="Do more hidden layers help, and how fast does each of them learn?",
    slides=(),
    measure=_measure,
    seconds=(2.0, 60.0),
    quotes=_QUOTES,
)
