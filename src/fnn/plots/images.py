"""Pictures of the weights that a network for images has learned, and of the images that it gets wrong."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from fnn.plots.curves import figure, write
from fnn.types import Params

IMAGES_PER_PAGE = 40


def image_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    """Height and width of an image `(channels, height, width)` or of a flattened square; `(0, 0)` for other shapes."""
    if len(shape) == 3:
        return shape[1], shape[2]
    side = math.isqrt(shape[0]) if len(shape) == 1 else 0
    return (side, side) if side * side == math.prod(shape) and side > 3 else (0, 0)


def first_weights(params: Params, shape: tuple[int, ...]) -> np.ndarray:
    """The first layer's weights as images `(units, height, width)`; no images if the weights have another shape.

    Of a filter with several channels it is the first channel. A unit of a dense layer over flattened images has one
    weight per pixel.
    """
    W = np.asarray(next((p.W for p in params if hasattr(p, "W")), np.zeros(0)))
    if W.ndim == 4:
        return W[:, 0]
    size = image_shape(shape)
    flat = (
        W.reshape(-1, W.shape[-1]) if W.ndim in (2, 3) else np.zeros((0, 0))
    )  # 3 axes: units, pieces, inputs of a Maxout
    return flat.reshape(-1, *size) if flat.shape[-1] == math.prod(size) > 0 else np.zeros((0, 1, 1))


def weights(pictures: np.ndarray, path: str | os.PathLike[str], title: str) -> None:
    """Draw the weights side by side on one scale, from dark (below 0) to light (above 0), also in a grey print.

    Args:
        pictures: The weights, `(k, height, width)`; the first `IMAGES_PER_PAGE` are shown.
        path: The PNG to write.
        title: The page's title.

    Raises:
        ImportError: matplotlib is not installed.
    """
    shown = pictures[:IMAGES_PER_PAGE]
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
    """Draw the images that the network gets wrong, each with the class that it decided for and the right class.

    Args:
        pictures: All such images, `(k, height, width)`; the first `IMAGES_PER_PAGE` are shown.
        said: The class that the network decided for, for each image.
        meant: The right class of each image.
        total: The number of examples that the network was asked about.
        path: The PNG to write.
        title: The page's title.

    Raises:
        ImportError: matplotlib is not installed.
    """
    which = f", the first {IMAGES_PER_PAGE}" if len(pictures) > IMAGES_PER_PAGE else ""
    fig, cells = _grid(min(IMAGES_PER_PAGE, len(pictures)), f"{title}: {len(pictures)} of {total:,} wrong{which}")
    for axes, picture, wrong, right in zip(cells, pictures[:IMAGES_PER_PAGE], said, meant, strict=False):
        axes.imshow(picture, cmap="gray_r")
        axes.set_title(f"said {wrong}, is {right}", fontsize=7, pad=2)
    write(fig, path)


def _grid(count: int, title: str) -> tuple[Any, list[Any]]:
    """A figure with `count` empty cells, which have no ticks."""
    columns = min(10, count)
    rows = -(-count // columns)
    fig = figure(max(5.0, 0.95 * columns + 0.8), 0.6 + 1.1 * rows)
    fig.suptitle(title, fontsize="medium")
    cells = list(fig.subplots(rows, columns, squeeze=False).flat)
    for axes in cells:
        axes.set_axis_off()
    return fig, cells
