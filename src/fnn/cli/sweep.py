"""`fnn sweep CONFIG`: train the networks of a config's [sweep], group by group.

A group has one shape and is trained together; what is printed calls it a turn. Its networks are kept when it ends. On
Ctrl-C or SIGTERM all that is trained is saved, and `--resume` goes on from there, also in the middle of an epoch.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from fnn.cli import sweep_page, sweep_report
from fnn.cli.common import all_types, config_of, cores_awake, drawn, prepared_for, resuming_command
from fnn.cli.joining import agreed_folder, joined
from fnn.cli.sweep_groups import tell, trained
from fnn.cli.writing import written
from fnn.config.reading import config_text, without_folders
from fnn.config.schema import describe
from fnn.config.sections import Config
from fnn.errors import DivergedError, InputError, StoppedError
from fnn.machine import devices, processes
from fnn.machine.environment import comparable, environment
from fnn.machine.hardware import cores
from fnn.machine.signals import stopped, wishes
from fnn.optimizers import SGD
from fnn.pages.markup import PAGE
from fnn.plots import curves
from fnn.runs import directory, resuming, sweep_keeper, sweeps
from fnn.runs.preparing import Prepared
from fnn.schedules import Constant
from fnn.storage.json_files import json_bytes
from fnn.storage.locks import locked
from fnn.training import fitting
from fnn.training.infinite_derivatives import REMEDY
from fnn.training.streaming import in_file


def command(options: argparse.Namespace) -> int:
    """Train the grid; status 0, or 4 if every network has diverged.

    Raises:
        InputError: The config is no sweep that can be trained or resumed, or the sweep directory cannot be written.
        StoppedError: A signal stopped the sweep, which is saved.
    """
    path = options.config
    _use_all_cores(options)
    with cores_awake(options), joined(options):
        text = config_text(path)
        config = config_of(options, text, all_types(options.type))
        _check_grid(path, config)
        prepared = _prepared(path, config, options)
        groups = sweeps.groups(config, prepared.data.shape)
        now, first = _environment(prepared), processes.first()
        processes.check_same({"config": describe(without_folders(config))} | comparable(now))
        folder = agreed_folder(lambda: _folder(prepared, options))
        all_types(options.type, [folder])  # a sweep that goes on has the classes that it began with
        if processes.exchanged((folder / "sweep.csv").exists() and sweep_keeper.is_finished(folder))[0]:
            print(f"nothing to resume, this sweep is finished: {folder}")
            return 0
        done = _finish(folder, prepared, text, groups, now, options)
    if first and all(track.diverged for track in done):
        print(f"fnn: every network has diverged; {_remedy(prepared, groups[0], done[0].diverged)}.", file=sys.stderr)
        return 4
    return 0


def _remedy(prepared: Prepared, group: sweeps.Group, epochs: int) -> str:
    """What may help if every network has diverged: the first is trained by itself, until its culprit is found.

    The usual remedy is given, unless that culprit is a derivative of one of the user's layers.
    """
    task, params = sweeps.task(prepared._replace(devices=None), group._replace(members=group.members[:1]))
    optimizer, key, params = jax.tree.map(
        lambda leaf: leaf[0] if np.ndim(leaf) else leaf, (task.optimizer, task.key, params)
    )
    alone = task._replace(optimizer=optimizer, key=key, epochs=epochs, validation=None, test=None)
    try:
        for _ in fitting.resumed(alone, fitting.start(alone, params)):
            pass
    except DivergedError as error:
        if REMEDY not in str(error):
            return f"network 0, {str(error).removesuffix('.')}"
    return REMEDY


def _folder(prepared: Prepared, options: argparse.Namespace) -> Path:
    """The sweep directory to resume, if there is one and `--resume` asks for it, else a new one."""
    config = prepared.config
    found = sweep_keeper.find(Path(options.out), config) if options.resume else None
    if found is not None:
        return found
    folder = directory.create(options.out, f"{config.name}-sweep", config)
    if options.resume:
        print(f"nothing to resume: {options.out} has no sweep of this config; this one begins: {folder}")
    return folder


def _environment(prepared: Prepared) -> dict[str, Any]:
    """What the bits depend on; a sweep that names no devices uses all."""
    found = environment(prepared.data, prepared.config.seed, prepared.devices or jax.devices())
    return json.loads(json_bytes(found))


def _finish(
    folder: Path,
    prepared: Prepared,
    text: str,
    groups: Sequence[sweeps.Group],
    now: Mapping[str, Any],
    options: argparse.Namespace,
) -> list[sweeps.Track]:
    """Train the sweep to its end and conclude it; if it is stopped before, tell where it is kept."""
    first = processes.first()
    with written(folder, "make room or give it back its rights, then --resume") if first else contextlib.nullcontext():
        try:
            held = locked(folder) if first else contextlib.nullcontext()
            with held, wishes() as wish, processes.watched() as alive:
                _begin(folder, prepared, text, now)
                done = trained(folder, prepared, groups, wish, alive)
        except StoppedError as error:
            raise StoppedError(error.number, _stopped(error, folder, options)) from None
        processes.separate()
        kept = "all networks are trained and kept, --resume draws the pictures"
        with stopped(f"{kept}: {folder}"):
            if first:
                conclude(folder, prepared.config.name, done)
                sweep_keeper.finish(folder)
    return done


def _begin(folder: Path, prepared: Prepared, text: str, now: Mapping[str, Any]) -> None:
    """Describe a sweep that begins; check that one that goes on may do so."""
    begins, first = processes.exchanged(sweep_keeper.is_finished(folder))[0], processes.first()
    if begins and first:
        directory.write_description(folder, prepared, text, now)
        sweep_keeper.begin(folder)
    elif not begins:
        resuming.note(folder, sweep_keeper.check_unchanged(folder, now))
        if first:
            sweep_keeper.clean(folder)
        print(f"going on: {folder}")


def _stopped(error: StoppedError, folder: Path, options: argparse.Namespace) -> str:
    """What is said when a signal has stopped the sweep: where it is saved, and the command that goes on with it."""
    name = signal.Signals(error.number).name
    return f"stopped by {name}; what was done is in {folder}; go on with: {resuming_command(options)}"


def _check_grid(path: str, config: Config) -> None:
    """Refuse a config that has no grid, with the lines to add.

    Raises:
        InputError: There is one network alone.
    """
    grid, optimizer = config.sweep, config.training.optimizer
    if grid.seeds > 1 or any((grid.eta, grid.mu, grid.lmbda, grid.scale, grid.units)):
        return
    eta = float(optimizer.eta) if isinstance(optimizer, SGD) else 1.0
    numbers = f"eta = [{eta / 4:.3g}, {eta:.3g}, {4 * eta:.3g}]"
    raise InputError(
        f"{path}: there is no grid to sweep; add the line [sweep] and below it for example {numbers} or seeds = 5, or "
        f"say --set 'sweep.{numbers}'. fnn sweep --help tells all its keys."
    )


def _use_all_cores(options: argparse.Namespace) -> None:
    """Let each core be a device, over which the networks are split, unless the user says how many there are."""
    if options.devices is None and not (options.distributed is not None and "JAX_NUM_CPU_DEVICES" in os.environ):
        with contextlib.suppress(RuntimeError):  # a device is already in use, so their number cannot change
            jax.config.update("jax_num_cpu_devices", cores())


def _prepared(path: str, config: Config, options: argparse.Namespace) -> Prepared:
    """The data in memory, with the devices that the user names.

    Raises:
        InputError: A sweep cannot train this config.
    """
    if config.training.schedule != Constant() or config.training.target_cost > -math.inf:
        raise InputError(
            f"{path}: training.schedule and training.target_cost are for one training by itself, a sweep trains all "
            "networks alike to the last epoch; drop them, or train one at a time by fnn run."
        )
    if config.training.keep == "best":
        raise InputError(
            f"{path}: training.keep = 'best' is for one training by itself, a sweep keeps the last epoch of every "
            "network; drop it, or train one at a time by fnn run."
        )
    prepared = prepared_for(path, config, options.type)
    if in_file(prepared.data.train):
        raise InputError(f"{path}: data.memory = {config.data.memory}: a sweep holds all its data in memory; raise it.")
    return prepared._replace(devices=devices.chosen(options.devices or "all") if _names_devices(options) else None)


def _names_devices(options: argparse.Namespace) -> bool:
    return options.devices is not None or options.distributed is not None


def conclude(folder: Path, name: str, done: Sequence[sweeps.Track]) -> None:
    """Write the tables, the page and the pictures, and print where they are."""
    compared = tell(folder, done)
    sweep_page.write(folder, PAGE)
    print(f"page: {PAGE}")
    if all(track.diverged for track in compared):
        print("pictures: none, every network in this table has diverged")
    elif not curves.available():
        print(curves.MISSING)
    elif made := drawn(lambda: sweep_report.draw(folder, compared, name), "sweep.csv and curves.csv have the numbers"):
        print(f"pictures: {', '.join(made)}")
