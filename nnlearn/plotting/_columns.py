"""The columns of a history as pictures show them: which, in which unit, in which words."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nnlearn import _checks
from nnlearn.history import History

Array = npt.NDArray[np.float64]

LOSSES = ("loss", "cost", "penalty")


def default_column(history: History) -> str:
    """What a comparison of such histories is drawn by: an error where there are accuracies."""
    for column in ("val_accuracy", "accuracy"):
        if column in history:
            return column.replace("accuracy", "error")
    return "val_loss" if "val_loss" in history else "loss"


def column_values(history: History, column: str) -> Array:
    """A column as it is drawn: accuracies in %, and ``..._error`` as 100 - the accuracy."""
    if column.endswith("error"):
        return 100.0 * (1.0 - history[column.removesuffix("error") + "accuracy"])
    values = history[column]
    return 100.0 * values if column.endswith("accuracy") else values


def default_columns(history: History) -> tuple[str, ...]:
    accuracies = tuple(column for column in history if column.endswith("accuracy"))
    losses = tuple(column for column in history if column.endswith("loss"))
    return accuracies or losses or tuple(column for column in history if column != "epoch")


def words(column: str) -> str:
    """A column's name as a legend says it: ``val_accuracy`` is "validation accuracy"."""
    first, _, rest = column.partition("_")
    words = {"val": "validation", "train": "training"}.get(first, first)
    if column in ("accuracy", "loss", "error"):
        return f"training {column} (running)"
    return f"{words} {rest}".replace("_", " ").strip()


def kind_of(column: str) -> str:
    """What a column measures, as the label of its axis says it."""
    for kind in ("accuracy", "error"):
        if column.endswith(kind):
            return f"{kind} (%)"
    for kind in LOSSES:
        if column.endswith(kind):
            return kind
    return {"seconds": "seconds per epoch"}.get(column, column.replace("_", " "))


def label_of(column: str) -> str:
    """The label of an axis that holds this column alone."""
    percent = " (%)" if column.endswith(("accuracy", "error")) else ""
    return words(column) + percent if "_" in column or percent else kind_of(column)


def one_unit(column: object) -> tuple[str, ...]:
    """One column or several, which must share an axis: costs and penalties are losses too."""
    given = [column] if isinstance(column, str) else column
    names = tuple(given) if isinstance(given, Sequence) else ()
    if not names or not all(isinstance(name, str) for name in names):
        _checks.fail(TypeError, "column", "be the name of a column, or several", column)
    units = {"loss" if kind_of(name) in LOSSES else kind_of(name): None for name in names}
    if len(units) > 1:
        raise ValueError(_checks.message("columns", "have one unit", ", ".join(units)))
    return names
