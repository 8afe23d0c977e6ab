"""`fnn run CONFIG`: train, evaluate, and keep a run directory that survives whatever ends the training."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from fnn.cli import run_pictures, run_summary
from fnn.cli.common import about_data, all_types, config_of, cores_awake, drawn, prepared_for, resuming_command
from fnn.cli.joining import agreed_folder, check_same_state, joined
from fnn.cli.progress import shown
from fnn.cli.writing import written
from fnn.config.reading import config_text, without_folders
from fnn.config.schema import describe
from fnn.errors import DivergedError, InputError, StoppedError
from fnn.machine import devices, processes, starting
from fnn.machine.environment import comparable
from fnn.machine.signals import stopped, wishes
from fnn.network import count_params
from fnn.plots import curves
from fnn.runs import directory, extending, metrics, preparing, results, resuming
from fnn.runs.endings import noted
from fnn.runs.file_names import CHECKPOINTS
from fnn.runs.keeper import Keeper, train
from fnn.runs.models import load
from fnn.runs.preparing import Prepared
from fnn.storage.files import remove_temporaries
from fnn.storage.json_files import read_json
from fnn.storage.locks import locked
from fnn.training.fitting import start
from fnn.types import Params


def command(options: argparse.Namespace) -> int:
    """Train a config from its start, or from where `--resume` finds it, and draw its pictures; status 0.

    Raises:
        InputError: The config or an option is wrong, or the run directory cannot be written.
        DivergedError: The training diverged.
        StoppedError: A signal stopped the training, which is saved.
    """
    if not options.checkpoint >= 0:
        raise InputError(f"--checkpoint {options.checkpoint}: expected a number of seconds, at least 0.")
    with cores_awake(options), joined(options):
        types = all_types(options.type)
        text = config_text(options.config)
        prepared = prepared_for(options.config, config_of(options, text, types), options.type)
        prepared = prepared._replace(devices=devices.chosen(options.devices))
        about = resuming.about(prepared)
        processes.check_same({"config": describe(without_folders(prepared.config))} | comparable(about["environment"]))
        folder = agreed_folder(lambda: _folder(prepared, about, options))
        all_types(options.type, [folder])  # a run that goes on has the classes that it began with
        first = processes.first()
        if first:  # hints read some of the examples
            print(f"{prepared.config.name}: {_summary(prepared)}", *about_data(prepared.data), sep="\n")
        _finish(folder, prepared, text, about, options)
    if first:
        kept = "the training is finished and kept, --resume draws its pictures"
        with written(folder, f"make room; {kept}"), stopped(f"{kept}: {folder}"):
            _conclude(folder, prepared, load(folder, types).params, metrics.read(folder))
    return 0


def _folder(prepared: Prepared, about: Mapping[str, Any], options: argparse.Namespace) -> Path:
    """The run directory to resume, if there is one and `--resume` asks for it, else a new one."""
    config, out, data = prepared.config, Path(options.out), about["environment"]["data"]
    if options.resume and not options.accept_changes:
        resuming.check_config(out, config, data)
    found = resuming.find(out, config, data) if options.resume else None
    if options.resume and found is None:
        shorter = extending.find(out, prepared, about, options.accept_changes)
        more = f"--resume: going on after {shorter}, which is finished and has fewer epochs"
        print(more if shorter else extending.nothing_found(out, config, data))
    return directory.create(options.out, config.name, config) if found is None else found


def _finish(folder: Path, prepared: Prepared, text: str, about: Mapping[str, Any], options: argparse.Namespace) -> None:
    """Train the run to its end, unless it is finished already; if it stops before, tell where it is kept."""
    remedy = "make room or give it back its rights, then --resume"
    try:
        with contextlib.ExitStack() as held, wishes() as wish, processes.watched() as alive:
            if processes.first():
                for block in (written(folder, remedy), locked(folder), noted(folder)):
                    held.enter_context(block)
            if processes.exchanged(resuming.is_finished(folder))[0]:
                directory.check_finished(folder)
                directory.write_config(folder, prepared)  # its data may have moved
                print(f"nothing to resume, this run is finished: {folder}")
            else:
                task = preparing.task(prepared, prepared.config.training.gradient)
                keeper = Keeper(folder, task, about, options.checkpoint, wish, alive)
                starting.connect(lambda: keeper.agreed(0))
                _train(prepared, text, keeper, options)
    except DivergedError:
        print(f"run directory: {folder}")
        raise
    except StoppedError as error:
        raise StoppedError(error.number, _stopped(error, folder, options)) from None


def _train(prepared: Prepared, text: str, keeper: Keeper, options: argparse.Namespace) -> None:
    """Train to the end: from the latest checkpoint, after a finished run with fewer epochs, or from the start."""
    folder, about, accepted = keeper.folder, keeper.about, options.accept_changes
    if keeper.writes:
        remove_temporaries([folder, folder / CHECKPOINTS])
    saved = resuming.latest_checkpoint(prepared, keeper)
    if saved and not accepted:
        resuming.check_unchanged(saved, keeper)
    shorter = extending.find(Path(options.out), prepared, about, accepted) if options.resume and not saved else None
    if saved:
        state = resuming.resume(saved, prepared, keeper)
    elif shorter:
        state = extending.extended(shorter, prepared, keeper, all_types(options.type, [shorter]))
    else:
        state = start(keeper.task, prepared.params)
    if keeper.writes and saved and (state.epochs or state.step):
        read_json(folder / "config.json")  # if it is lost, the user hears of it before the training goes on
        directory.write_config(folder, prepared)
    elif keeper.writes:
        directory.write_description(folder, prepared, text, about["environment"])
    if state.epochs or state.step:
        print(f"going on after {state.epochs} epochs and {state.step:,} steps: {folder}")
    if shorter:
        resuming.note(folder, extending.changes(shorter, about["environment"]))
    check_same_state(state)
    # closing the generator writes the run's last files
    with contextlib.closing(train(state, keeper, partial(results.of, prepared))) as trained:
        for _ in shown(trained, prepared.config.training.epochs, sys.stdout):
            pass


def _stopped(error: StoppedError, folder: Path, options: argparse.Namespace) -> str:
    """What is said when a signal has stopped the training: where it is saved, and the command that goes on with it."""
    return f"stopped by {signal.Signals(error.number).name}, saved in {folder}; go on with: {resuming_command(options)}"


def _summary(prepared: Prepared) -> str:
    """The sizes of the net and of the data."""
    data, training = prepared.data, prepared.config.training
    parts = zip(("training", "validation", "test"), data[:3], strict=True)
    sizes = ", ".join(f"{part.n:,} {name}" for name, part in parts if part.n)
    return f"{count_params(prepared.params):,} parameters; {sizes} examples; gradient by {training.gradient}"


def _conclude(folder: Path, prepared: Prepared, params: Params, history: list[dict[str, Any]]) -> None:
    """Print what came out, draw the pictures, and print where they are."""
    found = read_json(folder / "result.json").get("results") or results.of(prepared, history, params)
    seconds = sum(line["seconds"] for line in history)
    print(*run_summary.lines(found, seconds, results.input_names(prepared.data)), sep="\n")
    pictured = run_pictures.Run(folder, prepared, params, history, found)
    made = drawn(lambda: run_pictures.draw(pictured), "--resume draws them again")
    missing = "" if curves.available() else f"\n{curves.MISSING}, then --resume draws them"
    pictures = f"; pictures: {', '.join(made)}" if made else missing
    print(f"run directory: {folder}{pictures}")
