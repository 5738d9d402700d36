"""Widgets for notebooks: networks that retrain while a slider moves.

They need anywidget, ``pip install 'nnlearn[widgets]'``; a page fetches nothing from a network.
"""

try:
    import anywidget  # noqa: F401
except ImportError:
    raise ImportError("nnlearn.widgets needs anywidget: pip install 'nnlearn[widgets]'") from None

from nnlearn.widgets.backprop import Backprop
from nnlearn.widgets.cost_comparison import CostComparison
from nnlearn.widgets.decision_boundary import DecisionBoundary
from nnlearn.widgets.draw_digit import DrawDigit
from nnlearn.widgets.initialisation_explorer import InitialisationExplorer
from nnlearn.widgets.momentum import Momentum
from nnlearn.widgets.softmax_explorer import SoftmaxExplorer
from nnlearn.widgets.toy_neuron import ToyNeuron

__all__ = [
    "Backprop",
    "CostComparison",
    "DecisionBoundary",
    "DrawDigit",
    "InitialisationExplorer",
    "Momentum",
    "SoftmaxExplorer",
    "ToyNeuron",
]
