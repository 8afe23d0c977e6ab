"""`optimizer.npz`: what the optimiser remembers after the last epoch of a finished run, so that `--resume` can go on.

With momentum this is the velocity, which takes as much room as the params; without it there is nothing to keep and no
such file. A run whose file was deleted is still whole, but cannot be trained for more epochs.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import jax

from fnn.errors import CorruptFileError
from fnn.runs.models import named
from fnn.storage.arrays import npz_bytes, read_npz
from fnn.storage.files import write_atomically
from fnn.storage.json_files import read_json, read_plain
from fnn.types import Params

FILE = "optimizer.npz"


def write(path: Path, v: Params) -> dict[str, str]:
    """Write the state `v` into the run directory `path` if it has arrays; the file's hash by its name, for result.json.

    A state of another optimiser than ours may hold what no `.npz` file does, for example keys; it is not kept.
    """
    if not jax.tree.leaves(v):
        return {}
    try:
        data = npz_bytes({f"v.{name}": array for name, array in named(v).items()})
    except TypeError:
        return {}
    write_atomically(path / FILE, data)
    return {FILE: hashlib.sha256(data).hexdigest()}


def check(path: Path) -> None:
    """Refuse a run whose file is not the one that its training wrote.

    Raises:
        CorruptFileError: the hash is not that in `result.json`.
    """
    if not (path / FILE).exists():
        return
    written = read_json(path / "result.json")
    digest = hashlib.sha256(read_plain(path / FILE)).hexdigest()
    if not isinstance(written, dict) or written.get(FILE) != digest:
        raise CorruptFileError(path / FILE, "is not what the training wrote (result.json)")


def read(path: Path, beginning: Params) -> Params:
    """The state in the run directory `path`, for an optimiser whose state before the first step is `beginning`.

    Raises:
        CorruptFileError: the file is damaged, or it has the state of another optimiser.
    """
    expected = {f"v.{name}": array for name, array in named(beginning).items()}
    arrays = read_npz(path / FILE, tuple(expected))
    for name, array in arrays.items():
        if (array.dtype, array.shape) != (expected[name].dtype, expected[name].shape):
            raise CorruptFileError(path / FILE, f"{name} is {array.dtype}{array.shape}, the optimiser has another")
    return jax.tree.unflatten(jax.tree.structure(beginning), jax.device_put(list(arrays.values())))
