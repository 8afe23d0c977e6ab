"""The case `start`: whole processes from return to result, in CPU seconds, beside one that only starts JAX and draws.

All commands run in turns, in another order every round. CPU seconds are those of the process and of all that it waited
for, user and system; the speed of a machine that others load changes them less than it changes the clock.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from experiments.benchmark.report import ratio
from fnn.config.reading import load_config
from fnn.config.schema import describe
from fnn.data import load_data
from fnn.machine.compile_cache import OF_JAX, VARIABLE

TITLE = "Start: whole processes, from return to result"
ROOT = Path(__file__).parents[2]
WELL = r"(9[5-9]|100)\.\d+%"  # at least 95 %
FLOOR = "floor: JAX, one line, one figure"
AGAIN = ", from the second run on"


class Process(NamedTuple):
    """A command, and what shows that it does its work."""

    name: str
    arguments: Sequence[str]  # of the interpreter
    result: str  # a pattern that its output has to match
    kept: bool = True  # whether it finds the programs that its earlier runs have compiled


class Seconds(NamedTuple):
    """What a process takes."""

    cpu: float
    wall: float


def commands(folder: Path) -> list[Process]:
    """The floor, what `fnn` does with the two small configs, and the digits by others; their files go into `folder`."""
    picture, digits, out = (str(folder / name) for name in ("picture.png", "digits.npz", "out"))
    tested = rf"test +\d+ +\S+ +{WELL}"
    ours = [
        Process("fnn run configs/digits.toml", _fnn("run", "configs/digits.toml", "--out", out), tested),
        Process("fnn run configs/xor.toml", _fnn("run", "configs/xor.toml", "--out", out), "4 of 4 rows right"),
        Process("fnn gradcheck configs/digits.toml", _fnn("gradcheck", "configs/digits.toml"), "the gradient is right"),
        Process(
            "fnn sweep configs/digits.toml, 8 seeds",
            _fnn("sweep", "configs/digits.toml", "--set", "sweep.seeds=8", "--out", out),
            rf"{WELL} .*<- best",
        ),
    ]
    return [
        Process(FLOOR, _module("start_floor", picture), "drawn"),
        *(each for one in ours for each in (one._replace(kept=False), one._replace(name=one.name + AGAIN))),
        Process("digits by scikit-learn", _module("start_sklearn", digits, picture), f"test accuracy {WELL}"),
        Process("digits by PyTorch, eager", _module("start_torch", digits, picture), f"test accuracy {WELL}"),
    ]


def _fnn(*arguments: str) -> list[str]:
    return ["-m", "fnn.cli", *arguments]


def _module(name: str, *arguments: str) -> list[str]:
    return ["-m", f"experiments.benchmark.{name}", *arguments]


def measured(rounds: int) -> dict[str, Any]:
    """A row per command: its samples in CPU seconds and in seconds of the clock, or the reason why there are none."""
    print(f"\n{TITLE}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_parts(folder / "digits.npz")
        rows = race(commands(folder), folder, rounds)
    for row in rows:
        said = row["refusal"] or f"{np.median(row['samples']):6.2f} CPU s"
        if row["samples"] and rows[0]["samples"]:
            said += f", {ratio(row, rows[0]):.2f} of the floor"
        print(f"  {row['contestant']:58} {said}", flush=True)
    return {"title": TITLE, "rows": rows}


def race(processes: Sequence[Process], folder: Path, rounds: int) -> list[dict[str, Any]]:
    """The rows of these processes, after a first run of each that is not timed but has to reach its result."""
    rows = [{"contestant": p.name, "refusal": _refusal(p, folder), "samples": [], "wall": []} for p in processes]
    ready = [i for i, row in enumerate(rows) if not row["refusal"]]
    for r in range(rounds):
        for i in np.random.default_rng(r).permutation(ready):
            done, seconds = finished(processes[i], folder)
            if done.returncode:
                raise RuntimeError(f"{processes[i].name} ended with status {done.returncode}: {_last_line(done)}")
            rows[i]["samples"].append(seconds.cpu)
            rows[i]["wall"].append(seconds.wall)
    return rows


def _refusal(process: Process, folder: Path) -> str:
    """Why this process is not timed; nothing if it reaches its result."""
    done, _ = finished(process, folder)
    if done.returncode:
        absent = "ModuleNotFoundError" in done.stderr
        return f"{'not here' if absent else f'ended with status {done.returncode}'}: {_last_line(done)}"
    if not re.search(process.result, done.stdout):
        return f"does not reach its result: expected {process.result!r} in its output, got {_last_line(done)!r}"
    return ""


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    return next(iter((done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]), "")


def finished(process: Process, folder: Path) -> tuple[subprocess.CompletedProcess[str], Seconds]:
    """The process after its end, and what it took; its programs are in a folder of `folder` that may be empty."""
    cache = folder / ("kept" if process.kept else "empty")
    for old in (folder / "out", *([] if process.kept else [cache])):
        shutil.rmtree(old, ignore_errors=True)
    left_out = (*OF_JAX, "PYTHONDONTWRITEBYTECODE")  # who installs fnn has its bytecode
    environment = {name: value for name, value in os.environ.items() if name not in left_out} | {VARIABLE: str(cache)}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, *process.arguments], env=environment, cwd=ROOT, capture_output=True, text=True
    )
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return done, Seconds(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall)


def write_parts(path: Path) -> None:
    """The parts of `configs/digits.toml` as arrays, for contestants that know nothing of fnn."""
    data = load_data(**describe(load_config(ROOT / "configs" / "digits.toml").data))
    arrays = {}
    for name, part in (("train", data.train), ("validation", data.validation), ("test", data.test)):
        arrays[f"{name}_x"] = np.asarray(part.x, np.float32) * np.float32(part.scale)
        arrays[f"{name}_labels"] = np.asarray(part.y).argmax(axis=1)
    np.savez(path, **arrays)
