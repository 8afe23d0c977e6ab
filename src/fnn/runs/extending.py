"""What `fnn run --resume` does with more epochs than a finished run has: go on after it, or say what to do instead.

A finished run keeps its params, its metrics and what the optimiser remembers. The schedule's memory is computed from
the metrics. So the training goes on, to the same bytes as one longer training. One with momentum whose velocity is not
there is refused: runs of earlier versions kept none.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np

from fnn.config.schema import Types
from fnn.config.sections import Config
from fnn.errors import CorruptFileError, InputError
from fnn.machine.environment import changed, modern, only_rounding
from fnn.runs import directory, metrics, optimizer_states
from fnn.runs.directory import numbered
from fnn.runs.file_names import METRICS
from fnn.runs.keeper import Keeper
from fnn.runs.models import load, read_params
from fnn.runs.preparing import Prepared
from fnn.runs.resuming import config_changes, data_of, is_finished
from fnn.schedules import Progress, Schedule, after_an_epoch, before_the_first
from fnn.storage.json_files import read_json, read_plain
from fnn.training.fitting import after, start
from fnn.training.keeping import UNRANKED, Kept
from fnn.training.tasks import Start, State


def find(out: Path, prepared: Prepared, about: Mapping[str, Any], accept_changes: bool) -> Path | None:
    """The newest finished run in `out` that differs from a config in having fewer epochs, and nothing else; else None.

    Raises:
        InputError: there is one, but going on after it does not give what one longer training gives.
        CorruptFileError: there is one, but its files are not those that the training wrote.
    """
    config, environment = prepared.config, about["environment"]
    runs = ((run, _epochs(run)) for run in _finished(out, config, environment["data"]))
    run, epochs = next(((r, e) for r, e in runs if _is_shorter(r, e, config, environment["data"])), (None, 0))
    lacking = "" if run is None else _lacking(run, prepared)
    if run is None or (accept_changes and lacking):
        return None
    directory.check_finished(run)
    anew = f"Leave --resume out to train all {config.training.epochs} epochs anew"
    if lacking:
        raise InputError(
            f"--resume: {run} is finished after {epochs} epochs, and {lacking} not kept: going on would not give what "
            f"{config.training.epochs} epochs at once give. {anew}."
        )
    optimizer_states.check(run)
    since = changes(run, environment)
    if not only_rounding(since) and not accept_changes:
        raise InputError(
            f"--resume: {run}, which is finished after {epochs} epochs, began otherwise: {'; '.join(since)}. The "
            f"same bits cannot be expected. {anew}, or add --accept-changes to go on all the same."
        )
    return run


def nothing_found(out: Path, config: Config, data: str) -> str:
    """What is said when no run can be resumed: with the newest finished run of the name, and how it differs."""
    run = next(iter(_finished(out, config, data)), None)
    changed = config_changes(run, config, data) if run else None
    other = f"; {run} is finished, but its config differs: {'; '.join(changed)}" if changed else ""
    return f"--resume: no run of this config in {out}, a new one begins{other}"


def changes(run: Path, environment: Mapping[str, Any]) -> list[str]:
    """What has changed since a run was trained, with the changes that it went on under itself."""
    then = read_json(run / "environment.json")
    if not isinstance(then, dict) or not isinstance(then.get("changes", []), list):
        raise CorruptFileError(run / "environment.json", "is not the environment of a run; fnn run writes one")
    earlier = [str(change) for change in then.get("changes", [])]
    return earlier + changed(modern(then), environment)


def extended(run: Path, prepared: Prepared, keeper: Keeper, types: Types) -> State:
    """The state after the last epoch of a finished run, from which the keeper goes on; it takes over the metrics.

    Raises:
        InputError: the run has a type that is not in `types`.
        CorruptFileError: its files are not those that the training wrote.
    """
    rows, params = metrics.read(run), load(run, types).params
    keeper.lines = read_plain(run / METRICS).decode().splitlines()
    if keeper.task.keep == "best":
        best = metrics.best_epoch(rows)
        rank = metrics.ranks(rows)[best - 1] if best else UNRANKED
        keeper.kept, params = Kept(best, rank, params), read_params(run / directory.LAST, params)
    progress = memory(keeper.task.schedule, rows, "validation" if prepared.data.validation.n else "train")
    beginning = start(keeper.task, params).v
    v = optimizer_states.read(run, beginning) if jax.tree.leaves(beginning) else beginning
    return after(keeper.task, params, Start(v, progress, float(np.float32(rows[-1]["train_cost"]))))


def _finished(out: Path, config: Config, data: str) -> list[Path]:
    """The finished runs of the config's name on the same data, newest first."""
    runs = [run for _, run in numbered(out, re.escape(config.name) + "-[0-9a-f]{8}")]
    return sorted(
        (run for run in runs if is_finished(run) and data_of(run) == data),
        key=lambda run: (run / "result.json").stat().st_mtime,
        reverse=True,
    )


def _epochs(run: Path) -> int:
    """The number of epochs in a run's config; 0 if that cannot be read."""
    try:
        epochs = read_json(run / "config.json")["training"]["epochs"]
    except (CorruptFileError, KeyError, TypeError):
        return 0
    return epochs if type(epochs) is int else 0


def _is_shorter(run: Path, epochs: int, config: Config, data: str) -> bool:
    """Whether a run differs from the config in having fewer epochs, and in nothing else."""
    if not 0 < epochs < config.training.epochs:
        return False
    return config_changes(run, replace(config, training=replace(config.training, epochs=epochs)), data) == []


def _lacking(run: Path, prepared: Prepared) -> str:
    """What a run has not kept and its training goes on from, with a verb; "" if nothing is missing."""
    training = prepared.config.training
    state = jax.eval_shape(training.optimizer.init, prepared.params)
    if jax.tree.leaves(state) and not (run / optimizer_states.FILE).exists():
        return "the velocity of its momentum is"
    if training.keep == "best" and not (run / directory.LAST).exists():
        return f"the params of its last epoch ({directory.LAST}) are"
    return ""


def memory(schedule: Schedule, rows: Sequence[Mapping[str, Any]], part: str) -> Progress:
    """The schedule's memory after these epochs, whose scores were measured on `part` of the data."""
    seen = functools.partial(after_an_epoch, schedule)
    return functools.reduce(seen, metrics.scores(rows, part), before_the_first(schedule))
