"""One gradient per example, and how long each is, from the same handwritten rules.

Shape letters: `n` examples, `n_out` outputs. The cost of one example is that of a batch of one row, so
the mean of what is here over the rows is what `backprop` says of the batch.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp

from fnn.layers import Dense, Maxout
from fnn.network import activations, deltas
from fnn.types import Array, Cost, Gradient, Layer, Net, Params


def per_example(gradient: Gradient) -> Gradient:
    """The rule that gives one value and one gradient per example.

    Args:
        gradient: `backprop`, `autodiff`, or any function with their contract that `jax.vmap` can take.

    Returns:
        A function of the same arguments, whose value is `(n,)` and whose gradient has a leading axis of `n`
        at every leaf: `n` times the memory of a gradient. `per_example_norms` needs none of that.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from fnn import CrossEntropy, Dense, backprop, init
        >>> from fnn import per_example
        >>> net, x, y = (Dense(2),), jnp.ones((5, 3)), jnp.ones((5, 2))
        >>> params = init(net, jax.random.key(0), (3,))
        >>> values, gradients = per_example(backprop)(net, CrossEntropy(), params, x, y)
        >>> values.shape, gradients[0].W.shape
        ((5,), (5, 2, 3))
    """

    def gradients(net: Net, cost: Cost, params: Params, x: Array, y: Array) -> tuple[Array, Params]:
        return jax.vmap(lambda x, y: gradient(net, cost, params, x[None], y[None]))(x, y)

    return gradients


def per_example_norms(net: Net, cost: Cost, params: Params, x: Array, y: Array) -> Array:
    """The Euclidean norm of each example's gradient over all parameters, `(n,)`, by the delta rule.

    For `Dense` and `Maxout` the gradients are not formed: that of one example is an outer product, `δ aᵀ` and
    `δ`, so its squared norm is `‖δ‖² (‖a‖² + 1)` (Goodfellow 2015, arXiv 1510.01799). Other layers with
    parameters form theirs, one row at a time.

    Raises:
        ValueError: `net` and `params` differ in length, or `y` does not fit the output.
    """
    inputs, entering = activations(net, params, x)[:-1], deltas(net, cost, params, x, y)
    squares = [
        _squares(layer, p, a, len(x) * delta)  # the batch's delta has 1/n, an example's has not
        for layer, p, a, delta in zip(net, params, inputs, entering, strict=True)
        if jax.tree.leaves(p)
    ]
    return jnp.sqrt(sum(squares, jnp.zeros_like(x, shape=len(x))))


def _squares(layer: Layer, params: Params, a: Array, delta: Array) -> Array:
    """‖nabla‖² of every example in one layer, `(n,)`."""
    if type(layer) in (Dense, Maxout):  # these very classes: a subclass may have a rule of its own
        return jnp.square(delta).sum(axis=1) * (jnp.square(a.astype(delta.dtype)).sum(axis=1) + 1)
    return jax.vmap(partial(_square, layer, params))(a, delta)


def _square(layer: Layer, params: Params, a: Array, delta: Array) -> Array:
    nabla, _ = layer.backward(params, a[None], delta[None])
    return jnp.stack([jnp.square(leaf).sum() for leaf in jax.tree.leaves(nabla)]).sum()
