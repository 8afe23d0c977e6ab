"""`fnn watch RUN`: the epochs of a training as they come, until it ends. This needs no JAX, and changes nothing."""

from __future__ import annotations

import argparse
import itertools
import math
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fnn.cli.runs import scores, state_of
from fnn.errors import InputError
from fnn.machine.signals import stopped
from fnn.runs import endings
from fnn.runs.file_names import METRICS, RESULT
from fnn.runs.listing import DIVERGED, FINISHED, GOING_ON, STOPPED, Entry, entry, found, is_run
from fnn.runs.measured import number
from fnn.runs.settings import text
from fnn.storage.json_files import parse_json, read_json, read_plain
from fnn.storage.locks import LOCK, is_locked

EVERY = 0.5  # seconds between two looks; a training writes its metrics about once a second
BEGINNING = 4  # looks in which a folder that was just made may get its lock and its files
FEW, LINES = 5, 60  # epochs of which all are printed after one look; lines, about, of a training that is faster
PARTS = ("train", "validation", "test")


def command(options: argparse.Namespace) -> int:
    """Print the epochs of a run until it ends; status 0, or 4 if it has diverged.

    Raises:
        InputError: There is no such run.
        CorruptFileError: A file of it is damaged.
        StoppedError: A signal ended the watching, and not the training.
    """
    folder = Path(options.run)
    _check(folder)
    with stopped(f"it was only watched, its training is as it was: {folder}"):
        last = _followed(folder)
    print("\n".join(last_words(last)), flush=True)
    return 4 if last.state == DIVERGED else 0


def _check(folder: Path) -> None:
    """Refuse what is no run.

    Raises:
        InputError: It is none. Of a folder of runs one is named: that which is trained now, else the newest.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; expected a run directory, as fnn run CONFIG makes one.")
    inner = [] if is_run(folder) else [each for each in found(folder) if isinstance(each, Entry)]
    if inner:
        best = next((each for each in inner if each.state == GOING_ON), inner[0])
        which = "it is going on" if best.state == GOING_ON else "the newest"
        raise InputError(f"{folder}: is a folder of runs; name one of them: fnn watch {best.folder} ({which}).")


def _followed(folder: Path) -> Entry:
    """The run once it is not trained any more; until then its epochs are printed."""
    epoch, said = 0, ""
    for look in itertools.count():
        got = entry(folder)  # before its metrics are read: none of its last lines is missed
        beginning = is_locked(folder) or (look < BEGINNING and not (folder / LOCK).exists())
        if isinstance(got, Entry):
            state = f"{text(folder.resolve().name)}: {state_of(got)}"
            if state != said and (not said or got.is_sweep):
                print(state, flush=True)
                said = state
            epoch = _print_new(got, epoch)
            if got.state in (FINISHED, DIVERGED) or (got.state == STOPPED and not beginning):
                return got
        elif not beginning:
            raise got.error
        time.sleep(EVERY)
    raise AssertionError("counting ends never")


def _print_new(run: Entry, epoch: int) -> int:
    """Print the epochs of a run after this one; the last one that is printed."""
    if run.is_sweep or run.epoch <= epoch:
        return epoch
    rows = [parse_json(row, run.folder / METRICS) for row in read_plain(run.folder / METRICS).splitlines()]
    new = [row for row in rows if isinstance(row, dict) and number(row.get("epoch")) > epoch]
    every, columns = max(1, run.epochs // LINES), shutil.get_terminal_size().columns
    if not epoch and every > 1:
        print(f"of epochs that come fast one in {every:,} is shown, and the last", flush=True)
    for row in new:
        if len(new) <= FEW or row is new[-1] or row["epoch"] % every == 0:
            print(line(row, run.epochs, columns), flush=True)
    return int(number(new[-1]["epoch"])) if new else epoch


def line(row: Mapping[str, Any], epochs: int, columns: int) -> str:
    """An epoch in a line: for each part of the data the cost and, where there is one, the accuracy.

    In a terminal of too few columns the parts have shorter names, and as many are told as fit.
    """
    begin = f"{row['epoch']:{len(str(epochs))}}/{epochs}"
    told = [begin, *_parts(row, PARTS)]
    if len("  ".join(told)) >= columns:
        told = [begin, *_parts(row, ("train", "val", "test"))]
    while len(told) > 2 and len("  ".join(told)) >= columns:
        told.pop()
    return "  ".join(told)


def _parts(row: Mapping[str, Any], names: Sequence[str]) -> Iterator[str]:
    for part, name in zip(PARTS, names, strict=True):
        if f"{part}_cost" in row:
            words = f"{name} {_number(row[f'{part}_cost'], '{:9.4g}')}"
            share = f"{part}_accuracy"
            yield f"{words} {_number(row[share], '{:7.2%}')}" if share in row else words


def _number(value: Any, form: str) -> str:
    """A number in this form, and as wide what was not finite."""
    found_number = number(value)
    return f"{'-':>{len(form.format(1))}}" if math.isnan(found_number) else form.format(found_number)


def last_words(run: Entry) -> Iterator[str]:
    """How the run has ended, and its results."""
    if run.is_sweep:
        yield state_of(run)
    elif run.state == DIVERGED:
        found_there = endings.divergence(run.folder)
        yield f"diverged: {found_there.message if found_there else run.where}"
    elif run.state == STOPPED:
        yield f"stopped after {run.epoch:,} of {run.epochs:,} epochs; fnn run CONFIG --resume goes on with it"
    else:
        yield f"finished: {_why(run)}"
    named = zip(("validation", "test"), scores(run), strict=True)
    told = [f"{part} {score}" for part, score in named if score]
    if told and run.state == FINISHED:
        yield f"{'at the best point' if run.is_sweep else 'results'}: {', '.join(told)}"


def _why(run: Entry) -> str:
    """Why a finished run has ended, and which params it has kept."""
    result = read_json(run.folder / RESULT)
    results = result.get("results") if isinstance(result, dict) else None
    results = results if isinstance(results, dict) else {}
    why = text(results.get("stopped", f"{run.epoch:,} of {run.epochs:,} epochs are trained"))
    return f"{why}; kept: epoch {text(results['kept_epoch'])}" if "kept_epoch" in results else why
