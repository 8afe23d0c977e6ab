"""What `fnn sweep` shows at its end: a table, the best point by validation, and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fnn.plots import curves
from fnn.runs.sweep_tables import Outcome, label, measure, outcomes, ranked, swept
from fnn.runs.sweeps import Track


def of_tracks(tracks: Sequence[Track]) -> list[Outcome]:
    """What came out at each point of the grid."""
    return outcomes(
        {"network": i, **track.member.point._asdict(), "diverged_in_epoch": track.diverged, **track.metrics[-1]}
        for i, track in enumerate(tracks)
    )


def table(tracks: Sequence[Track]) -> str:
    """A line per point of the grid: mean, standard deviation, minimum and maximum over its seeds in the last epoch.

    Accuracies are in percent. The last column is the number of the networks that diverged.
    """
    found = of_tracks(tracks)
    by, best = measure(found), ranked(found)[0]
    tests = [name for name in ("test_accuracy", "test_cost") if name.split("_")[1] == by.split("_")[1]]
    shown = [name for name in (by, *tests) if name in best.mean]
    labels = _labels(found)
    width = max(map(len, labels))
    lines = [" " * width + "".join(f"  {n:>19}  {'sd':>7}  {'min':>7}  {'max':>7}" for n in shown) + "  diverged"]
    for said, outcome in zip(labels, found, strict=True):
        others = len(outcome.networks) - len(outcome.finite[by]) - outcome.diverged  # their training cost is finite
        mark = f"  {others} not finite" if others else ""
        mark += f"  <- best by {by}" if outcome is best and outcome.finite[by] else ""
        numbers = "".join(_numbers(outcome, name) for name in shown)
        lines.append(f"{said:{width}}{numbers}  {outcome.diverged:8}{mark}")
    return "\n".join(lines)


def _labels(found: Sequence[Outcome]) -> list[str]:
    names = swept(outcome.point for outcome in found)
    return [label(outcome.point, names) for outcome in found]


def _numbers(outcome: Outcome, name: str) -> str:
    """The mean, the standard deviation, the minimum and the maximum of a measure."""
    finite = outcome.finite[name]
    mean, sd = outcome.mean[name], outcome.sd[name]
    least, most = (min(finite), max(finite)) if finite else (np.nan, np.nan)
    if name.endswith("accuracy"):
        widths = ((mean, 19), (sd, 7), (least, 7), (most, 7))
        return "".join(f"  {_percent(number):>{width}}" for number, width in widths)
    return f"  {mean:19.5g}  {sd:7.2g}  {least:7.4g}  {most:7.4g}"


def _percent(share: float) -> str:
    return "nan" if np.isnan(share) else f"{share:.2%}"


def draw(path: Path, tracks: Sequence[Track], name: str) -> list[str]:
    """Draw curves with bands and, if two numbers are swept, a heat map; return the pictures' names.

    If there are more points than curves can be told apart, only the best points have a curve.
    """
    found = of_tracks(tracks)
    by, names = measure(found), swept(outcome.point for outcome in found)
    best = [outcome.point for outcome in ranked(found)[: curves.TOLD_APART]]
    percent = 100 if by.endswith("accuracy") else 1
    drawn = {
        said: np.array([_curve(tracks[i], by, percent) for i in outcome.networks])
        for said, outcome in zip(_labels(found), found, strict=True)
        if outcome.point in best
    }
    title = name if len(best) == len(found) else f"{name}, the best {len(best)} of {len(found)} points"
    unit = " (%)" * (percent == 100)
    curves.bands(drawn, path / "sweep.png", title, f"{by.replace('_', ' ')}{unit}")
    if len(names) != 2:
        return ["sweep.png"]
    axes = [(axis, sorted({getattr(outcome.point, axis) for outcome in found})) for axis in names]
    cells = {tuple(getattr(outcome.point, axis) for axis in names): outcome.mean[by] for outcome in found}
    grid = np.array([[cells.get((row, column), np.nan) for column in axes[1][1]] for row in axes[0][1]])
    title = f"{name}: mean {by.replace('_', ' ')}{unit}"
    curves.heat_map(percent * grid, axes[0], axes[1], path / "heat_map.png", title)
    return ["sweep.png", "heat_map.png"]


def _curve(track: Track, by: str, percent: int) -> list[float]:
    """The measure of a network after each epoch; all nan if the network diverged."""
    return [np.nan if track.diverged else percent * line[by] for line in track.metrics]
