"""nnlearn: small neural networks, trained fast.

Networks, backpropagation with the quadratic, cross-entropy, log-likelihood and hinge costs, dropout
and momentum, in a C core that reads NumPy arrays in place.
"""

import importlib
from typing import TYPE_CHECKING, Any

from nnlearn import _starting as _starting  # first: Ctrl-C during the imports that follow

# isort: split
from nnlearn._core import __version__ as __version__
from nnlearn.callbacks import Callback
from nnlearn.checkpoints import Checkpoint
from nnlearn.comparing import compare, vary
from nnlearn.comparison import Comparison, Run
from nnlearn.config import show_config
from nnlearn.data import Dataset, Split
from nnlearn.diagnosis import Finding, Findings, diagnose
from nnlearn.early_stopping import EarlyStopping
from nnlearn.ensemble import Ensemble
from nnlearn.evaluation import Evaluation
from nnlearn.files import load
from nnlearn.history import History
from nnlearn.layers import Activation, Dense, Dropout
from nnlearn.network import Network
from nnlearn.network2 import load_network2_json
from nnlearn.optimizers import SGD
from nnlearn.recipes.batch_sizes import batch_size_study
from nnlearn.recipes.learning_curves import learning_curve
from nnlearn.recipes.penalties import find_l2
from nnlearn.recipes.rates import find_learning_rate
from nnlearn.recipes.reduced import reduce_problem, rescale_l2
from nnlearn.recipes.tuning import tune
from nnlearn.robustness import knock_out, noise_sensitivity
from nnlearn.schedules import Cosine, DropOnPlateau, Exponential, OneCycle, Step
from nnlearn.searching import Objective, integers, loguniform, search, uniform, when

if TYPE_CHECKING:
    from nnlearn import augment, datasets, experiments, plotting, testing, widgets
    from nnlearn.experiments import slide

__all__ = [
    "SGD",
    "Activation",
    "Callback",
    "Checkpoint",
    "Comparison",
    "Cosine",
    "Dataset",
    "Dense",
    "DropOnPlateau",
    "Dropout",
    "EarlyStopping",
    "Ensemble",
    "Evaluation",
    "Exponential",
    "Finding",
    "Findings",
    "History",
    "Network",
    "Objective",
    "OneCycle",
    "Run",
    "Split",
    "Step",
    "augment",
    "batch_size_study",
    "compare",
    "datasets",
    "diagnose",
    "experiments",
    "find_l2",
    "find_learning_rate",
    "integers",
    "knock_out",
    "learning_curve",
    "load",
    "load_network2_json",
    "loguniform",
    "noise_sensitivity",
    "plotting",
    "reduce_problem",
    "rescale_l2",
    "search",
    "show_config",
    "slide",
    "testing",
    "tune",
    "uniform",
    "vary",
    "when",
    "widgets",
]

#: Modules that are imported when touched.
_LAZY = ("augment", "datasets", "experiments", "plotting", "testing", "widgets")


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return importlib.import_module(f"nnlearn.{name}")
    if name == "slide":
        return importlib.import_module("nnlearn.experiments").slide
    raise AttributeError(f"module 'nnlearn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
