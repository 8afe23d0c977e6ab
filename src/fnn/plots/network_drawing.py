"""A network drawn as circles and lines, with the numbers of one step at each of them. For a room: see `room`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fnn.plots import room
from fnn.plots.curves import PALETTE

SHOWN = 5  # circles of a column; of a longer one the first three and the last
RADIUS = 0.56  # inches; two numbers fit in
SLOT = 1.42  # inches from one circle to the next one below it, at least
APART = 0.27  # inches between two numbers on lines, at least
ENOUGH = 0.45  # where they are farther apart, they stand nearer to the middle of their lines
BESIDE = 1.15  # inches from the middle of a circle to that of a number on a line, at least
POSITIVE, NEGATIVE, DELTA = PALETTE[0], PALETTE[1], PALETTE[2]
LEGEND = "circle: activation a and, below it, δ = dC/dz      above it: bias b      line: weight W"
RULE = "gradient of a weight = a at its left end × δ at its right end"


class Column(NamedTuple):
    """The units that stand one below the other."""

    name: str  # what stands above them; may have two lines
    a: np.ndarray  # the activation of each unit
    delta: np.ndarray | None = None  # the derivative of the cost by the number that enters the activation function
    b: np.ndarray | None = None  # the bias of each unit
    joined: np.ndarray | None = None  # (units, units of the column before): which depend on which
    W: np.ndarray | None = None  # the same shape: the weights


def draw(columns: Sequence[Column], desired: np.ndarray, path: str | os.PathLike[str], title: str) -> None:
    """Draw a network with its numbers, of three digits, as a PNG.

    A line is the thicker the larger its weight is; blue and solid above 0, orange and dashed below 0. Where too many
    lines meet, their numbers are left out.

    Args:
        columns: The inputs, then each layer with parameters together with its activation function.
        desired: The desired output of each unit of the last column.
        path: The PNG to write.
        title: What the picture says.

    Raises:
        ImportError: matplotlib is not installed.
    """
    slots = max(len(_shown(column)) + (len(column.a) > SHOWN) for column in columns)
    height = max(room.HEIGHT, SLOT * slots + 1.9)
    with room.picture(path, title, height) as fig:
        height += 0.45 * fig.get_suptitle().count("\n")
        top = height - 0.6 - 0.45 * fig.get_suptitle().count("\n")
        fig.set_figheight(height)
        axes = fig.add_axes((0, 0, 1, 1))  # in inches: circles are round, and text is as large as it looks
        axes.set(xlim=(0, room.WIDTH), ylim=(0, height))
        axes.set_axis_off()
        across = np.linspace(1.0, room.WIDTH - 2.1, len(columns))
        places = [_heights(column, 0.7, top - 0.55) for column in columns]
        for k in range(1, len(columns)):
            _lines(axes, columns[k], across[k - 1 : k + 1], places[k - 1 : k + 1])
        for column, x, heights in zip(columns, across, places, strict=True):
            axes.text(x, top, column.name, ha="center", va="top", weight="bold", parse_math=False)
            _units(axes, column, x, heights)
        for unit, y in places[-1].items():
            axes.text(across[-1] + RADIUS + 0.15, y, f"y = {_three(desired[unit])}", va="center")
        axes.text(room.WIDTH / 2, 0.08, f"{LEGEND}\n{RULE}", ha="center", va="bottom")


def _shown(column: Column) -> list[int]:
    """The units that are drawn."""
    n = len(column.a)
    return list(range(n)) if n <= SHOWN else [0, 1, 2, n - 1]


def _heights(column: Column, low: float, high: float) -> dict[int, float]:
    """The height of each unit that is drawn; where some are left out, there is a gap before the last one."""
    shown = _shown(column)
    slots = len(shown) + (len(column.a) > SHOWN)
    below = [*range(len(shown) - 1), slots - 1]  # the slots, counted from above
    return {unit: high - 0.15 - (high - low) / slots * (k + 0.5) for unit, k in zip(shown, below, strict=True)}


def _units(axes: Any, column: Column, x: float, heights: dict[int, float]) -> None:
    """The circles of a column, and the numbers in and above them."""
    from matplotlib.patches import Circle

    for unit, y in heights.items():
        axes.add_patch(Circle((x, y), RADIUS, facecolor="white", edgecolor="black", lw=2, zorder=3))
        up = 0 if column.delta is None else 0.19
        axes.text(x, y + up, _three(column.a[unit]), ha="center", va="center", zorder=5)
        if column.delta is not None:
            axes.text(x, y - up, _three(column.delta[unit]), ha="center", va="center", color=DELTA, zorder=5)
        if column.b is not None:
            box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
            text = f"b {_three(column.b[unit])}"
            axes.text(x, y + RADIUS + 0.03, text, ha="center", va="bottom", bbox=box, zorder=4)
    if len(column.a) > SHOWN:
        *_, above, last = heights.values()
        axes.text(x, (above + last) / 2, f"... {len(column.a) - 4} more ...", ha="center", va="center", zorder=5)


def _lines(axes: Any, column: Column, across: np.ndarray, places: Sequence[dict[int, float]]) -> None:
    """The lines to a column from the one before it, with the weights where they can be read."""
    joined = np.zeros((0, 0)) if column.joined is None else column.joined
    ends = [(j, i) for j in places[1] for i in places[0] if joined.size and joined[j, i]]
    weights = [None if column.W is None else float(column.W[end]) for end in ends]
    largest = max([abs(w) for w in weights if w is not None], default=0) or 1
    share = _share(ends, across, places)
    for (j, i), w in zip(ends, weights, strict=True):
        heights = np.array((places[0][i], places[1][j]))
        if w is None:
            axes.plot(across, heights, color="0.6", lw=1.5, zorder=1)
            continue
        colour = POSITIVE if w >= 0 else NEGATIVE
        axes.plot(across, heights, "-" if w >= 0 else "--", color=colour, lw=1 + 4 * abs(w) / largest, zorder=1)
        if share is not None:
            box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
            x, y = (1 - share) * across[0] + share * across[1], (1 - share) * heights[0] + share * heights[1]
            axes.text(x, y, _three(w), ha="center", va="center", color=colour, bbox=box, zorder=2)


def _share(ends: Sequence[tuple[int, int]], across: np.ndarray, places: Sequence[dict[int, float]]) -> float | None:
    """How far along their lines the numbers stand: where they are far apart; None where they would touch."""

    def closest(share: float) -> float:
        heights = [(1 - share) * places[0][i] + share * places[1][j] for j, i in ends]
        return float(np.diff(np.sort(heights)).min(initial=np.inf))

    margin = min(0.5, BESIDE / (across[1] - across[0]))
    best = max(np.linspace(margin, 1 - margin, 21), key=lambda share: (min(closest(share), ENOUGH), -abs(share - 0.5)))
    return float(best) if margin < 0.5 and closest(best) >= APART else None


def _three(number: float) -> str:
    """A number of about three digits, in at most six characters."""
    size = abs(float(number))
    if size < 1000 and size == int(size):
        text = f"{float(number) + 0:g}"  # no -0
    elif 0.0005 <= size < 1000:
        text = f"{float(number):.{3 if size < 1 else 2 if size < 10 else 1 if size < 100 else 0}f}"
    else:
        text = f"{float(number):.0e}"
    return text.replace("-", "−")
