"""Rows of an array that stay in their `.npy` file until they are asked for.

The rows are read, not mapped into memory. A mapping counts every page that was touched as memory of this process, reads
100 KiB around each row that is not cached, and turns a read error into the end of the process.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Any

import numpy as np

from fnn.errors import CorruptFileError, InputError
from fnn.storage.arrays import OtherArraysError, read_header

BLOCK_BYTES = 2**20  # that are read for a block of rows, about
PAGE = 4096  # bytes; a disk is read in pages


@dataclass(frozen=True, eq=False)
class Stored:
    """Inputs in an `.npy` file, made by `stored`: `x[i]` chooses rows, `np.asarray(x[i])` reads them.

    Bytes and truth values are read as uint8, all other numbers as float32, the same as if the file had been loaded;
    those of `as_stored` in the type of the file.
    """

    path: str
    kind: np.dtype[Any]  # of the numbers in the file
    shape: tuple[int, ...]  # (n, ...), as chosen and reshaped
    start: int  # of the first number, in bytes
    stamp: tuple[int, int]  # the file's bytes and time of change: the same as long as nobody writes to it
    memory: float  # bytes that a training may hold of it at once
    dtype: np.dtype[Any]  # of the numbers once read
    chosen: np.ndarray | None = None  # (n,) rows of the file; None: all of them

    def as_stored(self) -> Stored:
        """The same rows in the type of the file, for example float64; truth values as uint8."""
        return self if self.dtype == np.uint8 else replace(self, dtype=self.kind.newbyteorder("="))

    @property
    def nbytes(self) -> int:
        """The bytes of all rows once read."""
        return math.prod(self.shape) * self.dtype.itemsize

    def __len__(self) -> int:
        """The number of rows, n."""
        return self.shape[0]

    def __getitem__(self, i: Any) -> Stored:
        """Rows `i`: a slice, their numbers, or n truth values; nothing is read."""
        rows = np.arange(*i.indices(len(self))) if isinstance(i, slice) else np.asarray(i)
        # int64, because a file may have more rows than int32 counts
        rows = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows.astype(np.int64)
        chosen = rows if self.chosen is None else self.chosen[rows]
        return replace(self, shape=(len(chosen), *self.shape[1:]), chosen=chosen)

    def reshape(self, n: int, *shape: int) -> Stored:
        """Each of the `n` rows in another shape of as many numbers."""
        return replace(self, shape=(n, *shape))

    def astype(self, dtype: Any) -> np.ndarray:
        """The rows, read, in another dtype."""
        return np.asarray(self).astype(dtype)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """The rows, read."""
        # the array starts at a multiple of 64 bytes, because JAX then hands it to a CPU without a copy
        space = np.empty(self.nbytes + 63, np.uint8)
        space = space[-space.ctypes.data % 64 :][: self.nbytes]
        array = space.view(self.dtype).reshape(self.shape)
        for places, rows in self.blocks():
            array[places] = rows
        array.flags.writeable = False
        return array if dtype is None else array.astype(dtype, copy=False)

    def blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """All rows, read in blocks and in the order of the file: the places in 0 … n − 1 of a block, and its rows.

        Raises:
            CorruptFileError: The file cannot be read, or is not as it was.
            InputError: A number in it is nan, infinite, or too large for float32.
        """
        chosen = np.arange(len(self)) if self.chosen is None else self.chosen
        places = np.argsort(chosen, kind="stable")
        number = max(1, BLOCK_BYTES // (self._row_bytes * self._apart(chosen)))
        try:
            with open(self.path, "rb", buffering=0) as file:
                self._check_stamp(os.fstat(file.fileno()))
                for k in range(0, len(places), number):
                    some = places[k : k + number]
                    yield some, self._read(file.fileno(), chosen[some])
        except OSError as error:
            raise CorruptFileError(self.path, f"cannot be read: {error.strerror or error}") from error

    @property
    def _row_bytes(self) -> int:
        return math.prod(self.shape[1:]) * self.kind.itemsize

    def _apart(self, chosen: np.ndarray) -> int:
        """How many rows of the file are read for each chosen one: those in between too, up to a page of them."""
        span = int(np.ptp(chosen)) + 1 if len(chosen) else 1
        return min(1 + PAGE // self._row_bytes, -(-span // max(1, len(chosen))))

    def _check_stamp(self, status: os.stat_result) -> None:
        if _stamp(status) != self.stamp:
            raise CorruptFileError(self.path, "has changed since it was opened; begin anew, or bring the old one back")

    def _read(self, file: int, rows: np.ndarray) -> np.ndarray:
        """Rows of the file, in its order; rows less than a page apart are one read, with what lies between them."""
        size = self._row_bytes
        starts = np.flatnonzero(np.diff(rows, prepend=rows[0] - PAGE - 2) > 1 + PAGE // size)
        first, last = rows[starts], rows[np.append(starts[1:], len(rows)) - 1]
        counts = last - first + 1
        data = b"".join(map(_pread, repeat(file), (size * counts).tolist(), (self.start + size * first).tolist()))
        if len(data) != size * counts.sum():
            raise CorruptFileError(self.path, "ends before its last row")
        before = np.cumsum(counts) - counts  # rows in `data` before each run
        places = rows + np.repeat(before - first, np.diff(starts, append=len(rows)))
        numbers = np.frombuffer(data, self.kind).reshape(-1, *self.shape[1:])[places]
        return numbers.view(np.uint8) if self.dtype == np.uint8 else self._finite(numbers, rows)

    def _finite(self, numbers: np.ndarray, rows: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):  # what is too large becomes inf, and is refused below
            finite = np.isfinite(numbers.astype(np.float32, copy=False)).reshape(len(rows), -1).all(axis=1)
        if not finite.all():
            row = rows[finite.argmin()]
            raise InputError(f"{self.path}: x[{row}] holds nan, or a number beyond float32; remove the row")
        return numbers.astype(self.dtype, copy=False)


def stored(path: str | os.PathLike[str], memory: float) -> Stored:
    """The rows of an `.npy` file; its header is checked against its size, and nothing else is read.

    Args:
        path: A file of any size made by `np.save`, plain numbers `(n, *shape)` in C order; `(n,)` is read as `(n, 1)`.
        memory: Bytes that a training may hold of its rows at once; see `fnn.load_data`.

    Raises:
        CorruptFileError: The file is missing, or its header is not that of such an array.
        InputError: It holds no rows, something else than numbers, or is in Fortran order.
    """
    try:
        kind, fortran, shape, start, status = read_header(path)
    except OtherArraysError as error:
        raise InputError(f"{path}: {error.reason}") from None
    if not shape or not math.prod(shape):
        raise InputError(f"{path}: x has shape {shape}; expected (n, ...), one example per row")
    if fortran and len(shape) > 1:
        raise InputError(f"{path}: is stored column by column; expected row by row: np.save(path, x.copy(order='C'))")
    dtype = np.dtype(np.uint8 if kind.str in ("|u1", "|b1") else np.float32)
    return Stored(str(path), kind, shape if len(shape) > 1 else (*shape, 1), start, _stamp(status), memory, dtype)


def _pread(file: int, count: int, start: int) -> bytes:
    """So many bytes of a file from `start` on; its descriptor is used by one thread at a time."""
    if hasattr(os, "pread"):
        return os.pread(file, count, start)
    os.lseek(file, start, os.SEEK_SET)  # Windows
    return os.read(file, count)


def _stamp(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns
