"""Parts of an epoch: the same steps as `training.epoch`, bit for bit, between any two of its chunks.

An epoch's chunks are its turns (the mini-batches whose rows are gathered at once) and, when some are left, one more
for its end. Where a segment starts and stops is traced, so one program runs them all, and control comes back to
Python as often as a caller wants: to save, to stop, to look. Shape letters: `n` examples, `B` the mini-batch size.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator
from functools import partial, reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fnn.examples import Examples
from fnn.training import monitors
from fnn.training.augmentation import Shifted
from fnn.training.blocked_steps import together
from fnn.training.epochs import shapes, steps, turn
from fnn.training.order import permutation
from fnn.training.streaming import Window, capacity, in_file, windows
from fnn.types import Array, Cost, Gradient, Key, Net, Optimizer, Params


@partial(jax.jit, static_argnames="n")
def order(key: Key, epoch: int, n: int) -> Array:
    """The order of the examples in this epoch of a training with this key, `(n,)`: once, not once per segment."""
    return permutation(jax.random.fold_in(key, epoch), n)


def count(n: int, batch_size: int) -> int:
    """The number of chunks of an epoch."""
    (turns, _, _), *ends = shapes(n, batch_size)
    return turns + any(math.prod(shape) for shape in ends)


def steps_before(chunk: int, n: int, batch_size: int) -> int:
    """The number of mini-batches in the first `chunk` chunks."""
    size = shapes(n, batch_size)[0][1]
    return min(chunk * size, -(-n // batch_size)) if chunk < count(n, batch_size) else -(-n // batch_size)


def chunk_at(steps: int, n: int, batch_size: int) -> int:
    """The chunk that begins after `steps` mini-batches.

    Raises:
        ValueError: none does.
    """
    chunk = bisect_left(range(count(n, batch_size)), steps, key=lambda c: steps_before(c, n, batch_size))
    if steps_before(chunk, n, batch_size) != steps:
        raise ValueError(f"an epoch of {n} examples in mini-batches of {batch_size} cannot go on after {steps} steps.")
    return chunk


def parts(
    examples: Examples | Shifted, order: Array, first: int, batch_size: int
) -> Iterator[tuple[int, Examples | Shifted | Window | None, Array]]:
    """What the chunks from `first` on are trained with: `(last, examples, order)`, in turn up to each `last`.

    Examples in memory are one part. Of those in a file each part is a window, which is filled in the epoch's order, so
    that its own order is 0, 1, ...; from the end of the epoch on it is one window of nothing, to compile with. None
    comes now and then while a window is being read, with the `last` there was.
    """
    n, end = len(order), count(len(order), batch_size)
    if not in_file(examples):
        yield end, examples, order
        return
    size = math.prod(shapes(n, batch_size)[0][1:])
    chunks = max(1, min(end, capacity(examples.x) // size))
    rows, positions = np.asarray(order), jnp.arange(n, dtype=jnp.int32)
    spans = ((c * size, rows[c * size : (c + chunks) * size]) for c in range(first, end, chunks) or [end])
    for window in windows(examples, spans, chunks * size):
        if window is not None:
            first = min(end, int(window.first) // size + chunks)
        yield first, window, positions


@partial(jax.jit, static_argnames=("batch_size", "gradient"))
def segment(
    net: Net,
    cost: Cost,
    optimizer: Optimizer,
    params: Params,
    v: Params,
    examples: Examples | Shifted | Window,
    order: Array,
    first: int,
    last: int,
    tally: Any = (),
    *,
    batch_size: int,
    gradient: Gradient,
) -> tuple[Params, Params, Any, Array]:
    """The parameters, the optimiser's state and the tally after the chunks `first` ... `last - 1`; are all finite?

    Nan and infinity do not go away again, so that "finite" speaks for every step of the segment.

    Args:
        net: The layers.
        cost: The cost.
        optimizer: As for `epoch`.
        params: Of `net`.
        v: The optimiser's state.
        examples: As for `epoch`.
        order: Of the epoch, `order(key, epoch, n)`, `(n,)`.
        first: The first chunk; traced, like `last`.
        last: The one after the last chunk; a segment of none, `first` to `first`, does nothing but compile.
        tally: Of the epoch so far, see `monitors`; `()` if nobody monitors it.
        batch_size: B.
        gradient: `backprop` or `autodiff`.
    """

    def on(carry, x, y):
        params, v, tally = carry
        if tally == ():
            state = steps(net, cost, optimizer, (params, v), x, y, batch_size=batch_size, gradient=gradient)
            return *state, tally
        _, nabla = gradient(net, cost, params, x, y)
        tally, params = monitors.saw(tally, net, cost, optimizer, params, v, x, y, gradient)
        return *optimizer.update(params, v, nabla), tally

    many = together(net, optimizer, params, v, len(order), gradient, batch_size) if tally == () else 1
    params, v, tally = _walk(examples, order, batch_size, first, last, on, (params, v, tally), many)
    return params, v, tally, _finite((params, v))


@partial(jax.jit, static_argnames=("batch_size", "gradient"))
def finite_steps(
    net: Net,
    cost: Cost,
    optimizer: Optimizer,
    params: Params,
    v: Params,
    examples: Examples | Shifted | Window,
    order: Array,
    first: int,
    last: int,
    *,
    batch_size: int,
    gradient: Gradient,
) -> tuple[Params, Params, Array]:
    """The state before the first step that goes wrong, and how many of a segment's steps come before it.

    A step goes wrong when its mini-batch's cost, or the parameters or the optimiser's state after it, are not finite.
    Arguments as for `segment`, which does the same steps, to the bit unless it takes several together, and is faster.
    """

    def on(carry, x, y):
        before, well, steps = carry
        value, nabla = gradient(net, cost, before[0], x, y)
        after = optimizer.update(before[0], before[1], nabla)
        well &= jnp.isfinite(value) & _finite(after)
        return jax.tree.map(partial(jnp.where, well), after, before), well, steps + jnp.where(well, 1, 0)

    carry = (params, v), jnp.asarray(True), jnp.asarray(0)
    (params, v), _, steps = _walk(examples, order, batch_size, first, last, on, carry)
    return params, v, steps


def _walk(
    examples: Examples | Shifted | Window,
    order: Array,
    batch_size: int,
    first: int,
    last: int,
    on: Callable[[Any, Array, Array], Any],
    carry: Any,
    many: int = 1,
) -> Any:
    """`on(carry, x, y)` for every mini-batch of the chunks in order, up to `many` at once."""
    (turns, *shape), *ends = shapes(len(order), batch_size)
    rows, order = jnp.split(order, [turns * math.prod(shape)])
    rows = rows.reshape(turns, *shape)
    stop = jnp.minimum(last, turns)
    carry = jax.lax.fori_loop(first, stop, lambda i, carry: turn(examples, on, carry, rows[i], many)[0], carry)
    for _, *shape in ends:
        rows, order = jnp.split(order, [math.prod(shape)])
        if rows.size:
            end = partial(turn, examples, on, rows=rows.reshape(shape), many=many)
            carry = jax.lax.cond(
                (first <= turns) & (last > turns), lambda carry, end=end: end(carry)[0], lambda carry: carry, carry
            )
    return carry


def _finite(tree: Any) -> Array:
    """Whether every entry of every leaf is finite."""
    return reduce(jnp.logical_and, [jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(tree)], jnp.asarray(True))
