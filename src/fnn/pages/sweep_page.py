"""The page of a sweep: the points of its grid in a table, the best by validation, a heat map, and curves with bands."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from fnn.pages.charts import Curve, chart, legend
from fnn.pages.heat_maps import Axis, heat_map
from fnn.pages.markup import Cell, escaped, paragraph, table
from fnn.pages.runs_table import score

WIDEST = 40  # rows or columns of a heat map


class Place(NamedTuple):
    """A point of the grid."""

    label: str
    at: dict[str, float]  # the numbers that are swept, by name
    networks: int
    diverged: int  # of these networks
    mean: dict[str, float]  # of each measure over the networks where it is finite
    sd: dict[str, float]


class Track(NamedTuple):
    """The measure of a point after each epoch, over its seeds."""

    label: str
    median: Sequence[tuple[float, float]]  # the epoch and the median
    band: Sequence[tuple[float, float, float]]  # the epoch, and the 5th and the 95th percentile


class Sweep(NamedTuple):
    """A sweep, as the page shows it."""

    name: str
    state: str
    measure: str  # by which the best point is chosen: "validation_accuracy"
    places: Sequence[Place]  # in the order of the grid
    best: int  # the best of these; -1 if every network has diverged
    tracks: Sequence[Track]  # of the best points, the best first


def sections(sweep: Sweep) -> Iterator[str]:
    """The parts of the page."""
    by, seeds = sweep.measure.replace("_", " "), max(place.networks for place in sweep.places)
    yield f"<h2>{escaped(sweep.name)}: a sweep</h2>"
    yield paragraph(f"{sweep.state}; {len(sweep.places)} points of the grid. The results are those of the last epoch.")
    if sweep.best < 0:
        yield paragraph("Every network has diverged.")
    else:
        best = sweep.places[sweep.best]
        number = score(by.split()[-1], best.mean[sweep.measure]).text
        mean = f"mean {by} over {best.networks} seeds" if seeds > 1 else by
        yield f'<p class="good">Best by {escaped(by)}: {escaped(best.label)} ({escaped(mean)}: {number}).</p>'
        yield paragraph("The test data have no part in this choice.")
    yield _table(sweep)
    axes = list(sweep.places[0].at)
    if len(axes) == 2 and sweep.best >= 0:
        yield _map(sweep, *axes)
    yield from _curves(sweep, by, seeds)


def _table(sweep: Sweep) -> str:
    has = {name for place in sweep.places for name in place.mean}
    measures = [m for part in ("validation", "test", "train") for m in (f"{part}_accuracy", f"{part}_cost") if m in has]
    axes = list(sweep.places[0].at)
    head = ["point", *axes, "networks", "diverged"]
    head += [name for m in measures for name in (f"{m.replace('_', ' ')}, mean", "sd")]
    rows = []
    for i, place in enumerate(sweep.places):
        cells = [Cell(f"{place.label}{', best' if i == sweep.best else ''}")]
        cells += [Cell(f"{number:.6g}", number, number=True) for number in place.at.values()]
        cells += [Cell(str(n), n, number=True) for n in (place.networks, place.diverged)]
        cells += [cell for m in measures for cell in _numbers(place, m)]
        rows.append(cells)
    return table(f"Points of {sweep.name}", head, rows, sortable=True)


def _numbers(place: Place, name: str) -> tuple[Cell, Cell]:
    """The mean and the standard deviation; empty where there are none."""
    mean, sd = (None if math.isnan(x) else x for x in (place.mean.get(name, math.nan), place.sd.get(name, math.nan)))
    measure = name.rpartition("_")[2]
    return score(measure, mean), score(measure, sd)


def _map(sweep: Sweep, down: str, across: str) -> str:
    """The heat map of two swept numbers; "" if it is too large to be read."""
    rows, columns = (sorted({place.at[axis] for place in sweep.places}) for axis in (down, across))
    if max(len(rows), len(columns)) > WIDEST:
        return ""
    cells = [[(math.nan, "")] * len(columns) for _ in rows]
    measure = sweep.measure.rpartition("_")[2]
    for place in sweep.places:
        mean = place.mean.get(sweep.measure, math.nan)
        text = "diverged" if math.isnan(mean) else score(measure, mean).text
        cells[rows.index(place.at[down])][columns.index(place.at[across])] = (mean, text)
    best = sweep.places[sweep.best].at
    unit = " (%)" if measure == "accuracy" else ""
    return heat_map(
        f"Mean {sweep.measure.replace('_', ' ')}{unit} in the last epoch; the best point is framed",
        Axis(down, [f"{value:.6g}" for value in rows]),
        Axis(across, [f"{value:.6g}" for value in columns]),
        cells,
        (rows.index(best[down]), columns.index(best[across])),
    )


def _curves(sweep: Sweep, by: str, seeds: int) -> Iterator[str]:
    percent = sweep.measure.endswith("accuracy")
    curves = [Curve(track.label, i, track.median, track.band) for i, track in enumerate(sweep.tracks)]
    some = f", the best {len(curves)} of {len(sweep.places)} points" if len(curves) < len(sweep.places) else ""
    over = f": the median of the seeds, and a band from the 5th to the 95th percentile{some}" if seeds > 1 else some
    figure = chart(f"{by}{over}", "epoch", f"{by}{' (%)' if percent else ''}", curves, log=not percent)
    if figure:
        yield legend({i: track.label for i, track in enumerate(sweep.tracks)})
        yield f'<div class="charts">{figure}</div>'
