"""A run as a report shows it: metrics, results and settings, checked against their hashes. This needs no JAX."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from fnn.errors import CorruptFileError, InputError
from fnn.runs.file_names import METRICS, RESULT, TIMELESS
from fnn.runs.listing import DIVERGED, Entry
from fnn.runs.measured import number, numbers, timeless
from fnn.runs.settings import Settings, brief, text
from fnn.storage.arrays import npz_shapes
from fnn.storage.json_files import parse_json, read_json, read_plain

DIGITS = 8  # of a hash that are shown


class Reading(NamedTuple):
    """What a run's files say."""

    entry: Entry
    lines: list[dict[str, float]]  # of metrics.jsonl: the epoch, the costs and the accuracies, nan where not finite
    seconds: float  # of training, all epochs together
    parameters: int | None  # None if they are not there
    results: dict[str, Any]  # {} for a run that is not finished, or of an earlier version
    environment: Settings
    data: str  # the digest of its data; "" if it is not told
    config: dict[str, Any]


def read(entry: Entry) -> Reading:
    """The run of an entry.

    Raises:
        CorruptFileError: a file is damaged, or is not the one that the training wrote.
        InputError: no epoch is finished.
    """
    folder = entry.folder
    result = read_json(folder / RESULT) if (folder / RESULT).exists() else {}
    if not entry.epoch and entry.state != DIVERGED:
        raise InputError(f"{folder}: {entry.state}, and no epoch is finished: there is nothing to show yet.")
    lines = read_plain(folder / METRICS).splitlines() if entry.epoch else []
    rows = [parse_json(line, folder / METRICS) for line in lines]
    if not all(isinstance(row, dict) for row in rows) or not isinstance(result, dict):
        raise CorruptFileError(folder / (RESULT if not isinstance(result, dict) else METRICS), "is no table")
    check(folder, result, rows)
    environment = read_json(folder / "environment.json")
    environment = environment if isinstance(environment, dict) else {}
    results, digest = result.get("results"), str(environment.get("data", ""))
    return Reading(
        entry,
        [{"epoch": number(row.get("epoch")), **numbers(row)} for row in rows],
        sum(seconds for row in rows if not math.isnan(seconds := number(row.get("seconds")))),
        parameters(folder),
        results if isinstance(results, dict) else {},
        dict(flat({name: value for name, value in environment.items() if name != "seed"}, "environment"))
        | {"environment.data": digest[:DIGITS]},
        digest,
        read_json(folder / "config.json"),
    )


def check(folder: Path, result: Mapping[str, Any], rows: list[dict[str, Any]]) -> None:
    """Refuse files whose hashes are not those that the training wrote.

    Raises:
        CorruptFileError: there is one; or one is missing.
    """
    for name, digest in result.items():
        if not isinstance(digest, str):
            continue
        data = timeless(rows) if name == TIMELESS else read_plain(folder / Path(name).name)
        if hashlib.sha256(data).hexdigest() != digest:
            raise CorruptFileError(folder / name.partition(" ")[0], "is not what the training wrote (result.json)")


def parameters(folder: Path) -> int | None:
    """The number of the parameters of a run; None if they are not there or cannot be read."""
    try:
        return sum(math.prod(shape) for shape in npz_shapes(folder / "params.npz").values())
    except CorruptFileError:
        return None


def flat(table: Mapping[str, Any], where: str) -> list[tuple[str, str]]:
    """The entries of nested tables as texts, by dotted names."""
    found = []
    for name, value in table.items():
        place = f"{where}.{name}"
        found += flat(value, place) if isinstance(value, dict) else [(place, brief(text(value)))]
    return found
