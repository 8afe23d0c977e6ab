"""What was measured in a training, read from the files of its run: costs and accuracies. This needs no JAX."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fnn.errors import CorruptFileError
from fnn.storage.files import open_plain
from fnn.storage.json_files import parse_json

AT_ONCE = 2**16  # bytes that are read from the end of metrics.jsonl; its last line is seldom longer


def last_line(path: Path) -> dict[str, Any]:
    """The last line of `metrics.jsonl`; an empty table if it has none.

    Raises:
        CorruptFileError: the file cannot be read, or the line is no table.
    """
    try:
        with open_plain(path) as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - AT_ONCE))
            lines = file.read(AT_ONCE).splitlines()
            if len(lines) == 1 and size > AT_ONCE:  # the monitor of many layers makes long lines
                file.seek(0)
                lines = file.read(size).splitlines()
    except OSError as error:
        raise CorruptFileError(path, f"cannot be read ({error.strerror})") from None
    except ValueError:
        raise CorruptFileError(path, "is not a plain file") from None
    line = parse_json(lines[-1], path) if lines else {}
    if not isinstance(line, dict):
        raise CorruptFileError(path, "has a line that is no table")
    return line


def numbers(line: Mapping[str, Any]) -> dict[str, float]:
    """The costs and the accuracies in a line of `metrics.jsonl`; nan where one was not finite."""
    return {name: number(value) for name, value in line.items() if name.endswith(("_cost", "_accuracy"))}


def number(value: Any) -> float:
    """A number as it is; nan for anything else."""
    return float(value) if type(value) in (int, float) and abs(value) < 1e308 else math.nan


def kept_scores(result: Any) -> dict[str, float]:
    """The costs and the accuracies of the params that a finished run has kept; none for a run of an earlier version."""
    results = result.get("results") if isinstance(result, dict) else None
    parts = results.get("parts") if isinstance(results, dict) else None
    return {
        f"{part}_{name}": number(table[name])
        for part, table in (parts.items() if isinstance(parts, dict) else ())
        if isinstance(table, dict)
        for name in ("cost", "accuracy")
        if name in table
    }


def without_seconds(line: Mapping[str, Any]) -> dict[str, Any]:
    """What is the same when a training is repeated: a line of `metrics.jsonl` without its time."""
    return {name: value for name, value in line.items() if name != "seconds"}


def timeless(lines: Iterable[Mapping[str, Any]]) -> bytes:
    """The bytes of `metrics.jsonl` as they would be without the times."""
    return "".join(f"{json.dumps(without_seconds(line))}\n" for line in lines).encode()
