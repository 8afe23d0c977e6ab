"""A net as a function for other people's JAX code: its `jax.grad` is the gradient written by hand.

This is the one place of `fnn` that gives JAX a derivative rule. No training "by autodiff" contains it, and nothing
else in `fnn` imports it: `tests/test_independence.py` holds both.

Shape letters: `n` examples in a batch, `shape` one example, `shape_out` one output of the net.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np

from fnn.network import activations, check_lengths, check_net, check_units, forward
from fnn.types import Array, Net, Params, static


def by_hand(net: Net) -> Callable[[Params, Array], Array]:
    """The function `(params, x) -> z` of a net, for whose derivatives JAX calls the layers' `backward`.

    The value is that of `forward(net, params, x)`. `jax.grad`, `jax.vjp` and `jax.jacrev` of a program around it do not
    differentiate the layers: for a delta ∂C/∂z, `(n, *shape_out)`, they get the nablas by the delta rule as in
    `backprop`, summed over the rows, and ∂C/∂x. The 1/n of a mean is in the loss around it. A cost of `fnn` is a loss
    that JAX differentiates by itself: only its `value` is called.

    It is the one exception to the rule that `autodiff` meets no derivative of ours. `fnn.autodiff` and training by it
    do not use this function; a gradient taken through it is no second opinion about `backprop`.

    The function compares and hashes by its net, so that equal nets compile once: under `jit` as the function, as an
    argument, or as a static one. `jit`, `vmap`, `scan`, `jax.checkpoint`, `jax.shard_map` and `jax.export` with a
    symbolic batch apply. Entries of params and x that are no floating point have no derivative.

    A second derivative is one of the code of `backward`, which JAX differentiates: `jax.hessian` and `jax.grad` of a
    function of a gradient are right where `backward` is. JAX refuses forward mode alone, `jax.jvp` and `jax.jacfwd`.

    Args:
        net: The layers, first to last.

    Returns:
        A function of `params`, one entry per layer, and `x`, `(n, *shape)`; z is `(n, *shape_out)`.

    Raises:
        TypeError: `net` is not a tuple of layers, or one of them cannot be hashed; when called, x holds bytes.
        ValueError: an empty net; when called, `net` and `params` differ in length; when differentiated, a `backward`
            that returns other shapes than it was given.

    Examples:
        >>> import jax, jax.numpy as jnp
        >>> from fnn import Dense, Sigmoid, by_hand, init
        >>> net = (Dense(4), Sigmoid(), Dense(2))
        >>> params, x = init(net, jax.random.key(0), (3,)), jnp.ones((5, 3))
        >>> f = by_hand(net)
        >>> gradient = jax.grad(lambda params: jnp.abs(f(params, x)).mean())(params)
        >>> gradient[0].W.shape, f == by_hand((Dense(4), Sigmoid(), Dense(2)))
        ((4, 3), True)
    """
    check_net(net)
    for i, layer in enumerate(net):
        if layer.__hash__ is None:
            raise TypeError(
                f"net[{i}] is a {type(layer).__name__}, which cannot be hashed; make its class @fnn.static."
            )
    return _function(net)


@static
class ByHand:
    """What `by_hand` returns."""

    net: Net

    def __call__(self, params: Params, x: Array) -> Array:
        """The raw output of the net, `(n, *shape_out)`."""
        check_lengths(self.net, params)
        check_units(x)  # here: within the function below x is no array but a variable of a program
        return _outputs(self.net, *_varying((params, x)))


@lru_cache
def _function(net: Net) -> ByHand:
    """The same object for equal nets: `jax.jit` forgets what it compiled for a function when that object is gone."""
    return ByHand(net)


def _varying(inputs: tuple[Params, Array]) -> tuple[Params, Array]:
    """Within `jax.shard_map`, all inputs cast to differ between devices along every axis along which one of them does.

    Params that are equal on all devices then get the sum over the devices as their derivative, which JAX adds itself.
    """
    leaves, tree = jax.tree.flatten(inputs)
    axes = [_axes(leaf) for leaf in leaves]
    missing = [tuple(frozenset().union(*axes) - own) for own in axes]
    cast = [jax.lax.pcast(leaf, m, to="varying") if m else leaf for leaf, m in zip(leaves, missing, strict=True)]
    return jax.tree.unflatten(tree, cast)


def _axes(leaf: Array) -> frozenset[str]:
    """The axes of devices along which an array differs between devices; none outside of `jax.shard_map`."""
    kind = getattr(jax.typeof(leaf), "manual_axis_type", None)
    return kind.varying if kind else frozenset()


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _outputs(net: Net, params: Params, x: Array) -> Array:
    return forward(net, params, x)


def _forward(net: Net, params: Params, x: Array) -> tuple[Array, tuple[Params, list[Array]]]:
    """The output, and what `_backward` needs: the params and the input of each layer."""
    *inputs, z = activations(net, params, x)
    return z, (params, inputs)


def _backward(net: Net, kept: tuple[Params, list[Array]], delta: Array) -> tuple[Params, Array]:
    """The derivatives by the params and by x."""
    params, inputs = kept
    nablas = []
    for i, layer, p, a in reversed([*zip(range(len(net)), net, params, inputs, strict=True)]):
        nabla, delta = _like((p, a), layer.backward(p, a, delta), f"layer {i}, {type(layer).__name__}")
        nablas.append(nabla)
    leaves = jax.tree.leaves(nablas[::-1])
    return jax.tree.unflatten(jax.tree.structure(params), leaves), delta


_outputs.defvjp(_forward, _backward)


def _like(given: tuple[Params, Array], derivatives: tuple[Params, Array], who: str) -> tuple[Params, Array]:
    """`(nabla, delta_prev)` as JAX wants it: in the types of `(params, a)`.

    Raises:
        ValueError: other trees or shapes than those of `(params, a)`.
    """
    wanted, got = (jax.tree.map(jnp.shape, tree) for tree in (given, derivatives))
    if jax.tree.structure(derivatives) != jax.tree.structure(given) or got != wanted:
        raise ValueError(
            f"{who}: backward returned (nabla, delta_prev) of shapes {got}; expected those of (params, a), {wanted}."
        )
    return jax.tree.map(_cotangent, given, derivatives)


def _cotangent(given: Array, derivative: Array) -> Array | np.ndarray:
    if not jnp.issubdtype(given.dtype, jnp.inexact):
        return np.zeros(given.shape, jax.dtypes.float0)  # JAX's derivative by whole numbers
    return jnp.asarray(derivative, given.dtype)
