"""What a column of labels is: classes, or quantities. It is decided by its cells and by `targets`, and told."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from fnn.data.cells import FLOAT32_MAX, WHOLE, is_number, is_other_notation, missing
from fnn.data.precision import texts_lost
from fnn.data.spelling import hidden, spelled_twice
from fnn.data.table_columns import Column
from fnn.data.wording import counted
from fnn.errors import InputError

LONGEST_LABEL = 200  # characters
MOST_CLASSES = 1000
LEAVE_OUT = ", as missing = 'drop' does"
AS_CLASSES = "; targets = 'one-hot' reads classes"
EACH_TEXT = "targets = 'one-hot' makes each different text a class"
AS_QUANTITY = "; targets = 'quantity' reads a quantity"


class Outputs(NamedTuple):
    """Desired outputs, and what they were read as."""

    y: np.ndarray  # (n,) class numbers, or (n, n_out) quantities
    classes: tuple[str, ...]  # () for quantities
    read_as: str  # what `y` was read as and why, in a sentence


class Where(NamedTuple):
    """Where labels stand, for messages."""

    path: str  # the file, or "the table"
    column: str  # the column's name in a table, or "" for the `y` of an array
    place: Callable[[int], str]  # of a row, from 0: "line 7", "row 5", or "y[5]"

    def name(self) -> str:
        """The column or the array."""
        return f"{self.path}, column {self.column!r}" if self.column else f"{self.path}: y"


class Labels:
    """A column of labels, of which it is decided whether they are classes or quantities.

    Text is the name of a class, and so is a whole number; a column of numbers of which one has a point or an exponent
    holds quantities. Where most cells are numbers, text among them is a mistake. `targets` decides otherwise.
    """

    def __init__(self, where: Where, column: Column, targets: str) -> None:
        """The cells of a column without missing ones, of which it is known where they are."""
        self.where, self.column, self.targets = where, column, targets
        self.seen = {text: k for k, text in enumerate(column.texts)}  # label -> number, in order of appearance
        self.many = column.surplus >= 0 or len(self.seen) > MOST_CLASSES
        counts = np.bincount(column.coded[column.coded >= 0], minlength=len(self.seen))
        words = [k for k, text in enumerate(column.texts) if not is_number(text)]
        self.plain = int(np.count_nonzero(~np.isnan(column.numbers)))  # how many cells are numbers
        alike = [k for k in words if is_other_notation(column.texts[k])]
        self.alike = column.alike + int(counts[alike].sum())  # how many are numbers in another notation
        self.digits = column.digits  # whether all numbers are written without a point
        finite = column.numbers[np.isfinite(column.numbers)]
        self.whole = not np.any(finite % 1)

    def outputs(self) -> Outputs:
        """The desired outputs; the names of classes are sorted, those that are all numbers by value.

        Raises:
            InputError: A label is missing, there are too many classes, text among numbers, a number that is written in
                two ways, or quantities that do not fit float32.
        """
        self._check_cells()
        if self._is_quantity():
            return self._quantity()
        self._check_text()
        if self.many and self.column.text:
            row = self.column.surplus if self.column.surplus >= 0 else self.column.rows[-1]
            raise self._wrong(row, f"more than {MOST_CLASSES:,} different labels")
        if self.many:
            raise InputError(
                f"{self.where.name()}: more than {MOST_CLASSES:,} different labels, all whole numbers{AS_QUANTITY}"
            )
        self._check_spelling()
        names = sorted(self.seen, key=lambda name: (0 if self.column.text else self._value(name), name))
        rank = np.empty(len(names), int)  # of each label in `seen`, its place among the sorted names
        rank[[self.seen[name] for name in names]] = np.arange(len(names))
        return Outputs(rank[self.column.coded], tuple(names), self._as_classes())

    def _check_cells(self) -> None:
        """Refuse a cell that is missing, or can be no label."""
        column = self.column
        if column.missing:
            what = f"{missing(column.missing.text)}; expected a label: fill it in, or remove the row"
            raise self._wrong(column.missing.row, f"{what}{LEAVE_OUT if self.where.column else ''}")
        for row, cell in zip(column.rows, column.texts, strict=True):
            check_text(self._at(row), "a label", cell)
            if is_number(cell) and not WHOLE.fullmatch(cell) and not abs(float(cell)) <= FLOAT32_MAX:
                raise self._wrong(row, f"{cell[:40]}; expected a finite number that fits float32")
        if column.text and self.targets == "quantity":
            raise self._wrong(
                column.text.row, f"{column.text.text[:40]!r}; expected a number, since targets = 'quantity'"
            )

    def _is_quantity(self) -> bool:
        """Whether all cells are numbers, and meant as such."""
        if self.column.text or self.targets == "quantity":
            return self.column.text is None
        return not (self.digits if self.targets == "" else self.whole)

    def _quantity(self) -> Outputs:
        column, numbers = self.column, self.column.numbers
        if column.beyond:
            raise self._wrong(
                column.beyond.row, f"{column.beyond.text[:40]}; expected a finite number that fits float32"
            )
        if numbers.min() == numbers.max() and texts_lost(self.seen):
            raise InputError(
                f"{self.where.name()}: its numbers differ only after sixteen digits, and are one as quantities"
            )
        return Outputs(numbers[:, None], (), f"{self._subject()} read as a quantity, {self._why()}")

    def _why(self) -> str:
        if self.targets == "quantity":
            return "since targets = 'quantity'"
        if self.whole:
            return f"since its numbers are written with a point or an exponent, though all are whole{AS_CLASSES}"
        return "since not all of its numbers are whole"

    def _as_classes(self) -> str:
        read = f"{self._subject()} read as {counted(len(self.seen), 'class', 'classes')}"
        if self.column.text:
            return f"{read}, since it holds text"
        if self.digits:
            return f"{read}, since it holds whole numbers{AS_QUANTITY}"
        return f"{read}, since targets = {self.targets!r}{AS_QUANTITY}"

    def _check_text(self) -> None:
        """Refuse text in a column of numbers, where it is a slip and not the name of a class."""
        rows = len(self.column.numbers)
        most, fractions = 2 * self.plain > rows, not self.whole  # numbers with fractions are hardly names
        if self.targets:
            slip = most and fractions
        else:
            slip = 2 * (self.plain + self.alike) > rows or (fractions and 10 * self.plain > rows)
        if self.column.text is None or not slip:
            return
        row, cell = self.column.text
        as_in = f", as in {self.plain:,} of {rows:,} rows" if self.plain else " such as 3.5"
        otherwise = "" if most and fractions else f", or {EACH_TEXT}"
        raise self._wrong(row, f"{cell[:40]!r}; expected a number{as_in}: correct it{otherwise}")

    def _check_spelling(self) -> None:
        """Refuse a number or a word that is written in two ways, such as 1 and 01, or Setosa and setosa."""
        found = spelled_twice(self.seen, self._value, words=not self.targets)
        if found is None:
            return
        name, other, numbers = found
        what, why = (
            ("the same number as", "since they are one class")
            if numbers
            else ("another spelling of", f"or {EACH_TEXT}")
        )
        row, first = (self.column.rows[self.seen[text]] for text in (name, other))
        raise self._wrong(row, f"{name!r} is {what} {other!r} in {self.where.place(first)}; write both alike, {why}")

    def _value(self, name: str) -> float | None:
        """The number that is the name of a class, exactly; None for text, and for decimals beside text."""
        if WHOLE.fullmatch(name):
            return int(name)
        return None if self.column.text else float(name)

    def _wrong(self, row: int, what: str) -> InputError:
        return InputError(f"{self._at(row)}: {what}")

    def _at(self, row: int) -> str:
        column = f", column {self.where.column!r}" if self.where.column else ""
        return f"{self.where.path}, {self.where.place(row)}{column}"

    def _subject(self) -> str:
        return f"y: column {self.where.column!r}" if self.where.column else "y:"


def check_text(at: str, what: str, text: str) -> None:
    """Refuses a text that can be the name of nothing."""
    if len(text) > LONGEST_LABEL:
        raise InputError(f"{at}: {what} of {len(text):,} characters; expected at most {LONGEST_LABEL}")
    if hidden(text):
        raise InputError(f"{at}: {text!r}: holds {hidden(text)}, a character that cannot be seen; remove it")
