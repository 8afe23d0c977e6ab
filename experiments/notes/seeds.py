"""Fair comparisons of two nets: the same seeds for both, rates chosen by validation data, an interval for the gain.

Two nets are compared by pairs. In pair s both nets start from key s and take the mini-batches in the order of key s.
Luck that both share therefore drops out of the difference.
"""

import jax
import jax.numpy as jnp
import numpy as np

import fnn

SEEDS = 10
T = 2.262  # 97.5 % of Student's t with SEEDS - 1 degrees of freedom


def starts(net, shape, seeds=SEEDS):
    """One start per seed, leaves `(seeds, ...)`."""
    keys = jax.random.split(jax.random.key(0), seeds)
    return jax.jit(jax.vmap(lambda key: fnn.init(net, key, shape)))(keys)


def grid(net, cost, optimizer, data, *, epochs, batch_size=10, seeds=SEEDS, validate=True, begin=None):
    """Every result of a sweep over k optimisers and all seeds; its arrays are `(k * seeds, ...)`, seeds fastest.

    Args:
        net: The layers.
        cost: The cost.
        optimizer: Its numbers are `(k,)` or scalars for all.
        data: Trained on its training part, scored on its validation part where `validate`.
        epochs: The number of epochs.
        batch_size: B.
        seeds: How many networks share each optimiser.
        validate: Whether to score the validation part after every epoch.
        begin: The params to start from, `(seeds, ...)`; the net's own random ones by default.
    """
    k = max(np.size(leaf) for leaf in jax.tree.leaves(optimizer))
    begin = starts(net, data.train.shape, seeds) if begin is None else begin
    repeated = jax.tree.map(lambda leaf: jnp.tile(leaf, (k, *[1] * (leaf.ndim - 1))), begin)
    optimizer = jax.tree.map(lambda leaf: jnp.repeat(jnp.broadcast_to(jnp.asarray(leaf), (k,)), seeds), optimizer)
    orders = jnp.tile(jax.random.split(jax.random.key(1), seeds), k)
    part = data.validation if validate else None
    args = net, cost, optimizer, repeated, data.train, orders
    return list(fnn.sweep(*args, batch_size=batch_size, epochs=epochs, validation=part))


def accuracies(results, seeds=SEEDS):
    """Of the validation part, in %, `(k, seeds, epochs)`; 0 where a network has diverged."""
    found = np.stack([[r.validation.cost, r.validation.accuracy] for r in results], axis=-1)  # (2, networks, epochs)
    # the cost tells: of outputs that are nan, argmax takes the first, and the accuracy is the share of that class
    return np.where(np.isfinite(found[0]), 100 * found[1], 0).reshape(-1, seeds, len(results))


def of(results, i, seeds=SEEDS):
    """The last params of all seeds with optimiser i."""
    return jax.tree.map(lambda leaf: leaf[i * seeds : (i + 1) * seeds], results[-1].params)


def scores(net, cost, params, examples):
    """Cost and accuracy in % of every network, two arrays `(seeds,)`."""
    value, right = jax.vmap(lambda p: fnn.evaluate(net, cost, p, examples))(params)
    return np.asarray(value), 100 * np.asarray(right)


def interval(differences):
    """Mean and 95 % interval of `SEEDS` paired differences, by Student's t."""
    mean, half = np.mean(differences), T * np.std(differences, ddof=1) / len(differences) ** 0.5
    return mean, mean - half, mean + half


def said(differences, unit="points"):
    """The interval in words."""
    mean, low, high = interval(differences)
    return f"{mean:+.2f} {unit} [{low:+.2f}, {high:+.2f}]"
