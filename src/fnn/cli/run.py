"""`fnn run CONFIG`: train, evaluate, and keep a run directory that survives whatever ends the training."""

from __future__ import annotations

import contextlib
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fnn.cli import run_pictures
from fnn.cli.common import prepared_for, types, written
from fnn.cli.progress import shown
from fnn.config.reading import config_text, resolved
from fnn.errors import DivergedError, InputError, StoppedError
from fnn.machine.signals import Wish, raised, wishes
from fnn.network import count_params
from fnn.plots import curves
from fnn.runs import directory, preparing, resuming
from fnn.runs.keeper import FOLDER, Keeper
from fnn.runs.models import load
from fnn.runs.preparing import Prepared
from fnn.storage.files import locked, remove_temporaries
from fnn.storage.json_files import read_json
from fnn.types import Params


class Options(NamedTuple):
    """What the command line says beside the config."""

    out: str = "runs"
    resume: bool = False
    accept: bool = False  # go on although versions, devices or data have changed
    every: float = 30.0  # seconds between checkpoints, at least


def run(path: str, overrides: Sequence[str], own: Sequence[str], options: Options) -> int:
    """`fnn run`."""
    if not options.every >= 0:
        raise InputError(f"--checkpoint {options.every}: expected a number of seconds, at least 0.")
    known = types(own)
    text = config_text(path)
    config = resolved(path, text, overrides, known)
    prepared = prepared_for(path, config)
    about = resuming.about(prepared)
    data = about["environment"]["data"]
    folder = resuming.find(Path(options.out), config, data, options.accept) if options.resume else None
    if folder is None:
        folder = directory.create(options.out, config.name, config)
    print(f"{config.name}: {_summary(prepared)}")
    try:
        with written(folder, "make room or give it back its rights, then --resume"), locked(folder), wishes() as wish:
            if resuming.is_finished(folder):
                directory.check_finished(folder)
                directory.write_config(folder, prepared)  # its data may have moved
                print(f"nothing to resume, this run is finished: {folder}")
            else:
                _train(folder, prepared, text, about, options, wish)
    except DivergedError:
        print(f"run directory: {folder}")
        raise
    except StoppedError as error:
        raise StoppedError(error.number, _said(error, folder, path, overrides, own, options)) from None
    kept = "the training is finished and kept, --resume draws its pictures"
    with written(folder, f"make room; {kept}"), raised(f"{kept}: {folder}"):
        _conclude(folder, prepared, load(folder, known)[2], directory.read_metrics(folder))
    return 0


def _train(folder: Path, prepared: Prepared, text: str, about: dict[str, Any], options: Options, wish: Wish) -> None:
    """Train to the end, from the latest checkpoint if there is one."""
    remove_temporaries([folder, folder / FOLDER])
    task = preparing.task(prepared, prepared.config.training.gradient)
    keeper = Keeper(folder, task, about, options.every, wish)
    state = resuming.resume(folder, prepared, keeper, options.accept)
    if state.epochs or state.step:
        read_json(folder / "config.json")  # what is lost is told before more is trained
        directory.write_config(folder, prepared)
        print(f"going on after {state.epochs} epochs and {state.step:,} steps: {folder}")
    else:
        directory.write_description(folder, prepared, text, about["environment"])
    with contextlib.closing(directory.train(folder, state, keeper)) as results:  # its end writes the files
        for _ in shown(results, prepared.config.training.epochs, sys.stdout):
            pass


def _said(
    error: StoppedError, folder: Path, path: str, overrides: Sequence[str], own: Sequence[str], options: Options
) -> str:
    named = [("--set", override) for override in overrides] + [("--type", name) for name in own]
    words = ["fnn", "run", path, *(word for pair in named for word in pair), "--out", options.out, "--resume"]
    return f"stopped by {signal.Signals(error.number).name}, saved in {folder}; go on with: {shlex.join(words)}"


def _summary(prepared: Prepared) -> str:
    data, training = prepared.data, prepared.config.training
    parts = zip(("training", "validation", "test"), data[:3], strict=True)
    sizes = ", ".join(f"{part.n:,} {name}" for name, part in parts if part.n)
    return f"{count_params(prepared.params):,} parameters; {sizes} examples; gradient by {training.gradient}"


def _conclude(folder: Path, prepared: Prepared, params: Params, history: list[dict[str, Any]]) -> None:
    last = history[-1]
    accuracies = [
        f"{part} {last[f'{part}_accuracy']:.2%}" for part in ("validation", "test") if f"{part}_accuracy" in last
    ]
    seconds = sum(line["seconds"] for line in history)
    said = f"; accuracy: {', '.join(accuracies)}" if accuracies else ""
    print(f"{last['epoch']} epochs, {seconds:.2f} s of training{said}")
    made = run_pictures.draw(folder, prepared, params, history) if curves.available() else []
    said = f"; pictures: {', '.join(made)}" if made else f"\n{curves.MISSING}, then --resume draws them"
    print(f"run directory: {folder}{said}")
