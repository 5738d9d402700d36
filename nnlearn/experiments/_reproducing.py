"""Runs experiments one after the other, each kept as soon as it has ended."""

import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nnlearn.data import Dataset
from nnlearn.experiments._experiment import Experiment
from nnlearn.experiments._folder import Folder
from nnlearn.experiments._progress import PartsProgress
from nnlearn.experiments._section import Section


@dataclass
class Reproduction:
    """What came of a run.

    Parameters
    ----------
    sections : dict of str to Section
        What has ended, by name, in the order asked for.
    failed : dict of str to str
        Why an experiment did not end, by name.
    found : list of str
        The names of those that had ended before.
    tracebacks : dict of str to str
        Where those that failed did so, by name.
    """

    sections: dict[str, Section] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    tracebacks: dict[str, str] = field(default_factory=dict)


def reproduce(
    experiments: Sequence[Experiment],
    data: Dataset,
    seeds: Sequence[int],
    *,
    quick: bool,
    n_jobs: int | None,
    folder: Folder,
    into: Reproduction,
) -> None:
    """Run what has not ended yet, and read what has.

    Parameters
    ----------
    experiments : sequence of Experiment
        What to run, in this order.
    data : Dataset
        The digits.
    seeds : sequence of int
        The seeds.
    quick : bool
        Whether to be short.
    n_jobs : int or None
        Networks that train at once.
    folder : Folder
        Where sections are kept.
    into : Reproduction
        Filled as experiments end, so that it holds them also when this raises.

    Raises
    ------
    KeyboardInterrupt
        On Ctrl-C; what has ended is kept.
    OSError
        If the folder cannot be written to.
    """
    kept: Mapping[str, Section | None] = {e.name: folder.read(e) for e in experiments}
    into.found = [name for name, section in kept.items() if section]
    # In the order asked for, also where one fails in between.
    into.sections = {name: section for name, section in kept.items() if section}
    todo = [e for e in experiments if not kept[e.name]]
    progress = PartsProgress([e.seconds[0 if quick else 1] for e in todo]) if todo else None
    try:
        for experiment in todo:
            assert progress
            progress.begin(experiment.name)
            section = _run(experiment, data, seeds, quick, n_jobs, progress, into)
            if section is None:
                continue
            folder.write(experiment, section)
            into.sections[experiment.name] = section
            progress.end()
    except BaseException:
        if progress:
            progress.close(interrupted=True)
        raise
    finally:
        order = [e.name for e in experiments if e.name in into.sections]
        into.sections = {name: into.sections[name] for name in order}
    if progress:
        progress.close()


def _run(
    experiment: Experiment,
    data: Dataset,
    seeds: Sequence[int],
    quick: bool,
    n_jobs: int | None,
    progress: PartsProgress,
    into: Reproduction,
) -> Section | None:
    """One experiment; None, with the reason in `into`, if it fails: the others go on."""
    start = time.monotonic()
    try:
        result = experiment.run(data, seeds, quick, n_jobs=n_jobs, progress=progress.trainings)
        section = Section.of(experiment, result, time.monotonic() - start)
        # As out of a file, so that a report is the same whoever wrote its parts.
        return Section.from_json(section.to_json())
    except Exception as error:
        into.failed[experiment.name] = f"{type(error).__name__}: {error}"
        into.tracebacks[experiment.name] = traceback.format_exc()
        progress.end("failed")
        return None
