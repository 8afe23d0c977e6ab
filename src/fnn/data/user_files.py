"""The user's own data: `.npz` and `.npy` here, `.csv` in `fnn.data.csv_files`."""

import os
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from fnn.data.cells import MOST_CLASSES
from fnn.data.csv_files import read_inputs, read_table
from fnn.data.dataset import Raw
from fnn.data.on_disk import Stored, stored
from fnn.errors import InputError
from fnn.storage.arrays import read_npy, read_npz


def load(path: str, label: str, y: str, memory: float) -> Raw:
    """The examples of an `.npz` or `.csv` file, or of the `.npy` file at `path` and the one at `y`."""
    _check_there(path)
    if path.lower().endswith(".npy"):
        return _read_files(path, y, memory)
    return read_table(path, label) if path.lower().endswith(".csv") else _read_arrays(path)


def load_inputs(path: str | os.PathLike[str], shape: tuple[int, ...], *, label: str = "") -> np.ndarray | Stored:
    """New inputs `(n, *shape)` for a trained network, uint8 or float32, as stored: neither scaled nor standardised.

    Args:
        path: An `.npy`, whose rows stay in it, an `.npz` with `x`, or a `.csv` with a header line. Desired outputs that
            are there are ignored: `y`, or one more column than `shape` has numbers.
        shape: The shape of one example.
        label: The csv column to ignore when there is one too many; "" for the last.

    Raises:
        InputError: The file is missing, or its rows do not have `shape`.
        CorruptFileError: It is damaged.
    """
    _check_there(path)
    if str(path).lower().endswith(".csv"):
        x = read_inputs(path, prod(shape), label)
    elif str(path).lower().endswith(".npy"):
        x = stored(path, 0.0)
    else:
        x = _inputs(path, read_npz(path, ("x",), unread=("y",))["x"])
    if prod(x.shape[1:]) != prod(shape):
        raise InputError(f"{path}: its examples have shape {x.shape[1:]}, the network takes {shape}")
    return x.reshape(len(x), *shape)


def _check_there(path: str | os.PathLike[str]) -> None:
    if not Path(path).is_file():
        raise InputError(f"{path}: there is no such file; expected a path to an .npz, .npy or .csv file")


def _read_arrays(path: str) -> Raw:
    """The examples of an `.npz` file.

    The dtype and the shape of `y` decide what it is. Whole numbers `(n,)` are labels, whatever their values; other
    numbers `(n,)` are one quantity. `(n, k)` are classes `0..k-1` if every row is one-hot, else the desired outputs.
    """
    arrays = read_npz(path, ("x", "y"))
    return _raw(path, _inputs(path, arrays["x"]), arrays["y"])


def _read_files(path: str, y: str, memory: float) -> Raw:
    """The examples of two `.npy` files; `x` stays in its file."""
    _check_there(y)
    return _raw(y, stored(path, memory), read_npy(y))


def _raw(path: str, x: Any, y: np.ndarray) -> Raw:
    """The examples, with `y` taken for what its dtype and shape say; `path` is that of `y`."""
    if y.ndim not in (1, 2) or len(y) != len(x) or y.size == 0:
        raise InputError(f"{path}: y has shape {y.shape}; expected ({len(x)},) or ({len(x)}, k), a row for each x")
    if y.ndim == 2 and y.shape[1] > 1 and (np.count_nonzero(y, axis=1) == 1).all() and (y.max(axis=1) == 1).all():
        return Raw(x, y.argmax(axis=1), tuple(str(k) for k in range(y.shape[1])))
    return _labelled(path, x, y) if y.ndim == 1 and y.dtype.kind in "biu" else Raw(x, _numbers(path, "y", y), ())


def _labelled(path: str, x: Any, y: np.ndarray) -> Raw:
    labels, numbers = np.unique(y, return_inverse=True)
    if len(labels) > MOST_CLASSES:
        raise InputError(
            f"{path}: y holds {len(labels):,} different whole numbers; expected at most {MOST_CLASSES:,} classes."
            " For quantities store y as float32"
        )
    return Raw(x, numbers, tuple(str(int(label)) for label in labels))


def _inputs(path: str | os.PathLike[str], x: np.ndarray) -> np.ndarray:
    if x.ndim == 0 or x.size == 0:
        raise InputError(f"{path}: x has shape {x.shape}; expected (n, ...), one example per row")
    return x.view(np.uint8) if x.dtype in (np.bool_, np.uint8) and x.ndim > 1 else _numbers(path, "x", x)


def _numbers(path: str | os.PathLike[str], name: str, array: np.ndarray) -> np.ndarray:
    """The array in float32, with at least two axes, each number finite."""
    with np.errstate(over="ignore"):  # what is too large becomes inf, and is refused below
        array = array.astype(np.float32, copy=False).reshape(len(array), *(array.shape[1:] or (1,)))
    finite = np.isfinite(array).reshape(len(array), -1).all(axis=1)
    if not finite.all():
        raise InputError(f"{path}: {name}[{finite.argmin()}] holds nan, or a number beyond float32; remove the row")
    return array
