"""The columns of a table as inputs of a network: numbers, and texts as one-hot inputs; what is missing may be filled.

An encoding is fitted on the training rows alone. Shape letters: `n` rows, `k` columns, `n_in` inputs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fnn.data.cells import WHOLE, is_number
from fnn.data.headers import shown
from fnn.data.precision import units
from fnn.data.table_columns import Place
from fnn.errors import InputError

LARGEST_ENCODED = 2**31  # bytes of inputs in float64, if some are one-hot


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


def fitted(x: np.ndarray, source: Source) -> Encoding:
    """The encoding that the training rows `x` `(n, k)` decide.

    Raises:
        InputError: A column has no value in any training row, though its missing cells are filled.
    """
    if source.missing != "mean" and not any(source.texts):
        return Encoding(tuple(map(Coded, source.names)), source.dropped)
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
