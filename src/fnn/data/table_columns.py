"""A column of a table: its numbers, its different texts, and what is no number. Shape letter: `n` rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

import numpy as np

from fnn.data.cells import FLOAT32_MAX, WHOLE, is_number
from fnn.data.spelling import canonical

MOST_TEXTS = 1001  # of a column that are kept: one more than a net may have classes. A hostile file may have millions
MISSING, OTHER = -1, -2  # the codes of a cell that is missing, and of a text that was not kept

Place = Callable[[int], str]  # where a row stands: "a.csv, line 7"


class Cell(NamedTuple):
    """A cell that a message names."""

    row: int  # from 0; `Table.place` says where it stands
    text: str  # without blanks at its ends


@dataclass(frozen=True, eq=False, slots=True)
class Column:
    """A column of a table. A cell is missing where it is empty, null, or holds a mark of a missing value such as `NA`.

    A column of numbers alone has no codes. In a column that was read as text, `texts[codes[i]]` is the cell in row `i`,
    and `numbers[i]` is its number if it has one.
    """

    name: str
    numbers: np.ndarray  # (n,) float64; nan where the cell is missing, or is no number
    codes: np.ndarray | None = None  # (n,) int32; -1 where the cell is missing, -2 where its text was not kept
    texts: tuple[str, ...] = ()  # the different cells in the order of appearance, at most `MOST_TEXTS`
    rows: tuple[int, ...] = ()  # in which each of them appears first
    missing: Cell | None = None  # the first cell that is missing
    text: Cell | None = None  # the first that is no number
    beyond: Cell | None = None  # the first number that is infinite or too large for float32
    surplus: int = -1  # the row of the first text that was not kept; -1 if all were
    alike: int = 0  # how many of the texts that were not kept are numbers in another notation
    digits: bool = True  # whether all its numbers are written without a point or an exponent

    @property
    def is_missing(self) -> np.ndarray:
        """Which cells are missing, `(n,)`."""
        return np.isnan(self.numbers) if self.codes is None else self.codes == MISSING

    @property
    def coded(self) -> np.ndarray:
        """The codes `(n,)` of a column that was read as text."""
        if self.codes is None:
            raise ValueError(f"column {self.name!r} was read as numbers; expected one that was read as text.")
        return self.codes


def column_of_numbers(name: str, array: np.ndarray, as_text: bool) -> Column:
    """The column that holds the numbers of an array `(n,)` of integers or floats; nan is a missing cell."""
    numbers = array.astype(np.float64)
    missing = np.isnan(numbers)

    def first(wanted: np.ndarray) -> Cell | None:
        if not wanted.any():
            return None
        row = int(wanted.argmax())
        return Cell(row, "" if missing[row] else repr(float(numbers[row])))

    column = Column(name, numbers, missing=first(missing), beyond=first(np.abs(numbers) > FLOAT32_MAX))
    if not as_text:
        return column
    codes, integer = np.full(len(array), MISSING, np.int32), array.dtype.kind in "iu"
    values, codes[~missing] = np.unique(array[~missing], return_inverse=True)
    used, rows, codes = _by_appearance(codes, len(values))
    texts = tuple(str(int(value)) if integer else repr(float(value)) for value in values[used])
    return replace(column, codes=codes, texts=texts, rows=rows, surplus=_surplus(codes), digits=integer)


def taken(column: Column, chosen: np.ndarray, cells: Callable[[], Iterable[str]]) -> Column:
    """The column in some rows, `(n,)` truth values; `cells` are all its cells as they are written."""
    numbers, missing = column.numbers[chosen], column.is_missing[chosen]

    def first(wanted: np.ndarray) -> Cell | None:
        if not wanted.any():
            return None
        row = int(wanted.argmax())
        place = int(np.flatnonzero(chosen)[row])
        return Cell(row, canonical(next(islice(cells(), place, None)).strip()))

    text, beyond = first(np.isnan(numbers) & ~missing), first(np.abs(numbers) > FLOAT32_MAX)
    some = Column(column.name, numbers, missing=first(missing), text=text, beyond=beyond)
    if column.codes is None:
        return some
    used, rows, codes = _by_appearance(column.codes[chosen], len(column.texts))
    texts, surplus = tuple(column.texts[k] for k in used), _surplus(codes)
    digits = all(WHOLE.fullmatch(text) for text in texts if is_number(text)) and (column.digits or surplus < 0)
    return replace(
        some,
        codes=codes,
        texts=texts,
        rows=rows,
        surplus=surplus,
        alike=column.alike if surplus >= 0 else 0,
        digits=digits,
    )


def _by_appearance(codes: np.ndarray, k: int) -> tuple[np.ndarray, tuple[int, ...], np.ndarray]:
    """Of codes of `k` texts: those that are there in the order of appearance, their first rows, and the new codes."""
    known = np.flatnonzero(codes >= 0)
    used, first = np.unique(codes[known], return_index=True)
    order = np.argsort(first, kind="stable")[:MOST_TEXTS]
    number = np.full(k + 2, OTHER, np.int32)  # the last is for the code -1, which stays
    number[MISSING], number[used[order]] = MISSING, np.arange(len(order))
    return used[order], tuple(known[first[order]].tolist()), number[codes]


def _surplus(codes: np.ndarray) -> int:
    """The first row of a text that was not kept, or -1."""
    other = codes == OTHER
    return int(other.argmax()) if other.any() else -1
