"""A stand-in for Network, whose training is scripted, and data for it."""

import threading

import numpy as np

from nnlearn import comparing
from nnlearn.callbacks import as_callbacks
from nnlearn.data import Dataset, Split
from nnlearn.history import History


class Network:
    """A stand-in: each epoch calls `script(network, epoch)`, which gives val and test accuracy."""

    script = staticmethod(lambda network, epoch: (0.5, 0.5))
    n_wrong = 0
    made: list = []  # noqa: RUF012 - each test has a class of its own

    def __init__(self, layers, *, cost=None, init="scaled", dropout=0.0, seed=None, n_threads=None):
        if cost == "bad":
            raise ValueError("cost must be one of 'quadratic', got 'bad'")
        self.layers, self.cost, self.init, self.seed = layers, cost, init, seed
        self.n_threads = n_threads
        self.n_parameters = 10 * sum(getattr(layer, "n", layer) for layer in layers)
        self.history = History(["epoch"])
        self.stopped = threading.Event()
        self.settings = None
        self.made.append(self)

    def fit(
        self,
        x,
        y=None,
        *,
        epochs=None,
        learning_rate=None,
        momentum=0.0,
        validation=None,
        callbacks=(),
        seed=None,
        n_threads=None,
        verbose=None,
        **unknown,
    ):
        if learning_rate is not None and learning_rate <= 0:
            raise ValueError(f"learning_rate must be a finite number > 0, got {learning_rate}")
        self.settings = {"x": x, "learning_rate": learning_rate, "momentum": momentum}
        self.settings |= {"validation": validation, "verbose": verbose, "epochs": epochs}
        sets = [f"{name}_accuracy" for name in validation or ()]
        self.history = History(["epoch", "loss", "accuracy", "seconds", *sets])
        for epoch in range(1, (30 if epochs is None else epochs) + 1):
            accuracies = dict(zip(sets, type(self).script(self, epoch), strict=False))
            if self.stopped.is_set():
                break
            row = {"epoch": epoch, "loss": 1.0, "accuracy": 0.5, "seconds": 0.25, **accuracies}
            self.history._append(row)
            wishes = [c.on_epoch_end(self, self.history) for c in as_callbacks(callbacks)]
            if True in wishes:
                break
        return self.history

    def stop(self):
        self.stopped.set()

    def predict(self, x):
        """The labels of `split`, but for the first `n_wrong` rows."""
        if self.cost == "stuck":
            return np.zeros(len(x), int)
        return (np.arange(len(x)) + (np.arange(len(x)) < self.n_wrong)) % 3

    _predict_in_claim = predict


def in_place(monkeypatch):
    """A stand-in of its own for this test, in Network's place."""
    kind = type("Network", (Network,), {"made": []})
    monkeypatch.setattr(comparing, "Network", kind)
    return kind


def split(n=6):
    return Split(np.zeros((n, 4), np.float32), np.arange(n) % 3)


def data():
    return Dataset(split(), split(), split())


TWO = {"a": {"learning_rate": 1.0}, "b": {"learning_rate": 2.0}}
