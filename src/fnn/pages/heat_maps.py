"""A table of numbers as colours: SVG with each number on its colour, or the pixels of a large matrix."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from fnn.pages.markup import escaped

# In tenths of a pixel: the size of a cell, and the space at the left of all cells and above them
ACROSS, DOWN, LEFT, TOP = 760, 340, 900, 60
CIVIDIS = ((0, 34, 78), (53, 69, 108), (102, 105, 112), (148, 142, 119), (200, 184, 102), (254, 232, 56))
DARK = 0.55  # shares of the range below this have a dark colour


class Axis(NamedTuple):
    """An axis of a heat map."""

    name: str
    values: Sequence[str]


def shade(share: float) -> tuple[int, int, int]:
    """The colour of a share between 0 and 1, from dark blue to yellow, which is in order in a grey print too."""
    place = min(max(share, 0.0), 1.0) * (len(CIVIDIS) - 1)
    first = min(int(place), len(CIVIDIS) - 2)
    red, green, blue = (
        round(a + (b - a) * (place - first)) for a, b in zip(CIVIDIS[first], CIVIDIS[first + 1], strict=True)
    )
    return red, green, blue


def heat_map(
    title: str, rows: Axis, columns: Axis, cells: Sequence[Sequence[tuple[float, str]]], best: tuple[int, int]
) -> str:
    """A figure of a table of numbers as colours, dark for the least.

    Args:
        title: What the numbers are, with their unit.
        rows: The vertical axis.
        columns: The horizontal axis.
        cells: A number and its text for each row and column; nan has no colour.
        best: The row and the column that get a frame.
    """
    finite = [value for row in cells for value, _ in row if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 0.0)
    drawn = "".join(
        _cell(LEFT + j * ACROSS, TOP + i * DOWN, (value - low) / ((high - low) or 1), said)
        for i, row in enumerate(cells)
        for j, (value, said) in enumerate(row)
    )
    i, j = best
    frame = f'<rect class="c k1" x="{LEFT + j * ACROSS}" y="{TOP + i * DOWN}" width="{ACROSS}" height="{DOWN}"/>'
    width, height = LEFT + len(columns.values) * ACROSS + 60, TOP + len(rows.values) * DOWN + 420
    return (
        f'<figure><figcaption>{escaped(title)}</figcaption><div class="heat" role="region" tabindex="0" '
        f'aria-label="{escaped(title)}"><svg viewBox="0 0 {width} {height}" width="{width // 10}" '
        f'height="{height // 10}" role="img" aria-label="{escaped(_told(title, rows, columns, cells))}">'
        f"{drawn}{frame}{_names(rows, columns)}</svg></div></figure>"
    )


def _cell(x: int, y: int, share: float, said: str) -> str:
    if math.isnan(share):
        fill, ink = "none", ""
    else:
        fill = f"#{''.join(f'{c:02x}' for c in shade(share))}"
        ink = " light" if share < DARK else " dark"
    return (
        f'<rect x="{x}" y="{y}" width="{ACROSS}" height="{DOWN}" fill="{fill}"/>'
        f'<text class="mid{ink}" x="{x + ACROSS // 2}" y="{y + DOWN // 2 + 40}">{escaped(said)}</text>'
    )


def _names(rows: Axis, columns: Axis) -> str:
    bottom = TOP + len(rows.values) * DOWN
    middle = f"translate(130 {(TOP + bottom) // 2}) rotate(-90)"
    down = [(TOP + i * DOWN + DOWN // 2 + 40, value) for i, value in enumerate(rows.values)]
    across = [(LEFT + j * ACROSS + ACROSS // 2, value) for j, value in enumerate(columns.values)]
    return (
        "".join(f'<text class="end" x="{LEFT - 60}" y="{y}">{escaped(value)}</text>' for y, value in down)
        + "".join(f'<text class="mid" x="{x}" y="{bottom + 170}">{escaped(value)}</text>' for x, value in across)
        + f'<text class="mid" x="{LEFT + len(columns.values) * ACROSS // 2}" y="{bottom + 360}">'
        + f'{escaped(columns.name)}</text><text class="mid" transform="{middle}">'
        + f"{escaped(rows.name)}</text>"
    )


def _told(title: str, rows: Axis, columns: Axis, cells: Sequence[Sequence[tuple[float, str]]]) -> str:
    """The numbers in words, for readers who cannot see the picture."""
    told = (
        f"{rows.name} {row}, {columns.name} {column}: {said}"
        for row, line in zip(rows.values, cells, strict=True)
        for column, (_, said) in zip(columns.values, line, strict=True)
    )
    return f"{title}. {'; '.join(told)}"
