"""What the entries of a config mean: the types of its dataclasses' fields, their defaults, and what is said of them.

What is said of a field stands in the comment behind it. Those of `[data]` are arguments of `load_data`, whose docstring
says what they are.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import textwrap
import typing
from collections.abc import Callable
from typing import Any, NamedTuple

from fnn.config.sections import DataConfig
from fnn.data import load_data

REQUIRED = dataclasses.MISSING  # the default of an entry that a config must say


class Entry(NamedTuple):
    """An entry of a table of a config."""

    name: str
    kind: Any  # the type of its field
    default: Any  # or `REQUIRED`
    meaning: str  # in a sentence or several; "" if nothing is said of it


def entries(cls: type) -> tuple[Entry, ...]:
    """The entries of a section, or of a class that a `type` names, in their order.

    Examples:
        >>> from fnn.config.sections import SweepConfig
        >>> entries(SweepConfig)[3]
        Entry(name='scale', kind=tuple[float, ...], default=(), meaning='factors on the initial W')
    """
    kinds = typing.get_type_hints(cls)
    said = arguments(load_data) if cls is DataConfig else {}
    behind = comments(cls)
    return tuple(
        Entry(field.name, kinds[field.name], _default(field), behind.get(field.name) or said.get(field.name, ""))
        for field in dataclasses.fields(cls)
    )


def _default(field: dataclasses.Field) -> Any:
    made = field.default_factory
    return field.default if made is dataclasses.MISSING else made()


def comments(cls: type) -> dict[str, str]:
    """The comments behind the fields of a class; none where its source is not at hand."""
    try:
        source = inspect.getsource(cls)
    except OSError:
        return {}
    return dict(re.findall(r"^    (\w+): [^#\n]*  # (.+)$", source, re.M))


def arguments(function: Callable) -> dict[str, str]:
    """What the docstring of a function says of each of its arguments."""
    section = re.search(r"^Args:\n(.*?)^(?=\S)", (inspect.getdoc(function) or "") + "\nend", re.M | re.S)
    texts = re.split(r"^(\w+): ", textwrap.dedent(section[1]), flags=re.M) if section else [""]
    return {name: " ".join(text.split()) for name, text in zip(texts[1::2], texts[2::2], strict=True)}


def about(cls: type) -> str:
    """The docstring of a class without its sections about errors and examples."""
    return re.split(r"\n+(?:Raises|Examples|Args|Returns):\n", inspect.getdoc(cls) or "")[0].strip()
