"""Which run goes on, from where, and whether it may: what `fnn run --resume` decides before it trains."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fnn.config.reading import full_hash, short_hash, without_folders
from fnn.config.schema import describe
from fnn.config.sections import Config
from fnn.errors import CorruptFileError, InputError
from fnn.machine.environment import environment
from fnn.runs.directory import Prepared, numbered
from fnn.runs.keeper import FOLDER, Keeper, changes, latest, restored
from fnn.storage.json_files import differences, json_bytes, read_json, write_json
from fnn.training.fitting import State, start


def is_finished(folder: Path) -> bool:
    """Whether a run has come to its end."""
    return (folder / "result.json").exists()


def find(out: Path, config: Config, data: str, accept: bool) -> Path | None:
    """The newest unfinished run of a config in `out`, else its newest finished one, else None: there is none yet.

    A run whose data have moved is one if they are still the same, of the digest `data`. A run that was finished on
    other data is none; an unfinished one is, and `resume` refuses it.

    Raises:
        InputError: there is none, but an unfinished one with checkpoints of another config of the same name; it names
            the entries that differ. `accept` lets it be.
    """
    runs = [run for _, run in numbered(out, re.escape(config.name) + "-[0-9a-f]{8}")]
    changes = {run: _config_changes(run, config, data) for run in runs}
    own = [run for run in runs if run.name.startswith(f"{config.name}-{short_hash(config)}") or changes[run] == []]
    own = [run for run in own if not is_finished(run) or _data_of(run) in (None, data)]
    unfinished = [run for run in own if not is_finished(run)]
    others = [run for run in runs if run not in own and not is_finished(run) and any(run.glob(f"{FOLDER}/step-*"))]
    if not own and others and not accept:
        changed = "; ".join(changes[others[0]] or ["its config.json cannot be read"])
        raise InputError(
            f"--resume: {others[0]} is unfinished, but its config differs: {changed}. Go on with the config as it was, "
            "or add --accept-changes to begin a run of its own."
        )
    return next(iter(unfinished or own), None)


def _data_of(folder: Path) -> str | None:
    """The digest of the data that a run was trained on; None if its file cannot be read."""
    try:
        table = read_json(folder / "environment.json")
    except CorruptFileError:
        return None
    return table.get("data") if isinstance(table, dict) else None


def _config_changes(folder: Path, config: Config, data: str) -> list[str] | None:
    """The entries in which a run's config differs, but for where the same data are; None if it cannot be read."""
    try:
        then = read_json(folder / "config.json")
    except CorruptFileError:
        return None
    now = json.loads(json_bytes(describe(config)))
    if not (isinstance(then, dict) and isinstance(then.get("data"), dict)):
        return None
    same = _data_of(folder) == data
    names = [Path(str(table["data"].get(key, ""))).name for key in ("source", "y") for table in (then, now)]
    if same and names[::2] == names[1::2]:
        then["data"] |= {key: now["data"][key] for key in ("source", "y")}
    return differences({key: then.get(key) for key in now}, now)


def about(prepared: Prepared) -> dict[str, Any]:
    """What a checkpoint is only good for: the config and the environment, as JSON has them."""
    table = {
        "config": full_hash(without_folders(prepared.config)),
        "environment": environment(prepared.data, prepared.config.seed),
    }
    return json.loads(json_bytes(table))


def resume(folder: Path, prepared: Prepared, keeper: Keeper, accept: bool) -> State:
    """The state to train on from, told to the keeper too; the very start if the folder has no checkpoint.

    Damaged checkpoints are named on stderr and passed over; what has changed is named too if `accept` allows it.

    Raises:
        CorruptFileError: there are checkpoints, but none is whole.
        InputError: versions, devices or data have changed.
    """
    found = latest(folder, keeper.task, prepared.params)
    if found.latest is None:
        if found.rejected:
            raise found.rejected[0]
        return start(keeper.task, prepared.params)
    for error in found.rejected:
        print(f"fnn: passed over a damaged checkpoint: {error}", file=sys.stderr)
    changed = changes(found.latest, keeper.about)
    if changed and not accept:
        raise InputError(
            f"--resume: {folder} began otherwise: {'; '.join(changed)}. The same bits cannot be expected: bring that "
            "back, or add --accept-changes to go on all the same."
        )
    state, keeper.lines = restored(found.latest, keeper.task, prepared.params, folder / FOLDER)
    if changed:
        _note(folder, changed)
    keeper.saved = found.latest.step
    return state


def _note(folder: Path, changed: Sequence[str]) -> None:
    """Write the changes into the run directory."""
    print(f"fnn: going on under changes: {'; '.join(changed)}", file=sys.stderr)
    path = folder / "environment.json"
    table = read_json(path)
    if not isinstance(table, dict) or not isinstance(table.get("changes", []), list):
        raise CorruptFileError(path, "is not the environment of a run; fnn run writes one")
    write_json(path, table | {"changes": [*table.get("changes", []), *changed]})
