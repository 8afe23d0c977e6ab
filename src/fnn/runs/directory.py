"""Run directories: their names, the files that describe a run, and the checks of a directory that is read again.

A run directory holds what is needed to read a training and to repeat it. Every file is written whole or not at all.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fnn.config.reading import short_hash
from fnn.config.schema import describe
from fnn.config.sections import Config, DataConfig
from fnn.data.arguments import is_file
from fnn.errors import CorruptFileError, InputError
from fnn.runs import metrics
from fnn.runs.endings import divergence
from fnn.runs.file_names import NETWORKS, TIMELESS
from fnn.runs.measured import timeless
from fnn.runs.model_tables import OWN_TYPES, data_table, network_table
from fnn.runs.preparing import Prepared
from fnn.storage.files import sync_folder, write_atomically
from fnn.storage.json_files import read_json, read_plain, write_json

LAST = "last.npz"  # the params of the last epoch, from which a run that keeps the best ones goes on


def create(out: str | os.PathLike[str], name: str, config: Config) -> Path:
    """A new run directory in `out`: `<name>-<hash>`, from the second one on with a number, `<name>-<hash>-2`.

    The number is one more than the highest in `out`.

    Raises:
        InputError: the directory cannot be made.
    """
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
    """The run directories in `out` with their numbers, newest first.

    Args:
        out: The folder to look in.
        form: A regular expression that a directory's name matches, without its number.

    Raises:
        InputError: the folder cannot be listed.
    """
    pattern = re.compile(rf"(?:{form})(?:-(\d+))?")
    try:
        found = [(path, pattern.fullmatch(path.name)) for path in out.iterdir()] if out.is_dir() else []
    except OSError as error:
        raise InputError(
            f"--out {out}: cannot be listed ({error.strerror}); expected a folder that you may read."
        ) from None
    return sorted(((int(match[1] or 1), path) for path, match in found if match and path.is_dir()), reverse=True)


def write_description(path: Path, prepared: Prepared, text: str, environment: Mapping[str, Any]) -> None:
    """Write `config.toml`, which is `text`, `config.json` and `environment.json`."""
    write_atomically(path / "config.toml", text.encode())
    write_config(path, prepared)
    write_json(path / "environment.json", environment)


def write_config(path: Path, prepared: Prepared) -> None:
    """Write `config.json`, which also says where the data are."""
    write_json(path / "config.json", description(prepared))


def description(prepared: Prepared) -> dict[str, Any]:
    """The table in `config.json`: every value of the config, defaults included, and what was read from the data.

    Of what `--type` named it has the names, of those classes that the config names.
    """
    config, data = prepared.config, prepared.data
    network = network_table(config.network.layers, config.network.cost)
    table = describe(config) | data_table(data) | {"network": network}
    own = [name for name in prepared.own_types if name.rpartition(":")[2] in _named(table)]
    return table | ({OWN_TYPES: own} if own else {})


def _named(table: Any) -> Iterator[str]:
    """The classes that a table names by `type`."""
    for value in table.values() if isinstance(table, dict) else table:
        if isinstance(value, dict | list):
            yield from _named(value)
    if isinstance(table, dict) and "type" in table:
        yield table["type"]


def digests(path: Path) -> dict[str, str]:
    """The SHA-256 hashes of a run's params, of those of its last epoch if it has a file of them, and of its metrics.

    The metrics count without their times.

    Raises:
        CorruptFileError: a file is missing, or `metrics.jsonl` is damaged.
    """
    files = ("params.npz", *([LAST] if (path / LAST).exists() else []))
    named = {name: read_plain(path / name) for name in files} | {TIMELESS: timeless(metrics.read(path))}
    return {name: hashlib.sha256(data).hexdigest() for name, data in named.items()}


def check_finished(path: Path) -> None:
    """Refuse a run that is not finished, or whose files are not those that the training wrote.

    Raises:
        InputError: there is no such run, or it is not finished.
        CorruptFileError: a file is missing or has changed.
    """
    if not path.is_dir():
        raise InputError(f"{path}: there is no such folder; expected a run directory.")
    check_no_sweep(path)
    place = path.resolve()
    if place.parent.name == NETWORKS and _is_sweep(place.parent.parent):
        raise InputError(f"{path}: this is a network of a sweep, which sweep.csv compares; expected a run of fnn run.")
    if not (path / "config.json").exists() and not (path / "result.json").exists():
        raise InputError(f"{path}: has no config.json; expected a run directory, as fnn run CONFIG makes one.")
    if not (path / "result.json").exists():
        raise InputError(f"{path}: this run {_unfinished(path)}.")
    written, found = read_json(path / "result.json"), digests(path)
    for name, digest in found.items():
        if not isinstance(written, dict) or written.get(name) != digest:
            raise CorruptFileError(path / name.partition(" ")[0], "is not what the training wrote (result.json)")


def check_has_params(path: Path) -> None:
    """Refuse a run of which no epoch was finished, so that it has no params.

    Raises:
        InputError: it is one.
        CorruptFileError: `diverged.json` is damaged.
    """
    begun, missing = (path / "environment.json").exists(), not (path / "params.npz").exists()
    if begun and missing and not (path / "result.json").exists():
        raise InputError(f"{path}: has no params.npz, since this run {_unfinished(path)}.")


def _unfinished(path: Path) -> str:
    """Why a run has no results, and the remedy."""
    lost = divergence(path)
    if lost is None:
        return "is not finished; finish it with fnn run CONFIG --resume"
    return f"diverged: {lost.message.removesuffix('.')}"


def check_no_sweep(path: Path) -> None:
    """Refuse the folder of a whole sweep.

    Raises:
        InputError: it is one.
    """
    place = path.resolve()
    if _is_sweep(place) or (place.name == NETWORKS and _is_sweep(place.parent)):
        raise InputError(f"{path}: this is a sweep, whose networks sweep.csv compares; expected a single run.")


def _is_sweep(path: Path) -> bool:
    return (path / NETWORKS).is_dir() and (path / "config.json").exists()


def check_data(path: Path, data: DataConfig) -> None:
    """Refuse a run whose data files are not where its `config.json` says.

    Raises:
        InputError: there is no such file.
    """
    for name in (data.source, data.y):
        if is_file(name) and not Path(name).is_file():
            raise InputError(
                f"{path / 'config.json'}: data: {name}: there is no such file; if it has moved, write its path there."
            )
