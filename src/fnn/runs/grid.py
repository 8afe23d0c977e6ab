"""The grid of a sweep: which networks there are, and what came out of them, point by point."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import NamedTuple

import numpy as np

from fnn.config.sections import Config
from fnn.errors import InputError
from fnn.optimizers import SGD
from fnn.types import Net


class Point(NamedTuple):
    """What is swept, at one point of the grid."""

    units: int  # of the hidden layers; 0: as the config has them
    eta: float
    mu: float
    lmbda: float
    scale: float  # factor on the initial W


class Member(NamedTuple):
    """One network of a sweep."""

    point: Point
    seed: int


def members(config: Config) -> list[Member]:
    """Every network of the config's grid: all points, each with all seeds.

    Raises:
        InputError: the optimiser is not an SGD, whose numbers the grid is over.
    """
    optimizer, grid = config.training.optimizer, config.sweep
    if not isinstance(optimizer, SGD):
        raise InputError(f"training.optimizer: a sweep is over the numbers of SGD, got {type(optimizer).__name__}.")
    if grid.units and not _hidden(config.network.layers):
        raise InputError(
            "sweep.units: the network has no hidden layer with units; drop it, or add a Dense before the last."
        )
    axes = (
        grid.units or (0,),
        grid.eta or (float(optimizer.eta),),
        grid.mu or (float(optimizer.mu),),
        grid.lmbda or (float(optimizer.lmbda),),
        grid.scale or (1.0,),
    )
    seeds = range(config.seed, config.seed + grid.seeds)
    return [Member(Point(*numbers), seed) for numbers in itertools.product(*axes) for seed in seeds]


def widened(net: Net, units: int) -> Net:
    """The net with `units` in every layer that has units, but the last such one; 0 leaves it as it is."""
    wider = list(net)
    for i in _hidden(net) if units else []:
        wider[i] = replace(net[i], units=units)  # type: ignore (`places` has dataclasses alone)
    return tuple(wider)


def _hidden(net: Net) -> list[int]:
    """The layers that have units, but the last such one, which gives the outputs."""
    return [i for i, layer in enumerate(net) if is_dataclass(layer) and "units" in {f.name for f in fields(layer)}][:-1]


class Summary(NamedTuple):
    """One measure at one point of the grid, over the seeds whose training did not diverge."""

    point: Point
    mean: float
    sd: float  # with n − 1; nan for one seed
    least: float
    most: float
    count: int
    diverged: int


def summarise(members: Sequence[Member], values: Sequence[float]) -> list[Summary]:
    """Mean, standard deviation, minimum and maximum over the seeds of every point, in the order of the grid.

    Args:
        members: The networks.
        values: One number for each; not finite where it diverged.
    """
    at: dict[Point, list[float]] = {}
    for member, value in zip(members, values, strict=True):
        at.setdefault(member.point, []).append(value)
    return [_summary(*group) for group in at.items()]


def _summary(point: Point, values: Sequence[float]) -> Summary:
    good = [v for v in values if math.isfinite(v)]
    if not good:
        return Summary(point, math.nan, math.nan, math.nan, math.nan, 0, len(values))
    sd = float(np.std(good, ddof=1)) if len(good) > 1 else math.nan
    return Summary(point, float(np.mean(good)), sd, min(good), max(good), len(good), len(values) - len(good))


def swept(points: Iterable[Point]) -> list[str]:
    """The names of the numbers that differ between the points."""
    return [name for name, values in zip(Point._fields, zip(*points, strict=True), strict=True) if len(set(values)) > 1]


def label(point: Point, names: Sequence[str]) -> str:
    """A point in words: `eta 0.25, lmbda 0`; by all its numbers if there is no name."""
    return ", ".join(f"{name} {getattr(point, name):.10g}" for name in names or _telling(point))


def _telling(point: Point) -> list[str]:
    """The numbers of a point that are not as every config has them."""
    return [name for name in Point._fields if name != "units" or point.units]
