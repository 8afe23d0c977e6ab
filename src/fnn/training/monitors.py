"""What a training looks like inside, layer by layer: dead and saturated units, sizes of delta and update, signs.

A layer *works entry by entry* if it has no params, keeps the shape, and delta is multiplied by a derivative f′(z) of
every entry on its way back. The activation functions do, a user's own too. Its units are the first axis of an example,
so a filter is one unit. The weights of a unit are those that share one bias. The derivatives are those of the training:
the handwritten ones (`backward`, `delta`), or, in a training by `autodiff`, those of JAX alone. With a gradient of the
user's own f′ and δ are the handwritten ones. The numbers of a layer are:

- `dead`: the share of its units with f′(z) = 0 for every example of the epoch (and every position of an image). The
  derivative is taken at the params before the step that uses the example. So no gradient passed such a unit in the
  whole epoch. All examples are counted, not a sample.
- `saturated`: the share of its entries, over units, positions and examples, with |f′(z)| < 1e-3: beyond
  |z| = 6.91 for the sigmoid, 4.15 for tanh; for ReLU these are the entries with output 0.
- `delta`: ‖δ‖, where δ is the derivative of one example's cost (no 1/n in it) by the layer's output; the root mean
  square over examples. It is the speed of learning of a layer in Nielsen, ch. 5, where it vanishes or explodes.
- `update`: ‖ΔW‖/‖W‖ of a step, momentum and decay included; both norms as root mean squares over steps.
- `coherence`: how far the entries of the gradient of one unit's weights agree in sign: |p − m|/(p + m) for p positive
  and m negative entries. It is the mean over steps and over units with a gradient. If all inputs are positive and a
  mini-batch has one example, it is 1. This causes the zig-zag of LeCun et al., "Efficient BackProp" (1998), sec. 4.3.

Means "over steps" and ‖δ‖ are over the first of every `MEASURED_EVERY` mini-batches of the epoch. Measuring one costs
about two steps. In a long epoch this is almost nothing. An epoch of few steps may take twice as long, and its means
are over few steps. The output activation belongs to the cost and is no layer. Shape letters: `n` examples of a batch,
`L` layers, `shape` a layer's output.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fnn.kernels.products import row_sums
from fnn.network import activations, backprop
from fnn.training.mini_batches import Rule
from fnn.training.ways import BY_HAND, Way, way_of
from fnn.types import Array, Cost, Gradient, Layer, Net, Params, Shape, short_repr

SATURATED = 1e-3  # a derivative below this passes almost nothing back; the sigmoid's largest is 0.25
MEASURED_EVERY = 100  # mini-batches, of which one is measured; that costs as much as two steps


class Reading(NamedTuple):
    """One layer in an epoch or a batch, as `fnn.training.monitors` defines it; nan where a number does not apply."""

    dead: Array | np.generic  # (), share of units, 0 … 1
    saturated: Array | np.generic  # (), share of entries
    delta: Array | np.generic  # (), in units of the cost per unit of the layer's output
    update: Array | np.generic  # (), a ratio
    coherence: Array | np.generic  # (), 0 … 1

    __repr__ = short_repr


class Sizes(NamedTuple):
    """Sums over the measured steps. For a layer without weights the last four are 0."""

    rows: Array  # (), examples
    delta: Array  # (L,), of ‖δ‖² over examples
    update: Array  # (L,), of ‖ΔW‖²
    weight: Array  # (L,), of ‖W‖²
    agreement: Array  # (L,), of |p − m|/(p + m) over units with a gradient
    units: Array  # (L,), the number of those units


class Tally(NamedTuple):
    """What has been counted so far in an epoch."""

    steps: Array  # (), int32
    rows: Array  # (), int32, examples
    zero: tuple[Any, ...]  # per layer: for each entry, the examples with f′(z) = 0, int32 `shape`; () without f′
    small: tuple[Any, ...]  # the same for |f′(z)| < 1e-3
    sizes: Sizes  # of the steps that are measured


def monitor(net: Net, cost: Cost, params: Params, x: Array, y: Array) -> tuple[Reading, ...]:
    """A reading of every layer on one batch, by the handwritten derivatives.

    Args:
        net: The layers.
        cost: The cost.
        params: Of `net`.
        x: Inputs `(n, *shape)`.
        y: Desired outputs `(n, n_out)`.

    Returns:
        The readings, first layer to last. `update` is for the step W ← W − ∇C. Multiply it by η for W ← W − η∇C.

    Raises:
        ValueError: `net` and `params` differ in length, or `y` does not fit the output.

    Examples:
        >>> import jax.numpy as jnp
        >>> from fnn import Dense, Identity, Quadratic, ReLU, monitor
        >>> from fnn.layers import DenseParams
        >>> params = (DenseParams(jnp.eye(2), jnp.array([0.0, -9.0])), ())  # x at most 1: the second unit is never on
        >>> _, relu = monitor((Dense(2), ReLU()), Quadratic(Identity()), params, jnp.ones((3, 2)), jnp.zeros((3, 2)))
        >>> float(relu.dead), round(float(relu.delta), 4)
        (0.5, 1.0)
    """
    return readings(_batch(net, cost, params, x, y))


@jax.jit
def _batch(net: Net, cost: Cost, params: Params, x: Array, y: Array) -> Tally:
    """The tally of one step of `W ← W − ∇C`."""
    _, gradient = backprop(net, cost, params, x, y)
    after = jax.tree.map(jnp.subtract, params, gradient)
    tally = _counted(zeros(net, params, x.shape[1:]), BY_HAND, net, params, activations(net, params, x))
    return tally._replace(sizes=_sizes(params, after, gradient, BY_HAND.deltas(net, cost, params, x, y)))


def zeros(net: Net, params: Params, shape: Shape, gradient: Gradient = backprop) -> Tally:
    """The tally before the first step of a training with this gradient, for examples of `shape`."""
    way = way_of(gradient) or BY_HAND
    trace = jax.eval_shape(lambda p: activations(net, p, jnp.zeros((1, *shape))), params)
    pairs = zip(net, params, trace[:-1], trace[1:], strict=True)
    counts = tuple(
        jnp.zeros(z.shape[1:], jnp.int32) if a.shape == z.shape and _by_entry(way, layer, p, z.shape[1:]) else ()
        for layer, p, a, z in pairs
    )
    none, per_layer = jnp.zeros((), jnp.int32), jnp.zeros(len(net), jnp.float32)
    return Tally(none, none, counts, counts, Sizes(jnp.zeros((), jnp.float32), *[per_layer] * 5))


def _by_entry(way: Way, layer: Layer, params: Params, shape: Shape) -> bool:
    """Whether a layer that keeps the shape has no params and multiplies delta by a derivative."""
    if jax.tree.leaves(params):
        return False
    with jax.ensure_compile_time_eval():  # numbers, not tracers, also when a caller is being compiled
        k = jnp.arange(math.prod(shape), dtype=jnp.float32).reshape(1, *shape)
        z, delta = jnp.sin(k), jnp.cos(k)
        _, product = way.of_layer(layer, params, z, delta)
        return bool(jnp.allclose(product, delta * _slopes(way, layer, params, z), rtol=1e-3, equal_nan=True))


def _slopes(way: Way, layer: Layer, params: Params, z: Array) -> Array:
    """f′(z) of a layer that works entry by entry."""
    return way.of_layer(layer, params, z, jnp.ones_like(z))[1]


def saw(tally: Tally, rule: Rule, params: Params, v: Params, x: Array, y: Array) -> tuple[Tally, Params]:
    """The tally after the step from `params` on the mini-batch `x`, `y`, and the params, unchanged.

    The activations cost nothing, because the gradient needs them too and the compiler computes them once. For the few
    measured steps the deltas and the gradient are computed a second time. If they were shared with the training, the
    compiler would round the training's steps differently.
    """
    way = way_of(rule.gradient) or BY_HAND

    def measured(sizes: Sizes, params: Params, v: Params, x: Array, y: Array) -> Sizes:
        _, nabla = rule.gradient(rule.net, rule.cost, params, x, y)
        after, _ = rule.optimizer.update(params, v, nabla)
        return jax.tree.map(jnp.add, sizes, _sizes(params, after, nabla, way.deltas(rule.net, rule.cost, params, x, y)))

    due = tally.steps % MEASURED_EVERY == 0
    sizes = jax.lax.cond(due, measured, lambda sizes, *_: sizes, tally.sizes, params, v, x, y)
    tally = _counted(tally, way, rule.net, params, activations(rule.net, params, x))._replace(sizes=sizes)
    # `rows` is never negative, so the params are returned unchanged. The comparison only makes the update depend on
    # `sizes`; without it XLA copies the params in every step.
    return tally, jax.tree.map(lambda p: jnp.where(sizes.rows < 0, 0, p), params)


def _counted(tally: Tally, way: Way, net: Net, params: Params, trace: tuple[Array, ...]) -> Tally:
    """The tally with the derivatives of one more batch counted; `trace` are its `activations`."""
    zero, small = list(tally.zero), list(tally.small)
    for i, (layer, p, z) in enumerate(zip(net, params, trace[:-1], strict=True)):
        if not isinstance(zero[i], tuple):
            slopes = abs(_slopes(way, layer, p, z))
            zero[i] += (slopes == 0).sum(axis=0, dtype=jnp.int32)
            small[i] += (slopes < SATURATED).sum(axis=0, dtype=jnp.int32)
    return Tally(tally.steps + 1, tally.rows + len(trace[0]), tuple(zero), tuple(small), tally.sizes)


def _sizes(params: Params, after: Params, nabla: Params, entering: tuple[Array, ...]) -> Sizes:
    """The sizes of one step from `params` to `after` along `nabla`; `entering` are the `deltas` of the batch."""
    n = float(len(entering[0]))
    moved = jax.tree.map(jnp.subtract, after, params)
    signs = jax.tree.map(jnp.sign, nabla)
    agreements, units = zip(*(_agreement(_rows(s)) for s in signs), strict=True)
    return Sizes(
        jnp.asarray(n, jnp.float32),
        _stacked(
            n**2 * _square(delta.reshape(len(delta), -1)) for delta in entering
        ),  # n², because the deltas of the batch contain 1/n
        _stacked(_square(_rows(p)) for p in moved),
        _stacked(_square(_rows(p)) for p in params),
        _stacked(agreements),
        _stacked(units),
    )


def _rows(params: Params) -> Array:
    """A layer's weights, the leaf `W`, as `(units, n_in)`; `(0, 1)` if it has none."""
    W, b = getattr(params, "W", None), getattr(params, "b", None)
    if W is None:
        return jnp.zeros((0, 1))
    shared = b is not None and W.shape[: b.ndim] == b.shape
    return W.reshape(math.prod(b.shape if shared else W.shape[:-1]), -1)


def _agreement(signs: Array) -> tuple[Array, Array]:
    """|p − m|/(p + m) of the signs `(units, n_in)`, summed over units with a gradient, and how many these are."""
    one_way, all_ways = abs(row_sums(signs, "highest")), row_sums(abs(signs), "highest")
    return (one_way / jnp.maximum(all_ways, 1)).sum(), (all_ways > 0).sum()


def _square(rows: Array) -> Array:
    """The sum of the squares."""
    return row_sums(jnp.square(rows), "highest").sum()


def _stacked(numbers: Iterable[Array]) -> Array:
    return jnp.stack([number.astype(jnp.float32) for number in numbers])


def readings(tally: Tally) -> tuple[Reading, ...]:
    """The readings that follow from a tally, first layer to last.

    Call it outside `jit`: inside, XLA turns a division by a constant into a product with its rounded reciprocal.
    """
    sizes = tally.sizes
    shares = [_shares(tally.rows, *counts) for counts in zip(tally.zero, tally.small, strict=True)]
    delta = jnp.sqrt(sizes.delta / sizes.rows)
    update = _where_any(sizes.weight, jnp.sqrt(sizes.update / _not_0(sizes.weight)), sizes.update)
    coherence = _where_any(sizes.units, sizes.agreement / _not_0(sizes.units), sizes.agreement)
    return tuple(Reading(*share, delta[i], update[i], coherence[i]) for i, share in enumerate(shares))


def _not_0(numbers: Array) -> Array:
    return jnp.where(numbers == 0, 1, numbers)


def _where_any(below: Array, quotients: Array, above: Array) -> Any:
    """The `quotients`, nan or infinite where `below` is 0. On the host: `jax_debug_nans` then sees no nan."""
    if isinstance(below, jax.core.Tracer):
        return jnp.where(below == 0, above / below, quotients)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below == 0, np.asarray(above) / np.asarray(below), quotients)


def _shares(rows: Array, zero: Any, small: Any) -> tuple[Any, Any]:
    """The shares of dead units and of saturated entries in one layer."""
    if isinstance(zero, tuple):
        return np.float32(np.nan), np.float32(np.nan)
    dead = (zero == rows).all(axis=tuple(range(1, zero.ndim)))
    entries = rows.astype(jnp.float32) * small.size  # not an integer, which would overflow in an epoch of many images
    return dead.sum() / dead.size, small.astype(jnp.float32).sum() / entries
