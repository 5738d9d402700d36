"""What `compare` found: the runs of every variant, and their table."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nnlearn import _html
from nnlearn.history import History
from nnlearn.network import Network
from nnlearn.tables import Table, count

if TYPE_CHECKING:
    from matplotlib.axes import Axes


#: A comparison of more variants is shown without curves.
_MOST_CURVES = 40


@dataclass(frozen=True, eq=False)
class Run:
    """One network of a comparison and what became of it.

    Parameters
    ----------
    network : Network
        The network as training left it.
    history : History
        Its epochs.
    seed : int
        The seed of its start weights and batches.
    test_error : float
        The share of the test set that `network` gets wrong, in [0, 1]. NaN without a test set, for
        regression, and if the run diverged.
    variant : str
        The name of its settings.
    stuck : bool or None
        Whether some class of the test set is never predicted; None where `test_error` is NaN. A
        class that is all but lost, predicted once or twice, does not count.
    error : FloatingPointError or None
        Why the run ended early, if it diverged; weights and history are those of the last finite
        epoch then.
    """

    network: Network
    history: History
    seed: int
    test_error: float
    variant: str = ""
    stuck: bool | None = None
    error: FloatingPointError | None = None

    @property
    def seconds(self) -> float:
        """Seconds of training alone."""
        return float(self.history["seconds"].sum())

    @property
    def best_test_error(self) -> float:
        """The test error in [0, 1] at the epoch of best validation accuracy; NaN if unknown."""
        return self._at_best("accuracy", lambda accuracy: 1.0 - accuracy)

    def _at_best(self, measure: str, convert: Callable[[float], float]) -> float:
        """A measure of the test set at the epoch where the validation set's is best."""
        test, val = f"test_{measure}", f"val_{measure}"
        known = test in self.history and val in self.history and len(self.history) > 0
        if not known or self.error is not None or np.isnan(self.history[val]).all():
            return math.nan
        epoch, _ = self.history.best(val)
        row = int(np.flatnonzero(self.history["epoch"] == epoch)[0])
        return float(convert(self.history[test][row]))

    def __repr__(self) -> str:
        return f"<Run of {self.variant!r}, seed {self.seed}: {', '.join(self._facts())}>"

    def _repr_html_(self) -> str:
        curves = self.history._measures_html(self.history.summary())
        facts = [f"seed {self.seed}", *self._facts()]
        return _html.view(f"Run of {self.variant!r}", facts, *curves)

    def _facts(self) -> list[str]:
        """What became of it, in words."""
        facts = [count(len(self.history), "epoch")]
        facts += ["diverged"] if self.error is not None else []
        facts += [] if math.isnan(self.test_error) else [f"test error {self.test_error:.2%}"]
        return [*facts, "stuck"] if self.stuck else facts


class Comparison(Mapping[str, tuple[Run, ...]]):
    """What `compare` found: a mapping from each variant's name to its runs, in the seeds' order.

    Parameters
    ----------
    runs : mapping of str to sequence of Run
        The runs of each variant.

    Notes
    -----
    Part of a comparison is one too: ``Comparison({"quadratic": c["quadratic"]})``.
    """

    def __init__(self, runs: Mapping[str, Iterable[Run]]) -> None:
        self._runs = {name: tuple(group) for name, group in runs.items()}

    def __getitem__(self, variant: str) -> tuple[Run, ...]:
        """The runs of one variant, in the seeds' order."""
        if variant not in self._runs:
            names = ", ".join(repr(name) for name in self._runs)
            raise KeyError(f"variant must be one of {names}, got {variant!r}")
        return self._runs[variant]

    def __iter__(self) -> Iterator[str]:
        return iter(self._runs)

    def __len__(self) -> int:
        return len(self._runs)

    def table(self) -> Table:
        """The test error of every variant.

        Returns
        -------
        Table
            A row for each variant. ``last ...`` is the test error in % as training ended,
            ``best ...`` that at the epoch of best validation accuracy: mean over the seeds, sample
            standard deviation (``sd``), median. ``runs`` counts the runs, ``stuck`` those that
            never predict some class of the test set (not those where one is all but lost),
            ``diverged`` those that ended in NaN or infinity and are left out of the errors.
            ``seconds`` is the mean time of training.

        Notes
        -----
        Without a test set the errors are NaN (shown as ``-``), without a validation set those at
        the best epoch are. For regression the test loss stands in place of the error.
        """
        regression = self._is_regression()
        unit = "loss" if regression else "%"
        columns = [f"{when} {what}" for when in ("last", "best") for what in (unit, "sd", "median")]
        rows = []
        for name, group in self._runs.items():
            last = [_last(run, regression) for run in group]
            best = [_best(run, regression) for run in group]
            stuck = [run.stuck for run in group if run.stuck is not None]
            rows.append(
                (
                    name,
                    *_spread(last),
                    *_spread(best),
                    len(group),
                    sum(stuck) if stuck else None,
                    sum(run.error is not None for run in group),
                    sum(run.seconds for run in group) / len(group) if group else math.nan,
                )
            )
        what = "loss" if regression else "error in %"
        title = f"Test {what} at the last epoch, and at the epoch of best validation"
        ended = [run for group in self._runs.values() for run in group if run.error is None]
        if ended and all(math.isnan(_last(run, regression)) for run in ended):
            title += " (no test set)"
        head = ["variant", *columns, "runs", "stuck", "diverged", "seconds"]
        digits = ".4g" if regression else ".2f"
        formats = dict.fromkeys(columns, digits) | {"seconds": ".1f"}
        return Table(head, rows, title, formats=formats)

    def plot(
        self,
        column: str | Sequence[str] | None = None,
        ax: "Axes | None" = None,
        *,
        band: str = "range",
    ) -> "Axes":
        """Draw mean and band of each variant; see `nnlearn.plotting.plot_comparison`.

        Parameters
        ----------
        column : str or sequence of str, optional
            What to draw; by default the validation error in %.
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure by default.
        band : {"range", "sd", "none"}, default "range"
            From the lowest to the highest seed, or one standard deviation to either side.

        Returns
        -------
        matplotlib.axes.Axes
            The axes drawn on.
        """
        from nnlearn.plotting import plot_comparison

        return plot_comparison(self, column, ax, band=band)

    def __repr__(self) -> str:
        return str(self.table())

    def _repr_html_(self) -> str:
        table = self.table()
        dull = _dull_columns(table)
        curves = self._curves() if 0 < len(self) <= _MOST_CURVES else {}
        shown = table._without(*dull)._to_html(curves)
        return _html.view("Comparison", [table.title, *dull.values()], shown)

    def _curves(self) -> dict[str, list[_html.Html]]:
        """A column of small curves, on one scale; none where no epoch was recorded."""
        from nnlearn.plotting._mean_curves import mean_curves
        from nnlearn.plotting._style import spans_much

        what, means = mean_curves(self)
        known = means[np.isfinite(means)]
        if not known.size:
            return {}
        low, high = float(known.min()), float(known.max())
        scaled, limits = means, (low, high)
        if spans_much(low, high):  # on a logarithmic scale then, as in the picture
            scaled, limits = np.log(means), (math.log(low), math.log(high))
        curves = []
        for values, drawn in zip(means, scaled, strict=True):
            values = values[np.isfinite(values)]
            numbers = [f"{name} {v:.4g}" for name, v in _ends(values)]
            label = f"mean {what} over {count(len(values), 'epoch')}: {', '.join(numbers)}"
            curves.append(_html.curve(drawn, label, limits=limits))
        return {what: curves}

    def _is_regression(self) -> bool:
        histories = [run.history for group in self._runs.values() for run in group]
        return bool(histories) and not any("accuracy" in history for history in histories)


# ---- numbers of the table ----------------------------------------------------------------------


def _last(run: Run, regression: bool) -> float:
    """Test error in % (or loss) at the last epoch."""
    if run.error is not None:
        return math.nan
    column = "test_loss" if regression else "test_accuracy"
    if column in run.history and len(run.history) and not np.isnan(run.history[column][-1]):
        value = float(run.history[column][-1])
        return value if regression else 100.0 * (1.0 - value)
    return math.nan if regression else 100.0 * run.test_error


def _best(run: Run, regression: bool) -> float:
    """Test error in % (or loss) at the best validation epoch."""
    if regression:
        return run._at_best("loss", float)
    return 100.0 * run.best_test_error


def _dull_columns(table: Table) -> dict[str, str]:
    """The columns that one fact says as well, since they say the same of all variants."""
    facts = {}
    runs, stuck, diverged = (set(table[name]) for name in ("runs", "stuck", "diverged"))
    if len(runs) == 1:
        facts["runs"] = f"{count(runs.pop(), 'run')} each"
    if stuck <= {0, None}:
        facts["stuck"] = "none stuck" if 0 in stuck else ""
    if diverged == {0}:
        facts["diverged"] = "none diverged"
    return facts


def _ends(values: npt.NDArray[np.float64]) -> list[tuple[str, float]]:
    """What a curve says in numbers: first, last and lowest value."""
    if not values.size:
        return []
    return [("first", values[0]), ("last", values[-1]), ("lowest", values.min())]


def _spread(values: Iterable[float]) -> tuple[float, float, float]:
    """Mean, sample standard deviation and median of what is known; NaN where nothing is."""
    import statistics  # here: it imports much

    known = [value for value in values if not math.isnan(value)]
    if not known:
        return math.nan, math.nan, math.nan
    deviation = statistics.stdev(known) if len(known) > 1 else math.nan
    return statistics.fmean(known), deviation, statistics.median(known)
