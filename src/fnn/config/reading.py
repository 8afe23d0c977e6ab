"""Configs: TOML to frozen values and back; the only room that knows every concrete class.

A config is a TOML file of at most 1 MiB with the tables below; `tables` reads it strictly, by the types of
the fields. Wrong entries end in one `InputError`: file, key, what was found, what is expected.
"""

from __future__ import annotations

import hashlib
import json
import math
import tomllib
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar

from fnn import convolution, costs, initializers, layers, optimizers, schedules
from fnn.config.schema import describe, nearest, read
from fnn.errors import InputError
from fnn.network import autodiff, backprop
from fnn.schedules import Schedule
from fnn.types import Cost, Gradient, Layer, Net, Optimizer

GRADIENTS: Mapping[str, Gradient] = types.MappingProxyType({"backprop": backprop, "autodiff": autodiff})
_CLASSES = (
    *(layers.Dense, layers.Maxout, layers.Sigmoid, layers.Tanh, layers.ReLU, layers.LeakyReLU),
    *(layers.Identity, layers.Step, layers.Softmax),
    *(convolution.Conv, convolution.MaxPool, convolution.ConvPool, convolution.Flatten),
    *(costs.Quadratic, costs.CrossEntropy, costs.LogLikelihood),
    *(initializers.Normal, initializers.ScaledNormal, initializers.He, initializers.Glorot, initializers.Zeros),
    *(optimizers.SGD, schedules.Constant, schedules.EarlyStopping, schedules.HalveOnPlateau),
)
TYPES: Mapping[str, type] = types.MappingProxyType({cls.__name__: cls for cls in _CLASSES})
LARGEST_CONFIG = 2**20  # bytes
MOST_AXES = 32  # of an example; an array has at most 64
MOST_NETWORKS = 100_000  # of a sweep
LEAST, MOST = 1.18e-38, 3.4e38  # that float32 has: less is 0 in training, more infinite
ONE = 1 - 2**-25  # and from there on it is 1


@dataclass(frozen=True)
class DataConfig:
    """`[data]`: the arguments of `fnn.load_data`, which documents them; a path is relative to the config."""

    section: ClassVar[bool] = True
    source: str
    train: int = 0
    validation: int = 0
    test: int = 0
    split_seed: int = 0
    classes: tuple[str, ...] = ()
    targets: str = "one-hot"
    shape: tuple[int, ...] = ()
    scale: float = 0.0
    standardise: bool = False
    label: str = ""
    y: str = ""
    memory: float = 4.0  # GiB
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
    layers: tuple[Layer, ...]
    cost: Cost


@dataclass(frozen=True)
class TrainingConfig:
    """`[training]`: how the parameters are found; see `fnn.fit`."""

    section: ClassVar[bool] = True
    optimizer: Optimizer
    batch_size: int
    epochs: int
    gradient: str = "backprop"
    schedule: Schedule = schedules.Constant()
    target_cost: float = -math.inf
    shifts: bool = False  # show each training image in five places, see fnn.shifting

    def __post_init__(self) -> None:
        if self.gradient not in GRADIENTS:
            raise ValueError(f"gradient = {self.gradient!r}: {nearest(self.gradient, GRADIENTS)}")
        for name, number in (("batch_size", self.batch_size), ("epochs", self.epochs)):
            _check(name, number, number >= 1, "at least 1")
        _check("target_cost", self.target_cost, not math.isnan(self.target_cost), "a number")
        if isinstance(self.optimizer, optimizers.SGD):
            eta, mu, lmbda = self.optimizer.eta, self.optimizer.mu, self.optimizer.lmbda
            _check("optimizer.eta", eta, LEAST <= eta <= MOST, f"a number from {LEAST} to {MOST}, as float32 has them")
            _check("optimizer.mu", mu, 0 <= mu < ONE, "at least 0 and below 1")
            _check("optimizer.lmbda", lmbda, 0 <= lmbda <= MOST, f"a number from 0 to {MOST}")


def _check(name: str, value: object, holds: object, expected: str) -> None:
    if not holds:
        raise ValueError(f"{name} = {value!r}: expected {expected}.")


@dataclass(frozen=True)
class SweepConfig:
    """`[sweep]`, read by `fnn sweep` alone: the grid of all combinations; () is the config's own value."""

    section: ClassVar[bool] = True
    eta: tuple[float, ...] = ()
    mu: tuple[float, ...] = ()
    lmbda: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()  # factors on the initial W
    units: tuple[int, ...] = ()  # widths of every hidden layer that has units
    seeds: int = 1  # seed, seed + 1, ...
    own_orders: bool = False  # an order of mini-batches for each seed, instead of one for all; see fnn.sweeping
    memory: float = 4.0  # GiB that the networks held at once may take

    def __post_init__(self) -> None:
        _check("seeds", self.seeds, 1 <= self.seeds <= MOST_NETWORKS, f"1 to {MOST_NETWORKS:,}")
        _check("memory", self.memory, 0 < self.memory < math.inf, "a number of GiB above 0")
        _check("eta", list(self.eta), all(LEAST <= x <= MOST for x in self.eta), f"numbers from {LEAST} to {MOST}")
        _check("mu", list(self.mu), all(0 <= mu < ONE for mu in self.mu), "numbers of at least 0 and below 1")
        for name, numbers in (("lmbda", self.lmbda), ("scale", self.scale)):
            _check(name, list(numbers), all(0 <= x <= MOST for x in numbers), f"numbers from 0 to {MOST}")
        _check("units", list(self.units), all(k >= 1 for k in self.units), "whole numbers of at least 1")
        axes = (self.eta, self.mu, self.lmbda, self.scale, self.units)
        count = self.seeds * math.prod(max(1, len(axis)) for axis in axes)
        _check("the number of networks", count, count <= MOST_NETWORKS, f"at most {MOST_NETWORKS:,}: each is a folder")


@dataclass(frozen=True)
class MonitorConfig:
    """`[monitor]`: whether `fnn run` also writes, per epoch and layer, what `fnn.monitors` defines."""

    section: ClassVar[bool] = True
    on: bool


@dataclass(frozen=True)
class Config:
    """A whole config file."""

    section: ClassVar[bool] = True
    data: DataConfig
    network: NetworkConfig
    training: TrainingConfig
    sweep: SweepConfig = SweepConfig()
    monitor: MonitorConfig = MonitorConfig(on=False)
    name: str = "run"
    seed: int = 0

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


def load_config(path: str | Path, overrides: Iterable[str] = (), known: Mapping[str, type] = TYPES) -> Config:
    """The config in a file.

    Args:
        path: A TOML file.
        overrides: Entries `key=value` that win over the file's: `training.epochs=3`,
            `network.layers.0.units=50`. A value is TOML, or else a text.
        known: The classes that a `type` may name; `TYPES | {"Swish": Swish}` adds one of your own.

    Raises:
        InputError: no such file, no TOML, or entries that do not fit.
    """
    return resolved(path, config_text(path), overrides, known)


def resolved(path: str | Path, text: str, overrides: Iterable[str], known: Mapping[str, type]) -> Config:
    """`load_config` of the file's `text`."""
    try:
        table = parse(text)
        for override in overrides:
            _set(table, override)
        config = read(Config, table, "", known)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    source, y = (_located(name, Path(path).parent) for name in (config.data.source, config.data.y))
    return replace(config, data=replace(config.data, source=source, y=y))


def _located(source: str, folder: Path) -> str:
    """A path to the user's data as a path from anywhere; the name of a source as it is."""
    return str((folder / source).resolve()) if is_file(source) else source


def is_file(source: str) -> bool:
    """Whether a source is a path to the user's data, not a name."""
    return source.lower().endswith((".csv", ".npz", ".npy"))


def wherever(config: Config) -> Config:
    """The config without the folders that its data are in: their bytes have a digest, see `fnn.environments`."""
    source, y = (Path(name).name if is_file(name) else name for name in (config.data.source, config.data.y))
    return replace(config, data=replace(config.data, source=source, y=y))


def config_text(path: str | Path) -> str:
    """The text of a config's file.

    Raises:
        InputError: it cannot be read, is too large, or is no UTF-8.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST_CONFIG + 1)
        if len(data) > LARGEST_CONFIG:
            raise InputError(f"{path}: larger than {LARGEST_CONFIG:,} bytes; a config is a page of TOML.")
        return data.decode()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); expected a TOML file.") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text (byte {error.start}); expected a TOML file.") from None


def parse(text: str) -> dict[str, Any]:
    """The tables of a TOML text.

    Raises:
        InputError: not TOML, or nested too deeply to be a config.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"is not valid TOML: {error}.") from None
    except (RecursionError, ValueError):  # 10,000 brackets; an integer of 10,000 digits
        raise InputError("is not a config: nested too deeply, or a number too long.") from None


def _set(table: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if "\n" in override.strip():
        raise InputError(f"--set {override!r}: expected one line; say --set once more for another entry.")
    if not equals or not key.strip():
        raise InputError(f"--set {override}: expected key=value, such as training.epochs=3.")
    *path, last = key.strip().split(".")
    place: Any = table
    for part in path:
        place = _inside(place, part, override)
    if isinstance(place, list):
        _inside(place, last, override)
        place[int(last)] = _toml_value(text)
    elif isinstance(place, dict):
        place[last] = _toml_value(text)
    else:
        raise InputError(f"--set {override}: {'.'.join(path)} is {place!r}, which has no entries.")


def _inside(place: Any, part: str, override: str) -> Any:
    if isinstance(place, dict):
        return place.setdefault(part, {})
    if isinstance(place, list) and part.isdecimal() and int(part) < len(place):
        return place[int(part)]
    entries = f"the entries are 0 to {len(place) - 1}" if isinstance(place, list) and place else "it has no entries"
    raise InputError(f"--set {override}: there is no entry {part!r} here; {entries}.")


def _toml_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return text.strip()


def build_net(entries: list[Any], known: Mapping[str, type] = TYPES) -> Net:
    """The net that `describe` wrote: `build_net(describe(net)) == net`.

    Raises:
        InputError: an entry that does not fit.
    """
    return read(tuple[Layer, ...], entries, "layers", known)


def build_cost(entry: Any, known: Mapping[str, type] = TYPES) -> Cost:
    """The cost that `describe` wrote.

    Raises:
        InputError: an entry that does not fit.
    """
    return read(Cost, entry, "cost", known)


def rebuilt(table: Mapping[str, Any], known: Mapping[str, type] = TYPES) -> Config:
    """The config that `describe` wrote to a `config.json`, which may say more.

    Raises:
        InputError: an entry is missing or does not fit.
    """
    entries = {name: table[name] for name in (field.name for field in fields(Config)) if name in table}
    training = entries.get("training")
    if isinstance(training, dict) and training.get("target_cost") in ("inf", "-inf"):  # JSON has no such numbers
        entries["training"] = training | {"target_cost": float(training["target_cost"])}
    return read(Config, entries, "", known)


def full_hash(config: Config) -> str:
    """What two configs share when they resolve to the same values, SHA-256."""
    table = describe(config)
    # entries that came later: configs without them keep their hashes, and so their checkpoints
    if not config.monitor.on:
        del table["monitor"]
    if not config.data.y:
        del table["data"]["y"], table["data"]["memory"]
    return hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()


def short_hash(config: Config) -> str:
    """Eight hexadecimal digits of it."""
    return full_hash(config)[:8]
