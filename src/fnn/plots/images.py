"""Pictures of what a network on images has learned, and of what it gets wrong."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from fnn.plots.curves import figure, write
from fnn.types import Params

MOST = 40  # pictures on a page


def image_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    """Height and width of an example: of `(channels, height, width)`, or of a flattened square; `(0, 0)` for none."""
    if len(shape) == 3:
        return shape[1], shape[2]
    side = math.isqrt(shape[0]) if len(shape) == 1 else 0
    return (side, side) if side * side == math.prod(shape) and side > 3 else (0, 0)


def first_weights(params: Params, shape: tuple[int, ...]) -> np.ndarray:
    """The first layer's weights as pictures `(units, height, width)`; none if it has none that are pictures.

    A filter of several channels is shown by its first one; a unit of a dense layer over flattened images has
    a weight per pixel.
    """
    W = np.asarray(next((p.W for p in params if hasattr(p, "W")), np.zeros(0)))
    if W.ndim == 4:
        return W[:, 0]
    size = image_shape(shape)
    flat = W.reshape(-1, W.shape[-1]) if W.ndim in (2, 3) else np.zeros((0, 0))  # (3: the pieces of maxout)
    return flat.reshape(-1, *size) if flat.shape[-1] == math.prod(size) > 0 else np.zeros((0, 1, 1))


def weights(pictures: np.ndarray, path: str | os.PathLike[str], title: str) -> None:
    """The pictures side by side, one scale for all: from dark, below 0, to light, above; that survives a grey print.

    Args:
        pictures: `(k, height, width)`; the first 40 are shown.
        path: The PNG to write.
        title: Of the page.

    Raises:
        ImportError: matplotlib is not installed.
    """
    shown = pictures[:MOST]
    limit = float(np.abs(shown).max())
    count = f"the first {len(shown)} of {len(pictures)} units" if len(shown) < len(pictures) else f"{len(shown)} units"
    fig, cells = _grid(len(shown), f"{title}: weights of {count}, one scale, largest {limit:.2g}")
    images = [
        axes.imshow(picture, cmap="cividis", vmin=-limit, vmax=limit)
        for axes, picture in zip(cells, shown, strict=False)
    ]
    fig.colorbar(images[0], ax=cells, shrink=0.6, label="weight")
    write(fig, path)


def mistakes(
    pictures: np.ndarray,
    said: Sequence[str],
    meant: Sequence[str],
    total: int,
    path: str | os.PathLike[str],
    title: str,
) -> None:
    """Examples that the network gets wrong, each with what it said and what is right.

    Args:
        pictures: `(k, height, width)` of all mistakes; the first 40 are shown.
        said: The class that the network decided for, for each.
        meant: The right one.
        total: The number of examples among which they were found.
        path: The PNG to write.
        title: Of the page.

    Raises:
        ImportError: matplotlib is not installed.
    """
    which = f", the first {MOST}" if len(pictures) > MOST else ""
    fig, cells = _grid(min(MOST, len(pictures)), f"{title}: {len(pictures)} of {total:,} wrong{which}")
    for axes, picture, wrong, right in zip(cells, pictures[:MOST], said, meant, strict=False):
        axes.imshow(picture, cmap="gray_r")
        axes.set_title(f"said {wrong}, is {right}", fontsize=7, pad=2)
    write(fig, path)


def _grid(count: int, title: str) -> tuple[Any, list[Any]]:
    """A figure with `count` empty cells without ticks."""
    columns = min(10, count)
    rows = -(-count // columns)
    fig = figure(max(5.0, 0.95 * columns + 0.8), 0.6 + 1.1 * rows)
    fig.suptitle(title, fontsize="medium")
    cells = list(fig.subplots(rows, columns, squeeze=False).flat)
    for axes in cells:
        axes.set_axis_off()
    return fig, cells
