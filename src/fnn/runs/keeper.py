"""What writes a run directory while a training runs: metrics, params, its states as checkpoints, and its results."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fnn.errors import StoppedError
from fnn.machine.processes import first, separate
from fnn.machine.signals import Wish
from fnn.runs import directory, metrics, optimizer_states
from fnn.runs.file_names import CHECKPOINTS
from fnn.runs.models import named, save_params
from fnn.runs.states import position, taken
from fnn.storage import checkpoints
from fnn.storage.arrays import write_npz
from fnn.storage.files import remove_folder
from fnn.storage.json_files import write_json
from fnn.training import keeping
from fnn.training.fitting import resumed
from fnn.training.spreading import agreement, beside, local
from fnn.training.tasks import Result, State, Task
from fnn.training.totals import sums, tables
from fnn.types import Params

WRITE_EVERY = 1.0  # seconds, at least, between two writes of metrics.jsonl; each replaces the whole file


class Keeper:
    """Saves the states of a training when it is time, and stops it; `fitting.resumed` calls it between two parts."""

    def __init__(
        self,
        folder: Path,
        task: Task,
        about: Mapping[str, Any],
        every: float,
        wish: Wish,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        """For a training that begins. To go on from a checkpoint, set `lines`, `kept` and `saved` afterwards.

        Args:
            folder: The run directory.
            task: What is trained.
            about: What the bits depend on: `config`, a hash, and `environment`.
            every: Seconds between two checkpoints, at least.
            wish: The wish to stop, which a signal sets.
            alive: Called after every part of the training.
        """
        self.folder, self.task, self.about, self.every, self.wish = folder, task, about, every, wish
        self.alive, self.agreed = alive, agreement(task.train)
        self.writes = first()  # of several processes one writes
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
        self.alive()
        due, number = self.agreed(time.monotonic() - self._when >= self.every, self.wish.number)
        asked = number and not state.done
        if asked or due:
            self._save(state)
        if asked:
            raise StoppedError(int(number))

    def _save(self, state: State) -> None:
        step = position(self.task, state)
        if step != self.saved and self._is_sound(state):
            if self.writes:
                checkpoints.save(self.folder / CHECKPOINTS, taken(self.task, state, self.kept, self.lines, self.about))
            self.saved = step
        self._when = time.monotonic()

    def _is_sound(self, state: State) -> bool:
        """Whether the cost of some training examples is finite: it may overflow while the params are still finite."""
        task = self.task
        total, _ = next(sums(task.net, task.cost, beside(task.train, state.params), tables(*task.parts)[0]))
        return math.isfinite(np.asarray(total)[0])


def train(
    state: State, keeper: Keeper, results: Callable[[Sequence[Mapping[str, Any]], Params], dict[str, Any]]
) -> Generator[Result]:
    """Train the keeper's task from `state` on, yield the result of each epoch, and write `metrics.jsonl`.

    However the training ends, `params.npz` then holds the params to keep of the whole epochs. If they are the best
    ones, `last.npz` holds those of the last epoch. After the last epoch of all, the optimiser's state is written if it
    has one, then `result.json` with the hashes of all these files and the `results` of the lines of the metrics and the
    params to keep; and the checkpoints are removed. Of several processes that train together one writes all this. When
    the others have nothing more to compute they leave it, and their results end.
    """
    path, written, last = keeper.folder, -math.inf, None
    try:
        for last in resumed(keeper.task, state, keeper):
            keeper.lines.append(json.dumps(metrics.line(last)))
            keeper.kept = keeping.after(keeper.task.keep, keeper.kept, last)
            if keeper.writes and time.monotonic() - written > WRITE_EVERY:
                metrics.write(path, keeper.lines)
                written = time.monotonic()
            yield last
    finally:
        if keeper.writes and keeper.lines:
            metrics.write(path, keeper.lines)
        if keeper.writes and (last is not None or (state.epochs and not state.step)):
            _write_params(keeper, state.params if last is None else last.params)
    separate()
    if not keeper.writes:
        return
    end = state if last is None else last
    v, params = local(end.v), local(_to_keep(keeper, end.params))
    hashes = directory.digests(path) | optimizer_states.write(path, v)
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
