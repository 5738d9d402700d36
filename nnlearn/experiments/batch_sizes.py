"""Which mini-batch size learns fastest, in seconds, and whether other settings change it."""

import math
from typing import TYPE_CHECKING, Any

import nnlearn
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._lab import BOOKS_N, Lab, without
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._result import Result
from nnlearn.network import Network
from nnlearn.plotting import plot_batch_sizes
from nnlearn.recipes.batch_sizes import AS_FAST, BatchSizeStudy
from nnlearn.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Units of the hidden layer, and settings of `batch_size_study`.
_SETTINGS: dict[str, tuple[int, dict[str, Any]]] = {
    "30 hidden, rate 0.5 at size 10": (30, {"learning_rate": 0.5}),
    "30 hidden, rate 0.1 at size 10": (30, {"learning_rate": 0.1}),
    "100 hidden, rate 0.5 at size 10": (100, {"learning_rate": 0.5}),
}


def _measure(lab: Lab) -> Result:
    data = without(lab.data, "test")
    seconds = lab.pick(20.0, 0.6)
    sizes = (1, 5, 10, 20, 50, 100)
    studies: dict[str, BatchSizeStudy] = {}
    for name, (units, settings) in _SETTINGS.items():
        layers = [data.train.x.shape[1], units, 10]
        net = Network(layers, seed=lab.seeds[0], n_threads=1)
        budget: dict[str, Any] = {
            "seconds": seconds,
            "sizes": sizes,
            "verbose": 0,
            "l2": lab.l2(5.0),
        }
        studies[name] = nnlearn.batch_size_study(net, data, **budget, **settings)

    def curves(figure: "Figure") -> None:
        axes = figure.subplots(1, len(studies))
        for ax, (name, study) in zip(axes, studies.items(), strict=True):
            plot_batch_sizes(study, ax)
            ax.get_legend().remove()
            ax.set_title(name.replace(", ", "\n"), fontsize="medium")
        handles, labels = axes[0].get_legend_handles_labels()
        labels = [str(curve.size) for curve in studies[next(iter(studies))].curves]
        title = "mini-batch size"
        legend = figure.legend(
            handles, labels, title=title, loc="outside lower center", ncols=6, frameon=False
        )
        for line in legend.get_lines():
            line.set_linewidth(1.8)

    return Result(
        {
            "networks": "784-30-10 and 784-100-10, sigmoid, cross-entropy, scaled weights, "
            f"lambda / n = {5.0 / BOOKS_N:g}",
            "sizes": f"{', '.join(map(str, sizes))}; learning rate in proportion to the size",
            "time": f"{seconds:g} s for all sizes of a setting, of training alone, in one thread, "
            "in turns",
            "target": "99 % of the best validation accuracy that any size reached",
        },
        pictures=(
            Picture(
                "seconds-curves",
                "Validation accuracy against seconds of training: best so far, a dot where a size "
                "reaches the target (dashed), the thickest line for the size that is first.",
                curves,
                slides=(36,),
                size=(9.0, 4.2),
            ),
        ),
        tables=(_table(studies),),
        remarks=(
            "One network a size, on the clock of this machine: of sizes whose seconds differ by a "
            "third or less another run may put another first. The book says that the best size "
            "depends little on the other settings.",
        ),
        finding=_finding(studies),
    )


def _finding(studies: dict[str, BatchSizeStudy]) -> str:
    """Whether the best size changes with the other settings, and which are near it in all."""
    first = {name: one.suggestion for name, one in studies.items()}
    if None in first.values():
        lost = [name for name, size in first.items() if size is None]
        return f"No size is the best where all diverged: {'; '.join(lost)}."
    sizes = list(dict.fromkeys(first.values()))
    if len(sizes) == 1:
        text = f"The best size, {sizes[0]}, does not change with the other settings"
    else:
        each = "; ".join(f"{size} with {name}" for name, size in first.items())
        text = f"The best size changes with the other settings: {each}"
    near = set.intersection(*(_near(study) for study in studies.values()))
    shared = ", ".join(map(str, sorted(near))) or "none"
    within = f"Sizes that take at most {AS_FAST:g} times as long as the best, with every setting"
    return f"{text}. {within}: {shared}."


def _near(study: BatchSizeStudy) -> set[int]:
    """The sizes that reach the target in at most `AS_FAST` times the time of the fastest."""
    taken = {c.size: study.seconds_to_threshold(c) for c in study.curves if not c.diverged}
    known = {size: seconds for size, seconds in taken.items() if not math.isnan(seconds)}
    fastest = min(known.values(), default=math.nan)
    return {size for size, seconds in known.items() if seconds <= AS_FAST * fastest}


def _table(studies: dict[str, BatchSizeStudy]) -> Table:
    """The size that is first for each setting, and the seconds of every size to the target."""
    sizes = [curve.size for curve in next(iter(studies.values())).curves]
    head = ["setting", "seconds: best size", *(f"seconds, size {size}" for size in sizes)]
    rows = [
        (name, study.suggestion, *(study.seconds_to_threshold(curve) for curve in study.curves))
        for name, study in studies.items()
    ]
    title = "Seconds of training to the target; - where it was not reached in the time, or diverged"
    formats = dict.fromkeys(head[2:], ".2g")
    return Table(head, rows, title, formats=formats)


experiment = Experiment(
    name="batch-sizes",
    title="The mini-batch size",
    question="Which mini-batch size learns fastest in seconds, and do other settings change it?",
    slides=(36,),
    measure=_measure,
    seconds=(3.0, 75.0),
    most_seeds=1,
)
