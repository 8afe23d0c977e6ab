"""What was probably meant by an unknown key of a config: one of another table, one misspelt, or another library's."""

from __future__ import annotations

import dataclasses
import difflib
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from fnn.config.other_names import ADVICE, KEYS, plain
from fnn.config.schema import UnknownKeyError, nearest
from fnn.config.sections import TYPES, Config

LAYERS = "network.layers"
CLOSE = 0.75  # how alike a misspelt key and one of another table must be, from 0 to 1


def meant(error: UnknownKeyError, table: Mapping[str, Any]) -> str:
    """The message about an unknown key, in a config whose tables are `table`."""
    return f"{error.place}: unknown key; {_hint(error, plain(error.key), table)}"


def _hint(error: UnknownKeyError, word: str, table: Mapping[str, Any]) -> str:
    """The most certain hint: other letters, our name for it, what to do instead, another place, or a key like it."""
    key, own, ours = error.key, error.names, KEYS.get(word, "")
    places = [] if error.where.startswith(LAYERS) else _places(table, isinstance(error.value, Mapping))
    if here := [name for name in own if plain(name) == word]:
        return f"did you mean {here[0]!r}?"
    if ours in own:
        return f"here it is called {ours!r}."
    if word in ADVICE:
        return f"{ADVICE[word]}."
    if there := [path for path in places if plain(_last(path)) == word]:
        return f"did you mean {_either(there)}?"
    if there := [path for path in places if _last(path) == ours and not path.startswith("sweep.")]:
        return f"here it is called {_either(there)}."
    if difflib.get_close_matches(key, own, 1):
        return nearest(key, own)
    if near := difflib.get_close_matches(key, map(_last, places), 1, CLOSE):
        return f"did you mean {_either([path for path in places if _last(path) == near[0]])}?"
    if word not in KEYS and (near := difflib.get_close_matches(word, [*KEYS, *ADVICE], 1, CLOSE)):
        return _hint(error, near[0], table)
    return nearest(key, own)


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _either(paths: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(paths[:-1]), paths[-1])))


def _places(table: Mapping[str, Any], is_table: bool) -> list[str]:
    """The paths of all entries of a config, or of those alone that are tables or lists of them."""
    return list(dict.fromkeys(path for path, of_tables in _entries(Config, "", table) if of_tables or not is_table))


def _entries(cls: Any, where: str, table: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """The path of each entry of a section, and whether it is a table or a list of tables."""
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        path, expected = f"{where}{field.name}", hints[field.name]
        if getattr(expected, "section", False):
            yield path, True
            yield from _entries(expected, f"{path}.", table)
            continue
        protocol = typing.get_args(expected)[0] if path == LAYERS else expected
        is_class = getattr(protocol, "_is_protocol", False)
        yield path, is_class
        names = dict.fromkeys(
            name for kind in TYPES.values() if is_class and issubclass(kind, protocol) for name in _names(kind)
        )
        for name in names:
            inner = f"{path}.{_layer_with(name, table)}" if path == LAYERS else path
            yield f"{inner}.{name}", False


def _names(cls: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(cls)]


def _layer_with(name: str, table: Mapping[str, Any]) -> int:
    """The number of the first layer of a config that says an entry of this name; 0 if none does."""
    network = table.get("network")
    layers = network.get("layers") if isinstance(network, dict) else None
    layers = layers if isinstance(layers, list) else []
    return next((i for i, layer in enumerate(layers) if isinstance(layer, dict) and name in layer), 0)
