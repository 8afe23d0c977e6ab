"""`--set KEY=VALUE`: an entry of a config that the command line changes."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from typing import Any

from fnn.errors import InputError
from fnn.storage.paths import check_visible


def put(table: dict[str, Any], override: str) -> None:
    """Put the value of `key=value` into the nested tables and lists.

    Raises:
        InputError: the override has another form, or there is no such place.
    """
    key, equals, text = override.partition("=")
    if "\n" in override.strip():
        raise InputError(f"--set {override!r}: expected one line; say --set once more for another entry.")
    check_visible(override.rstrip("\n"), "--set")
    if not equals or not all(key.strip().split(".")):
        raise InputError(f"--set {override}: expected key=value, such as training.epochs=3.")
    if "[" in key:
        dotted = re.sub(r"\[(\d+)\]", r".\1", key.strip())
        raise InputError(f"--set {override}: expected the number of an entry between dots: {dotted}={text.strip()}.")
    *path, last = key.strip().split(".")
    place: Any = table
    for part in path:
        place = _inside(place, part, override)
    if isinstance(place, list):
        _inside(place, last, override)
        place[int(last)] = _toml_value(text)
    elif isinstance(place, dict):
        place[last] = _toml_value(text)
    else:
        where = ".".join(path)
        raise InputError(
            f"--set {override}: {where} is {place!r}, which has no entries{_whole(where, place, last, text)}."
        )


def _whole(where: str, place: object, last: str, text: str) -> str:
    """How to replace a class that the config names alone, as 'Sigmoid', for a message."""
    if not isinstance(place, str) or "." not in where:
        return ""
    table = text.strip() if last == "type" else f"{{ type = '{place}', {last} = {text.strip()} }}"
    return f'; say --set "{where}={table}"'


def _inside(place: Any, part: str, override: str) -> Any:
    """The entry `part` of a table, made if it is missing, or of a list."""
    if isinstance(place, dict):
        return place.setdefault(part, {})
    if isinstance(place, list) and part.isdecimal() and int(part) < len(place):
        return place[int(part)]
    entries = f"the entries are 0 to {len(place) - 1}" if isinstance(place, list) and place else "it has no entries"
    raise InputError(f"--set {override}: there is no entry {part!r} here; {entries}.")


def _toml_value(text: str) -> Any:
    """The value of a TOML text, or the text itself where it is not TOML."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return text.strip()


def key_of(override: str) -> str:
    """The key of `key=value`."""
    return override.partition("=")[0].strip()


def said_by(message: str, overrides: Sequence[str]) -> str:
    """The `--set` that an error is about, to begin its message with; "" if it is about the config."""
    wrong = re.split(r": | = ", message, maxsplit=1)[0]
    for override in reversed(overrides):
        place = re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", key_of(override))  # as messages have it: layers[0]
        section, _, name = place.rpartition(".")
        is_inside = place.startswith((f"{wrong}.", f"{wrong}["))
        if place == wrong or wrong.startswith((f"{place}.", f"{place}[")):
            return f"--set {override.strip()}: "
        # a table that this entry has made, or a check of several entries together: "training: epochs = 0"
        made = ": unknown key" in message or ": expected a table with a type" in message
        if is_inside and (made or (section == wrong and re.search(rf"\b{name} ?=", message))):
            return f"--set {override.strip()}: "
    return ""
