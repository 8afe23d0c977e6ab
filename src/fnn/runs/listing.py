"""The runs and the sweeps in a folder, as a list shows them, whatever else is in the folder. This needs no JAX.

Nothing that is listed is checked against its hashes, and no params are read.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from fnn.errors import CorruptFileError, InputError
from fnn.runs import endings, sweep_tables
from fnn.runs.file_names import CHECKPOINTS, CONFIG, METRICS, NETWORKS, RESULT
from fnn.runs.measured import kept_scores, last_line, numbers
from fnn.runs.settings import Settings, of_sweep, settings
from fnn.storage.json_files import read_json
from fnn.storage.locks import is_locked

FINISHED, GOING_ON, STOPPED, DIVERGED, UNFINISHED = "finished", "going on", "stopped", "diverged", "not finished"
FOREIGN = (AttributeError, KeyError, IndexError, TypeError, ValueError, ArithmeticError, OSError, RecursionError)


class Entry(NamedTuple):
    """A run or a sweep."""

    folder: Path
    state: str  # FINISHED, GOING_ON, STOPPED, DIVERGED, or UNFINISHED where the system does not tell more
    where: str  # it diverged, in words; else ""
    settings: Settings
    epoch: int  # the last one that is finished; 0 if there is none
    epochs: int  # that the config asks for
    scores: dict[str, float]  # of the params that are kept, else of the last epoch; of a sweep, of its best point
    networks: tuple[int, int]  # of a sweep: those that are trained, and all; (0, 0) for a run

    @property
    def is_sweep(self) -> bool:
        """Whether these are many networks."""
        return self.networks[1] > 0


class Problem(NamedTuple):
    """A folder that is no run, or cannot be read as one."""

    folder: Path
    what: str  # in one line, without the folder's path
    error: InputError | CorruptFileError  # the same, as a command says it of this folder alone


def found(folder: Path) -> list[Entry | Problem]:
    """What is in a folder of runs, newest first; of a run, or a sweep, that one.

    Files and hidden folders in it are passed over.

    Raises:
        InputError: there is no such folder, or it cannot be listed.
    """
    if not folder.is_dir():
        kind = "is no folder" if folder.exists() else "there is no such folder"
        raise InputError(f"{folder}: {kind}; expected a folder of runs, as fnn run CONFIG makes one.")
    if is_run(folder):
        return [entry(folder)]
    try:
        inner = [Path(each.path) for each in os.scandir(folder) if not each.name.startswith(".") and each.is_dir()]
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be listed ({error.strerror}); expected a folder that you may read."
        ) from None
    return [entry(each) for each in sorted(inner, key=_age, reverse=True)]


def name_of(folder: Path) -> str:
    """The name of a folder, in which a link has its own name and `.` that of the folder."""
    return os.path.basename(os.path.abspath(folder))


def is_run(folder: Path) -> bool:
    """Whether a folder has what `fnn run` and `fnn sweep` write first."""
    return any(os.path.lexists(folder / name) for name in (CONFIG, RESULT, METRICS, "config.toml"))


def _age(folder: Path) -> tuple[float, str]:
    """When a run was last trained: when its newest metrics, else its config or the folder itself were written."""
    for name in (METRICS, "sweep.csv", "config.toml", CONFIG, ""):
        try:
            return (folder / name).stat().st_mtime, folder.name
        except OSError:
            continue
    return 0.0, folder.name


def entry(folder: Path) -> Entry | Problem:
    """The run or the sweep in a folder, or what is wrong with it."""
    try:
        return _entry(folder)
    except CorruptFileError as error:
        return Problem(folder, f"{os.path.relpath(error.path, folder)}: {error.reason}", error)
    except InputError as error:
        return Problem(folder, str(error), InputError(f"{folder}: {error}"))
    except PermissionError as error:
        what = f"cannot be read ({error.strerror}); ask its owner, or chmod it"
        return Problem(folder, what, InputError(f"{folder}: {what}"))
    except FOREIGN as error:
        other = CorruptFileError(folder, f"is not what fnn run writes: {type(error).__name__}: {error}")
        return Problem(folder, other.reason, other)


def _entry(folder: Path) -> Entry:
    names = {each.name for each in os.scandir(folder)}
    locked = is_locked(folder)  # before the files are looked at: a training writes its last one under the lock
    if CONFIG not in names:
        raise InputError(_not_a_run(folder, names, locked))
    config = read_json(folder / CONFIG)
    training = config.get("training") if isinstance(config, dict) else None
    if not isinstance(training, dict):
        saved = "params.npz" in names and isinstance(config, dict) and "network" in config
        raise InputError("a network that fnn.save wrote: it has no training" if saved else f"{CONFIG} is not a run's")
    epochs = training.get("epochs")
    if type(epochs) is not int or epochs < 1:
        raise CorruptFileError(folder / CONFIG, f"training.epochs is {ascii(epochs)[:40]}; expected a whole number")
    if "member" in config:
        raise InputError("a network of a sweep, which sweep.csv compares; list the sweep's own folder")
    return (_sweep if NETWORKS in names else _run)(folder, config, epochs, locked)


def _not_a_run(folder: Path, names: set[str], locked: bool | None) -> str:
    """What a folder without `config.json` is."""
    if locked:
        return "going on: its training begins"
    if not names:
        return "is empty: no run, or one that has never begun"
    if all(name == "config.toml" or name.startswith(".") for name in names):
        return "half-written: its training has never begun; remove it"
    inner = [name for name in sorted(names) if not name.startswith(".") and is_run(folder / name)]
    if inner:
        runs = "a run" if len(inner) == 1 else f"{len(inner)} runs"
        return f"a folder with {runs} in it; list it by fnn runs {folder}"
    return f"no run: it has no {CONFIG}"


def _run(folder: Path, config: Mapping[str, Any], epochs: int, locked: bool | None) -> Entry:
    result = read_json(folder / RESULT) if (folder / RESULT).exists() else None
    diverged = None if result is not None or locked else endings.divergence(folder)
    line = last_line(folder / METRICS) if result is not None or (folder / METRICS).exists() else {}
    epoch = line.get("epoch", 0)
    if type(epoch) is not int or epoch < 0:
        raise CorruptFileError(folder / METRICS, f"its last line has the epoch {ascii(epoch)[:40]}")
    if result is not None:
        state = FINISHED
    elif locked:
        state = GOING_ON
    else:
        state = DIVERGED if diverged else UNFINISHED if locked is None else STOPPED
    scores = numbers(line) | kept_scores(result)
    return Entry(folder, state, str(diverged or ""), settings(config), epoch, epochs, scores, (0, 0))


def _sweep(folder: Path, config: Mapping[str, Any], epochs: int, locked: bool | None) -> Entry:
    whole, done = _size(config), (folder / "sweep.csv").exists() and not (folder / CHECKPOINTS).is_dir()
    rows = sweep_tables.read(folder / "sweep.csv") if (folder / "sweep.csv").exists() else []
    found = sweep_tables.outcomes(rows)
    best = sweep_tables.ranked(found)[0] if found else None
    state = FINISHED if done else GOING_ON if locked else UNFINISHED if locked is None else STOPPED
    lost = sum(outcome.diverged for outcome in found)
    if done and lost == len(rows):
        state = DIVERGED
    where = f"{lost} of {len(rows)} networks" if lost else ""
    epoch = max((int(row.get("epochs", 0)) for row in rows), default=0)
    scores = dict(best.mean) if best else {}
    return Entry(folder, state, where, of_sweep(config), epoch, epochs, scores, (len(rows), max(whole, len(rows))))


def _size(config: Mapping[str, Any]) -> int:
    """The number of the networks of a sweep."""
    grid = config.get("sweep", {})
    return math.prod(max(1, len(grid.get(axis, []))) for axis in sweep_tables.AXES) * grid.get("seeds", 1)
