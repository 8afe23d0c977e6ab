"""Layers whose forward has a derivative rule of its own, a `custom_vjp` or a `stop_gradient`, that is wrong.

Autodiff uses such a rule, and so it agrees with a `backward` that repeats the mistake. Only finite differences of the
layer's own forward tell them apart from a right layer.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fnn.checking.backward_pass import BackwardPass, parts
from fnn.checking.finite_differences import EPS, NOISY, SMOOTH
from fnn.checking.point import Point
from fnn.checking.programs import QUICKLY
from fnn.types import Array

DIRECTIONS = 8
WIDTH = EPS ** (1 / 3)  # balances the rounding of the value, EPS/h, with its curvature, h²


def slope_gaps(point: Point, right: BackwardPass, derivatives: tuple) -> list[float]:
    """How far `(nabla, delta_prev)` of each part are from the slopes of its own forward, relative to their size.

    Infinite for a part without such derivatives: where it raises, its entry is a text.
    """
    given = [right.autodiff[k] if isinstance(found, str) else found for k, found in enumerate(derivatives)]
    slopes = _slopes(point, right.inputs, right.entering, tuple(given))
    return [
        np.inf if isinstance(found, str) else _gap(*map(np.asarray, numbers))
        for found, numbers in zip(derivatives, slopes, strict=True)
    ]


def _gap(auto: np.ndarray, wide: np.ndarray, narrow: np.ndarray, bend: np.ndarray, noise: np.ndarray) -> float:
    """The relative difference, over the directions that meet no kink; 0 if all of them do."""
    settled = np.abs(wide - narrow) + bend <= SMOOTH * np.abs(narrow) + NOISY * noise
    error = np.linalg.norm(np.fmax(np.abs(auto - narrow) - NOISY * noise, 0)[settled])
    size = np.linalg.norm(narrow[settled])
    return float(error / size) if size else float(error > 0)


@partial(jax.jit, compiler_options=QUICKLY)
def _slopes(point: Point, inputs: tuple, entering: tuple, derivatives: tuple) -> list[tuple[Array, ...]]:
    """Of each part, along random directions: by autodiff, by a wide and a narrow difference, the bend, the rounding."""
    return [
        _along(part.forward, (part.params, a), delta, g)
        for part, a, delta, g in zip(parts(point), inputs, entering, derivatives, strict=True)
    ]


def _along(forward: Callable, given: Any, delta: Array, derivatives: Any) -> tuple[Array, ...]:
    rng = np.random.default_rng(0)
    leaves, tree = jax.tree.flatten(given)
    nablas = jax.tree.leaves(derivatives)
    moves = [  # none where autodiff is nan: there is nothing to compare
        _signs(rng, a) * jnp.where(jnp.isfinite(g), WIDTH * jnp.sqrt(jnp.maximum(1, jnp.abs(a))), 0)[None]
        for a, g in zip(leaves, nablas, strict=True)
    ]

    def value(t: float, move: list[Array]) -> tuple[Array, Array]:
        out = delta * forward(*tree.unflatten([a + t * m for a, m in zip(leaves, move, strict=True)]))
        return out.sum(), jnp.abs(out).sum()

    def slopes(move: list[Array]) -> tuple[Array, ...]:
        here, size = value(0.0, move)
        right, left, right_2, left_2 = ((value(t, move)[0] - here) / t for t in (1.0, -1.0, 0.5, -0.5))
        bend = jnp.abs((right_2 - left_2) - (right - left) / 2)
        known = [jnp.nan_to_num(jnp.asarray(g, m.dtype)) for g, m in zip(nablas, move, strict=True)]
        auto = sum(((g * m).sum() for g, m in zip(known, move, strict=True)), jnp.zeros(()))
        return auto, (right + left) / 2, (right_2 + left_2) / 2, bend, 2 * EPS * size

    return jax.lax.map(slopes, moves)


def _signs(rng: np.random.Generator, a: Array) -> Array:
    return jnp.asarray(rng.choice(np.array([-1.0, 1.0]), (DIRECTIONS, *a.shape)), a.dtype)
