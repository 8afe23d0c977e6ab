"""Networks: a tuple of layers, the tuple of their parameters, and two ways to the same gradient.

Shape letters: `n` examples in a batch, `shape` one example, `n_out` outputs of the last layer.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator

import jax
import numpy as np

from fnn.kernels.draws import split
from fnn.types import Array, Cost, Key, Net, Params, Shape, is_whole


def init(net: Net, key: Key, shape: Shape) -> Params:
    """New parameters for inputs of `shape`: one entry per layer, `()` for a layer with none.

    Our own layers draw the numbers of `jax.random`, small arrays without compiling anything (`kernels/draws.py`).

    Args:
        net: The layers, first to last.
        key: A typed key; layer `l` draws from the l-th of its `len(net)` splits.
        shape: One example without the batch axis, `(784,)`.

    Raises:
        TypeError: `net` is not a tuple of layers, or `shape` does not consist of whole numbers.
        ValueError: an empty net, an empty axis, or a layer that cannot take what the one before it gives.

    Examples:
        >>> import jax
        >>> from fnn import Dense, Sigmoid, init
        >>> params = init((Dense(4), Sigmoid(), Dense(2)), jax.random.key(0), (3,))
        >>> params[0].W.shape, params[1], params[2].b.shape
        ((4, 3), (), (2,))
    """
    shape, params = _checked_shape(net, shape), []
    for layer, k in zip(net, split(key, len(net)), strict=True):
        p, shape = layer.init(k, shape)
        params.append(p)
    return tuple(params)


def shape_out(net: Net, shape: Shape) -> Shape:
    """The shape of one output of `net` for inputs of `shape`, without drawing or computing anything.

    Raises:
        TypeError, ValueError: as `init`.
    """
    shape = _checked_shape(net, shape)
    for layer in net:
        shape = _shape_after(layer, shape)
    return shape


def _shape_after(layer, shape: Shape) -> Shape:
    after = []  # eval_shape would return arrays in place of the numbers of a shape, so the shape is kept here
    jax.eval_shape(lambda: after.append(layer.init(jax.random.key(0), shape)[1]))
    return after[0]


def check_net(net: Net) -> None:
    """Refuse what is no tuple of layers.

    Raises:
        TypeError: another type, or a class in the place of a layer.
        ValueError: an empty net.
    """
    if not isinstance(net, tuple):
        raise TypeError(f"net is a {type(net).__name__}; a net is a tuple of layers, such as (Dense(10),).")
    if not net:
        raise ValueError("net has 0 layers; it needs at least one, such as (Dense(10),).")
    check_layers(net)


def check_layers(net: Net) -> None:
    """Refuse what is no layer in a net.

    Raises:
        TypeError: a layer alone in place of the net, or a class or anything else in the place of a layer.
    """
    if not isinstance(net, tuple | list):
        raise TypeError(f"net is a {type(net).__name__}; a net is a tuple of layers, such as (Dense(10),).")
    for i, layer in enumerate(net):
        if isinstance(layer, type):
            raise TypeError(f"net[{i}] is the class {layer.__name__}; a layer is a value of one, such as Sigmoid().")
        if not hasattr(layer, "forward"):
            raise TypeError(f"net[{i}] is {layer!r:.80}; expected a layer, such as Dense(10) or Sigmoid().")


def _checked_shape(net: Net, shape: Shape) -> Shape:
    """The shape of an example in Python's numbers, if it and the net can be."""
    check_net(net)
    if not isinstance(shape, tuple | list) or not all(is_whole(k) for k in shape):
        raise TypeError(f"shape is {shape!r}; expected the whole numbers of one example's shape, such as (784,).")
    if any(k < 1 for k in shape):
        raise ValueError(f"shape is {shape}; every axis of an example needs at least one entry.")
    return tuple(operator.index(k) for k in shape)


def count_params(params: Params) -> int:
    """The number of weights and biases: one for every edge of the graph, and one for every node that is no input.

    Examples:
        >>> import jax
        >>> from fnn import Dense, count_params, init
        >>> count_params(init((Dense(30), Dense(10)), jax.random.key(0), (784,)))
        23860
    """
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(params))


def forward(net: Net, params: Params, x: Array) -> Array:
    """The raw output `z`, `(n, n_out)`, of the last layer for a batch `x`, `(n, *shape)`.

    The output activation belongs to the cost: `predict` applies it.

    Raises:
        ValueError: `net` and `params` differ in length.
    """
    return activations(net, params, x)[-1]


def activations(net: Net, params: Params, x: Array) -> tuple[Array, ...]:
    """The input of every layer, first to last, and then the raw output `z`: `len(net) + 1` arrays.

    Raises:
        ValueError: `net` and `params` differ in length.
    """
    check_lengths(net, params)
    check_units(x)
    trace = [x]
    for layer, p in zip(net, params, strict=True):
        trace.append(layer.forward(p, trace[-1]))
    return tuple(trace)


def predict(net: Net, cost: Cost, params: Params, x: Array) -> Array:
    """What the network says, `(n, n_out)`: the cost's output activation of `forward`.

    Raises:
        ValueError: `net` and `params` differ in length.
    """
    return cost.output(forward(net, params, x))


def autodiff(net: Net, cost: Cost, params: Params, x: Array, y: Array) -> tuple[Array, Params]:
    """The cost of a batch and its gradient, by `jax.grad`; `backprop` has the same contract.

    JAX finds every derivative by itself: `fnn` gives it no derivative rule.

    Args:
        net: The layers, first to last.
        cost: The cost; it applies the output activation itself.
        params: One entry per layer.
        x: Inputs `(n, *shape)`.
        y: Desired outputs `(n, n_out)`.

    Returns:
        The value, mean over the rows of the sum over outputs, and its gradient, a tree like `params`.

    Raises:
        ValueError: `net` and `params` differ in length, or `y` does not fit the output.
    """
    return jax.value_and_grad(lambda p: _value(cost, forward(net, p, x), y))(params)


def _value(cost: Cost, z: Array, y: Array) -> Array:
    check_targets(cost, z, y)
    return cost.value(z, y)


def backprop(net: Net, cost: Cost, params: Params, x: Array, y: Array) -> tuple[Array, Params]:
    """The cost of a batch and its gradient, by the delta rule.

    `autodiff` has the same contract and computes the gradient by `jax.grad`; training takes either.

    Args:
        net: The layers, first to last.
        cost: The cost; it applies the output activation itself.
        params: One entry per layer, as `init(net, key, shape)` makes it.
        x: Inputs `(n, *shape)`, one example per row, in the units of training (pixels in [0, 1]).
        y: Desired outputs `(n, n_out)`, one-hot rows for classes.

    Returns:
        The value of the cost, a scalar in its units per example (nats for `CrossEntropy`), and the
        gradient, a tree like `params`. Both are the mean over the `n` rows of the sum over
        outputs. Weight decay is added by the optimiser and is in neither.

    Raises:
        ValueError: `net` and `params` differ in length, or `y` does not fit the output.

    At a kink the derivative is the one the layer documents (`ReLU`: 0 at 0). `autodiff` takes the
    same side, so the two agree there too, where a finite difference does not.
    Source: Nielsen, ch. 2; BP1 is `cost.delta`, BP2-BP4 are the layers' `backward`.

    Examples:
        >>> import jax, jax.numpy as jnp
        >>> from fnn import CrossEntropy, Dense, Sigmoid, backprop, init
        >>> net = (Dense(4), Sigmoid(), Dense(2))
        >>> params, x, y = init(net, jax.random.key(0), (3,)), jnp.ones((5, 3)), jnp.ones((5, 2))
        >>> value, gradient = backprop(net, CrossEntropy(), params, x, y)
        >>> value.shape, gradient[0].W.shape, gradient[1]
        ((), (4, 3), ())
    """
    *inputs, z = activations(net, params, x)
    check_targets(cost, z, y)
    nablas = [nabla for nabla, _ in _backward(net, params, inputs, cost.delta(z, y))]
    return cost.value(z, y), tuple(reversed(nablas))


def deltas(net: Net, cost: Cost, params: Params, x: Array, y: Array) -> tuple[Array, ...]:
    """The delta entering each layer, first to last: ∂C/∂(that layer's output), `(n, *shape_out)`.

    The last one is `cost.delta(z, y)`. At a `Dense` the rows are Nielsen's δˡ divided by n, because the cost is a mean.

    Raises:
        ValueError: `net` and `params` differ in length, or `y` does not fit the output.
    """
    *inputs, z = activations(net, params, x)
    check_targets(cost, z, y)
    entering = [delta for _, delta in _backward(net, params, inputs, cost.delta(z, y))]
    return tuple(reversed(entering))


def _backward(net: Net, params: Params, inputs: list[Array], delta: Array) -> Iterator[tuple[Params, Array]]:
    """The nabla of each layer and the delta that entered it, from the last layer to the first."""
    for layer, p, a in zip(reversed(net), reversed(params), reversed(inputs), strict=True):
        nabla, delta_prev = layer.backward(p, a, delta)
        yield nabla, delta
        delta = delta_prev


def check_lengths(net: Net, params: Params) -> None:
    """Refuse what is no layer, and params that are not one entry per layer.

    Raises:
        TypeError: `net` has something else than layers, or `params` is no tuple.
        ValueError: `net` and `params` differ in length.
    """
    check_layers(net)
    if not isinstance(params, tuple | list):
        raise TypeError(f"params is a {type(params).__name__}; expected what init(net, key, shape) gives.")
    if len(net) != len(params):
        raise ValueError(
            f"net has {len(net)} layers but params has {len(params)} entries; "
            "make them with init(net, key, shape) for this net."
        )


def check_units(x: object) -> None:
    """Refuse bytes as images are stored, in place of the numbers that the network is trained on.

    Raises:
        TypeError: `x` holds bytes above 1. Within a compiled program nobody can see that.
    """
    if not isinstance(x, np.ndarray | jax.Array) or isinstance(x, jax.core.Tracer) or x.dtype != np.uint8:
        return
    if x.size and x.max() > 1:
        raise TypeError(
            f"x holds bytes up to {x.max()}, as they are stored; a network takes them in the units of training: "
            "x, y = examples.rows(slice(None)), or model.predict(x) for a model that was loaded."
        )


def check_targets(cost: Cost, z: Array, y: Array) -> None:
    """Refuse desired outputs that do not have the shape of the outputs: JAX would broadcast some of them.

    Raises:
        ValueError: `y` and `z` differ in shape.
    """
    if z.shape != y.shape:
        hint = f" For integer labels use jax.nn.one_hot(y, {z.shape[-1]})." if y.ndim < z.ndim else ""
        raise ValueError(
            f"{type(cost).__name__}: y has shape {tuple(y.shape)}, the network's output {tuple(z.shape)}; "
            f"they must be equal.{hint}"
        )
