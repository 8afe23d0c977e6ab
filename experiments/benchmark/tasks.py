"""The work of the benchmark: which network is trained, on what, from which start, in which order.

Shape letters: `n` examples, `B` the mini-batch size, `n_in` and `n_out` the widths of one layer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, NamedTuple, Protocol

import jax
import numpy as np

from fnn.data import load_data, sources
from fnn.training.order import permutation

Layers = Sequence[tuple[np.ndarray, np.ndarray]]  # per layer W (n_out, n_in), b (n_out,), float32


class Unavailable(Exception):
    """A contestant cannot run on this machine; the message says what is missing."""


@dataclass(frozen=True, eq=False)
class Data:
    """Images as bytes, as they are stored, and as the float32 matrix that every peer is given."""

    x: np.ndarray  # (n, 784) uint8
    y: np.ndarray  # (n, 10) uint8, one-hot

    @property
    def n(self) -> int:
        """The number of examples."""
        return len(self.x)

    @cached_property
    def pixels(self) -> np.ndarray:
        """`x / 255` as float32, `(n, 784)`; converted before timing starts."""
        return self.x.astype(np.float32) * np.float32(1 / 255)

    @cached_property
    def targets(self) -> np.ndarray:
        """`y` as float32, `(n, 10)`."""
        return self.y.astype(np.float32)


class Task(NamedTuple):
    """A network to train with plain stochastic gradient descent."""

    widths: tuple[int, ...]  # inputs first, outputs last
    activation: str  # of the hidden layers: "sigmoid" or "relu"
    cost: str  # "quadratic" or "cross-entropy" of sigmoid outputs, "log-likelihood" of softmax outputs
    batch_size: int
    eta: float
    start: Layers
    data: Data
    order: Callable[[int, int], np.ndarray]  # (seed, n) -> the order of the examples, for all but fnn
    filters: tuple[int, ...] = ()  # of 5 x 5, before pools of 2 x 2 and the activation, in front of the dense layers
    stream: int = 0  # added to the seed of every epoch: networks with different streams have different orders

    def batches(self, seed: int) -> np.ndarray:
        """The rows of each mini-batch of an epoch, `(n // B, B)`; n is a multiple of B in every task."""
        return self.order(seed + self.stream, self.data.n).reshape(-1, self.batch_size)


class Trainer(Protocol):
    """What every contestant is here: something that trains an epoch and shows its parameters."""

    def epoch(self, seed: int) -> float:
        """Go once through the data in the order of `seed`; the result is the seconds this took."""
        ...

    def params(self) -> list[Layers]:
        """The present weights and biases of each network that is being trained."""
        ...


def timed(method: Callable[[Any, Any], None]) -> Callable[[Any, Any], float]:
    """The method with its wall-clock seconds as its result."""

    @wraps(method)
    def seconds(self: Any, argument: Any) -> float:
        start = time.perf_counter()
        method(self, argument)
        return time.perf_counter() - start

    return seconds


def numpy_order(seed: int, n: int) -> np.ndarray:
    """The order of NumPy's own shuffle, which a peer would use; its time is a part of the peer's epoch."""
    return np.random.default_rng(seed).permutation(n)


def fnn_order(seed: int, n: int) -> np.ndarray:
    """The order that `fnn` computes inside its program, which all contestants use when their updates are compared."""
    return np.array(permutation(key(seed), n))  # a copy that may be written to, which PyTorch asks for


def key(seed: int) -> jax.Array:
    """The key of an epoch's order; folded as in `fnn.sweep`, whose first epoch is number 1."""
    return jax.random.fold_in(jax.random.key(seed), 1)


def images(n: int) -> tuple[Data, str]:
    """The first `n` training images of MNIST where it is present, else random ones; and which of the two."""
    if any(source.name == "mnist" and source.present for source in sources()):
        train = load_data("mnist", validation=10_000).train
        return Data(np.asarray(train.x[:n]), np.asarray(train.y[:n])), "MNIST"
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (n, 784), dtype=np.uint8)
    return Data(x, np.eye(10, dtype=np.uint8)[rng.integers(0, 10, n)]), "random bytes"


def resized(data: Data, n: int) -> Data:
    """The first `n` examples, repeated from the beginning where there are fewer."""
    return Data(np.resize(data.x, (n, data.x.shape[1])), np.resize(data.y, (n, data.y.shape[1])))


def small_net(data: Data, seed: int = 0, *, widths: tuple[int, ...] = (784, 30, 10), eta: float = 3.0) -> Task:
    """Nielsen's network of chapter 1: sigmoids, quadratic cost, B = 10; `W ~ N(0, 1/n_in)`, `b ~ N(0, 1)`."""
    rng = np.random.default_rng(seed)
    start = [
        (_normal(rng, k, j) / np.float32(j**0.5), _normal(rng, k)) for j, k in zip(widths, widths[1:], strict=False)
    ]
    return Task(widths, "sigmoid", "quadratic", 10, eta, start, data, numpy_order)


def wide_net(data: Data, *, widths: tuple[int, ...] = (784, 800, 800, 10), batch_size: int = 128) -> Task:
    """ReLU and softmax, where matrix products are most of the work; `W ~ N(0, 2/n_in)`, `b = 0`."""
    rng = np.random.default_rng(0)
    start = [
        (_normal(rng, k, j) * np.float32((2 / j) ** 0.5), np.zeros(k, np.float32))
        for j, k in zip(widths, widths[1:], strict=False)
    ]
    return Task(widths, "relu", "log-likelihood", batch_size, 0.1, start, data, numpy_order)


def conv_net(data: Data, filters: tuple[int, ...], *, batch_size: int = 10, units: int = 100) -> Task:
    """Nielsen's networks of chapter 6: shared filters, sigmoids, softmax; `W ~ N(0, 1/n_in)`, `b ~ N(0, 1)`."""
    rng = np.random.default_rng(0)
    shapes, side = [], 28
    for before, f in zip((1, *filters), filters, strict=False):
        shapes.append((f, before, 5, 5))
        side = (side - 4) // 2
    widths = filters[-1] * side**2, units, 10
    shapes += [(k, j) for j, k in zip(widths, widths[1:], strict=False)]
    start = [(_normal(rng, *shape) / np.float32(np.prod(shape[1:]) ** 0.5), _normal(rng, shape[0])) for shape in shapes]
    return Task(widths, "sigmoid", "log-likelihood", batch_size, 0.1, start, data, numpy_order, filters)


def _normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape, np.float32)


def flops(task: Task) -> int:
    """Floating-point operations of the matrix products of one step: forward, weight gradients, deltas but the first."""
    sizes = [j * k for j, k in zip(task.widths, task.widths[1:], strict=False)]
    return 2 * task.batch_size * (3 * sum(sizes) - sizes[0])
