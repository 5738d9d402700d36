"""The command `reproduce`: published experiments run again, and their report."""

import argparse
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from nnlearn import _core, _json, datasets, experiments
from nnlearn._arguments import Failure
from nnlearn.config import show_config
from nnlearn.data import Dataset
from nnlearn.datasets.mnist import load_family
from nnlearn.experiments import Experiment
from nnlearn.experiments._folder import Folder, Making
from nnlearn.experiments._lock import InUse
from nnlearn.experiments._report import report
from nnlearn.experiments._reproducing import Reproduction
from nnlearn.experiments._reproducing import reproduce as run
from nnlearn.experiments._section import Section
from nnlearn.plotting._style import require_matplotlib
from nnlearn.progress import duration
from nnlearn.tables import count

Say = Callable[[str], None]

#: Where the tracebacks of experiments that failed are written.
_FAILURES = "failures.txt"
#: More seeds than anybody has the time for.
_MOST_SEEDS = 1000


def reproduce(arguments: argparse.Namespace, say: Say) -> None:
    """Run the experiments that are asked for, and say where their report is."""
    if arguments.list:
        if arguments.names:
            arguments.parser.error("NAME must be left out beside --list")
        _list(say)
        return
    start = time.monotonic()
    chosen = _chosen(arguments)
    try:
        require_matplotlib()
    except ImportError as error:
        raise Failure(str(error)) from None
    data = _load(arguments, chosen)
    seeds = range(arguments.seeds)
    done = Reproduction()
    try:
        with closing(Folder(arguments.out, Making.of(data, seeds, arguments.quick))) as folder:
            if folder.kept:
                say(f"{folder.kept}; these results go into {folder.path}")
            path = _run(arguments, folder, data, chosen, done)
    except InUse as error:
        hint = "wait until it ends, or give another folder with --out"
        raise Failure(f"{error}: {hint}") from None
    except OSError as error:
        raise Failure(f"the results could not be written: {error}") from None
    _say_what_came_of_it(done, say)
    again = f", {len(done.found)} of them ended before" if done.found else ""
    say(f"\n{count(len(chosen), 'experiment')} in {duration(time.monotonic() - start)}{again}")
    say(f"Report: {path}")
    if done.failed:
        failures = "; ".join(f"{name}: {why}" for name, why in done.failed.items())
        where = f"(see {folder.path / _FAILURES})"
        raise Failure(f"{count(len(done.failed), 'experiment')} did not end {where}: {failures}")


def _run(
    arguments: argparse.Namespace,
    folder: Folder,
    data: Dataset,
    chosen: Sequence[Experiment],
    done: Reproduction,
) -> Path:
    """Run what has not ended yet and write the report, on Ctrl-C of what has; its path."""
    settings = {"quick": arguments.quick, "n_jobs": arguments.jobs}
    try:
        run(chosen, data, range(arguments.seeds), folder=folder, into=done, **settings)
    except KeyboardInterrupt:
        path = _write(arguments, folder, data, done, chosen)
        kept = f"{len(done.sections)} of {count(len(chosen), 'experiment')} kept, see {path}"
        raise KeyboardInterrupt(f"{kept}; the same command goes on from there") from None
    return _write(arguments, folder, data, done, chosen)


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
    if arguments.seeds > _MOST_SEEDS:
        parser.error(f"--seeds must be an integer <= {_MOST_SEEDS:,}, got {arguments.seeds}")
    try:
        found = [experiments.find(name) for name in names if name.lower() != "all"]
        if len(found) < len(names):
            found = [experiments.find(name) for name in experiments.names()]
        return list({experiment.name: experiment for experiment in found}.values())
    except ValueError as error:
        parser.error(str(error).replace("name must", "NAME must", 1))


def _load(arguments: argparse.Namespace, chosen: Sequence[Experiment]) -> Dataset:
    """The digits: those of the package for a quick run, else the whole of MNIST."""
    if arguments.quick and arguments.data_dir is not None:
        hint = "a quick run takes the digits inside the package"
        arguments.parser.error(f"--data-dir must be left out beside --quick: {hint}")
    nobody = not any(experiment.needs_data for experiment in chosen)
    if arguments.quick or (nobody and arguments.data_dir is None):
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
    name = _report_name(chosen)
    numbers = {section.name: section.numbers() for section in sections}
    folder.write_file(f"{name}.json", _json.dump({"of": facts, "found": numbers}))
    if done.tracebacks:
        folder.write_file(_FAILURES, "\n".join(done.tracebacks.values()))
    if arguments.slides:
        for slide, text in _slides(sections).items():
            folder.write_file(f"slides/{slide}.svg", text)
    missing = [e.title for e in chosen if e.name not in done.sections and e.name not in done.failed]
    page = report(title, facts, sections, done.failed, missing)
    return folder.write_file(f"{name}.html", page)


def _report_name(chosen: Sequence[Experiment]) -> str:
    """The name of the report's files: ``report`` for all, else by what it is of."""
    if len(chosen) == len(experiments.names()):
        return "report"
    names = "+".join(sorted(experiment.name for experiment in chosen))
    return names if len(names) <= 100 else f"selection-{zlib.crc32(names.encode()):08x}"


def _facts(arguments: argparse.Namespace, data: Dataset) -> Mapping[str, str]:
    """What holds for all experiments of a report."""
    config = show_config()
    seeds = "0" if arguments.seeds == 1 else f"0 to {arguments.seeds - 1}"
    return {
        "nnlearn": _core.__version__,
        "run": "quick" if arguments.quick else "in full",
        "data": str(data),
        "seeds": f"{seeds}, where an experiment does not say otherwise",
        "kernels": config["kernels"],
        "cores": config["cores"],
    }


def _slides(sections: Sequence[Section]) -> dict[str, str]:
    """The files of the slides: ``slide-07``.

    The first picture of a slide has its number alone; another one, of which there are few, the
    name of its experiment and its own behind it.
    """
    first: dict[int, str] = {}
    for name in experiments.names():
        for number in experiments.find(name).slides:
            first.setdefault(number, name)
    files: dict[str, str] = {}
    for section in sections:
        for drawing in section.drawings:
            for number in drawing.slides:
                plain = f"slide-{number:02d}"
                taken = plain in files or first[number] != section.name
                name = f"{plain}-{section.name}-{drawing.name}" if taken else plain
                files[name] = drawing.file()
    return files


def _say_what_came_of_it(done: Reproduction, say: Say) -> None:
    """The verdict of each experiment."""
    for section in done.sections.values():
        again = " (ended before)" if section.name in done.found else ""
        say(f"\n{section.title}{again}\n  {section.verdict}")
