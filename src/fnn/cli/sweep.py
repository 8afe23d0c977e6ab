"""`fnn sweep CONFIG`: train the networks of a config's [sweep], group by group.

A group has one shape and is trained together; what is printed calls it a turn. Its networks are kept when it ends; on
Ctrl-C or SIGTERM, what is trained by then is kept.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np

from fnn.cli import sweep_report
from fnn.cli.common import all_types, cores_awake, overrides, prepared_for, written
from fnn.config.reading import config_text, resolved
from fnn.config.sections import Config
from fnn.errors import InputError
from fnn.machine.environment import environment
from fnn.machine.hardware import cores
from fnn.machine.signals import stopped
from fnn.plots import curves
from fnn.runs import directory, metrics, preparing, sweeps
from fnn.runs.preparing import Prepared
from fnn.schedules import Constant
from fnn.training.divergence import REMEDY
from fnn.training.mini_batches import steps_per_epoch
from fnn.training.streaming import in_file
from fnn.training.sweeping import SweepResult


def command(options: argparse.Namespace) -> int:
    """Train the grid; status 0, or 4 if every network has diverged.

    Raises:
        InputError: The config is no sweep that can be trained, or the sweep directory cannot be written.
        StoppedError: A signal stopped the sweep. What was trained by then is kept.
    """
    path = options.config
    with cores_awake(options):
        text = config_text(path)
        config = resolved(path, text, overrides(options), all_types(options.type))
        prepared = _prepared(path, config)
        groups = sweeps.groups(config, prepared.data.shape)
        folder = directory.create(options.out, f"{config.name}-sweep", config)
        remedy = "make room or give it back its rights, then begin anew"
        with written(folder, remedy), stopped(f"what was done is in {folder}"):
            done = _sweep(folder, prepared, text, groups)
    if all(track.diverged for track in done):
        print(f"fnn: every network has diverged; {REMEDY}.", file=sys.stderr)
        return 4
    return 0


def _prepared(path: str, config: Config) -> Prepared:
    """The data in memory, on one device per core.

    Raises:
        InputError: A sweep cannot train this config.
    """
    if config.training.schedule != Constant() or config.training.target_cost > -math.inf:
        raise InputError(
            f"{path}: training.schedule and training.target_cost are for one training by itself, a sweep trains all "
            "networks alike to the last epoch; drop them, or train one at a time by fnn run."
        )
    with contextlib.suppress(RuntimeError):  # a device is already in use, so their number cannot change
        jax.config.update("jax_num_cpu_devices", cores())  # the networks are split over the devices
    prepared = prepared_for(path, config)
    if in_file(prepared.data.train):
        raise InputError(f"{path}: data.memory = {config.data.memory}: a sweep holds all its data in memory; raise it.")
    return prepared


def _sweep(folder: Path, prepared: Prepared, text: str, groups: Sequence[sweeps.Group]) -> list[sweeps.Track]:
    """Write the description, train one group after the other, and conclude with what there is."""
    config = prepared.config
    (folder / directory.NETWORKS).mkdir()
    directory.write_description(folder, prepared, text, environment(prepared.data, config.seed))
    count = sum(len(group.members) for group in groups)
    turns = f"{len(groups)} turn{'s' * (len(groups) > 1)}"
    print(f"{config.name}: {count} networks in {turns}, {len(jax.devices())} device(s)")
    done: list[sweeps.Track] = []
    try:
        for group in groups:
            _train(folder, prepared, group, done)
            sweeps.write_table(folder, done)
    finally:
        if done:
            conclude(folder, config.name, done)
    return done


def _train(folder: Path, prepared: Prepared, group: sweeps.Group, done: list[sweeps.Track]) -> None:
    """Train one group until it ends or is stopped, keep its networks, and add them to `done`."""
    history: list[SweepResult] = []
    last, first = None, len(done)
    try:
        for last in sweeps.results(prepared.config, prepared.data, group):
            history.append(last._replace(params=(), v=()))
            print(line(last, prepared, first, len(group.members)), flush=True)
    finally:
        if last is not None:
            sweeps.keep(folder, prepared, group, last, first)
            done += sweeps.tracks(group, history)


def line(result: SweepResult, prepared: Prepared, first: int, count: int) -> str:
    """What is said after an epoch of a group of `count` networks, whose first has the number `first`.

    The lowest cost is that of the networks that have not diverged.
    """
    config = prepared.config
    steps = steps_per_epoch(preparing.training_set(config, prepared.data).n, config.training.batch_size)
    each = 1e6 * result.seconds / steps / count
    costs = np.asarray(result.train.cost)
    cost = metrics.shortest(np.where(np.isfinite(costs), costs, np.inf).min())
    who = f"networks {first}-{first + count - 1}  epoch {result.epoch}/{config.training.epochs}"
    return f"{who}  lowest training cost {cost:.4g}  {each:.1f} us per network and step"


def conclude(folder: Path, name: str, done: Sequence[sweeps.Track]) -> None:
    """Write the tables and the pictures, and print where they are.

    A network that was stopped before others have ended is left out of the printed table and of the pictures.
    """
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
