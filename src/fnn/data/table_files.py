"""From a table with named columns to examples, and to new inputs for a network that was trained on one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from fnn.data import frames, tables
from fnn.data.categories import Texts, as_written, categories
from fnn.data.cells import is_missing, is_number, missing
from fnn.data.dataset import Raw
from fnn.data.encoding import Coded, Encoding, Source, encoded
from fnn.data.headers import check_choice, input_places, shown
from fnn.data.labels import Labels, Where
from fnn.data.precision import LOST_BEFORE, texts_lost
from fnn.data.table_columns import Column
from fnn.data.tables import Table
from fnn.errors import InputError

OTHER_ROWS = "choose other training rows by split_seed or train, or drop the column"
CORRECT = "correct it, or leave the row out"
SPELLED = {True: "a number", False: "a text"}


class Choice(NamedTuple):
    """What the columns of a table are for; the fields are arguments of `fnn.load_data`."""

    label: str = ""
    targets: str = ""
    drop: tuple[str, ...] = ()
    onehot: tuple[str, ...] = ()
    missing: str = "refuse"


def read_table(source: Any, choice: Choice) -> Raw:
    """The examples of a table, its numbers in float64.

    Raises:
        InputError: A cell is missing or is no number, there is no such column, or similar. The message names the place
            and the column.
        CorruptFileError: The file cannot be read.
    """
    where = source if isinstance(source, str) else tables.IN_MEMORY
    names = tables.header(source, choice.drop)
    label = check_choice(where, names, choice.label, choice.drop, choice.onehot)
    table = tables.read(source, (label, *choice.onehot), choice.drop)
    _check_rows(table)
    inputs = [name for name in names if name != label and name not in choice.drop]
    _check_numbers(table, [name for name in inputs if name not in choice.onehot], ": correct it")
    told = [f"dropped: {shown(choice.drop)}"] if choice.drop else []
    if index := frames.index_of(source):
        told.append(f"not read: {shown(index)}, the index of the table; df.reset_index() makes it a column")
    columns = [column for column in map(table.column, [*inputs, label]) if column.missing]
    blanks = {column.name: int(column.is_missing.sum()) for column in columns}
    if choice.missing == "drop" and blanks:
        table, said = _without_missing(table, blanks)
        told.append(said)
    elif choice.missing == "refuse":
        _check_missing(table, inputs, ": fill it in, remove the row, or set missing = 'drop' or 'mean'")
    at = partial(_at, table.where, table.noun, table.places)
    labels = Labels(Where(where, label, table.place), table.column(label), choice.targets)
    x, texts = _matrix(table, inputs, choice.onehot, partial(categories, at))
    _check_digits(table, inputs, x, texts)
    y, classes, read_as = labels.outputs()
    source_of = Source(where, tuple(inputs), texts, at, OTHER_ROWS, choice.drop, choice.missing)
    return Raw(x, y, classes, 1.0, tuple(inputs), label, read_as, source_of, np.arange(table.n), tuple(told))


def read_inputs(
    source: Any, n_in: int, label: str, columns: tuple[str, ...], encoding: Encoding | None = None
) -> np.ndarray:
    """The inputs alone, `(n, n_in)` in float64, in the order of the training; see `input_places`.

    Raises as `read_table`.
    """
    where = source if isinstance(source, str) else tables.IN_MEMORY
    dropped = encoding.dropped if encoding else ()
    names = tables.header(source, dropped)
    places = input_places(where, list(names), n_in, label, columns, dropped)
    inputs = [names[place] for place in places]
    coding = encoding or Encoding(tuple(map(Coded, inputs)))
    table = tables.read(source, coding.onehot, set(names) - set(inputs))
    if isinstance(source, str):
        _check_rows(table)
    _check_numbers(table, [name for name in inputs if name not in coding.onehot], "")
    filled = [column.name for column in coding.columns if column.fill]
    _check_missing(table, [name for name in inputs if name not in filled], ": fill it in, or remove the row")
    x, texts = _matrix(table, inputs, coding.onehot, as_written)
    at = partial(_at, table.where, table.noun, table.places)
    return encoded(coding, x, Source(where, tuple(inputs), texts, at, CORRECT), np.arange(table.n))


def _at(where: str, noun: str, places: np.ndarray, row: int) -> str:
    """Where a row stands; the table itself need not stay in memory for it."""
    return f"{where}, {noun} {places[row]}"


def _check_rows(table: Table) -> None:
    if not table.n:
        expected = "a header line and at least one row of numbers" if table.noun == "line" else "at least one row"
        raise InputError(f"{table.where}: no rows; expected {expected}")


def _check_numbers(table: Table, names: Sequence[str], remedy: str) -> None:
    """Refuse columns of numbers in which there is something else."""
    columns = [table.column(name) for name in names]
    words = [column.name for column in columns if column.text]
    for column in columns:
        if column.text:
            choose = f"{remedy}, or {_for(words)}" if remedy else ""
            raise _wrong(table, column, column.text.row, f"{column.text.text[:40]!r}; expected a number{choose}")
        if column.beyond:
            cell = column.beyond.text[:40]
            raise _wrong(table, column, column.beyond.row, f"{cell}; expected a finite number that fits float32")


def _for(words: Sequence[str]) -> str:
    """What to do about columns that hold text."""
    more = f". Text is also in {shown(list(words[1:]))}" if words[1:] else ""
    return f"name the column: onehot = [{words[0]!r}] or drop = [{words[0]!r}]{more}"


def _check_missing(table: Table, names: Sequence[str], remedy: str) -> None:
    """Refuse the first row in which a cell of these columns is missing."""
    found = [(cell.row, column, cell.text) for column in map(table.column, names) if (cell := column.missing)]
    for row, column, cell in sorted(found, key=lambda each: each[0])[:1]:
        expected = "a text" if column.codes is not None else "a number"
        if is_number(cell):
            raise _wrong(table, column, row, f"{cell}; expected a finite number that fits float32{remedy}")
        raise _wrong(table, column, row, f"{missing(cell)}; expected {expected}{remedy}")


def _wrong(table: Table, column: Column, row: int, what: str) -> InputError:
    return InputError(f"{table.where}, {table.place(row)}, column {column.name!r}: {what}")


def _without_missing(table: Table, blanks: dict[str, int]) -> tuple[Table, str]:
    """The rows in which no cell is missing, and how many were left out; `blanks` counts them by column."""
    whole = ~np.any([table.column(name).is_missing for name in blanks], axis=0)
    left = int(whole.sum())
    in_columns = [f"{n:,} in {name!r}" for name, n in blanks.items()]
    by_name = ", ".join(in_columns[:20]) + (f", ... ({len(in_columns):,} columns)" if in_columns[20:] else "")
    if not left:
        empty = [name for name, n in blanks.items() if n == table.n]
        remedy = f"; {shown(empty)} has none: drop the column" if empty else ""
        what = f"missing = 'drop' leaves none of {table.n:,} rows; cells are missing: {by_name}"
        raise InputError(f"{table.where}: {what[:400]}{remedy}")
    said = f"left out: {table.n - left:,} of {table.n:,} rows, in which cells are missing: {by_name}"
    return table.take(whole), said


def _matrix(
    table: Table, inputs: Sequence[str], onehot: tuple[str, ...], coded: Callable[[Column], Texts]
) -> tuple[np.ndarray, tuple[tuple[str, ...], ...]]:
    """The numbers of the inputs, or of their texts, `(n, k)`, and the texts of each column."""
    if not onehot:
        return table.numbers(inputs), ((),) * len(inputs)
    columns = [table.column(name) for name in inputs]
    of = [coded(column) if column.name in onehot else (column.numbers, ()) for column in columns]
    return np.column_stack([numbers for numbers, _ in of]), tuple(texts for _, texts in of)


def _check_digits(table: Table, names: Sequence[str], x: np.ndarray, texts: Sequence[tuple[str, ...]]) -> None:
    """Refuse a column whose numbers float64 cannot tell apart well: `check_kept` sees them in float64 alone.

    They differ after the sixteenth digit, or are smaller than the smallest number of float64. Where this may be, the
    cells are read again.
    """
    low, high = np.fmin.reduce(x), np.fmax.reduce(x)  # of the cells that are there
    largest = np.maximum(-low, high)
    with np.errstate(invalid="ignore"):
        doubtful = np.flatnonzero(LOST_BEFORE * (high - low) <= np.spacing(largest))
    for k in doubtful.tolist():
        seen = set() if texts[k] else {cell for cell in map(str.strip, table.cells(names[k])) if not is_missing(cell)}
        if len(seen) > 1 and texts_lost(seen):
            raise InputError(
                f"{table.where}, column {names[k]!r}: its numbers differ, and are one number or nearly so in float64, "
                "which has sixteen digits; subtract a number in the file"
            )
