"""`fnn verify RUN`: train a finished run again, in memory, and compare the bytes."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from fnn.cli.common import all_types
from fnn.config.reading import rebuilt
from fnn.config.sections import Config
from fnn.errors import CorruptFileError, InputError
from fnn.machine import devices
from fnn.machine.environment import REPEATING, environment, modern, only_rounding, repeats
from fnn.machine.environment import changed as changed_since
from fnn.runs import directory, metrics, preparing
from fnn.runs.measured import without_seconds
from fnn.runs.models import named, read_params
from fnn.runs.preparing import Prepared
from fnn.storage.arrays import npz_bytes
from fnn.storage.json_files import differences, json_bytes, parse_json, read_json, read_plain
from fnn.training import keeping
from fnn.types import Params

CLOSE = 1e-5  # relative, of what was trained on another number of devices


def command(options: argparse.Namespace) -> int:
    """Train the run again; status 0 if the params and all metrics but the times come out the same, else 1.

    A run of several devices is trained on as many, where they are there. What was trained on another number of devices
    or processes is the same up to rounding: its costs and params are then compared to 1e-5.

    Raises:
        InputError: There is no such run, it is not finished, or it was resumed after something had changed.
        CorruptFileError: Its files are not those that the training wrote.
    """
    folder = Path(options.run)
    directory.check_finished(folder)
    then = _environment(folder)
    used = _used(then)
    devices.allow_on_cpu(str(used))
    config = _config(folder, all_types(options.type, [folder]))
    directory.check_data(folder, config.data)
    prepared = preparing.prepare(config)
    prepared = prepared._replace(devices=devices.chosen(str(min(used, len(jax.devices())))))
    changed = _changes(then, folder, prepared)
    same = differences if not changed or not only_rounding(changed) else _far
    lines = metrics.read(folder)
    seconds = [line.get("seconds") for line in lines]
    took = sum(number for number in seconds if isinstance(number, int | float))
    print(f"{config.name}: {len(lines)} epochs again, about {took:.0f} s")
    last, kept = None, keeping.nothing_yet(prepared.params)
    for i, last in enumerate(preparing.results(prepared, config.training.gradient)):
        recorded, now = (lines[i] if i < len(lines) else {}), metrics.line(last)
        wrong = same(without_seconds(recorded), without_seconds(now))
        if wrong:
            return _differs(f"epoch {last.epoch}: {'; '.join(wrong)}", changed)
        kept = keeping.after(config.training.keep, kept, last)
    if last is None or last.epoch != len(lines):
        return _differs(f"{len(lines)} epochs were recorded, now there are {last.epoch if last else 0}", changed)
    if same is _far:
        return _conclude(folder, read_params(folder / "params.npz", prepared.params), kept.params, changed)
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


def _environment(folder: Path) -> dict[str, Any]:
    """What the bits of the training depended on.

    Raises:
        InputError: It went on under changes that alter more than the order of sums.
        CorruptFileError: The file is damaged.
    """
    then = read_json(folder / "environment.json")
    if not isinstance(then, dict):
        raise CorruptFileError(folder / "environment.json", "is no table")
    if (changes := then.get("changes")) and not (isinstance(changes, list) and only_rounding(map(str, changes))):
        first = changes[0] if isinstance(changes, list) else changes
        raise InputError(f"{folder}: it went on under changes ({first} ...); nothing can repeat it.")
    return modern(then)


def _used(then: Mapping[str, Any]) -> int:
    """The number of devices that trained together."""
    devices = then.get("devices")
    number = devices.get("number") if isinstance(devices, dict) else 1
    return number if type(number) is int and number > 0 else 1


def _changes(then: Mapping[str, Any], folder: Path, prepared: Prepared) -> list[str]:
    """What differs between this environment and that of the training, and what has changed during it."""
    earlier = then.get("changes", [])
    found = environment(prepared.data, prepared.config.seed, prepared.devices)
    return [*earlier, *changed_since(then, parse_json(json_bytes(found), folder))]


def _far(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The costs of an epoch that differ by more than `CLOSE`; an accuracy may change by a row that is on the border."""
    costs = [name for name in {**then, **now} if name == "epoch" or name.endswith("_cost")]
    wrong = [n for n in costs if not math.isclose(then.get(n, math.nan), now.get(n, math.nan), rel_tol=CLOSE)]
    return differences({name: then.get(name) for name in wrong}, {name: now.get(name) for name in wrong})


def _conclude(folder: Path, then: Params, now: Params, changed: Sequence[str]) -> int:
    """Say how near the params are to those of a run on another number of devices; the result is the exit status."""
    pairs = zip(jax.tree.leaves(then), jax.tree.leaves(now), strict=True)
    far = max(float(np.abs(a - np.asarray(b)).max() / max(np.abs(a).max(), 1e-30)) for a, b in pairs)
    if not far <= CLOSE:
        return _differs(f"params.npz, by {far:.1e} of its largest number", changed)
    print(f"the same but for rounding: params.npz to {far:.1e}, the costs in metrics.jsonl to {CLOSE:g}: {folder}")
    print(f"what has changed: {'; '.join(changed)}")
    return 0


def _differs(what: str, changed: Sequence[str]) -> int:
    """Print what differs and what may be the reason; the result is the exit status."""
    print(f"differs: {what}")
    nothing = "nothing that is recorded, so this should not be" if repeats() else f"perhaps the kernels; {REPEATING}"
    print(f"what has changed: {'; '.join(changed) or nothing}")
    return 1
