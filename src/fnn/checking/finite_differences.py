"""Finite differences that say how far they can be trusted, from values of the cost alone.

A probe is a line through the parameters: one coordinate, or all at once by random signs. On each the cost is
computed at ±h and ±h/2. Where it is smooth, both halves of the interval tell one slope: the central
differences D of the two widths agree to O(h²), and the gap between the slopes on the right and on the left,
`h C″`, halves with h. Then the probe is *settled*. If a kink (ReLU, maxout, pooling, a step, a user's own)
lies within the interval, one of the two fails by about as much as the kink falsifies D, and the probe is
repeated with h/16 and h/256. What still does not settle is left out, and counted. No derivative, by hand
or automatic, has a say in that, so an error in one cannot pass for a kink.
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
STEP = EPS ** (1 / 3)  # balances the rounding of the cost, EPS/h, with the curvature, h²
RUNGS = (1.0, 1 / 16, 1 / 256)
DIRECTIONS = 8
CHUNK = 256  # values of the cost per compiled call: one compilation whatever the number of probes
NOISY = 32  # of its noise, up to which a gap is one of rounding
SMOOTH = 1e-6  # relative gap between the two widths up to which a probe is settled

Values = Callable[[np.ndarray, np.ndarray], np.ndarray]  # probe numbers, steps along them -> costs


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
    """The mean cost plus the penalty, the thing that is differentiated."""
    return _mean_cost(point) + _penalty(point)


def _mean_cost(point: Point) -> Array:
    return point.cost.value(forward(point.net, point.params, point.x), point.y)


def _penalty(point: Point) -> Array:
    """`½ λ Σ W²`."""
    weights = (leaf for path, leaf in jax.tree.leaves_with_path(point.params) if is_W(path))
    return 0.5 * point.lmbda * sum(jnp.square(leaf).sum() for leaf in weights)


def is_W(path: tuple) -> bool:
    """Whether a leaf is a weight; not taken from the optimiser, whose rule for this is under test."""
    return str(path[-1]) == ".W"


@jax.jit
def _along_axes(point: Point, i: Array, step: Array) -> Array:
    """The objective with `step` added to coordinate `i`, for every pair."""
    flat, tree = ravel_pytree(point.params)
    penalised, _ = ravel_pytree(jax.tree.map_with_path(lambda path, p: jnp.full_like(p, is_W(path)), point.params))
    whole = _penalty(point)

    def value(probe):
        i, step = probe
        moved = flat[i] + step
        # of the sum of all squares one term changes; to add up the others again took a third of the time
        change = 0.5 * point.lmbda * penalised[i] * (moved**2 - flat[i] ** 2)
        return _mean_cost(point._replace(params=tree(flat.at[i].set(moved)))) + whole + change

    return jax.lax.map(value, (i, step))  # in turn, not vmap: as fast, and no copy of the params per probe


@jax.jit
def _along(point: Point, directions: Array, i: Array, step: Array) -> Array:
    """The objective at the parameters plus `step * directions[i]`, for every pair."""
    flat, tree = ravel_pytree(point.params)
    return jax.lax.map(
        lambda probe: objective(point._replace(params=tree(flat + probe[1] * directions[probe[0]]))), (i, step)
    )


def _chunked(values: Callable[[np.ndarray, np.ndarray], Array], i: np.ndarray, step: np.ndarray) -> np.ndarray:
    short = -len(i) % CHUNK
    i, step = (np.pad(a, (0, short)).reshape(-1, CHUNK) for a in (i, step))
    return np.concatenate([np.asarray(values(*rows)) for rows in zip(i, step, strict=True)])[: i.size - short]


def steps(params: Params) -> np.ndarray:
    """The step in every coordinate, `(P,)`.

    Between the scale of a weighted input, about 1, and that of a large coordinate; and small beside a layer
    of tiny weights, whose kinks lie as close together as its weights are small.
    """
    sizes = [[np.abs(np.asarray(leaf)).ravel() for leaf in jax.tree.leaves(layer)] for layer in params]
    layers = [np.concatenate(leaves) for leaves in sizes if leaves]
    return np.concatenate([STEP * np.sqrt(np.maximum(1, size)) * min(1, 1e3 * size.max() or 1) for size in layers])


def coordinate_slopes(point: Point, flat: np.ndarray, i: np.ndarray, floor: np.ndarray) -> Slopes:
    """Along the coordinates `i`.

    Args:
        point: Where.
        flat: All parameters, `(P,)`.
        i: The coordinates, numbers in 0 … P − 1, `(k,)`.
        floor: What a slope is uncertain by in any case, `(k,)`.
    """
    p = flat[i]

    def values(j, step):
        return _chunked(lambda *rows: _along_axes(point, *rows), i[j], step)

    return _slopes(values, steps(point.params)[i], lambda j, step: (p[j] + step) - p[j], _noise(point, flat), floor)


def random_directions(size: np.ndarray) -> np.ndarray:
    """Moves of all coordinates at once, each by its `size` `(P,)` with a random sign: `(8, P)`, always the same."""
    return np.random.default_rng(0).choice(np.array([-1.0, 1.0]), (DIRECTIONS, len(size))) * size


def direction_slopes(point: Point, flat: np.ndarray, directions: np.ndarray, floor: np.ndarray) -> Slopes:
    """Along `directions`, `(k, P)`."""

    def values(j, step):
        return _chunked(lambda *rows: _along(point, directions, *rows), j, step)

    return _slopes(values, np.ones(len(directions)), lambda j, step: step, _noise(point, flat), floor)


def _noise(point: Point, flat: np.ndarray) -> float:
    """How much the last bits of the parameters move the objective: an estimate of its rounding.

    Capped, because at a tie a jump would pass for noise and make the check blind.
    """
    i, step = np.append(np.arange(DIRECTIONS), 0), np.append(np.full(DIRECTIONS, 2 * EPS), 0.0)
    costs = _chunked(lambda *rows: _along(point, random_directions(flat), *rows), i, step)
    moved = np.abs(costs[:-1] - costs[-1]).max()
    return float(np.minimum(moved, 1e6 * EPS * abs(costs[-1])))


def _slopes(values: Values, h: np.ndarray, exact: Values, noise: float, floor: np.ndarray) -> Slopes:
    """The slopes of `len(h)` probes, each at the widest step that settles it."""
    slope, uncertain, settled = np.zeros_like(h), np.zeros_like(h), np.zeros(len(h), bool)
    for rung in RUNGS:
        (j,) = np.nonzero(~settled)
        if len(j):
            slope[j], uncertain[j], settled[j] = _rung(values, j, rung * h[j], exact, noise, floor[j])
    return Slopes(np.where(settled, slope, 0), uncertain, settled)


def _rung(values: Values, j: np.ndarray, h: np.ndarray, exact: Values, noise: float, floor: np.ndarray):
    moves = [exact(j, step) for step in (h, -h, h / 2, -h / 2)]
    costs = values(np.concatenate([j, j, j, j, j[:1]]), np.concatenate([*moves, np.zeros(1)]))
    here, costs = costs[-1], costs[:-1].reshape(4, -1)
    with np.errstate(all="ignore"):  # a step of 0, where a parameter is too large for it: nan, which does not settle
        right, left, right_2, left_2 = ((cost - here) / move for cost, move in zip(costs, moves, strict=True))
        wide, narrow = (right + left) / 2, (right_2 + left_2) / 2
        gap = np.abs(wide - narrow) + np.abs((right_2 - left_2) - (right - left) / 2)
    uncertain = np.maximum(noise, 2 * EPS * np.abs(costs).max(axis=0)) / h + floor
    return narrow, uncertain, gap <= SMOOTH * np.abs(narrow) + NOISY * uncertain
