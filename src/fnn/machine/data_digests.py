"""What says that data are the same: for one process, and for many of which each reads only its own rows."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from fnn.data import Dataset
from fnn.data.on_disk import Stored
from fnn.machine.processes import alone, exchanged, first

EXAMPLES_AT_ONCE = 5000  # are hashed, because a data set in a file may be larger than the memory
SAMPLE = 1000  # examples of each part that are compared where they stay in a file that all processes read


def data_digest(data: Dataset) -> str:
    """SHA-256 of all examples, their shape and units, the three parts, and the names of the classes."""
    digest = hashlib.sha256(repr((data.classes, data.shape)).encode())
    for part in data[:3]:
        digest.update(repr(float(part.scale)).encode())
        for array in (part.x, part.y):
            digest.update(repr((array.dtype.str, array.shape)).encode())
            for i in range(0, len(array), EXAMPLES_AT_ONCE):
                digest.update(np.ascontiguousarray(array[i : i + EXAMPLES_AT_ONCE]).data)
    return digest.hexdigest()


def shared_digest(data: Dataset) -> str:
    """The `data_digest` of this process's data; each of several processes has to call this.

    Of examples that stay in their file process 0 alone reads all. Another process takes its digest over if its file has
    the same size and time of change, and all else is equal: desired outputs, shapes, types, units, classes and
    `SAMPLE` inputs of each part. If anything differs it reads all of its own file, so that no other data pass.
    """
    if alone():
        return data_digest(data)
    stamps = _stamps(data)
    sample = data_digest(_sampled(data)) if stamps else ""
    own = data_digest(data) if first() or not stamps else ""
    digest, *of_first = exchanged([own, stamps, sample])[0]
    return own or (digest if of_first == [stamps, sample] else data_digest(data))


def _stamps(data: Dataset) -> list[Any]:
    """Of each part its file's size and time of change; [] if none stays in a file."""
    found = [list(part.x.stamp) if isinstance(part.x, Stored) else [] for part in data[:3]]
    return found if any(found) else []


def _sampled(data: Dataset) -> Dataset:
    """The data with few of the inputs, evenly from first to last, and all desired outputs."""
    parts = {name: getattr(data, name) for name in ("train", "validation", "test")}
    return data._replace(**{name: part._replace(x=_some(part.x)) for name, part in parts.items()})


def _some(x: Any) -> Any:
    return x[np.unique(np.linspace(0, len(x) - 1, SAMPLE).astype(int))] if len(x) else x
