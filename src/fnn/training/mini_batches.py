"""Mini-batches: how an epoch is cut into them, and how many the device takes at once.

A *turn* is some mini-batches whose rows are gathered from the data together. An epoch is a sequence of equal turns. At
its end come the whole mini-batches that are left, and then the rows that are left. All choices that depend on the
device are made here; none of them changes which rows make a mini-batch. Shape letters: `n` examples, `B` the mini-batch
size.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from fnn.convolution import Flatten
from fnn.examples import Examples
from fnn.layers import Dense
from fnn.network import backprop
from fnn.optimizers import SGD
from fnn.training.streaming import Source
from fnn.types import Array, Cost, Gradient, Net, Optimizer, Params, is_whole

GATHERED_ROWS = 256  # of a turn, about
SMALL_EPOCH = 2048  # rows; one turn may take them all, since compiling a second one takes longer than many such epochs
LARGE_NET = 100_000  # numbers that the steps of a loop hand on; more take longer to copy than a second body
MANY_ROWS = 64  # of a mini-batch, at least, for that to be so on a CPU
UNROLLED_ON_GPU = 5  # steps of a smaller net in the body of a loop on a GPU; this saves a tenth of the time
BLOCK_ROWS = 40  # of the mini-batches in a block, at most: 20 and 80 gain less
BLOCK_SIZE = 8  # mini-batches in a block, at most, because each of them is compiled
BLOCK_INPUTS, BLOCK_UNITS = 500, 80  # of the first layer, at least, for blocks to be faster: docs/blocked_steps.md
BLOCK_UNITS_ON_GPU = 5000  # with fewer units W stays in the caches of a GPU, and a step takes as long as its launches
CACHED_BYTES = 400_000  # of parameters: a core's cache holds so many, with their gradient and a mini-batch


def platform() -> str:
    """The device that programs are compiled for by default: "cpu", "gpu" or "tpu"."""
    return jax.default_backend()


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["optimizer"],
    meta_fields=["net", "cost", "gradient", "batch_size"],
)
@dataclass(frozen=True)
class Rule:
    """How a mini-batch changes the params. The optimiser's numbers are traced, all else is constant."""

    net: Net
    cost: Cost
    optimizer: Optimizer
    gradient: Gradient
    batch_size: int

    def step(self, state: tuple[Params, Params], x: Array, y: Array) -> tuple[Params, Params]:
        """The params and the optimiser's state after one step on the mini-batch `x`, `y`."""
        params, v = state
        _, nabla = self.gradient(self.net, self.cost, params, x, y)
        return self.optimizer.update(params, v, nabla)


class Body(NamedTuple):
    """What a loop over mini-batches does to its carry."""

    step: Callable[[Any, Array, Array], Any]  # on one mini-batch, `step(carry, x, y)`
    block: Callable[[Any, Array, Array], Any]  # the same for the rows of several, in order
    block_size: int  # mini-batches in a block, at most; with 1 only `step` is used


def by_steps(step: Callable[[Any, Array, Array], Any]) -> Body:
    """The body that takes every mini-batch by itself."""
    return Body(step, step, 1)


def whole(owner: str, name: str, value: object) -> int:
    """A whole number, of Python or NumPy, as Python's.

    Raises:
        TypeError: it is none, such as 2.0, "2", True or None.
    """
    if not is_whole(value):
        raise TypeError(f"{owner}({name}={value!r}): expected a whole number, got a {type(value).__name__}.")
    return operator.index(value)


def number_of_epochs(owner: str, epochs: object) -> int:
    """The number of epochs to train; 0 trains nothing.

    Raises:
        TypeError: it is no whole number.
        ValueError: it is below 0.
    """
    number = whole(owner, "epochs", epochs)
    if number < 0:
        raise ValueError(f"{owner}(epochs={number}): expected at least 0.")
    return number


def steps_per_epoch(n: int, batch_size: int) -> int:
    """The number of mini-batches of an epoch of `n` examples, `ceil(n / batch_size)`: the last one may be shorter."""
    return -(-n // batch_size)


def shapes(n: int, batch_size: int) -> tuple[tuple[int, int, int], ...]:
    """How an epoch is cut: (turns, mini-batches of a turn, rows of a mini-batch), for the equal turns and for the end.

    The first entry is for the equal turns. The two others are one turn with the whole mini-batches that are left, and
    one with the rows that are left. Either may be empty.

    Raises:
        ValueError: B is not in 1 … n.
    """
    if not 1 <= batch_size <= n:
        raise ValueError(f"batch_size={batch_size} for {n} examples: expected 1 to {n}.")
    whole, rest = divmod(n, batch_size)
    size = turn_size(whole, batch_size)
    turns, others = divmod(whole, size)
    return (turns, size, batch_size), (1, others, batch_size), (1, 1, rest)


def turn_size(whole: int, batch_size: int) -> int:
    """How many of `whole` mini-batches make a turn of about `GATHERED_ROWS` rows.

    If `whole` is even, so is the size of a turn, unless it is 1. A divisor of `whole` is preferred, because
    mini-batches that are left are compiled once more. Of the divisors the one is taken that has the largest blocks.
    Without a divisor a small epoch is one turn.
    """
    most = max(1, min(whole, GATHERED_ROWS // batch_size))
    apart = 2 if whole % 2 == 0 and most > 1 else 1
    sizes = range(most - most % apart, most // 2, -apart)
    block = max(1, min(BLOCK_SIZE, BLOCK_ROWS // batch_size))
    left_over = whole if whole * batch_size <= SMALL_EPOCH else sizes[0]
    return max((size for size in sizes if whole % size == 0), key=lambda size: divisor(size, block), default=left_over)


def block_size(rule: Rule, params: Params, v: Params, n: int) -> int:
    """How many mini-batches make a block of `blocked_steps`; 1 where that would be wrong, or is not known to be faster.

    Blocks need three things. The gradient is `backprop`: `autodiff` must differentiate by every weight, and a gradient
    of the user's own may need all weights, for their norm say. The first layer, perhaps after a `Flatten`, is a
    `Dense`. The optimiser is `SGD` without momentum: with a velocity, blocks take longer than they save.

    Args:
        rule: Its net, optimiser and gradient may be of any kind.
        params: Of the net; for several networks on one order, leaves `(m, ...)`.
        v: The optimiser's state.
        n: The number of examples.
    """
    net = rule.net
    if not net or len(net) != len(params) or rule.batch_size < 1:
        return 1  # the code that takes the steps raises the error
    first = flattened(net)
    if not (
        first < len(net)
        and type(net[first]) is Dense
        and type(rule.optimizer) is SGD
        and v == ()
        and rule.gradient is backprop
    ):
        return 1
    W, several = params[first].W, min(BLOCK_ROWS, n) // rule.batch_size
    units, n_in = W.size // W.shape[-1], W.shape[-1]
    pays = (
        several > 2 and n_in >= BLOCK_INPUTS and units >= (BLOCK_UNITS if platform() == "cpu" else BLOCK_UNITS_ON_GPU)
    )
    return min(BLOCK_SIZE, several) if pays else 1


def flattened(net: Net) -> int:
    """How many `Flatten` layers a net begins with."""
    return next((i for i, layer in enumerate(net) if type(layer) is not Flatten), len(net))


def scanned(examples: Any, order: Array, batch_size: int, body: Body, carry: Any) -> Any:
    """The carry after all mini-batches of an epoch whose examples come in this `order`.

    Raises:
        ValueError: B is not in 1 … n.
    """
    for shape in shapes(len(order), batch_size):
        rows, order = jnp.split(order, [math.prod(shape)])
        if rows.size:
            carry, _ = jax.lax.scan(partial(turn, examples, body), carry, rows.reshape(shape))
    return carry


def turn(examples: Source, body: Body, carry: Any, rows: Array) -> tuple[Any, None]:
    """The carry after the mini-batches of the examples `rows`, `(mini-batches, B)`: the body of a scan over turns.

    The rows are gathered before the steps. XLA:CPU estimates the cost of a gather from the size of the array that it
    reads, so a gather inside the step, or one for the whole turn, would start every thread. On a CPU the rows of each
    step are therefore gathered one after another. On a GPU, where every launch costs time, one gather serves the turn.
    """
    size, batch_size = rows.shape
    several = divisor(size, body.block_size)
    batches = rows.reshape(size // several, several * batch_size)
    at_once = None if platform() == "cpu" else len(batches)
    taken = jax.lax.map(lambda rows: examples.take(rows)[:2], batches, batch_size=at_once)
    on, unrolled = (body.block, 1) if several > 1 else (body.step, steps_in_a_body(carry, len(batches), batch_size))
    scale = examples.take(batches[0]).scale  # one for all, so it is not gathered

    def step(carry: Any, batch: tuple[Array, Array]) -> tuple[Any, None]:
        return on(carry, *Examples(*batch, scale).rows(slice(None))), None

    return jax.lax.scan(step, carry, taken, unroll=unrolled)


def steps_in_a_body(carry: Any, count: int, batch_size: int) -> int:
    """How many of `count` steps make one body of the loop over them.

    A large net is unrolled twice, so that two bodies write W to two buffers in turn. With one buffer XLA would copy W
    first, because `backward` still reads it. On a CPU this takes 0.93 to 1.02 of the time for mini-batches of 64 and
    more, and 0.97 to 1.3 for those of 10 to 32 with momentum, with AVX-512 and with AVX2; so small ones are not
    unrolled. On a GPU a small net is unrolled `UNROLLED_ON_GPU` times, because its steps take no longer than their
    launches.
    """
    large = sum(leaf.size for leaf in jax.tree.leaves(carry)) > LARGE_NET
    if platform() == "cpu" and batch_size < MANY_ROWS:
        return 1
    return divisor(count, 2 if large else UNROLLED_ON_GPU if platform() == "gpu" else 1)


def networks_at_once(params: Params, block: int) -> int:
    """How many networks of a sweep step together, of `params` with leaves `(m, ...)`.

    On a CPU: as many as a core's cache holds, times the mini-batches of a `block`. On other devices: all.
    """
    leaves = jax.tree.leaves(params)
    m = leaves[0].shape[0]
    bytes_of_one = sum(leaf.size * leaf.dtype.itemsize for leaf in leaves) // m
    return even(m, block * CACHED_BYTES // bytes_of_one) if platform() == "cpu" else m


def divisor(number: int, most: int) -> int:
    """The largest divisor of `number` that is at most `most`."""
    return next(k for k in range(most, 0, -1) if number % k == 0)


def even(whole: int, most: int) -> int:
    """The size of the parts of `whole`, from 1 to `most`. A divisor is preferred: a rest is compiled once more."""
    most = max(1, min(whole, most))
    return next((size for size in range(most, most // 2, -1) if whole % size == 0), most)
