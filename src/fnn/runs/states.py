"""The state of a training as a checkpoint, and back, bit for bit: arrays, plain JSON, and the lines of the metrics."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from fnn.errors import CorruptFileError, InputError
from fnn.machine.environment import changed, modern
from fnn.runs.file_names import CHECKPOINTS, METRICS
from fnn.runs.models import named
from fnn.schedules import Progress
from fnn.storage import checkpoints
from fnn.storage.checkpoints import Checkpoint
from fnn.storage.json_files import parse_json
from fnn.training import keeping
from fnn.training.fitting import start
from fnn.training.keeping import Kept
from fnn.training.mini_batches import steps_per_epoch
from fnn.training.segments import turn_after
from fnn.training.tasks import State, Task
from fnn.types import Params


def position(task: Task, state: State) -> int:
    """A number that grows from state to state. An epoch counts one more than its steps, because of its evaluation."""
    return state.epochs * (steps_per_epoch(task.train.n, task.batch_size) + 1) + state.step


def taken(task: Task, state: State, kept: Kept, lines: Sequence[str], about: Mapping[str, Any]) -> Checkpoint:
    """The checkpoint of a state.

    Args:
        task: What is trained.
        state: Where the training stands.
        kept: What is kept of the epochs before it.
        lines: Of `metrics.jsonl`, of those epochs.
        about: What the bits depend on.
    """
    text = "".join(f"{line}\n" for line in lines).encode()
    return Checkpoint(position(task, state), _arrays(task, state, kept), _plain(task, state, kept) | dict(about), text)


def latest(folder: Path, task: Task, params: Params) -> checkpoints.Found:
    """The latest checkpoint of a run of `task`, for any `params` of its net."""
    beginning = start(task, params)
    arrays = _arrays(task, beginning, keeping.nothing_yet(params))
    template = {k: (a.dtype.str, a.shape) for k, a in arrays.items()}
    return checkpoints.latest(folder / CHECKPOINTS, template)


def changes(saved: Checkpoint, about: Mapping[str, Any]) -> list[str]:
    """What has changed in `about` since the checkpoint was written."""
    then = dict(saved.state)
    if isinstance(then.get("environment"), dict):
        then["environment"] = modern(then["environment"])
    return changed(then, about)


def restored(saved: Checkpoint, task: Task, params: Params, path: Path) -> tuple[State, list[str], Kept]:
    """The state in a checkpoint, the lines of `metrics.jsonl` before it, and what is kept of those epochs.

    Args:
        saved: The checkpoint.
        task: What is trained.
        params: Any params of its net.
        path: The folder of the checkpoints, for messages.

    Raises:
        CorruptFileError: the checkpoint does not hold what `taken` gives.
        InputError: it is of another training, whose key is another one or whose epochs are cut in other places.
    """
    beginning = start(task, params)
    try:
        table = saved.state
        state = State(
            epochs=_number(table["epochs"]),
            step=_number(table["step"]),
            params=_filled(beginning.params, "params", saved.arrays),
            v=_filled(beginning.v, "v", saved.arrays),
            progress=_progress(table["progress"], table["epochs"]),
            seconds=float(table["seconds"]),
            done=bool(table["done"]),
            tally=_filled(beginning.tally, "tally", saved.arrays),
        )
        lines = _lines(saved.metrics, state.epochs, path)
        kept = _kept(task, table, beginning.params, saved.arrays)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise CorruptFileError(path, f"step {saved.step} is not the state of a training: {error}") from None
    steps = steps_per_epoch(task.train.n, task.batch_size)
    if table.get("key") != _key(task) or position(task, state) != saved.step or state.step > steps:
        raise InputError(f"{path}: step {saved.step} is of another training; leave --resume out to begin anew.")
    try:
        turn_after(state.step, task.train.n, task.batch_size)
    except ValueError as error:
        remedy = "It is of another version of fnn: go on with that, or leave --resume out to begin anew."
        raise InputError(f"{path}: {error} {remedy}") from None
    return state, lines, kept


def _arrays(task: Task, state: State, kept: Kept) -> dict[str, np.ndarray]:
    parts = {"params": state.params, "v": state.v, "tally": state.tally}
    if task.keep == "best":
        parts["kept"] = kept.params if kept.epoch else state.params
    return {f"{part}.{name}": a for part, tree in parts.items() for name, a in named(tree).items()}


def _filled(tree: Params, part: str, arrays: Mapping[str, np.ndarray]) -> Params:
    leaves = [jax.device_put(arrays[f"{part}.{name}"]) for name in named(tree)]
    return jax.tree.unflatten(jax.tree.structure(tree), leaves)


def _plain(task: Task, state: State, kept: Kept) -> dict[str, Any]:
    """What a state holds beside its arrays, as JSON."""
    plain = {name: getattr(state, name) for name in ("epochs", "step", "seconds", "done")}
    plain |= {"progress": list(state.progress[:-1]), "key": _key(task)}
    return plain | ({"kept": [kept.epoch, *kept.rank]} if task.keep == "best" else {})


def _key(task: Task) -> dict[str, Any]:
    return {"data": jax.random.key_data(task.key).tolist(), "kind": str(jax.random.key_impl(task.key))}


def _number(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is no whole number")
    return value


def _progress(values: Sequence[Any], epochs: int) -> Progress:
    best, stale, factor = values  # the epochs are written once, beside them
    if math.isnan(float(best)) or not 0 <= float(factor) < math.inf:
        raise ValueError(f"{values!r} is no progress")
    return Progress(float(best), _number(stale), float(factor), epochs)


def _kept(task: Task, table: Mapping[str, Any], params: Params, arrays: Mapping[str, np.ndarray]) -> Kept:
    """What is kept at a checkpoint; a training that keeps the last params finds them after its next epoch."""
    if task.keep != "best":
        return keeping.nothing_yet(params)
    epoch, *rank = table["kept"]
    score, minus_cost = map(float, rank)
    if math.isnan(score + minus_cost) or not _number(epoch) <= _number(table["epochs"]):
        raise ValueError(f"{table['kept']!r} is no epoch and rank to keep")
    return Kept(epoch, (score, minus_cost), _filled(params, "kept", arrays))


def _lines(data: bytes, epochs: int, path: Path) -> list[str]:
    """The lines of `metrics.jsonl`, which must be those of so many epochs."""
    lines = data.decode().splitlines()
    rows = [parse_json(line.encode(), path / METRICS) for line in lines]
    if [row.get("epoch") for row in rows if isinstance(row, dict)] != list(range(1, epochs + 1)):
        raise ValueError(f"its metrics are not those of {epochs} epochs")
    return lines
