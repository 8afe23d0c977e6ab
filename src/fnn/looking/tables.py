"""What a table holds, looked at before anything is made of it: all its faults, and not only the first one.

`load_data` refuses a table at its first fault. Here the rest of it is still read, in bounded memory.
"""

import os
from array import array
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import NamedTuple

import numpy as np

from fnn.data import parquet, tables
from fnn.data.csv_files import Row, cells_of, unchecked_rows
from fnn.data.gathering import Texts
from fnn.data.headers import LONGEST_SHOWN, UNNAMED, check_header, check_names
from fnn.data.spelling import canonical
from fnn.data.table_columns import Column
from fnn.data.wording import counted
from fnn.errors import InputError
from fnn.looking.columns import MOST_TOLD, Looked

MOST_CELLS = 2**24  # that are looked at; the rows behind them are only counted
CELLS_AT_ONCE, ROWS_AT_ONCE = 2**20, 4096
MOST_NAMES = 2000  # of a header that is searched for more than one fault
SPARE = "no name of a column"


class LookedTable(NamedTuple):
    """A table as it was found."""

    path: str
    size: int  # bytes
    rows: int
    looked_at: int  # rows whose cells were looked at: the first ones that have as many cells as the header
    columns: tuple[Looked, ...]
    faults: tuple[str, ...]  # of the header and of rows; each names its place and what to do

    @property
    def all_faults(self) -> tuple[str, ...]:
        """Those of the cells too."""
        return (*self.faults, *(fault for column in self.columns for fault in column.faults))


def look_at_table(path: str) -> LookedTable:
    """What a table holds.

    Raises:
        InputError: It is too large, or is no table.
        CorruptFileError: It cannot be read.
    """
    size = os.stat(path).st_size
    if path.lower().endswith(".parquet"):
        return _parquet(path, size)
    with unchecked_rows(path) as (header, rows):
        return _looked_at(path, size, header, rows)


def _parquet(path: str, size: int) -> LookedTable:
    """What a `.parquet` file holds; its header is refused at the first fault."""
    names = [canonical(name.strip()) for name in parquet.names(path)]
    check_names(path, names, unnamed(names))
    table = tables.read(path, names, unnamed(names))
    missing = [Looked(Column(name, np.full(table.n, np.nan)), table.place, lambda: ()) for name in unnamed(names)]
    by_name = {column.name: Looked(column, table.place, partial(table.cells, column.name)) for column in table.columns}
    by_name |= {column.name: column for column in missing}
    return LookedTable(path, size, table.n, table.n, tuple(by_name[name] for name in names), ())


def unnamed(header: Sequence[str]) -> list[str]:
    """The names of columns that have none, or one that pandas made up."""
    return [name for name in header if UNNAMED.fullmatch(name)]


def _looked_at(path: str, size: int, header: list[str], source: Iterator[Row]) -> LookedTable:
    faults, skip = _of_header(path, header), unnamed(header)
    columns, lines = [Texts() for _ in header], array("q")
    widths, rows = _Widths(len(header)), 0
    while block := list(islice(source, max(1, min(ROWS_AT_ONCE, CELLS_AT_ONCE // len(header))))):
        rows += len(block)
        whole = widths.sorted_out(block)
        if rows * len(header) <= MOST_CELLS and whole:
            lines.extend(line for line, _ in whole)
            for column, cells in zip(columns, zip(*(cells for _, cells in whole), strict=True), strict=True):
                column.extend(cells)
    if not lines:
        nothing = "no rows; expected a header line and at least one row of numbers"
        raise InputError(f"{path}: {widths.faults()[0] if rows else nothing}")
    found = tuple(
        Looked(column.column(name), lambda row: f"line {lines[row]}", partial(cells_of, path, name, skip))
        for column, name in zip(columns, header, strict=True)
    )
    return LookedTable(path, size, rows, len(lines), found, (*faults, *widths.faults()))


class _Widths:
    """The rows that have more or fewer cells than the header."""

    def __init__(self, width: int) -> None:
        self.width, self.count = width, 0
        self.first: list[tuple[int, int]] = []

    def sorted_out(self, block: list[Row]) -> list[Row]:
        """The rows that are as wide as the header; the others are counted."""
        wrong = [(line, len(cells)) for line, cells in block if len(cells) != self.width]
        self.count += len(wrong)
        self.first += wrong[: MOST_TOLD - len(self.first)]
        return [row for row in block if len(row[1]) == self.width] if wrong else block

    def faults(self) -> list[str]:
        if not self.count:
            return []
        found = ", ".join(f"line {line}: {counted(cells, 'cell', 'cells')}" for line, cells in self.first)
        more = f" and {self.count - len(self.first):,} more" if self.count > len(self.first) else ""
        return [f"{found}{more}; expected {self.width}, as in the header: a text with a comma in it stands in quotes"]


def _of_header(path: str, header: list[str]) -> list[str]:
    """All faults of a header.

    Raises:
        InputError: It is no header, or there is one column alone.
    """
    skip = unnamed(header)
    try:
        check_header(path, header, skip)
    except InputError as error:
        if len(header) < 2 or not any(header) or len(header) > MOST_NAMES or "all numbers" in str(error):
            raise
    else:
        if len(header) < 2:
            raise InputError(
                f"{path}: one column, {header[0][:LONGEST_SHOWN]!r}; expected inputs and a label, separated by commas"
            )
        return []
    good: list[str] = []
    faults: list[str] = []
    for name in header:
        try:
            check_header(path, [*good, name, SPARE], skip)
            good.append(name)
        except InputError as error:
            faults.append(str(error).removeprefix(f"{path}, "))
            good.append(f"{SPARE} {len(good)}")
    return faults
