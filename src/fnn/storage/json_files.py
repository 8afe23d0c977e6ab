"""Plain JSON files, written atomically and read without trusting them."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from typing import Any

from fnn.errors import CorruptFileError
from fnn.storage.files import open_plain, write_atomically

LARGEST_JSON = 2**26  # bytes; so many, because config.json has two numbers for each standardised input
DEEPEST = 50  # levels of tables and lists


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Writes a value as indented JSON with sorted keys, so that equal values give equal bytes.

    JSON has no infinite numbers and no nan; they are written as the texts "inf", "-inf" and "nan".
    """
    write_atomically(path, json_bytes(value))


def json_bytes(value: Any) -> bytes:
    """The bytes that `write_json` writes."""
    return f"{json.dumps(_finite(value), indent=2, sort_keys=True, allow_nan=False)}\n".encode()


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def read_json(path: str | os.PathLike[str]) -> Any:
    """The value in a JSON file of at most 64 MiB.

    Raises:
        CorruptFileError: The file is missing, too large, not UTF-8 or not JSON, or holds a key twice, nan, infinity,
            or too many levels.
    """
    return parse_json(read_bounded(path, LARGEST_JSON), path)


def read_bounded(path: str | os.PathLike[str], largest: int) -> bytes:
    """The bytes of a plain file that has at most `largest` of them.

    Raises:
        CorruptFileError: The file is missing, not a plain file, or too large.
    """
    data = read_plain(path, largest + 1)
    if len(data) > largest:
        raise CorruptFileError(path, f"larger than {largest:,} bytes")
    return data


def read_plain(path: str | os.PathLike[str], most: float = math.inf) -> bytes:
    """The bytes of a plain file, or the first `most` of them; takes no more memory than the file has bytes.

    Raises:
        CorruptFileError: The file is missing, or not a plain file.
    """
    try:
        with open_plain(path) as file:
            return file.read(int(min(most, os.fstat(file.fileno()).st_size)))
    except OSError as error:
        raise CorruptFileError(path, f"cannot be read ({error.strerror})") from None
    except ValueError:
        raise CorruptFileError(path, "is not a plain file") from None


def parse_json(data: bytes, path: str | os.PathLike[str]) -> Any:
    """The value in the bytes of a JSON text; `path` is for messages.

    Raises:
        CorruptFileError: As `read_json`.
    """
    try:
        value = json.loads(data.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
        _check_depth(value)
        return value
    except (ValueError, RecursionError) as error:
        raise CorruptFileError(path, f"is not plain JSON: {error}") from None


def _check_depth(value: Any, depth: int = 0) -> None:
    """Refuses more than `DEEPEST` levels, so that a recursive function can walk over the value."""
    if depth > DEEPEST:
        raise ValueError(f"more than {DEEPEST} levels")
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_depth(inner, depth + 1)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        raise ValueError("a key stands twice")
    return table


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs between two tables, one text for each entry: `versions.jax was 0.10.1, is 0.12.0`."""
    was, has = dict(entries(then)), dict(entries(now))
    keys = [key for key in {**was, **has} if was.get(key) != has.get(key)]
    return [f"{key} was {_shown(was.get(key))}, is {_shown(has.get(key))}" for key in keys]


def entries(value: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """The entries of nested tables and lists, each under its dotted name."""
    inner = (
        value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, (list, tuple)) else ()
    )
    if not inner and where:  # a number, a text, or an empty table
        yield where, value
    for key, each in inner:
        yield from entries(each, f"{where}.{key}" if where else str(key))


def _shown(value: Any) -> str:
    return "not there" if value is None else ascii(value)[:80]  # it may come from a file
