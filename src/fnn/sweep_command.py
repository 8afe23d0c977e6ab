"""`fnn sweep CONFIG`: train the grid, turn by turn; keep each turn as it is done, and what there is on Ctrl-C."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import jax

from . import plots, runs, sweep_report, sweeps
from .commands import prepared_for, types
from .config import Config, load_config
from .environments import cores
from .errors import InputError
from .streaming import in_file
from .sweeping import SweepResult


def sweep(path: str, overrides: Sequence[str], out: str, own: Sequence[str]) -> int:
    """`fnn sweep`."""
    config = load_config(path, overrides, types(own))
    with contextlib.suppress(RuntimeError):  # a device is in use already: then their number stays as it is
        jax.config.update("jax_num_cpu_devices", cores())  # networks are split over devices: one per core
    prepared = prepared_for(path, config)
    if in_file(prepared.data.train):
        raise InputError(f"{path}: data.memory = {config.data.memory}: a sweep holds all its data in memory; raise it.")
    turns = sweeps.turns(config, prepared.data.shape)
    folder = runs.create(out, f"{config.name}-sweep", config)
    runs.write_description(folder, prepared, Path(path).read_text())
    count = sum(len(turn.members) for turn in turns)
    print(
        f"{config.name}: {count} networks in {len(turns)} turn{'s' * (len(turns) > 1)}, {len(jax.devices())} device(s)"
    )
    done: list[sweeps.Track] = []
    try:
        for turn in turns:
            _train(folder, prepared, turn, done)
    finally:
        if done:
            _conclude(folder, config, done)
    return 0


def _train(folder: Path, prepared: runs.Prepared, turn: sweeps.Turn, done: list[sweeps.Track]) -> None:
    """Train one turn, as far as it comes, keep its networks, and add them to `done`."""
    history: list[SweepResult] = []
    last, first = None, len(done)
    try:
        for last in sweeps.results(prepared.config, prepared.data, turn):
            history.append(last._replace(params=(), v=()))
            print(_line(last, prepared, first, len(turn.members)), flush=True)
    finally:
        if last is not None:
            sweeps.keep(folder, prepared, turn, last, first)
            done += sweeps.tracks(turn, history)


def _line(result: SweepResult, prepared: runs.Prepared, first: int, count: int) -> str:
    steps = -(-prepared.data.train.n // prepared.config.training.batch_size)
    each = 1e6 * result.seconds / steps / count
    epochs = prepared.config.training.epochs
    cost = runs.shortest(result.train.cost.min())
    who = f"networks {first}-{first + count - 1}  epoch {result.epoch}/{epochs}"
    return f"{who}  lowest training cost {cost:.4g}  {each:.1f} us per network and step"


def _conclude(folder: Path, config: Config, done: Sequence[sweeps.Track]) -> None:
    sweeps.write_table(folder, done)
    print(sweep_report.table(done))
    pictures = sweep_report.draw(folder, done, config.name) if plots.available() else []
    print(f"sweep directory: {folder}; tables: sweep.csv, curves.csv; a run directory per network: networks/")
    print(f"pictures: {', '.join(pictures)}" if pictures else plots.MISSING)
