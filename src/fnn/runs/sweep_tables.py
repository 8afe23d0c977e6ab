"""The tables of a sweep, `sweep.csv` and `curves.csv`: its networks, and the points of its grid. This needs no JAX."""

from __future__ import annotations

import csv
import io
import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from fnn.errors import CorruptFileError
from fnn.storage.json_files import read_plain

AXES = ("units", "eta", "mu", "lmbda", "scale")
MEASURES = ("validation_accuracy", "validation_cost", "train_accuracy", "train_cost")  # the first that there is decides
Row = dict[str, float]  # a line of a table; nan where it says nothing or no finite number


class Point(NamedTuple):
    """One point of the grid: the results of its networks in their last epoch, over the seeds."""

    at: tuple[float, ...]  # its number on each of `AXES`
    networks: tuple[int, ...]
    diverged: int  # of these networks
    mean: dict[str, float]  # of each measure, over the networks where it is finite; nan without one
    sd: dict[str, float]  # the divisor is n - 1; nan for fewer than two
    finite: dict[str, int]  # the number of the networks where it is finite


def read(path: Path) -> list[Row]:
    """The rows of a table that `fnn sweep` wrote.

    Raises:
        CorruptFileError: the file is missing, or is no such table.
    """
    try:
        lines = list(csv.reader(io.StringIO(read_plain(path).decode(), newline="")))
        head, rows = lines[0], lines[1:]
        table = [{name: _number(cell) for name, cell in zip(head, row, strict=True)} for row in rows]
    except (IndexError, ValueError, csv.Error) as error:
        if isinstance(error, CorruptFileError):
            raise
        raise CorruptFileError(path, f"is no table of a sweep: {error}") from None
    needed = ("network", "seed", *AXES)
    if not table or not set(needed) <= set(head) or any(math.isnan(row[name]) for row in table for name in needed):
        raise CorruptFileError(path, "is no table of a sweep, or has no network")
    return table


def _number(cell: str) -> float:
    number = float(cell or "nan")
    return number if math.isfinite(number) else math.nan


def points(rows: Sequence[Row]) -> list[Point]:
    """The points of the grid, in the order of the table `sweep.csv`."""
    at: dict[tuple[float, ...], list[Row]] = {}
    for row in rows:
        at.setdefault(tuple(row[axis] for axis in AXES), []).append(row)
    return [_point(place, networks) for place, networks in at.items()]


def _point(at: tuple[float, ...], rows: Sequence[Row]) -> Point:
    alive = [row for row in rows if not row.get("diverged_in_epoch", math.nan) > 0]
    names = [name for name in rows[0] if name.endswith(("_cost", "_accuracy"))]
    finite = {name: [row[name] for row in alive if not math.isnan(row[name])] for name in names}
    mean = {name: statistics.fmean(values) if values else math.nan for name, values in finite.items()}
    sd = {name: statistics.stdev(values) if len(values) > 1 else math.nan for name, values in finite.items()}
    counts = {name: len(values) for name, values in finite.items()}
    return Point(at, tuple(int(row["network"]) for row in rows), len(rows) - len(alive), mean, sd, counts)


def measure(found: Sequence[Point]) -> str:
    """The measure to choose by: validation accuracy, else validation cost, training accuracy or training cost."""
    return next((m for m in MEASURES if any(not math.isnan(p.mean.get(m, math.nan)) for p in found)), MEASURES[-1])


def ranked(found: Sequence[Point]) -> list[Point]:
    """The best point first: the fewest networks that diverged or have no finite measure, then the best mean.

    The test set has no part in this.
    """
    by = measure(found)
    sign = -1 if by.endswith("accuracy") else 1

    def rank(point: Point) -> tuple[float, float]:
        mean = point.mean.get(by, math.nan)
        return len(point.networks) - point.finite.get(by, 0), math.inf if math.isnan(mean) else sign * mean

    return sorted(found, key=rank)


def swept(found: Sequence[Point]) -> list[str]:
    """The axes on which the points differ."""
    return [axis for i, axis in enumerate(AXES) if len({point.at[i] for point in found}) > 1]


def label(point: Point, axes: Sequence[str]) -> str:
    """A point in words: `eta 0.25, lmbda 0`."""
    named = dict(zip(AXES, point.at, strict=True))
    shown = axes or [axis for axis in AXES if axis != "units" or named["units"]]
    return ", ".join(f"{axis} {named[axis]:.10g}" for axis in shown)
