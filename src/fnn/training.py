"""Training: a step, an epoch as one compiled scan, exact evaluation, and `fit`, one result per epoch.

Shape letters: `n` examples in a set, `B` the mini-batch size, `n_out` outputs.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from .errors import DivergedError
from .examples import Examples
from .network import backprop, forward
from .schedules import Constant, Progress, Schedule
from .shifting import Shifted
from .shuffling import permutation
from .types import Array, Cost, Gradient, Key, Net, Optimizer, Params

GATHERED = 256  # rows taken from the data at once: XLA prices a gather by all it may read and wakes every core for it
CHUNK = 500  # rows evaluated at once: bounds the memory; the result is the same sum in another order


class Evaluation(NamedTuple):
    """How a network does on a set of examples; both are means over all `n` of them."""

    cost: Array  # (), the cost without any penalty
    accuracy: Array  # (), share of rows decided rightly in 0 … 1; nan where `y` holds quantities


class Result(NamedTuple):
    """What `fit` yields after each epoch."""

    epoch: int  # from 1
    factor: float  # of eta in this epoch, by the schedule
    train: Evaluation
    validation: Evaluation | None  # None without such examples
    test: Evaluation | None
    seconds: float  # the epoch's training alone: neither compilation nor evaluation
    params: Params
    v: Params  # the optimiser's state
    progress: Progress  # the schedule's memory


def step(
    net: Net, cost: Cost, optimizer: Optimizer, params: Params, v: Params, x: Array, y: Array, gradient: Gradient
) -> tuple[Params, Params]:
    """The parameters and the optimiser's state after one update on the mini-batch `x`, `y`."""
    _, nabla = gradient(net, cost, params, x, y)
    return optimizer.update(params, v, nabla)


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
    mean over its own rows (as in Nielsen's programs), so an epoch has `ceil(n/B)` updates.

    Args:
        net: The layers.
        cost: The cost.
        optimizer: Its numbers are traced: a new value does not recompile.
        params: Of `net`.
        v: The optimiser's state, `optimizer.init(params)` at the start.
        examples: `x` `(n, *shape)`, `y` `(n, n_out)`, `scale`.
        key: Of this epoch; the order is `shuffling.permutation(key, n)`.
        batch_size: B in 1 … n: 1 is online learning, n batch gradient descent.
        gradient: `backprop`, `autodiff`, or any function with their contract.

    Raises:
        ValueError: B is not in 1 … n.
    """
    n = examples.n
    if not 1 <= batch_size <= n:
        raise ValueError(f"batch_size={batch_size} for {n} examples: expected 1 to {n}.")
    order = permutation(key, n)

    def turn(carry, rows):
        batches = examples.take(rows)

        def on(carry, i):
            return step(net, cost, optimizer, *carry, *batches.rows(i), gradient), None

        return jax.lax.scan(on, carry, jnp.arange(len(rows)))

    whole, rest = divmod(n, batch_size)
    size = _turn_size(whole, batch_size)
    turns, others = divmod(whole, size)
    carry = params, v
    for shape in ((turns, size, batch_size), (1, others, batch_size), (1, 1, rest)):
        rows, order = jnp.split(order, [math.prod(shape)])
        if rows.size:
            carry, _ = jax.lax.scan(turn, carry, rows.reshape(shape))
    return carry


def _turn_size(whole: int, batch_size: int) -> int:
    """How many of `whole` mini-batches to gather at once; a divisor of `whole` saves compiling the step twice."""
    most = max(1, min(whole, GATHERED // batch_size))
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
    total, right = _totals(net, cost, params, examples)
    # divided out here: inside jit a division by a constant becomes a product with its rounded reciprocal
    return Evaluation(total / examples.n, right / examples.n)


@jax.jit
def _totals(net: Net, cost: Cost, params: Params, examples: Examples | Shifted) -> tuple[Array, Array]:
    """The cost summed over all rows, and the number of rows decided rightly, nan for quantities."""
    classes = jnp.asarray(examples.y.shape[1] > 1) & (_row_sums(examples.y) == 1).all()
    decisions = classes | ((examples.y == 0) | (examples.y == 1)).all()

    def part(rows):
        x, y = examples.rows(rows)
        z = forward(net, params, x)
        a = cost.output(z)
        same_bits = ((a > 0.5) == (y > 0.5)).all(axis=1)
        right = jnp.where(classes, a.argmax(axis=1) == y.argmax(axis=1), same_bits)
        return cost.value(z, y) * len(rows), right.sum()

    whole, rest = divmod(examples.n, CHUNK)
    i = jnp.arange(examples.n)
    totals, rights = jax.lax.map(part, i[: examples.n - rest].reshape(whole, CHUNK))
    last_total, last_right = part(i[examples.n - rest :]) if rest else (0.0, 0)
    right = (rights.sum() + last_right).astype(totals.dtype)
    return totals.sum() + last_total, jnp.where(decisions, right, jnp.nan)


def _row_sums(y: Array) -> Array:
    """The sums of the rows, to a thousandth: soft desired outputs are rounded."""
    return jnp.round(y.astype(jnp.float32).sum(axis=1), 3)


def fit(
    net: Net,
    cost: Cost,
    optimizer: Optimizer,
    params: Params,
    train: Examples | Shifted,
    key: Key,
    *,
    batch_size: int,
    epochs: int,
    gradient: Gradient = backprop,
    validation: Examples | None = None,
    test: Examples | None = None,
    schedule: Schedule = Constant(),
    target_cost: float = -math.inf,
) -> Iterator[Result]:
    """Train, yielding one `Result` after each epoch; stop reading it and training stops.

    Args:
        net: The layers.
        cost: The cost.
        optimizer: Its learning rate is what the schedule scales.
        params: Where to start.
        train: The examples to train on, as they are or `Shifted`.
        key: Epoch e uses `jax.random.fold_in(key, e)`, e from 1.
        batch_size: Mini-batch size B; see `epoch` for a last short one.
        epochs: The number of epochs at most.
        gradient: `backprop` or `autodiff`.
        validation: Examples to choose by, if there are any.
        test: Examples to report on; nothing here depends on them.
        schedule: `Constant()`, `EarlyStopping(patience)` or `HalveOnPlateau(patience)`. Its score is the
            validation accuracy, else minus the validation cost, else the same of the training set.
        target_cost: Stop after the first epoch whose training cost is at most this.

    Raises:
        DivergedError: the training cost after an epoch is nan or infinite.
        ValueError: B is not in 1 … n.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from fnn import SGD, CrossEntropy, Dense, Examples, fit, init
        >>> net, xor = (Dense(1),), Examples(jnp.array([[0.0, 0], [0, 1]]), jnp.array([[0], [1]]))
        >>> start = init(net, jax.random.key(0), (2,))
        >>> *_, last = fit(net, CrossEntropy(), SGD(1.0), start, xor, jax.random.key(1), batch_size=1, epochs=50)
        >>> last.epoch, float(last.train.accuracy)
        (50, 1.0)
    """
    train, validation, test = jax.device_put((train, validation, test))
    v, progress = optimizer.init(params), Progress()
    for e in range(1, epochs + 1):
        factor = progress.factor
        seconds, (params, v) = _timed_epoch(
            net,
            cost,
            optimizer.scaled(factor),
            params,
            v,
            train,
            jax.random.fold_in(key, e),
            batch_size=batch_size,
            gradient=gradient,
        )
        on_train = evaluate(net, cost, params, train)
        _check_finite(e, on_train.cost)
        on_validation, on_test = (_evaluated(net, cost, params, examples) for examples in (validation, test))
        progress = schedule.after(progress, _score(on_validation or on_train))
        yield Result(e, factor, on_train, on_validation, on_test, seconds, params, v, progress)
        if progress.factor == 0 or on_train.cost <= target_cost:
            return


def _evaluated(net: Net, cost: Cost, params: Params, examples: Examples | None) -> Evaluation | None:
    if examples is None or not examples.n:
        return None
    return jax.block_until_ready(evaluate(net, cost, params, examples))  # off the clock of the next epoch


def _timed_epoch(*args, **settings) -> tuple[float, tuple[Params, Params]]:
    compiled = epoch.lower(*args, **settings).compile()  # found again after the first time, and off the clock
    start = time.perf_counter()
    carry = jax.block_until_ready(compiled(*args))
    return time.perf_counter() - start, carry


def _check_finite(e: int, value: Array) -> None:
    if not math.isfinite(value):
        raise DivergedError(f"epoch {e}: the training cost is {float(value)}; a smaller eta is the usual remedy.")


def _score(evaluation: Evaluation) -> float:
    """The accuracy where it applies, else minus the cost."""
    accuracy = float(evaluation.accuracy)
    return -float(evaluation.cost) if math.isnan(accuracy) else accuracy
