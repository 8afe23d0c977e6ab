"""`fnn compare CONFIG`: train by backprop and by autodiff, and say how far they agree and how long a step takes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from fnn.checking import comparison
from fnn.checking.agreement import state, verdict
from fnn.checking.comparison import Comparison, Training
from fnn.cli import compare_table
from fnn.cli.common import all_types, cores_awake, drawn, prepared_for
from fnn.cli.loop_check import training_loop
from fnn.cli.writing import written
from fnn.config.reading import load_config
from fnn.config.sections import MonitorConfig
from fnn.errors import DivergedError
from fnn.plots import curves
from fnn.runs import metrics, preparing
from fnn.runs.preparing import Prepared
from fnn.training.mini_batches import steps_per_epoch
from fnn.training.streaming import placed
from fnn.training.tasks import Result

WAYS = ("backprop", "autodiff")
REMEDY = "make room or name another by --out"


def command(options: argparse.Namespace) -> int:
    """Train by both gradients and compare them after every epoch; status 1 if a training loop is wrong, else 0.

    Raises:
        InputError: The config is wrong, or the folder of `--out` cannot be written.
        DivergedError: A training diverged. What was compared before is printed and written.
    """
    with cores_awake(options):
        config = load_config(options.config, options.overrides, all_types(options.type))
        config = replace(config, monitor=MonitorConfig(on=False))  # its work would be timed as training
        prepared, folder = prepared_for(options.config, config), None if options.out is None else Path(options.out)
        if folder is not None:
            with written(folder, REMEDY):  # before the training, not after it
                folder.mkdir(parents=True, exist_ok=True)
        trainings = {way: Training(preparing.results(prepared, way)) for way in WAYS}
        epochs = [_light(epoch) for epoch in _compared(prepared, trainings)]
        _say_ways(prepared, epochs)
    diverged = [way for way in WAYS if trainings[way].diverged]
    wrong = [] if diverged else _wrong_loops(prepared)
    if folder is not None:
        _write(folder, prepared, epochs)
    net, asked = config.network.layers, config.training.epochs
    compare_table.say(verdict(net, epochs, trainings, asked, wrong), sys.stdout)
    if error := trainings[diverged[0]].diverged if diverged else None:
        said = " ".join(state(way, trainings[way]) for way in sorted(WAYS, key=lambda way: way not in diverged))
        raise DivergedError(said, error.epoch, error.step, error.layer)
    return 1 if wrong else 0


def _compared(prepared: Prepared, trainings: Mapping[str, Training]) -> Iterator[Comparison]:
    """Train side by side, and print the table."""
    config = prepared.config
    net, train = config.network.layers, placed(prepared.data.train)
    epochs = comparison.compare(net, config.network.cost, train, *(trainings[way] for way in WAYS))
    return compare_table.shown(epochs, net, config.training.epochs, sys.stdout)


def _light(epoch: Comparison) -> Comparison:
    """The same without its params, which are as large as the net in every epoch."""
    hand, auto = (result._replace(params=(), v=()) for result in (epoch.backprop, epoch.autodiff))
    return epoch._replace(backprop=hand, autodiff=auto)


def _say_ways(prepared: Prepared, epochs: Sequence[Comparison]) -> None:
    """Print a line for each gradient."""
    config = prepared.config
    steps = steps_per_epoch(preparing.training_set(config, prepared.data).n, config.training.batch_size)
    for way in WAYS if epochs else ():
        compare_table.say(_way(way, [getattr(epoch, way) for epoch in epochs], steps), sys.stdout)


def _way(way: str, results: Sequence[Result], steps: int) -> str:
    """The line of one gradient: the time of a step, and what the last epoch has reached."""
    last = metrics.numbers(results[-1])
    accuracies = [
        f"{part} {last[f'{part}_accuracy']:.2%}"
        for part in ("train", "validation", "test")
        if f"{part}_accuracy" in last
    ]
    time = float(np.median([result.seconds for result in results])) / steps
    said = f"{way:8}  {1e6 * time:8.1f} us per step (median epoch)  cost: train {last['train_cost']:.6g}"
    return said + (f"  accuracy: {', '.join(accuracies)}" if accuracies else "")


def _wrong_loops(prepared: Prepared) -> list[str]:
    """Check the training loop of each gradient, and print what is found; the ways whose loop is wrong."""
    loops = {way: training_loop(prepared, way) for way in WAYS}
    for way, loop in loops.items():
        compare_table.say(f"{way:8}  {loop}", sys.stdout)
    return [way for way, loop in loops.items() if not loop.ok]


def _write(folder: Path, prepared: Prepared, epochs: Sequence[Comparison]) -> None:
    """Write the whole table and, if matplotlib is installed, the picture; print where they are."""
    net, name = prepared.config.network.layers, prepared.config.name
    with written(folder, REMEDY):
        compare_table.write(folder, net, epochs)
    made = drawn(lambda: _draw(folder, prepared, epochs), f"{compare_table.FILE} has the numbers") if epochs else []
    missing = "" if curves.available() else f"; {curves.MISSING}"
    compare_table.say(f"{name}: {folder}: {', '.join([compare_table.FILE, *made])}{missing}", sys.stdout)


def _draw(folder: Path, prepared: Prepared, epochs: Sequence[Comparison]) -> list[str]:
    from fnn.plots.comparison import gaps  # importing matplotlib takes as long as importing JAX

    names = [f"{layer} {type(of).__name__}" for layer, of in enumerate(prepared.config.network.layers)]
    gaps(epochs, names, folder / "compare.png", prepared.config.name)
    return ["compare.png"]
