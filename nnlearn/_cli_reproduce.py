"""The command `reproduce`: published experiments run again, and their report."""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from nnlearn import _core, _json, datasets, experiments
from nnlearn._arguments import Failure
from nnlearn.data import Dataset
from nnlearn.datasets.mnist import load_family
from nnlearn.experiments import Experiment
from nnlearn.experiments._folder import Folder, Making
from nnlearn.experiments._report import report
from nnlearn.experiments._reproducing import Reproduction
from nnlearn.experiments._reproducing import reproduce as run
from nnlearn.experiments._section import Section
from nnlearn.plotting import require_matplotlib
from nnlearn.progress import duration
from nnlearn.tables import count

Say = Callable[[str], None]


def reproduce(arguments: argparse.Namespace, say: Say) -> None:
    """Run the experiments that are asked for, and say where their report is."""
    if arguments.list:
        _list(say)
        return
    start = time.monotonic()
    chosen = _chosen(arguments)
    try:
        require_matplotlib()
    except ImportError as error:
        raise Failure(str(error)) from None
    data = _load(arguments)
    seeds = range(arguments.seeds)
    try:
        folder = Folder(arguments.out, Making.of(data, seeds, arguments.quick))
        if folder.kept:
            say(f"{folder.kept}; these results go into {folder.path}")
        done = Reproduction()
        try:
            settings = {"quick": arguments.quick, "n_jobs": arguments.jobs}
            run(chosen, data, seeds, folder=folder, into=done, **settings)
        except KeyboardInterrupt:
            path = _write(arguments, folder, data, done, chosen)
            kept = f"{len(done.sections)} of {count(len(chosen), 'experiment')} kept, see {path}"
            raise KeyboardInterrupt(f"{kept}; the same command goes on from there") from None
        path = _write(arguments, folder, data, done, chosen)
    except OSError as error:
        raise Failure(f"the results could not be written: {error}") from None
    _say_what_came_of_it(done, say)
    say(f"\n{count(len(chosen), 'experiment')} in {duration(time.monotonic() - start)}")
    say(f"Report: {path}")
    if done.failed:
        failures = "; ".join(f"{name}: {why}" for name, why in done.failed.items())
        raise Failure(f"{count(len(done.failed), 'experiment')} did not end: {failures}")


def _list(say: Say) -> None:
    """A line for each experiment, its name first."""
    found = [experiments.find(name) for name in experiments.names()]
    width = max(len(experiment.name) for experiment in found)
    for experiment in found:
        slides = ", ".join(map(str, experiment.slides))
        where = f" (slide{'s' if len(experiment.slides) > 1 else ''} {slides})" if slides else ""
        say(f"{experiment.name:{width}}  {experiment.title}{where}")


def _chosen(arguments: argparse.Namespace) -> list[Experiment]:
    """The experiments of the names given, each once; bad ones end the process with code 2."""
    parser: argparse.ArgumentParser = arguments.parser
    names: Sequence[str] = arguments.names
    if not names:
        parser.error("NAME must be given: an experiment of --list, or all")
    if "all" in names:
        names = experiments.names()
    try:
        return list({e.name: e for e in map(experiments.find, names)}.values())
    except ValueError as error:
        parser.error(str(error).replace("name must", "NAME must", 1))


def _load(arguments: argparse.Namespace) -> Dataset:
    """The digits: those of the package for a quick run, else the whole of MNIST."""
    if arguments.quick:
        if arguments.data_dir is not None:
            hint = "a quick run takes the digits inside the package"
            arguments.parser.error(f"--data-dir must be left out beside --quick: {hint}")
        return datasets.load_mnist_small()
    try:
        return load_family("mnist", arguments.data_dir, name="--data-dir")
    except (OSError, ValueError, ImportError) as error:
        raise Failure(f"{error}; --quick needs no files") from None


def _write(
    arguments: argparse.Namespace,
    folder: Folder,
    data: Dataset,
    done: Reproduction,
    chosen: Sequence[Experiment],
) -> Path:
    """Write report, numbers and slides of what has ended; the path of the report."""
    sections = list(done.sections.values())
    one = len(chosen) == 1
    title = chosen[0].title if one else "Improving the way neural networks learn, measured again"
    facts = _facts(arguments, data)
    name = f"{chosen[0].name}.html" if one else "report.html"
    numbers = {section.name: section.numbers() for section in sections}
    folder.write_file(name.replace("html", "json"), _json.dump({"of": facts, "found": numbers}))
    if arguments.slides:
        for slide, text in _slides(sections).items():
            folder.write_file(f"slides/{slide}.svg", text)
    return folder.write_file(name, report(title, facts, sections, done.failed))


def _facts(arguments: argparse.Namespace, data: Dataset) -> Mapping[str, str]:
    """What holds for all experiments of a report."""
    seeds = "0" if arguments.seeds == 1 else f"0 to {arguments.seeds - 1}"
    facts = {"nnlearn": _core.__version__, "data": str(data), "seeds": seeds}
    return {**facts, "run": "quick" if arguments.quick else "in full"}


def _slides(sections: Sequence[Section]) -> dict[str, str]:
    """The files of the slides: ``slide-07``, and ``slide-26-b`` for a second picture of one."""
    files: dict[str, str] = {}
    for section in sections:
        for drawing in section.drawings:
            for number in drawing.slides:
                name = f"slide-{number:02d}"
                letters = (f"-{letter}" for letter in "bcdefghijklmnopqrstuvwxyz")
                ends = ["", *letters]
                files[next(name + end for end in ends if name + end not in files)] = drawing.file()
    return files


def _say_what_came_of_it(done: Reproduction, say: Say) -> None:
    """The verdict of each experiment."""
    for section in done.sections.values():
        again = " (ended before)" if section.name in done.found else ""
        say(f"\n{section.title}{again}\n  {section.verdict}")
