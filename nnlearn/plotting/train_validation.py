"""Training and validation set over each other: what overfitting looks like."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nnlearn import _checks
from nnlearn.history import History
from nnlearn.plotting.comparisons import plot_comparison
from nnlearn.plotting.histories import plot_history

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nnlearn.comparison import Comparison, Run

_MEASURES = ("accuracy", "error", "loss", "cost")


def plot_train_validation(
    trained: "History | Run | Comparison",
    measure: str | None = None,
    ax: "Axes | None" = None,
    *,
    sets: Sequence[str] = ("val", "train"),
    band: str = "range",
) -> "Axes":
    """Draw how training and validation set do, over each other.

    Parameters
    ----------
    trained : History, Run or Comparison
        What `Network.fit` or `compare` returned. Of a comparison each variant has its colour and
        each set its line; of a single variant each set its colour.
    measure : {"accuracy", "error", "loss", "cost"}, optional
        By default the accuracy, or the loss where no accuracy is recorded.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    sets : sequence of str, default ("val", "train")
        The sets, as columns of a history begin. Where ``evaluate_train`` recorded nothing, the
        running mean of the epoch stands for ``"train"``, and the legend says so.
    band : {"range", "sd", "none"}, default "range"
        As of `plot_comparison`.

    Returns
    -------
    matplotlib.axes.Axes
        Accuracies and errors are in %.

    Raises
    ------
    KeyError
        If a set is not recorded.
    ValueError
        If nothing is recorded.
    TypeError
        If what is to be drawn is of another kind.
    ImportError
        If Matplotlib is not installed.

    See Also
    --------
    plot_history, plot_comparison : Any columns.

    Examples
    --------
    >>> import nnlearn as nn
    >>> small = nn.datasets.load_mnist_small().take(200)
    >>> history = nn.Network([784, 10, 10], seed=1).fit(
    ...     small.train, epochs=2, learning_rate=0.5, validation=small.validation
    ... )
    >>> ax = plot_train_validation(history)
    >>> [line.get_label() for line in ax.get_lines()]
    ['validation accuracy', 'training accuracy (running)']
    """
    from nnlearn.comparison import Comparison, Run

    if isinstance(trained, Run):
        trained = trained.history
    if isinstance(trained, Comparison):
        histories = [run.history for group in trained.values() for run in group]
    elif isinstance(trained, History):
        histories = [trained]
    else:
        _checks.fail(TypeError, "trained", "be a History, a Run or a Comparison", trained)
    recorded = [history for history in histories if len(history)]
    if not recorded:
        raise ValueError(_checks.message("trained", "hold a run with an epoch", "none"))
    columns = _columns(recorded[0], measure, sets)
    if isinstance(trained, Comparison):
        return plot_comparison(trained, columns, ax, band=band)
    _checks.choice("band", band, ("range", "sd", "none"))
    return plot_history(trained, *columns, ax=ax)


def _columns(history: History, measure: str | None, sets: Sequence[str]) -> list[str]:
    """What these sets' columns are called."""
    if measure is None:
        measure = "accuracy" if any(c.endswith("accuracy") for c in history) else "loss"
    _checks.choice("measure", measure, _MEASURES)
    texts = isinstance(sets, Sequence) and not isinstance(sets, str)
    if not texts or not sets or not all(isinstance(name, str) for name in sets):
        _checks.fail(TypeError, "sets", 'be names of sets, as ("val", "train")', sets)
    source = "accuracy" if measure == "error" else measure
    running = f"train_{source}" not in history
    return [measure if name == "train" and running else f"{name}_{measure}" for name in sets]
