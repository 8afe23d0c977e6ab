"""`fnn compare CONFIG`: train by backprop and by autodiff, and print how far they agree and how long a step takes."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from fnn.checking import comparison
from fnn.checking.comparison import Comparison
from fnn.cli.common import all_types, cores_awake, prepared_for, training_loop
from fnn.config.reading import load_config
from fnn.config.sections import MonitorConfig
from fnn.runs import metrics, preparing
from fnn.runs.preparing import Prepared
from fnn.training.fitting import Result
from fnn.training.mini_batches import steps_per_epoch
from fnn.training.streaming import placed
from fnn.types import Net


def command(options: argparse.Namespace) -> int:
    """Train by both gradients and compare them after every epoch; status 1 if a training loop is wrong, else 0."""
    with cores_awake(options):
        config = load_config(options.config, options.overrides, all_types(options.type))
        config = replace(config, monitor=MonitorConfig(on=False))  # its work would be timed as training
        prepared = prepared_for(options.config, config)
        _compare(prepared)
    loops = {way: training_loop(prepared, way) for way in ("backprop", "autodiff")}
    for way, loop in loops.items():
        print(f"{way:8}  {loop}")
    return 0 if all(loop.ok for loop in loops.values()) else 1


def _compare(prepared: Prepared) -> None:
    config, train = prepared.config, prepared.data.train
    net, cost = config.network.layers, config.network.cost
    trainings = (preparing.results(prepared, gradient) for gradient in ("backprop", "autodiff"))
    print(
        "gradients at one point and parameters after training, largest difference over the largest entry of each leaf"
    )
    print(f"{'epoch':>5}  {'layer':14}  gradients    ulps  nearer to float64 (backprop, autodiff)    params")
    epochs = []
    for epoch in comparison.compare(net, cost, placed(train), *trainings):
        epochs.append(epoch)
        for line in _lines(net, epoch):
            print(line)
    steps = steps_per_epoch(preparing.training_set(config, prepared.data).n, config.training.batch_size)
    for way in ("backprop", "autodiff"):
        print(_way(way, [getattr(epoch, way) for epoch in epochs], steps))


def _lines(net: Net, epoch: Comparison) -> Iterator[str]:
    """The differences after one epoch: a line for each layer that has parameters."""
    for row in epoch.differences:
        name = f"{row.layer} {type(net[row.layer]).__name__}"
        errors = f"{row.nearer} ({row.backprop_error:.1e}, {row.autodiff_error:.1e})"
        numbers = f"{row.gradient:9.1e}  {row.ulps:6.1f}  {errors:39}  {row.params:.1e}"
        yield f"{epoch.backprop.epoch:5}  {name:14}  {numbers}"


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
