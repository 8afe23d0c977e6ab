"""The cells of a table, gathered by columns: their numbers, their different texts, and what is no number.

Shape letter: `n` rows.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np

from fnn.data.cells import FLOAT32_MAX, is_missing, is_number
from fnn.data.spelling import canonical

MOST_TEXTS = 1001  # of a column that are kept: one more than a net may have classes. A hostile file may have millions
MISSING, OTHER = -1, -2  # the codes of a cell that is missing, and of a text that was not kept


class Cell(NamedTuple):
    """A cell that somebody has to hear of."""

    row: int  # from 0; `Table.place` says where it stands
    text: str  # without blanks at its ends


@dataclass(frozen=True, eq=False)
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

    @property
    def is_missing(self) -> np.ndarray:
        """Which cells are missing, `(n,)`."""
        return np.isnan(self.numbers) if self.codes is None else self.codes == MISSING


class Found:
    """The first cells of a column of which somebody has to hear."""

    def __init__(self) -> None:
        """Starts with none."""
        self.missing: Cell | None = None
        self.text: Cell | None = None
        self.beyond: Cell | None = None

    def value(self, row: int, cell: str) -> float:
        """The number in a cell without blanks at its ends; nan if it is missing or no number, which is noted."""
        if is_missing(cell):
            self.missing = self.missing or Cell(row, cell)
            return math.nan
        if not is_number(cell):
            self.text = self.text or Cell(row, cell)
            return math.nan
        value = float(cell)
        if not abs(value) <= FLOAT32_MAX:
            self.beyond = self.beyond or Cell(row, cell)
        return value


class Texts:
    """Gathers a column as text: a label, a column for one-hot inputs, or one that holds words."""

    def __init__(self) -> None:
        """Starts without rows."""
        self.found, self.surplus = Found(), -1
        self.numbers, self.codes = array("d"), array("i")
        self.texts: list[str] = []
        self.rows: list[int] = []
        self._seen: dict[str, tuple[int, float]] = {}

    def extend(self, cells: Sequence[str]) -> None:
        """Takes the cells of the next rows."""
        codes, numbers, seen = self.codes, self.numbers, self._seen
        for cell in cells:
            cell = cell.strip()
            code, value = seen.get(cell) or self._new(cell)
            codes.append(code)
            numbers.append(value)

    def _new(self, cell: str) -> tuple[int, float]:
        """The code and the number of a cell that is not known yet."""
        text, row = canonical(cell), len(self.codes)
        if text != cell and text in self._seen:
            return self._seen[text]
        value = self.found.value(row, text)
        if is_missing(text):
            return MISSING, value
        if len(self.texts) == MOST_TEXTS:
            self.surplus = self.surplus if self.surplus >= 0 else row
            return OTHER, value
        self.texts.append(text)
        self.rows.append(row)
        self._seen[text] = len(self.texts) - 1, value
        return self._seen[text]

    def column(self, name: str) -> Column:
        """The column, once all rows are there."""
        numbers, codes, found = np.array(self.numbers), np.array(self.codes, np.int32), self.found
        texts, rows = tuple(self.texts), tuple(self.rows)
        return Column(name, numbers, codes, texts, rows, found.missing, found.text, found.beyond, self.surplus)


class Numbers:
    """Gathers the columns that hold numbers, many rows at a time."""

    def __init__(self, width: int) -> None:
        """Starts without rows, for so many columns."""
        self.found = [Found() for _ in range(width)]
        self._values = array("d")

    def extend(self, rows: Sequence[Sequence[str]]) -> None:
        """Takes the next rows."""
        values, width = _plain(list(chain.from_iterable(rows))), len(self.found)
        if values is None:  # there is a missing value, for example: only then look at each column
            first = len(self._values) // width
            values = np.column_stack([self._column(k, [row[k] for row in rows], first) for k in range(width)])
        self._values.frombytes(values.tobytes())

    def _column(self, k: int, cells: list[str], first: int) -> np.ndarray:
        if self.found[k].text:  # no column of numbers: whoever wants its texts reads it as text
            return np.full(len(cells), np.nan)
        values = _plain(cells)
        if values is None:
            values = np.array([self.found[k].value(first + i, cell.strip()) for i, cell in enumerate(cells)])
        return values

    def matrix(self) -> np.ndarray:
        """The numbers, `(n, width)`."""
        return np.frombuffer(self._values).reshape(-1, len(self.found)) if self._values else np.empty((0, 0))

    def columns(self, names: Sequence[str]) -> list[Column]:
        """The columns, once all rows are there: views of the matrix."""
        numbers = self.matrix().T if self._values else np.empty((len(names), 0))
        return [
            Column(name, values, missing=found.missing, text=found.text, beyond=found.beyond)
            for name, values, found in zip(names, numbers, self.found, strict=True)
        ]


def _plain(cells: list[str]) -> np.ndarray | None:
    """The numbers in cells of which each holds one that fits float32; None where one does not, or may not."""
    text = "".join(cells)
    if "_" in text or not text.isascii():
        return None
    try:
        values = np.array([float(cell) for cell in cells])
    except ValueError:
        return None
    return values if np.abs(values).max(initial=0) <= FLOAT32_MAX else None
