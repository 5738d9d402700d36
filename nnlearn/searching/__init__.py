"""Hyper-parameter search: many trials of settings on a study of Optuna's, for the best ones.

`run` has `search` itself. `domains` says what one setting may be, `space` goes through all of them;
`objective` trains one trial, `result` is what a search found. `samplers` (with `gaussian_process`)
and `studies` are what Optuna is given, `hyperopt` is a space in that library's terms.
"""

from nnlearn.searching.domains import integers, loguniform, uniform, when
from nnlearn.searching.objective import Objective
from nnlearn.searching.result import Interrupted, Search, Trial
from nnlearn.searching.run import METHODS, search

__all__ = [
    "METHODS",
    "Interrupted",
    "Objective",
    "Search",
    "Trial",
    "integers",
    "loguniform",
    "search",
    "uniform",
    "when",
]
