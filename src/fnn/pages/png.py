"""Tiny pictures: a PNG of grey or coloured pixels as an address that holds the picture itself."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from fnn.storage.png import COLOURED, GREY, of_rows

SMALL = 400  # pixels
Colour = tuple[int, int, int]  # red, green and blue from 0 to 255


def grey(pixels: Sequence[Sequence[float]]) -> str:
    """The picture of numbers from 0, white, to 1, black; the first row is the uppermost.

    A small picture has sixteen levels of grey, a larger one 256.
    """
    small = len(pixels) * len(pixels[0]) <= SMALL
    most = 15 if small else 255
    rows = [[most - round(most * min(max(value, 0.0), 1.0)) for value in row] for row in pixels]
    packed = [_halves(row) if small else bytes(row) for row in rows]
    return _address(of_rows(packed, len(rows[0]), 4 if small else 8, GREY))


def _halves(row: Sequence[int]) -> bytes:
    """Two pixels in each byte."""
    even = [*row, 0][: len(row) + len(row) % 2]
    return bytes(a << 4 | b for a, b in zip(even[::2], even[1::2], strict=True))


def coloured(pixels: Sequence[Sequence[Colour]]) -> str:
    """The picture of colours."""
    rows = [bytes(part for colour in row for part in colour) for row in pixels]
    return _address(of_rows(rows, len(pixels[0]), 8, COLOURED))


def _address(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
