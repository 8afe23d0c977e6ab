"""`fnn` itself: `fnn.epoch` with either gradient, and `fnn.sweep` for many networks."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

import fnn
from experiments.benchmark.tasks import Layers, Task, key, timed
from fnn.types import Gradient, Key

ACTIVATIONS = {"sigmoid": fnn.Sigmoid(), "relu": fnn.ReLU()}
COSTS = {"quadratic": fnn.Quadratic(), "cross-entropy": fnn.CrossEntropy(), "log-likelihood": fnn.LogLikelihood()}


def backprop(task: Task) -> Network:
    """`fnn.epoch` with the handwritten gradient."""
    return Network(task, fnn.backprop)


def autodiff(task: Task) -> Network:
    """`fnn.epoch` with the automatic gradient."""
    return Network(task, fnn.autodiff)


class Network:
    """One network, trained by `fnn.epoch` on images as bytes; the order is computed within the program."""

    def __init__(self, task: Task, gradient: Gradient, convolution: type[fnn.ConvPool] = fnn.ConvPool) -> None:
        """Copies the data to the device."""
        self.net, self.cost, self.sgd = description(task, convolution)
        self.trained = params_of(task)
        self.examples = examples(task)
        self.settings = {"batch_size": task.batch_size, "gradient": gradient}
        self.stream = task.stream

    def epoch(self, seed: int) -> float:
        """One call of the compiled scan; its key is made before, as in `fnn.fit`."""
        return self._run(jax.block_until_ready(key(seed + self.stream)))

    @timed
    def _run(self, key: Key) -> None:
        trained = fnn.epoch(self.net, self.cost, self.sgd, self.trained, (), self.examples, key, **self.settings)
        self.trained, _ = jax.block_until_ready(trained)

    def params(self) -> list[Layers]:
        """Of the one network."""
        return [layers_of(self.trained)]


def working_bytes(task: Task, n: int, gradient: Gradient) -> int:
    """What the compiled epoch over `n` examples needs beside its arguments and results, as the compiler counts it."""
    net, cost, sgd = description(task)
    stored = [jax.ShapeDtypeStruct((n, *rows.shape[1:]), rows.dtype) for rows in (task.data.x, task.data.y)]
    arguments = net, cost, sgd, params_of(task), (), fnn.Examples(*stored, np.float32(1 / 255)), key(0)
    lowered = fnn.epoch.lower(*arguments, batch_size=task.batch_size, gradient=gradient)
    return int(lowered.compile().memory_analysis().temp_size_in_bytes)


def sweep_by_backprop(tasks: Sequence[Task]) -> Sweep:
    """All networks in one program, with one order for all, by hand."""
    return Sweep(tasks, fnn.backprop, tasks[0].stream)


def sweep_by_autodiff(tasks: Sequence[Task]) -> Sweep:
    """All networks in one program, with one order for all, by `jax.grad`."""
    return Sweep(tasks, fnn.autodiff, tasks[0].stream)


def sweep_with_own_orders(tasks: Sequence[Task]) -> Sweep:
    """All networks in one program, each in an order of its own."""
    return Sweep(tasks, fnn.backprop, np.array([task.stream for task in tasks]))


class Sweep:
    """Networks of one shape, each with its eta and its start, trained together by `fnn.sweep`."""

    def __init__(self, tasks: Sequence[Task], gradient: Gradient, streams: int | np.ndarray) -> None:
        """Stacks the starts; `streams` is one number for an order that is shared, or one per network."""
        self.net, self.cost, _ = description(tasks[0])
        self.sgd = fnn.SGD(jnp.array([task.eta for task in tasks], jnp.float32))
        layers = zip(*(task.start for task in tasks), strict=True)
        starts = [tuple(map(np.stack, zip(*pairs, strict=True))) for pairs in layers]
        self.trained = params_of(tasks[0]._replace(start=starts))
        self.examples = examples(tasks[0])
        self.settings = {"batch_size": tasks[0].batch_size, "epochs": 1, "gradient": gradient}
        self.streams = streams

    def epoch(self, seed: int) -> float:
        """The seconds that `fnn.sweep` reports: of the training alone, without its evaluation."""
        seeds = jnp.asarray(seed + self.streams)
        keys = jax.vmap(jax.random.key)(seeds) if seeds.ndim else jax.random.key(seeds)
        (result,) = fnn.sweep(self.net, self.cost, self.sgd, self.trained, self.examples, keys, **self.settings)
        self.trained = result.params
        return result.seconds

    def params(self) -> list[Layers]:
        """Of every network."""
        count = len(self.sgd.eta)
        return [layers_of(jax.tree.map(lambda leaf, i=i: leaf[i], self.trained)) for i in range(count)]


def description(task: Task, convolution: type[fnn.ConvPool] = fnn.ConvPool) -> tuple[fnn.Net, fnn.Cost, fnn.SGD]:
    """The task in the words of `fnn`."""
    shared = [layer for f in task.filters for layer in (convolution(f, 5, 2), ACTIVATIONS[task.activation])]
    before = (*shared, fnn.Flatten()) if shared else ()
    hidden = [layer for units in task.widths[1:-1] for layer in (fnn.Dense(units), ACTIVATIONS[task.activation])]
    return (*before, *hidden, fnn.Dense(task.widths[-1])), COSTS[task.cost], fnn.SGD(task.eta)


def params_of(task: Task) -> fnn.Params:
    """The start as params of the task's net."""
    net, _, _ = description(task)
    template = jax.eval_shape(lambda key: fnn.init(net, key, shape_of(task)), jax.random.key(0))
    return jax.tree.unflatten(jax.tree.structure(template), [jnp.asarray(leaf) for pair in task.start for leaf in pair])


def shape_of(task: Task) -> fnn.Shape:
    """Of an example: an image for filters, else a row."""
    return (1, 28, 28) if task.filters else task.widths[:1]


def layers_of(params: fnn.Params) -> Layers:
    """The weights and biases in params, in order."""
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(params)]
    return list(zip(leaves[::2], leaves[1::2], strict=True))


def examples(task: Task) -> fnn.Examples:
    """The bytes on the device; the network sees them times 1/255."""
    return jax.device_put(fnn.Examples(task.data.x.reshape(-1, *shape_of(task)), task.data.y, np.float32(1 / 255)))
