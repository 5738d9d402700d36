"""scikit-learn's MLPClassifier, an epoch a call of partial_fit."""

from __future__ import annotations

import time

import numpy as np
import sklearn
from sklearn.neural_network import MLPClassifier

from benchmarks.peers.base import Array, Model, Parameters, Peer, Work, one_hot


class ScikitModel(Model):
    """With one-hot rows for labels its outputs are sigmoids under the cross-entropy, summed over
    outputs; with labels they are a softmax. Its alpha is divided by the batch's length."""

    def __init__(self, work: Work, parameters: Parameters, seed: int) -> None:
        super().__init__(work, parameters, seed)
        n_in, n_hidden, n_out = work.layers
        self.net = MLPClassifier(
            (n_hidden,),
            activation="logistic" if work.hidden == "sigmoid" else work.hidden,
            solver=work.optimizer,
            batch_size=work.batch_size,
            learning_rate_init=work.learning_rate,
            momentum=work.momentum,
            nesterovs_momentum=False,
            random_state=seed,
        )
        # Its first call draws start weights of its own, on rows of zeros; ours replace them.
        labels = np.arange(work.batch_size) % n_out
        zeros = np.zeros((work.batch_size, n_in), np.float32)
        self.net.partial_fit(zeros, self._targets(labels), classes=np.arange(n_out))
        for mine, given in zip(self.net.coefs_, parameters[::2], strict=True):
            mine[:] = given
        for mine, given in zip(self.net.intercepts_, parameters[1::2], strict=True):
            mine[:] = given
        del self.net._optimizer  # its moments begin anew as well

    def _targets(self, labels: Array) -> Array:
        if self.work.output == "softmax":
            return labels
        return one_hot(labels, self.work.layers[-1]).astype(np.int64)

    def bind(self, x: Array, labels: Array) -> None:
        self.x, self.y = x, self._targets(labels)
        self.net.set_params(alpha=self.work.l2 * self.work.batch_size / len(x))

    def train(self, epochs: int) -> float:
        began = time.perf_counter()
        for _ in range(epochs):
            self.net.partial_fit(self.x, self.y)
        return time.perf_counter() - began

    def forward(self, x: Array) -> Array:
        outputs: Array = self.net.predict_proba(x)
        return outputs


class ScikitPeer(Peer):
    def version(self) -> str:
        return f"scikit-learn {sklearn.__version__}"

    def model(self, work: Work, parameters: Parameters, seed: int) -> ScikitModel:
        return ScikitModel(work, parameters, seed)


def make() -> ScikitPeer:
    return ScikitPeer()
