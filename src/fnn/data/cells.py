"""One cell of a table: a number, a missing value, or text."""

import math
import re

import numpy as np

FLOAT32_MAX = float(np.finfo(np.float32).max)
WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
MISSING = frozenset(  # in lower case; pandas, R, databases and spreadsheets write these, and people
    ("", "?", "na", "n/a", "n.a.", "<na>", "pd.na", "nan", "+nan", "-nan", "nat", "null", "(null)", "none", "nil")
    + ("missing", "(missing)", "undefined", "n.d.", "\\n", "-", "--", "---", "\N{EN DASH}", "\N{EM DASH}")
    + (".", "..", "...")
    + ("#n/a", "#na", "#n/a n/a", "#value!", "#div/0!", "#num!", "#ref!", "#name?", "#null!", "#nv", "#wert!", "#zahl!")
    + ("1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan", "1.#inf", "-1.#inf")
)
# a decimal comma, commas between thousands, 1_000, a percentage, a price, hexadecimal digits
OTHER_NOTATION = re.compile(
    r"[+-]?[$€£]?\s*(?:\d[\d_']*(?:[.,]\d+)?|\d{1,3}(?:,\d{3})+(?:\.\d+)?|[.,]\d+)\s*[%$€£]?|0[xX][\da-fA-F]+",
    re.ASCII,
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
    """Whether a cell holds a number in the digits 0 to 9; infinity and nan are numbers here."""
    return cell.isascii() and "_" not in cell and is_python_number(cell)


def is_python_number(cell: str) -> bool:
    """Whether Python would read a number here: it reads 1_0 as 10, and takes the digits of every script."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def is_other_notation(cell: str) -> bool:
    """Whether a text is a number in another notation than ours, such as `1,5` or `12 %`."""
    return OTHER_NOTATION.fullmatch(cell) is not None or is_python_number(cell)


def is_missing(cell: str) -> bool:
    """Whether a cell is empty or holds a mark of a missing value, such as `NA`."""
    return cell.lower() in MISSING


def missing(cell: str) -> str:
    """A missing value, for a message."""
    return f"{cell if is_number(cell) else repr(cell)}, which marks a missing value" if cell else "nothing"
