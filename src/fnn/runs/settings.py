"""The settings of a run as texts, and those in which several runs differ. This needs no JAX."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

SECTIONS = ("training", "network", "data", "seed", "monitor")  # of a config.json, in the order in which they are shown
LAYERS = "network.layers"
FIRST = ("data.source", LAYERS, "sweep", "training.optimizer", "network.cost")  # what tells most is shown first
LONGEST = 60  # characters of a setting
Settings = dict[str, str]  # by dotted names: {"training.optimizer.eta": "0.1"}


def settings(config: Mapping[str, Any]) -> Settings:
    """The settings in a config.json. The layers are one entry, and so is each further field of each of them."""
    said = {section: config[section] for section in SECTIONS if section in config}
    return {name: brief(text(value)) for name, value in _entries(said, "")}


def of_sweep(config: Mapping[str, Any]) -> Settings:
    """The settings in the config.json of a sweep, where a number that is swept has the values of its axis."""
    grid = config.get("sweep")
    grid = grid if isinstance(grid, dict) else {}
    axes = {name: values for name, values in grid.items() if isinstance(values, list) and values}
    swept = {_swept(name): brief(" | ".join(map(text, values))) for name, values in axes.items()}
    first, seeds = config.get("seed"), grid.get("seeds")
    if isinstance(first, int) and isinstance(seeds, int) and seeds > 1:
        swept["seed"] = f"{first} to {first + seeds - 1}"
    return settings(config) | swept


def _swept(axis: str) -> str:
    """The name of the setting that an axis of a sweep replaces."""
    return f"sweep.{axis}" if axis in ("scale", "units") else f"training.optimizer.{axis}"


def _entries(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    if where == LAYERS and isinstance(value, list) and all(isinstance(layer, dict) for layer in value):
        yield where, " ".join(map(_layer, value))
        for i, layer in enumerate(value):
            rest = {name: field for name, field in layer.items() if isinstance(field, dict)}
            yield from _entries(rest, f"{where}.{i}")
    elif isinstance(value, dict):
        if "type" in value:
            yield where, value["type"]
        for name, inner in value.items():
            if name != "type":
                yield from _entries(inner, f"{where}.{name}" if where else str(name))
    else:
        yield where, value


def _layer(layer: Mapping[str, Any]) -> str:
    """A layer in short: `30` for a Dense of 30 units, `ReLU`, `Conv(20,5)`."""
    values = [text(value) for name, value in layer.items() if name != "type" and not isinstance(value, dict)]
    if layer.get("type") == "Dense" and len(values) == 1:
        return values[0]
    return f"{text(layer.get('type', '?'))}{'(' * bool(values)}{','.join(values)}{')' * bool(values)}"


def text(value: Any) -> str:
    """A value nearly as in a config; a text without its quotes, where characters that cannot be seen are escaped."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {text(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(text, value))}]"
    said = value if isinstance(value, str) else json.dumps(value)
    return said if said.isprintable() else ascii(said)[1:-1]


def brief(said: str) -> str:
    """The text, cut after `LONGEST` characters; of a path the end remains."""
    if len(said) <= LONGEST:
        return said
    return f"..{said[2 - LONGEST :]}" if _is_path(said) else f"{said[: LONGEST - 2]}.."


def differing(all_settings: Sequence[Settings]) -> list[str]:
    """The names of the settings in which runs differ: what tells most is first, then they go by their sections.

    A setting that a run does not have is no difference: versions of fnn differ in what there is to set.
    """
    values: dict[str, set[str]] = {}
    for each in all_settings:
        for name, value in each.items():
            values.setdefault(name, set()).add(value)
    names = [name for name, several in values.items() if len(several) > 1]

    def place(name: str) -> tuple[int, int]:
        first = (
            i for i, known in enumerate(FIRST) if name == known or (name.startswith(f"{known}.") and known != LAYERS)
        )
        section = name.split(".")[0]
        return next(first, len(FIRST)), SECTIONS.index(section) if section in SECTIONS else len(SECTIONS)

    return sorted(names, key=place)


def short_names(names: Sequence[str]) -> dict[str, str]:
    """For each dotted name its shortest end that no other has: `eta` for `training.optimizer.eta`."""

    def ends(name: str) -> Iterator[str]:
        parts = name.split(".")
        return (".".join(parts[i:]) for i in range(len(parts) - 1, -1, -1))

    others = {name: {end for other in names if other != name for end in ends(other)} for name in names}
    return {name: next((end for end in ends(name) if end not in others[name]), name) for name in names}


def shorter_paths(column: Sequence[str]) -> list[str]:
    """The same texts; if they are paths, then without their folders where these are not needed to tell them apart."""
    last = [Path(value).name if _is_path(value) else value for value in column]
    return last if len(set(last)) == len(set(column)) else list(column)


def _is_path(text: str) -> bool:
    return "/" in text or os.sep in text
