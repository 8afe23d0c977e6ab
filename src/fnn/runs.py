"""A run: a config made real, trained, and kept in a directory with all that is needed to read and repeat it."""

from __future__ import annotations

import json
import math
import os
import platform
import time
from collections.abc import Generator, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from .config import GRADIENTS, Config, short_hash
from .data import Dataset, load_data
from .errors import InputError
from .files import write_atomically
from .fitting import Result, fit
from .models import network_table, save_params
from .network import init, shape_out
from .plain import write_json
from .shifting import Shifted
from .tables import describe
from .training import Evaluation
from .types import Key, Params

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
    data = load_data(**describe(config.data))
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
    if config.training.batch_size > n:
        raise InputError(
            f"training.batch_size = {config.training.batch_size}: expected at most {n}, the number of training "
            "examples; that many is batch gradient descent."
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


def _outputs(shape: tuple[int, ...]) -> str:
    return f"{shape[0]} outputs" if len(shape) == 1 else f"outputs of shape {shape}"


def _meaning(data: Dataset) -> str:
    return f" for their {len(data.classes)} classes" if data.classes else ""


def create(out: str | os.PathLike[str], name: str, config: Config, text: str) -> Path:
    """A new run directory `<name>-<hash>` in `out`, or `<name>-<hash>-2`, ... when there is one already.

    It holds the config as it was written (`text`) before anything is trained.
    """
    stem, number = f"{name}-{short_hash(config)}", 1
    while True:
        path = Path(out, stem if number == 1 else f"{stem}-{number}")
        try:
            path.mkdir(parents=True)
            break
        except FileExistsError:
            number += 1
        except OSError as error:
            raise InputError(
                f"--out {out}: cannot make {path} ({error.strerror}); expected a writable folder."
            ) from None
    write_atomically(path / "config.toml", text.encode())
    return path


def write_description(path: Path, prepared: Prepared) -> None:
    """`config.json` and `environment.json`."""
    write_json(path / "config.json", description(prepared))
    write_json(path / "environment.json", environment(prepared.config))


def description(prepared: Prepared) -> dict[str, Any]:
    """Every value of the config, defaults included, and what the data said."""
    config, data = prepared.config, prepared.data
    return describe(config) | {
        "network": network_table(config.network.layers, config.network.cost),
        "shape": list(data.shape),
        "classes": list(data.classes),
        "inputs": {"scale": data.train.scale, "mean": np.ravel(data.mean).tolist(), "sd": np.ravel(data.sd).tolist()},
    }


def cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def environment(config: Config) -> dict[str, Any]:
    """What the bits of a result depend on: with the same, the same config gives the same bytes."""
    return {
        "versions": {name: version(name) for name in ("fnn", "jax", "jaxlib", "numpy")}
        | {"python": platform.python_version()},
        "machine": f"{platform.system()} {platform.machine()}",
        "devices": [str(device.device_kind) for device in jax.devices()],
        "cores": cores(),
        "XLA_FLAGS": os.environ.get("XLA_FLAGS", ""),
        "matmul_precision": jax.config.values["jax_default_matmul_precision"] or "default",
        "x64": jax.config.values["jax_enable_x64"],
        "seed": config.seed,
    }


def train(prepared: Prepared, path: Path) -> Generator[Result]:
    """Train, yield each epoch's result, and keep `metrics.jsonl`; at the end, however it comes, write `params.npz`."""
    lines, written, last = [], -math.inf, None
    try:
        for last in results(prepared, prepared.config.training.gradient):
            lines.append(json.dumps(metrics(last)))
            if time.monotonic() - written > WRITE_EVERY:
                _write_lines(path, lines)
                written = time.monotonic()
            yield last
    finally:
        if last is not None:
            _write_lines(path, lines)
            save_params(path, last.params)


def results(prepared: Prepared, gradient: str) -> Iterator[Result]:
    """`fit` as the config says, with the gradient of this name."""
    config, data = prepared.config, prepared.data
    training = config.training
    return fit(
        config.network.layers,
        config.network.cost,
        training.optimizer,
        prepared.params,
        Shifted(data.train) if training.shifts else data.train,
        prepared.key,
        batch_size=training.batch_size,
        epochs=training.epochs,
        gradient=GRADIENTS[gradient],
        validation=data.validation,
        test=data.test,
        schedule=training.schedule,
        target_cost=training.target_cost,
    )


def _write_lines(path: Path, lines: list[str]) -> None:
    write_atomically(path / "metrics.jsonl", "".join(f"{line}\n" for line in lines).encode())


def metrics(result: Result) -> dict[str, float]:
    """One line of `metrics.jsonl`: what applies, in the shortest decimals that name the same float32."""
    numbers: dict[str, Any] = {"epoch": result.epoch, "eta_factor": result.factor}
    for part in ("train", "validation", "test"):
        numbers |= _numbers(part, getattr(result, part))
    return numbers | {"seconds": round(result.seconds, 6)}


def _numbers(part: str, evaluation: Evaluation | None) -> dict[str, float]:
    if evaluation is None:
        return {}
    named = {f"{part}_cost": evaluation.cost, f"{part}_accuracy": evaluation.accuracy}
    return {name: shortest(x) for name, x in named.items() if not math.isnan(x)}


def shortest(x: Any) -> float:
    """The number whose repr is the shortest decimal that rounds to this float32: 0.9542, not 0.954200029."""
    return float(str(np.asarray(x)[()]))
