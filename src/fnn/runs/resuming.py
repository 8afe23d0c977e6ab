"""What `fnn run --resume` decides before it trains: which run goes on, from which checkpoint, and whether it may."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fnn.config.reading import full_hash, modern, short_hash, without_folders
from fnn.config.schema import describe
from fnn.config.sections import Config
from fnn.errors import CorruptFileError, InputError
from fnn.machine.environment import environment, only_rounding
from fnn.machine.processes import first
from fnn.runs.directory import numbered
from fnn.runs.file_names import CHECKPOINTS
from fnn.runs.keeper import Keeper
from fnn.runs.preparing import Prepared
from fnn.runs.states import changes, latest, restored
from fnn.storage.checkpoints import Checkpoint
from fnn.storage.json_files import differences, json_bytes, read_json, write_json
from fnn.training.tasks import State


def is_finished(folder: Path) -> bool:
    """Whether the training of a run has come to its end."""
    return (folder / "result.json").exists()


def find(out: Path, config: Config, data: str) -> Path | None:
    """The newest unfinished run of a config in `out`, else its newest finished run, else None.

    A run counts although its data have been moved, if they are the same: their digest is `data`. A run that was
    finished on other data does not count. An unfinished one does, and `check_unchanged` refuses it.
    """
    own, _ = _runs(out, config, data)
    return next(iter([run for run in own if not is_finished(run)] or own), None)


def check_config(out: Path, config: Config, data: str) -> None:
    """Refuse a config that has no run in `out`, while a run of the same name and another config is to be resumed.

    Such a run is unfinished and has checkpoints.

    Raises:
        InputError: there is one; the message names the entries of its config that differ.
    """
    own, others = _runs(out, config, data)
    if not own and others:
        run, changed = others[0]
        raise InputError(
            f"--resume: {run} is unfinished, but its config differs: "
            f"{'; '.join(changed or ['its config.json cannot be read'])}. Go on with the config as it was, "
            "or add --accept-changes to begin a run of its own."
        )


def _runs(out: Path, config: Config, data: str) -> tuple[list[Path], list[tuple[Path, list[str] | None]]]:
    """The config's own runs, and the others of its name that could be resumed, with what differs; newest first."""
    runs = [run for _, run in numbered(out, re.escape(config.name) + "-[0-9a-f]{8}")]
    changed = {run: config_changes(run, config, data) for run in runs}
    own = [run for run in runs if run.name.startswith(f"{config.name}-{short_hash(config)}") or changed[run] == []]
    own = [run for run in own if not is_finished(run) or data_of(run) in (None, data)]
    others = [run for run in runs if run not in own and not is_finished(run) and any(run.glob(f"{CHECKPOINTS}/step-*"))]
    return own, [(run, changed[run]) for run in others]


def data_of(folder: Path) -> str | None:
    """The digest of the data that a run was trained on; None if `environment.json` cannot be read."""
    try:
        table = read_json(folder / "environment.json")
    except CorruptFileError:
        return None
    return table.get("data") if isinstance(table, dict) else None


def config_changes(folder: Path, config: Config, data: str) -> list[str] | None:
    """The entries in which a run's config differs; None if `config.json` cannot be read.

    Another place of the same data files is no difference.
    """
    try:
        then = read_json(folder / "config.json")
    except CorruptFileError:
        return None
    now = json.loads(json_bytes(describe(config)))
    if not (isinstance(then, dict) and isinstance(then.get("data"), dict)):
        return None
    then = dict(modern(then))
    same = data_of(folder) == data
    names = [Path(str(table["data"].get(key, ""))).name for key in ("source", "y") for table in (then, now)]
    if same and names[::2] == names[1::2]:
        then["data"] |= {key: now["data"][key] for key in ("source", "y")}
    return differences({key: then.get(key) for key in now}, now)


def about(prepared: Prepared) -> dict[str, Any]:
    """What the bits of a training depend on, as JSON: the hash of the config, and the environment.

    Every one of several processes has to call this.
    """
    table = {
        "config": full_hash(without_folders(prepared.config)),
        "environment": environment(prepared.data, prepared.config.seed, prepared.devices),
    }
    return json.loads(json_bytes(table))


def latest_checkpoint(prepared: Prepared, keeper: Keeper) -> Checkpoint | None:
    """The latest whole checkpoint of the keeper's run; None if it has no checkpoint.

    Damaged checkpoints that are later than this one are named on stderr.

    Raises:
        CorruptFileError: there are checkpoints, but none is whole.
    """
    found = latest(keeper.folder, keeper.task, prepared.params)
    if found.latest is None and found.rejected:
        raise found.rejected[0]
    for error in found.rejected if keeper.writes else ():
        print(f"fnn: passed over a damaged checkpoint: {error}", file=sys.stderr)
    return found.latest


def check_unchanged(saved: Checkpoint, keeper: Keeper) -> None:
    """Refuse a checkpoint after which versions, devices or data have changed: the same bits cannot be expected.

    Another number of devices or processes is no reason: that changes the order of sums alone.

    Raises:
        InputError: something has changed; the message names it.
    """
    changed = changes(saved, keeper.about)
    if not only_rounding(changed):
        raise InputError(
            f"--resume: {keeper.folder} began otherwise: {'; '.join(changed)}. The same bits cannot be expected: bring "
            "that back, or add --accept-changes to go on all the same."
        )


def resume(saved: Checkpoint, prepared: Prepared, keeper: Keeper) -> State:
    """The state in a checkpoint, from which the keeper goes on.

    What has changed since the checkpoint was written is named on stderr and noted in `environment.json`.

    Raises:
        CorruptFileError: a file does not hold what `fnn run` writes.
        InputError: the checkpoint is of another training.
    """
    state, keeper.lines, keeper.kept = restored(saved, keeper.task, prepared.params, keeper.folder / CHECKPOINTS)
    keeper.saved = saved.step
    note(keeper.folder, changes(saved, keeper.about))
    return state


def note(folder: Path, changed: Sequence[str]) -> None:
    """Name the changes, if there are any, on stderr, and add them to `environment.json`."""
    if not changed or not first():
        return
    print(f"fnn: going on under changes: {'; '.join(changed)}", file=sys.stderr)
    path = folder / "environment.json"
    table = read_json(path)
    if not isinstance(table, dict) or not isinstance(table.get("changes", []), list):
        raise CorruptFileError(path, "is not the environment of a run; fnn run writes one")
    write_json(path, table | {"changes": [*table.get("changes", []), *changed]})
