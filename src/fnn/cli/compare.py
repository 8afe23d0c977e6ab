"""`fnn compare CONFIG`: train by backprop and by autodiff, agreement and time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fnn.checking import comparison
from fnn.cli.common import prepared_for, types
from fnn.config.reading import MonitorConfig, load_config
from fnn.runs import directory, preparing
from fnn.training.fitting import Result
from fnn.training.streaming import placed


def compare(path: str, overrides: Sequence[str], own: Sequence[str]) -> int:
    """`fnn compare`."""
    config = replace(load_config(path, overrides, types(own)), monitor=MonitorConfig(on=False))  # off the clock
    prepared = prepared_for(path, config)
    net, cost = config.network.layers, config.network.cost
    trainings = (preparing.results(prepared, gradient) for gradient in ("backprop", "autodiff"))
    epochs = []
    print(
        "gradients at one point and parameters after training, largest difference over the largest entry of each leaf"
    )
    print(f"{'epoch':>5}  {'layer':14}  gradients    ulps  nearer to float64 (backprop, autodiff)    params")
    for each in comparison.compare(net, cost, placed(prepared.data.train), *trainings):
        epochs.append(each)
        for row in each.differences:
            name = f"{row.layer} {type(net[row.layer]).__name__}"
            errors = f"{row.nearer} ({row.backprop_error:.1e}, {row.autodiff_error:.1e})"
            said = f"{row.gradient:9.1e}  {row.ulps:6.1f}  {errors:39}  {row.params:.1e}"
            print(f"{each.backprop.epoch:5}  {name:14}  {said}")
    steps = -(-preparing.training_set(config, prepared.data).n // config.training.batch_size)
    for way in ("backprop", "autodiff"):
        print(_way(way, [getattr(each, way) for each in epochs], steps))
    return 0


def _way(way: str, results: Sequence[Result], steps: int) -> str:
    numbers = directory.metrics(results[-1])
    said = [
        f"{part} {numbers[f'{part}_accuracy']:.2%}"
        for part in ("train", "validation", "test")
        if f"{part}_accuracy" in numbers
    ]
    time = float(np.median([r.seconds for r in results])) / steps
    return f"{way:8}  {1e6 * time:8.1f} us per step (median epoch)  cost: train {numbers['train_cost']:.6g}" + (
        f"  accuracy: {', '.join(said)}" if said else ""
    )
