"""The arguments of the command line, and the one line that a wrong one gets."""

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from nnlearn import _argument_kinds as kinds
from nnlearn._argument_kinds import RATES
from nnlearn.layers import ACTIVATIONS, INITS

Command = Callable[[argparse.Namespace], None]


class Failure(Exception):
    """Something outside failed; the message is for the user."""


def complaint(parser: argparse.ArgumentParser, text: str) -> str:
    """The text as one line that begins with the command."""
    return f"{parser.prog}: {' '.join(text.split())}\n"


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line."""

    def error(self, message: str) -> NoReturn:
        message = re.sub(r"^argument ([^:]*): (?=must)", r"\1 ", message)
        self.exit(2, complaint(self, f"{message} (--help lists all options)"))


def make_parser(
    *,
    demo: Command,
    compare: Command,
    train: Command,
    evaluate: Command,
    reproduce: Command,
    info: Command,
) -> argparse.ArgumentParser:
    """The parser of all commands. Its result holds `run`, the command, and `parser`, its own."""
    parser = _Parser(
        prog="python -m nnlearn",
        description="Train small neural networks on digits, compare them, keep them.",
        epilog="COMMAND --help lists the options of a command.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=_Parser
    )

    def command(name: str, run: Command, summary: str, description: str) -> Any:
        added = commands.add_parser(name, help=summary, description=description, allow_abbrev=False)
        added.set_defaults(run=run, parser=added)
        return added.add_argument

    add = command(
        "demo",
        demo,
        "the slides' table of costs, trained anew, with a picture",
        "Train networks of 30 and 100 hidden units from large weights, with the quadratic cost, "
        "cross-entropy, and cross-entropy with l2. Print their test errors beside those of the "
        "slides and draw the curves of the validation error.",
    )
    _add_common(add, out="nnlearn-demo.png")

    add = command(
        "compare",
        compare,
        "costs, sizes, rates and penalties of your choice",
        "Train every cost with every penalty at every size on every seed. Print the test errors "
        "and draw the curves of the validation error.",
    )
    _add_choices(add)
    _add_common(add, out="nnlearn-compare.png")

    _add_train_and_evaluate(command, train, evaluate)
    add = command(
        "reproduce",
        reproduce,
        "the published experiments, quoted numbers beside measured ones",
        "Run published experiments again and write a report: one HTML page with figures, and for "
        "each number that is quoted the mean and spread measured here and whether they agree. "
        "What has ended is kept: after Ctrl-C the same command goes on from there.",
    )
    _add_experiments(add)

    command(
        "info",
        info,
        "version, BLIS, kernels, threads, data folders",
        "Print what a report of a problem should say about this installation.",
    )
    return parser


def _add_train_and_evaluate(command: Any, train: Command, evaluate: Command) -> None:
    """The commands of one network: into a file, and out of it."""
    add = command(
        "train",
        train,
        "one network, saved in a file",
        "Train one network, show its progress, save it in a file and print loss and accuracy. "
        "Ctrl-C ends training; the file then holds the network as reached.",
    )
    _add_network(add)
    _add_data(add, "mnist-small", "mnist", "fashion-mnist")
    _add_epochs(add)
    add(
        "--out",
        type=kinds.output,
        default="nnlearn-network.safetensors",
        metavar="FILE",
        help="the file to write (default: %(default)s)",
    )

    add = command(
        "evaluate",
        evaluate,
        "a saved network: loss, accuracy, classes, confusion table",
        "Print loss and accuracy of a saved network on a data set, precision and recall of each "
        "class, and how often each class was taken for each.",
    )
    add("file", type=kinds.input, metavar="FILE", help="what train or Network.save wrote")
    _add_data(add, "mnist-small", "mnist", "fashion-mnist")
    add(
        "--set",
        type=kinds.one_of("train", "validation", "test"),
        default="test",
        metavar="NAME",
        help="train, validation or test (default: %(default)s)",
    )


def _add_experiments(add: Any) -> None:
    """What `reproduce` takes."""
    add(
        "names",
        nargs="*",
        metavar="NAME",
        help="of --list, or a program of the slides: example2, example3, example7; or all",
    )
    add("--list", action="store_true", help="print a line for each experiment, and end")
    _add_seeds(add, 5)
    add(
        "--quick",
        action="store_true",
        help="a little of everything on the digits inside the package, in minutes",
    )
    _add_jobs(add)
    _add_data_dir(add)
    add(
        "--out",
        type=kinds.results,
        default=Path("nnlearn-results"),
        metavar="FOLDER",
        help="the folder for report and results; one that holds other things is kept, and the next "
        "of FOLDER-2, FOLDER-3 is taken (default: %(default)s)",
    )
    add("--slides", action="store_true", help="also write one SVG for each slide that is shown")


def _add_choices(add: Any) -> None:
    """What `compare` lets a user choose."""
    costs = ", ".join(RATES)
    rates = ", ".join(f"{cost}={rate:g}" for cost, rate in RATES.items())
    add(
        "--costs",
        nargs="+",
        type=kinds.one_of(*RATES),
        default=["quadratic", "cross_entropy"],
        metavar="COST",
        help=f"of {costs} (default: quadratic cross_entropy)",
    )
    add(
        "--hidden",
        nargs="+",
        type=kinds.hidden,
        default=[(30,)],
        metavar="N",
        help="hidden units, a panel for each; 30-30 is two layers (default: 30)",
    )
    add(
        "--learning-rate",
        nargs="+",
        type=kinds.rate,
        default=[],
        metavar="RATE",
        help=f"RATE for all costs or COST=RATE for one (default: {rates})",
    )
    for name in ("--l1", "--l2"):
        add(
            name,
            nargs="+",
            type=kinds.penalty,
            default=[0.0],
            metavar="LAMBDA",
            help=f"{name[2:].upper()} penalties, divided by the number of samples (default: 0)",
        )
    _add_batch_and_init(add, init="large")


def _add_network(add: Any) -> None:
    """What one network is and how it learns."""
    rates = ", ".join(f"{rate:g} for {cost}" for cost, rate in RATES.items())
    add(
        "--hidden",
        type=kinds.hidden,
        metavar="N",
        help="hidden units; 30-30 is two layers (default: 30)",
    )
    add(
        "--layers",
        type=kinds.layers,
        metavar="N",
        help="all layers instead, from inputs to outputs: 784-30-10",
    )
    add(
        "--cost",
        type=kinds.one_of(*RATES),
        default="cross_entropy",
        metavar="COST",
        help=f"of {', '.join(RATES)} (default: %(default)s)",
    )
    add(
        "--activation",
        type=kinds.one_of(*ACTIVATIONS),
        default="sigmoid",
        metavar="NAME",
        help=f"of hidden layers: {', '.join(ACTIVATIONS)} (default: %(default)s)",
    )
    add("--learning-rate", type=kinds.positive, metavar="RATE", help=f"default: {rates}")
    for name in ("--l1", "--l2"):
        add(
            name,
            type=kinds.penalty,
            default=0.0,
            metavar="LAMBDA",
            help=f"{name[2:].upper()} penalty, divided by the number of samples (default: 0)",
        )
    shares = {"--dropout": "share of hidden units to drop", "--momentum": "momentum of the steps"}
    for name, meaning in shares.items():
        add(
            name,
            type=kinds.share,
            default=0.0,
            metavar="P",
            help=f"{meaning}, in [0, 1) (default: 0)",
        )
    _add_batch_and_init(add, init="scaled")
    add(
        "--seed",
        type=kinds.seed,
        default=0,
        metavar="K",
        help="the same seed gives the same network (default: %(default)s)",
    )


def _add_batch_and_init(add: Any, *, init: str) -> None:
    """What every command that lets a user choose has."""
    inits = ", ".join(INITS)
    add(
        "--batch-size",
        type=kinds.count,
        default=10,
        metavar="M",
        help="samples of a step (default: %(default)s)",
    )
    add(
        "--init",
        type=kinds.init,
        default=init,
        metavar="INIT",
        help=f"start weights: {inits}, or their standard deviation (default: %(default)s)",
    )


def _add_common(add: Any, *, out: str) -> None:
    """What both commands that compare take."""
    _add_data(add, "mnist-small", "mnist")
    _add_seeds(add, 3)
    _add_epochs(add)
    _add_jobs(add)
    add(
        "--out",
        type=kinds.picture,
        default=out,
        metavar="FILE",
        help="the picture to write (default: %(default)s)",
    )


def _add_seeds(add: Any, default: int) -> None:
    add(
        "--seeds",
        type=kinds.count,
        default=default,
        metavar="K",
        help="networks of each kind, seeds 0 to K - 1 (default: %(default)s)",
    )


def _add_jobs(add: Any) -> None:
    add(
        "--jobs",
        type=kinds.count,
        metavar="K",
        help="networks that train at once (default: the cores of this process)",
    )


def _add_data(add: Any, *names: str) -> None:
    """Which data, and where they are."""
    meanings = {
        "mnist-small": "digits inside the package",
        "mnist": "the full set",
        "fashion-mnist": "clothes",
    }
    add(
        "--data",
        type=kinds.one_of(*names),
        default="mnist-small",
        metavar="NAME",
        help="; ".join(f"{name}: {meanings[name]}" for name in names) + " (default: %(default)s)",
    )
    _add_data_dir(add)


def _add_data_dir(add: Any) -> None:
    add(
        "--data-dir",
        type=kinds.folder,
        metavar="FOLDER",
        help="where the four files of the full set are (default: as NNLEARN_DATA_DIR says)",
    )


def _add_epochs(add: Any) -> None:
    add(
        "--epochs",
        type=kinds.count,
        default=30,
        metavar="K",
        help="passes over the training data (default: %(default)s)",
    )
