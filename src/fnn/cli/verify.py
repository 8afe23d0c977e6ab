"""`fnn verify RUN`: train a finished run again, in memory, and compare the bytes."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from fnn.cli.common import all_types
from fnn.config.reading import rebuilt
from fnn.config.sections import Config
from fnn.errors import CorruptFileError, InputError
from fnn.machine.environment import REPEATING, environment, repeats
from fnn.runs import directory, metrics, preparing
from fnn.runs.measured import without_seconds
from fnn.runs.models import named
from fnn.runs.preparing import Prepared
from fnn.storage.arrays import npz_bytes
from fnn.storage.json_files import differences, json_bytes, parse_json, read_json, read_plain
from fnn.training import keeping


def command(options: argparse.Namespace) -> int:
    """Train the run again; status 0 if the params and all metrics but the times come out the same, else 1.

    Raises:
        InputError: There is no such run, it is not finished, or it was resumed after something had changed.
        CorruptFileError: Its files are not those that the training wrote.
    """
    folder = Path(options.run)
    directory.check_finished(folder)
    config = _config(folder, all_types(options.type, [folder]))
    directory.check_data(folder, config.data)
    prepared = preparing.prepare(config)
    changed = _changes(folder, prepared)
    lines = metrics.read(folder)
    seconds = [line.get("seconds") for line in lines]
    took = sum(number for number in seconds if isinstance(number, int | float))
    print(f"{config.name}: {len(lines)} epochs again, about {took:.0f} s")
    last, kept = None, keeping.nothing_yet(prepared.params)
    for i, last in enumerate(preparing.results(prepared, config.training.gradient)):
        then, now = (lines[i] if i < len(lines) else {}), metrics.line(last)
        wrong = differences(without_seconds(then), without_seconds(now))
        if wrong:
            return _differs(f"epoch {last.epoch}: {'; '.join(wrong)}", changed)
        kept = keeping.after(config.training.keep, kept, last)
    if last is None or last.epoch != len(lines):
        return _differs(f"{len(lines)} epochs were recorded, now there are {last.epoch if last else 0}", changed)
    if npz_bytes(named(kept.params)) != read_plain(folder / "params.npz"):
        return _differs("the metrics are the same, params.npz is not", changed)
    print(f"the same bytes: params.npz, and metrics.jsonl but for the times: {folder}")
    return 0


def _config(folder: Path, types: Mapping[str, type]) -> Config:
    """The config of a run."""
    table = read_json(folder / "config.json")
    try:
        return rebuilt(table if isinstance(table, dict) else {}, types)
    except InputError as error:
        raise InputError(f"{folder / 'config.json'}: {error}") from None


def _changes(folder: Path, prepared: Prepared) -> list[str]:
    """What differs between this environment and that of the training."""
    then = read_json(folder / "environment.json")
    if not isinstance(then, dict):
        raise CorruptFileError(folder / "environment.json", "is no table")
    if changes := then.get("changes"):
        first = changes[0] if isinstance(changes, list) else changes
        raise InputError(f"{folder}: it went on under changes ({first} ...); nothing can repeat it.")
    now = parse_json(json_bytes(environment(prepared.data, prepared.config.seed)), folder)
    return differences(then, now)


def _differs(what: str, changed: Sequence[str]) -> int:
    """Print what differs and what may be the reason; the result is the exit status."""
    print(f"differs: {what}")
    nothing = "nothing that is recorded, so this should not be" if repeats() else f"perhaps the kernels; {REPEATING}"
    print(f"what has changed: {'; '.join(changed) or nothing}")
    return 1
