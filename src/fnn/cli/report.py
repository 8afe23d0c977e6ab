"""`fnn report RUN [RUN ...]`: finished runs side by side, on a page with a table and pictures."""

from __future__ import annotations

import argparse
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from fnn.cli.common import all_types, drawn, written
from fnn.errors import CorruptFileError
from fnn.network import count_params
from fnn.plots import curves
from fnn.runs import directory, metrics
from fnn.runs.models import load
from fnn.storage.files import write_atomically
from fnn.storage.json_files import read_json

PARTS = {"train": "training", "validation": "validation", "test": "test"}
PICTURES = ("learning.png", "weights.png", "mistakes.png", "monitor.png")  # a run directory may have these
NO_SETTINGS = ("classes", "inputs", "label", "read_as")  # entries of config.json that describe the data
NOT_FINITE = "not finite"  # a number that was nan or infinite, of which metrics.jsonl keeps a null
LONGEST = 60  # characters of a setting; a hash is longer, and is cut off


class Run(NamedTuple):
    """What the page shows of a finished run."""

    folder: Path
    settings: dict[str, str]  # what config.json and environment.json say, by the names of their entries
    lines: list[dict[str, float]]  # the numbers of metrics.jsonl; nan where one was not finite
    parameters: int


def command(options: argparse.Namespace) -> int:
    """Print the table, write the page and the picture of all curves, and return status 0.

    Raises:
        InputError: One of the runs is not finished, or the page cannot be written.
        CorruptFileError: The files of a run are not those that the training wrote.
    """
    types = all_types(options.type)
    shown = [read(Path(path), types) for path in options.runs]
    names = titles(shown)
    numbers = table(["", *names], [*results(shown), *settings(shown)])
    print(numbers)
    folder = Path(options.out)
    with written(folder, "make room or name another by --out"):
        folder.mkdir(parents=True, exist_ok=True)
        paragraphs = [f"# {' and '.join(names) if len(names) < 3 else f'{len(names)} runs'}", numbers]
        made = drawn(lambda: _draw(folder, names, shown), "report.md has the numbers")
        paragraphs += [f"![cost and accuracy of all runs]({picture})" for picture in made]
        page = "\n\n".join([*paragraphs, *_pictures(folder, names, shown)])
        write_atomically(folder / "report.md", f"{page}\n".encode(errors="replace"))
    missing = "" if curves.available() else f"\n{curves.MISSING}"
    print(f"page: {folder / 'report.md'}{f'; picture: {made[0]}' if made else missing}")
    return 0


def _draw(folder: Path, names: Sequence[str], shown: Sequence[Run]) -> list[str]:
    curves.side_by_side(dict(zip(names, (run.lines for run in shown), strict=True)), folder / "curves.png")
    return ["curves.png"]


def _pictures(folder: Path, names: Sequence[str], shown: Sequence[Run]) -> list[str]:
    """The page's table of the pictures that the runs have of their own; [] if there are none."""
    rows = [[name.removesuffix(".png"), *(_link(run.folder / name, folder) for run in shown)] for name in PICTURES]
    rows = [row for row in rows if any(row[1:])]
    return [table(["", *names], rows)] if rows else []


def _link(picture: Path, out: Path) -> str:
    """The Markdown of a picture of a run, on a page in the folder `out`; "" if the run does not have it."""
    if not picture.exists():
        return ""
    return f"![{picture.stem}]({quote(os.fsencode(Path(os.path.relpath(picture, out)).as_posix()))})"


def read(folder: Path, types: Mapping[str, type]) -> Run:
    """The run in a directory.

    Raises:
        InputError: There is no such run, it is not finished, or it has a type that is not in `types`.
        CorruptFileError: Its files are not those that the training wrote.
    """
    directory.check_finished(folder)
    params = load(folder, types).params
    config, environment = read_json(folder / "config.json"), read_json(folder / "environment.json")
    chosen = {key: value for key, value in config.items() if key not in NO_SETTINGS} | {"environment": environment}
    lines = [
        {name: math.nan if x is None else x for name, x in line.items() if x is None or type(x) in (int, float)}
        for line in metrics.read(folder)
    ]
    if not lines:
        raise CorruptFileError(folder / "metrics.jsonl", "has no epoch")
    return Run(folder, dict(entries(chosen)), lines, count_params(params))


def titles(shown: Sequence[Run]) -> list[str]:
    """The names of the runs' folders; where two are the same, their paths."""
    names = [run.folder.resolve().name for run in shown]
    told = [name if names.count(name) == 1 else str(run.folder) for name, run in zip(names, shown, strict=True)]
    return [text(name) for name in told]


def results(shown: Sequence[Run]) -> list[list[str]]:
    """The results: a row for each, with a cell per run that is empty if the run did not measure it."""
    rows = [
        ["parameters", *(f"{run.parameters:,}" for run in shown)],
        ["epochs", *(str(len(run.lines)) for run in shown)],
        ["seconds of training", *(f"{sum(line.get('seconds', 0) for line in run.lines):.1f}" for run in shown)],
    ]
    for part, name in PARTS.items():
        for measure in ("cost", "accuracy"):
            cells = [number(measure, run.lines[-1].get(f"{part}_{measure}")) for run in shown]
            rows.append([f"{name} {measure}, last epoch", *cells])
    rows.append(["best epoch by validation", *(str(best(run) + 1) if chooses(run) else "" for run in shown)])
    for part in ("validation", "test"):
        cells = [number("accuracy", run.lines[best(run)].get(f"{part}_accuracy")) * chooses(run) for run in shown]
        rows.append([f"{PARTS[part]} accuracy there", *cells])
    return [row for row in rows if any(row[1:])]


def chooses(run: Run) -> bool:
    """Whether the run has validation data to choose an epoch by."""
    return "validation_cost" in run.lines[-1]


def best(run: Run) -> int:
    """The first epoch, from 0, of the highest validation accuracy, or of the lowest cost where there is none."""
    epochs = range(len(run.lines))
    if "validation_accuracy" in run.lines[-1]:
        return max(epochs, key=lambda i: _finite(run.lines[i].get("validation_accuracy"), 0.0))
    return min(epochs, key=lambda i: _finite(run.lines[i].get("validation_cost"), math.inf))


def _finite(value: float | None, instead: float) -> float:
    return instead if value is None or math.isnan(value) else value


def number(measure: str, value: float | None) -> str:
    """An accuracy in percent, a cost with five digits, "not finite" for nan, and "" for None."""
    if value is None or math.isnan(value):
        return "" if value is None else NOT_FINITE
    return f"{value:.2%}" if measure == "accuracy" else f"{value:.5g}"


def settings(shown: Sequence[Run]) -> list[list[str]]:
    """The settings in which the runs differ, by name: a row for each, with a cell per run."""
    keys = sorted({key for run in shown for key in run.settings})
    rows = [[key, *(run.settings.get(key, "") for run in shown)] for key in keys]
    return [row for row in rows if len(set(row[1:])) > 1]


def entries(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """The entries of nested tables as text, by dotted names. A layer is one entry, and so is an optimiser."""
    if where == "network.layers" and isinstance(value, list):
        yield from ((f"layer {i:2}", text(layer)) for i, layer in enumerate(value))
    elif isinstance(value, dict) and "type" not in value:
        for key, inner in value.items():
            yield from entries(inner, f"{where}.{key}" if where else key)
    else:
        brief = text(value)
        yield where, brief if len(brief) <= LONGEST else f"{brief[: LONGEST - 3]}..."


def text(value: Any) -> str:
    """A value, nearly as in a config: `Dense(units=10, initializer=He)`, `[1, 8, 8]`."""
    if isinstance(value, dict):
        numbers_first = sorted(value.items(), key=lambda item: isinstance(item[1], (str, dict)))
        inner = [f"{key}={text(v)}" for key, v in numbers_first if key != "type"]
        return f"{value.get('type', '')}({', '.join(inner)})" if inner else str(value.get("type", ""))
    if isinstance(value, list):
        return f"[{', '.join(map(text, value))}]"
    said = value if isinstance(value, str) and value.isprintable() else json.dumps(value)
    return said.replace("|", "/")  # "|" would end the cell of a table


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, aligned so that it can be read as text; a column per run."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    rule = ["-" * widths[0], *(f"{'-' * (width - 1)}:" for width in widths[1:])]
    lines = ([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])] for row in (head, rule, *rows))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
