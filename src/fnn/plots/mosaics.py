"""Many little images as one picture in one pair of axes, every dot of it in its place.

The place of everything is known before it is drawn, so matplotlib has nothing to lay out; sixty pairs of axes took it
two seconds. All lengths are dots of the picture.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np

DPI = 144
COLUMNS = 10
TILE, MOST_TILES = 112, 1120  # dots, about, that a little image is wide, and at most all of them in a row
GAP = 12  # dots between two of them
MARGIN = 24
LINE = 17  # dots from one line of a caption to the next
TITLE_LINE, TITLE_DOTS = 30, 12  # dots of a line of the title, and of a character in it, about
FRAME = 0.8  # how light the frames are


def enlarged(images: np.ndarray) -> np.ndarray:
    """Images `(k, height, width)`, or with colours as a last axis, in which each number is a square of dots."""
    wide = min(2 * TILE, MOST_TILES // len(images)) if len(images) < COLUMNS else TILE
    size = max(1, round(wide / max(images.shape[1:3])))
    return images.repeat(size, axis=1).repeat(size, axis=2)


class Mosaic:
    """Tiles in rows of ten, each with a frame and room for a caption below it."""

    def __init__(self, tiles: np.ndarray, title: str, caption: int = 0, beside: int = 0) -> None:
        """The empty page, with the tiles on it.

        Args:
            tiles: `(k, height, width, 3)`, colours from 0 to 1, a dot each.
            title: Above them; in several lines where it is long.
            caption: The number of lines below each tile.
            beside: Dots that are free at the right.
        """
        k, height, width, _ = tiles.shape
        self.height, self.width, self.columns = height + 2, width + 2, min(COLUMNS, k)
        self.step = max(self.width, 2 * GAP) + GAP, self.height + GAP + LINE * caption
        rows = -(-k // self.columns)
        inner = np.ones((rows * self.step[1], self.columns * self.step[0], 3))
        for i, tile in enumerate(tiles):
            x, y = self.place(i)
            inner[y : y + self.height, x : x + self.width] = FRAME
            inner[y + 1 : y + 1 + height, x + 1 : x + 1 + width] = tile
        self.fig, self.axes = page(inner.shape[1], inner.shape[0], title, beside)
        self.axes.imshow(inner, interpolation="nearest", aspect="auto", extent=(0, inner.shape[1], inner.shape[0], 0))
        self.axes.set_axis_off()

    def place(self, i: int) -> tuple[int, int]:
        """The left upper corner of a tile."""
        return i % self.columns * self.step[0], i // self.columns * self.step[1]

    def caption(self, i: int, lines: Sequence[str]) -> None:
        """Write the caption of a tile."""
        x, y = self.place(i)
        text = {"ha": "center", "va": "top", "fontsize": 6.5, "linespacing": 1.2}
        self.axes.text(x + self.width / 2, y + self.height + 3, "\n".join(lines), **text)


def page(width: int, height: int, title: str, beside: int = 0, left: int = 0, below: int = 0) -> tuple[Any, Any]:
    """A figure with a title, and axes of so many dots in it.

    Args:
        width: Of the axes.
        height: Of the axes.
        title: Above them, in as many lines as it needs.
        beside: Dots that are free at the right.
        left: Dots that are free at the left, for the names of an axis.
        below: Dots that are free below, for the names of an axis.
    """
    from matplotlib.figure import Figure

    across = max(2 * MARGIN + left + width + beside, 40 * TITLE_DOTS)
    lines = [part for line in title.splitlines() for part in textwrap.wrap(line, (across - 2 * MARGIN) // TITLE_DOTS)]
    top = MARGIN + TITLE_LINE * len(lines)
    down = top + height + below + MARGIN
    fig = Figure(figsize=(across / DPI, down / DPI))
    fig.text(MARGIN / across, 1 - MARGIN / 2 / down, "\n".join(lines), va="top", fontsize="medium", linespacing=1.3)
    axes = fig.add_axes(((MARGIN + left) / across, (MARGIN + below) / down, width / across, height / down))
    return fig, axes


def beside(fig: Any, axes: Any, gap: int, width: int, height: int) -> Any:
    """Axes of so many dots at the right of other axes, in the middle of their height."""
    across, down = fig.get_size_inches() * DPI
    place = axes.get_position()
    middle = (place.y0 + place.y1) / 2
    height = min(height, round((place.y1 - place.y0) * down))
    return fig.add_axes((place.x1 + gap / across, middle - height / 2 / down, width / across, height / down))
