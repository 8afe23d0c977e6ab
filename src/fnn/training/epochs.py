"""Training: a step, an epoch as one compiled scan, and exact evaluation.

Shape letters: `n` examples in a set, `B` the mini-batch size, `n_out` outputs.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Iterator
from functools import partial, reduce
from itertools import repeat
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from fnn.examples import Examples
from fnn.network import activations, backprop, check_targets, forward
from fnn.training import blocked_steps
from fnn.training.augmentation import Shifted
from fnn.training.order import permutation
from fnn.training.streaming import Window, in_file, windows
from fnn.types import Array, Cost, Gradient, Key, Net, Optimizer, Params

GATHERED = 256  # rows taken from the data before their mini-batches train
LARGE = 100_000  # parameters, from which on it takes longer to copy them than to compile a step twice
LAUNCHED = 5  # steps of a smaller net in a body of the loop on a GPU: a tenth less time
EVALUATED = 5000  # rows evaluated by one call: between two calls an interrupted run can save itself
NUMBERS = 400_000  # of the widest layer, evaluated at once: with more they leave the cache


class Evaluation(NamedTuple):
    """How a network does on a set of examples; both are means over all `n` of them."""

    cost: Array  # (), the cost without any penalty
    accuracy: Array  # (), share of rows decided rightly in 0 … 1; nan where `y` holds quantities


def step(
    net: Net, cost: Cost, optimizer: Optimizer, params: Params, v: Params, x: Array, y: Array, gradient: Gradient
) -> tuple[Params, Params]:
    """The parameters and the optimiser's state after one update on one mini-batch.

    Args:
        net: The layers.
        cost: The cost.
        optimizer: What moves the params along the gradient.
        params: Of `net`.
        v: The optimiser's state, `optimizer.init(params)` at the start.
        x: Inputs `(n, *shape)`; the gradient is the mean over these n rows.
        y: Desired outputs `(n, n_out)`.
        gradient: `backprop`, `autodiff`, or any function with their contract.

    Raises:
        ValueError: `net` and `params` differ in length, or `y` does not fit the output.
    """
    _, nabla = gradient(net, cost, params, x, y)
    return optimizer.update(params, v, nabla)


def steps(
    net: Net,
    cost: Cost,
    optimizer: Optimizer,
    state: tuple[Params, Params],
    x: Array,
    y: Array,
    *,
    batch_size: int,
    gradient: Gradient,
) -> tuple[Params, Params]:
    """The parameters and the optimiser's state after a `step` on `x`, `y`, or on each of the mini-batches in them."""
    params, v = state
    if len(x) <= batch_size:
        return step(net, cost, optimizer, params, v, x, y, gradient)
    return blocked_steps.steps(net, cost, optimizer, params, x, y, gradient, batch_size), v


@partial(jax.jit, static_argnames=("batch_size", "gradient"))
def epoch(
    net: Net,
    cost: Cost,
    optimizer: Optimizer,
    params: Params,
    v: Params,
    examples: Examples | Shifted,
    key: Key,
    *,
    batch_size: int,
    gradient: Gradient = backprop,
) -> tuple[Params, Params]:
    """The parameters and the optimiser's state after one pass over all examples in a random order.

    One compiled `lax.scan` over the mini-batches; inside it, rows are gathered from the examples as they
    are stored, about `GATHERED` at once. Every example is used exactly once: when `batch_size` does not
    divide `n`, the remaining `n mod B` examples make a last, shorter mini-batch, whose gradient is the
    mean over its own rows (as in Nielsen's programs), so an epoch has `ceil(n/B)` updates. Where that is
    faster, a few of them share one reading of the first W: the same steps, rounded in another order (`deferring`).

    Args:
        net: The layers.
        cost: The cost.
        optimizer: Its numbers are traced: a new value does not recompile.
        params: Of `net`.
        v: The optimiser's state, `optimizer.init(params)` at the start.
        examples: `x` `(n, *shape)`, `y` `(n, n_out)`, `scale`, in memory; `fit` takes those left in their file.
        key: Of this epoch; the order is `shuffling.permutation(key, n)`.
        batch_size: B in 1 … n: 1 is online learning, n batch gradient descent.
        gradient: `backprop`, `autodiff`, or any function with their contract.

    Raises:
        ValueError: B is not in 1 … n, `net` and `params` differ in length, or `y` does not fit the output.
    """
    on = partial(steps, net, cost, optimizer, batch_size=batch_size, gradient=gradient)
    many = blocked_steps.together(net, optimizer, params, v, examples.n, gradient, batch_size)
    return through(examples, key, batch_size, on, (params, v), many)


def through(
    examples: Examples | Shifted,
    key: Key,
    batch_size: int,
    on: Callable[[Any, Array, Array], Any],
    carry: Any,
    many: int,
) -> Any:
    """`on(carry, x, y)` for all mini-batches of an epoch in order, up to `many` at once.

    Raises:
        ValueError: B is not in 1 … n.
    """
    order = permutation(key, examples.n)
    for shape in shapes(examples.n, batch_size):
        rows, order = jnp.split(order, [math.prod(shape)])
        if rows.size:
            carry, _ = jax.lax.scan(partial(turn, examples, on, many=many), carry, rows.reshape(shape))
    return carry


def shapes(n: int, batch_size: int) -> tuple[tuple[int, int, int], ...]:
    """How an epoch is cut: (turns, mini-batches of each, rows of each) of the equal turns and of the two at its end.

    The rows of a turn are gathered at once. The last two hold the whole mini-batches that are left, and the rows that
    are: either may be empty.

    Raises:
        ValueError: B is not in 1 … n.
    """
    if not 1 <= batch_size <= n:
        raise ValueError(f"batch_size={batch_size} for {n} examples: expected 1 to {n}.")
    whole, rest = divmod(n, batch_size)
    size = in_a_turn(whole, batch_size)
    turns, others = divmod(whole, size)
    return (turns, size, batch_size), (1, others, batch_size), (1, 1, rest)


def in_a_turn(whole: int, batch_size: int) -> int:
    """How many of `whole` mini-batches make a turn of about `GATHERED` rows; of an even number, an even one.

    A divisor, for what is left is compiled once more; of those one that `deferring` can split into its largest parts.
    """
    most = max(1, min(whole, GATHERED // batch_size))
    apart = 2 if whole % 2 == 0 and most > 1 else 1
    sizes = range(most - most % apart, most // 2, -apart)
    parts = max(1, min(blocked_steps.MOST, blocked_steps.ROWS // batch_size))
    return max((size for size in sizes if whole % size == 0), key=lambda size: divisor(size, parts), default=sizes[0])


def divisor(number: int, most: int) -> int:
    """The largest divisor up to `most`."""
    return next(k for k in range(most, 0, -1) if number % k == 0)


def turn(
    examples: Examples | Shifted | Window,
    on: Callable[[Any, Array, Array], Any],
    carry: Any,
    rows: Array,
    many: int = 1,
) -> Any:
    """A scan's body: `on(carry, x, y)` for the mini-batches of the examples `rows`, `(size, B)`, up to `many` at once.

    The rows are read first, on a CPU part by part: XLA prices a gather by all it may read, and would wake every core
    for one inside the step, or for one of the whole turn. On a GPU, which waits for each launch, all are one gather.
    """
    size, batch_size = rows.shape
    several = divisor(size, many)
    parts = rows.reshape(size // several, several * batch_size)
    batches = jax.lax.map(examples.take, parts, batch_size=None if jax.default_backend() == "cpu" else len(parts))
    bodies = 1 if several > 1 else in_a_body(carry, len(parts))
    return jax.lax.scan(lambda carry, batch: (on(carry, *batch.rows(slice(None))), None), carry, batches, unroll=bodies)


def in_a_body(carry: Any, count: int) -> int:
    """How many of `count` steps make one body of the loop over them.

    Two of a large net write to two places by turns; in place, XLA would first copy each W that `backward` reads too.
    Of a small one `LAUNCHED` on a GPU, where they take no longer than their launches.
    """
    large = sum(leaf.size for leaf in jax.tree.leaves(carry)) > LARGE
    return divisor(count, 2 if large else LAUNCHED if jax.default_backend() == "gpu" else 1)


def even(whole: int, most: int) -> int:
    """A size of at least 1 and at most `most` to cut `whole` into; a divisor saves compiling the rest once more."""
    most = max(1, min(whole, most))
    return next((size for size in range(most, most // 2, -1) if whole % size == 0), most)


def evaluate(net: Net, cost: Cost, params: Params, examples: Examples | Shifted) -> Evaluation:
    """The mean cost and the accuracy over all examples, exactly, whatever their number.

    A row is decided rightly when the largest output is the one desired, if there are several outputs
    and every row of `y` sums to 1 (classes, the first of equal outputs counts); else, if `y` holds only
    zeros and ones (truth tables, binary codes), when every output is on its side of 1/2, where exactly
    1/2 counts as 0. For any other `y` (quantities) the accuracy is nan. Penalties are not in the cost.

    Raises:
        ValueError: there are no examples, or `y` does not fit the network's output.
    """
    if not examples.n:
        raise ValueError("evaluate got 0 examples; a mean needs at least one.")
    return mean(sums(net, cost, params, examples), examples.n)


def mean(parts: Iterable[tuple[Array, Array]], n: int) -> Evaluation:
    """The evaluation of `n` examples from the `sums` of their parts."""
    total, right = (reduce(operator.add, column) for column in zip(*parts, strict=True))
    # divided out here: inside jit a division by a constant becomes a product with its rounded reciprocal
    return Evaluation(total / n, right / n)


def sums(net: Net, cost: Cost, params: Params, examples: Examples | Shifted) -> Iterator[tuple[Array, Array]]:
    """The summed cost and the number of rows decided rightly, of each `EVALUATED` examples and of those left."""
    kinds = _kinds(examples.y)
    starts, size = range(0, examples.n, EVALUATED), min(EVALUATED, examples.n)
    parts = repeat(examples)
    if in_file(examples):
        parts = filter(None, windows(examples, ((first, slice(first, first + size)) for first in starts), size))
    for first, part in zip(starts, parts, strict=False):
        yield _sums(net, cost, params, part, kinds, first, count=min(EVALUATED, examples.n - first))


@jax.jit
def _kinds(y: Array) -> tuple[Array, Array]:
    """Whether the rows of `y` are classes, and whether they are decisions at all."""
    y = y.reshape(len(y), -1)  # labels without an axis of outputs too, which `_sums` refuses
    classes = jnp.asarray(y.shape[1] > 1) & (_row_sums(y) == 1).all()
    return classes, classes | ((y == 0) | (y == 1)).all()


@partial(jax.jit, static_argnames="count")
def _sums(net, cost, params, examples, kinds, first, *, count) -> tuple[Array, Array]:
    """The cost summed over `count` rows, and the number of them decided rightly, nan for quantities."""
    classes, decisions = kinds

    def part(rows):
        x, y = examples.rows(rows)
        z = forward(net, params, x)
        check_targets(cost, z, y)
        a = cost.output(z)
        same_bits = ((a > 0.5) == (y > 0.5)).all(axis=1)
        right = jnp.where(classes, a.argmax(axis=1) == y.argmax(axis=1), same_bits)
        value = cost.value(z, y)
        if value.dtype.itemsize < 4:  # half precision, which a sum of thousands does not fit into
            value = value.astype(jnp.float32)
        return value * len(rows), right.sum()

    i = first + jnp.arange(count)
    one = jax.eval_shape(lambda: activations(net, params, examples.rows(i[:1])[0]))
    size = even(count, at_once(one))
    whole, rest = divmod(count, size)
    totals, rights = jax.lax.map(part, i[: count - rest].reshape(whole, size))
    last_total, last_right = part(i[count - rest :]) if rest else (0.0, 0)
    right = (rights.sum() + last_right).astype(totals.dtype)
    return totals.sum() + last_total, jnp.where(decisions, right, jnp.nan)


def at_once(one: Iterable[Array]) -> int:
    """How many rows are evaluated at once, for the activations `one` of one row.

    It bounds the memory, and changes a result by the order of its sum alone. Fewer than a hundred would read the
    weights too often.
    """
    return min(EVALUATED, max(100, NUMBERS // max(a.size for a in one)))


def _row_sums(y: Array) -> Array:
    """The sums of the rows, to a thousandth: soft desired outputs are rounded."""
    return jnp.round(y.astype(jnp.float32).sum(axis=1), 3)
