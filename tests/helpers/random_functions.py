"""Random functions of random trees, with right derivatives.

Each operation has two forms that are equal in exact arithmetic. A function is computed by the first forms, and its
derivative under test is `jax.vjp` of the second forms, so that the two round differently, as a rule by hand does.
"""

from functools import partial
from itertools import accumulate

import jax
import jax.numpy as jnp
import numpy as np

from tests.helpers.rules import Case, rule

UNARY = {  # matrix to matrix
    "sin": (jnp.sin, lambda x: jnp.cos(x - np.pi / 2)),
    "tanh": (jnp.tanh, lambda x: 2 * jax.nn.sigmoid(2 * x) - 1),
    "softplus": (lambda x: jnp.logaddexp(x, 0.0), lambda x: jnp.maximum(x, 0) + jnp.log1p(jnp.exp(-jnp.abs(x)))),
    "logsumexp": (
        lambda x: jax.nn.logsumexp(x, axis=1, keepdims=True),
        lambda x: jnp.log(jnp.exp(x).sum(axis=1, keepdims=True)),
    ),
    "softmax": (lambda x: jax.nn.softmax(x, axis=0), lambda x: 1 / jnp.exp(x[None] - x[:, None]).sum(axis=1)),
    "sort": (lambda x: jnp.sort(x, axis=1), lambda x: jnp.take_along_axis(x, jnp.argsort(x, axis=1), axis=1)),
    "cumsum": (lambda x: jnp.cumsum(x, axis=1), lambda x: x @ jnp.triu(jnp.ones((x.shape[1],) * 2, x.dtype))),
    "cumprod": (
        lambda x: jnp.cumprod(jnp.cos(x), axis=0),
        lambda x: jax.lax.associative_scan(jnp.multiply, jnp.cos(x)),
    ),
    "max": (lambda x: x.max(axis=0, keepdims=True), lambda x: jnp.sort(x, axis=0)[-1:]),
    "abs": (jnp.abs, lambda x: jnp.where(x > 0, x, -x)),
    "relu": (lambda x: jnp.maximum(x, 0), lambda x: (x + jnp.abs(x)) / 2),
    "where": (lambda x: jnp.where(x > 0, jnp.sin(x), x), lambda x: x + jnp.where(x > 0, jnp.sin(x) - x, 0)),
    "clip": (lambda x: jnp.clip(x, -1, 1), lambda x: (jnp.abs(x + 1) - jnp.abs(x - 1)) / 2),
    "gather": (lambda x: x[np.arange(5) % len(x)], lambda x: jnp.eye(len(x), dtype=x.dtype)[np.arange(5) % len(x)] @ x),
    "einsum": (lambda x: jnp.einsum("ij,kj->ik", x, x), lambda x: (x[:, None] * x[None]).sum(axis=2)),
    "norm": (lambda x: x / (1 + jnp.linalg.norm(x)), lambda x: x / (1 + jnp.sqrt(jnp.square(x).sum()))),
    "rows of length 1": (
        lambda x: x / jnp.sqrt(1 + jnp.square(x).sum(axis=1, keepdims=True)),
        lambda x: x * (1 + jnp.einsum("ij,ij->i", x, x))[:, None] ** -0.5,
    ),
    "reshape": (lambda x: x.reshape(1, -1), lambda x: jnp.concatenate(list(x))[None]),
    "transpose": (lambda x: x.T, lambda x: jnp.moveaxis(x, 0, 1)),
    "reverse": (lambda x: x[::-1], lambda x: jnp.flip(x, axis=0)),
    "shifted": (lambda x: jnp.roll(x, 1, axis=1), lambda x: jnp.concatenate([x[:, -1:], x[:, :-1]], axis=1)),
    "variance": (
        lambda x: x.var(axis=1, keepdims=True),
        lambda x: (x**2).mean(1, keepdims=True) - x.mean(1, keepdims=True) ** 2,
    ),
    "square": (jnp.square, lambda x: x * x),
    "bell": (lambda x: jnp.exp(-(x**2)), lambda x: 1 / jnp.exp(x * x)),
    "recurrence": (
        lambda x: jax.lax.scan(lambda h, row: (jnp.tanh(h + row),) * 2, jnp.zeros_like(x[0]), x)[1],
        lambda x: jnp.stack([*accumulate(x, lambda h, row: jnp.tanh(h + row), initial=0 * x[0])][1:]),
    ),
}
BINARY = {  # two matrices of one shape
    "sum": (jnp.add, lambda x, y: y + x),
    "product": (jnp.multiply, lambda x, y: ((x + y) ** 2 - (x - y) ** 2) / 4),
    "division": (lambda x, y: x / (1 + y**2), lambda x, y: x * jnp.reciprocal(1 + y * y)),
    "maximum": (jnp.maximum, lambda x, y: jnp.where(x > y, x, y)),
    "minimum": (jnp.minimum, lambda x, y: (x + y - jnp.abs(x - y)) / 2),
    "matmul": (lambda x, y: x @ y.T, lambda x, y: jnp.einsum("ij,kj->ki", y, x)),
    "interpolation": (
        lambda x, y: x + jax.nn.sigmoid(x) * (y - x),
        lambda x, y: x * jax.nn.sigmoid(-x) + y * jax.nn.sigmoid(x),
    ),
    "logaddexp": (jnp.logaddexp, lambda x, y: jnp.log(jnp.exp(x) + jnp.exp(y))),
    "atan2": (lambda x, y: jnp.arctan2(x, 2 + y**2), lambda x, y: jnp.arctan(x / (2 + y * y))),
    "beside": (lambda x, y: jnp.concatenate([x, y], axis=1), lambda x, y: jnp.hstack((x, y))),
}
LARGEST = 30  # entries of a matrix


def random_function(seed):
    """A `custom_vjp` of a random tree, with that tree; its derivative is right."""
    rng = np.random.default_rng(seed)
    tree = _tree(rng)
    steps = [_step(rng) for _ in range(rng.integers(3, 9))]
    outputs = int(rng.integers(4))
    first, second = (partial(_run, steps, outputs, form) for form in range(2))
    return Case(rule(first, lambda tree, ct: jax.vjp(second, tree)[1](ct)), (tree,))


def _tree(rng):
    leaves = [
        rng.standard_normal(rng.integers(1, 5, rng.integers(3))).astype(np.float32) for _ in range(rng.integers(1, 4))
    ]
    return {"a": leaves[0], "more": tuple(leaves[1:])}


def _step(rng):
    names = (*UNARY, *BINARY)
    return names[rng.integers(len(names))], *map(int, rng.integers(1000, size=2))


def _run(steps, outputs, form, tree):
    """The steps one after the other; each takes one or two of the matrices so far and adds one."""
    values = [jnp.reshape(leaf, (-1, leaf.shape[-1] if leaf.shape else 1)) for leaf in jax.tree.leaves(tree)]
    for name, i, j in steps:
        x, y = values[-1] if i % 2 else values[i % len(values)], values[j % len(values)]
        made = UNARY[name][form](x) if name in UNARY else BINARY[name][form](x, _like(x, y))
        values.append(made.ravel()[None, :LARGEST] if made.size > LARGEST else made)
    if outputs == 0:
        return sum(jnp.sin(v).sum() for v in values)
    return values[-1] if outputs == 1 else {"last": values[-1], "all": tuple(v.sum() for v in values)}


def _like(x, y):
    """`y` repeated or cut to the shape of `x`."""
    return y.ravel()[np.arange(x.size) % y.size].reshape(x.shape)
