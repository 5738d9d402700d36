"""`CostComparison`: costs side by side, retrained while a slider moves."""

import math
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import traitlets

from nnlearn import _checks, _core_data
from nnlearn._settings import Plan, read_plans, read_seeds
from nnlearn._shared import SharedData
from nnlearn.costs import PAIRS, of_outputs
from nnlearn.data import Dataset
from nnlearn.datasets import load_mnist_small
from nnlearn.history import History
from nnlearn.network import Network
from nnlearn.widgets import _bundle, _frames
from nnlearn.widgets._data import labelled
from nnlearn.widgets._live import LiveWidget, Run, check_names
from nnlearn.widgets._python import compare_code
from nnlearn.widgets._runner import Stop
from nnlearn.widgets._tiles import Tiles
from nnlearn.widgets._together import train, train_shown
from nnlearn.widgets._variants import (
    STANDARD,
    TWO,
    as_python,
    read_hidden,
    read_rates,
    read_variants,
    tell_variants,
    with_rates,
)
from nnlearn.widgets._watched import Watched

_Array = npt.NDArray[Any]
_T = TypeVar("_T")

#: Settings of all variants, with their defaults; a variant's own win over them.
COMMON: Mapping[str, Any] = MappingProxyType(
    {
        "hidden": (30,),
        "l2": 0.0,
        "l1": 0.0,
        "dropout": 0.0,
        "momentum": 0.0,
        "batch_size": 10,
        "activation": "sigmoid",
        "init": "large",
        "epochs": 30,
    }
)

#: Training images to begin with.
N_TRAIN = 1000

#: What is recorded of each network: after these two come two for each cost function shown.
ERRORS = ("train_error", "val_error")

#: Epochs and seeds at most: every epoch of every network is kept, and drawn.
MOST_EPOCHS, MOST_SEEDS = 1_000_000, 100

#: What the images of hidden units show: what training has changed in their weights, or these.
PICTURES = ("change", "weights")

#: Learning rates of `CostComparison.to_html` when none are given.
RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0)


@dataclass(frozen=True)
class Settings:
    """What a `CostComparison` is set to, checked."""

    variants: Mapping[str, Mapping[str, Any]]  # each with its learning rate
    common: Mapping[str, Any]
    part: "_Part"  # of the data
    seeds: int | tuple[int, ...]
    pictures: str


class CostComparison(LiveWidget[Settings]):
    """Networks that differ in cost or any setting, side by side, retrained while you watch.

    The first panel shows the share of images got wrong, in training and validation data; below,
    each cost function has a panel in which every network is measured by it.

    Parameters
    ----------
    data : Dataset, optional
        With integer labels; by default the digits inside the package.
    variants : mapping or sequence of str, optional
        A mapping of names to settings of `Network` and `Network.fit`, as for `compare`, or some of
        the names ``"quadratic"``, ``"cross-entropy"`` and ``"log-likelihood"``. By default the
        first two, at learning rates 3.0 and 0.5.
    predict : bool, default False
        Ask for a curve drawn by hand before the first run is shown.
    **settings
        Settings of all variants: ``hidden=(30,)``, ``l2``, ``l1``, ``dropout``, ``momentum``,
        ``batch_size=10``, ``activation``, ``init="large"``, ``epochs=30``; ``n_train=1000``, the
        number of training images; ``seeds=1``; ``learning_rate``, one for all or a mapping;
        ``pictures="change"`` or ``"weights"``, what the images of hidden units show.

    Raises
    ------
    ValueError
        If a setting is unknown or wrong, or `data` has no labels.

    See Also
    --------
    nnlearn.compare : The same as a table, without a page.

    Notes
    -----
    A network is measured by a cost function that is not its own from its outputs a: the
    cross-entropy of softmax outputs takes each as a probability of its own, the log-likelihood of
    sigmoid outputs takes a / sum a.

    Examples
    --------
    >>> from nnlearn.widgets import CostComparison
    >>> w = CostComparison(epochs=2)
    >>> w.wait()
    True
    >>> len(w.history["quadratic"][0])
    2
    >>> w.change(learning_rate={"quadratic": 1.0}, n_train=500)
    >>> w.settings["learning_rate"]
    {'quadratic': 1.0, 'cross-entropy': 0.5}
    >>> w.close()
    """

    _esm = _bundle.script("cost_comparison")
    _css = _bundle.style()
    _pinned = traitlets.Bytes(b"").tag(sync=True)
    _predict = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self,
        data: Dataset | None = None,
        variants: Mapping[str, Mapping[str, Any]] | Sequence[str] | None = None,
        *,
        predict: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__()
        self._given = data
        self._data = labelled(load_mnist_small() if data is None else data)
        self._predict = _checks.boolean("predict", predict)
        part = _Part(self._data, min(N_TRAIN, len(self._data.train)))
        defaults = Settings(TWO, COMMON, part, 1, PICTURES[0])
        self._under_way: tuple[Sequence[_Job], Settings] = ((), defaults)
        shown = {} if variants is None else {"variants": variants}
        self._begin(defaults, {**shown, **settings})

    # ---- what users see -------------------------------------------------------------------------

    @property
    def history(self) -> dict[str, tuple[History, ...]]:
        """The histories of each variant, in the seeds' order, as far as the run has come.

        Right after a change they are those of the run before, until the new one has begun;
        `wait` waits for its end.
        """
        return self._by_variant(lambda job: job.history)

    @property
    def networks(self) -> dict[str, tuple[Network, ...]]:
        """The networks of each variant, in the seeds' order; of the run that `history` is of."""
        return self._by_variant(lambda job: job.network)

    def pin(self) -> None:
        """Keep the present curves in the panels, in grey, to compare with."""
        jobs, settings = self._under_way
        if jobs:
            header, arrays = self._picture(jobs, settings)
            told = _frames.plain(self._tell(settings))
            self._pinned = _frames.pack({**header, "settings": told}, arrays)

    def unpin(self) -> None:
        """Take the grey curves away."""
        self._pinned = b""

    def to_python(self) -> str:
        """Code that trains the same networks, bit for bit, without the widget.

        Returns
        -------
        str
            A program around `nnlearn.compare`. Data of your own is a name for you to fill in;
            settings that cannot be written down, such as callbacks, are left out, and a comment
            says so.
        """
        return self._code(self._current)

    def to_html(
        self,
        path: str | os.PathLike[str],
        *,
        learning_rates: Sequence[float] = RATES,
        seeds: int = 3,
    ) -> None:
        """Write one file that shows the widget in any browser, offline and without Python.

        The networks are trained beforehand: every variant at every learning rate with every seed,
        with the present settings otherwise. The sliders of the learning rates and the number of
        seeds stay alive.

        Parameters
        ----------
        path : str or path
            The file; replaced if it is there.
        learning_rates : sequence of float
            The rates that the sliders offer, > 0; the present ones are added.
        seeds : int, default 3
            The seeds 0 to seeds - 1.
        """
        from nnlearn.widgets._offline import write_page

        now = self._current
        present = [own["learning_rate"] for own in now.variants.values()]
        rates = read_rates([*read_rates(learning_rates), *present])
        n_seeds = _checks.integer("seeds", seeds, minimum=1, maximum=MOST_SEEDS)
        told = self._tell(replace(now, seeds=n_seeds))
        frames = []
        for rate in rates:
            variants = {name: {**own, "learning_rate": rate} for name, own in now.variants.items()}
            settings = replace(now, variants=variants, seeds=n_seeds)
            jobs = self._make_jobs(settings)
            train(jobs, Stop(), threading.Event())
            header, arrays = self._picture(jobs, settings)
            frames.append(_frames.pack({**header, "rate": rate, "settings": told}, arrays))
        write_page(path, "cost_comparison", "Costs side by side", frames)

    # ---- settings -------------------------------------------------------------------------------

    def _read(self, changes: Mapping[str, Any]) -> Settings:
        now = self._current
        known = {"variants", "learning_rate", "n_train", "seeds", "pictures", *COMMON}
        check_names(changes, known)
        variants = read_variants(changes.get("variants", now.variants), now.variants)
        n_train = changes.get("n_train", now.part.n)
        most = len(self._data.train)
        n_train = _checks.integer("n_train", n_train, minimum=1, maximum=most)
        settings = Settings(
            variants=with_rates(variants, changes.get("learning_rate", {})),
            common=_common(now.common, changes),
            part=now.part if n_train == now.part.n else _Part(self._data, n_train),
            seeds=_seeds(changes.get("seeds", now.seeds)),
            pictures=_checks.choice("pictures", changes.get("pictures", now.pictures), PICTURES),
        )
        for plan in _plans(settings):
            plan.check(Network, 0, settings.part.data, settings.part.shared)
            _checks.integer("epochs", plan.epochs, minimum=0, maximum=MOST_EPOCHS)
        return settings

    def _tell(self, settings: Settings) -> dict[str, Any]:
        rates, variants = tell_variants(settings.variants)
        seeds = settings.seeds if isinstance(settings.seeds, int) else list(settings.seeds)
        common = {"learning_rate": rates, "n_train": settings.part.n, **settings.common}
        return {"variants": variants, **common, "seeds": seeds, "pictures": settings.pictures}

    def _code(self, settings: Settings) -> str:
        data = "nn.datasets.load_mnist_small()" if self._given is None else None
        variants = {name: dict(own) for name, own in settings.variants.items()}
        common = {**settings.common, "seeds": self._tell(settings)["seeds"]}
        return compare_code(data, settings.part.n, variants, common)

    # ---- training -------------------------------------------------------------------------------

    def _make_jobs(self, settings: Settings) -> list["_Job"]:
        """Every network to train, seed by seed."""
        plans = _plans(settings)
        costs = _costs_shown(plan.make(Network, 0) for plan in plans)
        seeds = read_seeds(settings.seeds)
        change = settings.pictures == "change"
        part = settings.part
        return [_Job(plan, seed, part, costs, change) for seed in seeds for plan in plans]

    def _work(self, settings: Settings, run: Run) -> None:
        jobs = self._make_jobs(settings)
        self._under_way = (jobs, settings)
        train_shown(jobs, run, lambda: self._picture(jobs, settings))
        run.finish(*self._picture(jobs, settings))

    def _picture(
        self, jobs: Sequence["_Job"], settings: Settings
    ) -> tuple[dict[str, Any], list[_Array]]:
        """All curves as far as they have come, and the hidden units of the first seed."""
        tiles = {job.name: job.tiles for job in reversed(jobs) if job.tiles is not None}
        header = {
            "runs": [job.facts() for job in jobs],
            "columns": jobs[0].columns,
            "costs": jobs[0].costs,
            "tiles": list(tiles),
            "standard": list(STANDARD),
            "limits": {"n_train": len(self._data.train)},
            "has_validation": self._data.validation is not None,
            "code": self._code(settings),
        }
        return header, [*(job.curve() for job in jobs), *tiles.values()]

    def _by_variant(self, take: Callable[["_Job"], _T]) -> dict[str, tuple[_T, ...]]:
        jobs, _ = self._under_way
        names = dict.fromkeys(job.name for job in jobs)
        return {name: tuple(take(job) for job in jobs if job.name == name) for name in names}

    def _on_other_message(self, content: Mapping[str, Any], buffers: Sequence[memoryview]) -> None:
        if content["kind"] == "pin":
            self.pin()
        elif content["kind"] == "unpin":
            self.unpin()


# ---- settings ----------------------------------------------------------------------------------


def _common(now: Mapping[str, Any], changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings of all variants. Network and fit check most of them."""
    common = {name: as_python(changes.get(name, value)) for name, value in now.items()}
    common["hidden"] = read_hidden(common["hidden"])
    common["epochs"] = _checks.integer("epochs", common["epochs"], minimum=0, maximum=MOST_EPOCHS)
    return common


def _seeds(given: Any) -> int | tuple[int, ...]:
    _checks.integer("the number of seeds", len(read_seeds(given)), minimum=1, maximum=MOST_SEEDS)
    return int(given) if isinstance(given, (int, np.integer)) else tuple(map(int, given))


def _plans(settings: Settings) -> list[Plan]:
    return read_plans(Network, settings.variants, settings.common, settings.part.data)


# ---- training ----------------------------------------------------------------------------------


class _Part:
    """The first n training samples with the validation data, and the core's form of both."""

    def __init__(self, data: Dataset, n: int) -> None:
        self.n = n
        self.data = Dataset(
            data.train[:n],
            data.validation,
            class_names=data.class_names,
            image_shape=data.image_shape,
        )
        self.shared = SharedData()


class _Job(Watched):
    """One network of a run, measured by every cost shown, and its hidden units as images."""

    def __init__(
        self, plan: Plan, seed: int, part: _Part, costs: Sequence[str], change: bool
    ) -> None:
        self.seed, self.costs = seed, list(costs)
        columns = [*ERRORS, *(f"{s}_{c}" for c in costs for s in ("train", "val"))]
        super().__init__(plan, seed, part.data, part.shared, columns, plan.epochs)
        self.tiles: _Array | None = None
        self._tiles = Tiles(part.data.image_shape, self.network, change)

    def _learn(self, settings: Mapping[str, Any]) -> History:
        history = super()._learn(settings)
        self._begin(history)  # of no epochs
        return history

    def _look(self, *, last: bool = False) -> None:
        self.tiles = self._tiles.of(self.network, final=last)
        self._changed.set()

    def _measure(self, measured: Mapping[str, float]) -> list[float]:
        row = [1.0 - measured.get(f"{name}_accuracy", math.nan) for name in ("train", "val")]
        for cost in self.costs:
            row += [self._loss(cost, name, measured) for name in ("train", "val")]
        return row

    def _loss(self, cost: str, name: str, measured: Mapping[str, float]) -> float:
        """The loss by this cost function on one of the sets; NaN where it has no meaning."""
        net, data = self.network, self._data
        split = data.train if name == "train" else data.validation
        if split is None:
            return math.nan
        if cost == net.cost:
            return measured.get(f"{name}_loss", math.nan)
        output = net._architecture.output
        if output not in PAIRS[cost]:
            return of_outputs(cost, net.forward(split.x), split.y)
        labelled_split = _core_data.labelled(
            net, split.x, split.y, cost=cost, fit=True, shared=self._shared, sparse=None
        )
        return net._core.evaluate(labelled_split, cost)[0]

    def facts(self) -> dict[str, Any]:
        return {**super().facts(), "seed": self.seed}


def _costs_shown(networks: Iterable[Network]) -> list[str]:
    """The cost functions that have a panel: those of the networks, in their order."""
    return list(dict.fromkeys(net.cost for net in networks))
