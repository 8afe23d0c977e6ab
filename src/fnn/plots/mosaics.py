"""Pages of little images and words, every dot of them in its place.

The place of everything is known before it is drawn. So matplotlib writes words alone, and lays out nothing: an image
of 1,400 by 500 dots in a pair of axes takes it 0.2 s of CPU, and a copy of the dots 0.003. All lengths are dots of
the picture.
"""

from __future__ import annotations

import os
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np

from fnn.plots import curves
from fnn.plots.curves import DPI

COLUMNS = 10
TILE, MOST_TILES = 112, 1120  # dots, about, that a little image is wide, and at most all of them in a row
GAP = 12  # dots between two of them
MARGIN = 24
LINE = 17  # dots from one line of a caption to the next
TITLE_LINE, TITLE_DOTS = 30, 12  # dots of a line of the title, and of a character in it, about
FRAME = 204  # how light the frames are


class Page:
    """A picture with a title and room for so many dots; words and little pictures are put into it."""

    def __init__(self, width: int, height: int, title: str, left: int = 0, beside: int = 0, below: int = 0) -> None:
        """The page with its title.

        Args:
            width: Of the room, whose left upper corner is the place (0, 0).
            height: Of the room.
            title: Above it, in as many lines as it needs.
            left: Dots that are free at its left.
            beside: Dots that are free at its right.
            below: Dots that are free below it.
        """
        from matplotlib.figure import Figure

        across = max(2 * MARGIN + left + width + beside, 40 * TITLE_DOTS)
        longest = (across - 2 * MARGIN) // TITLE_DOTS
        lines = [part for line in title.splitlines() for part in textwrap.wrap(line, longest)]
        self.width, self.height = width, height
        self.corner = MARGIN + left, MARGIN + TITLE_LINE * len(lines)
        self.dots = np.full((self.corner[1] + height + below + MARGIN, across, 3), 255, np.uint8)
        self.fig = Figure(figsize=(across / DPI, len(self.dots) / DPI), dpi=DPI)
        self.fig.patch.set_visible(False)
        place = -left, MARGIN // 2 - self.corner[1]
        self.text(*place, "\n".join(lines), va="top", fontsize="medium", linespacing=1.3)

    def put(self, x: int, y: int, picture: np.ndarray) -> None:
        """Put a picture, `(height, width, 3)` from 0 to 255, with its left upper corner at a place."""
        x, y = x + self.corner[0], y + self.corner[1]
        self.dots[y : y + picture.shape[0], x : x + picture.shape[1]] = picture

    def text(self, x: float, y: float, words: str, **look: Any) -> None:
        """Write words at a place."""
        x, y = x + self.corner[0], y + self.corner[1]
        self.fig.text(x / self.dots.shape[1], 1 - y / self.dots.shape[0], words, **look)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the picture as a PNG."""
        curves.write(self.fig, path, self.dots)


class Mosaic(Page):
    """Tiles in rows of ten, each with a frame and room for a caption below it."""

    def __init__(self, tiles: np.ndarray, title: str, caption: int = 0, beside: int = 0) -> None:
        """The page with the tiles on it.

        Args:
            tiles: `(k, height, width, 3)`, colours from 0 to 255.
            title: Above them.
            caption: The number of lines below each tile.
            beside: Dots that are free at the right.
        """
        k, height, width, _ = tiles.shape
        self.tile, self.columns = (width + 2, height + 2), min(COLUMNS, k)
        self.step = max(width + 2, 2 * GAP) + GAP, height + 2 + GAP + LINE * caption
        rows = -(-k // self.columns)
        super().__init__(self.columns * self.step[0], rows * self.step[1], title, beside=beside)
        for i, tile in enumerate(tiles):
            self.put(*self.place(i), framed(tile, FRAME))

    def place(self, i: int) -> tuple[int, int]:
        """The left upper corner of a tile."""
        return i % self.columns * self.step[0], i // self.columns * self.step[1]

    def caption(self, i: int, lines: Sequence[str]) -> None:
        """Write the caption of a tile."""
        x, y = self.place(i)
        look = {"ha": "center", "va": "top", "fontsize": 6.5, "linespacing": 1.2}
        self.text(x + self.tile[0] / 2, y + self.tile[1] + 3, "\n".join(lines), **look)


def enlarged(images: np.ndarray) -> np.ndarray:
    """Images `(k, height, width)`, or with colours as a last axis, in which each number is a square of dots."""
    size = square(images.shape)
    return images.repeat(size, axis=1).repeat(size, axis=2)


def square(shape: Sequence[int]) -> int:
    """The side of the square that each number of images of this shape becomes."""
    wide = min(2 * TILE, MOST_TILES // shape[0]) if shape[0] < COLUMNS else TILE
    return max(1, round(wide / max(shape[1:3])))


def framed(picture: np.ndarray, grey: int) -> np.ndarray:
    """A picture in a frame of one dot."""
    return np.pad(picture, ((1, 1), (1, 1), (0, 0)), constant_values=grey)


def dots(colours: np.ndarray) -> np.ndarray:
    """Colours from 0 to 1 as they stand in a picture, from 0 to 255."""
    return np.round(255 * colours).astype(np.uint8)
