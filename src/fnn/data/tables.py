"""Tables with named columns, from files and from memory, in one form. Shape letter: `n` rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import compress
from typing import Any

import numpy as np

from fnn.data import csv_files, frames, parquet
from fnn.data.headers import check_names
from fnn.data.spelling import canonical
from fnn.data.table_columns import Column, taken

ENDINGS = (".csv", ".parquet")
IN_MEMORY = "the table"  # how a frame is called in messages


@dataclass(frozen=True, eq=False)
class Table:
    """The columns of a table, of one length."""

    where: str  # the file, or "the table", for messages
    names: tuple[str, ...]  # of all columns, in order
    columns: tuple[Column, ...]  # those that were read, in the same order
    places: np.ndarray  # (n,) the number of the line, or of the row from 0, in which each row stands
    noun: str  # "line" or "row"
    cells: Callable[[str], Iterable[str]]  # the cells of a column as they are written, once more
    matrix: np.ndarray | None = None  # (n, k) the numbers of the columns without codes, which are its columns, if it is

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @property
    def n(self) -> int:
        """The number of rows."""
        return len(self.places)

    def column(self, name: str) -> Column:
        """The column of this name."""
        return self._by_name[name]

    def place(self, row: int) -> str:
        """In which line or row of the source a row stands, for a message: "line 7"."""
        return f"{self.noun} {self.places[row]}"

    def take(self, rows: np.ndarray) -> Table:
        """Some of the rows, `(n,)` truth values."""
        columns = tuple(taken(column, rows, lambda name=column.name: self.cells(name)) for column in self.columns)
        places, cells = self.places[rows], lambda name: compress(self.cells(name), rows)
        return replace(self, columns=columns, places=places, cells=cells, matrix=None)

    def numbers(self, names: Sequence[str]) -> np.ndarray:
        """The numbers of some columns, `(n, k)`; without a copy if they are all that were read as numbers."""
        plain = [column.name for column in self.columns if column.codes is None]
        if self.matrix is not None and plain == list(names):
            return self.matrix
        return np.column_stack([self.column(name).numbers for name in names])


def is_table(source: object) -> bool:
    """Whether a source has named columns: a path that ends as those of tables do, or a frame."""
    return source.lower().endswith(ENDINGS) if isinstance(source, str) else frames.is_frame(source)


def header(source: Any, skip: Collection[str] = ()) -> tuple[str, ...]:
    """The names of the columns of a file or a frame, as `read` takes them; those in `skip` may be none.

    Raises:
        InputError: The source is no table, or a name is none.
        CorruptFileError: It cannot be read.
    """
    if not isinstance(source, str | os.PathLike):
        frames.check_header(IN_MEMORY, source, skip)
        return tuple(frames.keys_of(source))
    if _is_parquet(source):
        names = [canonical(name.strip()) for name in parquet.names(source)]
        check_names(os.fsdecode(source), names, skip)
        return tuple(names)
    return csv_files.header_of(source, skip)


def read(source: Any, texts: Collection[str] | None = None, skip: Collection[str] = ()) -> Table:
    """The table in a file or a frame.

    Args:
        source: A `.csv` file with a header line, a `.parquet` file, a dict of columns, or a table of pandas, polars or
            pyarrow. A text in a frame is read as a cell of a csv is, a null as an empty one, True as the text `True`.
        texts: The names of the columns to read as text. A text in another column is only noted, see `Column.text`.
            None: each column that holds a text is read as text.
        skip: The names of the columns to leave out.

    Raises:
        InputError: The source is no table.
        CorruptFileError: It cannot be read.
    """
    skip = frozenset(skip)
    table = _read(source, frozenset(texts or ()), skip)
    words = [column.name for column in table.columns if column.text]
    return _read(source, frozenset(words), skip) if texts is None and words else table


def of_frame(frame: object, texts: Collection[str] | None = None, skip: Collection[str] = ()) -> Table | None:
    """The table that a dict or a data frame is, see `read`; None for anything else."""
    return read(frame, texts, skip) if frames.is_frame(frame) else None


def _read(source: Any, texts: Collection[str], skip: Collection[str]) -> Table:
    if not isinstance(source, str | os.PathLike):
        return _of_frame(IN_MEMORY, source, texts, skip)
    if _is_parquet(source):
        wanted = [name for name in parquet.names(source) if canonical(name.strip()) not in skip]
        table = _of_frame(os.fsdecode(source), parquet.read(source, wanted), texts, ())
        return replace(table, names=header(source, skip))
    names, columns, lines, matrix = csv_files.read_columns(source, texts, skip)
    where, cells = os.fsdecode(source), lambda name: csv_files.cells_of(source, name, skip)
    return Table(where, names, columns, lines, "line", cells, matrix)


def _of_frame(where: str, frame: Any, texts: Collection[str], skip: Collection[str]) -> Table:
    names, columns, rows = frames.read_columns(where, frame, texts, skip)
    return Table(where, names, columns, rows, "row", lambda name: frames.cells_of(where, frame, name))


def _is_parquet(source: str | os.PathLike[str]) -> bool:
    return os.fsdecode(source).lower().endswith(".parquet")
