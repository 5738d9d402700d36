"""The published experiments, each run again by one call, the quoted number beside the measured one.

``python -m nnlearn reproduce`` runs them and writes a report; here they are as objects::

    from nnlearn import datasets, experiments
    result = experiments.find("costs").run(datasets.load_mnist_small(), seeds=2, quick=True)
    print(result)

Each stands in a file of its own that ends in ``experiment = Experiment(...)``; the files are listed
in `_catalogue`, in the order of the report.
"""

from nnlearn.experiments._catalogue import find, names
from nnlearn.experiments._claims import Claim
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._pictures import Picture
from nnlearn.experiments._quotes import Judgement, Measured, Quote
from nnlearn.experiments._result import Result
from nnlearn.experiments._slides import Slide, slide

__all__ = [
    "Claim",
    "Experiment",
    "Judgement",
    "Measured",
    "Picture",
    "Quote",
    "Result",
    "Slide",
    "find",
    "names",
    "slide",
]
