"""Pictures. Every function takes and returns Matplotlib Axes.

Matplotlib is imported when a function is called. Without `ax` a new pyplot figure is made, so that
a notebook shows it; with `ax` nothing of pyplot is touched. Nothing here ever calls `show`.
"""

from nnlearn.plotting._style import COLOURS, require_matplotlib
from nnlearn.plotting.comparisons import mean_curves, plot_comparison
from nnlearn.plotting.histories import plot_history
from nnlearn.plotting.searches import plot_search, plot_searches

__all__ = [
    "COLOURS",
    "mean_curves",
    "plot_comparison",
    "plot_history",
    "plot_search",
    "plot_searches",
    "require_matplotlib",
]
