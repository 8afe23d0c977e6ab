"""The groups of a sweep, one after the other: each is trained, told and kept."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

import jax
import numpy as np

from fnn.cli import sweep_report
from fnn.cli.common import about_data
from fnn.cli.joining import check_same_state
from fnn.cli.progress import LINES, Say, shown, width
from fnn.errors import StoppedError
from fnn.machine import processes, starting
from fnn.machine.signals import Wish
from fnn.runs import metrics, preparing, sweep_keeper, sweeps
from fnn.runs.file_names import CHECKPOINTS
from fnn.runs.preparing import Prepared
from fnn.training.mini_batches import steps_per_epoch
from fnn.training.sweeping import SweepResult, resumed, start


def trained(
    folder: Path, prepared: Prepared, groups: Sequence[sweeps.Group], wish: Wish, alive: Callable[[], None]
) -> list[sweeps.Track]:
    """Train one group after the other; when a signal stops that, print the table of what there is."""
    count = sum(len(group.members) for group in groups)
    turns = f"{len(groups)} turn{'s' * (len(groups) > 1)}"
    title = f"{prepared.config.name}: {count} networks in {turns}, {len(prepared.devices or jax.devices())} device(s)"
    print(title, *about_data(prepared.data), sep="\n", flush=True)
    done: list[sweeps.Track] = []
    try:
        for number, group in enumerate(groups):
            _train(folder, number, prepared, group, (wish, alive), done, max(1, LINES // len(groups)))
            if processes.first():
                sweeps.write_table(folder, done)
    except StoppedError:
        if done and processes.first():
            tell(folder, done)
        raise
    return done


def _train(
    folder: Path,
    number: int,
    prepared: Prepared,
    group: sweeps.Group,
    told: tuple[Wish, Callable[[], None]],
    done: list[sweeps.Track],
    lines: int,
) -> None:
    """Train one group until it ends or is stopped, keep its networks, and add them to `done`.

    About as many `lines` are printed, or one row of a terminal.
    """
    first = len(done)
    task, params = sweeps.task(prepared, group)
    keeper = sweep_keeper.GroupKeeper(folder / CHECKPOINTS / f"{number:04}", task, *told)
    who = f"networks {first}-{first + len(group.members) - 1}"
    if keeper.is_done():
        print(f"{who} are done")
        done += sweeps.tracks(group, keeper.history)
        return
    state = keeper.restored(start(task, params))
    check_same_state(state)
    starting.connect(lambda: keeper.agreed(0))
    if state.epochs or state.step:
        print(f"{who} go on after {state.epochs} epochs and {state.step:,} steps")
    trained = state.params if state.epochs and not state.step else None
    say = _saying(prepared, first, len(group.members))
    try:
        for last in shown(resumed(task, state, keeper), task.epochs, sys.stdout, say, lines):
            keeper.history.append(sweeps.columns(last))
            trained = last.params
    finally:
        if trained is not None and keeper.writes:
            sweeps.write_networks(folder, prepared, group, trained, first)
        if keeper.history:
            done += sweeps.tracks(group, keeper.history)
    keeper.done()


def _saying(prepared: Prepared, first: int, count: int) -> Say[SweepResult]:
    """What says an epoch of a group: its `line`; on a terminal with the time that remains, cut to its columns."""

    def say(result: SweepResult, epochs: int, left: float, out: TextIO) -> str:
        if not out.isatty():
            return line(result, prepared, first, count)
        said = line(result, prepared, first, count, f"{left:6.0f} s left  ")
        return (said if len(said) < width(out) else said.rpartition("  ")[0])[: width(out) - 1]

    return say


def line(result: SweepResult, prepared: Prepared, first: int, count: int, left: str = "") -> str:
    """What is said after an epoch of a group of `count` networks, whose first has the number `first`.

    The lowest cost is that of the networks that have not diverged. `left` is the time that remains, in words.
    """
    config = prepared.config
    steps = steps_per_epoch(preparing.training_set(config, prepared.data).n, config.training.batch_size)
    each = 1e6 * result.seconds / steps / count
    costs = np.asarray(result.train.cost)
    cost = metrics.shortest(np.where(np.isfinite(costs), costs, np.inf).min())
    epochs = config.training.epochs
    who = f"networks {first}-{first + count - 1}  epoch {result.epoch:{len(str(epochs))}}/{epochs}"
    return f"{who}  {left}lowest training cost {cost:.4g}  {each:.1f} us per network and step"


def tell(folder: Path, done: Sequence[sweeps.Track]) -> list[sweeps.Track]:
    """Write the tables, and print that of the networks with the most epochs; they are the result.

    A network that was stopped before others have ended is left out of the printed table and of the pictures.
    """
    sweeps.write_table(folder, done)
    longest = max(len(track.metrics) for track in done)
    compared = [track for track in done if len(track.metrics) == longest]
    print(sweep_report.table(compared))
    if len(compared) < len(done):
        print(f"networks stopped before epoch {longest}, not in this table: {len(done) - len(compared)}")
    print(
        f"sweep directory: {folder}; tables: sweep.csv, curves.csv; a run directory per network: networks/", flush=True
    )
    return compared
