"""The different texts of a column, from which one-hot inputs are made. Shape letter: `n` rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fnn.data.cells import WHOLE, is_number
from fnn.data.labels import MOST_CLASSES, check_text
from fnn.data.spelling import spelled_twice
from fnn.data.table_columns import Column, Place
from fnn.errors import InputError

Texts = tuple[np.ndarray, tuple[str, ...]]  # (n,) float64, the number of each cell's text, nan if missing; the texts


def as_written(column: Column) -> Texts:
    """The texts of a column as they are in it; of more than a thousand different ones, the others count as missing."""
    return np.where(column.coded >= 0, column.coded, np.nan), column.texts


def categories(at: Place, column: Column) -> Texts:
    """The texts of a column from which inputs are made, in their order.

    Whole numbers are one text however they are written, and in the order of their values; words are sorted.

    Raises:
        InputError: There are too many different ones, numbers with fractions, or one that is spelled in two ways.
    """
    name = column.name
    where = [f"{at(row)}, column {name!r}" for row in column.rows]
    if len(column.texts) > MOST_CLASSES:
        row = column.surplus if column.surplus >= 0 else column.rows[-1]
        raise InputError(
            f"{at(row)}, column {name!r}: more than {MOST_CLASSES:,} different texts; expected fewer of a one-hot "
            f"column: drop = [{name!r}] leaves it out"
        )
    for place, text in zip(where, column.texts, strict=True):
        check_text(place, "a text", text)
    if all(map(is_number, column.texts)):
        meant = [_whole(place, text) for place, text in zip(where, column.texts, strict=True)]
        texts = tuple(str(value) for value in sorted(set(map(int, meant))))
    else:
        _check_spelling(where, column)
        meant, texts = list(column.texts), tuple(sorted(column.texts))
    number = np.array([texts.index(text) for text in meant] + [np.nan])  # MISSING is -1, the last
    return number[column.coded], texts


def _whole(place: str, text: str) -> str:
    value = float(text)
    if WHOLE.fullmatch(text):
        return str(int(text))
    if not value.is_integer():
        raise InputError(f"{place}: {text[:40]}; expected text or whole numbers in a one-hot column")
    return str(int(value))


def _value(text: str) -> float | None:
    if WHOLE.fullmatch(text):
        return int(text)
    return float(text) if is_number(text) else None


def _check_spelling(where: Sequence[str], column: Column) -> None:
    found = spelled_twice(column.texts, _value, words=True)
    if found is None:
        return
    name, other, numbers = found
    what = "the same number as" if numbers else "another spelling of"
    first, second = (where[column.texts.index(text)] for text in (other, name))
    raise InputError(
        f"{second}: {name!r} is {what} {other!r} in {first.split(', ')[-2]}; write both alike, or drop the column"
    )
