"""Predictions of a trained run for inputs in their own units, before any scaling."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from fnn.config.schema import Types, describe, read
from fnn.config.sections import DataConfig
from fnn.data import load_data, load_inputs
from fnn.data.on_disk import Stored
from fnn.errors import CorruptFileError, InputError
from fnn.network import predict
from fnn.runs.models import load
from fnn.storage.json_files import read_json
from fnn.types import Cost, Net, Params

INPUTS_AT_ONCE = 5000  # read from an `.npy` file


class Trained(NamedTuple):
    """What `fnn predict` needs of a run."""

    net: Net
    cost: Cost
    params: Params
    data: DataConfig
    shape: tuple[int, ...]  # of one input
    classes: tuple[str, ...]  # their names; () if the outputs are quantities
    scale: float  # the network sees ((x − mean)/sd) · scale
    mean: np.ndarray  # (1,) or one number per input
    sd: np.ndarray


def open_run(run: str, types: Types) -> Trained:
    """The run in a directory.

    Raises:
        InputError: there is no such directory, or a type of the run is not in `types`.
        CorruptFileError: a file of the run is missing or damaged.
    """
    net, cost, params = load(run, types)
    path = Path(run, "config.json")
    about = read_json(path)
    try:
        units = about["inputs"]
        mean, sd = (np.array(units[key], np.float32) for key in ("mean", "sd"))
        if any(numbers.shape not in ((1,), (math.prod(about["shape"]),)) for numbers in (mean, sd)):
            raise ValueError(f"inputs.mean and inputs.sd have shapes {mean.shape} and {sd.shape}")
        data = read(DataConfig, about["data"], "data", types)
        return Trained(
            net, cost, params, data, tuple(about["shape"]), tuple(about["classes"]), float(units["scale"]), mean, sd
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptFileError(path, f"is not the config of a run: {error!r}; fnn run writes one") from None


def inputs(trained: Trained, file: str | None) -> Iterator[np.ndarray]:
    """The inputs of a file, scaled for the network. Without a file they are the run's own test data.

    A run without test data has its training data instead. The inputs come all at once, those of an `.npy` file
    `INPUTS_AT_ONCE` at a time.

    Raises:
        InputError: the file does not hold inputs of the network's shape.
        CorruptFileError: the file is damaged.
    """
    if file is None:
        data = load_data(**describe(trained.data))
        examples = data.test if data.test.n else data.train
        yield from (examples.rows(part)[0] for part in _parts(examples.x))
        return
    x = load_inputs(file, trained.shape, label=trained.data.label)
    for part in _parts(x):
        rows = np.asarray(x[part]).astype(np.float32)
        flat = (rows.reshape(len(rows), -1) - trained.mean[None, :]) / trained.sd[None, :]
        yield flat.reshape(rows.shape) * np.float32(trained.scale)


def _parts(x: np.ndarray | Stored) -> Iterator[slice]:
    size = INPUTS_AT_ONCE if isinstance(x, Stored) else len(x)
    return (slice(i, i + size) for i in range(0, len(x), size))


def outputs(trained: Trained, x: np.ndarray) -> np.ndarray:
    """The network's outputs, `(n, n_out)`.

    Raises:
        InputError: the network does not take inputs of this shape.
    """
    try:
        return np.asarray(jax.jit(predict)(trained.net, trained.cost, trained.params, x))
    except (TypeError, ValueError) as error:
        raise InputError(f"inputs of shape {x.shape}: {error}") from None


def classes(trained: Trained, a: np.ndarray) -> list[str]:
    """The class that each row of outputs stands for: "?" if a binary code is that of no class, [] for quantities."""
    if not trained.classes:
        return []
    bits = (a > 0.5) @ (2 ** np.arange(a.shape[1])[::-1])
    numbers = bits if trained.data.targets == "binary" else a.argmax(axis=1)
    return [trained.classes[k] if k < len(trained.classes) else "?" for k in numbers]
