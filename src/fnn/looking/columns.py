"""What a column of a table looks like: its kind, what its cells are, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cached_property

import numpy as np

from fnn.data.cells import WHOLE, is_number, is_other_notation
from fnn.data.labels import LONGEST_LABEL, MOST_CLASSES
from fnn.data.spelling import hidden, spelled_twice
from fnn.data.table_columns import MISSING, MOST_TEXTS, Column
from fnn.data.wording import listed, short

SHOWN_TEXTS = 6  # of a column, in a line
# A text among numbers is meant, and not a slip, if the column has few different cells and many rows hold the text
FEW_TEXTS, SLIPS = 20, 0.05  # different cells at most; share of the rows
MOST_TOLD = 3  # places of one fault; of the others their number is told
DATE = re.compile(r"(\d{4})[-/.](\d\d?)([-/.](\d\d?))?([T ]\d\d?:.*)?|(\d\d?)[-/.](\d\d?)[-/.](\d{4}|\d\d)( \d\d?:.*)?")

Place = Callable[[int], str]  # of a row, "line 7"


class Looked:
    """A column that was looked at."""

    def __init__(self, column: Column, place: Place, cells: Callable[[], Iterable[str]]) -> None:
        """Takes a column that was read, what says where a row stands, and what reads the cells once more."""
        self.column, self.place, self.cells, self.name = column, place, cells, column.name
        self.n = len(column.numbers)
        self.blanks = int(column.is_missing.sum())
        self.filled = self.n - self.blanks
        known = column.numbers[np.isfinite(column.numbers)]
        self.numbers = int((~np.isnan(column.numbers)).sum())
        self.low, self.high, self.mean = (known.min(), known.max(), known.mean()) if len(known) else (np.nan,) * 3
        self.is_whole = not np.any(known % 1)

    @cached_property
    def kind(self) -> str:
        """`nothing`, `numbers`, `text`, `dates`, or `numbers and text`, which is a slip."""
        if not self.filled:
            return "nothing"
        strange = self.filled - self.numbers
        if not strange or self.column.codes is None or not self.column.text:
            return "numbers"
        alike = sum(n for text, n in self.counts.items() if not is_number(text) and is_other_notation(text))
        words = sum(not is_number(text) for text in self.column.texts)
        repeated = strange >= 2 * words and strange > SLIPS * self.filled  # as 3+ in 1, 2, 3+
        names = self.is_whole and not alike and self.different_texts <= FEW_TEXTS and repeated
        most, some = 2 * (self.numbers + alike) > self.filled, 10 * self.numbers > self.filled
        if not names and (most or (some and not self.is_whole)):
            return "numbers and text"  # as for labels: see `fnn.data.labels`
        return "dates" if all(map(DATE.fullmatch, self.column.texts)) else "text"

    @cached_property
    def counts(self) -> dict[str, int]:
        """How often each different cell is there, for at most 1,001 of them."""
        codes = self.column.codes
        if codes is None:
            numbers, counts = np.unique(self.column.numbers[np.isfinite(self.column.numbers)], return_counts=True)
            return {f"{number:g}": n for number, n in zip(numbers[:MOST_TEXTS], counts.tolist(), strict=False)}
        counts = np.bincount(codes[codes >= 0], minlength=len(self.column.texts))
        return dict(zip(self.column.texts, counts.tolist(), strict=True))

    @cached_property
    def different(self) -> int:
        """How many different cells there are, blanks apart; 1,002 stands for more than 1,001 texts."""
        if self.kind == "numbers":
            return len(np.unique(self.column.numbers[np.isfinite(self.column.numbers)]))
        return self.different_texts

    @property
    def different_texts(self) -> int:
        """The same for a column that was read as text."""
        return len(self.column.texts) + (self.column.surplus >= 0)

    def many(self) -> str:
        """How many different cells there are, for a message."""
        return "more than 1,001" if self.different > MOST_TEXTS else f"{self.different:,}"

    def only(self) -> str:
        """The one value of a column that has the same in every row, for a message."""
        return f"{self.low:g}" if self.kind == "numbers" else short(self.column.texts[0])

    def described(self) -> str:
        """What is in it, in a line: its classes or texts with their counts, or its range."""
        if self.kind == "nothing":
            return "blank in every row"
        if self.different == 1:
            return f"{self.only()} in every row"
        if self.kind == "numbers":
            whole = "whole numbers " if self.is_whole else ""
            return f"{whole}{amount(self.low)} to {amount(self.high)}, mean {amount(self.mean)}"
        if self.kind == "dates":
            last = self.column.coded[-1]
            return f"from {self.column.texts[0]} {f'to {self.column.texts[last]}' if last >= 0 else 'on'}"
        if self.different > self.filled // 2 and self.different > SHOWN_TEXTS:
            return f"{self.many()} different: {listed([short(text) for text in self.column.texts], 3)}"
        return self.shares()

    def shares(self) -> str:
        """The most frequent cells with their counts."""
        most = sorted(self.counts.items(), key=lambda each: -each[1])
        few = len(most) <= 3
        said = [f"{shown(text)}: {n:,}{f' ({n / self.filled:.1%})' if few else ''}" for text, n in most]
        return listed(said, SHOWN_TEXTS)

    @property
    def all_differ(self) -> bool:
        """Whether no two cells are alike; of more than 1,001 texts the first ones decide."""
        if self.kind != "numbers" and self.column.surplus >= 0:
            return self.column.surplus == MOST_TEXTS
        return self.different == self.n

    @property
    def is_written_whole(self) -> bool:
        """Whether all cells are whole numbers and written without a point; only of a column that was read as text."""
        return self.kind == "numbers" and self.column.codes is not None and all(map(WHOLE.fullmatch, self.column.texts))

    @property
    def first_blank(self) -> str:
        """Where the first blank stands."""
        return f"in {self.place(int(self.column.is_missing.argmax()))}"

    @cached_property
    def faults(self) -> tuple[str, ...]:
        """What is wrong with the cells, each with its places and what to do."""
        column, kind, faults = self.column, self.kind, []
        if column.beyond and kind != "text":  # 39e20335 among hexadecimal ids is no number
            beyond = np.isinf(column.numbers) | (np.abs(column.numbers) > 3.4e38)
            faults += [self._told(np.flatnonzero(beyond), "expected a finite number that fits float32: correct it")]
        if kind == "numbers and text" and column.codes is not None:
            as_in = f", as in {self.numbers:,} of {self.filled:,} rows" if self.numbers else " such as 3.5"
            slips = np.flatnonzero(np.isnan(column.numbers) & (column.codes != MISSING))
            faults += [self._told(slips, f"expected a number{as_in}: correct it")]
        if kind == "text":
            faults += self._of_text()
        return tuple(faults)

    def _of_text(self) -> list[str]:
        texts, faults = self.column.texts, []
        if unseen := [code for code, text in enumerate(texts) if hidden(text)]:
            faults += [self._told(self._rows(unseen), "a character that cannot be seen: remove it")]
        if long := [code for code, text in enumerate(texts) if len(text) > LONGEST_LABEL]:
            faults += [self._told(self._rows(long), f"expected at most {LONGEST_LABEL} characters: shorten it")]
        elif len(texts) <= MOST_CLASSES and (found := spelled_twice(texts, _value, words=True)):
            name, other, _ = found
            there, earlier = (self.place(self.column.rows[texts.index(text)]) for text in (name, other))
            which = f"{short(name)} is another spelling of {short(other)} in {earlier}"
            faults += [f"column {short(self.name)}, {there}: {which}; write both alike"]
        return faults

    def _rows(self, codes: list[int]) -> np.ndarray:
        return np.flatnonzero(np.isin(self.column.coded, codes))

    def _told(self, rows: np.ndarray, remedy: str) -> str:
        """One fault, with the places where it was met first, and how many more there are."""
        found = ", ".join(f"{self.place(row)}: {self._cell(row)}" for row in rows[:MOST_TOLD].tolist())
        more = f" and {len(rows) - MOST_TOLD:,} more" if len(rows) > MOST_TOLD else ""
        return f"column {short(self.name)}, {found}{more}; {remedy}"

    def _cell(self, row: int) -> str:
        codes = self.column.codes
        if codes is None:
            return f"{self.column.numbers[row]:g}"
        return short(self.column.texts[codes[row]]) if codes[row] >= 0 else "another text"


def amount(number: float) -> str:
    """A number in up to five digits, large ones in groups of three."""
    return f"{number:,.0f}" if 1e4 <= abs(number) < 1e15 else f"{number:.5g}"


def shown(text: str) -> str:
    """A text without quotes, as long as that is readable."""
    return text if text.isprintable() and len(text) <= 20 else short(text)


def _value(text: str) -> int | None:
    return int(text) if WHOLE.fullmatch(text) else None
