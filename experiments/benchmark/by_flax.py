"""Flax nnx and optax, as their guides show it: one call of an `nnx.jit` step per mini-batch, without a scan."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from experiments.benchmark.tasks import Layers, Task, timed

ACTIVATIONS = {"sigmoid": nnx.sigmoid, "relu": nnx.relu}


class Network:
    """The module, its optimiser, and one compiled step."""

    def __init__(self, task: Task) -> None:
        """Copies the start into the module, and the data to the device."""
        self.task = task
        self.x, self.y = jnp.asarray(task.data.pixels), jnp.asarray(task.data.targets)
        self.model = sequential(task)
        self.optimizer = nnx.Optimizer(self.model, sgd(task.eta), wrt=nnx.Param)
        self.step = step(COSTS[task.cost])

    @timed
    def epoch(self, seed: int) -> None:
        """A Python loop; the rows are gathered within the step."""
        for rows in self.task.batches(seed):
            self.step(self.model, self.optimizer, self.x, self.y, rows)
        jax.block_until_ready(nnx.state(self.model))

    def params(self) -> list[Layers]:
        """Of the one network."""
        linears = self.model.layers[::2]
        return [[(np.asarray(linear.kernel[...]).T, np.asarray(linear.bias[...])) for linear in linears]]


def sequential(task: Task) -> nnx.Sequential:
    """The task's network up to its raw output, from the task's start."""
    modules = []
    for W, b in task.start:
        linear = nnx.Linear(W.shape[1], W.shape[0], rngs=nnx.Rngs(0))
        linear.kernel[...], linear.bias[...] = jnp.asarray(W.T), jnp.asarray(b)
        modules += [linear, ACTIVATIONS[task.activation]]
    return nnx.Sequential(*modules[:-1])


sgd = cache(optax.sgd)  # networks with the same eta share it, and therefore the compiled step


@cache
def step(cost: Callable) -> Callable:
    """A compiled update of the model in place."""

    @nnx.jit
    def update(model, optimizer, x, y, rows):
        gradient = nnx.grad(lambda model: cost(model(x[rows]), y[rows]))(model)
        optimizer.update(model, gradient)

    return update


def quadratic(z: jax.Array, y: jax.Array) -> jax.Array:
    """`½ ‖σ(z) − y‖²`, mean over rows."""
    return optax.l2_loss(jax.nn.sigmoid(z), y).sum(axis=1).mean()


def log_likelihood(z: jax.Array, y: jax.Array) -> jax.Array:
    """`−Σ y ln softmax(z)`, mean over rows."""
    return optax.softmax_cross_entropy(z, y).mean()


COSTS = {"quadratic": quadratic, "log-likelihood": log_likelihood}
