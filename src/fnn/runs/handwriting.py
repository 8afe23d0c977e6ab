"""How the images of a data set were made: their size, their paper and ink, and how what is written stands in them.

A drawing becomes such an image. Shapes: `n` images, `(n, height, width)`.
"""

from __future__ import annotations

from math import isqrt, prod
from typing import Any

import numpy as np

from fnn.errors import InputError
from fnn.types import Shape

SMALLEST = 8  # pixels of a side
SHOWN = 2  # images of each class that a page has
MOST = 20  # images that it has
FAINT = 0.1  # of the ink: a pixel below is paper


def size(shape: Shape, columns: tuple[str, ...]) -> tuple[int, int]:
    """Height and width of inputs that are images of one grey channel; a flat row may be a square image.

    Raises:
        InputError: they are not.
    """
    if columns:
        raise InputError(f"its inputs are the {len(columns)} columns of a table; expected images to draw.")
    axes = [k for k in shape if k != 1] if len(shape) > 1 else [isqrt(prod(shape))] * 2
    if len(axes) != 2 or prod(axes) != prod(shape) or min(axes) < SMALLEST:
        raise InputError(
            f"its inputs have shape {tuple(shape)}; expected grey images of at least {SMALLEST} x {SMALLEST} pixels, "
            "such as (1, 28, 28), or flat square ones, such as (784,)."
        )
    return axes[0], axes[1]


def frame(images: np.ndarray) -> dict[str, Any]:
    """How the images were made, measured on them.

    The frame has their `height` and `width`; `low` and `high`, the values of paper and ink; whether they are `whole`
    numbers; the longer side of the `box` that holds what is written; and `centre`, what stands in the middle: the
    centre of "mass" or the "middle" of the ink. Images of 8x8 pixels are "counts" of dots, see `pages/strokes.js`.
    """
    height, width = images.shape[1:]
    values = np.asarray(images, np.float64)
    low, high = float(values.min()), float(values.max())
    if values.mean() - low > high - values.mean():
        low, high = high, low  # light on dark
    made = {
        "height": height,
        "width": width,
        "low": low,
        "high": high,
        "whole": bool((values == np.rint(values)).all()),
    }
    if (height, width) == (8, 8):
        return made | {"box": 8, "centre": "counts"}
    ink = (values - low) / ((high - low) or 1)
    return made | _standing(ink[ink.max(axis=(1, 2)) > FAINT])


def of_scale(height: int, width: int, scale: float) -> dict[str, Any]:
    """The frame of images that are not at hand, which a scale takes to 0 for paper and 1 for ink: as in MNIST."""
    standing = (
        {"box": 8, "centre": "counts"} if (height, width) == (8, 8) else _box(20 / 28 * min(height, width), "mass")
    )
    return {"height": height, "width": width, "low": 0.0, "high": 1 / scale, "whole": scale < 1} | standing


def _standing(ink: np.ndarray) -> dict[str, Any]:
    """The box and the centre of images from 0 to 1."""
    if not len(ink):
        raise InputError("its images have no ink in them; expected images with something written.")
    sides, masses, middles = [], [], []
    for axis in (2, 1):
        weights, place = ink.sum(axis=axis), np.arange(ink.shape[3 - axis])
        there = (ink > FAINT).any(axis=axis)
        first, last = there.argmax(axis=1), there.shape[1] - 1 - np.flip(there, 1).argmax(axis=1)
        sides.append(last - first + 1)
        masses.append(weights @ place / weights.sum(axis=1))
        middles.append((first + last) / 2)
    steadier = np.std(masses, axis=1).sum() < np.std(middles, axis=1).sum()
    return _box(float(np.median(np.maximum(*sides))), "mass" if steadier else "middle")


def _box(side: float, centre: str) -> dict[str, Any]:
    return {"box": round(side), "centre": centre}


def chosen(classes: list[str]) -> list[int]:
    """The rows of the first images of each class, by class."""
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(classes):
        if len(rows.setdefault(name, [])) < SHOWN:
            rows[name].append(row)
    firsts = [
        of_class[k] for k in range(SHOWN) for of_class in (rows[name] for name in sorted(rows)) if k < len(of_class)
    ]
    return firsts[:MOST]
