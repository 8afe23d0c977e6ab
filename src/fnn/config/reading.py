"""From the text of a config, with `--set`, to a `Config`, and from a `config.json` back to one; the hash of a config.

A config is a TOML file of at most 1 MiB. Its tables are those of `fnn.config.sections`, and `fnn.config.schema` reads
them strictly. A wrong entry raises one `InputError`: it names the file, the key, what was found and what is expected.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from fnn.config import slips
from fnn.config.overriding import key_of, put, said_by
from fnn.config.schema import Types, UnknownKeyError, describe, read
from fnn.config.sections import TYPES, Config
from fnn.data.arguments import is_file
from fnn.errors import InputError
from fnn.storage.paths import user_path
from fnn.types import Cost, Layer, Net

LARGEST_CONFIG = 2**20  # bytes
NEWER_DATA = {"order": "random", "standardise_y": False, "drop": (), "onehot": (), "missing": "refuse"}


def load_config(path: str | Path, overrides: Iterable[str] = (), types: Types = TYPES) -> Config:
    """The config in a file.

    Args:
        path: A TOML file; `~` is the home folder.
        overrides: Entries `key=value` that replace those of the file: `training.epochs=3`,
            `network.layers.0.units=50`. A value that is not valid TOML is taken as a text. A path to data is that
            of the shell, relative to the current folder; in the file it is relative to the file.
        types: The classes that a `type` may name; `TYPES | {"Swish": Swish}` adds one of your own.

    Raises:
        InputError: there is no such file, it is not TOML, or an entry does not fit.
    """
    path = user_path(str(path), "the config")
    return resolved(path, config_text(path), overrides, types)


def resolved(path: str | Path, text: str, overrides: Iterable[str], types: Types) -> Config:
    """The config in `text`, which was read from the file `path`; see `load_config`."""
    overrides, folder, table = list(overrides), Path(path).parent, {}
    try:
        table = parse(text)
        for override in overrides:
            put(table, override)
            _check_paths(table, override, folder)
        config = read(Config, table, "", types)
        source, y = (_located(name, folder) for name in (config.data.source, config.data.y))
    except InputError as error:
        message = slips.meant(error, table) if isinstance(error, UnknownKeyError) else str(error)
        raise InputError(f"{path}: {said_by(message, overrides)}{message}") from None
    except RecursionError:  # a key of 1,000 parts
        raise InputError(f"{path}: is not a config: nested too deeply.") from None
    return replace(config, data=replace(config.data, source=source, y=y))


def _check_paths(table: dict[str, Any], override: str, folder: Path) -> None:
    """Make a path in `--set` that of the shell, relative to the current folder; `folder` is that of the config.

    Raises:
        InputError: there is no such file, but there is one beside the config.
    """
    data, key = table.get("data"), key_of(override)
    for name in ("source", "y"):
        given = data.get(name) if isinstance(data, dict) and key in ("data", f"data.{name}") else None
        if isinstance(data, dict) and isinstance(given, str) and is_file(given) and "\0" not in given:
            here = Path.cwd() / user_path(given, f"--set data.{name}")
            if not here.exists() and (folder / given).exists():
                raise InputError(
                    f"--set {override}: there is no file {here}; a path in --set is relative to the current folder, "
                    f"beside the config there is {folder / given}."
                )
            data[name] = str(here)


def _located(source: str, folder: Path) -> str:
    """A path to the user's data as an absolute path; the name of a source unchanged."""
    return str((folder / user_path(source, "data:")).resolve()) if is_file(source) else source


def without_folders(config: Config) -> Config:
    """The config with the names of its data files alone, without their folders.

    Data that were moved are still the same data: `fnn.machine.environment` identifies them by a digest of their bytes.
    """
    source, y = (Path(name).name if is_file(name) else name for name in (config.data.source, config.data.y))
    return replace(config, data=replace(config.data, source=source, y=y))


def config_text(path: str | Path) -> str:
    """The text of a config file, as it is: with its line ends, and with the mark that Windows puts before UTF-8.

    Raises:
        InputError: the file cannot be read, is too large, or is not UTF-8.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST_CONFIG + 1)
        if len(data) > LARGEST_CONFIG:
            raise InputError(f"{path}: larger than {LARGEST_CONFIG:,} bytes; a config is a page of TOML.")
        if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or b"\0" in data[:4]:
            raise InputError(f"{path}: is UTF-16 text, which Windows calls Unicode; save it as UTF-8.")
        return data.decode()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); expected a TOML file.") from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: is not UTF-8 text (byte {error.start}); expected a TOML file, saved as UTF-8."
        ) from None


def parse(text: str) -> dict[str, Any]:
    """The tables of a TOML text.

    Raises:
        InputError: the text is not TOML, or is nested too deeply for a config.
    """
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))  # the mark of UTF-8, as Notepad and PowerShell write it
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"is not valid TOML: {error}.") from None
    except (RecursionError, ValueError):  # for example 10,000 brackets, or an integer of 10,000 digits
        raise InputError("is not a config: nested too deeply, or a number too long.") from None


def build_net(entries: list[Any], types: Types = TYPES) -> Net:
    """The net that `describe` wrote: `build_net(describe(net)) == net`.

    Raises:
        InputError: an entry does not fit.
    """
    return read(tuple[Layer, ...], entries, "layers", types)


def build_cost(entry: Any, types: Types = TYPES) -> Cost:
    """The cost that `describe` wrote.

    Raises:
        InputError: an entry does not fit.
    """
    return read(Cost, entry, "cost", types)


def rebuilt(table: Mapping[str, Any], types: Types = TYPES) -> Config:
    """The config that `describe` wrote into a `config.json`. Entries that are not part of a config are passed over.

    Raises:
        InputError: an entry is missing or does not fit.
    """
    table = modern(table)
    entries = {name: table[name] for name in (field.name for field in fields(Config)) if name in table}
    training = entries.get("training")
    if isinstance(training, dict) and training.get("target_cost") in ("inf", "-inf"):  # JSON has no such numbers
        entries["training"] = training | {"target_cost": float(training["target_cost"])}
    return read(Config, entries, "", types)


def modern(table: Mapping[str, Any]) -> Mapping[str, Any]:
    """A `config.json`'s table in today's words.

    Before it had `read_as`, the default of `targets` was "one-hot". Before it had `keep`, the last params were kept.
    Entries of the data that are newer than the table have their defaults.
    """
    data, training = table.get("data"), table.get("training")
    if isinstance(training, dict):
        table = {**table, "training": {"keep": "last"} | training}
    if not isinstance(data, dict):
        return table
    newer = {name: list(unused) if isinstance(unused, tuple) else unused for name, unused in NEWER_DATA.items()}
    old_default = "read_as" not in table and data.get("targets") == "one-hot"
    return {**table, "data": newer | data | ({"targets": ""} if old_default else {})}


def full_hash(config: Config) -> str:
    """SHA-256, in hexadecimal digits, of all values of a config: equal configs have equal hashes."""
    table = describe(config)
    # These entries are newer than the first checkpoints. A config that does not use them keeps its old hash, so that
    # its checkpoints are still found.
    if not config.monitor.on:
        del table["monitor"]
    if not config.data.y:
        del table["data"]["y"], table["data"]["memory"]
    for name, unused in NEWER_DATA.items():
        if getattr(config.data, name) == unused:
            del table["data"][name]
    if config.training.keep == "last":
        del table["training"]["keep"]
    table["data"]["targets"] = config.data.targets or "one-hot"  # as the default was called
    return hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()


def short_hash(config: Config) -> str:
    """The first eight digits of `full_hash`."""
    return full_hash(config)[:8]
