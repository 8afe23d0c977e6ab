"""Tiny pictures: a PNG of grey or coloured pixels as an address that holds the picture itself."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, COLOURED = 0, 2  # the kinds of a PNG
SMALL = 400  # pixels
Colour = tuple[int, int, int]  # red, green and blue from 0 to 255


def grey(pixels: Sequence[Sequence[float]]) -> str:
    """The picture of numbers from 0, white, to 1, black; the first row is the uppermost.

    A small picture has sixteen levels of grey, a larger one 256.
    """
    small = len(pixels) * len(pixels[0]) <= SMALL
    most = 15 if small else 255
    rows = [[most - round(most * min(max(value, 0.0), 1.0)) for value in row] for row in pixels]
    return _address(len(rows[0]), len(rows), 4 if small else 8, GREY, [_halves(r) if small else bytes(r) for r in rows])


def _halves(row: Sequence[int]) -> bytes:
    """Two pixels in each byte."""
    even = [*row, 0][: len(row) + len(row) % 2]
    return bytes(a << 4 | b for a, b in zip(even[::2], even[1::2], strict=True))


def coloured(pixels: Sequence[Sequence[Colour]]) -> str:
    """The picture of colours."""
    rows = [bytes(part for colour in row for part in colour) for row in pixels]
    return _address(len(pixels[0]), len(pixels), 8, COLOURED, rows)


def _address(width: int, height: int, bits: int, kind: int, rows: Sequence[bytes]) -> str:
    header = struct.pack(">LLBBBBB", width, height, bits, kind, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    png = SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">L", len(data)) + name + data + struct.pack(">L", zlib.crc32(name + data))
