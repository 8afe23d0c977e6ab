"""Tables in `.csv` files: commas, a header line, UTF-8.

The header is required, because columns are known by their names: the label column is chosen by its name, new inputs are
matched by theirs, and errors name their column.
"""

import codecs
import csv
import os
from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import BinaryIO, TextIO

import numpy as np

from fnn.data.gathering import Numbers, Texts
from fnn.data.headers import check_header
from fnn.data.spelling import canonical
from fnn.data.table_columns import Column
from fnn.errors import CorruptFileError, InputError

LARGEST_TABLE = 2**28  # bytes
LONGEST_LINE = 2**20  # characters
CELLS_AT_ONCE = 2**14  # that are texts at a time

NO_TEXTS = {  # the first bytes of files that are not text, and what these files are
    b"PK": 'a zip archive, as those of Excel are; unpack it, or save the sheet as "CSV UTF-8"',
    b"\x1f\x8b": "compressed by gzip; unpack it",
    b"PAR1": "a Parquet file; let its name end with .parquet",
}

Row = tuple[int, list[str]]  # the number of the line it ends on, the cells


def read_columns(
    path: str | os.PathLike[str], texts: Collection[str], skip: Collection[str]
) -> tuple[tuple[str, ...], tuple[Column, ...], np.ndarray, np.ndarray]:
    """The names in the header, the columns, the line on which each row ends, `(n,)`, and the numbers, `(n, k)`.

    Args:
        path: The file.
        texts: The names of the columns that are read as text.
        skip: The names of the columns that are left out.

    Raises:
        InputError: The header is none, or a row is too short or too long.
        CorruptFileError: The file cannot be read as text.
    """
    lines: list[np.ndarray] = []
    with _rows(path, skip) as (header, rows):
        gathered = {name: Texts() for name in header if name in texts and name not in skip}
        others = [(place, gathered.get(name)) for place, name in enumerate(header) if name in gathered or name in skip]
        names = [name for name in header if name not in gathered and name not in skip]
        numbers = Numbers(len(names))
        while some := list(islice(rows, max(1, CELLS_AT_ONCE // len(header)))):
            lines.append(np.array([line for line, _ in some], np.int32))
            cells = [row for _, row in some]
            for place, column in reversed(others):
                apart = [row.pop(place) for row in cells]
                if column:
                    column.extend(apart)
            if names:
                numbers.extend(cells)
    columns = {column.name: column for column in numbers.columns(names)}
    columns |= {name: column.column(name) for name, column in gathered.items()}
    in_order = tuple(columns[name] for name in header if name in columns)
    return tuple(header), in_order, np.concatenate([np.empty(0, np.int32), *lines]), numbers.matrix()


def header_of(path: str | os.PathLike[str], skip: Collection[str]) -> tuple[str, ...]:
    """The names in the header; those of `skip` may be none.

    Raises:
        InputError: The header is none.
        CorruptFileError: The file cannot be read as text.
    """
    with _rows(path, skip) as (header, _):
        return tuple(header)


def cells_of(path: str | os.PathLike[str], name: str, skip: Collection[str] = ()) -> Iterator[str]:
    """The cells of one column, read again."""
    with _rows(path, skip) as (header, rows):
        place = header.index(name)
        yield from (cells[place] for _, cells in rows)


@contextmanager
def _rows(
    path: str | os.PathLike[str], skip: Collection[str]
) -> Generator[tuple[list[str], Iterator[Row]], None, None]:
    """The header and the rows, each as wide as the header."""
    with unchecked_rows(path) as (header, rows):
        check_header(path, header, skip)
        yield header, ((line, _sized(path, line, cells, header)) for line, cells in rows)


@contextmanager
def unchecked_rows(path: str | os.PathLike[str]) -> Generator[tuple[list[str], Iterator[Row]], None, None]:
    """The header and the rows that are not empty, whatever they hold; the rows are read one by one.

    Raises:
        InputError: The file is too large.
        CorruptFileError: It cannot be read as text.
    """
    size = os.stat(path).st_size
    if size > LARGEST_TABLE:
        raise InputError(f"{path}: {size:,} bytes; a .csv may have {LARGEST_TABLE:,}. Save it as .npz with np.savez")
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(_lines(file), strict=True, skipinitialspace=True)
            try:
                header = [canonical(name.strip()) for name in next(reader, [])]
                yield header, ((reader.line_num, row) for row in reader if row)
            except csv.Error as error:
                raise ValueError(f"line {reader.line_num}: {error}") from error
    except (InputError, CorruptFileError):
        raise
    except (OSError, ValueError) as error:
        raise CorruptFileError(path, f"cannot be read as a table of UTF-8 text: {_why(path, error)}") from error


def _why(path: str | os.PathLike[str], error: Exception) -> str:
    """Why a file cannot be read as a table; if its encoding is another one, in which line, and how to save the file."""
    if not isinstance(error, UnicodeDecodeError):
        return str(error)
    with open(path, "rb") as file:
        return _encoding(file)


def _encoding(file: BinaryIO) -> str:
    remedy = 'save it as UTF-8: "CSV UTF-8" in Excel, encoding="utf-8" in Python'
    begin = file.read(CELLS_AT_ONCE)
    if begin.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return f"it is UTF-16; {remedy}"
    for signature, what in NO_TEXTS.items():
        if begin.startswith(signature):
            return f"it is {what}"
    if b"\0" in begin:
        return "it is no text, but bytes; expected a .csv file"
    file.seek(0)
    for number, line in enumerate(iter(partial(file.readline, LONGEST_LINE), b""), 1):
        try:
            line.decode()
        except UnicodeDecodeError as error:
            byte = line[error.start : error.start + 1]
            return f"line {number} has the byte 0x{byte.hex()}, a {byte.decode('latin-1')!r} in Latin-1; {remedy}"
    return remedy


def _lines(file: TextIO) -> Iterator[str]:
    while line := file.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise ValueError(f"a line has more than {LONGEST_LINE:,} characters")
        yield line


def _sized(path: str | os.PathLike[str], line: int, cells: list[str], header: list[str]) -> list[str]:
    if len(cells) != len(header):
        raise InputError(f"{path}, line {line}: {len(cells)} cells; expected {len(header)}, as in the header")
    return cells
