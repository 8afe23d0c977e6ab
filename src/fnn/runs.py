"""A run: a config made real, trained, and kept in a directory with all that is needed to read and repeat it."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from .config import GRADIENTS, Config, short_hash
from .costs import CrossEntropy, LogLikelihood, Quadratic
from .data import Dataset, load_data
from .environments import environment, memory
from .errors import CorruptFileError, InputError
from .examples import Examples
from .files import remove_folder, sync_folder, write_atomically
from .fitting import Result, State, Task, resumed, start
from .models import network_table, save_params
from .monitors import Reading
from .network import activations, count_params, init, shape_out
from .plain import parse_json, read_json, read_plain, write_json
from .saving import FOLDER, Keeper
from .shifting import Shifted
from .streaming import in_file, placed
from .tables import describe
from .training import Evaluation, at_once
from .types import Cost, Key, Params

STANDARDISED = 10**6  # inputs: a file of some 50 MB
COPIES = 3  # of the params while they are trained, at least: themselves, their gradient, the optimiser's state
WRITE_EVERY = 1.0  # seconds between two writes of metrics.jsonl, which is replaced as a whole


class Prepared(NamedTuple):
    """A config with its data and its starting point."""

    config: Config
    data: Dataset
    params: Params
    key: Key  # of the training; epoch e folds e in


def prepare(config: Config) -> Prepared:
    """Load the data, check that the network fits them, draw the parameters; nothing is compiled before it fits.

    Raises:
        InputError: the config does not fit its data.
        CorruptFileError: a data file is damaged.
    """
    try:
        data = load_data(**describe(config.data))
    except InputError as error:
        raise InputError(f"data: {error}") from None
    _check_fit(config, data)
    k_params, k_training = keys(config.seed)
    return Prepared(config, data, init(config.network.layers, k_params, data.shape), k_training)


def keys(seed: int) -> tuple[Key, Key]:
    """The key of the initial params and the key of the training, for a config's seed."""
    k_params, k_training = jax.random.split(jax.random.key(seed))
    return k_params, k_training


def _check_fit(config: Config, data: Dataset) -> None:
    n, n_out = data.train.n, data.train.y.shape[1]
    if config.training.shifts and len(data.shape) != 3:
        raise InputError(
            f"training.shifts: only images of shape (channels, height, width) can be shifted, got {data.shape}; "
            "set data.shape = [1, 28, 28], or drop it."
        )
    if config.training.shifts and in_file(data.train):
        raise InputError(
            f"training.shifts: images that do not fit into data.memory = {config.data.memory} GiB cannot be shifted; "
            "raise it, or drop training.shifts."
        )
    if config.training.batch_size > n:
        raise InputError(
            f"training.batch_size = {config.training.batch_size}: expected at most {n}, the number of training "
            "examples; that many is batch gradient descent."
        )
    if config.data.standardise and math.prod(data.shape) > STANDARDISED:
        raise InputError(
            f"data.standardise: of at most {STANDARDISED:,} inputs, got {math.prod(data.shape):,}; config.json keeps a "
            "mean and a deviation for each. Set data.scale instead."
        )
    try:
        out = shape_out(config.network.layers, data.shape)
    except (TypeError, ValueError) as error:
        raise InputError(f"network.layers: {error}") from None
    if out != (n_out,):
        raise InputError(
            f"network.layers: the last layer gives {_outputs(out)}, the data want {n_out}"
            f"{_meaning(data)}; let the last Dense have units = {n_out}."
        )
    _check_cost(config.network.cost, data)
    _check_size(config, data)


def _check_cost(cost: Cost, data: Dataset) -> None:
    """Refuse a cost that has no minimum for such desired outputs, or nothing to learn from them."""
    y = data.train.y
    if isinstance(cost, LogLikelihood) and y.shape[1] == 1:
        raise InputError(
            "network.cost: the softmax of one output is always 1; use CrossEntropy, whose output is a sigmoid."
        )
    if isinstance(cost, CrossEntropy) and (y.min() < 0 or y.max() > 1):
        raise InputError(
            f"network.cost: CrossEntropy is for desired outputs from 0 to 1, got {y.min():g} to {y.max():g}; "
            'use { type = "Quadratic", activation = "Identity" }.'
        )
    if isinstance(cost, Quadratic):
        try:
            params, _ = jax.eval_shape(lambda: cost.activation.init(jax.random.key(0), y.shape[1:]))
        except (TypeError, ValueError) as error:
            raise InputError(f"network.cost.activation: {error}") from None
        if jax.tree.leaves(params):
            name = type(cost.activation).__name__
            raise InputError(f"network.cost.activation: {name} has parameters; make it the last of network.layers.")


def _check_size(config: Config, data: Dataset) -> None:
    """Refuse a net whose training would not fit into the memory that there is."""
    net = config.network.layers
    params = jax.eval_shape(lambda: init(net, jax.random.key(0), data.shape))
    bytes_needed = COPIES * sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(params))
    if bytes_needed > memory():
        raise InputError(
            f"network.layers: {count_params(params):,} parameters need {bytes_needed / 2**30:,.0f} GiB to train, "
            f"this machine has {memory() / 2**30:,.0f}; use fewer units."
        )
    one = jax.eval_shape(activations, net, params, jax.ShapeDtypeStruct((1, *data.shape), jnp.float32))
    rows, numbers = max(at_once(one), config.training.batch_size), sum(a.size for a in one)
    if 4 * rows * numbers > memory():
        raise InputError(
            f"network.layers: {rows:,} examples of {numbers:,} numbers at once are {4 * rows * numbers / 2**30:,.0f} "
            f"GiB, this machine has {memory() / 2**30:,.0f}; use fewer units or filters, or a smaller batch_size."
        )


def _outputs(shape: tuple[int, ...]) -> str:
    return f"{shape[0]} outputs" if len(shape) == 1 else f"outputs of shape {shape}"


def _meaning(data: Dataset) -> str:
    return f" for their {len(data.classes)} classes" if data.classes else ""


def create(out: str | os.PathLike[str], name: str, config: Config) -> Path:
    """A new run directory `<name>-<hash>` in `out`, or with the number after the highest there is, from `-2` on."""
    stem = f"{name}-{short_hash(config)}"
    number = 1 + max((number for number, _ in numbered(Path(out), re.escape(stem))), default=0)
    while True:
        path = Path(out, stem if number == 1 else f"{stem}-{number}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"--out {out}: cannot be made ({error.strerror}); expected a writable folder.") from None
        try:
            path.mkdir()
            sync_folder(path.parent)
            break
        except FileExistsError:
            number += 1
        except OSError as error:
            raise InputError(
                f"--out {out}: cannot make {path} ({error.strerror}); expected a writable folder."
            ) from None
    return path


def numbered(out: Path, form: str) -> list[tuple[int, Path]]:
    """The run directories in `out` whose name, without its number, has the form of a pattern; the newest first."""
    pattern = re.compile(rf"(?:{form})(?:-(\d+))?")
    try:
        found = [(path, pattern.fullmatch(path.name)) for path in out.iterdir()] if out.is_dir() else []
    except OSError as error:
        raise InputError(
            f"--out {out}: cannot be listed ({error.strerror}); expected a folder that you may read."
        ) from None
    return sorted(((int(match[1] or 1), path) for path, match in found if match and path.is_dir()), reverse=True)


def write_description(path: Path, prepared: Prepared, text: str) -> None:
    """`config.toml`, which is `text`, `config.json` and `environment.json`."""
    write_atomically(path / "config.toml", text.encode())
    write_json(path / "config.json", description(prepared))
    write_json(path / "environment.json", environment(prepared.data, prepared.config.seed))


def description(prepared: Prepared) -> dict[str, Any]:
    """Every value of the config, defaults included, and what the data said."""
    config, data = prepared.config, prepared.data
    return describe(config) | {
        "network": network_table(config.network.layers, config.network.cost),
        "shape": list(data.shape),
        "classes": list(data.classes),
        "inputs": {"scale": data.train.scale, "mean": np.ravel(data.mean).tolist(), "sd": np.ravel(data.sd).tolist()},
    }


def train(path: Path, state: State, keeper: Keeper) -> Generator[Result]:
    """Train the keeper's task on from `state`, yield each epoch's result, and keep `metrics.jsonl`.

    However it ends, `params.npz` holds the params after the last epoch that is over. When all epochs are,
    `result.json` says so, by the hashes of both files, and the checkpoints go.
    """
    written, last = -math.inf, None
    try:
        for last in resumed(keeper.task, state, keeper):
            keeper.lines.append(json.dumps(metrics(last)))
            if time.monotonic() - written > WRITE_EVERY:
                _write_lines(path, keeper.lines)
                written = time.monotonic()
            yield last
    finally:
        if keeper.lines:
            _write_lines(path, keeper.lines)
        if last is not None or (state.epochs and not state.step):
            save_params(path, state.params if last is None else last.params)
    write_json(path / "result.json", digests(path))
    if (path / FOLDER).is_dir():
        remove_folder(path / FOLDER)


def digests(path: Path) -> dict[str, str]:
    """The hashes of what a run is for: its params, and its metrics without their times.

    Raises:
        CorruptFileError: one of them is missing, or the metrics are none.
    """
    lines = read_metrics(path)
    timeless = "".join(f"{json.dumps({k: v for k, v in line.items() if k != 'seconds'})}\n" for line in lines)
    named = {"params.npz": read_plain(path / "params.npz"), "metrics.jsonl without seconds": timeless.encode()}
    return {name: hashlib.sha256(data).hexdigest() for name, data in named.items()}


def check_finished(path: Path) -> None:
    """The run has come to its end, and its files are those that the training wrote.

    Raises:
        InputError: no such run, or one that is not finished.
        CorruptFileError: a file is missing or not what it was.
    """
    if not path.is_dir():
        raise InputError(f"{path}: there is no such folder; expected a run directory.")
    if not (path / "result.json").exists():
        raise InputError(f"{path}: this run is not finished; finish it with fnn run CONFIG --resume.")
    written, found = read_json(path / "result.json"), digests(path)
    for name, digest in found.items():
        if not isinstance(written, dict) or written.get(name) != digest:
            raise CorruptFileError(path / name.partition(" ")[0], "is not what the training wrote (result.json)")


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The lines of `metrics.jsonl`.

    Raises:
        CorruptFileError: it is missing, or a line of it is no table.
    """
    file = path / "metrics.jsonl"
    rows = [parse_json(line, file) for line in read_plain(file).splitlines()]
    if not all(isinstance(row, dict) for row in rows):
        raise CorruptFileError(file, "has a line that is no table")
    return rows


def results(prepared: Prepared, gradient: str) -> Iterator[Result]:
    """`fit` as the config says, with the gradient of this name."""
    whole = task(prepared, gradient)
    return resumed(whole, start(whole, prepared.params))


def training_set(config: Config, data: Dataset) -> Examples | Shifted:
    """The examples to train on, as they are or shifted."""
    return Shifted(data.train) if config.training.shifts else data.train


def task(prepared: Prepared, gradient: str) -> Task:
    """What the config says is to be trained, with the gradient of this name."""
    config, data = prepared.config, prepared.data
    training = config.training
    return Task(
        config.network.layers,
        config.network.cost,
        training.optimizer,
        placed(training_set(config, data)),
        prepared.key,
        training.batch_size,
        training.epochs,
        GRADIENTS[gradient],
        data.validation,
        data.test,
        training.schedule,
        training.target_cost,
        config.monitor.on,
    )


def _write_lines(path: Path, lines: list[str]) -> None:
    write_atomically(path / "metrics.jsonl", "".join(f"{line}\n" for line in lines).encode())


def metrics(result: Result) -> dict[str, Any]:
    """One line of `metrics.jsonl`: what applies, in the shortest decimals that name the same float32."""
    numbers: dict[str, Any] = {"epoch": result.epoch, "eta_factor": result.factor}
    for part in ("train", "validation", "test"):
        numbers |= _numbers(part, getattr(result, part))
    if result.monitor:
        numbers["monitor"] = [_reading(reading) for reading in result.monitor]
    return numbers | {"seconds": round(result.seconds, 6)}


def _reading(reading: Reading) -> dict[str, float]:
    """One layer's numbers: those that apply, and are finite."""
    return {name: shortest(x) for name, x in reading._asdict().items() if math.isfinite(x)}


def _numbers(part: str, evaluation: Evaluation | None) -> dict[str, float]:
    if evaluation is None:
        return {}
    named = {f"{part}_cost": evaluation.cost, f"{part}_accuracy": evaluation.accuracy}
    return {name: shortest(x) for name, x in named.items() if not math.isnan(x)}


def shortest(x: Any) -> float:
    """The number whose repr is the shortest decimal that rounds to this float32: 0.9542, not 0.954200029."""
    return float(str(np.asarray(x)[()]))
