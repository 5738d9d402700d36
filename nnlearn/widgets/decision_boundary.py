"""`DecisionBoundary`: what networks of two inputs make of the plane, while they learn it."""

import math
import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import traitlets

from nnlearn import _checks
from nnlearn._settings import Plan, read_plans
from nnlearn.data import Dataset, Split
from nnlearn.history import History
from nnlearn.network import Network
from nnlearn.widgets import _bundle, _frames, _planes, _points
from nnlearn.widgets._live import INTERVAL, LiveWidget, Run, check_names
from nnlearn.widgets._planes import Film, Picture
from nnlearn.widgets._points import MAKERS, OWN, Points
from nnlearn.widgets._runner import Stop
from nnlearn.widgets._together import train, train_shown
from nnlearn.widgets._variants import (
    STANDARD,
    TWO,
    read_hidden,
    read_rates,
    read_variants,
    tell_variants,
    with_rates,
)
from nnlearn.widgets._watched import Watched

_Array = npt.NDArray[Any]

#: Settings of all variants, with their defaults; a variant's own win over them.
COMMON: Mapping[str, Any] = MappingProxyType(
    {
        "hidden": (8,),
        "activation": "sigmoid",
        "batch_size": 10,
        "epochs": 300,
        "momentum": 0.0,
        "l2": 0.0,
        "init": "large",
    }
)

#: Points that are made to begin with.
N_POINTS = 200

#: What is recorded of each network, before training and after each epoch.
COLUMNS = ("train_loss", "train_error", "val_loss", "val_error")

#: Learning rates of `DecisionBoundary.to_html` when none are given.
RATES = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0)

#: Costs whose networks tell two classes apart with one output.
_ONE_OUTPUT = ("quadratic", "cross_entropy")

#: Pictures in a film, at least and at most; bytes of all films of a run, and of a page.
_FEWEST, _MOST, _RUN_BYTES, _PAGE_BYTES = 4, 16, 150_000, 1_600_000


@dataclass(frozen=True)
class Settings:
    """What a `DecisionBoundary` is set to, checked."""

    data: str  # a name of MAKERS, or OWN
    n: int  # how many points are made, and with which noise
    noise: float
    points: Points  # those trained on
    own: Points  # what OWN stands for
    variants: Mapping[str, Mapping[str, Any]]  # each with its learning rate
    common: Mapping[str, Any]
    seed: int


class DecisionBoundary(LiveWidget[Settings]):
    """Points in the plane, and how networks tell their classes apart, trained while you watch.

    Each variant has a plane, coloured by the share that its network gives to each class, with
    the line where two classes are even; below it its error or cost by epoch, and every hidden
    unit's activation as a small plane. Clicks add points of your own.

    Parameters
    ----------
    data : Dataset, Split or str, optional
        Two inputs with labels 0, 1 or 2; or the name of a set that is made: ``"xor"`` (default),
        ``"moons"``, ``"spirals"``, ``"three spirals"``.
    variants : mapping or sequence of str, optional
        A mapping of names to settings of `Network` and `Network.fit`, as for `compare`, or some of
        the names ``"quadratic"``, ``"cross-entropy"`` and ``"log-likelihood"``. By default the
        first two, at learning rates 3.0 and 0.5.
    predict : bool, default False
        Ask for a line drawn by hand before the first run is shown.
    **settings
        Settings of all variants: ``hidden=(8,)``, ``activation``, ``batch_size=10``,
        ``epochs=300``, ``momentum``, ``l2``, ``init="large"``; ``learning_rate``, one for all or a
        mapping; ``n=200`` and ``noise`` of the points that are made; ``seed`` of the networks;
        ``points``, as the attribute.

    Raises
    ------
    ValueError
        If a setting is unknown or wrong, or `data` does not lie in a plane.

    See Also
    --------
    nnlearn.datasets : The sets that are made: `xor`, `two_moons`, `spirals`.

    Notes
    -----
    Two classes have one output, for costs of sigmoid outputs, whose value is the share of class
    1. Otherwise each class has one, and shares are those of `Network.predict_proba`. Points that
    are made are judged on as many others, made likewise, that no network is trained on.

    Examples
    --------
    >>> from nnlearn.widgets import DecisionBoundary
    >>> w = DecisionBoundary("moons", epochs=5)
    >>> w.wait()
    True
    >>> len(w.history["quadratic"]), w.networks["quadratic"].n_outputs
    (5, 1)
    >>> w.points = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 2]
    >>> w.wait(), w.settings["data"], w.networks["quadratic"].n_outputs
    (True, 'own points', 3)
    >>> w.close()
    """

    _esm = _bundle.script("decision_boundary")
    _css = _bundle.style()
    _predict = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self,
        data: Dataset | Split | str | None = None,
        variants: Mapping[str, Mapping[str, Any]] | Sequence[str] | None = None,
        *,
        predict: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__()
        self._predict = _checks.boolean("predict", predict)
        self._jobs: list[_Job] = []
        name = "xor" if data is None else OWN
        if isinstance(data, str):
            name = _checks.choice("data", data, MAKERS)
        elif not isinstance(data, (Dataset, Split, type(None))):
            hint = "Split(x, y) of arrays"
            _checks.fail(ValueError, "data", "be a Dataset, a Split or a name", data, hint)
        own = _points.given(data) if isinstance(data, (Dataset, Split)) else _no_points()
        noise = MAKERS["xor" if name == OWN else name].noise
        start = Settings(name, N_POINTS, noise, own, own, TWO, COMMON, 0)
        if name != OWN:
            start = replace(start, points=_points.made(name, N_POINTS, noise))
        shown = {} if variants is None else {"variants": variants}
        self._begin(start, {**shown, **settings})

    # ---- what users see -------------------------------------------------------------------------

    @property
    def history(self) -> dict[str, History]:
        """The history of each variant, as far as the run has come."""
        return {job.name: job.history for job in self._jobs}

    @property
    def networks(self) -> dict[str, Network]:
        """The network of each variant."""
        return {job.name: job.network for job in self._jobs}

    @property
    def points(self) -> Split:
        """The points trained on: x (n, 2) and y (n,). Assign (x, y) or a Split to set others."""
        return self._current.points.train

    @points.setter
    def points(self, points: Any) -> None:
        self._change({"points": points})

    def to_html(
        self,
        path: str | os.PathLike[str],
        *,
        learning_rates: Sequence[float] = RATES,
        seeds: int = 3,
    ) -> None:
        """Write one file that shows the widget in any browser, offline and without Python.

        The networks are trained beforehand: every variant at every learning rate with every seed,
        on the present points, with the present settings otherwise. The sliders of the learning
        rates, the seed and the epoch stay alive.

        Parameters
        ----------
        path : str or path
            The file; replaced if it is there.
        learning_rates : sequence of float
            The rates that the sliders offer, > 0; the present ones join them.
        seeds : int, default 3
            The seeds 0 to seeds - 1, and the present one. The file takes up to 3 MB for about
            thirty pairs of a rate and a seed, and more for many hidden units or three classes.
        """
        from nnlearn.widgets._offline import write_page

        now = self._current
        present = [own["learning_rate"] for own in now.variants.values()]
        rates = sorted({*read_rates(learning_rates), *present})
        all_seeds = sorted({*range(_checks.integer("seeds", seeds, minimum=1)), now.seed})
        told = self._tell(now)
        grid = [(rate, seed) for rate in rates for seed in all_seeds]
        frames = []
        for rate, seed in grid:
            settings = replace(now, variants=with_rates(now.variants, rate), seed=seed)
            jobs = _make_jobs(settings, _PAGE_BYTES // len(grid))
            train(jobs, Stop(), threading.Event())
            header, arrays = _picture(jobs, settings, film=True)
            key = {"rate": rate, "seed": seed, "settings": told}
            frames.append(_frames.pack({**header, **key}, arrays))
        write_page(path, "decision_boundary", "Decision boundaries", frames)

    # ---- settings -------------------------------------------------------------------------------

    def _read(self, changes: Mapping[str, Any]) -> Settings:
        now = self._current
        known = {"data", "n", "noise", "points", "variants", "learning_rate", "seed", *COMMON}
        check_names(changes, known)
        changed = _with_points(now, changes)
        variants = read_variants(changes.get("variants", now.variants), now.variants)
        settings = replace(
            changed,
            variants=with_rates(variants, changes.get("learning_rate", {})),
            common=_with_common(now.common, changes),
            seed=_checks.seed(changes.get("seed", now.seed)),
        )
        _plans(settings, check=True)
        return settings

    def _tell(self, settings: Settings) -> dict[str, Any]:
        rates, variants = tell_variants(settings.variants)
        made = {"data": settings.data, "n": settings.n, "noise": settings.noise}
        common = {"learning_rate": rates, **settings.common, "seed": settings.seed}
        return {**made, "variants": variants, **common}

    # ---- training -------------------------------------------------------------------------------

    def _work(self, settings: Settings, run: Run) -> None:
        jobs = self._jobs = _make_jobs(settings, _RUN_BYTES)
        train_shown(jobs, run, lambda: _picture(jobs, settings))
        run.finish(*_picture(jobs, settings, film=True))


def _picture(
    jobs: Sequence["_Job"], settings: Settings, *, film: bool = False
) -> tuple[dict[str, Any], list[_Array]]:
    """Curves, planes and hidden units as far as they have come; film: also how they came there."""
    points = settings.points
    arrays: list[_Array] = [job.curve() for job in jobs]

    def place(array: _Array) -> int:
        arrays.append(array)
        return len(arrays) - 1

    runs = []
    for job in jobs:
        plane, *units = map(place, job.pictures())
        films = list(map(place, job.film.arrays())) if film else []
        facts = {"plane": plane, "units": units, "film": films, "film_epochs": job.film.epochs}
        runs.append({**job.facts(), **facts})
    header = {
        "runs": runs,
        "columns": COLUMNS,
        "points": [place(points.train.x), place(points.train.y.astype(np.uint8))],
        "view": list(points.view),
        "class_names": points.class_names,
        "has_validation": points.data.validation is not None,
        "sets": [*MAKERS, OWN],
        "standard": list(STANDARD),
    }
    return header, arrays


# ---- settings ----------------------------------------------------------------------------------


def _no_points() -> Points:
    return _points.drawn(((), ()))


def _with_points(now: Settings, changes: Mapping[str, Any]) -> Settings:
    """The settings with other points, where the changes ask for some."""
    if changes.get("points") is not None:
        own = _points.drawn(changes["points"])
        now = replace(now, data=OWN, own=own, points=own)
        changes = {**changes, "data": OWN}
    name = _checks.choice("data", changes.get("data", now.data), (*MAKERS, OWN))
    n = _checks.integer("n", changes.get("n", now.n), minimum=3, maximum=_points.MOST)
    # Noise that suits one set drowns another.
    usual = now.noise if name in (now.data, OWN) else MAKERS[name].noise
    noise = _checks.real("noise", changes.get("noise", usual), minimum=0, below=_points.FARTHEST)
    if (name, n, noise) == (now.data, now.n, now.noise):
        return now
    points = now.own if name == OWN else _points.made(name, n, noise)
    return replace(now, data=name, n=n, noise=noise, points=points)


def _with_common(now: Mapping[str, Any], changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings of all variants. Network and fit check them, but for an `epochs` left open."""
    common = {name: changes.get(name, value) for name, value in now.items()}
    common["epochs"] = _checks.integer("epochs", common["epochs"], minimum=0)
    return common


def _plans(settings: Settings, *, check: bool = False) -> list[Plan]:
    """What is trained; raises TypeError or ValueError where a setting does not fit."""
    common = {**settings.common, "hidden": read_hidden(settings.common["hidden"])}
    points = settings.points
    plans = []
    for plan in read_plans(Network, settings.variants, common, points.data):
        if check:
            plan.check(Network, settings.seed, points.data, points.shared)
        one = "layers" not in settings.variants[plan.name] and len(points.class_names) == 2
        if one and plan.make(Network, 0).cost in _ONE_OUTPUT:
            plan = replace(plan, layers=[*plan.layers[:-1], 1])
        plans.append(plan)
    return plans


# ---- training ----------------------------------------------------------------------------------


class _Job(Watched):
    """One network of a run, its curve by epoch, and its pictures."""

    def __init__(self, plan: Plan, settings: Settings, film: Film) -> None:
        points = settings.points
        epochs = plan.epochs if len(points.train) else 0
        plan = replace(plan, fit={**plan.fit, "epochs": epochs})
        super().__init__(plan, settings.seed, points.data, points.shared, COLUMNS, epochs)
        self.film = film
        self._rate = settings.variants[plan.name]["learning_rate"]
        self._points = points
        self._see(last=True)

    def _learn(self, settings: Mapping[str, Any]) -> History:
        return super()._learn(settings) if len(self._points.train) else self.history

    def _look(self, *, last: bool = False) -> None:
        if last or time.perf_counter() >= self._next:
            self._see(last)
            self._changed.set()
        else:
            self.film.see(self.network, self._n_rows - 1)

    def _see(self, last: bool) -> None:
        """Take pictures of the network as it is."""
        net, view = self.network, self._points.view
        output = _planes.output_picture(net, view, _planes.CELLS)
        self._pictures = [output, *_planes.unit_pictures(net, view, _planes.UNIT_CELLS)]
        self.film.see(net, max(self._n_rows - 1, 0), last)
        self._next = time.perf_counter() + INTERVAL  # when another is worth its time

    def _measure(self, measured: Mapping[str, float]) -> list[float]:
        row = []
        for name in ("train", "val"):
            row.append(measured.get(f"{name}_loss", math.nan))
            row.append(1.0 - measured.get(f"{name}_accuracy", math.nan))
        return row

    def pictures(self) -> list[Picture]:
        """The outputs, then each hidden layer's units."""
        return self._pictures

    def facts(self) -> dict[str, Any]:
        dense = self.network._architecture.dense
        told = {"rate": self._rate, "cost": self.network.cost}
        return {**super().facts(), **told, "sizes": [layer.n for layer in dense[:-1]]}


def _make_jobs(settings: Settings, film_bytes: int) -> list[_Job]:
    """Every network to train; all their films together take about so many bytes."""
    plans = _plans(settings)
    networks = [plan.make(Network, 0) for plan in plans]
    still = _planes.picture_bytes(networks, _planes.CELLS, _planes.UNIT_CELLS)
    each = _planes.picture_bytes(networks, _planes.FILM_CELLS, _planes.FILM_UNIT_CELLS)
    count = min(max((film_bytes - still) // each, _FEWEST), _MOST)
    jobs = []
    for plan in plans:
        wanted = _planes.film_epochs(plan.epochs, count)
        jobs.append(_Job(plan, settings, Film(settings.points.view, wanted)))
    return jobs
