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
from typing import Any, NamedTuple

import jax
import numpy as np

from fnn.checking.probes import DIRECTIONS, Function, laid_flat

EPS = float(np.finfo(np.float64).eps)
FACTORS = (1.0, 1 / 16, 1 / 256)  # of the width h, tried in this order
NOISY = 32  # a gap of at most this multiple of its noise counts as rounding
SMOOTH = 1e-6  # a probe is settled if the relative gap between its two widths is at most this
TIE = 1e-3  # one-sided slopes are settled if the relative gap between their two widths is at most this

Values = Callable[[np.ndarray, np.ndarray], np.ndarray]  # probe numbers, moves along the probes -> values


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
