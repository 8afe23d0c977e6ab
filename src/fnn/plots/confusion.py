"""The picture of a confusion matrix."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from fnn.plots import mosaics
from fnn.plots.curves import short

WIDEST, SMALLEST, LARGEST = 640, 14, 96  # dots: of the matrix, about, and of a cell
LEGIBLE = 20  # classes whose counts are written
LONGEST_NAME = 20  # characters
DOTS = 12  # of a character of a name, about
RIGHT, WRONG = np.array((0.03, 0.19, 0.42)), np.array((0.80, 0.33, 0.00))  # of a whole row in one cell; none is white
INK, BETWEEN = 0, 230  # how light the frame is, and the lines between the cells
MIDDLE = "center_baseline"  # of a number, which has nothing below its line
WHITE_FROM = 0.6  # the strength of a colour from which the text on it is white


def confusion(matrix: Sequence[Sequence[int]], names: Sequence[str], path: str | os.PathLike[str], title: str) -> None:
    """Draw how many rows of each class are decided as each class.

    The colour is the share of the class: blue where the decision is right, orange where it is wrong. Orange is the root
    of the share, so that few mistakes can be seen too.

    Args:
        matrix: The counts, a row for each class, a column for each class and one more if some are decided as none.
        names: Of the classes.
        path: The PNG to write.
        title: What the rows are.

    Raises:
        ImportError: matplotlib is not installed.
    """
    counts = np.array(matrix)
    down, across = counts.shape
    cell = int(np.clip(WIDEST // across, SMALLEST, LARGEST))
    rows = [short(name, LONGEST_NAME) for name in names]
    columns = rows + ["none"] * (across - down)
    slanted = (max(map(len, columns)) + 0.5) * DOTS > cell
    left, below = (max(map(len, rows)) + 3) * DOTS, (max(map(len, columns)) if slanted else 1) * DOTS + 4 * DOTS
    page = mosaics.Page(cell * across, cell * down, title, left=left, below=below)
    share, right = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), np.eye(down, across, dtype=bool)
    strength = np.where(right, share, share**0.5)
    colours = 1 + strength[..., None] * (np.where(right[..., None], RIGHT, WRONG) - 1)
    page.put(-1, -1, mosaics.framed(_cells(mosaics.dots(colours), cell), INK))
    if across <= LEGIBLE:
        for i, j in np.argwhere(counts):
            look = {"color": "white" if strength[i, j] > WHITE_FROM else "black", "fontsize": _size(cell, counts)}
            page.text(cell * (j + 0.5), cell * (i + 0.5), f"{counts[i, j]:,}", ha="center", va=MIDDLE, **look)
    every = -(-DOTS * 2 // cell)  # so that names do not overlap
    for k in range(0, across, every):
        place = cell * (k + 0.5), page.height + DOTS
        page.text(*place, columns[k], ha="center", va="top", rotation=90 if slanted else 0)
    for k in range(0, down, every):
        page.text(-DOTS, cell * (k + 0.5), rows[k], ha="right", va=MIDDLE)
    page.text(page.width / 2, page.height + below, "decided", ha="center", va="bottom")
    page.text(-left - DOTS / 2, page.height / 2, "desired", ha="left", va="center", rotation=90)
    page.write(path)


def _cells(colours: np.ndarray, cell: int) -> np.ndarray:
    """Each colour as a cell of so many dots, with light lines between the cells."""
    picture = colours.repeat(cell, axis=0).repeat(cell, axis=1)
    picture[cell::cell] = picture[:, cell::cell] = BETWEEN
    return picture


def _size(cell: int, counts: np.ndarray) -> float:
    """The size of the largest count that fits into a cell, in points."""
    return min(10.0, 0.5 * cell / (0.6 * max(2, len(f"{counts.max():,}"))) * 0.9)
