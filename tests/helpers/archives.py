"""Arrays in files, and how a read that must fail fails."""

import time

import numpy as np
import pytest

from fnn.errors import CorruptFileError
from fnn.storage.arrays import read_npz
from tests.helpers.hostile import MIB, memory_below

ARRAYS = {"x": np.arange(600, dtype=np.float32).reshape(20, 30), "y": np.arange(20) % 2 == 0}


def refused(read, path, match=None, memory=64 * MIB):
    """The error of a read that must fail: documented, in one line, fast and without taking memory."""
    start, size = time.monotonic(), path.stat().st_size if path.exists() else 0
    with memory_below(size + memory), pytest.raises(CorruptFileError, match=match) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
    assert time.monotonic() - start < 1
    return caught.value


def read_xy(path):
    return read_npz(path, ("x", "y"))
