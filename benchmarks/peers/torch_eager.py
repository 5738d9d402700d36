"""PyTorch as its tutorials write it: modules, autograd, torch.optim."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.peers.base import Array, Model, Parameters, Peer, Work, one_hot

ACTIVATIONS = {"sigmoid": nn.Sigmoid, "relu": nn.ReLU, "tanh": nn.Tanh}


def make_network(work: Work, parameters: Parameters) -> nn.Sequential:
    n_in, n_hidden, n_out = work.layers
    net = nn.Sequential(
        nn.Linear(n_in, n_hidden), ACTIVATIONS[work.hidden](), nn.Linear(n_hidden, n_out)
    )
    w1, b1, w2, b2 = (torch.from_numpy(array) for array in parameters)
    with torch.no_grad():
        for mine, given in zip(net.parameters(), (w1.T, b1, w2.T, b2), strict=True):
            mine.copy_(given)
    return net


def make_optimizer(work: Work, net: nn.Sequential, n_rows: int) -> torch.optim.Optimizer:
    """Fused, the fastest form it has; the penalty is for weights alone."""
    if work.optimizer == "adam":
        return torch.optim.Adam(net.parameters(), lr=work.learning_rate, fused=True)
    weights = [p for p in net.parameters() if p.ndim == 2]
    biases = [p for p in net.parameters() if p.ndim == 1]
    groups: list[dict[str, Any]] = [
        {"params": weights, "weight_decay": work.l2 / n_rows},
        {"params": biases},
    ]
    return torch.optim.SGD(groups, lr=work.learning_rate, momentum=work.momentum, fused=True)


class TorchModel(Model):
    def __init__(self, work: Work, parameters: Parameters, seed: int) -> None:
        super().__init__(work, parameters, seed)
        self.net = make_network(work, parameters)
        self.optimizer: torch.optim.Optimizer | None = None
        self.random = torch.Generator().manual_seed(seed)

    def bind(self, x: Array, labels: Array) -> None:
        self.x = torch.from_numpy(x)
        if self.work.output == "sigmoid":
            self.y = torch.from_numpy(one_hot(labels, self.work.layers[-1]))
        else:
            self.y = torch.from_numpy(labels.astype(np.int64))
        if self.optimizer is None:
            self.optimizer = make_optimizer(self.work, self.net, len(x))

    def train(self, epochs: int) -> float:
        began = time.perf_counter()
        m = self.work.batch_size
        assert self.optimizer is not None
        for _ in range(epochs):
            for rows in torch.randperm(len(self.x), generator=self.random).split(m):
                self.optimizer.zero_grad()
                loss = self.loss(self.net(self.x[rows]), self.y[rows])
                loss.backward()
                self.optimizer.step()
        return time.perf_counter() - began

    def loss(self, z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        if self.work.output == "softmax":
            return nn.functional.cross_entropy(z, y)
        if self.work.is_quadratic:
            return 0.5 * nn.functional.mse_loss(torch.sigmoid(z), y, reduction="sum") / len(z)
        summed = nn.functional.binary_cross_entropy_with_logits(z, y, reduction="sum")
        return summed / len(z)

    def forward(self, x: Array) -> Array:
        with torch.inference_mode():
            z = self.net(torch.from_numpy(x))
            a = torch.sigmoid(z) if self.work.output == "sigmoid" else torch.softmax(z, 1)
        outputs: Array = a.numpy()
        return outputs


class TorchPeer(Peer):
    def version(self) -> str:
        return f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}"

    def model(self, work: Work, parameters: Parameters, seed: int) -> Model:
        return TorchModel(work, parameters, seed)

    def gradient(self, x: Array, targets: Array, parameters: Parameters) -> Any:
        work = Work((x.shape[1], len(parameters[1]), len(parameters[3])), len(x), 0.0)
        net = make_network(work, parameters).double()
        net[1] = nn.Tanh()
        inputs, wanted = torch.from_numpy(x), torch.from_numpy(targets)

        def cost_and_gradient() -> tuple[float, list[Array]]:
            cost = 0.5 * ((net(inputs) - wanted) ** 2).sum() / len(inputs)
            gradient = torch.autograd.grad(cost, list(net.parameters()))
            return cost.item(), [g.numpy() for g in gradient]

        return cost_and_gradient


def make() -> TorchPeer:
    torch.set_num_threads(1)
    return TorchPeer()
