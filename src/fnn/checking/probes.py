"""A scalar function of arrays, and its values nearby: after a move of all coordinates at once, or of one alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from fnn.checking.moved_rows import Moves, values_with_moves
from fnn.types import Array

DIRECTIONS = 8
PER_CALL = 64  # values per compiled call, so that one compilation serves any number of probes
MANY, MANY_PER_CALL = 4096, 256  # values along the axes of a leaf; so many take longer than compiling a loop for it

# for every probe: the number of a direction, how far along it, the number of a coordinate, its move
Probes = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


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
