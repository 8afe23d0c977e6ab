"""The JSON schema of a config (draft 2020-12), for editors: what `fnn.config.schema` reads, by key and by type.

It is made from the dataclasses of the sections and of the classes that a config may name. As `load_config` it refuses
unknown keys, missing ones and values of another type. Two things it cannot: to JSON Schema 2.0 is a whole number, and
what depends on several entries or on the size of a number, such as epochs = 0, is checked by `load_config` alone.
"""

from __future__ import annotations

import dataclasses
import json
import typing
from types import UnionType
from typing import Any

from fnn.config.meanings import REQUIRED, Entry, about, entries
from fnn.config.schema import Types, describe
from fnn.config.sections import GRADIENTS, TYPES, Config, TrainingConfig
from fnn.errors import InputError
from fnn.training.keeping import KEEPS

DRAFT = "https://json-schema.org/draft/2020-12/schema"
KINDS = {int: "integer", float: "number", str: "string", bool: "boolean"}
WORDS = {(TrainingConfig, "gradient"): (*GRADIENTS,), (TrainingConfig, "keep"): ("", *KEEPS)}  # the only texts allowed
Schema = dict[str, Any]


def json_schema(types: Types = TYPES) -> Schema:
    """The schema of a config that may name these classes.

    Raises:
        InputError: the types of the fields of a class are not there.

    Examples:
        >>> json_schema()["properties"]["seed"]["type"]
        'integer'
    """
    kinds: dict[str, Any] = {}  # what is expected somewhere and has several classes: a layer, a cost, ...
    whole = _table(Config, kinds)
    classes = {name: _table(cls, kinds, name) for name, cls in types.items()}
    alternatives: dict[str, Schema] = {}
    while left := [key for key in kinds if key not in alternatives]:  # an alternative may have kinds of its own
        alternatives[left[0]] = _alternatives(kinds[left[0]], kinds, types)
    return {"$schema": DRAFT, "title": "A config of fnn"} | whole | {"$defs": alternatives | classes}


def text(types: Types = TYPES) -> str:
    """The schema as the text of a file."""
    return json.dumps(json_schema(types), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _alternatives(kind: Any, kinds: dict[str, Any], types: Types) -> Schema:
    """What may stand where a layer is expected, a cost, ...: a table of one of its classes, or only its name."""
    fitting = [name for name, cls in types.items() if issubclass(cls, kind)]
    tables = [{"$ref": f"#/$defs/{name}"} for name in fitting]
    if dataclasses.is_dataclass(kind):  # the field's own class, whose table needs no type
        own = _table(kind, kinds)
        own["properties"] = {"type": {"const": kind.__name__}} | own["properties"]
        return {"anyOf": [own, *tables]}
    alone = [name for name in fitting if not _required(types[name])]
    return {"anyOf": [{"enum": alone}, *tables]} if fitting else {"not": {}}


def _table(cls: Any, kinds: dict[str, Any], name: str = "") -> Schema:
    """The table of a section, or of a class, whose `type` is the name."""
    try:
        properties = {entry.name: _entry(cls, entry, kinds) for entry in entries(cls)}
    except NameError as error:  # a type that its module imports for type checkers alone
        raise InputError(f"{cls.__name__}: the types of its fields are not there ({error}).") from None
    said = " ".join(about(cls).split())
    return ({"description": said} if said else {}) | {
        "type": "object",
        "properties": ({"type": {"const": name}} if name else {}) | properties,
        "required": [*(["type"] if name else []), *_required(cls)],
        "additionalProperties": False,
    }


def _required(cls: Any) -> list[str]:
    return [entry.name for entry in entries(cls) if entry.default is REQUIRED]


def _entry(cls: Any, entry: Entry, kinds: dict[str, Any]) -> Schema:
    """What an entry may be, with its meaning and its default."""
    schema = _of(entry.kind, kinds)
    if words := WORDS.get((cls, entry.name)):
        schema |= {"enum": list(words)}
    if entry.meaning:
        schema |= {"description": entry.meaning}
    if entry.default is REQUIRED:
        return schema
    default = describe(entry.default)
    try:
        json.dumps(default, allow_nan=False)
    except (TypeError, ValueError):  # -inf, and what a config cannot say
        return schema
    return schema | {"default": default}


def _of(kind: Any, kinds: dict[str, Any]) -> Schema:
    """What a field of this type may be, as `fnn.config.schema.read` takes it."""
    if isinstance(kind, UnionType):  # of `Array | float` a table can hold the float alone
        kind = next((plain for plain in KINDS if plain in typing.get_args(kind)), kind)
    if kind in KINDS:
        return {"type": KINDS[kind]}
    if typing.get_origin(kind) is tuple:
        return {"type": "array", "items": _of(typing.get_args(kind)[0], kinds)}
    if isinstance(kind, UnionType):
        return {"not": {}}  # no config can say it
    if getattr(kind, "section", False):
        return _table(kind, kinds)
    kinds[f"any.{kind.__name__}"] = kind  # no class has a dot in its name
    return {"$ref": f"#/$defs/any.{kind.__name__}"}
