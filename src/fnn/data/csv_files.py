"""Tables of numbers and labels in `.csv` files: commas, a header line, UTF-8.

The header is required, because the label column is chosen by its name and errors name their column. Whole numbers or
text in the label column are classes, other numbers are quantities.
"""

import csv
import os
from array import array
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TextIO

import numpy as np

from fnn.data.cells import FLOAT32_MAX, Labels, is_number, number
from fnn.data.dataset import Raw
from fnn.errors import CorruptFileError, InputError

LARGEST_TABLE = 2**28  # bytes
LONGEST_LINE = 2**20  # characters
LONGEST_NAME = 200  # characters, of a column

Row = tuple[int, list[str]]  # the number of the line it ends on, the cells


def read_table(path: str | os.PathLike[str], label: str) -> Raw:
    """The examples of a table; `label` is the name of the label column, or `""` for the last one.

    Raises:
        InputError: A cell is missing or is no number, a row is too short, there is no such column, or similar. The
            message names the line and the column.
        CorruptFileError: The file cannot be read as text.
    """
    labels, values = Labels(), array("f")
    with _rows(path) as (header, rows):
        column = _column(path, header, label)
        if len(header) < 2:
            raise InputError(f"{path}: one column, {header[0]!r}; expected inputs and a label, separated by commas")
        for line, cells in rows:
            cell = cells.pop(column).strip()
            _add_numbers(path, line, header[:column] + header[column + 1 :], cells, values)
            _add_label(path, line, header[column], cell, labels)
    try:
        y, classes = labels.outputs()
    except ValueError as error:
        raise InputError(f"{path}, column {header[column]!r}: {error}") from error
    return Raw(_matrix(path, values, len(header) - 1), y, classes)


def read_inputs(path: str | os.PathLike[str], n_in: int, label: str) -> np.ndarray:
    """The inputs alone, `(n, n_in)`; with one column too many, the label column is left out. Raises as `read_table`."""
    values = array("f")
    with _rows(path) as (header, rows):
        column = _column(path, header, label) if len(header) == n_in + 1 else len(header)
        names = header[:column] + header[column + 1 :]
        for line, cells in rows:
            _add_numbers(path, line, names, cells[:column] + cells[column + 1 :], values)
    return _matrix(path, values, len(names))


def _matrix(path: str | os.PathLike[str], values: array, width: int) -> np.ndarray:
    if not values:
        raise InputError(f"{path}: no rows; expected a header line and at least one row of numbers")
    return np.frombuffer(values, np.float32).reshape(-1, width)


@contextmanager
def _rows(path: str | os.PathLike[str]) -> Generator[tuple[list[str], Iterator[Row]], None, None]:
    """The header and the rows, each as wide as the header."""
    size = os.stat(path).st_size
    if size > LARGEST_TABLE:
        raise InputError(f"{path}: {size:,} bytes; a .csv may have {LARGEST_TABLE:,}. Save it as .npz with np.savez")
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(_lines(file), strict=True)
            header = [name.strip() for name in next(reader, [])]
            _check_header(path, header)
            yield header, ((reader.line_num, _sized(path, reader.line_num, cells, header)) for cells in reader if cells)
    except (InputError, CorruptFileError):
        raise
    except (OSError, UnicodeDecodeError, csv.Error, ValueError) as error:
        raise CorruptFileError(path, f"cannot be read as a table of UTF-8 text: {error}") from error


def _lines(file: TextIO) -> Iterator[str]:
    while line := file.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise ValueError(f"a line has more than {LONGEST_LINE:,} characters")
        yield line


def _check_header(path: str | os.PathLike[str], header: list[str]) -> None:
    if not any(header) or len(set(header)) != len(header):
        raise InputError(f"{path}, line 1: expected a header line, a different name for each column")
    if max(map(len, header)) > LONGEST_NAME:
        raise InputError(
            f"{path}, line 1: a name of {max(map(len, header)):,} characters; expected at most {LONGEST_NAME}"
        )
    if all(is_number(name) for name in header):
        raise InputError(f"{path}, line 1: all numbers; expected a header line with the names of the columns")


def _sized(path: str | os.PathLike[str], line: int, cells: list[str], header: list[str]) -> list[str]:
    if len(cells) != len(header):
        raise InputError(f"{path}, line {line}: {len(cells)} cells; expected {len(header)}, as in the header")
    return cells


def _column(path: str | os.PathLike[str], header: list[str], label: str) -> int:
    if label and label not in header:
        raise InputError(f"{path}: label = {label!r} is none of its columns: {str(header[:20])[:400]}")
    return header.index(label) if label else len(header) - 1


def _add_label(path: str | os.PathLike[str], line: int, name: str, cell: str, labels: Labels) -> None:
    try:
        if not cell:
            raise ValueError("nothing; expected a label")
        labels.add(cell)
    except ValueError as error:
        raise InputError(f"{path}, line {line}, column {name!r}: {error}") from error


def _add_numbers(path: str | os.PathLike[str], line: int, names: list[str], cells: list[str], values: array) -> None:
    try:
        row = [float(cell) for cell in cells]
        plain = sum(map(abs, row)) <= FLOAT32_MAX and "_" not in "".join(cells)
        if not plain:  # there is a nan, for example: only then look at each cell
            row = [number(cell) for cell in cells]
    except ValueError:
        for name, cell in zip(names, cells, strict=True):
            _check_number(path, line, name, cell)
        raise
    values.extend(row)


def _check_number(path: str | os.PathLike[str], line: int, name: str, cell: str) -> None:
    try:
        number(cell)
    except ValueError as error:
        raise InputError(f"{path}, line {line}, column {name!r}: {error}") from error
