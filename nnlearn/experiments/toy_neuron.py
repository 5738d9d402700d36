"""The toy neuron: one sigmoid unit that is to unlearn a wrong answer, by either cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nnlearn import _toy_neuron as neuron
from nnlearn.experiments._claims import Claim
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import Lab
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Measured, Quote
from nnlearn.experiments._result import Result
from nnlearn.plotting._style import COLOURS, finish

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_Array = npt.NDArray[np.float64]

_EPOCHS = 300
_LATER = (0, 50, 100, 150, 200, 250, 300)
_QUADRATIC, _CROSS_ENTROPY = neuron.COSTS
_REPLAY = "replay of the book's settings, computed independently"
_BOOK = "book, chapter 3"
#: Where the book sees learning begin, from the bad start, and the part of its way that is asked.
_SLOW, _PART = 150, 0.1


@dataclass(frozen=True)
class _Case:
    """A run of the neuron, and what is known of it."""

    cost: str
    start: tuple[float, float]
    rate: float
    outputs: tuple[str, ...]  # at the epochs of _LATER
    w: str
    b: str
    loss: str
    by_book: bool = False

    @property
    def name(self) -> str:
        cost = self.cost.replace("_", "-")
        formula = ", the book's widget formula" if self.by_book else ""
        return f"{cost} from {self.start[0]:g}, {self.start[1]:g}, rate {self.rate:g}{formula}"

    def path(self) -> dict[str, _Array]:
        """`COLUMNS` of the neuron by epoch."""
        if self.by_book:
            w, b = neuron.book_path(*self.start, self.rate, _EPOCHS)
        else:
            w, b = neuron.path(self.cost, *self.start, self.rate, _EPOCHS)
        return neuron.measured(self.cost, w, b)


_SMALL, _LARGE = neuron.STARTS
_CASES = (
    _Case(
        *(_QUADRATIC, _SMALL, 0.15),
        (".8176", ".3870", ".2110", ".1527", ".1237", ".1061", ".0940"),
        *("-1.2831", "-0.9831", ".00441"),
    ),
    _Case(
        *(_QUADRATIC, _LARGE, 0.15),
        (".9820", ".9759", ".9641", ".9334", ".7887", ".3572", ".2028"),
        *("-0.6843", "-0.6843", ".02057"),
    ),
    _Case(
        *(_CROSS_ENTROPY, _SMALL, 0.005),
        (".8176", ".7516", ".6789", ".6053", ".5355", ".4726", ".4177"),
        *("-0.3162", "-0.0162", ".54073"),
    ),
    _Case(
        *(_CROSS_ENTROPY, _LARGE, 0.005),
        (".9820", ".9710", ".9539", ".9282", ".8912", ".8415", ".7796"),
        *("0.6316", "0.6316", "1.51225"),
    ),
    _Case(
        *(_CROSS_ENTROPY, _SMALL, 0.005),
        (".8176", ".4933", ".2987", ".1811", ".1098", ".0666", ".0404"),
        *("-1.7343", "-1.4343", ".04120"),
        by_book=True,
    ),
    _Case(
        *(_CROSS_ENTROPY, _LARGE, 0.005),
        (".9820", ".5857", ".3545", ".2148", ".1302", ".0789", ".0479"),
        *("-1.4950", "-1.4950", ".04906"),
        by_book=True,
    ),
    _Case(
        *(_CROSS_ENTROPY, _SMALL, 0.15),
        (".8176", ".0792", ".0371", ".0241", ".0178", ".0141", ".0116"),
        *("-2.3709", "-2.0709", ".01171"),
    ),
    _Case(
        *(_CROSS_ENTROPY, _LARGE, 0.15),
        (".9820", ".0985", ".0411", ".0257", ".0186", ".0146", ".0120"),
        *("-2.2050", "-2.2050", ".01208"),
    ),
)


def _quote(value: str, source: str = _REPLAY, settings: str = "input 1, target 0") -> Quote:
    return Quote(value, source, settings, "exact", of_data=False, replay=source == _REPLAY)


_SLOW_ROW = f"start 2, 2, quadratic: epochs until {100 * _PART:g} % of the output's way are made"
_STATED = {
    "start 0.6, 0.9: first output": _quote("0.82", _BOOK),
    "start 0.6, 0.9: last output, quadratic": _quote("0.09", _BOOK, "quadratic cost, rate 0.15"),
    "start 2, 2: first output": _quote("0.98", _BOOK),
    _SLOW_ROW: Quote(
        f"{_SLOW}",
        _BOOK,
        'quadratic cost, rate 0.15, 300 epochs: for the first "150 or so" hardly anything moves',
        "exact",
        why_not='"hardly" and "or so" are no numbers: see the epoch here',
        of_data=False,
    ),
    "rate 0.03 from 2, 2: last output": _quote("0.079", _REPLAY, "cross-entropy"),
    "rate 0.05 from 2, 2: last output": _quote("0.042", _REPLAY, "cross-entropy"),
}


def _quotes() -> dict[str, Quote]:
    """Every number of the replay by what it is of."""
    found = dict(_STATED)
    for case in _CASES:
        for epoch, output in zip(_LATER, case.outputs, strict=True):
            found[f"{case.name}: output at epoch {epoch}"] = _quote(output)
        found[f"{case.name}: w at the end"] = _quote(case.w)
        found[f"{case.name}: b at the end"] = _quote(case.b)
        found[f"{case.name}: cost at the end"] = _quote(case.loss)
    return found


def _measure(lab: Lab) -> Result:
    paths = {case.name: case.path() for case in _CASES}
    values = {}
    for name, path in paths.items():
        for epoch in _LATER:
            values[f"{name}: output at epoch {epoch}"] = path["a"][epoch]
        for column in ("w", "b", "cost"):
            values[f"{name}: {column} at the end"] = path[column][-1]
    small, large = (paths[case.name] for case in _CASES[:2])
    values["start 0.6, 0.9: first output"] = small["a"][0]
    values["start 0.6, 0.9: last output, quadratic"] = small["a"][-1]
    values["start 2, 2: first output"] = large["a"][0]
    way = (large["a"][0] - large["a"]) / (large["a"][0] - large["a"][-1])
    values[_SLOW_ROW] = np.argmax(way >= _PART)
    for rate in (0.03, 0.05):
        w, b = neuron.path(_CROSS_ENTROPY, *_LARGE, rate, _EPOCHS)
        ends = neuron.measured(_CROSS_ENTROPY, w, b)["a"]
        values[f"rate {rate} from 2, 2: last output"] = ends[-1]
    rows = tuple(
        Measured(what, (float(values[what]),), "", quote, digits=0 if what == _SLOW_ROW else 5)
        for what, quote in experiment.quotes.items()
    )
    falls = _falls(large["a"])
    return Result(
        {
            "neuron": "one sigmoid unit in double precision; input 1, target 0",
            "starts": "w 0.6, b 0.9 and w 2, b 2",
            "training": f"{_EPOCHS} epochs of one step",
        },
        (*rows, *_slow_rows(large)),
        (
            Claim(
                "from the bad start (2, 2), at one rate, cross-entropy starts faster than the "
                "quadratic cost: its output falls further in the first 50 epochs",
                (float(large["a"][50] - paths[_CASES[7].name]["a"][50]),),
                source="slide 7",
                chance=False,
            ),
            Claim(
                f"from (2, 2) with the quadratic cost the output falls less in the first {_SLOW} "
                f"epochs than in the next {_SLOW}",
                (falls[1] - falls[0],),
                source=_BOOK,
                chance=False,
            ),
        ),
        _pictures(paths),
        finding=_finding(paths),
        remarks=(
            "The book's pictures of cross-entropy at rate 0.005 come from its page's formula: it "
            "takes dC/da = 1/(1 - a) where dC/dz = a belongs. With the right gradient and that "
            "rate the neuron from (2, 2) still says "
            f"{paths[_CASES[3].name]['a'][-1]:.2f} after {_EPOCHS} epochs, where the page's "
            f"formula comes to {paths[_CASES[5].name]['a'][-1]:.3f}; with a rate of 0.03 the right "
            f"gradient comes to {values['rate 0.03 from 2, 2: last output']:.3f}, of 0.05 to "
            f"{values['rate 0.05 from 2, 2: last output']:.3f}.",
            "The replay is this library's own reference, computed apart from it with the book's "
            "settings: agreement with it says that the arithmetic is right, not that the book "
            "printed these numbers.",
        ),
    )


def _finding(paths: Mapping[str, Mapping[str, _Array]]) -> str:
    """The outputs from both starts with both costs at the quadratic cost's rate."""
    shown = [case for case in _CASES if case.rate == 0.15]
    ends = "; ".join(f"{case.name}: {paths[case.name]['a'][-1]:.3f}" for case in shown)
    return f"Output after {_EPOCHS} epochs, 0 being right: {ends}."


def _slow_rows(path: Mapping[str, _Array]) -> list[Measured]:
    """How far output and weight go while the book sees next to nothing move, and after it."""
    return [
        Measured(f"start 2, 2, quadratic: fall of {what} in the {part} {_SLOW} epochs", (fall,), "",
                 digits=4)
        for what, column in (("the output", "a"), ("w", "w"))
        for part, fall in zip(("first", "next"), _falls(path[column]), strict=True)
    ]  # fmt: skip


def _falls(values: _Array) -> tuple[float, float]:
    """By how much values by epoch fall in the first `_SLOW` epochs, and in as many after them."""
    return float(values[0] - values[_SLOW]), float(values[_SLOW] - values[2 * _SLOW])


def _pictures(paths: dict[str, dict[str, _Array]]) -> tuple[Picture, ...]:
    small, large = (paths[case.name] for case in _CASES[:2])
    starts = {"0.6, 0.9": small, "2, 2": large}
    first, then = _falls(large["a"])

    def learning(figure: "Figure") -> None:
        axes = figure.subplots(1, 2)
        for ax, column, label in zip(axes, ("a", "cost"), ("output", "cost"), strict=True):
            for index, (start, path) in enumerate(starts.items()):
                _curve(ax, path[column], index, f"start {start}")
            ax.set_ylabel(label)
            _axis(ax)
        axes[0].legend(frameon=False)

    def slopes(figure: "Figure") -> None:
        axes = figure.subplots(1, 2)
        labels = (r"$\sigma'(z)$", r"$\partial C/\partial w$")
        for ax, column, label in zip(axes, ("slope", "gradient"), labels, strict=True):
            for index, (start, path) in enumerate(starts.items()):
                _curve(ax, path[column], index, f"start {start}")
            ax.set_ylabel(label)
            _axis(ax)
        axes[0].legend(frameon=False)

    def both(figure: "Figure") -> None:
        axes = figure.subplots(1, 2, sharey=True)
        for ax, start in zip(axes, neuron.STARTS, strict=True):
            own = [case for case in _CASES if case.start == start]
            for index, case in enumerate(own):
                short = case.name.replace(f" from {start[0]:g}, {start[1]:g}", "")
                _curve(ax, paths[case.name]["a"], index, short)
            ax.set_title(f"start w {start[0]:g}, b {start[1]:g}")
            _axis(ax)
        axes[0].set(ylabel="output", ylim=(0, 1.02))
        lines, names = axes[0].get_legend_handles_labels()
        figure.legend(lines, names, loc="outside lower center", ncols=2, frameon=False)

    return (
        Picture(
            "quadratic",
            "Output and cost by epoch with the quadratic cost, rate 0.15, from both starts: from "
            f"(2, 2) the output falls by {first:.2f} in the first {_SLOW} epochs and by {then:.2f} "
            f"in the next {_SLOW}.",
            learning,
            slides=(3,),
            size=(7.6, 3.2),
        ),
        Picture(
            "slopes",
            "The slope of the sigmoid and the gradient by the weight along the same two runs: "
            "where the slope is small, so is the gradient.",
            slopes,
            slides=(4,),
            size=(7.6, 3.2),
        ),
        Picture(
            "both",
            "Output by epoch with both costs: at one rate (0.15), at the book's (0.15 and 0.005), "
            "and by the formula of the book's page.",
            both,
            slides=(7,),
            size=(8.0, 4.0),
        ),
    )


_LINES = ("-", "--", "-.", ":")


def _curve(ax: "Axes", values: _Array, index: int, label: str) -> None:
    ax.plot(values, color=COLOURS[index], linestyle=_LINES[index], linewidth=1.8, label=label)


def _axis(ax: "Axes") -> None:
    finish(ax)
    ax.set_ylim(bottom=0)


experiment = Experiment(
    name="toy-neuron",
    title="A toy neuron with both costs",
    question="How fast does one neuron unlearn a wrong answer?",
    slides=(3, 4, 7),
    measure=_measure,
    seconds=(0.5, 0.5),
    quotes=_quotes(),
    widgets={
        3: ("ToyNeuron", {}),
        7: ("ToyNeuron", {"learning_rate": {_QUADRATIC: 0.15, _CROSS_ENTROPY: 0.005}}),
    },
    needs_data=False,
)
