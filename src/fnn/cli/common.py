"""What several commands need: the options that they share, and errors that name the user's file."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from fnn.cli.user_types import LONGEST_REASON, forgotten, own_types
from fnn.config import shipped
from fnn.config.reading import resolved
from fnn.config.sections import TYPES, Config
from fnn.data import Dataset
from fnn.data.hints import hints
from fnn.errors import InputError, StoppedError
from fnn.machine.idle_cores import awake
from fnn.plots import curves
from fnn.runs import preparing
from fnn.runs.preparing import Prepared
from fnn.storage.paths import typed


def all_types(names: Iterable[str], runs: Iterable[str | Path] = ()) -> Mapping[str, type]:
    """The types that a config may name: those of fnn, and the user's own; see `own_types`."""
    return {**TYPES, **own_types(names, runs)}


def overrides(options: argparse.Namespace) -> list[str]:
    """The entries of the config that `--set` and `--gradient` change, as `KEY=VALUE`."""
    return options.overrides + ([f"training.gradient={options.gradient}"] if options.gradient else [])


def resuming_command(options: argparse.Namespace) -> str:
    """The command that goes on with what this one began, as a shell takes it."""
    entries = [word for entry in overrides(options) for word in ("--set", entry)]
    classes = [word for name in options.type for word in ("--type", name)]
    words = [
        "fnn",
        options.command,
        shipped.named(options.config),
        *entries,
        *classes,
        "--out",
        options.out,
        "--resume",
    ]
    words += [] if options.devices is None else ["--devices", options.devices]
    words += [] if options.distributed is None else ["--distributed", *filter(None, [options.distributed])]
    return typed(words)


def cores_awake(options: argparse.Namespace) -> contextlib.AbstractContextManager[None]:
    """A block in which no idle core sleeps, if the user asked for that by `--awake`."""
    return awake() if options.awake else contextlib.nullcontext()


def config_of(options: argparse.Namespace, text: str, types: Mapping[str, type]) -> Config:
    """The config whose text is that of the file `options.config`.

    Raises:
        InputError: An entry does not fit. For an unknown class, a run that has it says by which `--type`.
    """
    try:
        return resolved(options.config, text, overrides(options), types)
    except InputError as error:
        raise forgotten(error, options.out, options.type) from None


def prepared_for(path: str, config: Config, own_types: Sequence[str] = ()) -> Prepared:
    """`prepare`, whose errors begin with the config's file; `own_types` are what `--type` named.

    Raises:
        InputError: The config does not fit its data.
    """
    try:
        return preparing.prepare(config)._replace(own_types=tuple(own_types))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def about_data(data: Dataset) -> list[str]:
    """What a data set was read as, what was made of it, and hints about its inputs, classes and parts, a line each."""
    return [*([data.read_as] if data.read_as else []), *data.told, *(f"hint: {each}" for each in hints(data))]


def drawn(draw: Callable[[], list[str]], remedy: str) -> list[str]:
    """The names of the pictures that `draw` writes; none without matplotlib.

    Pictures decide no exit status: if one cannot be drawn, a line on stderr says why, with the `remedy`.
    """
    if not curves.available():
        return []
    try:
        with curves.own_settings():
            return draw()
    except (StoppedError, BrokenPipeError):
        raise
    except Exception as error:  # matplotlib, its fonts, its folders and the disk may fail in any way
        words = " ".join(f"{type(error).__name__}: {error}".split())
        print(f"fnn: no pictures: {words[:LONGEST_REASON]}; {remedy}.", file=sys.stderr, flush=True)
        return []
