"""Ties: where a forward has a kink exactly at its input, and every value between the one-sided slopes is a derivative.

A layer documents which side it takes (ReLU: 0 at 0; of equal maxima the first). Another side is an error in a layer
whose own forward, differentiated automatically, takes the one that is documented.
"""

from enum import IntEnum
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from fnn.checking.backward_pass import parts
from fnn.checking.point import Point
from fnn.checking.programs import QUICKLY
from fnn.types import Array, Params

MOST = 32  # entries of an array that are looked at
ALL = -1  # stands for the number of an entry: all entries together
STEP = 1e-7  # how far from the tie, relative to the largest entry of the array
SLACK = 1e-5  # of a slope, in proportion to the sum of its parts: what a kink must exceed, and rounding must not


class Tie(IntEnum):
    """What the wrong entries of an array have to do with ties."""

    NONE = 0  # some are at no tie
    ALONE = 1  # all are at ties, and the numbers are those of no side
    SIDE = 2  # all are at ties, and the numbers are those of another side, or between two


def another_side(
    point: Point, k: int, given: tuple[Params, Array], delta: Array, leaf: int, found: np.ndarray, wrong: np.ndarray
) -> Tie:
    """Whether the wrong entries of one array of part `k` are at ties, between the one-sided slopes.

    Args:
        point: Where.
        k: The part.
        given: `(params, a)`; the array is the derivative by leaf number `leaf` of this tree.
        delta: The delta that enters the part.
        leaf: The number of the leaf.
        found: The array by hand.
        wrong: Its wrong entries, bool.

    The slopes are taken output by output, since a parameter that many outputs share can have another side at each.
    All entries together are moved too: a rule that gives the whole derivative to each of two equal maxima gives a
    value between the slopes of each, but twice the slope of both.
    """
    (places,) = np.nonzero(wrong.ravel())
    some = places[np.linspace(0, len(places) - 1, min(MOST, len(places))).astype(int)]
    padded = np.append(np.resize(some, MOST), ALL)
    low, high, size = map(np.asarray, _one_sided(point, k, leaf, given, delta, padded))
    slope = np.append(found.ravel()[padded[:-1]], found.sum())
    at_tie = (high - low > SLACK * size)[:-1].all()
    enclosed = (low - SLACK * size <= slope) & (slope <= high + SLACK * size)
    return Tie.NONE if not at_tie else Tie.SIDE if enclosed.all() else Tie.ALONE


@partial(jax.jit, static_argnums=(1, 2), compiler_options=QUICKLY)
def _one_sided(point: Point, k: int, leaf: int, given: tuple[Params, Array], delta: Array, places: Array) -> Array:
    """The least and the largest slope along each entry, and the sum of the sizes of its parts: `(3, m)`."""
    leaves, tree = jax.tree.flatten(given)
    forward, here = parts(point)[k].forward, leaves[leaf]
    step = STEP * jnp.where(jnp.abs(here).max() > 0, jnp.abs(here).max(), 1.0)

    def outputs(move: Array) -> Array:
        return forward(*tree.unflatten([*leaves[:leaf], here + step * move.reshape(here.shape), *leaves[leaf + 1 :]]))

    def slopes(place: Array) -> Array:
        one, out = jnp.zeros(here.size, here.dtype).at[place].set(1), outputs(jnp.zeros_like(here))
        move = jnp.where(place == ALL, jnp.ones_like(one), one)
        right, left = (delta * (outputs(sign * move) - out) * sign / step for sign in (1, -1))
        return jnp.stack(
            [jnp.minimum(left, right).sum(), jnp.maximum(left, right).sum(), jnp.abs(left).sum() + jnp.abs(right).sum()]
        )

    return jax.lax.map(slopes, places).T
