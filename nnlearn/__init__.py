"""nnlearn: small neural networks, trained fast.

Networks, backpropagation with the quadratic, cross-entropy, log-likelihood and hinge costs, dropout
and momentum, in a C core that reads NumPy arrays in place.
"""

import importlib
from typing import TYPE_CHECKING, Any

from nnlearn._core import __version__ as __version__
from nnlearn.callbacks import Callback
from nnlearn.comparison import Comparison, Run, compare, vary
from nnlearn.config import show_config
from nnlearn.data import Dataset, Split
from nnlearn.files import load
from nnlearn.history import History
from nnlearn.layers import Activation, Dense, Dropout
from nnlearn.network import Network
from nnlearn.network2 import load_network2_json
from nnlearn.objective import Objective
from nnlearn.optimizers import SGD
from nnlearn.searching import search
from nnlearn.spaces import integers, loguniform, uniform, when

if TYPE_CHECKING:
    from nnlearn import datasets, plotting, widgets

__all__ = [
    "SGD",
    "Activation",
    "Callback",
    "Comparison",
    "Dataset",
    "Dense",
    "Dropout",
    "History",
    "Network",
    "Objective",
    "Run",
    "Split",
    "compare",
    "datasets",
    "integers",
    "load",
    "load_network2_json",
    "loguniform",
    "plotting",
    "search",
    "show_config",
    "uniform",
    "vary",
    "when",
    "widgets",
]

#: Modules that are imported when touched.
_LAZY = ("datasets", "plotting", "widgets")


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return importlib.import_module(f"nnlearn.{name}")
    raise AttributeError(f"module 'nnlearn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
