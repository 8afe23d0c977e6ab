"""The point at which the gradient of a net is checked. Its coordinates are the parameters and, last, the inputs."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from fnn.network import forward
from fnn.types import Array, Cost, Net, Params, leaf_name


class Point(NamedTuple):
    """The arguments of the objective, in float64."""

    net: Net
    cost: Cost
    params: Params
    x: Array  # (n, *shape)
    y: Array  # (n, n_out)
    lmbda: Array  # ()

    @property
    def coordinates(self) -> tuple:
        """What the objective is differentiated by: an entry per layer, and the inputs."""
        return (*self.params, self.x)

    def name(self, path: Any) -> str:
        """The name of a leaf of `coordinates`: `2.W`; `x` for the inputs."""
        return "x" if path[0].idx == len(self.net) else leaf_name(path)


class MeanCost(NamedTuple):
    """The mean cost as a function of `coordinates`; equal ones compile once."""

    net: Net
    cost: Cost

    def __call__(self, coordinates: tuple, y: Array) -> Array:
        """The cost of `coordinates` and desired outputs `y`, `()`."""
        *params, x = coordinates
        return self.cost.value(forward(self.net, tuple(params), x), y)


def objective(point: Point) -> Array:
    """The mean cost plus the penalty `½ λ Σ W²`: the function that is differentiated."""
    weights = (leaf for path, leaf in jax.tree.leaves_with_path(point.params) if is_W(path))
    penalty = 0.5 * point.lmbda * sum(jnp.square(leaf).sum() for leaf in weights)
    return MeanCost(point.net, point.cost)(point.coordinates, point.y) + penalty


def is_W(path: tuple) -> bool:
    """Whether a leaf is a weight. Not `optimizers.is_weight`: the optimiser's rule is under test."""
    return str(path[-1]) == ".W"


def flat_leaves(point: Point) -> Iterator[tuple[Any, Any, slice]]:
    """Every leaf of `coordinates`: its path, the leaf, and its part when all are laid end to end."""
    start = 0
    for path, leaf in jax.tree.leaves_with_path(point.coordinates):
        yield path, leaf, slice(start, start + leaf.size)
        start += leaf.size
