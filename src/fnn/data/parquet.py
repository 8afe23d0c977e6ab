"""Tables in `.parquet` files, which pyarrow reads; it is an extra and imported at the first such file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from fnn.errors import CorruptFileError, InputError

MOST_CELLS = 2**27  # of the columns that are read: no more than the largest .csv can have


def names(path: str | os.PathLike[str]) -> list[str]:
    """The names of the columns of a file.

    Raises:
        InputError: pyarrow is not installed.
        CorruptFileError: The file cannot be read.
    """
    return _opened(path).schema_arrow.names


def read(path: str | os.PathLike[str], columns: Sequence[str]) -> Any:
    """Some columns of a file, as a table of pyarrow.

    Raises:
        InputError: pyarrow is not installed, or the columns have too many cells.
        CorruptFileError: The file cannot be read.
    """
    file = _opened(path)
    cells = file.metadata.num_rows * len(columns)
    if cells > MOST_CELLS:
        raise InputError(f"{path}: {cells:,} cells; expected at most {MOST_CELLS:,}. Keep fewer rows, or drop columns")
    try:
        return file.read(columns=list(columns))
    except (ValueError, OSError, RuntimeError) as error:  # pyarrow's errors are of these kinds
        raise CorruptFileError(path, f"cannot be read as a Parquet file: {error}") from error


def _opened(path: str | os.PathLike[str]) -> Any:
    try:
        parquet = import_module("pyarrow.parquet")
    except ImportError:
        raise InputError(
            f"{path}: pyarrow reads .parquet files, and is not installed; get it with  pip install 'fnn[parquet]'"
        ) from None
    try:
        return parquet.ParquetFile(path)
    except (ValueError, OSError, RuntimeError) as error:
        raise CorruptFileError(path, f"cannot be read as a Parquet file: {error}") from error
