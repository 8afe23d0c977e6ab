"""`metrics.jsonl`: one line per epoch, written and read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fnn.errors import CorruptFileError
from fnn.runs.file_names import METRICS
from fnn.storage.files import write_atomically
from fnn.storage.json_files import parse_json, read_plain
from fnn.training.keeping import UNRANKED, Rank, rank
from fnn.training.monitors import Reading
from fnn.training.tasks import Result


def line(result: Result) -> dict[str, Any]:
    """The line of an epoch: its `numbers`, each as the shortest decimal that gives the same float32.

    JSON has no nan and no infinity: where a number that applies is not finite, the line has None, JSON's null.
    """
    plain: dict[str, Any] = {"epoch": result.epoch, "eta_factor": result.factor}
    plain |= {name: x if math.isfinite(x) else None for name, x in numbers(result).items()}
    if result.monitor:
        plain["monitor"] = [_reading(reading) for reading in result.monitor]
    return plain | {"seconds": round(result.seconds, 6)}


def numbers(result: Result) -> dict[str, float]:
    """The costs and the accuracies of an epoch that apply, by their names in a line; they may be nan or infinite.

    Accuracies apply if there is one on the training set, whose outputs are finite: without a measure all are nan.
    """
    parts = {part: getattr(result, part) for part in ("train", "validation", "test")}
    names = ("cost",) if math.isnan(result.train.accuracy) else ("cost", "accuracy")
    return {
        f"{part}_{name}": shortest(getattr(evaluation, name))
        for part, evaluation in parts.items()
        if evaluation is not None
        for name in names
    }


def _reading(reading: Reading) -> dict[str, float | None]:
    """The numbers of one layer, None for an infinite one; a number that does not apply is nan, and left out."""
    named = {name: shortest(x) for name, x in reading._asdict().items()}
    return {name: x if math.isfinite(x) else None for name, x in named.items() if not math.isnan(x)}


def shortest(x: Any) -> float:
    """The number whose repr is the shortest decimal that rounds to this float32: 0.9542, not 0.954200029."""
    return float(str(np.asarray(x)[()]))


def scores(rows: Sequence[Mapping[str, Any]], part: str) -> list[float]:
    """The score of each epoch on a part of the data, as a schedule saw it: the accuracy, else minus the cost."""
    numbers = []
    for row in rows:
        accuracy, cost = row.get(f"{part}_accuracy"), row.get(f"{part}_cost")
        cost = math.nan if cost is None else float(np.float32(cost))
        numbers.append(-cost if accuracy is None else float(np.float32(accuracy)))
    return numbers


def ranks(rows: Sequence[Mapping[str, Any]]) -> list[Rank]:
    """How good each epoch is by the validation data."""
    costs = [row.get("validation_cost") for row in rows]
    finite = [math.nan if cost is None else float(np.float32(cost)) for cost in costs]
    return [rank(*each) for each in zip(scores(rows, "validation"), finite, strict=True)]


def best_epoch(rows: Sequence[Mapping[str, Any]]) -> int:
    """The first epoch, from 1, of the highest rank that is finite; 0 if there is none."""
    found = ranks(rows)
    best = max(found, default=UNRANKED)
    return found.index(best) + 1 if best[0] > -math.inf else 0


def write(path: Path, lines: Sequence[str]) -> None:
    """Replace the file in the run directory `path` by these lines of JSON."""
    write_atomically(path / METRICS, "".join(f"{line}\n" for line in lines).encode())


def read(path: Path) -> list[dict[str, Any]]:
    """The lines of the file in the run directory `path`.

    Raises:
        CorruptFileError: the file is missing, or a line of it is no table.
    """
    file = path / METRICS
    rows = [parse_json(line, file) for line in read_plain(file).splitlines()]
    if not all(isinstance(row, dict) for row in rows):
        raise CorruptFileError(file, "has a line that is no table")
    return rows
