"""Images changed at random: what it adds to training, and beside NumPy and SciPy."""

from __future__ import annotations

import time
from typing import Any, ClassVar

import numpy as np

from benchmarks import datasets
from benchmarks.case import Case, Goal, Rig
from benchmarks.cases import Row3
from benchmarks.distortion import Distortion
from benchmarks.peers.base import Peer, start

#: Shift, rotation, skew and elastic distortion, in keeping with handwritten digits.
DISTORTION = Distortion()


class AugmentedTraining(Case):
    """A step on images that are changed anew in every epoch. Beside it `plain`, on images changed
    once, all inputs taken as dense, as they must be in the first; and `as_given`, on the images as
    they are, whose zeros fit leaves out."""

    name = "augmented"
    title = "784-100-10, batch 10, images changed at random in every epoch"
    peers = ("nnlearn",)
    measure = "augmented"
    goals = (Goal("times_plain", 2.0, 1.8),)
    N_ROWS, N_QUICK = 50_000, 5_000
    LEAST_ACCURACY = 0.75  # of the test set, however few rows and epochs

    def setup(self, name: str, peer: Peer, rig: Rig) -> None:
        from benchmarks.peers.ours import OurModel, augmentation

        self.set = datasets.load(rig.folder, "mnist").take(
            self.N_QUICK if rig.quick else self.N_ROWS
        )
        x, labels = self.set.x, self.set.y
        self.work = Row3.work.with_rows(len(x), Row3.n_rows)
        augment = augmentation(DISTORTION)

        def model(images: Any, **settings: Any) -> OurModel:
            made = OurModel(self.work, start(self.work, 1), 1, **settings)
            made.bind(images, labels)
            return made

        self.models = {
            "augmented": model(x, augment=augment),
            "plain": model(augment(x), sparse=False),
            "as_given": model(x),
        }
        self.time(0)

    def time(self, turn: int) -> dict[str, float]:
        n_steps = -(-len(self.set.x) // self.work.batch_size)
        return {measure: model.train(1) / n_steps for measure, model in self.models.items()}

    def check(self) -> None:
        """All three must have learnt."""
        for measure, model in self.models.items():
            accuracy = model.accuracy(self.set.test_x, self.set.test_y)
            if accuracy < self.LEAST_ACCURACY:
                least = f"at least {self.LEAST_ACCURACY}"
                raise RuntimeError(f"the accuracy of {measure} must be {least}, got {accuracy}")


class Distorting(Case):
    """An array of images to an array of changed images, random numbers drawn anew. The peers take
    some images a call, as many as suits them; SciPy also one a call, `one_by_one`, of fewer images
    but told for all."""

    name = "distorting"
    title = "10,000 images shifted, turned, skewed and distorted elastically"
    peers = ("nnlearn", "numpy", "scipy")
    N_QUICK: ClassVar[int] = 1_000
    SHARE: ClassVar[int] = 10  # of the images, which are also changed one by one
    # check is the mean change of a pixel, about 0.08: of 1,000 images its standard error is 0.0005.
    tolerance = 0.003
    goals = (Goal("scipy", 20, 30),)

    def setup(self, name: str, peer: Peer, rig: Rig) -> None:
        x = datasets.load(rig.folder, "mnist").test_x
        self.x = x[: self.N_QUICK] if rig.quick else x
        self.distorter: Any = peer.distorter(DISTORTION)
        self.one_by_one: Any = None
        if name == "scipy":
            from benchmarks.peers.scipy_images import ScipyDistorter

            self.one_by_one = ScipyDistorter(DISTORTION, at_a_time=1)
        self.time(0)

    def time(self, turn: int) -> dict[str, float]:
        began = time.perf_counter()
        self.changed = self.distorter(self.x, turn)
        measured = {"whole": time.perf_counter() - began}
        if self.one_by_one is not None:
            some = self.x[:: self.SHARE]
            began = time.perf_counter()
            self.one_by_one(some, turn)
            seconds = time.perf_counter() - began
            measured["one_by_one"] = seconds * len(self.x) / len(some)
        return measured

    def check(self) -> float:
        return float(np.abs(self.changed - self.x).mean())
