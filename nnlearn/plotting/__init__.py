"""Pictures. Every function takes and returns Matplotlib Axes.

Matplotlib is imported when a function is called. Without `ax` a new pyplot figure is made, so that
a notebook shows it; with `ax` nothing of pyplot is touched. Nothing here ever calls `show`.
"""

from nnlearn.plotting._style import COLOURS
from nnlearn.plotting.comparisons import plot_comparison
from nnlearn.plotting.evaluations import plot_calibration, plot_confusion, plot_predictions
from nnlearn.plotting.histories import plot_history
from nnlearn.plotting.images import plot_digits, plot_misclassified
from nnlearn.plotting.inside import plot_activations, plot_gradient_norms
from nnlearn.plotting.recipes import plot_learning_rates, plot_penalties
from nnlearn.plotting.robustness import plot_knock_out, plot_noise_sensitivity
from nnlearn.plotting.searches import plot_search, plot_searches
from nnlearn.plotting.studies import plot_batch_sizes, plot_learning_curve
from nnlearn.plotting.surfaces import plot_contours, plot_surface
from nnlearn.plotting.train_validation import plot_train_validation
from nnlearn.plotting.tuning import plot_tuning
from nnlearn.plotting.variants import plot_variants
from nnlearn.plotting.weights import plot_weights

__all__ = [
    "COLOURS",
    "plot_activations",
    "plot_batch_sizes",
    "plot_calibration",
    "plot_comparison",
    "plot_confusion",
    "plot_contours",
    "plot_digits",
    "plot_gradient_norms",
    "plot_history",
    "plot_knock_out",
    "plot_learning_curve",
    "plot_learning_rates",
    "plot_misclassified",
    "plot_noise_sensitivity",
    "plot_penalties",
    "plot_predictions",
    "plot_search",
    "plot_searches",
    "plot_surface",
    "plot_train_validation",
    "plot_tuning",
    "plot_variants",
    "plot_weights",
]
