"""An experiment: what it asks, what it shows, and how it is run."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nnlearn import _checks
from nnlearn._settings import read_seeds
from nnlearn.config import available_cores
from nnlearn.data import Dataset
from nnlearn.experiments._lab import BOOKS_N, Lab
from nnlearn.experiments._quotes import Quote
from nnlearn.experiments._result import Result
from nnlearn.progress import JobsProgress


@dataclass(frozen=True, repr=False)
class Experiment:
    """One published experiment, or what one slide shows.

    Parameters
    ----------
    name : str
        What the command line calls it.
    title : str
        Its heading in the report.
    question : str
        What it asks, a sentence.
    slides : tuple of int
        The slides that its pictures show, by their number in the deck; may be empty.
    measure : callable
        ``measure(lab)`` does it and returns a Result.
    seconds : (float, float)
        About how long it takes, quick and in full, on two cores; for the time left.
    quotes : mapping of str to Quote, optional
        The numbers that the sources quote, by what they are of.
    widgets : mapping of int to (str, mapping), optional
        The widget that shows a slide, and its settings, by the slide's number.
    most_seeds : int, optional
        More seeds than these are not used, where a run is long.
    needs_data : bool, default True
        Whether it uses the digits.
    packages : tuple of str, default ()
        The optional packages, by their names on PyPI, that its numbers depend on.
    """

    name: str
    title: str
    question: str
    slides: tuple[int, ...]
    measure: Callable[[Lab], Result]
    seconds: tuple[float, float]
    quotes: Mapping[str, Quote] = field(default_factory=dict)
    widgets: Mapping[int, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)
    most_seeds: int | None = None
    needs_data: bool = True
    packages: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Experiment {self.name!r}: {self.title}>"

    def run(
        self,
        data: Dataset,
        seeds: int | Sequence[int] = 5,
        quick: bool = False,
        *,
        n_jobs: int | None = None,
        progress: Callable[[int], JobsProgress] | None = None,
    ) -> Result:
        """Do it.

        Parameters
        ----------
        data : Dataset
            The digits: `load_mnist` in full, `load_mnist_small` for a quick run.
        seeds : int or sequence of int, default 5
            As for `nnlearn.compare`.
        quick : bool, default False
            Do a little of everything, in seconds. Quoted numbers of MNIST are then not compared.
        n_jobs : int, optional
            Networks that train at once; by default as many as this process may use cores.
        progress : callable, optional
            What shows the progress of n trainings, ``progress(n)``; nothing by default.

        Returns
        -------
        Result

        Raises
        ------
        TypeError, ValueError
            If an argument is wrong, or the data lack a validation or a test set.
        KeyboardInterrupt
            On Ctrl-C. Nothing is kept of an experiment that has not ended.
        """
        if not isinstance(data, Dataset):
            _checks.fail(TypeError, "data", "be a Dataset", data)
        if data.validation is None or data.test is None:
            _checks.fail(ValueError, "data", "have a validation and a test set", data)
        quick = _checks.boolean("quick", quick)
        chosen = tuple(read_seeds(seeds))[: self.most_seeds]
        jobs = available_cores() if n_jobs is None else _checks.integer("n_jobs", n_jobs, minimum=1)
        result = self.measure(Lab(data, chosen, quick, jobs, progress))
        return dataclasses.replace(result, shortened=why_shortened(data, quick))


def why_shortened(data: Dataset, quick: bool) -> str:
    """Why numbers of MNIST cannot be compared with a run's; nothing where they can."""
    reasons = []
    if data.source != "mnist" or len(data.train) != BOOKS_N:
        reasons.append(f"on {len(data.train):,} digits in place of {BOOKS_N:,}")
    if quick:
        reasons.append("a quick run")
    return ", ".join(reversed(reasons))
