"""Segments of an epoch: the same steps as `epochs.epoch`, bit for bit, with control back in Python between two turns.

An epoch has turns, numbered from 0; the rows of the mini-batches of a turn are gathered at once. When mini-batches or
rows are left at its end, they make one more turn. Where a segment starts and stops is traced, so one program runs all
segments, and a caller gets control back as often as it wants: to save, to stop, to look. Shape letters: `n` examples,
`B` the mini-batch size.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from functools import partial, reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fnn.examples import Examples
from fnn.training import monitors
from fnn.training.augmentation import Shifted
from fnn.training.epochs import body
from fnn.training.mini_batches import Body, Rule, by_steps, shapes, steps_per_epoch, turn
from fnn.training.spreading import Spread, beside, unspread
from fnn.training.streaming import Source, capacity, in_file, windows
from fnn.types import Array, Params


def count(n: int, batch_size: int) -> int:
    """The number of turns of an epoch."""
    (turns, _, _), *ends = shapes(n, batch_size)
    return turns + any(math.prod(shape) for shape in ends)


def steps_before(turn: int, n: int, batch_size: int) -> int:
    """The number of mini-batches before this turn of an epoch."""
    size, steps = shapes(n, batch_size)[0][1], steps_per_epoch(n, batch_size)
    return min(turn * size, steps) if turn < count(n, batch_size) else steps


def turn_after(steps: int, n: int, batch_size: int) -> int:
    """The turn that begins after `steps` steps.

    Raises:
        ValueError: no turn does.
    """
    found = bisect_left(range(count(n, batch_size)), steps, key=lambda turn: steps_before(turn, n, batch_size))
    if steps_before(found, n, batch_size) != steps:
        raise ValueError(f"an epoch of {n} examples in mini-batches of {batch_size} cannot go on after {steps} steps.")
    return found


def windowed(
    examples: Examples | Shifted | Spread, order: Any, first: int, batch_size: int
) -> Iterator[tuple[int, Source | None, Any]]:
    """What the turns from `first` on are trained with: `(last, examples, order)`, for the turns before each `last`.

    Examples in memory are yielded once, for all turns. Examples in a file are yielded window by window. A window is
    filled in the order of the epoch, so its own order is 0, 1, ... If `first` is the end of the epoch, there is one
    window without examples, to compile with. While a window is being read, `(last, None, order)` is yielded from time
    to time with the previous `last`, so that the caller can stop.
    """
    n, end = len(order), count(len(order), batch_size)
    if not in_file(examples):
        yield end, examples, order
        return
    size = math.prod(shapes(n, batch_size)[0][1:])
    turns = max(1, min(end, capacity(unspread(examples).x) // size))
    rows, positions = np.asarray(order), beside(examples, jnp.arange(n, dtype=jnp.int32))
    spans = ((t * size, rows[t * size : (t + turns) * size]) for t in range(first, end, turns) or [end])
    for window in windows(examples, spans, (turns * size // batch_size, batch_size)):
        if window is not None:
            first = min(end, int(window.first) // size + turns)
        yield first, window, positions


@jax.jit
def segment(
    rule: Rule, params: Params, v: Params, examples: Source, order: Array, first: int, last: int
) -> tuple[Params, Params]:
    """The parameters and the optimiser's state after the turns `first` ... `last - 1`.

    A nan or an infinity stays in the params. So if all are finite at the end, they were finite after every step of the
    segment.

    Args:
        rule: How a mini-batch changes the params.
        params: Of the net.
        v: The optimiser's state.
        examples: As for `epoch`, or a window of them.
        order: Of the epoch, `order.of_epoch(key, epoch, n)`, `(n,)`; of a window 0, 1, ...
        first: The first turn; traced, like `last`.
        last: The turn after the last one. A segment of no turn, `first` to `first`, does nothing but compile.
    """
    steps = body(rule, params, v, examples, len(order))
    return walk(rule.batch_size, examples, order, first, last, steps, (params, v))


@jax.jit
def monitored_segment(
    rule: Rule,
    params: Params,
    v: Params,
    examples: Source,
    order: Array,
    first: int,
    last: int,
    tally: monitors.Tally,
) -> tuple[Params, Params, monitors.Tally]:
    """As `segment`, step by step, and the tally of the epoch so far with these steps counted."""

    def step(carry: Any, x: Array, y: Array) -> Any:
        params, v, tally = carry
        _, nabla = rule.gradient(rule.net, rule.cost, params, x, y)
        tally, params = monitors.saw(tally, rule, params, v, x, y)
        return *rule.optimizer.update(params, v, nabla), tally

    return walk(rule.batch_size, examples, order, first, last, by_steps(step), (params, v, tally))


@jax.jit
def finite_steps(
    rule: Rule, params: Params, v: Params, examples: Source, order: Array, first: int, last: int
) -> tuple[Params, Params, Array]:
    """The state before the first step that goes wrong, and how many steps of a segment come before it.

    A step goes wrong when its mini-batch's cost, or the parameters or the optimiser's state after it, are not finite.
    The arguments and the steps are those of `segment`. The steps give the same bits, except where `segment` takes
    blocks of steps.
    """

    def step(carry: Any, x: Array, y: Array) -> Any:
        before, well, steps = carry
        value, nabla = rule.gradient(rule.net, rule.cost, before[0], x, y)
        after = rule.optimizer.update(before[0], before[1], nabla)
        well &= jnp.isfinite(value) & finite(after)
        return jax.tree.map(partial(jnp.where, well), after, before), well, steps + jnp.where(well, 1, 0)

    carry = (params, v), jnp.asarray(True), jnp.asarray(0)
    (params, v), _, steps = walk(rule.batch_size, examples, order, first, last, by_steps(step), carry)
    return params, v, steps


def walk(
    batch_size: int,
    examples: Source,
    order: Array,
    first: int,
    last: int,
    body: Body,
    carry: Any,
) -> Any:
    """The carry after every mini-batch of the turns `first` ... `last - 1`, in order."""
    (turns, *shape), *ends = shapes(len(order), batch_size)
    rows, order = jnp.split(order, [turns * math.prod(shape)])
    rows = rows.reshape(turns, *shape)
    stop = jnp.minimum(last, turns)
    carry = jax.lax.fori_loop(first, stop, lambda i, carry: turn(examples, body, carry, rows[i])[0], carry)
    for _, *shape in ends:
        rows, order = jnp.split(order, [math.prod(shape)])
        if rows.size:
            end = partial(turn, examples, body, rows=rows.reshape(shape))
            carry = jax.lax.cond(
                (first <= turns) & (last > turns), lambda carry, end=end: end(carry)[0], lambda carry: carry, carry
            )
    return carry


def finite(tree: Any) -> Array:
    """Whether every entry of every leaf is finite."""
    return reduce(jnp.logical_and, [jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(tree)], jnp.asarray(True))


def is_finite(tree: Any) -> bool:
    """The same outside of a program: NumPy needs no compilation. Where a sum is finite, all of its terms are."""
    with np.errstate(over="ignore", invalid="ignore"):
        return all(
            np.isfinite(leaf.sum()) or np.isfinite(leaf).all() for leaf in map(np.asarray, jax.tree.leaves(tree))
        )
