"""Pictures as PNG.

The rows have no filter: a drawing, which has large areas of one colour, is then smaller than with the filters that
image libraries choose for photographs, and is made in half the time.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, COLOURED = 0, 2  # the kinds of a PNG
INCH = 0.0254  # metres


def of_colours(pixels: np.ndarray, dpi: int) -> bytes:
    """The PNG of red, green and blue from 0 to 255, `(height, width, 3)`, with so many dots to an inch."""
    height, width, _ = pixels.shape
    rows = np.zeros((height, 1 + 3 * width), np.uint8)
    rows[:, 1:] = pixels.reshape(height, -1)
    dots = round(dpi / INCH)
    size = _chunk(b"pHYs", struct.pack(">LLB", dots, dots, 1))
    return _png(_header(width, height, 8, COLOURED) + size, rows.tobytes(), 6)


def of_rows(rows: Sequence[bytes], width: int, bits: int, kind: int) -> bytes:
    """The PNG of rows of pixels, each number of them with so many `bits`, as small as it gets."""
    return _png(_header(width, len(rows), bits, kind), b"".join(b"\0" + row for row in rows), 9)


def _header(width: int, height: int, bits: int, kind: int) -> bytes:
    return _chunk(b"IHDR", struct.pack(">LLBBBBB", width, height, bits, kind, 0, 0, 0))


def _png(head: bytes, rows: bytes, level: int) -> bytes:
    return SIGNATURE + head + _chunk(b"IDAT", zlib.compress(rows, level)) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">L", len(data)) + name + data + struct.pack(">L", zlib.crc32(name + data))
