"""Time to accuracy: what a user waits for until a network is good."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from benchmarks import datasets
from benchmarks.case import Case, Goal, Rig
from benchmarks.peers.base import Peer, Work, start

MOST_EPOCHS = 40


def recipe(n_hidden: int, batch_size: int, learning_rate: float, **rest: object) -> Work:
    """A ReLU network with softmax outputs."""
    return Work(
        (784, n_hidden, 10),
        batch_size,
        learning_rate,
        hidden="relu",
        output="softmax",
        **rest,  # type: ignore[arg-type]
    )


#: The settings of each library, by target, found by training on 50,000 images and judging on the
#: validation set's 10,000. nnlearn's: plain SGD, the least time over hidden units (50 to 320),
#: batch size (10 to 50) and learning rate (0.05 to 0.4). The peers': Adam, the least time over
#: hidden units (64 to 512), batch size (32 to 512) and learning rate.
RECIPES: Mapping[float, Mapping[str, Work]] = {
    0.97: {
        "nnlearn": recipe(128, 10, 0.1),
        "sklearn": recipe(64, 128, 3e-3, optimizer="adam"),
        "torch": recipe(256, 128, 2e-3, optimizer="adam"),
        "torch-compiled": recipe(128, 64, 2e-3, optimizer="adam"),
        "jax": recipe(128, 32, 2e-3, optimizer="adam"),
    },
    0.98: {
        "nnlearn": recipe(160, 10, 0.1),
        "sklearn": recipe(256, 256, 2e-3, optimizer="adam"),
        "torch": recipe(256, 128, 2e-3, optimizer="adam"),
        "torch-compiled": recipe(256, 128, 2e-3, optimizer="adam"),
        "jax": recipe(256, 128, 2e-3, optimizer="adam"),
    },
}


class ToAccuracy(Case):
    """Seconds from the call to the end of the first epoch after which the test set is classified
    well enough, all 60,000 images trained on. Evaluating is outside of the time, for all alike."""

    target: ClassVar[float]
    peers = tuple(RECIPES[0.97])
    aggregate = "median"  # over seeds: each round another one
    rounds = 10
    quick_rounds = 1
    goals = (Goal("python", 3, 5),)

    def setup(self, name: str, peer: Peer, rig: Rig) -> None:
        self.work, self.peer = RECIPES[self.target][name], peer
        self.set = datasets.load(rig.folder, "mnist")
        self.seconds(seed=0, most_epochs=1)

    def seconds(self, seed: int, most_epochs: int) -> float:
        model = self.peer.model(self.work, start(self.work, seed), seed)
        data = self.set
        return model.train_until(
            (data.x, data.y), (data.test_x, data.test_y), self.target, most_epochs
        )

    def time(self, turn: int) -> dict[str, float]:
        return {"whole": self.seconds(turn + 1, MOST_EPOCHS)}


class To97(ToAccuracy):
    name = "to-97"
    title = "MNIST to 97 % test accuracy, call to return, median of seeds"
    target = 0.97


class To98(ToAccuracy):
    name = "to-98"
    title = "MNIST to 98 % test accuracy, call to return, median of seeds"
    target = 0.98

    @classmethod
    def is_quick(cls, name: str) -> bool:
        return name in ("nnlearn", "jax")
