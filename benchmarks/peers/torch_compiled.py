"""PyTorch compiled: forward, backward and update by hand, in one function under torch.compile."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch

from benchmarks.peers.base import Array, Model, Parameters, Work, one_hot
from benchmarks.peers.torch_eager import TorchPeer

Step = Callable[..., None]

ACTIVATIONS = {"sigmoid": torch.sigmoid, "relu": torch.relu, "tanh": torch.tanh}
SLOPES: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "sigmoid": lambda a: a * (1.0 - a),
    "relu": lambda a: (a > 0).to(a.dtype),
    "tanh": lambda a: 1.0 - a * a,
}


def make_step(work: Work, n_rows: int) -> Step:
    """The compiled step: step(parameters, state, x, y, rows, rate) writes into the first two."""
    activate, slope = ACTIVATIONS[work.hidden], SLOPES[work.hidden]
    penalty = work.l2 / n_rows
    decay = work.decay(n_rows)

    def step(
        parameters: list[torch.Tensor],
        state: list[torch.Tensor],
        x: torch.Tensor,
        y: torch.Tensor,
        rows: torch.Tensor,
        rate: torch.Tensor,
    ) -> None:
        w1, b1, w2, b2 = parameters
        a, target = x[rows], y[rows]
        hidden = activate(torch.addmm(b1, a, w1))
        z = torch.addmm(b2, hidden, w2)
        out = torch.sigmoid(z) if work.output == "sigmoid" else torch.softmax(z, 1)
        delta = (out - target) / rows.shape[0]
        before = (delta @ w2.T) * slope(hidden)
        gradient = [a.T @ before, before.sum(0), hidden.T @ delta, delta.sum(0)]
        if work.optimizer == "adam":
            for i in range(4):
                p, q = state[2 * i], state[2 * i + 1]
                p.mul_(0.9).add_(gradient[i], alpha=0.1)
                q.mul_(0.999).add_(gradient[i] * gradient[i], alpha=0.001)
                parameters[i].sub_(rate[0] * p / ((q * rate[1]).sqrt() + 1e-8))
        elif work.momentum:
            for i in range(4):
                g = gradient[i] + penalty * parameters[i] if i % 2 == 0 else gradient[i]
                state[i].mul_(work.momentum).sub_(g, alpha=work.learning_rate)
                parameters[i].add_(state[i])
        else:
            for i in range(4):
                if i % 2 == 0:
                    parameters[i].mul_(decay)
                parameters[i].sub_(gradient[i], alpha=work.learning_rate)

    return torch.compile(step, dynamic=False, fullgraph=True)


#: The steps compiled since the last forget, by work and rows.
_steps: dict[tuple[Work, int], Step] = {}


class CompiledModel(Model):
    def __init__(self, work: Work, parameters: Parameters, seed: int) -> None:
        super().__init__(work, parameters, seed)
        self.parameters = [torch.from_numpy(array.copy()) for array in parameters]
        per_tensor = 2 if work.optimizer == "adam" else 1 if work.momentum else 0
        self.state = [torch.zeros_like(p) for p in self.parameters for _ in range(per_tensor)]
        self.random = torch.Generator().manual_seed(seed)
        self.n_steps = 0
        self.rate = torch.zeros(2)

    def bind(self, x: Array, labels: Array) -> None:
        self.x = torch.from_numpy(x)
        self.y = torch.from_numpy(one_hot(labels, self.work.layers[-1]))
        key = (self.work, len(x))
        if key not in _steps:
            _steps[key] = make_step(*key)
        self.step = _steps[key]

    @torch.inference_mode()
    def train(self, epochs: int) -> float:
        began = time.perf_counter()
        is_adam = self.work.optimizer == "adam"
        for _ in range(epochs):
            order = torch.randperm(len(self.x), generator=self.random)
            for rows in order.split(self.work.batch_size):
                if is_adam:
                    self.set_rate()
                self.step(self.parameters, self.state, self.x, self.y, rows, self.rate)
        return time.perf_counter() - began

    def set_rate(self) -> None:
        """Adam's two corrections for the number of steps, as numbers that need no new code."""
        self.n_steps += 1
        self.rate[0] = self.work.learning_rate / (1.0 - 0.9**self.n_steps)
        self.rate[1] = 1.0 / (1.0 - 0.999**self.n_steps)

    @torch.inference_mode()
    def forward(self, x: Array) -> Array:
        w1, b1, w2, b2 = self.parameters
        hidden = ACTIVATIONS[self.work.hidden](torch.addmm(b1, torch.from_numpy(x), w1))
        z = torch.addmm(b2, hidden, w2)
        a = torch.sigmoid(z) if self.work.output == "sigmoid" else torch.softmax(z, 1)
        outputs: Array = np.asarray(a)
        return outputs


class CompiledPeer(TorchPeer):
    def model(self, work: Work, parameters: Parameters, seed: int) -> CompiledModel:
        return CompiledModel(work, parameters, seed)

    def forget(self) -> None:
        _steps.clear()
        torch._dynamo.reset()


def make() -> CompiledPeer:
    torch.set_num_threads(1)
    return CompiledPeer()
