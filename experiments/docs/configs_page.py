"""Writes the second half of `docs/configs.md`: every entry of a config, with its type, default and meaning.

`python -m experiments.docs.configs_page` writes it anew from the dataclasses of `fnn.config.sections` and the
docstrings of the classes that a config may name. A test holds the page equal to what is written.
"""

import dataclasses
import math
import re
import textwrap
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fnn.config import sections
from fnn.config.meanings import REQUIRED, about, entries
from fnn.config.schema import describe
from fnn.schedules import Schedule
from fnn.types import Cost, Initializer, Layer, Optimizer

PAGE = Path(__file__).parents[2] / "docs" / "configs.md"
MARK = "<!-- from here on by python -m experiments.docs.configs_page -->\n"
TABLES = {
    "Above the sections": sections.Config,
    "[data]": sections.DataConfig,
    "[network]": sections.NetworkConfig,
    "[training]": sections.TrainingConfig,
    "[sweep]": sections.SweepConfig,
    "[monitor]": sections.MonitorConfig,
}
KINDS = {"Layers": Layer, "Costs": Cost, "Initialisers": Initializer, "Optimisers": Optimizer, "Schedules": Schedule}
WORDS = {int: "whole number", float: "number", str: "text", bool: "true or false"}


def main() -> None:
    """Writes the page."""
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def written(page: str) -> str:
    """The page with all below the mark anew."""
    return page.partition(MARK)[0] + MARK + "\n" + "\n".join([*_tables(), *_classes()])


def _tables() -> Iterator[str]:
    for title, cls in TABLES.items():
        yield f"## {title}\n"
        said = re.sub(r"^`\[\w+\]`[:,] ", "", _in_toml(about(cls)))
        yield _wrapped(_sentence(said) if title.startswith("[") else "These stand before the first section.") + "\n"
        for entry in entries(cls):
            if not getattr(entry.kind, "section", False):
                what = f"{kind(entry.kind)}{_default(entry.default)}"
                yield _wrapped(f"- **`{entry.name}`** ({what}): {_sentence(_in_toml(entry.meaning))}")
        yield ""


def _classes() -> Iterator[str]:
    for title, protocol in KINDS.items():
        yield f"## {title}\n"
        for name, cls in sections.TYPES.items():
            if issubclass(cls, protocol):
                yield f"### {name}\n"
                yield f"`{example(name, cls)}`\n"
                yield f"{about(cls)}\n"


def example(name: str, cls: type) -> str:
    """The class as it stands in a config, with all of its entries; what has no default is said in words."""
    fields = entries(cls)
    if not fields:
        return f'"{name}"'
    values = (f"{each.name} = {_value(each.kind, each.default)}" for each in fields)
    return f'{{ type = "{name}", {", ".join(values)} }}'


def kind(expected: Any) -> str:
    """The type of an entry in words."""
    if typing.get_origin(expected) is tuple:
        one = kind(typing.get_args(expected)[0])
        return f"list of {one}s"
    if isinstance(expected, type) and expected in WORDS:
        return WORDS[expected]
    plain = next((WORDS[each] for each in (float, int) if each in typing.get_args(expected)), "")
    return plain or expected.__name__.lower().replace("optimizer", "optimiser")


def toml(value: Any) -> str:
    """A value as it stands in a config."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        table = describe(value)
        rest = {key: each for key, each in table.items() if key != "type"}
        entries_of = ", ".join(f"{key} = {toml(each)}" for key, each in table.items())
        return f"{{ {entries_of} }}" if rest else f'"{table["type"]}"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and math.isinf(value):
        return str(value)
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(toml, value))}]"
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _value(expected: Any, default: Any) -> str:
    return "..." if default is REQUIRED else toml(default)


def _default(default: Any) -> str:
    return "; required" if default is REQUIRED else f"; `{toml(default)}`"


def _in_toml(meaning: str) -> str:
    """Python's tuples as the lists of TOML."""
    meaning = meaning.replace("`()`", "`[]`").replace("for () ", "for `[]` ")
    return re.sub(r"\(((?:\d+, )*\d+),?\)`", r"[\1]`", meaning)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _wrapped(text: str) -> str:
    indent = "  " if text.startswith("- ") else ""
    return textwrap.fill(text, 120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    main()
