"""What writes a run directory while a training runs: metrics, params, and its states as checkpoints.

A state is kept as arrays, plain JSON and the lines of metrics before it; `restored` reads it back, bit for bit.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from fnn.errors import CorruptFileError, InputError, StoppedError
from fnn.machine.signals import Wish
from fnn.runs import directory, metrics, optimizer_states
from fnn.runs.models import named, save_params
from fnn.schedules import Progress
from fnn.storage import checkpoints
from fnn.storage.arrays import write_npz
from fnn.storage.checkpoints import Checkpoint
from fnn.storage.files import remove_folder
from fnn.storage.json_files import differences, parse_json, write_json
from fnn.training import keeping
from fnn.training.evaluation import sums
from fnn.training.fitting import Result, State, Task, resumed, start
from fnn.training.keeping import Kept
from fnn.training.mini_batches import steps_per_epoch
from fnn.training.segments import turn_after
from fnn.types import Params

CHECKPOINTS = "checkpoints"  # the folder in a run directory that holds them
WRITE_EVERY = 1.0  # seconds, at least, between two writes of metrics.jsonl; each replaces the whole file


class Keeper:
    """Saves the states of a training when it is time, and stops it; `fitting.resumed` calls it between two parts."""

    def __init__(self, folder: Path, task: Task, about: Mapping[str, Any], every: float, wish: Wish) -> None:
        """For a training that begins; whoever goes on from a checkpoint sets `lines`, `kept` and `saved`.

        Args:
            folder: The run directory.
            task: What is trained.
            about: What the bits depend on: `config`, a hash, and `environment`.
            every: Seconds between two checkpoints, at least.
            wish: The wish to stop, which a signal sets.
        """
        self.folder, self.task, self.about, self.every, self.wish = folder, task, about, every, wish
        self.lines: list[str] = []  # of `metrics.jsonl` so far; `train` adds them
        self.kept = keeping.nothing_yet(())  # of the epochs so far; `train` goes on with it
        self.saved = -1  # the step of the latest checkpoint
        self._when = time.monotonic()

    def __call__(self, state: State) -> None:
        """Save the state if it is time or if the process was asked to stop. A state that has diverged is never saved.

        Raises:
            StoppedError: the process was asked to stop, and the latest state that has not diverged is saved.
            OSError: the state cannot be written.
        """
        asked = self.wish.number and not state.done
        if asked or time.monotonic() - self._when >= self.every:
            self._save(state)
        if asked:
            raise StoppedError(self.wish.number)

    def _save(self, state: State) -> None:
        step = position(self.task, state)
        if step != self.saved and self._is_sound(state):
            arrays, plain = _arrays(self.task, state, self.kept), _plain(self.task, state, self.kept) | dict(self.about)
            lines = "".join(f"{line}\n" for line in self.lines).encode()
            checkpoints.save(self.folder / CHECKPOINTS, Checkpoint(step, arrays, plain, lines))
            self.saved = step
        self._when = time.monotonic()

    def _is_sound(self, state: State) -> bool:
        """Whether the cost of some training examples is finite: it may overflow while the params are still finite."""
        total, _ = next(sums(self.task.net, self.task.cost, state.params, self.task.train))
        return math.isfinite(total)


def train(
    state: State, keeper: Keeper, results: Callable[[Sequence[Mapping[str, Any]], Params], dict[str, Any]]
) -> Generator[Result]:
    """Train the keeper's task from `state` on, yield the result of each epoch, and write `metrics.jsonl`.

    However the training ends, `params.npz` then holds the params to keep of the whole epochs. If they are the best
    ones, `last.npz` holds those of the last epoch. After the last epoch of all, the optimiser's state is written if it
    has one, then `result.json` with the hashes of all these files and the `results` of the lines of the metrics and the
    params to keep; and the checkpoints are removed.
    """
    path, written, last = keeper.folder, -math.inf, None
    try:
        for last in resumed(keeper.task, state, keeper):
            keeper.lines.append(json.dumps(metrics.line(last)))
            keeper.kept = keeping.after(keeper.task.keep, keeper.kept, last)
            if time.monotonic() - written > WRITE_EVERY:
                metrics.write(path, keeper.lines)
                written = time.monotonic()
            yield last
    finally:
        if keeper.lines:
            metrics.write(path, keeper.lines)
        if last is not None or (state.epochs and not state.step):
            _write_params(keeper, state.params if last is None else last.params)
    hashes = directory.digests(path) | optimizer_states.write(path, state.v if last is None else last.v)
    params = _to_keep(keeper, state.params if last is None else last.params)
    rows = [json.loads(line) for line in keeper.lines]
    write_json(path / "result.json", hashes | {"results": results(rows, params)})
    if (path / CHECKPOINTS).is_dir():
        remove_folder(path / CHECKPOINTS)


def _write_params(keeper: Keeper, last: Params) -> None:
    """Write the params to keep, and those of the last epoch where these are others."""
    if keeper.task.keep == "best":
        write_npz(keeper.folder / directory.LAST, named(last))
    save_params(keeper.folder, _to_keep(keeper, last))


def _to_keep(keeper: Keeper, last: Params) -> Params:
    return keeper.kept.params if keeper.task.keep == "best" else last


def position(task: Task, state: State) -> int:
    """A number that grows from state to state. An epoch counts one more than its steps, because of its evaluation."""
    return state.epochs * (steps_per_epoch(task.train.n, task.batch_size) + 1) + state.step


def latest(folder: Path, task: Task, params: Params) -> checkpoints.Found:
    """The latest checkpoint of a run of `task`, for any `params` of its net."""
    beginning = start(task, params)
    arrays = _arrays(task, beginning, keeping.nothing_yet(params))
    template = {k: (a.dtype.str, a.shape) for k, a in arrays.items()}
    return checkpoints.latest(folder / CHECKPOINTS, template)


def changes(saved: Checkpoint, about: Mapping[str, Any]) -> list[str]:
    """What has changed in `about` since the checkpoint was written."""
    return differences({key: saved.state.get(key) for key in about}, about)


def restored(saved: Checkpoint, task: Task, params: Params, path: Path) -> tuple[State, list[str], Kept]:
    """The state in a checkpoint, the lines of `metrics.jsonl` before it, and what is kept of those epochs.

    Args:
        saved: The checkpoint.
        task: What is trained.
        params: Any params of its net.
        path: The folder of the checkpoints, for messages.

    Raises:
        CorruptFileError: the checkpoint does not hold what `Keeper` writes.
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
            progress=_progress(table["progress"]),
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
    plain |= {"progress": list(state.progress), "key": _key(task)}
    return plain | ({"kept": [kept.epoch, kept.score]} if task.keep == "best" else {})


def _key(task: Task) -> dict[str, Any]:
    return {"data": jax.random.key_data(task.key).tolist(), "kind": str(jax.random.key_impl(task.key))}


def _number(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is no whole number")
    return value


def _progress(values: Sequence[Any]) -> Progress:
    best, stale, factor = values
    if math.isnan(float(best)) or not 0 <= float(factor) <= 1:
        raise ValueError(f"{values!r} is no progress")
    return Progress(float(best), _number(stale), float(factor))


def _kept(task: Task, table: Mapping[str, Any], params: Params, arrays: Mapping[str, np.ndarray]) -> Kept:
    """What is kept at a checkpoint; a training that keeps the last params finds them after its next epoch."""
    if task.keep != "best":
        return keeping.nothing_yet(params)
    epoch, score = table["kept"]
    if math.isnan(float(score)) or not _number(epoch) <= _number(table["epochs"]):
        raise ValueError(f"{table['kept']!r} is no epoch and score to keep")
    return Kept(epoch, float(score), _filled(params, "kept", arrays))


def _lines(data: bytes, epochs: int, path: Path) -> list[str]:
    """The lines of `metrics.jsonl`, which must be those of so many epochs."""
    lines = data.decode().splitlines()
    rows = [parse_json(line.encode(), path / metrics.FILE) for line in lines]
    if [row.get("epoch") for row in rows if isinstance(row, dict)] != list(range(1, epochs + 1)):
        raise ValueError(f"its metrics are not those of {epochs} epochs")
    return lines
