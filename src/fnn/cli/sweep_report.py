"""What `fnn sweep` shows at its end: a table, the best point by validation, and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fnn.plots import curves
from fnn.runs.grid import Point, Summary, label, summarise, swept
from fnn.runs.sweeps import Track


def measure(tracks: Sequence[Track]) -> str:
    """The measure to choose by: validation accuracy, else validation cost, training accuracy or training cost."""
    names = ("validation_accuracy", "validation_cost", "train_accuracy", "train_cost")
    last = [track.metrics[-1] for track in tracks]
    return next((n for n in names if any(np.isfinite(line.get(n, np.nan)) for line in last)), "train_cost")


def table(tracks: Sequence[Track]) -> str:
    """A line per point of the grid: mean, standard deviation, minimum and maximum over its seeds in the last epoch.

    Accuracies are in percent.
    """
    members = [track.member for track in tracks]
    names, by = swept(m.point for m in members), measure(tracks)
    shown = [by] + [n for n in ("test_accuracy", "test_cost") if n.split("_")[1] == by.split("_")[1]]
    columns = {n: summarise(members, _last(tracks, n)) for n in shown if n in tracks[0].metrics[-1]}
    width = max(len(label(s.point, names)) for s in columns[by])
    lines = [" " * width + "".join(f"  {n:>19}  {'sd':>7}  {'min':>7}  {'max':>7}" for n in columns) + "  diverged"]
    best = best_point(tracks)
    for i, summary in enumerate(columns[by]):
        diverged = sum(track.diverged > 0 for track in tracks if track.member.point == summary.point)
        others = summary.diverged - diverged  # their training cost is finite, the measure is not
        mark = f"  {others} not finite" if others else ""
        mark += f"  <- best by {by}" if summary.point == best and summary.count else ""
        numbers = "".join(_numbers(column[i], n) for n, column in columns.items())
        lines.append(f"{label(summary.point, names):{width}}{numbers}  {diverged:8}{mark}")
    return "\n".join(lines)


def _last(tracks: Sequence[Track], name: str) -> list[float]:
    return [np.nan if track.diverged else track.metrics[-1][name] for track in tracks]


def _numbers(s: Summary, name: str) -> str:
    if name.endswith("accuracy"):
        return "".join(
            f"  {_percent(number):>{w}}" for number, w in ((s.mean, 19), (s.sd, 7), (s.least, 7), (s.most, 7))
        )
    return f"  {s.mean:19.5g}  {s.sd:7.2g}  {s.least:7.4g}  {s.most:7.4g}"


def _percent(share: float) -> str:
    return "nan" if np.isnan(share) else f"{share:.2%}"


def best_point(tracks: Sequence[Track]) -> Point:
    """The point with the fewest diverged networks; among equals, that with the best mean of `measure` over its seeds.

    The test set has no part in the choice.
    """
    return _ranked(tracks)[0]


def _ranked(tracks: Sequence[Track]) -> list[Point]:
    by = measure(tracks)
    sign = 1 if by.endswith("accuracy") else -1
    summaries = summarise([track.member for track in tracks], _last(tracks, by))
    ranked = sorted(summaries, key=lambda s: (s.diverged, -sign * s.mean if s.count else np.inf))
    return [summary.point for summary in ranked]


def draw(path: Path, tracks: Sequence[Track], name: str) -> list[str]:
    """Draw curves with bands and, if two numbers are swept, a heat map; return the pictures' names.

    If there are more points than curves can be told apart, only the best points have a curve.
    """
    by, points = measure(tracks), list(dict.fromkeys(track.member.point for track in tracks))
    names, best = swept(points), _ranked(tracks)[: curves.TOLD_APART]
    percent = 100 if by.endswith("accuracy") else 1
    drawn = {
        label(point, names): np.array([_curve(t, by, percent) for t in tracks if t.member.point == point])
        for point in points
        if point in best
    }
    title = name if len(best) == len(points) else f"{name}, the best {len(best)} of {len(points)} points"
    curves.bands(drawn, path / "sweep.png", title, by.replace("_", " ") + " (%)" * (percent == 100))
    if len(names) != 2:
        return ["sweep.png"]
    axes = [(n, sorted({getattr(p, n) for p in points})) for n in names]
    means = {s.point: s.mean for s in summarise([t.member for t in tracks], _last(tracks, by))}
    cells = {(getattr(p, names[0]), getattr(p, names[1])): mean for p, mean in means.items()}
    grid = np.array([[cells.get((row, column), np.nan) for column in axes[1][1]] for row in axes[0][1]])
    title = f"{name}: mean {by.replace('_', ' ')}" + " (%)" * (percent == 100)
    curves.heat_map(percent * grid, axes[0], axes[1], path / "heat_map.png", title)
    return ["sweep.png", "heat_map.png"]


def _curve(track: Track, by: str, percent: int) -> list[float]:
    """The measure of a network after each epoch; all nan if the network diverged."""
    return [np.nan if track.diverged else percent * line[by] for line in track.metrics]
