"""The networks of a sweep: every point of its grid with every seed."""

from __future__ import annotations

import itertools
from dataclasses import fields, is_dataclass, replace
from typing import Any, NamedTuple

from fnn.config.sections import Config
from fnn.errors import InputError
from fnn.optimizers import SGD
from fnn.runs.sweep_tables import Point
from fnn.types import Net


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
        raise InputError(
            f"training.optimizer: a sweep is over the numbers of SGD, got {type(optimizer).__name__}. In Python, "
            "fnn.sweep takes any optimiser, with an array for each number that differs."
        )
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
