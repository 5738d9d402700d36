"""The list of experiments."""

import importlib
import re
from collections.abc import Mapping
from typing import NoReturn

from nnlearn import _checks
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._nearest import nearest

#: The experiments by the parts of the report; each name is that of a module here, with hyphens.
PARTS: Mapping[str, tuple[str, ...]] = {
    "About this report": (
        "overview",
        "stories",
        "coming-from",
    ),
    "The cost function": (
        "toy-neuron",
        "cost-gradients",
        "deltas",
        "assumptions",
        "four-equations",
        "costs",
        "softmax",
        "log-likelihood",
    ),
    "Overfitting and regularisation": (
        "overfitting",
        "overfitting-full",
        "early-stopping",
        "l2-cost",
        "weight-decay",
        "l2-table",
        "ten-points",
        "noise",
        "biases",
        "other-techniques",
        "l1",
        "dropout",
        "more-data",
        "expansion",
        "simard",
    ),
    "Initialisation": (
        "start-weights",
        "initialisation",
    ),
    "Hyper-parameters": (
        "hyper-parameters",
        "quick-feedback",
        "patience",
        "learning-rates",
        "schedules",
        "lambdas",
        "batch-sizes",
        "search",
        "hessian",
    ),
    "Other models of neuron, other steps": (
        "momentum",
        "tanh",
        "relu",
    ),
    "Chapters 1, 5 and 6": (
        "baselines",
        "speed",
        "depth",
        "shallow",
    ),
}
#: Programs that the slides name, and what they are here.
ALIASES = {"example2": "costs", "example3": "l2-table", "example7": "momentum"}


def names() -> tuple[str, ...]:
    """The names of all experiments, in the order of the report.

    Returns
    -------
    tuple of str
    """
    return tuple(name for part in PARTS.values() for name in part)


def find(name: str) -> Experiment:
    """The experiment of this name.

    Parameters
    ----------
    name : str
        One of `names`, or ``"example2"``, ``"example3"``, ``"example7"``, as the slides call them.

    Returns
    -------
    Experiment

    Raises
    ------
    TypeError
        If the name is no text.
    ValueError
        If there is no such experiment; the message has the nearest names.
    """
    if not isinstance(name, str):
        _checks.fail(TypeError, "name", "be text", name)
    asked = re.sub(r"[\s_]+", "-", name.strip().lower()).removesuffix(".py")
    asked = ALIASES.get(asked, asked)
    if asked not in names():
        number = re.fullmatch(r"(?:slide)?[- ]?0*(\d{1,2})", asked)
        if number:
            _refuse_slide(name, int(number[1]))
        near = nearest(asked, [_load(other) for other in names()], [*ALIASES])
        hint = f"perhaps {' or '.join(near)}" if near else "reproduce --list shows all"
        _checks.fail(ValueError, "name", "be an experiment", name, hint)
    return _load(asked)


def _load(name: str) -> Experiment:
    module = importlib.import_module(f"nnlearn.experiments.{name.replace('-', '_')}")
    experiment: Experiment = module.experiment
    return experiment


def _refuse_slide(name: str, number: int) -> NoReturn:
    """Say which experiments show the slide that was asked for."""
    showing = [other for other in names() if number in _load(other).slides]
    hint = (
        f"slide {number} is shown by {' and '.join(showing)}" if showing else "there are 47 slides"
    )
    _checks.fail(ValueError, "name", "be an experiment", name, hint)
