"""One cell of a table: a number, or a label."""

import math
import re
from array import array

import numpy as np

LONGEST_LABEL = 200  # characters
MOST_CLASSES = 1000
FLOAT32_MAX = float(np.finfo(np.float32).max)
WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)


def number(cell: str) -> float:
    """The finite number in a cell; a `ValueError` says what is there instead."""
    if not is_number(cell):
        raise ValueError(f"{cell.strip()[:40]!r}; expected a number" if cell.strip() else "nothing; expected a number")
    value = float(cell)
    if not math.isfinite(value) or abs(value) > FLOAT32_MAX:
        raise ValueError(f"{cell.strip()[:40]}; expected a finite number that fits float32")
    return value


def is_number(cell: str) -> bool:
    """Whether a cell holds a number; infinity and nan are numbers here."""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # Python would read 1_0 as 10


class Labels:
    """The label column, gathered cell by cell; as classes and as quantities, until it is clear which they are."""

    def __init__(self) -> None:
        """Starts without cells."""
        self.seen: dict[str, int] = {}  # label -> number, in order of appearance
        self.numbers = array("i")
        self.values = array("f")
        self.numeric, self.whole = True, True

    def add(self, cell: str) -> None:
        """Takes one cell; a `ValueError` says what is wrong with it."""
        if len(cell) > LONGEST_LABEL:
            raise ValueError(f"a label of {len(cell):,} characters; expected at most {LONGEST_LABEL}")
        if len(self.seen) <= MOST_CLASSES:  # at most one more than allowed, else a hostile file could fill the memory
            self.numbers.append(self.seen.setdefault(cell, len(self.seen)))
        elif not self.numeric:
            self._refuse()
        self.whole = self.whole and WHOLE.fullmatch(cell) is not None
        self._add_value(cell)

    def _add_value(self, cell: str) -> None:
        try:
            self.values.append(number(cell))
        except ValueError:
            if is_number(cell):  # nan or infinite, which is neither a quantity nor the name of a class
                raise
            self.numeric = False
            self.values.append(0.0)

    def outputs(self) -> tuple[np.ndarray, tuple[str, ...]]:
        """`y` and the sorted names of the classes (whole numbers are sorted by value); no names for quantities.

        Raises:
            ValueError: There are too many classes.
        """
        if self.numeric and not self.whole:
            return np.frombuffer(self.values, np.float32)[:, None], ()
        if len(self.seen) > MOST_CLASSES:
            self._refuse()
        names = sorted(self.seen, key=lambda name: (int(name), name) if self.whole else (0, name))
        rank = np.empty(len(names), int)
        rank[[self.seen[name] for name in names]] = np.arange(len(names))
        return rank[np.frombuffer(self.numbers, np.int32)], tuple(names)

    def _refuse(self) -> None:
        raise ValueError(f"more than {MOST_CLASSES:,} different labels; write quantities with a point, as 12.0")
