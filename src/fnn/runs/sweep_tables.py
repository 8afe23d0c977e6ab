"""The tables of a sweep, `sweep.csv` and `curves.csv`: its networks, and the points of its grid. This needs no JAX."""

from __future__ import annotations

import csv
import io
import math
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from fnn.errors import CorruptFileError
from fnn.storage.json_files import read_plain

MEASURES = ("validation_accuracy", "validation_cost", "train_accuracy", "train_cost")  # the first that there is decides
Row = dict[str, float]  # a line of a table; nan where it says nothing or no finite number


class Point(NamedTuple):
    """The swept numbers at one point of the grid."""

    units: int  # of every hidden layer; 0 leaves the widths of the config
    eta: float
    mu: float
    lmbda: float
    scale: float  # factor on the initial W


AXES = Point._fields


class Outcome(NamedTuple):
    """What came out at one point of the grid: the results of its networks in their last epoch, over the seeds."""

    point: Point
    networks: tuple[int, ...]
    diverged: int  # of these networks
    finite: dict[str, list[float]]  # of each measure, its finite numbers: of networks that have not diverged
    mean: dict[str, float]  # of these numbers; nan without one
    sd: dict[str, float]  # the divisor is n - 1; nan for fewer than two


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


def outcomes(rows: Iterable[Row]) -> list[Outcome]:
    """What came out at each point of the grid, in the order of the table `sweep.csv`, whose rows these are."""
    at: dict[Point, list[Row]] = {}
    for row in rows:
        at.setdefault(Point(int(row["units"]), *(row[axis] for axis in AXES[1:])), []).append(row)
    return [_outcome(point, networks) for point, networks in at.items()]


def _outcome(point: Point, rows: Sequence[Row]) -> Outcome:
    alive = [row for row in rows if not row.get("diverged_in_epoch", math.nan) > 0]
    names = [name for name in rows[0] if name.endswith(("_cost", "_accuracy"))]
    finite = {name: [row[name] for row in alive if math.isfinite(row[name])] for name in names}
    mean = {name: statistics.fmean(values) if values else math.nan for name, values in finite.items()}
    sd = {name: statistics.stdev(values) if len(values) > 1 else math.nan for name, values in finite.items()}
    return Outcome(point, tuple(int(row["network"]) for row in rows), len(rows) - len(alive), finite, mean, sd)


def measure(found: Sequence[Outcome]) -> str:
    """The measure to choose by: validation accuracy, else validation cost, training accuracy or training cost."""
    return next((name for name in MEASURES if any(outcome.finite.get(name) for outcome in found)), MEASURES[-1])


def ranked(found: Sequence[Outcome]) -> list[Outcome]:
    """The best point first: the fewest networks that diverged or have no finite measure, then the best mean.

    The test set has no part in this.
    """
    by = measure(found)
    sign = -1 if by.endswith("accuracy") else 1

    def rank(outcome: Outcome) -> tuple[float, float]:
        finite = len(outcome.finite.get(by, ()))
        return len(outcome.networks) - finite, sign * outcome.mean[by] if finite else math.inf

    return sorted(found, key=rank)


def swept(points: Iterable[Point]) -> list[str]:
    """The names of the numbers that are not the same at all points."""
    return [name for name, values in zip(AXES, zip(*points, strict=True), strict=True) if len(set(values)) > 1]


def label(point: Point, names: Sequence[str]) -> str:
    """A point in words: `eta 0.25, lmbda 0`; with all its numbers if `names` is empty."""
    return ", ".join(f"{name} {getattr(point, name):.10g}" for name in names or _telling(point))


def _telling(point: Point) -> list[str]:
    """The names of all numbers of a point, without `units` if the widths are those of the config."""
    return [name for name in AXES if name != "units" or point.units]
