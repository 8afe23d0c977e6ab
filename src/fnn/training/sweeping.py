"""Many networks of one shape trained together: the same program with one more axis.

Shape letters: `m` networks, `n` examples. On a CPU a few networks step together, as many as a core's cache holds, group
after group; elsewhere all of them. Networks that share the order of the mini-batches share the reading of every batch,
the product with it, and what `deferring` makes of several. That saves a quarter on two cores ([784, 30, 10], mini-batch
10, `python -m experiments.benchmark`), and it *pairs* them: they differ in what is swept, not in luck with the order,
so differences between networks are sharper than with orders of their own. For the same reason their results are
correlated: the spread over seeds then shows the start alone, and misses what the order adds. With one key per network
every network has its own order, and is the network that `fit` would train.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from fnn.examples import Examples
from fnn.network import backprop, check_lengths
from fnn.training import blocked_steps
from fnn.training.augmentation import Shifted
from fnn.training.epochs import Evaluation, evaluate, even, steps, through
from fnn.training.streaming import check_in_memory
from fnn.types import Cost, Gradient, Key, Net, Optimizer, Params

CACHED = 400_000  # bytes of parameters; beside them a core's cache holds their gradient and a mini-batch


class SweepResult(NamedTuple):
    """What `sweep` yields after each epoch; every array has the networks as its first axis."""

    epoch: int  # from 1
    train: Evaluation  # cost (m,), accuracy (m,); nan or infinite where a network has diverged
    validation: Evaluation | None
    test: Evaluation | None
    seconds: float  # of training all networks, neither compilation nor evaluation
    params: Params  # leaves (m, ...)
    v: Params


def sweep(
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
) -> Iterator[SweepResult]:
    """Train `m` networks of one shape at once, yielding one result per epoch.

    One compiled program, whatever the numbers in the optimiser; the networks are spread over all devices,
    without communication. A network that diverges goes on as nan and does not touch the others.

    Args:
        net: The layers, of all networks.
        cost: The cost, of all networks.
        optimizer: Its numbers are `(m,)`, one per network, or scalars for all: `SGD(jnp.array([0.1, 1.0]))`.
        params: Leaves `(m, ...)`: `jax.vmap(lambda key: init(net, key, shape))(keys)`.
        train: The examples, of all networks, as they are or `Shifted`.
        key: One key `()` for an order of mini-batches that all networks share, or `(m,)` keys for an order
            each. Epoch e folds e in, as in `fit`.
        batch_size: B.
        epochs: The number of epochs.
        gradient: `backprop` or `autodiff`.
        validation: Examples to choose by.
        test: Examples to report on.

    Raises:
        ValueError: B is not in 1 … n, `net` and `params` differ in length, `y` does not fit the output, a number
            of the optimiser is neither one for all nor one per network, or examples are left in their file.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from fnn import SGD, CrossEntropy, Dense, Examples, init, sweep
        >>> net, gate = (Dense(1),), Examples(jnp.array([[0.0, 0], [0, 1]]), jnp.array([[0], [1]]))
        >>> starts = jax.vmap(lambda key: init(net, key, (2,)))(jax.random.split(jax.random.key(0), 3))
        >>> etas = SGD(jnp.array([0.01, 0.1, 1.0]))
        >>> *_, last = sweep(net, CrossEntropy(), etas, starts, gate, jax.random.key(1), batch_size=1, epochs=50)
        >>> int(last.train.cost.argmin())
        2
    """
    check_lengths(net, params)
    for part in (train, validation, test):
        check_in_memory(part, "sweep")
    m = jax.tree.leaves(params)[0].shape[0]
    over, everywhere = _placement(m)
    own = jax.tree.map(lambda number: 0 if jnp.ndim(number) else None, optimizer)  # a number for all stays as it is
    v = jax.vmap(lambda optimizer, params: optimizer.init(params), (own, 0))(optimizer, params)
    optimizer = jax.tree.map(lambda number: jnp.broadcast_to(number, (m,)), optimizer)
    params, v, optimizer = jax.device_put((params, v, optimizer), over)
    train, validation, test = jax.device_put((train, validation, test), everywhere)
    for e in range(1, epochs + 1):
        args = net, cost, optimizer, params, v, train, _fold(key, e)
        compiled = _epoch_of_all.lower(*args, batch_size=batch_size, gradient=gradient, mesh=over.mesh).compile()
        start = time.perf_counter()
        params, v = jax.block_until_ready(compiled(*args))
        seconds = time.perf_counter() - start
        on_train, on_validation, on_test = (_scores(net, cost, params, part) for part in (train, validation, test))
        yield SweepResult(e, on_train, on_validation, on_test, seconds, params, v)


@partial(jax.jit, static_argnames=("batch_size", "gradient", "mesh"))
def _epoch_of_all(net, cost, optimizer, params, v, train, key, *, batch_size, gradient, mesh):
    own, shared = jax.P("networks"), jax.P()
    keys = own if key.ndim else shared

    @partial(jax.shard_map, mesh=mesh, in_specs=(own, own, own, shared, keys), out_specs=own, check_vma=False)
    def on_a_device(optimizer, params, v, train, key):
        def one(network):
            optimizer, params, v, order = network if key.ndim else (*network, key)
            on = partial(steps, net, cost, optimizer, batch_size=batch_size, gradient=gradient)
            return through(train, order, batch_size, on, (params, v), many)

        on_one_order = jax.tree.map(lambda leaf: leaf[0], params) if key.ndim else params
        many = blocked_steps.together(net, optimizer, on_one_order, v, train.n, gradient, batch_size)
        networks = (optimizer, params, v, key) if key.ndim else (optimizer, params, v)
        return jax.lax.map(one, networks, batch_size=_at_once(params, many))

    return on_a_device(optimizer, params, v, train, key)


def _at_once(params: Params, many: int) -> int:
    """How many networks step together: on a CPU as many as a core's cache holds, for each of the `many`; else all."""
    leaves = jax.tree.leaves(params)
    m = leaves[0].shape[0]
    bytes_of_one = sum(leaf.size * leaf.dtype.itemsize for leaf in leaves) // m
    return even(m, many * CACHED // bytes_of_one) if jax.default_backend() == "cpu" else m


def _fold(key: Key, e: int) -> Key:
    return jax.vmap(jax.random.fold_in, (0, None))(key, e) if key.ndim else jax.random.fold_in(key, e)


def _scores(net: Net, cost: Cost, params: Params, examples: Examples | Shifted | None) -> Any:
    if examples is None or not examples.n:
        return None
    return jax.block_until_ready(jax.vmap(lambda params: evaluate(net, cost, params, examples))(params))


def _placement(m: int) -> tuple[jax.NamedSharding, jax.NamedSharding]:
    """Where networks go (split over as many devices as divide m) and where data go (on each of them)."""
    devices = max(k for k in range(1, len(jax.devices()) + 1) if m % k == 0)
    mesh = jax.make_mesh(
        (devices,), ("networks",), axis_types=(jax.sharding.AxisType.Auto,), devices=jax.devices()[:devices]
    )
    return jax.NamedSharding(mesh, jax.P("networks")), jax.NamedSharding(mesh, jax.P())
