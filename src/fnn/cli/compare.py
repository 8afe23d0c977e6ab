"""`fnn compare` and `fnn predict`, and what several commands need."""

from __future__ import annotations

import contextlib
import csv
import importlib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass, replace
from pathlib import Path

import numpy as np

from fnn.checking import comparison
from fnn.config.reading import TYPES, Config, MonitorConfig, load_config
from fnn.errors import InputError
from fnn.runs import directory, prediction, preparing
from fnn.runs.preparing import Prepared
from fnn.training.fitting import Result
from fnn.training.streaming import placed


def types(names: Iterable[str]) -> Mapping[str, type]:
    """The table of types with the user's own `module:Class`, imported from where the command runs.

    Raises:
        InputError: there is no such module or class.
    """
    known = dict(TYPES)
    for name in names:
        module, _, cls = name.partition(":")
        sys.path.insert(0, "")
        try:
            known[cls] = getattr(importlib.import_module(module), cls)
        except (ImportError, AttributeError, TypeError, ValueError, SyntaxError) as error:
            raise InputError(f"--type {name}: {error}; expected MODULE:CLASS that can be imported from here.") from None
        finally:
            sys.path.remove("")
        if not (isinstance(known[cls], type) and is_dataclass(known[cls])):
            raise InputError(f"--type {name}: {known[cls]!r} is no class with fields; expected one under @fnn.static.")
    return known


def prepared_for(path: str, config: Config) -> Prepared:
    """`prepare`, with the config's file in front of what does not fit.

    Raises:
        InputError: the config does not fit its data.
    """
    try:
        return preparing.prepare(config)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


@contextlib.contextmanager
def written(folder: Path, remedy: str) -> Iterator[None]:
    """Inside, a file in `folder` that cannot be written is the user's to mend."""
    try:
        yield
    except BrokenPipeError:  # of stdout, which is no file in there
        raise
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror}); {remedy}.") from None


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


def predict(run: str, file: str | None, own: Sequence[str]) -> int:
    """`fnn predict`: a csv of the outputs, and of the class where there are classes."""
    known = types(own)
    directory.check_no_sweep(Path(run))
    trained = prediction.open_run(run, known)
    if file is None:
        directory.check_data(Path(run), trained.data)
    a = np.concatenate([prediction.outputs(trained, x) for x in prediction.inputs(trained, file)])
    said = prediction.classes(trained, a)
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(["row", *(["class"] if said else []), *(f"output_{k}" for k in range(a.shape[1]))])
    rows.writerows([i, *([said[i]] if said else []), *(f"{v:.6g}" for v in row)] for i, row in enumerate(a))
    return 0
