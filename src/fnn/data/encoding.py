"""The columns of a table as inputs of a network: numbers, and texts as one-hot inputs; what is missing may be filled.

An encoding is fitted on the training rows alone. Shape letters: `n` rows, `k` columns, `n_in` inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from fnn.data.cells import WHOLE, is_number
from fnn.data.gathering import Column
from fnn.data.headers import shown
from fnn.data.labels import MOST_CLASSES, check_text
from fnn.data.precision import units
from fnn.data.spelling import spelled_twice
from fnn.errors import InputError

LARGEST_ENCODED = 2**31  # bytes of inputs in float64, if some are one-hot

Place = Callable[[int], str]  # where a row stands: "a.csv, line 7"
Texts = tuple[np.ndarray, tuple[str, ...]]  # (n,) float64, the number of each cell's text, nan if missing; the texts


class Coded(NamedTuple):
    """A column as inputs."""

    name: str
    texts: tuple[str, ...] = ()  # one input each, which is 1 where the cell is this text, else 0; () for a number
    fill: tuple[float, ...] = ()  # the inputs of a missing cell, the means over the training rows; () if it is refused

    @property
    def width(self) -> int:
        """The number of its inputs."""
        return len(self.texts) or 1


class Encoding(NamedTuple):
    """The columns of a table in the order of the inputs, and those that were left out."""

    columns: tuple[Coded, ...]
    dropped: tuple[str, ...] = ()  # which new tables may have, and which are passed over

    @property
    def n_in(self) -> int:
        """The number of inputs."""
        return sum(column.width for column in self.columns)

    @property
    def onehot(self) -> tuple[str, ...]:
        """The names of the columns that are one-hot."""
        return tuple(column.name for column in self.columns if column.texts)

    @property
    def is_number(self) -> np.ndarray:
        """Which inputs are numbers of the table, `(n_in,)`; the others are 0 and 1."""
        return np.concatenate([np.full(column.width, not column.texts) for column in self.columns])

    @property
    def inputs(self) -> tuple[str, ...]:
        """A name for each input: that of the column, with the text for a one-hot input, as in `colour=red`."""
        parts = ([f"{c.name}={text}" for text in c.texts] or [c.name] for c in self.columns)
        return tuple(name for part in parts for name in part)


class Source(NamedTuple):
    """What the columns of an array are that was read from a table: numbers, or the numbers of texts; nan is missing."""

    where: str  # the file, or "the table"
    names: tuple[str, ...]
    texts: tuple[tuple[str, ...], ...]  # the different texts of each column, in order; () for numbers
    place: Place
    remedy: str  # for a text that no training row has
    dropped: tuple[str, ...] = ()
    missing: str = "refuse"  # as for `load_data`


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


def fitted(x: np.ndarray, source: Source) -> Encoding:
    """The encoding that the training rows `x` `(n, k)` decide.

    Raises:
        InputError: A column has no value in any training row, though its missing cells are filled.
    """
    for k in np.flatnonzero(np.isnan(x).all(axis=0)):
        name = source.names[k]
        raise InputError(
            f"{source.where}, column {name!r}: it is missing in every training row; drop = [{name!r}] leaves it out"
        )
    of = zip(x.T, source.names, source.texts, strict=True)
    return Encoding(tuple(_fitted(*each, source.missing) for each in of), source.dropped)


def _fitted(x: np.ndarray, name: str, texts: tuple[str, ...], missing: str) -> Coded:
    present = x[~np.isnan(x)]
    if not texts:
        return Coded(name, (), (float(units(present[:, None])[0][0]),) if missing == "mean" else ())
    counts = np.bincount(present.astype(int), minlength=len(texts))
    known = tuple(text for text, count in zip(texts, counts, strict=True) if count)
    shares = tuple((counts[counts > 0] / len(present)).tolist())
    return Coded(name, known, shares if missing == "mean" else ())


def encoded(encoding: Encoding, x: np.ndarray, source: Source, rows: np.ndarray) -> np.ndarray:
    """The inputs `(n, n_in)` in float64 for `x` `(n, k)`; `rows` are their places in the source, for messages.

    Raises:
        InputError: A text is that of no training row, or a cell is missing that is not filled.
    """
    n = len(x)
    if encoding.onehot and 8 * n * encoding.n_in > LARGEST_ENCODED:
        raise InputError(
            f"{n:,} rows of {encoding.n_in:,} inputs, with those that are one-hot, take {8 * n * encoding.n_in:,} "
            f"bytes; expected at most {LARGEST_ENCODED:,}: drop columns or keep fewer rows"
        )
    if not encoding.onehot and not any(column.fill for column in encoding.columns):
        return x
    inputs, first = np.zeros((n, encoding.n_in)), 0
    for k, column in enumerate(encoding.columns):
        part = inputs[:, first : first + column.width]
        missing = np.isnan(x[:, k])
        if column.texts:
            known = _places(column, x[:, k], source, k, rows)
            part[np.flatnonzero(~missing), known] = 1
        else:
            part[:, 0] = x[:, k]
        if column.fill:
            part[missing] = column.fill
        first += column.width
    return inputs


def _places(column: Coded, x: np.ndarray, source: Source, k: int, rows: np.ndarray) -> np.ndarray:
    """For each cell that is not missing, which of the column's texts it is."""
    texts = source.texts[k]
    known = {text: place for place, text in enumerate(column.texts)}
    by_value = {int(text): place for text, place in known.items()} if all(map(WHOLE.fullmatch, known)) else {}
    places = np.array([_place(text, known, by_value) for text in texts], int)
    present = ~np.isnan(x)
    found = places[x[present].astype(int)] if len(texts) else np.zeros(0, int)
    if (found < 0).any():
        i = int((found < 0).argmax())
        text = texts[int(x[present][i])]
        raise InputError(
            f"{source.place(int(rows[present][i]))}, column {column.name!r}: {text[:40]!r} is in no training row; they "
            f"have {shown(column.texts)}: {source.remedy}"
        )
    return found


def _place(text: str, known: dict[str, int], by_value: dict[int, int]) -> int:
    if by_value and is_number(text) and float(text).is_integer():
        return by_value.get(int(text) if WHOLE.fullmatch(text) else int(float(text)), -1)
    return known.get(text, -1)
