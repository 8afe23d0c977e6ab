"""The grid of a sweep: its networks, and a summary of their results at each point."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from fnn.config.sections import Config
from fnn.errors import InputError
from fnn.optimizers import SGD
from fnn.types import Net


class Point(NamedTuple):
    """The swept numbers at one point of the grid."""

    units: int  # of every hidden layer; 0 leaves the widths of the config
    eta: float
    mu: float
    lmbda: float
    scale: float  # factor on the initial W


class Member(NamedTuple):
    """One network of a sweep."""

    point: Point
    seed: int


def members(config: Config) -> list[Member]:
    """Every network of the config's grid: each point with each seed.

    Raises:
        InputError: the optimiser is not an SGD, or `units` are swept and no hidden layer has units.
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
    """The net with `units` in every hidden layer that has units; for 0 the net itself."""
    wider = list(net)
    for i, layer in _hidden(net) if units else []:
        wider[i] = replace(layer, units=units)
    return tuple(wider)


def _hidden(net: Net) -> list[tuple[int, Any]]:
    """The layers with a field `units` and their places, without the last such layer, which gives the outputs."""
    wide = [(i, layer) for i, layer in enumerate(net) if is_dataclass(layer)]
    return [(i, layer) for i, layer in wide if "units" in {field.name for field in fields(layer)}][:-1]


class Summary(NamedTuple):
    """One measure at one point of the grid, over the seeds where it is finite."""

    point: Point
    mean: float
    sd: float  # the divisor is n − 1; nan for one seed
    least: float
    most: float
    count: int  # of these seeds
    diverged: int  # the number of the other seeds, whose training diverged or whose measure is infinite or nan


def summarise(members: Sequence[Member], values: Sequence[float]) -> list[Summary]:
    """Mean, standard deviation, minimum and maximum over the seeds of every point, in the order of the grid.

    Args:
        members: The networks.
        values: One number for each network, not finite where its training diverged.
    """
    at: dict[Point, list[float]] = {}
    for member, value in zip(members, values, strict=True):
        at.setdefault(member.point, []).append(value)
    return [_summary(point, values) for point, values in at.items()]


def _summary(point: Point, values: Sequence[float]) -> Summary:
    good = [v for v in values if math.isfinite(v)]
    if not good:
        return Summary(point, math.nan, math.nan, math.nan, math.nan, 0, len(values))
    sd = float(np.std(good, ddof=1)) if len(good) > 1 else math.nan
    return Summary(point, float(np.mean(good)), sd, min(good), max(good), len(good), len(values) - len(good))


def swept(points: Iterable[Point]) -> list[str]:
    """The names of the numbers that are not the same at all points."""
    return [name for name, values in zip(Point._fields, zip(*points, strict=True), strict=True) if len(set(values)) > 1]


def label(point: Point, names: Sequence[str]) -> str:
    """A point in words: `eta 0.25, lmbda 0`; with all its numbers if `names` is empty."""
    return ", ".join(f"{name} {getattr(point, name):.10g}" for name in names or _telling(point))


def _telling(point: Point) -> list[str]:
    """The names of all numbers of a point, without `units` if the widths are those of the config."""
    return [name for name in Point._fields if name != "units" or point.units]
