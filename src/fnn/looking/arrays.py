"""What the arrays of an `.npz` file, or of two `.npy` files, hold: looked at before anything is made of them.

Shape letters: `n` examples of `shape`, `k` outputs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from fnn.data.cells import FLOAT32_MAX
from fnn.data.gathering import Texts
from fnn.data.on_disk import stored
from fnn.data.table_columns import MOST_TEXTS, Column
from fnn.data.wording import counted
from fnn.errors import InputError
from fnn.looking.columns import MOST_TOLD, Looked
from fnn.storage.arrays import OtherArraysError, read_npy, read_npz

NUMBERS_AT_ONCE = 2**20  # in float64
LARGEST_LOOKED_AT = 2**30  # bytes of an .npy file


class Inputs(NamedTuple):
    """The array `x`."""

    n: int
    shape: tuple[int, ...]  # of one example
    dtype: np.dtype
    low: float  # of the finite numbers in the rows that were looked at
    high: float
    mean: float
    looked_at: int  # rows, the first ones


class Arrays(NamedTuple):
    """The arrays of a data set."""

    path: str
    size: int  # bytes
    x: Inputs
    y_path: str  # of the .npy file of y; "" for an .npz
    y: Looked | None  # of (n,) or (n, 1); None if there is none, or more than one column
    y_shape: tuple[int, ...]  # () if there is none
    one_hot: bool  # whether each row of y has a single 1 among zeros
    faults: tuple[str, ...]


def look_at_arrays(path: str, y_path: str = "") -> Arrays:
    """What the arrays hold.

    Args:
        path: An `.npz` file with `x` and `y`, or an `.npy` file with the inputs alone.
        y_path: The `.npy` file with the desired outputs of an `.npy` file; "" for none.

    Raises:
        InputError: A file holds other arrays, or arrays of another kind.
        CorruptFileError: A file is missing, or damaged.
    """
    size = os.stat(path).st_size
    if path.lower().endswith(".npz"):
        arrays = _read(path)
        x, faults = _inputs(path, iter((arrays["x"],)), arrays["x"])
        y = arrays["y"]
    else:
        whole = stored(path, 0.0).as_stored()
        part = whole[: max(1, LARGEST_LOOKED_AT * len(whole) // max(1, whole.nbytes))] if whole.nbytes else whole
        x, faults = _inputs(path, (rows for _, rows in part.blocks()), whole)
        y = _outputs_in(y_path) if y_path else None
    column, more = (None, []) if y is None else _outputs(y, x.n)
    one_hot = y is not None and _is_one_hot(y)
    return Arrays(path, size, x, y_path, column, () if y is None else y.shape, one_hot, (*faults, *more))


def _is_one_hot(y: np.ndarray) -> bool:
    """Whether each row has a single 1 among zeros."""
    if y.ndim != 2 or y.shape[1] < 2 or y.dtype.kind not in "biuf":
        return False
    return bool((np.count_nonzero(y, axis=1) == 1).all() and (y.max(axis=1) == 1).all())


def _read(path: str) -> dict[str, np.ndarray]:
    try:
        return read_npz(path, ("x", "y"), text=("y",))
    except OtherArraysError as error:
        raise InputError(f"{path}: {error.reason}; write them by np.savez(path, x=x, y=y)") from None


def _outputs_in(path: str) -> np.ndarray:
    try:
        return read_npy(path, text=True)
    except OtherArraysError as error:
        raise InputError(f"{path}: {error.reason}") from None


def _inputs(path: str, parts: Iterator[np.ndarray], whole: Any) -> tuple[Inputs, list[str]]:
    """What `x` is, and what is wrong with it."""
    shape = whole.shape[1:] or (1,)
    if not whole.shape or 0 in whole.shape:
        raise InputError(f"{path}: x has shape {whole.shape}; expected (n, ...), one example per row")
    low, high, total, count, looked_at, faults = np.inf, -np.inf, 0.0, 0, 0, []
    wrong: list[int] = []
    try:
        for part in parts:
            part = part.reshape(len(part), -1)
            step = max(1, NUMBERS_AT_ONCE // part.shape[1])
            for rows in (part[i : i + step] for i in range(0, len(part), step)):
                fits = np.abs(rows.astype(np.float64)) <= FLOAT32_MAX
                good = rows[fits] if not fits.all() else rows.ravel()
                wrong += (looked_at + np.flatnonzero(~fits.all(axis=1))).tolist()
                looked_at += len(rows)
                if good.size:
                    low, high = min(low, float(good.min())), max(high, float(good.max()))
                    total, count = total + float(good.sum(dtype=np.float64)), count + good.size
    except InputError as error:
        faults.append(str(error))
    if wrong:
        faults.append(f"{_rows('x', wrong)} a number that is nan, infinite or beyond float32; remove the row")
    return Inputs(len(whole), shape, whole.dtype, low, high, total / max(1, count), looked_at), faults


def _outputs(y: np.ndarray, n: int) -> tuple[Looked | None, list[str]]:
    """What `y` is, if it has one column, and what is wrong with it."""
    if y.ndim not in (1, 2) or len(y) != n or y.size == 0:
        return None, [f"y has shape {y.shape}; expected ({n},) or ({n}, k), a row for each x"]
    if y.dtype.kind not in "US":
        wrong = np.flatnonzero(~(np.abs(y.astype(np.float64)) <= FLOAT32_MAX).reshape(n, -1).all(axis=1)).tolist()
        if wrong:
            return None, [f"{_rows('y', wrong)} a number that is nan, infinite or beyond float32; remove the row"]
    if y.shape[1:] not in ((), (1,)):
        return None, [f"y holds text and has shape {y.shape}; expected one label a row"] if y.dtype.kind in "US" else []
    column = _column(y.ravel())
    looked = Looked(column, lambda row: f"y[{row}]", lambda: map(str, y.ravel().tolist()))
    blank = np.flatnonzero(column.is_missing).tolist()
    return looked, [*looked.faults, *([f"{_rows('y', blank)} no label; remove the row"] if blank else [])]


def _column(y: np.ndarray) -> Column:
    """The labels as a column of a table: whole numbers and text as texts, other numbers as numbers."""
    if y.dtype.kind == "f":
        return Column("y", y.astype(np.float64))
    if y.dtype.kind in "biu" and len(np.unique(y)) > MOST_TEXTS:
        return Column("y", y.astype(np.float64))
    texts = Texts()
    texts.extend([_text(cell) for cell in y.tolist()])
    return texts.column("y")


def _text(cell: object) -> str:
    if isinstance(cell, bytes):
        return cell.decode(errors="backslashreplace")
    return str(int(cell)) if isinstance(cell, bool | int) else str(cell)


def _rows(name: str, rows: list[int]) -> str:
    first = ", ".join(f"{name}[{row}]" for row in rows[:MOST_TOLD])
    more = f" and {counted(len(rows) - MOST_TOLD, 'row', 'rows')} more" if len(rows) > MOST_TOLD else ""
    return f"{first}{more} {'hold' if len(rows) > 1 else 'holds'}"
