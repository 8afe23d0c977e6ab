"""Equinox and optax: one call of an `eqx.filter_jit` step per mini-batch, as its guides show it; and the same scanned.

The scanned one is what an expert would write for speed. Its distance from `fnn` is not due to the scan.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from experiments.benchmark.tasks import Layers, Task, timed

ACTIVATIONS = {"sigmoid": jax.nn.sigmoid, "relu": jax.nn.relu}


class Network:
    """The module, the optimiser's state, and one compiled step."""

    def __init__(self, task: Task) -> None:
        """Copies the start into the module, and the data to the device."""
        self.task = task
        self.x, self.y = jnp.asarray(task.data.pixels), jnp.asarray(task.data.targets)
        self.model = perceptron(task)
        self.state = optax.sgd(task.eta).init(eqx.filter(self.model, eqx.is_inexact_array))
        self.step = compiled_step(task.eta, COSTS[task.cost])

    @timed
    def epoch(self, seed: int) -> None:
        """A Python loop; the rows are gathered within the step."""
        for rows in self.task.batches(seed):
            self.model, self.state = self.step(self.model, self.state, self.x, self.y, rows)
        jax.block_until_ready(jax.tree.leaves(eqx.filter(self.model, eqx.is_array)))

    def params(self) -> list[Layers]:
        """Of the one network."""
        return [[(np.asarray(linear.weight), np.asarray(linear.bias)) for linear in self.model.layers]]


class Scanned:
    """The same network, its whole epoch one compiled scan."""

    def __init__(self, task: Task) -> None:
        """As `Network`."""
        self.network = Network(task)
        self.run = compiled_epoch(task.eta, COSTS[task.cost])

    @timed
    def epoch(self, seed: int) -> None:
        """One call."""
        one = self.network
        one.model, one.state = self.run(one.model, one.state, one.x, one.y, one.task.batches(seed))
        jax.block_until_ready(jax.tree.leaves(eqx.filter(one.model, eqx.is_array)))

    def params(self) -> list[Layers]:
        """Of the one network."""
        return self.network.params()


def perceptron(task: Task) -> eqx.nn.MLP:
    """The task's network up to its raw output, from the task's start; its hidden layers are of one width."""
    n_in, *hidden, n_out = task.widths
    model = eqx.nn.MLP(n_in, n_out, hidden[0], len(hidden), ACTIVATIONS[task.activation], key=jax.random.key(0))
    leaves = [jnp.asarray(leaf) for pair in task.start for leaf in pair]
    return eqx.tree_at(lambda m: [leaf for layer in m.layers for leaf in (layer.weight, layer.bias)], model, leaves)


@cache  # networks with the same eta share the compiled step
def compiled_step(eta: float, cost: Callable) -> Callable:
    """One step."""
    return eqx.filter_jit(update(optax.sgd(eta), cost))


@cache
def compiled_epoch(eta: float, cost: Callable) -> Callable:
    """All steps of an epoch."""
    return eqx.filter_jit(scan(update(optax.sgd(eta), cost)))


def update(optimizer: optax.GradientTransformation, cost: Callable) -> Callable:
    """One step as a pure function of the model and the optimiser's state."""

    def step(model, state, x, y, rows):
        gradient = eqx.filter_grad(lambda model: cost(jax.vmap(model)(x[rows]), y[rows]))(model)
        updates, state = optimizer.update(gradient, state, model)
        return eqx.apply_updates(model, updates), state

    return step


def scan(step: Callable) -> Callable:
    """All steps of an epoch; the carry has only the arrays of the model."""

    def run(model, state, x, y, batches):
        arrays, rest = eqx.partition(model, eqx.is_array)

        def on(carry, rows):
            model, state = step(eqx.combine(carry[0], rest), carry[1], x, y, rows)
            return (eqx.filter(model, eqx.is_array), state), None

        (arrays, state), _ = jax.lax.scan(on, (arrays, state), batches)
        return eqx.combine(arrays, rest), state

    return run


def quadratic(z: jax.Array, y: jax.Array) -> jax.Array:
    """`½ ‖σ(z) − y‖²`, mean over rows."""
    return optax.l2_loss(jax.nn.sigmoid(z), y).sum(axis=1).mean()


def log_likelihood(z: jax.Array, y: jax.Array) -> jax.Array:
    """`−Σ y ln softmax(z)`, mean over rows."""
    return optax.softmax_cross_entropy(z, y).mean()


COSTS = {"quadratic": quadratic, "log-likelihood": log_likelihood}
