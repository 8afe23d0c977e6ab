"""Arrays as a safetensors file: the header's length in eight bytes, a header of JSON, and the bytes of the arrays.

The file is that of the safetensors library, byte for byte, which any of its readers takes (PyTorch, MLX, Rust, ...).
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np

DTYPES = {"float64": "F64", "float32": "F32", "float16": "F16"}  # in the order of the file


def to_safetensors(arrays: Mapping[str, np.ndarray], about: Mapping[str, str] | None = None) -> bytes:
    """The bytes of a file with these arrays; the widest numbers come first, and names in order.

    Args:
        arrays: Arrays of floats by name.
        about: Texts about them by name, the `metadata` of the other library.

    Raises:
        TypeError: An array is not of float64, float32 or float16.

    Examples:
        >>> to_safetensors({"b": np.zeros(2, np.float32)})[8:64]
        b'{"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}  '
    """
    for name, array in arrays.items():
        if array.dtype.name not in DTYPES:
            raise TypeError(f"{name} is an array of {array.dtype}; expected one of {', '.join(DTYPES)}.")
    names = sorted(arrays, key=lambda name: (-arrays[name].dtype.itemsize, name))
    parts = [np.ascontiguousarray(arrays[name], arrays[name].dtype.newbyteorder("<")).tobytes() for name in names]
    header: dict[str, object] = {} if about is None else {"__metadata__": dict(about)}
    end = 0
    for name, part in zip(names, parts, strict=True):
        begin, end = end, end + len(part)
        kind, shape = DTYPES[arrays[name].dtype.name], list(arrays[name].shape)
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *parts])
