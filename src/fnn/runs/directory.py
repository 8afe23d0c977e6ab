"""A run directory: what is needed to read a training and to repeat it, written so that nothing is ever half there."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import time
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fnn.config.reading import is_file, short_hash
from fnn.config.schema import describe
from fnn.config.sections import Config, DataConfig
from fnn.errors import CorruptFileError, InputError
from fnn.runs.keeper import FOLDER, Keeper
from fnn.runs.models import network_table, save_params
from fnn.runs.preparing import Prepared
from fnn.storage.files import remove_folder, sync_folder, write_atomically
from fnn.storage.json_files import parse_json, read_json, read_plain, write_json
from fnn.training.epochs import Evaluation
from fnn.training.fitting import Result, State, resumed
from fnn.training.monitors import Reading

NETWORKS = "networks"  # the folder of a sweep that holds its networks
WRITE_EVERY = 1.0  # seconds between two writes of metrics.jsonl, which is replaced as a whole


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


def write_description(path: Path, prepared: Prepared, text: str, environment: Mapping[str, Any]) -> None:
    """`config.toml`, which is `text`, `config.json` and `environment.json`."""
    write_atomically(path / "config.toml", text.encode())
    write_config(path, prepared)
    write_json(path / "environment.json", environment)


def write_config(path: Path, prepared: Prepared) -> None:
    """`config.json`, where the data are included."""
    write_json(path / "config.json", description(prepared))


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
    check_no_sweep(path)
    place = path.resolve()
    if place.parent.name == NETWORKS and _is_sweep(place.parent.parent):
        raise InputError(f"{path}: this is a network of a sweep, which sweep.csv compares; expected a run of fnn run.")
    if not (path / "result.json").exists():
        raise InputError(f"{path}: this run is not finished; finish it with fnn run CONFIG --resume.")
    written, found = read_json(path / "result.json"), digests(path)
    for name, digest in found.items():
        if not isinstance(written, dict) or written.get(name) != digest:
            raise CorruptFileError(path / name.partition(" ")[0], "is not what the training wrote (result.json)")


def check_no_sweep(path: Path) -> None:
    """The folder is not that of a whole sweep.

    Raises:
        InputError: it is.
    """
    place = path.resolve()
    if _is_sweep(place) or (place.name == NETWORKS and _is_sweep(place.parent)):
        raise InputError(f"{path}: this is a sweep, whose networks sweep.csv compares; expected a single run.")


def _is_sweep(path: Path) -> bool:
    return (path / NETWORKS).is_dir() and (path / "config.json").exists()


def check_data(path: Path, data: DataConfig) -> None:
    """The files of a run's own data are where its `config.json` says.

    Raises:
        InputError: one is not.
    """
    for name in (data.source, data.y):
        if is_file(name) and not Path(name).is_file():
            raise InputError(
                f"{path / 'config.json'}: data: {name}: there is no such file; if it has moved, write its path there."
            )


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
