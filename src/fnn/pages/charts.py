"""Curves as SVG. Lengths in it are tenths of a pixel, so that whole numbers are exact enough."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from fnn.pages.markup import escaped
from fnn.pages.ticks import log_ticks, ticks

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 4000, 2500, 640, 100, 90, 430
COLOURS, DASHES = 7, 4  # those of page.css; from one curve to the next both change
TOLD_APART = 14  # curves that can be told apart in one picture
MOST_POINTS = 160  # of a curve; of more the least and the largest of each piece are drawn

Point = tuple[float, float]


class Curve(NamedTuple):
    """A curve over the epochs."""

    label: str
    style: int  # its place in the legend, which decides its colour and its dashes
    points: Sequence[Point]  # x and y; where y is nan the curve has a gap
    band: Sequence[tuple[float, float, float]] = ()  # x, and the lower and the upper end
    faint: bool = False  # is it less prominent


class Frame(NamedTuple):
    """The numbers at the ends of the axes."""

    left: float
    right: float
    low: float
    high: float
    log: bool  # is the vertical axis logarithmic

    def x(self, x: float) -> int:
        """Where a number of the horizontal axis is."""
        share = (x - self.left) / ((self.right - self.left) or 1)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT))

    def y(self, y: float) -> int:
        """Where a number of the vertical axis is."""
        low, high, y = (math.log(v) if self.log else v for v in (self.low, self.high, y))
        return round(TOP + (high - y) / ((high - low) or 1) * (HEIGHT - TOP - BOTTOM))


def chart(title: str, across: str, up: str, curves: Sequence[Curve], *, log: bool = False) -> str:
    """A figure with curves; "" if no number in them is finite.

    Args:
        title: What is drawn.
        across: The name of the horizontal axis.
        up: The name of the vertical axis, with its unit.
        curves: The first is drawn first.
        log: Whether the vertical axis is logarithmic, if all numbers are above 0.
    """
    curves = [curve._replace(points=[p for p in curve.points if math.isfinite(p[0])]) for curve in curves]
    xs = [x for curve in curves for x, y in curve.points if math.isfinite(y)]
    ys = [y for curve in curves for _, y in curve.points if math.isfinite(y)]
    ys += [y for curve in curves for _, *ends in curve.band for y in ends if math.isfinite(y)]
    if not xs:
        return ""
    log = log and min(ys) > 0
    marks = log_ticks(min(ys), max(ys)) if log else ticks(min(ys), max(ys))
    frame = Frame(min(xs), max(xs), *_around(ys, marks), log)
    last = "; ".join(f"{curve.label}: last {curve.points[-1][1]:.4g}" for curve in curves if curve.points)
    drawn = "".join(_band(curve, frame) for curve in curves) + "".join(_line(curve, frame) for curve in curves)
    middle = f"translate(110 {(TOP + HEIGHT - BOTTOM) // 2}) rotate(-90)"
    return (
        f'<figure><figcaption>{escaped(title)}</figcaption><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escaped(f"{title} by {across}; {last}")}">{_axes(frame, marks)}'
        f'<text class="mid" x="{(LEFT + WIDTH - RIGHT) // 2}" y="{HEIGHT - 60}">{escaped(across)}</text>'
        f'<text class="mid" transform="{middle}">{escaped(up)}</text>{drawn}</svg></figure>'
    )


def _around(ys: Sequence[float], marks: Sequence[float]) -> Point:
    """The ends of an axis: the least and the largest number, or a tick beyond them that is near."""
    low, high = min(ys), max(ys)
    room = (high - low) / 4
    low = min([m for m in marks if low - room <= m <= low], default=low)
    high = max([m for m in marks if high <= m <= high + room], default=high)
    return (low, high) if low < high else (low - abs(low) / 2 - 1e-9, high + abs(high) / 2 + 1e-9)


def _axes(frame: Frame, marks: Sequence[float]) -> str:
    """Both axes with their ticks, and a line across for each mark of the vertical one."""
    bottom, end = HEIGHT - BOTTOM, WIDTH - RIGHT
    across = [(frame.x(x), f"{x:,.10g}") for x in ticks(frame.left, frame.right, whole=True)]
    up = [(frame.y(y), f"{y:.6g}") for y in marks if frame.low <= y <= frame.high]
    grid = "".join(f"M{LEFT} {y}H{end}" for y, _ in up) + "".join(f"M{x} {bottom}v60" for x, _ in across)
    names = "".join(f'<text class="mid" x="{x}" y="{bottom + 190}">{said}</text>' for x, said in across)
    names += "".join(f'<text class="end" x="{LEFT - 60}" y="{y + 40}">{said}</text>' for y, said in up)
    return f'<path class="axis" d="{grid}M{LEFT} {TOP}V{bottom}H{end}"/>{names}'


def _line(curve: Curve, frame: Frame) -> str:
    finite = [point for point in curve.points if math.isfinite(point[1])]
    colour = curve.style % COLOURS
    if len(finite) == 1:  # one point alone gives no line
        return f'<circle class="f{colour}" cx="{frame.x(finite[0][0])}" cy="{frame.y(finite[0][1])}" r="40"/>'
    kind = f"c k{colour} d{curve.style % DASHES}{' faint' * curve.faint}"
    return f'<path class="{kind}" d="{_way(thinned(curve.points), frame)}"><title>{escaped(curve.label)}</title></path>'


def _way(points: Sequence[Point], frame: Frame) -> str:
    """The path through the points, from each to the next, which needs fewer digits than their places."""
    way, before = "", None
    for x, y in points:
        here = (frame.x(x), frame.y(y)) if math.isfinite(y) else None
        if here and before:
            way += f"l{here[0] - before[0]} {here[1] - before[1]}"
        elif here:
            way += f"M{here[0]} {here[1]}"
        before = here
    return way


def _band(curve: Curve, frame: Frame) -> str:
    band = [each for each in curve.band if all(map(math.isfinite, each))]
    if not band:
        return ""
    ends = [(x, high) for x, _, high in band] + [(x, low) for x, low, _ in reversed(band)]
    return f'<path class="band f{curve.style % COLOURS}" d="{_way(ends, frame)}Z"/>'


def legend(labels: Mapping[int, str]) -> str:
    """What the styles of the curves stand for."""
    items = (
        f'<li><svg viewBox="0 0 44 12" aria-hidden="true"><path class="c k{i % COLOURS} d{i % DASHES}" d="M1 6H43"/>'
        f"</svg>{escaped(label)}</li>"
        for i, label in labels.items()
    )
    return f'<ul class="legend">{"".join(items)}</ul>'


def thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most about `MOST_POINTS` of the points: of each piece the least, the largest and any gap; and the last."""
    size = -(-2 * len(points) // MOST_POINTS)
    if size < 3:
        return list(points)
    kept = []
    for i in range(0, len(points), size):
        piece = points[i : i + size]
        finite = [point for point in piece if math.isfinite(point[1])]
        chosen = {min(finite, key=lambda p: p[1]), max(finite, key=lambda p: p[1])} if finite else set(piece[:1])
        kept += sorted(chosen)
    return kept if kept[-1] == points[-1] else [*kept, points[-1]]
