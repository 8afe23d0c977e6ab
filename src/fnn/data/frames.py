"""Dicts of columns, and tables of pandas, polars and pyarrow, known by what they can do: no library is imported."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from fnn.data.gathering import Numbers, Texts
from fnn.data.headers import check_names
from fnn.data.spelling import canonical
from fnn.data.table_columns import Column, column_of_numbers
from fnn.errors import InputError

CELLS_AT_ONCE = 4096  # that are texts at a time
ALONE = (str, bytes, int, float, type(None))  # no columns


def is_frame(data: object) -> bool:
    """Whether these are columns by name: a dict, or a table of pandas, polars, pyarrow, or another like them."""
    return isinstance(data, Mapping) or is_lazy(data) or (hasattr(data, "columns") and hasattr(data, "__getitem__"))


def is_lazy(data: object) -> bool:
    """Whether it is a lazy table of polars, whose columns are not there yet."""
    return hasattr(data, "collect_schema") and not hasattr(data, "to_dict")


def index_of(frame: object) -> list[str]:
    """The names of a pandas index, if it has names. An index is not a column."""
    names = getattr(getattr(frame, "index", None), "names", None)
    return [str(name) for name in names or () if name is not None]


def keys_of(frame: Any) -> dict[str, Any]:
    """The name of each column, as a file would have it, and its key in the frame; of two alike the last."""
    return {_name(key): key for key in _keys(frame)}


def check_header(where: str, frame: Any, skip: Collection[str]) -> None:
    """Refuses a frame whose names are none, or there twice.

    Raises:
        InputError: It says which, or that the frame has no rows yet.
    """
    if is_lazy(frame):
        raise InputError(
            f"{where}: is a {type(frame).__name__} without rows; expected a data frame, as frame.collect() gives"
        )
    check_names(where, [_name(key) for key in _keys(frame)], skip)


def _keys(frame: Any) -> list[Any]:
    if isinstance(frame, Mapping):
        return list(frame)
    return list(frame.column_names if hasattr(frame, "column_names") else frame.columns)  # of pyarrow; of the others


def _name(key: Any) -> str:
    return canonical(str(key).strip())


def read_columns(
    where: str, frame: Any, texts: Collection[str], skip: Collection[str]
) -> tuple[tuple[str, ...], tuple[Column, ...], np.ndarray]:
    """The names, the columns, and the number of each row, as `csv_files.read_columns`.

    Raises:
        InputError: A name is none, or a column does not hold one number or text a row.
    """
    check_header(where, frame, skip)
    keys = keys_of(frame)
    columns = {name: _column_in(where, frame, name, key) for name, key in keys.items() if name not in skip}
    lengths = {name: len(column) for name, column in columns.items()}
    first = next(iter(lengths), "")
    for name, n in lengths.items():
        if n != lengths[first]:
            raise InputError(
                f"{where}: column {name!r} has {n:,} rows, {first!r} has {lengths[first]:,}; expected as many"
            )
    read = tuple(_read(name, column, name in texts) for name, column in columns.items())
    return tuple(keys), read, np.arange(lengths.get(first, 0))


def _column_in(where: str, frame: Any, name: str, key: Any) -> Any:
    """A column of a frame: an array of numbers `(n,)`, or something whose parts are lists.

    Raises:
        InputError: It does not hold one number or text a row.
    """
    try:
        column = frame[key]
        if isinstance(column, ALONE):
            raise TypeError(f"{column!r}"[:80])
        array = _numbers(column)
        shape = np.shape(array) if isinstance(array, np.ndarray) else (len(array),)
    except (TypeError, ValueError, KeyError) as error:
        what = " ".join(str(error).split())[:200]
        raise InputError(f"{where}: column {name!r}: {what}; expected one number or text for each row") from None
    if len(shape) != 1:
        raise InputError(f"{where}: column {name!r} has shape {shape}; expected one number or text for each row")
    return array


def _numbers(column: Any) -> Any:
    """The column as an array if NumPy has it in full, else as something whose parts are lists."""
    if np.ma.isMaskedArray(column):
        return column.tolist()
    if isinstance(column, list | tuple):
        kinds = set(map(type, column))
        return np.array(column, kinds.pop()) if kinds in ({int}, {float}) and _fits(column) else list(column)
    if isinstance(column, np.ndarray) or hasattr(column, "iloc"):
        return np.asarray(column)
    nulls = getattr(column, "null_count", 0)
    some = np.asarray(column[:1])
    if (nulls() if callable(nulls) else nulls) or some.dtype.kind not in "iuf":
        return column  # whole numbers beside nulls would become floats
    return np.asarray(column)


def _fits(column: Sequence[Any]) -> bool:
    return not column or not isinstance(column[0], int) or -(2**63) <= min(column) <= max(column) < 2**63


def _read(name: str, column: Any, as_text: bool) -> Column:
    if isinstance(column, np.ndarray) and column.dtype.kind in "iuf" and column.dtype.itemsize <= 8:
        return column_of_numbers(name, column, as_text)
    texts, numbers = Texts(), Numbers(1)
    for cells in _blocks(column):
        if as_text:
            texts.extend(cells)
        else:
            numbers.extend([[cell] for cell in cells])
    return texts.column(name) if as_text else numbers.columns([name])[0]


def cells_of(where: str, frame: Any, name: str) -> Iterator[str]:
    """The cells of one column as texts."""
    column = _column_in(where, frame, name, keys_of(frame)[name])
    return (cell for block in _blocks(column) for cell in block)


def _blocks(column: Any) -> Iterator[list[str]]:
    for i in range(0, len(column), CELLS_AT_ONCE):
        yield [_text(cell) for cell in _listed(column[i : i + CELLS_AT_ONCE])]


def _listed(part: Any) -> list[Any]:
    if hasattr(part, "to_pylist"):  # of pyarrow
        return part.to_pylist()
    return part.to_list() if hasattr(part, "to_list") else list(part)


def _text(cell: Any) -> str:
    """What a file would have in the place of a cell: nothing for a null, and for a nan, which is the null of pandas."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, np.datetime64):
        cell = cell.astype("M8[us]").item()  # a date of Python, as the other tables have it
    if cell is None or (isinstance(cell, float | np.floating) and cell != cell):
        return ""
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "backslashreplace")
    if isinstance(cell, np.floating) and cell.dtype.itemsize <= 8:
        return repr(float(cell))
    return repr(cell) if isinstance(cell, float) else str(cell)
