"""What a column of labels is: classes, or quantities. It is decided by its cells and by `targets`, and told."""

import os
from array import array
from typing import NamedTuple

import numpy as np

from fnn.data.cells import FLOAT32_MAX, OTHER_NOTATION, WHOLE, is_missing, is_number, is_python_number, missing, number
from fnn.data.precision import texts_lost
from fnn.data.spelling import canonical, hidden, spelled_twice
from fnn.errors import InputError

LONGEST_LABEL = 200  # characters
MOST_CLASSES = 1000
AS_CLASSES = "; targets = 'one-hot' reads classes"
EACH_TEXT = "targets = 'one-hot' makes each different text a class"
AS_QUANTITY = "; targets = 'quantity' reads a quantity"


class Outputs(NamedTuple):
    """Desired outputs, and what they were read as."""

    y: np.ndarray  # (n,) class numbers, or (n, n_out) quantities
    classes: tuple[str, ...]  # () for quantities
    read_as: str  # what `y` was read as and why, in a sentence


class Labels:
    """The cells of a label column, gathered one by one, until it is clear whether they are classes or quantities.

    Text is the name of a class, and so is a whole number; a column of numbers of which one has a point or an exponent
    holds quantities. Where most cells are numbers, text among them is a mistake. `targets` decides otherwise.
    """

    def __init__(self, path: str | os.PathLike[str], column: str, targets: str) -> None:
        """Starts without cells; `column` is the column's name in a table, or "" for the `y` of an array."""
        self.path, self.column, self.targets = path, column, targets
        self.seen: dict[str, int] = {}  # label -> number, in order of appearance
        self.places: list[int] = []  # of each label, where it was first seen
        self.numbers, self.values = array("i"), array("d")
        self.plain, self.alike = 0, 0  # how many cells are numbers, and numbers in another notation
        self.text: tuple[int, str] | None = None  # the first cell that is no number
        self.beyond: tuple[int, str] | None = None  # the first that is a whole number beyond float32
        self.digits, self.whole = True, True  # whether all numbers are written without a point; are whole

    def add(self, place: int, cell: str) -> None:
        """Takes the cell in that line, or of that row; an `InputError` says what is wrong with it."""
        if is_missing(cell):
            raise self._wrong(place, f"{missing(cell)}; expected a label: fill it in, or remove the row")
        if len(cell) > LONGEST_LABEL:
            raise self._wrong(place, f"a label of {len(cell):,} characters; expected at most {LONGEST_LABEL}")
        if hidden(cell):
            raise self._wrong(place, f"{cell!r}: holds {hidden(cell)}, a character that cannot be seen; remove it")
        cell = canonical(cell)
        full = len(self.seen) > MOST_CLASSES  # no more are kept, else a hostile file could fill the memory
        if not full:
            if cell not in self.seen:
                self.seen[cell] = len(self.seen)
                self.places.append(place)
            self.numbers.append(self.seen[cell])
        self.values.append(self._number(place, cell) if is_number(cell) else self._text(place, cell))
        if self.text and full:
            self._check_text()
            raise self._wrong(place, f"more than {MOST_CLASSES:,} different labels")

    def outputs(self) -> Outputs:
        """The desired outputs; the names of classes are sorted, those that are all numbers by value.

        Raises:
            InputError: There are too many classes, text among numbers, a number that is written in two ways, or
                quantities that do not fit float32.
        """
        if self._is_quantity():
            return self._quantity()
        self._check_text()
        if len(self.seen) > MOST_CLASSES:
            raise InputError(
                f"{self._name()}: more than {MOST_CLASSES:,} different labels, all whole numbers{AS_QUANTITY}"
            )
        self._check_spelling()
        names = sorted(self.seen, key=lambda name: (0 if self.text else self._value(name), name))
        rank = np.empty(len(names), int)  # of each label in `seen`, its place among the sorted names
        rank[[self.seen[name] for name in names]] = np.arange(len(names))
        return Outputs(rank[np.frombuffer(self.numbers, np.int32)], tuple(names), self._as_classes())

    def _number(self, place: int, cell: str) -> float:
        self.plain += 1
        digits = WHOLE.fullmatch(cell) is not None
        try:
            value = float(cell) if digits else number(cell)
        except ValueError as error:
            raise self._wrong(place, str(error)) from None
        if abs(value) > FLOAT32_MAX:
            self.beyond = self.beyond or (place, cell)
        self.digits = self.digits and digits
        self.whole = self.whole and value.is_integer()
        return value

    def _text(self, place: int, cell: str) -> float:
        if self.targets == "quantity":
            raise self._wrong(place, f"{cell[:40]!r}; expected a number, since targets = 'quantity'")
        self.alike += OTHER_NOTATION.fullmatch(cell) is not None or is_python_number(cell)
        self.text = self.text or (place, cell)
        return 0.0

    def _is_quantity(self) -> bool:
        """Whether all cells are numbers, and meant as such."""
        if self.text or self.targets == "quantity":
            return self.text is None
        return not (self.digits if self.targets == "" else self.whole)

    def _quantity(self) -> Outputs:
        if self.beyond:
            raise self._wrong(self.beyond[0], f"{self.beyond[1][:40]}; expected a finite number that fits float32")
        if min(self.values) == max(self.values) and texts_lost(self.seen):
            raise InputError(f"{self._name()}: its numbers differ only after sixteen digits, and are one as quantities")
        return Outputs(np.frombuffer(self.values)[:, None], (), f"{self._subject()} read as a quantity, {self._why()}")

    def _why(self) -> str:
        if self.targets == "quantity":
            return "since targets = 'quantity'"
        if self.whole:
            return f"since its numbers are written with a point or an exponent, though all are whole{AS_CLASSES}"
        return "since not all of its numbers are whole"

    def _as_classes(self) -> str:
        read = f"{self._subject()} read as {counted(len(self.seen), 'class', 'classes')}"
        if self.text:
            return f"{read}, since it holds text"
        if self.digits:
            return f"{read}, since it holds whole numbers{AS_QUANTITY}"
        return f"{read}, since targets = {self.targets!r}{AS_QUANTITY}"

    def _check_text(self) -> None:
        """Refuse text in a column of numbers, where it is a slip and not the name of a class."""
        rows = len(self.values)
        most, fractions = 2 * self.plain > rows, not self.whole  # numbers with fractions are hardly names
        if self.targets:
            slip = most and fractions
        else:
            slip = 2 * (self.plain + self.alike) > rows or (fractions and 10 * self.plain > rows)
        if self.text is None or not slip:
            return
        place, cell = self.text
        as_in = f", as in {self.plain:,} of {rows:,} rows" if self.plain else " such as 3.5"
        otherwise = "" if most and fractions else f", or {EACH_TEXT}"
        raise self._wrong(place, f"{cell[:40]!r}; expected a number{as_in}: correct it{otherwise}")

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
        raise self._wrong(
            self.places[self.seen[name]],
            f"{name!r} is {what} {other!r} in {self._place(self.places[self.seen[other]])}; write both alike, {why}",
        )

    def _value(self, name: str) -> float | None:
        """The number that is the name of a class, exactly; None for text, and for decimals beside text."""
        if WHOLE.fullmatch(name):
            return int(name)
        return None if self.text else float(name)

    def _wrong(self, place: int, what: str) -> InputError:
        column = f", column {self.column!r}" if self.column else ""
        return InputError(f"{self.path}, {self._place(place)}{column}: {what}")

    def _place(self, place: int) -> str:
        return f"line {place}" if self.column else f"y[{place}]"

    def _name(self) -> str:
        return f"{self.path}, column {self.column!r}" if self.column else f"{self.path}: y"

    def _subject(self) -> str:
        return f"y: column {self.column!r}" if self.column else "y:"


def counted(n: int, one: str, more: str) -> str:
    """A number with its noun."""
    return f"{n:,} {one if n == 1 else more}"
