"""What a column of a table is for: an input, an id, a date, a copy of the label. Shape: `n` rows."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from fnn.data.headers import UNNAMED
from fnn.data.wording import short
from fnn.looking.columns import DATE, Looked

FEW_ROWS = 20  # below it chance makes columns that look like ids or copies
MOST_ONEHOT = 50  # inputs that one column of text may become
ROWS_PER_TEXT = 4  # at least, on average: with fewer a net learns the rows by heart
MOSTLY_BLANK = 0.5
ID = re.compile(r"(?i)(^|.*[\s_.-])(id|ids|key|uuid|guid|index|idx|nr|no|num|number|row|rownames?|serial)|#")
ID_CAMEL = re.compile(r".*[a-z](ID|Id|Key|Nr|No|Index)")


class Role(NamedTuple):
    """What a column is taken for."""

    use: str  # "number", "onehot", or "drop"
    why: str  # of a column that is left out: what it looks like


def role(column: Looked, label: Looked) -> Role:
    """What an input is for. Its cells decide; an id is also known by its name."""
    why = _left_out(column, label)
    if why:
        return Role("drop", why)
    return Role("onehot" if column.kind == "text" else "number", "")


def _left_out(column: Looked, label: Looked) -> str:
    """Why a column is of no use as an input; "" if it is."""
    n, blanks = column.n, column.blanks / column.n
    if UNNAMED.fullmatch(column.name):
        return "it has no name; it seems to be an index" if _index(column) else "it has no name"
    if column.faults:
        return f"cannot be read as it is: {column.faults[0]}"
    if blanks > MOSTLY_BLANK:
        return "all of it is blank" if blanks == 1 else f"{blanks:.0%} of it is blank"
    if column.different == 1 and n > 1:
        return f"a constant: {column.only()} in every row"
    if column.kind == "dates":
        return "dates, which a net cannot read; write what matters as numbers, such as the month"
    if index := _index(column):
        return index
    if column.kind == "text" and column.different > min(MOST_ONEHOT, max(3, column.filled // ROWS_PER_TEXT)):
        return f"{column.many()} different texts in {column.filled:,} rows, too many to learn from"
    if n >= FEW_ROWS and column.different == label.different and is_copy(column, label):
        return f"it says the same as {short(label.name)} in every row: a copy of what is to be predicted"
    return ""


def _index(column: Looked) -> str:
    """Why a column looks like an index or an id; "" if it does not."""
    if not column.all_differ or column.n < 4:
        return ""
    if column.kind == "text":
        return f"an id: a different text in each of the {column.n:,} rows" if column.n >= FEW_ROWS else ""
    if not column.is_whole:
        return ""
    if column.n >= FEW_ROWS and np.all(np.diff(column.column.numbers) == 1):
        return f"an index: it rises by 1 from row to row, from {column.low:g}"
    named = ID.fullmatch(column.name) or ID_CAMEL.fullmatch(column.name)
    if named or (column.n >= FEW_ROWS and column.high - column.low == column.n - 1):
        return f"an id: a different whole number in each of the {column.n:,} rows"
    return ""


def is_copy(column: Looked, label: Looked) -> bool:
    """Whether each value of one goes with one value of the other; of many numbers, whether they lie on a line."""
    if column.blanks or label.blanks:
        return False
    if column.different <= column.n // ROWS_PER_TEXT:
        return len(set(zip(_keys(column), _keys(label), strict=True))) == column.different
    if column.kind != "numbers" or label.kind != "numbers":
        return False
    x, y = ((each.column.numbers - each.low) / (each.high - each.low) for each in (column, label))
    return np.allclose(x, y, rtol=0, atol=1e-9) or np.allclose(x, 1 - y, rtol=0, atol=1e-9)


def tells(column: Looked, label: Looked) -> bool:
    """Whether each text of a column goes with one label alone, though there are many rows of each."""
    if column.blanks or label.blanks or column.n < FEW_ROWS or column.different * ROWS_PER_TEXT > column.n:
        return False
    return len(set(zip(_keys(column), _keys(label), strict=True))) == column.different


def _keys(column: Looked) -> list[float] | list[int]:
    codes = column.column.codes
    return column.column.numbers.tolist() if codes is None or column.kind == "numbers" else codes.tolist()


def direction(column: Looked) -> int:
    """1 if the dates of a column never fall from row to row, -1 if they never rise, 0 otherwise."""
    if column.blanks:
        return 0
    for month_first in (False, True):
        rises, falls, last = True, True, None
        for cell in column.cells():
            day = _day(cell, month_first)
            if last is not None:
                rises, falls = rises and last <= day, falls and last >= day
            last = day
        if rises != falls:
            return 1 if rises else -1
    return 0


def _day(cell: str, month_first: bool) -> tuple[int, int, int, str]:
    found = DATE.fullmatch(cell.strip())
    if found is None:
        return (0, 0, 0, cell)
    year, month, _, day, time, first, second, last, clock = found.groups()
    if year:
        return (int(year), int(month), int(day or 0), time or "")
    month, day = (first, second) if month_first else (second, first)
    return (int(last), int(month), int(day), clock or "")


def rises(column: Looked) -> bool:
    """Whether each number of a column is larger than the one before."""
    return not column.blanks and bool(np.all(np.diff(column.column.numbers) > 0))
