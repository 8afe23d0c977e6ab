"""The cells of a table, gathered by columns from the rows of a file."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from itertools import chain

import numpy as np

from fnn.data.cells import FLOAT32_MAX, WHOLE, is_missing, is_number, is_other_notation
from fnn.data.spelling import canonical
from fnn.data.table_columns import MISSING, MOST_TEXTS, OTHER, Cell, Column


class Noted:
    """The first cell of a column that is missing, the first that is text, and the first that is beyond float32."""

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
        self.found, self.surplus, self.alike, self.digits = Noted(), -1, 0, True
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
        self.digits = self.digits and (math.isnan(value) or WHOLE.fullmatch(text) is not None)
        if len(self.texts) == MOST_TEXTS:
            self.surplus = self.surplus if self.surplus >= 0 else row
            self.alike += math.isnan(value) and is_other_notation(text)
            return OTHER, value
        self.texts.append(text)
        self.rows.append(row)
        self._seen[text] = len(self.texts) - 1, value
        return self._seen[text]

    def column(self, name: str) -> Column:
        """The column, once all rows are there."""
        return Column(
            name,
            np.array(self.numbers),
            np.array(self.codes, np.int32),
            tuple(self.texts),
            tuple(self.rows),
            *(self.found.missing, self.found.text, self.found.beyond, self.surplus, self.alike, self.digits),
        )


class Numbers:
    """Gathers the columns that hold numbers, many rows at a time."""

    def __init__(self, width: int) -> None:
        """Starts without rows, for so many columns."""
        self.width = width
        self._found: dict[int, Noted] = {}  # by column; of those that have something else than plain numbers
        self._values = array("d")

    def extend(self, rows: Sequence[Sequence[str]]) -> None:
        """Takes the next rows."""
        values, width = _plain(list(chain.from_iterable(rows))), self.width
        if values is None:  # there is a missing value, for example: only then look at each column
            first = len(self._values) // width
            values = np.column_stack([self._column(k, [row[k] for row in rows], first) for k in range(width)])
        self._values.frombytes(values.tobytes())

    def _column(self, k: int, cells: list[str], first: int) -> np.ndarray:
        if k in self._found and self._found[k].text:  # its numbers are not needed; its texts are read another time
            return np.full(len(cells), np.nan)
        values = _plain(cells)
        if values is None:
            found = self._found.setdefault(k, Noted())
            values = np.array([found.value(first + i, cell.strip()) for i, cell in enumerate(cells)])
        return values

    def matrix(self) -> np.ndarray:
        """The numbers, `(n, width)`."""
        return np.frombuffer(self._values).reshape(-1, self.width) if self._values else np.empty((0, self.width))

    def columns(self, names: Sequence[str]) -> list[Column]:
        """The columns, once all rows are there: views of the matrix."""
        found, none = self._found, Noted()
        of = (
            (name, values, found.get(k, none))
            for k, (name, values) in enumerate(zip(names, self.matrix().T, strict=True))
        )
        return [Column(name, v, missing=f.missing, text=f.text, beyond=f.beyond) for name, v, f in of]


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
