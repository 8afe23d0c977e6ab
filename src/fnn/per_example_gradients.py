"""The gradient of each example by any of the gradient functions, or only its norm by the delta rule.

Shape letters: `n` examples, `n_out` outputs. The cost of one example is that of a batch of one row. So the mean of
the examples' gradients is the gradient that `backprop` gives for the batch.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp

from fnn.layers import Dense, Maxout
from fnn.network import activations, deltas
from fnn.types import Array, Cost, Gradient, Layer, Net, Params


def per_example(gradient: Gradient) -> Gradient:
    """The function that gives one value and one gradient per example.

    Args:
        gradient: `backprop`, `autodiff`, or any function with their contract that `jax.vmap` can take.

    Returns:
        A function of the same arguments, whose value is `(n,)` and whose gradient has a leading axis of `n`
        at every leaf: `n` times the memory of a gradient. `per_example_norms` needs less.

    Examples:
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

    For `Dense` and `Maxout` no gradient is computed. The gradient of one example is `δ aᵀ` for W and `δ` for b, so its
    squared norm is `‖δ‖² (‖a‖² + 1)` (Goodfellow 2015, arXiv 1510.01799). For other layers with parameters the gradient
    of each row is computed by `backward`.

    Raises:
        ValueError: `net` and `params` differ in length, or `y` does not fit the output.
    """
    inputs, entering = activations(net, params, x)[:-1], deltas(net, cost, params, x, y)
    squares = [
        _squares(layer, p, a, x.shape[0] * delta)  # the delta of the batch contains the 1/n of the mean
        for layer, p, a, delta in zip(net, params, inputs, entering, strict=True)
        if jax.tree.leaves(p)
    ]
    return jnp.sqrt(sum(squares, jnp.zeros_like(x, shape=x.shape[0])))


def _squares(layer: Layer, params: Params, a: Array, delta: Array) -> Array:
    """‖nabla‖² of every example in one layer, `(n,)`."""
    if type(layer) in (Dense, Maxout):  # exactly these classes: a subclass may have its own `backward`
        return jnp.square(delta).sum(axis=1) * (jnp.square(a.astype(delta.dtype)).sum(axis=1) + 1)
    return jax.vmap(partial(_square, layer, params))(a, delta)


def _square(layer: Layer, params: Params, a: Array, delta: Array) -> Array:
    nabla, _ = layer.backward(params, a[None], delta[None])
    return jnp.stack([jnp.square(leaf).sum() for leaf in jax.tree.leaves(nabla)]).sum()
