"""Tables with named columns, from files and from memory, in one form. Shape letter: `n` rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

import numpy as np

from fnn.data import csv_files
from fnn.data.gathering import Column
from fnn.errors import InputError


@dataclass(frozen=True, eq=False)
class Table:
    """The columns of a table, of one length."""

    where: str  # the file, or "the table", for messages
    names: tuple[str, ...]  # of all columns, in order
    columns: tuple[Column, ...]  # those that were read, in the same order
    places: np.ndarray  # (n,) the number of the line, or of the row, in which each row stands
    noun: str  # "line" or "row"
    cells: Callable[[str], Iterable[str]]  # the cells of a column as they are written, once more

    @property
    def n(self) -> int:
        """The number of rows."""
        return len(self.places)

    def column(self, name: str) -> Column:
        """The column of this name."""
        return next(column for column in self.columns if column.name == name)

    def place(self, row: int) -> str:
        """Where a row stands, for a message: "a.csv, line 7"."""
        return f"{self.where}, {self.noun} {self.places[row]}"


def read(path: str | os.PathLike[str], texts: Collection[str] | None = None, skip: Collection[str] = ()) -> Table:
    """The table in a file.

    Args:
        path: A `.csv` file with a header line.
        texts: The names of the columns to read as text. A text in another column is only noted, see `Column.text`.
            None: each column that holds a text is read as text.
        skip: The names of the columns to leave out.

    Raises:
        InputError: The file is no table, or has no rows.
        CorruptFileError: It cannot be read.
    """
    table = _of_csv(path, texts or (), skip)
    words = [column.name for column in table.columns if column.text]
    return _of_csv(path, words, skip) if texts is None and words else table


def _of_csv(path: str | os.PathLike[str], texts: Collection[str], skip: Collection[str]) -> Table:
    names, columns, lines = csv_files.read_columns(path, texts, skip)
    if not len(lines):
        raise InputError(f"{path}: no rows; expected a header line and at least one row of numbers")
    return Table(os.fsdecode(path), names, columns, lines, "line", lambda name: csv_files.cells_of(path, name))
