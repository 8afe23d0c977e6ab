"""The page of a sweep, from its tables."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from pathlib import Path

from fnn.cli.runs import state_of
from fnn.errors import CorruptFileError, InputError
from fnn.pages import sweep_page
from fnn.pages.charts import TOLD_APART
from fnn.pages.markup import page
from fnn.pages.sweep_page import Place, Sweep, Track
from fnn.runs import sweep_tables
from fnn.runs.listing import FINISHED, Entry, entry
from fnn.runs.sweep_tables import Outcome, Row
from fnn.storage.files import write_atomically

LARGEST_CURVES = 2**26  # bytes of a curves.csv that is read; a larger one takes minutes


def write(folder: Path, name: str) -> None:
    """Write the page of the sweep in `folder`, which has just been trained, from its tables, under this name.

    Raises:
        CorruptFileError: a table is damaged.
        OSError: the page cannot be written.
    """
    got = entry(folder)
    if isinstance(got, Entry):
        sections = sweep_page.sections(shown(got._replace(state=FINISHED)))
        write_atomically(folder / name, page(folder.resolve().name, sections))


def shown(sweep: Entry) -> Sweep:
    """The sweep as its page shows it.

    Raises:
        InputError: none of its networks is trained.
        CorruptFileError: a table is missing or damaged.
    """
    if not sweep.networks[0]:
        raise InputError(f"{sweep.folder}: {state_of(sweep)}: there is nothing to show yet.")
    outcomes = sweep_tables.outcomes(sweep_tables.read(sweep.folder / "sweep.csv"))
    by, ranked = sweep_tables.measure(outcomes), sweep_tables.ranked(outcomes)
    axes = sweep_tables.swept(outcome.point for outcome in outcomes)
    places = [_place(outcome, axes) for outcome in outcomes]
    best = outcomes.index(ranked[0]) if ranked[0].finite.get(by) else -1
    tracks = _tracks(sweep.folder / "curves.csv", ranked[:TOLD_APART], axes, by)
    return Sweep(sweep.folder.resolve().name, state_of(sweep), by, places, best, tracks)


def _place(found: Outcome, axes: Sequence[str]) -> Place:
    at = {axis: getattr(found.point, axis) for axis in axes}
    label = sweep_tables.label(found.point, axes)
    return Place(label, at, len(found.networks), found.diverged, found.mean, found.sd)


def _tracks(path: Path, outcomes: Sequence[Outcome], axes: Sequence[str], by: str) -> list[Track]:
    """The curves of the points; none if there are too many numbers."""
    try:
        if path.stat().st_size > LARGEST_CURVES:
            return []
    except OSError as error:
        raise CorruptFileError(path, f"cannot be read ({error.strerror})") from None
    networks: dict[int, list[Row]] = {}
    for row in sweep_tables.read(path):
        networks.setdefault(int(row["network"]), []).append(row)
    factor = 100 if by.endswith("accuracy") else 1
    return [
        _track(sweep_tables.label(found.point, axes), [networks.get(n, []) for n in found.networks], by, factor)
        for found in outcomes
    ]


def _track(label: str, networks: Sequence[Sequence[Row]], by: str, factor: float) -> Track:
    """The median and the percentiles over the networks whose numbers are all finite."""
    curves = [[(row.get("epoch", math.nan), factor * row.get(by, math.nan)) for row in rows] for rows in networks]
    whole = [curve for curve in curves if curve and not any(math.isnan(number) for _, number in curve)]
    median, band = [], []
    for epoch in zip(*whole, strict=False):
        numbers = sorted(number for _, number in epoch)
        median.append((epoch[0][0], statistics.median(numbers)))
        band += [(epoch[0][0], percentile(numbers, 0.05), percentile(numbers, 0.95))] if len(numbers) > 1 else []
    return Track(label, median, band)


def percentile(numbers: Sequence[float], share: float) -> float:
    """The number below which this share of the sorted numbers lies, between two of them in proportion."""
    place = share * (len(numbers) - 1)
    below = int(place)
    above = min(below + 1, len(numbers) - 1)
    return numbers[below] + (numbers[above] - numbers[below]) * (place - below)
