"""How `Network.evaluate` asks the core: one pass, which writes down every sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnlearn import _arrays
from nnlearn._core_data import core_data, look
from nnlearn._measures import PROBABILITIES, Classes, Floats, Numbers
from nnlearn._together import Answers
from nnlearn.data import Split
from nnlearn.evaluation import Evaluation, evaluation_of

if TYPE_CHECKING:
    from nnlearn._model import Model


def evaluate(net: Model, x: Any, y: Any = None) -> Evaluation:
    """`Network.evaluate`."""
    inputs, given = _arrays.unpack(x, y)
    a = net._architecture
    rows = _arrays.inputs(inputs, a, net.dtype)
    parts = _arrays.answers(given, rows, a, net.dtype, net.cost, ("x", "y"))
    data = core_data(net, rows, parts, "x", net._input_scale, False, True, False)
    n = data.n_rows
    losses = np.empty(n)
    if a.is_regression:
        outputs = np.empty((n, a.n_outputs), net.dtype)
        look(net, net._core.assess, data, losses, *[None] * 6, outputs)
        targets = Answers.of(parts, given, a.n_outputs, a.output).targets
        return evaluation_of(net.cost, losses, Numbers(outputs, targets))
    predicted, true, rank = (np.empty(n, np.int64) for _ in range(3))
    sure: list[Floats | None] = [None, None]  # confidence, probability
    if a.output in PROBABILITIES:
        sure = [np.empty(n), np.empty(n)]
    look(net, net._core.assess, data, losses, predicted, true, rank, *sure, None, None)
    found = Classes(a.n_classes, predicted, true, rank, sure[0], sure[1], a.output)
    return evaluation_of(net.cost, losses, found, names_of(x))


def names_of(x: Any) -> tuple[str, ...] | None:
    """The names of the classes, where x is a Split that has them."""
    return x.class_names if isinstance(x, Split) else None
