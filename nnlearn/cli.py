"""The command line, ``python -m nnlearn``: demo, compare, train, evaluate, reproduce,
info.

Results go to stdout as plain text, progress and errors to stderr. Exit codes: 0; 1 when something
outside fails (data, files, a missing package); 2 for bad arguments; 130 after Ctrl-C.
"""

import argparse
import math
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnlearn import _cli_reproduce, _cli_train
from nnlearn._argument_kinds import RATES
from nnlearn._arguments import Failure, complaint, make_parser
from nnlearn.comparing import Interrupted, compare
from nnlearn.comparison import Comparison
from nnlearn.data import Dataset
from nnlearn.plotting import plot_comparison
from nnlearn.plotting._style import require_matplotlib
from nnlearn.progress import duration
from nnlearn.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Test errors in % at the last epoch on the slides, by hidden units.
QUOTED = {30: (5.53, 4.86, 4.03), 100: (3.74, 3.00, 2.56)}

#: The l2 of the slides and the number of digits they trained on; what matters is their ratio.
_SLIDES_L2, _SLIDES_N = 5.0, 50_000

#: For each size of the hidden layers, and each name, the settings.
_Sizes = Mapping[tuple[int, ...], Mapping[str, Mapping[str, Any]]]
_Panels = dict[str, Comparison]


#: Height of the panels, and of a row of the legend above them, in inches.
_PANEL_HEIGHT, _LEGEND_ROW = 4.0, 0.21


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; those of the process by default.

    Returns
    -------
    int
        The exit code. Bad arguments raise SystemExit with code 2, ``--help`` with 0.
    """
    parser = make_parser(
        demo=_demo,
        compare=_compare,
        train=_train_one,
        evaluate=_evaluate,
        reproduce=_reproduce,
        info=_info,
    )
    arguments = parser.parse_args(argv)
    try:
        arguments.run(arguments)
    except KeyboardInterrupt as interrupt:
        how = str(interrupt)
        if isinstance(interrupt, Interrupted):
            how = how.split(";")[0]  # the rest speaks of Python
        sys.stderr.write(complaint(arguments.parser, f"interrupted, {how}".rstrip(" ,")))
        return 130
    except Failure as failure:
        sys.stderr.write(complaint(arguments.parser, str(failure)))
        return 1
    except BrokenPipeError:
        # The reader of stdout is gone; Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


# ---- the commands ------------------------------------------------------------------------------


def _demo(arguments: argparse.Namespace) -> None:
    """The slides' table of costs, trained anew."""
    start = time.monotonic()
    data = _load(arguments)
    l2 = _SLIDES_L2 * len(data.train) / _SLIDES_N
    rows: dict[str, dict[str, Any]] = {
        "quadratic": {"cost": "quadratic", "learning_rate": RATES["quadratic"]},
        "cross-entropy": {"cost": "cross_entropy", "learning_rate": RATES["cross_entropy"]},
    }
    rows["cross-entropy + l2"] = {**rows["cross-entropy"], "l2": l2}
    _say("The slides' comparison of costs: 784-30-10 and 784-100-10 from large weights,")
    _say(f"batch 10, {_training(arguments)}. Learning rate 3 (quadratic cost)")
    _say(f"and 0.5 (cross-entropy); l2 = {l2:g}, which is lambda / n as on the slides.")
    _say(_sizes(data))
    sizes: dict[tuple[int, ...], Any] = {(units,): rows for units in QUOTED}
    panels = _train(sizes, data, arguments, init="large", batch_size=10)
    _say(f"\n{_slides_table(panels)}\n")
    _say("Stuck runs never predict some digit, as is usual for the quadratic cost from")
    _say("large weights.")
    if len(data.train) < _SLIDES_N:
        _say(f"The slides trained on {_SLIDES_N:,} digits, the full MNIST, as --data mnist does.")
    _finish(panels, arguments, start)


def _compare(arguments: argparse.Namespace) -> None:
    """Costs, sizes, rates and penalties of the user's choice."""
    start = time.monotonic()
    rates = _rates(arguments)
    rows = {
        _variant_name(cost, l1, l2, arguments): {
            "cost": cost,
            "learning_rate": rates[cost],
            "l1": l1,
            "l2": l2,
        }
        for cost in arguments.costs
        for l1 in arguments.l1
        for l2 in arguments.l2
    }
    data = _load(arguments)
    _say(f"{_training(arguments)}; batch {arguments.batch_size}, init {arguments.init}.")
    _say(_sizes(data))
    sizes = dict.fromkeys(arguments.hidden, rows)
    panels = _train(sizes, data, arguments, init=arguments.init, batch_size=arguments.batch_size)
    _say_tables(panels)
    _finish(panels, arguments, start)


def _train_one(arguments: argparse.Namespace) -> None:
    """One network, into a file."""
    _cli_train.train(arguments, _say)


def _evaluate(arguments: argparse.Namespace) -> None:
    """A network out of a file."""
    _cli_train.evaluate(arguments, _say)


def _reproduce(arguments: argparse.Namespace) -> None:
    """The published experiments, and a report."""
    _cli_reproduce.reproduce(arguments, _say)


def _info(arguments: argparse.Namespace) -> None:
    """Version, BLIS, kernels, cores, threads, data folders."""
    from nnlearn.config import show_config

    try:
        _say(str(show_config()))
    except ValueError as error:
        arguments.parser.error(str(error))


def _load(arguments: argparse.Namespace) -> Dataset:
    """The digits that ``--data`` names. Looks for Matplotlib too, which is used at the end."""
    try:
        require_matplotlib()
    except ImportError as error:
        raise Failure(str(error)) from None
    return _cli_train.load_data(arguments)


def _train(
    sizes: _Sizes,
    data: Dataset,
    arguments: argparse.Namespace,
    **common: Any,
) -> _Panels:
    """Train all variants of all sizes side by side; one comparison for each size."""
    variants = {
        _joined(hidden, name): {**settings, "hidden": hidden}
        for hidden, rows in sizes.items()
        for name, settings in rows.items()
    }
    try:
        comparison = compare(
            variants,
            data,
            seeds=arguments.seeds,
            epochs=arguments.epochs,
            n_jobs=arguments.jobs,
            verbose=1,
            **common,
        )
    except Interrupted as interrupt:
        _say_tables(_panels(sizes, interrupt.comparison))
        raise
    return _panels(sizes, comparison)


def _panels(sizes: _Sizes, comparison: Comparison) -> _Panels:
    """One comparison for each size, under its title."""
    return {
        _joined(hidden): Comparison({name: comparison[_joined(hidden, name)] for name in rows})
        for hidden, rows in sizes.items()
    }


def _joined(hidden: tuple[int, ...], *name: str) -> str:
    """``30 hidden units``, and the variant's name after it."""
    return ", ".join([f"{'-'.join(map(str, hidden))} hidden units", *name])


def _finish(panels: _Panels, arguments: argparse.Namespace, start: float) -> None:
    """Draw the picture, and say where it is and how long all took."""
    try:
        save_picture(panels, arguments.out)
    except OSError as error:
        raise Failure(f"the picture could not be written: {error}") from None
    n = sum(len(runs) for comparison in panels.values() for runs in comparison.values())
    _say(f"\n{n} networks in {duration(time.monotonic() - start)}. Picture: {arguments.out}")


# ---- what is shown -----------------------------------------------------------------------------


def _slides_table(panels: _Panels) -> Table:
    """The slides' errors and ours, one under the other."""
    names = list(next(iter(panels.values())))
    rows: list[tuple[Any, ...]] = []
    for (units, quoted), comparison in zip(QUOTED.items(), panels.values(), strict=True):
        table = comparison.table()
        spread = zip(table["last %"], table["last sd"], strict=True)
        stuck = zip(table["stuck"], table["runs"], strict=True)
        rows += [
            (units, "slides, full MNIST", *(f"{error:.2f}" for error in quoted)),
            (None, "here, mean (sd)", *(_mean_and_sd(*pair) for pair in spread)),
            (None, "here, median", *(f"{median:.2f}" for median in table["last median"])),
            (None, "here, stuck runs", *(f"{some or 0} of {runs}" for some, runs in stuck)),
        ]
    return Table(["hidden", "", *names], rows, "Test error in % at the last epoch")


def _say_tables(panels: _Panels) -> None:
    """The tables of all sizes, unless nothing has ended."""
    panels = {title: comparison for title, comparison in panels.items() if any(comparison.values())}
    if panels:
        _say("\nTest error in %, mean (sd) and median, at the last and the best validation epoch")
    for title, comparison in panels.items():
        _say(f"\n{_short_table(comparison, title)}")


def _short_table(comparison: Comparison, title: str) -> Table:
    """The table of a comparison in the 80 columns of a terminal."""
    table = comparison.table()
    rows: list[tuple[Any, ...]] = []
    for values in table.rows:
        row = dict(zip(table.columns, values, strict=True))
        rows.append(
            (
                row["variant"],
                _mean_and_sd(row["last %"], row["last sd"]),
                row["last median"],
                _mean_and_sd(row["best %"], row["best sd"]),
                row["best median"],
                f"{row['stuck'] or 0}/{row['runs']}",
                f"{row['diverged']}/{row['runs']}",
                row["seconds"],
            )
        )
    head = ["", "last (sd)", "median", "best (sd)", "median ", "stuck", "diverged", "s"]
    if not any(table["diverged"]):
        head.remove("diverged")
        rows = [(*row[:6], *row[7:]) for row in rows]
    return Table(head, rows, title, formats={"median": ".2f", "median ": ".2f", "s": ".1f"})


def _mean_and_sd(mean: float, sd: float) -> str:
    """``9.13 (0.21)``; without the bracket for a single run, ``-`` for none."""
    if math.isnan(mean):
        return "-"
    return f"{mean:.2f}" if math.isnan(sd) else f"{mean:.2f} ({sd:.2f})"


def save_picture(panels: Mapping[str, Comparison], path: str | Path) -> None:
    """Draw comparisons side by side, with one legend, and write the picture.

    Parameters
    ----------
    panels : mapping of str to Comparison
        A title and what is drawn under it. All have the same variants.
    path : str or Path
        Where to write; the suffix says the format.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(max(5.0, 4.0 * len(panels)), _PANEL_HEIGHT), layout="constrained")
    row = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for ax, (title, comparison) in zip(row, panels.items(), strict=True):
        plot_comparison(comparison, ax=ax)
        ax.set_title(title, fontsize="medium", fontweight="bold")
        ax.label_outer()
    lines, names = row[0].get_legend_handles_labels()
    note = row[0].get_legend().get_title().get_text()
    for ax in row:
        ax.get_legend().remove()
    n_rows = _add_legend(figure, lines, names)
    figure.set_figheight(_PANEL_HEIGHT + (n_rows - 1) * _LEGEND_ROW)
    figure.supxlabel(note, fontsize="small", color="gray")
    figure.savefig(path, dpi=200)


def _add_legend(figure: "Figure", lines: Sequence[Any], names: Sequence[str]) -> int:
    """One legend above all panels, in as few rows as the figure is wide enough for: how many."""
    n_rows = 0
    while True:
        n_rows += 1
        n_columns = math.ceil(len(names) / n_rows)
        legend = figure.legend(
            lines, names, loc="outside upper center", ncols=n_columns, frameon=False
        )
        if n_columns == 1 or legend.get_window_extent().width <= figure.bbox.width:
            return n_rows
        legend.remove()


def _sizes(data: Dataset) -> str:
    """How many digits there are, and where they come from."""
    parts = [("training", data.train), ("validation", data.validation), ("test", data.test)]
    counts = ", ".join(f"{len(part):,} {name}" for name, part in parts if part is not None)
    return f"Digits: {counts}."


def _training(arguments: argparse.Namespace) -> str:
    """How long and how often."""
    counts = (("epoch", arguments.epochs), ("seed", arguments.seeds))
    return ", ".join(f"{count} {what}{'s' if count > 1 else ''}" for what, count in counts)


def _variant_name(cost: str, l1: float, l2: float, arguments: argparse.Namespace) -> str:
    """The cost, and the penalties where there is a choice of them."""
    name = cost.replace("_", "-")
    for label, value, values in (("l1", l1, arguments.l1), ("l2", l2, arguments.l2)):
        if len(values) > 1 or value:
            name += f", {label} {value:g}"
    return name


def _rates(arguments: argparse.Namespace) -> dict[str, float]:
    """The learning rate of each cost: its own, else the common one, else its default."""
    given: dict[str | None, float] = dict(arguments.learning_rate)
    for cost in given:
        if cost is not None and cost not in arguments.costs:
            arguments.parser.error(f"--learning-rate must name costs of --costs, got {cost!r}")
    defaults = {cost: given.get(None, RATES[cost]) for cost in arguments.costs}
    return {cost: given.get(cost, default) for cost, default in defaults.items()}


def _say(text: str) -> None:
    """A line of results, at once also when stdout is a pipe."""
    print(text, flush=True)
