"""What keeps a sweep while it trains, so that it can be stopped and resumed.

    checkpoints/0003/step-...    group 3: the metrics so far, and the latest state of its networks

The folder of checkpoints is there as long as the sweep is not finished. The last checkpoint of a group that is done has
no arrays: its networks are in `networks/`. Another group goes on from the state in its latest checkpoint, also in the
middle of an epoch. A state of more than 2 GiB is not saved; such a group begins anew.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from fnn.config.reading import short_hash
from fnn.config.sections import Config
from fnn.errors import CorruptFileError, InputError, StoppedError
from fnn.machine.environment import changed, modern, only_rounding
from fnn.machine.processes import first
from fnn.machine.signals import Wish
from fnn.runs import directory
from fnn.runs.file_names import CHECKPOINTS, NETWORKS
from fnn.runs.models import named
from fnn.storage import checkpoints
from fnn.storage.arrays import LARGEST_NPZ
from fnn.storage.checkpoints import Checkpoint
from fnn.storage.files import make_folder, remove_folder, remove_temporaries
from fnn.storage.json_files import parse_json, read_json
from fnn.training.mini_batches import steps_per_epoch
from fnn.training.spreading import agreement
from fnn.training.sweeping import SweepState, collected
from fnn.training.tasks import Task
from fnn.types import Params

EVERY = 30.0  # seconds, at least, between two checkpoints of a group

Columns = dict[str, list[float]]  # the measures of an epoch by name, each with a number for every network


class GroupKeeper:
    """Saves the states of one group of a sweep when it is time, and stops it; `sweeping.resumed` calls it."""

    def __init__(self, folder: Path, task: Task, wish: Wish, alive: Callable[[], None] = lambda: None) -> None:
        """For a group that begins; `restored` is for one that goes on.

        Args:
            folder: Of the group's checkpoints.
            task: What is trained.
            wish: The wish to stop, which a signal sets.
            alive: Called after every part of the training.
        """
        self.folder, self.task, self.wish, self.alive = folder, task, wish, alive
        self.agreed, self.writes = agreement(task.train), first()  # of several processes one writes
        self.history: list[Columns] = []  # of the epochs so far; whoever trains adds them
        self._when = time.monotonic()

    def __call__(self, state: SweepState) -> None:
        """Save the state if it is time or if the process was asked to stop.

        Raises:
            StoppedError: the process was asked to stop, and the state is saved.
            OSError: the state cannot be written.
        """
        self.alive()
        due, asked = self.agreed(time.monotonic() - self._when >= EVERY, self.wish.number)
        if asked or due:
            state = collected(state)
            arrays = _arrays(state)
            if sum(array.nbytes for array in arrays.values()) < LARGEST_NPZ // 2:  # its text is held beside it
                self._save(state, arrays)
            self._when = time.monotonic()
        if asked:
            raise StoppedError(int(asked))

    def done(self) -> None:
        """Note that the group is done, once its networks are kept."""
        self._save(SweepState(self.task.epochs, 0, (), ()), {})

    def is_done(self) -> bool:
        """Whether the group is done; its `history` is then that of all epochs."""
        found = checkpoints.latest(self.folder, {}).latest
        if found is not None:
            self.history = _history(found, self.folder)
        return found is not None

    def restored(self, beginning: SweepState) -> SweepState:
        """The state in the latest checkpoint, and its `history`; if there is none, the `beginning`.

        Raises:
            CorruptFileError: there are checkpoints, but none is whole.
        """
        template = {name: (array.dtype.str, array.shape) for name, array in _arrays(beginning).items()}
        found = checkpoints.latest(self.folder, template)
        if found.latest is None and found.rejected:
            raise found.rejected[0]
        for error in found.rejected if self.writes else ():
            print(f"fnn: passed over a damaged checkpoint: {error}", file=sys.stderr)
        if found.latest is None:
            return beginning
        self.history = _history(found.latest, self.folder)
        return _state(found.latest, beginning, self.folder)

    def _save(self, state: SweepState, arrays: Mapping[str, np.ndarray]) -> None:
        plain = {name: getattr(state, name) for name in ("epochs", "step", "seconds")}
        lines = "".join(f"{json.dumps(_texts(columns))}\n" for columns in self.history).encode()
        step = state.epochs * (steps_per_epoch(self.task.train.n, self.task.batch_size) + 1) + state.step
        if self.writes:
            checkpoints.save(self.folder, Checkpoint(step, arrays, plain, lines))


def begin(folder: Path) -> None:
    """Make the folders of a sweep that begins; from now on it can be resumed."""
    make_folder(folder / NETWORKS)
    make_folder(folder / CHECKPOINTS)


def finish(folder: Path) -> None:
    """Remove the checkpoints of a sweep that is finished."""
    remove_folder(folder / CHECKPOINTS)


def is_finished(folder: Path) -> bool:
    """Whether nothing of a sweep is left to do."""
    return not (folder / CHECKPOINTS).is_dir()


def find(out: Path, config: Config) -> Path | None:
    """The newest unfinished sweep of a config in `out`, else its newest finished one, else None."""
    found = [path for _, path in directory.numbered(out, re.escape(f"{config.name}-sweep-{short_hash(config)}"))]
    unfinished = [path for path in found if not is_finished(path)]
    return next(iter(unfinished or [path for path in found if (path / "sweep.csv").exists()]), None)


def check_unchanged(folder: Path, environment: Mapping[str, Any]) -> list[str]:
    """Refuse to go on if versions, devices or data have changed: the same bits cannot be expected.

    Another number of devices or processes is no reason, and is returned in words.

    Raises:
        InputError: something has changed; the message names it.
        CorruptFileError: `environment.json` cannot be read.
    """
    then = read_json(folder / "environment.json")
    if not isinstance(then, dict):
        raise CorruptFileError(folder / "environment.json", "is no table")
    since = changed(modern(then, used=None), environment)
    if not only_rounding(since):
        raise InputError(
            f"--resume: {folder} began otherwise: {'; '.join(since)}. The same bits cannot be expected: bring that "
            "back, or leave --resume out to begin anew."
        )
    return since


def clean(folder: Path) -> None:
    """Remove what a killed process has left half written."""
    inner = [path for name in (CHECKPOINTS, NETWORKS) for path in (folder / name).glob("*/")]
    remove_temporaries([folder, folder / CHECKPOINTS, *inner])


def _arrays(state: SweepState) -> dict[str, np.ndarray]:
    parts = {"params": state.params, "v": state.v}
    return {f"{part}.{name}": a for part, tree in parts.items() for name, a in named(tree).items()}


def _filled(tree: Params, part: str, arrays: Mapping[str, np.ndarray]) -> Params:
    leaves = [arrays[f"{part}.{name}"] for name in named(tree)]
    return jax.tree.unflatten(jax.tree.structure(tree), leaves)


def _texts(columns: Columns) -> dict[str, list[str]]:
    """The numbers as texts, because JSON has no nan: a network that diverges goes on as nan."""
    return {name: [str(number) for number in numbers] for name, numbers in columns.items()}


def _history(saved: Checkpoint, path: Path) -> list[Columns]:
    """The metrics in a checkpoint."""
    try:
        rows = [parse_json(line, path) for line in saved.metrics.splitlines()]
        return [{name: [float(text) for text in texts] for name, texts in row.items()} for row in rows]
    except (AttributeError, TypeError, ValueError) as error:
        raise CorruptFileError(path, f"step {saved.step} has no metrics of a sweep: {error}") from None


def _state(saved: Checkpoint, beginning: SweepState, path: Path) -> SweepState:
    """The state in a checkpoint."""
    try:
        epochs, step, seconds = (saved.state[name] for name in ("epochs", "step", "seconds"))
        if not (type(epochs) is type(step) is int and min(epochs, step) >= 0):
            raise ValueError(f"epochs {epochs!r}, step {step!r}")
        params, v = (_filled(getattr(beginning, part), part, saved.arrays) for part in ("params", "v"))
        return SweepState(epochs, step, params, v, float(seconds))
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptFileError(path, f"step {saved.step} is not the state of a sweep: {error}") from None
