"""`fnn sweep CONFIG`: train the grid, turn by turn; keep each as it is done, and what there is on Ctrl-C or SIGTERM."""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np

from fnn.cli import sweep_report
from fnn.cli.common import prepared_for, types, written
from fnn.config.reading import config_text, resolved
from fnn.errors import InputError
from fnn.machine.environment import cores, environment
from fnn.machine.signals import raised
from fnn.plots import curves
from fnn.runs import directory, preparing, sweeps
from fnn.runs.preparing import Prepared
from fnn.schedules import Constant
from fnn.training.divergence import REMEDY
from fnn.training.streaming import in_file
from fnn.training.sweeping import SweepResult


def sweep(path: str, overrides: Sequence[str], out: str, own: Sequence[str]) -> int:
    """`fnn sweep`."""
    text = config_text(path)
    config = resolved(path, text, overrides, types(own))
    if config.training.schedule != Constant() or config.training.target_cost > -math.inf:
        raise InputError(
            f"{path}: training.schedule and training.target_cost are for one training by itself, a sweep trains all "
            "networks alike to the last epoch; drop them, or train one at a time by fnn run."
        )
    with contextlib.suppress(RuntimeError):  # a device is in use already: then their number stays as it is
        jax.config.update("jax_num_cpu_devices", cores())  # networks are split over devices: one per core
    prepared = prepared_for(path, config)
    if in_file(prepared.data.train):
        raise InputError(f"{path}: data.memory = {config.data.memory}: a sweep holds all its data in memory; raise it.")
    turns = sweeps.turns(config, prepared.data.shape)
    folder = directory.create(out, f"{config.name}-sweep", config)
    with (
        written(folder, "make room or give it back its rights, then begin anew"),
        raised(f"what was done is in {folder}"),
    ):
        done = _sweep(folder, prepared, text, turns)
    if all(track.diverged for track in done):
        print(f"fnn: every network has diverged; {REMEDY}.", file=sys.stderr)
        return 4
    return 0


def _sweep(folder: Path, prepared: Prepared, text: str, turns: Sequence[sweeps.Turn]) -> list[sweeps.Track]:
    """Write what is trained, train turn after turn, and conclude with what there is."""
    config = prepared.config
    (folder / directory.NETWORKS).mkdir()
    directory.write_description(folder, prepared, text, environment(prepared.data, config.seed))
    count = sum(len(turn.members) for turn in turns)
    print(
        f"{config.name}: {count} networks in {len(turns)} turn{'s' * (len(turns) > 1)}, {len(jax.devices())} device(s)"
    )
    done: list[sweeps.Track] = []
    try:
        for turn in turns:
            _train(folder, prepared, turn, done)
            sweeps.write_table(folder, done)
    finally:
        if done:
            conclude(folder, config.name, done)
    return done


def _train(folder: Path, prepared: Prepared, turn: sweeps.Turn, done: list[sweeps.Track]) -> None:
    """Train one turn, as far as it comes, keep its networks, and add them to `done`."""
    history: list[SweepResult] = []
    last, first = None, len(done)
    try:
        for last in sweeps.results(prepared.config, prepared.data, turn):
            history.append(last._replace(params=(), v=()))
            print(line(last, prepared, first, len(turn.members)), flush=True)
    finally:
        if last is not None:
            sweeps.keep(folder, prepared, turn, last, first)
            done += sweeps.tracks(turn, history)


def line(result: SweepResult, prepared: Prepared, first: int, count: int) -> str:
    """What is said after an epoch of a turn: the networks that have diverged have no cost."""
    train = preparing.training_set(prepared.config, prepared.data)
    steps = -(-train.n // prepared.config.training.batch_size)
    each = 1e6 * result.seconds / steps / count
    epochs = prepared.config.training.epochs
    costs = np.asarray(result.train.cost)
    cost = directory.shortest(np.where(np.isfinite(costs), costs, np.inf).min())
    who = f"networks {first}-{first + count - 1}  epoch {result.epoch}/{epochs}"
    return f"{who}  lowest training cost {cost:.4g}  {each:.1f} us per network and step"


def conclude(folder: Path, name: str, done: Sequence[sweeps.Track]) -> None:
    """Tables and pictures of what there is, and where they are; networks stopped sooner than others stay out."""
    sweeps.write_table(folder, done)
    longest = max(len(track.metrics) for track in done)
    compared = [track for track in done if len(track.metrics) == longest]
    print(sweep_report.table(compared))
    if len(compared) < len(done):
        print(f"networks stopped before epoch {longest}, not in this table: {len(done) - len(compared)}")
    print(f"sweep directory: {folder}; tables: sweep.csv, curves.csv; a run directory per network: networks/")
    if all(track.diverged for track in compared):
        print("pictures: none, every network in this table has diverged")
    elif curves.available():
        print(f"pictures: {', '.join(sweep_report.draw(folder, compared, name))}")
    else:
        print(curves.MISSING)
