"""What the checks share: a config, the processes that train it, and what they leave."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tests.helpers.several_processes import COMMAND, Ranks
from tests.helpers.spread_cases import difference

ROUNDING = 1e-5
PLAIN = "from fnn.plots import curves\ncurves.available = lambda: False\n"  # nothing draws
SECONDS = 500.0  # in which a training of these has to end, on a machine that does other work too
CONFIG = """name = "together"
[data]
source = "digits"
validation = 297
[network]
layers = [{ type = "Dense", units = 30 }, { type = "Sigmoid" }, { type = "Dense", units = 10 }]
cost = "CrossEntropy"
[training]
optimizer = { type = "SGD", eta = 0.01 }
batch_size = 150
epochs = 6
"""
# small steps without momentum, so that what rounding changes stays small over many epochs


class Found(NamedTuple):
    """What was measured, in words, and whether the check holds; None if nothing was measured here."""

    measured: str
    holds: bool | None


def config(folder: Path, text: str = CONFIG, **changes: Any) -> str:
    """The path of a config in `folder`, with other values for some keys that it has."""
    for key, value in changes.items():
        (line,) = [line for line in text.splitlines() if line.startswith(f"{key} = ")]
        text = text.replace(line, f"{key} = {value!r}")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "config.toml"
    path.write_text(text)
    return str(path)


def words(path: str, out: Path, *more: str) -> list[str]:
    """The words of a command that trains and goes on, and saves only when it is stopped unless `more` says other."""
    return [
        "run",
        path,
        "--out",
        str(out),
        "--resume",
        *([] if "--checkpoint" in more else ["--checkpoint", "9e9"]),
        *more,
    ]


def started(folder: Path, words: Iterable[str], count: int = 2, before: Any = (), **how: Any) -> Ranks:
    """So many processes, of which none draws pictures, as that takes long; the rest as for `Ranks`."""
    own = dict(before)
    return Ranks(folder, [*words], count, before={i: PLAIN + own.get(i, "") for i in range(count)}, **how)


def train(folder: Path, path: str, out: Path, *more: str, count: int = 2, **how: Any) -> Ranks:
    """So many processes train to the end; their statuses have to be 0."""
    ranks = started(folder, words(path, out, *more), count, **how)
    statuses = ranks.wait(SECONDS)
    if set(statuses.values()) != {0}:
        raise RuntimeError(f"{statuses}: {ranks.out(0)[-500:]} {[ranks.err(i)[-1500:] for i in statuses]}")
    return ranks


def alone(path: str, out: Path, *more: str, environment: Mapping[str, str] = {}) -> str:
    """What one process prints that trains to the end."""
    command = [sys.executable, "-c", PLAIN + COMMAND, *words(path, out, *more)]
    # as the processes of `Ranks`, but with no --distributed
    variables = os.environ | {"JAX_PLATFORMS": "cpu"} | dict(environment)
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=SECONDS)
    if done.returncode:
        raise RuntimeError(f"{done.returncode}: {done.stderr[-1500:]}")
    return done.stdout


def run_in(out: Path) -> Path:
    """The one run directory in `out`."""
    (run,) = [path for path in out.iterdir() if path.is_dir()]
    return run


def params(out: Path) -> list[np.ndarray]:
    """The params of the one run in `out`."""
    with np.load(run_in(out) / "params.npz") as arrays:
        return [arrays[name] for name in arrays.files]


def digest(out: Path) -> str:
    """The SHA-256 of the params file of the one run in `out`."""
    return hashlib.sha256((run_in(out) / "params.npz").read_bytes()).hexdigest()[:12]


def far(out: Path, other: Path) -> float:
    """The largest relative difference of the params of two runs."""
    return difference(params(out), params(other))


def line_is_last(ranks: Ranks, ranks_left: Iterable[int]) -> bool:
    """Whether each of these ranks has, within the last 3 lines of its stderr, the line that says how to go on."""
    return all(any("fnn: " in line and "go on with: fnn " in line for line in last(ranks, i, 3)) for i in ranks_left)


def last(ranks: Ranks, rank: int, number: int = 1) -> list[str]:
    """The last lines that a rank has said on stderr."""
    return ranks.err(rank).splitlines()[-number:]


def wait_for_mark(ranks: Ranks, which: list[int]) -> None:
    """Return when these ranks have said that they are there."""
    end = time.monotonic() + SECONDS
    while not all("HERE" in ranks.err(i) for i in which) and time.monotonic() < end:
        time.sleep(0.02)


def complaint(ranks: Ranks, statuses: Mapping[int, int]) -> str:
    """What is told of a check that fails: the statuses, and the ends of what was said."""
    return f"{statuses} {[(ranks.out(i)[-200:], ranks.err(i)[-400:]) for i in ranks.processes]}"


def signal_name(number: int) -> str:
    """What a signal is called."""
    return "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
