"""The commands `train` and `evaluate`: one network, trained into a file and judged from it."""

import argparse
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nnlearn import _checks, datasets
from nnlearn._argument_kinds import RATES
from nnlearn._arguments import Failure
from nnlearn.callbacks import Callback
from nnlearn.data import Dataset
from nnlearn.datasets.mnist import load_family
from nnlearn.files import load
from nnlearn.history import History
from nnlearn.network import Network
from nnlearn.progress import duration
from nnlearn.tables import Table

Say = Callable[[str], None]


def train(arguments: argparse.Namespace, say: Say) -> None:
    """Train one network, save it, and say how well it does."""
    start = time.monotonic()
    data = load_data(arguments)
    net = _network(arguments, data)
    say(f"{net}, {net.n_parameters:,} parameters")
    say(f"{_sizes(data)} samples; {_settings(arguments)}")
    try:
        _fit_and_save(net, data, arguments)
    except MemoryError:
        raise Failure("there is not the memory to train this network") from None
    say(f"\n{_results(net, data)}\n")
    say(f"{duration(time.monotonic() - start)}. Network: {arguments.out}")


def evaluate(arguments: argparse.Namespace, say: Say) -> None:
    """Judge a saved network on one set of the data."""
    try:
        net = load(arguments.file)
    except (OSError, ValueError) as error:
        raise Failure(str(error)) from None
    data = load_data(arguments)
    split = getattr(data, arguments.set)
    try:
        found = net.evaluate(split)
        tables = found.table(), found.confusion_table()
    except (TypeError, ValueError) as error:
        raise Failure(f"{arguments.file} does not fit {arguments.data}: {error}") from None
    say(f"{net}, {len(net.history):,} epochs trained")
    say(f"{len(split):,} samples, the {arguments.set} set of {arguments.data}")
    say("\n\n".join(map(str, tables)))


def load_data(arguments: argparse.Namespace) -> Dataset:
    """The data that ``--data`` names."""
    try:
        if arguments.data == "mnist-small":
            return datasets.load_mnist_small()
        return load_family(arguments.data, arguments.data_dir, name="--data-dir")
    except (OSError, ValueError, ImportError) as error:
        raise Failure(str(error)) from None


# ---- training -----------------------------------------------------------------------------------


def _network(arguments: argparse.Namespace, data: Dataset) -> Network:
    """The network that the arguments describe; bad ones end the process with code 2."""
    parser: argparse.ArgumentParser = arguments.parser
    n_inputs, n_classes = data.train.x.shape[1], int(data.train.y.max()) + 1
    layers = arguments.layers or (n_inputs, *(arguments.hidden or (30,)), n_classes)
    if arguments.layers and arguments.hidden:
        parser.error("--hidden must be left out beside --layers")
    if (layers[0], layers[-1]) != (n_inputs, n_classes):
        wanted = f"begin with {n_inputs} and end with {n_classes} for {arguments.data}"
        got = repr("-".join(map(str, layers)))
        parser.error(_checks.message("--layers", wanted, got))
    settings = ("cost", "activation", "init", "dropout", "seed")
    try:
        return Network(layers, **{name: getattr(arguments, name) for name in settings})
    except ValueError as error:
        parser.error(str(error))
    except MemoryError as error:
        raise Failure(str(error)) from None


def _fit_and_save(net: Network, data: Dataset, arguments: argparse.Namespace) -> None:
    """Train, and write the file however that ends, if there is anything new to write."""
    steps = _Steps()
    try:
        net.fit(
            data.train,
            validation=data.validation,
            epochs=arguments.epochs,
            batch_size=arguments.batch_size,
            learning_rate=_rate(arguments),
            momentum=arguments.momentum,
            l1=arguments.l1,
            l2=arguments.l2,
            callbacks=steps,
            verbose=1,
        )
    except FloatingPointError as error:
        steps.begun = len(net.history) > 0
        raise Failure(f"{error}{f', in {arguments.out}' if steps.begun else ''}") from None
    except KeyboardInterrupt:
        where = f"the network as reached, after {_epochs(net, 'whole ')}, is in {arguments.out}"
        raise KeyboardInterrupt(where if steps.begun else "nothing was trained") from None
    finally:
        if steps.begun:
            with _undisturbed():
                _save(net, arguments.out)


class _Steps(Callback):
    """Remembers whether training has begun: until then there is nothing to save."""

    begun = False

    def on_epoch_begin(self, net: Network, history: History) -> None:
        self.begun = True


def _save(net: Network, path: Path) -> None:
    try:
        net.save(path)
    except OSError as error:
        raise Failure(f"the network could not be written: {error}") from None


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Ctrl-C waits until the block has ended."""
    before = signal.getsignal(signal.SIGINT)
    if not callable(before) or threading.current_thread() is not threading.main_thread():
        yield
        return
    came = []
    signal.signal(signal.SIGINT, lambda *_: came.append(True))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt("the network is saved")


# ---- what is shown ------------------------------------------------------------------------------


def _sizes(data: Dataset) -> str:
    parts = [("training", data.train), ("validation", data.validation), ("test", data.test)]
    return ", ".join(f"{len(part):,} {name}" for name, part in parts if part is not None)


def _rate(arguments: argparse.Namespace) -> float:
    return float(arguments.learning_rate or RATES[arguments.cost])


def _settings(arguments: argparse.Namespace) -> str:
    """Learning rate and batch, and of the rest what is not 0."""
    rest = [name for name in ("momentum", "l1", "l2") if getattr(arguments, name)]
    words = [f"learning rate {_rate(arguments):g}", f"batch {arguments.batch_size}"]
    return ", ".join([*words, *(f"{name} {getattr(arguments, name):g}" for name in rest)])


def _epochs(net: Network, kind: str = "") -> str:
    n = len(net.history)
    return f"{n:,} {kind}epoch{'' if n == 1 else 's'}"


def _results(net: Network, data: Dataset) -> Table:
    """Loss and accuracy of every set."""
    rows = []
    for name in ("train", "validation", "test"):
        split = getattr(data, name)
        if split is not None:
            rows.append((name, len(split), net.loss(split), 100 * net.accuracy(split)))
    head = ["set", "samples", "loss", "accuracy %"]
    return Table(head, rows, f"After {_epochs(net)}", formats={"accuracy %": ".2f"})
