"""One cell of a table: a number, a missing value, or text."""

import math
import re

import numpy as np

FLOAT32_MAX = float(np.finfo(np.float32).max)
WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
MISSING = frozenset(  # in lower case; pandas, R and spreadsheets write these, and people
    ("", "?", "na", "n/a", "n.a.", "<na>", "nan", "nat", "null", "none", "nil", "-", "--", "\N{EN DASH}", ".")
    + ("#n/a", "#na", "#n/a n/a", "#value!", "#div/0!", "#num!", "#ref!", "#name?", "#null!")
)
# a decimal comma, commas between thousands, 1_000, a percentage, a price
OTHER_NOTATION = re.compile(
    r"[+-]?[$€£]?\s*(?:\d[\d_']*(?:[.,]\d+)?|\d{1,3}(?:,\d{3})+(?:\.\d+)?|[.,]\d+)\s*[%$€£]?", re.ASCII
)


def number(cell: str) -> float:
    """The finite number in a cell; a `ValueError` says what is there instead."""
    cell = cell.strip()
    if is_missing(cell) and not is_number(cell):
        raise ValueError(f"{missing(cell)}; expected a number: fill it in, or remove the row")
    if not is_number(cell):
        raise ValueError(f"{cell[:40]!r}; expected a number")
    value = float(cell)
    if not math.isfinite(value) or abs(value) > FLOAT32_MAX:
        raise ValueError(f"{cell[:40]}; expected a finite number that fits float32")
    return value


def is_number(cell: str) -> bool:
    """Whether a cell holds a number; infinity and nan are numbers here."""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # Python would read 1_0 as 10


def is_missing(cell: str) -> bool:
    """Whether a cell is empty or holds a mark of a missing value, such as `NA`."""
    return cell.lower() in MISSING


def missing(cell: str) -> str:
    """A missing value, for a message."""
    return f"{cell if is_number(cell) else repr(cell)}, which marks a missing value" if cell else "nothing"
