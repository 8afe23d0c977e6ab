"""`fnn explain CONFIG`: one training step of a small net, every number shown."""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fnn.cli.common import all_types, drawn, overrides, prepared_for
from fnn.cli.writing import written
from fnn.config.reading import load_config
from fnn.config.sections import GRADIENTS, Config
from fnn.errors import InputError
from fnn.examples import Examples
from fnn.lessons.blackboard import MAX_ROWS, Numbers, board, numbers
from fnn.plots import curves
from fnn.runs.preparing import Prepared
from fnn.schedules import Constant, before_the_first
from fnn.storage.files import write_atomically

TEXT = "explain.txt"
ROWS_AT_ONCE = 1000  # in the search for one that is not zero


def command(options: argparse.Namespace) -> int:
    """Print the step that training would make from the config's start on some training examples; status 0.

    Without `--example` it is the first example that is not all zeros.

    Raises:
        InputError: There is no such example, or the net or the mini-batch is too large to be shown.
    """
    config = load_config(options.config, overrides(options), all_types(options.type))
    prepared = prepared_for(options.config, config)
    train, training, net = prepared.data.train, config.training, config.network
    rows = _first(train) if options.example is None else _chosen(options.example, train.n)
    x, y = train.rows(np.array(rows))
    first = options.example is None and bool(np.any(x))
    gradient, factor = GRADIENTS[training.gradient], before_the_first(training.schedule).factor
    optimizer = training.optimizer.scaled(factor)
    try:
        found = numbers(net.layers, net.cost, optimizer, prepared.params, x, y, gradient)
    except InputError as error:
        raise InputError(f"{options.config}: {error}") from None
    text = board(net.layers, net.cost, optimizer, prepared.params, y, found, gradient)
    told = "\n".join([*_heading(config, rows, train.n, first), "", text])
    print(told)
    if options.out is not None:
        _write(Path(options.out), prepared, np.asarray(y), found, told)
    return 0


def _write(folder: Path, prepared: Prepared, y: np.ndarray, found: Numbers, told: str) -> None:
    """Write what was printed and, if matplotlib is installed, the drawn network; print where they are."""
    name, net = prepared.config.name, prepared.config.network
    with written(folder, "make room or name another by --out"):
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / TEXT, f"{told}\n".encode())

    def draw() -> list[str]:
        from fnn.cli.explain_picture import draw_rows  # importing matplotlib takes as long as importing JAX

        return draw_rows(folder, name, net.layers, net.cost, prepared.params, y, found)

    made = drawn(draw, f"{TEXT} has the numbers")
    missing = "" if curves.available() else f"; {curves.MISSING}"
    print(f"\n{name}: {folder}: {', '.join([TEXT, *made])}{missing}")


def _first(train: Examples) -> list[int]:
    """The first example that is not all zeros; the first of all where there is none."""
    for start in range(0, train.n, ROWS_AT_ONCE):
        x, _ = train.rows(slice(start, start + ROWS_AT_ONCE))
        (found,) = np.nonzero(np.any(np.asarray(x).reshape(len(x), -1) != 0, axis=1))
        if found.size:
            return [start + int(found[0])]
    return [0]


def _chosen(text: str, n: int) -> list[int]:
    """The rows that `--example` names, one by one or from the first to the last: `0,3,5-7`.

    Raises:
        InputError: It names no rows of the training data, which are `n`, or more than a blackboard takes.
    """
    parts = [re.fullmatch(r"\s*(\d{1,18})\s*(?:-\s*(\d{1,18})\s*)?", part, re.ASCII) for part in text.split(",")]
    ranges = [range(int(part[1]), int(part[2] or part[1]) + 1) for part in parts if part]
    if len(ranges) < len(parts) or not all(len(rows) and rows[-1] < n for rows in ranges):
        raise InputError(
            f"--example {text}: expected 0 to {n - 1}, a row of the training data, or several: 0,2 or 0-2."
        )
    count = sum(map(len, ranges))
    if count > MAX_ROWS:
        raise InputError(f"--example {text}: these are {count:,} examples; a blackboard takes at most {MAX_ROWS}.")
    return [row for rows in ranges for row in rows]


def _heading(config: Config, rows: list[int], n: int, first: bool) -> Iterator[str]:
    """Which step this is."""
    training, factor = config.training, before_the_first(config.training.schedule).factor
    yield f"{config.name}: the first training step, seed {config.seed}"
    if len(rows) > 1:
        listed = (
            f"on the training examples {', '.join(map(str, rows))} (of 0 to {n - 1}), here rows 0 to {len(rows) - 1}"
        )
        yield textwrap.fill(listed, 80)
    else:
        yield f"on training example {rows[0]} (of 0 to {n - 1}){', the first that is not all zeros' if first else ''}"
    if len(rows) < training.batch_size:
        several = f", such as --example 0-{training.batch_size - 1}" if training.batch_size <= MAX_ROWS else ""
        yield f"a mini-batch of this config has {training.batch_size} examples{several}"
    if not isinstance(training.schedule, Constant):
        yield f"{type(training.schedule).__name__}: in the first epoch eta is {factor:g} times that of the config"
    if training.shifts:
        yield "shifts: training shows every image in four other places too"
