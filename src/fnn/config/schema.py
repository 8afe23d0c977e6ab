"""Tables of TOML or JSON to dataclasses and back, strictly by the types of the fields.

A field whose type is a dataclass is a table. A field whose type is a protocol (a layer, a cost) is a table with
an entry `type`, or only the type's name if it needs no other entry. A value that does not fit raises one
`InputError`, which names the key, what was found, what is expected, and the nearest valid name.
"""

from __future__ import annotations

import dataclasses
import difflib
import typing
from collections.abc import Iterable, Mapping
from types import UnionType
from typing import Any

from fnn.config.other_names import CLASSES, plain
from fnn.errors import InputError

Types = Mapping[str, type]
COUNTS = ("data.train", "data.validation", "data.test")  # of examples; other libraries have shares here
LONGEST_VALUE = 200  # characters of a value in a message
_NOUNS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


class UnknownKeyError(InputError):
    """A table has a key that its class has not; `fnn.config.slips` says what was probably meant."""

    def __init__(self, where: str, key: str, value: object, cls: Any) -> None:
        """Keeps the table's place, its key with the value, and the class, whose keys are the right ones."""
        self.where, self.key, self.value, self.cls = where, key, value, cls
        self.names = [field.name for field in dataclasses.fields(cls)]
        self.place = _join(where, key)
        super().__init__(f"{self.place}: unknown key; {nearest(key, self.names)}")


def read(expected: Any, value: object, where: str, types: Types) -> Any:
    """`value` converted to the type `expected`.

    Args:
        expected: A field's type: int, float, str, bool, `tuple[T, ...]`, a dataclass, or a protocol.
        value: What the table holds.
        where: The key, for messages: `network.layers[2].units`.
        types: The classes that a `type` may name.

    Raises:
        InputError: the value does not fit.
    """
    if isinstance(expected, UnionType):  # of `Array | float` a table can hold the float alone
        expected = next((kind for kind in _NOUNS if kind in typing.get_args(expected)), expected)
    if expected in _NOUNS:
        return _scalar(expected, value, where)
    if typing.get_origin(expected) is tuple:
        return _tuple(typing.get_args(expected)[0], value, where, types)
    if isinstance(expected, UnionType):
        raise InputError(f"{where}: a field of type {expected} cannot be said in a config; leave it to its default.")
    if dataclasses.is_dataclass(expected):
        return _of_class(expected, value, where, types)
    return _typed(expected, value, where, types)


def _scalar(expected: type, value: object, where: str) -> Any:
    fits = isinstance(value, (int, float) if expected is float else expected)
    if not fits or (isinstance(value, bool) and expected is not bool):
        hint = ": the number of examples, not a share of them" if where in COUNTS and isinstance(value, float) else ""
        raise InputError(f"{where} = {shown(value)}: expected {_NOUNS[expected]}, got {_kind(value)}{hint}.")
    try:
        return expected(value)
    except OverflowError:
        raise InputError(f"{where} = {value!r}: too large for a number.") from None


def _tuple(expected: Any, value: object, where: str, types: Types) -> tuple:
    if not isinstance(value, list):
        raise InputError(f"{where} = {shown(value)}: expected a list, [ ... ], got {_kind(value)}.")
    return tuple(read(expected, v, f"{where}[{i}]", types) for i, v in enumerate(value))


def _table(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise InputError(f"{where} = {shown(value)}: expected a table, got {_kind(value)}.")
    return value


def _fields(cls: Any, table: Mapping[str, object], where: str, types: Types) -> Any:
    """An instance of a dataclass from the entries of a table."""
    try:
        hints = typing.get_type_hints(cls)
    except NameError as error:  # a type that its module imports for type checkers alone
        raise InputError(f"{_join(where, cls.__name__)}: the types of its fields are not there ({error}).") from None
    fields = {field.name: field for field in dataclasses.fields(cls)}
    for key in table:
        if key not in fields:
            raise UnknownKeyError(where, key, table[key], cls)
    for name, field in fields.items():
        if name not in table and _required(field):
            raise InputError(f"{_join(where, name)}: missing; it has no default, so the config must say it.")
    values = {key: read(hints[key], value, _join(where, key), types) for key, value in table.items()}
    try:
        return cls(**values)
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: {error}" if where else str(error)) from None


def _required(field: dataclasses.Field) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _of_class(cls: Any, value: object, where: str, types: Types) -> Any:
    """An instance of a dataclass; a class of the user's may say its `type`, and a subclass of it has to."""
    table = _table(value, where)
    name = table.get("type", cls.__name__)
    if getattr(cls, "section", False) or "type" in {field.name for field in dataclasses.fields(cls)}:
        return _fields(cls, table, where, types)
    if name != cls.__name__:
        return _typed(cls, table, where, types)
    return _fields(cls, {key: v for key, v in table.items() if key != "type"}, where, types)


def _typed(protocol: Any, value: object, where: str, types: Types) -> Any:
    """An instance of the class that a table's `type` names; the class must have the protocol's methods."""
    fitting = [n for n, cls in types.items() if issubclass(cls, protocol)]
    if type(value) is int and "Dense" in fitting:
        raise InputError(f"{where} = {value}: expected a table, such as {{ type = 'Dense', units = {value} }}.")
    table = {"type": value} if isinstance(value, str) else dict(_table(value, where))
    name = table.pop("type", None)
    if not isinstance(name, str):
        example = _example({n: types[n] for n in fitting}, table)
        raise InputError(f"{where}: expected a table with a type, one of {', '.join(fitting)}{example}.")
    if name not in fitting:
        _refuse_half_a_class(protocol, name, where, types)
        kind, cls = protocol.__name__.lower(), name if name.isidentifier() else "Class"
        meant = f"{CLASSES[plain(name)]}." if plain(name) in CLASSES else nearest(name, fitting)
        raise InputError(
            f"{where}: unknown {kind} {shown(name)}; {meant} For a class of your own pass "
            f"types=TYPES | {{{cls!r}: ...}}, or --type module:{cls} on the command line."
        )
    return _fields(types[name], table, where, types)


def _refuse_half_a_class(protocol: Any, name: str, where: str, types: Types) -> None:
    """Refuse a class that is nearly what the entry needs: it has all methods but one."""
    methods = [method for method in vars(protocol) if not method.startswith("_")]
    lacking = [method for method in methods if not hasattr(types.get(name), method)]
    if len(lacking) == 1 < len(methods):
        raise InputError(f"{where}: {name!r} has no method {lacking[0]!r}; expected {', '.join(methods)}.")


def _example(classes: Types, table: Mapping[str, object]) -> str:
    """For messages: the table with the first type that has all of its entries, which are numbers or texts."""
    plain_entries = table and all(type(value) in (int, float, str) for value in table.values())
    able = [n for n, cls in classes.items() if table.keys() <= getattr(cls, "__dataclass_fields__", {}).keys()]
    entries = ", ".join(f"{key} = {value!r}" for key, value in table.items())
    return f", such as {{ type = {able[0]!r}, {entries} }}" if plain_entries and able else ""


def nearest(word: str, words: Iterable[str]) -> str:
    """A hint for messages: the word that was probably meant, or else all the words."""
    words = list(words)
    if not words:
        return "expected none."
    match = difflib.get_close_matches(word, words, 1) or [w for w in words if w.lower() == word.lower()]
    return f"did you mean {match[0]!r}?" if match else f"expected one of {', '.join(words)}."


def _join(where: str, key: str) -> str:
    key = key if key.isprintable() else shown(key)
    return f"{where}.{key}" if where else key


def shown(value: Any) -> str:
    """The value as it is written in Python; a long one is cut, so that a message stays a line that one reads."""
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]} ..."


def _kind(value: object) -> str:
    nouns: dict[type, str] = {dict: "a table", list: "a list", **_NOUNS}
    return nouns.get(type(value), f"a {type(value).__name__}")


def describe(value: Any) -> Any:
    """The plain tables, lists, numbers and texts from which `read` makes an equal value.

    Every field is written, defaults included. A class that is no section also has an entry `type`, its name.
    """
    if isinstance(value, tuple):
        return [describe(v) for v in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: describe(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return fields if getattr(type(value), "section", False) else {"type": type(value).__name__, **fields}
    return value
