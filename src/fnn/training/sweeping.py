"""Many networks of one shape trained together: the same program with one more axis.

Shape letters: `m` networks, `n` examples. On a CPU a few networks step together, as many as a core's cache holds;
then the next few. On other devices all networks step together.

Networks may share the order of the mini-batches. They then share the reading of every mini-batch, the product with
it, and its blocks (`training.blocked_steps`). This saves a quarter of the time on two cores ([784, 30, 10], mini-batch
10, `python -m experiments.benchmark`). It also *pairs* the networks: they differ only in what is swept, not in the
order of the mini-batches. A difference between two of them therefore has less noise than with an order for each. For
the same reason their results are correlated: the spread over seeds shows the effect of the start alone, without that of
the order. With one key per network every network has its own order, and is the network that `fit` would train.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fnn.examples import Examples
from fnn.network import backprop, check_lengths
from fnn.training import blocked_steps, segments
from fnn.training.arguments import check_kinds
from fnn.training.augmentation import Shifted
from fnn.training.evaluation import Evaluation, Measure, means
from fnn.training.fitting import Pace, checked
from fnn.training.mini_batches import Body, Rule, block_size, networks_at_once, number_of_epochs, whole
from fnn.training.order import of_epoch
from fnn.training.spreading import Spread, agreed, everywhere, gathered, mesh_of, split, unspread
from fnn.training.streaming import check_in_memory
from fnn.training.tasks import Task
from fnn.training.totals import Table, sums, sums_of_rows, tables
from fnn.types import Array, Cost, Gradient, Key, Net, Optimizer, Params, brief, numbers_in


class SweepState(NamedTuple):
    """Where a sweep stands. With its `Task` this decides all that follows."""

    epochs: int  # that are finished, evaluation included
    step: int  # mini-batches of the next epoch that are done
    params: Params  # leaves (m, ...); while they are trained perhaps of more networks, on several devices
    v: Params  # the optimisers' states
    seconds: float = 0.0  # of training in the unfinished epoch
    networks: int = 0  # m, while they are trained; networks after these only fill up the devices


class SweepResult(NamedTuple):
    """What `sweep` yields after each epoch; every array has the networks as its first axis."""

    epoch: int  # from 1
    train: Evaluation  # cost (m,), accuracy (m,); nan or infinite where a network has diverged
    validation: Evaluation | None
    test: Evaluation | None
    seconds: float  # of training all networks, neither compilation nor evaluation
    params: Params  # leaves (m, ...)
    v: Params

    def __repr__(self) -> str:
        """What there is, and how large, in one line."""
        parts = (f"{part}={getattr(self, part)!r}" for part in ("train", "validation", "test") if getattr(self, part))
        said = ", ".join([f"epoch={self.epoch}", *parts, f"seconds={brief(self.seconds)}"])
        return f"SweepResult({said}, params={numbers_in(self.params)})"


def sweep(
    net: Net,
    cost: Cost,
    optimizer: Optimizer,
    params: Params,
    train: Examples | Shifted | Spread,
    key: Key,
    *,
    batch_size: int,
    epochs: int,
    gradient: Gradient = backprop,
    validation: Examples | None = None,
    test: Examples | None = None,
    measure: Measure | None = None,
) -> Iterator[SweepResult]:
    """Train `m` networks of one shape at once, and yield one result per epoch.

    One program is compiled, whatever the numbers in the optimiser are. The networks are spread over all devices of all
    processes, without communication. Where the devices do not divide m, some of them train a network twice, and one of
    the two is dropped. A network that diverges goes on as nan and does not change the others.

    With several processes (`jax.distributed.initialize`), each of them calls this with equal arguments, and every
    result can be read on every process by `numpy.asarray`.

    Args:
        net: The layers, of all networks.
        cost: The cost, of all networks.
        optimizer: Its numbers are `(m,)`, one per network, or one number for all: `SGD(jnp.array([0.1, 1.0]))`.
        params: Leaves `(m, ...)`: `jax.vmap(lambda key: init(net, key, shape))(keys)`.
        train: The examples, of all networks, as they are or `Shifted`. If they are `spread`, the networks are trained
            on the devices of these; each device has all examples.
        key: One key `()` for an order of mini-batches that all networks share, or `(m,)` keys for an order
            each. Epoch e folds e in, as in `fit`.
        batch_size: B.
        epochs: The number of epochs.
        gradient: `backprop` or `autodiff`.
        validation: Examples to choose a network by.
        test: Examples to report results on.
        measure: When a row is decided rightly, as for `fit`.

    Raises:
        TypeError: An argument is of another kind, as for `fit`.
        ValueError: B is not in 1 … n, `epochs` is below 0, a number of an `SGD` is out of its range, `net` and
            `params` differ in length, `x` and `y` have different numbers of rows, `y` does not fit the output, the cost
            does not take such `y`, a number of the optimiser is neither one for all nor one per network, or examples
            are left in their file.

    Examples:
        >>> import jax, jax.numpy as jnp
        >>> from fnn import SGD, CrossEntropy, Dense, Examples, init, sweep
        >>> net, gate = (Dense(1),), Examples(jnp.array([[0.0, 0], [0, 1]]), jnp.array([[0], [1]]))
        >>> starts = jax.vmap(lambda key: init(net, key, (2,)))(jax.random.split(jax.random.key(0), 3))
        >>> etas = SGD(jnp.array([0.01, 0.1, 1.0]))
        >>> *_, last = sweep(net, CrossEntropy(), etas, starts, gate, jax.random.key(1), batch_size=1, epochs=50)
        >>> int(last.train.cost.argmin())
        2
    """
    batch_size, epochs = whole("sweep", "batch_size", batch_size), number_of_epochs("sweep", epochs)
    check_kinds(net, optimizer, params, key, gradient)
    task = Task(net, cost, optimizer, train, key, batch_size, epochs, gradient, validation, test, measure=measure)
    yield from resumed(task, start(task, params), lambda state: None)


def start(task: Task, params: Params) -> SweepState:
    """The state before the first step, for `params` with leaves `(m, ...)`.

    Raises:
        ValueError: the net and `params` differ in length.
    """
    check_lengths(task.net, params)
    own = jax.tree.map(lambda number: 0 if jnp.ndim(number) else None, task.optimizer)  # one for all stays as it is
    init = jax.vmap(lambda optimizer, params: optimizer.init(params), (own, 0))
    return SweepState(0, 0, params, jax.jit(partial(init, task.optimizer))(params))  # one program for all arrays


def resumed(task: Task, state: SweepState, between: Callable[[SweepState], None]) -> Iterator[SweepResult]:
    """Go on with a sweep, and yield the result of each epoch that ends; `sweep` documents the rest.

    Args:
        task: As for `fit`, with the numbers and the key of `sweep`.
        state: Where to go on: `start(task, params)`, or any state that `between` was given.
        between: Called with every state from which the sweep can go on: after about half a second of training, and
            after every part of an evaluation. It may save the state, and raise an error to stop.
    """
    for part in (task.train, task.validation, task.test):
        check_in_memory(part, "sweep")
    task = checked(task, jax.tree.map(lambda p: jax.ShapeDtypeStruct(p.shape[1:], p.dtype), state.params))
    m = jax.tree.leaves(state.params)[0].shape[0]
    mesh, filled = _placement(m, task.train.mesh.devices.flat if isinstance(task.train, Spread) else jax.devices())
    numbers = jax.tree.map(lambda number: jnp.broadcast_to(number, (m,)), task.optimizer)
    own = state.params, state.v, numbers, (task.key,) if task.key.ndim else ()
    params, v, numbers, keys = split(jax.tree.map(lambda leaf: leaf[filled] if len(filled) > m else leaf, own), mesh)
    parts = [unspread(part) for part in task.parts]
    evaluated = [Table(everywhere(table.examples, mesh), table.sizes) for table in tables(*parts)]
    train, key = everywhere(parts[0], mesh), keys[0] if keys else task.key
    task = task._replace(optimizer=numbers, train=train, key=key)
    state, pace = state._replace(params=params, v=v, networks=m), Pace(partial(agreed, mesh))
    _segment(task, state, _order(task.key, 1, train.n, mesh), 0, 0, mesh)  # compiles, off the clock
    while state.epochs < task.epochs:
        for trained in _trained(task, state, pace, mesh):
            state = trained
            between(state)
        whole = collected(state)
        well = _finite((whole.params, whole.v), m)
        scores = _evaluations(task, evaluated, state, between)
        on_train = _of_those(well, next(scores))
        on_validation, on_test = (
            _of_those(well, next(scores)) if part is not None and part.n else None for part in parts[1:]
        )
        e = state.epochs + 1
        yield SweepResult(e, on_train, on_validation, on_test, state.seconds, whole.params, whole.v)
        state = state._replace(epochs=e, step=0, seconds=0.0)
        between(state)


def collected(state: SweepState) -> SweepState:
    """A state, such as `between` was given, of the m networks alone, as `numpy.asarray` reads it on every process.

    Every process has to call this. It is what a checkpoint needs, on whatever devices the sweep goes on.
    """
    if not state.networks:
        return state
    params, v = _asked_for((state.params, state.v), state.networks)
    return state._replace(params=params, v=v, networks=0)


def _asked_for(tree: Any, m: int) -> Any:
    """The first m entries of each array, read from all processes."""
    return jax.tree.map(lambda leaf: leaf[:m] if len(leaf) > m else leaf, gathered(tree))


def _trained(task: Task, state: SweepState, pace: Pace, mesh: jax.sharding.Mesh) -> Iterator[SweepState]:
    """The state after each segment of an epoch, from `state` to the end of the epoch."""
    n, clock = task.train.n, time.perf_counter()
    first, end = segments.turn_after(state.step, n, task.batch_size), segments.count(n, task.batch_size)
    order = jax.block_until_ready(_order(task.key, state.epochs + 1, n, mesh))
    seconds = state.seconds + time.perf_counter() - clock
    while first < end:
        last, clock = min(end, first + pace.turns), time.perf_counter()
        params, v = _segment(task, state, order, first, last, mesh)
        took = time.perf_counter() - clock
        pace.saw(last - first, took)
        seconds, first = seconds + took, last
        step = segments.steps_before(last, n, task.batch_size)
        state = state._replace(step=step, params=params, v=v, seconds=seconds)
        yield state


def _segment(task: Task, state: SweepState, order: Any, first: int, last: int, mesh: jax.sharding.Mesh) -> Any:
    """The params and the optimisers' states after some turns, once they are computed."""
    rule = Rule(task.net, task.cost, task.optimizer, task.gradient, task.batch_size)
    return jax.block_until_ready(
        _segment_of_all(rule, state.params, state.v, task.train, order, first, last, mesh=mesh)
    )


def _order(key: Key, epoch: int, n: int, mesh: jax.sharding.Mesh) -> Any:
    """The order of the examples in this epoch: `(n,)` for one key, `(m, n)` for m keys, spread like the networks."""
    return _orders(key, epoch, n, mesh) if key.ndim else everywhere(of_epoch(key, epoch, n), mesh)


@partial(jax.jit, static_argnames=("n", "mesh"))
def _orders(key: Key, epoch: int, n: int, mesh: jax.sharding.Mesh) -> Array:
    own, shared = jax.P("networks"), jax.P()

    @partial(jax.shard_map, mesh=mesh, in_specs=(own, shared), out_specs=own, check_vma=False)
    def on_a_device(keys, epoch):
        return jax.lax.map(lambda key: of_epoch(key, epoch, n), keys)

    return on_a_device(key, epoch)


@partial(jax.jit, static_argnames="mesh")
def _segment_of_all(rule, params, v, train, order, first, last, *, mesh):
    """The params and the optimisers' states of all networks after the turns `first` ... `last - 1` of an epoch.

    `rule` has the numbers of all; `first` and `last` are traced, so one program runs all segments.
    """
    own, shared = jax.P("networks"), jax.P()
    several = order.ndim == 2
    specs = own, own, own, shared, own if several else shared, shared, shared

    @partial(jax.shard_map, mesh=mesh, in_specs=specs, out_specs=own, check_vma=False)
    def on_a_device(rule, params, v, train, order, first, last):
        def one(network):
            rule, params, v, own_order = network if several else (*network, order)
            body = Body(rule.step, partial(blocked_steps.block, rule), block)
            return segments.walk(rule.batch_size, train, own_order, first, last, body, (params, v))

        on_one_order = params if not several else jax.tree.map(lambda leaf: leaf[0], params)
        block = block_size(rule, on_one_order, v, train.n)
        networks = (rule, params, v, order) if several else (rule, params, v)
        return jax.lax.map(one, networks, batch_size=networks_at_once(params, block))

    return on_a_device(rule, params, v, train, order, first, last)


def _evaluations(
    task: Task, evaluated: Sequence[Table], state: SweepState, between: Callable[[SweepState], None]
) -> Iterator[Evaluation]:
    """The evaluation of all m networks on each part that has examples, in order."""
    for table in evaluated:
        parts = []
        for part in sums(task.net, task.cost, state.params, table, task.measure == "classes", _sums_of_all):
            parts.append(_asked_for(jax.block_until_ready(part), state.networks))
            between(state)
        yield from means(parts, table.sizes, task.measure != "none")


@partial(jax.jit, static_argnames="counts")
def _sums_of_all(net, cost, params, examples, classes, first, *, counts):
    """As `sums_of_rows`, of all networks, `(m, k)`."""
    return jax.vmap(lambda own: sums_of_rows(net, cost, own, examples, classes, first, counts=counts))(params)


def _finite(tree: Any, m: int) -> np.ndarray:
    """Which of m networks have finite params and a finite optimiser's state, `(m,)`."""
    leaves = [np.asarray(leaf).reshape(m, -1) for leaf in jax.tree.leaves(tree)]
    return np.logical_and.reduce([np.isfinite(leaf).all(axis=1) for leaf in leaves])


def _of_those(well: np.ndarray, scores: Evaluation) -> Evaluation:
    """The evaluation with nan for networks that are not `well`: a user's layer may turn nan into a number."""
    if well.all():
        return scores
    return jax.tree.map(lambda number: jax.device_put(np.where(well, number, np.nan).astype(number.dtype)), scores)


def _placement(m: int, devices: Iterable[jax.Device]) -> tuple[jax.sharding.Mesh, np.ndarray]:
    """The devices that m networks are split over, and the numbers of the networks in the places that these have.

    Each device has equally many places; where m leaves some of them, the first networks are there a second time. One
    process leaves a device out that would have no other networks; of several processes all devices take part.
    """
    devices = tuple(devices)
    each = -(-m // len(devices))
    several = len({device.process_index for device in devices}) > 1
    mesh = mesh_of(devices if several else devices[: -(-m // each)], "networks")
    return mesh, np.arange(each * mesh.size) % m
