"""IDX, the format of the MNIST files: a magic number, the sizes of the axes, then bytes."""

import math
import struct

import numpy as np

UINT8 = 0x08  # the code of unsigned bytes, the only type read here


def size(shape: tuple[int, ...]) -> int:
    """The number of bytes of an IDX file with an array of this shape."""
    return 4 + 4 * len(shape) + math.prod(shape)


def parse(data: bytes, shape: tuple[int, ...]) -> np.ndarray:
    """The bytes of an IDX file as an array of the shape it must have, without a copy.

    Raises:
        ValueError: The magic number, the axes or the length are not those of `shape`.
    """
    head = struct.pack(f">4B{len(shape)}L", 0, 0, UINT8, len(shape), *shape)
    if not data.startswith(head):
        raise ValueError(f"does not start as an IDX file of bytes of shape {shape}")
    if len(data) != size(shape):
        raise ValueError(f"has {len(data):,} bytes; expected {size(shape):,}")
    return np.frombuffer(data, np.uint8, offset=len(head)).reshape(shape)
