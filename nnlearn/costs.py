"""Cost functions: which go with which outputs, and what is taken when one of the two is left open.

==================  ============================  =============================================
cost function       output activation             c(a, y) for one sample
==================  ============================  =============================================
``quadratic``       sigmoid, tanh, linear, relu,  1/2 sum_j (a_j - y_j)^2
                    softmax
``cross_entropy``   sigmoid                       -sum_j [y_j ln a_j + (1 - y_j) ln(1 - a_j)]
``log_likelihood``  softmax                       -sum_j y_j ln a_j
``hinge``           linear                        sum_{j != y} max(0, z_j - z_y + 1)
==================  ============================  =============================================

Costs are in nats, summed over the outputs, averaged over the samples.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from nnlearn import _checks, _core

#: Names of the cost functions.
COSTS: tuple[str, ...] = _core.names("cost")

#: For each cost function the output activations that it goes with.
PAIRS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        cost: tuple(output for output in _core.names("activation") if _core.pair(cost, output))
        for cost in COSTS
    }
)

#: The activation of a last layer given as an int, for each cost function.
DEFAULT_OUTPUT: Mapping[str, str] = MappingProxyType(
    {
        "quadratic": "sigmoid",
        "cross_entropy": "sigmoid",
        "log_likelihood": "softmax",
        "hinge": "linear",
    }
)

#: The cost function of a last layer object, for each output activation.
DEFAULT_COST: Mapping[str, str] = MappingProxyType(
    {
        "sigmoid": "cross_entropy",
        "softmax": "log_likelihood",
        "linear": "quadratic",
        "tanh": "quadratic",
        "relu": "quadratic",
    }
)


#: Names that other libraries use.
_FOREIGN: Mapping[str, str] = MappingProxyType(
    {
        "categorical_crossentropy": "categorical cross-entropy is 'log_likelihood'",
        "sparse_categorical_crossentropy": "categorical cross-entropy is 'log_likelihood'",
        "binary_crossentropy": "binary cross-entropy is 'cross_entropy'",
        "mse": "the squared error is 'quadratic'",
        "mean_squared_error": "the squared error is 'quadratic'",
        "squared_error": "the squared error is 'quadratic'",
    }
)


def check_cost(value: object) -> str:
    """The value as the name of a cost function."""
    hint = None
    if isinstance(value, str):
        spelt = value.replace("-", "_")
        hint = f"write {spelt!r}" if spelt in COSTS else _FOREIGN.get(value)
    return _checks.choice("cost", value, COSTS, hint)


def check_pair(cost: str, output: str, n_outputs: int) -> None:
    """Raise ValueError unless the cost goes with this output activation and number of outputs."""
    fewest = _core.pair(cost, output)
    if not fewest:
        hint = None
        if (cost, output) == ("cross_entropy", "softmax"):
            hint = "with softmax outputs the cross-entropy is cost='log_likelihood'"
        _checks.fail(
            ValueError,
            "cost",
            f"be {' or '.join(_costs_of(output))} for {output} outputs",
            cost,
            hint,
        )
    if n_outputs < fewest:
        _checks.fail(
            ValueError, "layers", f"end with {fewest} outputs or more for {cost}", n_outputs
        )


def _costs_of(output: str) -> list[str]:
    return [repr(cost) for cost in COSTS if output in PAIRS[cost]]


def of_outputs(cost: str, a: npt.NDArray[Any], y: npt.NDArray[Any]) -> float:
    """The mean of a cost function over outputs that it does not go with, to compare networks.

    Parameters
    ----------
    cost : str
        ``"cross_entropy"`` takes each output of a softmax as a probability of its own,
        ``"log_likelihood"`` takes ``a / sum a``, which sigmoid outputs become in `predict_proba`.
    a : ndarray, shape (n, n_out)
        Sigmoid or softmax outputs.
    y : ndarray of int, shape (n,)
        Labels.

    Returns
    -------
    float
        NaN where the cost has no meaning: another cost function, or outputs that are no
        probabilities.

    Notes
    -----
    From outputs, not from z: what is nearer to 0 or 1 than the precision of `a` counts as that
    far away, so that the mean is finite.
    """
    if cost not in ("cross_entropy", "log_likelihood") or a.min() < 0 or a.max() > 1:
        return float("nan")
    tiny, eps = np.finfo(a.dtype).tiny, np.finfo(a.dtype).epsneg
    right = np.arange(len(y)), y
    if cost == "log_likelihood":
        total = np.maximum(a.sum(axis=1, dtype=np.float64), tiny)
        return float(-np.mean(np.log(np.maximum(a[right] / total, tiny))))
    p = np.clip(a, tiny, 1 - eps).astype(np.float64)
    wrong = -np.log1p(-p)
    return float(np.mean(wrong.sum(axis=1) - wrong[right] - np.log(p[right])))
