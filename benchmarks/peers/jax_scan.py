"""JAX: all steps of a call in one lax.scan under jit, the parameters donated."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import jaxlib
import numpy as np
from jax import lax

from benchmarks.peers.base import Array, Model, Parameters, Peer, Work, one_hot

ACTIVATIONS = {"sigmoid": jax.nn.sigmoid, "relu": jax.nn.relu, "tanh": jnp.tanh}


def keeps_transposed(work: Work) -> bool:
    """Whether the weights are kept as (outputs, inputs): faster for small batches."""
    return work.batch_size < 50


def oriented(work: Work, parameters: Any) -> Any:
    """From (inputs, outputs) to how the weights are kept, and back."""
    if keeps_transposed(work):
        return tuple(p.T for p in parameters)  # biases stay as they are
    return tuple(parameters)


def logits(work: Work, parameters: Any, x: Any) -> Any:
    w1, b1, w2, b2 = oriented(work, parameters)
    return ACTIVATIONS[work.hidden](x @ w1 + b1) @ w2 + b2


def loss(parameters: Any, work: Work, x: Any, y: Any) -> Any:
    z = logits(work, parameters, x)
    if work.output == "softmax":
        return -jnp.sum(y * jax.nn.log_softmax(z)) / len(x)
    # -y ln a - (1 - y) ln(1 - a) from z, without overflow
    return jnp.sum(jax.nn.softplus(z) - y * z) / len(x)


def step(work: Work, penalty: float, x: Any, y: Any, carried: Any, rows: Any) -> Any:
    """One step on the rows given; what is carried: parameters, the optimiser's state, its t."""
    parameters, state, t = carried
    gradient = jax.grad(loss)(parameters, work, x[rows], y[rows])
    if work.optimizer == "adam":
        t = t + 1
        first = [0.9 * p + 0.1 * g for p, g in zip(state[0], gradient, strict=True)]
        second = [0.999 * q + 0.001 * g * g for q, g in zip(state[1], gradient, strict=True)]
        rate, scale = work.learning_rate / (1 - 0.9**t), 1 / (1 - 0.999**t)
        parameters = tuple(
            w - rate * p / (jnp.sqrt(q * scale) + 1e-8)
            for w, p, q in zip(parameters, first, second, strict=True)
        )
        return (parameters, (tuple(first), tuple(second)), t), None
    gradient = tuple(
        g + penalty * w if w.ndim == 2 else g for w, g in zip(parameters, gradient, strict=True)
    )
    if work.momentum:
        state = tuple(
            work.momentum * v - work.learning_rate * g for v, g in zip(state, gradient, strict=True)
        )
        parameters = tuple(w + v for w, v in zip(parameters, state, strict=True))
    else:
        parameters = tuple(
            w - work.learning_rate * g for w, g in zip(parameters, gradient, strict=True)
        )
    return (parameters, state, t), None


@partial(jax.jit, static_argnums=0, donate_argnums=1)
def run(work: Work, carried: Any, x: Any, y: Any, order: Any) -> Any:
    """All steps of `order` (n_steps, batch_size), on which the arrays go on to depend."""
    penalty = work.l2 / len(x)
    return lax.scan(partial(step, work, penalty, x, y), carried, order)[0]


@partial(jax.jit, static_argnums=0)
def outputs(work: Work, parameters: Any, x: Any) -> Any:
    z = logits(work, parameters, x)
    return jax.nn.sigmoid(z) if work.output == "sigmoid" else jax.nn.softmax(z)


class JaxModel(Model):
    def __init__(self, work: Work, parameters: Parameters, seed: int) -> None:
        super().__init__(work, parameters, seed)
        self.rng = np.random.default_rng(seed)

        parameters = oriented(work, parameters)

        def zeros() -> tuple[Any, ...]:
            return tuple(jnp.zeros(array.shape, jnp.float32) for array in parameters)

        state: Any = (zeros(), zeros()) if work.optimizer == "adam" else ()
        if work.momentum:
            state = zeros()
        start = tuple(jnp.array(array) for array in parameters)
        self.carried = (start, state, jnp.zeros((), jnp.float32))

    def bind(self, x: Array, labels: Array) -> None:
        self.x = jax.device_put(x)
        self.y = jax.device_put(one_hot(labels, self.work.layers[-1]))

    def train(self, epochs: int) -> float:
        """A last batch that is short is left to fall, so that all have one shape."""
        began = time.perf_counter()
        n, m = len(self.x), self.work.batch_size
        orders = [self.rng.permutation(n)[: n // m * m] for _ in range(epochs)]
        order = np.concatenate(orders).reshape(-1, m).astype(np.int32)
        self.carried = run(self.work, self.carried, self.x, self.y, order)
        jax.block_until_ready(self.carried)
        return time.perf_counter() - began

    def forward(self, x: Array) -> Array:
        return np.asarray(outputs(self.work, self.carried[0], x))


class JaxPeer(Peer):
    def version(self) -> str:
        return f"jax {jax.__version__}, jaxlib {jaxlib.__version__}"

    def model(self, work: Work, parameters: Parameters, seed: int) -> JaxModel:
        return JaxModel(work, parameters, seed)

    def forget(self) -> None:
        jax.clear_caches()

    def gradient(self, x: Array, targets: Array, parameters: Parameters) -> Any:
        """In float64, which JAX has in a context of its own."""
        with jax.enable_x64(True):
            start = tuple(jnp.array(array, jnp.float64) for array in parameters)
            inputs, wanted = jnp.array(x), jnp.array(targets)

            def cost(parameters: Any) -> Any:
                w1, b1, w2, b2 = parameters
                error = jnp.tanh(inputs @ w1 + b1) @ w2 + b2 - wanted
                return 0.5 * jnp.sum(error * error) / len(x)

            compiled = jax.jit(jax.value_and_grad(cost)).lower(start).compile()
        return lambda: jax.block_until_ready(compiled(start))


def make() -> JaxPeer:
    return JaxPeer()
