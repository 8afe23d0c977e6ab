"""Central differences that say how far they can be trusted, from values of the cost alone.

A probe is a line through the parameters. It changes one coordinate, or all of them at once by random signs. The cost
is computed at ±h and ±h/2 on this line. Where the cost is smooth, two things hold. The central differences D of the
two widths agree to O(h²). The gap between the slopes on the right and on the left, `h C″`, halves with h. Then the
probe is *settled*. If a kink (ReLU, maxout, pooling, a step, a user's own) lies within the interval, one of the two
fails by about as much as the kink falsifies D. The probe is then repeated with h/16 and h/256. A probe that does not
settle at any width is left out and counted. No derivative, by hand or automatic, takes part in that decision, so an
error in a derivative cannot pass for a kink.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from fnn.network import forward
from fnn.types import Array, Cost, Net, Params

EPS = float(np.finfo(np.float64).eps)
WIDTH = EPS ** (1 / 3)  # balances the rounding of the cost, EPS/h, with the curvature, h²
FACTORS = (1.0, 1 / 16, 1 / 256)  # of the width h, tried in this order
DIRECTIONS = 8
PER_CALL = 256  # values of the cost per compiled call, so that one compilation serves any number of probes
NOISY = 32  # a gap of at most this multiple of its noise counts as rounding
SMOOTH = 1e-6  # a probe is settled if the relative gap between its two widths is at most this

Values = Callable[[np.ndarray, np.ndarray], np.ndarray]  # probe numbers, moves along the probes -> costs


class Slopes(NamedTuple):
    """Central differences along some probes."""

    slope: np.ndarray  # (k,), 0 where not settled
    noise: np.ndarray  # (k,), how far the rounding of the cost alone can move a slope
    settled: np.ndarray  # (k,), bool


class Point(NamedTuple):
    """Where a gradient is checked, in float64: the arguments of the objective."""

    net: Net
    cost: Cost
    params: Params
    x: Array  # (n, *shape)
    y: Array  # (n, n_out)
    lmbda: Array  # ()


def objective(point: Point) -> Array:
    """The mean cost plus the penalty: the function that is differentiated."""
    return _mean_cost(point) + _penalty(point)


def _mean_cost(point: Point) -> Array:
    return point.cost.value(forward(point.net, point.params, point.x), point.y)


def _penalty(point: Point) -> Array:
    """`½ λ Σ W²`."""
    weights = (leaf for path, leaf in jax.tree.leaves_with_path(point.params) if is_W(path))
    return 0.5 * point.lmbda * sum(jnp.square(leaf).sum() for leaf in weights)


def is_W(path: tuple) -> bool:
    """Whether a leaf is a weight. Not `optimizers.is_weight`: the optimiser's rule is under test."""
    return str(path[-1]) == ".W"


@jax.jit
def _along_axes(point: Point, i: Array, move: Array) -> Array:
    """The objective with `move` added to coordinate `i`, for every pair."""
    flat, tree = ravel_pytree(point.params)
    penalised, _ = ravel_pytree(jax.tree.map_with_path(lambda path, p: jnp.full_like(p, is_W(path)), point.params))
    whole = _penalty(point)

    def value(probe):
        i, move = probe
        moved = flat[i] + move
        # only one term of the sum of squares changes; adding up all the others again took a third of the time
        change = 0.5 * point.lmbda * penalised[i] * (moved**2 - flat[i] ** 2)
        return _mean_cost(point._replace(params=tree(flat.at[i].set(moved)))) + whole + change

    return jax.lax.map(value, (i, move))  # one after the other: as fast as vmap, without a copy of the params per probe


@jax.jit
def _along(point: Point, directions: Array, i: Array, move: Array) -> Array:
    """The objective at the parameters plus `move * directions[i]`, for every pair."""
    flat, tree = ravel_pytree(point.params)
    return jax.lax.map(
        lambda probe: objective(point._replace(params=tree(flat + probe[1] * directions[probe[0]]))), (i, move)
    )


def _in_equal_calls(values: Callable[[np.ndarray, np.ndarray], Array], i: np.ndarray, move: np.ndarray) -> np.ndarray:
    """`values(i, move)`, computed `PER_CALL` at a time; the last call is filled up with zeros."""
    short = -len(i) % PER_CALL
    i, move = (np.pad(a, (0, short)).reshape(-1, PER_CALL) for a in (i, move))
    return np.concatenate([np.asarray(values(*rows)) for rows in zip(i, move, strict=True)])[: i.size - short]


def widths(params: Params) -> np.ndarray:
    """The width h of the central difference in every coordinate, `(P,)`.

    It is proportional to the square root of a coordinate above 1, and the same for all smaller ones, since a weighted
    input is about 1. In a layer whose largest parameter is below 1e-3 it shrinks in proportion to that parameter: the
    kinks of such a layer lie close together.
    """
    sizes = [[np.abs(np.asarray(leaf)).ravel() for leaf in jax.tree.leaves(layer)] for layer in params]
    layers = [np.concatenate(leaves) for leaves in sizes if leaves]
    return np.concatenate([WIDTH * np.sqrt(np.maximum(1, size)) * min(1, 1e3 * size.max() or 1) for size in layers])


def coordinate_slopes(point: Point, flat: np.ndarray, i: np.ndarray, floor: np.ndarray) -> Slopes:
    """The slopes along the coordinates `i`.

    Args:
        point: Where.
        flat: All parameters, `(P,)`.
        i: The coordinates, numbers in 0 … P − 1, `(k,)`.
        floor: The least uncertainty of each slope, `(k,)`.
    """
    p = flat[i]

    def values(j, move):
        return _in_equal_calls(lambda *rows: _along_axes(point, *rows), i[j], move)

    def rounded(j, move):
        return (p[j] + move) - p[j]

    return _slopes(values, widths(point.params)[i], rounded, _noise(point, flat), floor)


def random_directions(size: np.ndarray) -> np.ndarray:
    """Moves of all coordinates at once, each by its `size` `(P,)` with a random sign: `(8, P)`, always the same."""
    return np.random.default_rng(0).choice(np.array([-1.0, 1.0]), (DIRECTIONS, len(size))) * size


def direction_slopes(point: Point, flat: np.ndarray, directions: np.ndarray, floor: np.ndarray) -> Slopes:
    """The slopes along `directions`, `(k, P)`."""

    def values(j, move):
        return _in_equal_calls(lambda *rows: _along(point, directions, *rows), j, move)

    return _slopes(values, np.ones(len(directions)), lambda j, move: move, _noise(point, flat), floor)


def _noise(point: Point, flat: np.ndarray) -> float:
    """How much the last bits of the parameters move the objective: an estimate of its rounding.

    It is capped: at a tie the objective may jump, and a jump that passed for noise would make the check blind.
    """
    i, move = np.append(np.arange(DIRECTIONS), 0), np.append(np.full(DIRECTIONS, 2 * EPS), 0.0)
    costs = _in_equal_calls(lambda *rows: _along(point, random_directions(flat), *rows), i, move)
    moved = np.abs(costs[:-1] - costs[-1]).max()
    return float(np.minimum(moved, 1e6 * EPS * abs(costs[-1])))


def _slopes(values: Values, h: np.ndarray, rounded: Values, noise: float, floor: np.ndarray) -> Slopes:
    """The slopes of `len(h)` probes, each at the largest width that settles it.

    `rounded` turns a move into the one that floating point really makes.
    """
    slope, uncertain, settled = np.zeros_like(h), np.zeros_like(h), np.zeros(len(h), bool)
    for factor in FACTORS:
        (j,) = np.nonzero(~settled)
        if len(j):
            slope[j], uncertain[j], settled[j] = _at_width(values, j, factor * h[j], rounded, noise, floor[j])
    return Slopes(np.where(settled, slope, 0), uncertain, settled)


def _at_width(values: Values, j: np.ndarray, h: np.ndarray, rounded: Values, noise: float, floor: np.ndarray):
    """The slope of each probe `j` at its width h, how uncertain it is, and whether it is settled."""
    moves = [rounded(j, move) for move in (h, -h, h / 2, -h / 2)]
    costs = values(np.concatenate([j, j, j, j, j[:1]]), np.concatenate([*moves, np.zeros(1)]))
    here, costs = costs[-1], costs[:-1].reshape(4, -1)
    with np.errstate(all="ignore"):  # a move beside a huge parameter is rounded to 0: nan, which does not settle
        right, left, right_2, left_2 = ((cost - here) / move for cost, move in zip(costs, moves, strict=True))
        wide, narrow = (right + left) / 2, (right_2 + left_2) / 2
        gap = np.abs(wide - narrow) + np.abs((right_2 - left_2) - (right - left) / 2)
    uncertain = np.maximum(noise, 2 * EPS * np.abs(costs).max(axis=0)) / h + floor
    return narrow, uncertain, gap <= SMOOTH * np.abs(narrow) + NOISY * uncertain
