"""Pictures of the weights that a network for images has learned, and of the images that it gets wrong."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fnn.plots import mosaics
from fnn.plots.curves import short
from fnn.types import Params

IMAGES_PER_PAGE = 40
LONGEST_NAME = 11  # characters of a class below an image
# From blue over white to orange, which colour-blind readers can tell apart.
LEVELS = (-1, -0.5, 0, 0.5, 1)
COLOURS = np.array(((0.03, 0.19, 0.42), (0.42, 0.68, 0.84), (1, 1, 1), (0.99, 0.72, 0.39), (0.80, 0.33, 0.00)))
BAR_ROOM, BAR_WIDTH, BAR_STEP, BAR_STEPS = 120, 21, 21, 8  # dots; steps from 0 to the largest weight


def first_weights(params: Params, size: tuple[int, int]) -> np.ndarray:
    """The first layer's weights as images `(units, height, width)`; no images if the weights have another shape.

    Of a filter with several channels it is the first channel. A unit of a dense layer over flattened images, whose
    height and width are `size`, has one weight per pixel.
    """
    W = np.asarray(next((p.W for p in params if hasattr(p, "W")), np.zeros(0)))
    if W.ndim == 4:
        return W[:, 0]
    # a Maxout has 3 axes: units, pieces, inputs
    flat = W.reshape(-1, W.shape[-1]) if W.ndim in (2, 3) else np.zeros((0, 0))
    return flat.reshape(-1, *size) if flat.shape[-1] == math.prod(size) > 0 else np.zeros((0, 1, 1))


def weights(pictures: np.ndarray, path: str | os.PathLike[str], title: str) -> None:
    """Draw the weights side by side on one scale: 0 is white, below it blue with a minus sign, above it orange.

    Colour-blind readers can tell blue from orange; in a grey print the signs tell them apart.

    Args:
        pictures: The weights, `(k, height, width)`; the first `IMAGES_PER_PAGE` are shown.
        path: The PNG to write.
        title: The page's title.

    Raises:
        ImportError: matplotlib is not installed.
    """
    shown = pictures[:IMAGES_PER_PAGE]
    limit = float(np.abs(shown).max()) or 1.0
    count = f"{len(shown)} unit{'s' * (len(shown) > 1)}"
    if len(shown) < len(pictures):
        count = f"the first {len(shown)} of {len(pictures):,} units"
    title = f"{title}: weights of {count}, one scale"
    page = mosaics.Mosaic(_signed(shown / limit, mosaics.square(shown.shape)), title, beside=BAR_ROOM)
    _bar(page, limit)
    page.write(path)


def _bar(page: mosaics.Mosaic, limit: float) -> None:
    """The colours of the weights beside them, from the largest above to the smallest, in the middle of their height."""
    levels = np.linspace(1, -1, 2 * BAR_STEPS + 1)[None, :, None]
    height = page.height - mosaics.GAP
    step = min(BAR_STEP, height // levels.size)
    bar = mosaics.framed(_signed(levels, step)[0].repeat(-(-BAR_WIDTH // step), axis=1), 0)
    x, y = page.width + mosaics.GAP, (height - len(bar)) // 2
    page.put(x, y, bar)
    for place, level in ((step / 2, f"{limit:.2g}"), (len(bar) / 2, "0"), (len(bar) - step / 2, f"{-limit:.2g}")):
        page.text(x + bar.shape[1] + mosaics.GAP / 2, y + place, level, va="center_baseline")


def _signed(values: np.ndarray, size: int) -> np.ndarray:
    """The colours of numbers from -1 to 1, `(k, height, width)`, as tiles; a white minus sign is in those below 0."""
    colours = np.stack([np.interp(values, LEVELS, channel) for channel in COLOURS.T], axis=-1)
    tiles = mosaics.dots(colours).repeat(size, axis=1).repeat(size, axis=2)
    thick, long = max(1, size // 8), max(2, size // 2)
    top, left = (size - thick) // 2, (size - long) // 2
    for row in range(top, top + thick):
        for column in range(left, left + long):
            tiles[:, row::size, column::size][values < 0] = 255
    return tiles


def mistakes(
    pictures: np.ndarray,
    rows: Sequence[Mapping[str, Any]],
    wrong: int,
    total: int,
    path: str | os.PathLike[str],
    title: str,
) -> None:
    """Draw the images that the network gets wrong: what it said, how sure it was, the right class, and the row.

    Args:
        pictures: An image for each row, `(k, height, width)`; the first `IMAGES_PER_PAGE` are shown.
        rows: Of each the class that the network "decided" for, how "sure" it was, the right "class" and the "row".
        wrong: The number of examples that the network gets wrong.
        total: The number of examples that the network was asked about.
        path: The PNG to write.
        title: The page's title, with what the rows are.

    Raises:
        ImportError: matplotlib is not installed.
    """
    shown = pictures[:IMAGES_PER_PAGE].astype(float)
    least, most = (edge(shown, axis=(1, 2), keepdims=True) for edge in (np.min, np.max))
    grey = 1 - (shown - least) / np.maximum(most - least, 1e-30)
    which = f"the {len(shown)} surest" if len(shown) < wrong else "the surest first"
    tiles = np.repeat(mosaics.enlarged(mosaics.dots(grey))[..., None], 3, axis=3)
    page = mosaics.Mosaic(tiles, f"{title}: {wrong:,} of {total:,} wrong, {which}", caption=4)
    for i, row in zip(range(len(shown)), rows, strict=False):
        said, right = (short(row[which], LONGEST_NAME) for which in ("decided", "class"))
        sure = "?" if row["sure"] is None else f"{100 * row['sure']:.2f} %"
        page.caption(i, [f"said {said}", f"{sure} sure", f"is {right}", f"row {row['row']}"])
    page.write(path)
