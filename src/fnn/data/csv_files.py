"""Tables in `.csv` files: commas, a header line, UTF-8.

The header is required, because columns are known by their names: the label column is chosen by its name, new inputs are
matched by theirs, and errors name their column.
"""

import csv
import os
from array import array
from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TextIO

import numpy as np

from fnn.data.cells import FLOAT32_MAX, number
from fnn.data.dataset import Raw
from fnn.data.gathering import Column, Numbers, Texts
from fnn.data.headers import check_header, input_places, label_place
from fnn.data.labels import Labels
from fnn.data.precision import LOST_BEFORE, texts_lost
from fnn.data.spelling import canonical
from fnn.errors import CorruptFileError, InputError

LARGEST_TABLE = 2**28  # bytes
LONGEST_LINE = 2**20  # characters
CELLS_AT_ONCE = 2**14  # that are texts at a time

Row = tuple[int, list[str]]  # the number of the line it ends on, the cells


def read_columns(
    path: str | os.PathLike[str], texts: Collection[str], skip: Collection[str]
) -> tuple[tuple[str, ...], tuple[Column, ...], np.ndarray]:
    """The names in the header, the columns, and the line on which each row ends, `(n,)`.

    Args:
        path: The file.
        texts: The names of the columns that are read as text.
        skip: The names of the columns that are left out.

    Raises:
        InputError: The header is none, or a row is too short or too long.
        CorruptFileError: The file cannot be read as text.
    """
    lines: list[np.ndarray] = []
    with _rows(path) as (header, rows):
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
    return tuple(header), in_order, np.concatenate([np.empty(0, np.int32), *lines])


def cells_of(path: str | os.PathLike[str], name: str) -> Iterator[str]:
    """The cells of one column, read again."""
    with _rows(path) as (header, rows):
        place = header.index(name)
        yield from (cells[place] for _, cells in rows)


@contextmanager
def _rows(path: str | os.PathLike[str]) -> Generator[tuple[list[str], Iterator[Row]], None, None]:
    """The header and the rows, each as wide as the header."""
    size = os.stat(path).st_size
    if size > LARGEST_TABLE:
        raise InputError(f"{path}: {size:,} bytes; a .csv may have {LARGEST_TABLE:,}. Save it as .npz with np.savez")
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(_lines(file), strict=True, skipinitialspace=True)
            try:
                header = [canonical(name.strip()) for name in next(reader, [])]
                check_header(path, header)
                yield header, ((reader.line_num, _sized(path, reader.line_num, row, header)) for row in reader if row)
            except csv.Error as error:
                raise ValueError(f"line {reader.line_num}: {error}") from error
    except (InputError, CorruptFileError):
        raise
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise CorruptFileError(path, f"cannot be read as a table of UTF-8 text: {error}") from error


def _lines(file: TextIO) -> Iterator[str]:
    while line := file.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise ValueError(f"a line has more than {LONGEST_LINE:,} characters")
        yield line


def _sized(path: str | os.PathLike[str], line: int, cells: list[str], header: list[str]) -> list[str]:
    if len(cells) != len(header):
        raise InputError(f"{path}, line {line}: {len(cells)} cells; expected {len(header)}, as in the header")
    return cells


def read_table(path: str | os.PathLike[str], label: str, targets: str) -> Raw:
    """The examples of a table, its numbers in float64.

    Args:
        path: The file.
        label: The name of the label column, or "" for the last one.
        targets: As for `fnn.load_data`.

    Raises:
        InputError: A cell is missing or is no number, a row is too short, there is no such column, or similar. The
            message names the line and the column.
        CorruptFileError: The file cannot be read as text.
    """
    values = array("d")
    with _rows(path) as (header, rows):
        column = label_place(path, header, label)
        if len(header) < 2:
            raise InputError(f"{path}: one column, {header[0]!r}; expected inputs and a label, separated by commas")
        labels, names = Labels(path, header[column], targets), header[:column] + header[column + 1 :]
        for line, cells in rows:
            cell = cells.pop(column).strip()
            _add_numbers(path, line, names, cells, values)
            labels.add(line, cell)
    x = _matrix(path, values, len(names))
    _check_digits(path, names, x)
    y, classes, read_as = labels.outputs()
    return Raw(x, y, classes, columns=tuple(names), label=header[column], read_as=read_as)


def read_inputs(path: str | os.PathLike[str], n_in: int, label: str, columns: tuple[str, ...]) -> np.ndarray:
    """The inputs alone, `(n, n_in)` in float64, in the order of the training; see `input_places`.

    Raises as `read_table`.
    """
    values = array("d")
    with _rows(path) as (header, rows):
        places = input_places(path, header, n_in, label, columns)
        names = [header[place] for place in places]
        for line, cells in rows:
            _add_numbers(path, line, names, [cells[place] for place in places], values)
    return _matrix(path, values, len(names))


def _check_digits(path: str | os.PathLike[str], names: list[str], x: np.ndarray) -> None:
    """Refuses a column whose numbers float64 cannot tell apart well: `check_kept` sees them in float64 alone.

    They differ after the sixteenth digit, or are smaller than the smallest number of float64. Where this may be, the
    cells are read again.
    """
    low, high = x.min(axis=0), x.max(axis=0)
    largest = np.maximum(-low, high)
    doubtful = np.flatnonzero(LOST_BEFORE * (high - low) <= np.spacing(largest))
    if not doubtful.size:
        return
    texts: dict[str, set[str]] = {names[k]: set() for k in doubtful}
    with _rows(path) as (header, rows):
        places = [(header.index(name), seen) for name, seen in texts.items()]
        for _, cells in rows:
            for place, seen in places:
                seen.add(cells[place])
    for name, seen in texts.items():
        if len(seen) > 1 and texts_lost(seen):
            raise InputError(
                f"{path}, column {name!r}: its numbers differ, and are one number or nearly so in float64, which "
                "has sixteen digits; subtract a number in the file"
            )


def _matrix(path: str | os.PathLike[str], values: array, width: int) -> np.ndarray:
    if not values:
        raise InputError(f"{path}: no rows; expected a header line and at least one row of numbers")
    return np.frombuffer(values).reshape(-1, width)


def _add_numbers(path: str | os.PathLike[str], line: int, names: list[str], cells: list[str], values: array) -> None:
    try:
        row, text = [float(cell) for cell in cells], "".join(cells)
        plain = sum(map(abs, row)) <= FLOAT32_MAX and "_" not in text and text.isascii()
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
