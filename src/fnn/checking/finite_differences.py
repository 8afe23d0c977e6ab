"""Central differences that say how far they can be trusted, from values of a function alone.

A probe is a line through the coordinates. It changes one of them, or all of them at once by random signs. The function
is computed at ±h and ±h/2 on this line. Where it is smooth, two things hold. The central differences D of the two
widths agree to O(h²). The gap between the slopes on the right and on the left, `h f″`, halves with h. Then the probe is
*settled*. If a kink (ReLU, maxout, pooling, a step, a user's own) lies within the interval, one of the two fails by
about as much as the kink falsifies D. The probe is then repeated with h/16 and h/256. A probe that does not settle at
any width is left out and counted. No derivative, by hand or automatic, takes part in that decision, so an error in a
derivative cannot pass for a kink.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from fnn.checking.moved_rows import Moves, values_with_moves
from fnn.types import Array

EPS = float(np.finfo(np.float64).eps)
FACTORS = (1.0, 1 / 16, 1 / 256)  # of the width h, tried in this order
DIRECTIONS = 8
PER_CALL = 64  # values per compiled call, so that one compilation serves any number of probes
MANY, MANY_PER_CALL = 4096, 256  # values along the axes of a leaf; so many take longer than compiling a loop for it
NOISY = 32  # a gap of at most this multiple of its noise counts as rounding
SMOOTH = 1e-6  # a probe is settled if the relative gap between its two widths is at most this
TIE = 1e-3  # one-sided slopes are settled if the relative gap between their two widths is at most this

# for every probe: the number of a direction, how far along it, the number of a coordinate, its move
Probes = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
Values = Callable[[np.ndarray, np.ndarray], np.ndarray]  # probe numbers, moves along the probes -> values


class Function(NamedTuple):
    """A scalar function of a tree of arrays, and the point at which it is probed, in float64."""

    value: Callable[[Any, Any], Any]  # of a tree like `tree`, and of `constants`; equal ones compile once
    tree: Any
    constants: Any = ()
    compiles: bool = True  # False: a function of NumPy arrays, which is called for every value

    @property
    def flat(self) -> np.ndarray:
        """All coordinates, `(P,)`."""
        return laid_flat(self.tree)

    def along_axes(self, i: np.ndarray, move: np.ndarray) -> np.ndarray:
        """The values with `move` added to coordinate `i`, for every pair."""
        many = self._leaves_with_many(i) if self.compiles else {}
        values, rest = np.empty(len(i)), np.ones(len(i), bool)
        for which, _ in many.values():
            rest[which] = False
        if rest.any():
            nowhere, j, far = np.zeros((DIRECTIONS, self.flat.size)), i[rest], move[rest]
            values[rest] = self._at(nowhere, (np.zeros_like(j), np.zeros_like(far), j, far))
        for first in range(0, max((len(which) for which, _ in many.values()), default=0), MANY_PER_CALL):
            now = {k: which[first : first + MANY_PER_CALL] for k, (which, _) in many.items()}
            moves = {k: _padded(i[which] - many[k][1], move[which]) for k, which in now.items()}
            for k, found in _values_along_axes(*self[:3], moves).items():
                values[now[k]] = np.asarray(found)[: len(now[k])]
        return values

    def _leaves_with_many(self, i: np.ndarray) -> dict[int, tuple[np.ndarray, int]]:
        """The leaves that have many of the coordinates `i`: which of them, and the number of the leaf's first one."""
        sizes = [np.size(leaf) for leaf in jax.tree.leaves(self.tree)]
        starts = np.cumsum([0, *sizes])
        which = [np.nonzero((start <= i) & (i < end))[0] for start, end in pairwise(starts)]
        return {k: (these, int(starts[k])) for k, these in enumerate(which) if len(these) >= MANY}

    def along(self, directions: np.ndarray, i: np.ndarray, move: np.ndarray) -> np.ndarray:
        """The values at `move * directions[i]` from the point, for every pair; `directions` are `(d <= 8, P)`."""
        directions = np.pad(directions, ((0, DIRECTIONS - len(directions)), (0, 0)))
        return self._at(directions, (i, move, np.zeros_like(i), np.zeros_like(move)))

    def _at(self, directions: np.ndarray, probes: Probes) -> np.ndarray:
        """The values at `probes`."""
        if self.compiles:
            return _in_equal_calls(partial(_values_at, *self[:3], jnp.asarray(directions)), probes)
        _, tree = ravel_pytree(self.tree)
        points = (
            self.flat + far * directions[k] + _unit(self.flat.size, i, move)
            for k, far, i, move in zip(*probes, strict=True)
        )
        return np.array([float(self.value(_as_numpy(tree(point)), self.constants)) for point in points])


class Slopes(NamedTuple):
    """Central differences along some probes."""

    slope: np.ndarray  # (k,), 0 where not settled
    noise: np.ndarray  # (k,), how far the rounding of the value alone can move a slope
    settled: np.ndarray  # (k,), bool
    left: np.ndarray  # (k,), the one-sided slopes at the smallest width; nan but at a tie: a kink at the point itself
    right: np.ndarray  # (k,)

    def plus(self, slope: np.ndarray) -> Slopes:
        """The slopes of the function plus another one whose slopes are known."""
        return self._replace(
            slope=np.where(self.settled, self.slope + slope, 0), left=self.left + slope, right=self.right + slope
        )


def laid_flat(tree: Any) -> np.ndarray:
    """All leaves laid end to end, `(P,)`."""
    return np.concatenate([np.asarray(leaf, np.float64).ravel() for leaf in jax.tree.leaves(tree)])


@partial(jax.jit, static_argnums=0)
def _values_at(value: Callable, tree: Any, constants: Any, directions: Array, probes: tuple[Array, ...]) -> Array:
    # one program for both kinds of probes: compiling is what a check of a small function costs
    flat, unflat = ravel_pytree(tree)

    def at(probe: tuple[Array, ...]) -> Array:
        k, far, i, move = probe
        return value(unflat((flat + far * directions[k]).at[i].add(move)), constants)

    # one after the other: as fast as vmap, without a copy of the tree per probe
    return jax.lax.map(at, probes)


@partial(jax.jit, static_argnums=0)
def _values_along_axes(value: Callable, tree: Any, constants: Any, moves: dict[int, Moves]) -> dict[int, Array]:
    return values_with_moves(value, tree, constants, moves)


def _padded(i: np.ndarray, move: np.ndarray) -> Moves:
    more = (0, MANY_PER_CALL - len(i))
    return Moves(np.pad(i, more), np.pad(move, more), np.asarray(len(i)))


def _in_equal_calls(values: Callable[[tuple[np.ndarray, ...]], Array], probes: Probes) -> np.ndarray:
    """`values(probes)`, computed `PER_CALL` at a time; the last call is filled up with zeros."""
    count = len(probes[0])
    calls = [np.pad(a, (0, -count % PER_CALL)).reshape(-1, PER_CALL) for a in probes]
    return np.concatenate([np.asarray(values(call)) for call in zip(*calls, strict=True)])[:count]


def _unit(size: int, i: int, move: float) -> np.ndarray:
    direction = np.zeros(size)
    direction[i] = move
    return direction


def _as_numpy(tree: Any) -> Any:
    return jax.tree.map(np.asarray, tree)


def widths(groups: Sequence[Any], resolution: np.ndarray) -> np.ndarray:
    """The width h of the central difference in every coordinate, `(P,)`.

    It is proportional to the square root of a coordinate above 1, and the same for all smaller ones, since a weighted
    input is about 1. In a group, such as the params of a layer, whose largest coordinate is below 1e-3 it shrinks in
    proportion to that coordinate: the kinks of such a layer lie close together.

    Args:
        groups: Trees of arrays, whose leaves are the coordinates.
        resolution: Of every coordinate, `(P,)`.
    """
    sizes = [np.abs(laid_flat(group)) for group in groups if jax.tree.leaves(group)]
    relative = [np.sqrt(np.maximum(1, size)) * min(1, 1e3 * size.max() or 1) for size in sizes]
    return np.cbrt(resolution) * np.concatenate(
        relative
    )  # balances the value's rounding, EPS/h, with its curvature, h²


def coordinate_slopes(function: Function, h: np.ndarray, i: np.ndarray, noise: float, floor: np.ndarray) -> Slopes:
    """The slopes along the coordinates `i`.

    Args:
        function: What is probed, and where.
        h: The widths of all coordinates, `(P,)`.
        i: The coordinates, numbers in 0 … P − 1, `(k,)`.
        noise: Of the value.
        floor: The least uncertainty of each slope, `(k,)`.
    """
    p = function.flat[i]

    def values(j, move):
        return function.along_axes(i[j], move)

    def rounded(j, move):
        return (p[j] + move) - p[j]

    return _slopes(values, h[i], rounded, noise, floor)


def random_directions(size: np.ndarray) -> np.ndarray:
    """Moves of all coordinates at once, each by its `size` `(P,)` with a random sign: `(8, P)`, always the same."""
    return np.random.default_rng(0).choice(np.array([-1.0, 1.0]), (DIRECTIONS, len(size))) * size


def direction_slopes(function: Function, directions: np.ndarray, noise: float, floor: np.ndarray) -> Slopes:
    """The slopes along `directions`, `(d, P)`."""

    def values(j, move):
        return function.along(directions, j, move)

    return _slopes(values, np.ones(len(directions)), lambda j, move: move, noise, floor)


def value_noise(function: Function, resolution: np.ndarray) -> float:
    """How much the last bits of the coordinates move the value: an estimate of its rounding.

    It is capped: at a tie the value may jump, and a jump that passed for noise would make the check blind.
    """
    i, move = np.append(np.arange(DIRECTIONS), 0), np.append(np.full(DIRECTIONS, 2.0), 0.0)
    values = function.along(random_directions(resolution * function.flat), i, move)
    moved = np.abs(values[:-1] - values[-1]).max()
    return float(np.minimum(moved, 1e6 * resolution.max() * abs(values[-1])))


def _slopes(values: Values, h: np.ndarray, rounded: Values, noise: float, floor: np.ndarray) -> Slopes:
    """The slopes of `len(h)` probes, each at the largest width that settles it.

    `rounded` turns a move into the one that floating point really makes.
    """
    none = np.full(len(h), np.nan)
    found = Slopes(np.zeros_like(h), np.zeros_like(h), np.zeros(len(h), bool), none, none.copy())
    for factor in FACTORS:
        (j,) = np.nonzero(~found.settled)
        if len(j):
            for column, part in zip(found, _at_width(values, j, factor * h[j], rounded, noise, floor[j]), strict=True):
                column[j] = part
    return found


def _at_width(values: Values, j: np.ndarray, h: np.ndarray, rounded: Values, noise: float, floor: np.ndarray) -> Slopes:
    """The slope of each probe `j` at its width h."""
    moves = [rounded(j, move) for move in (h, -h, h / 2, -h / 2)]
    costs = values(np.concatenate([j, j, j, j, j[:1]]), np.concatenate([*moves, np.zeros(1)]))
    here, costs = costs[-1], costs[:-1].reshape(4, -1)
    still = (costs == here).all(axis=0)  # a value that does not move at all may be lost in a term of about 1
    uncertain = np.maximum(noise, 2 * EPS * np.abs(costs).max(axis=0) + EPS * still) / h + floor
    with np.errstate(all="ignore"):  # a move beside a huge coordinate is rounded to 0: nan, which does not settle
        right, left, right_2, left_2 = ((cost - here) / move for cost, move in zip(costs, moves, strict=True))
        wide, narrow = (right + left) / 2, (right_2 + left_2) / 2
        gap = np.abs(wide - narrow) + np.abs((right_2 - left_2) - (right - left) / 2)
        settled = gap <= SMOOTH * np.abs(narrow) + NOISY * uncertain
        one_sided = np.maximum(np.abs(right - right_2), np.abs(left - left_2))
        tie = ~settled & (one_sided <= TIE * np.maximum(np.abs(right), np.abs(left)) + NOISY * uncertain)
    left, right = np.where(tie, left_2, np.nan), np.where(tie, right_2, np.nan)
    return Slopes(np.where(settled, narrow, 0), uncertain, settled, left, right)
