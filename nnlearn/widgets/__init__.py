"""Widgets for notebooks: networks that retrain while a slider moves.

They need anywidget, ``pip install 'nnlearn[widgets]'``; a page fetches nothing from a network.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

#: The modules of the widgets, which are imported when touched: `from nnlearn import *` needs none.
_MODULES = {
    "Backprop": "backprop",
    "CostComparison": "cost_comparison",
    "DecisionBoundary": "decision_boundary",
    "DrawDigit": "draw_digit",
    "InitialisationExplorer": "initialisation_explorer",
    "Momentum": "momentum",
    "SoftmaxExplorer": "softmax_explorer",
    "ToyNeuron": "toy_neuron",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'nnlearn.widgets' has no attribute {name!r}")
    try:
        import anywidget  # noqa: F401
    except ImportError:
        text = "nnlearn.widgets needs anywidget: pip install 'nnlearn[widgets]'"
        raise ImportError(text) from None
    return getattr(importlib.import_module(f"nnlearn.widgets.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
