"""The sections of a config with their checks, and the tables of the classes and gradients that a config may name.

No other module knows every concrete class. A section is a frozen dataclass; a value that it does not allow is a
`ValueError` with the entry, the value and what is expected.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar

from fnn import activation_functions as functions
from fnn import convolution, costs, initializers, layers, optimizers, schedules
from fnn.config.schema import Types, nearest
from fnn.network import autodiff, backprop
from fnn.schedules import EarlyStopping, Schedule
from fnn.training.keeping import KEEPS
from fnn.types import Cost, Gradient, Layer, Optimizer

GRADIENTS: Mapping[str, Gradient] = MappingProxyType({"backprop": backprop, "autodiff": autodiff})
_CLASSES = (
    *(layers.Dense, layers.Maxout, functions.Sigmoid, functions.Tanh, functions.ReLU, functions.LeakyReLU),
    *(functions.Identity, functions.Step, functions.Softmax),
    *(convolution.Conv, convolution.MaxPool, convolution.ConvPool, convolution.Flatten),
    *(costs.Quadratic, costs.CrossEntropy, costs.LogLikelihood),
    *(initializers.Normal, initializers.ScaledNormal, initializers.He, initializers.Glorot, initializers.Zeros),
    *(optimizers.SGD, schedules.Constant, schedules.EarlyStopping, schedules.HalveOnPlateau),
)
TYPES: Types = MappingProxyType({cls.__name__: cls for cls in _CLASSES})
MOST_AXES = 32  # of one example; a NumPy array has at most 64 axes
MOST_NETWORKS = 100_000  # of one sweep
SMALLEST_FLOAT, LARGEST_FLOAT = 1.18e-38, 3.4e38  # in float32; below the first a number becomes 0, above the last inf
ROUNDS_TO_ONE = 1 - 2**-25  # float32 rounds this number, and every number from here to 1, to 1


def _check(name: str, value: object, holds: object, expected: str) -> None:
    if not holds:
        raise ValueError(f"{name} = {value!r}: expected {expected}.")


@dataclass(frozen=True)
class DataConfig:
    """`[data]`: the arguments of `fnn.load_data`, which documents them. A path is relative to the config's folder."""

    section: ClassVar[bool] = True
    source: str
    train: int = 0
    validation: int = 0
    test: int = 0
    split_seed: int = 0
    order: str = "random"
    classes: tuple[str, ...] = ()
    targets: str = ""
    shape: tuple[int, ...] = ()
    scale: float = 0.0
    standardise: bool = False
    standardise_y: bool = False
    label: str = ""
    drop: tuple[str, ...] = ()
    onehot: tuple[str, ...] = ()
    missing: str = "refuse"
    y: str = ""
    memory: float = 4.0
    size: int = 0
    noise: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        _check("shape", list(self.shape), len(self.shape) <= MOST_AXES, f"at most {MOST_AXES} axes")
        for name, path in (("source", self.source), ("y", self.y)):
            _check(name, path, "\0" not in path, "a name or a path, which has no zero byte")


@dataclass(frozen=True)
class NetworkConfig:
    """`[network]`: the layers, first to last, and the cost, which has the output activation."""

    section: ClassVar[bool] = True
    layers: tuple[Layer, ...]  # first to last; the last one gives as many numbers as there are desired outputs
    cost: Cost  # it has the output activation


@dataclass(frozen=True)
class TrainingConfig:
    """`[training]`: how the parameters are trained; `fnn.fit` documents the entries."""

    section: ClassVar[bool] = True
    optimizer: Optimizer  # how a gradient changes the params; its learning rate is what the schedule scales
    batch_size: int  # examples in a mini-batch
    epochs: int  # at most; a schedule or `target_cost` may end the training before
    gradient: str = "backprop"  # "backprop", by hand, or "autodiff"
    schedule: Schedule = schedules.Constant()  # scales the learning rate from epoch to epoch, and may end the training
    target_cost: float = -math.inf  # stop after the first epoch whose training cost is at most this
    shifts: bool = False  # train on each image in five positions, see `fnn.Shifted`
    keep: str = ""  # the params of the "best" epoch by validation, or of the "last"; "": best with early stopping

    def __post_init__(self) -> None:
        if self.gradient not in GRADIENTS:
            raise ValueError(f"gradient = {self.gradient!r}: {nearest(self.gradient, GRADIENTS)}")
        if self.keep and self.keep not in KEEPS:
            raise ValueError(f"keep = {self.keep!r}: {nearest(self.keep, KEEPS)}")
        for name, number in (("batch_size", self.batch_size), ("epochs", self.epochs)):
            _check(name, number, number >= 1, "at least 1")
        _check("target_cost", self.target_cost, not math.isnan(self.target_cost), "a number")
        if isinstance(self.optimizer, optimizers.SGD):
            eta, mu, lmbda = self.optimizer.eta, self.optimizer.mu, self.optimizer.lmbda
            positive = f"a number from {SMALLEST_FLOAT} to {LARGEST_FLOAT}, as float32 has them"
            _check("optimizer.eta", eta, SMALLEST_FLOAT <= eta <= LARGEST_FLOAT, positive)
            _check("optimizer.mu", mu, 0 <= mu < ROUNDS_TO_ONE, "at least 0 and below 1")
            _check("optimizer.lmbda", lmbda, 0 <= lmbda <= LARGEST_FLOAT, f"a number from 0 to {LARGEST_FLOAT}")


@dataclass(frozen=True)
class SweepConfig:
    """`[sweep]`, for `fnn sweep` alone: the grid is every combination; for () the config's own value is taken."""

    section: ClassVar[bool] = True
    eta: tuple[float, ...] = ()  # learning rates of `SGD`
    mu: tuple[float, ...] = ()  # its momentum
    lmbda: tuple[float, ...] = ()  # its L2 strength
    scale: tuple[float, ...] = ()  # factors on the initial W
    units: tuple[int, ...] = ()  # widths; each is given to every hidden layer that has units
    seeds: int = 1  # the number of seeds: seed, seed + 1, ...
    own_orders: bool = False  # each seed has its own order of mini-batches; else all share one, see `fnn.sweep`
    memory: float = 4.0  # GiB for the networks that are trained together

    def __post_init__(self) -> None:
        _check("seeds", self.seeds, 1 <= self.seeds <= MOST_NETWORKS, f"1 to {MOST_NETWORKS:,}")
        _check("memory", self.memory, 0 < self.memory < math.inf, "a number of GiB above 0")
        positive = f"numbers from {SMALLEST_FLOAT} to {LARGEST_FLOAT}"
        _check("eta", list(self.eta), all(SMALLEST_FLOAT <= x <= LARGEST_FLOAT for x in self.eta), positive)
        _check("mu", list(self.mu), all(0 <= mu < ROUNDS_TO_ONE for mu in self.mu), "numbers of at least 0 and below 1")
        for name, numbers in (("lmbda", self.lmbda), ("scale", self.scale)):
            _check(
                name, list(numbers), all(0 <= x <= LARGEST_FLOAT for x in numbers), f"numbers from 0 to {LARGEST_FLOAT}"
            )
        _check("units", list(self.units), all(k >= 1 for k in self.units), "whole numbers of at least 1")
        axes = (self.eta, self.mu, self.lmbda, self.scale, self.units)
        count = self.seeds * math.prod(max(1, len(axis)) for axis in axes)
        _check("the number of networks", count, count <= MOST_NETWORKS, f"at most {MOST_NETWORKS:,}: each is a folder")
        for name in ("eta", "mu", "lmbda", "scale", "units"):
            values = getattr(self, name)
            _check(
                name, list(values), len(set(values)) == len(values), "different numbers: a seed gives each one network"
            )


@dataclass(frozen=True)
class MonitorConfig:
    """`[monitor]`: whether `fnn run` also writes the quantities of `fnn.training.monitors`, per epoch and layer."""

    section: ClassVar[bool] = True
    on: bool  # whether to look inside, in `metrics.jsonl` and `monitor.png`


@dataclass(frozen=True)
class Config:
    """A whole config file."""

    section: ClassVar[bool] = True
    data: DataConfig  # what is learned from
    network: NetworkConfig  # what learns
    training: TrainingConfig  # how it learns
    sweep: SweepConfig = SweepConfig()  # a grid of networks
    monitor: MonitorConfig = MonitorConfig(on=False)  # a look inside
    name: str = "run"  # the name of the run directory begins with it
    seed: int = 0  # draws the first params and the order of the mini-batches

    def __post_init__(self) -> None:
        plain = self.name.replace("-", "").replace("_", "").replace(".", "")
        _check(
            "name",
            self.name,
            plain.isalnum() and plain.isascii() and len(self.name) <= 80,
            "at most 80 letters, digits, '-', '_' or '.': it names a folder",
        )
        _check("seed", self.seed, 0 <= self.seed < 2**32, "0 to 4,294,967,295")
        last = self.seed + self.sweep.seeds - 1
        _check("sweep.seeds", self.sweep.seeds, last < 2**32, f"fewer: the last seed would be {last:,}")
        self._decide_what_to_keep()

    def _decide_what_to_keep(self) -> None:
        """Early stopping keeps the best epoch, if there are validation data to tell it by; else the last is kept."""
        training, validates = self.training, self.data.validation
        if training.keep == "best" and not validates:
            raise ValueError(
                "training.keep = 'best': the best epoch is chosen by validation data, and data.validation is 0; hold "
                "some rows out by data.validation, or keep the 'last'."
            )
        if not training.keep:
            best = isinstance(training.schedule, EarlyStopping) and validates
            object.__setattr__(self, "training", replace(training, keep="best" if best else "last"))  # it is frozen
