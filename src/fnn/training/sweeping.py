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
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from fnn.examples import Examples
from fnn.network import backprop, check_lengths
from fnn.training import blocked_steps
from fnn.training.augmentation import Shifted
from fnn.training.evaluation import Evaluation, evaluate
from fnn.training.mini_batches import Body, Rule, block_size, networks_at_once, scanned
from fnn.training.order import permutation
from fnn.training.streaming import check_in_memory
from fnn.types import Cost, Gradient, Key, Net, Optimizer, Params


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
    """Train `m` networks of one shape at once, and yield one result per epoch.

    One program is compiled, whatever the numbers in the optimiser are. The networks are spread over all devices,
    without communication. A network that diverges goes on as nan and does not change the others.

    Args:
        net: The layers, of all networks.
        cost: The cost, of all networks.
        optimizer: Its numbers are `(m,)`, one per network, or one number for all: `SGD(jnp.array([0.1, 1.0]))`.
        params: Leaves `(m, ...)`: `jax.vmap(lambda key: init(net, key, shape))(keys)`.
        train: The examples, of all networks, as they are or `Shifted`.
        key: One key `()` for an order of mini-batches that all networks share, or `(m,)` keys for an order
            each. Epoch e folds e in, as in `fit`.
        batch_size: B.
        epochs: The number of epochs.
        gradient: `backprop` or `autodiff`.
        validation: Examples to choose a network by.
        test: Examples to report results on.

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
    rule = Rule(net, cost, optimizer, gradient, batch_size)
    for e in range(1, epochs + 1):
        inputs = rule, params, v, train, _fold(key, e)
        compiled = _epoch_of_all.lower(*inputs, mesh=over.mesh).compile()
        start = time.perf_counter()
        params, v = jax.block_until_ready(compiled(*inputs))
        seconds = time.perf_counter() - start
        on_train, on_validation, on_test = (_scores(net, cost, params, part) for part in (train, validation, test))
        yield SweepResult(e, on_train, on_validation, on_test, seconds, params, v)


@partial(jax.jit, static_argnames="mesh")
def _epoch_of_all(rule, params, v, train, key, *, mesh):
    """The params and the optimisers' states of all networks after an epoch; `rule` has the numbers of all."""
    own, shared = jax.P("networks"), jax.P()
    keys = own if key.ndim else shared

    @partial(jax.shard_map, mesh=mesh, in_specs=(own, own, own, shared, keys), out_specs=own, check_vma=False)
    def on_a_device(rule, params, v, train, key):
        def one(network):
            rule, params, v, own_key = network if key.ndim else (*network, key)
            body = Body(rule.step, partial(blocked_steps.block, rule), block)
            return scanned(train, permutation(own_key, train.n), rule.batch_size, body, (params, v))

        on_one_order = jax.tree.map(lambda leaf: leaf[0], params) if key.ndim else params
        block = block_size(rule, on_one_order, v, train.n)
        networks = (rule, params, v, key) if key.ndim else (rule, params, v)
        return jax.lax.map(one, networks, batch_size=networks_at_once(params, block))

    return on_a_device(rule, params, v, train, key)


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
